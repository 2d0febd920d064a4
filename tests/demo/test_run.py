"""The whole demo in a process of its own: from a cut to the notification, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from yardlight.cli import build_parser
from yardlight.demo import DemoOptions, Ports, archive, faults, main, platforms, programs

FreePort = Callable[[], int]
Eventually = Callable[..., object]


@pytest.fixture
def ports(free_port: FreePort) -> Ports:
    """Ports of its own, so that the test runs beside a demo that somebody watches."""
    return Ports(*(free_port() for _ in fields(Ports)))


@contextlib.contextmanager
def demo(folder: Path, ports: Ports, **options: object) -> Iterator[subprocess.Popen[str]]:
    """A demo with these options; it is killed at the end if it still runs."""
    code = (
        "from pathlib import Path; from yardlight.demo import DemoOptions, Ports, main; "
        f"raise SystemExit(main(DemoOptions(folder=Path({str(folder)!r}), ports={ports!r}, **{options!r})))"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        archive.remove_copies()


def programs_of(folder: Path) -> dict[int, str]:
    """Running programs that work in this folder: their ids, and their command lines."""
    found = {}
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and process.name != str(os.getpid()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(folder) in command and "DemoOptions" not in command:
                    found[int(process.name)] = command
    return found


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(240)
def test_a_cut_fiber_becomes_one_notification_and_the_demo_leaves_nothing_behind(tmp_path: Path, ports: Ports) -> None:
    with demo(tmp_path, ports, until_notification=True) as running:
        output, _ = running.communicate(timeout=200)
    assert running.returncode == 0, output
    assert "injected: fontana: traffic by fiber, fiber cut" in output
    assert output.count("FIRING") == 1, output
    assert "noc      FIRING   TerminalOnStandby: Fontana" in output
    assert "first notification" in output.splitlines()[-1]
    assert programs_of(tmp_path) == {}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_programs_end_with_the_demo_however_it_ends(
    tmp_path: Path, ports: Ports, eventually: Eventually, how: signal.Signals
) -> None:
    with demo(tmp_path, ports, fleet_only=True) as running:
        eventually(lambda: programs_of(tmp_path))
        running.send_signal(how)
        assert running.wait(20) == (0 if how != signal.SIGKILL else -signal.SIGKILL)
        eventually(lambda: not programs_of(tmp_path))


@pytest.mark.timeout(60)
def test_a_fault_is_handed_to_the_demo_that_runs(
    tmp_path: Path, ports: Ports, eventually: Eventually, capsys: pytest.CaptureFixture[str]
) -> None:
    with demo(tmp_path, ports, fleet_only=True):
        options = DemoOptions(fault="reno.lte=cut", ports=ports)
        eventually(lambda: main(options) == 0)
        assert capsys.readouterr().out.endswith("reno: traffic by fiber, lte cut\n")
        assert main(DemoOptions(fault="reno.lte=cuts", ports=ports)) == 1
        assert "a circuit can be: cut, loss=20%, pin-lost, dns-dead, heal" in capsys.readouterr().err


def test_a_fault_without_a_demo_says_how_to_start_one(ports: Ports, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(DemoOptions(fault="fontana.fiber=cut", ports=ports)) == 1
    assert "no demo is running" in capsys.readouterr().err


def test_the_list_of_faults_needs_no_demo(ports: Ports, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(DemoOptions(fault="list", ports=ports)) == 0
    assert capsys.readouterr().out == f"{faults.LIST}\n{platforms.LIST}\n{archive.LIST}\n"


@pytest.mark.timeout(60)
def test_ports_in_use_are_named_all_at_once_and_nothing_is_started(tmp_path: Path, ports: Ports) -> None:
    with (
        socket.create_server(("127.0.0.1", ports.exporter)),
        socket.create_server(("127.0.0.1", ports.prometheus)),
        demo(tmp_path, ports) as running,
    ):
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 1
    assert f"127.0.0.1:{ports.exporter} (Yardlight) is in use" in output
    assert f"127.0.0.1:{ports.prometheus} (Prometheus) is in use" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(60)
def test_without_prometheus_the_demo_says_what_is_missing_and_runs_on(
    tmp_path: Path, ports: Ports, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "bin"
    nowhere.mkdir()
    monkeypatch.setenv("PATH", str(nowhere))
    folder = tmp_path / "demo"
    with demo(folder, ports) as running:
        eventually(lambda: main(DemoOptions(fault="reno=heal", ports=ports)) == 0)
        running.send_signal(signal.SIGTERM)
        output, _ = running.communicate(timeout=20)
    assert running.returncode == 0
    assert "prometheus is missing (Debian and Ubuntu: apt-get install prometheus)" in output
    assert "prometheus-alertmanager is missing" in output


def test_what_people_do_in_the_office_are_commands_that_there_are(tmp_path: Path) -> None:
    commands = programs.office(tmp_path, date(2026, 3, 4))
    for command in commands:
        assert command[:3] == (sys.executable, "-m", "yardlight")
        build_parser().parse_args(command[3:])
    assert len({command[command.index("--by") + 1] for command in commands}) == 2
