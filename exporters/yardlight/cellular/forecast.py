"""How much will have been used when the cycle ends, and when is the cap reached: with probability 0.1, 0.5 and 0.9.

Percent of the cap says too much near the end of a cycle and too little at its start, and a straight line through the
last days takes a weekend for a trend. So, from whole days of history, all of it deterministic:

1. *Weekdays.* The profile of a SIM is its own mean use on each weekday, shrunk towards the fleet's as if that had been
   watched here for four weeks. Days on which the fleet as a whole did far less or more (holidays) are left out.
2. *Level*, the use on an average day, in four views: exponential means with half-lives of 4, 14 and 60 days, and since
   things last changed, with growth where there is any that chance does not explain. Peaks that stand alone are no part
   of a level; as often as they came, they are added again.
3. *Which view.* Each is tried on the past: the error of forecasts made a week and more ago, the series' own and the
   fleet's in a like case (nothing changed, perhaps, clearly), decides how much it counts.
4. *How sure.* The spread of single days, the error of a level known from few of them, and a drift: what past forecasts
   of the whole fleet erred beyond that. Last, the fleet's past forecasts are laid beside what came: 0.1, 0.5 and 0.9
   are the places below which that part of the outcomes fell.

A forecast starts where the vendor's data ends, not now: days that are not told yet are forecast like those to come, so
that data which comes late widens the range and calms nobody. Under `MIN_DAYS` known days there is no forecast.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from yardlight.cellular.history import Track, midnight, ordinal
from yardlight.cellular.levels import (
    PEAK,
    SINCE_CHANGE,
    VIEWS,
    WARM_UP,
    Days,
    Series,
    Trial,
    damped,
    median,
    normal,
    series_of,
)

PROBABILITIES = (0.1, 0.5, 0.9)
# As if the fleet's errors had been made in so many trials here, and its spread been seen on so many days.
_PRIOR_TRIALS, _PRIOR_DAYS = 6.0, 10.0
# The smaller error counts the more: as its inverse to this power. The view since the last change knows more days now
# than it did in any trial, so its errors are taken for that much of what they were.
_SHARPNESS, _BETTER = 8.0, 0.65
# A day is odd if the middle one of at least so many series is off the usual by this factor.
_MANY, _ODD = 20, 2.0
_TEACHERS = 400
# Trials of the fleet that are believed as much as the normal distribution.
_ENOUGH = 100
# A level that is known from so many days is no surer for more of them.
_SETTLED = 28
# Trials knew their weekdays, and which days were odd, from days that came after them.
_HINDSIGHT = 1.1
# Nothing is surer than to a hundredth.
_LEAST_DRIFT = 1e-4
_NORMAL = (-1.2816, 0.0, 1.2816)


def whole_days(track: Track) -> Days | None:
    """The days before the one in which the vendor's data ends; those before `seeded` are an average, and count."""
    if track.as_of is None or not track.days:
        return None
    end = min(track.end, ordinal(track.as_of, track.zone))
    return Days(end - 1, track.days[: end - track.first]) if end > track.first else None


@dataclass(frozen=True, slots=True)
class Fleet:
    """What all series of an account say together.

    `errors` are the mean errors of the views where nothing changed, perhaps and clearly; `spread` is the square of the
    relative error of a single day, `drift` what past forecasts erred beyond that, `upset` what odd days of the whole
    fleet add; `outcomes` are where 0.1, 0.5 and 0.9 of what came fell, in standard deviations from what was said.
    """

    profile: tuple[float, ...] = (1.0,) * 7
    errors: tuple[tuple[float, ...], ...] = ((1.0,) * VIEWS,) * 3
    spread: float = 0.25
    drift: float = 0.02
    upset: float = 0.0
    outcomes: tuple[float, ...] = _NORMAL


@dataclass(frozen=True, slots=True)
class Fit:
    """One series, ready to be continued: use on an average day, growth a day, and how far both may be off (squared)."""

    last: int
    profile: tuple[float, ...]
    level: float
    growth: float
    spread: float
    unsure: float

    def expect(self, day: int) -> float:
        """The use of a day to come."""
        return self.level * self.profile[day % 7] * math.exp(self.growth * damped(day - self.last))


def learn(account: Sequence[Days]) -> tuple[Fleet, list[Fit | None]]:
    """What an account teaches, and each of its series fitted with that; None where there is too little to go by.

    Of a large account some hundred series teach as much as all.
    """
    some = account[:: max(1, len(account) // _TEACHERS)]
    profile = _shared_profile(some)
    odd = _odd_days(some, profile)
    some = [_without(days, odd) for days in some]
    profile = _shared_profile(some)
    fleet = _taught([series_of(days, profile) for days in some], profile, odd)
    return fleet, [_fit(series_of(_without(days, odd), profile), fleet) for days in account]


def _taught(some: Sequence[Series | None], profile: tuple[float, ...], odd: Odd) -> Fleet:
    told = [each for each in some if each is not None and each.known >= WARM_UP and each.mean > 0]
    tried = [each for each in told if each.trials]
    fleet = Fleet(profile, upset=odd.upset)
    if told:
        fleet = replace(fleet, spread=median([each.spread for each in told]))
    if tried:
        fleet = replace(fleet, errors=tuple(_errors(tried, changed) for changed in range(3)))
        fleet = replace(fleet, drift=_fleet_drift(tried, fleet))
        fleet = replace(fleet, outcomes=_outcomes(tried, fleet))
    return fleet


def _shared_profile(account: Sequence[Days]) -> tuple[float, ...]:
    """The weekdays of all series together, each counting alike however much it uses."""
    sums, counts = [0.0] * 7, [0.0] * 7
    for days in account:
        known = [used for used in days.used if used is not None]
        mean = sum(known) / len(known) if len(known) >= 7 else 0.0
        if mean <= 0:
            continue
        day = days.last - len(days.used)
        for used in days.used:
            day += 1
            if used is not None:
                sums[day % 7] += min(used / mean, PEAK)
                counts[day % 7] += 1.0
    if not all(counts):
        return (1.0,) * 7
    return normal([total / count for total, count in zip(sums, counts, strict=True)])


@dataclass(frozen=True)
class Odd:
    """Days on which the whole fleet did far less or more than usual, and how far such days may put one off (squared).

    Holidays and storms say nothing of the level; that they come says how far a single day may be off.
    """

    days: frozenset[int] = frozenset()
    upset: float = 0.0


def _odd_days(account: Sequence[Days], shared: tuple[float, ...]) -> Odd:
    found: dict[int, list[float]] = {}
    for days in account:
        known = [used for used in days.used if used is not None]
        mean = sum(known) / len(known) if len(known) >= WARM_UP else 0.0
        if mean > 0:
            for day, used in _dated(days):
                if used is not None and shared[day % 7] > 0.5:
                    found.setdefault(day, []).append(used / (mean * shared[day % 7]))
    ratios = {day: median(each) for day, each in found.items() if len(each) >= _MANY}
    usual = median(list(ratios.values())) if len(ratios) >= WARM_UP else 0.0
    odd = {day: ratio / usual for day, ratio in ratios.items() if usual and not 1 / _ODD < ratio / usual < _ODD}
    if len(odd) > len(ratios) / 5:
        return Odd()
    return Odd(frozenset(odd), sum((ratio - 1.0) ** 2 for ratio in odd.values()) / max(1, len(ratios)))


def _without(days: Days, odd: Odd) -> Days:
    if not odd.days:
        return days
    return Days(days.last, [None if day in odd.days else used for day, used in _dated(days)])


def _dated(days: Days) -> Iterator[tuple[int, float | None]]:
    return enumerate(days.used, days.last - len(days.used) + 1)


def _errors(tried: Sequence[Series], changed: int) -> tuple[float, ...]:
    """The mean error of each view in trials of the fleet that were alike, without the worst tenth."""
    every = [trial for series in tried for trial in series.trials]
    alike = [trial for trial in every if trial.changed == changed]
    trials = alike if len(alike) >= _ENOUGH / 4 else every
    kept = len(trials) - len(trials) // 10
    errors = (sorted(abs(trial.came - trial.said[view]) for trial in trials)[:kept] for view in range(VIEWS))
    return tuple(sum(each) / kept for each in errors)


def _weigh(series: Series, fleet: Fleet) -> tuple[float, ...]:
    """How much each level counts: by the errors it made in the fleet, and here, in a like case."""
    like = [trial for trial in series.trials if trial.changed == series.changed]
    scores = []
    for view, theirs in enumerate(fleet.errors[series.changed]):
        own = sum(abs(trial.came - trial.said[view]) for trial in like)
        scores.append((own + _PRIOR_TRIALS * theirs) / (len(like) + _PRIOR_TRIALS))
    scores[SINCE_CHANGE] *= _BETTER
    parts = [(score + 1e-6) ** -_SHARPNESS for score in scores]
    return tuple(part / sum(parts) for part in parts)


def _spread(series: Series, fleet: Fleet) -> float:
    """The square of the relative error of a day, shrunk towards the fleet's."""
    return (series.known * series.spread + _PRIOR_DAYS * fleet.spread) / (series.known + _PRIOR_DAYS)


def _beyond(series: Series, fleet: Fleet) -> list[float]:
    """The square of each trial's error, less what single days account for."""
    weights, spread = _weigh(series, fleet), _spread(series, fleet)
    return [_error(trial, weights) ** 2 - spread * trial.noise for trial in series.trials]


def _fleet_drift(tried: Sequence[Series], fleet: Fleet) -> float:
    """What errors of trials have beyond single days on average, without the tails."""
    every = sorted(each for series in tried for each in _beyond(series, fleet))
    tail = len(every) // 20
    kept = every[tail : len(every) - tail]
    return max(_LEAST_DRIFT, sum(kept) / len(kept))


def _drift(series: Series, fleet: Fleet) -> float:
    """The same of one series, shrunk towards the fleet's: a pool is steadier than a SIM."""
    own = _beyond(series, fleet)
    return max(_LEAST_DRIFT, (sum(own) + _PRIOR_TRIALS * fleet.drift) / (len(own) + _PRIOR_TRIALS))


def _outcomes(tried: Sequence[Series], fleet: Fleet) -> tuple[float, ...]:
    """Where what came fell, in standard deviations from what was said."""
    found = sorted(
        _error(trial, weights) / math.sqrt(spread * trial.noise + drift)
        for series in tried
        for weights, spread, drift in [(_weigh(series, fleet), _spread(series, fleet), _drift(series, fleet))]
        for trial in series.trials
    )
    trust = len(found) / (len(found) + _ENOUGH)
    middle = found[len(found) // 2]
    return tuple(
        trust * (middle + _HINDSIGHT * (found[int(probability * (len(found) - 1))] - middle)) + (1 - trust) * normal
        for probability, normal in zip(PROBABILITIES, _NORMAL, strict=True)
    )


def _error(trial: Trial, weights: Sequence[float]) -> float:
    return trial.came - sum(weight * said for weight, said in zip(weights, trial.said, strict=True))


def _fit(series: Series | None, fleet: Fleet) -> Fit | None:
    if series is None:
        return None
    weights = _weigh(series, fleet)
    level = sum(weight * each for weight, each in zip(weights, series.levels, strict=True))
    unsure = _spread(series, fleet) * max(0.0, 1.0 / series.known - 1.0 / _SETTLED)
    growth = weights[SINCE_CHANGE] * series.growth
    spread = _spread(series, fleet) + fleet.upset
    return Fit(series.last, series.profile, level + series.bursts, growth, spread, unsure + _drift(series, fleet))


def project(fit: Fit, fleet: Fleet, used: float, days: Sequence[tuple[int, float]]) -> tuple[float, ...]:
    """The use at the end of these days (ordinals, each with the part of it that is to come), by `PROBABILITIES`."""
    expected = [fit.expect(day) * part for day, part in days]
    total = sum(expected)
    deviation = math.sqrt(fit.spread * sum(each * each for each in expected) + fit.unsure * total * total)
    return tuple(used + max(0.0, total + outcome * deviation) for outcome in fleet.outcomes)


def exhaustion(
    fit: Fit, used: float, cap: float, middle: float, days: Sequence[tuple[int, float]], zone: ZoneInfo
) -> float | None:
    """When the cap is reached with probability 0.5, `middle` being the use at the end of these days.

    None if it is not reached in them, or was before.
    """
    if not used < cap <= middle:
        return None
    expected = [fit.expect(day) * part for day, part in days]
    left = sum(expected) * (cap - used) / (middle - used)
    for index, ((day, part), use) in enumerate(zip(days, expected, strict=True)):
        if left <= use or index == len(days) - 1:
            begins, ends = midnight(day, zone), midnight(day + 1, zone)
            start = ends - part * (ends - begins) if index == 0 else begins
            return start + min(1.0, left / use) * part * (ends - begins)
        left -= use
    return None


def remaining(start: float, end: float, zone: ZoneInfo) -> list[tuple[int, float]]:
    """The days from one instant to another, each with the part of it that lies between."""
    first, last = ordinal(start, zone), ordinal(end, zone)
    parts = []
    for day in range(first, last + 1):
        begins, ends = midnight(day, zone), midnight(day + 1, zone)
        part = (min(end, ends) - max(start, begins)) / (ends - begins)
        if part > 0:
            parts.append((day, part))
    return parts
