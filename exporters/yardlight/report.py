"""`yardlight report`: a month of a fleet as one page to print. HTML with everything in it: no script, no asset.

Each section is a function from what is looked at to HTML; an exporter adds its own to `sections`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from yardlight import __version__, files, templates
from yardlight.errors import StartError
from yardlight.history import History
from yardlight.intervals import Interval
from yardlight.inventory.models import Fleet, Terminal
from yardlight.lookback import Source, find_terminal, month


@dataclass(frozen=True)
class Scope:
    """What a report is about. Each terminal has the month in its own time, cut off at `now` (unix seconds)."""

    fleet: Fleet
    terminals: Mapping[str, Terminal]
    month: str
    history: History
    now: float

    def whole(self, terminal: Terminal) -> Interval:
        """The whole month of this terminal, also what of it is still to come."""
        return month(self.month, terminal.zone)

    def period(self, terminal: Terminal) -> Interval:
        """The part of the month that is over."""
        start, end = self.whole(terminal)
        return start, max(start, min(end, self.now))


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading of its own."""

    title: str
    body: Markup


SectionOf = Callable[[Scope], list[Section]]


def sections() -> tuple[SectionOf, ...]:
    """The functions whose sections make up the page, in its order."""
    from yardlight.cellular import report as cellular
    from yardlight.terminal import report as terminal

    return (terminal.sections, cellular.sections)


def write(source: Source, of: str, terminal: str | None, output: Path | None) -> int:
    """Write the page and say where. Raises `StartError`, `InventoryError` or `StateError`."""
    fleet, states = source.select()
    chosen = {terminal: find_terminal(fleet, terminal)} if terminal else dict(fleet.terminals)
    with History(states) as history:
        scope = Scope(fleet, chosen, of, history, time.time())
        if all(scope.whole(each)[0] > scope.now for each in chosen.values()):
            raise StartError(f"{of} has not begun yet")
        text = page(scope)
    if output == Path("-"):
        print(text)
        return 0
    return files.deliver(text, output or Path(f"{fleet.fleet}-{of}.html"))


def page(scope: Scope) -> str:
    """The whole page."""
    name = datetime.strptime(scope.month, "%Y-%m").strftime("%B %Y")
    running = any(scope.whole(terminal)[1] > scope.now for terminal in scope.terminals.values())
    parts = [section for make in sections() for section in make(scope)]
    return templates.render(
        "report.html",
        fleet=scope.fleet.fleet,
        terminals=list(scope.terminals),
        month=name,
        running=running,
        now=scope.now,
        parts=parts,
        version=__version__,
    )
