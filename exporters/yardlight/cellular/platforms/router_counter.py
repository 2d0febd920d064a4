"""A router's own counters, for plans of which no API tells: over SNMP, or an interface of this machine.

They are exact and at once, and they are not the carrier's: what it rounds up, charges for control traffic or counts on
another SIM is not in them. They wrap, and start anew when the router does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from yardlight.cellular.account import Cost, support
from yardlight.cellular.usage import Count, Record, Refused
from yardlight.collection import Session
from yardlight.errors import PollError, SecretError, SnmpError, UnreachableError
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.model import Model, Name
from yardlight.inventory.models import Address, Snmp
from yardlight.inventory.router_rules import SECRET_FILES
from yardlight.snmp import Oid, Value, oid
from yardlight.snmp import Session as Asking
from yardlight.snmp.agents import agent_of

SUPPORT = support(
    "Any router over SNMP, or an interface of this machine",
    usage="counters, in bytes",
    cap="no",
    cycle="no",
    session="no",
    pool="no",
    late="none; not the carrier's own count",
    evidence="own agent, kernel counters",
)
# What is asked is a router of yours.
COST = Cost(once=0)

_UPTIME = oid("1.3.6.1.2.1.1.3.0")
_NAME, _DESCRIPTION = oid("1.3.6.1.2.1.31.1.1.1.1"), oid("1.3.6.1.2.1.2.2.1.2")
_WIDE = {"received": oid("1.3.6.1.2.1.31.1.1.1.6"), "sent": oid("1.3.6.1.2.1.31.1.1.1.10")}
_NARROW = {"received": oid("1.3.6.1.2.1.2.2.1.10"), "sent": oid("1.3.6.1.2.1.2.2.1.16")}
_SYSTEM = Path("/sys/class/net")


def _oids(raw: tuple[str, ...]) -> tuple[str, ...]:
    for each in raw:
        if not re.fullmatch(r"\d+(\.\d+){3,}", each):
            raise ValueError(f"{each!r} is not an OID with its instance; write 1.3.6.1.4.1.48690.2.2.1.22.1")
    return raw


class Line(Model):
    """Where the bytes of one SIM are counted: an `interface` of this machine, or of the router at `address`.

    `oids` are counters of bytes where a router has better ones than those of its interfaces.
    """

    interface: str | None = None
    address: Address | None = None
    snmp: Snmp | None = None
    oids: Annotated[tuple[str, ...], AfterValidator(_oids)] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.address is None) != (self.snmp is None):
            raise ValueError("address and snmp go together; for an interface of this machine leave out both")
        if bool(self.oids) == (self.interface is not None) or (self.oids and self.address is None):
            raise ValueError("write either interface: wwan0, or oids: [...] with address and snmp")
        if (
            self.snmp is not None
            and (self.snmp.community_file if self.snmp.version == "2c" else self.snmp.user) is None
        ):
            raise ValueError("snmp needs community_file, or version: 3 with user")
        return self


def _some(raw: dict[str, Line]) -> dict[str, Line]:
    if not raw:
        raise ValueError("there is no line; write one per SIM, like fontana-standby: {interface: wwan0}")
    return raw


class Config(AccountConfig):
    """`lines` by the names of the SIMs."""

    lines: Annotated[dict[Name, Line], AfterValidator(_some)]


@dataclass(frozen=True)
class Reading:
    """Counters by their part, as read at `at`; `uptime` in seconds where it is told."""

    at: float
    counters: dict[str, int]
    uptime: float | None


Reply = dict[str, Reading | None]


def fetch(config: Config, session: Session) -> Reply:
    """What each line counts; None for one that cannot be read. Raises `PollError` if none can."""
    found: Reply = {}
    failed: PollError | None = None
    for sim, line in config.lines.items():
        try:
            found[sim] = _system(line, session) if line.address is None else asyncio.run(_asked(line, session))
        except SnmpError as error:
            found[sim], failed = None, _mapped(sim, error)
        except OSError as error:
            reason = (error.strerror or "error").lower()
            found[sim], failed = None, UnreachableError(f"{sim}: {line.interface} cannot be read: {reason}")
    if failed is not None and not any(found.values()):
        raise failed
    return found


def _mapped(sim: str, error: SnmpError) -> PollError:
    kind = SecretError if error.reason == "secret" else UnreachableError
    return kind(f"{sim}: {error}")


def _system(line: Line, session: Session) -> Reading:
    folder = _SYSTEM / str(line.interface) / "statistics"
    files = {"received": "rx_bytes", "sent": "tx_bytes"}
    counters = {part: int((folder / file).read_text()) for part, file in files.items()}
    return Reading(session.clock(), counters, float(Path("/proc/uptime").read_text().split()[0]))


async def _asked(line: Line, session: Session) -> Reading:
    assert line.address is not None
    assert line.snmp is not None
    files = {key: file for key in SECRET_FILES if (file := getattr(line.snmp, key)) is not None}
    located = {key: str(session.base / file) for key, file in files.items()}
    agent = agent_of(line.address, line.snmp.model_copy(update=located))
    async with Asking(agent, max(1.0, session.left() / 2)) as asking:
        wanted = {each: oid(each) for each in line.oids} or await _columns(asking, str(line.interface))
        values = await asking.get([_UPTIME, *wanted.values()])
    at, ticks = session.clock(), values.get(_UPTIME)
    counters = {part: value for part, name in wanted.items() if isinstance(value := values.get(name), int)}
    if len(counters) < len(wanted):
        raise SnmpError("bad_reply", f"counters of {line.interface or 'oids'} are not there")
    return Reading(at, counters, ticks / 100 if isinstance(ticks, int) else None)


async def _columns(asking: Asking, interface: str) -> dict[str, Oid]:
    """The counters of an interface: those of 64 bits where there are any that count."""
    walked = (await asking.walk((_NAME, _DESCRIPTION))).values
    index = next((name[-1] for name, value in walked.items() if _spelled(value) == interface), None)
    if index is None:
        raise SnmpError("bad_reply", f"there is no interface {interface!r}")
    wide = {part: (*column, index) for part, column in _WIDE.items()}
    values = await asking.get(wide.values())
    counts = any(isinstance(value, int) and value > 0 for value in values.values())
    # Told apart, so that one is never taken for a jump of the other.
    return wide if counts else {f"{part} (32 bits)": (*column, index) for part, column in _NARROW.items()}


def _spelled(value: Value) -> str:
    return value.decode("utf-8", "replace").strip("\0 ") if isinstance(value, bytes) else ""


def parse(reply: Reply, config: Config) -> Iterator[Record]:
    for sim, reading in reply.items():
        if reading is None:
            yield Refused(sim)
            continue
        for part, value in reading.counters.items():
            # The kernel counts in 64 bits, and so do the interfaces' newer counters.
            yield Count(sim, value, reading.at, reading.uptime, part, 64 if part in _WIDE else None)
