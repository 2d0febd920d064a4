"""Cases over time: found, fixed, explained, kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.living import DAY, HOUR
from yardlight import journal
from yardlight.feeds import cases
from yardlight.feeds.cases import Case, Explanation
from yardlight.feeds.hos import Judged, Mismatch, Unassigned

UTC = ZoneInfo("UTC")
NOON = 100.5 * DAY
MISMATCH = Mismatch("ann", "T1", date(1970, 4, 11), ((NOON, NOON + HOUR),))
ALONE = Unassigned("T2", ((NOON, NOON + 2 * HOUR),))


def found(*mismatches: Mismatch, unassigned: tuple[Unassigned, ...] = ()) -> Judged:
    return Judged(mismatches, unassigned, NOON + DAY)


def revised(
    before: dict[str, Case], judged: Judged, begin: float = 0.0, now: float = NOON + 3 * DAY
) -> dict[str, Case]:
    return cases.revised(before, judged, begin, UTC, now)


def only(known: dict[str, Case]) -> Case:
    [case] = known.values()
    return case


def test_what_is_judged_again_stays_one_case_that_was_found_when_it_was_first() -> None:
    first = revised({}, found(MISMATCH))
    later = only(revised(first, found(MISMATCH), now=NOON + 4 * DAY))
    assert later == only(first)
    assert (later.found, later.seconds, cases.state_of(later, {})) == (NOON + 3 * DAY, HOUR, "open")


def test_what_is_not_found_again_was_corrected_and_may_come_back() -> None:
    fixed = revised(revised({}, found(MISMATCH)), found(), now=NOON + 4 * DAY)
    assert only(fixed).fixed == NOON + 4 * DAY
    assert cases.state_of(only(fixed), {}) == "fixed"
    assert only(revised(fixed, found(), now=NOON + 5 * DAY)).fixed == NOON + 4 * DAY
    assert cases.state_of(only(revised(fixed, found(MISMATCH))), {}) == "open"


def test_a_case_of_which_not_all_is_judged_any_more_stays_as_it_is() -> None:
    first = revised({}, found(MISMATCH))
    half = Mismatch("ann", "T1", MISMATCH.day, ((NOON + HOUR / 2, NOON + HOUR),))
    assert revised(first, found(half), begin=NOON + HOUR / 2) == first
    assert revised(first, found(), begin=NOON + HOUR / 2) == first


def test_a_trip_over_midnight_with_nobody_logged_in_is_a_case_of_each_day() -> None:
    trip = Unassigned("T2", ((NOON + 11 * HOUR, NOON + 14 * HOUR),))
    known = revised({}, found(unassigned=(trip,)))
    assert sorted((case.day, case.seconds) for case in known.values()) == [
        ("1970-04-11", HOUR),
        ("1970-04-12", 2 * HOUR),
    ]
    moved = Unassigned("T2", ((NOON, NOON + 30),))
    assert revised({}, found(unassigned=(moved,))) == {}


def test_unassigned_time_counts_until_it_is_explained() -> None:
    known = revised({}, found(MISMATCH, unassigned=(ALONE,)))
    week = (NOON + HOUR, NOON + 7 * DAY)
    assert cases.unassigned(known.values(), {}, week) == {"T2": HOUR}
    [number] = [number for number, case in known.items() if case.kind == "unassigned"]
    assert cases.unassigned(known.values(), {number: Explanation("dana", "a tow", NOON)}, week) == {}


def test_closed_cases_are_kept_for_longer_than_an_audit_looks_back_and_open_ones_for_ever() -> None:
    fixed = revised(revised({}, found(MISMATCH)), found())
    assert cases.kept(fixed, {}, date(1971, 4, 11)) == fixed
    assert cases.kept(fixed, {}, date(1972, 4, 11)) == {}
    still = revised({}, found(MISMATCH))
    assert cases.kept(still, {}, date(1990, 1, 1)) == still


def test_explanations_of_a_journal_that_was_edited_count_for_nothing_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = cases.file_of(tmp_path, "inland")
    assert cases.explanations(file) == {}
    journal.note(file, cases.EXPLAINED, case="ab", by="dana", because="a tow")
    journal.note(file, cases.EXPLAINED, case="ab", by="sam", because="a ferry")
    assert [(each.by, each.because) for each in cases.explanations(file).values()] == [("sam", "a ferry")]
    # Somebody writes a line just now.
    file.write_bytes(whole := file.read_bytes() + b'{"at": 1')
    assert list(cases.explanations(file)) == ["ab"]
    file.write_bytes(whole.replace(b"dana", b"kate"))
    assert cases.explanations(file) == {}
    assert "explanations of cases are not used" in caplog.text


def test_cases_are_the_same_after_a_restart() -> None:
    known = revised({}, found(MISMATCH, unassigned=(ALONE,)))
    written = [{**{name: getattr(case, name) for name in case.__slots__}, "times": [list(each) for each in case.times]}
               for case in known.values()]  # fmt: skip
    assert cases.recalled(written) == known
