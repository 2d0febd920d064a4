"""The documents say what is true: commands, links, tables, versions, the smallest inventory."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import yardlight
from yardlight import docs
from yardlight.cli import build_parser
from yardlight.inventory.load import load

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [path for path in sorted(ROOT.rglob("*.md")) if not any(part.startswith(".") for part in path.parts)]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def code(page: str, language: str) -> list[str]:
    """The fenced blocks of this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def test_the_readme_is_short() -> None:
    assert len(text(README).splitlines()) <= 150


def test_the_smallest_inventory_in_the_readme_is_one_that_loads(tmp_path: Path) -> None:
    [smallest] = [block for block in code(text(README), "yaml") if block.startswith("fleet:")]
    path = tmp_path / "fleet.yml"
    path.write_text(smallest, encoding="utf-8")
    fleet = load(path).fleet
    assert [len(terminal.uplinks) for terminal in fleet.terminals.values()] == [1]


@pytest.mark.needs("promtool")
def test_the_scrape_snippet_in_the_readme_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    [snippet] = [block for block in code(text(README), "yaml") if "scrape_configs" in block]
    assert yaml.safe_load(snippet)["rule_files"] == ["alert_rules/*.yml"]
    path = tmp_path / "prometheus.yml"
    path.write_text(snippet.replace("alert_rules/", f"{ROOT}/alert_rules/"), encoding="utf-8")
    checked = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_in_the_documents_exist(page: Path) -> None:
    commands = docs.commands(build_parser())
    for name, rest in re.findall(
        r"(?:^|`|\.venv/bin/|python -m )yardlight ([a-z]+)([^`\n#|]*)", text(page), re.MULTILINE
    ):
        words = rest.split()
        if name not in commands and words and f"{name} {words[0]}" in commands:
            name = f"{name} {words[0]}"
        assert any(known == name or known.startswith(f"{name} ") for known in commands), f"yardlight {name}"
        for option in re.findall(r"(?<!\S)--[a-z.-]+", rest):
            assert option in commands[name][1].format_help(), f"yardlight {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_in_the_documents_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", text(page), re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text(page))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_generated_tables_are_current() -> None:
    page = ROOT / "exporters" / "README.md"
    assert text(page) == docs.refresh(text(page), docs.parts()), "stale: run make docs"


def test_the_tables_have_every_metric_and_every_command() -> None:
    page = text(ROOT / "exporters" / "README.md")
    assert all(f"| `{name}` |" in page for name in docs.METRICS)
    assert all(f"| `yardlight {name}` |" in page for name in docs.commands(build_parser()))


def test_a_part_that_nothing_generates_is_an_error() -> None:
    with pytest.raises(KeyError, match="tables"):
        docs.refresh("<!-- generated: tables -->\n<!-- end -->", {})


def test_the_newest_entry_of_the_changelog_is_the_version() -> None:
    newest, *_ = re.findall(r"^## (.*)$", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(yardlight.__version__)} \(20\d\d-\d\d-\d\d\)", newest)


def test_the_readme_and_the_image_say_the_version() -> None:
    assert f"Version {yardlight.__version__} " in text(README)
    labels = re.findall(r'image\.version="(.*?)"', text(ROOT / "docker" / "Dockerfile"))
    assert labels == [yardlight.__version__]


def test_every_line_of_the_changelog_says_what_kind_of_change_it_is() -> None:
    lines = [line for line in text(ROOT / "CHANGELOG.md").splitlines() if line.startswith("- ")]
    assert lines
    assert not [line for line in lines if not re.match(r"- \[(CHANGE|FEATURE|ENHANCEMENT|BUGFIX)\] ", line)]


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    assert "make test" in code(text(README), "sh")[-1]
    assert text(ROOT / ".ci" / "run").rstrip().endswith("make test </dev/null")
