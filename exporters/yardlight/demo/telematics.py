"""Vendors of telematics and of dispatch of the demo: trucks that drive by day, and what goes wrong with their APIs.

Where a truck is and when it last reported is a function of the clock, so that an answer is the same whenever it is
asked for. Nothing here talks: `feed_faces` gives the two their voices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from yardlight.errors import YardlightError

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_REPORTS, _HEARTBEAT, _UPDATES = 60.0, 3600.0, 600.0
# Each so many minutes a truck is out of coverage for a few: its reports come late.
_HOLE, _HOLE_EVERY = 4 * MINUTE, 97 * MINUTE
# 2024: odometers count from there.
_SINCE = 1_704_067_200.0
FAULTS = (
    "stale", "yesterday", "frozen", "renamed", "added", "kilometers", "seconds", "stuck", "empty", "ahead", "short",
    "endless", "error", "revoked", "down", "odometers",
)  # fmt: skip
# Of so many trucks a wrong odometer is so much too high.
_WRONG, _TOO_HIGH = 12, 1.08
LIST = """\
Or a feed's vendor (telematics, loads):
  telematics=stale                positions stay as they are now, times and all
  telematics=yesterday            positions of a day ago, under good answers
  telematics=frozen               positions stay as they are now, and their times go on
  telematics=renamed              the field of the time has another name
  telematics=added                there is a field more
  telematics=kilometers           the odometer counts kilometers instead of miles
  telematics=seconds              times in seconds instead of milliseconds
  telematics=empty                good answers without a truck
  telematics=ahead                its clock is eight hours ahead
  telematics=short                short and empty pages on the way to the last one
  telematics=endless              there is always one page more
  telematics=stuck                its cursor for what is new is always the same
  telematics=error                an error inside good answers
  telematics=revoked              the key is refused
  telematics=down                 its API answers with errors
  loads=odometers                 dispatch has odometers of 12 trucks that are 8 % too high (told after ten minutes)
  telematics=heal                 everything is well again"""


class VendorError(YardlightError):
    """What was typed is not a fault of such a vendor."""


@dataclass(frozen=True)
class Report:
    """What a truck last said: when, how fast it was, how far it has come (miles)."""

    at: float
    speed: float
    miles: float


@dataclass
class FakeTruck:
    """A truck by its unit number. Its driver's day begins at `starts` (hours, local) and has `drives` hours.

    It stands on weekends, unless it is one that drives then too, and on the days `off`. `speed` is in miles per hour.
    With `stops` it drives for so many seconds and stands for so many, again and again.
    """

    unit: str
    number: int
    starts: float
    drives: float
    weekends: bool = False
    off: Collection[date] = ()
    speed: float = 60.0
    stops: tuple[float, float] | None = None

    def report(self, at: float, zone: ZoneInfo) -> Report:
        """The last one before `at`: each minute on the road but for holes in coverage, each hour while it stands."""
        phase = self.number * 7.0 % _REPORTS
        moving_since, moved_until = self._drive(at, zone)
        if moving_since is not None:
            when = max(at - (at - phase) % _REPORTS, moving_since)
            hole = (when + self.number * 311.0) % _HOLE_EVERY
            when = max(when - hole, moving_since) if hole < _HOLE else when
            stopped = self._stopped(when, moving_since)
            return Report(when, self.speed if when > moving_since and stopped is None else 0.0,
                          self._miles(stopped or when))  # fmt: skip
        beat = at - (at - phase * 60.0) % _HEARTBEAT
        return Report(max(beat, moved_until), 0.0, self._miles(moved_until))

    def _drive(self, at: float, zone: ZoneInfo) -> tuple[float | None, float]:
        """Since when it drives now, if it does, and when it last stopped."""
        local = datetime.fromtimestamp(at, zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for days in range(8):
            day = midnight.fromordinal(midnight.toordinal() - days).replace(tzinfo=zone)
            if (day.weekday() >= 5 and not self.weekends) or day.date() in self.off:
                continue
            start = day.timestamp() + self.starts * HOUR
            if start <= at < start + self.drives * HOUR:
                return start, start
            if start + self.drives * HOUR <= at:
                return None, start + self.drives * HOUR
        return None, at - 8 * DAY

    def _stopped(self, at: float, since: float) -> float | None:
        """Since when it stands on a day on which it drives since then; None while it moves."""
        if self.stops is None:
            return None
        drives, stands = self.stops
        into = (at - since) % (drives + stands)
        return at - into + drives if into >= drives else None

    def _miles(self, at: float) -> float:
        """Roughly: more each minute, also over night."""
        return 180_000.0 + self.number * 1_000.0 + (at - _SINCE) / HOUR * 1.5

    def place(self, report: Report) -> tuple[float, float]:
        """Where it is; a truck that stands stays."""
        along = report.miles / 3_000.0 * math.tau
        return round(35.0 + math.sin(along + self.number), 5), round(-118.0 + math.cos(along - self.number), 5)


def fake_trucks(count: int, first: int = 101, nights: int = 0) -> list[FakeTruck]:
    """Trucks whose drivers begin between five and eight in the morning, and so many that drive by night."""
    return [
        FakeTruck(
            f"{first + number}",
            number,
            19.0 if number < nights else 5.0 + number * 37 % 180 / 60,
            8.0 + number * 13 % 4,
            weekends=number < nights,
        )
        for number in range(count)
    ]


@dataclass
class FeedVendor:
    """A vendor and what is wrong with it since when. `clock` tells unix seconds."""

    name: str
    trucks: list[FakeTruck]
    clock: Callable[[], float]
    zone: ZoneInfo
    faults: dict[str, float] = field(default_factory=dict)
    # Of a truck whose clock is wrong, by how much.
    wrong_clocks: dict[str, float] = field(default_factory=dict)

    def reports(self) -> list[tuple[FakeTruck, Report]]:
        """What each truck last said, as this vendor tells it."""
        now = self.clock()
        if (since := self.faults.get("yesterday")) is not None:
            now = now - DAY if now - DAY < since else since
        seen = min([now, *(self.faults[each] for each in ("stale", "frozen") if each in self.faults)])
        found: list[tuple[FakeTruck, Report]] = []
        for truck in self.trucks:
            report = truck.report(seen, self.zone)
            if "frozen" in self.faults:
                report = Report(report.at + now - seen, report.speed, report.miles)
            if "ahead" in self.faults or truck.unit in self.wrong_clocks:
                report = Report(report.at + self.wrong_clocks.get(truck.unit, 8 * HOUR), report.speed, report.miles)
            found.append((truck, self._odometer(len(found), report)))
        return found

    def updates(self, since: float) -> list[tuple[FakeTruck, Report]]:
        """What dispatch heard of each truck since then."""
        now = min([self.clock(), *(self.faults[each] for each in ("stale",) if each in self.faults)])
        found: list[tuple[FakeTruck, Report]] = []
        for truck in self.trucks:
            phase = truck.number * 41.0 % _UPDATES
            last = truck.report(now - (now - phase) % _UPDATES, self.zone)
            found.append((truck, self._odometer(len(found), last)))
        return [each for each in found if each[1].at >= since]

    def _odometer(self, number: int, report: Report) -> Report:
        """A report of the truck of this number with the odometer that this vendor has of it."""
        wrong = "odometers" in self.faults and number < _WRONG
        return replace(report, miles=report.miles * _TOO_HIGH) if wrong else report

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off; what is true now. Raises `VendorError` saying what is accepted."""
        if action == "heal":
            self.faults.clear()
            self.wrong_clocks.clear()
        elif action in FAULTS:
            self.faults[action] = self.clock()
        else:
            raise VendorError(f"{self.name}={action}: a feed's vendor can be: {', '.join(FAULTS)}, heal\n{LIST}")
        return f"{self.name}: {self.truth()}"

    def truth(self) -> str:
        """What is really so, in words."""
        return ", ".join(self.faults) or "all well"
