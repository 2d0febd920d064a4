"""Traps: with the router's own secrets they make it be asked at once, all else is counted and dropped."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from tests.snmp.agent import FakeAgent, values
from tests.terminal.routers.test_watch import ROUTER, page, terminal

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp import Agent, Usm, ber, usm
from yardlight.snmp.ber import oid
from yardlight.state import State
from yardlight.terminal.routers import traps
from yardlight.terminal.routers.watch import RouterWatch

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
CRADLEPOINT = "1.3.6.1.4.1.20992.4"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


@pytest.fixture
def port() -> int:
    return free_port(socket.SOCK_DGRAM, "0.0.0.0")


def pdu(trap: str = LINK_DOWN, **more: Any) -> bytes:
    bindings = {"1.3.6.1.2.1.1.3.0": 100, "1.3.6.1.6.3.1.1.4.1.0": oid(trap), **more}
    varbinds = ber.encode_varbinds((oid(name), ber.encode_value(value)) for name, value in bindings.items())
    return ber.encode_pdu(ber.TRAP, 7, varbinds)


def send(port: int, data: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(data, ("127.0.0.1", port))


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def counted(watch: RouterWatch) -> tuple[float, float]:
    told = page(watch)
    name = 'router_traps_total{{fleet="inland",result="{}",terminal="fontana"}}'
    return told[name.format("accepted")], told[name.format("refused")]


@pytest.mark.needs("snmptrap")
def test_a_trap_with_the_right_secret_has_the_router_asked_at_once(tmp_path: Path, state: State, port: int) -> None:
    async def run() -> None:
        words: list[str | None] = []
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch(
                "inland", terminal(tmp_path, agent.port, traps=port), state, lambda word, asked: words.append(word)
            )
            watch.start()
            await until(lambda: len(words) == 1)
            send(port, ber.encode_v2c(b"somebody", pdu()))
            send(port, b"\x30garbage")
            await until(lambda: counted(watch) == (0, 2))
            assert len(words) == 1
            subprocess.run(
                ["snmptrap", "-v2c", "-c", "public", f"127.0.0.1:{port}", "", LINK_DOWN],
                check=True,
                capture_output=True,
            )
            await until(lambda: counted(watch) == (1, 2))
            await until(lambda: len(words) == 2)
            for _ in range(20):
                send(port, ber.encode_v2c(b"public", pdu()))
            await until(lambda: counted(watch) == (21, 2))
            assert len(words) == 2, "a flood of traps is no flood of polls"
            watch.stop()
            assert traps._ports == {}

    asyncio.run(run())


def test_a_failover_trap_is_the_claim_of_a_router_whose_tables_claim_nothing(
    tmp_path: Path, state: State, port: int
) -> None:
    silent = {name: value for name, value in ROUTER.items() if ".4.21." not in name}
    failover = pdu(
        f"{CRADLEPOINT}.1.8",
        **{f"{CRADLEPOINT}.13.0": 3, f"{CRADLEPOINT}.14.0": 3, f"{CRADLEPOINT}.15.0": b"wwan0"},
    )

    async def run() -> None:
        async with FakeAgent(values(silent)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port, traps=port), state)
            watch.start()
            await until(lambda: watch.reading is not None)
            assert watch.claim.uplink is None
            send(port, ber.encode_v2c(b"public", failover))
            await until(lambda: watch.claim.uplink == "lte")
            watch.stop()

    asyncio.run(run())


@pytest.mark.parametrize("end", ["standby", "restart"])
def test_the_word_of_a_failover_trap_is_over_when_that_line_stands_by_again_or_the_router_restarts(
    tmp_path: Path, state: State, port: int, end: str
) -> None:
    silent = {name: value for name, value in ROUTER.items() if ".4.21." not in name}

    def wan(name: bytes, status: int) -> bytes:
        status_of = {f"{CRADLEPOINT}.13.0": status, f"{CRADLEPOINT}.14.0": 3, f"{CRADLEPOINT}.15.0": name}
        return ber.encode_v2c(b"public", pdu(f"{CRADLEPOINT}.1.8", **status_of))

    async def run() -> None:
        async with FakeAgent(values(silent)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port, traps=port), state)
            watch.start()
            await until(lambda: watch.reading is not None)
            send(port, wan(b"wwan0", 3))
            send(port, wan(b"eth1", 4))
            await until(lambda: watch.claim.uplink == "lte")
            if end == "standby":
                send(port, wan(b"wwan0", 5))
                await until(lambda: counted(watch) == (3, 0))
            else:
                agent.use(values({**silent, "1.3.6.1.2.1.1.3.0": 500}))
            watch.hurry(0.0)
            await until(lambda: watch.claim.uplink is None)
            watch.stop()

    asyncio.run(run())


USER = Usm("noc", "sha", Secret("auth passphrase"), "aes", Secret("priv passphrase"))
ENGINE = b"\x80\x00\x1f\x88\x04yard"


def test_a_trap_of_version_3_must_be_signed_by_the_engine_that_is_polled() -> None:
    keys = usm.localize(USER, ENGINE)
    agent = Agent("127.0.0.1", user=USER)
    agent.engine.engine_id, agent.engine.keys = ENGINE, keys
    good = usm.seal(USER, keys, ENGINE, 3, 100, 5, pdu(), reportable=False)
    assert traps.opened(good, agent)[oid("1.3.6.1.6.3.1.1.4.1.0")] == oid(LINK_DOWN)
    other = b"\x80\x00\x1f\x88\x04else"
    for bad in (
        usm.seal(USER, usm.localize(USER, other), other, 3, 100, 5, pdu(), reportable=False),
        usm.seal(USER, usm.Keys(), ENGINE, 3, 100, 5, pdu(), reportable=False),
        good[:-3] + b"xyz",
        ber.encode_v2c(b"public", pdu()),
        usm.seal(USER, keys, ENGINE, 3, 100, 5, ber.encode_pdu(ber.GET, 7, b""), reportable=False),
    ):
        with pytest.raises(SnmpError):
            traps.opened(bad, agent)


def test_a_trap_that_names_a_line_that_was_lost_claims_nothing() -> None:
    lost = {
        oid("1.3.6.1.6.3.1.1.4.1.0"): oid(f"{CRADLEPOINT}.1.8"),
        oid(f"{CRADLEPOINT}.13.0"): 4,
        oid(f"{CRADLEPOINT}.15.0"): b"ethernet-wan",
    }
    assert traps.told(lost) == ("ethernet-wan", False)
    assert traps.told({**lost, oid(f"{CRADLEPOINT}.13.0"): 3}) == ("ethernet-wan", True)
    assert traps.told({oid("1.3.6.1.6.3.1.1.4.1.0"): oid(LINK_DOWN)}) is None
