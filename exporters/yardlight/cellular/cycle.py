"""When a billing cycle starts and ends: exact instants, whatever the zone does to its clocks.

A cycle is half open: its start belongs to it, its end to the next one. Local midnights become instants as everywhere
(`calendars.instant`: a repeated time is its first occurrence, a skipped one has the offset from before the change).
What cannot be known is None: the cycle of a SIM that is not active yet, the start where a vendor names only an end,
the end of a plan that has none.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from yardlight.calendars import instant

UTC = ZoneInfo("UTC")
# The longest month and a day: two ends further apart are not those of neighbors.
_LONGEST = 32 * 86400.0


@dataclass(frozen=True, slots=True)
class Cycle:
    """From `start` to before `end` (unix seconds), each None while not known. Raises `ValueError` if it ends first."""

    start: float | None
    end: float | None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("a cycle that ends before it starts")

    def has(self, at: float) -> bool:
        """Whether this instant may be in it, as far as its ends are known."""
        return (self.start is None or self.start <= at) and (self.end is None or at < self.end)

    def same(self, other: Cycle) -> bool:
        """Whether both are one cycle: a vendor may move its end, or not say its start."""
        if self.start is not None and other.start is not None:
            return self.start == other.start
        return self.end == other.end

    def before(self, other: Cycle) -> bool:
        """Whether this one is over when the other begins, as far as their ends are known."""
        if self.end is None or self.same(other):
            return False
        return self.end <= other.start if other.start is not None else other.end is not None and self.end < other.end


class Rule(Protocol):
    """How cycles follow each other."""

    def at(self, at: float) -> Cycle | None:
        """The cycle in which this instant is; None if there is none."""


@dataclass(frozen=True)
class MonthDay:
    """From the midnight that begins this day of a month to the next: the last day where a month is too short."""

    zone: ZoneInfo
    day: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.day <= 31:
            raise ValueError(f"{self.day} is not a day of a month; write 1 to 31")

    def at(self, at: float) -> Cycle:
        local = datetime.fromtimestamp(at, self.zone)
        month = local.year * 12 + local.month - 1
        # The local date is a day off at most.
        month += (self._start(month + 1) <= at) - (self._start(month) > at)
        return Cycle(self._start(month), self._start(month + 1))

    def _start(self, month: int) -> float:
        year, index = divmod(month, 12)
        last = calendar.monthrange(year, index + 1)[1]
        return instant(datetime(year, index + 1, min(self.day, last)), self.zone)


@dataclass(frozen=True)
class MonthEnd:
    """Months of which a vendor names one end, to the second: the others are at that local time of the same day."""

    end: float
    zone: ZoneInfo = UTC

    def at(self, at: float) -> Cycle:
        local = datetime.fromtimestamp(at, self.zone)
        named = datetime.fromtimestamp(self.end, self.zone)
        months = (local.year - named.year) * 12 + local.month - named.month
        # The named end is the first of the next cycle, and the local date is a day off at most.
        months += self._end(months) <= at
        return Cycle(self._end(months - 1), self._end(months))

    def _end(self, months: int) -> float:
        named = datetime.fromtimestamp(self.end, self.zone).replace(tzinfo=None)
        year, index = divmod(named.year * 12 + named.month - 1 + months, 12)
        last = calendar.monthrange(year, index + 1)[1]
        return instant(named.replace(year=year, month=index + 1, day=min(named.day, last)), self.zone)


@dataclass(frozen=True)
class EveryDays:
    """Each so many days from when the SIM was activated, or from another start, at that time of the day in `zone`."""

    activated: float
    days: int = 30
    zone: ZoneInfo = UTC

    def at(self, at: float) -> Cycle | None:
        if at < self.activated:
            return None
        count = int((at - self.activated) // (self.days * 86400.0))
        # Clock changes move an end by hours, and by a day where a zone has changed sides of the date line.
        while self._start(count) > at:
            count -= 1
        while self._start(count + 1) <= at:
            count += 1
        return Cycle(self._start(count), self._start(count + 1))

    def _start(self, count: int) -> float:
        if count == 0:
            return self.activated
        local = datetime.fromtimestamp(self.activated, self.zone).replace(tzinfo=None)
        return instant(local + timedelta(days=count * self.days), self.zone)


@dataclass(frozen=True)
class Lifetime:
    """One amount until it is used up or the plan expires: no end of a cycle is made up."""

    activated: float | None = None

    def at(self, at: float) -> Cycle | None:
        return None if self.activated is not None and at < self.activated else Cycle(self.activated, None)


def ending(end: float, before: Cycle | None) -> Cycle:
    """The cycle of a vendor that names only the end; it starts where the one before is known to have ended."""
    follows = before is not None and before.end is not None and 0 < end - before.end <= _LONGEST
    if follows:
        assert before is not None
        return Cycle(before.end, end)
    return before if before is not None and before.end == end else Cycle(None, end)
