"""What was ordered of devices and is not done; a wipe that waits is looked at each minute, between two collections.

A lost tablet comes on line for minutes. Then only the devices with such a wipe are read, where the platform can do
that, and only these metrics are new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.collection import Families, Source, Told
from yardlight.mdm.device import Device, Order, Record
from yardlight.mdm.matching import Seen, name_of, recalled, to_remember

_WIPE_WATCH = 60.0
Sample = tuple[Metric, tuple[str, ...], float]


def note_orders(seen: Seen, device: Device | None, now: float) -> None:
    """Remember what waits, since the vendor's time of it or since we first saw it.

    A wipe is remembered of a device that left the MDM meanwhile: it may be done, or forgotten. What may not be read now
    waits as it did.
    """
    if device is None:
        seen.orders = {action: (since, None) for action, (since, _) in seen.orders.items() if action == "wipe"}
    elif device.orders or (seen.orders and device.orders is not None):
        before = {action: since for action, (since, _) in seen.orders.items()}
        seen.orders = {
            order.action: (
                order.since if isinstance(order.since, float) else before.get(order.action, now),
                order.progress == "failed",
            )
            for order in _standing(device)
        }
        seen.serial = (device.serial or device.id).casefold() if "wipe" in seen.orders else ""


def orders(account: str, device: str, seen: Seen) -> Iterator[Sample]:
    """What is remembered of it, as samples."""
    for action, (since, failed) in seen.orders.items():
        yield m.DEVICE_ACTION_PENDING, (account, device, action), since
        if failed is not None:
            yield m.DEVICE_ACTION_FAILED, (account, device, action), float(failed)
    if "wipe" in seen.orders and isinstance(seen.checkin, float):
        yield m.WIPE_CHECKIN, (account, device), seen.checkin


def waits(device: Device) -> bool:
    """Whether a wipe of it waits."""
    return any(order.action == "wipe" and order.progress == "pending" for order in _standing(device))


def _standing(device: Device) -> Iterator[Order]:
    """The last order of each action, if it is not done; one that is older than the enrolment is of another life."""
    last: dict[str, Order] = {}
    enrolled = device.enrolled if isinstance(device.enrolled, float) else 0.0
    for order in device.orders or ():
        # Others are of many kinds, of which one that is done says nothing about the next.
        if _since(order) >= enrolled and not (order.action == "other" and order.progress == "done"):
            last[order.action] = max(order, last.get(order.action, order), key=_since)
    return (order for order in last.values() if order.progress != "done")


def _since(order: Order) -> float:
    """When it was ordered; lately, if nobody tells."""
    return order.since if isinstance(order.since, float) else float("inf")


def told(families: Families, seen: Iterable[tuple[str, Seen]], wiping: Mapping[str, str]) -> Told:
    """The outcome of a collection after which these devices are to be watched (keys by the MDM's id)."""
    again_in = _WIPE_WATCH if wiping else None
    return Told(families, to_remember(seen, wiping), again_in=again_in, watched=list(wiping))


def follow(source: Source, records: Sequence[Record], memory: Any, now: float) -> Told:
    """What was read of the devices that are watched. One that was not there stays, until all are read again."""
    seen, wiping = recalled(memory), dict(memory["wiping"])
    for device in (record for record in records if isinstance(record, Device) and record.id in wiping):
        each = seen[wiping[device.id]]
        each.checkin = device.checkin
        note_orders(each, device, now)
        if device.orders is not None and not waits(device):
            del wiping[device.id]
    families: dict[Metric, dict[tuple[str, ...], float]] = {
        m.DEVICE_ACTION_PENDING: {},
        m.DEVICE_ACTION_FAILED: {},
        m.WIPE_CHECKIN: {},
    }
    for key, each in seen.items():
        for metric, labels, value in orders(source.account, name_of(key, each), each):
            families[metric][labels] = value
    return told(families, seen.items(), wiping)
