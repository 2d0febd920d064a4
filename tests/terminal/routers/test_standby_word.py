"""What a router says of a standby, and how soon it is asked again when its word and the yard's traffic differ."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, values
from tests.terminal.routers.test_watch import ROUTER, page, terminal

from yardlight.state import State
from yardlight.terminal.comparison import Comparison
from yardlight.terminal.routers.watch import RouterWatch

# The legacy scalars of a Teltonika: SIM, registration, RSRP.
TELTONIKA = "1.3.6.1.4.1.48690.2"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def modem(rsrp: str, registration: bytes = b"Registered, home", sim: bytes = b"READY") -> dict[str, Any]:
    legacy = {
        "1.0": b"inserted",
        "2.0": sim,
        "3.0": registration,
        "4.0": -70,
        "22.0": b"9",
        "23.0": rsrp.encode(),
        "24.0": b"-11",
    }
    return {**ROUTER, **{f"{TELTONIKA}.{name}": value for name, value in legacy.items()}}


def ready(watch: RouterWatch) -> dict[str, float]:
    return {
        name.split('check="')[1].split('"')[0]: value
        for name, value in page(watch).items()
        if name.startswith("standby_ready")
    }


def test_signal_registration_and_sim_of_the_standbys_modem_are_checks(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        async with FakeAgent(values(modem("-98"))) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port, model="teltonika"), state)
            assert ready(watch) == {}
            await watch.poll()
            assert ready(watch) == {"radio": 1, "registration": 1, "sim": 1}
            agent.use(values(modem("-118", b"Not registered, searching")))
            await watch.poll()
            assert ready(watch) == {"radio": 0, "registration": 0, "sim": 1}
            agent.use(values(modem("-114")))
            await watch.poll()
            assert ready(watch)["radio"] == 0, "it must recover by more than a hair"
            agent.silent = True
            await watch.poll()
            assert ready(watch) == {}

    asyncio.run(run())


def test_a_router_that_says_another_line_is_asked_again_at_once_and_not_half_a_minute_later(
    tmp_path: Path, state: State
) -> None:
    async def run() -> None:
        comparison, began = Comparison(), time.monotonic()
        comparison.see("lte", began - 60)
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state, comparison.hear)
            watch.start()
            while comparison.differ is None:
                assert time.monotonic() < began + 60
                await asyncio.sleep(0.05)
            assert comparison.word == "fiber"
            assert watch._planned > time.monotonic() + 10, "then the usual pace again"
            watch.stop()

    asyncio.run(run())


def test_a_poll_can_be_called_for(tmp_path: Path, state: State) -> None:
    async def run() -> None:
        words: list[str | None] = []
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state, lambda word, asked: words.append(word))
            watch.start()
            for count in (1, 2):
                deadline = time.monotonic() + 20
                while len(words) < count:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)
                watch.hurry(0.1)
            watch.stop()
            assert words[:2] == ["fiber", "fiber"]

    asyncio.run(run())


def settings(watch: RouterWatch, family: str) -> dict[str, str]:
    return {
        name.split('setting="')[1].split('"')[0]: name.split('value="')[1].split('"')[0]
        for name in page(watch)
        if name.startswith(f"{family}{{")
    }


def test_settings_should_be_what_they_were_or_what_the_inventory_says_also_after_a_restart(
    tmp_path: Path, state: State
) -> None:
    async def run() -> State:
        async with FakeAgent(values(ROUTER)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state)
            await watch.poll()
            both = {"admin wan": "up", "admin wwan0": "up"}
            assert settings(watch, "router_setting_expected") == both
            agent.use(values({**ROUTER, "1.3.6.1.2.1.2.2.1.7.2": 2}))
            state.close()
            again = State(tmp_path / "state.db")
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), again)
            await watch.poll()
            assert settings(watch, "router_setting") == {"admin wan": "up", "admin wwan0": "down"}
            assert settings(watch, "router_setting_expected") == both
            meant = terminal(tmp_path, agent.port, settings={"admin wwan0": "down"})
            watch = RouterWatch("inland", meant, again)
            await watch.poll()
            assert settings(watch, "router_setting_expected") == settings(watch, "router_setting")
            return again

    asyncio.run(run()).close()


def test_an_agent_that_keeps_its_table_for_a_minute_is_asked_for_another_one_before_it_is_called_a_liar(
    tmp_path: Path, state: State
) -> None:
    """The table that is asked for first still says fiber, another one already says LTE."""
    newer = "1.3.6.1.2.1.4.24.4.1"
    by_fiber = "0.0.0.0.0.0.0.0.0.100.64.1.1"
    stale = {
        f"{newer}.4.{by_fiber}": "100.64.1.1",
        f"{newer}.5.{by_fiber}": 1,
        f"{newer}.11.{by_fiber}": 1,
    }
    true = {"1.3.6.1.2.1.4.21.1.2.0.0.0.0": 2, "1.3.6.1.2.1.4.21.1.7.0.0.0.0": "10.64.2.1"}

    async def run() -> None:
        comparison, began, words = Comparison(), time.monotonic(), list[str | None]()
        comparison.see("lte", began - 60)

        def heard(word: str | None, asked: float) -> float | None:
            words.append(word)
            return comparison.hear(word, asked)

        async with FakeAgent(values({**ROUTER, **stale, **true})) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port), state, heard)
            watch.start()
            while len(words) < 2:
                assert time.monotonic() < began + 60
                await asyncio.sleep(0.05)
            watch.stop()
        assert words == ["fiber", "lte"]
        assert not comparison.differ

    asyncio.run(run())
