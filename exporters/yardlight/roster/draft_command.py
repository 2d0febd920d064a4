"""`yardlight roster draft`: the files of a first roster, and in a few lines what was found by what."""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from yardlight.errors import StartError
from yardlight.lookback import Source
from yardlight.roster.draft import Draft, drafted, sim_names, tablet_key
from yardlight.roster.known import Known, as_of, gathered, yards

# The exit code where something is left for a person to decide.
OPEN = 3
# Without files, so many of what is left over are listed.
_SHOWN = 10
TRUCKS = ("truck", "tablet", "sims", "eld", "terminal", "group", "status", "until", "note")
DRIVERS = ("code", "hired", "left", "logs", "terminal")
LEFTOVERS = ("kind", "called", "serial", "iccid", "imei", "phone", "source", "why")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def draft(source: Source, live: bool, folder: Path | None) -> int:
    """Write a first roster into a folder, or trucks.csv to stdout. Raises `StartError` for a file that is there."""
    inventory, states = source.choose()
    found = gathered(inventory, states, live)
    made = drafted({each.source: each.things for each in found}, yards(inventory))
    files = {name: text for name, text in files_of(made).items() if text}
    if folder is None:
        sys.stdout.write(files.get("trucks.csv", ""))
    else:
        _write(folder, files)
    for line in _report(made, found, files if folder is not None else {}, time.time()):
        print(line, file=sys.stderr)
    if inventory.fleet.roster.trucks:
        print("the inventory has a roster already: yardlight roster diff compares it", file=sys.stderr)
    return OPEN if made.leftovers or any(each.at is None or each.wrong for each in found) else 0


def files_of(made: Draft) -> dict[str, str]:
    """The text of each file, empty where there is nothing to write."""
    trucks = []
    for row, sims in zip(made.rows, sim_names(made.rows), strict=True):
        # A spreadsheet makes 8.9E+18 of a bare ICCID; with a name before it, it is text.
        tablet = f"{row.name}={tablet_key(row.tablet.thing)}" if row.tablet is not None else ""
        numbers = " ".join(f"{name}={iccid}" for name, iccid in sims)
        trucks.append((row.name, tablet, numbers, row.eld, "", row.group, "active", "", "; ".join(row.notes)))
    leftovers = []
    for left in made.leftovers:
        thing = left.item.thing
        numbers_of = (" ".join(thing.all(kind)) for kind in ("serial", "iccid", "imei", "phone"))
        leftovers.append((thing.kind, thing.called, *numbers_of, " ".join(left.item.sources), left.why))
    return {
        "trucks.csv": _table(TRUCKS, trucks),
        "drivers.csv": _table(DRIVERS, [(code, "", "", "", "") for code in made.drivers]),
        "unmatched.csv": _table(LEFTOVERS, leftovers),
    }


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def _harmless(cell: str) -> str:
    """What a spreadsheet does not take for a formula: vendors' names are anybody's text."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write(folder: Path, files: dict[str, str]) -> None:
    """All of them, for their owner alone. Raises `StartError`, before anything is written, if one is there already."""
    there = [name for name in files if (folder / name).exists()]
    if there:
        raise StartError(f"{folder / there[0]}: is there already and is not overwritten; name another folder with -o")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise StartError(f"{folder}: cannot be written: {(error.strerror or str(error)).lower()}") from None


def _report(made: Draft, known: Sequence[Known], files: Iterable[str], now: float) -> Iterator[str]:
    """What was found by what, in a few lines."""
    yield from (as_of(each, now) for each in known)
    tablets = sum(row.tablet is not None for row in made.rows)
    sims = sum(len(row.sims) for row in made.rows)
    with_sims = _count(sum(bool(row.sims) for row in made.rows), "truck")
    yield f"{_count(len(made.rows), 'truck')}, {tablets} with a tablet; {_count(sims, 'SIM')} in {with_sims}"
    certain = sum(note.startswith(("tablet by ", "SIM by ")) and " by name " not in note for note in _notes(made))
    named = sum(" by name " in note for note in _notes(made))
    yield f"matched by a number: {certain}; by name only: {named}, look these over (column note)"
    if made.leftovers:
        yield f"left over, in no row: {len(made.leftovers)}, each with its reason in unmatched.csv"
    for left in () if files else made.leftovers[:_SHOWN]:
        yield f"  {left.item.thing.kind} {left.item.title}: {left.why}"
    if len(made.leftovers) > _SHOWN and not files:
        yield f"  and {len(made.leftovers) - _SHOWN} more; -o writes all of them"
    if "trucks.csv" in files:
        drivers = ", drivers: drivers.csv" if "drivers.csv" in files else ""
        yield f"written: {', '.join(files)}. Fill in terminal, look over the notes, then into the inventory:"
        yield f"roster: {{trucks: trucks.csv{drivers}}}"
    elif not made.rows:
        yield "no truck: nothing that was collected has a truck's number in its name"


def _notes(made: Draft) -> Iterator[str]:
    return (note for row in made.rows for note in row.notes)


def _count(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
