"""Which truck a device belongs to, and which devices of the roster or of the last collection are not there any more.

Between two collections it is remembered which devices there were, so that one that vanishes from the MDM is a state and
not a silence. The numbers of devices are keys of that memory, which never leaves the state file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from yardlight.inventory.roster import Truck
from yardlight.mdm.device import Device
from yardlight.mdm.plan import OTHER, Plan
from yardlight.moment import Moment
from yardlight.things import no_serial

# How long a device that no roster lists is missed after it vanished.
MISSED_FOR = 30 * 86400.0


@dataclass(slots=True)
class Seen:
    """What is remembered of a device: instants in unix seconds. `name` is the roster's, empty for one it does not have.

    `trouble` is when it was last in trouble. `orders`: since when each action waits as far as we saw, and whether it
    failed; None for a device that has left the MDM. `serial` is told while a wipe waits: it may vanish meanwhile.
    """

    name: str
    group: str
    first: float
    last: float
    checkin: Moment = None
    trouble: float = 0.0
    orders: dict[str, tuple[float, bool | None]] = field(default_factory=dict)
    serial: str = ""

    def values(self) -> list[Any]:
        """What `Seen(*values)` is made of again."""
        return [self.name, self.group, self.first, self.last, self.checkin, self.trouble, self.orders, self.serial]


# Not frozen, as devices are not.
@dataclass(slots=True)
class Match:
    """A device under its name here. Without `device` it vanished from the MDM; `seen` is what is remembered of it."""

    key: str
    group: str
    truck: Truck | None
    device: Device | None
    seen: Seen

    @property
    def name(self) -> str:
        return name_of(self.key, self.seen)


def name_of(key: str, seen: Seen) -> str:
    """The roster's; for a device that the roster does not have, one that tells nobody whose it is."""
    return seen.name or f"unlisted-{hashlib.blake2b(key.encode(), digest_size=4).hexdigest()}"


def recalled(memory: Any) -> dict[str, Seen]:
    """The memory of the last collection, made of what was given in its place: a hundred thousand of both are a lot."""
    seen: dict[str, Any] = (memory or {}).get("seen", {})
    for key, values in seen.items():
        seen[key] = Seen(*values)
    return seen


def to_remember(seen: Iterable[tuple[str, Seen]], wiping: Mapping[str, str]) -> dict[str, Any]:
    """The memory for the next collection, JSON-able; `wiping` are keys by the MDM's id of the device."""
    return {"seen": {key: each.values() for key, each in seen}, "wiping": dict(wiping)}


def newest(devices: Iterable[Device]) -> tuple[list[Device], int]:
    """Of records with one serial number the one that spoke last, and how many others there are (re-enrolments).

    What only stands for a serial number is taken off.
    """
    by_serial: dict[str, Device] = {}
    others: dict[str, Device] = {}
    older = 0
    for device in devices:
        key = device.serial.casefold()
        if no_serial(key):
            key = device.serial = ""
        known, key = (by_serial, key) if key else (others, device.id)
        first = known.setdefault(key, device)
        if first is device:
            continue
        if first.id != device.id:
            older += 1
        if _rank(device) > _rank(first):
            known[key] = device
    return [*by_serial.values(), *others.values()], older


def matched(plan: Plan, devices: Sequence[Device], before: Mapping[str, Seen], now: float) -> Iterator[Match]:
    """Every device that is there, then every one that should be and is not."""
    by_key = _by_key(plan)
    meant = _meant(by_key, devices)
    groups = [_group(plan, device) for device in devices]
    emptied = {*plan.mdm_groups.values()}.difference(groups)
    found: set[str] = set()
    for index, (device, group) in enumerate(zip(devices, groups, strict=True)):
        own_key = f"id {device.id}"
        key = meant.get(index, own_key)
        truck = by_key.get(key)
        found.add(key)
        found.add(own_key)
        if truck is None and _left_out(plan, device):
            continue
        name = "" if truck is None or truck.tablet is None else truck.tablet.name
        known = before.get(key) or _otherwise(before, device, by_key)
        if truck is not None and truck.group:
            group = truck.group
        elif group is None:
            # A group that the MDM has no device in any more was renamed there, and its devices are where they were.
            group = known.group if known is not None and not known.name and known.group in emptied else OTHER
        if known is None:
            seen = Seen(name, group, now, now, device.checkin)
        else:
            seen = Seen(name, group, known.first, now, device.checkin, known.trouble, known.orders, known.serial)
        yield Match(key, group, truck, device, seen)
    yield from _missing(plan, devices, before, found, now)


def _group(plan: Plan, device: Device) -> str | None:
    """Ours, by what the MDM calls its groups; None for what the inventory does not name."""
    group = plan.mdm_groups.get(device.group)
    if group is None and device.groups:
        group = next((plan.mdm_groups[theirs] for theirs in device.groups if theirs in plan.mdm_groups), None)
    return group


def _left_out(plan: Plan, device: Device) -> bool:
    """Whether it is one of those that an MDM of the whole company has besides."""
    called = (device.os, device.group, *device.groups)
    return bool(plan.leave_out) and not plan.leave_out.isdisjoint(map(str.casefold, called))


def _meant(by_key: Mapping[str, Truck], devices: Iterable[Device]) -> dict[int, str]:
    """Which key of the roster means which device, by its place in the list.

    The one with that serial number, or else of those that are called so the one that spoke last.
    """
    best: dict[str, tuple[bool, float, int]] = {}
    for index, device in enumerate(devices if by_key else ()):
        for key, certain in ((device.name.casefold(), False), (device.serial.casefold(), True)):
            if key in by_key:
                best[key] = max(best.get(key, (False, -1.0, 0)), (certain, _rank(device), index))
    # A device with the serial number of one truck and the name of another is the first one's.
    return {index: key for key, (_, _, index) in sorted(best.items(), key=lambda each: each[1][0])}


def _by_key(plan: Plan) -> dict[str, Truck]:
    return {truck.tablet.key.casefold(): truck for truck in plan.trucks if truck.tablet is not None}


def _otherwise(before: Mapping[str, Seen], device: Device, by_key: Mapping[str, Truck]) -> Seen | None:
    """What is remembered of a device that the roster did not have then, or does not have any more."""
    keys = (f"id {device.id}", device.serial.casefold(), device.name.casefold())
    return next((before[key] for key in keys if key in before and key not in by_key), None)


def never_listed(plan: Plan, matches: Iterable[Match], now: float) -> int:
    """How many tablets of working trucks the MDM never had."""
    known, today = {each.key for each in matches}, plan.day(now)
    return sum(
        truck.tablet is not None and not truck.left(today) and truck.tablet.key.casefold() not in known
        for truck in plan.trucks
    )


def awaited(plan: Plan, before: Mapping[str, Seen], now: float) -> bool:
    """Whether any device of the last collection should still be there: the roster has it, or never had it."""
    by_key, today = _by_key(plan), plan.day(now)
    return any(
        not truck.left(today) if (truck := by_key.get(key)) else not seen.name and now - seen.last < MISSED_FOR
        for key, seen in before.items()
    )


def _missing(
    plan: Plan, devices: Iterable[Device], before: Mapping[str, Seen], found: set[str], now: float
) -> Iterator[Match]:
    by_key, serials, today = _by_key(plan), set[str](), plan.day(now)
    for before_key, seen in before.items():
        key = seen.serial if seen.serial in by_key else before_key
        truck = by_key.get(key)
        if key in found or (truck is not None and truck.left(today)):
            continue
        if truck is not None and truck.tablet is not None:
            found.add(key)
            seen.name = truck.tablet.name
            yield Match(key, truck.group or seen.group, truck, None, seen)
        elif not plan.trucks and now - seen.last < MISSED_FOR:
            yield Match(key, seen.group, None, None, seen)
        elif plan.trucks and seen.serial and not seen.name:
            # With a roster, what is not in it and not in the MDM is nobody's; but a wipe that waits has to be told on.
            serials = serials or {device.serial.casefold() for device in devices}
            if seen.serial not in serials:
                yield Match(key, seen.group, None, None, seen)


def _rank(device: Device) -> float:
    said = (each for each in (device.checkin, device.enrolled) if isinstance(each, float))
    return next(said, 0.0)
