"""Series of days side by side: their weekdays, their bursts, their level in several views, how each view did before.

Arithmetic of `forecast`, which says what it is for. A row is a series, a column a day; amounts are divided by what the
weekday accounts for, and a level is the use on an average day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yardlight.cellular.changes import Floats
from yardlight.cellular.courses import KNOTS, Explained, Habits, explained
from yardlight.cellular.history import KEEP_DAYS

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# In days: of the exponential means, each a view of the level. The last view is that of its courses.
HALF_LIVES = (4.0, 14.0, 60.0)
COURSES = len(HALF_LIVES)
VIEWS = COURSES + 1
MIN_DAYS = 3
# Before this many days a level is too uncertain to be tried.
WARM_UP = 14
# No day of a weekday is taken for more than so many usual ones.
_MOST = 4.0
# A day is odd that is so many times the usual noise of its series off, within these factors; what is usual is told by
# the days of so many around it on which something is to be expected.
_ODD, _ODD_FACTORS, _NEAR, _EXPECTED = 3.0, (2.0, 4.0), 14, 0.3
# With less of a weekday a day is not low, and high as if it had so much.
_TELLING = 0.5
# As if noise like this had been heard on some days.
_USUAL_NOISE = 0.25
# The median of the distances from the middle is that part of the standard deviation.
_DEVIATION = 1 / 1.4826
# Nobody pauses for longer who does so again and again.
_LONGEST_PAUSE = 7
# As if the fleet's weekdays had been watched here for so many weeks, and its noise been heard on so many days.
_PRIOR_WEEKS, _PRIOR_DAYS = 4.0, 10.0
# A forecast of the past looks as far ahead as there are days, within these; so many days lie between two, and so many
# of those that it tells of are known.
_SHORTEST, _LONGEST, _APART, _FEWEST = 8, 21, 12, 5
# A day is compared with those around it.
AROUND = 3
# So many days without use may be a pause, of whoever uses it never or hardly ever otherwise.
_PAUSE = 7
# In its first days a tablet gets its apps and maps: so many times what is usual in the fortnight after them, if so many
# days of that are known.
_SET_UP, _LOADED, _AFTER, _KNOWN = 2, 2.0, 14, 5
# Half of the squares of a normal distribution are under this part of their mean, and hardly one is above so many times
# that. Weeks differ more than days in a week.
_MIDDLE, _WORST, _BEYOND_A_WEEK = 0.455, 10.0, 1.4
# Nothing was changed, or perhaps not, while that is at least as likely.
_UNCHANGED, _PERHAPS = 0.5, 0.05


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of one SIM or pool in their order. `last` is the ordinal of the last one.

    None or less than nothing is not known.
    """

    last: int
    used: Sequence[float | None] | memoryview


@dataclass(frozen=True, slots=True)
class Table:
    """Series with what was used on each day (0 where that is not known), the last day of each in the last column."""

    last: Ints
    used: Floats
    known: Flags

    @classmethod
    def of(cls, account: Sequence[Days]) -> Table:
        width = min(KEEP_DAYS, max((len(days.used) for days in account), default=0)) or 1
        used = np.full((len(account), width), np.nan)
        for row, days in zip(used, account, strict=True):
            if count := min(width, len(days.used)):
                row[-count:] = np.array(days.used[-count:], dtype=float)
        told = used >= 0
        used = np.where(told, used, 0.0)
        known = _without_set_up(used, _in_use(told, used > 0))
        return cls(np.array([days.last for days in account], dtype=np.int64), np.where(known, used, 0.0), known)

    @property
    def day(self) -> Ints:
        """The ordinal of every cell."""
        return self.last[:, None] - np.arange(self.used.shape[1] - 1, -1, -1)

    @property
    def count(self) -> Ints:
        """How many days of each series are known."""
        count: Ints = self.known.sum(axis=1)
        return count

    @property
    def mean(self) -> Floats:
        """The mean of the known days."""
        mean: Floats = self.used.sum(axis=1) / np.maximum(self.count, 1)
        return mean

    def without(self, days: Ints) -> Table:
        """The same as if nothing was known of these days."""
        known = self.known & ~np.isin(self.day, days)
        return Table(self.last, np.where(known, self.used, 0.0), known)

    def only(self, rows: Flags) -> Table:
        """Some of the series."""
        return Table(self.last[rows], self.used[rows], self.known[rows])

    def by_weekday(self, shared: Sequence[float]) -> tuple[Floats, Floats]:
        """The share of each weekday in the level of the days around it, added up, and of how many days.

        So a level that changes or grows is not taken for a weekday. What the days around are is told by `shared`.
        """
        weekday = self.day % 7
        weight = np.array(shared)[weekday] * self.known
        level = (around(self.used) + self.used) / np.maximum(around(weight) + weight, 1e-9)
        told = self.known & (around(self.known.astype(float)) >= AROUND) & (level > 0)
        share = np.minimum(self.used / np.where(told, level, 1.0), _MOST)
        masks = [told & (weekday == each) for each in range(7)]
        return (
            np.stack([(share * mask).sum(axis=1) for mask in masks], axis=1),
            np.stack([mask.sum(axis=1) for mask in masks], axis=1).astype(float),
        )


def _in_use(told: Flags, used: Flags) -> Flags:
    """What is told of the days since a series is in use: the days of a SIM that lay in stock are no use of nothing.

    It did if it has never been without use for half as long since.
    """
    count = np.cumsum(told, axis=1)
    first = np.where(used.any(axis=1), used.argmax(axis=1), 0)[:, None]
    before = np.take_along_axis(count, first, axis=1) - 1
    last = np.maximum.accumulate(np.where(used, count, 0), axis=1)
    pause = np.where(last > 0, count - last, 0).max(axis=1, keepdims=True)
    since: Flags = told & ((np.arange(told.shape[1]) >= first) | (before <= np.maximum(_PAUSE, 2 * pause)))
    return since


def _without_set_up(used: Floats, known: Flags) -> Flags:
    """The same without the first days of what is not there for as long as days are kept, if they stand out."""
    day = np.arange(known.shape[1]) - known.argmax(axis=1)[:, None]
    first, after = known & (day < _SET_UP), known & (day >= _SET_UP) & (day < _SET_UP + _AFTER)
    loaded, usual = np.where(first, used, 0.0).sum(axis=1) / np.maximum(first.sum(axis=1), 1), middle(used, after)
    # What is not in use at all after them has nothing else to go by.
    new = (day[:, -1] + 1 < KEEP_DAYS) & (after.sum(axis=1) >= _KNOWN) & (usual > 0) & (loaded > _LOADED * usual)
    since: Flags = known & ~(first & new[:, None])
    return since


@dataclass(frozen=True, slots=True)
class Series:
    """What series say by themselves; amounts per average day.

    `weight` is what the weekdays account for (0 where a day is not known); `calm` is the use, and `sure` the weight, of
    days that tell of the level (0 on others): those without `peaks`, `peak` bytes each, and pauses that will end.
    `noise` is the square of the relative error of an average day beside its neighbors (nan if that is not known).
    """

    last: Ints
    profile: Floats
    weight: Floats
    used: Floats
    sure: Floats
    calm: Floats
    count: Ints
    mean: Floats
    peaks: Ints
    peak: Floats
    noise: Floats

    @property
    def often(self) -> Floats:
        """Peaks a day, as if there had been none for some days more: one in the first week is not one in every week."""
        return self.peaks / (self.count + WARM_UP)


@dataclass(frozen=True, slots=True)
class Trial:
    """A forecast of each series, made in the past: in parts of the use of all its days at the mean level.

    `noise` is what single days weigh in it: the sum of the squares of their weekdays over the square of their sum;
    `upset` what peaks add to the square of its error. `changed` says whether the level seemed to have changed by then:
    0 no, 1 perhaps, 2 clearly. `told` are those that could be made.
    """

    came: Floats
    said: Floats
    noise: Floats
    upset: Floats
    changed: Ints
    told: Flags


@dataclass(frozen=True, slots=True)
class Views:
    """The level of each series in each view at each of `KNOTS`, whether it changed, and the trials.

    `spread` is the square of the relative error of a day that is judged from the days before it.
    """

    levels: Floats
    changed: Ints
    spread: Floats
    trials: Sequence[Trial]


def series_of(table: Table, shared: Sequence[float]) -> Series:
    """Series with their weekdays, shrunk towards the fleet's, taken out."""
    sums, counts = table.by_weekday(shared)
    profile = normal((sums + _PRIOR_WEEKS * np.array(shared)) / (counts + _PRIOR_WEEKS))
    weight = np.take_along_axis(profile, table.day % 7, axis=1) * table.known
    usual, high, low = _odd(table.used, weight)
    beside = np.zeros_like(high)
    beside[:, 1:] |= high[:, :-1]
    beside[:, :-1] |= high[:, 1:]
    lone = high & ~beside
    telling = ~(lone | _paused(low, (weight > _TELLING) & ~low))
    sure, calm = np.where(telling, weight, 0.0), np.where(telling, table.used, 0.0)
    peaks = lone.sum(axis=1)
    peak = np.where(lone, table.used - usual * weight, 0.0).sum(axis=1) / np.maximum(peaks, 1)
    level = calm.sum(axis=1) / np.maximum(sure.sum(axis=1), 1e-9)
    noise = _noise(calm, sure)
    return Series(table.last, profile, weight, table.used, sure, calm, table.count, level, peaks, peak, noise)


def _odd(used: Floats, weight: Floats) -> tuple[Floats, Flags, Flags]:
    """The usual level around each day, and whether the day is far above it, or far below."""
    expected = weight > _EXPECTED
    shares = np.where(expected, used / np.where(expected, weight, 1.0), np.inf)
    # One series at a time: what is around each day is thirty times as much.
    usual = np.stack([_usual(each) for each in shares])
    there = expected & (usual > 0) & (used > 0)
    off = np.abs(np.log(np.where(there, shares, 1.0) / np.where(there, usual, 1.0)))
    count, noise = there.sum(axis=1), middle(off, there) / _DEVIATION
    noise = np.sqrt((count * noise**2 + _PRIOR_DAYS * _USUAL_NOISE**2) / (count + _PRIOR_DAYS))
    factor = np.clip(np.exp(_ODD * noise), *_ODD_FACTORS)[:, None]
    high = (weight > 0) & (usual > 0) & (used > factor * usual * np.maximum(weight, _TELLING))
    return usual, high, (weight > _TELLING) & (used * factor < usual * weight)


def _usual(shares: Floats) -> Floats:
    """Of one series the usual day around each, from levels that are infinite where they are not known."""
    padded = np.pad(shares, _NEAR, constant_values=np.inf)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1).copy()
    near[:, _NEAR] = np.inf
    told = np.isfinite(near)
    mean: Floats = np.where(told, near, 0.0).sum(axis=1) / np.maximum(told.sum(axis=1), 1)
    # Of whoever is used every other day the middle one may be next to nothing.
    return np.maximum(middle(near, told), 0.7 * mean)


def _paused(low: Flags, ordinary: Flags) -> Flags:
    """The last days, if they are low and such days were over before after as many: who was at home comes back.

    Days that are neither, such as weekends of whoever rests then, are of the pause around them.
    """
    at = np.arange(low.shape[1])
    before, lowest = (np.maximum.accumulate(np.where(each, at, -1), axis=1) for each in (ordinary, low))
    length = np.where(lowest > before, at - before, 0)
    ended = np.where(ordinary[:, 1:], length[:, :-1], 0).max(axis=1, initial=0)[:, None]
    last = length[:, -1:]
    paused: Flags = (at >= low.shape[1] - last) & (last <= np.minimum(ended, _LONGEST_PAUSE))
    return paused


def _noise(calm: Floats, weight: Floats) -> Floats:
    """The square of the relative error of an average day, judged from the days around it; nan of too few."""
    near, weights = around(calm), around(weight)
    judged = (weight > 0) & (weights > 0) & (near > 0)
    level = np.where(judged, near / np.where(weights > 0, weights, 1.0), 1.0)
    share = np.where(judged, weight, 1.0)
    squares = (calm - level * weight) ** 2 / (level**2 * share * (1 + share / np.where(judged, weights, 1.0)))
    count = judged.sum(axis=1)
    most = _WORST * middle(squares, judged)[:, None] / _MIDDLE
    found = np.where(judged, np.minimum(squares, most), 0.0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= MIN_DAYS, found, np.nan)


def around(values: Floats) -> Floats:
    """Of each day the sum of the days before and after it."""
    padded = np.pad(values, ((0, 0), (AROUND, AROUND)))
    width = values.shape[1]
    total: Floats = np.sum([padded[:, at : at + width] for at in range(2 * AROUND + 1) if at != AROUND], axis=0)
    return total


def noise_of(series: Series, fleet: float) -> Floats:
    """The noise of each series as if the fleet's had been heard here for some days."""
    own = np.where(np.isnan(series.noise), 0.0, series.noise)
    count = np.where(np.isnan(series.noise), 0, series.count)
    return _BEYOND_A_WEEK * np.clip((count * own + _PRIOR_DAYS * fleet) / (count + _PRIOR_DAYS), 1e-3, 4.0)


def views_of(series: Series, noise: Floats, habits: Habits) -> Views:
    """Every level as it is now, and as it was in trials."""
    width, *origins = ends_of(series)
    means, spread = _means(series)
    # One at a time: together they would take ten times the memory of all else.
    known = explained(series.calm, series.sure, noise, habits, [width, *origins])
    now = next(known)
    ahead = [np.concatenate([means[width], now.level(knot)[:, None]], axis=1) for knot in KNOTS]
    changed = _changed(now)
    del now
    trials = [_trial(series, at, min(at + _LONGEST, width), means[at], next(known)) for at in origins]
    return Views(np.stack(ahead, axis=2), changed, spread, trials)


def ends_of(series: Series) -> list[int]:
    """Before which columns levels are judged: the end, and the trials."""
    width = series.used.shape[1]
    return [width, *range(width - _SHORTEST, WARM_UP - 1, -_APART)]


def _changed(found: Explained) -> Ints:
    return np.where(found.same >= _UNCHANGED, 0, np.where(found.same >= _PERHAPS, 1, 2))


def _means(series: Series) -> tuple[list[Floats], Floats]:
    """The fading means before each day, and the square of the relative error of days judged by the second of them."""
    decays = 0.5 ** (1.0 / np.array(HALF_LIVES))
    total, weights = np.zeros((len(series.mean), COURSES)), np.zeros((len(series.mean), COURSES))
    squares, means = np.zeros(len(series.mean)), [np.repeat(series.mean[:, None], COURSES, axis=1)]
    for used, weight in zip(series.calm.T, series.sure.T, strict=True):
        squares += (used - means[-1][:, 1] * weight) ** 2
        # A day that is not known makes nothing older.
        faded = np.where((weight > 0)[:, None], decays, 1.0)
        total, weights = total * faded + used[:, None], weights * faded + weight[:, None]
        means.append(np.where(weights > 0, total / np.where(weights > 0, weights, 1.0), means[0]))
    usual = (series.weight**2).sum(axis=1) * series.mean**2
    return means, np.clip(squares / np.where(usual > 0, usual, 1.0), 1e-3, 4.0)


def _trial(series: Series, begin: int, end: int, means: Floats, found: Explained) -> Trial:
    """A forecast of the days from `begin` to before `end`, with what was known then of the level."""
    weight = series.weight[:, begin:end]
    days, total = (weight > 0).sum(axis=1), weight.sum(axis=1)
    told = ((series.weight[:, :begin] > 0).sum(axis=1) >= WARM_UP) & (days >= _FEWEST) & (series.mean >= 1.0)
    scale = np.where(told, total * series.mean, 1.0)
    level = found.level((end - begin) // 2)
    peaks = typical(series.often * days) * series.peak
    said = (np.concatenate([means, level[:, None]], axis=1) * total[:, None] + peaks[:, None]) / scale[:, None]
    return Trial(
        series.used[:, begin:end].sum(axis=1) / scale,
        said,
        (weight**2).sum(axis=1) / np.where(told, total, 1.0) ** 2,
        series.often * days * series.peak**2 / scale**2,
        _changed(found),
        told,
    )


def typical(mean: Floats) -> Floats:
    """The middle of how often something happens that happens so often on average, and by chance."""
    return np.floor(np.maximum(0.0, mean + 1 / 3 - 0.02 / np.maximum(mean, 1e-3)))


def normal(weights: Floats) -> Floats:
    """Weekdays with a mean of one; none is nothing at all, so that a level can be had from any of them."""
    mean = weights.mean(axis=-1, keepdims=True)
    return np.where(mean > 0, np.maximum(weights / np.where(mean > 0, mean, 1.0), 0.01), 1.0)


def middle(values: Floats, told: Flags) -> Floats:
    """The middle one of each row's values that are told, or the mean of both; 0 of none."""
    count = told.sum(axis=1)
    ordered = np.sort(np.where(told, values, np.inf), axis=1)
    rows, end = np.arange(len(values)), values.shape[1] - 1
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, end)]
    return np.where(count > 0, (low + high) / 2, 0.0)


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of both."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
