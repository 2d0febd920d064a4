"""Metrics, alerts, runbooks and boards name each other rightly."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from yardlight.catalogue import METRICS

ROOT = Path(__file__).parent.parent
RUNBOOKS = ROOT / "playbooks" / "runbooks"
# What a person rings about, and no alert does.
FOR_CALLS = {"LostTablet"}
RULES = sorted((ROOT / "alert_rules").glob("*.yml"))
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
# A metric's name in any text; `yardlight:x` is a recorded series and no metric of ours.
METRIC = re.compile(r"(?<![\w:/.-])yardlight_[a-z0-9_]+(?![\w.]*\.(?:py|yml|json|db))")


def series(name: str) -> set[str]:
    """Names under which samples of this metric appear in Prometheus."""
    suffixes = ("_bucket", "_sum", "_count") if METRICS[name].kind == "histogram" else ("",)
    return {name + suffix for suffix in suffixes}


KNOWN = {sample for name in METRICS for sample in series(name)}


@cache
def alerts() -> dict[str, dict[str, Any]]:
    """Every alerting rule by its name."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}


@cache
def recorded() -> set[str]:
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return {rule["record"] for group in groups for rule in group["rules"] if "record" in rule}


def texts() -> list[Path]:
    """All files outside the package in which a metric may be named."""
    folders = {
        "alert_rules": (".yml",),
        "dashboards": (".json", ".py"),
        "playbooks": (".md", ".yml"),
        "docker": (".yml",),
    }
    return [
        path
        for folder, suffixes in folders.items()
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in suffixes and path.is_file()
    ]


def test_every_metric_that_rules_boards_and_runbooks_name_is_in_the_catalogue() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in texts()
        for name in METRIC.findall(path.read_text(encoding="utf-8"))
        if name not in KNOWN and name not in METRICS
    }
    assert not unknown


def test_every_recorded_series_that_is_read_is_recorded() -> None:
    read = {
        name: str(path.relative_to(ROOT))
        for path in texts()
        if "docker" not in path.parts
        for name in re.findall(r"\byardlight:[a-z_]+:?\w*", path.read_text(encoding="utf-8"))
    }
    assert not {name: where for name, where in read.items() if name not in recorded()}


def test_every_alert_has_a_runbook_and_every_runbook_an_alert_or_a_call() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == {*alerts(), *FOR_CALLS}


@pytest.mark.parametrize("runbook", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_meaning_impact_diagnosis_and_mitigation(runbook: Path) -> None:
    text = runbook.read_text(encoding="utf-8")
    assert text.startswith(f"# {runbook.stem}\n")
    assert [line.removeprefix("## ").strip() for line in text.splitlines() if line.startswith("## ")] == HEADINGS
    for section in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(section.split()) >= 10, "a heading without its text helps nobody at night"


@pytest.mark.parametrize("name", sorted(alerts()))
def test_an_alert_says_how_bad_it_is_and_for_whom(name: str) -> None:
    labels = alerts()[name]["labels"]
    assert labels.keys() >= {"severity", "audience"}
    assert not {"instance", "job"} & labels.keys()


def test_every_alert_is_fired_by_a_rule_test_and_a_quiet_night_fires_none() -> None:
    files = {path.stem: rule_test(path) for path in (ROOT / "alert_rules" / "tests").glob("*.yml")}
    fired = {name for cases in files.values() for case in cases for name in case}
    assert set(alerts()) - fired == set(), "no case in which it fires"
    assert files["T36"]
    assert set().union(*files["T36"]) <= {"Watchdog"}


def rule_test(path: Path) -> list[set[str]]:
    """Names of the alerts that a file for promtool expects to fire, per moment that it looks at."""
    tests = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["tests"]
    samples = [moment["exp_samples"] for test in tests for moment in test.get("promql_expr_test", [])]
    told = [
        {moment["alertname"]}
        for test in tests
        for moment in test.get("alert_rule_test", [])
        if moment.get("exp_alerts")
    ]
    return [
        set(re.findall(r'alertname="(\w+)"', str([each["labels"] for each in moment]))) for moment in samples
    ] + told


@pytest.mark.parametrize("board", sorted((ROOT / "dashboards").glob("*.json")), ids=lambda path: path.stem)
def test_a_board_is_json_with_a_title_and_an_id_of_its_own(board: Path) -> None:
    loaded = json.loads(board.read_text(encoding="utf-8"))
    assert loaded["title"]
    assert loaded["uid"]
