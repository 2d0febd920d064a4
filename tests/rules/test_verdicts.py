"""Signals of a fault: 1 for what was seen, 0 for what was looked for and not seen, nothing where nobody can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import JOINED, alerts, judged, rules

RULES = Path(__file__).resolve().parents[2] / "alert_rules" / "verdicts.yml"


EVIDENCE = [rule for rule in rules() if rule.get("record") == "yardlight:fault_evidence"]


def test_every_signal_has_words_of_its_own() -> None:
    signals, words = ({rule["labels"][name] for rule in EVIDENCE} for name in ("signal", "words"))
    assert len(signals) == len(words) == len(EVIDENCE)


@pytest.mark.parametrize(
    "rule", [rule for rule in alerts() if rule["labels"]["domain"] == JOINED], ids=lambda rule: str(rule["alert"])
)
def test_whose_fault_was_judged_by_what_was_seen_stands_beside_what_was_seen(rule: dict[str, Any]) -> None:
    assert "yardlight:fault_said{" in rule["annotations"]["description"]
    assert "yardlight:fault_said{" not in rule["annotations"]["summary"]


def given(name: str, value: str = "1x5", **labels: str) -> dict[str, str]:
    text = ",".join(f'{key}="{said}"' for key, said in {"fleet": "f", **labels}.items())
    return {"series": f"{name}{{{text}}}", "values": value}


@pytest.mark.needs("promtool")
def test_a_signal_that_was_looked_for_and_not_seen_is_0_and_one_that_nobody_can_tell_is_not_there(
    tmp_path: Path,
) -> None:
    """Three accounts cannot be read: samsara's page says all is well, geotab's declares, motive has none."""
    failing = [
        each
        for name, reason in (("samsara", "auth"), ("geotab", "timeout"), ("motive", "auth"))
        for each in (
            given("yardlight:account_info", account=name, platform=name),
            given("yardlight:account_overdue_timestamp_seconds", account=name),
            given("yardlight_poll_failed", account=name, poll="feeds/gps", reason=reason),
        )
    ]
    pages = [
        given("yardlight_platform_status", platform="samsara", component="api", state="operational"),
        given("yardlight_platform_status", platform="geotab", component="api", state="major_outage"),
        given("yardlight:platform_declared_out", platform="geotab"),
    ]
    expected = {
        "declared": {"samsara": 0, "geotab": 1},
        "many_platforms": {"geotab": 0},
        "refused": {"samsara": 1, "geotab": 0, "motive": 1},
    }
    checks = [
        {
            "expr": f'max by (platform) (yardlight:fault_evidence{{fleet="f",signal="{signal}"}})',
            "eval_time": "3m",
            "exp_samples": [
                {"labels": f'{{platform="{platform}"}}', "value": seen} for platform, seen in seen_of.items()
            ],
        }
        for signal, seen_of in expected.items()
    ]
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": [*failing, *pages], "promql_expr_test": checks}],
    }
    file = tmp_path / "verdicts.yml"
    file.write_text(json.dumps(test), encoding="utf-8")
    right, said = judged(file)
    assert right, said
