"""A fleet with the demo's MDMs over hours and days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.living import DAY, HOUR, MINUTE, Living
from tests.mdm.talk import service_account
from tests.vendor import Answer, Asked, Script
from yardlight.demo.faces import SECRET, Ask, Face, iso
from yardlight.demo.mdm import Mdm, fake_tablets
from yardlight.demo.mdm_faces import ENTERPRISE, AndroidManagement, Intune

TABLETS = 100
DRIVERS = 'stale_after: 12h, os: {android: "13"}, apps: {com.example.eld: {min: "24.1"}}'


def spoken(face: Face) -> Script:
    """A face of the demo as a vendor's script."""

    def script(asked: Asked) -> Answer:
        target = f"{asked.path}?{'&'.join(f'{key}={value}' for key, value in asked.query.items())}"
        said = face(Ask(asked.method, target, asked.headers, asked.body))
        return Answer(said.content, said.status, said.headers)

    return script


class Days(Living):
    """From `start` (unix seconds) on: the account `graph` with a hundred drivers' tablets, T-101 of truck 101 and on.

    `google` is the platform that tells of apps and policies. `spoil` may answer in the MDM's place. `positions` are
    what telematics says of trucks, if it is read: when it last heard of each (None: just now), and if it moved then.
    Use in a `with` block; `at` names things that happen, `until` lets time pass.
    """

    def __init__(
        self, folder: Path, start: float, *, google: bool = False, step: float = MINUTE, every: float = 8 * HOUR
    ) -> None:
        super().__init__(folder, start, step)
        fakes = fake_tablets(TABLETS, "drivers", enrolled=start - 300 * DAY)
        self.mdm = Mdm("graph", fakes, self.clock.time, every=every)
        self.intune, self.google = Intune(self.mdm), AndroidManagement(self.mdm) if google else None
        self.spoil: Callable[[Asked], Answer | None] = lambda asked: None
        self.duty, self.poll = "weekdays", "15m"
        self.positions: dict[str, tuple[float | None, bool]] = {}
        self.trucks = {
            each.name: f"{each.name.removeprefix('T-')},{each.name}={each.serial},drivers,,active" for each in fakes
        }

    def __enter__(self) -> Self:
        super().__enter__()
        self.intune.base = self.vendor.url
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        (self.folder / "key.json").write_text(service_account(), encoding="utf-8")
        return self

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/positions":
            return Answer({"data": [self._position(truck, *said) for truck, said in self.positions.items()]})
        face: Face = self.intune if self.google is None else self.google
        return self.spoil(asked) or spoken(face)(asked)

    def _position(self, truck: str, at: float | None, moves: bool) -> dict[str, object]:
        """At another place each second that it moves."""
        at = self.clock.time() if at is None else at
        return {"unit": truck, "time": iso(at), "speed": 60 * moves, "lat": 34.0 + moves * at % 86400 / 1e5}

    def write(self) -> None:
        """The inventory, with the roster as it is now."""
        rows = ["truck,tablet,group,terminal,status", *self.trucks.values()]
        (self.folder / "trucks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        url = self.vendor.url
        account = f'platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret, login_url: "{url}"'
        if self.google is not None:
            account = f'platform: android_management, enterprise: {ENTERPRISE}, key_file: key.json, login_url: "{url}"'
        telematics = f'gps: {{platform: generic, url: "{url}", auth: {{bearer_file: secret}}, rate: 1000/s}}'
        feed = """feeds: {gps: {account: gps, poll: 5m, path: /positions, records: "data[]", truck: unit, time: time,
       moving: speed, max_age: 1h, expected: when_moving}}"""
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00"}}, mornings: {{days: mon-sun, hours: "00:00-12:00"}}}}
roster: {{trucks: trucks.csv}}
accounts:
  graph: {{{account}, url: "{url}", rate: 1000/s}}
  {telematics if self.positions else ""}
mdm:
  tablets: {{account: graph, poll: {self.poll}, groups: {{drivers: {{duty: {self.duty}, {DRIVERS}}}}}}}
{feed if self.positions else ""}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )

    def count(self, state: str, group: str = "drivers") -> float:
        """How many tablets are in this state on the page as it is now."""
        wanted = f'group="{group}",state="{state}"'
        lines = (line for each in self.page() for line in each.body.decode().splitlines())
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("yardlight_devices{") and wanted in line
        )
