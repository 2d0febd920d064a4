"""Reading vendors' JSON: fields that may be missing, null or of another type, and never a crash because of it.

What makes an answer another answer than the documented one is a `BadReplyError`; what is only missing in it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.cellular.cycle import Cycle
from yardlight.cellular.usage import Directory, to_bytes
from yardlight.errors import BadReplyError

# The year 2200.
_LATEST = 7258118400.0


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
        if not isinstance(record, Mapping):
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
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found).strip()


def flag(record: Any, *keys: str) -> bool | None:
    """True or false, also as a word; None for anything else."""
    found = below(record, *keys)
    if isinstance(found, str):
        return {"true": True, "false": False}.get(found.strip().lower())
    return found if isinstance(found, bool) else None


def amount(raw: Any, unit: str = "B", *, binary: bool = False) -> int | None:
    """Bytes; None for what is no amount."""
    try:
        return to_bytes(raw, unit, binary=binary)
    except (ValueError, OverflowError):
        return None


def moment(raw: Any, zone: ZoneInfo) -> float | None:
    """Unix seconds of an ISO time, with a blank or an offset without a colon in it; local in `zone` if it has none.

    None for what is no time, or one that no SIM has lived in.
    """
    if not isinstance(raw, str):
        return None
    try:
        parsed = datetime.fromisoformat(raw.strip())
        at = instant(parsed, zone) if parsed.tzinfo is None else parsed.timestamp()
        return at if 0 < at < _LATEST else None
    except (ValueError, OverflowError):
        return None


def epoch(raw: Any, per_second: int = 1) -> float | None:
    """Unix seconds of a number, which may come as text; None for what is no time, or one that no SIM has lived in."""
    number = amount(raw)
    return number / per_second if number is not None and 0 < number / per_second < _LATEST else None


def iso(at: float) -> str:
    """An instant the way APIs take it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def period(start: float | None, end: float | None) -> Cycle | None:
    """The cycle between two instants, either of which may be unknown; None for one that ends before it starts."""
    if start is None and end is None:
        return None
    try:
        return Cycle(start, end)
    except ValueError:
        return None


def names(
    listed: Iterable[dict[str, Any]], directory: Directory, what: str, *keys: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each SIM of a list by its name, once, the last record of it; one without any number is no SIM.

    Raises `BadReplyError` for what is there and no ICCID: it may be a number cut off, and would be a SIM made up.
    """
    found: dict[str, dict[str, Any]] = {}
    for each in listed:
        if number := text(each, *keys):
            found[name_of(number, directory, what)] = each
    yield from found.items()


def name_of(number: str, directory: Directory, what: str) -> str:
    """The name of a SIM. Raises `BadReplyError` for what is no ICCID."""
    try:
        return directory.name(number)
    except ValueError as error:
        raise BadReplyError(f"{what}: {error}") from None
