"""An ELD vendor: the logs of the drivers of a fleet's trucks, and what they wrote instead of what they did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.living import DAY, HOUR
from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.telematics import FakeTruck

ACCOUNT = """\
  eld:
    platform: generic
    url: "{url}/eld"
    auth: {{bearer_file: secret}}
    rate: 1000/s"""
FEED = (
    '  logs: {{account: eld, poll: {poll}, path: /logs, params: {{since: "{{since}}"}}, overlap: 3d, records: logs,'
    " id: driver, time: begin, truck: unit, driver: driver, duty: status, on_change: true}}"
)


@dataclass(frozen=True)
class Line:
    """A line of a log; the vendor has it `late` so many seconds after it began."""

    driver: str
    unit: str
    begin: float
    status: str
    late: float = 0.0


@dataclass
class Eld:
    """`GET /logs?since=`. Each truck's driver is named like it, d101, and logs what the truck does.

    `written` are lines that stand there besides; from `hides` of a driver on, the log of that day says off duty.
    `silent` drivers keep no log.
    """

    trucks: list[FakeTruck]
    clock: Callable[[], float]
    zone: ZoneInfo
    written: list[Line] = field(default_factory=list)
    hides: dict[str, float] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    late: dict[str, float] = field(default_factory=dict)

    def __call__(self, ask: Ask) -> Say:
        if ask.headers.get("authorization") != f"Bearer {SECRET}":
            return Say({"message": "who are you?"}, 401)
        since, now = datetime.fromisoformat(ask.query["since"]).timestamp(), self.clock()
        every = [*self.written, *(line for truck in self.trucks for line in self._lines(truck, now))]
        told = [each for each in every if since <= each.begin and each.begin + each.late <= now]
        return Say({"logs": [_row(each) for each in sorted(told, key=lambda line: line.begin)]})

    def _lines(self, truck: FakeTruck, now: float) -> list[Line]:
        driver, found = f"d{truck.unit}", list[Line]()
        day = datetime.fromtimestamp(now - 12 * DAY, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        while driver not in self.silent and day.timestamp() <= now:
            if truck.weekends or day.weekday() < 5:
                begin = day.timestamp() + truck.starts * HOUR
                end = begin + truck.drives * HOUR
                hidden = self.hides.get(driver, 0.0)
                # Off duty before the day's driving is over.
                stops = hidden if begin < hidden < end else end
                late = self.late.get(driver, 0.0)
                found += [
                    Line(driver, truck.unit, begin, "driving", late), Line(driver, truck.unit, stops, "off_duty", late)
                ]  # fmt: skip
            day += timedelta(days=1)
        return found


def _row(line: Line) -> dict[str, Any]:
    return {"driver": line.driver, "unit": line.unit, "begin": iso(line.begin), "status": line.status}
