"""The domains that collect from accounts, and which platforms each of them knows.

A domain is told here by one line; a platform by one line in its domain's `PLATFORMS`, or by a package of somebody
else's through the entry point group `yardlight.DOMAIN` (name: the platform, value: its module).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from yardlight.collection import Collection, Families, Join
    from yardlight.inventory.accounts import AccountConfig
    from yardlight.inventory.models import Fleet

# The key of its part of the inventory -> its module.
DOMAINS: dict[str, str] = {
    "cellular": "yardlight.cellular.domain",
    "mdm": "yardlight.mdm.domain",
    "feeds": "yardlight.feeds.domain",
}


@dataclass(frozen=True)
class Asks:
    """About how many requests a collection makes, and what that goes by: '12 SIMs of the roster'."""

    requests: int
    given: str


@dataclass(frozen=True)
class Planned:
    """A source to be collected each `interval` seconds within `deadline` seconds, shown for `keep_for` seconds.

    `asks` is None where nobody can tell before it is collected.
    """

    collection: Collection
    interval: float
    deadline: float
    keep_for: float = 86400.0
    asks: Asks | None = None


@dataclass(frozen=True)
class PlannedJoin:
    """Like `Planned`, of what polls left: put together each `interval` seconds, and no vendor is asked for it."""

    collection: Join
    interval: float
    deadline: float
    keep_for: float = 86400.0


class Domain(Protocol):
    """What a domain's module gives. PLATFORMS: platform -> the name of its module.

    One that puts together what several polls left has `joined(fleet, base)` besides, which gives `PlannedJoin`s.
    """

    PLATFORMS: Mapping[str, str]

    def planned(self, fleet: Fleet, base: Path) -> Iterable[Planned]:
        """Everything of this fleet's part of the inventory that is to be collected; its files lie in `base`."""

    def said(self, fleet: Fleet, now: float) -> Families:
        """What the inventory itself says about it at `now` (unix seconds): thresholds, calendars, names."""


@dataclass(frozen=True)
class PlatformEntry:
    """A platform: the domain that knows it and its module."""

    domain: str
    module: str

    @property
    def config(self) -> type[AccountConfig]:
        """The model of its accounts' options."""
        return cast("type[AccountConfig]", import_module(self.module).Config)


def domain(name: str) -> Domain:
    """The module of this domain."""
    return cast(Domain, import_module(DOMAINS[name]))


def domains() -> Iterator[Domain]:
    """Every domain."""
    return map(domain, DOMAINS)


def joined(fleet: Fleet, base: Path) -> Iterator[PlannedJoin]:
    """What the domains put together, as `Domain` says."""
    for each in domains():
        if (put := getattr(each, "joined", None)) is not None:
            yield from put(fleet, base)


@cache
def platforms(of: str | None = None) -> dict[str, PlatformEntry]:
    """Every platform of a domain by its name; one of ours is not replaced by one of somebody else's.

    Without a domain those of all, where a name that several know (csv) is the first one's.
    """
    names = [of] if of else [*reversed(DOMAINS)]
    found: dict[str, PlatformEntry] = {}
    for name in names:
        for entry in entry_points(group=f"yardlight.{name}"):
            found[entry.name] = PlatformEntry(name, entry.value)
    for name in names:
        for platform, module in domain(name).PLATFORMS.items():
            found[platform] = PlatformEntry(name, module)
    return found
