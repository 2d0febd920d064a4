"""What every account at a connectivity platform may say, and the names of its SIMs."""

from __future__ import annotations

import csv
import io
import math
import secrets
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from yardlight.cellular.usage import Directory
from yardlight.collection import Session
from yardlight.errors import PollError
from yardlight.inventory.accounts import AccountConfig
from yardlight.things import iccids


def support(
    product: str, *, usage: str, cap: str, cycle: str, session: str, pool: str, late: str, evidence: str
) -> dict[str, str]:
    """What a platform tells, how late, and what that is known from: a row of the support matrix."""
    return {
        "product": product,
        "usage": usage,
        "cap": cap,
        "cycle": cycle,
        "session": session,
        "pool": pool,
        "how late": late,
        "evidence": evidence,
    }


@dataclass(frozen=True)
class Cost:
    """Requests of a collection: so many `once`, one for each `page` SIMs (0: none), and so many for each SIM."""

    once: int
    page: int = 0
    per_sim: int = 0

    def of(self, sims: int, room: int) -> int:
        """For so many SIMs, where a round has `room` for so many requests."""
        pages = math.ceil(sims / self.page) if self.page else 0
        return self.once + pages + min(self.per_sim * sims, room)


class SimAccount(AccountConfig):
    """`sims` is a CSV file with the columns sim and iccid: the names that SIMs have everywhere else.

    Those of the roster are in `names` already, by ICCID. `network` is the carrier where the platform does not say it,
    `megabyte` is 10^6 bytes unless the contract counts in powers of two.
    """

    sims: str | None = None
    names: dict[str, str] = Field(default={}, repr=False)
    network: str = ""
    megabyte: Literal["decimal", "binary"] = "decimal"

    @property
    def binary(self) -> bool:
        return self.megabyte == "binary"

    @property
    def tells_activation(self) -> bool:
        """Whether the platform says since when each SIM is active."""
        return False


def directory(config: SimAccount, session: Session) -> Directory:
    """Names for the numbers of SIMs; their key is made once and remembered. Raises `PollError` naming file and line."""
    memory = session.memory if isinstance(session.memory, dict) else {}
    session.memory = {**memory, "key": memory.get("key") or secrets.token_hex(16)}
    try:
        return Directory(config.names | _names(config, session), session.memory["key"])
    except ValueError as error:
        raise PollError(f"{config.sims or 'the roster'}: {error}") from None


def _names(config: SimAccount, session: Session) -> dict[str, str]:
    """The name of each ICCID in the file, with no number in any message."""
    if config.sims is None:
        return {}
    try:
        text = (session.base / config.sims).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PollError(f"{config.sims}: cannot be read: {(error.strerror or 'error').lower()}") from None
    except UnicodeDecodeError:
        raise PollError(f"{config.sims}: is not UTF-8 text") from None
    rows = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    if missing := {"sim", "iccid"} - set(rows.fieldnames or ()):
        raise PollError(f"{config.sims}:1: has no column {' and no column '.join(sorted(missing))}; write sim,iccid")
    names: dict[str, str] = {}
    for row in rows:
        name, iccid = (row["sim"] or "").strip(), (row["iccid"] or "").strip()
        if not name or not iccid:
            raise PollError(f"{config.sims}:{rows.line_num}: a line needs both, sim and iccid")
        try:
            iccids(iccid)
        except ValueError as error:
            raise PollError(f"{config.sims}:{rows.line_num}: {error}") from None
        if names.setdefault(iccid, name) != name:
            raise PollError(f"{config.sims}:{rows.line_num}: {name} and {names[iccid]} have the same iccid")
    return names
