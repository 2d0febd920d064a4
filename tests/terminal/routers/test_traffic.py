"""Whether a modem beside the router carries the yard, as far as its counters show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snmp.agent import FakeAgent, values
from tests.terminal.routers.test_watch import ROUTER, page, terminal

from yardlight.state import State
from yardlight.terminal.routers.traffic import CARRYING, IDLE, Traffic
from yardlight.terminal.routers.watch import RouterWatch


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state.db")
    yield state
    state.close()


def fed(*rates: float | None) -> Traffic:
    traffic, total = Traffic(), 1000.0
    traffic.see(total, 0.0)
    for index, rate in enumerate(rates, 1):
        total += 30 * (rate or 0.0)
        traffic.see(None if rate is None else total, 30.0 * index)
    return traffic


@pytest.mark.parametrize(
    ("rates", "carries"),
    [
        ((), None),
        ((IDLE - 1,), False),
        ((CARRYING,), True),
        (((IDLE + CARRYING) / 2,), None),
        ((CARRYING, (IDLE + CARRYING) / 2), True),
        ((CARRYING, IDLE - 1), False),
        ((CARRYING, None), None),
        ((CARRYING, -5.0), None),
    ],
)
def test_a_step_in_traffic_is_what_shows_it(rates: tuple[float | None, ...], carries: bool | None) -> None:
    assert fed(*rates).carries is carries


def test_a_modem_beside_the_router_claims_nothing_and_its_traffic_is_said_to_be_inferred(
    tmp_path: Path, state: State
) -> None:
    async def run() -> None:
        table = {**ROUTER, "1.3.6.1.2.1.31.1.1.1.6.2": 1000, "1.3.6.1.2.1.31.1.1.1.10.2": 1000}
        async with FakeAgent(values(table)) as agent:
            watch = RouterWatch("inland", terminal(tmp_path, agent.port, only="lte"), state)
            await watch.poll()
            assert watch.claim.uplink is None
            assert not [name for name in page(watch) if name.startswith("terminal_path")]
            agent.use(values({**table, "1.3.6.1.2.1.31.1.1.1.6.2": 10**9}))
            await watch.poll()
            inferred = 'terminal_path{fleet="inland",source="inferred",terminal="fontana",uplink="lte"}'
            assert {name: value for name, value in page(watch).items() if name.startswith("terminal_path")} == {
                inferred: 1
            }

    asyncio.run(run())
