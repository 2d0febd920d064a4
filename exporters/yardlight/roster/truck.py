"""All that is known of one truck, for whoever is called about it at 6 a.m.: each line with its own as-of.

What a source knows it told itself; a source that does not exist is not there, one that was not read says so, and what
is old says how old. Numbers are apart from the lines, for those who may see them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from yardlight.inventory.models import Fleet
from yardlight.inventory.roster import Roster, Truck
from yardlight.lookback import ago, clock
from yardlight.roster.alerts import Alerts
from yardlight.roster.joined import Joined
from yardlight.roster.known import Known
from yardlight.roster.names import masked, natural, plain, same_unit
from yardlight.things import NUMBERS, Fact, Kind, Thing

_SAID = re.compile(r"(?:truck|trk|tractor|unit|rig|number|no|nr)?(\d+)")
# How metrics and alerts call a tablet that the roster does not have.
STRANGER = "unlisted-"
_NAME, _VEILED = "name at the vendor", "..."


@dataclass(frozen=True)
class Part:
    """A tablet, a SIM, the ELD: what one source says of it, as of `at`; `old` if two collections were missed since.

    `trouble` is why there is less than one could expect. `numbers` are for whoever may see them, like `console`, the
    page where the vendor's own console shows it. `accounts` are those that it is in, or could be in where none has it;
    `group` is the one that a tablet is judged in.
    """

    title: str
    source: str = ""
    at: float | None = None
    old: bool = False
    facts: Sequence[Fact] = ()
    trouble: Sequence[str] = ()
    numbers: Sequence[tuple[str, str]] = ()
    console: str = ""
    accounts: Sequence[str] = ()
    group: str = ""

    def shown(self, numbers: bool) -> list[tuple[str, str]]:
        """The numbers for who may see them, else their last characters; of a name, which may be a person's, none."""
        return [
            (label, each if numbers else _VEILED if label == _NAME else masked(each)) for label, each in self.numbers
        ]


@dataclass(frozen=True)
class View:
    """A truck of a fleet at `now`, in the time of its home."""

    fleet: str
    truck: Truck
    zone: ZoneInfo
    now: float
    parts: Sequence[Part]
    alerts: Alerts

    @property
    def title(self) -> str:
        """What it is, of which fleet, and what the roster says of it."""
        if self.truck.name.startswith(STRANGER):
            return f"Tablet {self.truck.name} of {self.fleet}: no truck of the roster has it"
        return f"Truck {self.truck.name} of {self.fleet}: {self.about}"

    @property
    def about(self) -> str:
        """Its group, home and status, as the roster has them."""
        truck = self.truck
        told = (truck.group, f"home {truck.terminal}" if truck.terminal else None, _status(truck))
        return ", ".join(each for each in told if each)

    def clock(self, at: float) -> str:
        """'4:12 AM MST' of the same day, else 'Thu Jan 8, 4:12 AM MST'."""
        return clock(at, self.now, self.zone)

    def when(self, at: float) -> str:
        """The same, with how long ago that is."""
        return f"{self.clock(at)}, {ago(at, self.now)}"

    def told(self, fact: Fact, part: Part) -> str:
        """How it is, and as of when: of the figure's own instant if it has one, else of the part's."""
        if fact.at is None:
            return fact.text or "not known"
        if not fact.text:
            return self.when(fact.at)
        return fact.text if fact.at == part.at else f"{fact.text}, as of {self.when(fact.at)}"


def _status(truck: Truck) -> str:
    if truck.until is None:
        return truck.status
    return f"{truck.status}, last day {truck.until}" if truck.ends else f"{truck.status} until {truck.until}"


def find(roster: Roster, asked: str) -> list[Truck]:
    """The truck that is called so, or whose tablet or SIM is; else all that have it in such a name.

    Else the trucks of this number, as people say it: 'Truck 0112'.
    """
    wanted = plain(asked)
    if not wanted:
        return []
    said = _SAID.fullmatch(wanted)
    ways: list[Callable[[Truck], bool]] = [
        lambda truck: truck.name == asked,
        lambda truck: wanted in map(plain, _names(truck)),
        lambda truck: any(wanted in plain(name) for name in _names(truck)),
        lambda truck: said is not None and same_unit(plain(truck.name)) == same_unit(said[1]),
    ]
    found = next((some for way in ways if (some := list(filter(way, roster.trucks)))), [])
    return sorted(found, key=lambda truck: natural(truck.name))


def _names(truck: Truck) -> Iterator[str]:
    yield truck.name
    if truck.tablet is not None:
        yield truck.tablet.name
    yield from (sim.name for sim in truck.sims)


def words(truck: Truck) -> set[str]:
    """What is in the JSON of a thing that may be of this truck. A vehicle's name may be spelled in many ways."""
    names = [truck.tablet.key] if truck.tablet is not None else []
    found = {json.dumps(name, ensure_ascii=False) for name in [*names, *(sim.name for sim in truck.sims)]}
    return found | {sim.iccid[:18] for sim in truck.sims} | {'["truck",'}


def zone_of(fleet: Fleet, truck: Truck) -> ZoneInfo:
    """The time zone of its home, or of the fleet."""
    home = fleet.terminals.get(truck.terminal or "")
    return home.zone if home is not None else ZoneInfo(fleet.timezone)


def parts(truck: Truck, known: Sequence[Known], now: float) -> list[Part]:
    """What the roster says it has, and what each source knows of that."""
    joined, found = Joined(Roster((truck,))), list[Part]()
    if truck.tablet is None:
        found.append(Part("Tablet: none on the roster"))
    else:
        matching = ((each, thing) for each in known for thing in each.of("tablet") if joined.tablet(thing) is not None)
        title, numbers = f"Tablet {truck.tablet.name}", [("as the roster has it", truck.tablet.key)]
        found += _told("tablet", title, matching, known, now, numbers)
    for sim in truck.sims:
        mine = [
            (each, thing)
            for each in known
            for thing in each.of("sim")
            if (whose := joined.sim(thing)) is not None and whose[1] is sim
        ]
        found += _told("sim", f"SIM {sim.name}", mine, known, now, [("ICCID", sim.iccid)])
    if not truck.sims:
        found.append(Part("SIM: none on the roster"))
    vehicles = [(each, thing) for each in known for thing in each.of("truck") if joined.vehicle(thing) is not None]
    if truck.eld or vehicles:
        numbers = [("ELD", truck.eld)] if truck.eld else []
        found += _told("truck", "ELD and telematics", vehicles, known, now, numbers)
    return found


def _told(
    kind: Kind,
    title: str,
    matching: Iterable[tuple[Known, Thing]],
    known: Sequence[Known],
    now: float,
    numbers: Sequence[tuple[str, str]],
) -> list[Part]:
    """A part for each source that knows it; one that says why there is none where no source does."""
    found = [_part(title, each, thing, now, numbers) for each, thing in matching]
    if found:
        return found
    sources = [each for each in known if each.may_know(kind)]
    if not sources:
        return [Part(title, trouble=["not asked: nothing here collects it"], numbers=numbers)]
    newest = max((each.at for each in sources if each.at is not None), default=None)
    trouble = [_without(each, now) for each in sorted(sources, key=lambda each: each.at is not None)]
    return [Part(title, at=newest, trouble=trouble, numbers=numbers, accounts=[each.account for each in sources])]


def _without(each: Known, now: float) -> str:
    """Why a source tells nothing of it."""
    if each.at is None:
        return f"{each.source} was not read yet, so nothing is known of it{f': {each.wrong}' if each.wrong else ''}"
    old = ", and is old" if each.old(now) else ""
    return f"{each.source} does not have it{old}{f', and cannot be read now: {each.wrong}' if each.wrong else ''}"


def _part(title: str, each: Known, thing: Thing, now: float, own: Sequence[tuple[str, str]]) -> Part:
    trouble = []
    if each.old(now):
        trouble.append(f"{each.source} has not been read since: all of this may have changed")
    if each.wrong:
        trouble.append(f"{each.source} cannot be read now: {each.wrong}")
    if thing.gone is not None:
        trouble.append("it is not in its MDM any more; this is what was known last")
    named = [(_NAME, thing.called)] if thing.called else []
    numbers = {number: label for label, number in [*((NUMBERS[kind], value) for kind, value in thing.numbers), *named]}
    told = [*((label, number) for number, label in numbers.items()), *(pair for pair in own if pair[1] not in numbers)]
    at = thing.gone if thing.gone is not None else each.at
    return Part(
        title, each.source, at, each.old(now), thing.facts, trouble, told, each.console(thing), [each.account],
        thing.group,
    )  # fmt: skip
