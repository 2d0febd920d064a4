"""Positions that are missing while an engine runs: what is counted, and row F28 from a vendor to who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.feeds.days import Days
from tests.feeds.test_end_to_end import NOON, rung
from tests.feeds.world import world
from tests.living import DAY, MINUTE
from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.feeds import tax
from yardlight.feeds.memory import Memory, Seen
from yardlight.feeds.record import Record

T0 = 1_767_800_000.0
Engines = tuple[bool | None, bool | None]


def counted(
    length: float, *, seen: float | None = None, adds_up: bool = True, engines: tuple[bool | None, ...] = (True, True)
) -> dict[str, int]:
    """What a hole of so many minutes counts, in which the last position was seen last after `seen` minutes."""
    kept = Memory()
    first, second = engines
    before = Seen(T0, listed=T0 + MINUTE * (length if seen is None else seen), engine=first)
    tax.note(Record("105", T0 + MINUTE * length, truck="105", engine=second), before, adds_up, kept)
    return tax.holes(kept, T0 + MINUTE * length)


@pytest.mark.parametrize(("length", "ifta", "irp"), [(9, 0, 0), (10, 0, 0), (12, 1, 0), (15, 1, 0), (16, 1, 1)])
def test_a_hole_counts_by_the_limit_of_each_rule(length: float, ifta: int, irp: int) -> None:
    assert counted(length) == {"ifta": ifta, "irp": irp}


@pytest.mark.parametrize("engines", [(False, True), (True, False), (None, True), (True, None)])
def test_a_hole_counts_only_if_the_engine_ran_on_both_sides_of_it(engines: Engines) -> None:
    assert counted(30, engines=engines) == {"ifta": 0, "irp": 0}


def test_where_only_the_last_position_is_told_a_hole_of_our_own_is_none() -> None:
    assert counted(30, seen=2, adds_up=False) == {"ifta": 0, "irp": 0}
    assert counted(30, seen=11, adds_up=False) == {"ifta": 1, "irp": 0}


def test_what_was_more_than_a_day_ago_is_not_counted_any_more() -> None:
    kept = Memory(holes=[(T0, 700.0), (T0 + DAY, 1000.0)])
    assert tax.holes(kept, T0 + DAY + 1) == {"ifta": 1, "irp": 1}
    assert len(kept.holes) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_in_which_an_answer_tells_positions_makes_no_hole(order: int, tmp_path: Path) -> None:
    feed = "account: vendor, path: '/p?from={since}', records: data, truck: unit, time: time, engine: engine"
    replies: dict[str, Any] = {}
    with world(tmp_path, replies, {"eld": feed}) as here:
        for at in (T0, T0 + 30 * MINUTE):
            told = [{"unit": "105", "time": iso(at - minute * MINUTE), "engine": "On"} for minute in range(30)]
            replies["/p"] = {"data": told[::order]}
            here.collect(at)
        assert here.value("feed_tax_record_gaps", feed="eld", rule="ifta") == 0


@pytest.mark.needs("promtool")
def test_f28_twelve_minutes_without_a_position_are_counted_by_ifta_and_told_to_compliance(tmp_path: Path) -> None:
    silent: dict[str, float] = {}

    def trucks(ask: Ask) -> Say:
        if ask.headers.get("authorization") != f"Bearer {SECRET}":
            return Say({}, 401)
        told = [
            {"unit": unit, "at": iso(silent.get(unit, days.clock.time())), "engine": "Idle"} for unit in ("101", "102")
        ]
        return Say({"trucks": told})

    seen: dict[str, float] = {}
    with Days(tmp_path, NOON) as days:
        days.faces["eld"] = trucks
        days.accounts = (
            f"  eld: {{platform: generic, url: '{days.vendor.url}/eld', auth: {{bearer_file: secret}}, rate: 1000/s}}"
        )
        days.more = (
            "  eld: {poll: 1m, path: /trucks, records: trucks, truck: unit, time: at, engine: engine, max_age: 1h}"
        )
        days.at(NOON + 10 * MINUTE, lambda: silent.update({"102": NOON + 10 * MINUTE}))
        days.at(NOON + 22 * MINUTE, silent.clear)
        for rule in ("ifta", "irp"):
            days.at(NOON + 40 * MINUTE, days.note(seen, rule, "feed_tax_record_gaps", feed="eld", rule=rule))
        days.until(NOON + 45 * MINUTE)
        rang = rung(days, "F28", ("TaxRecordGap", NOON + 40 * MINUTE))
        assert days.value("feed_tax_record_gaps", feed="gps", rule="ifta") is None
    assert seen == {"ifta": 1, "irp": 0}
    assert NOON + 22 * MINUTE <= rang.when().first <= NOON + 26 * MINUTE
    assert "in the last day: 1 longer than 10 min (IFTA)" in rang.words[0]["summary"]
