"""What is remembered of usage: never negative, never twice, never made up."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yardlight.cellular.cycle import UTC, Cycle, Lifetime, MonthDay
from yardlight.cellular.history import KEEP_DAYS, UNKNOWN, Closed, Meter, Track, begin, from_json, midnight, ordinal
from yardlight.cellular.usage import Count, Left, Plan, Source, Usage, Used

DAY = 86400.0
MB = 10**6
NEW_YORK = ZoneInfo("America/New_York")
MONTH = MonthDay(UTC)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def total(track: Track, megabytes: float, when: str) -> None:
    track.take(Usage(Used(round(megabytes * MB)), at(when), sim="truck-7"), MONTH.at(at(when)))


def row(track: Track, megabytes: float, day: str, source: Source = "estimate", as_of: str | None = None) -> None:
    instant = at(as_of or f"{day}T23:59:59")
    usage = Usage(Used(round(megabytes * MB)), instant, sim="truck-7", day=ordinal(at(day), UTC), source=source)
    track.take(usage, MONTH.at(instant))


def days(track: Track, first: str, count: int) -> list[float | None]:
    start = ordinal(at(first), UTC)
    return [None if (used := track.day(start + index)) is None else used / MB for index in range(count)]


def test_a_total_that_grows_becomes_days() -> None:
    track = Track(UTC)
    for when, megabytes in (("2026-03-01T06:00", 2), ("2026-03-01T18:00", 8), ("2026-03-02T18:00", 20)):
        total(track, megabytes, when)
    # A quarter of the last growth fell into the evening of the first day.
    assert days(track, "2026-03-01", 2) == [8 + 3, 9]
    assert track.used == 20 * MB


def test_c06_yesterday_restated_upwards_makes_no_day_negative_and_no_day_a_runaway() -> None:
    track = Track(UTC)
    for day in range(1, 11):
        row(track, 100, f"2026-03-{day:02}")
    row(track, 140, "2026-03-10", as_of="2026-03-11T06:00:00")
    assert days(track, "2026-03-09", 2) == [100, 140]
    assert track.used == 1040 * MB
    cumulative = Track(UTC)
    for day in range(1, 11):
        total(cumulative, 100 * day, f"2026-03-{day:02}T23:00")
    total(cumulative, 1040, "2026-03-10T23:30")
    known = [used for used in cumulative.days if used != UNKNOWN]
    assert min(known) >= 0
    assert max(known) <= 150 * MB


def test_c06_a_total_restated_downwards_is_taken_off_the_newest_days_to_zero_at_least() -> None:
    track = Track(UTC)
    total(track, 100, "2026-03-01T23:59:59")
    total(track, 130, "2026-03-02T23:59:59")
    total(track, 60, "2026-03-03T00:00:00")
    assert days(track, "2026-03-01", 2) == pytest.approx([60, 0], abs=0.01)
    assert track.used == 60 * MB


def test_more_that_is_left_of_a_plan_without_an_end_is_a_new_amount_and_takes_no_day_back() -> None:
    track, lifetime, cap = Track(UTC), Lifetime(), Plan(cap=500 * MB)
    for day in range(1, 11):
        track.take(Usage(Left((500 - 40 * day) * MB), at(f"2026-03-{day:02}T23:59:59")), lifetime.at(0.0), cap)
    before = days(track, "2026-03-02", 9)
    assert before == [pytest.approx(40, abs=0.1)] * 9
    topped = at("2026-03-11T12:00")
    track.take(Usage(Left(600 * MB), topped), lifetime.at(0.0), Plan(cap=600 * MB))
    assert days(track, "2026-03-02", 9) == before
    assert (track.used, track.as_of) == (0, topped)
    track.take(Usage(Left(570 * MB), at("2026-03-11T22:00")), lifetime.at(0.0), Plan(cap=600 * MB))
    assert days(track, "2026-03-11", 1) == [30]


def test_a_better_row_of_a_day_wins_over_an_estimate_that_comes_after_it() -> None:
    track = Track(UTC)
    row(track, 100, "2026-03-01")
    row(track, 90, "2026-03-01", "rated")
    row(track, 110, "2026-03-01", "estimate")
    assert days(track, "2026-03-01", 1) == [90]
    row(track, 95, "2026-03-01", "rated")
    assert track.used == 95 * MB


def test_rows_that_come_three_days_late_find_their_day() -> None:
    track = Track(UTC)
    for day in ("2026-03-01", "2026-03-02", "2026-03-04", "2026-03-05"):
        row(track, 10, day)
    assert days(track, "2026-03-01", 5) == [10, 10, None, 10, 10]
    row(track, 30, "2026-03-03", as_of="2026-03-06T01:00:00")
    row(track, 5, "2026-02-28", as_of="2026-02-28T23:59:59")
    assert days(track, "2026-02-28", 6) == [5, 10, 10, 30, 10, 10]
    assert track.used == 70 * MB


def test_late_rows_of_the_last_cycle_restate_what_was_closed() -> None:
    track = Track(UTC)
    for day in range(1, 32):
        row(track, 10, f"2026-03-{day:02}")
    row(track, 7, "2026-04-01")
    assert track.closed == Closed(Cycle(at("2026-03-01"), at("2026-04-01")), 310 * MB)
    row(track, 25, "2026-03-31", "rated", as_of="2026-04-02T00:00:00")
    assert track.closed.used == 325 * MB
    assert track.used == 7 * MB


def test_c07_a_cycle_change_while_the_api_is_down_leaves_the_new_total_unknown_and_the_old_one_closed() -> None:
    track = Track(UTC)
    for day in range(1, 31):
        total(track, 100 * day, f"2026-03-{day:02}T23:00")
    assert track.open(at("2026-03-31T12:00"))
    # Nothing was read over the change: the total known is not that of April, and it is not zero either.
    assert not track.open(at("2026-04-01T00:00"))
    total(track, 250, "2026-04-03T12:00")
    assert track.closed == Closed(Cycle(at("2026-03-01"), at("2026-04-01")), 3000 * MB)
    assert track.open(at("2026-04-03T12:00"))
    assert track.used == 250 * MB
    assert days(track, "2026-03-31", 4) == [None, 100, 100, 50]


def test_a_closed_period_beside_the_open_one_is_not_taken_for_it() -> None:
    track = Track(UTC)
    total(track, 3000, "2026-03-31T23:00")
    total(track, 50, "2026-04-01T12:00")
    total(track, 3100, "2026-03-31T23:59")
    assert track.used == 50 * MB
    assert track.closed is not None
    assert track.closed.used == 3100 * MB


def month(track: Track, megabytes: float, start: str, when: str) -> None:
    """A total of which the platform names the cycle."""
    cycle = MONTH.at(at(start))
    track.take(Usage(Used(round(megabytes * MB)), at(when), sim="truck-7", cycle=cycle), cycle)


def test_closed_periods_that_are_listed_after_the_open_one_leave_it_open() -> None:
    track = Track(UTC)
    for hour in range(3):
        month(track, 250 + hour, "2026-11-01", f"2026-11-10T{hour:02}:00")
        month(track, 3000, "2026-10-01", f"2026-11-10T{hour:02}:00")
        assert track.used == (250 + hour) * MB
        assert track.closed == Closed(MONTH.at(at("2026-10-01")), 3000 * MB)


def test_an_export_of_long_ago_that_is_read_late_is_neither_the_open_cycle_nor_the_last_one() -> None:
    track = Track(UTC)
    month(track, 250, "2026-11-01", "2026-11-10T00:00")
    month(track, 900, "2026-08-01", "2026-11-10T01:00")
    assert (track.used, track.closed) == (250 * MB, None)
    month(track, 3000, "2026-10-01", "2026-11-10T02:00")
    month(track, 800, "2026-09-01", "2026-11-10T03:00")
    month(track, 260, "2026-11-01", "2026-11-10T04:00")
    assert track.used == 260 * MB
    assert track.closed == Closed(MONTH.at(at("2026-10-01")), 3000 * MB)


def test_a_plan_without_an_end_is_taken_up_again_after_a_month_in_between() -> None:
    track, lifetime, cap = Track(UTC), Lifetime(), Plan(cap=500 * MB)
    for left in (300, 280):
        track.take(Usage(Left(left * MB), at("2026-11-10T00:00"), cycle=lifetime.at(0.0)), lifetime.at(0.0), cap)
        month(track, 12, "2026-11-01", "2026-11-10T01:00")
    track.take(Usage(Left(270 * MB), at("2026-11-10T02:00"), cycle=lifetime.at(0.0)), lifetime.at(0.0), cap)
    assert (track.used, track.cycle) == (230 * MB, lifetime.at(0.0))


def test_a_total_that_goes_on_after_the_end_of_a_cycle_is_still_that_of_the_last_one() -> None:
    track = Track(UTC)
    for day in range(1, 32):
        total(track, 100 * day, f"2026-03-{day:02}T23:59:59")
    # The platform is six hours late.
    total(track, 3110, "2026-04-01T03:00")
    total(track, 3120, "2026-04-01T06:00")
    assert track.used is None
    assert track.closed == Closed(MONTH.at(at("2026-03-01")), 3120 * MB)
    total(track, 30, "2026-04-01T12:00")
    total(track, 80, "2026-04-02T00:00")
    assert track.used == 80 * MB
    assert track.closed.used == 3120 * MB
    assert max(used for used in track.days if used != UNKNOWN) <= 101 * MB


def test_a_total_that_goes_on_for_days_after_the_end_of_a_cycle_is_that_of_the_open_one() -> None:
    track = Track(UTC)
    total(track, 20, "2026-03-31T23:59:59")
    total(track, 30, "2026-04-01T12:00")
    assert track.used is None
    total(track, 60, "2026-04-03T12:00")
    assert track.used == 60 * MB


def test_a_sim_without_use_has_none_in_a_new_cycle_at_once() -> None:
    track = Track(UTC)
    total(track, 0, "2026-03-31T23:59:59")
    total(track, 0, "2026-04-01T01:00")
    assert track.used == 0


def test_a_total_that_begins_anew_before_the_cycle_does_takes_no_day_back_and_is_that_of_the_next_cycle() -> None:
    track = Track(UTC)
    for day in range(1, 31):
        total(track, 100 * day, f"2026-03-{day:02}T23:59:59")
    total(track, 3070, "2026-03-31T17:00")
    total(track, 4, "2026-03-31T18:00")
    assert track.closed == Closed(MONTH.at(at("2026-03-01")), 3070 * MB)
    # It is not that of March, of which it is a part only.
    assert (track.used, track.since) == (4 * MB, at("2026-03-31T17:00"))
    total(track, 28, "2026-03-31T23:59:59")
    total(track, 40, "2026-04-01T03:00")
    assert (track.used, track.since) == (40 * MB, None)
    assert track.closed.used == 3070 * MB
    assert days(track, "2026-03-29", 4) == pytest.approx([100, 100, 98, 12], abs=0.1)


def test_a_total_that_is_said_as_nothing_once_goes_on_from_where_it_was() -> None:
    track = Track(UTC)
    for day in range(1, 21):
        total(track, 100 * day, f"2026-03-{day:02}T23:59:59")
    total(track, 0, "2026-03-21T06:00")
    total(track, 2060, "2026-03-21T12:00")
    assert (track.used, track.since, track.closed) == (2060 * MB, None, None)
    assert days(track, "2026-03-19", 3) == pytest.approx([100, 100, 60], abs=0.1)


def test_half_a_day_before_the_end_of_a_cycle_is_not_a_day_of_half_the_use() -> None:
    track = Track(UTC)
    for day in range(1, 32):
        total(track, 100 * day - 50, f"2026-03-{day:02}T12:00")
    total(track, 50, "2026-04-01T12:00")
    # Of the afternoon of the 31st nothing will ever be told.
    assert days(track, "2026-03-30", 3) == [pytest.approx(100, abs=0.1), None, 50]
    assert track.closed == Closed(MONTH.at(at("2026-03-01")), 3050 * MB)


def test_a_total_of_which_nobody_names_the_cycle_begins_anew_and_takes_no_day_back() -> None:
    track = Track(UTC)
    for day in range(1, 32):
        track.take(Usage(Used(100 * MB * day), at(f"2026-03-{day:02}T23:59:59"), sim="truck-7"), None)
    track.take(Usage(Used(10 * MB), at("2026-04-01T02:00"), sim="truck-7"), None)
    assert days(track, "2026-03-29", 4) == pytest.approx([100, 100, 100, 10], abs=0.1)
    assert (track.used, track.since) == (10 * MB, at("2026-03-31T23:59:59"))


def test_an_answer_that_is_older_than_the_last_changes_nothing() -> None:
    track = Track(UTC)
    total(track, 100, "2026-03-02T12:00")
    before = track.to_json()
    total(track, 90, "2026-03-02T11:00")
    assert track.to_json() == before


def test_the_same_answer_twice_counts_once() -> None:
    track = Track(UTC)
    total(track, 100, "2026-03-02T12:00")
    before = track.to_json()
    total(track, 100, "2026-03-02T12:00")
    assert track.to_json() == before


def test_c22_tracking_that_starts_on_day_12_is_seeded_from_the_total_of_the_cycle() -> None:
    track = Track(UTC)
    total(track, 230, "2026-03-12T12:00")
    assert track.used == 230 * MB
    assert track.since is None
    assert track.seeded == ordinal(at("2026-03-12"), UTC)
    assert days(track, "2026-03-01", 12) == pytest.approx([20] * 11 + [10])


def test_c22_rows_of_days_that_begin_on_day_12_are_said_to_be_partial() -> None:
    track = Track(UTC)
    row(track, 20, "2026-03-12")
    row(track, 20, "2026-03-13")
    assert track.used == 40 * MB
    assert track.since == at("2026-03-12")
    row(track, 5, "2026-04-01")
    assert track.since is None
    assert track.closed is None


def test_a_total_of_which_the_start_of_the_cycle_is_not_known_makes_no_days_up() -> None:
    track = Track(UTC)
    track.take(Usage(Used(500 * MB), at("2026-03-12T12:00"), sim="truck-7"), Cycle(None, at("2026-03-20")))
    assert len(track.days) == 0
    assert track.used == 500 * MB
    track.take(Usage(Used(600 * MB), at("2026-03-13T12:00"), sim="truck-7"), Cycle(None, at("2026-03-20")))
    assert days(track, "2026-03-12", 2) == [50, 50]


def test_a_total_since_a_start_of_decades_ago_is_spread_over_the_days_that_are_kept() -> None:
    track, now = Track(UTC), at("2026-03-15")
    start = now - 50 * KEEP_DAYS * DAY
    track.take(Usage(Used(50 * KEEP_DAYS * MB), now, sim="truck-7"), Cycle(start, None))
    assert track.used == 50 * KEEP_DAYS * MB
    assert len(track.days) == KEEP_DAYS
    assert track.days[:-1].tolist() == [pytest.approx(MB, rel=1e-3)] * (KEEP_DAYS - 1)


def test_c23_more_used_than_the_cap_and_less_left_than_nothing_are_taken_as_they_are() -> None:
    track = Track(UTC)
    plan = Plan(cap=1000 * MB)
    track.take(Usage(Left(-50 * MB), at("2026-03-12T12:00"), sim="truck-7"), MONTH.at(at("2026-03-12T12:00")), plan)
    assert track.used == 1050 * MB
    track.take(Usage(Left(1100 * MB), at("2026-03-12T13:00"), sim="truck-7"), MONTH.at(at("2026-03-12T13:00")), plan)
    assert track.used == -100 * MB
    assert min(track.days) >= 0


def test_what_is_left_of_a_cap_that_nobody_knows_says_nothing_of_what_was_used() -> None:
    track = Track(UTC)
    track.take(Usage(Left(50), at("2026-03-12T12:00"), sim="truck-7"), None)
    assert track.used is None


def test_days_are_those_of_the_account_and_a_dst_night_has_its_hours() -> None:
    track = Track(NEW_YORK)
    cycle = MonthDay(NEW_YORK).at(at("2026-03-07T12:00"))
    start = midnight(ordinal(at("2026-03-07T12:00"), NEW_YORK), NEW_YORK)
    track.take(Usage(Used(0), start, sim="truck-7"), cycle)
    # 24 and 23 hours: the clocks go forward on March 8.
    track.take(Usage(Used(47 * MB), start + 47 * 3600.0, sim="truck-7"), cycle)
    assert track.days[-3:].tolist() == [24 * MB, 23 * MB, 0]


def test_c16_a_counter_that_wraps_at_31_or_32_bits_or_goes_negative_grows_on() -> None:
    uptime = 10 * DAY
    for values in ((2**31 - 100, 50), (2**32 - 100, 50), (2**31 - 100, -(2**31) + 50), (-100, 50)):
        meter = begin(Count("s", values[0], 0.0, uptime))
        assert meter.advance(Count("s", values[1], 60.0, uptime + 60.0))[1] == 150


def test_c16_after_a_reboot_only_what_was_counted_since_is_added() -> None:
    meter = begin(Count("s", 2**31 - 100, 0.0, 10 * DAY))
    after, grown = meter.advance(Count("s", 5000, 60.0, 30.0))
    assert grown == 5000
    assert after.advance(Count("s", 6000, 120.0, 90.0))[1] == 1000
    higher = begin(Count("s", 100, 0.0, 10 * DAY))
    assert higher.advance(Count("s", 5000, 60.0, 30.0))[1] == 5000


def test_c16_without_an_uptime_a_counter_that_fell_never_makes_a_jump() -> None:
    meter = begin(Count("s", 2**30, 0.0))
    assert meter.advance(Count("s", 7, 60.0))[1] == 7


@pytest.mark.parametrize(("before", "bits"), [(310_000, None), (2**31 + 10, 64), (3 * 2**30, 64), (2**30 - 1, None)])
def test_c16_a_modem_that_starts_anew_while_its_router_runs_makes_no_jump(before: int, bits: int | None) -> None:
    uptime = 10 * DAY
    meter = begin(Count("s", before, 0.0, uptime, bits=bits))
    assert meter.advance(Count("s", 4000, 60.0, uptime + 60.0, bits=bits))[1] == 4000


def test_c16_an_uptime_that_wraps_after_497_days_is_no_reboot() -> None:
    meter = begin(Count("s", 5 * 2**32, 0.0, 2**32 / 100 - 30.0))
    assert meter.advance(Count("s", 5 * 2**32 + 10, 60.0, 30.0))[1] == 10


def test_a_reading_that_is_not_newer_changes_no_meter() -> None:
    meter = begin(Count("s", 100, 60.0))
    assert meter.advance(Count("s", 900, 60.0)) == (meter, None)


def test_what_a_router_counted_over_the_end_of_a_cycle_is_shared_between_both() -> None:
    track = Track(UTC)
    cycle = MONTH.at(at("2026-03-31T20:00"))
    track.grow(0, at("2026-03-01"), at("2026-03-31T20:00"), cycle)
    track.grow(80 * MB, at("2026-03-31T20:00"), at("2026-04-01T04:00"), MONTH.at(at("2026-04-01T04:00")))
    assert track.closed == Closed(Cycle(at("2026-03-01"), at("2026-04-01")), 40 * MB)
    assert track.used == 40 * MB
    assert track.since is None
    assert days(track, "2026-03-31", 2) == [40, 40]


def test_c22_a_router_that_is_first_read_in_the_middle_of_a_cycle_counts_a_part_of_it() -> None:
    track = Track(UTC)
    track.grow(5, at("2026-03-12"), at("2026-03-12T01:00"), MONTH.at(at("2026-03-12T01:00")))
    assert track.since == at("2026-03-12")
    assert track.used == 5


readings = st.lists(st.tuples(st.integers(1, 5 * 86400), st.integers(-(10**9), 10**10)), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(readings, st.sampled_from([UTC, NEW_YORK, ZoneInfo("Pacific/Apia")]))
def test_whatever_totals_come_no_day_is_negative_and_the_days_of_growth_add_up(
    steps: list[tuple[int, int]], zone: ZoneInfo
) -> None:
    track = Track(zone)
    rule = MonthDay(zone, 15)
    when, used = at("2026-01-15"), 0
    for elapsed, change in steps:
        before = rule.at(when)
        when += elapsed
        used = max(0, used + change) if rule.at(when) == before else max(0, change)
        track.take(Usage(Used(used), when, sim="s", cycle=rule.at(when)), rule.at(when))
        known = [each for each in track.days if each != UNKNOWN]
        assert all(each >= 0 for each in known)
        assert len(track.days) <= KEEP_DAYS
        assert track.used == used
        cycle = rule.at(when)
        assert cycle.start is not None
        first = ordinal(cycle.start, zone)
        # A start of a cycle at midnight: what its days hold is its total, unless a restatement reached beyond them.
        if all(change >= 0 for _, change in steps):
            assert sum(track.day(day) or 0 for day in range(first, track.end)) == used
    assert from_json(json.loads(json.dumps(track.to_json())), zone) == track


@settings(max_examples=200, deadline=None)
@given(readings, st.booleans())
def test_whatever_totals_come_that_name_no_cycle_no_day_is_negative_and_none_is_of_two_cycles(
    steps: list[tuple[int, int]], ruled: bool
) -> None:
    track, when, used = Track(UTC), at("2026-01-01"), 0
    for elapsed, change in steps:
        when += elapsed
        used = max(0, used + change)
        cycle = MONTH.at(when) if ruled else None
        track.take(Usage(Used(used), when, sim="s"), cycle)
        assert all(each >= 0 or each == UNKNOWN for each in track.days)
        assert track.as_of == when
        if track.used is None:
            # It may still be that of the last cycle.
            assert cycle is not None
            assert track.closed is not None
            assert track.closed.used == used
            assert cycle.start is not None
            assert when - cycle.start < 2 * DAY
        else:
            assert track.used == used
    assert from_json(json.loads(json.dumps(track.to_json())), UTC) == track


@given(st.lists(st.tuples(st.integers(-(2**31), 2**33), st.integers(0, 10**6) | st.none()), min_size=2, max_size=20))
def test_whatever_a_router_counts_it_never_takes_back(values: list[tuple[int, int | None]]) -> None:
    meter: Meter | None = None
    for index, (value, uptime) in enumerate(values):
        count = Count("s", value, 60.0 * index, uptime)
        if meter is None:
            meter = begin(count)
            continue
        meter, grown = meter.advance(count)
        assert grown is not None
        assert grown >= 0


def test_days_that_an_older_state_file_has_one_by_one_are_days_all_the_same() -> None:
    track = Track(UTC)
    row(track, 100, "2026-03-01")
    row(track, 120, "2026-03-03")
    first, _, *rest = track.to_json()
    assert from_json([first, [100 * MB, None, 120 * MB], *rest], UTC) == track
