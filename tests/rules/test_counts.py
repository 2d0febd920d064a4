"""What rules count for boards: each yard once, whoever exports it, and who says nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.rules.promtool import judged

RULES = Path(__file__).resolve().parents[2] / "alert_rules" / "terminal.yml"


@pytest.mark.needs("promtool")
def test_yards_are_counted_by_state_once_each_by_what_is_known_of_them_now(tmp_path: Path) -> None:
    def state(terminal: str, state: str, value: int, instance: str = "a") -> dict[str, str]:
        labels = f'fleet="f",terminal="{terminal}",state="{state}",instance="{instance}"'
        return {"series": f"yardlight_terminal_state{{{labels}}}", "values": f"{value}x5"}

    def outside(terminal: str, up: int) -> dict[str, str]:
        labels = f'fleet="f",terminal="{terminal}",uplink="fiber"'
        return {"series": f"yardlight_uplink_outside_up{{{labels}}}", "values": f"{up}x5"}

    def held(record: str, terminal: str) -> dict[str, str]:
        return {"series": f'yardlight:{record}{{fleet="f",terminal="{terminal}"}}', "values": "1x5"}

    listed = [
        {"series": f'yardlight_terminal_info{{fleet="f",terminal="{name}",stage="live"}}', "values": "1x5"}
        for name in ("boise", "reno", "tulsa", "fresno", "elko", "winslow", "needles")
    ]
    said = [
        state("boise", "primary", 1), state("boise", "primary", 1, "b"), state("boise", "dark", 0),
        state("reno", "primary", 0), state("reno", "dark", 1), state("tulsa", "primary", 1),
        # Cut off, and its last word is still there.
        state("elko", "primary", 1), held("terminal_missing_since_timestamp_seconds", "elko"),
        # Without a box: one answers from outside, one does not.
        outside("winslow", 1), outside("needles", 0),
        # Fresno had one once: that its line answers is not all that should be known.
        outside("fresno", 1), held("terminal_remembered_timestamp_seconds", "fresno"),
    ]  # fmt: skip
    expected = {"primary": 2, "dark": 1, "outside": 1, "silent": 3}
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [*listed, *said],
                "promql_expr_test": [
                    {
                        "expr": "yardlight:terminals",
                        "eval_time": "3m",
                        "exp_samples": [
                            {"labels": f'yardlight:terminals{{fleet="f",state="{name}"}}', "value": count}
                            for name, count in expected.items()
                        ],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "counts.yml"
    file.write_text(json.dumps(test), encoding="utf-8")
    right, said = judged(file)
    assert right, said


@pytest.mark.needs("promtool")
def test_an_alert_is_remembered_to_have_begun_before_prometheus_was_restarted_and_forgotten_once_it_is_over(
    tmp_path: Path,
) -> None:
    def alert(name: str, labels: str, values: str) -> dict[str, str]:
        return {"series": f'{name}{{alertname="Dark",fleet="f"{labels}}}', "values": values}

    def began(at: str, *values: int) -> dict[str, object]:
        record = "yardlight:alert_since_timestamp_seconds"
        samples = [{"labels": f'{record}{{alertname="Dark",fleet="f"}}', "value": value} for value in values]
        return {"expr": f'{record}{{alertname="Dark"}}', "eval_time": at, "exp_samples": samples}

    series = [
        alert("ALERTS", ',alertstate="firing"', "_x2 1x5 _x2 1x5 stale 1x5"),
        # Restarted after seven minutes, over after fifteen, and then again.
        alert("ALERTS_FOR_STATE", "", "_x2 120x5 _x2 600x5 stale 1020x5"),
    ]
    test = {
        "rule_files": [str(RULES.with_name("centre.yml"))],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [began("1m"), began("5m", 120), began("12m", 120), began("20m", 1020)],
            }
        ],
    }
    file = tmp_path / "since.yml"
    file.write_text(json.dumps(test), encoding="utf-8")
    right, said = judged(file)
    assert right, said
