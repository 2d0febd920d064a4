"""The centre: Prometheus with our rules, Alertmanager with our routes, and an inbox where phones would ring.

Beside it stands what most people run instead: blackbox_exporter, `probe_success == 0` for a minute.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.lab import namespace, network
from tests.lab.process import ROOT, YARDLIGHT, Program, until_ready
from tests.lab.yard import TWIN_PORT
from yardlight import scraping

RULES = ROOT / "alert_rules"
ROUTES = RULES / "alertmanager" / "alertmanager.yml"
INBOX, EXPORTER = 9099, 10480
USUAL = "blackbox"


@dataclass(frozen=True)
class Post:
    """One notification as it arrived: when, for whom, and the alerts in it."""

    at: float
    receiver: str
    status: str
    alerts: tuple[dict[str, Any], ...]

    def names(self, status: str = "firing", severity: str | None = None) -> set[str]:
        """Names of the alerts in it that have this status (and severity)."""
        return {
            alert["labels"]["alertname"]
            for alert in self.alerts
            if alert["status"] == status and severity in (None, alert["labels"].get("severity"))
        }


class Inbox:
    """Receives every webhook of the centre; the path is the receiver's name. Watchdog is not kept."""

    def __init__(self, path: Path) -> None:
        self.posts: list[Post] = []
        self._file = path.open("w", buffering=1)

    async def start(self) -> None:
        sock = namespace.listening_socket("centre", "127.0.0.1", INBOX)
        self._server = await asyncio.start_server(self._serve, sock=sock)

    def since(self, at: float, usual: bool = False) -> list[Post]:
        """Posts from `at` on: ours, or those of the usual setup."""
        return [post for post in self.posts if post.at >= at and (post.receiver == USUAL) == usual]

    def open(self) -> set[str]:
        """What the newest word about each alert still calls firing."""
        latest: dict[tuple[str, str], tuple[str, str]] = {}
        for post in self.posts:
            for alert in post.alerts:
                latest[post.receiver, alert["fingerprint"]] = (alert["status"], alert["labels"]["alertname"])
        return {name for status, name in latest.values() if status == "firing"}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                at, wall = time.monotonic(), time.time()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                payload = json.loads(await reader.readexactly(int(fields["content-length"])))
                self._keep(at, wall, head.split(" ", 2)[1].strip("/"), payload)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    def _keep(self, at: float, wall: float, receiver: str, payload: dict[str, Any]) -> None:
        self._file.write(json.dumps({"monotonic": at, "wall": wall, "receiver": receiver, **payload}) + "\n")
        alerts = tuple(alert for alert in payload["alerts"] if alert["labels"]["alertname"] != "Watchdog")
        if alerts:
            self.posts.append(Post(at, receiver, payload["status"], alerts))


@dataclass(frozen=True)
class Twin:
    """A second terminal that is measured beside the centre: of the same inventory, or of another fleet's."""

    terminal: str
    inventory: Path


class Centre:
    """All programs of the centre namespace."""

    def __init__(self, work: Path, inventory: Path, usual: bool, twin: Twin | None, rules: dict[str, str]) -> None:
        self.inbox = Inbox(work / "inbox.jsonl")
        self._programs: list[tuple[Program, int, str]] = []
        many = twin is not None and twin.inventory != inventory
        source = ("--inventory-dir", inventory.parent) if many else ("--inventory", inventory)
        self._add(work, "centre", EXPORTER, "/-/ready", (
            *YARDLIGHT, "serve", "--centre", *map(str, source),
            "--state", str(work / "centre.db"), "--web.listen-address", f":{EXPORTER}",
        ))  # fmt: skip
        if twin is not None:
            self._add(work, "twin", TWIN_PORT, "/-/ready", (
                *YARDLIGHT, "serve", "--terminal", twin.terminal, "--inventory", str(twin.inventory),
                "--state", str(work / "twin.db"), "--web.listen-address", f"127.0.0.1:{TWIN_PORT}",
            ))  # fmt: skip
        self._alertmanager(work, "alertmanager", 9093, our_routes())
        self._prometheus(work, "prometheus", 9090, our_prometheus(_rules(work, rules), twin is not None))
        if usual:
            modules = _write(work / "blackbox.yml", {"modules": {"icmp": {"prober": "icmp", "timeout": "5s"}}})
            self._add(work, "blackbox", 9115, "/-/healthy", (
                "prometheus-blackbox-exporter",
                f"--config.file={modules}", "--web.listen-address=127.0.0.1:9115",
            ))  # fmt: skip
            _write(work / "usual-rules.yml", usual_rules())
            self._alertmanager(work, "usual-alertmanager", 9094, usual_routes())
            self._prometheus(work, "usual-prometheus", 9091, usual_prometheus())

    async def start(self) -> None:
        await self.inbox.start()
        for program, _, _ in self._programs:
            program.start()
        for program, port, path in self._programs:
            await until_ready("centre", port, path, program)

    def program(self, name: str) -> Program:
        """One of the centre's programs."""
        return next(program for program, _, _ in self._programs if program.name == name)

    async def start_again(self, name: str) -> None:
        """Start one that was killed, and wait until it is ready."""
        program, port, path = next(each for each in self._programs if each[0].name == name)
        program.start()
        await until_ready("centre", port, path, program)

    async def rule_errors(self) -> list[str]:
        """What Prometheus says of rules that could not be evaluated."""
        groups = json.loads(await namespace.fetch("centre", 9090, "/api/v1/rules"))["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule.get("lastError")]

    async def active(self) -> set[str]:
        """Names of the alerts that our Alertmanager holds now, Watchdog aside."""
        alerts = json.loads(await namespace.fetch("centre", 9093, "/api/v2/alerts"))
        return {alert["labels"]["alertname"] for alert in alerts} - {"Watchdog"}

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of one PromQL query at the centre."""
        body = await namespace.fetch("centre", 9090, f"/api/v1/query?query={quote(expression)}")
        return list(json.loads(body)["data"]["result"])

    def _add(self, work: Path, name: str, port: int, path: str, argv: Iterable[str]) -> None:
        self._programs.append((Program("centre", name, tuple(argv), work), port, path))

    def _prometheus(self, work: Path, name: str, port: int, config: dict[str, Any]) -> None:
        file = _write(work / f"{name}.yml", config)
        self._add(work, name, port, "/-/ready", (
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={work / name}",
            f"--web.listen-address=0.0.0.0:{port}", "--web.enable-remote-write-receiver",
        ))  # fmt: skip

    def _alertmanager(self, work: Path, name: str, port: int, config: dict[str, Any]) -> None:
        file = _write(work / f"{name}.yml", config)
        self._add(work, name, port, "/-/ready", (
            "prometheus-alertmanager", f"--config.file={file}", f"--storage.path={work / name}",
            f"--web.listen-address=0.0.0.0:{port}", "--cluster.listen-address=",
        ))  # fmt: skip


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _rules(work: Path, changes: dict[str, str]) -> str:
    """The shipped rules, or where a scenario cannot wait for hours a copy with shorter windows."""
    if not changes:
        return str(RULES / "*.yml")
    folder = work / "rules"
    folder.mkdir()
    for path in RULES.glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new)
        (folder / path.name).write_text(text, encoding="utf-8")
    return str(folder / "*.yml")


def our_prometheus(rules: str, twin: bool) -> dict[str, Any]:
    targets = {"centre": EXPORTER, **({"twin": TWIN_PORT} if twin else {})}
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "storage": {"tsdb": {"out_of_order_time_window": scraping.OUT_OF_ORDER}},
        "rule_files": [rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
        "scrape_configs": [
            {
                "job_name": "yardlight",
                "static_configs": [
                    {"targets": [f"127.0.0.1:{port}"], "labels": {"instance": name}} for name, port in targets.items()
                ],
            },
        ],
    }


def our_routes() -> dict[str, Any]:
    """The project's own Alertmanager configuration; only its receivers are replaced by the inbox."""
    config: dict[str, Any] = yaml.safe_load(ROUTES.read_text())
    config["receivers"] = [_to_inbox(receiver["name"]) for receiver in config["receivers"]]
    config.pop("templates", None)
    config.get("global", {}).clear()
    return config


def _to_inbox(name: str) -> dict[str, Any]:
    urls = [f"http://127.0.0.1:{INBOX}/{name}"]
    if name == "drill":
        urls.append(f"http://127.0.0.1:{EXPORTER}/drills/notice")
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": True} for url in urls]}


def usual_prometheus() -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["usual-rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9094"]}]}]},
        "scrape_configs": [{
            "job_name": "blackbox",
            "metrics_path": "/probe",
            "params": {"module": ["icmp"]},
            "static_configs": [{"targets": [network.FIBER_WAN]}],
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"target_label": "__address__", "replacement": "127.0.0.1:9115"},
            ],
        }],
    }  # fmt: skip


def usual_rules() -> dict[str, Any]:
    rule = {"alert": "ProbeFailed", "expr": "probe_success == 0", "for": "1m", "labels": {"severity": "page"}}
    return {"groups": [{"name": "usual", "rules": [rule]}]}


def usual_routes() -> dict[str, Any]:
    """Alertmanager as it comes, with 30 s of group_wait; it only resolves sooner, so that incidents stay apart."""
    route = {"receiver": USUAL, "group_wait": "30s", "group_interval": "10s"}
    return {"route": route, "receivers": [_to_inbox(USUAL)]}
