"""What happens in the quarter: faults, with what may be told of them, and all that nobody should hear of. Seeded.

Times are unix seconds. The quarter has the autumn's change of the clocks, Thanksgiving and Christmas.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

LA = ZoneInfo("America/Los_Angeles")
BEGIN = datetime(2026, 10, 1, tzinfo=LA).timestamp()
END = datetime(2027, 1, 1, tzinfo=LA).timestamp()
NEXT = datetime(2027, 4, 1, tzinfo=LA).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TERMINALS = tuple(f"yard{number:02}" for number in range(50))
CARRIERS = ("Verizon", "AT&T", "T-Mobile")
# Who drills later than two weeks before the end of the quarter is reminded.
LATE = 6
# Of what is told of a fault: the first one must be, if it lasts long enough; the others may.
TOLD: dict[str, tuple[str, ...]] = {
    "cut": ("TerminalOnStandby", "UplinkDown", "TerminalOnStandbyTooLong"),
    "flaps": ("UplinkFlapping", "UplinkDown", "TerminalOnStandby"),
    "degraded": ("UplinkDegraded",),
    "standby dead": ("StandbyNotReady",),
    "dark": ("TerminalDark",),
    "box gone": ("TerminalNotReporting",),
    "router stuck": ("TerminalDark", "UplinkDown"),
    "carrier": ("CarrierDegraded",),
    "platform": ("PlatformDown",),
    "service": ("ServiceUnreachable",),
    "planned": ("TerminalOnStandby", "UplinkDown"),
    "late drill": ("DrillDueSoon",),
    # Told to the receiver of drills alone.
    "drill": (),
    "vendor down": ("AccountFailing", "CollectionIncomplete"),
    "vendor stale": ("FeedStale",),
    "vendor frozen": ("FeedFrozen",),
    # What only tells of changes tells of none, and gets old.
    "vendor empty": ("FeedEmpty", "CollectionIncomplete", "FeedStale"),
    "mdm down": ("AccountFailing",),
    # Nothing must: a window has no past, and hours of duty are counted from when a truck was first seen to move.
    "tablets silent": ("", "DevicesSilent", "TabletSilentWhileMoving"),
    "clean-up": ("DevicesGoneFromMdm",),
    "wipe": ("WipeUnconfirmed",),
}
# How often in the quarter, in the whole fleet, and how long at least and at most.
FAULTS: dict[str, tuple[int, float, float]] = {
    "cut": (24, 5 * MINUTE, 4 * HOUR),
    "flaps": (3, 40 * MINUTE, 60 * MINUTE),
    "degraded": (8, 15 * MINUTE, 2 * HOUR),
    "standby dead": (10, 10 * MINUTE, 4 * HOUR),
    "dark": (3, 5 * MINUTE, 40 * MINUTE),
    "box gone": (4, 10 * MINUTE, 2 * HOUR),
    "router stuck": (2, 10 * MINUTE, 30 * MINUTE),
    "carrier": (1, 90 * MINUTE, 2 * HOUR),
    "platform": (2, 15 * MINUTE, 60 * MINUTE),
    "service": (2, 15 * MINUTE, 60 * MINUTE),
    "planned": (5, 20 * MINUTE, 90 * MINUTE),
}
# At vendors and the MDM: how often, how long, and from which hours of a working day on.
OF_VENDORS: dict[str, tuple[int, float, float, float, float]] = {
    "vendor down": (8, 45 * MINUTE, 3 * HOUR, 0, 20),
    "vendor stale": (6, 2 * HOUR, 3 * HOUR, 9, 12),
    "vendor frozen": (2, 2 * HOUR, 3 * HOUR, 9, 12),
    "vendor empty": (2, 1 * HOUR, 2 * HOUR, 9, 12),
    "mdm down": (2, 1 * HOUR, 3 * HOUR, 0, 20),
    "tablets silent": (2, 2 * HOUR, 3 * HOUR, 10, 14),
    "clean-up": (1, 3 * HOUR, 4 * HOUR, 8, 12),
    "wipe": (2, 1 * HOUR, 2 * HOUR, 8, 14),
}
VENDORS = tuple(f"vendor{number}" for number in range(8))
MDM = "graph"
# Nobody should hear of these, of which each terminal has so many in the quarter.
NOISE: dict[str, tuple[int, float, float]] = {
    "blip": (12, 2.0, 8.0),
    "standby blip": (20, 20.0, 100.0),
    "lossy minute": (8, 20.0, 50.0),
    "target gone": (4, 1 * MINUTE, 8 * MINUTE),
    "box restarts": (3, 5.0, 20.0),
}


@dataclass(frozen=True)
class Event:
    """Something that happens at these terminals; `quick` is how long the router needed to move, and to move back."""

    kind: str
    begin: float
    end: float
    where: tuple[str, ...]
    quick: tuple[float, float] = (0.0, 0.0)
    parts: tuple[tuple[float, float], ...] = ()

    @property
    def noise(self) -> bool:
        return self.kind in NOISE

    def near(self, begin: float, end: float) -> bool:
        return self.begin < end and begin < self.end


@dataclass(frozen=True)
class Script:
    """All of it, in the order of time."""

    events: tuple[Event, ...]
    of: dict[str, tuple[Event, ...]] = field(repr=False)

    @property
    def faults(self) -> list[Event]:
        return [event for event in self.events if not event.noise]

    def quiet(self, begin: float, end: float) -> bool:
        """Whether no fault is near."""
        return not any(each.near(begin, end) for each in self.faults if each.kind != "late drill")


def written(seed: int) -> Script:
    """The quarter of this seed."""
    rng = random.Random(seed)
    drills = _drills(rng)
    faults = [*drills, *_faults(rng, drills), *_of_vendors(rng)]
    events = sorted([*faults, *_noise(rng, faults)], key=lambda event: (event.begin, event.kind, event.where))
    return Script(tuple(events), {name: tuple(each for each in events if name in each.where) for name in TERMINALS})


def _drills(rng: random.Random) -> list[Event]:
    """Each terminal drills once, on a weekday at ten; who is late, in the last days of the year."""
    found = []
    for number, name in enumerate(TERMINALS):
        first, last = (78, 89) if number < LATE else (5, 74)
        day = rng.choice([day for day in range(first, last) if _local(BEGIN + (day + 0.5) * DAY).weekday() < 5])
        at = _at_ten(BEGIN + (day + 0.5) * DAY)
        cut = (at + 60, at + rng.uniform(150, 200))
        found.append(Event("drill", at, at + 420, (name,), (rng.uniform(5, 30), rng.uniform(20, 60)), (cut,)))
        if number < LATE:
            found.append(Event("late drill", END - 14 * DAY, at + 420, (name,)))
    return found


def _faults(rng: random.Random, taken: Sequence[Event]) -> Iterator[Event]:
    """No two at one terminal within three hours: of those it could be asked which was told."""
    apart = [(each.begin, each.end, name) for each in taken if each.kind == "drill" for name in each.where]
    for kind, (count, least, most) in FAULTS.items():
        for _ in range(count):
            while True:
                begin = rng.uniform(BEGIN + 6 * HOUR, END - 12 * HOUR)
                end = begin + rng.uniform(least, most)
                where = _where(rng, kind)
                if not any(a < end + 3 * HOUR and begin - 3 * HOUR < b and n in where for a, b, n in apart):
                    break
            apart += [(begin, end, name) for name in where]
            parts = tuple((at, at + rng.uniform(12, 25)) for at in _times(begin, end, 300)) if kind == "flaps" else ()
            yield Event(kind, begin, end, where, (rng.uniform(5, 40), rng.uniform(60, 500)), parts)


def _of_vendors(rng: random.Random) -> Iterator[Event]:
    """Half a day apart at least; on working days that no holiday is near."""
    taken: list[float] = []
    for kind, (count, least, most, first, last) in OF_VENDORS.items():
        for _ in range(count):
            while True:
                local = _local(BEGIN + rng.randrange(3, 80) * DAY)
                hour, minute = divmod(rng.uniform(first, last), 1)
                begin = local.replace(hour=int(hour), minute=int(60 * minute)).timestamp()
                if local.weekday() < 5 and not any(abs(each - begin) < DAY / 2 for each in taken):
                    break
            taken.append(begin)
            where = rng.choice(VENDORS) if kind.startswith("vendor") else MDM
            yield Event(kind, begin, begin + rng.uniform(least, most), (where,))


def _where(rng: random.Random, kind: str) -> tuple[str, ...]:
    if kind == "platform":
        return TERMINALS
    if kind == "carrier":
        carrier = rng.randrange(len(CARRIERS))
        return TERMINALS[carrier :: len(CARRIERS)]
    return (rng.choice(TERMINALS),)


def _noise(rng: random.Random, faults: Sequence[Event]) -> Iterator[Event]:
    """What is going on besides, an hour from any fault of the same terminal."""
    for name in TERMINALS:
        busy = [
            (each.begin - HOUR, each.end + HOUR) for each in faults if name in each.where and each.kind != "late drill"
        ]
        for kind, (count, least, most) in NOISE.items():
            for _ in range(count):
                begin = rng.uniform(BEGIN + 6 * HOUR, END - 12 * HOUR)
                if not any(start < begin < end for start, end in busy):
                    yield Event(kind, begin, begin + rng.uniform(least, most), (name,))


def _times(begin: float, end: float, every: float) -> Iterator[float]:
    while begin < end:
        yield begin
        begin += every


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at, LA)


def _at_ten(at: float) -> float:
    return _local(at).replace(hour=10, minute=0, second=0, microsecond=0).timestamp()
