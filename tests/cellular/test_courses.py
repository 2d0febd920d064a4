"""Courses of a level: which one is found, how it goes on, and that the evidence is what integrals say."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from yardlight.cellular.changes import Floats
from yardlight.cellular.courses import CLASSES, KNOTS, LIBRARY, USUAL, Explained, Habits, explained, learned

SPREAD = 0.02
Level = Callable[[float], float]


def days(level: Level, count: int = 98, rows: int = 1, seed: int = 1, spread: float = SPREAD) -> Floats:
    """Series of which the level is `level(days from the last one)`."""
    noise = np.random.default_rng(seed).gamma(1 / spread, spread, (rows, count))
    return np.array([level(day) for day in range(1 - count, 1)]) * noise


def found(used: Floats, habits: Habits = USUAL, spread: float = SPREAD) -> Explained:
    [now] = explained(used, np.ones_like(used), np.full(len(used), spread), habits, [used.shape[1]])
    return now


def share(habits: Habits, kind: str) -> float:
    return sum(each for (name, _), each in zip(CLASSES, habits.shares, strict=True) if name == kind)


def test_a_level_that_stays_goes_on_and_is_the_mean_of_all_days() -> None:
    used = days(lambda _: 100.0)
    now = found(used)
    assert now.same[0] > 0.7
    for ahead in KNOTS:
        assert now.level(ahead)[0] == pytest.approx(used.mean(), rel=0.01)


@pytest.mark.parametrize(
    ("level", "ahead", "error"),
    [
        (lambda day: 100.0 * math.exp(0.012 * day), 15, 0.06),
        (lambda day: 100.0 * (1 + 0.007 * day), 15, 0.06),
        (lambda day: 100.0 if day <= -20 else 200.0, 15, 0.06),
        # On its way: it has gone two thirds of it.
        (lambda day: 100.0 + 120.0 / (1 + math.exp((-3 - day) / 2.5)), 15, 0.12),
        (lambda day: 100.0 * (1 + 0.4 * math.sin(2 * math.pi * day / 60)), 15, 0.12),
        (lambda day: 100.0 * (1 + 0.7 * math.sin(2 * math.pi * (day + 30) / 75)), 15, 0.06),
        (lambda day: 100.0 * (1 + 0.3 * math.cos(2 * math.pi * day / 30)), 15, 0.12),
        (lambda day: 100.0 * (1 + 0.005 * day) * (1 + 0.3 * math.sin(2 * math.pi * day / 90)), 15, 0.12),
    ],
    ids=["growth", "growth by the day", "jump", "turn", "season", "high season", "season of a month", "growing season"],
)
def test_a_course_goes_on(level: Level, ahead: int, error: float) -> None:
    """Where many series have it, which is known of the account."""
    used = days(level, rows=30)
    habits = learned(used, np.ones_like(used), np.full(len(used), SPREAD), [])
    said = found(used, habits).level(ahead)
    assert np.median(np.abs(said / level(ahead) - 1)) < error


def test_a_spell_ends_when_it_does_in_this_account() -> None:
    """Each has four weeks of twice the use, from every other day on; the last one has been in it for three of them."""
    ended = [days(lambda day, at=at: 200.0 if at <= day < at + 28 else 100.0, seed=-at) for at in range(-91, -30, 2)]
    used = np.concatenate([*ended, days(lambda day: 200.0 if day > -22 else 100.0)])
    habits = learned(used, np.ones_like(used), np.full(len(used), SPREAD), [])
    assert share(habits, "spell") > 0.6
    now = found(used, habits)
    assert now.level(1)[-1] == pytest.approx(200.0, rel=0.1)
    assert now.level(30)[-1] == pytest.approx(100.0, rel=0.1)


def test_growth_ends_slowly() -> None:
    now = found(days(lambda day: 100.0 * math.exp(0.01 * day)))
    assert now.level(62)[0] / now.level(45)[0] < now.level(22)[0] / now.level(8)[0]
    assert 100.0 < now.level(62)[0] < 100.0 * math.exp(0.01 * 62)


def test_habits_are_those_of_the_account() -> None:
    still = days(lambda _: 100.0, rows=60)
    grown = days(lambda day: math.exp(0.01 * day), rows=60)
    waves = days(lambda day: 1 + 0.4 * math.sin(day / 10), rows=60)

    def habits(used: Floats) -> Habits:
        return learned(used, np.ones_like(used), np.full(len(used), SPREAD), [])

    assert share(habits(still), "flat") > 0.8
    assert share(habits(grown), "growth") > 0.7
    assert habits(grown).rate == pytest.approx(0.01, rel=0.15)
    assert share(habits(waves), "wave") > 0.7
    assert habits(waves).height == pytest.approx(0.4 / math.sqrt(2), abs=0.1)
    assert sum(habits(still).shares) == pytest.approx(1.0)


def test_days_that_are_not_known_are_no_evidence() -> None:
    used, weight = days(lambda _: 100.0), np.ones((1, 98))
    used[:, 40:60], weight[:, 40:60] = 0.0, 0.0
    [now] = explained(used, weight, np.array([SPREAD]), USUAL, [98])
    assert now.same[0] > 0.6
    assert now.level(15)[0] == pytest.approx(100.0, rel=0.05)


def test_what_was_known_before_a_day_needs_no_later_day() -> None:
    used = days(lambda day: 100.0 if day <= -20 else 300.0)
    before = used[:, :70]
    [then, _] = explained(used, np.ones_like(used), np.array([SPREAD]), USUAL, [70, 98])
    [alone] = explained(before, np.ones_like(before), np.array([SPREAD]), USUAL, [70])
    assert then.level(8)[0] == pytest.approx(alone.level(8)[0], rel=0.01)


def test_a_series_without_any_use_has_no_level_and_spoils_nothing() -> None:
    used = np.concatenate([np.zeros((1, 98)), days(lambda _: 100.0)])
    now = found(used)
    assert now.level(15)[0] == pytest.approx(0.0, abs=1e-6)
    assert now.level(15)[1] == pytest.approx(100.0, rel=0.05)


def test_growth_is_as_likely_as_integrals_over_level_and_rate_say() -> None:
    """Of ten weeks, told once by the course of growth and once by sums over a grid."""
    habits = Habits(USUAL.shares, rate=0.0, apart=0.02)
    used = days(lambda day: 100.0 * math.exp(0.02 * day), count=70, seed=4)
    now = found(used, habits)
    grow, flat = CLASSES.index(("growth", 0.0)), CLASSES.index(("flat", 0.0))
    scale = used.mean()
    weeks, day = used[0].reshape(10, 7).sum(axis=1) / scale, np.arange(-69, 1).reshape(10, 7).mean(axis=1)
    levels, rates = np.linspace(-3, 3, 1201), np.linspace(-0.06, 0.06, 241)

    def integral(rate: float) -> float:
        logs = levels[:, None] + rate * day
        return float(np.exp(-(weeks * np.exp(-logs) + 7 * logs - 7).sum(axis=1) / SPREAD).sum())

    weights = np.exp(-0.5 * (rates / habits.apart) ** 2)
    expected = sum(w * integral(rate) for w, rate in zip(weights / weights.sum(), rates, strict=True)) / integral(0.0)
    column = LIBRARY.index(("growth", 0.0))
    odds = now.likely[0, column] / now.likely[0, 0] * habits.shares[flat] / habits.shares[grow]
    assert math.log(odds) == pytest.approx(math.log(expected), abs=0.1)
