"""A router's own count of a SIM's bytes, over SNMP from a real agent on loopback, or of this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.snmp.agent import FakeAgent, serving, values

from yardlight.cellular.history import Meter, begin
from yardlight.cellular.platforms import router_counter
from yardlight.cellular.platforms.router_counter import Config
from yardlight.cellular.usage import Count, Record, Refused
from yardlight.collection import Session
from yardlight.errors import SecretError, UnreachableError

NOW = 1795186800.0
IFX, IF = "1.3.6.1.2.1.31.1.1.1", "1.3.6.1.2.1.2.2.1"


def router(uptime: int = 12_345_600, wide: int = 7 * 10**9, narrow: int = 5) -> dict[str, Any]:
    return {
        "1.3.6.1.2.1.1.3.0": uptime,
        f"{IFX}.1.1": b"eth0", f"{IFX}.1.9": b"wwan0",
        f"{IFX}.6.1": 1, f"{IFX}.6.9": wide, f"{IFX}.10.1": 1, f"{IFX}.10.9": wide // 10,
        f"{IF}.10.9": narrow, f"{IF}.16.9": narrow,
    }  # fmt: skip


def collect(folder: Path, lines: dict[str, Any], now: float = NOW) -> list[Record]:
    (folder / "community").write_text("public\n", encoding="utf-8")
    config = Config(lines=lines)
    under_way = Session(time.monotonic() + 10, folder, clock=lambda: now)
    return list(router_counter.parse(router_counter.fetch(config, under_way), config))


def line(agent: FakeAgent, **more: Any) -> dict[str, Any]:
    snmp = {"community_file": "community", "port": agent.port, "timeout": "200ms"}
    return {"address": "127.0.0.1", "snmp": snmp, **more}


def test_both_ways_of_an_interface_are_counted_apart_in_64_bits(tmp_path: Path) -> None:
    with serving(FakeAgent(values(router()))) as agent:
        records = collect(tmp_path, {"fontana-standby": line(agent, interface="wwan0")})
    assert records == [
        Count("fontana-standby", 7 * 10**9, NOW, 123456.0, "received", 64),
        Count("fontana-standby", 7 * 10**8, NOW, 123456.0, "sent", 64),
    ]


def test_counters_of_32_bits_are_taken_where_the_wide_ones_never_count(tmp_path: Path) -> None:
    with serving(FakeAgent(values(router(wide=0, narrow=4_000_000_000)))) as agent:
        records = collect(tmp_path, {"fontana-standby": line(agent, interface="wwan0")})
    assert [(count.part, count.value) for count in records if isinstance(count, Count)] == [
        ("received (32 bits)", 4_000_000_000),
        ("sent (32 bits)", 4_000_000_000),
    ]


def test_a_routers_own_objects_may_be_named(tmp_path: Path) -> None:
    total = "1.3.6.1.4.1.48690.2.2.1.22.1"
    with serving(FakeAgent(values({**router(), total: -2_000_000_000}))) as agent:
        [count] = collect(tmp_path, {"fontana-standby": line(agent, oids=[total])})
    assert count == Count("fontana-standby", -2_000_000_000, NOW, 123456.0, total)


def test_c16_a_wrap_at_2_31_and_a_reboot_neither_go_back_nor_jump(tmp_path: Path) -> None:
    """Signed counters of 32 bits, as old firmware has them: each reading a minute after the last."""
    total = "1.3.6.1.4.1.48690.2.2.1.22.1"
    readings = [(2**31 - 1000, 100_000), (-(2**31) + 500, 106_000), (-1000, 112_000), (700, 118_000), (300, 2_000)]
    meter: Meter | None = None
    grown = []
    with serving(FakeAgent({})) as agent:
        for minute, (value, uptime) in enumerate(readings):
            agent.use(values({"1.3.6.1.2.1.1.3.0": uptime, total: value}))
            [count] = collect(tmp_path, {"fontana-standby": line(agent, oids=[total])}, NOW + 60 * minute)
            assert isinstance(count, Count)
            if meter is None:
                meter = begin(count)
            else:
                meter, more = meter.advance(count)
                grown.append(more)
    # 2^31 - 1500 between -2^31 + 500 and -1000; the reboot left the 300 that were counted since.
    assert grown == [1500, 2**31 - 1500, 1700, 300]


def test_a_router_that_keeps_silent_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    with serving(FakeAgent(values(router()))) as well, serving(FakeAgent({})) as silent:
        silent.silent = True
        lines = {"dead": line(silent, interface="wwan0"), "well": line(well, interface="wwan0")}
        records = collect(tmp_path, lines)
    assert records[0] == Refused("dead")
    assert [count.sim for count in records[1:] if isinstance(count, Count)] == ["well", "well"]


def test_an_interface_that_is_not_there_fails_a_collection_that_has_nothing_else(tmp_path: Path) -> None:
    with (
        serving(FakeAgent(values(router()))) as agent,
        pytest.raises(UnreachableError, match="fontana-standby: bad_reply: there is no interface 'lte9'"),
    ):
        collect(tmp_path, {"fontana-standby": line(agent, interface="lte9")})


def test_a_secret_that_is_not_there_is_said_as_that(tmp_path: Path) -> None:
    lines = {"x": {"address": "127.0.0.1", "snmp": {"community_file": "gone"}, "interface": "wwan0"}}
    with pytest.raises(SecretError, match="gone"):
        collect(tmp_path, lines)


def test_an_interface_of_this_machine_counts_as_the_kernel_does(tmp_path: Path) -> None:
    counts = [count for count in collect(tmp_path, {"box": {"interface": "lo"}}) if isinstance(count, Count)]
    assert [(count.sim, count.part) for count in counts] == [("box", "received"), ("box", "sent")]
    assert all(count.value >= 0 and (count.uptime or 0) > 0 for count in counts)
    with pytest.raises(UnreachableError, match="box: nope0 cannot be read: no such file or directory"):
        collect(tmp_path, {"box": {"interface": "nope0"}})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"address": "10.0.0.1", "interface": "wwan0"}, "address and snmp go together"),
        ({}, "write either interface: wwan0, or oids"),
        ({"oids": ["1.3.6.1.2"]}, "write either interface: wwan0, or oids"),
        ({"interface": "wwan0", "oids": ["1.3.6.1.2.1"]}, "write either interface: wwan0, or oids"),
        ({"oids": ["ifInOctets.1"]}, "'ifInOctets.1' is not an OID with its instance"),
        (
            {"address": "10.0.0.1", "snmp": {"user": "noc"}, "interface": "w"},
            "snmp needs community_file, or version: 3",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_what_would_be_right(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Config(lines={"x": written})
