"""The silence in a real Alertmanager: what it hushes, what it never does, and that it ends; the mark in Grafana."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from yardlight.access import Access
from yardlight.drills.around import Annotation, Silence, around, silence
from yardlight.drills.session import Occasion
from yardlight.errors import DrillError
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.values import Secret

INVENTORY = """
fleet: inland-haul
links: {alertmanager: "http://127.0.0.1:9093/", grafana: "http://127.0.0.1:3000", grafana_token_file: token}
terminals:
  fontana:
    targets: [198.51.100.1]
    uplinks: {fiber: {bind: 10.10.0.21}, lte: {bind: wwan0}}
"""
# Labels besides fleet, and whether the silence hushes the alert.
ALERTS = (
    ({"alertname": "UplinkFlapping", "terminal": "fontana", "severity": "ticket", "uplink": "fiber"}, True),
    ({"alertname": "TargetUnreachable", "terminal": "fontana", "severity": "info"}, True),
    ({"alertname": "TerminalOnStandby", "terminal": "fontana", "severity": "ticket", "drill": "active"}, False),
    ({"alertname": "UplinkDown", "terminal": "fontana", "severity": "ticket", "drill": "active"}, False),
    ({"alertname": "TerminalOnStandby", "terminal": "fontana", "severity": "ticket"}, False),
    ({"alertname": "TerminalDark", "terminal": "fontana", "severity": "page"}, False),
    ({"alertname": "DrillFailed", "terminal": "fontana", "severity": "ticket"}, False),
    ({"alertname": "UplinkFlapping", "terminal": "reno", "severity": "ticket", "uplink": "fiber"}, False),
    ({"alertname": "UplinkFlapping", "terminal": "fontana", "severity": "ticket", "fleet": "other"}, False),
)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    path = tmp_path / "fleet.yml"
    path.write_text(INVENTORY)
    (tmp_path / "token").write_text("glsa_secret\n")
    return load(path)


@pytest.fixture
def occasion(inventory: Inventory) -> Occasion:
    now = time.time()
    terminal = inventory.fleet.terminals["fontana"]
    playbook = "quarterly-wan-failover"
    return Occasion("fontana-1", inventory.fleet, terminal, playbook, now, now + 600, ["TerminalOnStandby"])


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "alertmanager.yml").write_text("{route: {receiver: nobody}, receivers: [{name: nobody}]}")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
        port = probe.server_address[1]
    base = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}", f"--storage.path={folder}",
         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{base}/-/ready", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
    yield base
    process.terminate()
    process.wait(30)


def fire(base: str) -> None:
    """All of `ALERTS`, firing."""
    body = [{"labels": {"fleet": "inland-haul", **labels}} for labels, _ in ALERTS]
    request = urllib.request.Request(
        f"{base}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def hushed(base: str) -> list[bool]:
    """Of each of `ALERTS`, whether it is silenced now."""
    with urllib.request.urlopen(f"{base}/api/v2/alerts", timeout=10) as answer:
        known = {
            json.dumps(alert["labels"], sort_keys=True): bool(alert["status"]["silencedBy"])
            for alert in json.loads(answer.read())
        }
    return [known[json.dumps({"fleet": "inland-haul", **labels}, sort_keys=True)] for labels, _ in ALERTS]


@pytest.mark.needs("prometheus-alertmanager")
def test_the_silence_hushes_other_tickets_of_the_terminal_and_nothing_else_and_ends(
    alertmanager: str, occasion: Occasion, eventually: Callable[..., object]
) -> None:
    fire(alertmanager)
    made = Silence(Access(alertmanager))
    begun = asyncio.run(made.begin(occasion))
    eventually(lambda: hushed(alertmanager) == [hush for _, hush in ALERTS], within=30)
    ended = asyncio.run(made.end(occasion, begun))
    assert ended == {"id": begun["id"], "state": "expired"}
    eventually(lambda: not any(hushed(alertmanager)), within=30)


@pytest.mark.needs("prometheus-alertmanager")
def test_a_silence_that_nobody_ends_ends_by_itself(
    alertmanager: str, occasion: Occasion, eventually: Callable[..., object]
) -> None:
    fire(alertmanager)
    asyncio.run(Silence(Access(alertmanager)).begin(replace(occasion, ends=time.time() + 3)))
    eventually(lambda: any(hushed(alertmanager)), within=30)
    eventually(lambda: not any(hushed(alertmanager)), within=30)


def test_without_alertmanager_the_drill_is_refused(occasion: Occasion, free_port: Callable[[], int]) -> None:
    with pytest.raises(DrillError, match="cannot be asked"):
        asyncio.run(Silence(Access(f"http://127.0.0.1:{free_port()}")).begin(occasion))


def test_a_silence_has_a_comment_and_ends_with_the_drill(occasion: Occasion) -> None:
    assert silence(occasion, "why")["endsAt"] == datetime.fromtimestamp(occasion.ends, UTC).isoformat()
    with pytest.raises(DrillError, match="needs a comment"):
        silence(occasion, "  ")


class Grafana:
    """Takes annotations, or says that it cannot."""

    def __init__(self, status: int = 200) -> None:
        self.asked: list[tuple[str, str, str, Any]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append((self.command, self.path, self.headers["Authorization"], body))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"message": "Annotation added", "id": 17}')

            def do_PATCH(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.access = Access(f"http://127.0.0.1:{self._server.server_address[1]}", bearer=Secret("glsa_secret"))

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_the_drill_becomes_a_region_on_the_boards(occasion: Occasion) -> None:
    grafana = Grafana()
    made = Annotation(grafana.access)
    begun = asyncio.run(made.begin(occasion))
    asyncio.run(made.end(occasion, begun))
    grafana.stop()
    (begin, end) = grafana.asked
    assert begin[:3] == ("POST", "/api/annotations", "Bearer glsa_secret")
    assert begin[3]["time"] == int(occasion.begins * 1000)
    assert {"drill", "fontana", "inland-haul"} <= set(begin[3]["tags"])
    assert end[:2] == ("PATCH", "/api/annotations/17")
    assert end[3]["timeEnd"] >= begin[3]["time"]
    assert "glsa_secret" not in json.dumps(begun)


def test_a_grafana_that_refuses_is_written_down_and_stops_nothing(occasion: Occasion) -> None:
    grafana = Grafana(status=500)
    made = Annotation(grafana.access)
    begun = asyncio.run(made.begin(occasion))
    grafana.stop()
    assert "Annotation added" in begun["error"]
    assert asyncio.run(made.end(occasion, begun)) == {}
    assert len(grafana.asked) == 1


def test_what_the_links_name_is_around_a_drill(inventory: Inventory) -> None:
    assert [each.name for each in around(inventory)] == ["silence", "annotation"]
    (inventory.path.parent / "token").unlink()
    with pytest.raises(DrillError, match="cannot read the secret file 'token'"):
        around(inventory)
