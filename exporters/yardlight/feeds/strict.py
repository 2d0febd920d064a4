"""Replies as JSON, where what the standard forbids or leaves open means "not known" and not just anything."""

from __future__ import annotations

import json
from typing import Any

from yardlight import drop
from yardlight.errors import BadReplyError
from yardlight.quickjson import whole


def read(body: bytes, what: str) -> Any:
    """The content of a reply. NaN and Infinity are None, and so is a key that an object has twice with two values.

    Raises `BadReplyError` for anything but JSON, and for what is nested too deeply.
    """
    try:
        try:
            return _content(body)
        except UnicodeDecodeError:
            # Old servers write names in the letters of their own system.
            return _content(body.decode(drop.encoding_of(body), "replace"))
    except (ValueError, RecursionError):
        raise BadReplyError(f"{what}: no JSON in an answer of {len(body)} bytes") from None


def _content(body: bytes | str) -> Any:
    return json.loads(body, parse_constant=lambda _: None, object_pairs_hook=_object, parse_int=whole)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for key, value in pairs:
            if found[key] is not None and found[key] != value:
                found[key] = None
    return found
