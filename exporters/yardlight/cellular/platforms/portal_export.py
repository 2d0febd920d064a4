"""Exports of a carrier's portal, laid into a folder by hand or by a scheduled mail: platform `csv`.

A file is taken when it is whole: not written to for a while, its last line ended. What was written halfway is left for
the next collection, and complained of if nobody goes on writing. The newest file is read each time, older ones once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from yardlight import drop
from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.history import midnight, ordinal
from yardlight.cellular.reading import amount, moment, name_of, period
from yardlight.cellular.usage import SIM_STATES, Directory, Left, Plan, Record, Refused, Sim, SimState, Usage, Used
from yardlight.collection import Session
from yardlight.errors import IncompleteError
from yardlight.inventory.model import Model

SUPPORT = support(
    "CSV export of any carrier's portal",
    usage="cycle so far, days, or what is left: as exported",
    cap="a column",
    cycle="columns",
    session="no",
    pool="no",
    late="that of the export",
    evidence="own files",
)
# Files.
COST = Cost(once=0)

_KEPT = 60
_YES, _NO = ("yes", "y", "true", "1", "roaming"), ("no", "n", "false", "0", "home")
_WITH_UNIT = re.compile(r"([-+]?[\d.,]+)\s*([KMGT]?B)?", re.IGNORECASE)
_STATES: dict[str, SimState] = {
    **{state: state for state in SIM_STATES},
    "activated": "active",
    "deactivated": "terminated",
    "suspend": "suspended",
}


class Columns(Model):
    """The headings of an export, as written there, for what we know by these names; `unit` and `day` beside `used`.

    `roaming` has yes or no.
    """

    iccid: str
    name: str | None = None
    imei: str | None = None
    phone: str | None = None
    used: str | None = None
    left: str | None = None
    unit: str | None = None
    cap: str | None = None
    plan: str | None = None
    state: str | None = None
    roaming: str | None = None
    day: str | None = None
    as_of: str | None = None
    cycle_start: str | None = None
    cycle_end: str | None = None


class Config(SimAccount):
    """`folder` beside the inventory; `unit` of the amounts without a column for it; `dates` as Python's strptime."""

    folder: str
    files: str = "*.csv"
    columns: Columns
    unit: Literal["B", "KB", "MB", "GB", "TB"] = "MB"
    dates: str | None = None
    decimal: Literal[".", ","] = "."
    encoding: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]+$")] = None


@dataclass(frozen=True)
class Reply:
    """Exports in the order in which they were written."""

    directory: Directory
    exports: list[drop.Export]


def fetch(config: Config, session: Session) -> Reply:
    known = directory(config, session)
    found = drop.files(session.base / config.folder, config.files)
    seen: dict[str, list[float]] = session.memory.get("seen", {})
    marks = {path.name: [stat.st_mtime, float(stat.st_size)] for path, stat in found}
    exports: list[drop.Export] = []
    taken: dict[str, list[float]] = {}
    for path, stat in reversed(found[-_KEPT:]):
        newest, mark = not exports, marks[path.name]
        if not newest and seen.get(path.name) == mark:
            taken[path.name] = mark
            continue
        if (text := drop.content(path, session.clock() - stat.st_mtime, config.encoding)) is not None:
            exports.insert(0, drop.Export(path.name, stat.st_mtime, text))
            taken[path.name] = mark
    if not exports:
        raise IncompleteError(f"{config.folder}: no whole file {config.files} yet")
    session.memory = {**session.memory, "seen": taken}
    return Reply(known, exports)


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    sims: dict[str, Sim] = {}
    told: list[Record] = []
    for export in reply.exports:
        columns = config.columns.model_dump(exclude_none=True)
        for line, said in drop.rows(export.text, columns, export.name):
            number = drop.bare(said.get("iccid", ""))
            # Below the SIMs stand words, such as those of a total.
            if sum(map(str.isdigit, number)) > sum(map(str.isalpha, number)):
                name = name_of(number, reply.directory, f"{export.name}:{line}")
                sims[name] = _sim(name, said, export.at, reply.directory, config)
                told.append(_usage(name, said, export.at, config))
    yield from sims.values()
    yield from told


def _sim(name: str, said: dict[str, str], at: float, directory: Directory, config: Config) -> Sim:
    imei = drop.bare(said.get("imei", ""))
    cap, plan = _amount(said, "cap", config), said.get("plan", "")
    state = _STATES.get(said.get("state", "").lower(), "unknown")
    named = Plan(plan, cap) if plan or cap is not None else None
    word = said.get("roaming", "").lower()
    return Sim(
        name,
        at,
        carrier=config.network,
        state=state,
        roaming=word in _YES if word in (*_YES, *_NO) else None,
        plan=named,
        device=directory.device(imei),
        called=said.get("name", ""),
        iccid=drop.bare(said.get("iccid", "")),
        imei=imei,
        phone=drop.bare(said.get("phone", "")),
    )


def _usage(name: str, said: dict[str, str], at: float, config: Config) -> Record:
    """What a row, written at `at`, tells of the use: a day's, a total, or what is left."""
    used, left = _amount(said, "used", config), _amount(said, "left", config)
    cycle = period(_moment(said, "cycle_start", config), _moment(said, "cycle_end", config))
    as_of, begins = _moment(said, "as_of", config), _moment(said, "day", config)
    until = at if as_of is None else min(as_of, at)
    if used is not None and begins is not None:
        zone = ZoneInfo(config.timezone)
        day = ordinal(begins, zone)
        return Usage(Used(used), min(midnight(day + 1, zone), at), name, cycle=cycle, day=day)
    if used is not None:
        return Usage(Used(used), until, name, cycle=cycle)
    return Refused(name) if left is None else Usage(Left(left), until, name, cycle=cycle)


def _amount(said: dict[str, str], key: str, config: Config) -> int | None:
    """Bytes of a cell, which may name its unit itself."""
    raw = said.get(key, "")
    if config.decimal == ",":
        raw = raw.replace(".", "").replace(",", ".")
    match = _WITH_UNIT.fullmatch(raw)
    unit = said.get("unit") or config.unit
    return amount(match[1], match[2] or unit, binary=config.binary) if match else None


def _moment(said: dict[str, str], key: str, config: Config) -> float | None:
    return moment(drop.dated(said.get(key, ""), config.dates), ZoneInfo(config.timezone))
