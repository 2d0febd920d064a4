"""Which uplink did a packet really leave by? Pure: evidence in, verdicts out, times in monotonic seconds.

A yard box usually has one network card and the router decides, so a pin is proven, not believed. Evidence about a
path is a pair (kind, value): ("hop", n) answered by this address when the time to live ran out after n hops, or
("egress", 0) seen from outside as this address. The first kind of evidence in which all uplinks differ tells them
apart; the values learned then are the uplinks' signatures. The default path shows one of them: that is the uplink
observed to carry the yard.
"""

from __future__ import annotations

import math
from typing import NamedTuple

Key = tuple[str, int]
EGRESS: Key = ("egress", 0)
# Every other uplink is dead, so what answers came by this one; the value is its name.
ALONE: Key = ("alone", 0)
# The value of a hop that never answers over this uplink while it does over the other one.
SILENT = "silent"
MAX_HOPS = 5
DEFAULT = ""


def hop(number: int) -> Key:
    """The evidence kind of the router that answers after `number` hops."""
    return ("hop", number)


class Sighting(NamedTuple):
    """The default path was seen to take this uplink, by evidence asked for at `at`."""

    uplink: str
    at: float


class Proof(NamedTuple):
    """What is known about one uplink's pin: `pinned` is None while nothing is known; `at` is the newest proof."""

    pinned: bool | None
    at: float | None
    reason: str


class Pins:
    """Evidence about the paths of one terminal. Paths are uplink names, and `DEFAULT` for the default path."""

    def __init__(self, next_hops: dict[str, str | None], signatures: dict[str, dict[Key, str]] | None = None) -> None:
        """`next_hops`: every uplink with its ISP's gateway where the user gave it; `signatures`: learned before."""
        self._next_hops = next_hops
        self.signatures: dict[str, dict[Key, str]] = {uplink: {} for uplink in next_hops}
        for uplink, known in (signatures or {}).items():
            if uplink in self.signatures:
                self.signatures[uplink].update(known)
        self._seen: dict[str, dict[Key, tuple[str, float]]] = {path: {} for path in (*next_hops, DEFAULT)}
        self._judged: dict[str, tuple[bool, float, str]] = {}
        self._carrier: tuple[str, float] | None = None
        # The newest proof of one carrier and the first of the next: between them the default path moved.
        self.turned: tuple[float, float] | None = None
        # False for a terminal with one uplink: there is nothing that it could be mistaken for.
        self.needed = len(next_hops) > 1
        self._learn()

    def see(self, path: str, key: Key, value: str, at: float) -> bool:
        """The probe of kind `key` sent over `path` at `at` was answered by or as `value`; True if that is new."""
        before = self._seen[path].get(key)
        if before is not None and before[1] > at:
            return False
        self._seen[path][key] = (value, at)
        new = before is None or before[0] != value
        if path == DEFAULT:
            self._follow(self._owner(key, value), at)
        if path == DEFAULT or not self.needed:
            return new
        if key != ALONE and not any(known.get(key) == value for known in self.signatures.values()):
            self.signatures[path][key] = value
            before_it = self.keys
            self._learn()
            for kind in set(self.keys) - set(before_it):
                for uplink in self._next_hops:
                    self._judge(uplink, kind)
        self._judge(path, key)
        return new

    def _follow(self, carrier: str | None, at: float) -> None:
        known = self._carrier
        if carrier is None or (known is not None and at < known[1]):
            return
        if known is not None and known[0] != carrier:
            self.turned = (known[1], at)
        self._carrier = (carrier, at)

    def narrow(self, asked: float, sent: float) -> None:
        """What was sent at `sent` first proved the present carrier; what was asked at `asked` went the old way."""
        if self.turned is not None and self.turned[1] == sent:
            self.turned = (max(self.turned[0], asked), sent)

    def _judge(self, path: str, key: Key) -> None:
        if (seen := self._seen[path].get(key)) is None:
            return
        value, at = seen
        owner = self._owner(key, value)
        if owner == path:
            self._judged[path] = (True, at, "")
        elif owner is not None:
            self._judged[path] = (False, at, f"leaves by {owner}: {_name(key)} is {value}")

    def _owner(self, key: Key, value: str) -> str | None:
        """Whose path this evidence shows: the uplink with that gateway, or with that signature where it tells."""
        if key == ALONE:
            return value
        for uplink, gateway in self._next_hops.items():
            if key[0] == "hop" and gateway == value:
                return uplink
        if key in self.keys:
            for uplink, known in self.signatures.items():
                if known[key] == value:
                    return uplink
        return None

    def _learn(self) -> None:
        """What the signatures amount to.

        `keys` are the kinds of evidence that tell all uplinks apart: egress first, then the nearest such hops.
        `certain` is true if answers alone do, so that nothing has to be concluded from silence.
        """
        found: list[Key] = []
        for key in (EGRESS, *(hop(number) for number in range(1, MAX_HOPS + 1))):
            values = [known.get(key) for known in self.signatures.values()]
            if None not in values and len(set(values)) == len(values):
                found.append(key)
        self.keys = tuple(found)
        self.certain = any(SILENT not in [known[key] for known in self.signatures.values()] for key in found)

    def answered_at(self, path: str, key: Key) -> float | None:
        """When the newest answer of this kind over this path was asked for; silence is no answer."""
        seen = self._seen[path].get(key)
        return seen[1] if seen is not None and seen[0] != SILENT else None

    def proof(self, uplink: str, now: float, valid: float) -> Proof:
        """Whether this uplink's pin is proven; evidence older than `valid` seconds counts for nothing."""
        if not self.needed:
            return Proof(True, now, "")
        judged = self._judged.get(uplink)
        if judged is None:
            return Proof(None, None, "path not yet proven to be its own")
        pinned, at, reason = judged
        if now - at > valid:
            return Proof(None, None, f"path not proven for {now - at:.0f} s")
        return Proof(pinned, at if pinned else None, reason)

    def sighting(self) -> Sighting | None:
        """The newest evidence of which uplink the default path takes; a terminal's only uplink is beyond doubt."""
        if not self.needed:
            return Sighting(next(iter(self._next_hops)), math.inf)
        newest: Sighting | None = None
        for key, (value, at) in self._seen[DEFAULT].items():
            owner = self._owner(key, value)
            if owner is not None and (newest is None or at > newest.at):
                newest = Sighting(owner, at)
        return newest


def _name(key: Key) -> str:
    return "the address seen outside" if key[0] == "egress" else f"hop {key[1]}"
