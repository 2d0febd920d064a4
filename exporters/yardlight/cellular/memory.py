"""What is kept of a source from one collection to the next, as one JSON-able object.

What the platform said of SIMs is kept for those that it does not list the next time, and for whoever looks back at a
source without asking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from yardlight.cellular import diversity, lateness
from yardlight.cellular.history import Meter, Track, from_json
from yardlight.cellular.oddities import Facts
from yardlight.cellular.usage import Plan, Sim, SimState

T = TypeVar("T")


@dataclass
class Memory:
    """Tracks and facts by SIM, tracks of pools that a platform counts itself, meters by SIM and counter.

    `said` is what was told last of each SIM that is there, `refused` are SIMs whose use was not told the last time.
    """

    zone: ZoneInfo
    sims: dict[str, Track] = field(default_factory=dict)
    pools: dict[str, Track] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    facts: dict[str, Facts] = field(default_factory=dict)
    habits: diversity.Habits = field(default_factory=dict)
    lags: lateness.Lags = field(default_factory=list)
    said: dict[str, Sim] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def sim(self, name: str) -> Track:
        """The track of a SIM, a new one for a new SIM."""
        return self.sims.setdefault(name, Track(self.zone))

    def pool(self, name: str) -> Track:
        """The track of a pool that the platform counts."""
        return self.pools.setdefault(name, Track(self.zone))

    def fact(self, name: str) -> Facts:
        """What is known of a SIM besides its use."""
        return self.facts.setdefault(name, Facts())

    def to_json(self) -> dict[str, Any]:
        """All of it, which is taken out as it is written: twice the days of all is much."""
        return {
            "sims": {name: track.to_json() for name, track in _taken(self.sims)},
            "pools": {name: track.to_json() for name, track in _taken(self.pools)},
            "meters": {name: [each.value, each.at, each.booted, each.wide] for name, each in _taken(self.meters)},
            "facts": {name: each.to_json() for name, each in _taken(self.facts)},
            "habits": self.habits,
            "lags": self.lags,
            "said": {name: _told(sim) for name, sim in _taken(self.said)},
            "refused": sorted(self.refused),
        }


def recalled(value: Any, zone: ZoneInfo) -> Memory:
    """What `to_json` wrote, out of which it is taken as it is read: twice the days of all is much. Nothing for None."""
    if value is None:
        return Memory(zone)
    return Memory(
        zone,
        {name: from_json(each, zone) for name, each in _taken(value["sims"])},
        {name: from_json(each, zone) for name, each in _taken(value["pools"])},
        {name: Meter(*each) for name, each in _taken(value["meters"])},
        {name: Facts(*each) for name, each in _taken(value["facts"])},
        value["habits"],
        value["lags"],
        {name: _sim(name, *each) for name, each in _taken(value.get("said", {}))},
        set(value.get("refused", ())),
    )


def _taken(of: dict[str, T]) -> Iterator[tuple[str, T]]:
    """Each of them, gone from there once it is here."""
    for name in list(of):
        yield name, of.pop(name)


def _told(sim: Sim) -> list[Any]:
    """Terms and whereabouts of a SIM, and what it is told for; what it is in at this moment is of no use later."""
    plan = sim.plan
    terms = [plan.name, plan.cap, plan.fair_use, plan.after, plan.overage_block, plan.throttle_speed] if plan else None
    marks = [sim.throttled, sim.roaming]
    return [sim.seen, sim.pool, sim.carrier, sim.state, sim.activated, sim.expires, terms, *marks]


def _sim(
    name: str, seen: float, pool: str, carrier: str, state: SimState, activated: float | None, expires: float | None,
    terms: list[Any] | None, throttled: bool | None = None, roaming: bool | None = None,
) -> Sim:  # fmt: skip
    plan = Plan(*terms) if terms else None
    return Sim(
        name, seen, pool, carrier, state, throttled=throttled, roaming=roaming, activated=activated, expires=expires,
        plan=plan,
    )  # fmt: skip
