"""What connectivity platforms say about SIMs and pools: one schema for all, and one way to tell SIMs apart.

Amounts are bytes, instants are unix seconds. What is used and what is left are types of their own, so that the one is
never taken for the other; neither is cut at zero or at the cap. `sim` and `pool` are names of the roster and of the
inventory: a number that identifies a SIM is looked up in a `Directory` where the reply is read, and goes no further.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from yardlight.cellular.cycle import Cycle
from yardlight.things import iccids

Source = Literal["estimate", "rated", "billed"]
# An allow-list; whatever else a vendor writes is unknown.
SimState = Literal["active", "inactive", "suspended", "blocked", "terminated", "unknown"]
After = Literal["stop", "throttle", "overage", "unknown"]
SOURCES: tuple[Source, ...] = ("estimate", "rated", "billed")
SIM_STATES: tuple[SimState, ...] = ("active", "inactive", "suspended", "blocked", "terminated", "unknown")

# A thousand petabytes, and no number of bytes is written longer.
_MOST, _DIGITS = 10**18, 40
_PLAIN = {"B": 1, "BYTE": 1, "BYTES": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
_DECIMAL = {**_PLAIN, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BINARY = {**_PLAIN, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
UNITS = "B, KB, MB, GB, TB, KiB, MiB, GiB, TiB"
# Commas stand between thousands and nowhere else: in many places they begin the decimals.
_NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?([eE][+-]?\d+)?")
_UNLISTED = "#"
# Before the mark of a device: those of older versions were made of all digits, and are shorter.
_DEVICE = "d"


@dataclass(frozen=True, slots=True)
class Used:
    """Bytes that were used; more than the cap is possible and said as it is."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Left:
    """Bytes that may still be used; below zero beyond the cap."""

    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be used in a cycle and what happens then; what the platform does not say is None.

    `overage_block` is the size in which more is sold, `throttle_speed` what is left of the speed, in bits per second.
    `fair_use` is the use from which a plan without a cap may be slowed.
    """

    name: str = ""
    cap: int | None = None
    fair_use: int | None = None
    after: After = "unknown"
    overage_block: int | None = None
    throttle_speed: int | None = None

    @property
    def limit(self) -> int | None:
        """The use from which something happens."""
        return self.cap if self.cap is not None else self.fair_use


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one SIM (or, with `sim` empty, of a pool) in a cycle so far, or on one day.

    `as_of` is until when the vendor's figure counts. `cycle` is what the vendor says, None if it says none; a row of a
    day has `day`, its date in the account's zone (a proleptic ordinal), and then `amount` is what was used.
    """

    amount: Used | Left
    as_of: float
    sim: str = ""
    pool: str = ""
    cycle: Cycle | None = None
    day: int | None = None
    source: Source = "estimate"


@dataclass(frozen=True, slots=True)
class Count:
    """A router's own count of a SIM's bytes, since it started; `uptime` in seconds where it says so.

    What is received and sent are counted apart, and each wraps on its own: `part` tells the counters of a SIM apart.
    `bits` is how long the counter is, where that is known.
    """

    sim: str
    value: int
    at: float
    uptime: float | None = None
    part: str = ""
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class Sim:
    """What is said of a SIM besides its use; None is what the platform cannot tell.

    `device` is the equipment it is in, as `Directory.device` hides it. `seen` is when we asked. What it is `called` by
    the platform and its numbers are for whoever asks about this SIM, see `things`.
    """

    sim: str
    seen: float
    pool: str = ""
    carrier: str = ""
    state: SimState = "unknown"
    in_session: bool | None = None
    throttled: bool | None = None
    roaming: bool | None = None
    activated: float | None = None
    expires: float | None = None
    plan: Plan | None = None
    device: str | None = None
    called: str = field(default="", repr=False)
    iccid: str = field(default="", repr=False)
    imei: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A SIM of which the platform gave no usage: not read is not zero. `why` is for the log."""

    sim: str
    pool: str = ""
    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class AllDays:
    """A SIM of which every day from an instant on is told that the platform knows of: it leaves out those without use.

    `cycle` is the one that the platform says it is in now.
    """

    sim: str
    since: float
    cycle: Cycle | None = None


Record = Usage | Count | Sim | Refused | AllDays


def to_bytes(raw: Any, unit: str = "B", *, binary: bool = False) -> int:
    """Bytes of a vendor's number, which may come as text; MB is 10^6 unless the account says `binary`.

    Raises `ValueError` for anything that is not a finite number in a known unit.
    """
    sizes = _BINARY if binary else _DECIMAL
    scale = sizes.get(unit.strip().upper())
    if scale is None:
        raise ValueError(f"{unit!r} is not a unit of data; known here: {UNITS}")
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        raise ValueError(f"{type(raw).__name__} is not an amount of data")
    text = str(raw).strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:20]!r} is not an amount of data")
    text = text.replace(",", "")
    if len(text) > _DIGITS or not abs(found := float(text) * scale) <= _MOST:
        raise ValueError("is more than any plan has")
    return int(text) * scale if text.lstrip("+-").isdigit() else round(found)


class Directory:
    """From the numbers of SIMs to the names of the roster, in memory only.

    A SIM that is not in the roster gets a name made with `key`: the same in every collection, of use to nobody else.
    """

    def __init__(self, names: Mapping[str, str], key: str) -> None:
        """`names` by ICCID in any form. Raises `ValueError` if two names claim one SIM."""
        self._key = key
        self._names: dict[str, str] = {}
        for raw, name in names.items():
            for form in iccids(raw):
                if self._names.setdefault(form, name) != name:
                    raise ValueError(f"{name} and {self._names[form]} are the same SIM")

    def name(self, raw: str) -> str:
        """The roster's name of a SIM, or one that `listed` denies. Raises `ValueError` for what is no ICCID."""
        spellings = iccids(raw)
        found = (self._names[form] for form in spellings if form in self._names)
        return next(found, f"{_UNLISTED}{self.mark(spellings[-1])}")

    def device(self, imei: str) -> str | None:
        """The mark of a device by its IMEI; None for what is none, such as one that a spreadsheet rounded.

        The last of 15 digits is a check digit, and 16 have a version of the software in its place.
        """
        digits = re.sub(r"[\s-]", "", imei)
        return f"{_DEVICE}{self.mark(digits[:14])}" if re.fullmatch(r"(?!0+$)\d{14,16}", digits) else None

    def mark(self, number: str) -> str:
        """Something that is equal for equal numbers and does not tell them."""
        return hashlib.blake2b(number.encode(), key=self._key.encode(), digest_size=9).hexdigest()


def listed(sim: str) -> bool:
    """False for the name of a SIM that the roster does not have."""
    return not sim.startswith(_UNLISTED)


def usages(records: Iterable[Record]) -> list[Usage]:
    """The usage among the records."""
    return [record for record in records if isinstance(record, Usage)]
