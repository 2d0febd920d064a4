"""The router of a terminal, polled over real UDP: what is told, what is withdrawn, what is never made up."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.snmp.agent import FakeAgent, snmprec, values
from tests.terminal.routers.facts import FAKES

from yardlight import exposition
from yardlight.errors import SnmpError
from yardlight.inventory.models import Terminal
from yardlight.snmp import oid
from yardlight.snmp.ber import GET_NEXT, Pdu
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
            assert told['router_claim_delay_seconds{fleet="inland",terminal="fontana"}'] == 30

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


@pytest.mark.parametrize("fake", sorted(FAKES.glob("*.snmprec")), ids=lambda path: path.stem)
def test_the_page_of_every_profile_is_clean_and_names_no_sim(fake: Path, tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(snmprec(fake)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            text = exposition.page(watch.blocks(), openmetrics=True).decode()
            assert not exposition.duplicate_series(text.encode())
            families = {family.name: family for family in text_string_to_metric_families(text)}
            assert families["yardlight_router_up"].samples[0].value == 1
            digits = re.findall(r"\d{14,}", re.sub(r"\} \S+", "", text))
            assert not digits, "numbers of SIMs and devices stay with the router"

    asyncio.run(run())


def test_what_modems_and_checks_count_and_measure_is_told_in_base_units(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        check = 'fleet="inland",terminal="fontana",uplink="",wan="lte-check"'
        modem = 'fleet="inland",modem="Modem on Cellular0/1/0",terminal="fontana",uplink="lte"'
        expected = {
            "fortigate": {f"router_wan_latency_seconds{{{check}}}": 0.0415, f"router_wan_loss_ratio{{{check}}}": 0.02},
            "cisco": {f"modem_receive_bytes_total{{{modem}}}": 22, f"modem_temperature_celsius{{{modem}}}": 44},
        }
        for fake, told in expected.items():
            async with FakeAgent(snmprec(FAKES / f"{fake}.snmprec")) as agent:
                watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
                await watch.poll()
                assert told.items() <= page(watch).items()

    asyncio.run(run())


def test_a_restart_of_the_router_is_told_and_its_tables_are_walked_again(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            boot = 'router_boot_timestamp_seconds{fleet="inland",terminal="fontana"}'
            before = page(watch)[boot]
            await watch.poll()
            assert page(watch)[boot] == before
            agent.use(values({**ROUTER, "1.3.6.1.2.1.1.3.0": 500, f"{IF}.2.9": b"new0", f"{IF}.8.9": 1}))
            await watch.poll()
            told = page(watch)
            assert told[boot] > before + 3000
            assert [name for name in told if name.startswith("router_interface_up") and 'interface="new0"' in name]

    asyncio.run(run())


def test_of_an_interface_that_is_not_followed_no_old_state_is_told(tmp_path: Path, state: State) -> None:
    """A firewall with a hundred VLANs: the LTE that was down when it was looked through may be up by now."""
    many = {
        f"{IF}.{column}.{row}": value
        for row in range(100, 170)
        for column, value in ((2, f"vlan{row}".encode()), (8, 1))
    }

    async def run() -> None:
        async with FakeAgent(values({**ROUTER, **many})) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            agent.use(values({**ROUTER, **many, f"{IF}.8.2": 1}))
            await watch.poll()
            told = {name: value for name, value in page(watch).items() if "router_interface" in name}
            assert [value for name, value in told.items() if "_up{" in name] == [1.0] * 64
            assert not [name for name in told if 'interface="wwan0"' in name]

    asyncio.run(run())


def test_ticks_that_run_over_after_497_days_are_no_restart(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        old = {**ROUTER, "1.3.6.1.2.1.1.3.0": 2**32 - 10}
        async with FakeAgent(values(old)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            before = watch.boot
            agent.use(values({**old, "1.3.6.1.2.1.1.3.0": 100}))
            await watch.poll()
            assert watch.boot == before

    asyncio.run(run())


def test_a_restart_while_the_router_was_silent_is_noticed(tmp_path: Path, state: State) -> None:
    """Its uptime is larger than when it was last heard, and yet less than the time since."""

    async def run() -> None:
        young = {**ROUTER, "1.3.6.1.2.1.1.3.0": 3000}
        async with FakeAgent(values(young)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            before = watch.boot
            assert watch.heard is not None
            watch.heard = (watch.heard[0], watch.heard[1] - 7200.0)
            agent.use(values({**ROUTER, "1.3.6.1.2.1.1.3.0": 360000}))
            await watch.poll()
            assert watch.boot != before

    asyncio.run(run())


def test_a_modem_that_comes_and_goes_is_followed(tmp_path: Path, state: State) -> None:
    """An interface that reconnects has another number: the tables are walked again when their size changes."""

    async def run() -> None:
        modem = {"1.3.6.1.4.1.48690.2.2.1.20.1": -90, "1.3.6.1.4.1.48690.2.2.1.12.1": -200}
        async with FakeAgent(values({**ROUTER, **modem})) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port, model="teltonika"), state)
            await watch.poll()
            told = page(watch)
            labels = 'fleet="inland",modem="modem 1",terminal="fontana",uplink="lte"'
            assert told[f"modem_rsrp_dbm{{{labels}}}"] == -90
            assert told[f'modem_value_suspect{{{labels},value="rsrp"}}'] == 0
            assert told[f"modem_rssi_dbm{{{labels}}}"] == -200
            assert told[f'modem_value_suspect{{{labels},value="rssi"}}'] == 1
            agent.use(values(ROUTER))
            await watch.poll()
            assert not [name for name in page(watch) if name.startswith("modem")]
            agent.use(values({**ROUTER, **modem, "1.3.6.1.2.1.2.1.0": 3}))
            await watch.poll()
            assert page(watch)[f"modem_rsrp_dbm{{{labels}}}"] == -90

    asyncio.run(run())


def test_two_interfaces_of_one_name_are_shown_once_as_the_one_that_works(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        twice = {**ROUTER, f"{IF}.2.7": b"wwan0", f"{IF}.8.7": 1, f"{IFX}.6.7": 11, f"{IFX}.10.7": 12}
        async with FakeAgent(values(twice)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            told = page(watch)
            lte = 'fleet="inland",interface="wwan0",terminal="fontana",uplink="lte"'
            assert told[f"router_interface_up{{{lte}}}"] == 1
            assert told[f"router_interface_receive_bytes_total{{{lte}}}"] == 11

    asyncio.run(run())


def test_a_secret_that_cannot_be_read_is_told_and_taken_up_when_it_can(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            where = terminal(tmp_path, agent.port)
            (tmp_path / "community").unlink()
            watch = RouterWatch("inland", where, state)
            await watch.poll()
            assert page(watch)['router_failure{fleet="inland",reason="secret",terminal="fontana"}'] == 1
            (tmp_path / "community").write_text("public")
            await watch.poll()
            assert page(watch)['router_up{fleet="inland",terminal="fontana"}'] == 1

    asyncio.run(run())


def test_an_agent_without_a_next_hop_that_resolves_is_asked_for_its_addresses_again_when_the_route_changes(
    tmp_path: Path, state: State
) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            assert watch.claim.uplink == "fiber"
            agent.use(values({
                **ROUTER,
                "1.3.6.1.2.1.4.20.1.2.100.64.7.9": 2,
                "1.3.6.1.2.1.4.20.1.3.100.64.7.9": "255.255.255.0",
                "1.3.6.1.2.1.4.21.1.7.0.0.0.0": "100.64.7.1",
            }))  # fmt: skip
            await watch.poll()
            assert watch.claim.uplink == "lte"

    asyncio.run(run())


def test_a_router_that_falls_silent_over_its_routes_is_read_without_them_and_asked_less_and_less(
    tmp_path: Path, state: State
) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            true = agent._reply

            def deaf(pdu: Pdu) -> bytes:
                if pdu.kind == GET_NEXT and pdu.varbinds[0][0][:8] in (
                    oid("1.3.6.1.2.1.4.24"),
                    oid("1.3.6.1.2.1.4.21"),
                ):
                    raise SnmpError("timeout")
                return true(pdu)

            agent._reply = deaf  # type: ignore[method-assign]
            await watch.poll()
            told = page(watch)
            assert told['router_up{fleet="inland",terminal="fontana"}'] == 1
            assert not [name for name in told if name.startswith("terminal_path")]
            agent._reply = true  # type: ignore[method-assign]
            agent.asked.clear()
            await watch.poll()
            assert GET_NEXT not in {pdu.kind for pdu in agent.asked}
            watch.routes_after = 0.0
            await watch.poll()
            assert watch.claim.uplink == "fiber"

    asyncio.run(run())


def test_what_no_poll_survives_is_said_and_polling_goes_on(
    tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with FakeAgent(values(ROUTER)) as agent:
            where = terminal(tmp_path, agent.port, snmp={"every": "5s"})
            where = where.model_copy(update={"router": where.router.model_copy(
                update={"snmp": where.router.snmp.model_copy(update={"every": 0.2})})})  # type: ignore[union-attr]  # fmt: skip
            watch = RouterWatch("inland", where, state)
            true = RouterWatch._read
            monkeypatch.setattr(RouterWatch, "_read", lambda self, values: 1 / 0)
            watch.start()
            await until(lambda: watch.problem is not None and watch.problem.reason == "bad_reply")
            monkeypatch.setattr(RouterWatch, "_read", true)
            await until(lambda: watch.problem is None and watch.reading is not None)
            assert watch.status()[0].state == "up"
            watch.stop()

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
