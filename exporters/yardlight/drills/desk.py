"""The drills of one fleet in a process that serves: guards, sessions behind links, notices, records as metrics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from yardlight import catalogue as m
from yardlight import sealing
from yardlight.catalogue import Metric
from yardlight.drills import evidence, recover
from yardlight.drills.actions import Done, action_of, fingerprint
from yardlight.drills.around import around
from yardlight.drills.conditions import primary_of
from yardlight.drills.guard import Charge, Guard
from yardlight.drills.inside import InsideYard, download
from yardlight.drills.links import Link, Links
from yardlight.drills.plan import Plan
from yardlight.drills.playbook import find
from yardlight.drills.runner import Runner
from yardlight.drills.session import Session
from yardlight.drills.standing import record_samples
from yardlight.drills.talk import centre_of
from yardlight.drills.world import Glance, RealClock
from yardlight.errors import DrillError, InventoryError
from yardlight.exposition import Block, block
from yardlight.facts import TerminalFacts
from yardlight.inventory.load import Inventory
from yardlight.inventory.models import Terminal
from yardlight.logs import kv

log = logging.getLogger(__name__)

_WATCH_SECONDS, _RECORDS_SECONDS = 0.5, 5.0
_NOTICES_KEPT = 500
# While a guard is armed the terminal is looked at closely, renewed before this is over.
_CLOSELY_SECONDS = 30.0


class Ground(Protocol):
    """Who measures the terminals here."""

    def terminals(self) -> Mapping[str, Terminal]:
        """Those that are measured in this process."""

    def facts(self, terminal: str, since: float | None) -> TerminalFacts: ...
    def look_closely(self, terminal: str, seconds: float) -> None: ...


def folder_of(state: Path) -> Path:
    """Where the drills of a fleet lie: beside its state file."""
    return state.with_name(f"{state.stem}-drills")


def drill_id(terminal: str, playbook: str, at: float) -> str:
    """'fontana-20261126T071229Z-quarterly-wan-failover': sorts by time within a terminal."""
    return f"{terminal}-{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}-{playbook}"


class FleetDesk:
    """For the main loop's own thread. `use` an inventory, then `start`."""

    def __init__(self, folder: Path, ground: Ground) -> None:
        self.folder = folder
        self.links = Links(folder)
        self._ground = ground
        self._guards: dict[str, Guard] = {}
        self._sessions: dict[str, tuple[Runner, asyncio.Task[Any]]] = {}
        self._notices: list[dict[str, Any]] = _kept_notices(folder)
        self._samples: dict[Metric, dict[tuple[str, ...], float]] = {}
        self._task: asyncio.Task[None] | None = None
        self._opening = asyncio.Lock()

    def use(self, inventory: Inventory) -> None:
        """Take this inventory into use; what is in progress goes on as it began."""
        self._inventory = inventory
        for name, terminal in self._ground.terminals().items():
            action = action_of(terminal)
            if name not in self._guards:
                self._guards[name] = Guard(self.folder, name, action)
            self._guards[name].use(action)

    async def start(self) -> None:
        """Do what an earlier process left undone, and watch from now on."""
        await self._watch()
        await asyncio.to_thread(self._close_interrupted, time.time())
        await asyncio.to_thread(self._read_records, time.time())
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End, and leave nothing cut that can be restored from here."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for runner, task in self._sessions.values():
            if not task.done():
                await runner.press("", "stop", "serve", "it is being stopped")
                with contextlib.suppress(TimeoutError, DrillError):
                    await asyncio.wait_for(asyncio.shield(task), 10.0)
        for guard in self._guards.values():
            if guard.charge is not None and guard.charge.is_open and not guard.charge.by_hand:
                await guard.restore_now(guard.charge.drill, time.time())

    async def _run(self) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            try:
                await self._watch()
                if time.monotonic() - looked > _RECORDS_SECONDS:
                    looked = time.monotonic()
                    await asyncio.to_thread(self._close_interrupted, time.time())
                    await asyncio.to_thread(self._read_records, time.time())
            except Exception:
                # Whatever it is, the guard must look again.
                log.exception("the drills were not looked after")

    async def _watch(self) -> None:
        armed = [(name, guard) for name, guard in self._guards.items() if guard.charge is not None]
        # An undo that hangs at one terminal keeps no other waiting for its own.
        await asyncio.gather(*(self._watch_one(name, guard) for name, guard in armed))

    async def _watch_one(self, name: str, guard: Guard) -> None:
        dark_since, primary_up = None, False
        if (terminal := self._ground.terminals().get(name)) is not None:
            facts = self._ground.facts(name, None)
            dark_since = facts.since if facts.state == "dark" else None
            primary_up = facts.uplinks[primary_of(terminal)].state == "up"
            self._ground.look_closely(name, _CLOSELY_SECONDS)
        try:
            await guard.watch(time.time(), dark_since, primary_up)
        except DrillError as error:
            log.error("the guard", extra=kv(terminal=name, error=error))

    def _close_interrupted(self, now: float) -> None:
        for record in recover.interrupted(self.folder, now):
            self.links.used(record.id, now)

    # What a phone and Alertmanager ask

    async def open(self, token: str) -> Session:
        """The session behind a link, begun at its first use. Raises `DrillError` for a link that is not valid."""
        # A double tap opens one drill.
        async with self._opening:
            link = self.links.find(token, time.time())
            if not link.drill:
                return await self._begin(token, link)
        if link.drill in self._sessions:
            return self._sessions[link.drill][0]
        raise DrillError(self._without_session(link, time.time()))

    def _without_session(self, link: Link, now: float) -> str:
        """What became of a drill that was begun by a process that is gone, or by a runner somewhere else."""
        guard = self._guards.get(link.terminal)
        charge = guard.charge if guard is not None else None
        if charge is None or charge.drill != link.drill or not (charge.is_open or charge.alive(now)):
            return "this drill was interrupted; see `yardlight drill list`"
        if charge.alive(now) and not charge.fired:
            return "this drill is being run from another machine"
        if charge.by_hand:
            return "this drill was interrupted; the primary cable may still be unplugged: plug it in again"
        return "this drill was interrupted; the primary line is being put back"

    async def _begin(self, token: str, link: Link) -> Session:
        fleet = self._inventory.fleet
        terminal = self._ground.terminals().get(link.terminal)
        if terminal is None:
            raise DrillError(f"{link.terminal} is not measured here; open the link of the box in its yard")
        try:
            playbook, source = await asyncio.to_thread(find, self._inventory.path, link.playbook)
        except InventoryError as error:
            raise DrillError(str(error)) from None
        now = time.time()
        drill = drill_id(link.terminal, link.playbook, now)
        plan = Plan(drill, fleet, terminal, playbook, source, link.made_by)
        yard = InsideYard(self, link.terminal)
        centre, beside = centre_of(fleet, self.notices), around(self._inventory)
        runner = Runner(plan, yard, centre, beside, self.folder / drill, RealClock())
        task = asyncio.get_running_loop().create_task(self._session(runner, drill))
        self._sessions[drill] = (runner, task)
        self.links.opened(token, drill, now)
        await runner.changed(0, 5.0)
        return runner

    async def _session(self, runner: Runner, drill: str) -> None:
        try:
            await runner.run()
        except Exception:
            log.exception("a drill ended with a bug of ours", extra=kv(drill=drill))
        finally:
            self.links.used(drill, time.time())

    async def notice(self, payload: Mapping[str, Any], received: float) -> None:
        """A notification came to the drill receiver."""
        self._notices = [*self._notices[-_NOTICES_KEPT:], {"received": received, "payload": dict(payload)}]
        await asyncio.to_thread(_keep_notices, self.folder, self._notices)

    async def notices(self, since: float) -> list[Mapping[str, Any]]:
        """Notifications that came since then, oldest first."""
        return [each for each in self._notices if each["received"] >= since]

    # What a runner asks, here or through HTTP

    def allowed(self, token: str, terminal: str) -> bool:
        """Whether this link lets somebody who is not on this machine run a drill of this terminal."""
        try:
            return self.links.find(token, time.time()).terminal == terminal
        except DrillError:
            return False

    def look(self, terminal: str, since: float | None) -> Glance:
        """The terminal now. Raises `DrillError` if it is not measured here."""
        guard = self._guard(terminal)
        known = self._ground.terminals()[terminal]
        holds = fingerprint(known.drill.cut if known.drill is not None else None)
        return Glance(self._ground.facts(terminal, since), guard.charge, holds)

    async def arm(self, terminal: str, charge: Charge, token: str = "") -> None:
        """Hold the undo; its times are by this clock. A link that is used for it is good for this drill only."""
        now = time.time()
        if token:
            link = self.links.find(token, now)
            if link.drill not in ("", charge.drill) or charge.terminal != link.terminal:
                raise DrillError("this drill link is for another drill")
            self.links.opened(token, charge.drill, now)
        known = self._ground.terminals()[terminal]
        by_hand = known.drill is None or known.drill.cut is None
        fresh = replace(
            charge, terminal=terminal, by_hand=by_hand, armed=now, renewed=now, ends=now + charge.ends - charge.armed,
            cut=None, restored=None, fired="",
        )  # fmt: skip
        await self._guard(terminal).arm(fresh)
        self._ground.look_closely(terminal, _CLOSELY_SECONDS)

    async def renew(self, terminal: str, drill: str) -> None:
        await self._guard(terminal).renew(drill, time.time())

    async def cut(self, terminal: str, drill: str) -> Done:
        return await self._guard(terminal).cut_now(drill, time.time())

    async def restore(self, terminal: str, drill: str) -> Done:
        return await self._guard(terminal).restore_now(drill, time.time())

    async def release(self, terminal: str, drill: str) -> None:
        await self._guard(terminal).release(drill, time.time())

    def lines(self, terminal: str, drill: str) -> list[dict[str, Any]]:
        """What the guard wrote about this drill."""
        return self._guard(terminal).lines(drill)

    async def throughput(self, terminal: str) -> tuple[int, float]:
        """Bytes and seconds of the download that the inventory names, over the path that this box uses now."""
        known = self._ground.terminals().get(terminal)
        wanted = known.drill.throughput if known is not None and known.drill is not None else None
        if wanted is None:
            raise DrillError(f"no throughput is asked for at {terminal}")
        return await download(wanted.url, wanted.size)

    def _guard(self, terminal: str) -> Guard:
        if terminal not in self._guards or terminal not in self._ground.terminals():
            raise DrillError(f"{terminal} is not measured here")
        return self._guards[terminal]

    # Metrics

    def blocks(self) -> list[Block]:
        """The records and what is in progress."""
        families = {metric: dict(samples) for metric, samples in self._samples.items()}
        for name, guard in self._guards.items():
            terminal = self._ground.terminals().get(name)
            charge = guard.charge
            if charge is not None:
                families.setdefault(m.DRILL_IN_PROGRESS, {})[(name, charge.playbook)] = 1.0
                families.setdefault(m.DRILL_SINCE, {})[(name, charge.playbook)] = charge.armed
                families.setdefault(m.DRILL_DEADLINE, {})[(name, charge.playbook)] = charge.ends
                families.setdefault(m.DRILL_ABORT_AFTER, {})[(name, charge.playbook)] = charge.dark
            if terminal is not None and terminal.drill is not None:
                families.setdefault(m.DRILL_IN_PROGRESS, {}).setdefault((name, terminal.drill.playbook), 0.0)
        return [block(metric, self._inventory.fleet.fleet, samples) for metric, samples in families.items()]

    def _read_records(self, now: float) -> None:
        self._samples = record_samples(self._inventory, self._known_since(now), evidence.records(self.folder))

    def _known_since(self, now: float) -> dict[str, float]:
        """When each terminal with a drill was first known here."""
        path = self.folder / "known.json"
        try:
            known = {str(name): float(at) for name, at in json.loads(path.read_bytes()).items()}
        except (OSError, ValueError, AttributeError, TypeError):
            known = {}
        wanted = {name for name, each in self._inventory.fleet.terminals.items() if each.drill is not None}
        if new := wanted - known.keys():
            known |= dict.fromkeys(new, now)
            try:
                sealing.write(self.folder, "known.json", known)
            except DrillError as error:
                log.error("when terminals became known is not written", extra=kv(error=error))
        return known


def _kept_notices(folder: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads((folder / "notices.json").read_bytes())
    except (OSError, ValueError):
        return []
    return found


def _keep_notices(folder: Path, notices: Sequence[Mapping[str, Any]]) -> None:
    try:
        sealing.write(folder, "notices.json", list(notices))
    except DrillError as error:
        log.error("a notification of a drill is not kept", extra=kv(error=error))
