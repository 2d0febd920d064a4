"""When a calendar is open, and when a maintenance window is: local wall-clock times turned into instants.

A local time that a clock change skips or repeats is read as RFC 5545 (section 3.3.5) says: a repeated one is
its first occurrence, a skipped one has the offset from before the change. Instants are unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from yardlight.inventory.models import Calendar, Terminal

# ISO 3166: a country, and perhaps one of its parts.
_PLACE = re.compile(r"([A-Z]{2})(?:-([A-Z0-9]{1,3}))?")
_DAY = timedelta(days=1)
_LONGEST = 14 * 86400.0


@lru_cache(maxsize=64)
def holiday_country(code: str) -> Container[date]:
    """The public holidays of 'US' or 'US-CA'. Raises `ValueError` for a place without any."""
    # Five megabytes, in workers too, for those alone whose calendars name a country.
    import holidays

    if match := _PLACE.fullmatch(code):
        with suppress(NotImplementedError):
            return holidays.country_holidays(match[1], subdiv=match[2])
    raise ValueError(f"{code!r} is not a country with known holidays; write a code like US or US-CA")


def windows(calendar: Calendar, start: float, end: float, zone: ZoneInfo) -> list[tuple[float, float]]:
    """The open windows that touch [start, end), each [opening, closing) and whole; days that meet are one."""
    found: list[tuple[float, float]] = []
    for opening, closing in _daily(calendar, start, end, zone):
        if found and opening <= found[-1][1]:
            found[-1] = (found[-1][0], max(closing, found[-1][1]))
        else:
            found.append((opening, closing))
    return [window for window in found if window[0] < end and window[1] > start]


def is_open(calendar: Calendar, now: float, zone: ZoneInfo) -> bool:
    """True while the calendar is open at this instant; an opening instant counts, a closing one does not."""
    return any(opening <= now < closing for opening, closing in _daily(calendar, now, now, zone))


def opened(calendar: Calendar, now: float, zone: ZoneInfo) -> float | None:
    """When the hours began that are open at this instant; None while the calendar is closed.

    Of hours that have been open for more than a fortnight, it is not said how much longer.
    """
    found = windows(calendar, now - _LONGEST, now + 1.0, zone)
    return found[-1][0] if found and found[-1][0] <= now < found[-1][1] else None


def opens(calendar: Calendar, now: float, zone: ZoneInfo) -> float | None:
    """When a calendar that is closed at this instant opens next; None if it is open, or not within two weeks."""
    found = windows(calendar, now, now + _LONGEST, zone)
    return found[0][0] if found and found[0][0] > now else None


def maintained(terminal: Terminal, now: float) -> frozenset[str]:
    """The uplinks of the terminal that are inside one of their maintenance windows at this instant."""
    return frozenset(
        uplink for uplink in terminal.uplinks for start, end in maintenance(terminal, uplink) if start <= now < end
    )


def maintenance(terminal: Terminal, uplink: str) -> list[tuple[float, float]]:
    """The maintenance windows of this uplink, each [start, end), as they are written."""
    return [
        (instant(window.from_, terminal.zone), instant(window.to, terminal.zone))
        for window in terminal.maintenance
        if window.uplink == uplink
    ]


def _daily(calendar: Calendar, start: float, end: float, zone: ZoneInfo) -> Iterator[tuple[float, float]]:
    """One window per open day. A skipped time may move one past midnight, so the day before is looked at too."""
    day = datetime.fromtimestamp(start, zone).date() - _DAY
    last = datetime.fromtimestamp(end, zone).date()
    while day <= last:
        if day.weekday() in calendar.days and not (calendar.holidays and day in holiday_country(calendar.holidays)):
            opening, closing = _hours(calendar, day, zone)
            if opening < closing:
                yield opening, closing
        day += _DAY


def _hours(calendar: Calendar, day: date, zone: ZoneInfo) -> tuple[float, float]:
    opens, closes = calendar.hours
    closing = datetime.combine(day, closes) if closes < time.max else datetime.combine(day + _DAY, time.min)
    return instant(datetime.combine(day, opens), zone), instant(closing, zone)


def instant(local: datetime, zone: ZoneInfo) -> float:
    """The unix seconds of a local time without an offset; skipped and repeated ones as said on top."""
    return local.replace(tzinfo=zone, fold=0).timestamp()
