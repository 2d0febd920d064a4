"""When a drill is due: once in each calendar quarter, in the terminal's own time. Pure."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from yardlight.calendars import instant

_DAY = 86400.0


def quarter(at: float, zone: ZoneInfo) -> tuple[float, float]:
    """The quarter that this instant is in: its first instant and that of the next one (unix seconds)."""
    local = datetime.fromtimestamp(at, zone)
    first = (local.month - 1) // 3 * 3 + 1
    following = (local.year, first + 3) if first < 10 else (local.year + 1, 1)
    return _first(local.year, first, zone), _first(*following, zone)


def name(at: float, zone: ZoneInfo) -> str:
    """'2026-Q4'."""
    local = datetime.fromtimestamp(at, zone)
    return f"{local.year}-Q{(local.month - 1) // 3 + 1}"


def due(known_since: float, last_pass: float | None, zone: ZoneInfo) -> float:
    """The end of the quarter in which the next pass must be.

    After a pass that is the next quarter; a terminal that never had one has until the end of the quarter in which it
    became known.
    """
    if last_pass is None:
        return quarter(known_since, zone)[1]
    return quarter(quarter(last_pass, zone)[1] + _DAY, zone)[1]


def _first(year: int, month: int, zone: ZoneInfo) -> float:
    return instant(datetime.combine(datetime(year, month, 1).date(), time.min), zone)
