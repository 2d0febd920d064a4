"""What each shipped alert must bring along, and which of it is missing.

Everything that is shipped for alerts is read once and is data from then on, so that a test can take a piece away and
see that it is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.rules import phones, promtool

AUDIENCES = ("oncall", "noc", "dispatch", "compliance", "yard")
SEVERITIES = ("page", "ticket", "info", "none")
# Who gets an alert, by its severity and audience.
TOLD = {
    ("page", "oncall"): {"oncall"},
    ("page", "noc"): {"oncall"},
    ("ticket", "noc"): {"noc"},
    ("ticket", "oncall"): {"noc"},
    ("ticket", "dispatch"): {"dispatch", "noc"},
    ("ticket", "compliance"): {"compliance"},
    ("ticket", "yard"): {"yard", "noc"},
    ("none", "oncall"): {"deadman"},
}
HEADINGS = ("Meaning", "Impact", "Diagnosis", "Mitigation")
ANNOTATIONS = {"summary", "description", "all_clear", "runbook_url", "dashboard_url"}
MOVED, TWICE = "exporter moved", "every threshold twice"
# Nothing moves where nothing was ever heard, or where the centre is what fails.
STAYS = ("TerminalNeverReported", "CentreNotReporting", "FleetNotListed", "TerminalNotReporting", "FleetNotReporting")
# Moves by its own scenario.
MOVES = ("T20", "T27-ticket")
_ACTION = re.compile(r"\{\{-?\s*(\w*).*?-?\}\}", re.DOTALL)


@dataclass(frozen=True)
class Shipped:
    """All of it: rules, headings of runbooks by name, variables of boards by uid, texts, promtool's cases, the table.

    `cases` has, by the name of a case, alert and audience of everything that fires in it; `silent` the alerts that must
    be silent in a quiet night; `table` the audiences of README.md by alert.
    """

    rules: tuple[dict[str, Any], ...]
    runbooks: dict[str, tuple[str, ...]]
    boards: dict[str, set[str]]
    texts: tuple[dict[str, Any], ...]
    cases: dict[str, frozenset[tuple[str, str]]]
    silent: frozenset[str]
    table: dict[str, set[str]]


@cache
def shipped() -> Shipped:
    """What lies in the tree."""
    runbooks = {
        path.stem: tuple(re.findall(r"(?m)^## (.+)$", path.read_text(encoding="utf-8")))
        for path in (promtool.ROOT / "playbooks" / "runbooks").glob("*.md")
    }
    files = {path.stem: path.read_text(encoding="utf-8") for path in promtool.FOLDER.glob("*.yml")}
    cases = {
        case.partition("\n")[0]: frozenset(re.findall(r'alertname="(\w+)".*?audience="(\w+)"', case))
        for text in files.values()
        for case in re.split(r"(?m)^  - name: ", text)[1:]
    }
    return Shipped(
        rules=tuple(promtool.alerts()),
        runbooks=runbooks,
        boards=phones.boards(),
        texts=tuple(text for of_scenario in promtool.texts().values() for text in of_scenario),
        cases=cases,
        silent=frozenset(re.findall(r"\{alertname: (\w+), eval_time: \w+\}", files[promtool.QUIET])),
        table=_table((promtool.ROOT / "alert_rules" / "README.md").read_text(encoding="utf-8")),
    )


def _table(readme: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for names, audiences in re.findall(r"(?m)^\| ([A-Z]\w+[^|]*?) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", readme):
        for name in re.findall(r"[A-Z]\w+", names):
            found.setdefault(name, set()).update(re.findall(r"\w+", audiences))
    return found


def named(rule: dict[str, Any]) -> str:
    return f"{rule['alert']} {rule['labels'].get('audience', '')}"


def missing(there: Shipped, rule: dict[str, Any]) -> Iterator[str]:
    """What this rule should bring along and does not, or not as it should."""
    name, labels, annotations = rule["alert"], rule["labels"], rule["annotations"]
    audience = labels.get("audience")
    if labels.get("severity") not in (*SEVERITIES, "{{ $labels.severity }}"):
        yield "severity"
    if audience not in AUDIENCES or audience not in there.table.get(name, ()):
        yield "audience"
    if there.runbooks.get(name) != HEADINGS:
        yield "runbook"
    if not re.search(rf"/{name}(\{{\{{ end \}}\}})?$", annotations.get("runbook_url", "")):
        yield "link to the runbook"
    board = re.search(r"/d/([\w-]+)", annotations.get("dashboard_url", ""))
    if board is None or board[1] not in there.boards:
        yield "link to a board"
    elif set(re.findall(r"var-(\w+)=", annotations["dashboard_url"])) - there.boards[board[1]]:
        yield "variable of the board"
    if set(annotations) - ANNOTATIONS:
        yield "annotation that nothing reads"
    if not annotations.get("description"):
        yield "description"
    elif "  " in annotations["description"]:
        yield "single spaces"
    if audience == "dispatch" and "all_clear" not in annotations:
        yield "all-clear"
    summary = _skeleton(annotations.get("summary", ""))
    if not any(text["alert"] == name and summary.fullmatch(text["summary"]) for text in there.texts):
        yield "text word for word"
    if name == "Watchdog":
        return
    fired = [case for case, told in there.cases.items() if (name, audience) in told]
    if not fired:
        yield "firing case"
    if not any(TWICE in case for case in fired):
        yield "case with thresholds twice"
    if name not in STAYS and not any(MOVED in case or case in MOVES for case in fired):
        yield "case with the exporter moved"
    if name not in there.silent:
        yield "silent case"


@cache
def _skeleton(template: str) -> re.Pattern[str]:
    """What a template surely says, with anything where it computes: a text is of the rule whose words it has."""
    if not template:
        return re.compile(r"(?!)")
    pattern, depth, at = "", 0, 0
    for action in _ACTION.finditer(template):
        if depth == 0:
            pattern += re.escape(template[at : action.start()]) + ".*"
        depth += {"if": 1, "range": 1, "with": 1, "end": -1}.get(action[1], 0)
        at = action.end()
    return re.compile(pattern + re.escape(template[at:]), re.DOTALL)
