"""On which days which trucks and drivers moved: told by whoever sees it, asked by whoever expects a record of the day.

A day that nobody told of is not a day without movement: it is not known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from yardlight.state import Reader

_NAME = "moved "
# Its name and its value.
Note = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Moved:
    """Who moved on a day, by the names of the roster. `drivers` is None where nobody tells who drove.

    Of the trucks in `unknown` it is not known.
    """

    trucks: frozenset[str]
    drivers: frozenset[str] | None = None
    unknown: frozenset[str] = field(default_factory=frozenset)


def note(day: date, trucks: Collection[str], drivers: Collection[str] | None, unknown: Collection[str] = ()) -> Note:
    """Who moved on this day, for the fleet to remember; the newest note on a day wins."""
    told = {
        "trucks": sorted(trucks),
        "drivers": None if drivers is None else sorted(drivers),
        "unknown": sorted(unknown),
    }
    return f"{_NAME}{day.isoformat()}", told


def days_moved(reader: Reader, fleet: str) -> Mapping[date, Moved]:
    """Every day that anybody told of."""
    return {
        date.fromisoformat(name.removeprefix(_NAME)): Moved(
            frozenset(told["trucks"]),
            None if told["drivers"] is None else frozenset(told["drivers"]),
            frozenset(told["unknown"]),
        )
        for name, told in reader.recalled(fleet, _NAME).items()
    }
