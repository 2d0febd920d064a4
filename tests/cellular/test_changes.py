"""The filter for jumps of a level: what it finds, and that it is exact."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from yardlight.cellular.changes import SHORTEST, Floats, Jumps, jumps, weighted_middle

SPREAD = 0.03


def days(level: Callable[[int], float], count: int = 84, rows: int = 1, seed: int = 1) -> Floats:
    """Series of which the level is `level(days from the last one)`, with the noise of `SPREAD`."""
    noise = np.random.default_rng(seed).normal(1.0, math.sqrt(SPREAD), (rows, count))
    return np.array([level(day) for day in range(1 - count, 1)]) * noise


def found(used: Floats, weight: Floats | None = None) -> Jumps:
    weight = np.ones_like(used) if weight is None else weight
    [now] = jumps(used * (weight > 0), weight, np.full(len(used), SPREAD), [used.shape[1]])
    return now


def test_a_level_that_never_jumped_is_the_mean_of_all_days_and_jumps_explain_no_more() -> None:
    used = days(lambda _: 100.0)
    now = found(used)
    assert now.gain[0] < 0.5
    assert now.level[0] == pytest.approx(used.mean(), rel=0.01)


@pytest.mark.parametrize("ago", [4, 9, 30])
@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_after_a_jump_only_the_days_since_count(ago: int, factor: float) -> None:
    now = found(days(lambda day: 100.0 if day <= -ago else 100.0 * factor))
    assert now.gain[0] > 4.0
    assert now.level[0] == pytest.approx(100 * factor, rel=0.15)


def test_days_that_are_not_known_are_no_evidence() -> None:
    used, weight = days(lambda _: 100.0), np.ones((1, 84))
    used[:, 40:60], weight[:, 40:60] = 9e9, 0.0
    assert found(used, weight).level[0] == pytest.approx(100.0, rel=0.05)
    assert found(used, weight).gain[0] < 0.5


def test_what_was_known_before_a_day_needs_no_later_day() -> None:
    used = days(lambda day: 100.0 if day <= -20 else 300.0)
    weight, spread = np.ones_like(used), np.array([SPREAD])
    [then, _] = jumps(used, weight, spread, [60, 84])
    assert then.level[0] == pytest.approx(100.0, rel=0.06)


def test_the_filter_is_what_all_ways_to_cut_the_days_say_together() -> None:
    """Every way to cut twelve days into stretches, counted one by one."""
    used = np.array([[3.0, 5, 4, 3, 9, 8, 12, 9, 8, 11, 10, 9]])
    now = found(used)
    total, of_last = 0.0, dict[float, float]()
    for cuts in cut(used.shape[1]):
        stretches = list(itertools.pairwise(cuts))
        each = math.prod(likelihood(used[0], *stretch) for stretch in stretches)
        each *= (1 / 40) ** (len(stretches) - 1) * math.prod((39 / 40) ** (end - begin - 1) for begin, end in stretches)
        total += each
        level = float(used[0, cuts[-2] :].mean())
        of_last[level] = of_last.get(level, 0.0) + each
    assert math.exp(now.gain[0]) == pytest.approx(total / likelihood(used[0], 0, used.shape[1]))
    levels, weights = (np.array([list(each)]) for each in (of_last.keys(), of_last.values()))
    assert now.level[0] == pytest.approx(weighted_middle(levels, weights)[0])


def cut(count: int) -> Iterator[list[int]]:
    inner = range(1, count)
    for many in range(len(inner) + 1):
        for chosen in itertools.combinations(inner, many):
            cuts = [0, *chosen, count]
            # The first one may have begun before anything is known.
            if all(end - begin >= SHORTEST for begin, end in itertools.pairwise(cuts[1:])):
                yield cuts


def likelihood(used: Floats, begin: int, end: int) -> float:
    """Of one stretch, but for what all ways to cut have in common."""
    known, jump = (end - begin) / SPREAD, math.log(used[begin:end].mean() / used.mean())
    return math.exp(-known * jump - 0.5 * jump**2 / (0.7**2 + 1 / known) - 0.5 * math.log1p(known * 0.7**2))


def test_half_of_the_weights_lie_below_the_middle() -> None:
    values, weights = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]]), np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    assert weighted_middle(values, weights).tolist() == [2.0, 3.0]
