"""`python -m tests.rules.table` writes the acceptance rows and how each is proven into alert_rules/README.md.

What proves a row is found in the tests, which name its id: promtool's files, functions of the suite, labs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab import jobs
from tests.rules.complete import TOLD, shipped

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "alert_rules" / "README.md"
FILES = ("terminal", "cellular", "mdm", "feeds", "records", "drills")
SEVERITIES = ("page", "ticket", "info")
# What somebody needs who is told by a real Alertmanager; a test that has it is end to end.
REAL = "prometheus-alertmanager"
_PART = re.compile(r"(<!-- rows -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A row of tests/faults/ with the names of what proves it, by promtool, on fakes, and end to end."""

    id: str
    fault: str
    told: str
    verdict: str
    promtool: tuple[str, ...]
    fakes: tuple[str, ...]
    whole: tuple[str, ...]


def table(rows: list[Row]) -> str:
    """The counts in a sentence, then a line for each row."""
    lines = [
        f"{len(rows)} rows: {sum(bool(row.promtool) for row in rows)} through promtool, "
        f"{sum(bool(row.fakes) for row in rows)} by tests on real servers and fakes of vendors, "
        f"{sum(bool(row.whole) for row in rows)} end to end with real Prometheus, Alertmanager and receivers "
        f"(`rows.` and `drills.` by `make lab`, the others by `make test`).",
        "",
        "| row | what happens | who is told of what | whose fault | promtool | on fakes | end to end |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.id} | {row.fault} | {row.told} | {row.verdict} | {_names(row.promtool)} | {_names(row.fakes)} | "
        f"{_names(row.whole)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _names(names: tuple[str, ...]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def written(page: str, part: str) -> str:
    """The page with this part between its marks."""
    return _PART.sub(lambda found: found[1] + part + found[2], page)


def rows() -> list[Row]:
    """All rows, in the order of their files."""
    fakes, whole = tested()
    files = sorted(path.stem for path in (ROOT / "alert_rules" / "tests").glob("*.yml"))
    return [
        Row(
            id=given["id"],
            fault="; ".join(_line(given[key]) for key in ("given", "when") if key in given),
            told=_told(given["expect"]),
            verdict=given["expect"].get("verdict", ""),
            promtool=tuple(name for name in files if name.partition("-")[0] == given["id"]),
            fakes=tuple(fakes.get(given["id"], ())),
            whole=tuple(whole.get(given["id"], ())),
        )
        for file in FILES
        for given in yaml.safe_load((ROOT / "tests" / "faults" / f"{file}.yml").read_text(encoding="utf-8"))
    ]


def _line(text: str) -> str:
    return text.replace("|", "\\|")


def _told(expected: dict[str, Any]) -> str:
    said = []
    for severity in SEVERITIES:
        for alert in expected.get(severity, ()):
            audiences = {
                who
                for rule in shipped().rules
                if rule["alert"] in alert
                for who in TOLD.get((severity, rule["labels"]["audience"]), {"info"})
            }
            said.append(f"{severity} {alert} ({', '.join(sorted(audiences))})")
    silent = [severity for severity in SEVERITIES if expected.get(severity) == []]
    said += [f"no {', no '.join(silent)}"] if silent else []
    return "; ".join(said) or "nobody"


def tested() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Tests whose names have an id, as FOLDER/FILE::TEST: on fakes, and end to end. Labs are named by their jobs."""
    fakes: dict[str, list[str]] = {}
    whole: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        everywhere = any(_real(node) for node in tree.body if isinstance(node, ast.Assign) and _marks(node))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                real = everywhere or any(map(_real, node.decorator_list))
                for id_ in ids(node.name):
                    name = f"{path.relative_to(ROOT / 'tests').with_suffix('')}::{node.name}"
                    (whole if real else fakes).setdefault(id_, []).append(name)
    for job in [*jobs.quick(), *jobs.full()]:
        for scenario in job.scenarios:
            if id_ := getattr(scenario, "keywords", {}).get("id_"):
                whole.setdefault(id_, []).append(job.name)
    return fakes, whole


def ids(name: str) -> Iterator[str]:
    """Ids of rows in the name of a test: T07 of test_t07_..."""
    return (found.upper() for found in re.findall(r"(?<![a-z0-9])[a-z]\d\d(?![a-z0-9])", name))


def _marks(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _real(node: ast.AST) -> bool:
    return REAL in ast.unparse(node)


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8"), table(rows())), encoding="utf-8")
