"""The shipped rules: every acceptance row of this step through promtool, and what each alert must bring along."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rules.promtool import DOMAINS, FOLDER, JOINED, ROOT, RULES, TEXTS, alerts, files, names, rules

# Making the files takes a minute of computing.
pytestmark = [pytest.mark.needs("promtool"), pytest.mark.timeout(900)]

STEP = [*(f"T{number:02}" for number in (*range(1, 29), *range(31, 37))), "D11"]
COMPARISON = re.compile(r"[<>]=?|[!=]=|\babsent\(")


def named(rule: dict[str, Any]) -> str:
    return f"{rule['alert']} {rule['labels']['audience']}"


def texts() -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    return read


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_who_is_told_is_what_the_scenario_expects(name: str) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(FOLDER / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_files_for_promtool_are_those_of_the_scenarios() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml")}
    stale = {name for name in {*files(), *there} if files().get(name) != there.get(name)}
    assert not stale, "rewrite them with `python -m tests.rules`"


@pytest.mark.parametrize("row", STEP)
def test_every_row_of_this_step_has_a_scenario(row: str) -> None:
    assert [name for name in names() if re.match(rf"{row}\b", name)]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_promtool_finds_nothing_to_say_about_the_rules(path: Path) -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint-fatal", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", alerts(), ids=named)
def test_an_alert_compares_something_itself_or_in_what_it_reads(rule: dict[str, Any]) -> None:
    read = [each["expr"] for each in rules() if each.get("record", "nothing") in rule["expr"]]
    assert any(COMPARISON.search(expr) for expr in (rule["expr"], *read))


@pytest.mark.parametrize("rule", alerts(), ids=named)
def test_an_alert_has_a_severity_an_audience_texts_and_two_links(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket", "info", "none", "{{ $labels.severity }}")
    assert rule["labels"]["audience"] in ("oncall", "noc", "dispatch", "compliance", "yard")
    clear = {"all_clear"} if rule["labels"]["audience"] == "dispatch" else set()
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url", "dashboard_url", *clear}
    assert f"/{rule['alert']}" in rule["annotations"]["runbook_url"]
    boards = [json.loads(path.read_text(encoding="utf-8"))["uid"] for path in (ROOT / "dashboards").glob("*.json")]
    assert any(f"/d/{uid}" in rule["annotations"]["dashboard_url"] for uid in boards)


@pytest.mark.parametrize("rule", alerts(), ids=named)
def test_an_alert_says_whose_fault_it_is(rule: dict[str, Any]) -> None:
    domain = rule["labels"]["domain"]
    if domain == JOINED:
        assert re.search(r"group_left \(domain\) yardlight:\w+_domain\b", rule["expr"])
    else:
        assert domain in DOMAINS
        # A slow service may be slow anywhere; a truck that says nothing is off or out of coverage.
        assert domain != "unknown" or rule["alert"] in ("ServiceSlow", "TruckDark")


@pytest.mark.parametrize("rule", [rule for rule in rules() if "record" in rule], ids=lambda rule: rule["record"])
def test_a_record_blames_nobody_who_is_not_on_the_list(rule: dict[str, Any]) -> None:
    assert set(re.findall(r'"domain", "(\w+)"', rule["expr"])) <= set(DOMAINS)
    assert rule.get("labels", {}).get("domain", "unknown") in DOMAINS


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_uses_nothing_that_vmalert_refuses(rule: dict[str, Any]) -> None:
    assert "keep_firing_for" not in rule


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()}))
def test_an_alert_has_its_runbook(name: str) -> None:
    assert (ROOT / "playbooks" / "runbooks" / f"{name}.md").is_file()


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()} - {"Watchdog"}))
def test_an_alert_fires_with_every_threshold_twice_and_once_with_the_exporter_moved(name: str) -> None:
    cases = [case for text in files().values() for case in re.split(r"(?m)^  - name: ", text)[1:]]
    fired = [case.partition("\n")[0] for case in cases if f'alertname="{name}"' in case]
    assert any("every threshold twice" in case for case in fired)
    # Nothing moves where nothing was ever heard, or where the centre is what fails.
    if name not in ("TerminalNeverReported", "CentreNotReporting", "FleetNotListed"):
        assert any("exporter moved" in case or case in ("T20", "T27-ticket") for case in fired) or name == (
            "TerminalNotReporting"
        )


def test_every_alert_has_its_text_word_for_word() -> None:
    assert {text["alert"] for text in texts()} == {rule["alert"] for rule in alerts()}
