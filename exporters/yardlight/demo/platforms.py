"""The vendors of the demo on loopback: three carriers, two MDMs, telematics and dispatch, on one port.

Whatever the date, each cycle ends nine days from now, and what is used is well under the cap until a fault says
otherwise. Three hundred trucks live at the three terminals, each with a tablet; twelve of them have SIMs, and sixty
drive day and night, so that faults of what telematics tells are seen at any hour. The SIMs of the terminals' standbys
are KORE's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from yardlight.demo import Ports, archive
from yardlight.demo.carrier import UTC, Carrier, FakeSim, fake_sims
from yardlight.demo.faces import SECRET, USER, Ask, ControlCenter, Face, SuperSim, ThingSpace
from yardlight.demo.feed_faces import LOADS, TELEMATICS, Loads, Telematics
from yardlight.demo.mdm import Mdm, fake_tablets
from yardlight.demo.mdm_faces import ENTERPRISE, AndroidManagement, Intune
from yardlight.demo.telematics import FakeTruck, FeedVendor

_MB, _GB = 10**6, 10**9
_DAYS_LEFT = 9
_HOMES = ("fontana", "stockton", "reno")
# What KORE lets each SIM use.
_OF_ONE = 10 * _GB
SECTION = """\
roster: {{trucks: trucks.csv, drivers: drivers.csv}}
accounts:
  graph:
    platform: intune
    tenant: demo
    client_id: {user}
    client_secret_file: vendor-secret
    url: "{url}/graph"
    login_url: "{url}/graph"
  google:
    {{platform: android_management, enterprise: {enterprise}, key_file: key.json, url: "{url}/google",
     login_url: "{url}/google"}}
  verizon:
    platform: thingspace
    account_name: "0000000000-00001"
    client_id: {user}
    client_secret_file: vendor-secret
    username: {user}
    password_file: vendor-secret
    url: "{url}/verizon"
    rate: 100/s
  att:
    {{platform: control_center, network: att, username: {user}, api_key_file: vendor-secret, url: "{url}/att",
     rate: 100/s}}
  kore:
    {{platform: super_sim, network: kore, client_id: {user}, client_secret_file: vendor-secret, url: "{url}/kore",
     sims: sims.csv}}
  telematics:
    platform: generic
    url: "{url}/telematics"
    auth: {{bearer_file: vendor-secret}}
    owner: Safety office
    contact: vendor support +1 800 555 0142
{telematics}
  dispatch:
    platform: generic
    url: "{url}/loads"
    auth: {{bearer_file: vendor-secret}}
    owner: Dispatch office
    contact: vendor support +1 800 555 0177
    availability: 99.5%
{loads}
feeds:
  gps:
    account: telematics
    poll: 15s
    deadline: 10s
    shows: GPS positions
    while_old: Do not quote ETAs.
    max_age: 2m
    expected: when_moving
    frozen_after: 3m
  loads: {{account: dispatch, poll: 15s, deadline: 10s, shows: Loads, max_age: 15m}}
mdm:
  tablets: {{account: graph, poll: 15s, deadline: 10s, groups: {{drivers: {{stale_after: 12h}}, yard: {{}}}}}}
  dock-tablets:
    account: google
    poll: 15s
    deadline: 10s
    groups: {{dock: {{os: {{android: "13"}}, apps: {{com.example.eld: {{min: "24.1"}}}}}}}}
cellular:
  verizon-tablets:
    {{account: verizon, poll: 15s, deadline: 10s, pools: {{tablets: {{cap: 8 GB}}}}}}
  att-tablets:
    {{account: att, poll: 15s, deadline: 10s, cycle: {{day: {day}}}, pools: {{spares: {{cap: 6 GB}}}}}}
  # Each of these SIMs has 30 days of its own, and the limit that its fleet at KORE has.
  kore: {{account: kore, poll: 15s, deadline: 10s}}
"""


class Platforms:
    """Carriers and MDMs, each behind a platform's face; `start` to `stop` they answer."""

    def __init__(self, ports: Ports, clock: Callable[[], float] = time.time) -> None:
        self.url = f"http://127.0.0.1:{ports.vendors}"
        self._port = ports.vendors
        self._runner: web.AppRunner | None = None
        self.day = min((datetime.fromtimestamp(clock(), UTC) + timedelta(days=_DAYS_LEFT)).day, 28)
        sims = {
            "verizon": fake_sims("T", 6, 35 * _MB),
            "att": fake_sims("T", 4, 25 * _MB, first=107),
            "kore": [*fake_sims("T", 2, 10 * _MB, first=111), *_standbys(10 * _MB)],
        }
        for sim in sims["kore"]:
            sim.activated = clock() - (60 - _DAYS_LEFT) * 86400.0
        caps = {"verizon": 8 * _GB, "att": 6 * _GB, "kore": len(sims["kore"]) * _OF_ONE}
        self.carriers = {name: Carrier(name, each, clock, caps[name], day=self.day) for name, each in sims.items()}
        tablets = {
            "graph": [*fake_tablets(150, "drivers"), *fake_tablets(70, "yard", first=251)],
            "google": fake_tablets(80, "dock", first=321),
        }
        for tablet in (tablet for each in tablets.values() for tablet in each):
            tablet.enrolled = clock() - 200 * 86400.0
        self.mdms = {name: Mdm(name, each, clock) for name, each in tablets.items()}
        # Those of the dock: a driver's tablet that was silent for days began to be missed when its truck set out.
        trucks = [FakeTruck(f"T-{321 + number}", number, 0.0, 24.0, weekends=True) for number in range(60)]
        self.feeds = {name: FeedVendor(name, trucks, clock, ZoneInfo("UTC")) for name in ("telematics", "loads")}
        self.faces: dict[str, Face] = {
            "graph": Intune(self.mdms["graph"], f"{self.url}/graph"),
            "google": AndroidManagement(self.mdms["google"]),
            "verizon": ThingSpace(self.carriers["verizon"]),
            "att": ControlCenter(self.carriers["att"], rate=100.0),
            "kore": SuperSim(self.carriers["kore"], _OF_ONE // _MB, f"{self.url}/kore"),
            "telematics": Telematics(self.feeds["telematics"]),
            "loads": Loads(self.feeds["loads"]),
        }

    async def start(self) -> None:
        """Answer. Raises `OSError` when the port is taken."""
        application = web.Application()
        application.router.add_route("*", "/{vendor}/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def switch(self, fault: str) -> str | None:
        """Switch a fault of a vendor; None for what is no vendor's. Raises what that vendor's faults do."""
        name, _, action = fault.strip().partition("=")
        if name in self.feeds:
            return self.feeds[name].switch(action)
        if name in self.mdms:
            return self.mdms[name].switch(action)
        return self.carriers[name].switch(action) if name in self.carriers else None

    def truth(self) -> dict[str, str]:
        """What is really so at each MDM and feed, in words."""
        mdms = {name: mdm.truth() for name, mdm in self.mdms.items()}
        return mdms | {name: feed.truth() for name, feed in self.feeds.items()}

    def section(self) -> str:
        """Their part of fleet.yml, and the archive's."""
        feeds = {"telematics": TELEMATICS, "loads": LOADS}
        vendors = SECTION.format(url=self.url, user=USER, day=self.day, enterprise=ENTERPRISE, **feeds)
        return vendors + archive.SECTION

    def write(self, folder: Path) -> None:
        """The files that their part of fleet.yml names."""
        (folder / "vendor-secret").write_text(SECRET + "\n", encoding="utf-8")
        (folder / "key.json").write_text(_service_account(), encoding="utf-8")
        sims = {sim.name: sim.iccid for carrier in self.carriers.values() for sim in carrier.sims.values()}
        fixed = [f"{sim},{iccid}" for sim, iccid in sims.items() if sim.endswith("-standby")]
        (folder / "sims.csv").write_text("\n".join(["sim,iccid", *fixed]) + "\n", encoding="utf-8")
        rows = [
            f"{each.name},{each.name}={each.serial},{sims.get(each.name, '')},{_HOMES[each.number % 3]},{each.group}"
            for mdm in self.mdms.values()
            for each in mdm.tablets
        ]
        whole = "\n".join(["truck,tablet,sims,terminal,group", *rows]) + "\n"
        (folder / "trucks.csv").write_text(whole, encoding="utf-8")
        (folder / "drivers.csv").write_text(archive.drivers_csv(), encoding="utf-8")

    async def _answer(self, request: web.Request) -> web.Response:
        face = self.faces.get(request.match_info["vendor"])
        if face is None:
            return web.json_response({"error": "no such vendor"}, status=404)
        target = str(request.rel_url).removeprefix(f"/{request.match_info['vendor']}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        said = face(Ask(request.method, target, headers, await request.read()))
        return web.json_response(said.content, status=said.status, headers=dict(said.headers))


def _service_account() -> str:
    """A key as Google gives it out, new each time."""
    private = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return json.dumps({"client_email": "demo@demo.example", "private_key_id": "1", "private_key": private.decode()})


def _standbys(daily: int) -> list[FakeSim]:
    """The SIMs in the routers of the terminals."""
    sims = fake_sims("standby", len(_HOMES), daily, first=901)
    return [replace(sim, name=f"{home}-standby") for sim, home in zip(sims, _HOMES, strict=True)]
