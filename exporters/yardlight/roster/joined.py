"""Which truck of the roster a thing belongs to, by the numbers and names that are written there."""

from __future__ import annotations

from collections.abc import Iterator

from yardlight.inventory.roster import Roster, SimCard, Truck
from yardlight.roster.names import plain
from yardlight.things import Number, Thing, iccids

Compared = tuple[Number, str]


class Joined:
    """The roster, to be asked about things."""

    def __init__(self, roster: Roster) -> None:
        self.trucks = {truck.name: truck for truck in roster.trucks}
        self._tablets = {truck.tablet.key.casefold(): truck for truck in roster.trucks if truck.tablet is not None}
        self._sims = {form: (truck, sim) for truck in roster.trucks for sim in truck.sims for form in iccids(sim.iccid)}
        self._sim_names = {sim.name: (truck, sim) for truck in roster.trucks for sim in truck.sims}
        self._elds = {plain(truck.eld): truck for truck in roster.trucks if truck.eld}
        self._named = {plain(truck.name): truck for truck in roster.trucks}

    def tablet(self, thing: Thing) -> Truck | None:
        """Whose tablet it is: by serial number, else by the name that its MDM has for it."""
        return next((self._tablets[key] for key in _keys(thing) if key in self._tablets), None)

    def sim(self, thing: Thing) -> tuple[Truck, SimCard] | None:
        """Whose SIM it is: by ICCID, and by its name here where the source knows no numbers."""
        told = thing.all("iccid")
        found = next((found for number in told if (found := self.by_iccid(number)) is not None), None)
        return found or (self._sim_names.get(thing.name) if not told else None)

    def by_iccid(self, number: str) -> tuple[Truck, SimCard] | None:
        """Whose SIM this is the number of."""
        try:
            return next((self._sims[form] for form in iccids(number) if form in self._sims), None)
        except ValueError:
            return None

    def vehicle(self, thing: Thing) -> Truck | None:
        """Which truck it is by its name here, by what telematics calls it, or else by its ELD."""
        if thing.name in self.trucks:
            return self.trucks[thing.name]
        if (truck := self._named.get(plain(thing.called or thing.name))) is not None:
            return truck
        return next((self._elds[plain(eld)] for eld in thing.all("eld") if plain(eld) in self._elds), None)

    def eld(self, number: str) -> Truck | None:
        """Which truck has this ELD by the roster."""
        return self._elds.get(plain(number))

    def named(self, name: str) -> Truck | None:
        """The truck of this name, however it is spelled."""
        return self._named.get(plain(name))


def compared(kind: Number, number: str) -> Compared:
    """A number in the form in which equal ones are equal: case, blanks, check digits and pads left aside."""
    if kind == "iccid":
        try:
            return kind, iccids(number)[-1]
        except ValueError:
            return kind, number
    bare = plain(number)
    # The last of 15 is a check digit, 16 have a version in its place.
    return kind, bare[:14] if kind == "imei" else bare


def _keys(thing: Thing) -> Iterator[str]:
    yield from (number.casefold() for number in thing.all("serial"))
    if thing.called:
        yield thing.called.casefold()
