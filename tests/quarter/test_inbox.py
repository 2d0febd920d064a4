"""Messages are counted as Alertmanager sends them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.programs import running
from tests.quarter.inbox import CONFIG, Firing, messages, routes


def alert(name: str, begin: float, end: float | None, severity: str = "ticket", **labels: str) -> Firing:
    return Firing({"alertname": name, "severity": severity, "fleet": "f", **labels}, begin, end)


def counted(*alerts: Firing) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(each.receiver, each.firing, each.over) for each in messages(alerts, routes())]


def test_one_failover_is_one_message_and_one_when_it_is_over() -> None:
    both = (alert("TerminalOnStandby", 0, 600, terminal="a"), alert("UplinkDown", 1, 600, terminal="a"))
    names = ("TerminalOnStandby", "UplinkDown")
    assert counted(*both) == [("noc", names, ()), ("noc", (), names)]


def test_a_second_one_a_minute_later_is_a_message_of_its_own_and_so_is_the_end_of_one() -> None:
    alerts = (alert("TerminalOnStandby", 0, 600, terminal="a"), alert("UplinkDown", 60, None, terminal="a"))
    assert [len(each[1]) for each in counted(*alerts)] == [1, 2, 1]


def test_two_terminals_are_two_messages_and_two_devices_of_an_account_are_one() -> None:
    yards = (alert("StandbyNotReady", 0, None, terminal="a"), alert("StandbyNotReady", 0, None, terminal="b"))
    assert len(counted(*yards)) == 2
    devices = (alert("WipeUnconfirmed", 0, None, "page", account="g", device=each) for each in "xy")
    assert counted(*devices) == [("oncall", ("WipeUnconfirmed", "WipeUnconfirmed"), ())]


def test_what_dispatch_is_told_the_noc_is_told_and_what_is_drilled_nobody_is() -> None:
    stale = alert("FeedStale", 0, None, audience="dispatch", account="v", feed="gps")
    assert sorted(each[0] for each in counted(stale)) == ["dispatch", "noc"]
    assert [each[0] for each in counted(alert("TerminalDark", 0, None, "page", drill="active"))] == ["drill"]


def test_what_goes_on_for_a_week_is_told_again_each_three_days() -> None:
    assert len(counted(alert("DrillOverdue", 0, 7 * 86400.0, terminal="a"))) == 4


@pytest.mark.needs("prometheus-alertmanager")
def test_a_real_alertmanager_sends_the_same_messages(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    """Changes lie further apart than a group waits, so that the same ones come together whatever the machine does."""
    apart = 14.0
    alerts = (
        alert("TerminalOnStandby", 0, 3 * apart, audience="noc", terminal="a"),
        alert("UplinkDown", 0, 2 * apart, audience="noc", terminal="a"),
        alert("TerminalDark", apart, 2 * apart, "page", audience="oncall", terminal="b"),
        alert("FeedStale", apart, 3 * apart, audience="dispatch", account="v", feed="gps"),
        alert("TargetUnreachable", 0, 2 * apart, "info", audience="noc", terminal="c"),
    )
    got: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
            names = [
                tuple(sorted(each["labels"]["alertname"] for each in said if each["status"] == status))
                for status in ("firing", "resolved")
            ]
            got.append((self.path.strip("/"), names[0], names[1]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for receiver in config["receivers"]:
        receiver["webhook_configs"][0]["url"] = f"http://127.0.0.1:{server.server_address[1]}/{receiver['name']}"
    # A minute is too long to wait for.
    config["route"]["routes"][-1]["group_interval"] = "5s"
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    port = free_port()
    program = (
        "prometheus-alertmanager", f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}", "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    expected = [
        (each.receiver, each.firing, each.over) for each in messages(alerts, routes(tmp_path / "alertmanager.yml"))
    ]
    with running(port, *program):
        began = time.time()
        for change in sorted({each.begin for each in alerts} | {each.end for each in alerts if each.end}):
            while time.time() < began + change:
                time.sleep(0.05)
            said = [
                {"labels": dict(each.labels), "startsAt": iso(began + each.begin), "endsAt": iso(end)}
                for each in alerts
                if each.begin <= change <= (each.end or change)
                for end in [time.time() if each.end == change else began + 3600]
            ]
            request = Request(f"http://127.0.0.1:{port}/api/v2/alerts", json.dumps(said).encode())
            request.add_header("Content-Type", "application/json")
            with urlopen(request, timeout=10) as answer:
                assert answer.status == 200
        eventually(lambda: len(got) >= len(expected), within=60)
    server.shutdown()
    assert sorted(got) == sorted(expected)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
