"""A carrier of the demo: SIMs that use data day by day, what its platform has heard of it so far, and its faults.

What is used is a function of SIM and day, so that an answer is the same whenever it is asked for. What the platform
says is that, as of some hours ago. Nothing here talks: `faces` gives the three kinds of platform their voices.
"""

from __future__ import annotations

import zlib
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.errors import YardlightError
from yardlight.inventory.values import parse_duration, parse_share

UTC = ZoneInfo("UTC")
# Monday to Sunday: trucks rest at the weekend.
_WEEK = (1.1, 1.2, 1.2, 1.2, 1.1, 0.6, 0.4)
# Of nobody.
_ISSUER = "8900100"
HOUR = 3600.0
# Of a month's end in minutes: from when to when the rest of the cap is used up, from when on the end of the cycle is
# said to be near, and when the next one begins.
_SPENDING, _SPENT, _NEAR, _TURN = 120.0, 180.0, 300.0, 360.0
# Over so many days: in one it would look like somebody's runaway.
_SPREAD = 3
# A cycle must have so many days for that.
_OLD = 20
_SPENDS = 8 * 10**9
LIST = """\
Or a carrier's name (verizon, att, kore):
  verizon=down                    its API answers with errors
  verizon=throttled               its API refuses every request as one too many
  verizon=late=30h                what it knows is 30 hours old
  verizon=restate=40%             yesterday is told anew, 40 % higher
  verizon=month-end               the end of a month in six minutes: three times as much is used since five days ago,
                                  the cap is reached in the third minute, and after the sixth a new cycle begins
                                  (where the platform says when: verizon)
  verizon=offline=T-101,T-102     these SIMs lose their sessions
  verizon=runaway=T-101           this SIM uses 20 times its usual day, and did yesterday
  kore=spend=fontana-standby      this SIM has used 8 GB more today
  verizon=cap                     the cap is used up
  verizon=heal                    everything at this carrier is well again"""


@dataclass
class FakeSim:
    """A SIM under its roster's name. Its numbers are made up: no issuer has them. `daily` is in bytes."""

    name: str
    iccid: str
    imei: str
    daily: int
    activated: float = 0.0
    state: str = "active"


@dataclass
class Faults:
    """What is wrong: `late` in seconds beyond the usual, `factors` of use by SIM from an instant on, by name."""

    down: bool = False
    throttled: bool = False
    late: float = 0.0
    restated: dict[int, float] = field(default_factory=dict)
    offline: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    suspended: set[str] = field(default_factory=set)
    capped: bool = False


@dataclass(frozen=True)
class MonthEnd:
    """The end of a cycle that takes minutes: when it began, on which day, and how much more each SIM will use.

    `cycle` is what it was until then: from its start on many days are known.
    """

    began: float
    day: int
    cycle: tuple[float, float]
    more: Mapping[str, float]

    def used(self, sim: str, day: int, now: float) -> int:
        """What of it a SIM has used on a day by now."""
        part = min(1.0, max(0.0, (now - self.began - _SPENDING) / (_SPENT - _SPENDING)))
        return round(self.more[sim] * part / _SPREAD) if 0 <= self.day - day < _SPREAD else 0

    def at(self, now: float, zone: ZoneInfo) -> tuple[float, float]:
        """Start and end of the cycle."""
        if now < self.began + _NEAR:
            return self.cycle
        turn = self.began + _TURN
        if now < turn:
            return self.cycle[0], turn
        local = datetime.fromtimestamp(turn, zone)
        return turn, datetime.combine(_on(_month(local.date(), 1), local.day), local.timetz()).timestamp()


class Carrier:
    """One account. `clock` tells unix seconds, `lag` is how old its figures usually are, `cap` is for all its SIMs."""

    def __init__(
        self,
        name: str,
        sims: Sequence[FakeSim],
        clock: Callable[[], float],
        cap: int,
        *,
        day: int = 1,
        lag: float = 2 * HOUR,
        zone: ZoneInfo = UTC,
    ) -> None:
        self.name, self.sims, self.clock, self.cap = name, {sim.iccid: sim for sim in sims}, clock, cap
        self.day, self.lag, self.zone = day, lag, zone
        self.faults = Faults()
        self._factors: list[tuple[float, str | None, float]] = []
        self._spent: Counter[tuple[str, int]] = Counter()
        self._month_end: MonthEnd | None = None

    def known_until(self) -> float:
        """As of when the platform knows what was used."""
        return self.clock() - self.lag - self.faults.late

    def used(self, sim: FakeSim, day: int) -> int | None:
        """Bytes of a day (a proleptic ordinal in the carrier's zone) as far as known; None if nothing is."""
        begins, ends = self.midnight(day), self.midnight(day + 1)
        until = min(self.known_until(), ends)
        if until <= max(begins, sim.activated):
            return None
        noise = 0.8 + 0.4 * (zlib.crc32(f"{sim.iccid} {day}".encode()) % 1000) / 1000
        seconds = sum(
            (min(until, to) - max(begins, since)) * factor
            for since, to, factor in self._spans(sim)
            if min(until, to) > max(begins, since)
        )
        whole = sim.daily * _WEEK[(day - 1) % 7] * noise * (1.0 + self.faults.restated.get(day, 0.0))
        hurried = self._month_end.used(sim.name, day, self.clock()) if self._month_end is not None else 0
        return round(whole * seconds / (ends - begins)) + self._spent[sim.name, day] + hurried

    def total(self, sim: FakeSim) -> int:
        """Bytes since the cycle began, as far as known."""
        start = self.cycle()[0]
        first, last = self.ordinal(start), self.ordinal(self.known_until())
        return sum(self.used(sim, day) or 0 for day in range(first, last + 1))

    def cycle(self) -> tuple[float, float]:
        """Start and end of the cycle in which the clock is."""
        if self._month_end is None:
            return self._cycle_at(self.clock())
        return self._month_end.at(self.clock(), self.zone)

    def _cycle_at(self, at: float) -> tuple[float, float]:
        local = datetime.fromtimestamp(at, self.zone).date()
        start = _on(local if local >= _on(local, self.day) else _month(local, -1), self.day)
        return self.midnight(start.toordinal()), self.midnight(_on(_month(start, 1), self.day).toordinal())

    def midnight(self, day: int) -> float:
        return instant(datetime.combine(date.fromordinal(day), time.min), self.zone)

    def ordinal(self, at: float) -> int:
        return datetime.fromtimestamp(at, self.zone).toordinal()

    def online(self, sim: FakeSim) -> bool:
        return sim.name not in self.faults.offline and self.state(sim) == "active"

    def state(self, sim: FakeSim) -> str:
        return "suspended" if sim.name in self.faults.suspended else sim.state

    def multiply(self, factor: float, sim: str | None = None, since: float | None = None) -> None:
        """From an instant on (now), use so many times as much: one SIM, or all."""
        self._factors.append((self.clock() if since is None else since, sim, factor))

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off, in the words of `LIST`; what is true now. Raises `CarrierError`."""
        what, _, how = action.partition("=")
        today = self.ordinal(self.clock())
        try:
            if what == "heal":
                self.faults, self._factors, self._month_end = Faults(), [], None
                self._spent.clear()
            elif action == "down":
                self.faults.down = True
            elif action == "throttled":
                self.faults.throttled = True
            elif what == "late":
                self.faults.late = max(0.0, parse_duration(how) - self.lag)
            elif what == "restate":
                self.faults.restated = {today - 1: parse_share(how)}
            elif action == "month-end":
                self.multiply(3.0, None, self.midnight(today - 4))
                self._month_end = self._ending(today)
            elif what == "runaway":
                # Of a day that has just begun little is known, whatever is used in it.
                self.multiply(20.0, self._named(how).name, self.midnight(self.ordinal(self.known_until()) - 1))
            elif what == "spend":
                self._spent[self._named(how).name, self.ordinal(self.known_until())] += _SPENDS
            elif what == "offline":
                self.faults.offline = {self._named(each).name for each in how.split(",")}
            elif action == "cap":
                self._use_up()
            else:
                raise ValueError("the demo knows no such fault")
        except ValueError as error:
            raise CarrierError(f"{self.name}={action}: {error}\n{LIST}") from None
        return f"{self.name}: {action}"

    def _use_up(self) -> None:
        """A little beyond the cap, in days: some platforms tell a total, and some nothing but days."""
        self.faults.capped = True
        last = self.ordinal(self.known_until())
        days = range(max(self.ordinal(self.cycle()[0]), last - _SPREAD + 1), last + 1)
        for name, lacks in self._lacking().items():
            self._spent.update({(name, day): round(lacks / len(days)) for day in days})

    def _lacking(self) -> dict[str, float]:
        """What each SIM, by its use so far, lacks for all of them to be a little beyond the cap."""
        totals = {sim.name: self.total(sim) for sim in self.sims.values()}
        lacks = max(0.0, 1.02 * self.cap / sum(totals.values()) - 1.0)
        return {name: lacks * total for name, total in totals.items()}

    def _ending(self, today: int) -> MonthEnd:
        """A little beyond the cap; a cycle that has just begun is told as one that began earlier."""
        cycle = self._cycle_at(self.clock())
        if today - self.ordinal(cycle[0]) < _OLD:
            begun = date.fromordinal(today - _OLD)
            # Every month has this day: whoever is told the end knows the start.
            begun = _on(begun, min(begun.day, 28))
            cycle = self.midnight(begun.toordinal()), self.midnight(_on(_month(begun, 1), begun.day).toordinal())
        made = MonthEnd(self.clock(), self.ordinal(self.known_until()), cycle, Counter())
        self._month_end = made
        return replace(made, more=self._lacking())

    def _named(self, name: str) -> FakeSim:
        found = next((sim for sim in self.sims.values() if sim.name == name), None)
        if found is None:
            raise ValueError(f"{name!r} is no SIM of this carrier; there are {', '.join(self.names())}")
        return found

    def names(self) -> list[str]:
        return [sim.name for sim in self.sims.values()]

    def _spans(self, sim: FakeSim) -> list[tuple[float, float, float]]:
        """From when to when this SIM uses how many times as much as usual."""
        changes = sorted((since, factor) for since, name, factor in self._factors if name in (None, sim.name))
        spans, begin, factor = [], sim.activated, 1.0
        for since, more in changes:
            spans.append((begin, since, factor))
            begin, factor = since, factor * more
        return [*spans, (begin, float("inf"), factor)]


class CarrierError(YardlightError):
    """What was typed is no fault of a carrier."""


def _month(day: date, step: int) -> date:
    """The first of the next month, or of the one before."""
    first = day.replace(day=1)
    return (first + timedelta(days=32)).replace(day=1) if step > 0 else (first - timedelta(days=1)).replace(day=1)


def _on(month: date, day: int) -> date:
    """This day of a month, or its last one where it has no such day."""
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def fake_sims(prefix: str, count: int, daily: int, *, first: int = 101) -> list[FakeSim]:
    """So many SIMs `prefix`-101 (or another `first`) and on, each of another size around `daily` bytes."""
    return [
        FakeSim(f"{prefix}-{number}", with_check(f"{_ISSUER}{number:012}"), f"00000000{number:07}", size)
        for number in range(first, first + count)
        for size in [round(daily * (0.5 + (number * 7919 % 100) / 100))]
    ]


def with_check(digits: str) -> str:
    """Digits and their check digit (Luhn's)."""
    doubled = (int(digit) * (2 - index % 2) for index, digit in enumerate(reversed(digits)))
    return f"{digits}{-sum(each // 10 + each % 10 for each in doubled) % 10}"
