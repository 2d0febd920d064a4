"""How many trucks (or ids) each side of a flow told a record of, by local days. Pure: the clock is given.

Each is counted once a day, since one system may tell of it more often than the other. A day counts when it was watched
from midnight to midnight, and is settled once the sink may be behind no longer; what nobody watched is not known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.feeds.agreement import Said

# A side that was not read for longer may have told of something else meanwhile.
_UNSEEN = 3600.0
# As many as a page shows; of one day so many are remembered one by one.
_DAYS, _MOST = 14, 20_000


@dataclass(frozen=True, slots=True)
class Day:
    """A settled day: where it begins (unix seconds), and how many each side told of, None where that is not known."""

    start: float
    source: int | None
    sink: int | None


@dataclass(slots=True)
class Daily:
    """What is kept between two looks: who was told of on days that have not settled, by side and day.

    `read` is as of when a side was read last, `lost` are the days of which it is not all known.
    """

    told: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    settled: list[tuple[float, int | None, int | None]] = field(default_factory=list)
    until: str = ""

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)

    @property
    def days(self) -> list[Day]:
        """Those that have settled, the last one first."""
        return [Day(*each) for each in reversed(self.settled)]

    def note(self, side: str, said: Mapping[str, Said], as_of: float, whole: bool, zone: ZoneInfo) -> None:
        """Take up what a side told until `as_of`; `whole`: whether its answers lose nothing that is not asked for."""
        today = _day(as_of, zone)
        before = self.read.get(side, as_of)
        lost = set(self.lost.get(side, ()))
        if side not in self.read:
            # The other side may have been read before midnight.
            lost |= {today.isoformat(), (today - timedelta(days=1)).isoformat()}
        elif as_of - before > _UNSEEN:
            first = _day(before, zone)
            lost |= {(first + timedelta(days=each)).isoformat() for each in range((today - first).days + 1)}
        self.read[side] = as_of
        listed: dict[str, list[bool]] = {}
        days = {day: set(marks) for day, marks in self.told.get(side, {}).items()}
        for key, each in said.items():
            if each.at is None:
                continue
            day = _day(each.at, zone).isoformat()
            # A day that has settled, or was not watched, is not opened again.
            if self.until < day <= today.isoformat() and day not in lost:
                days.setdefault(day, set()).add(_mark(key))
                listed.setdefault(day, []).append(each.listed)
        for day, there in listed.items():
            # An answer that has already dropped half of a day holds less than a day.
            if (not whole and sum(there) * 2 < len(there)) or len(days[day]) > _MOST:
                lost.add(day)
        self.told[side] = {day: sorted(marks) for day, marks in days.items() if day not in lost}
        self.lost[side] = sorted(lost)

    def settle(self, now: float, max_lag: float, zone: ZoneInfo) -> None:
        """Close the days that ended longer ago than the sink may be behind."""
        if not self.until:
            self.until = (_day(now, zone) - timedelta(days=1)).isoformat()
        while True:
            day = date.fromisoformat(self.until) + timedelta(days=1)
            if now < _start(day + timedelta(days=1), zone) + max_lag:
                break
            source, sink = (self._count(side, day.isoformat()) for side in ("source", "sink"))
            self.settled = [*self.settled, (_start(day, zone), source, sink)][-_DAYS:]
            self.until = day.isoformat()
        for side in self.lost:
            self.lost[side] = [day for day in self.lost[side] if day > self.until]
            self.told[side] = {day: marks for day, marks in self.told[side].items() if day > self.until}

    def _count(self, side: str, day: str) -> int | None:
        return None if day in self.lost.get(side, ()) else len(self.told.get(side, {}).get(day, ()))


def recalled(value: Any) -> Daily:
    """What `to_json` wrote; nothing for None."""
    return Daily(**value) if value else Daily()


def _day(at: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, zone).date()


def _start(day: date, zone: ZoneInfo) -> float:
    return instant(datetime.combine(day, time.min), zone)


def _mark(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()
