"""Two Prometheus and two Alertmanagers, as `render prometheus` wires them: told once, also when one of each is gone."""

from __future__ import annotations

import json
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from yardlight import scraping

FreePort = Callable[[], int]
Eventually = Callable[..., Any]
RULES = """\
groups:
  - name: lines
    rules:
      - {alert: LineDown, expr: "max by (fleet, line) (line_down) == 1", labels: {severity: page}}
"""


class Inbox:
    """Serves a page of metrics, and takes notifications."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.told: list[str] = []
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                lines = [f'line_down{{fleet="f",line="{line}"}} {int(line in inbox.down)}' for line in ("a", "b")]
                self._answer("\n".join([*lines, ""]).encode())

            def do_POST(self) -> None:
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                inbox.told += [each["labels"]["line"] for each in payload["alerts"] if each["status"] == "firing"]
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def open(self) -> Iterator[None]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()


@contextmanager
def started(*argv: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ask(port: int, path: str) -> Any:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            body = answer.read()
    except OSError:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body


def prometheus(folder: Path, number: int, port: int, made: dict[str, Any]) -> list[str]:
    config = folder / f"prometheus-{number}.yml"
    config.write_text(yaml.safe_dump({**made, "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}}))
    return [
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / f'tsdb-{number}'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip


def alertmanager(folder: Path, number: int, tellers: list[int], gossip: list[int]) -> list[str]:
    return [
        "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / f'alertmanager-{number}'}", f"--web.listen-address=127.0.0.1:{tellers[number]}",
        f"--cluster.listen-address=127.0.0.1:{gossip[number]}", f"--cluster.peer=127.0.0.1:{gossip[1 - number]}",
        "--cluster.peer-timeout=1s",
    ]  # fmt: skip


def peers(port: int) -> int:
    """How many Alertmanagers this one knows of, itself among them."""
    status = ask(port, "/api/v2/status")
    return len(status["cluster"]["peers"]) if status else 0


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(400)
def test_a_pair_tells_once_and_goes_on_when_one_of_each_is_killed(
    tmp_path: Path, free_port: FreePort, eventually: Eventually
) -> None:
    inbox = Inbox()
    (tmp_path / "rules.yml").write_text(RULES)
    route = {"receiver": "noc", "group_by": ["fleet", "line"], "group_wait": "1s", "group_interval": "2s"}
    hook = {"name": "noc", "webhook_configs": [{"url": f"http://{inbox.address}/"}]}
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump({"route": route, "receivers": [hook]}))
    tellers, gossip, askers = ([free_port(), free_port()] for _ in range(3))
    wanted = scraping.Centre([inbox.address], [f"127.0.0.1:{port}" for port in tellers], str(tmp_path / "rules.yml"))
    made = scraping.centre([], wanted)
    with ExitStack() as stack:
        stack.enter_context(inbox.open())
        first = [alertmanager(tmp_path, 0, tellers, gossip), prometheus(tmp_path, 0, askers[0], made)]
        second = [alertmanager(tmp_path, 1, tellers, gossip), prometheus(tmp_path, 1, askers[1], made)]
        dying = [stack.enter_context(started(*command)) for command in first]
        for command in second:
            stack.enter_context(started(*command))
        eventually(lambda: [peers(port) for port in tellers] == [2, 2], within=90)
        eventually(lambda: all(ask(port, "/-/ready") for port in askers), within=90)
        inbox.down.add("a")
        eventually(lambda: "a" in inbox.told, within=90)
        # The second would have told by now: it waits for the first as long as it may take, and then looks.
        time.sleep(12)
        assert inbox.told == ["a"]
        for each in dying:
            each.kill()
        inbox.down.add("b")
        eventually(lambda: "b" in inbox.told, within=90)


@pytest.mark.needs("prometheus", "victoria-metrics")
def test_what_the_guide_says_of_victoriametrics_keeps_what_prometheus_has(
    tmp_path: Path, root: Path, free_port: FreePort, eventually: Eventually
) -> None:
    guide = (root / "playbooks/setup/scale-out.md").read_text(encoding="utf-8")
    section = guide.split("### VictoriaMetrics", 1)[1]
    written = yaml.safe_load(section.split("```yaml\n", 1)[1].split("```", 1)[0])
    inbox, store, asker = Inbox(), free_port(), free_port()
    written["remote_write"][0]["url"] = f"http://127.0.0.1:{store}/api/v1/write"
    made = {**scraping.centre([], scraping.Centre([inbox.address], [], str(tmp_path / "none.yml"))), **written}
    query = f"/api/v1/query?query={quote('line_down')}"
    with (
        inbox.open(),
        started(
            "victoria-metrics", f"-storageDataPath={tmp_path / 'store'}", f"-httpListenAddr=127.0.0.1:{store}",
            "-search.latencyOffset=1s",
        ),
        started(*prometheus(tmp_path, 0, asker, made)),
    ):  # fmt: skip
        eventually(lambda: len((ask(store, query) or {"data": {"result": []}})["data"]["result"]) == 2, within=90)
