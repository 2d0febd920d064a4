"""What must hold of a terminal's drill: a playbook that exists, one way to cut and its undo, a standby to move to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.models import Drill, Terminal
from yardlight.inventory.router_rules import SECRET_FILES
from yardlight.inventory.source import Node

M = TypeVar("M", bound=BaseModel)
SHIPPED = resources.files("yardlight") / "playbooks"


def own_file(inventory: Path, name: str) -> Path:
    """Where a playbook of the user's own lies: in the folder `drills` beside the inventory."""
    return inventory.parent / "drills" / f"{name}.yml"


def playbooks(inventory: Path) -> list[str]:
    """Names of all playbooks that can be run with this inventory."""
    shipped = (file.name.removesuffix(".yml") for file in SHIPPED.iterdir() if file.name.endswith(".yml"))
    return sorted({*shipped, *(file.stem for file in own_file(inventory, "x").parent.glob("*.yml"))})


def terminal_problems(node: Node, terminal: Terminal) -> Iterator[Problem]:
    """Rules about the drill of a terminal."""
    written = node.get(("drill",))
    drill = terminal.drill
    if written is None or drill is None:
        return
    if place := written.get(("playbook",)):
        names = playbooks(Path(place.place.file))
        if drill.playbook not in names:
            hint = words.choice(drill.playbook, names, "playbooks")
            yield place.problem(f"there is no playbook {drill.playbook!r}; {hint}")
    if len(terminal.uplinks) < 2:
        yield written.problem("there is no standby that the yard could move to")
    cut = written.get(("cut",))
    if cut is None or drill.cut is None:
        return
    ways = [way for way in ("command", "http", "snmp_set") if cut.get((way,))]
    if len(ways) != 1:
        found = "more than one way" if ways else "nothing"
        yield cut.problem(f"says {found}; write command:, http: or snmp_set:, each with do and undo")
    written_set = drill.cut.snmp_set
    if written_set is not None:
        router = terminal.router
        if router is None:
            yield cut.problem("there is no router to write to; add router: {address: ...}", "snmp_set")
        elif written_set.snmp is None and router.snmp is None:
            yield cut.problem("nothing says how to write to the router; add snmp: here or to the router", "snmp_set")
    if drill.cut.timeout <= 0:
        place, below = cut.nearest(("timeout",))
        yield place.problem("is too short; nothing could be done in time", *below)


def located(drill: Drill, node: Node | None) -> Drill:
    """With its files as seen from here: each was written relative to the inventory that names it."""
    cut = node.get(("cut",)) if node else None
    if drill.cut is None or cut is None:
        return drill
    changed: dict[str, Any] = {}
    if drill.cut.http is not None:
        calls = {
            way: _files_located(getattr(drill.cut.http, way), cut.get(("http", way)), ("headers_file", "ca_file"))
            for way in ("do", "undo")
        }
        changed["http"] = drill.cut.http.model_copy(update=calls)
    if drill.cut.snmp_set is not None and drill.cut.snmp_set.snmp is not None:
        snmp = _files_located(drill.cut.snmp_set.snmp, cut.get(("snmp_set", "snmp")), SECRET_FILES)
        changed["snmp_set"] = drill.cut.snmp_set.model_copy(update={"snmp": snmp})
    return drill.model_copy(update={"cut": drill.cut.model_copy(update=changed)})


def _files_located(model: M, node: Node | None, keys: Sequence[str]) -> M:
    written = node.entries if node else {}
    found = {
        key: str(Path(written[key].place.file).parent / getattr(model, key))
        for key in keys
        if key in written and getattr(model, key) is not None
    }
    return model.model_copy(update=found)
