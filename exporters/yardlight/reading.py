"""Reading vendors' JSON: fields that may be missing, null or of another type, and never a crash because of it.

What makes an answer another answer than the documented one is a `BadReplyError`; what is only missing in it is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yardlight.errors import BadReplyError, IncompleteError


def records(content: Any, what: str, *keys: str) -> list[dict[str, Any]]:
    """The list of objects below `keys`. Raises `BadReplyError` if there is none; null in a list is no object."""
    for key in keys:
        if not isinstance(content, dict):
            raise BadReplyError(f"{what}: {_kind(content)} where an object with {key!r} should be")
        content = content.get(key)
    if not isinstance(content, list):
        raise BadReplyError(f"{what}: {_kind(content)} where {'/'.join(keys) or 'it all'} should be a list")
    for each in content:
        if not isinstance(each, dict):
            raise BadReplyError(f"{what}: {_kind(each)} where an object should be")
    return content


def whole(content: Any, what: str) -> dict[str, Any]:
    """The object that an answer is. Raises `BadReplyError`."""
    if not isinstance(content, dict):
        raise BadReplyError(f"{what}: {_kind(content)} where an object should be")
    return content


def _kind(content: Any) -> str:
    return "nothing" if content is None else f"a {type(content).__name__}"


def below(record: Any, *keys: str) -> Any:
    """What is found below these keys; None as soon as there is nothing."""
    for key in keys:
        if not isinstance(record, dict):
            return None
        record = record.get(key)
    return record


def several(record: Any, *keys: str) -> list[Any]:
    """The list below these keys; an empty one for anything else."""
    found = below(record, *keys)
    return found if isinstance(found, list) else []


def text(record: Any, *keys: str) -> str:
    """Text or a number as text; empty for anything else."""
    found = below(record, *keys)
    if isinstance(found, str):
        return found.strip()
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def texts(record: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    """`text` of each of these keys, for a list of a hundred thousand records."""
    found = map(record.get, keys)
    return [each.strip() if type(each) is str else text({"": each}, "") for each in found]


def count(record: Any, *keys: str) -> int | None:
    """How many, a number or a number as text; None for anything else."""
    found = text(record, *keys)
    return int(found) if found.isdecimal() and len(found) < 10 else None


def flag(record: Any, *keys: str) -> bool | None:
    """True or false, also as a word; None for anything else."""
    found = below(record, *keys)
    if isinstance(found, str):
        return {"true": True, "false": False}.get(found.strip().lower())
    return found if isinstance(found, bool) else None


def is_last(record: Any, what: str, key: str, value: bool) -> bool:
    """Whether a page says by this flag that it is the last. Raises `IncompleteError` if it does not say."""
    found = flag(record, key)
    if found is None:
        raise IncompleteError(f"{what}: nothing says whether there is another page")
    return found is value
