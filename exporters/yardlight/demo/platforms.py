"""The carriers of the demo and their platforms on loopback: three accounts, of three kinds, on one port.

Whatever the date, each cycle ends nine days from now, and what is used is well under the cap until a fault says
otherwise. Twelve trucks live at the three terminals.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import web

from yardlight.demo import Ports
from yardlight.demo.carrier import UTC, Carrier, fake_sims
from yardlight.demo.faces import SECRET, USER, Ask, ControlCenter, Face, SuperSim, ThingSpace

_MB, _GB = 10**6, 10**9
_DAYS_LEFT = 9
_HOMES = ("fontana", "stockton", "reno")
SECTION = """\
roster: {{trucks: trucks.csv}}
accounts:
  verizon:
    platform: thingspace
    account_name: "0000000000-00001"
    client_id: {user}
    client_secret_file: carrier-secret
    username: {user}
    password_file: carrier-secret
    url: "{url}/verizon"
    rate: 100/s
  att:
    {{platform: control_center, network: att, username: {user}, api_key_file: carrier-secret, url: "{url}/att",
     rate: 100/s}}
  kore:
    {{platform: super_sim, network: kore, client_id: {user}, client_secret_file: carrier-secret, url: "{url}/kore"}}
cellular:
  verizon-tablets:
    {{account: verizon, poll: 15s, deadline: 10s, cycle: {{day: {day}}}, pools: {{tablets: {{cap: 8 GB}}}}}}
  att-tablets:
    {{account: att, poll: 15s, deadline: 10s, cycle: {{day: {day}}}, pools: {{spares: {{cap: 6 GB}}}}}}
  # Each of these SIMs has 30 days of its own, and the limit that its fleet at KORE has.
  kore-tablets: {{account: kore, poll: 15s, deadline: 10s}}
"""


class Platforms:
    """Three carriers, each behind a platform's face; `start` to `stop` they answer."""

    def __init__(self, ports: Ports, clock: Callable[[], float] = time.time) -> None:
        self.url = f"http://127.0.0.1:{ports.carriers}"
        self._port = ports.carriers
        self._runner: web.AppRunner | None = None
        self.day = min((datetime.fromtimestamp(clock(), UTC) + timedelta(days=_DAYS_LEFT)).day, 28)
        sims = {
            "verizon": fake_sims("T", 6, 35 * _MB),
            "att": fake_sims("T", 4, 25 * _MB, first=107),
            "kore": fake_sims("T", 2, 10 * _MB, first=111),
        }
        for sim in sims["kore"]:
            sim.activated = clock() - (60 - _DAYS_LEFT) * 86400.0
        caps = {"verizon": 8 * _GB, "att": 6 * _GB, "kore": 2 * _GB}
        self.carriers = {name: Carrier(name, each, clock, caps[name], day=self.day) for name, each in sims.items()}
        self.faces: dict[str, Face] = {
            "verizon": ThingSpace(self.carriers["verizon"]),
            "att": ControlCenter(self.carriers["att"], rate=100.0),
            "kore": SuperSim(self.carriers["kore"], 1000, f"{self.url}/kore"),
        }

    async def start(self) -> None:
        """Answer. Raises `OSError` when the port is taken."""
        application = web.Application()
        application.router.add_route("*", "/{carrier}/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def switch(self, fault: str) -> str | None:
        """Switch a fault of a carrier; None for what is no carrier's. Raises `CarrierError`."""
        name, _, action = fault.strip().partition("=")
        return self.carriers[name].switch(action) if name in self.carriers else None

    def section(self) -> str:
        """Their part of fleet.yml."""
        return SECTION.format(url=self.url, user=USER, day=self.day)

    def write(self, folder: Path) -> None:
        """The files that their part of fleet.yml names."""
        (folder / "carrier-secret").write_text(SECRET + "\n", encoding="utf-8")
        sims = [sim for carrier in self.carriers.values() for sim in carrier.sims.values()]
        rows = [f"{sim.name},{sim.iccid},{_HOMES[number % 3]}" for number, sim in enumerate(sims)]
        (folder / "trucks.csv").write_text("\n".join(["truck,sims,terminal", *rows]) + "\n", encoding="utf-8")

    async def _answer(self, request: web.Request) -> web.Response:
        face = self.faces.get(request.match_info["carrier"])
        if face is None:
            return web.json_response({"error": "no such carrier"}, status=404)
        target = str(request.rel_url).removeprefix(f"/{request.match_info['carrier']}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        said = face(Ask(request.method, target, headers, await request.read()))
        return web.json_response(said.content, status=said.status, headers=dict(said.headers))
