"""What the records of a feed are judged by: its part of the inventory with everything resolved."""

from __future__ import annotations

import hashlib

from yardlight.inventory.feeds import FeedSource, Stream
from yardlight.inventory.model import Model
from yardlight.inventory.models import Calendar, Fleet

# Of drivers' logs so much more is kept than has settled: what was lately judged is judged again when they change.
_LOG_KEPT = 9 * 86400.0


class Plan(Model):
    """How one feed is judged. `calendar` is when records are expected, None at all hours.

    The first of the files `contracts` that is there is its contract. `trucks` are the roster's names by what vendors
    may call a truck, in lower case, and `drivers` the same of drivers. Lines of a `log` are told again in each answer
    until they are old, or once, `log_by_id`, and kept `log_for` so long. `elds`: it tells whether ELDs work.
    `description` changes when the feed is described anew: what was learned of its records then counts no more.
    """

    feed: str
    max_age: float
    movers: int
    moving_within: float
    zone: str
    calendar: Calendar | None
    contracts: tuple[str, ...]
    adds_up: bool
    by_truck: bool
    always: bool
    time: str
    trucks: dict[str, str]
    about: str
    drivers: dict[str, str]
    log: bool
    log_by_id: bool
    log_for: float
    elds: bool
    description: str

    def name(self, called: str) -> str:
        """What the fleet calls the truck that a vendor calls so; empty for one that the roster does not have."""
        called = called.strip().casefold()
        return self.trucks.get(called, "") if self.trucks else called if self.by_truck else ""

    def driver(self, called: str) -> str:
        """The code of the driver that a vendor calls so; what the vendor says for one who is not on the roster."""
        return self.drivers.get(called.casefold(), called)


def resolved(fleet: Fleet, name: str, source: FeedSource, stream: Stream, contracts: tuple[str, ...]) -> Plan:
    """The plan of this feed; `stream` is its description with what its account says."""
    names = {key.casefold(): truck.name for truck in fleet.roster.trucks for key in (truck.eld, truck.name) if key}
    return Plan(
        feed=name,
        max_age=source.max_age,
        movers=source.movers,
        moving_within=source.moving_within,
        zone=fleet.timezone,
        calendar=None if stream.on_change else fleet.calendars.get(source.expected),
        contracts=contracts,
        adds_up=stream.adds_up,
        by_truck=stream.truck is not None,
        always=source.expected == "always" and not stream.on_change,
        time=stream.time or "",
        trucks=names if stream.truck is not None else {},
        about=source.about or name,
        drivers={key.casefold(): each.code for each in fleet.roster.drivers for key in (each.eld, each.code) if key},
        log=stream.duty is not None,
        log_by_id=stream.id is not None and stream.keeps_place,
        log_for=fleet.hours_of_service.settle + _LOG_KEPT,
        elds=stream.malfunction is not None,
        description=hashlib.blake2b(stream.model_dump_json().encode(), digest_size=8).hexdigest(),
    )
