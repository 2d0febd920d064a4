"""`yardlight init`: the smallest inventory for this machine, never over another."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight.errors import StartError
from yardlight.inventory.init import init, inventory_text
from yardlight.inventory.load import load
from yardlight.inventory.machine import Gateway, Machine, parse_route


def machine(*gateways: Gateway) -> Machine:
    return Machine((), (), gateways, True)


ONE = machine(Gateway("eth0", "192.0.2.1", 100))
TWO = machine(Gateway("eth0", "192.0.2.1", 100), Gateway("wwan0", "10.64.0.1", 700))
FOUR = machine(
    Gateway("eth0", "192.0.2.1", 100),
    Gateway("eth0", "192.0.2.9", 200),
    Gateway("eth1", "198.51.100.1", 300),
    Gateway("wwan0", "10.64.0.1", 700),
    Gateway("wwan1", "10.65.0.1", 800),
)


@pytest.mark.parametrize(
    ("found", "uplinks"),
    [
        (machine(), {"fiber": ("primary", "fiber", None)}),
        (ONE, {"fiber": ("primary", "fiber", None)}),
        (
            machine(Gateway("eth0", "192.0.2.1", 100), Gateway("wwan0", "", 700), Gateway("wg0", "", 800)),
            {"fiber": ("primary", "fiber", "eth0"), "lte": ("standby", "lte", "wwan0")},
        ),
        (TWO, {"fiber": ("primary", "fiber", "eth0"), "lte": ("standby", "lte", "wwan0")}),
        (
            FOUR,
            {
                "fiber": ("primary", "fiber", "eth0"),
                "fiber2": ("standby", "fiber", "eth1"),
                "lte": ("standby", "lte", "wwan0"),
                "lte4": ("standby", "lte", "wwan1"),
            },
        ),
    ],
)
def test_every_way_out_becomes_an_uplink_of_an_inventory_that_is_valid(
    tmp_path: Path, found: Machine, uplinks: dict[str, tuple[str, str, str | None]]
) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text(inventory_text(found, "inland-haul", "fontana"))
    fleet = load(path).fleet
    fontana = fleet.terminals["fontana"]
    assert fleet.fleet == "inland-haul"
    assert {key: (value.role, value.medium, value.bind) for key, value in fontana.uplinks.items()} == uplinks


def test_a_modem_without_a_gateway_is_a_way_out_and_half_a_default_route_of_a_vpn_is_none() -> None:
    table = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
tun0 00000000 0100080A 0003 0 0 0 00000080 0 0 0
wwan0 00000000 00000000 0001 0 0 700 00000000 0 0 0
eth0 00000000 010200C0 0003 0 0 100 00000000 0 0 0
eth0 000200C0 00000000 0001 0 0 100 00FFFFFF 0 0 0
tun0 00000080 0100080A 0003 0 0 0 00000080 0 0 0
"""
    assert parse_route(table) == (Gateway("eth0", "192.0.2.1", 100), Gateway("wwan0", "", 700))


def test_init_writes_an_inventory_that_check_accepts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yml"
    assert init(path, "inland-haul", None) == 0
    assert f"wrote {path}; next: yardlight check {path}" in capsys.readouterr().out
    assert load(path).fleet.fleet == "inland-haul"


def test_init_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    path.write_text("fleet: mine\n")
    with pytest.raises(StartError, match="exists already and is left as it is"):
        init(path, "inland-haul", "fontana")
    assert path.read_text() == "fleet: mine\n"


def test_init_says_when_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="cannot be written: no such file or directory"):
        init(tmp_path / "no-folder" / "fleet.yml", "inland-haul", "fontana")


def test_init_refuses_names_that_no_inventory_accepts(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    with pytest.raises(StartError, match="'inland haul' is not a name"):
        init(path, "inland haul", "fontana")
    assert not path.exists()
