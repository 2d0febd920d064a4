"""Whose day begins when: a driver's log is kept by the clock of the home terminal, wherever the truck is. Pure.

49 CFR 395.8(d) has the 24-hour period of a log begin where the driver is at home. What moved with nobody logged in is a
day of the truck, by its own home. Days run from midnight to midnight, 23 or 25 hours where a clock is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.intervals import Interval
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet
from yardlight.inventory.roster import Driver, Truck


class Homes(Model):
    """The time zones of drivers and trucks by their names on the roster, where they are not the fleet's `zone`."""

    zone: str
    drivers: dict[str, str] = {}
    trucks: dict[str, str] = {}

    @classmethod
    def of(cls, fleet: Fleet) -> Self:
        """By the home terminals of the roster."""
        zones = {name: each.timezone for name, each in fleet.terminals.items() if each.timezone != fleet.timezone}
        return cls(
            zone=fleet.timezone,
            drivers=_away(((each.code, each) for each in fleet.roster.drivers), zones),
            trucks=_away(((each.name, each) for each in fleet.roster.trucks), zones),
        )

    def driver(self, code: str) -> ZoneInfo:
        """The clock by which a driver keeps the log."""
        return ZoneInfo(self.drivers.get(code, self.zone))

    def truck(self, name: str) -> ZoneInfo:
        """The clock of a truck's home."""
        return ZoneInfo(self.trucks.get(name, self.zone))

    def spans(self, day: date) -> dict[ZoneInfo, Interval]:
        """When this day is, by each of the clocks."""
        return {zone: span(day, zone) for zone in self.zones}

    @property
    def zones(self) -> list[ZoneInfo]:
        """All that there are."""
        return [ZoneInfo(name) for name in sorted({self.zone, *self.drivers.values(), *self.trucks.values()})]


def _away(named: Iterable[tuple[str, Driver | Truck]], zones: Mapping[str, str]) -> dict[str, str]:
    return {name: zones[each.terminal] for name, each in named if each.terminal is not None and each.terminal in zones}


def span(day: date, zone: ZoneInfo) -> Interval:
    """From midnight to midnight."""
    start, end = (instant(datetime.combine(each, time.min), zone) for each in (day, day + timedelta(days=1)))
    return start, end


def by_day(piece: Interval, zone: ZoneInfo) -> Iterator[tuple[date, Interval]]:
    """A stretch of time by the local days that it touches."""
    start, end = piece
    while start < end:
        day = datetime.fromtimestamp(start, zone).date()
        _, midnight = span(day, zone)
        yield day, (start, min(end, midnight))
        start = min(end, midnight)
