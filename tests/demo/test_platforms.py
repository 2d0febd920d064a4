"""The carriers in the demo itself: collected by the exporter, broken by a word, and no number of theirs is shown."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.demo.test_run import demo
from tests.demo.test_run import ports as ports

from yardlight.demo import DemoOptions, Ports, main
from yardlight.demo import carrier as carrier_faults
from yardlight.demo.carrier import Carrier, CarrierError, fake_sims

Eventually = Callable[..., object]


def page(ports: Ports, path: str = "/metrics") -> str:
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{ports.exporter}{path}", timeout=10) as reply,
    ):
        return str(reply.read().decode())
    return ""


def value(text: str, series: str) -> float | None:
    found = re.search(rf"^yardlight_{re.escape(series)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.mark.timeout(180)
def test_carriers_are_collected_broken_and_well_again_and_no_number_is_shown(
    tmp_path: Path, ports: Ports, eventually: Eventually
) -> None:
    pools = [
        'pool_usage_bytes{account="verizon",fleet="demo",pool="tablets"}',
        'pool_usage_bytes{account="att",fleet="demo",pool="spares"}',
        'sim_usage_bytes{account="kore",fleet="demo",sim="T-111"}',
    ]
    exhausted = 'cap_exhaustion_timestamp_seconds{account="verizon",fleet="demo",pool="tablets",sim=""}'
    with demo(tmp_path, ports, fleet_only=True):
        eventually(lambda: all(value(page(ports), each) is not None for each in pools), 120)
        assert value(page(ports), exhausted) is None
        numbers = re.findall(r"\d{18,20}", (tmp_path / "trucks.csv").read_text(encoding="utf-8"))
        assert len(numbers) == 12
        assert main(DemoOptions(fault="verizon=month-end", ports=ports)) == 0
        eventually(lambda: value(page(ports), exhausted) is not None, 60)
        assert main(DemoOptions(fault="att=down", ports=ports)) == 0
        failed = 'poll_failed{account="att",fleet="demo",poll="cellular/att-tablets",reason="server_error"}'
        eventually(lambda: value(page(ports), failed) == 1, 60)
        assert value(page(ports), pools[1]) is not None
        shown = page(ports) + page(ports, "/")
    log = (tmp_path / "yardlight.log").read_text(encoding="utf-8")
    assert "server_error" in log
    assert not [number for number in numbers if number[:18] in shown + log]
    assert not re.findall(r"0000000000001\d\d", shown + log)


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(300)
def test_m08_m16_m18_tablets_in_the_whole_demo_are_one_notification_for_a_group_and_one_for_a_lost_tablet(
    tmp_path: Path, ports: Ports, eventually: Eventually
) -> None:
    fresh = 'devices{account="graph",fleet="demo",group="drivers",state="fresh"}'

    def inbox() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.inbox}/", timeout=10) as reply:
            return str(reply.read().decode())

    def told(name: str) -> list[str]:
        return [line for line in inbox().splitlines() if name in line]

    with demo(tmp_path, ports):
        eventually(lambda: value(page(ports), fresh) == 150, 120)
        for fault in ("graph=silent=drivers", "graph=wipe=T-105", "google=no-policy", "google=old"):
            assert main(DemoOptions(fault=fault, ports=ports)) == 0
        eventually(lambda: told("WipeUnconfirmed:") and told("DevicesSilent:") and told("DevicesBelowStandard:"), 120)
        assert main(DemoOptions(fault="google=revoked", ports=ports)) == 0
        eventually(lambda: told("AccountFailing:"), 150)
        text = inbox()
    [silent], [wipe], [below], [failing] = map(
        told_in(text), ("DevicesSilent:", "WipeUnconfirmed:", "DevicesBelowStandard:", "AccountFailing:")
    )
    assert " noc      FIRING   DevicesSilent: Tablets of drivers: 25.33% have gone silent (38 of 150" in silent
    # Twenty of them by name.
    assert re.search(r"silent longest first:( T-\d+,){19} T-\d+ and 18 more", text)
    assert " oncall   FIRING   WipeUnconfirmed: Yardlight cannot see what is on tablet T-105" in wipe
    assert "25 with too old a system; 2 with no policy assigned" in below
    assert "google cannot be read" in failing


def told_in(text: str) -> Callable[[str], list[str]]:
    return lambda name: [line for line in text.splitlines() if name in line and "FIRING" in line]


def carrier() -> Carrier:
    return Carrier("verizon", fake_sims("T", 3, 10**7), lambda: 1795186800.0, 10**9)


@pytest.mark.parametrize("action", ["burn", "late=soon", "runaway=T-999", "restate=lots", ""])
def test_what_is_no_fault_is_refused_with_what_there_is(action: str) -> None:
    with pytest.raises(CarrierError, match="verizon=month-end"):
        carrier().switch(action)


def test_every_fault_of_the_list_is_one() -> None:
    for line in carrier_faults.LIST.splitlines()[1:]:
        name, _, action = line.split()[0].partition("=")
        assert carrier().switch(action) == f"{name}: {action}"


def test_healing_undoes_all_faults() -> None:
    well, sick = carrier(), carrier()
    for action in (
        "down",
        "throttled",
        "late=30h",
        "restate=40%",
        "month-end",
        "offline=T-101",
        "runaway=T-102",
        "cap",
    ):
        assert sick.switch(action) == f"verizon: {action}"
    for sim in sick.sims.values():
        assert sick.total(sim) > well.total(sim)
    sick.switch("heal")
    assert [sick.total(sim) for sim in sick.sims.values()] == [well.total(sim) for sim in well.sims.values()]
    assert not sick.faults.down
