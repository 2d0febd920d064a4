"""Cases over time: found, fixed, explained, kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.living import DAY, HOUR
from yardlight import journal
from yardlight.feeds import cases
from yardlight.feeds.cases import Case, Explanation
from yardlight.feeds.duty import Line
from yardlight.feeds.homes import Homes
from yardlight.feeds.hos import Judged, Mismatch, Unassigned

HOMES = Homes(zone="UTC", drivers={"ann": "America/Denver"})
NOON = 100.5 * DAY
MISMATCH = Mismatch("ann", "T1", date(1970, 4, 11), ((NOON, NOON + HOUR),))
ALONE = Unassigned("T2", date(1970, 4, 11), ((NOON, NOON + 2 * HOUR),))


def found(*mismatches: Mismatch, unassigned: tuple[Unassigned, ...] = ()) -> Judged:
    return Judged(mismatches, unassigned, NOON + DAY)


def revised(
    before: dict[str, Case],
    judged: Judged,
    begin: float = 0.0,
    now: float = NOON + 3 * DAY,
    log: tuple[Line, ...] = (),
) -> dict[str, Case]:
    return cases.revised(before, judged, HOMES, log, begin, now)


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


def test_what_looks_new_because_its_beginning_was_forgotten_is_no_case() -> None:
    assert revised({}, found(MISMATCH, unassigned=(ALONE,)), begin=NOON + 1) == {}
    assert len(revised({}, found(MISMATCH, unassigned=(ALONE,)), begin=NOON)) == 2


def test_whom_a_case_is_held_against_stays_while_it_is_found() -> None:
    first = revised({}, found(MISMATCH))
    bob, nobody = replace(MISMATCH, driver="bob"), Unassigned(MISMATCH.truck, MISMATCH.day, MISMATCH.times)
    for again in (found(bob), found(unassigned=(nobody,))):
        assert revised(first, again, now=NOON + 4 * DAY) == first
    later = Unassigned(MISMATCH.truck, MISMATCH.day, ((NOON + 50 * 60, NOON + 3 * HOUR),))
    assert len(revised(first, found(unassigned=(later,)), now=NOON + 4 * DAY)) == 2
    alone = revised({}, found(unassigned=(nobody,)))
    assert {case.kind for case in revised(alone, found(bob)).values() if case.fixed is None} == {"mismatch"}


def test_a_driver_whose_log_was_put_on_another_truck_is_cleared_though_the_movement_is_still_found() -> None:
    first = revised({}, found(MISMATCH))
    nobody = Unassigned(MISMATCH.truck, MISMATCH.day, MISMATCH.times)
    log = (Line("ann", "off_duty", (NOON - HOUR, NOON + 2 * HOUR), "T9"),)
    after = revised(first, found(unassigned=(nobody,)), now=NOON + 4 * DAY, log=log)
    assert {(case.kind, cases.state_of(case, {})) for case in after.values()} == {
        ("mismatch", "fixed"), ("unassigned", "open")
    }  # fmt: skip


def test_a_truck_that_is_put_into_another_place_is_no_case() -> None:
    assert revised({}, found(unassigned=(Unassigned("T2", ALONE.day, ((NOON, NOON + 30),)),))) == {}


def test_a_case_says_whose_clock_its_day_is_of_and_by_whose_log_it_was_fixed() -> None:
    known = revised({}, found(MISMATCH, unassigned=(ALONE,)))
    assert {case.kind: case.zone for case in known.values()} == {"mismatch": "America/Denver", "unassigned": "UTC"}
    log = (
        Line("ann", "personal", (NOON, NOON + HOUR), "T1"),
        Line("bob", "off_duty", (NOON, NOON + HOUR), "T1"),
        Line("cleo", "driving", (NOON + HOUR, NOON + 2 * HOUR), "T1"),
        Line("bob", "driving", (NOON - HOUR, NOON + 3 * HOUR), "T2"),
        Line("", "driving", (NOON, NOON + HOUR), "T2"),
    )
    fixed = revised(known, found(), log=log)
    assert {case.kind: case.mended for case in fixed.values()} == {
        "mismatch": "ann: personal",
        "unassigned": "bob: driving",
    }
    # Nobody corrected anything: somebody made the limits wider.
    assert {case.mended for case in revised(known, found()).values()} == {""}


def test_a_driver_who_is_at_home_elsewhere_now_has_corrected_nothing() -> None:
    first = revised({}, found(MISMATCH))
    moved = replace(MISMATCH, day=date(1970, 4, 12))
    later = only(revised(first, found(moved), now=NOON + 4 * DAY))
    assert (later.day, later.fixed) == ("1970-04-12", None)


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
