"""Reading carriers' JSON: amounts, times and cycles that may be missing, null or of another type.

What makes an answer another answer than the documented one is a `BadReplyError`; what is only missing in it is None.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.cellular.cycle import Cycle
from yardlight.cellular.usage import Directory, to_bytes
from yardlight.errors import BadReplyError
from yardlight.moment import NEVER
from yardlight.moment import moment as spelled
from yardlight.reading import below as below
from yardlight.reading import flag as flag
from yardlight.reading import is_last as is_last
from yardlight.reading import records as records
from yardlight.reading import several as several
from yardlight.reading import text as text
from yardlight.reading import whole as whole


def amount(raw: Any, unit: str = "B", *, binary: bool = False) -> int | None:
    """Bytes; None for what is no amount."""
    try:
        return to_bytes(raw, unit, binary=binary)
    except (ValueError, OverflowError):
        return None


def moment(raw: Any, zone: ZoneInfo) -> float | None:
    """Unix seconds of a time in any spelling (`yardlight.moment`); local in `zone` if it has none.

    None for what is no time, and for one that stands for never.
    """
    found = spelled(raw, zone)
    return None if found == NEVER else found


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
