"""On which days which trucks and drivers moved: told by whoever sees it, asked by whoever expects a record of the day.

A day that nobody told of is not a day without movement: it is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from yardlight.state import Reader, State

_NAME = "moved "


@dataclass(frozen=True)
class Moved:
    """Who moved on a day, by the names of the roster. `drivers` is None where nobody tells who drove."""

    trucks: frozenset[str]
    drivers: frozenset[str] | None = None


def remember(state: State, fleet: str, day: date, trucks: Collection[str], drivers: Collection[str] | None) -> None:
    """Keep who moved on this day; the newest word on a day wins."""
    told = {"trucks": sorted(trucks), "drivers": None if drivers is None else sorted(drivers)}
    state.remember(fleet, "", f"{_NAME}{day.isoformat()}", told)


def days_moved(reader: Reader, fleet: str) -> Mapping[date, Moved]:
    """Every day that anybody told of."""
    return {
        date.fromisoformat(name.removeprefix(_NAME)): Moved(
            frozenset(told["trucks"]), None if told["drivers"] is None else frozenset(told["drivers"])
        )
        for name, told in reader.recalled(fleet, _NAME).items()
    }
