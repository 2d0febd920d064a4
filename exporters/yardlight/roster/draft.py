"""The first draft of a roster: trucks as telematics, MDMs and carriers call them, joined by numbers, then by names.

Nothing is guessed: what two things claim stays blank, and both are listed with the reason. The same things give the
same draft, in whatever order they come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from yardlight.roster.joined import Compared, compared
from yardlight.roster.names import clean, natural, plain, same_unit, units
from yardlight.things import NUMBERS, Thing, iccids

_OTHER = "other"


@dataclass(frozen=True)
class Item:
    """A thing, in however many sources it is: the first tells, the others add their numbers."""

    thing: Thing
    sources: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.thing.called or self.thing.name!r} ({', '.join(self.sources)})"


@dataclass(frozen=True)
class Leftover:
    """A thing that is in no truck's row, and why."""

    item: Item
    why: str


@dataclass
class Row:
    """A truck to be, with what was found of it and `notes` on how."""

    name: str
    tablet: Item | None = None
    sims: list[Item] = field(default_factory=list)
    eld: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def group(self) -> str:
        group = self.tablet.thing.group if self.tablet is not None else ""
        return "" if group == _OTHER else group


@dataclass(frozen=True)
class Draft:
    """Rows in the order of their names, codes of drivers, and what is left over."""

    rows: Sequence[Row]
    drivers: Sequence[str]
    leftovers: Sequence[Leftover]


@dataclass(frozen=True)
class _Claim:
    """An item that says whose it is: by a number, which is certain, or by its name."""

    item: Item
    certain: bool
    how: str


def drafted(known: Mapping[str, Iterable[Thing]], yards: Iterable[str] = ()) -> Draft:
    """A roster of the things that each source knows. `yards` are names of SIMs that belong to terminals."""
    things = sorted(
        (
            (thing, source)
            for source, found in known.items()
            for thing in found
            if thing.gone is None and thing.name not in yards
        ),
        key=lambda each: (natural(each[0].called), each[0].numbers, each[1]),
    )
    return _Drafting(things).draft()


class _Drafting:
    """A draft in the making."""

    def __init__(self, things: Sequence[tuple[Thing, str]]) -> None:
        self.rows: dict[str, Row] = {}
        self.leftovers: list[Leftover] = []
        self._things = things
        self._units = units(_called(thing) for thing, _ in things if thing.kind != "driver")
        self._by_unit: dict[str, list[Row]] = defaultdict(list)
        self._by_number: dict[Compared, list[Row]] = defaultdict(list)
        self._by_tablet: dict[int, Row] = {}

    def draft(self) -> Draft:
        """All of it."""
        for item in self._items("truck"):
            self._truck(item)
        tablets = self._items("tablet")
        self._claimed(tablets, self._take_tablet)
        self._claimed(self._items("sim"), self._take_sim, self._sims_of(tablets))
        drivers = {code for item in self._items("driver") if (code := clean(item.thing.called))}
        rows = sorted(self.rows.values(), key=lambda row: natural(row.name))
        return Draft(rows, sorted(drivers, key=natural), self.leftovers)

    def _items(self, kind: str) -> list[Item]:
        """The things of a kind, each once: two with the same serial number or ICCID are one."""
        found: dict[object, Item] = {}
        for thing, source in self._things:
            if thing.kind != kind:
                continue
            own = [each for each in thing.numbers if each[0] == ("iccid" if kind == "sim" else "serial")]
            key: object = compared(*own[0]) if own else (source, thing.called, thing.id)
            if kind == "truck":
                key = plain(thing.called) or thing.called
            if (known := found.get(key)) is None:
                found[key] = Item(thing, (source,))
            else:
                told = known.thing._replace(
                    called=known.thing.called or thing.called,
                    numbers=tuple(dict.fromkeys([*known.thing.numbers, *thing.numbers])),
                )
                found[key] = Item(told, tuple(dict.fromkeys([*known.sources, source])))
        return list(found.values())

    def _truck(self, item: Item) -> None:
        """A vehicle that telematics knows is a truck."""
        name = clean(item.thing.called)
        if not name or plain(name) in self.rows:
            self._leave(
                item, f"{item.thing.called!r} cannot be a name" if not name else f"two trucks are called {name}"
            )
            return
        row = self._row(name, self._units.get(item.thing.called, ""))
        row.eld = next(iter(item.thing.all("eld")), "")
        row.notes.append(f"truck in {', '.join(item.sources)}")
        for number in item.thing.numbers:
            self._by_number[compared(*number)].append(row)

    def _row(self, name: str, unit: str) -> Row:
        row = self.rows[plain(name)] = Row(name)
        if unit:
            self._by_unit[same_unit(unit)].append(row)
        return row

    def _claimed(
        self,
        items: Sequence[Item],
        take: Callable[[Row, list[_Claim]], None],
        inside: Mapping[Compared, list[Item]] | None = None,
    ) -> None:
        """Find whose each item is; what has a number in common with another item of `inside` is where that is."""
        claims: dict[str, list[_Claim]] = defaultdict(list)
        for item in items:
            found = self._whose(item, inside or {})
            if isinstance(found, str):
                self._leave(item, found)
            else:
                row, claim = found
                claims[plain(row.name)].append(claim)
        for key in sorted(claims, key=natural):
            take(self.rows[key], claims[key])

    def _whose(self, item: Item, inside: Mapping[Compared, list[Item]]) -> tuple[Row, _Claim] | str:
        thing = item.thing
        for kind, number in thing.numbers:
            key = compared(kind, number)
            rows, within = [*self._by_number.get(key, ())], inside.get(key, ())
            rows += [self._by_tablet[id(holder)] for holder in within if id(holder) in self._by_tablet]
            rows = list({id(row): row for row in rows}.values())
            if len(within) > 1 or len(rows) > 1:
                return f"its {NUMBERS[kind]} is in {max(len(within), len(rows))} places"
            if rows:
                return rows[0], _Claim(item, True, f"by {NUMBERS[kind]}")
            if within:
                return f"it is in the tablet {within[0].title}, which is in no row"
        return self._by_name(item)

    def _by_name(self, item: Item) -> tuple[Row, _Claim] | str:
        called = _called(item.thing)
        claim = _Claim(item, False, f"by name {called!r}")
        if called and (row := self.rows.get(plain(called))) is not None:
            return row, claim
        unit = self._units.get(called)
        if unit is None:
            return f"{called!r} names no truck" if called else "it has no name"
        rows = self._by_unit.get(same_unit(unit), [])
        if len(rows) > 1:
            return f"{called!r} may be {' or '.join(row.name for row in rows)}"
        if rows:
            return rows[0], claim
        return self._row(unit, unit), claim

    def _take_tablet(self, row: Row, claims: list[_Claim]) -> None:
        """The one tablet that is certainly this truck's, or else the one that is named after it."""
        best = [claim for claim in claims if claim.certain] or claims
        for claim in claims:
            if claim not in best:
                self._leave(claim.item, f"truck {row.name} has another tablet, by its number")
        if len(best) > 1:
            row.notes.append(f"{len(best)} tablets claim it")
            for claim in best:
                self._leave(claim.item, f"{len(best)} tablets claim truck {row.name}")
            return
        [claim] = best
        key = tablet_key(claim.item.thing)
        if not key:
            self._leave(claim.item, "it has neither a serial number nor a name that a roster can hold")
            return
        row.tablet = claim.item
        self._by_tablet[id(claim.item)] = row
        row.notes.append(f"tablet {claim.how}")

    def _take_sim(self, row: Row, claims: list[_Claim]) -> None:
        """Every SIM that says so: a truck may have several."""
        for claim in claims:
            try:
                iccids(next(iter(claim.item.thing.all("iccid")), ""))
            except ValueError as error:
                self._leave(claim.item, str(error) if claim.item.thing.all("iccid") else "its ICCID is not told")
                continue
            row.sims.append(claim.item)
            row.notes.append(f"SIM {claim.how}")

    def _sims_of(self, tablets: Sequence[Item]) -> dict[Compared, list[Item]]:
        """Which tablets hold the SIM with a number, or are the device that it is in."""
        found: dict[Compared, list[Item]] = defaultdict(list)
        for item in tablets:
            for kind, number in item.thing.numbers:
                if kind in ("iccid", "imei"):
                    found[compared(kind, number)].append(item)
        return found

    def _leave(self, item: Item, why: str) -> None:
        self.leftovers.append(Leftover(item, why))


def _called(thing: Thing) -> str:
    """What a source calls it; a SIM that it has no name for may have one in the account's own list of names."""
    return thing.called or (thing.name if thing.kind == "sim" else "")


def tablet_key(thing: Thing) -> str:
    """How trucks.csv calls a tablet: by its serial number, or else its MDM's name; empty if neither can stand there."""
    keys = (*thing.all("serial"), thing.called)
    return next((key.strip() for key in keys if key.strip() and "=" not in key and key.isprintable()), "")


def sim_names(rows: Sequence[Row]) -> Iterator[list[tuple[str, str]]]:
    """For each row the names of its SIMs and their ICCIDs; no name twice."""
    taken = {row.name for row in rows if len(row.sims) == 1}
    for row in rows:
        numbers = [iccids(item.thing.all("iccid")[0])[0] for item in row.sims]
        if len(numbers) == 1:
            yield [(row.name, numbers[0])]
            continue
        named, count = [], 0
        for number in numbers:
            while (name := f"{row.name}-{(count := count + 1)}") in taken:
                pass
            taken.add(name)
            named.append((name, number))
        yield named
