"""Did the level of a series jump, perhaps more than once? Every answer weighed by how well it explains the days.

A *stretch* is a run of days with one level, and noise that is proportional to it. With sums from the first day on, the
evidence for a stretch is a short formula: the likelihood of its days under the best level, less what a level that fits
by chance gains. From that, day after day, the evidence for all days until then, whatever the stretches were: the best
known ("product partition", or Bayesian change point) filter. What is left at the end is each day on which the last
stretch may have begun, and how likely it is. The answer is the middle of what all of them say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What is over after a day was none.
SHORTEST = 2
# How often levels change, and how far (as the logarithm of a factor).
_HAZARD, _JUMP = 1 / 40, 0.7


@dataclass(frozen=True, slots=True)
class Jumps:
    """Of each series the level now, and `gain`: the logarithm of how much better than one level that explains it."""

    level: Floats
    gain: Floats


def jumps(used: Floats, weight: Floats, spread: Floats, ends: Sequence[int]) -> list[Jumps]:
    """What is known of each series (row) before each of these days (columns).

    `weight` is what the weekday accounts for; it and what was used are 0 where a day is not known. `spread` is the
    square of the relative error of an average day.
    """
    days = used.shape[1]
    sums, weights, known = (_until(each) for each in (used, weight, (weight > 0).astype(float)))
    scale = used.sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-9) + 1e-9
    evidence, found = np.zeros((len(used), days + 1)), {}
    for end in range(1, days + 1):
        weighed = np.maximum(weights[:, end : end + 1] - weights[:, :end], 1e-9)
        level = np.maximum((sums[:, end : end + 1] - sums[:, :end]) / weighed, 1e-3 * scale)
        stretch = _evidence(np.log(level / scale), weighed / spread[:, None])
        each = evidence[:, :end] + _chance(known, end) + stretch
        best = each.max(axis=1, keepdims=True)
        likely = np.exp(each - best)
        evidence[:, end] = best[:, 0] + np.log(likely.sum(axis=1))
        if end in ends:
            found[end] = Jumps(weighted_middle(level, likely), evidence[:, end] - stretch[:, 0])
    return [found[end] for end in ends]


def _until(values: Floats) -> Floats:
    """Totals before each day, and of all days."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)


def _evidence(jump: Floats, known: Floats) -> Floats:
    """For stretches with one level that is so far from the usual one, of which so much is known."""
    chance = 0.5 * np.log1p(known * _JUMP**2) + 0.5 * jump**2 / (_JUMP**2 + 1 / known)
    evidence: Floats = -known * jump - chance
    return evidence


def _chance(known: Floats, end: int) -> Floats:
    """How likely it is beforehand that the last stretch began on each of the days before."""
    before, length = known[:, :end], known[:, end : end + 1] - known[:, :end]
    first = np.arange(end) == 0
    chance = np.where(first, 0.0, np.log(_HAZARD)) + np.log1p(-_HAZARD) * np.maximum(length - 1, 0)
    return np.where(~first & ((before == 0) | (length < SHORTEST)), -np.inf, chance)


def weighted_middle(values: Floats, weights: Floats) -> Floats:
    """Of each row the value at which half of the weights is reached."""
    order = np.argsort(values, axis=1, kind="stable")
    reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    index = (reached < 0.5 * reached[:, -1:]).sum(axis=1)
    found: Floats = np.take_along_axis(values, order, axis=1)[np.arange(len(values)), index]
    return found
