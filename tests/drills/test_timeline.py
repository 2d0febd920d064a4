"""Instants from what several witnesses leave of an interval."""

from __future__ import annotations

import pytest

from yardlight.drills.findings import turned
from yardlight.drills.timeline import Act, Seen, Told, round_of
from yardlight.facts import EventFact, TerminalFacts


def event(kind: str, uplink: str, start: float, end: float, error: float = 0.4, since: float | None = None,
          **detail: object) -> EventFact:  # fmt: skip
    known = {} if since is None else {"since": since}
    return EventFact(kind=kind, uplink=uplink, start=start, end=end, detail={"error": error, **known, **detail})


EVENTS = [
    event("uplink_gap", "fiber", 100.1, 160.2, error=0.4, since=99.9),
    event("failover", "lte", 100.2, 112.0, error=0.4, since=100.0),
    event("failover", "fiber", 171.0, 171.5, error=0.2, since=170.9),
]


def test_what_the_action_says_narrows_what_the_probes_saw() -> None:
    found = round_of(Seen(1, "fiber", 99.0, 300.0, Act(100.0, 100.1, False), Act(160.0, 160.1, False), EVENTS))
    cut, back = found.instants["t0"], found.instants["t6"]
    assert (cut.at, cut.error) == (pytest.approx(100.05), pytest.approx(0.05))
    assert cut.source == "the action and fiber's own probes"
    assert (back.at, back.error) == (pytest.approx(160.05), pytest.approx(0.05))


def test_by_hand_the_probes_alone_say_when_and_no_press_does() -> None:
    found = round_of(Seen(1, "fiber", 99.0, 300.0, Act(104.0, 104.0, True), Act(165.0, 165.0, True), EVENTS))
    assert (found.instants["t0"].at, found.instants["t0"].error) == (pytest.approx(100.1), pytest.approx(0.2))
    assert (found.instants["t6"].at, found.instants["t6"].error) == (pytest.approx(160.2), pytest.approx(0.2))


def test_where_action_and_probes_contradict_each_other_the_probes_are_believed() -> None:
    found = round_of(Seen(1, "fiber", 90.0, 300.0, Act(90.0, 90.1, False), None, EVENTS))
    assert found.instants["t0"].at == pytest.approx(100.1)
    assert found.instants["t0"].source == "fiber's own probes"


def test_the_switch_there_and_back_and_the_calm_after_it() -> None:
    later = [*EVENTS, event("gap", "fiber", 180.0, 182.0)]
    found = round_of(Seen(1, "fiber", 99.0, 300.0, Act(100.0, 100.1, False), None, later, quiet_until=240.0))
    assert found.instants["t1"].at == pytest.approx(100.2)
    assert found.instants["t3"].at == pytest.approx(112.0)
    assert found.instants["t7"].at == pytest.approx(171.5)
    assert found.instants["t8"].at == pytest.approx(182.0), "a disturbance after the failback"
    assert (found.disturbances, found.quiet) == (1, pytest.approx(58.0))
    assert found.gap is not None
    assert found.gap.at == pytest.approx(11.8)


def test_nothing_is_said_about_what_nobody_saw() -> None:
    found = round_of(Seen(1, "fiber", 99.0, 300.0, Act(100.0, 100.1, True), None, []))
    assert found.instants == {}
    moved = event("failover", "lte", 100.0, 112.0, measured=False)
    assert "t3" not in round_of(Seen(1, "fiber", 99.0, 300.0, None, None, [moved])).instants


def test_the_first_alert_under_test_and_its_first_notification_count() -> None:
    told = [Told("UplinkDown", 130.0, None), Told("TerminalOnStandby", 120.0, 123.0)]
    found = round_of(Seen(1, "fiber", 99.0, 300.0, None, None, EVENTS, told))
    assert (found.instants["t4"].at, found.instants["t5"].at) == (120.0, 123.0)


def test_the_routers_word_changed_between_two_of_its_answers_whenever_we_looked() -> None:
    def said(at: float, claimed: str | None, claimed_at: float | None) -> TerminalFacts:
        return TerminalFacts(at=at, state="dark", claimed=claimed, claimed_at=claimed_at, uplinks={})

    assert turned(said(110.0, "fiber", 105.0), said(110.5, "lte", 110.2), "lte") == (105.0, 110.2)
    assert turned(said(110.5, "lte", 110.2), said(111.0, "lte", 110.9), "lte") is None
    assert turned(said(110.0, None, None), said(110.5, "lte", 110.2), "lte") is None
    assert turned(said(110.0, "fiber", 105.0), said(110.5, None, 110.2), "lte") is None


def test_the_routers_own_word_lies_between_two_looks() -> None:
    found = round_of(Seen(1, "fiber", 99.0, 300.0, None, None, EVENTS, claimed=(110.0, 111.0)))
    assert (found.instants["t2"].at, found.instants["t2"].error) == (110.5, 0.5)
