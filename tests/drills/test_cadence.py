"""Quarters are the calendar's, in the terminal's own time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from yardlight.drills import cadence

LA = ZoneInfo("America/Los_Angeles")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=LA).timestamp()


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-01-01T00:00", "2026-01-01", "2026-04-01"),
        ("2026-03-31T23:59", "2026-01-01", "2026-04-01"),
        ("2026-12-31T23:59", "2026-10-01", "2027-01-01"),
    ],
)
def test_a_quarter_begins_and_ends_at_local_midnight(moment: str, start: str, end: str) -> None:
    assert cadence.quarter(at(moment), LA) == (at(start), at(end))


def test_a_terminal_that_never_passed_has_until_the_end_of_the_quarter_in_which_it_became_known() -> None:
    assert cadence.due(at("2026-02-20"), None, LA) == at("2026-04-01")


def test_after_a_pass_the_next_one_is_due_at_the_end_of_the_next_quarter() -> None:
    assert cadence.due(at("2020-01-01"), at("2026-02-20"), LA) == at("2026-07-01")
    assert cadence.due(at("2020-01-01"), at("2026-11-20"), LA) == at("2027-04-01")


def test_a_quarter_has_a_name() -> None:
    assert cadence.name(at("2026-12-31T23:00"), LA) == "2026-Q4"
