"""What a collection of SIMs is judged by: the part `cellular:` of the inventory with everything resolved."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from yardlight.cellular.cycle import EveryDays, Lifetime, MonthDay, Rule
from yardlight.cellular.history import midnight
from yardlight.cellular.usage import Plan
from yardlight.inventory.cellular import CellularSource, CycleRule, PlanTerms
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet


class Place(Model):
    """Where a SIM of the inventory belongs: in a truck, which has a home, or on an uplink of a terminal."""

    truck: str = ""
    terminal: str = ""
    uplink: str = ""


class Terms(Model):
    """How one source is judged. `counted` are the SIMs that a router counts, too: both are compared.

    `in_trucks` are those of the roster in trucks that are not retired. `counts`: what is read is a router, which knows
    SIMs by its lines only. `partial`: what is read may list some SIMs only, such as those that were used.
    """

    source: CellularSource
    zone: str
    network: str
    places: dict[str, Place]
    in_trucks: frozenset[str] = frozenset()
    counted: tuple[str, ...]
    counts: bool
    partial: bool = False


def resolved(fleet: Fleet, source: CellularSource) -> Terms:
    """The terms of this source, with what roster and terminals know of SIMs."""
    account = fleet.accounts[source.account]
    places = {
        sim.name: Place(truck=truck.name, terminal=truck.terminal or "")
        for truck in fleet.roster.trucks
        for sim in truck.sims
    }
    for terminal in fleet.terminals.values():
        for uplink in terminal.uplinks.values():
            if uplink.sim is not None:
                places[uplink.sim] = Place(terminal=terminal.name, uplink=uplink.name)
    routers = [each for each in fleet.accounts.values() if each.platform == "router_counter"]
    return Terms(
        source=source,
        zone=str(account.options.get("timezone", "UTC")),
        network=str(account.options.get("network", "")),
        places=places,
        in_trucks=in_trucks(fleet),
        counted=tuple(sorted({sim for each in routers for sim in each.options.get("lines", {})})),
        counts=account.platform == "router_counter",
        partial=account.platform == "csv",
    )


def in_trucks(fleet: Fleet) -> frozenset[str]:
    """SIMs of the roster in trucks that are not retired."""
    return frozenset(sim.name for truck in fleet.roster.trucks if truck.status != "retired" for sim in truck.sims)


def rule(written: CycleRule | None, zone: str, activated: float | None) -> Rule | None:
    """How cycles follow each other by the inventory; None where that does not say, or not from when."""
    if written is None:
        return None
    local = ZoneInfo(written.timezone or zone)
    if written.day is not None:
        return MonthDay(local, written.day)
    if written.lifetime:
        return Lifetime(activated)
    assert written.days is not None
    start = activated if written.since is None else midnight(written.since.toordinal(), local)
    return EveryDays(start, written.days, local) if start is not None else None


def terms_of(said: Plan | None, written: PlanTerms) -> Plan:
    """The platform's word on a plan, with the inventory's in its place where there is one."""
    said = said or Plan()
    return Plan(
        said.name,
        # A cap of nothing is how platforms write that there is none.
        written.cap if written.cap is not None else said.cap or None,
        written.fair_use if written.fair_use is not None else said.fair_use,
        written.after or said.after,
        written.overage_block if written.overage_block is not None else said.overage_block,
        written.throttle_speed * 8 if written.throttle_speed is not None else said.throttle_speed,
    )
