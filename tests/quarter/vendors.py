"""The vendors of the script over one window: polls, collections, client and domains as shipped, on a clock that jumps.

Only the wire is left out: a request is answered where it would be sent.

Eight accounts of telematics and dispatch with five feeds each, and the tablets of their trucks in an MDM. Trucks rest
at night, at weekends, on holidays and while their drivers are on vacation; so do their tablets.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import holidays
import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from tests.living import DAY, HOUR, MINUTE, Living
from tests.mdm.days import spoken
from tests.quarter.script import BEGIN, END, LA, MDM, OF_VENDORS, VENDORS, Event, Script
from tests.quarter.yards import Window
from tests.rules.yard import FIBER, Yard, measured
from tests.vendor import Answer, Asked
from yardlight import client
from yardlight.demo.faces import SECRET
from yardlight.demo.feed_faces import Loads, Telematics
from yardlight.demo.mdm import FakeTablet, Mdm
from yardlight.demo.mdm_faces import Intune
from yardlight.demo.telematics import FakeTruck, FeedVendor, fake_trucks

# Trucks of each vendor that drive by night and at weekends.
NIGHTS = 4
# Who takes a week off in the quarter, and who stays at home over Christmas.
VACATION, CHRISTMAS = 0.3, 0.4
# Of so many collections of a vendor one is answered with an error.
_FAILS = 300
_POSITIONS = (
    "path: /positions, records: vehicles, truck: unit, time: reported_ms, "
    "paging: {cursor: page.cursor, param: after, more: page.more}"
)
_LOADS = (
    'path: /loads, params: {updated_since: "{since}"}, records: loads, id: load, truck: unit, time: updated_at, '
    "paging: {next: next}"
)
FEEDS = {
    "gps": f"{_POSITIONS}, moving: speed_mph, poll: 5m, max_age: 15m, expected: when_moving",
    "loads": f"{_LOADS}, poll: 5m, max_age: 45m, expected: weekdays",
    "meters": f"{_POSITIONS}, values: {{odometer: odometer}}, poll: 15m, max_age: 2h",
    "duty": f"{_POSITIONS}, poll: 10m, max_age: 90m, expected: weekdays",
    "checks": f"{_LOADS}, poll: 15m, expected: on_change",
}


def windows(script: Script, quiet: int, around: float, rng: random.Random) -> list[Window]:
    """One around each fault at a vendor, and so many random ones without any."""
    faults = [each for each in script.events if each.kind in OF_VENDORS]
    found = [
        Window("vendors", f"vendors{number:03}", each.begin - around, each.end + around, each.where)
        for number, each in enumerate(faults)
    ]
    for number in range(quiet):
        while True:
            begin = rng.uniform(BEGIN, END - 2 * around) // MINUTE * MINUTE
            if not any(each.near(begin - HOUR, begin + 2 * around) for each in faults):
                break
        found.append(Window("calm", f"calm{number:03}", begin, begin + 2 * around, (*VENDORS, MDM)))
    return found


def lines(script: Script, window: Window, trucks: int, folder: Path) -> Iterator[tuple[str, str]]:
    """All series of the window in promtool's notation; so many trucks and tablets in all."""
    with Fleet(script, window, trucks, folder) as fleet:
        fleet.until(window.end)
        yield from measured((Yard(fleet=window.name, name="yard00", lines={"fiber": FIBER}),), window.length)
        for name, values in fleet.history.lines():
            # One platform to itself: what fails in two fleets at once would be called its outage.
            yield name.replace('platform="', f'platform="{window.name} '), values


class Wire(BaseAdapter):
    """Answers requests in this process."""

    def __init__(self, script: Callable[[Asked], Answer]) -> None:
        super().__init__()
        self._script = script

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        parts = urlsplit(request.url or "")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method or "", parts.path, dict(parse_qsl(parts.query)), headers, body, parts.query)
        said = self._script(asked)
        response = Response()
        response.status_code, response.url, response.request = said.status, request.url or "", request
        response.headers.update({"Content-Type": "application/json", **said.headers})
        response.raw = BytesIO(json.dumps(said.content).encode())
        return response

    def close(self) -> None:
        """There is nothing to close."""


class Tablets(Mdm):
    """Tablets that are switched on while their truck is driven."""

    trucks: dict[str, FakeTruck]

    def spoke(self, tablet: FakeTablet) -> float | None:
        if tablet.last_word is not None:
            return tablet.last_word
        began, stopped = self.trucks[tablet.name]._drive(self.clock(), LA)
        return stopped if began is None else self.clock() - (self.clock() - began) % (30 * MINUTE)


class Fleet(Living):
    """The vendors from the beginning of the window on, with what the script has for them."""

    def __init__(self, script: Script, window: Window, trucks: int, folder: Path) -> None:
        super().__init__(folder, window.begin)
        self.name = window.name
        self._chance = random.Random(f"{window.name} {trucks}")
        each = trucks // len(VENDORS)
        self.vendors = {
            name: FeedVendor(name, _trucks(number, each, self._chance), self.clock.time, LA)
            for number, name in enumerate(VENDORS)
        }
        of_tablets = {f"T-{truck.unit}": truck for vendor in self.vendors.values() for truck in vendor.trucks}
        enrolled = BEGIN - 300 * DAY
        tablets = [FakeTablet(name, f"YLDEMO{name[2:]}", "drivers", int(name[2:]), enrolled) for name in of_tablets]
        self.mdm = Tablets(MDM, tablets, self.clock.time)
        self.mdm.trucks = of_tablets
        self._intune = Intune(self.mdm)
        self._faces = {f"{name}/positions": Telematics(vendor) for name, vendor in self.vendors.items()}
        self._faces |= {f"{name}/loads": Loads(vendor) for name, vendor in self.vendors.items()}
        for event in script.events:
            if event.kind in OF_VENDORS and event.near(window.begin, window.end):
                self.at(event.begin, self._begins(event))
                self.at(event.end, self._ends(event))

    def __enter__(self) -> Self:
        super().__enter__()
        patched = self._stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(client, "HTTPAdapter", lambda max_retries: Wire(self.answer))
        self._intune.base = self.vendor.url
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        return self

    def answer(self, asked: Asked) -> Answer:
        first, _, path = asked.path.removeprefix("/").partition("/")
        if first not in self.vendors:
            return spoken(self._intune)(asked)
        if self._chance.random() < 1 / _FAILS:
            return Answer({"message": "bad gateway"}, 502)
        return spoken(self._faces[f"{first}/{path}"])(replace(asked, path=f"/{path}"))

    def _begins(self, event: Event) -> Callable[[], object]:
        (where,) = event.where
        if event.kind.startswith("vendor "):
            return lambda: self.vendors[where].switch(event.kind.removeprefix("vendor "))
        if event.kind == "mdm down":
            return lambda: self.mdm.switch("down")
        if event.kind == "wipe":
            return lambda: self.mdm.switch(f"wipe={self.mdm.tablets[0].name}")
        if event.kind == "clean-up":
            return lambda: self.mdm.switch("clean-up")
        return lambda: self.mdm.silence(self.mdm.tablets[::4], event.begin - 5 * DAY)

    def _ends(self, event: Event) -> Callable[[], object]:
        (where,) = event.where
        return lambda: (self.vendors[where] if where in self.vendors else self.mdm).switch("heal")  # noqa: SIM401

    def write(self) -> None:
        rows = [
            f"{truck.unit},T-{truck.unit}=YLDEMO{truck.unit},drivers,yard00,active"
            for v in self.vendors.values()
            for truck in v.trucks
        ]
        (self.folder / "trucks.csv").write_text(
            "\n".join(["truck,tablet,group,terminal,status", *rows]) + "\n", encoding="utf-8"
        )
        url = self.vendor.url
        accounts = "".join(
            f'  {name}: {{platform: generic, url: "{url}/{name}", auth: {{bearer_file: secret}}, rate: 1000/s}}\n'
            for name in VENDORS
        )
        feeds = "".join(
            f"  {kind}{number}: {{account: {name}, shows: {kind} of {name}, {words}}}\n"
            for number, name in enumerate(VENDORS)
            for kind, words in FEEDS.items()
        )
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: {self.name}
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00", holidays: US}}}}
roster: {{trucks: trucks.csv}}
accounts:
  {MDM}: {{platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret, rate: 1000/s,
         login_url: "{url}", url: "{url}"}}
{accounts}
mdm: {{tablets: {{account: {MDM}, groups: {{drivers: {{duty: weekdays, stale_after: 12h}}}}}}}}
feeds:
{feeds}
terminals:
  yard00: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )


def _trucks(number: int, count: int, rng: random.Random) -> list[FakeTruck]:
    """The trucks of a vendor, with the days on which each stands."""
    found = fake_trucks(count, first=10_000 * (number + 1), nights=NIGHTS)
    public = frozenset(holidays.country_holidays("US", years=(2026, 2027)))
    first = datetime.fromtimestamp(BEGIN, LA).date()
    for truck in found[NIGHTS:]:
        off = set(public)
        if rng.random() < VACATION:
            week = first + timedelta(days=rng.randrange(85))
            off |= {week + timedelta(days=day) for day in range(7)}
        if rng.random() < CHRISTMAS:
            off |= {date(2026, 12, 24) + timedelta(days=day) for day in range(9)}
        truck.off = frozenset(off)
    return found
