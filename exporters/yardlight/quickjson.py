"""JSON for what is large, in a fraction of the standard library's time; what orjson refuses, that one does.

Half of a pair of surrogates is how vendors cut a name with a picture in it, and no reason to lose a collection.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

# The largest float is 1.8e308.
_DIGITS = 308


def dumps(content: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """As `json.dumps`, in bytes; what is no number is null. Tuples with names need `default=tuple`."""
    try:
        return orjson.dumps(content, default)
    except TypeError:
        return json.dumps(content, default=default, separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """As `json.loads`; a number of 20 digits loses some. Raises `ValueError`, and `RecursionError` for a nest."""
    try:
        return orjson.loads(data)
    except ValueError:
        return json.loads(data, parse_int=whole)


def whole(text: str) -> int | None:
    """A whole number; None for one that no float could hold, which would be an error wherever it is reckoned with."""
    return int(text) if len(text) <= _DIGITS else None
