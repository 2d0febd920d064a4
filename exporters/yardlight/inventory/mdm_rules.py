"""What must hold of the part `mdm:`: calendars that exist, one source for each account, stale before dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.accounts import read_twice
from yardlight.inventory.mdm import STALE_AFTER
from yardlight.inventory.source import Node
from yardlight.inventory.values import parse_duration


def fleet_problems(root: Node) -> Iterator[Problem]:
    """Rules between the sources and the rest of the file."""
    sources = root.entries.get("mdm")
    calendars = root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    yield from read_twice(sources, "groups")
    for source in sources.entries.values() if sources else ():
        named = source.entries.get("groups")
        groups = named.entries if named else {}
        for expected in (source, *groups.values()):
            duty = expected.entries.get("duty")
            if duty and isinstance(duty.value, str) and duty.value not in known:
                hint = words.choice(duty.value, known, "calendars")
                yield duty.problem(f"there is no calendar {duty.value!r}; {hint}")
            yield from _order_problems(source, expected)
        yield from _group_problems(groups)


def _order_problems(source: Node, expected: Node) -> Iterator[Problem]:
    """What a group does not say of when its tablets are stale and dark, its source does."""
    own = [node for key in ("dark_after", "stale_after") if (node := expected.entries.get(key))]
    stale, dark = (
        _seconds(expected.entries.get(key) or source.entries.get(key)) for key in ("stale_after", "dark_after")
    )
    stale = STALE_AFTER if stale is None else stale
    if own and dark is not None and dark < stale:
        shorter = f"dark_after, {words.duration(dark)}, is shorter than stale_after, {words.duration(stale)}"
        yield own[0].problem(f"{shorter}; a tablet is stale before it is dark")


def _seconds(node: Node | None) -> float | None:
    """What is no duration is told as such."""
    try:
        return parse_duration(node.value) if node else None
    except ValueError:
        return None


def _group_problems(groups: Mapping[str, Node]) -> Iterator[Problem]:
    """A tablet of the MDM's group is in one of ours."""
    ours: dict[str, str] = {}
    for name, group in groups.items():
        said = group.entries.get("mdm_groups")
        listed = [] if said is None else said.value if isinstance(said.value, list) else [said]
        for theirs in listed:
            # What is no word is told by the model.
            if isinstance(theirs.value, str) and ours.setdefault(theirs.value, name) != name:
                yield theirs.problem(f"{theirs.value!r} is in group {ours[theirs.value]!r} already")
