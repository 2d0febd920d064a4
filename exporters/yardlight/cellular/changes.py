"""When did the level of a series last change, and does it grow? Every answer weighed by how well it explains the days.

A *stretch* is a run of days with one level, or with growth at one rate, and noise that is proportional to it. With sums
from the first day on, the evidence for a stretch is a short formula: the likelihood of its days under the best level
(and growth), less what a level (and growth) that fits by chance gains. From that, day after day, the evidence for all
days until then, whatever the stretches were: the best known ("product partition", or Bayesian change point) filter.
What is left at the end is each day on which the last stretch may have begun, with and without growth, and how likely it
is. The answer is the middle of what all of them say.

How often levels change and how many series grow, and how fast, is learned from the account by the same means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# A change is looked for every other day, and growth in stretches of a week or more.
STEP, _GROWN = 2, 7
# Of series that change at all: how often, and how far (as the logarithm of a factor).
_HAZARD, _JUMP = 1 / 40, 0.7
# As if habits had been seen in so many series.
_PRIOR = 10.0
_ROUNDS = 3
# Levels are compared where the middle of a forecast is.
_AHEAD = 10
# Nothing grows faster a day.
_STEEPEST = 0.03


@dataclass(frozen=True, slots=True)
class Habits:
    """What share of series never change, what share of stretches grow, and by how much a day: mean and spread."""

    steady: float = 0.6
    growing: float = 0.2
    rate: float = 0.0
    apart: float = 0.006


@dataclass(frozen=True, slots=True)
class Regimes:
    """Of each series the level on the last day and growth a day since things last changed.

    `same` is how likely it is that nothing changed or grew, `unbroken` that it is of those that never change, `grows`
    that it grows now; `square` is that of growth as far as it is known.
    """

    level: Floats
    growth: Floats
    same: Floats
    unbroken: Floats
    grows: Floats
    square: Floats


@dataclass(frozen=True, slots=True)
class _Sums:
    """Totals until each day of what was used and what the weekdays account for, both also times the day."""

    used: Floats
    used_day: Floats
    weight: Floats
    weight_day: Floats
    weight_day2: Floats
    known: Floats

    @classmethod
    def of(cls, used: Floats, weight: Floats) -> _Sums:
        """`used` and `weight` are 0 where a day is not known."""
        day = np.arange(used.shape[1], dtype=float)
        return cls(
            *(
                np.concatenate([np.zeros((len(used), 1)), np.cumsum(each, axis=1)], axis=1)
                for each in (used, used * day, weight, weight * day, weight * day * day, (weight > 0).astype(float))
            )
        )


@dataclass(frozen=True, slots=True)
class _Stretches:
    """All stretches that end with one day, by the day they begin (columns): the evidence for one level, and for growth.

    `growth` is what is believed of it; `lever` is how much there is to tell it from.
    """

    begin: NDArray[np.int64]
    flat: Floats
    growing: Floats
    level: Floats
    middle: Floats
    weight: Floats
    lever: Floats
    growth: Floats


def learned(used: Floats, weight: Floats, spread: Floats) -> Habits:
    """The habits of an account: those under which what was found is what was to be expected."""
    usual = habits = Habits()
    enough = (weight > 0).sum(axis=1) >= 3 * _GROWN
    if not enough.any():
        return habits
    used, weight, spread = used[enough], weight[enough], spread[enough]
    count = len(used)
    for _ in range(_ROUNDS):
        [found] = regimes(used, weight, spread, habits, [used.shape[1]])
        growing = found.grows.sum() + _PRIOR * usual.growing
        rate = found.growth.sum() / growing
        square = (found.square.sum() + _PRIOR * usual.growing * usual.apart**2) / growing
        habits = Habits(
            float(np.clip((found.unbroken.sum() + _PRIOR * usual.steady) / (count + _PRIOR), 0.05, 0.95)),
            float(np.clip(growing / (count + _PRIOR), 0.02, 0.95)),
            float(rate),
            float(np.sqrt(np.clip(square - rate**2, 0.001**2, 0.02**2))),
        )
    return habits


def regimes(used: Floats, weight: Floats, spread: Floats, habits: Habits, ends: Sequence[int]) -> list[Regimes]:
    """What is known of each series (row) before each of these days (columns), which lie `STEP` apart from the last.

    `weight` is what the weekday accounts for; it and what was used are 0 where a day is not known. `spread` is the
    square of the relative error of an average day.
    """
    count = used.shape[1]
    sums = _Sums.of(used, weight)
    scale = used.sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9) + 1e-9
    nodes = [0, *range(count % STEP or STEP, count + 1, STEP)]
    until, found = np.zeros((len(used), len(nodes))), {}
    for index, end in enumerate(nodes[1:], 1):
        stretches = _stretches(sums, np.array(nodes[:index]), end, spread, scale, habits)
        before = until[:, :index] + _chance(sums, stretches.begin, end)
        each = np.concatenate([before + stretches.flat, before + stretches.growing], axis=1)
        best = each.max(axis=1)
        until[:, index] = best + np.log(np.exp(each - best[:, None]).sum(axis=1))
        if end in ends:
            found[end] = _summed_up(stretches, each, spread, end, habits)
    return [found[end] for end in ends]


def _chance(sums: _Sums, begin: NDArray[np.int64], end: int) -> Floats:
    """How likely it is beforehand that the last stretch began there, of series that change."""
    before, length = sums.known[:, begin], sums.known[:, end : end + 1] - sums.known[:, begin]
    chance = np.where(begin > 0, np.log(_HAZARD), 0.0) + np.log1p(-_HAZARD) * np.maximum(length - 1, 0)
    return np.where((begin > 0) & ((before == 0) | (length < STEP)), -np.inf, chance)


def _stretches(
    sums: _Sums, begin: NDArray[np.int64], end: int, spread: Floats, scale: Floats, habits: Habits
) -> _Stretches:
    def within(total: Floats) -> Floats:
        return total[:, end : end + 1] - total[:, begin]

    weight = np.maximum(within(sums.weight), 1e-9)
    used = within(sums.used)
    level = np.maximum(used / weight, 1e-3 * scale[:, None])
    known = weight / spread[:, None]
    jump = np.log(level / scale[:, None])
    flat = -known * jump - 0.5 * np.log1p(known * _JUMP**2) - 0.5 * jump**2 / (_JUMP**2 + 1 / known)
    middle = within(sums.weight_day) / weight
    lever = np.maximum(within(sums.weight_day2) - weight * middle**2, 1e-9)
    exact = lever / spread[:, None]
    told = exact * habits.apart**2
    rate = (within(sums.used_day) - middle * used) / lever / level
    gain = 0.5 * (exact * (rate**2 - (rate - habits.rate) ** 2 / (1 + told)) - np.log1p(told))
    growing = np.where(within(sums.known) >= _GROWN, flat + gain + np.log(habits.growing), -np.inf)
    flat += np.log1p(-habits.growing)
    growth = np.clip(habits.rate + (rate - habits.rate) * told / (1 + told), -_STEEPEST, _STEEPEST)
    return _Stretches(begin, flat, growing, level, middle, weight, lever, growth)


def _summed_up(stretches: _Stretches, changing: Floats, spread: Floats, end: int, habits: Habits) -> Regimes:
    """Those that change, and those that never do: one stretch from the first day on."""
    first = np.array([0, len(stretches.begin)])
    steady = np.stack([stretches.flat[:, 0], stretches.growing[:, 0]], axis=1)
    likely = np.concatenate([changing + np.log1p(-habits.steady), steady + np.log(habits.steady)], axis=1)
    likely = np.exp(likely - likely.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    unbroken = likely[:, -2:].sum(axis=1)
    of_stretch = likely[:, :-2].copy()
    of_stretch[:, first] += likely[:, -2:]
    growing, growth = of_stretch[:, first[1] :], stretches.growth
    mean_growth = (growing * growth).sum(axis=1)
    unsure = 1 / (stretches.lever / spread[:, None] + habits.apart**-2)
    square = (growing * (growth**2 + unsure)).sum(axis=1)
    # The mean of a growing level is above the level in its middle.
    bend = 1 + 0.5 * growth**2 * stretches.lever / stretches.weight
    grown = stretches.level * np.exp(growth * (end - 1 + _AHEAD - stretches.middle)) / bend
    level = weighted_middle(np.concatenate([stretches.level, grown], axis=1), of_stretch)
    level *= np.exp(-_AHEAD * mean_growth)
    return Regimes(level, mean_growth, of_stretch[:, 0], unbroken, growing.sum(axis=1), square)


def weighted_middle(values: Floats, weights: Floats) -> Floats:
    """Of each row the value at which half of the weights is reached."""
    order = np.argsort(values, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    index = (reached < 0.5 * reached[:, -1:]).sum(axis=1)
    found: Floats = np.take_along_axis(values, order, axis=1)[np.arange(len(values)), index]
    return found
