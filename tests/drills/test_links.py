"""One-time links: good for one drill, kept as hashes only."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight.drills.links import VALID_SECONDS, Links
from yardlight.errors import DrillError


def test_a_link_stands_for_one_terminal_and_one_playbook(tmp_path: Path) -> None:
    token = Links(tmp_path).make("fontana", "quarterly-wan-failover", "maria", 1000.0)
    found = Links(tmp_path).find(token, 1001.0)
    assert (found.terminal, found.playbook, found.made_by) == ("fontana", "quarterly-wan-failover", "maria")


def test_the_file_does_not_hold_the_token(tmp_path: Path) -> None:
    token = Links(tmp_path).make("fontana", "quarterly-wan-failover", "maria", 1000.0)
    assert all(token not in file.read_text() for file in tmp_path.iterdir())


def test_a_link_that_nobody_used_in_time_is_refused(tmp_path: Path) -> None:
    token = Links(tmp_path).make("fontana", "quarterly-wan-failover", "maria", 1000.0)
    with pytest.raises(DrillError, match="too old"):
        Links(tmp_path).find(token, 1001.0 + VALID_SECONDS)


def test_a_link_stays_good_for_the_drill_it_opened_and_is_worth_nothing_after_it(tmp_path: Path) -> None:
    links = Links(tmp_path)
    token = links.make("fontana", "quarterly-wan-failover", "maria", 1000.0)
    links.opened(token, "d1", 1002.0)
    assert links.find(token, 1003.0).drill == "d1"
    links.used("d1", 1010.0)
    with pytest.raises(DrillError, match="was used"):
        links.find(token, 1011.0)


def test_any_other_token_is_refused(tmp_path: Path) -> None:
    Links(tmp_path).make("fontana", "quarterly-wan-failover", "maria", 1000.0)
    with pytest.raises(DrillError, match="not a drill link"):
        Links(tmp_path).find("x" * 32, 1001.0)
