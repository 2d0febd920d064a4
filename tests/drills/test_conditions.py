"""Preconditions: what holds, what does not, and that unknown never counts as holding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.drills.simulated import INVENTORY, START

from yardlight.drills.conditions import Situation, judge
from yardlight.drills.playbook import load
from yardlight.facts import TerminalFacts, UplinkFact
from yardlight.inventory.drill_rules import SHIPPED
from yardlight.inventory.load import load as load_inventory

READY = {"path": 1.0, "dns": 1.0, "https": 1.0, "service": 1.0}
FACTS = TerminalFacts(
    at=START, state="primary", observed="fiber", ready={"lte": READY},
    uplinks={"fiber": UplinkFact(role="primary", state="up"), "lte": UplinkFact(role="standby", state="up")},
)  # fmt: skip
WELL = Situation(START, FACTS, (), True, {"the terminal": (0.1, 0.05)}, None, "guard", False, True, 1800.0)


def failing(tmp_path: Path, situation: Situation, inventory: str = INVENTORY) -> dict[str, str]:
    file = tmp_path / "fleet.yml"
    file.write_text(inventory)
    fleet = load_inventory(file).fleet
    playbook = load(Path(str(SHIPPED / "quarterly-wan-failover.yml")))
    found = judge(playbook, fleet, fleet.terminals["fontana"], situation)
    assert [each.name for each in found] == list(playbook.preconditions)
    return {each.name: each.text for each in found if not each.holds}


def with_facts(**changed: object) -> Situation:
    return replace(WELL, facts=FACTS.model_copy(update=changed))


@pytest.mark.parametrize(
    ("situation", "name", "text"),
    [
        (with_facts(state="standby", observed="lte"), "primary_carries", "the yard is not on fiber but standby"),
        (with_facts(uplinks={**FACTS.uplinks, "fiber": UplinkFact(role="primary", state="degraded")}),
         "primary_carries", "the yard is on fiber, which is degraded"),
        (with_facts(ready={"lte": {**READY, "path": 0.0}}), "standby_ready", "standby not ready: lte fails path"),
        (with_facts(ready={"lte": {"path": 1.0, "dns": 1.0}}), "standby_ready",
         "standby not ready: https of lte not known yet"),
        (with_facts(ready={}), "standby_ready", "standby not ready: dns and https and path of lte not known yet"),
        (replace(WELL, headroom=3600.0), "headroom", "the standby's plan lasts 1 h at the yard's usual load"),
        (replace(WELL, alerts=("UplinkDegraded",)), "no_alerts", "fontana has trouble already: UplinkDegraded"),
        (replace(WELL, alerts=None, deaf="https://am.example.com: 401"), "no_alerts",
         "what fires at this terminal, or is told of it, could not be asked for: https://am.example.com: 401"),
        (replace(WELL, offsets={"the terminal": (-3.2, 0.1)}), "clocks", "the clock of the terminal is 3.2 s behind"),
        (replace(WELL, undo="person", attended=False), "undo",
         "nobody is there to plug fiber in again: say how in the terminal's drill: cut"),
        (replace(WELL, undo="runner", remote=True), "undo",
         "the undo would cross fiber, which is cut, and no guard inside the terminal holds it"),
        (replace(WELL, undo="runner"), "undo",
         "no guard holds the undo: the serve of fontana does not know this action"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(tmp_path: Path, situation: Situation, name: str, text: str) -> None:
    assert failing(tmp_path, situation) == {name: text}


def test_where_all_is_well_everything_holds(tmp_path: Path) -> None:
    assert failing(tmp_path, WELL) == {}
    assert failing(tmp_path, replace(WELL, centre=False, alerts=None)) == {}, "no Alertmanager is no trouble"
    assert failing(tmp_path, replace(WELL, headroom=86400.0)) == {}
    assert failing(tmp_path, replace(WELL, headroom=None)) == {}, "nobody said that it must be known"
    weak = with_facts(ready={"lte": {**READY, "radio": 0.0}})
    assert failing(tmp_path, weak) == {}, "a check that nobody requires stands in nobody's way"
    assert failing(tmp_path, replace(WELL, undo="person")) == {}


def test_where_the_plan_must_be_known_an_unknown_one_stands_in_the_way(tmp_path: Path) -> None:
    required = "lte: {bind: 10.10.0.22, sim: standby}\n    standby: {required: [path, headroom]}"
    inventory = INVENTORY.replace("lte: {bind: 10.10.0.22}", required)
    assert failing(tmp_path, WELL, inventory) == {"headroom": "how long the standby's plan lasts is not known"}
    assert failing(tmp_path, replace(WELL, headroom=86400.0), inventory) == {}
