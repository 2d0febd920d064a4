"""The carriers in the demo itself: collected by the exporter, broken by a word, told as shipped, no number shown."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from collections.abc import Callable
from dataclasses import replace
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


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(300)
def test_c01_c04_c11_t29_faults_of_carriers_reach_whom_they_are_for(
    tmp_path: Path, ports: Ports, eventually: Eventually
) -> None:
    """Through Prometheus and Alertmanager as shipped: a short month, a dead API, and a yard on a plan that runs out."""
    told = {
        ("noc", "CapWillBeExceeded"): "Pool tablets (verizon) will reach its cap of 8GB",
        ("noc", "AccountFailing"): "att cannot be read",
        ("oncall", "StandbyHeadroomLow"): "Fontana: the yard runs on its backup line, and that plan lasts about 3h ",
        ("noc", "TerminalOnStandby"): "Fontana: on LTE since",
        # What has used up the plan of the standby.
        ("noc", "SimRunaway"): "SIM fontana-standby (kore): 8",
    }
    pools = [
        'pool_usage_bytes{account="verizon",fleet="demo",pool="tablets"}',
        'pool_usage_bytes{account="att",fleet="demo",pool="spares"}',
        'sim_usage_bytes{account="kore",fleet="demo",sim="T-111"}',
    ]
    yards = ("fontana", "stockton", "reno")
    left = [f'standby_left_bytes{{fleet="demo",terminal="{name}",uplink="lte"}}' for name in yards]
    up = [f'uplink_state{{fleet="demo",state="up",terminal="{name}",uplink="lte"}}' for name in yards]
    with demo(tmp_path, ports):
        eventually(lambda: all(value(page(ports), each) is not None for each in (*pools, *left)), 120)
        eventually(lambda: all(value(page(ports), each) == 1 for each in up), 60)
        for fault in ("verizon=month-end", "att=down", "kore=spend=fontana-standby", "fontana.fiber=cut"):
            assert main(DemoOptions(fault=fault, ports=ports)) == 0
        eventually(lambda: told.keys() <= received(ports).keys(), 200)
        found = received(ports)
        # What was known of a carrier that does not answer stays.
        assert value(page(ports), pools[1]) is not None
        shown = page(ports) + page(ports, "/") + str(found)
    # On a slow machine the month is further on.
    assert found.keys() == told.keys() | {("noc", "CapReached")} & found.keys()
    assert not [key for key, text in told.items() if text not in found[key]]
    log = (tmp_path / "yardlight.log").read_text(encoding="utf-8")
    assert "server_error" in log
    files = [(tmp_path / name).read_text(encoding="utf-8") for name in ("trucks.csv", "sims.csv")]
    numbers = re.findall(r"\d{18,20}", "".join(files))
    assert len(numbers) == 15
    assert not [number for number in numbers if number[:18] in shown + log]
    assert not re.findall(r"00000000000(?:01|09)\d\d", shown + log)


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(300)
def test_m06_m08_m16_m18_f04_the_whole_demo_tells_each_audience_once(
    tmp_path: Path, ports: Ports, eventually: Eventually
) -> None:
    fresh = 'devices{account="graph",fleet="demo",group="drivers",state="fresh"}'

    def told(name: str) -> list[str]:
        return [line for line in inbox(ports).splitlines() if name in line]

    with demo(tmp_path, ports):
        eventually(lambda: value(page(ports), fresh) == 150, 120)
        tablets = ("graph=silent=drivers", "graph=wipe=T-105", "google=no-policy", "google=old")
        for fault in (*tablets, "telematics=renamed"):
            assert main(DemoOptions(fault=fault, ports=ports)) == 0
        eventually(lambda: told("WipeUnconfirmed:") and told("DevicesSilent:") and told("DevicesBelowStandard:"), 120)
        for fault in ("graph=clean-up", "google=revoked"):
            assert main(DemoOptions(fault=fault, ports=ports)) == 0
        eventually(lambda: told("AccountFailing:") and told("DevicesGoneFromMdm:") and told("FeedContractBroken:"), 180)
        text = inbox(ports)
    [silent], [wipe], [below], [failing], [gone] = map(
        told_in(text),
        ("DevicesSilent:", "WipeUnconfirmed:", "DevicesBelowStandard:", "AccountFailing:", "DevicesGoneFromMdm:"),
    )
    assert "RESOLVED" not in text
    assert "Tablets of drivers: 38 are no longer in the MDM (graph) and still ours" in gone
    assert " noc      FIRING   DevicesSilent: Tablets of drivers: 25.33% have gone silent (38 of 150" in silent
    # Twenty of them by name.
    assert re.search(r"silent longest first:( T-\d+,){19} T-\d+ and 18 more", text)
    assert " oncall   FIRING   WipeUnconfirmed: Yardlight cannot see what is on tablet T-105" in wipe
    assert "25 with too old a system; 2 with no policy assigned" in below
    assert "google cannot be read" in failing
    broken = [line for line in told_in(text)("FeedContractBroken:") if " dispatch " in line]
    assert "GPS positions may be wrong: the vendor changed reported_ms (gone). Do not quote ETAs." in broken[0]


def told_in(text: str) -> Callable[[str], list[str]]:
    return lambda name: [line for line in text.splitlines() if name in line and "FIRING" in line]


def inbox(ports: Ports) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{ports.inbox}/", timeout=10) as reply:
        return str(reply.read().decode())


def received(ports: Ports) -> dict[tuple[str, str], str]:
    """What the inbox has of each alert that fired, by audience and name."""
    found = (re.match(r"\S+ (\w+) +FIRING +(\w+): (.*)", line) for line in inbox(ports).splitlines())
    return {(each[1], each[2]): each[3] for each in found if each}


def carrier(standby: str = "standby", now: float = 1795186800.0) -> Carrier:
    """One with three trucks and a standby."""
    sims = [*fake_sims("T", 3, 10**7), replace(fake_sims("S", 1, 10**7, first=901)[0], name=standby)]
    return Carrier("verizon", sims, lambda: now, 10**9)


@pytest.mark.parametrize("action", ["burn", "late=soon", "runaway=T-999", "restate=lots", ""])
def test_what_is_no_fault_is_refused_with_what_there_is(action: str) -> None:
    with pytest.raises(CarrierError, match="verizon=month-end"):
        carrier().switch(action)


def test_every_fault_of_the_list_is_one() -> None:
    lines = [line for line in carrier_faults.LIST.splitlines()[1:] if re.match(r"  \w", line)]
    assert len(lines) == 10
    for line in lines:
        name, _, action = line.split()[0].partition("=")
        sick = carrier(action.rpartition("=")[2])
        assert sick.switch(action) == f"{sick.name}: {action}"
        assert name in ("verizon", "kore")


def test_a_cap_that_is_used_up_is_so_in_the_days_as_well_as_in_the_total() -> None:
    """ThingSpace and Super SIM tell days and no total."""
    full = carrier()
    assert sum(map(full.total, full.sims.values())) < full.cap
    full.switch("cap")
    known = range(full.ordinal(full.cycle()[0]), full.ordinal(full.known_until()) + 1)
    of_days = [sum(full.used(sim, day) or 0 for day in known) for sim in full.sims.values()]
    assert of_days == [*map(full.total, full.sims.values())]
    assert sum(of_days) > full.cap


@pytest.mark.parametrize("hour", range(24))
def test_a_runaway_shows_in_a_whole_day_at_whatever_hour_it_is_switched_on(hour: int) -> None:
    midnight = 1795132800.0
    sick = carrier(now=midnight + hour * 3600.0)
    [sim] = (each for each in sick.sims.values() if each.name == "T-102")
    before = sick.ordinal(sick.known_until()) - 1
    usual = sick.used(sim, before)
    assert usual
    sick.switch("runaway=T-102")
    assert sick.used(sim, before) == pytest.approx(20 * usual, abs=1)


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
        "spend=T-103",
        "month-end",
    ):
        assert sick.switch(action) == f"verizon: {action}"
    for sim in sick.sims.values():
        assert sick.total(sim) > well.total(sim)
    sick.switch("heal")
    assert [sick.total(sim) for sim in sick.sims.values()] == [well.total(sim) for sim in well.sims.values()]
    assert not sick.faults.down
