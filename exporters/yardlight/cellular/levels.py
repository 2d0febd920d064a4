"""One series of days: its weekdays, its bursts, its level in several views, and how each view did in the past.

Arithmetic of `forecast`, which says what it is for. Amounts are divided by what the weekday accounts for; a level is
the use on an average day.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# In days: of the exponential means, each a view of the level. The last view is that since things last changed.
HALF_LIVES = (4.0, 14.0, 60.0)
SINCE_CHANGE = len(HALF_LIVES)
VIEWS = SINCE_CHANGE + 1
MIN_DAYS = 3
# Before this many days a level is too uncertain to be tried, or to be said to grow.
WARM_UP = 14
# So many times the usual day is a peak, if the days beside it are none.
PEAK = 4.0
# As if the fleet's weekdays had been watched here for so many weeks.
_PRIOR_WEEKS = 4.0
# A forecast of the past looks as far ahead as there are days, within these; so many days lie between two.
_SHORTEST, _LONGEST, _APART = 7, 21, 6
# The shortest time that can be a level of its own, and by what it must explain the days better (as twice the logarithm
# of a likelihood) beyond what the best of so many places for a change gains by chance.
_SEGMENT, _CHANCE = 3, 6.0
# Half of the squares of a normal distribution are under this part of their mean.
_MIDDLE = 0.455
# Growth is believed less, the nearer it is to its own error, and never more than this a day.
_DOUBT, _STEEPEST = 2.0, 0.03
# From here on a change is strongly suggested.
_STRONG = 8.0
# Days in which growth loses half of its force.
_DAMPING = 90.0
_DECAYS = tuple(0.5 ** (1.0 / half_life) for half_life in HALF_LIVES)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of one SIM or pool in their order; None is not known. `last` is the ordinal of the last one."""

    last: int
    used: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Trial:
    """A forecast made in the past: in parts of the use of all its days at the mean level.

    `noise` is what single days weigh in it: the sum of the squares of their weekdays over the square of their sum.
    `changed` says whether the level seemed to have changed by then: 0 no, 1 perhaps, 2 clearly.
    """

    came: float
    said: tuple[float, ...]
    noise: float
    changed: int


@dataclass(frozen=True, slots=True)
class Series:
    """What one series says by itself; amounts per average day.

    `levels` are its views, `growth` goes with the last one; `spread` is the square of the relative error of a day.
    """

    last: int
    profile: tuple[float, ...]
    known: int
    mean: float
    bursts: float
    levels: tuple[float, ...]
    growth: float
    changed: int
    spread: float
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Regime:
    """Level and growth a day since things last changed, and whether they did, or grow (as in `Trial`)."""

    level: float
    growth: float
    changed: int


@dataclass(frozen=True, slots=True)
class _Sums:
    """What was used, and what the weekdays account for, until each known day: totals from the first day on.

    `trend` and `trend2` are weights times the day, and times its square; `leaning` is what was used times the day.
    """

    at: list[int]
    used: list[float]
    calm: list[float]
    weight: list[float]
    square: list[float]
    leaning: list[float]
    trend: list[float]
    trend2: list[float]


def series_of(days: Days, shared: tuple[float, ...]) -> Series | None:
    """One series with its weekdays, shrunk towards the fleet's, taken out; None if too few days are known."""
    known = [used for used in days.used if used is not None]
    if len(known) < MIN_DAYS:
        return None
    first = days.last - len(days.used) + 1
    mean = sum(known) / len(known)
    profile = _profile(days, first, mean, shared)
    calm, excess = _without_bursts(days.used, first, profile, mean)
    sums, history = _Sums([], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0], [0.0]), [(mean,) * SINCE_CHANGE]
    fading, faded = [0.0] * SINCE_CHANGE, [0.0] * SINCE_CHANGE
    squares, surprises = 0.0, []
    for index, (used, value) in enumerate(zip(days.used, calm, strict=True)):
        if used is None or value is None:
            continue
        weight = profile[(first + index) % 7]
        squares += (used - history[-1][1] * weight) ** 2
        if history[-1][1] > 0:
            surprises.append((value / (history[-1][1] * weight) - 1.0) ** 2)
        for view, decay in enumerate(_DECAYS):
            fading[view] = fading[view] * decay + value
            faded[view] = faded[view] * decay + weight
        history.append(tuple([total / weights for total, weights in zip(fading, faded, strict=True)]))
        sums.at.append(index)
        for totals, more in (
            (sums.used, used), (sums.calm, value), (sums.weight, weight), (sums.square, weight * weight),
            (sums.leaning, value * index), (sums.trend, weight * index), (sums.trend2, weight * index * index),
        ):  # fmt: skip
            totals.append(totals[-1] + more)
    mean, bursts = sums.used[-1] / sums.weight[-1], excess / sums.weight[-1]
    if mean < 1.0:
        return Series(days.last, profile, len(known), 0.0, 0.0, (0.0,) * VIEWS, 0.0, 0, 0.0, ())
    spread = min(max(squares / (sums.square[-1] * mean * mean), 1e-3), 4.0)
    count = len(known)
    # What a change itself adds to the spread must not hide it: the middle one knows nothing of a few days.
    usual = max(1e-3, min(spread, median(surprises) / _MIDDLE)) if surprises else spread
    regimes = [_regime(sums, end, usual) for end in (*range(WARM_UP, count - _SHORTEST + 1, _APART), count)]
    trials = tuple(_trials(sums, history, regimes, mean, bursts))
    now = regimes[-1]
    levels = (*history[-1], now.level)
    return Series(days.last, profile, count, mean, bursts, levels, now.growth, now.changed, spread, trials)


def _profile(days: Days, first: int, mean: float, shared: tuple[float, ...]) -> tuple[float, ...]:
    """The weekdays of this series, as if the fleet's had been seen here for weeks before it."""
    sums, counts = [_PRIOR_WEEKS * mean * weight for weight in shared], [_PRIOR_WEEKS] * 7
    for index, used in enumerate(days.used):
        if used is not None:
            sums[(first + index) % 7] += min(used, PEAK * mean)
            counts[(first + index) % 7] += 1.0
    return normal([total / count for total, count in zip(sums, counts, strict=True)])


def _without_bursts(
    used: Sequence[float | None], first: int, profile: tuple[float, ...], mean: float
) -> tuple[list[float | None], float]:
    """The days with lone peaks cut down to the usual, and what was cut off."""
    usual = max(median([each for each in used if each is not None]), 0.7 * mean)
    bounds = [PEAK * usual * max(1.0, profile[(first + index) % 7]) for index in range(len(used))]
    high = [each is not None and each > bound for each, bound in zip(used, bounds, strict=True)]
    calm, excess = list(used), 0.0
    for index, each in enumerate(used):
        beside = (index > 0 and high[index - 1]) or (index + 1 < len(high) and high[index + 1])
        if each is not None and high[index] and not beside:
            calm[index] = usual * profile[(first + index) % 7]
            excess += each - (calm[index] or 0.0)
    return calm, excess


def _regime(sums: _Sums, end: int, spread: float) -> Regime:
    """Level and growth a day since things last changed, as known after `end` known days.

    A change is where two levels explain the days so much better than one (in deviance, for a spread that is
    proportional to the level) that chance does not; a trend over all of them is preferred where it explains as much.
    """
    begin, evidence = 0, 0.0
    while end - begin > 2 * _SEGMENT:
        split, gain = _best_split(sums, begin, end)
        growth, sure = _trend(sums, begin, end, spread)
        needed = _CHANCE + 2.0 * math.log(end - begin)
        if gain / spread < needed or growth * growth / sure > 0.85 * gain / spread:
            break
        begin, evidence = split, max(evidence, gain / spread - needed)
    level = _mean(sums, begin, end)
    growth = 0.0
    if end - begin >= WARM_UP and level > 0:
        growth, sure = _trend(sums, begin, end, spread)
        evidence = max(evidence, growth * growth / sure - _DOUBT * 2)
        growth *= max(0.0, 1.0 - _DOUBT * sure / (growth * growth)) if growth else 0.0
        growth = max(-_STEEPEST, min(_STEEPEST, growth))
        weight = sums.weight[end] - sums.weight[begin]
        level *= math.exp(growth * (sums.at[end - 1] - (sums.trend[end] - sums.trend[begin]) / weight))
    return Regime(level, growth, 0 if evidence <= 0 else 1 if evidence < _STRONG else 2)


def _mean(sums: _Sums, begin: int, end: int) -> float:
    weight = sums.weight[end] - sums.weight[begin]
    return (sums.calm[end] - sums.calm[begin]) / weight if weight > 0 else 0.0


def _best_split(sums: _Sums, begin: int, end: int) -> tuple[int, float]:
    """Where two levels explain these days best, and the deviance that it saves (for a spread of one)."""
    calm, weight, log = sums.calm, sums.weight, math.log
    first_calm, first_weight = calm[begin], weight[begin]
    last_calm, last_weight = calm[end], weight[end]
    tiny = 1e-3 * (last_calm - first_calm) / (last_weight - first_weight) + 1e-9
    best, found = begin, -math.inf
    for split in range(begin + _SEGMENT, end - 1):
        before, after = weight[split] - first_weight, last_weight - weight[split]
        likely = -before * log((calm[split] - first_calm) / before + tiny)
        likely -= after * log((last_calm - calm[split]) / after + tiny)
        if likely > found:
            best, found = split, likely
    whole = last_weight - first_weight
    return best, 2.0 * (found + whole * log((last_calm - first_calm) / whole + tiny))


def _trend(sums: _Sums, begin: int, end: int, spread: float) -> tuple[float, float]:
    """Relative growth a day over these days, and its variance."""
    weight = sums.weight[end] - sums.weight[begin]
    middle = (sums.trend[end] - sums.trend[begin]) / weight
    lever = sums.trend2[end] - sums.trend2[begin] - weight * middle * middle
    calm = sums.calm[end] - sums.calm[begin]
    if lever <= 0 or calm <= 0:
        return 0.0, math.inf
    leaning = sums.leaning[end] - sums.leaning[begin] - middle * calm
    return leaning / (calm / weight) / lever, spread / lever


def _trials(
    sums: _Sums,
    history: Sequence[tuple[float, ...]],
    regimes: Sequence[Regime],
    mean: float,
    bursts: float,
) -> Iterator[Trial]:
    """Forecasts from days in the past, with what was known then of the level."""
    for number, origin in enumerate(range(WARM_UP, len(history) - _SHORTEST, _APART)):
        end = min(origin + _LONGEST, len(history) - 1)
        weight = sums.weight[end] - sums.weight[origin]
        regime = regimes[number]
        said = [(each + bursts) / mean for each in history[origin]]
        said.append((regime.level * math.exp(regime.growth * damped((end - origin) / 2)) + bursts) / mean)
        came = (sums.used[end] - sums.used[origin]) / (weight * mean)
        yield Trial(came, tuple(said), (sums.square[end] - sums.square[origin]) / weight**2, regime.changed)


def damped(ahead: float) -> float:
    """Growth ends slowly: nothing grows for ever."""
    return ahead / (1.0 + ahead / _DAMPING)


def normal(weights: Sequence[float]) -> tuple[float, ...]:
    """Weekdays with a mean of one; none is nothing at all, so that a level can be had from any of them."""
    mean = sum(weights) / 7
    return tuple(max(weight / mean, 0.01) for weight in weights) if mean > 0 else (1.0,) * 7


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of both."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
