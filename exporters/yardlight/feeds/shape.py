"""The shape of a reply: every path in its records, with the types, numbers and texts found there.

A path names fields of objects; `[]` stands for each element of a list, `*` for each key that is an identifier or a day.
Null, an empty text and a field that is an empty object are three spellings of nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
ITEM, ANY = "[]", "*"
# Of longer lists as many elements, evenly spread, say enough.
SAMPLE = 500
# Deeper than anything a vendor documents.
_DEPTH = 40
_KEY_OF_MANY = re.compile(r"\d{4,}|[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]+\d\d:\d\d.*)?$")
_DECIMAL = re.compile(r"-?\d{1,15}\.\d+$")


@dataclass(slots=True)
class Found:
    """What was found at a path: how often each type, and the values themselves; `hollow` are empty objects."""

    types: Counter[str] = field(default_factory=Counter)
    hollow: int = 0
    numbers: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How often there was anything, a spelling of nothing included."""
        return self.types.total()

    @property
    def said(self) -> int:
        """How often there was more than nothing."""
        return self.types.total() - self.types["null"]


Shape = dict[Path, Found]


def shape(reply: Any) -> Shape:
    """The shape of the records of a reply (one that is no list is one record); they are at the empty path."""
    found: Shape = {}
    for record in sample(reply) if isinstance(reply, list | tuple) else [reply]:
        _walk(record, (), found)
    return found


def sample(items: Sequence[Any], most: int = SAMPLE) -> Sequence[Any]:
    """All of them, or so many that are evenly spread over them."""
    if len(items) <= most:
        return items
    return [items[index * len(items) // most] for index in range(most)]


def written(path: Path) -> str:
    """A path as people write it: gps.time, hosLogs[].status."""
    return ".".join(path).replace(f".{ITEM}", ITEM) or "the record"


def decimals(number: float) -> int:
    """How many decimals a number is written with."""
    if isinstance(number, int) or number.is_integer():
        return 0
    digits, _, exponent = repr(number).partition("e")
    return max(0, len(digits.partition(".")[2]) - int(exponent or 0))


def _walk(value: Any, path: Path, found: Shape) -> None:
    here = found.get(path)
    if here is None:
        here = found[path] = Found()
    if isinstance(value, dict):
        here.types["object" if value or path[-1:] in ((), (ITEM,)) else "null"] += 1
        here.hollow += not value
        if len(path) < _DEPTH:
            for key, child in value.items():
                _walk(child, (*path, ANY if _KEY_OF_MANY.search(key) else key), found)
    elif isinstance(value, list):
        here.types["array"] += 1
        if len(path) < _DEPTH:
            for child in sample(value):
                _walk(child, (*path, ITEM), found)
    elif isinstance(value, str):
        _text(value, here)
    elif value is None:
        here.types["null"] += 1
    elif isinstance(value, bool):
        here.types["boolean"] += 1
    else:
        here.types["integer" if isinstance(value, int) else "number"] += 1
        if math.isfinite(value):
            here.numbers.append(value)


def _text(value: str, here: Found) -> None:
    if not value.strip():
        here.types["null"] += 1
        return
    here.types["date-time" if _DATE_TIME.match(value) else "string"] += 1
    here.texts.append(value)
    if _DECIMAL.match(value):
        here.numbers.append(float(value))
