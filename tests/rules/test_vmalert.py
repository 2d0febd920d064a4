"""VictoriaMetrics and vmalert in Prometheus' place: the rendered rules load, evaluate and say what they should."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.programs import running
from tests.rules.promtool import ROOT, RULES, rules
from tests.rules.test_live import Fleet, served
from yardlight.cli import main

pytestmark = [pytest.mark.needs("vmalert", "victoria-metrics"), pytest.mark.timeout(420)]


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    assert main(["render", "vmalert", "--rules", str(ROOT / "alert_rules"), "-o", str(folder)]) == 0
    return folder


def test_vmalert_loads_every_file(rendered: Path) -> None:
    assert {path.name for path in rendered.iterdir()} == {path.name for path in RULES}
    done = subprocess.run(
        ["vmalert", "-dryRun", f"-rule={rendered}/*.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_uses_nothing_that_vmalert_refuses(rule: dict[str, Any]) -> None:
    assert "keep_firing_for" not in rule


def test_rules_that_are_not_there_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "vmalert", "--rules", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "has no file of rules; --rules names the folder alert_rules" in capsys.readouterr().err


class Told:
    """What vmalert tells Alertmanager, newest last, by alert and terminal."""

    def __init__(self) -> None:
        self.alerts: dict[tuple[str, str], dict[str, Any]] = {}

    def keep(self, _: str, alerts: list[dict[str, Any]]) -> None:
        for alert in alerts:
            self.alerts[alert["labels"]["alertname"], alert["labels"].get("terminal", "")] = alert

    def open(self) -> set[tuple[str, str]]:
        now = datetime.now(UTC)
        return {key for key, alert in self.alerts.items() if datetime.fromisoformat(alert["endsAt"]) > now}


def test_an_outage_and_a_failover_are_told_with_their_texts_and_end(
    tmp_path: Path, rendered: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    fleet, told, stored, alerting = Fleet(), Told(), free_port(), free_port()
    url = f"http://127.0.0.1:{stored}"
    with served(fleet, told) as port:
        scrape = {"job_name": "live", "scrape_interval": "2s", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        (tmp_path / "scrape.yml").write_text(json.dumps({"scrape_configs": [scrape]}))
        storage = (
            "victoria-metrics", f"-storageDataPath={tmp_path / 'data'}", f"-httpListenAddr=127.0.0.1:{stored}",
            f"-promscrape.config={tmp_path / 'scrape.yml'}", "-search.latencyOffset=0s", "-search.disableCache",
        )  # fmt: skip
        rules = (
            "vmalert", f"-rule={rendered}/*.yml", f"-datasource.url={url}", f"-remoteWrite.url={url}",
            f"-remoteRead.url={url}", f"-notifier.url=http://127.0.0.1:{port}", "-evaluationInterval=2s",
            f"-httpListenAddr=127.0.0.1:{alerting}", "-remoteWrite.flushInterval=500ms",
        )  # fmt: skip
        with running(stored, *storage, page="/health"), running(alerting, *rules, page="/health"):
            eventually(lambda: told.open() == {("Watchdog", "")}, within=60)
            fleet.since = time.time()
            expected = {("TerminalDark", "fontana"), ("TerminalOnStandby", "tacoma"), ("UplinkDown", "tacoma")}
            eventually(lambda: expected <= told.open(), within=120)
            since = datetime.fromtimestamp(fleet.since, UTC).strftime("%H:%M")
            assert told.alerts["TerminalDark", "fontana"]["annotations"]["summary"] == (
                f"Fontana: internet fully down since {since}. Fiber and LTE dead; dispatch there is offline."
            )
            standby = told.alerts["TerminalOnStandby", "tacoma"]["annotations"]
            assert standby["summary"] == f"Tacoma: on LTE since {since}; the yard works. Fiber is down."
            assert standby["dashboard_url"].endswith("/d/yardlight-terminal?var-fleet=live&var-terminal=tacoma")
            fleet.since = None
            eventually(lambda: told.open() == {("Watchdog", "")}, within=120)
            assert told.alerts.keys() == {*expected, ("Watchdog", "")}
