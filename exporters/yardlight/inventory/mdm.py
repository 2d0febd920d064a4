"""The part `mdm:` of the inventory: from which account tablets are read, and what is expected of each group of them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from yardlight.inventory.model import Model, Name
from yardlight.inventory.values import Duration, Lasting, Share, listed

# Check-ins come every few hours at most (Intune: 8 h), so that a day is three missed ones.
STALE_AFTER = 86400.0


def _least(raw: str) -> str:
    if not re.match(r"v?\d", raw.strip()):
        raise ValueError(f"{raw!r} is not a version; write its numbers, like 24.1")
    return raw


Least = Annotated[str, AfterValidator(_least)]
Listed = Annotated[tuple[str, ...], BeforeValidator(listed)]


class App(Model):
    """An app that each tablet of a group must have, from version `min` on; any version where it says none."""

    min: Least | None = None


class Expected(Model):
    """What is expected of tablets. What a group does not say, it takes from the source, and that from the platform.

    `stale_after` and `dark_after` count the hours of the calendar `duty` only (all hours without one). `silent_share`
    is how many of a group may be stale at a time. `os` is the least version by the name of the system.
    """

    stale_after: Lasting | None = None
    dark_after: Lasting | None = None
    duty: Name | None = None
    silent_share: Share | None = None
    os: dict[str, Least] | None = None
    apps: dict[str, App] | None = None


class Group(Expected):
    """Tablets that belong together, such as the drivers'. Besides those that the roster puts into it, these:

    `mdm_groups` are names or ids that the MDM has for it. A tablet of the roster is where the roster says. Once no
    device at all is in such a group any more, it was renamed in the MDM, and its tablets stay where they were.
    """

    mdm_groups: Listed = ()


class MdmSource(Expected):
    """Tablets of one account, read every `poll` seconds; while a wipe is pending, each minute.

    `leave_out` are names of systems or of the MDM's groups (Windows, Office) whose devices are not watched, where the
    MDM has more than tablets; what is on the roster is. `expects` is how many there are at least, these included, where
    the platform does not count them itself; `series_limit` how many are shown one by one, above which only those in
    trouble are. A wipe that is not carried out after `wipe_within` pages. Where telematics is read as well, silence
    counts from when the truck sets out after the tablet's last word: once it has moved for `truck_moved_for`, and not
    across the yard only. A truck of which neither telematics nor the tablet says anything for `truck_dark_after` is
    told.
    """

    account: Name
    poll: Lasting = 900.0
    deadline: Lasting = 600.0
    groups: dict[Name, Group] = {}
    leave_out: Listed = ()
    expects: Annotated[int, Field(ge=1)] | None = None
    wipe_within: Lasting = 86400.0
    truck_moved_for: Duration = 3600.0
    truck_dark_after: Lasting = 2 * 86400.0
    series_limit: Annotated[int, Field(ge=0)] = 10_000
