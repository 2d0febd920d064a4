"""A made-up carrier's quarter: what its drivers did, what their logs say of it, and what GPS saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from yardlight.feeds.duty import Entry, Status
from yardlight.feeds.hos import Movement

ZONE = ZoneInfo("America/Chicago")
# Where drivers and their trucks are at home, by what clock.
HOMES = {
    "gary": "America/Chicago",
    "denver": "America/Denver",
    "fontana": "America/Los_Angeles",
    "mesa": "America/Phoenix",
}
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
Truth = set[tuple[str, str, date]]
# What a log hides: one leg of a shift, its first or last miles, or all of it.
HIDDEN = ("leg", "begin", "end", "shift")


@dataclass
class Quarter:
    """Entries come with when they can be read. `wrong` are the driver-days on which the log hides driving.

    `grey` are those on which it hides so little that either answer is right; so are days of `paper` trucks on which
    nobody was logged in, whose drivers never are. `homes` are those of drivers and trucks. A tracker speaks `every` so
    many seconds; those in `jumpy` see their parked truck move now and then, those in `silent` say nothing while parked.
    """

    entries: list[tuple[float, Entry]] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    wrong: Truth = field(default_factory=set)
    grey: Truth = field(default_factory=set)
    nobody: set[tuple[str, date]] = field(default_factory=set)
    paper: set[tuple[str, date]] = field(default_factory=set)
    homes: dict[str, str] = field(default_factory=dict)
    every: dict[str, float] = field(default_factory=dict)
    jumpy: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    end: float = 0.0


def quarter(seed: int, drivers: int = 200, start: date = date(2026, 1, 1), days: int = 90) -> Quarter:
    """The quarter of one seed: solo drivers, teams, slip seats, paper logs, personal use, yards, late logs, homes.

    A pair is a driver by day and one by night on one truck.
    """
    random, made = Random(seed), Quarter()
    for number in range(drivers):
        kind = random.choices(("solo", "team", "paper", "slip", "pair"), (74, 8, 5, 7, 6))[0]
        trucks = [f"t{number}", *([f"t{number}b"] if kind == "slip" else [])]
        for truck in trucks:
            made.every[truck] = random.choice((1, 2, 5, 5, 15)) * MINUTE
            for habit in (made.jumpy, made.silent):
                if random.random() < 0.3:
                    habit.add(truck)
        home = random.choice(list(HOMES))
        for name, hour in ((f"d{number}", 5.0), (f"d{number}n", 17.0)) if kind == "pair" else ((f"d{number}", None),):
            _Driver(random, made, name, kind, trucks, home, hour).drive(start, days)
    made.end = datetime.combine(start + timedelta(days=days), time.min, ZONE).timestamp() + 3 * DAY
    return made


@dataclass
class _Driver:
    random: Random
    made: Quarter
    name: str
    kind: str
    trucks: list[str]
    home: str
    # When a shift begins, for who has to bring the truck back in time.
    hour: float | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(HOMES[self.home])

    def drive(self, start: date, days: int) -> None:
        self.made.homes |= dict.fromkeys((self.name, f"{self.name}m", *self.trucks), self.home)
        if self.kind == "paper":
            self.made.elsewhere.add(self.name)
        # Some vendors name the truck on every line, some only at the wheel.
        names_always = self.random.random() < 0.5
        night = self.random.random() < 0.2
        for index in range(days):
            day = start + timedelta(days=index)
            if day.weekday() >= 5 and self.random.random() < 0.8:
                if self.random.random() < 0.03 and self.kind != "pair":
                    self._by_nobody(day)
                continue
            hour = self.hour or (20.0 if night else 4.0 + self.random.random() * 4)
            at = datetime.combine(day, time.min, self.zone).timestamp() + hour * HOUR
            # Before a log begins it hides nothing.
            hides = self.random.choices(("", *HIDDEN), (300, 2, 1, 1, 1))[0] if index > 3 else ""
            if self.kind in ("team", "paper", "slip") and hides:
                hides = "leg"
            late = self.random.choice((0.0, 0.0, 0.0, 0.0, self.random.uniform(2, 40) * HOUR))
            for driver, status, begin, truck in self._shift(at, hides):
                named = truck if names_always or status not in ("off_duty", "sleeper") else ""
                self.made.entries.append((begin + late, Entry(driver, status, begin, None, named)))

    def _shift(self, at: float, hides: str) -> list[tuple[str, Status, float, str]]:
        """A day's work, and what the log says of it: who, what, from when on, on which truck."""
        r, truck = self.random, self.random.choice(self.trucks)
        log: list[tuple[str, Status, float, str]] = []
        mate = f"{self.name}m" if self.kind == "team" else ""

        def write(driver: str, status: Status, begin: float) -> None:
            log.append((driver, status, begin, truck))

        if mate:
            write(mate, "sleeper", at)
        write(self.name, "on_duty", at)
        at += r.uniform(10, 30) * MINUTE
        if r.random() < 0.3:
            write(self.name, "yard_move", at)
            at = self._moves(truck, at, r.uniform(3, 20) * MINUTE, r.uniform(3, 8))
            write(self.name, "on_duty", at)
            at += 5 * MINUTE
        legs = 4 if hides == "shift" else r.randint(2, 2 if self.kind == "pair" else 4)
        for leg in range(legs):
            length = r.uniform(40, 160) * MINUTE
            driver = mate if mate and leg % 2 else self.name
            wheel, stop = at + r.uniform(-1, 1) * MINUTE, at + length + r.uniform(-1, 1) * MINUTE
            if hides == "shift":
                self._hidden(driver, truck, at, at + length)
            if hides == "leg" and leg == 1:
                length = r.uniform(25, 90) * MINUTE
                stop = at + length
                write(driver, r.choice(("off_duty", "sleeper")), at)
                self._hidden(driver, truck, at, stop)
            else:
                if hides == "begin" and leg == 0:
                    wheel = at + length * r.uniform(0.6, 0.9)
                    log.clear()
                    self._hidden(driver, truck, at, wheel)
                elif hides == "end" and leg == legs - 1:
                    stop = at + length * r.uniform(0.1, 0.4)
                    self._hidden(driver, truck, stop, at + length)
                write(driver, "driving", wheel)
            if mate:
                write(self.name if driver == mate else mate, "sleeper", at)
            at = self._moves(truck, at, length, r.uniform(20, 31))
            write(driver, "off_duty" if hides == "end" else r.choice(("on_duty", "off_duty")), stop)
            at += r.uniform(20, 60) * MINUTE
        if r.random() < 0.15 and not hides:
            write(self.name, "personal", at)
            at = self._moves(truck, at, r.uniform(10, 50) * MINUTE, 25.0)
        write(self.name, "off_duty", at)
        if mate:
            write(mate, "off_duty", at)
        return [] if hides == "shift" else log

    def _moves(self, truck: str, at: float, length: float, speed: float) -> float:
        """GPS sees most of it, in pieces, with a clock of its own."""
        start, end = at, at + length
        while start < end:
            piece = min(end, start + self.random.uniform(15, 90) * MINUTE)
            off = self.random.uniform(-1.5, 1.5) * MINUTE
            self.made.movements.append(Movement(truck, start + off, piece + off, speed))
            start = piece + self.random.uniform(0, 2) * MINUTE
        return end

    def _hidden(self, driver: str, truck: str, start: float, end: float) -> None:
        if self.kind == "paper":
            return
        plain = 14 * MINUTE + 2 * self.made.every[truck]
        for day, seconds in _days(start, end, self.zone):
            (self.made.wrong if seconds > plain else self.made.grey).add((driver, truck, day))

    def _by_nobody(self, day: date) -> None:
        """On a Sunday somebody takes the truck to the wash; the ELD notes it without a driver, or nothing does."""
        start = datetime.combine(day, time(15), self.zone).timestamp()
        truck = self.trucks[0]
        end = self._moves(truck, start, self.random.uniform(20, 60) * MINUTE, 15.0)
        self.made.entries.append((end, Entry("", "driving", start - 60, end + 120, truck)))
        (self.made.paper if self.kind == "paper" else self.made.nobody).add((truck, day))


def _days(start: float, end: float, zone: ZoneInfo) -> Iterator[tuple[date, float]]:
    first = datetime.fromtimestamp(start, zone).date()
    midnight = datetime.combine(first + timedelta(days=1), time.min, zone).timestamp()
    yield first, min(end, midnight) - start
    if end > midnight:
        yield first + timedelta(days=1), end - midnight
