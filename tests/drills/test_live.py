"""The yard in one line."""

from __future__ import annotations

import pytest

from yardlight.drills.live import live
from yardlight.drills.session import Live
from yardlight.facts import TerminalFacts, UplinkFact
from yardlight.inventory.models import Terminal

LINES = {"fiber": ("primary", "fiber"), "lte": ("standby", "lte"), "cable": ("standby", "cable")}


def terminal(**lines: tuple[str, str]) -> Terminal:
    uplinks = {name: {"name": name, "role": role, "medium": medium} for name, (role, medium) in lines.items()}
    return Terminal.model_validate({"name": "fontana", "timezone": "UTC", "uplinks": uplinks})


@pytest.mark.parametrize(
    ("state", "observed", "down", "said"),
    [
        ("primary", "fiber", (), Live("Fiber carries the yard")),
        ("dark", None, ("fiber",), Live("Fiber is down; nothing carries the yard", 90.0)),
        ("standby", "lte", ("fiber",), Live("Fiber is down; LTE carries the yard", 90.0)),
        (
            "dark",
            None,
            ("fiber", "lte", "cable"),
            Live("Fiber, LTE and cable are down; nothing carries the yard", 90.0),
        ),
        ("unknown", None, (), Live("Which line carries the yard is not known yet")),
        ("standby", None, ("fiber",), Live("Fiber is down; which line carries the yard is not known yet", 90.0)),
    ],
)
def test_it_says_what_carries_what_is_down_and_since_when(
    state: str, observed: str | None, down: tuple[str, ...], said: Live
) -> None:
    uplinks = {name: UplinkFact(role=role, state="down" if name in down else "up") for name, (role, _) in LINES.items()}
    facts = TerminalFacts(at=100.0, state=state, since=90.0, observed=observed, uplinks=uplinks)
    assert live(terminal(**LINES), facts) == said


def test_two_lines_of_one_kind_are_told_apart_by_name() -> None:
    yard = terminal(lte_a=("primary", "lte"), lte_b=("standby", "lte"))
    uplinks = {name: UplinkFact(role="primary", state="up") for name in yard.uplinks}
    facts = TerminalFacts(at=100.0, state="primary", observed="lte_b", uplinks=uplinks)
    assert live(yard, facts).text == "Line lte_b carries the yard"
