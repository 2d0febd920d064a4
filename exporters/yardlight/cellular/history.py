"""Days of use and the total of the open cycle, remembered from one collection to the next.

One `Track` is one SIM or one pool. It takes whatever a platform gives: the total of a cycle so far, rows of days, or a
router's own count; late, again, restated, after a silence, across the end of a cycle. Whatever comes, no day is
negative, nothing is counted twice, and a day of which nothing is known is None, not zero.

A total that grew while nobody looked is spread over the days between, and one that shrank is taken off the newest
days. But where more is left of a plan without an end it was topped up, and its days stay as they were. So they do where
a total begins anew some hours before the cycle does by our calendar: platforms that do not name the cycle of a total
turn it when they like, and go on with that of the last one for some hours.

`to_json` is a short list: 10 000 tracks of `KEEP_DAYS` days are a few megabytes of state. Their days are text in it and
an array here: as objects, a million numbers would be forty.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.cellular.cycle import Cycle
from yardlight.cellular.usage import SOURCES, Count, Left, Plan, Source, Usage

# Fourteen weeks: three cycles and what has passed of a fourth tell growth from a change.
KEEP_DAYS = 98
_WRAP_31, _WRAP_32 = 2**31, 2**32
# What a platform says may be so late, or its calendar so far from ours; this cycle and the last lie no further apart.
_LATE = 2 * 86400.0
# A day of which no more than that is missing is whole.
_HARDLY = 3600.0
# A total that loses more than so many days is not restated.
_RESTATED_DAYS = 3
# In the place of a day of which nothing is known: here, and in the text.
UNKNOWN, _NOT_KNOWN = -1, "?"


@dataclass(frozen=True, slots=True)
class Closed:
    """A cycle that is over and what was used in it, as last said."""

    cycle: Cycle
    used: int


@dataclass(slots=True)
class Track:
    """What is known of the use of one SIM or pool. Days are ordinals of dates in the account's zone.

    `days` has the use of each from `first` on, `UNKNOWN` where it is not known: `day` tells one.
    `used` is the total of `cycle` at `as_of`; None while nothing is known of this cycle. `since` is from when on it was
    counted, if that is later than the start of the cycle: then it is partial. `seeded` is the first day that was
    measured as a day: those before are the average of a total that was found. `ranks` has how good the row of each day
    is, where the platform gives days.
    """

    zone: ZoneInfo
    first: int = 0
    days: array[int] = field(default_factory=lambda: array("q"))
    seeded: int = 0
    ranks: str = ""
    cycle: Cycle | None = None
    used: int | None = None
    as_of: float | None = None
    since: float | None = None
    closed: Closed | None = None

    @property
    def end(self) -> int:
        """The day after the last one known."""
        return self.first + len(self.days)

    def day(self, ordinal: int) -> int | None:
        """The use of a day, as far as it is known."""
        used = self.days[ordinal - self.first] if self.first <= ordinal < self.end else UNKNOWN
        return used if used != UNKNOWN else None

    def take(self, usage: Usage, cycle: Cycle | None, plan: Plan | None = None) -> None:
        """What a platform says. `cycle` is the one the usage is of, `plan` turns what is left into what was used."""
        amount, named = usage.amount, usage.cycle is not None
        if usage.day is not None:
            assert not isinstance(amount, Left)
            self._take_day(usage.day, amount.bytes, usage.source, usage.as_of, cycle)
        elif not isinstance(amount, Left):
            self._take_total(amount.bytes, usage.as_of, cycle, named=named)
        elif plan is not None and plan.cap is not None:
            prepaid = cycle is not None and cycle.end is None
            self._take_total(plan.cap - amount.bytes, usage.as_of, cycle, named=named or prepaid, prepaid=prepaid)

    def rest(self, since: float, until: float, cycle_at: Callable[[float], Cycle | None]) -> None:
        """Of all these days is told what is known: there was no use on the others. Rows may still come for them."""
        today = self._ordinal(until)
        if not self.days:
            # What was before nobody knows.
            self._room(today)
            self.seeded = today
        for day in range(max(self.first, self._first_day(since)), today):
            if self.day(day) is None:
                begins = midnight(day, self.zone)
                self._take_day(day, 0, SOURCES[0], midnight(day + 1, self.zone), cycle_at(begins))
        self.as_of = max(self.as_of or until, until)

    def born(self, activated: float) -> None:
        """It was activated then: what was counted from that day on is all of it."""
        if self.since is not None and abs(self.since - activated) < _LATE:
            self.since = None

    def open(self, at: float) -> bool:
        """Whether the total is of the cycle in which this instant is: one that is over says nothing of the next."""
        return self.used is not None and (self.cycle is None or self.cycle.has(at))

    def grow(self, grown: int, start: float, end: float, cycle: Cycle | None) -> None:
        """Bytes that were counted between two instants; `cycle` is the one in which the second is."""
        fresh = grown
        if self._turns(cycle) and cycle is not None and cycle.start is not None and start < cycle.start < end:
            fresh = round(grown * (end - cycle.start) / (end - start))
            self.used = self.used + grown - fresh if self.used is not None else None
        self._turn(cycle)
        if self.used is None:
            whole = cycle is not None and cycle.start is not None and start <= cycle.start
            self.used, self.since = 0, None if whole else start
        self.used += fresh
        self.as_of = end
        self._spread(grown, start, end)

    def _take_total(self, used: int, as_of: float, cycle: Cycle | None, *, named: bool, prepaid: bool = False) -> None:
        """A total of `cycle`, which the platform has `named`, or which is the one at `as_of` by our calendar."""
        if cycle is not None and self.cycle is not None and cycle.before(self.cycle):
            self._take_closed(used, cycle)
            return
        turns = self._turns(cycle)
        if self.as_of is not None and as_of < self.as_of and not turns:
            return
        if not self.days:
            self.seeded = self._ordinal(as_of)
        early = self.used if turns and not named and self._began_early(cycle) else None
        self._turn(cycle)
        if early is not None:
            self.used = early
        if not named and self._still_of_closed(used, as_of):
            self._grow_closed(used, as_of)
            return
        if turns and early is None:
            self._leave_half_a_day()
        start, before, since = (self.as_of, self.used, self.since) if self.used is not None else (None, 0, None)
        if start is None and self.cycle is not None:
            start = self.cycle.start
        if since is not None and (whole := self._as_it_was(used)) is not None:
            before, since, self.closed = whole, None, None
        if start is not None and start <= as_of:
            if used >= before:
                self._spread(used - before, start, as_of)
            elif not named and self._begins_anew(used, before):
                if self.cycle is not None and since is None:
                    self.closed = Closed(self.cycle, before)
                self._spread(max(0, used), start, as_of)
                since = start
            elif not prepaid:
                self._take_off(before - used)
        self.used, self.as_of, self.since = used, as_of, since

    def _take_closed(self, used: int, cycle: Cycle) -> None:
        """A closed period may come beside the open one, and be restated; those before the last one are of no use."""
        assert self.cycle is not None
        follows = self.cycle.start is None or cycle.end is None or self.cycle.start - cycle.end < _LATE
        if follows and (self.closed is None or not cycle.before(self.closed.cycle)):
            self.closed = Closed(cycle, used)

    def _began_early(self, cycle: Cycle | None) -> bool:
        """Whether what was counted since the total began anew is that of the cycle that begins now."""
        start = cycle.start if cycle is not None else None
        return start is not None and self.since is not None and start - self.since < _LATE

    def _still_of_closed(self, used: int, as_of: float) -> bool:
        """Whether a total is still that of the last cycle: it goes on from there, and this one has hardly begun."""
        if self.used is not None or self.closed is None or self.cycle is None or self.cycle.start is None:
            return False
        return (
            self.closed.cycle.end == self.cycle.start
            and as_of - self.cycle.start < _LATE
            and used >= self.closed.used > 0
        )

    def _grow_closed(self, used: int, as_of: float) -> None:
        assert self.closed is not None
        if self.as_of is not None:
            self._spread(used - self.closed.used, self.as_of, as_of)
        self.closed, self.as_of = Closed(self.closed.cycle, used), as_of

    def _as_it_was(self, used: int) -> int | None:
        """The total before it began anew, if it goes on from there: it was only said too low for a while."""
        if self.closed is None or self.cycle is None or not self.closed.cycle.same(self.cycle):
            return None
        return self.closed.used if used >= self.closed.used else None

    def _leave_half_a_day(self) -> None:
        """What was used from the last figure to the end of its cycle nobody tells: half a day's use is not a day's."""
        if self.as_of is None or self.cycle is None or self.cycle.start is None:
            return
        day = self._ordinal(self.as_of)
        end = min(midnight(day + 1, self.zone), self.cycle.start)
        if end - self.as_of > _HARDLY and self.day(day):
            self.days[day - self.first] = UNKNOWN

    def _begins_anew(self, used: int, before: int) -> bool:
        """Whether a total that shrank is that of another cycle: more is gone than the newest days had."""
        newest = sum(each for each in self.days[-_RESTATED_DAYS:] if each != UNKNOWN)
        return used <= newest < before - used

    def _take_day(self, ordinal: int, used: int, source: Source, as_of: float, cycle: Cycle | None) -> None:
        rank = SOURCES.index(source)
        if not self.days:
            self.seeded = ordinal
        self.seeded = min(self.seeded, ordinal)
        self._room(ordinal)
        if ordinal >= self.first:
            index = ordinal - self.first
            if self.days[index] == UNKNOWN or rank >= int(self.ranks[index]):
                self.days[index] = used
                self.ranks = f"{self.ranks[:index]}{rank}{self.ranks[index + 1 :]}"
        if self.as_of is None or as_of >= self.as_of:
            self._turn(cycle)
            self.as_of = as_of
        if self.closed is not None and (of_closed := self._sum(self.closed.cycle)) is not None:
            self.closed = Closed(self.closed.cycle, of_closed)
        self._total_of_days()

    def _total_of_days(self) -> None:
        """The total of the open cycle where a platform gives days: of those that are known."""
        if self.cycle is None:
            return
        self.used = self._sum(self.cycle)
        start = self.cycle.start
        begin = self._ordinal(start) if start is not None else None
        known = next((day for day in range(max(self.first, begin or 0), self.end) if self.day(day) is not None), None)
        whole = begin is not None and self.first <= begin and (known is None or known == begin)
        self.since = None if whole or known is None else midnight(known, self.zone)

    def _sum(self, cycle: Cycle) -> int | None:
        """What the known days of a cycle add up to; None if there is none. A day counts where it begins."""
        begin = self._first_day(cycle.start) if cycle.start is not None else self.first
        end = self._first_day(cycle.end) if cycle.end is not None else self.end
        known = [
            used for day in range(max(begin, self.first), min(end, self.end)) if (used := self.day(day)) is not None
        ]
        return sum(known) if known else None

    def _turns(self, cycle: Cycle | None) -> bool:
        return cycle is not None and self.cycle is not None and not cycle.same(self.cycle)

    def _turn(self, cycle: Cycle | None) -> bool:
        """Begin this cycle if it is another one: what was known of the last stays as closed."""
        turned = self._turns(cycle)
        if turned and self.cycle is not None:
            if self.used is not None and self.since is None:
                self.closed = Closed(self.cycle, self.used)
            self.used, self.since = None, None
        if cycle is not None:
            self.cycle = cycle
        return turned

    def _spread(self, grown: int, start: float, end: float) -> None:
        """Add what was used between two instants to the days between, each by its share of the time."""
        first, last = self._ordinal(start), self._ordinal(max(start, end))
        if (oldest := last - KEEP_DAYS) > first:
            # What a share of it was used on before nobody will ask.
            first, since = oldest, midnight(oldest, self.zone)
            grown, start = round(grown * (end - since) / (end - start)), since
        self._room(first)
        self._room(last)
        left, total = grown, end - start
        for day in range(first, last + 1):
            part = left
            if day < last:
                seconds = midnight(day + 1, self.zone) - max(start, midnight(day, self.zone))
                part = min(left, round(grown * seconds / total))
            left -= part
            if day >= self.first:
                self.days[day - self.first] = (self.day(day) or 0) + part

    def _take_off(self, less: int) -> None:
        """A total that shrank: the newest days were said too high."""
        for index in range(len(self.days) - 1, -1, -1):
            there = self.days[index]
            if less <= 0:
                return
            if there != UNKNOWN:
                self.days[index] = max(0, there - less)
                less -= there

    def _room(self, ordinal: int) -> None:
        """A place for this day, and none for what is too old."""
        if not self.days:
            self.first = ordinal
        if ordinal < self.first and self.end - ordinal <= KEEP_DAYS:
            more = self.first - ordinal
            self.first, self.ranks = ordinal, "0" * more + self.ranks
            self.days[:0] = array("q", [UNKNOWN]) * more
        if ordinal >= self.end:
            more = ordinal + 1 - self.end
            self.days += array("q", [UNKNOWN]) * more
            self.ranks += "0" * more
        if (old := len(self.days) - KEEP_DAYS) > 0:
            self.first, self.days, self.ranks = self.first + old, self.days[old:], self.ranks[old:]

    def _ordinal(self, at: float) -> int:
        return ordinal(at, self.zone)

    def _first_day(self, at: float) -> int:
        """The first day that begins at this instant or later."""
        day = self._ordinal(at)
        return day if midnight(day, self.zone) >= at else day + 1

    def to_json(self) -> list[Any]:
        """All of it as a list that JSON takes."""
        cycle = [self.cycle.start, self.cycle.end] if self.cycle else None
        closed = [self.closed.cycle.start, self.closed.cycle.end, self.closed.used] if self.closed else None
        ranks = self.ranks if self.ranks.strip("0") else ""
        days = ",".join([_NOT_KNOWN if used == UNKNOWN else str(used) for used in self.days])
        return [self.first, days, self.seeded, ranks, cycle, self.used, self.as_of, self.since, closed]


def from_json(value: list[Any], zone: ZoneInfo) -> Track:
    """The track that `to_json` wrote."""
    first, days, seeded, ranks, cycle, used, as_of, since, closed = value
    if isinstance(days, str):
        known = array("q", [UNKNOWN if used == _NOT_KNOWN else int(used) for used in days.split(",")] if days else [])
    else:
        # Of an older state file.
        known = array("q", [UNKNOWN if used is None else used for used in days])
    return Track(
        zone,
        first,
        known,
        seeded,
        ranks or _no_ranks(len(known)),
        _cycle(*cycle) if cycle else None,
        used,
        as_of,
        since,
        Closed(_cycle(closed[0], closed[1]), closed[2]) if closed else None,
    )


@lru_cache
def _cycle(start: float | None, end: float | None) -> Cycle:
    """One cycle for all tracks that are in it."""
    return Cycle(start, end)


@lru_cache
def _no_ranks(count: int) -> str:
    """The ranks of so many days: one text for all tracks that have none."""
    return "0" * count


@lru_cache(maxsize=4096)
def midnight(day: int, zone: ZoneInfo) -> float:
    """When a day begins."""
    return instant(datetime.combine(date.fromordinal(day), time.min), zone)


def ordinal(at: float, zone: ZoneInfo) -> int:
    """The day in which an instant is, by the account's calendar."""
    return datetime.fromtimestamp(at, zone).toordinal()


@dataclass(frozen=True, slots=True)
class Meter:
    """Where a router's counter stood. `wide` once it was seen to need 32 bits, or to be negative (signed 32)."""

    value: int
    at: float
    booted: float | None = None
    wide: bool = False

    def advance(self, count: Count) -> tuple[Meter, int | None]:
        """The meter after another reading, and by how much it grew; None for a reading that is not newer.

        A counter that went down has wrapped, or started anew: with the router, as its uptime tells, or with its modem,
        which nothing tells. One of 64 bits does not wrap, and others do not in the first half of their way. Where it is
        not known, what was counted since is all that is sure, and a jump that never was is not made up.
        """
        if count.at <= self.at:
            return self, None
        later = begin(count, self.wide)
        rebooted = later.booted is not None and later.booted > self.at - 1.0 and not self._uptime_wrapped(later.booted)
        if later.value >= self.value and not rebooted:
            return later, later.value - self.value
        wraps_at = _WRAP_32 if later.wide else _WRAP_31
        anew = rebooted or later.booted is None or count.bits == 64 or not wraps_at // 2 <= self.value < wraps_at
        return later, later.value if anew else later.value + wraps_at - self.value

    def _uptime_wrapped(self, booted: float) -> bool:
        """SNMP counts hundredths of a second in 32 bits: after 497 days it seems to have started anew."""
        return self.booted is not None and abs(booted - self.booted - _WRAP_32 / 100) < 60.0


def begin(count: Count, wide: bool = False) -> Meter:
    """A meter at its first reading."""
    value = count.value % _WRAP_32 if count.value < 0 else count.value
    booted = count.at - count.uptime if count.uptime is not None else None
    return Meter(value, count.at, booted, wide or value >= _WRAP_31)
