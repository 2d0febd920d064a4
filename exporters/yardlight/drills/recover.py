"""What a run left behind that was killed: its journal is taken up, says so, and the evidence is sealed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yardlight import journal, sealing
from yardlight.drills import evidence
from yardlight.drills.evidence import Record
from yardlight.drills.guard import read_charge
from yardlight.errors import DrillError
from yardlight.journal import Entry, Journal
from yardlight.logs import kv

log = logging.getLogger(__name__)

Lines = Sequence[Mapping[str, Any]]


def interrupted(folder: Path, now: float) -> list[Record]:
    """Close every run whose process is gone, and say what happened to it; one that a guard still restores waits."""
    found = []
    for path in sorted(folder.glob(f"*/{sealing.JOURNAL}")):
        if sealing.sealed(path.parent) or journal.in_use(path) or _open_guard(folder, path.parent.name):
            continue
        try:
            found.append(_close(path, lines_of(folder, path.parent.name), now))
        except DrillError as error:
            log.error("an interrupted drill cannot be closed", extra=kv(folder=path.parent, error=error))
    return found


def lines_of(folder: Path, drill: str) -> list[Entry]:
    """What guards on this machine wrote about a drill."""
    found: list[Entry] = []
    for path in folder.glob("guard-*.jsonl"):
        with contextlib.suppress(OSError, ValueError):
            found += [line for line in journal.entries(path.read_bytes()) if line.get("drill") == drill]
    return found


def _open_guard(folder: Path, drill: str) -> bool:
    charges = (read_charge(path) for path in folder.glob("guard-*.json"))
    return any(charge is not None and charge.drill == drill and charge.is_open for charge in charges)


def _close(path: Path, lines: Lines, now: float) -> Record:
    book = Journal(path)
    try:
        opened = journal.last(book.entries, "opened") or {}
        step, restored = _step(book.entries), _restored(book.entries, lines)
        why = f"interrupted {step}; {restored}"
        ended = journal.last(book.entries, "ended")
        if ended is None:
            book.write("interrupted", now, why=why)
        begun = float(book.entries[0]["at"])
        sealing.write(path.parent, "guard.json", list(lines))
        if not (path.parent / sealing.RECORD).exists():
            body = {
                "drill": opened.get("drill", path.parent.name),
                "fleet": opened.get("fleet", ""),
                "terminal": opened.get("terminal", ""),
                "playbook": opened.get("playbook", ""),
                "version": opened.get("version", 0),
                "title": opened.get("title", ""),
                "kind": "interrupted",
                "who": (journal.last(book.entries, "approved") or opened).get("who", ""),
                "approver": opened.get("approver", ""),
                "begun": begun,
                "ended": now,
                "result": "aborted",
                "why": why,
                "limits": opened.get("limits", {}),
                "timezone": opened.get("timezone", "UTC"),
                "preconditions": (journal.last(book.entries, "preconditions") or {}).get("found", []),
                "criteria": [],
                "rounds": [],
            }
            sealing.write(path.parent, sealing.RECORD, body)
    finally:
        book.close()
    sealing.seal(path.parent)
    record = evidence.read(path.parent)
    log.warning("a drill was interrupted", extra=kv(terminal=record.terminal, drill=record.id, why=record.body["why"]))
    return record


def _step(entries: Sequence[Entry]) -> str:
    step, done = journal.last(entries, "step"), journal.last(entries, "step done")
    if step is None:
        return "before its first step"
    if done is not None and done["n"] > step["n"]:
        return f"after the step {step['step']}"
    return f"in the step {step['step']}"


def _restored(entries: Sequence[Entry], lines: Lines) -> str:
    """What became of the primary."""
    # A guard on this machine knows better than the runner, whose intent may have come to nothing.
    cut = any(entry["what"] == "cut begins" for entry in lines or entries)
    if not cut:
        return "nothing was cut"
    undone = next((line for line in reversed(lines) if line["what"] in ("undone", "the primary carries again")), None)
    if undone is not None:
        fired = next((line for line in reversed(lines) if line["what"] == "fired"), None)
        return f"the primary was restored by the guard: {fired['why']}" if fired else "the primary was restored"
    if journal.last(entries, "restored") is not None:
        return "the primary was restored"
    return "the guard in the terminal holds the undo"
