"""The forecast: what it must follow, what it must ignore, and how sure it may be."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yardlight.cellular.courses import KNOTS
from yardlight.cellular.cycle import UTC
from yardlight.cellular.forecast import Fit, Fleet, _weigh, exhaustion, learn, project, remaining, whole_days
from yardlight.cellular.history import UNKNOWN, Track, midnight, ordinal
from yardlight.cellular.levels import VIEWS, Days, Views, typical

MB = 1e6
# A Sunday; the day after it is a Monday.
LAST = date(2026, 3, 15).toordinal()
WEEK = (1.2, 1.2, 1.2, 1.2, 1.2, 0.5, 0.5)
Level = Callable[[int], float]


def weekday(day: int) -> int:
    return date.fromordinal(day).weekday()


def series(level: Level, count: int = 63, seed: int = 0, noise: float = 0.1) -> Days:
    """Days of which the level is `level(days from the last one)`, with weekends."""
    rng = random.Random(seed)
    days = range(LAST - count + 1, LAST + 1)
    return Days(LAST, [level(day - LAST) * WEEK[weekday(day)] * rng.gauss(1.0, noise) * MB for day in days])


def fleet(size: int = 40) -> list[Days]:
    return [series(lambda day, index=index: 50.0 + index, seed=index) for index in range(size)]


def to_come(count: int) -> list[tuple[int, float]]:
    return [(day, 1.0) for day in range(LAST + 1, LAST + 1 + count)]


def forecast(days: Days, count: int = 14, others: Sequence[Days] = ()) -> tuple[float, ...]:
    learned, [fit, *_] = learn([days, *others])
    assert fit is not None
    return tuple(each / MB for each in project(fit, learned, 0.0, to_come(count)))


def test_weekdays_are_followed_and_not_taken_for_a_trend() -> None:
    ordinary = series(lambda _: 100.0)
    assert forecast(ordinary, 5, fleet())[1] == pytest.approx(5 * 120, rel=0.05)
    learned, [fit, *_] = learn([ordinary, *fleet()])
    assert fit is not None
    weekend = [(LAST + 6, 1.0), (LAST + 7, 1.0)]
    assert project(fit, learned, 0.0, weekend)[1] / MB == pytest.approx(100, rel=0.08)


def test_a_new_sim_has_the_weekdays_of_its_fleet() -> None:
    new = series(lambda _: 100.0, count=4)
    assert forecast(new, 7, fleet())[1] == pytest.approx(700, rel=0.1)
    assert forecast(new, 7)[1] != pytest.approx(700, rel=0.1)


def test_in_its_first_cycle_a_fleet_knows_its_weekdays_after_ten_days() -> None:
    first = [series(lambda _, index=index: 50.0 + index, count=10, seed=index) for index in range(40)]
    learned, fits = learn(first)
    ahead = [project(fit, learned, 0.0, to_come(5))[1] / MB for fit in fits if fit is not None]
    assert np.median(np.array(ahead) / [5 * 1.2 * (50 + index) for index in range(40)]) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize("known", [0, 1, 2])
def test_there_is_no_forecast_from_fewer_than_three_days(known: int) -> None:
    [fit, *_] = learn([series(lambda _: 100.0, count=known), *fleet()])[1]
    assert fit is None


def test_a_level_that_changed_a_week_ago_is_forgotten() -> None:
    stepped = series(lambda day: 100.0 if day < -7 else 250.0)
    assert forecast(stepped, 14, fleet())[1] == pytest.approx(14 * 250, rel=0.12)


def test_growth_goes_on() -> None:
    growing = series(lambda day: 100.0 * 1.01**day)
    steady = 14 * 100
    assert forecast(growing, 14, fleet())[1] > steady * 1.02


def test_a_lone_peak_yesterday_is_no_new_level() -> None:
    burst = series(lambda day: 2000.0 if day == 0 else 100.0)
    assert forecast(burst, 14, fleet())[1] < 14 * 100 * 1.5


@pytest.mark.parametrize("ago", [0, 1, 2])
def test_one_day_of_some_times_the_usual_is_no_new_level_where_there_are_such_days(ago: int) -> None:
    rng = random.Random(8)
    bursts = [[1.0 + (rng.random() < 0.04) * rng.expovariate(0.25) for _ in range(98)] for _ in range(60)]
    others = [series(lambda day, each=each: 80.0 * each[day], 98, index, 0.2) for index, each in enumerate(bursts)]
    for peak in (280.0, 360.0, 500.0):
        level = {-ago: peak, -5: 1200.0, -30: 1200.0}
        one = series(lambda day, level=level: level.get(day, 100.0), 98, 77, 0.2)
        assert forecast(one, 14, others)[1] == pytest.approx(14 * 100, rel=0.1)


def test_a_single_peak_of_a_sims_first_week_is_not_one_of_every_week() -> None:
    new = series(lambda day: 1600.0 if day == -2 else 100.0, count=6)
    assert forecast(new, 20, fleet())[1] < 20 * 100 + 2 * 1600


def test_a_truck_that_is_at_home_for_some_days_as_before_comes_back() -> None:
    home = (-2, -1, 0, -19, -18, -17, -36, -35, -34)
    assert forecast(series(lambda day: 20.0 if day in home else 100.0), 14, fleet())[1] > 14 * 85


def test_a_level_that_falls_for_the_first_time_is_followed() -> None:
    assert forecast(series(lambda day: 20.0 if day > -7 else 100.0), 14, fleet())[1] < 14 * 45


def test_days_in_stock_are_no_use_of_nothing() -> None:
    """The platform tells of a SIM from its purchase on; it is in a truck for two weeks now."""
    stock = series(lambda day: 100.0 if day > -14 else 0.0, 80)
    assert forecast(stock, 14, fleet())[1] == pytest.approx(14 * 100, rel=0.08)


def test_a_truck_without_use_for_weeks_again_and_again_is_not_new() -> None:
    rests = series(lambda day: 0.0 if day < -48 or -40 < day < -9 else 100.0)
    use = list(rests.used)
    told, since = (learn([Days(LAST, days), *fleet()])[1][0] for days in (use, [*[None] * 14, *use[14:]]))
    assert told is not None
    assert since is not None
    assert told.levels[0] < since.levels[0]


def test_what_a_tablet_loads_on_its_first_days_is_not_what_it_will_use() -> None:
    loads = series(lambda day: 900.0 if day < -8 else 100.0, count=11)
    assert forecast(loads, 14, fleet())[1] == pytest.approx(14 * 100, rel=0.1)


def test_whoever_is_new_has_the_same_forecast_beside_a_sim_that_is_known_for_longer() -> None:
    """Nearly all of them, the middle; how far it may be off is known better beside one that is known for longer."""
    young, old = [series(lambda _: 100.0, 20, seed=seed) for seed in range(40)], series(lambda _: 100.0, 98, seed=99)
    alone, beside = (np.array(forecasts(each))[:40, 1] for each in (young, [*young, old]))
    assert np.median(np.abs(beside / alone - 1)) < 0.002


def test_two_days_of_twenty_times_the_usual_are_a_new_level() -> None:
    runaway = series(lambda day: 2000.0 if day > -3 else 100.0)
    assert forecast(runaway, 14, fleet())[1] > 14 * 1200


def shared(level: Level) -> list[tuple[float, ...]]:
    """Forecasts of a fleet whose days are all of one level, in parts of the same without that."""
    odd, calm = (forecasts([series(each, seed=index) for index in range(30)]) for each in (level, lambda _: 100.0))
    return [tuple(np.array(one) / np.array(other)) for one, other in zip(odd, calm, strict=True)]


def test_holidays_of_the_whole_fleet_are_no_new_level_and_come_as_often_as_before() -> None:
    """Three of 63 days without use, as if of 77, each of which was 1.2 of an average day: some 4 %."""
    middles = [middle for _, middle, _ in shared(lambda day: 5.0 if -6 <= day <= -4 else 100.0)]
    assert np.median(middles) == pytest.approx(1 - 3 * 0.95 * 1.2 / 77, abs=0.015)


def test_days_of_new_firmware_are_no_new_level_and_come_as_often_as_before() -> None:
    middles = [middle for _, middle, _ in shared(lambda day: 400.0 if day in (-3, -33) else 100.0)]
    assert np.median(middles) == pytest.approx(1 + 2 * 3 * 1.2 / 77, abs=0.015)


def test_new_firmware_of_one_kind_of_sims_is_nothing_to_the_others() -> None:
    """Thirty routers that wait at 1 MB a day load 150 MB on one day; fifteen tablets in the same account do not."""
    tablets = [series(lambda _: 100.0, seed=index) for index in range(15)]
    routers = [series(lambda day: 150.0 if day == -25 else 1.0, seed=50 + index) for index in range(30)]
    low, middle, high = np.median(forecasts([*tablets, *routers])[:15], axis=0) / MB
    assert middle == pytest.approx(21 * 100, rel=0.05)
    assert high - low < 0.25 * middle


@pytest.mark.parametrize(("before", "after"), [(0.0, 100.0), (10.0, 100.0), (100.0, 0.0), (100.0, 30.0)])
@pytest.mark.parametrize("ago", [7, 14, 28, 42, 49, 56, 70])
def test_a_level_that_holds_since_some_weeks_is_not_about_to_go_back(before: float, after: float, ago: int) -> None:
    changed = series(lambda day: before if day <= -ago else after, count=98, noise=0.2)
    others = [series(lambda _: 100.0, count=98, seed=index, noise=0.2) for index in range(1, 21)]
    for days in (14, 35):
        assert forecast(changed, days, others)[1] == pytest.approx(
            days * after, rel=0.2 if ago > 7 else 0.4, abs=days * 12.0
        )


def added(members: Sequence[Days]) -> Days:
    """A pool: day by day the sum of those that are known."""
    count = max(len(days.used) for days in members)
    used = [[0.0] * (count - len(days.used)) + [each or 0.0 for each in days.used] for days in members]
    return Days(LAST, [sum(day) for day in zip(*used, strict=True)])


def pool_forecast(members: Sequence[Days], others: Sequence[Days]) -> tuple[float, ...]:
    """Of the pool of these, in an account of others beside them."""
    account = [added(members), *members, *others]
    learned, fits = learn(account, {0: range(1, 1 + len(members))})
    assert fits[0] is not None
    return tuple(each / MB for each in project(fits[0], learned, 0.0, to_come(14)))


def test_a_pool_with_new_sims_is_expected_to_use_what_they_all_do() -> None:
    """By its own days something changed, but not how far."""
    old = [series(lambda _: 100.0, seed=index, noise=0.3) for index in range(30)]
    new = [series(lambda _: 100.0, count=4, seed=60 + index, noise=0.3) for index in range(6)]
    account = [added([*old[:10], *new]), *old, *new]
    alone, together = (learn(account, pools)[1][0] for pools in ({}, {0: [*range(1, 11), *range(31, 37)]}))
    assert alone is not None
    assert together is not None
    assert together.levels[0] == pytest.approx(1600 * MB, rel=0.03)
    assert abs(alone.levels[0] / (1600 * MB) - 1) > 0.08


def test_a_pool_of_one_sim_is_forecast_as_that_sim() -> None:
    def bursts(day: int) -> float:
        return 900.0 if day % 17 == 0 else 100.0 * 1.005**day

    [alone] = members = [series(bursts, 98)]
    assert pool_forecast(members, fleet()) == pytest.approx(forecast(alone, 14, [alone, *fleet()]))


def test_a_sim_that_is_too_new_for_a_forecast_of_its_own_counts_in_that_of_its_pool() -> None:
    members = [*fleet(3), series(lambda _: 500.0, count=2)]
    assert pool_forecast(members, fleet())[1] == pytest.approx(14 * (50 + 51 + 52 + 500), rel=0.15)


def test_sims_that_differ_each_by_chance_make_a_pool_that_is_surer() -> None:
    def width(count: int) -> float:
        sims = [series(lambda _: 100.0, seed=index, noise=0.5) for index in range(40)]
        low, middle, high = pool_forecast(sims[:count], sims)
        return (high - low) / middle

    assert width(30) < 0.7 * width(1)


def test_of_a_pool_without_use_nothing_is_expected() -> None:
    assert pool_forecast([series(lambda _: 0.0)], fleet())[1] == 0


def test_days_of_which_nothing_is_known_are_not_days_without_use() -> None:
    days = series(lambda _: 100.0)
    gap = Days(LAST, [None if 40 <= index < 50 else used for index, used in enumerate(days.used)])
    assert forecast(gap, 14, fleet())[1] == pytest.approx(1400, rel=0.06)


def test_c05_data_that_comes_later_widens_the_range_and_calms_nobody() -> None:
    """The cycle ends after 14 days either way; the late account has not told of the last three yet."""
    days = series(lambda _: 100.0, noise=0.4)
    known, late = days.used[:-3], days.used[-3:]
    now = project_to_end(days, sum(used for used in days.used[-10:] if used), 11)
    then = project_to_end(Days(LAST - 3, known), sum(used for used in days.used[-10:-3] if used), 14)
    assert then[2] - then[0] > now[2] - now[0]
    assert then[1] == pytest.approx(now[1], rel=0.2)
    assert then[1] > sum(used for used in known[-7:] if used) + 0.5 * sum(used for used in late if used)


def project_to_end(days: Days, used: float, count: int) -> tuple[float, ...]:
    learned, [fit, *_] = learn([days, *fleet()])
    assert fit is not None
    return project(fit, learned, used, [(day, 1.0) for day in range(days.last + 1, days.last + 1 + count)])


def test_the_range_holds_four_of_five_outcomes() -> None:
    """A coarse check; the backtest measures it on fleets of many kinds."""
    fits, came = [], []
    for index in range(150):
        days = series(lambda _: 100.0, count=77, seed=1000 + index, noise=0.35)
        fits.append(Days(LAST - 14, days.used[:-14]))
        came.append(sum(used for used in days.used[-14:] if used is not None))
    learned, fitted = learn(fits)
    ahead = [(day, 1.0) for day in range(LAST - 13, LAST + 1)]
    inside = 0
    for fit, total in zip(fitted, came, strict=True):
        assert fit is not None
        low, _, high = project(fit, learned, 0.0, ahead)
        inside += low <= total <= high
    assert 0.7 <= inside / 150 <= 0.95


def test_a_fleet_whose_past_could_be_tried_once_is_not_sure_of_what_that_showed() -> None:
    def width(count: int) -> float:
        learned, fits = learn([series(lambda _: 100.0, count=count, seed=index, noise=0.1) for index in range(40)])
        return float(np.median([np.ptp(project(fit, learned, 0.0, to_come(20))) / MB for fit in fits if fit]))

    assert width(25) > 1.4 * width(98)


def test_how_far_days_differ_is_learned_in_the_first_cycle() -> None:
    def sides(noise: float) -> float:
        fits = learn([series(lambda _: 100.0, count=10, seed=index, noise=noise) for index in range(40)])[1]
        return float(np.median([fit.spread for fit in fits if fit]))

    assert sides(0.5) > 4 * sides(0.1)


def test_the_same_history_always_gives_the_same_forecast() -> None:
    assert learn(fleet()) == learn(fleet())


def test_the_cap_is_reached_when_the_middle_of_the_forecast_says() -> None:
    fit = Fit(LAST, (1.0,) * 7, (100.0,) * len(KNOTS), 0.0, 0.0)
    days = to_come(10)
    middle = project(fit, Fleet(), 300.0, days)[1]
    assert middle == 1300.0
    assert exhaustion(fit, 300.0, 550.0, middle, days, UTC) == midnight(LAST + 3, UTC) + 43200
    assert exhaustion(fit, 300.0, 1300.0, middle, days, UTC) == midnight(LAST + 11, UTC)
    assert exhaustion(fit, 300.0, 1301.0, middle, days, UTC) is None
    # It was reached already.
    assert exhaustion(fit, 300.0, 300.0, middle, days, UTC) is None


def test_the_exhaustion_of_a_day_that_has_begun_is_in_what_is_left_of_it() -> None:
    fit = Fit(LAST, (1.0,) * 7, (100.0,) * len(KNOTS), 0.0, 0.0)
    days = remaining(midnight(LAST + 1, UTC) + 43200, midnight(LAST + 2, UTC), UTC)
    assert days == [(LAST + 1, 0.5)]
    assert exhaustion(fit, 0.0, 25.0, 50.0, days, UTC) == midnight(LAST + 1, UTC) + 0.75 * 86400


def test_a_level_goes_straight_from_one_knot_to_the_next_and_stays_after_the_last() -> None:
    fit = Fit(LAST, (1.0,) * 7, (10.0, 80.0, *[20.0] * (len(KNOTS) - 3), 30.0), 0.0, 0.0)
    assert fit.expect(to_come(8)) == pytest.approx([10.0 * day for day in range(1, 9)])
    assert fit.expect([(LAST + 500, 0.5)]) == [15.0]


def test_a_season_is_followed_where_the_fleet_has_it() -> None:
    """Each SIM by itself, of one and a half months; the level of days past would be a third too high."""
    period = 45

    def season(index: int) -> Days:
        return series(lambda day: 100.0 + 60.0 * math.cos(2 * math.pi * (day + index) / period), 98, seed=index)

    account = [season(index) for index in range(40)]
    learned, [fit, *_] = learn(account)
    assert fit is not None
    said = project(fit, learned, 0.0, to_come(21))[1] / MB
    came = sum(
        (100.0 + 60.0 * math.cos(2 * math.pi * day / period)) * WEEK[weekday(LAST + day)] for day in range(1, 22)
    )
    assert said == pytest.approx(came, rel=0.08)


def test_no_error_is_so_large_that_no_view_counts() -> None:
    views = Views(np.ones((1, VIEWS, len(KNOTS))), np.array([0]), np.array([0.1]), [])
    for size in (1e-9, 1.0, 1e25):
        weights = _weigh(views, Fleet(errors=((size, size, 2 * size, 2 * size),) * 3))
        assert weights.sum() == pytest.approx(1.0)


def test_what_remains_of_a_cycle_is_counted_in_days_of_the_account() -> None:
    zone = ZoneInfo("America/New_York")
    start = midnight(LAST, zone) + 6 * 3600
    parts = remaining(start, midnight(LAST + 3, zone), zone)
    assert parts == [(LAST, 0.75), (LAST + 1, 1.0), (LAST + 2, 1.0)]
    assert remaining(start, start, zone) == []


def test_only_days_that_are_over_by_the_vendors_clock_are_history() -> None:
    track = Track(UTC, first=LAST - 2, days=array("q", [5, UNKNOWN, 7]), as_of=midnight(LAST, UTC) + 3600)
    assert whole_days(track) == Days(LAST - 1, memoryview(array("q", [5, UNKNOWN])))
    assert whole_days(Track(UTC)) is None
    assert whole_days(Track(UTC, first=ordinal(0.0, UTC), days=array("q", [5]), as_of=10.0)) is None


amounts = st.lists(st.none() | st.integers(0, 10**12) | st.just(0), max_size=70)


@settings(max_examples=200, deadline=None)
@given(st.lists(amounts, min_size=1, max_size=30), st.integers(1, 400))
def test_whatever_was_used_the_forecast_is_three_numbers_in_order(account: list[list[int | None]], ahead: int) -> None:
    learned, fits = learn([Days(LAST, used) for used in account])
    for fit in fits:
        if fit is not None:
            low, middle, high = project(fit, learned, 100.0, to_come(ahead))
            assert 100.0 <= low <= middle <= high < 1e18
            assert all(map(math.isfinite, (*fit.levels, fit.spread, fit.unsure, fit.often, fit.peak)))


seeds = st.integers(0, 10**6)


def assorted(seed: int, size: int = 12) -> list[Days]:
    """SIMs that rest, grow, change, burst and begin."""
    rng = random.Random(seed)

    def one(kind: int) -> Days:
        rate, at, factor = rng.uniform(-0.01, 0.01), rng.randrange(-50, 0), rng.choice((0.4, 2.5))
        levels: list[Level] = [
            lambda _: 100.0,
            lambda day: 100.0 * math.exp(rate * day),
            lambda day: 100.0 if day < at else 100.0 * factor,
            lambda day: 900.0 if day % 17 == 0 else 100.0,
        ]
        return series(levels[kind % 4], rng.choice((5, 20, 63, 98)), rng.randrange(10**6), rng.uniform(0.05, 0.3))

    return [one(kind) for kind in range(size)]


def forecasts(account: Sequence[Days], used: float = 0.0) -> list[tuple[float, ...]]:
    """Of every series, to the end of three weeks after its own last day."""
    learned, fits = learn(account)
    return [
        project(fit, learned, used, [(days.last + ahead, 1.0) for ahead in range(1, 22)])
        for days, fit in zip(account, fits, strict=True)
        if fit is not None
    ]


def alike(some: Sequence[tuple[float, ...]], others: Sequence[tuple[float, ...]], factor: float = 1.0) -> bool:
    return np.allclose(np.array(some) * factor, np.array(others), rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from([1e-3, 7.0, 1e4]))
def test_ten_times_the_use_is_ten_times_the_forecast(seed: int, factor: float) -> None:
    account = assorted(seed)
    more = [Days(days.last, [factor * (used or 0.0) for used in days.used]) for days in account]
    assert alike(forecasts(account), forecasts(more), factor)


@settings(max_examples=15, deadline=None)
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_sims_is_of_no_account(seed: int, rng: random.Random) -> None:
    account = assorted(seed)
    order = list(range(len(account)))
    rng.shuffle(order)
    found, shuffled = forecasts(account), forecasts([account[index] for index in order])
    assert alike([found[index] for index in order], shuffled)


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 50).map(lambda weeks: 7 * weeks))
def test_the_same_days_some_weeks_later_have_the_same_forecast(seed: int, later: int) -> None:
    account = assorted(seed)
    assert alike(forecasts(account), forecasts([Days(days.last + later, days.used) for days in account]))


@settings(max_examples=15, deadline=None)
@given(seeds, st.integers(1, 40))
def test_days_before_a_sim_was_there_are_of_no_account(seed: int, before: int) -> None:
    account = assorted(seed)
    padded = [Days(days.last, [*[None] * before, *days.used]) for days in account]
    assert alike(forecasts(account), forecasts(padded))


@settings(max_examples=15, deadline=None)
@given(seeds, st.floats(0, 1e12))
def test_what_is_used_already_is_added_and_never_taken_back(seed: int, used: float) -> None:
    found, more = forecasts(assorted(seed)), forecasts(assorted(seed), used)
    assert alike([tuple(each + used for each in one) for one in found], more)
    assert all(used <= low <= middle <= high for low, middle, high in more)


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_more_days_to_come_never_lower_the_middle(seed: int) -> None:
    learned, fits = learn(assorted(seed))
    for fit in fits:
        assert fit is not None
        middles = [project(fit, learned, 0.0, to_come(count))[1] for count in range(0, 60, 6)]
        assert middles == sorted(middles)


def sparse(apart: int, begin: int, count: int) -> Days:
    """A SIM whose platform gives a row every so many days."""
    return Days(LAST, [100 * MB if day % apart == begin % apart else None for day in range(count)])


strange = st.one_of(
    st.builds(sparse, st.integers(2, 9), st.integers(0, 8), st.integers(20, 98)),
    st.builds(lambda count: Days(LAST, [0.0] * count), st.integers(1, 98)),
    st.builds(lambda count, seed: series(lambda _: 100.0, count, seed), st.integers(1, 3), seeds),
    st.builds(lambda count: Days(LAST, [None] * count), st.integers(0, 98)),
    st.builds(lambda count: Days(LAST, [*[0.0] * count, 100 * MB]), st.integers(0, 97)),
)


def test_a_sim_with_rows_every_few_days_leaves_the_others_their_forecast() -> None:
    ordinary = fleet()
    alone = forecasts(ordinary)
    for apart in (4, 5, 6, 7):
        beside = forecasts([*ordinary, sparse(apart, 0, 98)])
        assert np.allclose(np.array(beside[: len(ordinary)]), np.array(alone), rtol=0.02)


@settings(max_examples=25, deadline=None)
@given(st.lists(strange, min_size=1, max_size=4), st.sampled_from([0, 1, 40]))
def test_strange_sims_have_finite_forecasts_and_move_no_others(others: list[Days], size: int) -> None:
    ordinary = fleet(size)
    learned, fits = learn([*ordinary, *others])
    for fit in fits:
        if fit is not None:
            low, middle, high = project(fit, learned, 0.0, to_come(21))
            assert 0.0 <= low <= middle <= high < math.inf
    if size == 40:
        beside = np.array(forecasts([*ordinary, *others])[: len(ordinary)])
        assert np.allclose(beside[:, 1], np.array(forecasts(ordinary))[:, 1], rtol=0.05)


@pytest.mark.parametrize("apart", [1, 4, 5, 7])
def test_one_sim_alone_has_a_finite_forecast(apart: int) -> None:
    found = forecast(sparse(apart, 0, 98), 14)
    assert 0 < found[0] < found[2] < 1e6


def test_a_forecast_that_is_no_number_is_not_told_as_no_more_use() -> None:
    with pytest.raises(AssertionError, match="finite"):
        project(Fit(LAST, (1.0,) * 7, (math.nan,) * len(KNOTS), 0.0, 0.0), Fleet(), 0.0, to_come(10))


def test_peaks_come_as_often_as_not() -> None:
    """The middle of a Poisson distribution, added up term by term."""
    for mean in (0.1, 0.5, 0.69, 0.7, 1.5, 1.7, 3.0, 8.2, 20.0):
        middle, term, reached = 0, math.exp(-mean), math.exp(-mean)
        while reached < 0.5:
            middle += 1
            term *= mean / middle
            reached += term
        assert typical(np.array(mean)) == middle


def test_rare_peaks_of_the_past_widen_the_range_and_do_not_raise_the_middle() -> None:
    calm, peaks = series(lambda _: 100.0, 98), series(lambda day: 900.0 if day in (-70, -40) else 100.0, 98)
    usual, widened = forecast(calm, 14, fleet()), forecast(peaks, 14, fleet())
    assert widened[1] == pytest.approx(usual[1], rel=0.03)
    assert widened[2] > usual[2] + 200
