"""Scenarios as files for promtool, as they stand in alert_rules/tests/. `python -m tests.rules` rewrites them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tests.rules.scenarios import SCENARIOS, Scenario, Text
from tests.rules.yard import Host, Labels, Yard, line, series

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "alert_rules").glob("*.yml"))
FOLDER = ROOT / "alert_rules" / "tests"
QUIET = "T36"
RUNBOOKS = "http://127.0.0.1:10480/runbooks"
GRAFANA = "http://127.0.0.1:3000"
NEW_HOST = "10.10.0.99:10480"


def rules() -> list[dict[str, Any]]:
    """Every rule of every shipped file, in order."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def files() -> dict[str, str]:
    """Every file of alert_rules/tests/ that is made from scenarios, by name."""
    return {f"{scenario.name}.yml": _file(scenario) for scenario in SCENARIOS}


def _file(scenario: Scenario) -> str:
    lines = [
        f"# {scenario.name}: {scenario.title}",
        "# Made from tests/rules/scenarios.py by `python -m tests.rules`; change it there.",
        "rule_files:",
        *(f"  - ../{path.name}" for path in RULES),
        f"evaluation_interval: {scenario.every:g}s",
        "group_eval_order: [yardlight-outage, yardlight-terminal, yardlight-slow, yardlight-centre]",
        "tests:",
    ]
    for number, (variant, case) in enumerate(_variants(scenario)):
        lines += _case(scenario.name + variant, case, texts=scenario.texts if number == 0 else ())
    return "\n".join(lines) + "\n"


def _variants(scenario: Scenario) -> Iterator[tuple[str, Scenario]]:
    yield "", scenario
    twice = replace(scenario.centre, instances=("centre:10480", "centre-2:10480"))
    if scenario.moved == -1:
        yield ", every threshold twice", replace(scenario, centre=twice)
    else:
        yards = (_moved(scenario.yards[0], _middle(scenario)), *scenario.yards[1:])
        yield ", exporter moved, every threshold twice", replace(scenario, yards=yards, centre=twice)


def _middle(scenario: Scenario) -> float:
    """A moment in the middle of the first incident."""
    if scenario.moved is not None:
        return scenario.moved
    start, end = next((start, end) for start, end, firing in scenario.expect if firing)
    return 5 * ((start + end) // 10)


def _moved(yard: Yard, at: float) -> Yard:
    return replace(yard, hosts=(Host(runs=((0, at),)), Host(NEW_HOST, ((at, 1e9),), blank=10)))


def _case(name: str, scenario: Scenario, texts: tuple[Text, ...]) -> Iterator[str]:
    yield f"  - name: {name}"
    yield "    interval: 5s"
    yield "    input_series:"
    for labels, values in sorted(series(scenario.yards, scenario.centre, scenario.end)):
        yield f"      - {{series: '{labels}', values: '{values}'}}"
    yield "    promql_expr_test:"
    for at, firing in _moments(scenario):
        samples = ", ".join(f"{{labels: '{line('ALERTS', _labels(each))}', value: 1}}" for each in sorted(firing))
        yield "      - expr: ALERTS{alertstate='firing', alertname!='Watchdog'}"
        yield f"        eval_time: {at:g}s"
        yield f"        exp_samples: [{samples}]"
    cases = [*_texts(scenario, texts), *(_silences(scenario.end) if scenario.name == QUIET else ())]
    if cases:
        yield "    alert_rule_test:"
        yield from cases


def _moments(scenario: Scenario) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Both ends of every span and up to six moments between them, on the grid of evaluations."""
    for start, end, firing in scenario.expect:
        count = int(min(7, max(1, (end - start) // 30)))
        grid = {
            scenario.every * round((start + (end - start) * step / count) / scenario.every) for step in range(count + 1)
        }
        yield from ((at, firing) for at in sorted(grid))


def _labels(expected: str) -> Labels:
    """Labels of ALERTS for "severity AlertName [fleet/]terminal [uplink [target]]"."""
    severity, name, place, *rest = expected.split()
    fleet, _, terminal = place.rpartition("/")
    pages = name in ("TerminalDark", "TerminalAtRisk") or (name == "TerminalNotReporting" and severity != "ticket")
    labels = {
        "alertname": name, "alertstate": "firing", "severity": severity,
        "audience": "oncall" if pages else "noc", "fleet": fleet or "inland-haul",
    }  # fmt: skip
    return labels | ({"terminal": terminal} if terminal else {}) | dict(zip(("uplink", "target"), rest, strict=False))


def _texts(scenario: Scenario, texts: tuple[Text, ...]) -> Iterator[str]:
    for text in texts:
        firing = next(
            each
            for start, end, alerts in scenario.expect
            for each in alerts
            if start <= text.at <= end and each.split()[1] == text.alert
        )
        labels = {key: value for key, value in _labels(firing).items() if key not in ("alertname", "alertstate")}
        board = f"{GRAFANA}/d/yardlight-terminal?var-fleet={labels['fleet']}"
        annotations = {
            "summary": text.summary,
            "description": text.description,
            "runbook_url": f"{RUNBOOKS}/{text.alert}",
            "dashboard_url": board + (f"&var-terminal={labels['terminal']}" if "terminal" in labels else ""),
        }
        yield f"      - alertname: {text.alert}"
        yield f"        eval_time: {text.at:g}s"
        yield "        exp_alerts:"
        yield f"          - exp_labels: {json.dumps(labels)}"
        yield f"            exp_annotations: {json.dumps(annotations, ensure_ascii=False)}"


def _silences(end: float) -> Iterator[str]:
    for name in sorted({rule["alert"] for rule in alerts()} - {"Watchdog"}):
        yield f"      - {{alertname: {name}, eval_time: {end:g}s}}"
