"""What is kept of a source from one collection to the next, as one JSON-able object.

What the platform said of SIMs is kept for those that it does not list the next time, and for whoever looks back at a
source without asking.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.cellular import diversity, lateness
from yardlight.cellular.history import Meter, Track, from_json
from yardlight.cellular.oddities import Facts
from yardlight.cellular.usage import Plan, Sim, SimState


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
        """All of it. The SIMs' tracks are taken out as they are written: twice the days of all is much."""
        return {
            "sims": {name: self.sims.pop(name).to_json() for name in list(self.sims)},
            "pools": {name: track.to_json() for name, track in self.pools.items()},
            "meters": {name: [each.value, each.at, each.booted, each.wide] for name, each in self.meters.items()},
            "facts": {name: each.to_json() for name, each in self.facts.items()},
            "habits": self.habits,
            "lags": self.lags,
            "said": {name: _told(sim) for name, sim in self.said.items()},
            "refused": sorted(self.refused),
        }


def recalled(value: Any, zone: ZoneInfo) -> Memory:
    """What `to_json` wrote, out of which the tracks are taken: twice the days of all is much. Nothing for None."""
    if value is None:
        return Memory(zone)
    sims, pools = value["sims"], value["pools"]
    return Memory(
        zone,
        {name: from_json(sims.pop(name), zone) for name in list(sims)},
        {name: from_json(pools.pop(name), zone) for name in list(pools)},
        {name: Meter(*each) for name, each in value["meters"].items()},
        {name: Facts(*each) for name, each in value["facts"].items()},
        value["habits"],
        value["lags"],
        {name: _sim(name, *each) for name, each in value.get("said", {}).items()},
        set(value.get("refused", ())),
    )


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
