"""The real process: started, scraped, reloaded and stopped as a user and Prometheus do it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.served import Process
from tests.snmp.agent import FakeAgent, serving, values
from yardlight.catalogue import METRICS
from yardlight.exposition import duplicate_series, page
from yardlight.logs import Recent
from yardlight.serve import ServeOptions, Service

Eventually = Callable[..., object]


@pytest.fixture
def target() -> Iterator[str]:
    """Something on loopback that accepts connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


def inventory(path: Path, target: str, *terminals: str, fleet: str = "inland-haul", extra: str = "") -> Path:
    uplinks = "uplinks: {fiber: {medium: fiber}}"
    written = [f'  {name}: {{targets: ["{target}"], {uplinks}{extra}}}' for name in terminals]
    lines = [f"fleet: {fleet}", "terminals:", *written]
    path.write_text("\n".join(lines) + "\n")
    return path


def of(family: str, fleet: str = "inland-haul", **labels: str) -> str:
    every = {"fleet": fleet, **labels}
    return family + "{" + ",".join(f'{key}="{every[key]}"' for key in sorted(every)) + "}"


def message(line: str) -> str:
    """The sentence of a logfmt line."""
    start = line.index("msg=") + 4
    return str(json.loads(line[start:])) if line[start] == '"' else line[start:]


@pytest.mark.needs("promtool")
def test_a_whole_page_is_clean_and_sigterm_ends_gracefully(
    process: Process, target: str, eventually: Eventually
) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana", "akron")
    process.start().ready()
    eventually(lambda: of("uplink_rtt_seconds_count", terminal="akron", uplink="fiber") in process.series())
    text = process.ask("/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    openmetrics = process.ask("/metrics", accept="application/openmetrics-text")[1]
    families = list(text_string_to_metric_families(openmetrics))
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    assert names <= METRICS.keys()
    assert duplicate_series(text.encode()) == []
    assert all('fleet="inland-haul"' in line for line in text.splitlines() if not line.startswith("#"))
    assert process.ask("/-/healthy")[0] == 200
    landing = process.ask("/")[1]
    assert "fontana fiber" in landing
    assert "inventory" in landing
    assert process.stop() == 0
    assert "msg=stopping" in process.log
    # SQLite takes its write-ahead log away when the file is closed in good order.
    assert not (process.folder / "yardlight.db-wal").exists()
    with sqlite3.connect(process.folder / "yardlight.db") as state:
        assert state.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_reload_is_whole_or_not_at_all_and_leaves_unchanged_terminals_running(
    process: Process, target: str, eventually: Eventually
) -> None:
    file = inventory(process.folder / "fleet.yml", target, "fontana")
    process.start().ready()
    sent = of("uplink_probes_sent_total", terminal="fontana", uplink="fiber", segment="far", target=target)
    eventually(lambda: process.series().get(sent, 0) >= 2)
    loaded = process.series()[of("config_last_reload_success_timestamp_seconds")]

    inventory(file, target, "fontana", "akron")
    assert process.ask("/-/reload", "POST") == (200, "the inventory on disk is in use\n")
    series = process.series()
    assert series[sent] >= 2
    assert series[of("clock_timestamp_seconds", terminal="akron")] > 0
    assert series[of("terminal_page_after_seconds", terminal="akron")] == 10
    assert series[of("config_last_reload_success_timestamp_seconds")] > loaded

    inventory(file, target, "fontana", extra=", swich_within: 5s")
    status, text = process.ask("/-/reload", "POST")
    assert status == 422
    assert "fleet.yml:3:" in text
    assert "swich_within" in text
    series = process.series()
    assert series[of("config_last_reload_successful")] == 0
    assert of("clock_timestamp_seconds", terminal="akron") in series
    assert "swich_within" in process.ask("/")[1]

    inventory(file, target, "fontana", extra=", page_after: 20s")
    assert process.ask("/-/reload", "POST")[0] == 200
    series = process.series()
    assert series[of("config_last_reload_successful")] == 1
    assert series[of("terminal_page_after_seconds", terminal="fontana")] == 20
    assert not any('"akron"' in name for name in series)
    assert process.stop(signal.SIGINT) == 0


def test_sighup_reloads_and_a_file_that_vanished_is_a_refused_reload(
    process: Process, target: str, eventually: Eventually
) -> None:
    file = inventory(process.folder / "fleet.yml", target, "fontana")
    process.start().ready()
    inventory(file, target, "fontana", "akron")
    process.child.send_signal(signal.SIGHUP)
    eventually(lambda: of("terminal_page_after_seconds", terminal="akron") in process.series())
    file.unlink()
    process.child.send_signal(signal.SIGHUP)
    eventually(lambda: process.series()[of("config_last_reload_successful")] == 0)
    assert of("terminal_page_after_seconds", terminal="akron") in process.series()


def test_one_broken_file_stops_no_other_fleet_and_two_fleets_may_have_a_fontana(process: Process, target: str) -> None:
    folder = process.folder / "fleets"
    folder.mkdir()
    inventory(folder / "a.yml", target, "fontana", fleet="alpha")
    inventory(folder / "b.yml", target, "fontana", fleet="beta")
    (folder / "broken.yml").write_text("fleet: [\n")
    process.start("--inventory-dir", "fleets").ready()
    series = process.series()
    for fleet in ("alpha", "beta"):
        assert of("clock_timestamp_seconds", fleet, terminal="fontana") in series
        assert series[of("config_last_reload_successful", fleet)] == 1
        assert (process.folder / f"yardlight-{fleet}.db").exists()
    assert series[of("config_last_reload_successful", "broken")] == 0
    assert "fleets/broken.yml:2:1" in process.log
    assert duplicate_series(process.ask("/metrics")[1].encode()) == []

    (folder / "b.yml").write_text("fleet: beta\nterminals: 3\n")
    inventory(folder / "broken.yml", target, "fontana", fleet="gamma")
    status, text = process.ask("/-/reload", "POST")
    assert (status, "fleets/b.yml:2:" in text) == (422, True)
    series = process.series()
    assert [series[of("config_last_reload_successful", fleet)] for fleet in ("alpha", "beta", "gamma")] == [1, 0, 1]
    assert of("clock_timestamp_seconds", "beta", terminal="fontana") in series
    assert of("config_last_reload_successful", "broken") not in series

    (folder / "b.yml").unlink()
    assert process.ask("/-/reload", "POST")[0] == 200
    assert not any('"beta"' in name for name in process.series())
    assert process.stop() == 0


def test_a_copy_in_which_the_name_was_not_changed_yet_takes_no_running_fleets_place(
    process: Process, target: str
) -> None:
    folder = process.folder / "fleets"
    folder.mkdir()
    inventory(folder / "inland.yml", target, "fontana", fleet="inland")
    process.start("--inventory-dir", "fleets").ready()
    inventory(folder / "coastal.yml", target, "akron", fleet="inland")
    (folder / ".#inland.yml").symlink_to("somebody@somewhere.1")
    status, text = process.ask("/-/reload", "POST")
    assert (status, "fleets/coastal.yml:1:1 fleet: 'inland' is already the fleet of" in text) == (422, True)
    series = process.series()
    assert of("clock_timestamp_seconds", "inland", terminal="fontana") in series
    reloads = {name: value for name, value in series.items() if "config_last_reload_successful" in name}
    names = [of("config_last_reload_successful", fleet) for fleet in ("inland", "coastal")]
    assert reloads == dict(zip(names, (1, 0), strict=True))
    assert process.stop() == 0


def test_the_centre_exports_the_inventory_and_measures_nothing(process: Process, target: str) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana")
    process.start("--centre").ready()
    series = process.series()
    assert of("terminal_page_after_seconds", terminal="fontana") in series
    assert of("clock_timestamp_seconds", terminal="") in series
    assert not any(name.startswith(("terminal_state", "uplink_probes", "state_writable")) for name in series)
    assert not (process.folder / "yardlight.db").exists()


def test_a_terminal_measures_itself_and_leaves_the_inventory_to_the_centre(process: Process, target: str) -> None:
    file = inventory(process.folder / "fleet.yml", target, "fontana", "akron")
    process.start("--terminal", "fontana").ready()
    series = process.series()
    assert of("clock_timestamp_seconds", terminal="fontana") in series
    assert not any('terminal=""' in name or '"akron"' in name for name in series)
    exported = {name.partition("{")[0] for name in series}
    assert not exported & {"terminal_info", "uplink_info", "terminal_page_after_seconds", "poll_success"}
    inventory(file, target, "akron")
    status, text = process.ask("/-/reload", "POST")
    assert (status, "this process measures 'fontana', which is not there" in text) == (422, True)
    assert of("clock_timestamp_seconds", terminal="fontana") in process.series()


def test_a_terminal_that_is_not_in_the_inventory_is_said_in_one_line(process: Process, target: str) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana", "akron")
    code, lines = process.start("--terminal", "fontanna").ended()
    assert (code, [message(line) for line in lines]) == (
        1, ["no terminal 'fontanna'; the inventory has fontana, akron"],
    )  # fmt: skip


def test_every_mistake_of_a_broken_inventory_is_a_line(process: Process) -> None:
    (process.folder / "fleet.yml").write_text("fleet: 'a b'\nterminals: {x: {uplinks: {}}}\nmore: 1\n")
    code, lines = process.start("--log.format", "json").ended()
    assert code == 1
    assert len(lines) >= 3
    assert all(json.loads(line)["msg"].startswith("fleet.yml:") for line in lines)


def test_a_port_in_use_is_one_line_and_touches_no_state(process: Process, target: str) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana")
    with socket.create_server(("127.0.0.1", process.port)):
        code, lines = process.start().ended()
    assert (code, [message(line) for line in lines]) == (
        1, [f"cannot listen on 127.0.0.1:{process.port}: the port is in use"],
    )  # fmt: skip
    assert not (process.folder / "yardlight.db").exists()


@pytest.mark.needs("setpriv")
def test_a_missing_capability_is_one_line_and_no_obstacle_to_tcp(process: Process, target: str) -> None:
    prefix = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw") if os.geteuid() == 0 else ()
    file = inventory(process.folder / "fleet.yml", "127.0.0.1", "fontana")
    code, lines = process.start(prefix=prefix).ended()
    assert (code, len(lines)) == (1, 1)
    assert "CAP_NET_RAW" in message(lines[0])
    inventory(file, target, "fontana")
    process.start(prefix=prefix).ready()
    inventory(file, "127.0.0.1", "fontana")
    status, text = process.ask("/-/reload", "POST")
    assert (status, "CAP_NET_RAW" in text) == (422, True)
    assert process.stop() == 0


def test_an_unusable_state_file_is_one_line(process: Process, target: str) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana")
    code, lines = process.start("--state", "nowhere/yardlight.db").ended()
    errors = [line for line in lines if "level=error" in line]
    assert (code, len(errors)) == (1, 1)
    assert "nowhere" in errors[0]


def test_a_fleet_with_an_unusable_state_file_stops_no_other(process: Process, target: str) -> None:
    folder = process.folder / "fleets"
    folder.mkdir()
    inventory(folder / "a.yml", target, "fontana", fleet="alpha")
    inventory(folder / "b.yml", target, "fontana", fleet="beta")
    (process.folder / "yardlight-alpha.db").mkdir()
    process.start("--inventory-dir", "fleets").ready()
    series = process.series()
    assert series[of("config_last_reload_successful", "beta")] == 1
    assert of("clock_timestamp_seconds", "alpha", terminal="fontana") not in series
    assert "yardlight-alpha.db" in process.log


def test_a_fleet_that_was_renamed_runs_under_its_new_name_with_the_same_state_file(
    process: Process, target: str
) -> None:
    file = inventory(process.folder / "fleet.yml", target, "fontana")
    process.start().ready()
    inventory(file, target, "fontana", fleet="outland-haul")
    assert process.ask("/-/reload", "POST")[0] == 200
    series = process.series()
    assert series[of("state_writable", "outland-haul")] == 1
    assert not any("inland-haul" in name for name in series)


def test_a_source_that_crashes_leaves_the_rest_of_the_page(
    tmp_path: Path, target: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = inventory(tmp_path / "fleet.yml", target, "fontana", "akron")

    async def scraped() -> str:
        service = Service(ServeOptions(inventory=file, state=tmp_path / "yardlight.db"), Recent())
        await service.load()
        await service.start()
        crash = next(iter(service.fleets["inland-haul"].exporters.values()))
        carrier = crash.carrier
        del crash.carrier
        text = page(await service.blocks(), openmetrics=False).decode()
        crash.carrier = carrier
        await service.stop()
        return text

    text = asyncio.run(scraped())
    assert "a page is incomplete" in caplog.text
    assert 'yardlight_terminal_state{fleet="inland-haul",state="unknown",terminal="akron"}' in text
    assert 'yardlight_terminal_state{fleet="inland-haul",state="unknown",terminal="fontana"}' not in text


def test_an_unusable_web_configuration_is_one_line(process: Process, target: str) -> None:
    inventory(process.folder / "fleet.yml", target, "fontana")
    (process.folder / "web.yml").write_text("tls_server_config: {cert_file: a.pem, key_file: a.key}\n")
    code, lines = process.start("--web.config.file", "web.yml").ended()
    assert (code, [message(line) for line in lines]) == (
        1, ["web.yml: tls_server_config.cert_file: a.pem: No such file or directory"],
    )  # fmt: skip


def test_the_router_of_a_terminal_is_read_and_no_more_when_it_is_taken_out(process: Process, target: str) -> None:
    table: dict[str, Any] = {
        "1.3.6.1.2.1.1.3.0": 360000,
        "1.3.6.1.2.1.2.2.1.2.1": b"wan",
        "1.3.6.1.2.1.4.21.1.2.0.0.0.0": 1,
        "1.3.6.1.2.1.4.21.1.7.0.0.0.0": "10.0.0.1",
    }
    (process.folder / "community").write_text("public\n")
    with serving(FakeAgent(values(table))) as agent:
        snmp = f"{{community_file: community, port: {agent.port}}}"
        router = f", router: {{address: 127.0.0.1, interfaces: {{fiber: wan}}, snmp: {snmp}}}"
        path = inventory(process.folder / "fleet.yml", target, "fontana", extra=router)
        process.start("--terminal", "fontana").ready()
        claimed = of("yardlight_terminal_path", source="claimed", terminal="fontana", uplink="fiber")
        deadline = time.monotonic() + 30
        while f"{claimed} 1.0" not in process.ask("/metrics")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert "fontana router" in process.ask("/")[1]
        inventory(path, target, "fontana")
        assert process.ask("/-/reload", "POST")[0] == 200
        page_after = process.ask("/metrics")[1]
        assert "yardlight_router" not in page_after
        assert claimed not in page_after
