"""A fleet with the demo's vendors of telematics and dispatch over hours and days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from tests.living import MINUTE, Living
from tests.vendor import Answer, Asked
from yardlight.demo.faces import SECRET, Ask, Face, Say, iso
from yardlight.demo.feed_faces import LOADS, TELEMATICS, Loads, Telematics
from yardlight.demo.telematics import FakeTruck, FeedVendor, Report, fake_trucks

LA = ZoneInfo("America/Los_Angeles")
GPS = "account: telematics, shows: GPS positions, while_old: Do not quote ETAs., max_age: 5m, expected: when_moving"


class Samsara:
    """The vehicles of a vendor as Samsara tells of them, with `key` as its token."""

    def __init__(self, vendor: FeedVendor, key: str = SECRET) -> None:
        self.vendor, self.key = vendor, key

    def __call__(self, ask: Ask) -> Say:
        if "down" in self.vendor.faults:
            return Say({"message": "Service Unavailable"}, 503)
        if ask.headers.get("authorization") != f"Bearer {self.key}":
            return Say({"message": "Invalid token.", "requestId": "1"}, 401)
        end = {"endCursor": "c", "hasNextPage": False}
        if ask.path.endswith("/gateways"):
            return Say({"data": [], "pagination": end})
        return Say({"data": [self._vehicle(*each) for each in self.vendor.reports()], "pagination": end})

    def _vehicle(self, truck: FakeTruck, report: Report) -> dict[str, Any]:
        latitude, longitude = truck.place(report)
        gps = {"time": iso(report.at), "latitude": latitude, "longitude": longitude, "speedMilesPerHour": report.speed}
        meters = {"time": iso(report.at), "value": round(report.miles * 1609.344)}
        return {"id": f"{281474 + truck.number}", "name": truck.unit, "gps": gps, "obdOdometerMeters": meters}


@dataclass
class StatusPage:
    """The status page of a platform; `state` is that of its API, and `down` that of the page."""

    state: str = "operational"
    down: bool = False

    def __call__(self, ask: Ask) -> Say:
        if self.down:
            return Say({"message": "unavailable"}, 503)
        components = [{"id": "a", "name": "API", "status": self.state, "group": False}]
        return Say({"page": {"id": "x"}, "components": components, "status": {"indicator": "none"}})


class Days(Living):
    """From `start` on: accounts `telematics` and `dispatch` with the feeds `gps` and `loads` of so many trucks.

    `samsara` tells of the same trucks, for who asks. `spoil` may answer in the vendors' place; `gps`, `accounts` and
    `more` are parts of the inventory.
    """

    def __init__(
        self,
        folder: Path,
        start: float,
        *,
        trucks: int = 12,
        nights: int = 0,
        step: float = MINUTE,
        fleet: str = "inland",
    ) -> None:
        super().__init__(folder, start, step)
        self.fleet = fleet
        self.units = fake_trucks(trucks, nights=nights)
        self.telematics = FeedVendor("telematics", self.units, self.clock.time, LA)
        self.dispatch = FeedVendor("dispatch", self.units, self.clock.time, LA)
        self.samsara, self.page_of_samsara = Samsara(self.telematics), StatusPage()
        self.faces: dict[str, Face] = {
            "telematics": Telematics(self.telematics), "dispatch": Loads(self.dispatch), "samsara": self.samsara,
            "status": self.page_of_samsara,
        }  # fmt: skip
        self.spoil: Callable[[Asked], Answer | None] = lambda asked: None
        self.gps, self.more, self.poll, self.loads_age = GPS, "", "1m", "45m"
        self.account, self.accounts, self.timezone = TELEMATICS, "", "America/Los_Angeles"

    def __enter__(self) -> Self:
        super().__enter__()
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        rows = [f"{each.unit},fontana" for each in self.units]
        (self.folder / "trucks.csv").write_text("\n".join(["truck,terminal", *rows]) + "\n", encoding="utf-8")
        return self

    def answer(self, asked: Asked) -> Answer:
        if (spoiled := self.spoil(asked)) is not None:
            return spoiled
        _, vendor, path = asked.path.split("/", 2)
        query = "&".join(f"{key}={value}" for key, value in asked.query.items())
        said = self.faces[vendor](Ask(asked.method, f"/{path}?{query}", asked.headers, asked.body))
        return Answer(said.content, said.status, said.headers)

    def write(self) -> None:
        """The inventory as it is now."""
        url = self.vendor.url
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: {self.fleet}
timezone: {self.timezone}
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00", holidays: US}}, nights: {{hours: "01:00-04:00"}}}}
roster: {{trucks: trucks.csv}}
accounts:
  telematics:
    platform: generic
    url: "{url}/telematics"
    auth: {{bearer_file: secret}}
    rate: 1000/s
{self.account}
  dispatch:
    platform: generic
    url: "{url}/dispatch"
    auth: {{bearer_file: secret}}
    rate: 1000/s
{LOADS}
{self.accounts}
feeds:
  gps: {{poll: {self.poll}, {self.gps}}}
  loads: {{account: dispatch, poll: {self.poll}, shows: Loads, max_age: {self.loads_age}, expected: weekdays}}
{self.more}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the page as it is now; None if there is none."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = (line for each in self.page() for line in each.body.decode().splitlines())
        found = [
            float(line.split()[-1])
            for line in lines
            if line.startswith(f"yardlight_{name}{{") and all(each in line for each in wanted)
        ]
        assert len(found) <= 1, found
        return found[0] if found else None

    def note(self, into: dict[str, Any], key: str, name: str, **labels: str) -> Callable[[], None]:
        """What puts down a sample when it is called."""
        return lambda: into.__setitem__(key, self.value(name, **labels))
