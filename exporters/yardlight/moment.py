"""Instants as vendors write them, and the many spellings of "never".

An instant is unix seconds. `NEVER` is what a vendor says of something that did not happen; None is what nobody said,
and what cannot be true.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

NEVER: Literal["never"] = "never"
Moment = float | Literal["never"] | None

# Before there was an MDM: 0001 (.NET), 1601 (Windows), 1900 (Excel) and 1970 (Unix) are how their zeros are written.
_FIRST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
# Later than any instant that was measured: 2050 and 9999 stand for "not ended", which is no check-in.
_LAST = datetime(2050, 1, 1, tzinfo=UTC).timestamp()
# From which size on a number counts what: so many seconds would be in the year 5138, and so many milliseconds in 33658.
_UNITS = ((1e18, 1e9), (1e15, 1e6), (1e11, 1e3))
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?",
    re.IGNORECASE,
)
# As .NET wrote JSON for years; the offset says where it was written, and nothing about when.
_DOT_NET = re.compile(r"/Date\((-?\d{1,16})([+-]\d{4})?\)/")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(\d{1,2}):(\d\d)(?::(\d\d))?\s*([AP]M)?)?", re.IGNORECASE)


def moment(raw: Any, zone: ZoneInfo, by: float | None = None) -> Moment:
    """The instant in a vendor's value of any documented form; `zone` is that of times without one.

    Of a local time that a clock change repeats, it is the second one if that is not after `by`, else the first.
    Seconds since 1970, or thousandths, millionths or billionths of them, as number or text; ISO 8601 with any number of
    decimals, with or without colons in the offset; month/day/year of the United States; a date alone is its first
    instant.
    """
    try:
        if type(raw) is str and raw[4] == raw[7] == "-" and raw[10] == "T" and raw[-1] == "Z":
            # What nearly all of a hundred thousand are.
            return judged(datetime.fromisoformat(raw).timestamp())
    except (ValueError, IndexError):
        pass
    if isinstance(raw, bool) or raw is None:
        return None
    text = raw.strip() if isinstance(raw, str) else ""
    try:
        if isinstance(raw, int | float):
            return _of_number(float(raw))
        if re.fullmatch(r"-?\d{1,19}(\.\d+)?", text):
            return _of_number(float(text))
        if match := _ISO.fullmatch(text):
            return judged(_of_iso(match, zone, by))
        if match := _US.fullmatch(text):
            return judged(_of_us(match, zone, by))
        if match := _DOT_NET.fullmatch(text):
            return judged(int(match[1]) / 1000)
    except (ValueError, OverflowError):
        return None
    return None


def latest(*moments: Moment) -> Moment:
    """The latest that is an instant; without one never, if all of them say so."""
    instants = [each for each in moments if isinstance(each, float)]
    return max(instants) if instants else NEVER if set(moments) == {NEVER} else None


def _of_number(number: float) -> Moment:
    per_second = next((unit for least, unit in _UNITS if abs(number) >= least), 1.0)
    return judged(number / per_second)


def judged(seconds: float) -> Moment:
    """The instant, if it can be one: NEVER for the zeros that vendors write, None for what is too far ahead."""
    if seconds < _FIRST:
        return NEVER
    return seconds if seconds < _LAST else None


def _of_iso(match: re.Match[str], zone: ZoneInfo, by: float | None) -> float:
    day, clock, decimals, offset = match.groups()
    local = datetime.fromisoformat(f"{day}T{clock or '00:00'}")
    if local.year < 1900:
        # Not every zone can be asked about the year 1.
        return float("-inf")
    if local.year > 2100:
        return float("inf")
    fraction = float(f"0.{decimals}") if decimals else 0.0
    return _of_local(local, _zone(offset, zone), by) + fraction


def _of_us(match: re.Match[str], zone: ZoneInfo, by: float | None) -> float:
    month, day, year, hour, minute, second, half = match.groups()
    hours = int(hour or 0)
    if half:
        hours = hours % 12 + (12 if half.upper() == "PM" else 0)
    local = datetime(int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))
    return float("-inf") if local.year < 1900 else _of_local(local, zone, by)


def _of_local(local: datetime, zone: Any, by: float | None) -> float:
    first, again = (local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    return again if by is not None and first < again <= by else first


def _zone(offset: str | None, zone: ZoneInfo) -> Any:
    if offset is None:
        return zone
    if offset.upper() in ("Z", "UTC", "GMT"):
        return UTC
    sign, digits = offset[0], offset[1:].replace(":", "").ljust(4, "0")
    return datetime.strptime(f"{sign}{digits}", "%z").tzinfo
