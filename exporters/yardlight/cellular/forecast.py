"""How much will have been used when the cycle ends, and when is the cap reached: with probability 0.1, 0.5 and 0.9.

Percent of the cap says too much near the end of a cycle and too little at its start, and a straight line through the
last days takes a weekend for a trend. So, from whole days of history, all of it deterministic:

1. *Weekdays.* The profile of a SIM, w[weekday], is the mean share of each in the week around it, shrunk towards the
   fleet's as if that had been watched here for four weeks. Days on which the fleet as a whole did far less or more
   (holidays, firmware) are left out; of the days to come as many are taken to be such as were, and each SIM to do on
   them what it did: other kinds of SIMs may not have noticed.
2. *Peaks* that stand alone tell nothing of a level: single days far above those around them, for the noise that this
   series has. Of those that come `often` a day, n days have as many as a Poisson distribution with that mean has in the
   middle: mostly none, where the mean would say a half. Nor do the last days of a truck that is at home, if it was
   before and came back; nor those of a SIM in stock, nor its first two, if they stand out: a tablet loads its apps.
3. *Level*, so that a day to come is level * w[weekday], in four views: exponential means with half-lives of 4, 14 and
   60 days, which stay as they are, and the `courses` that levels take: growth, turns, spells of weeks, seasons, jumps,
   what the account does `together`; each is weighed by how well it explains the days, and how common it is there.
4. *Which view.* Each is tried on the past: the error of forecasts made a week and more ago, the series' own and the
   fleet's in a like case (nothing changed, perhaps, clearly), decides how much it counts: as error ** -16.
5. *How sure.* The square of the error of a sum is that of its days and peaks, plus, in proportion to the sum, that of a
   level known from few days and a drift: what past forecasts erred beyond that. Last, the fleet's past forecasts are
   laid beside what came: 0.1 and 0.9 are as far from the middle as the places below which that part of the outcomes
   fell. The middle one of them stays where it was said: which side a fleet erred on does not tell the next time, nor of
   each SIM. Where the past is too short to be tried at several times, drift and places are in part those of fleets at
   large.

A pool that is the sum of its SIMs is continued as they are: what is new, has grown or has another plan shows at one of
them, where the sum only seems to change or grow a little. How far that may be off is what the pool's own past says.

A forecast starts where the vendor's data ends, not now: days that are not told yet are forecast like those to come, so
that data which comes late widens the range and calms nobody. Under `MIN_DAYS` known days there is no forecast.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from yardlight.cellular.changes import Floats
from yardlight.cellular.courses import KNOTS, USUAL, Habits, learned
from yardlight.cellular.history import Track, midnight, ordinal
from yardlight.cellular.levels import (
    COURSES,
    MIN_DAYS,
    VIEWS,
    WARM_UP,
    Days,
    Flags,
    Ints,
    Series,
    Table,
    Trial,
    Views,
    ends_of,
    median,
    noise_of,
    normal,
    series_of,
    typical,
    views_of,
)

PROBABILITIES = (0.1, 0.5, 0.9)
# As if each view's errors in the fleet had been made in so many trials here, its drift been seen in so many, and its
# spread on so many days.
_LIKE_THE_FLEET, _PRIOR_TRIALS, _PRIOR_DAYS = 15.0, 3.0, 10.0
# The smaller error counts the more: as its inverse to this power. Courses know more days now than they did in any
# trial, so their errors are taken for that much of what they were.
_SHARPNESS, _BETTER = 16.0, 0.8
# A day is odd if the middle one of at least so many series is off the usual by this factor.
_MANY, _ODD = 20, 2.0
# All of so many series teach, of more at least so many, and so many are taken at a time: each takes memory for every
# course.
_ALL, _TEACHERS, _AT_ONCE = 250, 90, 80
# Trials of the fleet that are believed as much as the normal distribution, and as what is usual of fleets at large.
_ENOUGH, _FEW = 100, 25
# Before this many days a series teaches the others nothing.
_A_WEEK = 7
# What a weekday is told by the days around it, which have weekdays too: it settles in so many rounds.
_ROUNDS = 5
_CLEARLY = 2
# As if this drift had been seen at one other time: what one fortnight showed says little of the next one.
_PRIOR_TIMES, _USUAL_DRIFT = 1.0, 0.03
# A level that is known from so many days is no surer for more of them.
_SETTLED = 28
# Trials knew their weekdays, and which days were odd, from days that came after them.
_HINDSIGHT = 1.15
# Nothing is surer than to a hundredth.
_LEAST_DRIFT = 1e-4
_NORMAL = (-1.2816, 0.0, 1.2816)


def whole_days(track: Track) -> Days | None:
    """The days before the one in which the vendor's data ends; those before `seeded` are an average, and count."""
    if track.as_of is None or not track.days:
        return None
    end = min(track.end, ordinal(track.as_of, track.zone))
    if end <= track.first:
        return None
    return Days(end - 1, memoryview(track.days)[: end - track.first])


@dataclass(frozen=True, slots=True)
class Fleet:
    """What all series of an account say together.

    `noise` is how far single days are off (squared), `habits` which courses levels take. `errors` are the mean errors
    of the views where nothing changed, perhaps and clearly; `spread` is the square of the relative error of a single
    day that is to come, `drift` what past forecasts erred beyond that in these cases. `outcomes` are where 0.1, 0.5 and
    0.9 of what came fell, in standard deviations from the middle of them.
    """

    profile: tuple[float, ...] = (1.0,) * 7
    noise: float = 0.06
    habits: Habits = USUAL
    errors: tuple[tuple[float, ...], ...] = ((1.0,) * VIEWS,) * 3
    spread: float = 0.25
    drift: tuple[float, ...] = (_USUAL_DRIFT,) * 3
    outcomes: tuple[float, ...] = _NORMAL


@dataclass(frozen=True, slots=True)
class Fit:
    """One series, ready to be continued: use on an average day at each of `KNOTS`, and how far it may be off (squared).

    Peaks of `peak` bytes come `often` a day, by chance. Odd days of the whole fleet add `upset` to the `spread`.
    """

    last: int
    profile: Sequence[float]
    levels: Sequence[float]
    spread: float
    unsure: float
    often: float = 0.0
    peak: float = 0.0
    upset: float = 0.0

    def expect(self, days: Sequence[tuple[int, float]]) -> list[float]:
        """The use of days to come (ordinals, each with the part of it that is to come), with as many peaks as usual."""
        peaks = self.peaks(days) / max(1, len(days))
        levels = np.interp([day - self.last for day, _ in days], KNOTS, self.levels).tolist()
        return [level * self.profile[day % 7] * part + peaks for level, (day, part) in zip(levels, days, strict=True)]

    def peaks(self, days: Sequence[tuple[int, float]]) -> float:
        """What peaks add, as often as not."""
        return self.peak * float(typical(np.array(self.often * sum(part for _, part in days))))


def learn(account: Sequence[Days], pools: Mapping[int, Sequence[int]] | None = None) -> tuple[Fleet, list[Fit | None]]:
    """What an account teaches, and each of its series fitted with that; None where there is too little to go by.

    Of a large account a hundred series teach as much as all. `pools` are the series that are sums of others,
    each with those, all by their places in `account`.
    """
    some = Table.of(account[:: len(account) // _TEACHERS if len(account) > _ALL else 1])
    odd = _odd_days(some, _shared_profile(some))
    some = some.without(odd)
    fleet = _taught(some, _shared_profile(some))
    fits, counts = list[Fit](), list[int]()
    for begin in range(0, len(account), _AT_ONCE):
        whole = Table.of(account[begin : begin + _AT_ONCE])
        table = whole.without(odd)
        fits += _fitted(series_of(table, fleet.profile), _odd_use(whole, table, fleet.profile), fleet)
        counts += table.count.tolist()
    for pool, members in (pools or {}).items():
        fits[pool] = _together(fits[pool], [fits[member] for member in members])
    return fleet, [fit if count >= MIN_DAYS else None for fit, count in zip(fits, counts, strict=True)]


def _taught(some: Table, profile: tuple[float, ...]) -> Fleet:
    fleet = Fleet(profile)
    enough = (some.count >= _A_WEEK) & (some.mean >= 1.0)
    if not enough.any():
        return fleet
    told = series_of(some.only(enough), profile)
    # Of a SIM with a row every few days it is not known.
    heard = told.noise[np.isfinite(told.noise)]
    noise = float(np.median(heard)) if len(heard) else fleet.noise
    noises = noise_of(told, noise)
    fleet = replace(fleet, noise=noise, habits=learned(told.calm, told.sure, noises, ends_of(told)))
    views = views_of(told, noises, fleet.habits)
    fleet = replace(fleet, spread=float(np.median(views.spread)))
    trials = sum(int(trial.told.sum()) for trial in views.trials)
    if trials:
        fleet = replace(fleet, errors=tuple(_errors(views.trials, changed) for changed in range(3)))
        fleet = replace(fleet, drift=_fleet_drift(told, views, fleet))
        fleet = replace(fleet, outcomes=_outcomes(told, views, fleet))
    return fleet


def _shared_profile(table: Table) -> tuple[float, ...]:
    """The weekdays of all series together, each counting alike however much it uses."""
    steady = table.only((table.count >= _A_WEEK) & (table.mean > 0))
    shared = (1.0,) * 7
    for _ in range(_ROUNDS):
        sums, counts = steady.by_weekday(shared)
        total = counts.sum(axis=0)
        if not total.all():
            break
        shared = tuple(normal(sums.sum(axis=0) / total).tolist())
    return shared


@dataclass(frozen=True)
class OddUse:
    """What each series did on days on which the whole fleet did far less or more than usual.

    Holidays and storms say nothing of the level. That they come says how far a single day may be off (`upset`,
    squared), and by how much days to come differ from those without them on average (`more`), in parts of a day.
    """

    more: Floats
    upset: Floats


def _odd_days(table: Table, shared: Sequence[float]) -> Ints:
    """Their ordinals."""
    table = table.only((table.count >= WARM_UP) & (table.mean > 0))
    weight = np.array(shared)[table.day % 7]
    told = table.known & (weight > 0.5)
    off = (table.used / (table.mean[:, None] * weight))[told]
    days = table.day[told]
    ratios = {int(day): float(np.median(each)) for day in np.unique(days) if len(each := off[days == day]) >= _MANY}
    usual = median(list(ratios.values())) if len(ratios) >= WARM_UP else 0.0
    odd = [day for day, ratio in ratios.items() if usual and not 1 / _ODD < ratio / usual < _ODD]
    return np.array([] if len(odd) > len(ratios) / 5 else odd, dtype=np.int64)


def _odd_use(whole: Table, table: Table, shared: Sequence[float]) -> OddUse:
    """Of `whole`, where `table` is without the odd days."""
    weight = np.array(shared)[whole.day % 7]
    level = (table.used.sum(axis=1) / np.maximum((weight * table.known).sum(axis=1), 1e-9))[:, None]
    off = np.where(whole.known & ~table.known & (level >= 1.0), whole.used / np.maximum(level, 1.0) - weight, 0.0)
    # As if there had been none for some days more: one in a fortnight is not one in every fortnight.
    return OddUse(off.sum(axis=1) / (whole.count + WARM_UP), (off**2).sum(axis=1) / np.maximum(whole.count, 1))


def _errors(trials: Sequence[Trial], changed: int) -> tuple[float, ...]:
    """The mean error of each view in trials of the fleet that were alike, without the worst tenth.

    Where a fleet has shown no change yet, means that fade are believed half after the first.
    """
    every = np.concatenate([np.abs(trial.came[:, None] - trial.said)[trial.told] for trial in trials])
    alike = np.concatenate([trial.changed[trial.told] == changed for trial in trials])
    seen = alike.sum() >= _FEW
    errors = every[alike] if seen else every
    kept = len(errors) - len(errors) // 10
    means: list[float] = np.sort(errors, axis=0)[:kept].mean(axis=0).tolist()
    doubt = 2.0 if changed == _CLEARLY and not seen else 1.0
    return tuple(mean * (1.0 if view == COURSES else doubt) for view, mean in enumerate(means))


def _weigh(views: Views, fleet: Fleet) -> Floats:
    """How much each level counts: by the errors it made in the fleet, and here, in a like case."""
    own, count = np.zeros((len(views.changed), VIEWS)), np.zeros(len(views.changed))
    for trial in views.trials:
        like = trial.told & (trial.changed == views.changed)
        own += np.where(like[:, None], np.abs(trial.came[:, None] - trial.said), 0.0)
        count += like
    theirs = np.array(fleet.errors)[views.changed]
    scores = (own + _LIKE_THE_FLEET * theirs) / (count[:, None] + _LIKE_THE_FLEET)
    scores[:, COURSES] *= _BETTER
    scores += 1e-6
    # Beside the best one, so that no power of them is too small for a number.
    parts = (scores / scores.min(axis=1, keepdims=True)) ** -_SHARPNESS
    weights: Floats = parts / parts.sum(axis=1, keepdims=True)
    return weights


def _spread(series: Series, views: Views, fleet: Fleet) -> Floats:
    """The square of the relative error of a day, shrunk towards the fleet's."""
    shrunk: Floats = (series.count * views.spread + _PRIOR_DAYS * fleet.spread) / (series.count + _PRIOR_DAYS)
    return shrunk


def _missed(trial: Trial, weights: Floats) -> Floats:
    """By how much more came than was said."""
    more: Floats = trial.came - (weights * trial.said).sum(axis=1)
    return more


def _beyond(series: Series, views: Views, fleet: Fleet) -> list[Floats]:
    """The square of each trial's error, less what single days and peaks account for."""
    weights, spread = _weigh(views, fleet), _spread(series, views, fleet)
    return [_missed(trial, weights) ** 2 - spread * trial.noise - trial.upset for trial in views.trials]


def _sure(trials: int, few: float, views: Views) -> float:
    """How much is believed of what so many trials say: at half, `few` of them, and those of one time."""
    times = float(sum(trial.told.mean() for trial in views.trials))
    return trials / (trials + few) * times / (times + _PRIOR_TIMES)


def _fleet_drift(series: Series, views: Views, fleet: Fleet) -> tuple[float, ...]:
    """What errors of trials have beyond single days on average, without the tails: where nothing changed, and so on."""
    beyond = zip(_beyond(series, views, fleet), views.trials, strict=True)
    every = np.concatenate([each[trial.told] for each, trial in beyond])
    changed = np.concatenate([trial.changed[trial.told] for trial in views.trials])

    def drift(like: Flags) -> float:
        found = np.sort(every[like] if like.sum() >= _FEW else every)
        tail = len(found) // 20
        seen = max(_LEAST_DRIFT, float(found[tail : len(found) - tail].mean()))
        # As logarithms: what is usual must not hide how calm a fleet is.
        sure = _sure(len(found), _FEW, views)
        return math.exp(sure * math.log(seen) + (1 - sure) * math.log(_USUAL_DRIFT))

    return tuple(drift(changed == each) for each in range(3))


def _drift(series: Series, views: Views, fleet: Fleet) -> Floats:
    """The same of each series, shrunk towards the fleet's in a like case: a pool is steadier than a SIM."""
    own, count = _PRIOR_TRIALS * np.array(fleet.drift)[views.changed], np.full(len(series.mean), _PRIOR_TRIALS)
    for each, trial in zip(_beyond(series, views, fleet), views.trials, strict=True):
        own += np.where(trial.told, each, 0.0)
        count += trial.told
    drift: Floats = np.maximum(_LEAST_DRIFT, own / count)
    return drift


def _outcomes(series: Series, views: Views, fleet: Fleet) -> tuple[float, ...]:
    """Where what came fell, in standard deviations from the middle of it."""
    weights, spread, drift = _weigh(views, fleet), _spread(series, views, fleet), _drift(series, views, fleet)
    found = np.sort(
        np.concatenate(
            [
                (_missed(trial, weights) / np.sqrt(spread * trial.noise + trial.upset + drift))[trial.told]
                for trial in views.trials
            ]
        )
    )
    sure = _sure(len(found), _ENOUGH, views)
    middle = float(found[(len(found) - 1) // 2])
    return tuple(
        sure * _HINDSIGHT * (float(found[int(probability * (len(found) - 1))]) - middle) + (1 - sure) * normal
        for probability, normal in zip(PROBABILITIES, _NORMAL, strict=True)
    )


def _fitted(series: Series, odd: OddUse, fleet: Fleet) -> Iterator[Fit]:
    views = views_of(series, noise_of(series, fleet.noise), fleet.habits)
    weights, spread = _weigh(views, fleet), _spread(series, views, fleet)
    levels = (1.0 + odd.more)[:, None] * (weights[:, :, None] * views.levels).sum(axis=1)
    levels = np.where(series.mean[:, None] >= 1.0, levels, 0.0)
    few = np.maximum(0.0, 1.0 / np.maximum(series.count, 1) - 1.0 / _SETTLED)
    unsure = spread * few + _drift(series, views, fleet)
    columns = (series.last, series.profile, levels, spread, unsure, series.often, series.peak, odd.upset)
    for last, profile, path, *numbers in zip(*(column.tolist() for column in columns), strict=True):
        # As arrays they take half of the memory.
        yield Fit(last, array("d", profile), array("d", path), *numbers)


def _together(own: Fit, members: Sequence[Fit]) -> Fit:
    """A pool continued as its members are; only how far it may drift is its own, for they do so together."""
    levels = tuple(map(sum, zip(*(fit.levels for fit in members), strict=True)))
    if not levels or levels[0] <= 0:
        return own
    shares = [fit.levels[0] / levels[0] for fit in members]

    def mean(values: Iterable[float]) -> float:
        return sum(share * value for share, value in zip(shares, values, strict=True))

    # Peaks that add up to as many bytes and differ as much as theirs together.
    peaks, squares = (sum(fit.often * fit.peak**power for fit in members) for power in (1, 2))
    return replace(
        own,
        profile=tuple(mean(fit.profile[day] for fit in members) for day in range(7)),
        levels=levels,
        # What is odd is so for all of them at once, and is the pool's own.
        spread=sum(share**2 * fit.spread for share, fit in zip(shares, members, strict=True)),
        often=peaks**2 / squares if squares else 0.0,
        peak=squares / peaks if squares else 0.0,
    )


def project(fit: Fit, fleet: Fleet, used: float, days: Sequence[tuple[int, float]]) -> tuple[float, ...]:
    """The use at the end of these days (ordinals, each with the part of it that is to come), by `PROBABILITIES`."""
    expected = fit.expect(days)
    total, calm = sum(expected), sum(expected) - fit.peaks(days)
    variance = (fit.spread + fit.upset) * sum(each * each for each in expected) + fit.unsure * calm * calm
    deviation = math.sqrt(variance + fit.often * sum(part for _, part in days) * fit.peak**2)
    assert math.isfinite(total + deviation), "a forecast is finite, or there is none"
    return tuple(used + max(0.0, total + outcome * deviation) for outcome in fleet.outcomes)


def exhaustion(
    fit: Fit, used: float, cap: float, middle: float, days: Sequence[tuple[int, float]], zone: ZoneInfo
) -> float | None:
    """When the cap is reached with probability 0.5, `middle` being the use at the end of these days.

    None if it is not reached in them, or was before.
    """
    if not used < cap <= middle:
        return None
    expected = fit.expect(days)
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
