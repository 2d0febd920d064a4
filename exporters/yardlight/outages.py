"""`yardlight outages`: each gap, failover and silent circuit of a terminal, for people, spreadsheets and machines."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table

from yardlight.errors import StartError
from yardlight.history import History, Outage, outages
from yardlight.intervals import Interval, minus, seconds
from yardlight.inventory.models import Terminal
from yardlight.lookback import Source, find_terminal, find_uplink, length, moment

_DEFAULT_PERIOD = 30 * 86400.0
# A box that restarts is not worth a word.
_WORTH_SAYING = 60.0
_KINDS = {"gap": "default path", "failover": "failover", "failback": "failback", "circuit": "circuit"}
_FIELDS = (
    "terminal", "kind", "uplink", "start", "end", "ongoing", "seconds", "error_seconds", "segment", "isp", "circuit",
    "evidence",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which outages: `start` and `end` as written, in the terminal's local time; None for the last 30 days."""

    terminal: str
    uplink: str | None
    start: str | None
    end: str | None


def show(source: Source, wanted: Wanted, form: Literal["table", "csv", "json"]) -> int:
    """Print the outages. Raises `StartError`, `InventoryError` or `StateError` if there is nothing to look at."""
    fleet, states = source.select()
    terminal = find_terminal(fleet, wanted.terminal)
    uplink = find_uplink(terminal, wanted.uplink) if wanted.uplink else None
    period = _period(wanted, terminal.zone)
    with History(states) as history:
        spans = history.spans(fleet.fleet, terminal.name, period)
        found = outages(terminal, history.events(fleet.fleet, terminal.name, period), spans)
    rows = [row for row in found if uplink in (None, row.uplink)]
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_record(row, terminal.zone) for row in rows)
    elif form == "json":
        print(json.dumps([_record(row, terminal.zone) for row in rows], indent=2))
    else:
        watched = [(span.start, span.end) for span in spans]
        _print(terminal, period, rows, watched)
    return 0


def _period(wanted: Wanted, zone: ZoneInfo) -> Interval:
    end = moment(wanted.end, zone, end=True) if wanted.end else time.time()
    start = moment(wanted.start, zone) if wanted.start else end - _DEFAULT_PERIOD
    if end <= start:
        raise StartError(f"--to {wanted.end or 'now'} is not after --from {wanted.start}")
    return start, end


def _record(row: Outage, zone: ZoneInfo) -> dict[str, object]:
    """A row for machines: local times with their offset, seconds as numbers, None for what is not known."""
    return {
        "terminal": row.terminal,
        "kind": row.kind,
        "uplink": row.uplink or None,
        "start": datetime.fromtimestamp(row.start, zone).isoformat(timespec="milliseconds"),
        "end": None if row.ongoing else datetime.fromtimestamp(row.end, zone).isoformat(timespec="milliseconds"),
        "ongoing": row.ongoing,
        "seconds": round(row.seconds, 3),
        "error_seconds": None if row.error is None else round(row.error, 3),
        "segment": row.segment or None,
        "isp": row.isp or None,
        "circuit": row.circuit or None,
        "evidence": row.evidence,
    }


def _print(terminal: Terminal, period: Interval, rows: Sequence[Outage], watched: Sequence[Interval]) -> None:
    # A pipe has no width: long lines are for grep, never cut.
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 400)
    first, last = (_clock(at, terminal.zone) for at in period)
    console.print(f"{terminal.name}, {first} to {last} (times in {terminal.timezone})", soft_wrap=True)
    blind = seconds(minus([(period[0], min(period[1], time.time()))], watched))
    if rows:
        table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
        for heading in ("began", "lasted", "what", "uplink", "segment", "ISP", "circuit", "evidence"):
            table.add_column(heading, no_wrap=heading in ("began", "lasted", "what", "uplink", "segment"))
        for row in rows:
            table.add_row(*_cells(row, terminal.zone))
        console.print(table)
        console.print(_summary(rows), soft_wrap=True)
    elif watched:
        console.print("no outage was recorded")
    if not watched:
        console.print("nothing was measured in this time, so nothing is known about it")
    elif blind >= _WORTH_SAYING:
        console.print(f"nothing was measured for {length(blind)} of this time", soft_wrap=True)


def _cells(row: Outage, zone: ZoneInfo) -> Iterable[str]:
    lasted, evidence = length(row.seconds, row.error), row.evidence
    if row.ongoing:
        lasted, evidence = f"{lasted}, goes on", f"{evidence}; last looked at {_clock(row.end, zone)}"
    return (
        _clock(row.start, zone), lasted, _KINDS[row.kind], row.uplink or "-", row.segment or "-", row.isp or "-",
        row.circuit or "-", evidence,
    )  # fmt: skip


def _clock(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S %Z}"


def _summary(rows: Sequence[Outage]) -> str:
    """How often, and the longest of each kind."""
    parts = []
    for kind, name in _KINDS.items():
        own = [row.seconds for row in rows if row.kind == kind]
        if own:
            parts.append(f"{name}: {len(own)}, longest {length(max(own))}")
    return "; ".join(parts)
