"""`yardlight check`: costs before the first packet, and what this machine lacks."""

from __future__ import annotations

import json
import socket
from ipaddress import ip_network
from pathlib import Path

import pytest

from yardlight.demo.carrier import with_check
from yardlight.inventory import check
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.machine import Gateway, Machine, parse_fib_trie, parse_if_inet6, parse_route, snapshot

FLEET = """\
fleet: inland-haul
terminals:
  fontana:
    targets: [198.51.100.1, 198.51.100.2, 203.0.113.53]
    default_path: {bind: eth0}
    uplinks:
      fiber: {bind: 10.10.0.21}
      lte: {bind: wwan0}
"""
BOX = Machine(
    networks=(ip_network("127.0.0.0/8"), ip_network("10.10.0.21/32"), ip_network("fd00::2/128")),
    interfaces=("lo", "eth0", "wwan0"),
    gateways=(),
    may_ping=True,
)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    monkeypatch.chdir(tmp_path)
    Path("fleet.yml").write_text(FLEET)
    return load(Path("fleet.yml"))


def local(fleet: Inventory, machine: Machine) -> list[str]:
    return [str(problem) for problem in check.local_problems(fleet, "fontana", machine)]


def box(*, without: str = "", may_ping: bool = True) -> Machine:
    networks = tuple(network for network in BOX.networks if str(network.network_address) != without)
    return Machine(networks, tuple(name for name in BOX.interfaces if name != without), (), may_ping)


def test_a_box_that_has_everything_has_no_local_problems(fleet: Inventory) -> None:
    assert local(fleet, BOX) == []


def test_an_address_that_the_box_does_not_have_is_one_clear_line(fleet: Inventory) -> None:
    assert local(fleet, box(without="10.10.0.21")) == [
        "fleet.yml:7:15 terminals.fontana.uplinks.fiber.bind: this machine does not have the address '10.10.0.21'"
    ]


def test_an_interface_that_does_not_exist_yet_is_one_clear_line(fleet: Inventory) -> None:
    assert local(fleet, box(without="wwan0")) == [
        "fleet.yml:8:13 terminals.fontana.uplinks.lte.bind: this machine has no interface 'wwan0'"
    ]


def test_the_bind_of_the_default_path_is_looked_for_too(fleet: Inventory) -> None:
    assert local(fleet, box(without="eth0")) == [
        "fleet.yml:5:20 terminals.fontana.default_path.bind: this machine has no interface 'eth0'"
    ]


def test_a_missing_capability_is_one_clear_line_that_says_how_to_give_it(fleet: Inventory) -> None:
    assert local(fleet, box(may_ping=False)) == [
        "fleet.yml:3:3 terminals.fontana: pings need the capability CAP_NET_RAW; run as root, with "
        "AmbientCapabilities=CAP_NET_RAW in the systemd unit, with --cap-add NET_RAW in a container, "
        "or use tcp:// targets only"
    ]


def test_a_terminal_with_tcp_targets_only_needs_no_capability(fleet: Inventory) -> None:
    fleet.path.write_text(FLEET.replace("[198.51.100.1, 198.51.100.2, 203.0.113.53]", '["tcp://example.com:443"]'))
    assert local(load(fleet.path), box(may_ping=False)) == []


def test_a_fleet_checked_from_elsewhere_names_its_other_boxes_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    more = "".join(
        f"  yard{number}: {{targets: [198.51.100.1], uplinks: {{fiber: {{bind: 10.20.0.{number}}}}}}}\n"
        for number in range(1, 4)
    )
    path.write_text(FLEET + more)
    found = [str(problem) for problem in check.elsewhere_problems(load(path), box(without="wwan0"))]
    assert found == [
        f"{path}:8:13 terminals.fontana.uplinks.lte.bind: this machine has no interface 'wwan0'",
        f"{path}:2:1 terminals: this machine is not the box of yard1 and 2 more; run check --terminal NAME there",
    ]


def test_a_fleet_of_one_box_names_all_that_it_would_need_here(fleet: Inventory) -> None:
    nothing = Machine((), (), (), may_ping=False)
    assert check.elsewhere_problems(fleet, nothing) == check.local_problems(fleet, "fontana", nothing)
    assert len(check.elsewhere_problems(fleet, nothing)) == 4


def test_this_machine_has_a_loopback_network_and_interface() -> None:
    machine = snapshot()
    assert machine.has("127.0.0.1")
    assert machine.has("127.100.3.9")
    assert machine.has(socket.if_indextoname(1))
    assert not machine.has("198.51.100.77")
    assert not machine.has("no-such0")


def test_addresses_and_gateways_are_read_as_the_kernel_writes_them() -> None:
    trie = """\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
     |-- 192.0.2.2
        /32 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
"""
    assert set(map(str, parse_fib_trie(trie))) == {"127.0.0.0/8", "127.0.0.1/32", "192.0.2.2/32"}
    assert [str(network) for network in parse_if_inet6("fd000000000000000000000000000002 04 40 00 82     eth0\n")] == [
        "fd00::2/128"
    ]
    routes = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wwan0\t00000000\t0164400A\t0003\t0\t0\t700\t00000000\t0\t0\t0
eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
    assert parse_route(routes) == (Gateway("eth0", "192.168.0.1", 100), Gateway("wwan0", "10.64.100.1", 700))


def test_costs_say_what_each_uplink_takes_of_its_budget(fleet: Inventory) -> None:
    fiber, lte = check.costs(fleet.fleet.terminals.values())
    assert (fiber.uplink, fiber.interval_seconds, fiber.down_after_seconds) == ("fiber", 1.0, 3.0)
    # Three targets, an echo of 8 bytes each way: 14 Ethernet + 20 IP + 8 ICMP + 8.
    assert (fiber.round_bytes, fiber.day_bytes) == (300, 300 * 86400)
    assert (fiber.budget_bytes, fiber.period_bytes) == (None, None)
    assert lte.budget_bytes == 50_000_000
    assert lte.period_bytes is not None
    assert lte.period_bytes <= 0.7 * lte.budget_bytes
    assert lte.period_bytes == pytest.approx(lte.day_bytes * 31)
    assert lte.down_after_seconds == pytest.approx(3 * lte.interval_seconds)


def test_a_good_file_prints_plain_columns_into_a_pipe(fleet: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.check(fleet.path, None, as_json=False) == 0
    out = capsys.readouterr().out
    assert out.startswith("fleet.yml is valid: fleet inland-haul, 1 terminal, 2 uplinks\n")
    rows = [line.split() for line in out.splitlines() if line.startswith("fontana")]
    assert rows[0] == ["fontana", "fiber,", "primary", "1s", "300", "B", "3s", "25.9", "MB", "not", "metered"]
    assert rows[1][:3] == ["fontana", "lte,", "standby"]
    assert rows[1][-5:] == ["of", "50", "MB", "per", "month"]
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line != line.rstrip()]


def test_terminals_that_cost_the_same_share_a_row_in_a_large_fleet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fleet.yml"
    yards = "".join(f"  yard{number}: {{targets: [198.51.100.1], uplinks: {{fiber: }}}}\n" for number in range(300))
    path.write_text(f"fleet: inland-haul\nterminals:\n{yards}")
    assert check.check(path, None, as_json=False) == 0
    out = capsys.readouterr().out
    assert "yard0 and 299 more" in out
    assert len(out.splitlines()) < 10


def test_what_the_box_lacks_is_an_error_only_on_the_box(fleet: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.check(fleet.path, None, as_json=False) == 0
    assert "warning: fleet.yml:8:13 terminals.fontana.uplinks.lte.bind" in capsys.readouterr().out
    assert check.check(fleet.path, "fontana", as_json=False) == 1
    err = capsys.readouterr().err
    assert "fleet.yml:8:13 terminals.fontana.uplinks.lte.bind: this machine has no interface 'wwan0'" in err


def test_a_terminal_that_is_not_there_is_named(fleet: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.check(fleet.path, "fontanna", as_json=False) == 1
    assert "there is no terminal 'fontanna'; did you mean 'fontana'?" in capsys.readouterr().err


def test_a_bad_file_prints_its_problems_and_counts_them(fleet: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.path.write_text(FLEET.replace("lte: {", "lte: {role: backup, quorm: 1, "))
    assert check.check(fleet.path, None, as_json=False) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "fleet.yml:8:13 terminals.fontana.uplinks.lte.role: 'backup' is not one of primary, standby\n"
        "fleet.yml:8:27 terminals.fontana.uplinks.lte.quorm: unknown key 'quorm'; did you mean 'quorum'?\n"
        "\nfleet.yml: 2 problems\n"
    )


def test_json_holds_the_same_for_machines(fleet: Inventory, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.check(fleet.path, None, as_json=True) == 0
    good = json.loads(capsys.readouterr().out)
    assert (good["ok"], good["problems"]) == (True, [])
    assert [cost["uplink"] for cost in good["costs"]["inland-haul"]] == ["fiber", "lte"]
    fleet.path.write_text(FLEET.replace("lte: {", "lte: {role: backup, "))
    assert check.check(fleet.path, None, as_json=True) == 1
    bad = json.loads(capsys.readouterr().out)
    assert bad["ok"] is False
    assert bad["problems"] == [
        {
            "file": "fleet.yml",
            "line": 8,
            "column": 13,
            "field": "terminals.fontana.uplinks.lte.role",
            "message": "'backup' is not one of primary, standby",
        }
    ]


def test_a_folder_of_fleets_is_checked_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yml").write_text(FLEET)
    (tmp_path / "b.yml").write_text("fleet: [")
    assert check.check(tmp_path, None, as_json=False) == 1
    captured = capsys.readouterr()
    assert f"{tmp_path}/a.yml is valid" in captured.out
    assert captured.err.startswith(f"{tmp_path}/b.yml:1:9 broken YAML: ")


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        ("", "no requests_per_day limits them"),
        # A token, the fleets, a page of SIMs, and two SIMs: 96 times.
        (", requests_per_day: 480", "requests_per_day: 480 pays for that"),
        (", requests_per_day: 479", "requests_per_day: 479 is too few for that"),
    ],
)
def test_what_collecting_costs_is_said_against_the_budget(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], budget: str, said: str
) -> None:
    file = collecting(tmp_path, f"platform: super_sim, client_id: me, client_secret_file: secret{budget}")
    assert check.check(file, None, False) == 0
    line = f"account kore: 96 collections a day, about 480 requests with the 2 SIMs of the inventory; {said}"
    assert line in capsys.readouterr().out.splitlines()


def test_what_collecting_costs_is_there_for_machines_and_no_round_is_longer_than_its_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One request in ten minutes, of which a round takes seven: there is no room for both SIMs' two."""
    account = "platform: control_center, username: me, api_key_file: secret, rate: 6/h, url: 'http://127.0.0.1:1'"
    assert check.check(collecting(tmp_path, account, "deadline: 30m, poll: 1h"), None, True) == 0
    # A page of the list and two requests in 21 minutes, 24 times.
    assert json.loads(capsys.readouterr().out)["calls"]["f"] == [
        {
            "account": "kore",
            "day_collections": 24,
            "day_requests": 24 * (1 + 2),
            "given": "2 SIMs of the inventory",
            "budget_requests": None,
        }
    ]


def collecting(folder: Path, account: str, section: str = "poll: 15m") -> Path:
    """An inventory with two SIMs and the source of their account."""
    (folder / "secret").write_text("s3cret\n")
    iccids = (with_check("890010000000000" + "7001"), with_check("890010000000000" + "7002"))
    rows = [f"T{number},sim-{number}={iccid}" for number, iccid in enumerate(iccids)]
    (folder / "trucks.csv").write_text("\n".join(["truck,sims", *rows]) + "\n")
    file = folder / "fleet.yml"
    file.write_text(
        f"fleet: f\naccounts: {{kore: {{{account}}}}}\nroster: {{trucks: trucks.csv}}\n"
        f"cellular: {{tablets: {{account: kore, {section}}}}}\n"
        "terminals: {a: {targets: [198.51.100.1], uplinks: {fiber: {}}}}\n"
    )
    return file
