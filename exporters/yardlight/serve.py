"""`yardlight serve`: puts inventory, probing, polls and HTTP together; starts, reloads and stops them.

Probing has the main thread's event loop for itself; HTTP has a thread, and what talks to vendors a few processes.
A reload is whole or not at all for each inventory file, and what did not change in it keeps running.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import platform
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from yardlight import __version__, centre, heap, integration, logs
from yardlight.accounts import Turns
from yardlight.catalogue import (
    BUILD_INFO,
    CLOCK,
    FEED_NEWEST,
    FLOW_MISMATCHES,
    LOOP_LAG,
    RELOAD_OK,
    RELOAD_TIME,
    STATE_WRITABLE,
)
from yardlight.collection import Join, Result
from yardlight.domains import Planned, PlannedJoin, domains, joined
from yardlight.drills.desk import FleetDesk, folder_of
from yardlight.drills.session import Session
from yardlight.errors import DrillError, InventoryError, Problem, StartError, YardlightError
from yardlight.exposition import AnyBlock, Block, block
from yardlight.facts import TerminalFacts
from yardlight.feeds.pull import PlannedPull
from yardlight.feeds.pull import planned as pulls
from yardlight.feeds.web import Kept as FlowsKept
from yardlight.feeds.web import Polled
from yardlight.integration import Standing
from yardlight.inventory.check import needs_ping
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.machine import may_ping
from yardlight.inventory.models import Account, Fleet, Terminal
from yardlight.logs import kv
from yardlight.pages import FleetView, Overview, Row
from yardlight.poll import InThread, Poll, Work
from yardlight.quiet import QuietTimes
from yardlight.records import domain as records
from yardlight.records.domain import PlannedCheck
from yardlight.records.web import Shelf
from yardlight.roster.web import Kept
from yardlight.server import Server
from yardlight.shard import WHOLE, Shard
from yardlight.slots import Slots
from yardlight.state import State, state_file
from yardlight.terminal.engine import Engine
from yardlight.terminal.exporter import TerminalExporter
from yardlight.terminal.facts import facts as terminal_facts
from yardlight.terminal.outside import OutsideProbes
from yardlight.terminal.routers.watch import RouterWatch
from yardlight.terminal.services import CentreServices, services_of
from yardlight.webhooks.receiver import Receivers
from yardlight.worker import Job

log = logging.getLogger(__name__)

# Often enough for a maintenance window to open on time; with 500 terminals it takes a moment.
INVENTORY_POLL_SECONDS = 10.0
# Seconds of rendering that no probe minds.
_AT_A_TIME = 0.002
# Seconds between the first polls of two routers: finding out what one has takes ten milliseconds of the loop.
_APART = 0.05
# How long a thread that computes may keep the probing loop waiting.
SWITCH_SECONDS = 0.001
_DESCRIPTORS = 65536
# A router whose word is awaited in a drill is asked so often.
_ROUTER_SECONDS = 1.0
NO_NET_RAW = (
    "probing with ICMP needs the capability CAP_NET_RAW: run as root, or from systemd with "
    "AmbientCapabilities=CAP_NET_RAW; or use tcp:// targets only"
)


@dataclass(frozen=True)
class ServeOptions:
    """What `yardlight serve` was asked to do. Neither `centre` nor `terminal`: everything of the inventory.

    One of `inventory` (a file) and `inventory_dir` is given. With a folder, each fleet has a state file of
    its own beside `state`: yardlight.db becomes yardlight-FLEET.db.
    """

    inventory: Path | None = None
    inventory_dir: Path | None = None
    centre: bool = False
    terminal: str | None = None
    shard: Shard = WHOLE
    listen: str = ":10480"
    web_config: Path | None = None
    state: Path = Path("yardlight.db")
    log_format: str = "logfmt"
    log_level: str = "info"


def _take_descriptors() -> None:
    """As many as this process may have: a login shell gives a thousand, which as many idle TLS clients use up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(options: ServeOptions) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a graceful stop, 1 if it could not start (said in the log)."""
    recent = logs.setup(options.log_format, options.log_level)
    sys.setswitchinterval(SWITCH_SECONDS)
    _take_descriptors()
    heap.give_back()
    try:
        asyncio.run(_serve(options, recent))
    except YardlightError as error:
        for line in str(error).splitlines():
            log.error(line)
        return 1
    return 0


async def _serve(options: ServeOptions, recent: logs.Recent) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    service = Service(options, recent)
    await service.load()
    server = Server(
        service, options.listen, options.web_config,
        drills=service, runners=service, trucks=service, records=service, webhooks=service,
        flows=service,
    )  # fmt: skip
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, service.reload_soon)
    server.start()
    try:
        await service.start()
        log.info("serving", extra=kv(address=options.listen, version=__version__, role=service.role))
        await stop.wait()
        log.info("stopping")
    finally:
        await asyncio.to_thread(server.stop)
        await service.stop()


AnyPlan = Planned | PlannedJoin | PlannedCheck | PlannedPull
# All that has blocks for the page.
Source = TerminalExporter | RouterWatch | OutsideProbes | CentreServices | Poll | Turns | FleetDesk | Receivers


@dataclass
class Loaded:
    """The inventories on disk: those that can be used, and the problems of each file that cannot."""

    inventories: list[Inventory]
    broken: dict[Path, list[Problem]]


class Service:
    """Everything that runs, and what the HTTP server asks of it. For the main loop's own thread."""

    def __init__(self, options: ServeOptions, recent: logs.Recent) -> None:
        self.loop = asyncio.get_running_loop()
        self._options = options
        self._recent = recent
        self._engine = Engine()
        self.slots = Slots(log_format=options.log_format, log_level=options.log_level)
        self.fleets: dict[str, RunningFleet] = {}
        self._broken: dict[Path, list[Problem]] = {}
        self._loaded = Loaded([], {})
        self._ready = False
        self._turn = asyncio.Lock()
        # The loop itself holds tasks only weakly.
        self._reloads: set[asyncio.Task[list[Problem]]] = set()

    @property
    def role(self) -> str:
        """What this process does, in words."""
        if self._options.terminal:
            return f"terminal {self._options.terminal}"
        said = "centre" if self._options.centre else "centre and terminals"
        shard = self._options.shard
        return said if shard == WHOLE else f"{said}, {shard.index} of {shard.of}"

    async def load(self) -> None:
        """Read the inventories. Raises `InventoryError` or `StartError` if none can be run."""
        loaded = await asyncio.to_thread(_load, self._options)
        problems = [problem for file in loaded.broken.values() for problem in file]
        if not loaded.inventories:
            raise InventoryError(problems)
        terminals = [terminal for each in loaded.inventories for terminal in each.fleet.terminals]
        if self._options.terminal not in (None, *terminals):
            raise StartError(f"no terminal {self._options.terminal!r}; the inventory has {', '.join(terminals)}")
        if any(_needs_icmp(each.fleet, self._options) for each in loaded.inventories) and not may_ping():
            raise StartError(NO_NET_RAW)
        self._loaded = loaded

    async def start(self) -> None:
        """Begin to probe and collect what `load` found. Raises `StartError` if nothing of it can be run."""
        async with self._turn:
            self._engine.start()
            problems = await self._use(self._loaded)
            if not self.fleets:
                raise StartError("\n".join(_texts(problems)))
            _log_problems(problems)
            _set_apart()
            self._ready = True

    async def stop(self) -> None:
        """Stop probing and close the state files."""
        for task in self._reloads:
            task.cancel()
        async with self._turn:
            for fleet in self.fleets.values():
                await fleet.stop()
            self.fleets.clear()
            await self.slots.stop()
            await self._engine.stop()

    def heartbeat(self) -> float:
        return self._engine.heartbeat

    def ready(self) -> bool:
        return self._ready

    async def reload(self) -> list[Problem]:
        """Take the inventories on disk into use; the problems of those that were refused, whole."""
        async with self._turn:
            running = [fleet.inventory.path for fleet in self.fleets.values()]
            loaded = await asyncio.to_thread(_load, self._options, running)
            for inventory in list(loaded.inventories):
                if problems := self._unfit(inventory):
                    loaded.inventories.remove(inventory)
                    loaded.broken[inventory.path] = problems
            names = {inventory.fleet.fleet for inventory in loaded.inventories}
            for name, fleet in list(self.fleets.items()):
                if name not in names and not _concerns(loaded.broken, fleet.inventory.path):
                    await self.fleets.pop(name).stop()
                    log.info("the fleet was removed", extra=kv(fleet=name))
            problems = await self._use(loaded)
            _log_problems(problems)
            _set_apart()
            return problems

    async def _use(self, loaded: Loaded) -> list[Problem]:
        """Run what can be run; a fleet whose state file is unusable stops no other."""
        for inventory in loaded.inventories:
            try:
                await self._add(inventory)
            except YardlightError as error:
                loaded.broken[inventory.path] = [Problem(str(inventory.path), 0, 0, "", str(error))]
        self._broken = loaded.broken
        return [problem for file in loaded.broken.values() for problem in file]

    def reload_soon(self) -> None:
        """Reload on a signal; the problems are in the log."""
        task = self.loop.create_task(self.reload())
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    async def blocks(self) -> list[AnyBlock]:
        """All blocks of the page. Probing goes on in between."""
        found: list[AnyBlock] = []
        began = time.monotonic()
        for fleet in list(self.fleets.values()):
            found += self._process_blocks(fleet)
            for source in fleet.sources():
                try:
                    found += source.blocks()
                except Exception:
                    log.exception("a page is incomplete", extra=kv(fleet=fleet.name, source=type(source).__name__))
                if time.monotonic() - began > _AT_A_TIME:
                    await asyncio.sleep(0)
                    began = time.monotonic()
        for path in self._broken:
            if path.stem not in self.fleets and not self._running(path):
                found.append(block(RELOAD_OK, path.stem, {(): 0}))
        return found

    async def discovery(self) -> list[dict[str, Any]]:
        """The boxes of all terminals, as Prometheus' HTTP service discovery wants them."""
        return [group for fleet in self.fleets.values() for group in centre.discovery(fleet.inventory.fleet)]

    def drill_desk(self, fleet: str) -> FleetDesk | None:
        """The drills of this fleet."""
        running = self.fleets.get(fleet)
        return None if running is None else running.desk

    async def open_drill(self, token: str) -> Session:
        """The session behind a one-time link of any fleet. Raises `DrillError` for one that is not valid."""
        refused: DrillError | None = None
        for fleet in self.fleets.values():
            try:
                return await fleet.desk.open(token)
            except DrillError as error:
                # Most fleets do not know it at all; the last word is that of the one that does.
                refused = error if refused is None or fleet.desk.links.knows(token) else refused
        raise refused or DrillError("no fleet is served here")

    async def drill_notice(self, payload: Mapping[str, Any], received: float) -> None:
        """A notification for the drill receiver goes to the fleet that its alerts name."""
        named = {str(alert["labels"].get("fleet", "")) for alert in payload["alerts"]}
        for name in named & self.fleets.keys():
            await self.fleets[name].desk.notice(payload, received)

    async def kept(self) -> list[Kept]:
        """Every fleet with what its sources left last, for the pages of trucks."""
        return [fleet.kept() for fleet in self.fleets.values()]

    async def flows(self) -> list[FlowsKept]:
        """Every fleet with its feeds and flows as they were looked at last, for the pages of flows."""
        return [fleet.kept_of_flows() for fleet in self.fleets.values()]

    async def shelves(self) -> list[Shelf]:
        """The fleets whose records can be fetched here."""
        return [fleet.shelf() for fleet in self.fleets.values()]

    def webhooks(self, fleet: str) -> Receivers | None:
        """What the vendors of this fleet call; asked from the HTTP thread."""
        running = self.fleets.get(fleet)
        return None if running is None else running.webhooks

    async def overview(self) -> Overview:
        """What the landing page shows."""
        views = [fleet.view(self._problems(fleet)) for fleet in self.fleets.values()]
        for path, problems in self._broken.items():
            if not self._running(path):
                views.append(FleetView(path.stem, str(path), None, _texts(problems), (), ()))
        return Overview(time.time(), self.role, views, self._recent.lines())

    def _process_blocks(self, fleet: RunningFleet) -> Iterator[Block]:
        name, now = fleet.name, time.time()
        measured = [(terminal,) for terminal in fleet.exporters]
        centre_too = [] if self._options.terminal else [("",)]
        yield block(BUILD_INFO, name, {(__version__, platform.python_version()): 1})
        yield block(CLOCK, name, dict.fromkeys([*measured, *centre_too], now))
        yield block(LOOP_LAG, name, {(): self._engine.lag_max()})
        yield block(RELOAD_OK, name, {(): float(not self._problems(fleet))})
        yield block(RELOAD_TIME, name, {(): fleet.loaded})
        if fleet.state is not None:
            yield block(STATE_WRITABLE, name, {(): float(fleet.state.writable)})

    def _problems(self, fleet: RunningFleet) -> tuple[str, ...]:
        return tuple(
            text
            for path, problems in self._broken.items()
            if _concerns({path: problems}, fleet.inventory.path)
            for text in _texts(problems)
        )

    def _running(self, path: Path) -> bool:
        return any(_concerns({path: []}, fleet.inventory.path) for fleet in self.fleets.values())

    def _unfit(self, inventory: Inventory) -> list[Problem]:
        """Why this inventory cannot be run by this process."""
        wanted = self._options.terminal
        running = self.fleets.get(inventory.fleet.fleet)
        # Of many fleets, most do not have the terminal that is measured here.
        ours = self._options.inventory_dir is None or (running is not None and wanted in running.exporters)
        if wanted and ours and wanted not in inventory.fleet.terminals:
            message = f"this process measures {wanted!r}, which is not there any more"
            return [inventory.problem(("terminals",), message)]
        if _needs_icmp(inventory.fleet, self._options) and not may_ping():
            return [Problem(str(inventory.path), 0, 0, "", NO_NET_RAW)]
        return []

    async def _add(self, inventory: Inventory) -> None:
        name = inventory.fleet.fleet
        fleet = self.fleets.get(name) or RunningFleet(self._options, self._engine, self.slots, inventory)
        await fleet.use(inventory)
        self.fleets[name] = fleet


class RunningFleet:
    """One fleet: its probes, its polls and its state file."""

    def __init__(self, options: ServeOptions, engine: Engine, slots: Slots, inventory: Inventory) -> None:
        self.name = inventory.fleet.fleet
        self.inventory = inventory
        self.exporters: dict[str, TerminalExporter] = {}
        self.routers: dict[str, RouterWatch] = {}
        self.loaded = 0.0
        self._options = options
        self._engine = engine
        self._slots = slots
        self._outside: OutsideProbes | None = None
        self._outside_of: object = None
        self._services: CentreServices | None = None
        self._services_of: object = None
        self._polls: dict[str, Poll] = {}
        self._planned: dict[str, AnyPlan] = {}
        self._turns: dict[str, Turns] = {}
        self._quiet = QuietTimes(inventory.path)
        self.state: State | None = None
        self.webhooks: Receivers | None = None
        self.desk = FleetDesk(folder_of(self._state_file), self)
        self._started = False

    @property
    def _state_file(self) -> Path:
        return state_file(self._options.state, self.name if self._options.inventory_dir else None)

    async def use(self, inventory: Inventory) -> None:
        """Run this inventory; terminals that are the same in it as before are not touched.

        Raises `StateError`, before anything changed, if the state file is needed and cannot be used.
        """
        wanted = self._terminals(inventory)
        if (wanted or self._remembers(inventory.fleet)) and self.state is None:
            self.state = State(self._state_file)
        self.inventory = inventory
        for name, exporter in list(self.exporters.items()):
            if wanted.get(name) != exporter.terminal:
                self.exporters.pop(name).stop()
        for name, terminal in wanted.items():
            if name not in self.exporters:
                assert self.state is not None
                self.exporters[name] = TerminalExporter(self.name, terminal, self._engine, self.state)
                self.exporters[name].start()
                # The others are probed meanwhile, and this one never in step with the next.
                await asyncio.sleep(0)
        self._use_routers(wanted)
        if not self._options.terminal:
            await self._use_centre(inventory.fleet)
        self.desk.use(inventory)
        if not self._started:
            self._started = True
            await self.desk.start()
        self.loaded = time.time()
        counts = {"terminals": len(inventory.fleet.terminals), "measured_here": len(wanted)}
        log.info("the inventory is in use", extra=kv(fleet=self.name, file=inventory.path, **counts))

    async def stop(self) -> None:
        """Stop probing and collecting, then close the state file."""
        try:
            await self.desk.stop()
            for poll in self._polls.values():
                await poll.stop()
            if self._outside is not None:
                self._outside.stop()
            if self._services is not None:
                self._services.stop()
            for source in self._measuring():
                source.stop()
            if self.webhooks is not None:
                self.webhooks.close()
        finally:
            if self.state is not None:
                self.state.close()

    def _measuring(self) -> list[TerminalExporter | RouterWatch]:
        """What measures terminals."""
        return [*self.exporters.values(), *self.routers.values()]

    # What drills ask

    def terminals(self) -> dict[str, Terminal]:
        """The terminals that are measured here."""
        return {name: exporter.terminal for name, exporter in self.exporters.items()}

    def facts(self, terminal: str, since: float | None) -> TerminalFacts:
        """What is known of a terminal now, the router's own word included."""
        router = self.routers.get(terminal)
        found = terminal_facts(self.exporters[terminal], since)
        if router is None:
            return found
        return found.model_copy(update={"claimed": router.claim.uplink, "claimed_at": router.last_success})

    def look_closely(self, terminal: str, seconds: float) -> None:
        """A drill is under way at a terminal. Its router is asked often only while it says what is not so."""
        exporter = self.exporters[terminal]
        exporter.look_closely(seconds)
        observed = exporter.carrier.observed
        if (router := self.routers.get(terminal)) is not None and router.claim.uplink != observed:
            # In the dark nobody knows yet whether what it says is old.
            router.hurry(_ROUTER_SECONDS, doubted=observed is not None)

    def sources(
        self,
    ) -> list[Source]:
        """All that has blocks for the page."""
        seen = [source for source in (self._outside, self._services, self.webhooks) if source is not None]
        return [*self._measuring(), *seen, *self._polls.values(), *self._turns.values(), self.desk]

    def kept(self) -> Kept:
        """What each source left last, and why it fails now."""
        polls = ((plan, self._polls[name]) for name, plan in self._planned.items() if isinstance(plan, Planned))
        return Kept(self.inventory.fleet, [(plan, poll.left, poll.reason) for plan, poll in polls])

    def kept_of_flows(self) -> FlowsKept:
        """What feeds and flows left last, and why they fail now."""
        plans = ((name, plan, self._polls[name]) for name, plan in self._planned.items())
        polls = {
            name: Polled(plan.interval, plan.deadline, poll.left, poll.reason)
            for name, plan, poll in plans
            if name.startswith(("feeds/", "flows/"))
        }
        return FlowsKept(self.inventory.fleet, polls)

    def shelf(self) -> Shelf:
        """Where this fleet's records are kept track of."""
        return Shelf(self.inventory.fleet, self.inventory.path.absolute(), self._state_file.absolute())

    def view(self, problems: tuple[str, ...]) -> FleetView:
        """This fleet for the landing page."""
        rows: list[Row] = [row for source in self._measuring() for row in source.status()]
        polls = [poll.row() for poll in self._polls.values()]
        if self.webhooks is not None:
            polls += self.webhooks.rows()
        drawn = integration.drawn(self.inventory.fleet, self._standing(), linked=True)
        return FleetView(self.name, str(self.inventory.path), self.loaded, problems, rows, polls, drawn)

    def _standing(self) -> dict[str, Standing]:
        """How what is read stands, by its poll, for the map."""
        now = time.time()
        calls = self.webhooks.rows() if self.webhooks is not None else []
        found = {row.account: integration.of_row(row, "last call", row.last_success, now) for row in calls}
        for name, poll in self._polls.items():
            found[name] = integration.of_row(poll.row(), "newest", poll.sample(FEED_NEWEST), now)
            if (count := poll.sample(FLOW_MISMATCHES)) is not None and not poll.reason:
                found[name] = integration.of_flow(int(count))
        return found

    def _terminals(self, inventory: Inventory) -> dict[str, Terminal]:
        """The terminals that this process measures."""
        if self._options.centre:
            return {}
        wanted = self._options.terminal
        return {name: each for name, each in self._share(inventory.fleet).terminals.items() if wanted in (None, name)}

    def _share(self, fleet: Fleet) -> Fleet:
        """The fleet with the terminals alone that are this process's to look at."""
        ours = {name: each for name, each in fleet.terminals.items() if self._owns("terminal", name)}
        return fleet.model_copy(update={"terminals": ours})

    def _owns(self, *source: str) -> bool:
        return self._options.shard.owns(self.name, *source)

    def _remembers(self, fleet: Fleet) -> bool:
        """Whether a centre keeps anything of this fleet: what it collects, or which address once answered."""
        outside = _outside_addresses(self._share(fleet))
        return not self._options.terminal and bool(fleet.accounts or fleet.archives or outside)

    def _use_routers(self, terminals: dict[str, Terminal]) -> None:
        """Poll the routers of the terminals measured here; who polls one also keeps its counters."""
        polled = {name: each for name, each in terminals.items() if each.router is not None and each.router.snmp}
        for name, watch in list(self.routers.items()):
            if polled.get(name) != watch.terminal:
                self.routers.pop(name).stop()
        for name, terminal in polled.items():
            if name not in self.routers:
                assert self.state is not None
                exporter = self.exporters[name]
                self.routers[name] = RouterWatch(self.name, terminal, self.state, exporter.router_said)
                exporter.ask_router = self.routers[name].hurry
                self.routers[name].start(within=_APART * len(polled))

    async def _use_centre(self, fleet: Fleet) -> None:
        share = self._share(fleet)
        addresses = _outside_addresses(share)
        if addresses != self._outside_of:
            if self._outside is not None:
                self._outside.stop()
                self._outside = None
            if addresses:
                assert self.state is not None
                self._outside = OutsideProbes(share, self._engine, self.state)
                self._outside.start()
            self._outside_of = addresses
        # Each is probed once, however many terminals work with it.
        working = fleet if self._owns("services") else fleet.model_copy(update={"terminals": {}})
        services = (services_of(working), fleet.resolvers)
        if services != self._services_of:
            if self._services is not None:
                self._services.stop()
            self._services = CentreServices(working, self._engine)
            self._services.start()
            self._services_of = services
        if "inventory" not in self._polls:
            # In this process: it is here already, and nobody is asked for it.
            said = centre.Said()
            work = InThread(lambda: said.blocks(self.inventory.fleet, time.time(), self._quiet.entries()))
            poll = self.collect("inventory", work, INVENTORY_POLL_SECONDS, INVENTORY_POLL_SECONDS)
            await poll.once()
            poll.start()
        else:
            await self._polls["inventory"].once()
        if fleet.webhooks and self.webhooks is None and self._owns("webhooks"):
            assert self.state is not None
            self.webhooks = Receivers(self.name, self.state)
        if self.webhooks is not None:
            self.webhooks.use(fleet)
        await self._use_accounts(fleet)

    async def _use_accounts(self, fleet: Fleet) -> None:
        """Collect what the inventory plans; what is planned as before goes on."""
        base = self.inventory.path.parent
        collected = (each for part in domains() for each in part.planned(fleet, base))
        checked = records.planned(fleet, base.absolute(), self._state_file.absolute())
        every: tuple[Planned | PlannedJoin | PlannedCheck | PlannedPull, ...] = (
            *collected,
            *joined(fleet, base),
            *checked,
            *pulls(fleet, base),
        )
        planned = {each.collection.source.name: each for each in self._options.shard.plans(self.name, every)}
        for name, before in list(self._planned.items()):
            if planned.get(name) != before:
                del self._planned[name]
                await self._polls.pop(name).stop()
        for gone in self._turns.keys() - fleet.accounts.keys():
            del self._turns[gone]
        for name, each in planned.items():
            if name in self._planned:
                continue
            account = each.collection.source.account
            self._polls[name] = Poll(
                self.name, account, self._work_of(fleet, each),
                each.interval, each.deadline, each.keep_for, self.state, name,
            )  # fmt: skip
            self._planned[name] = each
            self._polls[name].start()

    def _work_of(self, fleet: Fleet, plan: AnyPlan) -> Work:
        """How this is done each time."""
        if isinstance(plan, PlannedJoin):
            return partial(self._joined, plan.collection)
        source = plan.collection.source
        work = self._turn(fleet.accounts[source.account]).collect if source.account else self._slots_of(source.name)
        return partial(work, plan.collection)

    def _turn(self, account: Account) -> Turns:
        """The turns of this account, with its budget as the inventory has it."""
        assert self.state is not None
        turns = self._turns.get(account.name) or Turns(self._slots, self.name, account.name, self.state)
        turns.budget = account.requests_per_day
        self._turns[account.name] = turns
        return turns

    async def _joined(self, join: Join, deadline: float, memory: bytes) -> Result:
        """What the polls of this join left until now, put together by a worker."""
        left = {name: self._polls[name].left for name in join.of if name in self._polls}
        return await self._slots_of(join.source.name)(join.with_left(left), deadline, memory)

    def _slots_of(self, name: str) -> Callable[[Job, float, bytes], Awaitable[Result]]:
        """A worker slot for what needs no account; one that takes long is told apart from the others by its name."""
        return partial(self._slots.run, self.name, name)

    def collect(self, account: str, work: Work, interval: float, deadline: float, kept_in: State | None = None) -> Poll:
        """A poll of this account, in seconds, that the page shows from now on and `stop` ends; not started yet."""
        self._polls[account] = Poll(self.name, account, work, interval, deadline, state=kept_in)
        return self._polls[account]


def _set_apart() -> None:
    """Look for garbage once, then never again among what is there now.

    Otherwise a full collection stops the probing of 500 terminals for a tenth of a second, again and again.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _needs_icmp(fleet: Fleet, options: ServeOptions) -> bool:
    if not options.terminal and _outside_addresses(fleet):
        return True
    measured = [] if options.centre else fleet.terminals.values()
    return any(needs_ping(terminal) for terminal in measured if options.terminal in (None, terminal.name))


def _outside_addresses(fleet: Fleet) -> dict[tuple[str, str], str]:
    return {
        (terminal.name, uplink.name): uplink.circuit.outside
        for terminal in fleet.terminals.values()
        for uplink in terminal.uplinks.values()
        if uplink.circuit.outside
    }


def _load(options: ServeOptions, running: Collection[Path] = ()) -> Loaded:
    if options.inventory_dir is None:
        path = options.inventory or Path("fleet.yml")
        try:
            return Loaded([load(path)], {})
        except InventoryError as error:
            return Loaded([], {path: error.problems})
    inventories, errors = load_dir(options.inventory_dir, running)
    return Loaded(inventories, {error.path: error.problems for error in errors})


def _concerns(broken: dict[Path, list[Problem]], path: Path) -> bool:
    """Whether this file, or the folder it lies in, is broken."""
    return path in broken or path.parent in broken


def _texts(problems: list[Problem]) -> tuple[str, ...]:
    return tuple(str(problem) for problem in problems)


def _log_problems(problems: list[Problem]) -> None:
    for problem in problems:
        log.error("%s", problem)
