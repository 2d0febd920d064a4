"""Services over each path of a yard: real web and DNS servers, circuits told apart by source address."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from yardlight import budget
from yardlight.demo import DemoOptions, Ports, fleet
from yardlight.demo.simulator import Simulator
from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet, Metered, Service
from yardlight.state import State
from yardlight.terminal.engine import Engine
from yardlight.terminal.exporter import TerminalExporter
from yardlight.terminal.services import CentreServices, Standing

from .internet import HOST, NAME, Dns, Web, name_server, says, web

PORTS = Ports(internet=18543, stun=13578, services=18544, dns=13579)
DEFAULT, FIBER, LTE = "127.101.1.9", "127.101.1.1", "127.101.1.2"


@dataclass
class Vendor:
    """The dispatch service, which fails for sources in `broken`, and the DNS, silent for those in `deaf`."""

    broken: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        source = writer.get_extra_info("peername")[0]
        self.asked.append(source)
        await says(503 if source in self.broken else 200, "all is well")(reader, writer, head)

    def listen(self, names: Dns) -> None:
        answer = names.answer

        def unless_deaf(packet: bytes, source: str, truncated: bool = False) -> bytes | None:
            return None if source in self.deaf else answer(packet, source, truncated)

        names.answer = unless_deaf  # type: ignore[method-assign]


@dataclass
class Scene:
    simulator: Simulator
    vendor: Vendor
    web: Web
    dns: Dns
    exporter: TerminalExporter
    engine: Engine

    def samples(self) -> dict[str, float]:
        """Value by series, of the families that are about services."""
        lines = page(self.exporter.blocks(), openmetrics=False).decode().splitlines()
        found = {}
        for line in lines:
            if line.startswith(("yardlight_service", "yardlight_standby", "yardlight_probe_bytes")):
                series, _, value = line.rpartition(" ")
                found[series.removeprefix("yardlight_").replace('fleet="demo",', "")] = float(value)
        return found

    def up(self) -> dict[str, float]:
        """Whether dispatch works, by path."""
        return {
            series.split('uplink="')[1].rstrip('"}'): value
            for series, value in self.samples().items()
            if series.startswith("service_up")
        }

    def reasons(self) -> dict[str, str]:
        return {
            series.split('uplink="')[1].rstrip('"}'): series.split('reason="')[1].split('"')[0]
            for series in self.samples()
            if series.startswith("service_failure")
        }

    async def until(self, wanted: Callable[[], bool], within: float = 30.0) -> None:
        deadline = time.monotonic() + within
        while not wanted():
            assert time.monotonic() < deadline, (self.up(), self.reasons(), list(self.exporter.services.rows(0, 0)))
            await asyncio.sleep(0.05)


def dispatch(port: int) -> Service:
    url = f"http://{NAME}:{port}/health"
    return Service.model_validate(
        {"url": url, "body": "all is well", "every": "2s", "timeout": "1500ms", "slow_after": "1s"}
    )


@asynccontextmanager
async def yard(folder: Path) -> AsyncIterator[Scene]:
    simulator, vendor = Simulator(PORTS), Vendor()
    (folder / "fleet.yml").write_text(fleet.inventory(simulator, DemoOptions(ports=PORTS)))
    async with AsyncExitStack() as stack:
        await simulator.start()
        stack.push_async_callback(simulator.stop)
        server = await stack.enter_async_context(web(vendor.handle))
        names = await stack.enter_async_context(name_server())
        vendor.listen(names)
        engine, state = Engine(), State(folder / "state.db")
        stack.callback(state.close)
        engine.start()
        stack.push_async_callback(engine.stop)
        terminal = load(folder / "fleet.yml").fleet.terminals["fontana"]
        terminal = terminal.model_copy(update={"services": {"dispatch": dispatch(server.port)}, "resolvers": (HOST,)})
        exporter = TerminalExporter("demo", terminal, engine, state)
        for watch in exporter.services.watches:
            watch.way.resolver.port = names.port
        exporter.start()
        stack.callback(exporter.stop)
        scene = Scene(simulator, vendor, server, names, exporter, engine)
        assert scene.up() == {}
        await scene.until(lambda: scene.up() == {"default": 1, "fiber": 1, "lte": 1})
        yield scene


def play(folder: Path, act: Callable[[Scene], object]) -> None:
    async def run() -> None:
        async with yard(folder) as scene:
            await act(scene)  # type: ignore[misc]

    asyncio.run(run())


def test_t15_a_service_that_fails_on_fiber_and_works_on_lte_is_known_within_seconds(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        failed = time.time()
        scene.vendor.broken = {DEFAULT, FIBER}
        await scene.until(lambda: scene.up() == {"default": 0, "fiber": 0, "lte": 1})
        samples = scene.samples()
        of = 'service="dispatch",terminal="fontana",uplink'
        assert samples[f'service_last_probe_timestamp_seconds{{{of}="lte"}}'] >= failed
        since = samples[f'service_since_timestamp_seconds{{{of}="default"}}']
        assert failed - 6 < since <= failed
        assert f'service_response_seconds{{{of}="default"}}' not in samples
        assert samples[f'service_response_seconds{{{of}="lte"}}'] < 1
        assert scene.reasons() == {"default": "status", "fiber": "status"}
        assert samples['standby_ready{check="service",terminal="fontana",uplink="lte"}'] == 1
        assert samples['standby_proof_timestamp_seconds{terminal="fontana",uplink="lte"}'] >= failed
        first = samples[f'service_first_failure_timestamp_seconds{{{of}="default"}}']
        assert first >= failed
        await scene.until(lambda: scene.samples()[f'service_last_probe_timestamp_seconds{{{of}="lte"}}'] >= first - 0.1)
        assert f'service_first_failure_timestamp_seconds{{{of}="lte"}}' not in samples
        scene.vendor.broken = set()
        await scene.until(lambda: scene.up() == {"default": 1, "fiber": 1, "lte": 1})
        assert scene.reasons() == {}

    play(tmp_path, act)


def test_t13_dns_that_is_dead_on_fiber_only_is_the_reason_there(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.vendor.deaf = {DEFAULT, FIBER}
        await scene.until(lambda: scene.up() == {"default": 0, "fiber": 0, "lte": 1})
        assert scene.reasons() == {"default": "dns_timeout", "fiber": "dns_timeout"}

    play(tmp_path, act)


def test_t14_a_standby_without_dns_is_not_ready_though_its_path_is(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        ready = 'standby_ready{{check="{}",terminal="fontana",uplink="lte"}}'
        assert {check: scene.samples()[ready.format(check)] for check in ("path", "dns", "service")} == {
            "path": 1, "dns": 1, "service": 1,
        }  # fmt: skip
        scene.vendor.deaf = {LTE}
        lte = next(watch for watch in scene.exporter.services.watches if watch.path == "lte")
        lte.due, lte.urgent = 0.0, True
        await scene.until(lambda: scene.up() == {"default": 1, "fiber": 1, "lte": 0})
        assert {check: scene.samples()[ready.format(check)] for check in ("path", "dns", "service")} == {
            "path": 1, "dns": 0, "service": 0,
        }  # fmt: skip

    play(tmp_path, act)


def test_t16_what_fails_everywhere_is_ready_nowhere_but_blames_no_standby(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.vendor.broken = {DEFAULT, FIBER, LTE}
        await scene.until(lambda: scene.up() == {"default": 0, "fiber": 0, "lte": 0})
        assert 'standby_ready{check="service",terminal="fontana",uplink="lte"}' not in scene.samples()

    play(tmp_path, act)


def test_one_bad_answer_changes_nothing(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        before = len(scene.vendor.asked)
        scene.vendor.broken = {FIBER}
        await scene.until(lambda: scene.vendor.asked[before:].count(FIBER) == 1)
        scene.vendor.broken = set()
        await scene.until(lambda: scene.vendor.asked[before:].count(FIBER) == 2)
        await scene.until(lambda: all(watch.task is None for watch in scene.exporter.services.watches))
        assert scene.up() == {"default": 1, "fiber": 1, "lte": 1}

    play(tmp_path, act)


def test_an_uplink_that_is_not_pinned_has_no_services(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.simulator.yards["fontana"].circuits["lte"].pin_lost = True
        scene.simulator.update()
        await scene.until(lambda: scene.up() == {"default": 1, "fiber": 1})

    play(tmp_path, act)


def test_nothing_is_said_of_services_below_a_dead_path(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        for circuit in scene.simulator.yards["fontana"].circuits.values():
            circuit.loss = 1.0
        scene.simulator.update()
        await scene.until(lambda: scene.up() == {})
        last_probe = 'service_last_probe_timestamp_seconds{service="dispatch",terminal="fontana",uplink="default"}'
        assert scene.samples()[last_probe] > 0
        for circuit in scene.simulator.yards["fontana"].circuits.values():
            circuit.loss = 0.0
        scene.simulator.update()
        # The metered one was asked not long ago and has time.
        await scene.until(lambda: scene.up().items() >= {"default": 1, "fiber": 1}.items())

    play(tmp_path, act)


def test_a_metered_uplink_is_asked_seldom_and_every_byte_counts(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        exporter = scene.exporter
        lte = next(watch for watch in exporter.services.watches if watch.path == "lte")
        account = exporter.watches["lte"].wire.account
        assert account is not None
        asked, spent, began = scene.vendor.asked.count(LTE), account.ledger.services, time.monotonic()
        assert 500 < spent < budget.HTTP_BYTES
        # One echo of the simulated internet is 54 bytes and more; the probe of the service is what is new.
        assert exporter.watches["lte"].wire.bytes > spent
        await scene.until(lambda: scene.vendor.asked.count(DEFAULT) >= 4)
        assert asked == 1
        assert lte.ended is not None
        seldom = lte.due - lte.ended
        assert seldom > 2 * lte.service.every
        # On a machine that is busy with other things four answers may take long.
        assert scene.vendor.asked.count(LTE) - asked <= (time.monotonic() - began) / seldom

    play(tmp_path, act)


def test_a_metered_uplink_whose_share_is_spent_is_still_asked_in_need(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        account = scene.exporter.watches["lte"].wire.account
        assert account is not None
        lte = next(watch for watch in scene.exporter.services.watches if watch.path == "lte")
        account._services_spent = float("inf")
        lte.due, lte.ended = 0.0, 0.0
        await asyncio.sleep(1.5)
        assert scene.vendor.asked.count(LTE) == 1
        scene.vendor.broken = {DEFAULT}
        await scene.until(lambda: scene.vendor.asked.count(LTE) == 2)
        assert account.ledger.reserve > 0

    play(tmp_path, act)


def test_a_probe_over_a_standstill_proves_nothing(tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        default = next(watch for watch in scene.exporter.services.watches if watch.path == "default")
        scene.vendor.deaf = {DEFAULT}
        await scene.until(lambda: default.task is not None)
        ended = default.ended
        scene.exporter.services.stalled(time.monotonic())
        await scene.until(lambda: default.task is None)
        assert (default.ended, default.standing.first_bad) == (ended, None)

    play(tmp_path, act)


def test_the_centre_asks_each_service_of_the_fleet_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with web(says(200, "all is well")) as server, name_server() as names:
            (tmp_path / "fleet.yml").write_text(
                "fleet: f\ndefaults: {terminal: {targets: [198.51.100.1]}}\nclasses: {yard: {services: "
                f'{{dispatch: "http://{NAME}:{server.port}/"}}}}}}\n'
                "terminals: {fontana: {class: yard, uplinks: {fiber: {}}}, reno: {class: yard, uplinks: {fiber: {}}}}"
            )
            inventory: Fleet = load(tmp_path / "fleet.yml").fleet
            engine = Engine()
            centre = CentreServices(inventory, engine)
            [watch] = centre.probes.watches
            watch.servers, watch.way.resolver.port, watch.service = (HOST,), names.port, dispatch(server.port)
            engine.start()
            centre.start()

            def told() -> str:
                return page(centre.blocks(), openmetrics=False).decode()

            deadline = time.monotonic() + 20
            while "yardlight_service_up" not in told():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            assert 'yardlight_service_up{fleet="f",service="dispatch",terminal="",uplink="centre"} 1' in told()
            centre.stop()
            await engine.stop()

    asyncio.run(run())


def test_the_same_answer_twice_is_believed() -> None:
    standing = Standing()
    assert standing.told(False, 1.0, "status") is True
    assert standing.up is None
    assert standing.told(False, 3.0, "status") is False
    assert (standing.up, standing.since) == (False, 1.0)
    assert standing.told(True, 10.0, "") is True
    assert standing.up is False
    assert standing.told(True, 12.0, "") is False
    assert (standing.up, standing.since, standing.reason) == (True, 10.0, "")


def test_a_failure_began_at_the_last_good_answer() -> None:
    standing = Standing()
    standing.told(True, 1.0, "")
    standing.told(True, 31.0, "")
    standing.told(False, 61.0, "status")
    standing.told(False, 63.0, "status")
    assert (standing.up, standing.since) == (False, 31.0)


def test_a_doubt_that_was_not_confirmed_is_gone() -> None:
    standing = Standing()
    standing.told(True, 1.0, "")
    standing.told(False, 31.0, "status")
    standing.told(True, 33.0, "")
    assert standing.told(False, 61.0, "status") is True
    assert standing.up is True


def test_the_reason_is_the_newest_one() -> None:
    standing = Standing()
    for at, reason in ((1.0, "status"), (3.0, "status"), (13.0, "dns_timeout")):
        standing.told(False, at, reason)
    assert standing.reason == "dns_timeout"


def test_a_budget_that_does_not_pay_for_one_probe_is_for_trouble_only(tmp_path: Path) -> None:
    metered = Metered.model_construct(budget=100_000)
    (tmp_path / "fleet.yml").write_text(
        "fleet: f\nterminals: {fontana: {targets: [198.51.100.1], services: {dispatch: 'https://x.example.com'},"
        " uplinks: {fiber: {bind: 10.0.0.1}, lte: {bind: wwan0}}}}"
    )
    terminal = load(tmp_path / "fleet.yml").fleet.terminals["fontana"]
    lte = terminal.uplinks["lte"].model_copy(update={"metered": metered})
    assert budget.plan(terminal, lte).service_interval == float("inf")
