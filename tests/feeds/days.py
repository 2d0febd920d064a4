"""A fleet with the demo's vendors of telematics and dispatch over hours and days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from tests.living import MINUTE, Living
from tests.vendor import Answer, Asked
from yardlight.demo.faces import SECRET, Ask, Face
from yardlight.demo.feed_faces import LOADS, TELEMATICS, Loads, Telematics
from yardlight.demo.telematics import FeedVendor, fake_trucks

LA = ZoneInfo("America/Los_Angeles")
GPS = "shows: GPS positions, while_old: Do not quote ETAs., max_age: 5m, expected: when_moving"


class Days(Living):
    """From `start` on: accounts `telematics` and `dispatch` with the feeds `gps` and `loads` of so many trucks.

    `spoil` may answer in the vendors' place; `gps` and `more` are parts of the inventory.
    """

    def __init__(self, folder: Path, start: float, *, trucks: int = 60, nights: int = 0, step: float = MINUTE) -> None:
        super().__init__(folder, start, step)
        self.units = fake_trucks(trucks, nights=nights)
        self.telematics = FeedVendor("telematics", self.units, self.clock.time, LA)
        self.dispatch = FeedVendor("dispatch", self.units, self.clock.time, LA)
        self.faces: dict[str, Face] = {"telematics": Telematics(self.telematics), "dispatch": Loads(self.dispatch)}
        self.spoil: Callable[[Asked], Answer | None] = lambda asked: None
        self.gps, self.more, self.poll = GPS, "", "1m"
        self.account = TELEMATICS

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
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00", holidays: US}}}}
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
feeds:
  gps: {{account: telematics, poll: {self.poll}, {self.gps}}}
  loads: {{account: dispatch, poll: {self.poll}, shows: Loads, max_age: 45m, expected: weekdays}}
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
