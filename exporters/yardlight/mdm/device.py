"""A device as any MDM tells of it: times kept apart, states from a closed list, unknown wherever nothing was said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from yardlight.moment import Moment

Compliance = Literal["compliant", "noncompliant", "grace", "no_policy", "unknown"]
COMPLIANCE: tuple[Compliance, ...] = ("compliant", "noncompliant", "grace", "no_policy", "unknown")
Action = Literal["wipe", "retire", "lock", "other"]
Progress = Literal["pending", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Order:
    """A remote action that somebody ordered in the MDM: since when, and how far it is."""

    action: Action
    since: Moment
    progress: Progress


# Not frozen: that would be most of what it takes to make a hundred thousand.
@dataclass(slots=True)
class Device:
    """One record of an MDM. `id` is the platform's own and in memory only, like `serial` and `name`.

    `checkin` is the last word of the device itself; `inventory`, `status_report` and `policy_sync` are other times,
    kept apart. `group` is the MDM's name or id of a group; `groups` are more of them, where a device is in several or
    one has several. `apps` are versions by package; None where the platform does not tell, like `orders`. `unapproved`
    is how many apps nobody approved. `iccids` are the SIMs that are in it.
    """

    id: str
    serial: str = ""
    name: str = ""
    group: str = ""
    os: str = ""
    os_version: str = ""
    checkin: Moment = None
    inventory: Moment = None
    status_report: Moment = None
    policy_sync: Moment = None
    enrolled: Moment = None
    compliance: Compliance = "unknown"
    apps: Mapping[str, str] | None = None
    unapproved: int | None = None
    orders: tuple[Order, ...] | None = None
    groups: tuple[str, ...] = field(default=(), repr=False)
    iccids: tuple[str, ...] = field(default=(), repr=False)
    imei: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tenant:
    """What a platform says about itself: when its credentials end, whether devices without a policy are compliant.

    `policies`: whether it tells which devices have no policy, so that none is none. `as_of` is the instant that its
    list stands for, where that is not now.
    """

    credentials_end: Mapping[str, Moment] | None = None
    unassigned_is_compliant: bool | None = None
    as_of: float | None = None
    policies: bool = False


Record = Device | Tenant


def version(text: str) -> tuple[int, ...] | None:
    """A version that can be compared, of '11.2.1 (20D74)', '10.0.22621.1555' or '24.1-beta'; None if there is none."""
    match = re.match(r"\s*v?(\d{1,9}(?:\.\d{1,9})*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else None


def older(text: str, least: str) -> bool | None:
    """Whether this version is below the least one; 14.0 is not below 14, and None if one of them is none."""
    ours, theirs = version(text), version(least)
    if ours is None or theirs is None:
        return None
    length = max(len(ours), len(theirs))
    return ours + (0,) * (length - len(ours)) < theirs + (0,) * (length - len(theirs))
