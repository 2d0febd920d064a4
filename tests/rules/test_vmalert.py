"""VictoriaMetrics and vmalert in Prometheus' place: the rendered rules load, evaluate and say what they should."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.programs import running
from tests.rules.promtool import ROOT, RULES, rules
from tests.rules.test_live import Fleet, Pages, served
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
    """What vmalert tells Alertmanager, newest last, by alert and what it is about: a terminal or a feed."""

    def __init__(self) -> None:
        self.alerts: dict[tuple[str, str], dict[str, Any]] = {}

    def keep(self, _: str, alerts: list[dict[str, Any]]) -> None:
        for alert in alerts:
            labels = alert["labels"]
            self.alerts[labels["alertname"], labels.get("terminal") or labels.get("feed", "")] = alert

    def open(self) -> set[tuple[str, str]]:
        now = datetime.now(UTC)
        return {key for key, alert in self.alerts.items() if datetime.fromisoformat(alert["endsAt"]) > now}


class Vendor:
    """Two feeds: one is broken first and its platform is out later, of the other both begin at once."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.out = False

    def page(self) -> str:
        now = time.time()
        lines = [
            f'yardlight_clock_timestamp_seconds{{fleet="live",terminal=""}} {now}',
            'yardlight_account_info{fleet="live",account="acme",platform="acme"} 1',
        ]
        for feed in ("gps", "loads"):
            of = f'fleet="live",account="acme",feed="{feed}"'
            poll = f'fleet="live",account="acme",poll="feeds/{feed}"'
            status = f'{of},platform="acme",component="api",state="major_outage"'
            lines += [
                f'yardlight_feed_info{{{of},platform="acme",expected="always",shows="{feed}",while_old=""}} 1',
                f"yardlight_feed_max_age_seconds{{{of}}} 300",
                f"yardlight_feed_expected_since_timestamp_seconds{{{of}}} {now - 86400}",
                f"yardlight_feed_newest_record_timestamp_seconds{{{of}}} {now - 10}",
                f"yardlight_poll_success{{{poll}}} 1",
                f"yardlight_poll_last_success_timestamp_seconds{{{poll}}} {now}",
                f"yardlight_poll_due_timestamp_seconds{{{poll}}} {now + 600}",
                f'yardlight_feed_contract_violations{{{of},kind="missing",field="at"}} {int(feed in self.broken)}',
                f'yardlight_feed_anomaly{{{of},kind="empty"}} {int(self.out)}',
                f"yardlight_platform_status{{{status}}} {int(self.out)}",
            ]
        return "\n".join(lines) + "\n"


@contextmanager
def evaluated(tmp_path: Path, rendered: Path, free_port: Callable[[], int], pages: Pages, told: Told) -> Iterator[None]:
    """VictoriaMetrics that scrapes these pages, and vmalert with the rendered rules."""
    stored, alerting = free_port(), free_port()
    url = f"http://127.0.0.1:{stored}"
    with served(pages, told) as port:
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
            yield


def test_an_outage_and_a_failover_are_told_with_their_texts_and_end(
    tmp_path: Path, rendered: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    fleet, told = Fleet(), Told()
    with evaluated(tmp_path, rendered, free_port, fleet, told):
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


def test_what_was_told_of_a_feed_stays_told_in_its_platforms_outage_and_what_was_not_is_not(
    tmp_path: Path, rendered: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    """Those rules read ALERTS, which vmalert writes for itself a moment after it evaluated."""
    vendor, told = Vendor(), Told()
    with evaluated(tmp_path, rendered, free_port, vendor, told):
        eventually(lambda: told.open() == {("Watchdog", "")}, within=60)
        vendor.broken = {"gps"}
        eventually(lambda: ("FeedContractBroken", "gps") in told.open(), within=120)
        vendor.broken, vendor.out = {"gps", "loads"}, True
        eventually(lambda: ("PlatformOutageDeclared", "") in told.open(), within=120)
        # What would be told of the other feed waits for a minute.
        time.sleep(80)
        assert {("FeedContractBroken", "gps"), ("PlatformOutageDeclared", "")} <= told.open()
        assert ("FeedContractBroken", "loads") not in told.alerts
