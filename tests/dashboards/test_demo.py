"""Every query of every board against the Prometheus of the demo: healthy, then with much wrong at once.

No query may fail. Each panel has data, or says in words of its own that nothing is wrong, or that there is no such
thing; "not measured" stands for what should be there, and is there in the end.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.dashboards.boards import BOARDS, NOTHING_WRONG, filled, in_words, load, panels
from tests.demo.test_run import demo, programs_of
from tests.ports import free_port
from tests.programs import ready

from yardlight.demo import DemoOptions, Ports, main

FAULTS = (
    "reno=cut", "fontana.fiber=cut", "stockton.lte=cut", "dispatch=down", "att=down", "verizon=runaway=T-101",
    "verizon=cap", "graph=silent=drivers", "graph=clean-up", "graph=silent=yard", "graph=wipe=T-106", "graph=expiring",
    "google=old", "records=lost", "records=forged", "telematics=renamed", "calls=unsigned", "tms=stopped", "eld=down",
)  # fmt: skip
NONE_KNOWN = {"none known", "no hold known", "nothing known that has to be said"}
NOT_THERE = {
    "not configured", "no router answers", "no modem known", "not told", "never", "fewer than two yet",
    "no drill yet", "no drill in the inventory",
    "not known, or none", "not known, or not asked for", "not known, or no roster", "no pool with a cap known",
    "no back-ups here", "the vendor does not say",
}  # fmt: skip
# What must be on the boards when those faults are on, and is not before.
TROUBLE = {
    "cellular": {"Odd SIMs"},
    "compliance": {"What is wrong, by kind"},
    "feeds": {"Fields not as they were", "Not as it was"},
    "fleets": {"Open pages", "Yards dark or silent"},
    "itself": {"Sources that fail", "Failed collections"},
    "now": {"What dispatch was told"},
    "tablets": {"Wipes that wait", "Wipes and other orders that wait", "Gone, never spoke or dark", "Below standard"},
    "terminal": {"Alerts", "Whose fault, and why", "Last gap"},
    "wall": {
        "Pages open", "Tickets open", "Yards dark or silent", "Yards on standby", "Pages: somebody was woken",
        "Whose fault", "Vendors that cannot be read", "Plans that run out first", "Tablets in trouble",
        "Feeds that must not be relied on", "Records that are missing", "All pages", "Tickets: for the morning",
    },
}  # fmt: skip
# Rules are evaluated at half a minute or a minute as shipped: nothing here hangs on how often.
_SELDOM = re.compile(r"\binterval: (?:15s|30s|1m)$", re.MULTILINE)
WITHIN = 240.0
# A board and a title on it.
Panel = tuple[str, str]
Blank = dict[Panel, str]


class Boards:
    """All boards, asked of one Prometheus."""

    def __init__(self, port: int) -> None:
        self._port = port

    def blank(self) -> Blank:
        """The panels without data, whatever is chosen, and what they say instead."""
        return {(board.stem, title): text for board in BOARDS for title, text in self._blank(board)}

    def _blank(self, board: Path) -> Iterator[tuple[str, str]]:
        chosen = self._choices(board)
        assert chosen, f"{board.stem}: there is nothing to choose"
        for panel in panels(board):
            exprs = {filled(target["expr"], each) for target in panel["targets"] for each in chosen}
            if text := in_words(panel, [answer for expr in sorted(exprs) for answer in self.ask(expr)]):
                yield panel["title"], text

    def _choices(self, board: Path) -> list[dict[str, str]]:
        """Every combination of the values that the board's drop-downs offer."""
        found: list[dict[str, str]] = [{}]
        for variable in load(board)["templating"]["list"]:
            if variable["type"] == "query":
                asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"])
                assert asked, variable["query"]
                offered = {
                    (number, each["metric"][asked[2]])
                    for number, chosen in enumerate(found)
                    for each in self.ask(f"group by ({asked[2]}) ({filled(asked[1], chosen)})")
                }
                found = [{**found[number], variable["name"]: value} for number, value in sorted(offered)]
        return found

    def ask(self, expr: str) -> list[Any]:
        """What Prometheus answers; a query that fails ends the test."""
        query = urllib.parse.urlencode({"query": expr})
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{query}", timeout=20) as reply:
                found: list[Any] = json.load(reply)["data"]["result"]
                return found
        except urllib.error.HTTPError as refused:
            raise AssertionError(f"{expr}: {refused.read().decode()}") from None


def hurry(folder: Path) -> None:
    """Let the Prometheus of the demo in this folder evaluate every rule often."""
    written = folder / "prometheus.yml"
    config = yaml.safe_load(written.read_text(encoding="utf-8"))
    [shipped] = map(Path, config["rule_files"])
    copies = folder / "rules"
    copies.mkdir()
    for rules in shipped.parent.glob(shipped.name):
        text = _SELDOM.sub("interval: 5s", rules.read_text(encoding="utf-8"))
        (copies / rules.name).write_text(text, encoding="utf-8")
    config["rule_files"] = [str(copies / shipped.name)]
    written.write_text(yaml.safe_dump(config), encoding="utf-8")
    [prometheus] = [pid for pid, command in programs_of(folder).items() if command.startswith("prometheus ")]
    os.kill(prometheus, signal.SIGHUP)


def settle(boards: Boards, *, blank: set[Panel], filled: set[Panel]) -> None:
    """Wait until nothing is "not measured" any more, the one are blank and the others have had data."""
    deadline = time.monotonic() + WITHIN
    filled = set(filled)
    while True:
        now = boards.blank()
        filled &= set(now)
        unexplained = {panel for panel, text in now.items() if text not in NOTHING_WRONG | NONE_KNOWN | NOT_THERE}
        shown = blank - set(now)
        if not filled | unexplained | shown:
            return
        assert time.monotonic() < deadline, f"blank: {sorted(filled | unexplained)}, not blank: {sorted(shown)}"
        time.sleep(2)


@pytest.mark.needs("prometheus", "prometheus-alertmanager")
@pytest.mark.timeout(2 * WITHIN + 120)
def test_every_panel_has_data_or_says_that_nothing_is_wrong_in_the_demo_healthy_and_with_faults(
    tmp_path: Path, eventually: Any
) -> None:
    ports = Ports(*(free_port() for _ in fields(Ports)))
    boards = Boards(ports.prometheus)
    with demo(tmp_path, ports) as running:
        assert running.stdout is not None
        threading.Thread(target=running.stdout.read, daemon=True).start()
        eventually(lambda: ready(ports.prometheus), within=60)
        hurry(tmp_path)
        eventually(lambda: boards.ask('yardlight_terminal_state{state="primary"} == 1'), within=60)
        trouble = {(board, title) for board, titles in TROUBLE.items() for title in titles}
        settle(boards, blank=trouble, filled=set())
        for fault in FAULTS:
            assert main(DemoOptions(fault=fault, ports=ports)) == 0
        settle(boards, blank=set(), filled=trouble)
