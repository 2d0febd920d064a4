"""How did a level go until now, and how does it go on? Courses of a library, weighed by how well they explain the days.

A *course* says how the logarithm of a level goes, but for a constant:

- *flat*: it stays;
- *turn*: it comes to another level within some days, and may be on its way there;
- *spell*: it was or is another one for some weeks, and then the one before;
- *step*: it is another one since some day, and stays;
- *growth*: by the same share each day, or by the same amount;
- *wave*: it grows and has a season of some weeks or months, by shares or by amounts; *year*: it follows the seasons
  of a year;
- *together*: it goes as those of the account go (`together`), more, less or against them, and may grow beside it;
- *jumps*: it changes now and then (`changes`).

A day is taken to be off by a share of its mean (gamma quasi-likelihood with a logarithmic link: McCullagh and Nelder,
Generalized Linear Models, 2nd edition, chapter 8), so that a day without any use is a day like others. What a course
leaves open (how fast, how far, how high) has a normal distribution, and the evidence is Laplace's approximation.

How common each class of courses is, how fast things grow, how far they jump and how high seasons go is learned from the
account (empirical Bayes, by expectation and maximization).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from yardlight.cellular.changes import Floats, Jumps, jumps, weighted_middle
from yardlight.cellular.history import KEEP_DAYS
from yardlight.cellular.together import course

# A level is told so many days ahead; between them it goes straight, and after the last it stays.
KNOTS = (1, 8, 15, 22, 30, 45, 62)
# Of each column the days from the last one that is known.
_DAY = np.arange(1 - KEEP_DAYS, KNOTS[-1] + 1, dtype=float)
# Days in which growth loses half of its force: nothing grows for ever.
_DAMPING = 90.0
_AHEAD = np.where(_DAY > 0, _DAY / (1 + np.maximum(_DAY, 0) / _DAMPING), _DAY)
# A turn takes so many days for half of its way, and may be there soon.
_TURNS, _TURNING = (1.0, 2.5), range(-26, 7, 4)
# How far it goes, as the logarithm of a factor.
_FAR = tuple(factor for step in range(1, 11) for factor in (-0.12 * step, 0.12 * step))
# A spell lasts so many weeks; nothing is known of one of which there is no more than so many days. A step does not end.
_WEEKS, _DAYS_OF_A_SPELL = range(1, 10), 1.5
_FOR_GOOD = 0
# By the same share each day; by the same amount, which is that much of the level now.
_BOWS = (0.0, 0.006)
_SEASONS = (30.0, 36.0, 45.0, 60.0, 75.0, 90.0, 120.0, 180.0, 365.0)
_YEAR = 365.0
# What share of series has which kind of course, usually.
_USUAL = {
    "flat": 0.29, "growth": 0.27, "year": 0.05, "turn": 0.05, "spell": 0.08, "step": 0.08, "wave": 0.06,
    "together": 0.06, "jumps": 0.06,
}  # fmt: skip
# As if the usual had been seen in so many series: shares, growth, and jumps and seasons.
_SHARES, _RATES, _SIZES = 15.0, 2.0, 10.0
_ROUNDS, _ROUNDS_OF_SHARES, _ITERATIONS = 8, 8, 4
# No level is less than that part of the mean: nothing has no logarithm.
_LEAST = 1e-4
# From nothing to a level, or back, is far: no spell or step is less likely than one of three times the usual distance.
_FARTHEST = 9.0
# Growth and seasons are fitted to weeks: nothing is lost, and there are fewer of them.
_CELL = 7
# Nothing goes further than that, as a logarithm; and no step of a fit is longer.
_FURTHEST, _LONGEST_STEP = 30.0, 0.7
# How often a season by amounts is fitted, and its greatest height: nothing is used less than not at all.
_BENDS, _HIGHEST = 3, 0.85
# The courses that explain the days best say together what all do.
_BEST = 64
_NONE = 1e-9


@dataclass(frozen=True, slots=True)
class Habits:
    """What share of series has each class of courses (`CLASSES`); growth a day: mean and spread; spreads of the rest.

    `jump` is how far turns and spells go, `height` how high seasons are, both as logarithms. `together` is the course
    that series share, as known so many days ago; they have `moves` of it, and `differ` in that.
    """

    shares: tuple[float, ...]
    rate: float = 0.0
    apart: float = 0.006
    jump: float = 0.7
    height: float = 0.25
    moves: float = 1.0
    differ: float = 0.7
    together: Mapping[int, Floats] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class _Trend:
    """A course whose logarithm is a sum of `basis` (columns) over the days, each times a number that is to be found.

    `prior` is the mean and the spread of these numbers, by the habits of the account. With `amounts` the last two are
    of a season that is added to the level, as a part of it: its tops are flatter than its valleys.
    """

    kind: str
    place: float
    basis: Floats
    prior: Callable[[Habits], tuple[Sequence[float], Sequence[float]]]
    amounts: bool = False


def _turns() -> Iterator[tuple[float, Floats]]:
    for far in _FAR:
        for days in _TURNS:
            for at in _TURNING:
                yield far, np.log1p(math.expm1(far) / (1 + np.exp((at - 0.5 - _DAY) / days)))


def _spells() -> Iterator[tuple[int, Floats]]:
    for weeks in (*_WEEKS, _FOR_GOOD):
        for begin in range(4 - KEEP_DAYS, -1, 2):
            end = begin + 7 * weeks if weeks != _FOR_GOOD else math.inf
            if end > 8 - KEEP_DAYS:
                yield weeks, ((begin < _DAY) & (end >= _DAY)).astype(float)


def _trends() -> Iterator[_Trend]:
    for bow in _BOWS:
        line = np.log(np.maximum(1 + bow * _DAY, 0.05)) / bow if bow else _AHEAD
        yield _Trend("growth", bow, line[:, None], lambda habits: ([habits.rate], [habits.apart]))
    for season in _SEASONS:
        wave = np.stack([_AHEAD, *_season(season)], axis=1)
        for amounts in (False, True):
            yield _Trend("wave", season, wave, _of_waves, amounts)
    year = np.stack(_season(_YEAR), axis=1)
    yield _Trend("year", 0.0, year, lambda habits: ([0.0] * 2, [habits.height] * 2))


def _of_waves(habits: Habits) -> tuple[Sequence[float], Sequence[float]]:
    return [0.0] * 3, [habits.apart] + [habits.height] * 2


def _season(days: float) -> tuple[Floats, Floats]:
    angle = 2 * np.pi * _DAY / days
    return np.sin(angle), np.cos(angle)


def _shared(together: Floats) -> Iterator[_Trend]:
    """What series do together, and growth of their own beside it."""
    yield _Trend("together", 0.0, together[:, None], lambda habits: ([habits.moves], [habits.differ]))
    both = np.stack([_AHEAD, together], axis=1)
    yield _Trend("together", 1.0, both, lambda habits: ([0.0, habits.moves], [habits.apart, habits.differ]))


_TREND, _NOT_TOGETHER = list(_trends()), 0 * _DAY
_OF_ALL = list(_shared(_NOT_TOGETHER))
_CURVES = np.array([0 * _DAY, *(curve for _, curve in _turns())])
_INSIDE = np.array([inside for _, inside in _spells()])
_LEVELLED = np.exp(-_CURVES)
# In the order of the columns of all that follows.
LIBRARY: tuple[tuple[str, float], ...] = (
    ("flat", 0.0),
    *(("turn", far) for far, _ in _turns()),
    *(("spell" if weeks != _FOR_GOOD else "step", float(weeks)) for weeks, _ in _spells()),
    *((trend.kind, trend.place) for trend in (*_TREND, *_OF_ALL)),
    ("jumps", 0.0),
)
CLASSES = tuple(dict.fromkeys(LIBRARY))
_CLASS = np.array([CLASSES.index(course) for course in LIBRARY])
_IN_CLASS = np.bincount(_CLASS)
_BEFOREHAND = np.array([_USUAL[kind] / sum(kind == each for each, _ in CLASSES) for kind, _ in CLASSES])
_FIRST_TREND = len(_CURVES) + len(_INSIDE)
USUAL = Habits(tuple(_BEFOREHAND.tolist()))


@dataclass(frozen=True, slots=True)
class _Spells:
    """Of each series for each spell: the level outside, how far that inside is from it, and the square of its error."""

    outside: Floats
    jump: Floats
    unsure: Floats


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A trend fitted to each series: the constant and the numbers of its basis, the squares of their errors.

    `season` are the numbers of one by amounts, as they were when it was bent.
    """

    basis: Floats
    evidence: Floats
    found: Floats
    errors: Floats
    season: Floats | None = None

    def level(self, column: int) -> Floats:
        """What it says of a day."""
        logs = self.found[:, 0] + self.found[:, 1:] @ self.basis[column]
        if self.season is not None:
            logs += _bend(self.season @ self.basis[column, -2:])
        return np.exp(_bounded(logs))


@dataclass(frozen=True, slots=True)
class _Evidence:
    """Of each series for each course, and the levels that go with them."""

    evidence: Floats
    curves: Floats
    spells: _Spells
    trends: Sequence[_Fitted]
    jumps: Jumps

    def likely(self, habits: Habits) -> Floats:
        """How likely each course is."""
        likely: Floats = self.evidence + np.log(np.array(habits.shares) / _IN_CLASS)[_CLASS]
        # In place: these are the largest arrays there are.
        likely -= likely.max(axis=1, keepdims=True)
        np.exp(likely, out=likely)
        likely /= likely.sum(axis=1, keepdims=True)
        return likely


@dataclass(frozen=True, slots=True)
class Explained:
    """What each course says of each series, in parts of `scale`, and how likely it is."""

    scale: Floats
    said: _Evidence
    likely: Floats

    @property
    def same(self) -> Floats:
        """How likely it is that the level stays as it always was."""
        same: Floats = self.likely[:, 0]
        return same

    def level(self, ahead: int) -> Floats:
        """The middle of what is said of the level so many days after the last one."""
        column = KEEP_DAYS - 1 + ahead
        trends = [fitted.level(column) for fitted in self.said.trends]
        spells = self.said.spells.outside * np.exp(self.said.spells.jump * _INSIDE[:, column])
        curves = self.said.curves * np.exp(_CURVES[:, column])
        levels = np.concatenate([curves, spells, np.stack([*trends, self.said.jumps.level], axis=1)], axis=1)
        best = np.argpartition(self.likely, -_BEST, axis=1)[:, -_BEST:]
        middle = weighted_middle(np.take_along_axis(levels, best, 1), np.take_along_axis(self.likely, best, 1))
        return self.scale * middle


def explained(used: Floats, weight: Floats, spread: Floats, habits: Habits, ends: Sequence[int]) -> Iterator[Explained]:
    """What is known of each series (row) before each of these days (columns).

    `weight` is what the weekday accounts for; it and what was used are 0 where a day is not known. `spread` is the
    square of the relative error of an average day.
    """
    scale = _scale(used, weight)
    used = used / scale[:, None]

    def before(end: int, jumped: Jumps) -> Explained:
        said = _evidence(used[:, :end], weight[:, :end], spread, jumped, habits, used.shape[1] - end)
        return Explained(scale, said, said.likely(habits))

    for end, jumped in zip(ends, jumps(used, weight, spread, ends), strict=True):
        yield before(end, jumped)


def _scale(used: Floats, weight: Floats) -> Floats:
    """The mean level of each series; next to nothing where there is none, so that it can be divided by."""
    scale: Floats = used.sum(axis=1) / np.maximum(weight.sum(axis=1), _NONE) + _NONE
    return scale


def learned(used: Floats, weight: Floats, spread: Floats, ends: Sequence[int]) -> Habits:
    """The habits of an account: those under which what was found is what was to be expected.

    Arguments are those of `explained`.
    """
    width = used.shape[1]
    courses = {width - end: course(used[:, :end], weight[:, :end], spread, KNOTS[-1]) for end in ends}
    habits = replace(USUAL, together={back: found for back, found in courses.items() if found is not None})
    used = used / _scale(used, weight)[:, None]
    [jumped] = jumps(used, weight, spread, [width])
    for _ in range(_ROUNDS):
        said = _evidence(used, weight, spread, jumped, habits, 0)
        for _ in range(_ROUNDS_OF_SHARES):
            likely = said.likely(habits)
            seen = np.bincount(_CLASS, likely.sum(axis=0)) + _SHARES * _BEFOREHAND
            habits = replace(habits, shares=tuple((seen / (len(used) + _SHARES)).tolist()))
        habits = _sized(said, likely, habits)
    return habits


def _sized(said: _Evidence, likely: Floats, habits: Habits) -> Habits:
    """How fast things grow, how far they jump and how high seasons are, of what is said of courses that are likely."""
    usual = USUAL

    def seen(kinds: tuple[str, ...], column: int, few: float, mean: float, spread: float) -> tuple[float, float]:
        """The mean of a number of these trends, and of its squares, as if the usual had been seen in `few` series."""
        told = [
            (likely[:, at], said.trends[at - _FIRST_TREND]) for at, (kind, _) in enumerate(LIBRARY) if kind in kinds
        ]
        count = sum(weights.sum() for weights, _ in told) + few
        total = sum(weights @ trend.found[:, column] for weights, trend in told) + few * mean
        squares = sum(weights @ (trend.found**2 + trend.errors)[:, column] for weights, trend in told)
        return float(total / count), float((squares + few * (mean**2 + spread**2)) / count)

    rate, rates = seen(("growth",), 1, _RATES, usual.rate, usual.apart)
    heights = [seen(("wave", "year"), column, _SIZES, 0.0, usual.height)[1] for column in (-2, -1)]
    moves, squares = seen(("together",), -1, _SIZES, usual.moves, usual.differ)
    spells = likely[:, len(_CURVES) : _FIRST_TREND]
    far = (spells * (said.spells.jump**2 + said.spells.unsure)).sum()
    jump = (far + _SIZES * usual.jump**2) / (spells.sum() + _SIZES)
    return replace(
        habits,
        rate=rate,
        apart=float(np.sqrt(np.clip(rates - rate**2, 0.0003**2, 0.02**2))),
        jump=float(np.clip(np.sqrt(jump), 0.15, 1.5)),
        height=float(np.clip(np.sqrt(np.mean(heights)), 0.05, 0.6)),
        moves=moves,
        differ=float(np.sqrt(np.clip(squares - moves**2, 0.1**2, 2.0**2))),
    )


def _evidence(used: Floats, weight: Floats, spread: Floats, jumped: Jumps, habits: Habits, back: int) -> _Evidence:
    """Of what is known so many days `back`, which ends with the last column."""
    past = slice(KEEP_DAYS - used.shape[1], KEEP_DAYS)
    total, per_day = np.maximum(weight.sum(axis=1, keepdims=True), _NONE), 1 / spread[:, None]
    # How sure a level is by itself: a trend's constant has it in its matrix.
    alone = -0.5 * np.log(total * per_day)
    curves = np.maximum(used @ _LEVELLED[:, past].T / total, _floor(used, total))
    of_curves = alone - (total * (1 + np.log(curves)) + weight @ _CURVES[:, past].T) * per_day
    of_spells, spells = _spelled(used, weight, per_day, habits.jump)
    weeks, weights = _cells(used), _cells(weight)
    shared = _shared(habits.together.get(back, _NOT_TOGETHER))
    trends = [_fit(trend, weeks, weights, per_day, habits) for trend in (*_TREND, *shared)]
    of_trends = np.stack([trend.evidence for trend in trends], axis=1)
    if back not in habits.together:
        of_trends[:, len(_TREND) :] = -np.inf
    of_jumps = of_curves[:, :1] + jumped.gain[:, None]
    every = np.concatenate([of_curves, alone + of_spells, of_trends, of_jumps], axis=1)
    return _Evidence(every, curves, spells, trends, jumped)


def _floor(used: Floats, total: Floats) -> Floats:
    floor: Floats = _LEAST * used.sum(axis=1, keepdims=True) / total + 1e-12
    return floor


def _spelled(used: Floats, weight: Floats, per_day: Floats, far: float) -> tuple[Floats, _Spells]:
    """The evidence for a level inside and one outside, which are usually `far` apart, and these levels."""
    within = _INSIDE[:, KEEP_DAYS - used.shape[1] : KEEP_DAYS].T
    total = np.maximum(weight.sum(axis=1, keepdims=True), _NONE)
    floor = _floor(used, total)
    inside, use = np.maximum(weight @ within, _NONE), used @ within
    beside = np.maximum(total - inside, _NONE)
    spell = np.maximum(use / inside, floor)
    outside = np.maximum((used.sum(axis=1, keepdims=True) - use) / beside, floor)
    known, jump = per_day / (1 / inside + 1 / beside), np.log(spell / outside)
    told = known * far**2
    evidence = -(inside * np.log(spell) + beside * np.log(outside) + total) * per_day
    evidence -= 0.5 * np.log1p(told) + 0.5 * np.minimum(jump**2 * known / (1 + told), _FARTHEST)
    evidence = np.where((inside > _DAYS_OF_A_SPELL) & (beside > _DAYS_OF_A_SPELL), evidence, -np.inf)
    return evidence, _Spells(outside, jump * told / (1 + told), far**2 / (1 + told))


def _cells(days: Floats) -> Floats:
    """Weeks, of which the last one ends with the last day."""
    missing = -days.shape[1] % _CELL
    cells: Floats = np.pad(days, ((0, 0), (missing, 0))).reshape(len(days), -1, _CELL).sum(axis=2)
    return cells


def _fit(trend: _Trend, used: Floats, weight: Floats, per_day: Floats, habits: Habits) -> _Fitted:
    """By Fisher's scoring, whose matrix is the same in each step (gamma with a logarithmic link).

    A season by amounts is bent as it was found before, and what that leaves is fitted once more.
    """
    days = used.shape[1] * _CELL
    basis = np.pad(trend.basis[max(0, KEEP_DAYS - days) : KEEP_DAYS], ((max(0, days - KEEP_DAYS), 0), (0, 0)), "edge")
    basis = basis.reshape(-1, _CELL, basis.shape[1]).mean(axis=1)
    means, spreads = (np.array(each) for each in trend.prior(habits))
    mean, sure = np.array([0.0, *means]), np.array([0.0, *spreads**-2])
    design = np.concatenate([np.ones((len(basis), 1)), basis], axis=1)
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    size = design.shape[1]
    matrix = ((weight @ products) * per_day).reshape(-1, size, size) + np.diag(sure) + _NONE * np.eye(size)
    inverse = np.linalg.inv(matrix)
    found, bend, season = np.tile(mean, (len(used), 1)), np.zeros(used.shape), None
    for bent in range(_BENDS if trend.amounts else 1):
        if bent:
            season = found[:, -2:] * np.minimum(1.0, _HIGHEST / (_NONE + np.hypot(*found[:, -2:].T)))[:, None]
            bend = _bend(season @ basis[:, -2:].T)
        rest = used * np.exp(-bend)
        for step in range(_ITERATIONS + 1):
            share = rest * np.exp(-_bounded(found[:, 1:] @ basis.T))
            found[:, 0] = np.log(np.maximum(share.sum(axis=1) / np.maximum(weight.sum(axis=1), _NONE), 1e-12))
            if step < _ITERATIONS:
                off = (share * np.exp(-found[:, :1]) - weight) @ design * per_day - (found - mean) * sure
                found += np.clip(np.einsum("nij,nj->ni", inverse, off), -_LONGEST_STEP, _LONGEST_STEP)
    # Amounts are parts of their mean here, and so is the least level.
    logs = np.maximum(found @ design.T + bend, math.log(_LEAST))
    evidence = -(used * np.exp(-logs) + weight * logs).sum(axis=1) * per_day[:, 0]
    evidence -= 0.5 * ((found - mean) ** 2 * sure).sum(axis=1)
    evidence += np.log(sure[1:]).sum() / 2 - np.linalg.slogdet(matrix)[1] / 2
    return _Fitted(trend.basis, evidence, found, np.diagonal(inverse, axis1=1, axis2=2), season)


def _bend(season: Floats) -> Floats:
    """By how much the logarithm of one and a season differs from that season."""
    bend: Floats = np.log1p(season) - season
    return bend


def _bounded(logs: Floats) -> Floats:
    return np.clip(logs, -_FURTHEST, _FURTHEST)
