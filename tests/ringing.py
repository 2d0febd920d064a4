"""Which alerts ring for a page as it stands: the shipped rules, evaluated by promtool while the page stays as it is."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families

RULES = Path(__file__).parents[1] / "alert_rules"
ABOUT = ("pool", "sim", "carrier", "group", "device", "account")
_FIRING = re.compile(r"\{(__name__=\"ALERTS\"[^}]*)\}")


def ringing(
    page: str, at: float, folder: Path, more: Mapping[str, float], rules: str, hours: int = 4
) -> set[tuple[str, str]]:
    """Names of the alerts that fire at `at` (unix seconds), each with the pool, SIM, group, ... it is about.

    `more` is what the rules read besides the page, by series; instants in it are unix seconds, too. `rules` names the
    file. The page has stood for so many `hours` then: longer than any alert waits.
    """
    series = dict(more)
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f"{name}={json.dumps(value)}" for name, value in sorted(sample.labels.items()))
            series[f"{sample.name}{{{labels}}}"] = sample.value
    steps = hours * 60
    shifted = {
        name: value - at + hours * 3600 if "_timestamp_seconds" in name.partition("{")[0] else value
        for name, value in series.items()
    }
    test = {
        "rule_files": [str(RULES / rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{value:.6f}x{steps}"} for name, value in shifted.items()],
                "promql_expr_test": [
                    {
                        "expr": 'ALERTS{alertstate="firing"}',
                        "eval_time": f"{steps}m",
                        "exp_samples": [{"labels": "no"}],
                    }
                ],
            }
        ],
    }
    file = folder / "ringing.yml"
    file.write_text(yaml.safe_dump(test, width=10_000), encoding="utf-8")
    result = subprocess.run(["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False)
    said = result.stdout + result.stderr
    assert "got:" in said, said[-2000:]
    firing = set()
    for found in _FIRING.findall(said):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found))
        about = next((labels[name] for name in ABOUT if labels.get(name)), "")
        firing.add((labels["alertname"], about))
    return firing
