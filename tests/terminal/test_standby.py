"""Proofs of an idle standby, on real web and DNS servers: certificate and body, through the line and no other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from yardlight.demo import DemoOptions, Ports, fleet
from yardlight.demo.simulator import Simulator
from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.inventory.models import PROOF, Service, Standby, Terminal
from yardlight.state import State
from yardlight.terminal.engine import Engine
from yardlight.terminal.exporter import TerminalExporter

from .internet import HOST, NAME, Authority, Dns, name_server, says, web

PORTS = Ports(internet=18553, stun=13588, services=18554, dns=13589)
DEFAULT, FIBER, LTE = "127.101.1.9", "127.101.1.1", "127.101.1.2"
ALL = {"path": 1.0, "dns": 1.0, "https": 1.0}


@dataclass
class Site:
    """What is asked as a proof: it fails for sources in `broken` and notes who `asked`."""

    broken: set[str]
    asked: list[str]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        source = writer.get_extra_info("peername")[0]
        self.asked.append(source)
        await says(200, "" if source in self.broken else "all is well")(reader, writer, head)


@dataclass
class Scene:
    simulator: Simulator
    site: Site
    names: Dns
    terminal: Terminal
    engine: Engine
    state: State
    exporter: TerminalExporter

    def begin(self) -> None:
        """A new process."""
        self.exporter = TerminalExporter("demo", self.terminal, self.engine, self.state)
        for watch in self.exporter.services.watches:
            watch.way.resolver.port = self.names.port
        self.exporter.start()

    def restart(self, folder: Path) -> None:
        """The process ends and another one takes over its state."""
        self.exporter.stop()
        self.state.close()
        self.state = State(folder / "state.db")
        self.begin()

    def value(self, name: str, **labels: str) -> float | None:
        wanted = {"terminal": "fontana", "uplink": "lte", **labels}
        series = f"yardlight_{name}{{" + ",".join(f'{k}="{v}"' for k, v in sorted({"fleet": "demo", **wanted}.items()))
        lines = page(self.exporter.blocks(), openmetrics=False).decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(series + "}")), None)

    def ready(self) -> dict[str, float]:
        checks = ("path", "dns", "https", "service")
        found = {check: self.value("standby_ready", check=check) for check in checks}
        return {check: value for check, value in found.items() if value is not None}

    async def until(self, wanted: Callable[[], bool], within: float = 100.0) -> None:
        deadline = time.monotonic() + within
        while not wanted():
            assert time.monotonic() < deadline, (self.ready(), list(self.exporter.services.rows(0, 0)))
            await asyncio.sleep(0.05)

    async def asked_until(self, wanted: Callable[[], bool]) -> None:
        """Whatever is idle is asked at once and again, which a real yard does minutes apart."""

        def again() -> bool:
            for watch in self.exporter.services.watches:
                if watch.task is None and watch.due < float("inf"):
                    watch.due, watch.urgent = 0.0, True
            return wanted()

        await self.until(again)


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Scene]:
    simulator, site, authority = Simulator(PORTS), Site(set(), []), Authority(folder)
    (folder / "fleet.yml").write_text(fleet.inventory(simulator, DemoOptions(ports=PORTS)))
    async with AsyncExitStack() as stack:
        await simulator.start()
        stack.push_async_callback(simulator.stop)
        server = await stack.enter_async_context(web(site.handle, authority.server()))
        names = await stack.enter_async_context(name_server())
        engine, state = Engine(), State(folder / "state.db")
        engine.start()
        stack.push_async_callback(engine.stop)
        proof = Service.model_validate(
            {"url": f"https://{NAME}:{server.port}/ok", "body": "all is well", "ca_file": str(authority.file)}
        )
        terminal = load(folder / "fleet.yml").fleet.terminals["fontana"]
        terminal = terminal.model_copy(update={"standby": Standby(proof=proof), "resolvers": (HOST,)})
        exporter = TerminalExporter("demo", terminal, engine, state)
        scene = Scene(simulator, site, names, terminal, engine, state, exporter)
        scene.begin()
        stack.callback(lambda: scene.state.close())
        stack.callback(lambda: scene.exporter.stop())
        assert scene.ready() == {}
        await scene.until(lambda: scene.ready() == ALL)
        yield scene


def play(folder: Path, act: Callable[[Scene], Awaitable[None]]) -> None:
    async def run() -> None:
        async with yard(folder) as scene:
            await act(scene)

    asyncio.run(run())


def test_a_proof_goes_over_the_standby_and_is_remembered_over_a_restart(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        proven = scene.value("standby_proof_timestamp_seconds")
        assert proven is not None
        assert abs(time.time() - proven) < 60
        assert scene.site.asked.count(LTE) == 1
        assert scene.value("service_up", service=PROOF) == 1
        scene.restart(tmp_path)
        assert scene.ready() == {}
        assert scene.value("standby_proof_timestamp_seconds") == pytest.approx(proven, abs=1.0)

    play(tmp_path, act)


def test_a_wrong_body_over_the_standby_alone_is_the_standbys_fault(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        before = scene.value("standby_proof_timestamp_seconds")
        scene.site.broken = {LTE}
        await scene.asked_until(lambda: scene.ready() == {**ALL, "https": 0.0})
        assert {DEFAULT, FIBER} & set(scene.site.asked)
        assert scene.value("standby_proof_timestamp_seconds") == pytest.approx(before, abs=1.0)

    play(tmp_path, act)


def test_a_site_that_fails_over_every_line_says_nothing_about_the_standby(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.site.broken = {DEFAULT, FIBER, LTE}
        await scene.asked_until(lambda: scene.value("service_up", service=PROOF) == 0)
        await scene.asked_until(lambda: scene.ready() == {"path": 1.0, "dns": 1.0})

    play(tmp_path, act)


def test_other_lines_are_asked_for_a_proof_only_when_the_standby_fails(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await scene.until(lambda: set(scene.site.asked) == {DEFAULT, FIBER, LTE})
        watches = scene.exporter.services.watches
        await scene.until(lambda: all(watch.task is None for watch in watches))
        assert {watch.path for watch in watches if watch.due == float("inf")} == {"default", "fiber"}

    play(tmp_path, act)


def test_when_the_standby_last_carried_the_yard_is_known_after_a_failover(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert scene.value("standby_last_carried_timestamp_seconds") is None
        cut = time.time()
        scene.simulator.yards["fontana"].circuits["fiber"].loss = 1.0
        scene.simulator.update()
        await scene.until(lambda: (scene.value("standby_last_carried_timestamp_seconds") or 0.0) > cut, within=90)

    play(tmp_path, act)
