"""Playbooks are validated like the inventory, and the shipped ones hold what is promised."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.drills.simulated import INVENTORY

from yardlight.drills.playbook import find, load, parse_limit
from yardlight.errors import DrillError, InventoryError
from yardlight.inventory.drill_rules import SHIPPED, playbooks
from yardlight.inventory.load import load as load_inventory

GOOD = """
playbook: mine
version: 1
title: Mine
purpose: To see.
kind: live
preconditions: [undo]
steps:
  - {id: cut, cut: primary, say: Pull the cable.}
  - {id: wait, wait: standby, within: 60s}
  - {id: restore, restore: primary, say: Plug it in.}
"""


def test_every_shipped_playbook_is_valid_and_named() -> None:
    names = playbooks(Path("fleet.yml"))
    assert names == [
        "both-dark-tabletop", "dispatch-outage-tabletop", "lost-tablet-rehearsal", "quarterly-wan-failover",
        "records-retrieval", "standby-proof-only", "thorough-wan-failover",
    ]  # fmt: skip
    loaded = {name: load(Path(str(SHIPPED / f"{name}.yml"))) for name in names}
    assert len(loaded["quarterly-wan-failover"].cuts) == 1
    assert [step.flap for step in loaded["thorough-wan-failover"].cuts] == [False, False, True]
    assert not any(loaded[name].cuts for name in names if "wan" not in name)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("playbook: mine", "playbook: other", "mine.yml:2:1 playbook: 'other' is not the name of the file, 'mine'"),
        ("wait: standby", "wait: lunch",
         "mine.yml:10:16 steps.1.wait: 'lunch' is not one of standby, primary, stable, notification"),
        (", within: 60s", "", "mine.yml:10:5 steps.1.within: is missing; write how long it may take, like 60s or "
         "switch_within"),
        ("within: 60s", "within: 2 switch_within", "mine.yml:10:31 steps.1.within: '2 switch_within' is not a limit; "
         "write 60s, switch_within or 2 x switch_within + 30s (switch_within, failback_within, page_after)"),
        ("restore: primary", "hold: 5s", "mine.yml:8:1 steps: end with the circuit cut; add a step with restore: "
         "primary"),
        ("preconditions: [undo]", "preconditions: [clocks]",
         "mine.yml:7:1 preconditions: lack undo; what cuts a circuit must be sure of its way back"),
        ("id: wait, wait: standby", "id: cut, wait: standby",
         "mine.yml:10:6 steps.1.id: 'cut' is already the id of another step"),
        ("wait: standby", "wait: standby, hold: 5s", "mine.yml:10:5 steps.1: does wait and hold; a step does one of "
         "tell, ask, cut, restore, wait, check, hold"),
        (", wait: standby", "", "mine.yml:10:5 steps.1: does nothing; a step does one of "
         "tell, ask, cut, restore, wait, check, hold"),
        ("Pull the cable.", "'Pull {cable}.'", "mine.yml:9:29 steps.0.say: names something that is not known; "
         "known are {terminal}, {primary}, {standby}, {circuit}, {minutes}, {drops}"),
        ("kind: live", "kind: tabletop", "mine.yml:9:15 steps.0.cut: a tabletop touches nothing; its steps are tell "
         "and ask"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yml").write_text(GOOD.replace(old, new))
    with pytest.raises(InventoryError) as error:
        load(Path("mine.yml"))
    assert str(error.value.problems[0]) == message


def test_a_file_that_is_no_playbook_says_how_one_begins(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("- a\n")
    with pytest.raises(InventoryError, match="a list is not a playbook; start with 'playbook: NAME'"):
        load(tmp_path / "mine.yml")


def test_limits_are_numbers_of_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yml"
    file.write_text(INVENTORY)
    terminal = load_inventory(file).fleet.terminals["fontana"]
    assert parse_limit("2 x switch_within + 30s").seconds(terminal) == 150.0
    assert parse_limit("failback_within").seconds(terminal) == 600.0
    assert parse_limit("90s").seconds(terminal) == 90.0


def test_a_playbook_of_the_users_own_lies_beside_the_inventory_and_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "mine.yml").write_text(GOOD)
    file = tmp_path / "fleet.yml"
    file.write_text(INVENTORY.replace("playbook: quarterly-wan-failover", "playbook: mine"))
    assert load_inventory(file).fleet.terminals["fontana"].drill is not None
    assert find(file, "mine")[0].title == "Mine"
    with pytest.raises(DrillError, match="did you mean 'quarterly-wan-failover'"):
        find(file, "quaterly-wan-failover")
