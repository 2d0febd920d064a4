"""`yardlight flows cases` and `explain`: where logs and GPS do not match, and who said why, for an auditor's folder."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table

from yardlight import journal
from yardlight.collection import open_memory
from yardlight.errors import JournalError, StartError
from yardlight.feeds import cases, hours
from yardlight.feeds.cases import Case, Explanations
from yardlight.history import History
from yardlight.inventory.load import Inventory
from yardlight.inventory.words import choice
from yardlight.lookback import Source, length, month

_FIELDS = (
    "case", "state", "kind", "driver", "truck", "day", "timezone", "moved_seconds", "times", "found", "fixed",
    "fixed_by", "explained", "by", "because",
)  # fmt: skip
_KINDS = {"mismatch": "off duty by the log", "unassigned": "nobody logged in"}


def show(source: Source, wanted: str | None, form: Literal["table", "csv", "json"]) -> int:
    """Print the open cases, or all of a month like 2026-10. Raises `StartError`."""
    inventory, _ = source.choose()
    judged, every = _kept(source, inventory)
    explained = cases.explanations(cases.file_of(inventory.path.parent, inventory.fleet.fleet))
    if wanted is not None:
        month(wanted, ZoneInfo(inventory.fleet.timezone))
        every = [case for case in every if case.day.startswith(wanted)]
    else:
        every = [case for case in every if cases.state_of(case, explained) == "open"]
    rows = [_record(case, explained) for case in sorted(every, key=lambda case: (case.kind, case.day))]
    if form == "csv":
        writer = csv.DictWriter(sys.stdout, _FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    elif form == "json":
        print(json.dumps(rows, indent=2))
    else:
        _print(inventory, wanted, judged, rows)
    return 0


def explain(source: Source, number: str, by: str, because: str) -> int:
    """Write down who says why a case is right as it is. Raises `StartError` for one that there is not."""
    inventory, _ = source.choose()
    _, every = _kept(source, inventory)
    known = {case.number: case for case in every}
    if number not in known:
        raise StartError(f"there is no case {number!r}; {choice(number, known, 'cases')}")
    if not by.strip() or not because.strip():
        raise StartError("an explanation has somebody who gives it and a reason; write --by NAME --because TEXT")
    file = cases.file_of(inventory.path.parent, inventory.fleet.fleet)
    try:
        journal.note(file, cases.EXPLAINED, case=number, by=by.strip(), because=because.strip())
    except JournalError as error:
        raise StartError(str(error)) from None
    case = known[number]
    whose = f"{case.truck}, {case.driver}" if case.driver else case.truck
    print(f"{number} ({case.day}, {whose}) is explained: {because.strip()}")
    print(f"kept in {file}; alerts follow within minutes")
    return 0


def _kept(source: Source, inventory: Inventory) -> tuple[float | None, list[Case]]:
    """Until when movements were judged, and all cases. Raises `StateError`."""
    _, states = source.choose()
    with History(states) as history:
        kept = history.memory(inventory.fleet.fleet, hours.NAME)
    memory = open_memory(kept[1]) if kept is not None else None
    if memory is None or memory["judged"] is None:
        return None, []
    return memory["judged"], list(cases.recalled(memory["cases"]).values())


def _record(case: Case, explained: Explanations) -> dict[str, object]:
    """A row for machines: times of the driver's home, or of the truck's where nobody was logged in."""
    said, zone = explained.get(case.number), ZoneInfo(case.zone)
    return {
        "case": case.number,
        "state": cases.state_of(case, explained),
        "kind": case.kind,
        "driver": case.driver or None,
        "truck": case.truck,
        "day": case.day,
        "timezone": case.zone,
        "moved_seconds": round(case.seconds),
        "times": ", ".join(_times(case, zone)),
        "found": _clock(case.found, zone),
        "fixed": None if case.fixed is None else _clock(case.fixed, zone),
        "fixed_by": case.mended or None,
        "explained": None if said is None else _clock(said.at, zone),
        "by": None if said is None else said.by,
        "because": None if said is None else said.because,
    }


def _why(row: dict[str, object]) -> Iterator[str]:
    if row["fixed"]:
        yield f"{str(row['fixed'])[:10]}, {row['fixed_by'] or 'roster or limits'}"
    if row["by"]:
        yield f"{row['by']}, {str(row['explained'])[:10]}: {row['because']}"


def _times(case: Case, zone: ZoneInfo) -> Iterator[str]:
    """With the zone as people say it, twice where a clock was changed in between."""
    for time in case.times:
        begins, ends = (datetime.fromtimestamp(at, zone) for at in time)
        first = "" if begins.tzname() == ends.tzname() else f" {begins:%Z}"
        yield f"{begins:%H:%M}{first}-{ends:%H:%M %Z}"


def _clock(at: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, zone).isoformat(timespec="minutes")


def _print(inventory: Inventory, wanted: str | None, judged: float | None, rows: Sequence[dict[str, object]]) -> None:
    fleet = inventory.fleet
    if judged is None:
        print("nothing was judged yet: needs feeds of positions and of drivers' logs, and two days to settle")
        return
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 400)
    until = f"{datetime.fromtimestamp(judged, ZoneInfo(fleet.timezone)):%Y-%m-%d %H:%M}"
    what = f"cases of {wanted}" if wanted else "open cases"
    console.print(f"{fleet.fleet}: {what}, judged until {until} ({fleet.timezone})", soft_wrap=True)
    if not rows:
        console.print("none")
        return
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in ("case", "state", "what", "driver", "truck", "day", "moved", "when", "who and why"):
        table.add_column(heading, no_wrap=heading not in ("when", "who and why"))
    for row in rows:
        why = "; ".join(_why(row))
        table.add_row(
            str(row["case"]), str(row["state"]), _KINDS[str(row["kind"])], str(row["driver"] or "-"),
            str(row["truck"]), str(row["day"]), length(float(str(row["moved_seconds"]))), str(row["times"]), why,
        )  # fmt: skip
    console.print(table)
