"""`yardlight roster diff`: the roster against what vendors know now: moved, on one side only, left.

What is on the roster and at nobody's is only told once every source that could know it has been read: before that it
may be at the next one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from yardlight.inventory.roster import Roster, Truck
from yardlight.roster.joined import Compared, Joined, compared
from yardlight.roster.known import Known
from yardlight.roster.names import natural, same_unit, units
from yardlight.things import Kind, Thing

# moved: it is in another truck; unlisted: a vendor has it and the roster has not; unknown: the other way round; left:
# it left the vendor, or its truck is retired and it did not.
Change = Literal["moved", "unlisted", "unknown", "left"]
CHANGES: tuple[Change, ...] = ("moved", "unlisted", "unknown", "left")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the roster says. `number` identifies it, for those who may see it.

    `truck` is whose it is by the roster, `now` where it is by the vendor; `sure` is False for what a name suggests.
    """

    change: Change
    kind: Kind
    truck: str
    text: str
    source: str = ""
    at: float | None = None
    now: str = ""
    sure: bool = True
    number: str = ""


def differences(roster: Roster, known: Sequence[Known], yards: frozenset[str] = frozenset()) -> list[Difference]:
    """All of them, in the order of `CHANGES`, then of trucks. `yards` are names of SIMs that belong to terminals."""
    found = list(_Diff(roster, known, yards).all())
    return sorted(found, key=lambda each: (CHANGES.index(each.change), each.kind, natural(each.truck), each.text))


class _Diff:
    """Both sides, compared."""

    def __init__(self, roster: Roster, known: Sequence[Known], yards: frozenset[str]) -> None:
        self._roster, self._known, self._yards = roster, known, yards
        self._joined = Joined(roster)
        self._units = units(thing.called for each in known for thing in each.things if thing.kind == "tablet")
        self._seen: set[tuple[str, str]] = set()
        self._strangers: set[tuple[str, str]] = set()
        self._named_after_trucks = True
        self._by_unit: dict[str, list[Truck]] = defaultdict(list)
        numbers = units(truck.name for truck in roster.trucks)
        for truck in roster.trucks:
            self._by_unit[same_unit(numbers.get(truck.name, truck.name))].append(truck)
        # Where each SIM is by the MDMs: its number or that of its device -> the tablet's truck.
        self._inside: dict[Compared, Truck] = {}

    def all(self) -> Iterator[Difference]:
        """Tablets first: they tell where SIMs are."""
        self._named_after_trucks = self._names_agree()
        for each, thing in self._things("tablet"):
            yield from self._tablet(each, thing)
        for each, thing in self._things("sim"):
            yield from self._sim(each, thing)
        for each, thing in self._things("truck"):
            yield from self._vehicle(each, thing)
        for each, thing in self._things("driver"):
            yield from self._driver(each, thing)
        yield from self._unknown()

    def _things(self, kind: Kind) -> Iterator[tuple[Known, Thing]]:
        return ((each, thing) for each in self._known for thing in each.of(kind))

    def _tablet(self, each: Known, thing: Thing) -> Iterator[Difference]:
        truck, serial = self._joined.tablet(thing), next(iter(thing.all("serial")), "")
        if truck is None:
            if thing.gone is None:
                yield self._unlisted_tablet(each, thing, serial)
            return
        self._seen.add(("tablet", truck.name))
        if thing.gone is not None:
            if truck.status != "retired":
                yield Difference(
                    "left", "tablet", truck.name, "is not in its MDM any more", each.source, thing.gone, number=serial
                )
            return
        if truck.status == "retired":
            yield Difference(
                "left", "tablet", truck.name, "the truck is retired, its tablet is still in the MDM", each.source,
                each.at, number=serial,
            )  # fmt: skip
        if (other := self._called(thing)) is not None and other is not truck:
            text = f"calls itself like truck {other.name} in its MDM"
            yield Difference(
                "moved", "tablet", truck.name, text, each.source, each.at, other.name, sure=False, number=serial
            )
        for iccid in thing.all("iccid"):
            yield from self._held(each, truck, iccid)
        for imei in thing.all("imei"):
            self._inside[compared("imei", imei)] = truck

    def _unlisted_tablet(self, each: Known, thing: Thing, serial: str) -> Difference:
        text, other = f"{thing.name} is in the MDM, and no truck of the roster has it", self._called(thing)
        if other is not None:
            text += f"; it calls itself like truck {other.name}"
        now = other.name if other is not None else ""
        return Difference("unlisted", "tablet", "", text, each.source, each.at, now, other is None, serial)

    def _names_agree(self) -> bool:
        """Whether most tablets are called like their trucks. Where they are not, a number in a name is another one."""
        agree = differ = 0
        for _, thing in self._things("tablet"):
            truck, other = self._joined.tablet(thing), self._called(thing)
            if truck is not None and other is not None:
                agree, differ = agree + (other is truck), differ + (other is not truck)
        return agree >= differ

    def _called(self, thing: Thing) -> Truck | None:
        """The truck whose name or number its MDM calls it by."""
        if not self._named_after_trucks:
            return None
        if (unit := self._units.get(thing.called)) is None:
            return self._joined.named(thing.called) if thing.called else None
        named = self._by_unit.get(same_unit(unit), [])
        return named[0] if len(named) == 1 else None

    def _held(self, each: Known, truck: Truck, iccid: str) -> Iterator[Difference]:
        """A SIM that its tablet tells."""
        found = self._joined.by_iccid(iccid)
        if found is None:
            text = "its tablet has a SIM that the roster does not have"
            yield Difference("unlisted", "sim", truck.name, text, each.source, each.at, truck.name, number=iccid)
            return
        owner, sim = found
        self._inside[compared("iccid", iccid)] = truck
        if owner is not truck:
            yield _moved_sim(owner, sim.name, truck, each, iccid)

    def _sim(self, each: Known, thing: Thing) -> Iterator[Difference]:
        if thing.name in self._yards:
            return
        found, iccid = self._joined.sim(thing), next(iter(thing.all("iccid")), "")
        if found is None:
            if iccid:
                text = "the carrier has a SIM that no truck of the roster has"
                inside = self._where(thing)
                if inside is not None:
                    text += f"; it is in the tablet of truck {inside.name}"
                now = inside.name if inside is not None else ""
                yield Difference("unlisted", "sim", "", text, each.source, each.at, now, number=iccid)
            return
        truck, sim = found
        self._seen.add(("sim", sim.name))
        if truck.status == "retired":
            text = f"the truck is retired, its SIM {sim.name} is still at the carrier"
            yield Difference("left", "sim", truck.name, text, each.source, each.at, number=iccid)
        # Where its tablet tells it, it was said there.
        if compared("iccid", iccid) not in self._inside:
            inside = self._where(thing)
            if inside is not None and inside is not truck:
                yield _moved_sim(truck, sim.name, inside, each, iccid)

    def _where(self, thing: Thing) -> Truck | None:
        """The truck in whose tablet a SIM is: by its own number, or by that of the device it is in."""
        places = (compared(*number) for number in thing.numbers if number[0] in ("iccid", "imei"))
        return next((self._inside[place] for place in places if place in self._inside), None)

    def _vehicle(self, each: Known, thing: Thing) -> Iterator[Difference]:
        truck = self._joined.vehicle(thing)
        if truck is None:
            called = thing.called or thing.name
            # Several feeds of an account know the same trucks.
            if ("truck", called) not in self._strangers:
                self._strangers.add(("truck", called))
                text = f"{called} is a truck in telematics, and not on the roster"
                yield Difference("unlisted", "truck", "", text, each.source, each.at)
            return
        self._seen.add(("truck", truck.name))
        for eld in thing.all("eld"):
            owner = self._joined.eld(eld)
            if owner is not None and owner is not truck:
                text = f"its ELD is in truck {truck.name}"
                yield Difference("moved", "truck", owner.name, text, each.source, each.at, truck.name, number=eld)
            elif owner is None and truck.eld:
                text = "has another ELD than the roster says"
                yield Difference("moved", "truck", truck.name, text, each.source, each.at, truck.name, number=eld)

    def _driver(self, each: Known, thing: Thing) -> Iterator[Difference]:
        codes = {driver.code.casefold(): driver for driver in self._roster.drivers}
        called = thing.called or thing.name
        if codes and called.casefold() not in codes and ("driver", called) not in self._strangers:
            self._strangers.add(("driver", called))
            text = f"driver {called} is not on the roster"
            yield Difference("unlisted", "driver", "", text, each.source, each.at)

    def _unknown(self) -> Iterator[Difference]:
        """What the roster has and nobody knows."""
        for truck in self._roster.trucks:
            if truck.status == "retired":
                continue
            if truck.tablet is not None and ("tablet", truck.name) not in self._seen and self._all_read("tablet"):
                text = "its tablet is in no MDM"
                yield Difference("unknown", "tablet", truck.name, text, number=truck.tablet.key)
            for sim in truck.sims:
                if ("sim", sim.name) not in self._seen and self._all_read("sim"):
                    text = f"its SIM {sim.name} is at no carrier"
                    yield Difference("unknown", "sim", truck.name, text, number=sim.iccid)
            if ("truck", truck.name) not in self._seen and self._all_read("truck") and self._any("truck"):
                yield Difference("unknown", "truck", truck.name, "is not in telematics")

    def _all_read(self, kind: Kind) -> bool:
        """Whether each source that could know it was complete at least once; False without any."""
        sources = [each for each in self._known if each.may_know(kind)]
        return bool(sources) and all(each.at is not None for each in sources)

    def _any(self, kind: Kind) -> bool:
        return any(True for _ in self._things(kind))


def _moved_sim(owner: Truck, name: str, truck: Truck, each: Known, iccid: str) -> Difference:
    text = f"its SIM {name} is in the tablet of truck {truck.name}"
    return Difference("moved", "sim", owner.name, text, each.source, each.at, truck.name, number=iccid)
