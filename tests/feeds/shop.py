"""A maintenance system that takes over the odometers of telematics, and what goes wrong with that."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from tests.living import MINUTE
from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.telematics import FakeTruck

ACCOUNT = """\
  shop:
    platform: generic
    url: "{url}/shop"
    auth: {{bearer_file: secret}}
    rate: 1000/s"""
FEED = (
    "  meters: {{account: shop, poll: {poll}, path: /vehicles, records: vehicles, truck: name, time: meter_at,"
    " values: {{meter: meter_miles}}, shows: Maintenance, max_age: 30d}}"
)
_EVERY = 30 * MINUTE


class Shop:
    """`GET /vehicles`: the meter of each truck as telematics told it at the last half or full hour.

    `factors` multiply the meter of a unit; `unknown` are units that nobody entered; from `stopped` on nothing arrives.
    """

    def __init__(self, trucks: list[FakeTruck], clock: Callable[[], float], zone: ZoneInfo) -> None:
        self.trucks, self.clock, self.zone = trucks, clock, zone
        self.factors: dict[str, float] = {}
        self.unknown: set[str] = set()
        self.stopped: float | None = None

    def __call__(self, ask: Ask) -> Say:
        if ask.headers.get("authorization") != f"Bearer {SECRET}":
            return Say({"message": "who are you?"}, 401)
        now = self.clock() if self.stopped is None else min(self.clock(), self.stopped)
        return Say({"vehicles": [self._vehicle(each, now) for each in self.trucks if each.unit not in self.unknown]})

    def _vehicle(self, truck: FakeTruck, now: float) -> dict[str, object]:
        report = truck.report(now // _EVERY * _EVERY, self.zone)
        miles = report.miles * self.factors.get(truck.unit, 1.0)
        return {"name": truck.unit, "meter_miles": round(miles, 1), "meter_at": iso(report.at)}
