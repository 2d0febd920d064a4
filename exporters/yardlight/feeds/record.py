"""What a feed consists of: records, and what a reply tells besides them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from yardlight.moment import Moment

# What a component of a platform is by its status page, from good to bad; another word is unknown, never operational.
ComponentState = Literal["operational", "unknown", "maintenance", "degraded", "partial_outage", "major_outage"]
COMPONENT_STATES: tuple[ComponentState, ...] = (
    "operational", "unknown", "maintenance", "degraded", "partial_outage", "major_outage",
)  # fmt: skip
# How a reply is not what it was, or was described to be. The last one breaks nothing.
Kind = Literal["missing", "renamed", "moved", "type", "enum", "unit", "time_unit", "nulls", "new_field"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `time` is when it happened, `received` when the vendor got it; `stamp` is the time as written.

    `truck` is the vendor's name of it, and `id` its own; both are in memory only. `engine` is whether it runs, None
    where that is not told. `speed` is in meters per second. `raw` is the record as it came. A line of a driver's log
    has the vendor's id of the `driver`, its word for the `duty` and the instant `until` which that holds. `malfunction`
    is whether the ELD of the truck does not work, None where that is not told, and `malfunction_kind` what of it.
    """

    id: str
    time: Moment
    stamp: Any = None
    received: Moment = None
    truck: str = ""
    moving: bool | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    raw: Any = field(default=None, repr=False)
    engine: bool | None = None
    speed: float | None = None
    driver: str = ""
    duty: str = ""
    until: Moment = None
    malfunction: bool | None = None
    malfunction_kind: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """A `field` of the reply that is not as it was: in so many records, what was `found` and what was `expected`.

    `to` is where it is now, of one that has another name or another place.
    """

    kind: Kind
    field: str
    count: int = 1
    found: str = ""
    expected: str = ""
    to: str = ""

    @property
    def broken(self) -> bool:
        """Whether a program that reads the feed trips over it."""
        return self.kind != "new_field"


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a platform and its state, by the platform's own status page."""

    name: str
    state: ComponentState


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a reply besides its records.

    `stuck` is how many collections in a row got records and the cursor that they had sent. `headers` are those of the
    last page, names in lower case. `tls_ends` is when the certificate of the vendor's server does.
    """

    stuck: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    tls_ends: float | None = None


Told = Record | Breach | Component | About
