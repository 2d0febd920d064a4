"""What a process that serves keeps of drills: records as metrics, what is due, notices, links."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.drills.simulated import INVENTORY

from yardlight import catalogue as m
from yardlight import sealing
from yardlight.drills import evidence
from yardlight.drills.desk import FleetDesk
from yardlight.drills.evidence import Record
from yardlight.drills.guard import Charge
from yardlight.drills.links import Links
from yardlight.drills.standing import durations, record_samples
from yardlight.errors import DrillError
from yardlight.facts import TerminalFacts, UplinkFact
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.models import Terminal

KEY = ("fontana", "quarterly-wan-failover")
LA = ZoneInfo("America/Los_Angeles")


class Nobody:
    """Measures no terminal."""

    def terminals(self) -> Mapping[str, Terminal]:
        return {}

    def facts(self, terminal: str, since: float | None) -> TerminalFacts:
        raise AssertionError

    def look_closely(self, terminal: str, seconds: float) -> None:
        raise AssertionError


class Calm:
    """Measures every terminal of this inventory: all is well."""

    def __init__(self, folder: Path) -> None:
        self._terminals = inventory(folder).fleet.terminals

    def terminals(self) -> Mapping[str, Terminal]:
        return self._terminals

    def facts(self, terminal: str, since: float | None) -> TerminalFacts:
        up = {"fiber": UplinkFact(role="primary", state="up"), "lte": UplinkFact(role="standby", state="up")}
        return TerminalFacts(at=time.time(), state="primary", observed="fiber", uplinks=up)

    def look_closely(self, terminal: str, seconds: float) -> None:
        return


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=LA).timestamp()


def inventory(folder: Path) -> Inventory:
    (folder / "fleet.yml").write_text(INVENTORY)
    return load(folder / "fleet.yml")


def record(ended: float, result: str, **more: Any) -> Record:
    body = {"drill": "d", "fleet": "inland-haul", "terminal": "fontana", "playbook": KEY[1], "ended": ended,
            "result": result, "rounds": [], **more}  # fmt: skip
    return Record(Path("d"), body)


def test_the_last_run_and_the_last_pass_are_two_moments(tmp_path: Path) -> None:
    records = [record(at("2026-02-10"), "pass"), record(at("2026-05-10"), "fail")]
    samples = record_samples(inventory(tmp_path), {"fontana": at("2026-01-05")}, records)
    assert samples[m.DRILL_LAST_RUN] == {KEY: at("2026-05-10")}
    assert samples[m.DRILL_LAST_PASS] == {KEY: at("2026-02-10")}
    results = {labels[2]: value for labels, value in samples[m.DRILL_LAST_RESULT].items()}
    assert results == {"pass": 0, "fail": 1, "partial": 0, "aborted": 0, "refused": 0}
    assert samples[m.DRILL_DUE] == {KEY: at("2026-07-01")}


def test_a_new_terminal_is_due_at_the_end_of_its_first_quarter(tmp_path: Path) -> None:
    samples = record_samples(inventory(tmp_path), {"fontana": at("2026-02-20")}, [])
    assert samples == {m.DRILL_DUE: {KEY: at("2026-04-01")}}


def test_a_terminal_that_is_gone_from_the_inventory_keeps_no_sample(tmp_path: Path) -> None:
    gone = record(at("2026-02-10"), "pass", terminal="akron")
    other = record(at("2026-02-10"), "pass", fleet="another")
    samples = record_samples(inventory(tmp_path), {"akron": at("2026-01-05")}, [gone, other])
    assert samples == {}


def test_what_an_earlier_run_measured_is_not_shown_for_one_that_measured_nothing(tmp_path: Path) -> None:
    instants = {"t0": {"at": 10.0}, "t5": {"at": 25.0}}
    rounds = [{"gap": {"at": 12.0}, "back_gap": {"at": 0.5}, "instants": instants}]
    assert durations(rounds) == {"failover": 12.0, "failback": 0.5, "told": 15.0}
    earlier = record(at("2026-02-10"), "pass", rounds=rounds)
    shown = record_samples(inventory(tmp_path), {}, [earlier])[m.DRILL_LAST_DURATION]
    assert shown == {(*KEY, "failover"): 12.0, (*KEY, "failback"): 0.5, (*KEY, "told"): 15.0}
    refused = record(at("2026-05-10"), "refused")
    assert record_samples(inventory(tmp_path), {}, [earlier, refused])[m.DRILL_LAST_DURATION] == {}


def test_when_a_terminal_became_known_is_kept(tmp_path: Path) -> None:
    async def served() -> None:
        desk = FleetDesk(tmp_path / "drills", Nobody())
        desk.use(inventory(tmp_path))
        await desk.start()
        await desk.stop()

    asyncio.run(served())
    known = json.loads((tmp_path / "drills" / "known.json").read_text())
    asyncio.run(served())
    assert json.loads((tmp_path / "drills" / "known.json").read_text()) == known
    assert set(known) == {"fontana"}


def test_notices_survive_a_restart_and_are_told_from_a_moment_on(tmp_path: Path) -> None:
    async def told() -> list[Mapping[str, Any]]:
        desk = FleetDesk(tmp_path, Nobody())
        await desk.notice({"alerts": []}, 100.0)
        await desk.notice({"alerts": [{"status": "firing"}]}, 200.0)
        return await FleetDesk(tmp_path, Nobody()).notices(150.0)

    assert asyncio.run(told()) == [{"received": 200.0, "payload": {"alerts": [{"status": "firing"}]}}]


def test_a_link_of_a_terminal_that_is_measured_elsewhere_says_where_to_open_it(tmp_path: Path) -> None:
    async def opened() -> None:
        desk = FleetDesk(tmp_path / "drills", Nobody())
        desk.use(inventory(tmp_path))
        await desk.open(desk.links.make(*KEY, "maria", 1e12))

    with pytest.raises(DrillError, match="fontana is not measured here; open the link of the box in its yard"):
        asyncio.run(opened())


def test_a_double_tap_on_a_link_opens_one_drill(tmp_path: Path) -> None:
    async def opened() -> int:
        desk = FleetDesk(tmp_path / "drills", Calm(tmp_path))
        desk.use(inventory(tmp_path))
        token = desk.links.make(*KEY, "maria", time.time())
        one, other = await asyncio.gather(desk.open(token), desk.open(token))
        assert one is other
        await desk.stop()
        return len(list((tmp_path / "drills").glob(f"*/{sealing.JOURNAL}")))

    assert asyncio.run(opened()) == 1


def test_a_link_of_a_drill_whose_process_is_gone_never_says_that_a_pulled_cable_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "drills"

    async def opened(charge: Charge | None) -> str:
        if charge is not None:
            sealing.write(folder, "guard-fontana.json", asdict(charge))
        desk = FleetDesk(folder, Calm(tmp_path))
        desk.use(inventory(tmp_path))
        with pytest.raises(DrillError) as refused:
            await desk.open(token)
        return str(refused.value)

    now, links = time.time(), Links(folder)
    token = links.make(*KEY, "maria", now)
    links.opened(token, "d1", now)
    charge = Charge("d1", *KEY, True, 15.0, 60.0, 600.0, now - 90, now - 60, now + 600, cut=now - 60)
    assert asyncio.run(opened(None)) == "this drill was interrupted; see `yardlight drill list`"
    assert "cable may still be unplugged: plug it in again" in asyncio.run(opened(charge))
    assert "is being put back" in asyncio.run(opened(replace(charge, by_hand=False)))
    assert "from another machine" in asyncio.run(opened(replace(charge, by_hand=False, renewed=now)))


def test_what_cannot_be_read_among_the_records_is_left_out(tmp_path: Path) -> None:
    for name, text in (("a", "{"), ("b", "{}"), ("c", json.dumps(record(5.0, "pass").body))):
        (tmp_path / name).mkdir()
        (tmp_path / name / sealing.RECORD).write_text(text)
    assert [each.ended for each in evidence.records(tmp_path)] == [5.0]
