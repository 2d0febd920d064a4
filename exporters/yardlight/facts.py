"""What a terminal knows about itself at one moment: made where it is measured, read by drills, here or far away.

Times are unix seconds by the terminal's own clock; `at` is that clock when the facts were taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True)


class UplinkFact(_Fact):
    """An uplink on its own path: `state` up, degraded, down or unknown."""

    role: str
    state: str
    since: float | None = None
    reason: str = ""


class ServiceFact(_Fact):
    """A service over one path (`uplink`, or default). `up` None: nothing that counts now is known.

    `named` says whether its name was resolved by the last probe; None where it has none to be.
    """

    service: str
    uplink: str
    up: bool | None = None
    ended: float | None = None
    named: bool | None = None
    reason: str = ""


class EventFact(_Fact):
    """An event of the state file: gap, failover or uplink_gap, with what is known beside it."""

    kind: str
    uplink: str
    start: float
    end: float
    detail: Mapping[str, Any] = {}


class TerminalFacts(_Fact):
    """One terminal. `observed` carries the yard, `claimed` is what the router itself said at `claimed_at`.

    Either is None where it is not known.
    `ready` holds what was proven of each standby, check by check; `events` are those asked for, oldest first.
    """

    at: float
    state: str
    since: float | None = None
    observed: str | None = None
    claimed: str | None = None
    claimed_at: float | None = None
    uplinks: Mapping[str, UplinkFact]
    ready: Mapping[str, Mapping[str, float]] = {}
    services: Sequence[ServiceFact] = ()
    events: Sequence[EventFact] = ()
