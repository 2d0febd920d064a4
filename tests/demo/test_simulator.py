"""The simulated internet, tried with real packets from the addresses that the exporters use."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import dns.message
import pytest

from yardlight.demo import Ports, faults
from yardlight.demo.services import DNS_HOST
from yardlight.demo.simulator import STUN_HOST, TARGETS, Circuit, Router, Simulator

PORTS = Ports(internet=28443, stun=23478, services=28480, dns=28053)
FIBER, LTE, DEFAULT = "127.101.1.1", "127.101.1.2", "127.101.1.9"


@asynccontextmanager
async def running() -> AsyncIterator[Simulator]:
    simulator = Simulator(PORTS)
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


def run(check: Callable[[Simulator], Awaitable[None]]) -> None:
    async def main() -> None:
        async with running() as simulator:
            await check(simulator)

    asyncio.run(main())


async def answers(source: str, host: str = TARGETS[0], timeout: float = 0.3) -> bool:
    probe = socket.socket()
    probe.setblocking(False)
    probe.bind((source, 0))
    try:
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(probe, (host, PORTS.internet)), timeout)
    except TimeoutError:
        return False
    finally:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        probe.close()
    return True


async def egress(source: str) -> str | None:
    """The public address that STUN tells this source, or None for silence."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setblocking(False)
    client.bind((source, 0))
    transaction = os.urandom(12)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendto(client, struct.pack("!HHI", 1, 0, 0x2112A442) + transaction, (STUN_HOST, PORTS.stun))
        answer = await asyncio.wait_for(loop.sock_recv(client, 200), 0.3)
    except TimeoutError:
        return None
    finally:
        client.close()
    assert answer[8:20] == transaction
    kind, _, _, family, _, address = struct.unpack("!HHBBHI", answer[20:32])
    assert (kind, family) == (0x0020, 1)
    return socket.inet_ntoa(struct.pack("!I", address ^ 0x2112A442))


def test_a_cut_circuit_is_silent_for_its_own_address_only_and_speaks_again_when_healed() -> None:
    async def check(simulator: Simulator) -> None:
        assert all([await answers(FIBER, target) for target in TARGETS])
        faults.apply(simulator, "fontana.fiber=cut")
        assert not any([await answers(FIBER, target) for target in TARGETS])
        assert await answers(LTE)
        assert await answers("127.101.2.1"), "stockton's fiber was not cut"
        faults.apply(simulator, "fontana.fiber=heal")
        assert await answers(FIBER)

    run(check)


def test_a_lossy_circuit_loses_about_the_share_it_was_told() -> None:
    async def check(simulator: Simulator) -> None:
        faults.apply(simulator, "fontana.fiber=loss=30%")
        answered = sum([await answers(FIBER, timeout=0.02) for _ in range(400)])
        assert 200 < answered < 360, "280 are expected; these bounds are eight standard deviations away"

    run(check)


def test_the_egress_address_tells_which_circuit_an_address_takes() -> None:
    async def check(simulator: Simulator) -> None:
        assert [await egress(source) for source in (FIBER, LTE, DEFAULT)] == [
            "198.51.100.1",
            "203.0.113.1",
            "198.51.100.1",
        ]
        faults.apply(simulator, "fontana.lte=pin-lost")
        assert await egress(LTE) == "198.51.100.1", "without its policy route the probe leaves by the fiber"
        faults.apply(simulator, "fontana.fiber=cut")
        assert await egress(FIBER) is None
        assert await egress(DEFAULT) is None

    run(check)


def test_the_default_path_moves_when_the_router_has_waited_and_back_when_the_primary_is_well() -> None:
    async def check(simulator: Simulator) -> None:
        faults.apply(simulator, "fontana.router=switch=100ms")
        simulator.yards["fontana"].router.failback_after = 0.1
        faults.apply(simulator, "fontana.fiber=cut")
        assert not await answers(DEFAULT, timeout=0.02)
        async with asyncio.timeout(5):
            while not await answers(DEFAULT):
                await asyncio.sleep(0.05)
            assert await egress(DEFAULT) == "203.0.113.1"
            faults.apply(simulator, "fontana.fiber=heal")
            while await egress(DEFAULT) != "198.51.100.1":
                await asyncio.sleep(0.05)

    run(check)


def test_an_address_in_use_is_an_error_and_leaves_nothing_open() -> None:
    async def check(_: Simulator) -> None:
        second = Simulator(PORTS)
        with pytest.raises(OSError, match="Address already in use"):
            await second.start()
        assert second._listeners == []

    run(check)


def circuits(fiber: float = 0.0, lte: float = 0.0) -> dict[str, Circuit]:
    return {"fiber": Circuit("", "", loss=fiber), "lte": Circuit("", "", loss=lte)}


def test_a_router_switches_only_when_the_trouble_lasted_and_the_standby_lives() -> None:
    router = Router(switch_after=8)
    router.tick(circuits(fiber=1), now=0)
    router.tick(circuits(), now=7)
    router.tick(circuits(fiber=1), now=8)
    assert router.carries == "fiber", "the trouble of second 0 was over at second 7"
    router.tick(circuits(fiber=1), now=16)
    assert router.carries == "lte"
    router.tick(circuits(fiber=1, lte=1), now=100)
    assert router.carries == "lte", "there is nothing better to move to"


def test_a_stuck_router_stays_and_a_router_that_never_switches_never_does() -> None:
    never = Router(switch_after=None)
    never.tick(circuits(fiber=1), now=0)
    never.tick(circuits(fiber=1), now=10_000)
    assert never.carries == "fiber"
    stuck = Router(failback_after=None, carries="lte")
    stuck.tick(circuits(), now=0)
    stuck.tick(circuits(), now=10_000)
    assert stuck.carries == "lte"


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("fontana.fiber=cut", "fontana: traffic by fiber, fiber cut"),
        ("fontana.fiber=loss=20%", "fontana: traffic by fiber, fiber loses 20%"),
        ("fontana=cut", "fontana: traffic by fiber, fiber cut, lte cut"),
        ("reno.lte=pin-lost", "reno: traffic by fiber, lte not pinned"),
        ("reno.router=switch=90s", "reno: traffic by fiber"),
    ],
)
def test_a_fault_says_what_is_true_now(text: str, truth: str) -> None:
    assert faults.apply(Simulator(PORTS), text) == truth


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "fontna.fiber=cut",
            "'fontna' is not a terminal or a service of the demo; there are fontana, stockton, reno, dispatch",
        ),
        ("dispatch=cut", "a service can be: down, heal"),
        ("fontana.cable=cut", "the demo knows no such fault"),
        ("fontana.fiber=loss=20", "write a percentage"),
        ("fontana.router=switch=90", "write a number with a unit"),
        ("fontana.fiber", "a circuit can be: cut, loss=20%, pin-lost, dns-dead, heal"),
    ],
)
def test_a_mistyped_fault_says_what_is_accepted(text: str, message: str) -> None:
    with pytest.raises(faults.FaultError, match=message.replace("?", r"\?")):
        faults.apply(Simulator(PORTS), text)


def test_healing_a_terminal_heals_its_circuits_and_its_router() -> None:
    simulator = Simulator(PORTS)
    for fault in ("fontana=cut", "fontana.lte=pin-lost", "fontana.router=never-switch"):
        faults.apply(simulator, fault)
    assert faults.apply(simulator, "fontana=heal") == "fontana: traffic by fiber"
    assert simulator.yards["fontana"].router.switch_after == Router().switch_after


def test_every_fault_of_the_list_is_one() -> None:
    for line in faults.LIST.splitlines()[1:]:
        faults.apply(Simulator(PORTS), line.split()[0])


async def asks_for(source: str, service: str, simulator: Simulator) -> str:
    """What `source` gets from a service: the first line of the answer, or why there is none."""
    host, loop = simulator.services[service].host, asyncio.get_running_loop()
    query = dns.message.make_query(host, "A")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as client:
        client.bind((source, 0))
        client.connect((DNS_HOST, PORTS.dns))
        client.send(query.to_wire())
        try:
            answer = dns.message.from_wire(await asyncio.wait_for(loop.sock_recv(client, 4096), 0.3))
        except TimeoutError:
            return "no name"
    try:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(str(answer.answer[0][0]), PORTS.services, local_addr=(source, 0)), 0.5
        )
    except TimeoutError:
        return "no connection"
    writer.write(f"GET /health HTTP/1.1\r\nHost: {host}:{PORTS.services}\r\n\r\n".encode())
    first = (await asyncio.wait_for(reader.readline(), 10)).decode().strip()
    writer.close()
    return first


def test_dispatch_is_found_by_name_until_dns_dies_on_the_fiber_and_it_still_works_over_lte() -> None:
    async def check(simulator: Simulator) -> None:
        assert await asks_for(DEFAULT, "dispatch", simulator) == "HTTP/1.1 200 OK"
        faults.apply(simulator, "fontana.fiber=dns-dead")
        assert await asks_for(DEFAULT, "dispatch", simulator) == "no name"
        assert await asks_for(FIBER, "dispatch", simulator) == "no name"
        assert await asks_for(LTE, "dispatch", simulator) == "HTTP/1.1 200 OK"
        assert await answers(FIBER), "packets pass"
        faults.apply(simulator, "fontana.fiber=heal")
        assert await asks_for(FIBER, "dispatch", simulator) == "HTTP/1.1 200 OK"

    run(check)


def test_a_service_that_is_down_refuses_everybody_and_the_others_work_on() -> None:
    async def check(simulator: Simulator) -> None:
        assert faults.apply(simulator, "dispatch=down") == "dispatch: down everywhere"
        for source in (FIBER, LTE, "127.0.0.1"):
            assert await asks_for(source, "dispatch", simulator) == "HTTP/1.1 503 Service Unavailable"
            assert await asks_for(source, "eld-portal", simulator) == "HTTP/1.1 200 OK"
        assert faults.apply(simulator, "dispatch=heal") == "dispatch: works"
        assert await asks_for(FIBER, "dispatch", simulator) == "HTTP/1.1 200 OK"

    run(check)


def test_what_is_cut_reaches_no_service_either() -> None:
    async def check(simulator: Simulator) -> None:
        faults.apply(simulator, "fontana.fiber=cut")
        assert await asks_for(FIBER, "dispatch", simulator) == "no name"
        assert await asks_for(LTE, "dispatch", simulator) == "HTTP/1.1 200 OK"

    run(check)
