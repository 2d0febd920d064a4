"""The database of the demo: what a program for dispatch and accounting in the house keeps, as SQLite, and its faults.

Tables and columns are made up in the manner of such programs. Each load is billed; every few seconds some of the
movements and bills are touched, as people work on them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from yardlight.demo.telematics import FakeTruck, VendorError

NAME = "tms"
FILE = "tms.db"
# So many seconds apart; each time one in so many is touched.
EVERY, _SHARE = 10.0, 6
_LOST, _WRONG, _FACTOR = 5, 4, 1.2
_SCHEMA = """
CREATE TABLE movement (
    id TEXT PRIMARY KEY, tractor_id TEXT NOT NULL, status TEXT NOT NULL, move_distance REAL NOT NULL,
    last_changed TEXT NOT NULL
);
CREATE TABLE bill (
    bill_number TEXT PRIMARY KEY, movement_id TEXT NOT NULL, billed_distance REAL NOT NULL, last_changed TEXT NOT NULL
);
"""
_ADDED = (
    "INSERT INTO movement VALUES (:id, :unit, 'P', :miles, :now)",
    "INSERT INTO bill VALUES ('B' || :id, :id, :miles, :now)",
)
_TOUCHED = (
    "UPDATE movement SET last_changed = :now WHERE rowid % :share = :turn",
    "UPDATE bill SET last_changed = :now WHERE rowid % :share = :turn",
)
_FAULTS = {
    "lost": ("DELETE FROM bill WHERE rowid <= :lost",),
    "miles": (
        "UPDATE bill SET billed_distance = billed_distance * :factor, last_changed = :now WHERE rowid > :all - :wrong",
    ),
}
_HEALED = (
    "INSERT OR IGNORE INTO bill (rowid, bill_number, movement_id, billed_distance, last_changed)"
    " SELECT rowid, 'B' || id, id, move_distance, :now FROM movement",
    "UPDATE bill SET billed_distance = (SELECT move_distance FROM movement WHERE id = movement_id)",
)
LIST = """\
Or the database of dispatch and accounting (a file of SQLite):
  tms=stopped                     nothing is written to it any more (told after three minutes)
  tms=lost                        5 loads are dispatched and were never billed (told after a quarter of an hour)
  tms=miles                       4 bills have 20 % more miles than were dispatched (told after ten minutes)
  tms=heal                        everything is well again"""


class BackEnd:
    """The database in the demo's folder; `work` is called again and again. `clock` tells unix seconds."""

    def __init__(self, trucks: list[FakeTruck], clock: Callable[[], float], zone: ZoneInfo) -> None:
        self._trucks, self._clock, self._zone = trucks, clock, zone
        self._file: Path | None = None
        self._turn = 0
        self._faults: set[str] = set()

    def write(self, folder: Path) -> None:
        """A new database, in place of whatever an earlier demo left."""
        self._file = folder / FILE
        self._file.unlink(missing_ok=True)
        with self._open() as database:
            database.executescript(_SCHEMA)
            for truck in self._trucks:
                values = {"id": f"M{10_000 + truck.number}", "unit": truck.unit, "miles": 320.0 + truck.number * 7}
                self._run(database, *_ADDED, **values)

    def work(self) -> None:
        """What people do in a few seconds."""
        if self._file is not None and "stopped" not in self._faults:
            self._turn = (self._turn + 1) % _SHARE
            with self._open() as database:
                self._run(database, *_TOUCHED, share=_SHARE, turn=self._turn)

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off; what is true now. Raises `VendorError` saying what is accepted."""
        if action not in ("stopped", "heal", *_FAULTS):
            raise VendorError(f"{NAME}={action}: the database can be: stopped, lost, miles, heal\n{LIST}")
        with self._open() as database:
            if action == "heal":
                self._faults.clear()
                self._run(database, *_HEALED)
            else:
                self._faults.add(action)
                numbers = {"lost": _LOST, "wrong": _WRONG, "factor": _FACTOR, "all": len(self._trucks)}
                self._run(database, *_FAULTS.get(action, ()), **numbers)
        return f"{NAME}: {self.truth()}"

    def truth(self) -> str:
        """What is really so, in words."""
        return ", ".join(sorted(self._faults)) or "all well"

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database; what is done in the block is done whole or not at all."""
        assert self._file is not None
        with contextlib.closing(sqlite3.connect(self._file)) as database, database:
            yield database

    def _run(self, database: sqlite3.Connection, *commands: str, **values: object) -> None:
        # Local time, as such programs write it.
        now = datetime.fromtimestamp(self._clock(), self._zone).strftime("%Y-%m-%d %H:%M:%S")
        for command in commands:
            database.execute(command, {"now": now, **values})
