"""Five questions, answered from the wall by clicks alone: the links in the boards are followed, as Grafana does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.dashboards import history
from tests.dashboards.boards import BOARDS, filled, followed, links, load, panels

Ask = Callable[[str, float], list[Any]]
WALL = next(board for board in BOARDS if board.stem == "wall")
BY_UID = {load(board)["uid"]: board for board in BOARDS}


@dataclass(frozen=True)
class Question:
    """What stands on the wall for it (which label has whom), and the panels that say the rest one click further."""

    asked: str
    panel: str
    whom: dict[str, str]
    then: tuple[str, ...]


QUESTIONS = (
    Question(
        "Who is on LTE, and since when?", "Yards, worst first", {"terminal": "fontana"}, ("Terminal is on", "Since")
    ),
    Question(
        "Which pool dies first?",
        "Plans that run out first",
        {"pool": "tablets"},
        ("Caps still to be reached", "Biggest SIMs"),
    ),
    Question(
        "Which vendor lies?",
        "Feeds that must not be relied on",
        {"feed": "gps"},
        ("Feeds", "Age of the newest record"),
    ),
    Question("Which tablets vanished?", "Tablets in trouble", {"account": "vendor"}, ("Gone, never spoke or dark",)),
    Question("Which drills are overdue?", "Drills that are overdue", {"terminal": "tacoma"}, ("Drills",)),
)
# While the yard of the hour is on LTE.
AGO = history.HOUR - (history.SWITCHED + 300)


def one(board: Path, title: str) -> dict[str, Any]:
    return next(panel for panel in panels(board) if panel["title"] == title)


@pytest.mark.needs("prometheus", "promtool")
@pytest.mark.parametrize("question", QUESTIONS, ids=[each.asked for each in QUESTIONS])
def test_a_question_is_answered_one_click_from_the_wall(question: Question, prometheus: Ask) -> None:
    panel = one(WALL, question.panel)
    ways = dict(links(panel))
    rows = [
        (target["refId"], row["metric"])
        for target in panel["targets"]
        for row in prometheus(filled(target["expr"], {"fleet": ".*"}), AGO)
    ]
    ref, labels = next(row for row in rows if question.whom.items() <= row[1].items())
    uid, chosen = followed(ways[ref], panel, labels, {"datasource": "prometheus"})
    assert uid in BY_UID
    wanted = {variable["name"] for variable in load(BY_UID[uid])["templating"]["list"]}
    assert wanted == set(chosen), "each variable is carried, nothing has to be typed"
    for title in question.then:
        answers = [prometheus(filled(target["expr"], chosen), AGO) for target in one(BY_UID[uid], title)["targets"]]
        assert any(answers), f"{title} says nothing about {chosen}"


@pytest.mark.needs("prometheus", "promtool")
def test_every_row_that_leads_on_has_what_its_link_carries(prometheus: Ask) -> None:
    for panel in panels(WALL):
        ways = dict(links(panel))
        for target in panel["targets"]:
            carried = re.findall(r"__field\.labels\.(\w+)", ways.get(target["refId"], ""))
            for row in prometheus(filled(target["expr"], {"fleet": ".*"}), AGO):
                assert all(row["metric"].get(label) for label in carried), f"{panel['title']}: {row['metric']}"


def test_every_link_carries_what_its_board_asks_for() -> None:
    for board in BOARDS:
        for panel in panels(board):
            for _, url in links(panel):
                if url == "${__value.raw}":
                    # A page of the exporter: the address itself is in the cell.
                    continue
                uid, _, carried = url.removeprefix("/d/").partition("?")
                wanted = {variable["name"] for variable in load(BY_UID[uid])["templating"]["list"]}
                assert set(re.findall(r"var-(\w+)=", carried)) == wanted, f"{board.stem}: {panel['title']}"


def test_the_click_paths_are_written_down(root: Path) -> None:
    written = (root / "dashboards" / "README.md").read_text(encoding="utf-8")
    for question in QUESTIONS:
        row = next(line for line in written.splitlines() if line.startswith(f"| {question.asked}"))
        for title in (question.panel, *question.then):
            assert f"*{title}*" in row, title
