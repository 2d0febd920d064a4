"""Exports of an MDM's console, laid into a folder by hand or by a scheduled report: platform `csv`.

The newest file that is whole is the list of all devices, as of when it was written: silence is counted until then and
no further. One that is older than `max_age` is no list any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from yardlight import drop
from yardlight.collection import Session
from yardlight.errors import BadReplyError, IncompleteError
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.model import Model
from yardlight.inventory.values import Duration, TimeForm
from yardlight.mdm.device import COMPLIANCE, Compliance, Device, Record, Tenant
from yardlight.mdm.listing import complete
from yardlight.mdm.support import support
from yardlight.moment import NEVER, Moment, moment
from yardlight.things import no_serial

SUPPORT = support(
    "CSV export of any MDM's console",
    rights="none: files",
    last_word="a column",
    compliance="a column",
    no_policy="a column",
    group="a column",
    evidence="own files",
)

_NEVER = frozenset({"", "-", "never", "n/a", "none", "null", "not available"})
_DAY_FIRST = re.compile(r"(1[3-9]|2\d|3[01])/\d{1,2}/\d{4}")
_WORDS: dict[str, Compliance] = {
    **{said: said for said in COMPLIANCE},
    "yes": "compliant",
    "true": "compliant",
    "no": "noncompliant",
    "false": "noncompliant",
    "not compliant": "noncompliant",
    "non-compliant": "noncompliant",
    "in grace period": "grace",
}


class Columns(Model):
    """The headings of an export, as written there, for what we know by these names."""

    serial: str | None = None
    name: str | None = None
    checkin: str
    group: str | None = None
    os: str | None = None
    os_version: str | None = None
    enrolled: str | None = None
    compliance: str | None = None
    iccid: str | None = None
    imei: str | None = None
    phone: str | None = None

    @model_validator(mode="after")
    def _identified(self) -> Self:
        if self.serial is None and self.name is None:
            raise ValueError("nothing tells one device from another; write serial or name, best both")
        return self


def _lowered(raw: object) -> object:
    return {str(key).lower(): value for key, value in raw.items()} if isinstance(raw, dict) else raw


class Config(AccountConfig):
    """`folder` beside the inventory; `dates` as Python's strptime; `words` of the export for states of compliance."""

    folder: str
    files: str = "*.csv"
    columns: Columns
    max_age: Duration = 26 * 3600.0
    dates: TimeForm | None = None
    words: Annotated[dict[str, Compliance], BeforeValidator(_lowered)] = {}
    encoding: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9_-]+$")] = None


def fetch(config: Config, session: Session) -> drop.Export:
    """The newest whole file. Raises `PollError`."""
    now = session.clock()
    for path, stat in reversed(drop.files(session.base / config.folder, config.files)):
        if (text := drop.content(path, now - stat.st_mtime, config.encoding)) is not None:
            if now - stat.st_mtime > config.max_age:
                hours = (now - stat.st_mtime) / 3600.0
                raise IncompleteError(f"{path.name}: written {hours:.0f} h ago, and no whole file since")
            return drop.Export(path.name, stat.st_mtime, text)
    raise IncompleteError(f"{config.folder}: no whole file {config.files} yet")


def parse(reply: drop.Export, config: Config) -> Iterator[Record]:
    """The devices, and when they were so. Raises `BadReplyError`."""
    columns = config.columns.model_dump(exclude_none=True)
    rows = list(drop.rows(reply.text, columns, reply.name))
    _dates_fit([said.get("checkin", "") for _, said in rows], config, reply.name)
    yield from complete(_devices(rows, reply.name, config), reply.name)
    yield Tenant(as_of=reply.at)


def _dates_fit(cells: Iterable[str], config: Config, name: str) -> None:
    """Raises `BadReplyError` if `dates` fits none of these, or if one shows that the day stands before the month."""
    told = [cell for cell in cells if cell.lower() not in _NEVER]
    if config.dates is not None and told and not any(drop.dated(cell, config.dates) for cell in told):
        raise BadReplyError(f"{name}: no time in column {config.columns.checkin!r} has the form of `dates`")
    if config.dates is None and any(_DAY_FIRST.match(cell) for cell in told):
        form = "%d/%m/%Y %H:%M"
        raise BadReplyError(f"{name}: days before months in column {config.columns.checkin!r}; write dates: {form!r}")


def _devices(rows: Iterable[tuple[int, dict[str, str]]], name: str, config: Config) -> Iterator[Device]:
    zone = ZoneInfo(config.timezone)
    words = _WORDS | config.words
    for line, said in rows:
        serial = drop.bare(said.get("serial", ""))
        if not (id_ := said.get("name", "") if no_serial(serial) else serial):
            raise BadReplyError(f"{name}:{line}: a device without a serial number and a name")
        yield Device(
            id=id_,
            serial=serial,
            name=said.get("name", ""),
            group=said.get("group", ""),
            os=said.get("os", ""),
            os_version=said.get("os_version", ""),
            checkin=_moment(said.get("checkin"), config, zone),
            enrolled=_moment(said.get("enrolled"), config, zone),
            compliance=words.get(said.get("compliance", "").lower(), "unknown"),
            iccids=(iccid,) if (iccid := drop.bare(said.get("iccid", ""))) else (),
            imei=drop.bare(said.get("imei", "")),
            phone=drop.bare(said.get("phone", "")),
        )


def _moment(raw: str | None, config: Config, zone: ZoneInfo) -> Moment:
    """A cell that is empty says never; one that the row does not have says nothing."""
    if raw is None:
        return None
    return NEVER if raw.lower() in _NEVER else moment(drop.dated(raw, config.dates), zone)
