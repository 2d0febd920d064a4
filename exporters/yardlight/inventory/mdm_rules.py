"""What must hold of the part `mdm:`: calendars that exist, and one source for each account."""

from __future__ import annotations

from collections.abc import Iterator

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.source import Node


def fleet_problems(root: Node) -> Iterator[Problem]:
    """Rules between the sources and the rest of the file."""
    sources = root.entries.get("mdm")
    calendars = root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    first: dict[str, str] = {}
    for name, source in sources.entries.items() if sources else ():
        groups = source.entries.get("groups")
        for expected in (source, *(groups.entries.values() if groups else ())):
            duty = expected.entries.get("duty")
            if duty and isinstance(duty.value, str) and duty.value not in known:
                hint = words.choice(duty.value, known, "calendars")
                yield duty.problem(f"there is no calendar {duty.value!r}; {hint}")
        account = source.entries.get("account")
        if account and isinstance(account.value, str) and first.setdefault(account.value, name) != name:
            yield account.problem(
                f"{account.value!r} is read for {first[account.value]!r} already; write its groups there"
            )
