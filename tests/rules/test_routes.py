"""Alertmanager's shipped configuration: valid, and each alert reaches whom it is for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "alert_rules" / "alertmanager"
CONFIG = FOLDER / "alertmanager.yml"
# Receivers, and the labels of an alert that is for them.
REACHES = (
    ("oncall", "severity=page audience=oncall alertname=TerminalDark"),
    ("oncall", "severity=page audience=noc alertname=TerminalOnStandby"),
    ("dispatch", "severity=page audience=dispatch alertname=ServiceUnreachable"),
    ("noc", "severity=ticket audience=noc alertname=StandbyNotReady"),
    ("dispatch,noc", "severity=ticket audience=dispatch alertname=FeedStale"),
    ("compliance", "severity=ticket audience=compliance alertname=ArchiveGap"),
    ("info", "severity=info audience=oncall alertname=TerminalDark"),
    ("info", "severity=info audience=noc alertname=TargetUnreachable"),
    ("deadman", "severity=none audience=oncall alertname=Watchdog"),
    ("drill", "severity=page audience=oncall alertname=TerminalDark drill=active"),
    ("drill", "severity=ticket audience=noc alertname=TerminalOnStandby drill=active"),
    ("yard,noc", "severity=ticket audience=yard alertname=DrillOverdue"),
    ("info", "severity=info audience=yard alertname=DrillOverdue"),
    ("noc", "alertname=SomethingElse"),
)

pytestmark = pytest.mark.needs("amtool")


def amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)


def test_amtool_accepts_the_configuration() -> None:
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("receiver", "labels"), REACHES)
def test_an_alert_reaches_whom_it_is_for(receiver: str, labels: str) -> None:
    done = amtool(
        "config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={receiver}", *labels.split()
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_inhibited_and_every_matcher_is_quoted() -> None:
    """Alertmanager 0.25 drops the resolve of an inhibited alert; 0.27 reads unquoted matchers differently."""
    loaded: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert "inhibit_rules" not in loaded
    routes = [loaded["route"]]
    for route in routes:
        routes += route.get("routes", [])
        assert all(re.fullmatch(r'\w+(=|!=|=~|!~)".*"', matcher) for matcher in route.get("matchers", []))


def test_alerts_are_grouped_by_terminal_and_kind_and_a_failover_is_one_message() -> None:
    """Prometheus repeats resolved alerts for 15 minutes: in a group with a new incident they would tell it twice."""
    loaded: dict[str, Any] = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    assert loaded["route"]["group_by"] == ["fleet", "terminal", "account", "alertname"]
    tickets = next(route for route in loaded["route"]["routes"] if route["matchers"] == ['severity="ticket"'])
    (failover,) = [route for route in tickets["routes"] if "TerminalOnStandby" in route["matchers"][0]]
    assert failover["group_by"] == ["fleet", "terminal"]
    assert "UplinkDown" in failover["matchers"][0]
