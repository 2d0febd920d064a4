"""The roster: the user's own lists of trucks and drivers, which everything that a vendor says is compared with.

`trucks.csv` has a row per truck: truck, tablet, sims, eld, eld_model, terminal, group, status, until, note.
`drivers.csv` has one per driver: code, hired, left, logs, eld, terminal. A list of revoked ELDs has model, revoked.
Numbers that identify a device or a SIM stand in these files and in memory only; what is shown are the names given here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from yardlight.errors import InventoryError, Problem
from yardlight.inventory.table import Cell, Row, problem_at, read_table
from yardlight.inventory.values import checked_name
from yardlight.inventory.words import choice
from yardlight.things import no_serial

Status = Literal["active", "parked", "repair", "leave", "retired"]
Logs = Literal["eld", "paper", "exempt"]
T = TypeVar("T")

_HOME = ("yard", "depot", "hometerminal", "home")
TRUCK_COLUMNS = {
    "truck": ("unit", "vehicle", "unitnumber", "truckid"),
    "tablet": ("device", "serial", "tabletserial", "devicename"),
    "sims": ("sim", "iccid", "iccids"),
    "eld": ("eldid", "eldserial"),
    "eld_model": ("eldmodel", "elddevice"),
    "terminal": _HOME,
    "group": ("role", "team"),
    "status": ("state",),
    "until": ("statusuntil", "back"),
    # For whoever keeps the list; a draft says here what was found by what.
    "note": ("notes", "comment", "comments", "remark", "remarks"),
}
DRIVER_COLUMNS = {
    "code": ("driver", "drivercode", "id"),
    "hired": ("hiredate", "start"),
    "left": ("leavedate", "end", "terminated"),
    "logs": ("logtype", "hos"),
    "eld": ("eldid", "elddriver"),
    "terminal": _HOME,
}
REVOKED_COLUMNS = {
    "model": ("eldmodel", "device", "name"),
    "revoked": ("revokedon", "date"),
    "note": ("notes", "comment", "comments", "remark", "remarks"),
}
_YEARS = range(1900, 2200)
_ICCID = re.compile(r"89\d{16,18}F?", re.IGNORECASE)
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)
_MAKE_TEXT = "a spreadsheet rounded it: make the column text"


@dataclass(frozen=True)
class Tablet:
    """A tablet: its name here, and how its MDM knows it (serial number or device name)."""

    name: str
    key: str


@dataclass(frozen=True)
class SimCard:
    """A SIM: its name here and its ICCID, digits only."""

    name: str
    iccid: str


@dataclass(frozen=True)
class Truck:
    """One row of trucks.csv. `until` is the last day on which `status` holds; of one that is retired, its own last."""

    name: str
    tablet: Tablet | None = None
    sims: tuple[SimCard, ...] = ()
    eld: str | None = None
    terminal: str | None = None
    group: str | None = None
    status: Status = "active"
    until: date | None = None
    eld_model: str | None = None

    def works(self, day: date) -> bool:
        """Whether it is expected to be on duty on this day."""
        if self.ends:
            last = self.last_day
            return last is not None and day <= last
        return self.status == "active" or (self.until is not None and day > self.until)

    @property
    def ends(self) -> bool:
        """Whether there is a day after which it is never on duty again, by this row."""
        return self.status == "retired" or (self.status == "active" and self.until is not None)

    def left(self, day: date) -> bool:
        """Whether nobody expects anything of it any more on this day."""
        return self.status == "retired" or (self.ends and not self.works(day))

    @property
    def last_day(self) -> date | None:
        """That day; None for none, or where the row does not say when it was retired."""
        return self.until if self.ends else None


@dataclass(frozen=True)
class Driver:
    """One row of drivers.csv: a code, never a name. Employed from `hired` to `left`, both included.

    `eld` is what the platform of the logs has for the code, where that is something else. `terminal` is the home, by
    whose clock the log is kept.
    """

    code: str
    hired: date | None = None
    left: date | None = None
    logs: Logs = "eld"
    eld: str | None = None
    terminal: str | None = None


@dataclass(frozen=True)
class RevokedEld:
    """One row of the list of ELD models that FMCSA took off its register, and the day on which it did."""

    model: str
    revoked: date


@dataclass(frozen=True)
class Roster:
    """The lists, in the order in which they are written."""

    trucks: tuple[Truck, ...] = ()
    drivers: tuple[Driver, ...] = ()
    revoked_elds: tuple[RevokedEld, ...] = ()


def read_trucks(table: Path, terminals: Collection[str], problems: list[Problem]) -> tuple[Truck, ...]:
    """The trucks of a CSV file. Mistakes go to `problems`, each with line and column; an empty list is one."""
    taken: dict[tuple[str, str], Cell] = {}

    def once(kind: str, value: str, cell: Cell, path: str) -> None:
        first = taken.setdefault((kind, value), cell)
        if first is not cell:
            problems.append(problem_at(cell.place, path, f"{kind} {value!r} is already in line {first.place.line}"))

    def truck(row: Row) -> Truck:
        name = _said(row, "truck", checked_name, problems) or ""
        once("truck", name, row["truck"], "truck")
        tablet = _tablet(row["tablet"], name, problems) if "tablet" in row else None
        if tablet is not None:
            once("tablet", tablet.key.casefold(), row["tablet"], "tablet")
            once("tablet name", tablet.name, row["tablet"], "tablet")
        sims = tuple(_sims(row["sims"], name, problems)) if "sims" in row else ()
        for sim in sims:
            # The number itself is not repeated.
            if (first := taken.setdefault(("iccid", sim.iccid), row["sims"])) is not row["sims"]:
                problems.append(
                    problem_at(row["sims"].place, "sims", f"a SIM that is already in line {first.place.line}")
                )
            once("SIM name", sim.name, row["sims"], "sims")
        return Truck(
            name, tablet, sims,
            row["eld"].text if "eld" in row else None,
            _terminal(row, terminals, problems),
            _said(row, "group", checked_name, problems),
            _said(row, "status", _one_of(Status), problems) or "active",
            _said(row, "until", _date, problems),
            row["eld_model"].text if "eld_model" in row else None,
        )  # fmt: skip

    return _read(table, TRUCK_COLUMNS, "truck", truck, problems)


def read_drivers(table: Path, terminals: Collection[str], problems: list[Problem]) -> tuple[Driver, ...]:
    """The drivers of a CSV file. Mistakes go to `problems`, each with line and column; an empty list is one."""
    taken: dict[tuple[str, str], Cell] = {}

    def driver(row: Row) -> Driver:
        cell = row["code"]
        first = taken.setdefault(("code", cell.text), cell)
        if first is not cell:
            problems.append(
                problem_at(cell.place, "code", f"driver {cell.text!r} is already in line {first.place.line}")
            )
        hired, left = _said(row, "hired", _date, problems), _said(row, "left", _date, problems)
        if hired and left and left < hired:
            problems.append(problem_at(row["left"].place, "left", f"{left} is before hired, {hired}"))
        logs: Logs = _said(row, "logs", _one_of(Logs), problems) or "eld"
        eld = row["eld"].text if "eld" in row else None
        if eld is not None and (same := taken.setdefault(("eld", eld.casefold()), row["eld"])) is not row["eld"]:
            message = f"a driver's id that is already in line {same.place.line}"
            problems.append(problem_at(row["eld"].place, "eld", message))
        home = _terminal(row, terminals, problems)
        return Driver(_said(row, "code", checked_name, problems) or "", hired, left, logs, eld, home)

    return _read(table, DRIVER_COLUMNS, "code", driver, problems)


def read_revoked_elds(table: Path, problems: list[Problem]) -> tuple[RevokedEld, ...]:
    """The revoked models of a CSV file. Mistakes go to `problems`, each with line and column."""

    def revoked(row: Row) -> RevokedEld:
        day = _said(row, "revoked", _date, problems)
        if "revoked" not in row:
            problems.append(problem_at(row["model"].place, "revoked", "is missing; write the day like 2026-02-03"))
        return RevokedEld(row["model"].text, day or date.max)

    return _read(table, REVOKED_COLUMNS, "model", revoked, problems)


def _read(
    table: Path,
    columns: dict[str, tuple[str, ...]],
    key: str,
    made: Callable[[Row], T],
    problems: list[Problem],
) -> tuple[T, ...]:
    before = len(problems)
    try:
        found = tuple(made(row) for row in read_table(table, columns, key, problems))
    except InventoryError as error:
        if error.problems is not problems:
            problems.extend(error.problems)
        return ()
    if not found and len(problems) == before:
        problems.append(
            Problem(str(table), 1, 1, "", "there is no row below the headings; an empty roster is not used")
        )
    return found


def _said(row: Row, column: str, parse: Callable[[str], T], problems: list[Problem]) -> T | None:
    cell = row.get(column)
    if cell is None:
        return None
    try:
        return parse(cell.text)
    except ValueError as error:
        problems.append(problem_at(cell.place, column, str(error)))
        return None


def _terminal(row: Row, terminals: Collection[str], problems: list[Problem]) -> str | None:
    """The home that a row names, if it is one of the inventory's terminals."""
    cell = row.get("terminal")
    if cell is not None and cell.text not in terminals:
        hint = choice(cell.text, terminals, "terminals")
        problems.append(problem_at(cell.place, "terminal", f"there is no terminal {cell.text!r}; {hint}"))
    return None if cell is None else cell.text


def _one_of(choices: object) -> Callable[[str], Any]:
    known = get_args(choices)

    def parse(text: str) -> Any:
        if text.lower() not in known:
            raise ValueError(f"{text!r} is not one of {', '.join(known)}")
        return text.lower()

    return parse


def _date(text: str) -> date:
    """A day of these times: what is written for "never" is later, and days are counted from some of these on."""
    try:
        if (day := date.fromisoformat(text)).year in _YEARS:
            return day
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not a date; write 2026-02-03") from None


def _tablet(cell: Cell, truck: str, problems: list[Problem]) -> Tablet | None:
    """'R52M30ABCDE' is the tablet of its truck and named like it; 'T112=R52M30ABCDE' has a name of its own.

    What only stands for a number, such as n/a, is no tablet.
    """
    name, named, key = (part.strip() for part in cell.text.rpartition("="))
    try:
        if named and not key:
            raise ValueError(f"there is no serial number behind {cell.text!r}")
        if _ROUNDED.fullmatch(key):
            raise ValueError(f"{key!r} is no serial number; {_MAKE_TEXT}")
        return None if no_serial(key) else Tablet(checked_name(name) if named else truck, key)
    except ValueError as error:
        problems.append(problem_at(cell.place, "tablet", str(error)))
        return None


def _sims(cell: Cell, truck: str, problems: list[Problem]) -> Iterator[SimCard]:
    """Several are divided by spaces; '8914...' is named like its truck, 'T112=8914...' has a name of its own."""
    parts = cell.text.replace(";", " ").split()
    for number, part in enumerate(parts, 1):
        name, named, iccid = part.rpartition("=")
        if not _ICCID.fullmatch(iccid):
            rounded = f"; {_MAKE_TEXT}" if _ROUNDED.fullmatch(iccid) else ""
            message = f"{len(iccid)} characters that are not an ICCID: 18 to 20 digits from 89 on{rounded}"
            problems.append(problem_at(cell.place, "sims", message))
            continue
        try:
            own = checked_name(name) if named else truck if len(parts) == 1 else f"{truck}-{number}"
        except ValueError as error:
            problems.append(problem_at(cell.place, "sims", str(error)))
            continue
        yield SimCard(own, iccid.rstrip("Ff"))
