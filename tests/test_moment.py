"""Every documented way to write an instant, and every spelling of "never"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.moment import NEVER, Moment, latest, moment

LA = ZoneInfo("America/Los_Angeles")


def at(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-01-05T08:15:00Z", at(2026, 1, 5, 8, 15)),
        ("2026-01-05T08:15:00.1Z", at(2026, 1, 5, 8, 15) + 0.1),
        ("2026-01-05T08:15:00.1234567Z", at(2026, 1, 5, 8, 15) + 0.1234567),
        ("2026-01-05T08:15:00.123456789012Z", at(2026, 1, 5, 8, 15) + 0.123456789012),
        ("2026-01-05 08:15:00.961496+00:00", at(2026, 1, 5, 8, 15) + 0.961496),
        ("2026-01-05T08:15:00.339+0000", at(2026, 1, 5, 8, 15) + 0.339),
        ("2026-01-05T00:15:00-08:00", at(2026, 1, 5, 8, 15)),
        ("2026-01-05T08:15Z", at(2026, 1, 5, 8, 15)),
        ("2026-01-05 00:15:00", at(2026, 1, 5, 8, 15)),
        ("2026-01-05", at(2026, 1, 5, 8)),
        ("10/27/2023 3:05:53 PM", at(2023, 10, 27, 22, 5, 53)),
        ("1/5/2026 12:15 AM", at(2026, 1, 5, 8, 15)),
        ("1/5/2026", at(2026, 1, 5, 8)),
        (1767600900, at(2026, 1, 5, 8, 15)),
        ("1767600900", at(2026, 1, 5, 8, 15)),
        (1767600900123, at(2026, 1, 5, 8, 15) + 0.123),
        ("1767600900123", at(2026, 1, 5, 8, 15) + 0.123),
        (1767600900123456, at(2026, 1, 5, 8, 15) + 0.123456),
        ("1767600900123456789", at(2026, 1, 5, 8, 15) + 0.123456),
    ],
)
def test_an_instant_is_read_in_every_form(raw: Any, expected: float) -> None:
    found = moment(raw, LA)
    assert isinstance(found, float)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("0001-01-01T00:00:00Z", NEVER),
        ("0001-01-01T00:00:00.0000000", NEVER),
        ("1601-01-01T00:00:00Z", NEVER),
        ("1900-01-01T00:00:00Z", NEVER),
        ("1970-01-01T00:00:00Z", NEVER),
        ("1/1/0001 12:00:00 AM", NEVER),
        (0, NEVER),
        ("0", NEVER),
        ("9999-12-31T23:59:59.9999999Z", None),
        (10**400, None),
        (253402300799000, None),
        (639031977001234567, None),
        ("2050-01-01T00:00:00.000Z", None),
        ("", None),
        (None, None),
        ({}, None),
        ([], None),
        (True, None),
        ("n/a", None),
        ("2026-13-45T00:00:00Z", None),
        ("2026-01-05T08:15:00+99:99", None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_never_is_not_an_age_and_what_cannot_be_is_unknown(raw: Any, expected: Moment) -> None:
    assert moment(raw, LA) == expected


def test_a_time_without_a_zone_that_happens_twice_is_its_first_occurrence() -> None:
    assert moment("2026-11-01 01:30:00", LA) == at(2026, 11, 1, 8, 30)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.text()), st.binary()))
def test_nothing_that_a_vendor_sends_is_more_than_an_instant_never_or_unknown(raw: Any) -> None:
    found = moment(raw, LA)
    assert found in (NEVER, None) or (isinstance(found, float) and at(2000, 1, 1) <= found < at(2050, 1, 1))


@given(st.datetimes(datetime(2000, 1, 2), datetime(2049, 12, 30)), st.sampled_from(["", "Z", "+00:00", "+0000"]))
def test_what_is_written_is_what_is_read(local: datetime, zone: str) -> None:
    found = moment(f"{local.isoformat()}{zone}", ZoneInfo("UTC"))
    assert found == pytest.approx(local.replace(tzinfo=UTC).timestamp(), abs=1e-5)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [((), None), ((NEVER, 5.0, None, 3.0), 5.0), ((NEVER, NEVER), NEVER), ((NEVER, None), None), ((None,), None)],
)
def test_the_latest_is_never_only_where_all_say_so(moments: tuple[Moment, ...], expected: Moment) -> None:
    assert latest(*moments) == expected


def test_a_local_time_that_comes_twice_is_the_second_one_once_that_can_be() -> None:
    new_york = ZoneInfo("America/New_York")
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC).timestamp()
    for raw in ("2026-11-01 01:30:00", "11/01/2026 1:30:00 AM"):
        assert moment(raw, new_york) == first
        assert moment(raw, new_york, by=first + 1800) == first
        assert moment(raw, new_york, by=first + 3600) == first + 3600
    assert moment("2026-11-01T01:30:00-04:00", new_york, by=first + 7200) == first
    # One that is skipped comes once.
    assert moment("2026-03-08 02:30:00", new_york, by=first) == moment("2026-03-08 02:30:00", new_york)
