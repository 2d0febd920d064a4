"""A real run of Prometheus and Alertmanager with the shipped files: an outage outlives a restart of Prometheus."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from tests.programs import running

ROOT = Path(__file__).resolve().parents[2]
ROUTES = ROOT / "alert_rules" / "alertmanager" / "alertmanager.yml"

pytestmark = [
    pytest.mark.needs("prometheus", "prometheus-alertmanager"),
    pytest.mark.timeout(420),
]


class Fleet:
    """Two yards and their centre on one page; fontana may be dark, tacoma on its standby, both from one moment on."""

    def __init__(self) -> None:
        self.since: float | None = None

    def page(self) -> str:
        now = time.time()
        since = self.since or now - 86400
        lines = [f'yardlight_clock_timestamp_seconds{{fleet="live",terminal=""}} {now}']
        for terminal, hurt, dead in (("fontana", "dark", ("fiber", "lte")), ("tacoma", "standby", ("fiber",))):
            where = f'fleet="live",terminal="{terminal}"'
            state = hurt if self.since else "primary"
            lines += [
                f"yardlight_clock_timestamp_seconds{{{where}}} {now}",
                f'yardlight_terminal_info{{{where},stage="live",on_failover="ticket",timezone="UTC"}} 1',
                f"yardlight_terminal_page_after_seconds{{{where}}} 3",
                f"yardlight_terminal_switch_within_seconds{{{where}}} 60",
                f"yardlight_terminal_report_within_seconds{{{where}}} 57",
                f"yardlight_terminal_failback_within_seconds{{{where}}} 600",
                f"yardlight_terminal_state_since_timestamp_seconds{{{where}}} {since}",
            ]
            lines += [
                f'yardlight_terminal_state{{{where},state="{each}"}} {int(each == state)}'
                for each in ("primary", "standby", "dark", "unknown")
            ]
            for uplink, role in (("fiber", "primary"), ("lte", "standby")):
                over = f'{where},uplink="{uplink}"'
                verdict = "down" if self.since and uplink in dead else "up"
                lines.append(f'yardlight_uplink_info{{{over},role="{role}",medium="{uplink}"}} 1')
                lines.append(f"yardlight_uplink_state_since_timestamp_seconds{{{over}}} {since}")
                lines += [
                    f'yardlight_uplink_state{{{over},state="{each}"}} {int(each == verdict)}'
                    for each in ("up", "degraded", "down", "unknown")
                ]
        return "\n".join(lines) + "\n"


class Inbox:
    """Every notification as (receiver, status, names of its firing alerts)."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, str, tuple[str, ...]]] = []

    def keep(self, receiver: str, payload: Any) -> None:
        firing = sorted(
            f"{alert['labels']['alertname']} {alert['labels'].get('terminal', '')}"
            for alert in payload["alerts"]
            if alert["status"] == "firing"
        )
        self.posts.append((receiver, payload["status"], tuple(firing)))

    def of(self, receiver: str) -> list[tuple[str, tuple[str, ...]]]:
        return [(status, firing) for name, status, firing in self.posts if name == receiver]


class Pages(Protocol):
    """Has a page for Prometheus."""

    def page(self) -> str: ...


class Keeps(Protocol):
    """Gets whatever is posted, with the path that it was posted to."""

    def keep(self, receiver: str, payload: Any, /) -> None: ...


@contextmanager
def served(fleet: Pages, inbox: Keeps) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(fleet.page().encode())

        def do_POST(self) -> None:
            inbox.keep(self.path.strip("/"), json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


def test_t35_one_message_opens_and_one_closes_an_outage_that_outlives_a_restart_of_prometheus(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    fleet, inbox = Fleet(), Inbox()
    prometheus_port, alertmanager_port = free_port(), free_port()
    with served(fleet, inbox) as port:
        routes = yaml.safe_load(ROUTES.read_text(encoding="utf-8"))
        for receiver in routes["receivers"]:
            receiver["webhook_configs"][0]["url"] = f"http://127.0.0.1:{port}/{receiver['name']}"
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(routes))
        config = {
            "global": {"scrape_interval": "2s", "evaluation_interval": "2s"},
            "rule_files": [str(ROOT / "alert_rules" / "*.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]},
            "scrape_configs": [{"job_name": "live", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
        prometheus = (
            "prometheus", f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address=127.0.0.1:{prometheus_port}",
            # What is evaluated before Prometheus knows of Alertmanager is lost, and else sent again after a minute.
            "--rules.alert.resend-delay=15s",
        )  # fmt: skip
        alertmanager = (
            "prometheus-alertmanager", f"--config.file={tmp_path / 'alertmanager.yml'}",
            f"--storage.path={tmp_path / 'alerts'}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{alertmanager_port}",
        )  # fmt: skip
        page, ticket = ("TerminalDark fontana",), ("TerminalOnStandby tacoma", "UplinkDown tacoma")
        with running(alertmanager_port, *alertmanager):
            with running(prometheus_port, *prometheus):
                eventually(lambda: inbox.of("deadman"), within=150)
                fleet.since = time.time()
                eventually(lambda: inbox.of("oncall") and inbox.of("noc"), within=60)
            with running(prometheus_port, *prometheus):
                # Longer than any wait of the routes: a resolve or a second word would have come by then.
                time.sleep(20)
                assert inbox.of("oncall") == [("firing", page)]
                assert inbox.of("noc") == [("firing", ticket)]
                fleet.since = None
                eventually(lambda: len(inbox.of("oncall")) == 2 and len(inbox.of("noc")) == 2, within=60)
        assert inbox.of("oncall") == [("firing", page), ("resolved", ())]
        assert inbox.of("noc") == [("firing", ticket), ("resolved", ())]
        assert not inbox.of("info")
