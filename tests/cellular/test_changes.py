"""The filter for changes of a level: what it finds, and that it is exact."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from yardlight.cellular.changes import STEP, Floats, Habits, Regimes, learned, regimes, weighted_middle

SPREAD = 0.03


def days(level: Callable[[int], float], count: int = 84, rows: int = 1, seed: int = 1) -> Floats:
    """Series of which the level is `level(days from the last one)`, with the noise of `SPREAD`."""
    noise = np.random.default_rng(seed).normal(1.0, math.sqrt(SPREAD), (rows, count))
    return np.array([level(day) for day in range(1 - count, 1)]) * noise


def found(used: Floats, weight: Floats | None = None, habits: Habits | None = None) -> Regimes:
    weight = np.ones_like(used) if weight is None else weight
    [now] = regimes(used * (weight > 0), weight, np.full(len(used), SPREAD), habits or Habits(), [used.shape[1]])
    return now


def test_a_level_that_never_changed_is_the_mean_of_all_days() -> None:
    used = days(lambda _: 100.0)
    now = found(used)
    assert now.same[0] > 0.9
    assert now.level[0] == pytest.approx(used.mean(), rel=0.01)
    assert now.growth[0] == pytest.approx(0.0, abs=2e-4)


@pytest.mark.parametrize("ago", [4, 9, 30])
@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_after_a_change_only_the_days_since_count(ago: int, factor: float) -> None:
    now = found(days(lambda day: 100.0 if day <= -ago else 100.0 * factor))
    assert now.same[0] < 0.01
    assert now.level[0] == pytest.approx(100 * factor, rel=0.15)


def test_growth_is_told_from_a_change() -> None:
    now = found(days(lambda day: 100.0 * math.exp(0.012 * day)))
    assert now.grows[0] > 0.9
    assert now.growth[0] == pytest.approx(0.012, rel=0.15)
    assert now.level[0] == pytest.approx(100.0, rel=0.08)


def test_days_that_are_not_known_are_no_evidence() -> None:
    used, weight = days(lambda _: 100.0), np.ones((1, 84))
    used[:, 40:60], weight[:, 40:60] = 9e9, 0.0
    assert found(used, weight).level[0] == pytest.approx(100.0, rel=0.05)
    assert found(used, weight).same[0] > 0.9


def test_what_was_known_before_a_day_needs_no_later_day() -> None:
    used = days(lambda day: 100.0 if day <= -20 else 300.0)
    weight, spread = np.ones_like(used), np.array([SPREAD])
    [then, _] = regimes(used, weight, spread, Habits(), [60, 84])
    assert then.level[0] == pytest.approx(100.0, rel=0.06)


def test_habits_are_those_of_the_fleet() -> None:
    still, grown = days(lambda _: 100.0, rows=60), days(lambda day: math.exp(0.01 * day), rows=60)
    moved = np.concatenate([days(lambda day, at=-at: 1.0 if day < at else 2.0, seed=at) for at in range(8, 68)])

    def habits(used: Floats) -> Habits:
        return learned(used, np.ones_like(used), np.full(len(used), SPREAD))

    assert habits(still).steady > 0.9
    assert habits(moved).steady < 0.3
    assert habits(still).growing < 0.15
    assert habits(grown).growing > 0.85
    assert habits(grown).rate == pytest.approx(0.01, rel=0.15)
    assert habits(np.concatenate([still, grown])).growing == pytest.approx(0.5, abs=0.15)


def test_an_account_of_which_little_is_known_has_the_usual_habits() -> None:
    used = days(lambda _: 100.0, count=10)
    assert learned(used, np.ones_like(used), np.array([SPREAD])) == Habits()


def test_the_filter_is_what_all_ways_to_cut_the_days_say_together() -> None:
    """Every way to cut twelve days into stretches, counted one by one, each with and without growth."""
    used, habits = np.array([[3.0, 5, 4, 3, 9, 8, 12, 9, 8, 11, 10, 9]]), Habits(0.5, 0.3, 0.002, 0.01)
    now = found(used, habits=habits)
    total, same, level = 0.0, 0.0, [0.0, 0.0]
    for cuts in cut(used.shape[1]):
        for grows in itertools.product((False, True), repeat=len(cuts) - 1):
            stretches = list(zip(cuts[:-1], cuts[1:], grows, strict=True))
            evidence = math.prod(likelihood(used[0], *stretch, habits) for stretch in stretches)
            changing = (1 - habits.steady) * (1 / 40) ** (len(stretches) - 1)
            changing *= math.prod((39 / 40) ** (end - begin - 1) for begin, end, _ in stretches)
            each = evidence * (changing + (habits.steady if len(stretches) == 1 else 0.0))
            total += each
            same += each if len(stretches) == 1 and not grows[0] else 0.0
            level[grows[-1]] += each
    assert now.same[0] == pytest.approx(same / total)
    assert now.grows[0] == pytest.approx(level[1] / total)


def cut(count: int) -> Iterator[list[int]]:
    inner = range(STEP, count, STEP)
    for many in range(len(inner) + 1):
        for chosen in itertools.combinations(inner, many):
            yield [0, *chosen, count]


def likelihood(used: Floats, begin: int, end: int, grows: bool, habits: Habits) -> float:
    """Of one stretch, but for what all ways to cut have in common."""
    if grows and end - begin < 7:
        return 0.0
    known, jump = (end - begin) / SPREAD, math.log(used[begin:end].mean() / used.mean())
    flat = -known * jump - 0.5 * jump**2 / (0.7**2 + 1 / known) - 0.5 * math.log1p(known * 0.7**2)
    if not grows:
        return math.exp(flat) * (1 - habits.growing)
    day = np.arange(end - begin) - (end - begin - 1) / 2
    lever = float(day @ day)
    rate = float(day @ used[begin:end]) / lever / used[begin:end].mean()
    variance = SPREAD / lever
    gain = normal(rate, habits.rate, variance + habits.apart**2) / normal(rate, 0.0, variance)
    return math.exp(flat) * gain * habits.growing


def normal(value: float, mean: float, variance: float) -> float:
    return math.exp(-0.5 * (value - mean) ** 2 / variance) / math.sqrt(variance)


def test_half_of_the_weights_lie_below_the_middle() -> None:
    values, weights = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0]]), np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]])
    assert weighted_middle(values, weights).tolist() == [2.0, 3.0]
