"""The router of a terminal, polled over real UDP: what is told, what is withdrawn, what is never made up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, values

from yardlight.inventory.models import Terminal
from yardlight.state import State
from yardlight.terminal.routers.watch import RouterWatch

IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
ROUTER: dict[str, Any] = {
    "1.3.6.1.2.1.1.1.0": b"a router nobody wrote a profile for",
    "1.3.6.1.2.1.1.3.0": 360000,
    "1.3.6.1.2.1.2.1.0": 2,
    f"{IF}.2.1": b"wan",
    f"{IF}.2.2": b"wwan0",
    f"{IF}.7.1": 1,
    f"{IF}.7.2": 1,
    f"{IF}.8.1": 1,
    f"{IF}.8.2": 2,
    f"{IF}.10.1": 4000000000,
    f"{IF}.16.1": 77,
    f"{IFX}.6.2": 2**40,
    f"{IFX}.10.2": 5,
    "1.3.6.1.2.1.4.20.1.2.100.64.1.9": 1,
    "1.3.6.1.2.1.4.20.1.3.100.64.1.9": "255.255.255.0",
    "1.3.6.1.2.1.4.21.1.2.0.0.0.0": 0,
    "1.3.6.1.2.1.4.21.1.3.0.0.0.0": 1,
    "1.3.6.1.2.1.4.21.1.7.0.0.0.0": "100.64.1.1",
}
Run = Callable[[Coroutine[Any, Any, None]], None]


def terminal(folder: Path, port: int, **router: Any) -> Terminal:
    (folder / "community").write_text("public\n")
    snmp = {"community_file": str(folder / "community"), "port": port, "timeout": "300ms", "every": "30s"}
    return Terminal.model_validate(
        {
            "name": "fontana",
            "timezone": "UTC",
            "uplinks": {
                "fiber": {"name": "fiber", "role": "primary", "medium": "fiber"},
                "lte": {"name": "lte", "role": "standby", "medium": "lte"},
            },
            "router": {
                "address": "127.0.0.1",
                "interfaces": {"fiber": "wan", "lte": "wwan0"},
                "snmp": snmp | router.pop("snmp", {}),
                **router,
            },
        }
    )


def page(watch: RouterWatch) -> dict[str, float]:
    lines = b"".join(block.body for block in watch.blocks()).decode().splitlines()
    return {name.removeprefix("yardlight_"): float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def state(tmp_path: Path) -> Any:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def test_an_unknown_router_gives_interfaces_traffic_and_its_default_route(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            assert page(watch).keys() == {
                'router_requests_total{fleet="inland",terminal="fontana"}',
                'router_retries_total{fleet="inland",terminal="fontana"}',
            }
            await watch.poll()
            told = page(watch)
            assert told['router_up{fleet="inland",terminal="fontana"}'] == 1
            fiber = 'fleet="inland",interface="wan",terminal="fontana",uplink="fiber"'
            lte = 'fleet="inland",interface="wwan0",terminal="fontana",uplink="lte"'
            assert told[f"router_interface_up{{{fiber}}}"] == 1
            assert told[f"router_interface_up{{{lte}}}"] == 0
            assert told[f"router_interface_receive_bytes_total{{{fiber}}}"] == 4000000000
            assert told[f"router_interface_receive_bytes_total{{{lte}}}"] == 2**40
            assert told['terminal_path{fleet="inland",source="claimed",terminal="fontana",uplink="fiber"}'] == 1
            assert told['terminal_path{fleet="inland",source="claimed",terminal="fontana",uplink="lte"}'] == 0

    asyncio.run(run())


def test_a_failed_poll_withdraws_all_that_the_router_said_and_says_why(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            agent.silent = True
            await watch.poll()
            told = page(watch)
            assert told['router_up{fleet="inland",terminal="fontana"}'] == 0
            assert told['router_failure{fleet="inland",reason="timeout",terminal="fontana"}'] == 1
            assert not [name for name in told if name.startswith(("terminal_path", "router_interface", "modem"))]
            assert 'router_boot_timestamp_seconds{fleet="inland",terminal="fontana"}' in told
            agent.silent = False
            await watch.poll()
            assert page(watch)['router_up{fleet="inland",terminal="fontana"}'] == 1

    asyncio.run(run())
