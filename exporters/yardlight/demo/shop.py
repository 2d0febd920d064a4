"""The maintenance system of the demo: it takes over the odometers of telematics, and what goes wrong with that."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.telematics import MINUTE, FakeTruck, VendorError

NAME = "shop"
_WRONG, _UNKNOWN, _FACTOR = 12, 5, 1.08
LIST = """\
Or the maintenance system (it takes over odometers):
  shop=behind                     nothing arrives in it any more; it can be read (told after five minutes)
  shop=wrong                      the odometers of 12 trucks are 8 % too high in it (told after ten minutes)
  shop=unknown                    5 trucks were never entered in it (told after a quarter of an hour)
  shop=down                       its API answers with errors
  shop=heal                       everything is well again"""


class Shop:
    """`GET /vehicles`: the meter of each truck as telematics told it last, which it does each `every` seconds.

    `factors` multiply the meter of a unit; `unknown` are units that nobody entered; from `stopped` on nothing arrives.
    """

    def __init__(
        self, trucks: list[FakeTruck], clock: Callable[[], float], zone: ZoneInfo, every: float = 2 * MINUTE
    ) -> None:
        self.trucks, self.clock, self.zone, self.every = trucks, clock, zone, every
        self.factors: dict[str, float] = {}
        self.unknown: set[str] = set()
        self.stopped: float | None = None
        self.down = False

    def __call__(self, ask: Ask) -> Say:
        if self.down:
            return Say({"message": "service unavailable"}, 503)
        if ask.headers.get("authorization") != f"Bearer {SECRET}":
            return Say({"message": "who are you?"}, 401)
        now = self.clock() if self.stopped is None else min(self.clock(), self.stopped)
        return Say({"vehicles": [self._vehicle(each, now) for each in self.trucks if each.unit not in self.unknown]})

    def _vehicle(self, truck: FakeTruck, now: float) -> dict[str, object]:
        report = truck.report(now // self.every * self.every, self.zone)
        miles = report.miles * self.factors.get(truck.unit, 1.0)
        return {"name": truck.unit, "meter_miles": round(miles, 1), "meter_at": iso(report.at)}

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off; what is true now. Raises `VendorError` saying what is accepted."""
        units = [truck.unit for truck in self.trucks]
        if action == "behind":
            self.stopped = self.clock()
        elif action == "wrong":
            self.factors = dict.fromkeys(units[:_WRONG], _FACTOR)
        elif action == "unknown":
            self.unknown = set(units[-_UNKNOWN:])
        elif action == "down":
            self.down = True
        elif action == "heal":
            self.stopped, self.factors, self.unknown, self.down = None, {}, set(), False
        else:
            raise VendorError(
                f"{NAME}={action}: the maintenance system can be: behind, wrong, unknown, down, heal\n{LIST}"
            )
        return f"{NAME}: {self.truth()}"

    def truth(self) -> str:
        """What is really so, in words."""
        said = {
            "nothing arrives": self.stopped is not None,
            f"{len(self.factors)} odometers are wrong": bool(self.factors),
            f"{len(self.unknown)} trucks are not in it": bool(self.unknown),
            "down": self.down,
        }
        return ", ".join(what for what, is_so in said.items() if is_so) or "all well"
