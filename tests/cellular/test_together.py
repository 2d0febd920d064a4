"""What series do together: found where they share it, told further than one of them could tell, and never made up."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from yardlight.cellular.changes import Floats
from yardlight.cellular.forecast import learn, project
from yardlight.cellular.history import KEEP_DAYS
from yardlight.cellular.levels import Days
from yardlight.cellular.together import course

Course = Callable[[Floats], Floats]
COUNT, AHEAD, SPREAD = 98, 30, 0.06
FIRST = 739_000


def season(length: float, height: float = 0.3, phase: float = 0.0) -> Course:
    return lambda day: np.log(1 + height * np.sin(2 * np.pi * day / length + phase))


def account(shared: Course, moves: Floats, seed: int = 1) -> Floats:
    """Series until now and ahead: each at a level of its own, moving so much with what is shared."""
    random = np.random.default_rng(seed)
    level = random.lognormal(math.log(1e8), 1.0, len(moves))
    means = level[:, None] * np.exp(moves[:, None] * shared(np.arange(1 - COUNT, AHEAD + 1)))
    return np.asarray(means * random.gamma(1 / SPREAD, SPREAD, means.shape))


def found(used: Floats) -> Floats | None:
    known = used[:, :COUNT]
    return course(known, np.ones_like(known), np.full(len(known), SPREAD), AHEAD)


def beside(said: Floats, shared: Course) -> Floats:
    """How far the course is from the truth ahead of now, once it is brought to its level and height."""
    past, ahead = np.arange(1 - COUNT, 1), np.arange(1, AHEAD + 1)
    height, level = np.polyfit(said[KEEP_DAYS - COUNT : KEEP_DAYS], shared(past), 1)
    return np.asarray(height * said[KEEP_DAYS:] + level - shared(ahead))


@pytest.mark.parametrize("length", [45, 80, 120, 180])
@pytest.mark.parametrize("phase", [0.0, 2.0, 4.0])
def test_a_season_that_all_share_is_known_though_it_was_not_seen_to_its_end(length: float, phase: float) -> None:
    shared = season(length, phase=phase)
    said = found(account(shared, np.ones(120)))
    assert said is not None
    assert np.abs(beside(said, shared)).mean() < 0.06


def test_a_season_that_a_third_have_and_some_against_it_is_found() -> None:
    shared, moves = season(90), np.array([1.0, 0.0, 0.0, -0.5, 0.0, 1.0] * 20)
    said = found(account(shared, moves))
    assert said is not None
    assert np.abs(beside(said, shared)).mean() < 0.06


def test_series_that_have_nothing_in_common_have_no_course() -> None:
    for seed in range(10):
        assert found(account(season(90), np.zeros(120), seed)) is None


def test_one_series_that_does_what_the_others_do_not_is_no_course_of_all() -> None:
    used = account(season(90), np.zeros(60))
    used[7, 40:] *= 20
    assert found(used) is None


def test_of_few_series_or_few_weeks_nobody_can_tell() -> None:
    used = account(season(60), np.ones(40))
    assert found(used[:19]) is None
    assert course(used[:, :20], np.ones((40, 20)), np.full(40, SPREAD), AHEAD) is None


def test_days_that_are_not_known_and_series_that_are_young_do_not_disturb_it() -> None:
    shared = season(80)
    used = account(shared, np.ones(120))[:, :COUNT]
    weight = np.ones_like(used)
    weight[::3, :50] = 0.0
    weight[1::3, 60:75] = 0.0
    said = course(used * (weight > 0), weight, np.full(len(used), SPREAD), AHEAD)
    assert said is not None
    assert np.abs(beside(said, shared)).mean() < 0.06


def test_what_a_fleet_does_together_is_in_the_forecast_of_each_sim() -> None:
    """Past the height of its season: each alone seems to have grown for weeks."""
    used = account(season(180, phase=math.pi / 2), np.ones(150))
    ahead = [(FIRST + day, 1.0) for day in range(1, 21)]
    truth = used[:, COUNT : COUNT + 20].sum(axis=1)

    def error(series: list[Days]) -> float:
        fleet, fits = learn(series)
        said = np.array([project(fit, fleet, 0.0, ahead)[1] for fit in fits if fit is not None])
        return float(np.median(np.abs(said / truth[: len(said)] - 1)))

    known = [Days(FIRST, each.tolist()) for each in used[:, :COUNT]]
    assert error(known) < 0.7 * error(known[:19])
