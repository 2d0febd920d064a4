"""`/sd/terminals`: a real Prometheus finds the boxes of a fleet by it and scrapes them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from yardlight import centre
from yardlight.inventory.load import load

Eventually = Callable[..., Any]
BOX = b'yardlight_up{fleet="inland-haul",terminal="fontana"} 1\n'


def write(path: Path, *terminals: str, fleet: str = "inland-haul") -> None:
    lines = [
        f"  {name}: {{targets: [198.51.100.1], uplinks: {{fiber: {{}}}}{rest}}}" for name, rest in map(split, terminals)
    ]
    path.write_text("\n".join([f"fleet: {fleet}", "terminals:", *lines]) + "\n")


def split(terminal: str) -> tuple[str, str]:
    name, _, scrape = terminal.partition(" ")
    return name, f', scrape: "{scrape}"' if scrape else ""


class Centre:
    """`yardlight serve --centre` in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        listen = ("--web.listen-address", f"127.0.0.1:{port}")
        self.child = subprocess.Popen(
            [sys.executable, "-m", "yardlight", "serve", "--centre", "--inventory-dir", str(folder), *listen],
            stderr=subprocess.DEVNULL,
        )

    def get(self, path: str, method: str = "GET") -> tuple[int, str | None, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path)
        response = connection.getresponse()
        answer = response.status, response.getheader("Content-Type"), response.read().decode()
        connection.close()
        return answer

    def ready(self) -> bool:
        try:
            return self.get("/-/ready")[0] == 200
        except OSError:
            return False


@pytest.fixture
def serve(tmp_path: Path, free_port: Callable[[], int], eventually: Eventually) -> Iterator[Callable[[], Centre]]:
    running: list[Centre] = []

    def start() -> Centre:
        running.append(Centre(tmp_path, free_port()))
        eventually(running[-1].ready, within=20)
        return running[-1]

    yield start
    for each in running:
        each.child.terminate()
        each.child.wait(20)


@pytest.fixture
def box() -> Iterator[str]:
    """The box of a terminal, as far as a scrape can tell: its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(BOX)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_only_terminals_with_an_address_are_listed_with_labels_that_push_no_sample_aside(tmp_path: Path) -> None:
    path = tmp_path / "fleet.yml"
    write(path, "fontana 10.8.0.21:10480", "ontario")
    labels = {"__meta_yardlight_fleet": "inland-haul", "__meta_yardlight_terminal": "fontana"}
    assert centre.discovery(load(path).fleet) == [{"targets": ["10.8.0.21:10480"], "labels": labels}]


def test_the_list_is_whole_json_over_all_fleets_and_follows_a_reload(
    tmp_path: Path, serve: Callable[[], Centre]
) -> None:
    write(tmp_path / "a.yml", "ontario")
    running = serve()
    assert running.get("/sd/terminals") == (200, "application/json; charset=utf-8", "[]")
    write(tmp_path / "a.yml", "ontario", "fontana [2001:db8::1]:10480")
    write(tmp_path / "b.yml", "fontana 10.8.0.22:10480", fleet="other")
    assert running.get("/-/reload", "POST")[0] == 200
    found = json.loads(running.get("/sd/terminals")[2])
    assert [group["targets"] for group in found] == [["[2001:db8::1]:10480"], ["10.8.0.22:10480"]]
    assert [group["labels"]["__meta_yardlight_fleet"] for group in found] == ["inland-haul", "other"]


@pytest.mark.needs("prometheus", "promtool")
def test_prometheus_finds_and_scrapes_the_boxes(
    tmp_path: Path, serve: Callable[[], Centre], box: str, free_port: Callable[[], int], eventually: Eventually
) -> None:
    write(tmp_path / "fleet.yml", f"fontana {box}", "ontario")
    running = serve()
    config = tmp_path / "prometheus.conf"
    config.write_text(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: terminals
    http_sd_configs: [{{url: "http://127.0.0.1:{running.port}/sd/terminals", refresh_interval: 1s}}]
    relabel_configs: [{{source_labels: [__meta_yardlight_terminal], target_label: instance}}]
""")
    port = free_port()
    child = subprocess.Popen(
        [
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def series() -> list[dict[str, str]]:
        query = urllib.parse.urlencode({"query": "yardlight_up", "time": time.time()})
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=5) as answer:
                return [each["metric"] for each in json.load(answer)["data"]["result"]]
        except OSError:
            return []

    try:
        assert eventually(series, within=40, every=0.3) == [
            {
                "__name__": "yardlight_up", "fleet": "inland-haul", "terminal": "fontana", "instance": "fontana",
                "job": "terminals",
            }
        ]  # fmt: skip
    finally:
        child.terminate()
        child.wait(20)
