"""What must hold of a terminal's drill: a playbook that exists, one way to cut and its undo, a standby to move to."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.models import Terminal
from yardlight.inventory.source import Node

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
    ways = [way for way in ("command", "http") if cut.get((way,))]
    if len(ways) != 1:
        found = "two ways" if ways else "nothing"
        yield cut.problem(f"says {found}; write command: or http:, each with do and undo")
    if drill.cut.timeout <= 0:
        place, below = cut.nearest(("timeout",))
        yield place.problem("is too short; nothing could be done in time", *below)
