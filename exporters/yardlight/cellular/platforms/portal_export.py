"""Exports of a carrier's portal, laid into a folder by hand or by a scheduled mail: platform `csv`.

A file is taken when it is whole: not written to for a while, its last line ended. What was written halfway is left for
the next collection, and complained of if nobody goes on writing. The newest file is read each time, older ones once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from yardlight import drop
from yardlight.cellular.account import Cost, SimAccount, directory, support
from yardlight.cellular.history import midnight, ordinal
from yardlight.cellular.reading import amount, name_of, period
from yardlight.cellular.usage import (
    SIM_STATES,
    UNITS,
    Directory,
    Left,
    Plan,
    Record,
    Refused,
    Sim,
    SimState,
    Usage,
    Used,
)
from yardlight.collection import Session
from yardlight.errors import BadReplyError, IncompleteError
from yardlight.inventory.model import Model
from yardlight.inventory.values import TimeForm
from yardlight.moment import NEVER, moment

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
_WITH_UNIT = re.compile(r"([-+]?[\d.,]+)\s*([KMGT]i?B|B|bytes?)?", re.IGNORECASE)
# Between thousands, where that is neither a point nor a comma.
_GAP = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'\u2019](?=\d{3}(?!\d))")
_POINTS_AND_COMMAS = str.maketrans(".,", ",.")
_NOTHING = ("", "-", "--", "n/a", "na", "none", "null", "never")
_LIKE = datetime(2026, 11, 30, 13, 59, 59)
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
    activated: str | None = None
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
    dates: TimeForm | None = None
    decimal: Literal[".", ","] = "."
    encoding: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]+$")] = None

    @property
    def tells_activation(self) -> bool:
        return self.columns.activated is not None


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
        mistake, used, refused, odd = None, list[Usage](), list[Refused](), set[str]()
        for line, name, said in _rows(export, reply.directory, config):
            activated = None
            try:
                activated = _moment(said.get("activated", ""), _where(export, line, "activated", config), config)
                use = _usage(name, said, export, line, config)
            except BadReplyError as error:
                mistake, use = mistake or error, Refused(name, why=str(error))
                odd.add(name)
            sims[name] = _sim(name, said, activated, export.at, reply.directory, config)
            if isinstance(use, Usage):
                used.append(use)
            else:
                refused.append(use)
        # One odd row costs one SIM, since its other rows may be parts of the same; where no row can be read it is the
        # form of all of them.
        if mistake is not None and not used:
            raise mistake
        told += [*_added([use for use in used if use.sim not in odd]), *refused]
    yield from sims.values()
    yield from told


def _added(used: list[Usage]) -> list[Usage]:
    """Rows of one SIM that tell of the same time are parts of one figure: sessions, countries, services."""
    whole: dict[Usage, Usage] = {}
    for use in used:
        what = replace(use, amount=replace(use.amount, bytes=0))
        before = whole.get(what, what)
        whole[what] = replace(use, amount=replace(use.amount, bytes=before.amount.bytes + use.amount.bytes))
    return list(whole.values())


def _rows(export: drop.Export, directory: Directory, config: Config) -> Iterator[tuple[int, str, dict[str, str]]]:
    """Each row of a SIM: its line, the name of the SIM, its cells."""
    for line, said in drop.rows(export.text, config.columns.model_dump(exclude_none=True), export.name):
        number = drop.bare(said.get("iccid", ""))
        # Below the SIMs stand words, such as those of a total.
        if sum(map(str.isdigit, number)) > sum(map(str.isalpha, number)):
            yield line, name_of(number, directory, f"{export.name}:{line}"), said


def _sim(
    name: str, said: dict[str, str], activated: float | None, at: float, directory: Directory, config: Config
) -> Sim:
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
        activated=activated,
        plan=named,
        device=directory.device(imei),
        called=said.get("name", ""),
        iccid=drop.bare(said.get("iccid", "")),
        imei=imei,
        phone=drop.bare(said.get("phone", "")),
    )


def _usage(name: str, said: dict[str, str], export: drop.Export, line: int, config: Config) -> Usage | Refused:
    """What a row tells of the use: a day's, a total, or what is left.

    Raises `BadReplyError` for what is no date and no amount, with what is accepted.
    """

    def when(key: str) -> float | None:
        return _moment(said.get(key, ""), _where(export, line, key, config), config)

    def bytes_of(key: str) -> int | None:
        cell, found = said.get(key, ""), _amount(said, key, config)
        if found is None and cell.lower() not in _NOTHING:
            raise BadReplyError(
                f"{_where(export, line, key, config)}: {cell[:40]!r} is not an amount in"
                f" {said.get('unit') or config.unit} with {config.decimal!r} before its decimals; units are {UNITS}"
            )
        return found

    used, left = bytes_of("used"), bytes_of("left")
    cycle = period(when("cycle_start"), when("cycle_end"))
    as_of, begins = when("as_of"), when("day")
    until = export.at if as_of is None else min(as_of, export.at)
    if config.columns.day is not None:
        if used is None or begins is None:
            return Refused(name)
        zone = ZoneInfo(config.timezone)
        day = ordinal(begins, zone)
        return Usage(Used(used), min(midnight(day + 1, zone), export.at), name, cycle=cycle, day=day)
    if used is not None:
        return Usage(Used(used), until, name, cycle=cycle)
    return Refused(name) if left is None else Usage(Left(left), until, name, cycle=cycle)


def _where(export: drop.Export, line: int, key: str, config: Config) -> str:
    return f"{export.name}:{line}: {getattr(config.columns, key)}"


def _amount(said: dict[str, str], key: str, config: Config) -> int | None:
    """Bytes of a cell, which may name its unit itself."""
    raw = _GAP.sub("", said.get(key, ""))
    if config.decimal == ",":
        raw = raw.translate(_POINTS_AND_COMMAS)
    match = _WITH_UNIT.fullmatch(raw)
    unit = said.get("unit") or config.unit
    return amount(match[1], match[2] or unit, binary=config.binary) if match else None


def _moment(cell: str, where: str, config: Config) -> float | None:
    """Unix seconds; None for never and for nothing. Raises `BadReplyError` for what is no date.

    Which of two numbers is the month nobody knows without `dates`.
    """
    if cell.lower() in _NOTHING or cell.startswith("9999"):
        return None
    told = None
    if config.dates is not None or "/" not in cell:
        told = moment(drop.dated(cell, config.dates), ZoneInfo(config.timezone))
    if told is None:
        form = "2026-11-30" if config.dates is None else _LIKE.strftime(config.dates)
        raise BadReplyError(f"{where}: {cell[:40]!r} is not a date like {form!r}; its form is told by `dates`")
    return None if told == NEVER else told
