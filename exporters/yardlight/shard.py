"""`serve --shard i/n`: which of a fleet's sources this process asks, of n that share the work.

Each source is somebody's by its name alone (rendezvous hashing): whatever is added or removed, the others stay where
they are, and one process more takes an nth of the sources from the others and moves none between these. What has to lie
side by side is one source: accounts whose feeds a flow or hours of service compare, archives, which are told who moved,
and the accounts that these are pulled from. The inventory itself is told by all: told twice is told once to rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from yardlight.collection import Source
from yardlight.domains import Planned, PlannedJoin
from yardlight.feeds.pull import PlannedPull
from yardlight.records.domain import PlannedCheck

Plan = TypeVar("Plan", bound=Planned | PlannedJoin | PlannedCheck | PlannedPull)


@dataclass(frozen=True)
class Shard:
    """The `index`th, from 1, of so many."""

    index: int = 1
    of: int = 1

    def owns(self, fleet: str, *source: str) -> bool:
        """Whether this source of the fleet is ours."""
        return owner("/".join((fleet, *source)), self.of) == self.index

    def plans(self, fleet: str, plans: Sequence[Plan]) -> list[Plan]:
        """Those that are ours."""
        together = _together(plans)
        return [each for each in plans if self.owns(fleet, "account", together[_place(each.collection.source)])]


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """`2/3`, the second of three. Raises `ValueError` with a sentence."""
    index, _, of = text.partition("/")
    if index.isdecimal() and of.isdecimal() and 1 <= int(index) <= int(of):
        return Shard(int(index), int(of))
    raise ValueError(f"{text!r} is none of several; write 2/3 for the second of three")


def owner(name: str, of: int) -> int:
    """Whose this is, from 1 to `of`."""
    return max(range(1, of + 1), key=lambda index: hashlib.blake2b(f"{index} {name}".encode(), digest_size=8).digest())


def _place(source: Source) -> str:
    """What the source cannot be parted from: its account, which has one budget; itself where it has none."""
    return source.account or source.name


def _together(plans: Sequence[Planned | PlannedJoin | PlannedCheck | PlannedPull]) -> dict[str, str]:
    """By its place, the first name of all that has to lie beside it."""
    places = {each.collection.source.name: _place(each.collection.source) for each in plans}
    archives = [each.collection.source.name for each in plans if isinstance(each, PlannedCheck)]
    first = {place: place for place in places.values()}
    for each in plans:
        beside = {each.collection.source.name}
        if isinstance(each, PlannedJoin):
            beside |= {*each.collection.of, *archives} & places.keys()
        elif isinstance(each, PlannedPull):
            beside |= {*archives}
        joined = {first[places[name]] for name in beside}
        first = {place: min(joined) if head in joined else head for place, head in first.items()}
    return first
