"""`yardlight render playbooks`: a terminal's playbooks on paper. Names, circuits, phone numbers, expected times.

One self-contained page per terminal, made from the inventory alone: it opens and prints without any network, which is
when it is needed.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from yardlight import __version__, sealing
from yardlight.drills.plan import Plan
from yardlight.drills.playbook import Playbook, Step, find
from yardlight.inventory import words
from yardlight.inventory.drill_rules import playbooks
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.models import Terminal
from yardlight.lookback import find_terminal
from yardlight.templates import render

_WAITS = {
    "standby": "Wait until the yard works over {standby}.",
    "primary": "Wait until the yard is back on {primary}.",
    "stable": "See that it stays: nothing may drop.",
    "notification": "See that whoever is on call was told.",
}
_CHECKS = {
    "services": "the yard's services open",
    "dns": "names are resolved (any web page opens)",
    "throughput": "a large page loads as fast as it should",
    "standby": "the standby is proven (Yardlight's first page says so)",
}


@dataclass(frozen=True)
class PaperStep:
    """A line with a box to tick: what to do, how long it may take, and what to write down."""

    text: str
    limit: str
    answer: str


@dataclass(frozen=True)
class PaperPlaybook:
    """One playbook for one terminal."""

    playbook: Playbook
    purpose: str
    warning: str
    criteria: list[tuple[str, str]]
    steps: list[PaperStep]
    abort: str
    attachable: bool


def write(path: Path, terminal: str | None, output: Path) -> int:
    """Write a page per terminal and say where. Raises `InventoryError`, `StartError` or `DrillError`."""
    inventory = load(path)
    chosen = [find_terminal(inventory.fleet, terminal)] if terminal else list(inventory.fleet.terminals.values())
    for each in chosen:
        sealing.write_bytes(output, f"{each.name}.html", page(inventory, each, time.time()).encode())
        print(f"wrote {output / f'{each.name}.html'}", file=sys.stderr)
    return 0


def page(inventory: Inventory, terminal: Terminal, now: float) -> str:
    """The page of one terminal."""
    found = [find(inventory.path, name)[0] for name in playbooks(inventory.path)]
    papers = [
        paper(inventory, terminal, each)
        for each in sorted(found, key=lambda each: (each.kind, not each.cuts, each.playbook))
        if not each.cuts or len(terminal.uplinks) > 1
    ]
    return render(
        "paper.html",
        fleet=inventory.fleet.fleet,
        terminal=terminal,
        papers=papers,
        due=terminal.drill.playbook if terminal.drill is not None else "",
        duration=words.duration,
        made=f"{datetime.fromtimestamp(now, terminal.zone):%Y-%m-%d}",
        version=__version__,
    )


def paper(inventory: Inventory, terminal: Terminal, playbook: Playbook) -> PaperPlaybook:
    """A playbook with this terminal's names and numbers."""
    plan, abort = Plan("", inventory.fleet, terminal, playbook, b"", ""), ""
    if playbook.cuts:
        dark = words.duration(playbook.abort.dark.seconds(plan.terminal))
        longest = words.duration(playbook.abort.longest.seconds(plan.terminal))
        abort = f"Plug the cable back in at once if nothing works for {dark}, or if it takes longer than {longest}."
    criteria = [(name.replace("_", " "), words.duration(limit)) for name, limit in plan.limits.items()]
    steps = [_step(plan, step) for step in playbook.steps]
    return PaperPlaybook(
        playbook, plan.text(playbook.purpose), plan.warning, criteria, steps, abort, playbook.attachable
    )


def _step(plan: Plan, step: Step) -> PaperStep:
    limit = step.within or step.hold
    allowed = words.duration(limit.seconds(plan.terminal)) if limit is not None else ""
    # Where the probes take the times, only the cut's is written down, by which its failover is found.
    time_ = "" if plan.playbook.cuts else "time"
    if step.tell is not None:
        return PaperStep(plan.text(step.tell), "", time_)
    if step.ask is not None:
        return PaperStep(plan.text(step.ask), "", "yes / no")
    if step.wait is not None:
        return PaperStep(plan.text(_WAITS[step.wait]), allowed, time_)
    if step.check is not None:
        return PaperStep(f"See that {'; that '.join(_CHECKS[name] for name in step.check)}.", allowed, "yes / no")
    if step.hold is not None:
        return PaperStep(f"Wait {allowed}.", "", time_)
    return PaperStep(plan.text(step.say), "", "time" if step.cut else time_)
