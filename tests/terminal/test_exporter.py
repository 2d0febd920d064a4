"""One terminal on a simulated internet: real TCP probes and STUN questions on loopback, circuits cut for real."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ports import free_port

from yardlight import catalogue as m
from yardlight.demo import DemoOptions, Ports, fleet
from yardlight.demo.simulator import STUN_HOST, Simulator
from yardlight.exposition import Histogram, duplicate_series, page
from yardlight.inventory.load import load
from yardlight.inventory.models import DefaultPath, Terminal
from yardlight.state import Event, State
from yardlight.terminal.engine import Engine
from yardlight.terminal.exporter import TerminalExporter

PORTS = Ports(
    internet=free_port(socket.SOCK_STREAM, STUN_HOST),
    stun=free_port(socket.SOCK_DGRAM, STUN_HOST),
    services=free_port(socket.SOCK_STREAM, STUN_HOST),
    dns=free_port(socket.SOCK_DGRAM, STUN_HOST),
)


class Yard:
    """The fontana terminal of the simulated fleet, measured by a real exporter."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.simulator = simulator
        self.circuits = simulator.yards["fontana"].circuits
        self.router = simulator.yards["fontana"].router
        (folder / "fleet.yml").write_text(fleet.inventory(simulator, DemoOptions(ports=PORTS)))
        self.terminal: Terminal = load(folder / "fleet.yml").fleet.terminals["fontana"]
        self.folder = folder
        self.engine = Engine()

    def begin(self, terminal: Terminal | None = None) -> None:
        self.state = State(self.folder / "state.db")
        self.exporter = TerminalExporter("demo", terminal or self.terminal, self.engine, self.state)
        self.exporter.start()

    def end(self) -> None:
        self.exporter.stop()
        self.state.close()

    def states(self) -> tuple[str, str | None, str, str]:
        """Terminal, who carries, fiber, lte."""
        carrier, watches = self.exporter.carrier, self.exporter.watches
        return (
            carrier.state,
            carrier.observed,
            watches["fiber"].verdict.judgement.state,
            watches["lte"].verdict.judgement.state,
        )

    async def until(self, wanted: Callable[[], bool], within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while not wanted():
            assert time.monotonic() < deadline, self.states()
            await asyncio.sleep(0.05)

    async def reach(self, *states: str | None) -> None:
        await self.until(lambda: self.states() == states)

    def page(self) -> str:
        return page(self.exporter.blocks(), openmetrics=False).decode()

    def cut(self, *circuits: str) -> None:
        for name in circuits:
            self.circuits[name].loss = 1.0
        self.simulator.update()

    def heal(self, *circuits: str) -> None:
        for name in circuits:
            self.circuits[name].loss = 0.0
        self.simulator.update()


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Yard]:
    simulator = Simulator(PORTS)
    await simulator.start()
    measured = Yard(folder, simulator)
    measured.engine.start()
    measured.begin()
    try:
        await measured.reach("primary", "fiber", "up", "up")
        yield measured
    finally:
        measured.end()
        await measured.engine.stop()
        await simulator.stop()


def events(here: Yard, kind: str) -> list[Event]:
    return [event for event in here.state.events("demo", "fontana", 0, time.time() + 60) if event.kind == kind]


def test_a_failover_and_its_failback_are_two_events_with_their_gaps(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.router.switch_after, here.router.failback_after = 4.0, 3.0
            here.cut("fiber")
            await here.until(lambda: here.exporter.carrier.state == "dark")
            assert 'yardlight_terminal_path{fleet="demo",source="observed",terminal="fontana",uplink="fiber"} 0' in (
                here.page()
            )
            await here.reach("standby", "lte", "down", "up")
            here.heal("fiber")
            await here.reach("primary", "fiber", "up", "up")
            moves = ("fontana", "lte", "fiber")
            await here.until(lambda: here.exporter.chronicle.totals.samples(m.FAILOVERS)[moves] == 1.0)
            assert here.exporter.chronicle.totals.samples(m.FAILOVERS)[("fontana", "fiber", "lte")] == 1.0
            there, back = events(here, "failover")
            assert (there.detail["came_from"], there.uplink) == ("fiber", "lte")
            assert (back.detail["came_from"], back.uplink) == ("lte", "fiber")
            assert 3.0 < there.end - there.start < 8.0
            assert back.end - back.start < 2.0
            gaps = here.exporter.chronicle.totals.samples(m.GAP)[("fontana",)]
            assert isinstance(gaps, Histogram)
            assert sum(gaps.counts) == 2
            assert duplicate_series(here.page().encode()) == []

    asyncio.run(scenario())


def test_an_outage_keeps_its_beginning_over_a_restart(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.cut("fiber", "lte")
            await here.reach("dark", None, "down", "down")
            before = here.page()
            here.end()
            await asyncio.sleep(1)
            here.begin()
            assert here.exporter.carrier.state == "unknown"
            await here.reach("dark", None, "down", "down")
            for series in (
                'terminal_state_since_timestamp_seconds{fleet="demo",terminal="fontana"}',
                'uplink_state_since_timestamp_seconds{fleet="demo",terminal="fontana",uplink="fiber"}',
            ):
                was, is_ = (float(text.split(series)[1].split("\n")[0]) for text in (before, here.page()))
                assert abs(was - is_) < 0.1
            restarted = time.time()
            here.heal("fiber", "lte")
            await here.until(lambda: len(events(here, "gap")) == 1)
            await here.until(lambda: len(events(here, "uplink_gap")) == 2)
            for event in (*events(here, "gap"), *events(here, "uplink_gap")):
                assert event.start < restarted - 3
                assert event.end > restarted - event.detail["error"]

    asyncio.run(scenario())


def test_probes_that_leak_through_the_other_circuit_are_never_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.cut("lte")
            await here.reach("primary", "fiber", "up", "down")
            here.circuits["lte"].pin_lost = True
            here.simulator.update()
            await here.reach("primary", "fiber", "up", "unknown")
            assert "leaves by fiber" in here.exporter.watches["lte"].verdict.judgement.reason
            assert 'uplink_pinned{fleet="demo",terminal="fontana",uplink="lte"} 0' in here.page()
            seen = set()
            for _ in range(100):
                seen.add(here.states()[3])
                await asyncio.sleep(0.1)
            assert "up" not in seen

    asyncio.run(scenario())


def test_an_address_the_box_does_not_have_is_unknown_with_its_reason_and_heals_by_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.end()
            lte = here.terminal.uplinks["lte"].model_copy(update={"bind": "192.0.2.99"})
            here.begin(here.terminal.model_copy(update={"uplinks": {**here.terminal.uplinks, "lte": lte}}))
            await here.until(lambda: "192.0.2.99" in here.exporter.watches["lte"].verdict.judgement.reason)
            assert here.states()[3] == "unknown"
            assert 'uplink_state{fleet="demo",state="down",terminal="fontana",uplink="lte"} 0' in here.page()
            here.exporter.watches["lte"].path.bind = here.terminal.uplinks["lte"].bind
            await here.reach("primary", "fiber", "up", "up")

    asyncio.run(scenario())


def test_a_process_that_stood_still_invents_no_gap(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            time.sleep(4)  # the loop itself stands still, as under SIGSTOP
            await asyncio.sleep(4)
            assert here.states() == ("primary", "fiber", "up", "up")
            assert here.state.events("demo", "fontana", 0, time.time() + 60) == []

    asyncio.run(scenario())


def test_a_terminal_with_one_circuit_and_no_binds_needs_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.end()
            fiber = here.terminal.uplinks["fiber"].model_copy(update={"bind": None})
            smallest = here.terminal.model_copy(
                update={"uplinks": {"fiber": fiber}, "egress": None, "default_path": DefaultPath()}
            )
            here.begin(smallest)
            await here.until(lambda: here.exporter.carrier.state == "primary")
            await here.until(lambda: here.exporter.watches["fiber"].verdict.judgement.state == "up")

    asyncio.run(scenario())


def test_without_any_evidence_two_circuits_stay_unknown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with yard(tmp_path) as here:
            here.end()
            here.state = State(tmp_path / "fresh.db")
            here.exporter = TerminalExporter(
                "demo", here.terminal.model_copy(update={"egress": None}), here.engine, here.state
            )
            here.exporter.start()
            await asyncio.sleep(5)
            assert here.states() == ("unknown", None, "unknown", "unknown")
            assert "uplink_pinned{" not in here.page()

    asyncio.run(scenario())
