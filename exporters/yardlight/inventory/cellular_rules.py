"""What must hold between the part `cellular:` and its accounts: one source for each, cycles whose start is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from yardlight.domains import platforms
from yardlight.errors import Problem
from yardlight.inventory.accounts import read_twice
from yardlight.inventory.cellular import CycleRule
from yardlight.inventory.source import Node, plain


def fleet_problems(root: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules between the sources and the accounts that could be read."""
    section = root.entries.get("cellular")
    yield from read_twice(section, "pools")
    for source in section.entries.values() if section else ():
        named, cycle = (source.entries.get(key) for key in ("account", "cycle"))
        account = accounts.get(str(named.value)) if named is not None else None
        if account is None or cycle is None or (days := _days_from_activation(cycle)) is None:
            continue
        if not _tells_activation(account):
            since = f"{{days: {days}, since: 2026-11-03}}"
            yield cycle.problem(f"{account['platform']} does not tell when a SIM was activated; write {since}")


# What is wrong in itself is told as such, and nothing more of it.
def _days_from_activation(cycle: Node) -> int | None:
    try:
        rule = CycleRule.model_validate(plain(cycle))
    except ValidationError:
        return None
    return rule.days if rule.since is None else None


def _tells_activation(account: Mapping[str, Any]) -> bool:
    try:
        config = platforms("cellular")[account["platform"]].config.model_validate(account["options"])
    except (KeyError, ValidationError):
        return True
    return bool(getattr(config, "tells_activation", False))
