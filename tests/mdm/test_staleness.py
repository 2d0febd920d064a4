"""Silence is counted in hours of duty, as of the collection."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.calendars import windows
from yardlight.inventory.models import Calendar
from yardlight.mdm.staleness import LOOKS_BACK, Duty, Limits, State, older_than, state
from yardlight.moment import NEVER, Moment

LA = ZoneInfo("America/Los_Angeles")
WEEKDAYS = Calendar.model_validate({"days": "mon-fri", "hours": "05:00-20:00"})
DAY = Limits(86400.0, 3 * 86400.0)


def local(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=LA).timestamp()


def duty(now: str, calendar: Calendar | None = WEEKDAYS) -> Duty:
    return Duty(calendar, LA, local(now))


@pytest.mark.parametrize(
    ("since", "now", "hours"),
    [
        ("2026-01-09T18:00", "2026-01-12T05:00", 2.0),  # Friday evening to Monday morning
        ("2026-01-09T18:00", "2026-01-12T06:30", 3.5),
        ("2026-01-10T12:00", "2026-01-11T12:00", 0.0),  # a weekend
        ("2026-01-07T12:00", "2026-01-07T13:00", 1.0),
        ("2026-01-06T12:00", "2026-01-07T12:00", 15.0),
        ("2026-03-06T12:00", "2026-03-09T12:00", 15.0),  # over the change to summer time
        ("2026-01-07T13:00", "2026-01-07T12:00", 0.0),  # in the future
    ],
)
def test_only_hours_of_duty_count(since: str, now: str, hours: float) -> None:
    assert duty(now).since(local(since)) / 3600 == pytest.approx(hours)


def test_without_a_calendar_every_hour_counts() -> None:
    assert duty("2026-01-12T05:00", None).since(local("2026-01-09T18:00")) / 3600 == pytest.approx(59.0)


@given(st.floats(0, 100 * 86400.0), st.floats(0, 100 * 86400.0))
def test_duty_adds_up_as_the_calendar_says(first: float, more: float) -> None:
    now = local("2026-06-10T14:00")
    since = now - min(first, LOOKS_BACK)
    truth = sum(max(0.0, min(end, now) - max(start, since)) for start, end in windows(WEEKDAYS, since, now, LA))
    assert Duty(WEEKDAYS, LA, now).since(since) == pytest.approx(truth, abs=1e-3)
    assert Duty(WEEKDAYS, LA, now).since(since - more) >= truth - 1e-3


@given(st.floats(0, 20 * 86400.0), st.integers(0, 90))
def test_who_fell_silent_by_the_instant_that_is_told_is_stale_and_who_did_later_is_not(
    later: float, hours: int
) -> None:
    now = Duty(WEEKDAYS, LA, local("2026-06-10T14:00") + later)
    before = now.before(hours * 3600.0)
    assert before is not None
    assert now.since(before) == pytest.approx(hours * 3600.0, abs=1e-3)
    assert hours == 0 or now.since(before + 1.0) < hours * 3600.0 - 0.5


def test_hours_that_nobody_has_looked_back_for_have_no_such_instant() -> None:
    assert duty("2026-01-07T12:00").before(LOOKS_BACK) is None


@pytest.mark.parametrize(
    ("checkin", "now", "works", "expected"),
    [
        ("2026-01-07T10:00", "2026-01-07T12:00", True, "fresh"),
        ("2026-01-05T11:00", "2026-01-07T11:00", True, "stale"),  # 30 hours of duty
        ("2026-01-06T12:00", "2026-01-07T11:00", True, "fresh"),  # 23 hours, 14 of them on duty
        ("2026-01-06T10:00", "2026-01-07T11:00", True, "expected_silent"),  # 25 hours, 16 of them on duty
        ("2025-12-01T10:00", "2026-01-07T11:00", True, "dark"),
        ("2025-12-01T10:00", "2026-01-07T11:00", False, "expected_silent"),
        ("2026-01-07T10:00", "2026-01-07T11:00", False, "fresh"),
        ("2026-01-07T14:00", "2026-01-07T12:00", True, "fresh"),  # its clock is ahead
    ],
)
def test_a_device_stands_as_its_silence_on_duty_says(checkin: str, now: str, works: bool, expected: State) -> None:
    assert state(local(checkin), duty(now), DAY, works) == expected


@pytest.mark.parametrize("now", ["2026-01-09T20:01", "2026-01-10T12:00", "2026-01-12T04:59", "2026-01-12T05:01"])
def test_m09_m10_a_fleet_parked_over_the_weekend_is_expected_to_be_silent_also_on_monday_morning(now: str) -> None:
    found = state(local("2026-01-09T18:00"), duty(now), DAY, True)
    assert found in ("fresh", "expected_silent")
    assert (found == "expected_silent") is (local(now) - local("2026-01-09T18:00") >= 86400)


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_m22_no_device_changes_state_in_a_night_in_which_clocks_change(day: str) -> None:
    nightly = Calendar.model_validate({"hours": "00:00-06:00"})
    now = datetime.fromisoformat(f"{day}T05:59").replace(tzinfo=LA).timestamp()
    assert state(now - 5 * 3600, Duty(nightly, LA, now), DAY, True) == "fresh"


@pytest.mark.parametrize(("checkin", "expected"), [(NEVER, "never"), (None, "unknown")])
def test_m14_never_and_unknown_are_no_ages(checkin: Moment, expected: State) -> None:
    assert state(checkin, duty("2026-01-07T12:00"), DAY, True) == expected


def test_the_hours_that_are_open_now_began_when_they_opened() -> None:
    assert duty("2026-01-07T12:00").opened == local("2026-01-07T05:00")
    assert duty("2026-01-07T21:00").opened is None
    assert duty("2026-01-10T12:00").opened is None


def test_ages_are_counted_cumulatively() -> None:
    assert older_than([10.0, 50.0, 90.0], 100.0, [0, 10, 50, 90, 91]) == {0: 3, 10: 3, 50: 2, 90: 1, 91: 0}
