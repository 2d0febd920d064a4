"""The shipped rules: every acceptance row of this step through promtool, and what each alert must bring along."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.rules.promtool import DOMAINS, FOLDER, JOINED, RULES, alerts, files, names, rules

# Making the files takes a minute of computing.
pytestmark = [pytest.mark.needs("promtool"), pytest.mark.timeout(900)]

STEP = [*(f"T{number:02}" for number in (*range(1, 29), *range(31, 37))), "D11"]
COMPARISON = re.compile(r"[<>]=?|[!=]=|\babsent\(")


def named(rule: dict[str, Any]) -> str:
    return f"{rule['alert']} {rule['labels']['audience']}"


def stale(made: Mapping[str, str], there: Mapping[str, str]) -> set[str]:
    return {name for name in {*made, *there} if made.get(name) != there.get(name)}


def test_the_files_for_promtool_are_those_of_the_scenarios() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.yml")}
    assert not stale(files(), there), "rewrite them with `python -m tests.rules`"


def test_a_case_that_is_taken_away_is_missed_whether_as_a_file_or_as_a_scenario() -> None:
    every = dict.fromkeys(names(), "a case")
    for name in names():
        left = {key: text for key, text in every.items() if key != name}
        assert stale(left, every) == stale(every, left) == {name}


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
