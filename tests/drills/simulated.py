"""A terminal, a centre and a clock without real time: what a drill does in half an hour takes milliseconds.

The yard behaves as told (`Behaviour`): how long a switch takes, whether it comes back, what its services say. It
writes the same facts and events as `serve` does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yardlight.drills.actions import Done, fingerprint
from yardlight.drills.guard import Charge, Elapsed, must_fire
from yardlight.drills.plan import Plan
from yardlight.drills.playbook import load
from yardlight.drills.runner import Runner
from yardlight.drills.world import Glance
from yardlight.errors import DrillError
from yardlight.facts import EventFact, ServiceFact, TerminalFacts, UplinkFact
from yardlight.inventory.drill_rules import SHIPPED
from yardlight.inventory.load import load as load_inventory
from yardlight.inventory.models import Fleet

START = 1_700_000_000.0  # a Tuesday, 14:13 in California
INVENTORY = """
fleet: inland-haul
timezone: America/Los_Angeles
calendars: {mornings: {days: mon-fri, hours: "04:00-09:00"}}
terminals:
  fontana:
    targets: [198.51.100.1, 198.51.100.2, 203.0.113.53]
    switch_within: 60s
    site: {peak: mornings}
    services: {dispatch: "https://dispatch.example.com/health"}
    drill: {playbook: quarterly-wan-failover, cut: {command: {do: [/bin/true], undo: [/bin/true]}}}
    uplinks:
      fiber: {bind: 10.10.0.21, circuit: {isp: Frontier, id: 12/KRFN/004}}
      lte: {bind: 10.10.0.22}
"""


@dataclass
class Behaviour:
    """How the yard is and what it does; seconds."""

    switch: tuple[float | None, ...] = (12.0,)
    failback: float | None = 20.0
    lte: bool = True
    dns: bool = True
    services: bool = True
    alert_after: float | None = 10.0
    notification_after: float | None = 2.0
    cut_works: bool = True
    undo_works: bool = True
    # Whether the circuit goes down where the cut says that it worked.
    falls: bool = True
    lte_dies: float | None = None


class SimulatedClock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> float:
        return self.at

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        await asyncio.sleep(0)
        if not event.is_set():
            self.at += seconds


@dataclass
class SimulatedYard:
    """The terminal's `serve`, with its guard."""

    fleet: Fleet
    behaves: Behaviour
    clock: SimulatedClock
    remote: bool = False
    holds: bool = True
    guard: Charge | None = None
    events: list[EventFact] = field(default_factory=list)
    acts: list[str] = field(default_factory=list)
    unreachable: bool = False
    _cut: float | None = None
    _restored: float | None = None
    _moved: bool = False
    _cuts: int = 0
    _on: str = "fiber"

    def _now(self) -> float:
        """Let happen what is due."""
        now, behaves = self.clock.at, self.behaves
        if self._cut is not None and not self._moved:
            wanted = behaves.switch[min(self._cuts - 1, len(behaves.switch) - 1)]
            if wanted is not None and behaves.lte and now >= self._cut + wanted:
                self._moved, self._on = True, "lte"
                self._event("failover", "lte", self._cut, self._cut + wanted, came_from="fiber", measured=True)
        if self._restored is not None and self._on == "lte" and behaves.failback is not None:
            at = self._restored + behaves.failback
            if now >= at:
                self._on = "fiber"
                self._event("failover", "fiber", at - 0.5, at, came_from="lte", measured=True)
        if self.guard is not None and (why := must_fire(self.guard, self._elapsed(self.guard, now))):
            self.acts.append(f"guard: {why}")
            self.guard = replace(self.guard, fired=why)
            self._undo()
            self.guard = replace(self.guard, restored=now)
        return now

    def _elapsed(self, charge: Charge, now: float) -> Elapsed:
        dark = self._dark_since()
        return Elapsed(now - charge.renewed, now - (charge.cut or now), None if dark is None else now - dark)

    def _event(self, kind: str, uplink: str, start: float, end: float, **detail: Any) -> None:
        self.events.append(
            EventFact(kind=kind, uplink=uplink, start=start, end=end,
                      detail={"error": 0.2, "since": start - 0.1, **detail})
        )  # fmt: skip

    def _dark_since(self) -> float | None:
        if self._cut is None:
            return None
        dies = self.behaves.lte_dies
        if dies is not None and self.clock.at >= self._cut + dies:
            return self._cut + dies
        return None if self._moved else self._cut

    def _undo(self) -> None:
        now = self.clock.at
        if self._cut is not None:
            self._event("uplink_gap", "fiber", self._cut, now)
            if not self._moved:
                self._event("gap", "fiber", self._cut, now)
            self._cut, self._restored = None, now

    async def look(self, since: float | None) -> Glance:
        if self.unreachable:
            raise DrillError("the terminal does not answer")
        now, behaves = self._now(), self.behaves
        state = "dark" if self._dark_since() is not None else ("primary" if self._on == "fiber" else "standby")
        ready = {"path": float(behaves.lte)}
        if behaves.lte:
            works = float(behaves.dns and behaves.services)
            ready |= {"dns": float(behaves.dns), "https": works, "service": works}
        works = state != "dark" and (self._on == "fiber" or (behaves.dns and behaves.services))
        reason = "" if works else ("dns: no answer" if not behaves.dns else "timeout: nothing came")
        named = behaves.dns or self._on == "fiber"
        facts = TerminalFacts(
            at=now, state=state, observed=None if state == "dark" else self._on,
            uplinks={
                "fiber": UplinkFact(role="primary", state="down" if self._cut is not None else "up",
                                    since=self._restored or self._cut or START - 3600),
                "lte": UplinkFact(role="standby", state="up" if behaves.lte else "down"),
            },
            ready={"lte": ready},
            services=[ServiceFact(service="dispatch", uplink="default", up=works, ended=now - 0.3, named=named,
                                  reason=reason)],
            events=self.events,
        )  # fmt: skip
        cut = self.fleet.terminals["fontana"].drill
        holds = fingerprint(cut.cut if cut is not None else None) if self.holds else "another"
        return Glance(facts, self.guard, holds)

    async def arm(self, charge: Charge) -> None:
        self.acts.append("armed")
        self.guard = charge

    async def renew(self, drill: str) -> None:
        if self.unreachable:
            raise DrillError("the terminal does not answer")
        assert self.guard is not None
        self.guard = replace(self.guard, renewed=self.clock.at)

    async def cut(self, drill: str) -> Done:
        assert self.guard is not None, "nothing is cut without a guard"
        self.acts.append("cut")
        self.guard = replace(self.guard, cut=self.clock.at, restored=None)
        if self.behaves.cut_works and self.behaves.falls:
            self._cut, self._restored, self._moved = self.clock.at, None, False
            self._cuts += 1
        return Done(self.behaves.cut_works, "done" if self.behaves.cut_works else "refused", *[self.clock.at] * 2)

    async def restore(self, drill: str) -> Done:
        self.acts.append("restore")
        assert self.guard is not None
        if self.behaves.undo_works:
            self._undo()
            self.guard = replace(self.guard, restored=self.clock.at)
        return Done(self.behaves.undo_works, "done" if self.behaves.undo_works else "refused", *[self.clock.at] * 2)

    async def release(self, drill: str) -> None:
        self.acts.append("released")
        self.guard = None

    async def lines(self, drill: str) -> Sequence[Mapping[str, Any]]:
        return [{"what": act} for act in self.acts]

    async def throughput(self) -> tuple[int, float]:
        return 1_000_000, 2.0


@dataclass
class SimulatedCentre:
    """Prometheus, Alertmanager and the drill receiver of the same yard."""

    yard: SimulatedYard
    firing: tuple[str, ...] = ()
    # Until when an alert that the drill caused beside the one under test goes on (unix seconds).
    lingers: float = 0.0
    # Whether the alert rules learn that a drill is in progress.
    informed: bool = True
    # Why it does not say what its drill receiver was told.
    deaf: str = ""
    # How long the standby's plan lasts (seconds).
    lasts: float | None = None
    _fired: float | None = None

    def _update(self) -> float | None:
        yard = self.yard
        after = yard.behaves.alert_after
        moved = next((event for event in yard.events if event.kind == "failover" and event.uplink == "lte"), None)
        if self._fired is None and moved is not None and after is not None:
            self._fired = moved.end + after
        if self._fired is not None and yard.clock.at >= self._fired and yard._on == "lte":
            return self._fired
        return None

    async def alerts(self, fleet: str, terminal: str) -> Sequence[Mapping[str, Any]]:
        names = [(name, START - 60) for name in self.firing]
        if (fired := self._update()) is not None:
            names.append(("TerminalOnStandby", fired))
        if self._fired is not None and self.yard.clock.at < self.lingers:
            names.append(("ServiceUnreachable", self._fired))
        drilled = ("TerminalOnStandby", "ServiceUnreachable")
        return [
            {
                "fingerprint": name, "startsAt": datetime.fromtimestamp(at, UTC).isoformat(),
                "labels": {
                    "alertname": name, "severity": "ticket", "terminal": terminal, "fleet": fleet,
                    "drill": "active" if name in drilled and at >= START else "",
                },
            }
            for name, at in names
        ]  # fmt: skip

    async def knows(self, fleet: str, terminal: str) -> bool:
        return self.informed

    async def headroom(self, fleet: str, terminal: str, uplink: str) -> float | None:
        return self.lasts if uplink == "lte" else None

    async def query(self, expression: str, start: float, end: float, step: float) -> Mapping[str, Any]:
        return {"query": expression, "start": start, "end": end, "step": step, "answer": {"status": "success"}}

    async def notices(self, since: float) -> Sequence[Mapping[str, Any]]:
        if self.deaf:
            raise DrillError(self.deaf)
        after = self.yard.behaves.notification_after
        if self._fired is None or after is None or self.yard.clock.at < self._fired + after:
            return []
        labels = {"alertname": "TerminalOnStandby", "terminal": "fontana", "drill": "active"}
        payload = {"receiver": "drill", "alerts": [{"status": "firing", "labels": labels}]}
        return [{"received": self._fired + after, "payload": payload}]

    async def clock(self) -> tuple[float, float]:
        return 0.0, 0.01


@dataclass
class World:
    """Everything around one run; change what it consists of before `run`."""

    folder: Path
    behaves: Behaviour = field(default_factory=Behaviour)
    inventory: str = INVENTORY
    playbook: str = "quarterly-wan-failover"
    attended: bool = False
    override: str = ""
    centre: bool = True

    def __post_init__(self) -> None:
        file = self.folder / "fleet.yml"
        file.write_text(self.inventory)
        self.fleet = load_inventory(file).fleet
        self.clock = SimulatedClock()
        self.yard = SimulatedYard(self.fleet, self.behaves, self.clock)
        self.alerts = SimulatedCentre(self.yard)

    def runner(self) -> Runner:
        file = Path(str(SHIPPED / f"{self.playbook}.yml"))
        plan = Plan("fontana-20231114T221320Z-drill", self.fleet, self.fleet.terminals["fontana"], load(file),
                    file.read_bytes(), "the NOC", self.attended, self.override)  # fmt: skip
        centre = self.alerts if self.centre else None
        return Runner(plan, self.yard, centre, (), self.folder / plan.drill, self.clock)
