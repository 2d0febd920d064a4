"""What people did to a fleet's archives: asked for records, downloaded them, accepted a change. Line bound to line."""

from __future__ import annotations

from pathlib import Path

from yardlight import journal
from yardlight.errors import JournalError, RecordsError
from yardlight.records.evidence import JOURNAL


def note(folder: Path, what: str, /, **facts: str) -> None:
    """One line, on the disk when this returns. Raises `RecordsError`: then nothing may be given away."""
    try:
        journal.note(folder / JOURNAL, what, **facts)
    except JournalError as error:
        raise RecordsError(str(error)) from None
