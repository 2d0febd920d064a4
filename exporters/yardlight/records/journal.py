"""What people did to a fleet's archives: asked for records, downloaded them, accepted a change. Line bound to line."""

from __future__ import annotations

import time
from pathlib import Path

from yardlight.drills.journal import Journal
from yardlight.errors import DrillError, RecordsError
from yardlight.records.evidence import JOURNAL

_PATIENCE = 5.0


def note(folder: Path, what: str, **facts: str) -> None:
    """One line, on the disk when this returns. Raises `RecordsError`: then nothing may be given away."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            journal = Journal(folder / JOURNAL)
        except DrillError as error:
            # Somebody else writes a line just now.
            if time.monotonic() < deadline and "another process" in str(error):
                time.sleep(0.05)
                continue
            raise RecordsError(str(error)) from None
        try:
            journal.write(what, time.time(), **facts)
        except DrillError as error:
            raise RecordsError(str(error)) from None
        finally:
            journal.close()
        return
