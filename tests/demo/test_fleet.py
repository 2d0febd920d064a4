"""The demo's inventory is one that Yardlight accepts, and matches the simulated fleet."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight import budget
from yardlight.demo import DemoOptions
from yardlight.demo.archive import DemoArchive
from yardlight.demo.fleet import inventory
from yardlight.demo.platforms import Platforms
from yardlight.demo.simulator import Simulator
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet

OPTIONS = DemoOptions()


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    file = tmp_path / "fleet.yml"
    platforms = Platforms(OPTIONS.ports)
    platforms.write(tmp_path)
    file.write_text(
        inventory(Simulator(OPTIONS.ports), OPTIONS, platforms.section() + DemoArchive(tmp_path).section()),
        encoding="utf-8",
    )
    return load(file).fleet


def test_every_address_that_is_probed_from_is_a_circuit_of_the_simulator(fleet: Fleet) -> None:
    for name, yard in Simulator(OPTIONS.ports).yards.items():
        terminal = fleet.terminals[name]
        assert {uplink.bind for uplink in terminal.uplinks.values()} == {
            circuit.source for circuit in yard.circuits.values()
        }
        assert terminal.default_path.bind == yard.default_source
    assert len(fleet.terminals) == len(Simulator(OPTIONS.ports).yards)


def test_the_standby_is_metered_and_still_probed_every_two_seconds_or_so(fleet: Fleet) -> None:
    for terminal in fleet.terminals.values():
        standby = terminal.uplinks["lte"]
        assert standby.metered
        assert 1 < budget.plan(terminal, standby).interval < 2.5


def test_a_probe_gives_up_before_tcp_would_send_it_again(fleet: Fleet) -> None:
    assert all(uplink.timeout < 1 for terminal in fleet.terminals.values() for uplink in terminal.uplinks.values())
