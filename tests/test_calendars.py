"""Calendars and maintenance windows in local time, across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.calendars import holiday_country, is_open, maintained, opens, windows
from yardlight.inventory.models import Calendar, Terminal

LA = ZoneInfo("America/Los_Angeles")
MORNINGS = Calendar.model_validate({"days": "mon-fri", "hours": "04:00-09:00", "holidays": "US"})
ALWAYS = Calendar()
WEEK = 7 * 86400.0

# Zones whose clocks change by an hour, by half an hour, at midnight, across a whole day, and never.
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/Los_Angeles", "Australia/Lord_Howe", "America/Havana", "America/Nuuk", "Pacific/Apia",
        "America/Phoenix", "UTC",
    )
]  # fmt: skip
QUARTERS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)] + ["24:00"]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def calendars() -> st.SearchStrategy[Calendar]:
    hours = st.sets(st.sampled_from(QUARTERS), min_size=2, max_size=2).map(lambda pair: "-".join(sorted(pair)))
    days = st.sets(st.sampled_from(DAYS), min_size=1).map(lambda chosen: ",".join(sorted(chosen)))
    return st.builds(
        lambda days, hours, holidays: Calendar.model_validate({"days": days, "hours": hours, "holidays": holidays}),
        days, hours, st.sampled_from([None, "US", "US-CA"]),
    )  # fmt: skip


# 2011 to 2030: Apia skipped 30 December 2011, and every rule in force today has its changes.
INSTANTS = st.floats(datetime(2011, 1, 1, tzinfo=UTC).timestamp(), datetime(2030, 1, 1, tzinfo=UTC).timestamp())


def local(text: str, zone: ZoneInfo = LA, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-05T03:59:59", False),
        ("2026-01-05T04:00:00", True),
        ("2026-01-05T08:59:59", True),
        ("2026-01-05T09:00:00", False),
        ("2026-01-04T05:00:00", False),
        ("2026-07-03T05:00:00", False),
        ("2026-07-06T05:00:00", True),
    ],
)
def test_a_calendar_is_open_in_its_hours_on_its_days_and_not_on_holidays(moment: str, expected: bool) -> None:
    assert is_open(MORNINGS, local(moment), LA) is expected


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-01-05T03:59:59", "2026-01-05T04:00:00"),
        ("2026-01-05T09:00:00", "2026-01-06T04:00:00"),
        # A Friday after work, before a Monday that is a holiday.
        ("2026-01-16T18:00:00", "2026-01-20T04:00:00"),
        ("2026-01-05T04:00:00", None),
    ],
)
def test_a_closed_calendar_says_when_it_opens_next(moment: str, opening: str | None) -> None:
    assert opens(MORNINGS, local(moment), LA) == (None if opening is None else local(opening))


def test_the_same_instant_is_judged_in_the_zone_of_the_terminal() -> None:
    instant = local("2026-01-05T05:00")
    assert is_open(MORNINGS, instant, LA)
    assert not is_open(MORNINGS, instant, ZoneInfo("Asia/Tokyo"))


def test_holidays_of_a_state_are_known_by_its_code() -> None:
    assert date(2026, 3, 31) in holiday_country("US-CA")
    assert date(2026, 3, 31) not in holiday_country("US")


@pytest.mark.parametrize("code", ["USA-", "ZZ", "us", "US-", "US-ZZ", ""])
def test_a_place_without_known_holidays_is_an_error(code: str) -> None:
    with pytest.raises(ValueError, match="is not a country with known holidays"):
        holiday_country(code)


def test_a_calendar_that_is_always_open_is_one_window() -> None:
    start = local("2026-03-01T12:00")
    found = windows(ALWAYS, start, start + 4 * WEEK, LA)
    assert len(found) == 1
    assert found[0][0] <= start
    assert found[0][1] >= start + 4 * WEEK


def test_the_day_the_clock_goes_forward_has_a_shorter_window() -> None:
    nights = Calendar.model_validate({"hours": "00:00-06:00"})
    assert windows(nights, local("2026-03-08T01:00"), local("2026-03-08T01:00") + 1, LA) == [
        (local("2026-03-08T00:00"), local("2026-03-08T00:00") + 5 * 3600)
    ]


def test_the_day_the_clock_goes_back_has_a_longer_window() -> None:
    nights = Calendar.model_validate({"hours": "00:00-06:00"})
    assert windows(nights, local("2026-11-01T01:00"), local("2026-11-01T01:00") + 1, LA) == [
        (local("2026-11-01T00:00"), local("2026-11-01T00:00") + 7 * 3600)
    ]


def test_a_repeated_hour_opens_and_closes_at_its_first_occurrence() -> None:
    calendar = Calendar.model_validate({"hours": "01:15-01:45"})
    assert is_open(calendar, local("2026-11-01T01:30"), LA)
    assert not is_open(calendar, local("2026-11-01T01:30", fold=1), LA)


def test_a_skipped_hour_opens_an_hour_later_by_the_new_clock() -> None:
    calendar = Calendar.model_validate({"hours": "02:15-02:45"})
    assert windows(calendar, local("2026-03-08T00:00"), local("2026-03-09T00:00"), LA) == [
        (local("2026-03-08T03:15"), local("2026-03-08T03:45"))
    ]


def test_a_window_that_a_skipped_hour_moves_past_midnight_is_open_there() -> None:
    nuuk = ZoneInfo("America/Nuuk")
    calendar = Calendar.model_validate({"days": "sat", "hours": "23:15-23:45"})
    assert is_open(calendar, local("2024-03-31T00:30", nuuk), nuuk)
    assert not is_open(calendar, local("2024-03-31T00:50", nuuk), nuuk)


@given(calendars(), INSTANTS, st.sampled_from(ZONES))
def test_a_calendar_is_open_exactly_inside_its_windows(calendar: Calendar, instant: float, zone: ZoneInfo) -> None:
    inside = any(opening <= instant < closing for opening, closing in windows(calendar, instant, instant + 1e-3, zone))
    assert is_open(calendar, instant, zone) is inside


@given(calendars(), INSTANTS, st.sampled_from(ZONES))
def test_windows_are_sorted_apart_and_open_from_their_first_instant_to_before_their_last(
    calendar: Calendar, start: float, zone: ZoneInfo
) -> None:
    found = windows(calendar, start, start + WEEK, zone)
    edges = [edge for window in found for edge in window]
    assert edges == sorted(edges)
    assert len(set(edges)) == len(edges)
    for opening, closing in found:
        assert is_open(calendar, opening, zone)
        assert is_open(calendar, closing - 1, zone)
        assert closing <= start or opening >= start + WEEK or (opening < start + WEEK and closing > start)


@given(calendars(), INSTANTS, st.sampled_from(ZONES))
def test_just_outside_a_window_the_calendar_is_closed(calendar: Calendar, start: float, zone: ZoneInfo) -> None:
    for opening, closing in windows(calendar, start, start + WEEK, zone):
        if opening >= start:
            assert not is_open(calendar, opening - 1, zone)
        if closing < start + WEEK:
            assert not is_open(calendar, closing, zone)


@given(calendars(), INSTANTS, st.sampled_from(ZONES))
def test_away_from_clock_changes_open_means_what_the_wall_clock_says(
    calendar: Calendar, instant: float, zone: ZoneInfo
) -> None:
    here = datetime.fromtimestamp(instant, zone)
    offsets = {datetime.fromtimestamp(instant + days * 86400, zone).utcoffset() for days in (-2, -1, 0, 1, 2)}
    if len(offsets) > 1:
        return
    opens, closes = calendar.hours
    holiday = calendar.holidays is not None and here.date() in holiday_country(calendar.holidays)
    in_hours = opens <= here.time() and (here.time() < closes or closes == time.max)
    assert is_open(calendar, instant, zone) is (here.weekday() in calendar.days and not holiday and in_hours)


TERMINAL = Terminal.model_validate(
    {
        "name": "fontana",
        "timezone": "America/Los_Angeles",
        "uplinks": {name: {"name": name, "role": role, "medium": name} for name, role in
                    (("fiber", "primary"), ("lte", "standby"))},
        "maintenance": [
            {"uplink": "fiber", "from": "2026-02-03T22:00", "to": "2026-02-04T04:00", "why": "ISP window"},
            {"uplink": "fiber", "from": "2026-10-31T22:00", "to": "2026-11-01T04:00", "why": "over a clock change"},
            {"uplink": "lte", "from": "2026-02-04T03:00", "to": "2026-02-04T05:00", "why": "new SIM"},
        ],
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("moment", "uplinks"),
    [
        ("2026-02-03T21:59:59", set()),
        ("2026-02-03T22:00:00", {"fiber"}),
        ("2026-02-04T03:30:00", {"fiber", "lte"}),
        ("2026-02-04T04:00:00", {"lte"}),
        ("2026-02-04T05:00:00", set()),
    ],
)
def test_a_maintenance_window_is_in_the_local_time_of_its_terminal(moment: str, uplinks: set[str]) -> None:
    assert maintained(TERMINAL, local(moment)) == uplinks


def test_a_maintenance_window_over_a_clock_change_lasts_as_long_as_the_clock_shows() -> None:
    start = local("2026-10-31T22:00")
    hours = [hour for hour in range(12) if maintained(TERMINAL, start + timedelta(hours=hour).total_seconds())]
    assert hours == [0, 1, 2, 3, 4, 5, 6]
