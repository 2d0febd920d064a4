"""Cycles: exact ends in every zone, and no instant in none of them or in two."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yardlight.cellular.cycle import UTC, Cycle, EveryDays, Lifetime, MonthDay, MonthEnd, Rule, ending

# Both halves of the world, half hours, a date line that moved, skipped midnights, clock changes of 30 minutes.
ZONES = (
    "UTC", "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Europe/Berlin", "Asia/Kolkata",
    "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "America/St_Johns",
)  # fmt: skip
FIRST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LAST = datetime(2100, 1, 1, tzinfo=UTC).timestamp()

instants = st.floats(FIRST, LAST) | st.integers(int(FIRST), int(LAST)).map(float)
zones = st.sampled_from(ZONES).map(ZoneInfo)
month_days = st.builds(MonthDay, zones, st.integers(1, 31))
month_ends = st.builds(MonthEnd, instants, zones)
every_days = st.builds(EveryDays, instants, st.integers(1, 400), zones)


def moment(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@settings(max_examples=400, deadline=None)
@given(month_days | month_ends | every_days, instants)
def test_every_instant_is_in_exactly_one_cycle_and_cycles_follow_each_other(rule: Rule, at: float) -> None:
    cycle = rule.at(at)
    if cycle is None:
        assert isinstance(rule, EveryDays)
        assert at < rule.activated
        return
    assert cycle.start is not None
    assert cycle.end is not None
    assert cycle.start <= at < cycle.end
    assert rule.at(cycle.start) == cycle
    following = rule.at(cycle.end)
    assert following is not None
    assert following.start == cycle.end
    middle = (cycle.start + cycle.end) / 2
    assert rule.at(middle) == cycle
    if not isinstance(rule, EveryDays) or cycle.start > rule.activated:
        before = rule.at(cycle.start - 0.001)
        assert before is not None
        assert before.end == cycle.start


@settings(max_examples=200, deadline=None)
@given(month_days, instants)
def test_a_monthly_cycle_begins_on_its_day_or_on_the_last_one_of_a_short_month(rule: MonthDay, at: float) -> None:
    cycle = rule.at(at)
    assert cycle.start is not None
    # A midnight that a clock change skips is read with the offset from before: an hour later, or a day in Apia.
    began = datetime.fromtimestamp(cycle.start, rule.zone)
    following = datetime.fromtimestamp(cycle.start + 2 * 86400.0, rule.zone)
    skipped = began.hour != 0 or (rule.zone.key == "Pacific/Apia" and began.year == 2011)
    assert began.day == rule.day or following.day <= 3 or skipped


@settings(max_examples=200, deadline=None)
@given(every_days, instants)
def test_a_cycle_of_days_is_as_long_as_it_says_on_the_calendar(rule: EveryDays, at: float) -> None:
    cycle = rule.at(at)
    if cycle is None or cycle.start is None or cycle.end is None:
        return
    days = (cycle.end - cycle.start) / 86400.0
    # A clock change moves an end; Apia lost a day.
    assert abs(days - rule.days) <= (1.1 if rule.zone.key == "Pacific/Apia" else 0.05)


def test_c08_day_31_ends_with_february_and_in_the_accounts_zone_not_the_terminals() -> None:
    rule = MonthDay(ZoneInfo("America/New_York"), 31)
    assert rule.at(moment("2026-02-10T12:00")) == Cycle(
        moment("2026-01-31T00:00", "America/New_York"), moment("2026-02-28T00:00", "America/New_York")
    )
    assert rule.at(moment("2026-02-27T23:30", "America/New_York")).end == moment("2026-02-28T05:00")
    # At 21:30 in Los Angeles the account in New York is in its next cycle.
    assert rule.at(moment("2026-02-27T21:30", "America/Los_Angeles")).start == moment("2026-02-28T05:00")
    assert rule.at(moment("2028-02-29T12:00")).start == moment("2028-02-29T05:00")


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("America/New_York", "2026-03-08T05:00", "2026-04-08T04:00", 31 * 24 - 1),
        ("America/New_York", "2026-10-08T04:00", "2026-11-08T05:00", 31 * 24 + 1),
        ("Australia/Lord_Howe", "2026-03-07T13:00", "2026-04-07T13:30", 31 * 24 + 0.5),
    ],
)
def test_c08_a_dst_night_makes_the_cycle_shorter_or_longer(zone: str, start: str, end: str, hours: float) -> None:
    cycle = MonthDay(ZoneInfo(zone), 8).at(moment(start))
    assert cycle == Cycle(moment(start), moment(end))
    assert cycle.end is not None
    assert cycle.start is not None
    assert cycle.end - cycle.start == hours * 3600


def test_c08_a_midnight_that_the_clock_change_skips_is_an_hour_later() -> None:
    assert MonthDay(ZoneInfo("Asia/Beirut"), 29).at(moment("2026-04-01T00:00")).start == moment("2026-03-28T22:00")


def test_c09_thirty_days_from_activation_keep_the_time_of_the_day() -> None:
    rule = EveryDays(moment("2026-02-20T15:30", "America/New_York"), 30, ZoneInfo("America/New_York"))
    assert rule.at(moment("2026-03-01T00:00")) == Cycle(
        moment("2026-02-20T15:30", "America/New_York"), moment("2026-03-22T15:30", "America/New_York")
    )


def test_the_cycle_of_a_sim_that_will_be_activated_is_not_known() -> None:
    assert EveryDays(1000.0).at(999.0) is None
    assert Lifetime(1000.0).at(999.0) is None


def test_c10_a_lifetime_plan_has_no_end() -> None:
    assert Lifetime(1000.0).at(5000.0) == Cycle(1000.0, None)
    assert Lifetime().at(5000.0) == Cycle(None, None)


@pytest.mark.parametrize("end", [1000.0, 999.0])
def test_a_cycle_that_ends_before_it_starts_is_refused(end: float) -> None:
    with pytest.raises(ValueError, match="a cycle that ends before it starts"):
        Cycle(1000.0, end)


@pytest.mark.parametrize("day", [0, 32])
def test_a_day_that_no_month_has_is_refused(day: int) -> None:
    with pytest.raises(ValueError, match="is not a day of a month; write 1 to 31"):
        MonthDay(UTC, day)


def test_a_cycle_of_which_only_the_end_is_named_starts_where_the_one_before_ended() -> None:
    day = 86400.0
    assert ending(30 * day, None) == Cycle(None, 30 * day)
    assert ending(60 * day, Cycle(None, 30 * day)) == Cycle(30 * day, 60 * day)
    assert ending(60 * day, Cycle(30 * day, 60 * day)) == Cycle(30 * day, 60 * day)
    assert ending(90 * day, Cycle(None, 30 * day)) == Cycle(None, 90 * day)


def test_a_cycle_is_the_same_when_only_its_end_moved_or_its_start_is_not_said() -> None:
    assert Cycle(10.0, 20.0).same(Cycle(10.0, 25.0))
    assert Cycle(None, 20.0).same(Cycle(10.0, 20.0))
    assert not Cycle(10.0, 20.0).same(Cycle(20.0, 30.0))


def test_a_cycle_is_before_another_if_it_is_over_when_that_begins_or_ends_first() -> None:
    march, april = Cycle(0.0, 31.0), Cycle(31.0, 61.0)
    assert march.before(april)
    assert march.before(Cycle(None, 61.0))
    assert Cycle(None, 31.0).before(april)
    assert not april.before(march)
    assert not march.before(march)
    assert not march.before(Cycle(0.0, 32.0))
    assert not march.before(Cycle(None, None))
    assert not Cycle(0.0, None).before(april)


def test_an_open_cycle_has_every_instant_that_its_known_end_allows() -> None:
    assert Cycle(None, 20.0).has(5.0)
    assert not Cycle(None, 20.0).has(20.0)
    assert Cycle(10.0, None).has(10.0)
    assert not Cycle(10.0, None).has(9.0)


def test_the_end_that_a_vendor_names_is_exact_and_begins_the_next_cycle() -> None:
    end = datetime(2026, 12, 8, 20, tzinfo=ZoneInfo("America/New_York")).timestamp()
    rule = MonthEnd(end, ZoneInfo("America/New_York"))
    assert rule.at(end - 1) == Cycle(datetime(2026, 11, 8, 20, tzinfo=ZoneInfo("America/New_York")).timestamp(), end)
    assert rule.at(end).start == end
