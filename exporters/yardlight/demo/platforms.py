"""The vendors of the demo on loopback: carriers, MDMs, telematics, dispatch, ELDs and maintenance, on one port.

Beside them a database, and a vendor that calls. Whatever the date, each cycle ends nine days from now, and what is
used is well under the cap until a fault says otherwise. Three hundred trucks live at the three terminals, each with a
tablet; twelve of them have SIMs, and sixty drive day and night, so that faults of what telematics tells are seen at any
hour; three of these have ELDs. The SIMs of the terminals' standbys are KORE's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from yardlight.demo import Ports, archive, back_end, caller, carrier, eld, mdm, shop, telematics
from yardlight.demo.back_end import BackEnd
from yardlight.demo.caller import Caller
from yardlight.demo.carrier import UTC, Carrier, FakeSim, fake_sims
from yardlight.demo.certificates import Certificates
from yardlight.demo.eld import Eld
from yardlight.demo.faces import SECRET, USER, Ask, ControlCenter, Face, SuperSim, ThingSpace
from yardlight.demo.feed_faces import LOADS, TELEMATICS, Elds, Loads, Telematics
from yardlight.demo.mdm import Mdm, fake_tablets
from yardlight.demo.mdm_faces import ENTERPRISE, AndroidManagement, Intune
from yardlight.demo.section import SECTION
from yardlight.demo.shop import Shop
from yardlight.demo.telematics import FakeTruck, FeedVendor

_MB, _GB = 10**6, 10**9
_DAYS_LEFT = 9
_HOMES = ("fontana", "stockton", "reno")
# What KORE lets each SIM use.
_OF_ONE = 10 * _GB
# The first trucks that drive have ELDs. They stop now and then: a movement is held against logs once it is over.
_WITH_ELD, _STOPS = 3, (180.0, 60.0)
_LIST_OF_REVOKED = "revoked-elds.csv"
LIST = "\n".join(each.LIST for each in (carrier, mdm, telematics, eld, shop, back_end, caller))


class Vendor(Protocol):
    """Whoever has faults."""

    def switch(self, action: str) -> str: ...


class Platforms:
    """Carriers and MDMs, each behind a platform's face; `start` to `stop` they answer."""

    def __init__(self, ports: Ports, clock: Callable[[], float] = time.time) -> None:
        self.url, self.tls_url = f"http://127.0.0.1:{ports.vendors}", f"https://127.0.0.1:{ports.vendors_tls}"
        self._port, self._port_of_tls = ports.vendors, ports.vendors_tls
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
        for truck in trucks[:_WITH_ELD]:
            truck.stops = _STOPS
        zone = ZoneInfo("UTC")
        self.feeds = {name: FeedVendor(name, trucks, clock, zone) for name in ("telematics", "loads")}
        self.eld = Eld(trucks[:_WITH_ELD], clock, zone, Certificates())
        self.shop = Shop(trucks, clock, zone)
        self.back_end = BackEnd(trucks, clock, ZoneInfo("America/Los_Angeles"))
        self.caller = Caller(f"http://127.0.0.1:{ports.exporter}/webhooks/demo/events")
        self._working: asyncio.Task[None] | None = None
        self.faces: dict[str, Face] = {
            "graph": Intune(self.mdms["graph"], f"{self.url}/graph"),
            "google": AndroidManagement(self.mdms["google"]),
            "verizon": ThingSpace(self.carriers["verizon"]),
            "att": ControlCenter(self.carriers["att"], rate=100.0),
            "kore": SuperSim(self.carriers["kore"], _OF_ONE // _MB, f"{self.url}/kore"),
            "telematics": Telematics(self.feeds["telematics"]),
            "loads": Loads(self.feeds["loads"]),
            "eld": Elds(self.eld),
            "shop": self.shop,
        }

    async def start(self) -> None:
        """Answer. Raises `OSError` when the port is taken."""
        application = web.Application()
        application.router.add_route("*", "/{vendor}/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        context = self.eld.certificates.context
        await web.TCPSite(self._runner, "127.0.0.1", self._port_of_tls, ssl_context=context).start()
        await self.caller.start()
        self._working = asyncio.create_task(self._work(), name="back end")

    async def stop(self) -> None:
        await self.caller.stop()
        if self._working is not None:
            self._working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._working
        if self._runner is not None:
            await self._runner.cleanup()

    async def _work(self) -> None:
        while True:
            await asyncio.to_thread(self.back_end.work)
            await asyncio.sleep(back_end.EVERY)

    def switch(self, fault: str) -> str | None:
        """Switch a fault of a vendor; None for what is no vendor's. Raises what that vendor's faults do."""
        name, _, action = fault.strip().partition("=")
        vendors: dict[str, Vendor] = {**self.carriers, **self._told()}
        return vendors[name].switch(action) if name in vendors else None

    def truth(self) -> dict[str, str]:
        """What is really so at everybody's but the carriers, in words."""
        return {name: vendor.truth() for name, vendor in self._told().items()}

    def _told(self) -> dict[str, Mdm | FeedVendor | Eld | Shop | BackEnd | Caller]:
        more: dict[str, Eld | Shop | BackEnd | Caller] = {
            eld.NAME: self.eld,
            shop.NAME: self.shop,
            back_end.NAME: self.back_end,
            caller.NAME: self.caller,
        }
        return {**self.mdms, **self.feeds, **more}

    def section(self) -> str:
        """Their part of fleet.yml."""
        feeds = {"telematics": TELEMATICS, "loads": LOADS}
        vendors = SECTION.format(
            url=self.url, tls_url=self.tls_url, user=USER, day=self.day, enterprise=ENTERPRISE, **feeds
        )
        return vendors + caller.SECTION

    def write(self, folder: Path) -> None:
        """The files that their part of fleet.yml names."""
        (folder / "vendor-secret").write_text(SECRET + "\n", encoding="utf-8")
        (folder / "key.json").write_text(_service_account(), encoding="utf-8")
        sims = {sim.name: sim.iccid for carrier in self.carriers.values() for sim in carrier.sims.values()}
        fixed = [f"{sim},{iccid}" for sim, iccid in sims.items() if sim.endswith("-standby")]
        (folder / "sims.csv").write_text("\n".join(["sim,iccid", *fixed]) + "\n", encoding="utf-8")
        elds = {each.unit: f"{eld.unit(number)},{eld.MODEL}" for number, each in enumerate(self.eld.trucks)}
        rows = [
            f"{each.name},{each.name}={each.serial},{sims.get(each.name, '')},{_HOMES[each.number % 3]},{each.group},"
            f"{elds.get(each.name, ',')}"
            for mdm in self.mdms.values()
            for each in mdm.tablets
        ]
        whole = "\n".join(["truck,tablet,sims,terminal,group,eld,eld_model", *rows]) + "\n"
        (folder / "trucks.csv").write_text(whole, encoding="utf-8")
        (folder / "drivers.csv").write_text(archive.drivers_csv(), encoding="utf-8")
        (folder / "vendors-ca.pem").write_text(self.eld.certificates.authority, encoding="utf-8")
        (folder / "tms-address").write_text(f"sqlite:///{back_end.FILE}\n", encoding="utf-8")
        self.back_end.write(folder)
        self.refresh(folder)

    def refresh(self, folder: Path) -> bool:
        """Write what faults change of these files; whether the inventory has to be read again."""
        file, text = folder / _LIST_OF_REVOKED, self.eld.revoked_csv()
        changed = not file.exists() or file.read_text(encoding="utf-8") != text
        file.write_text(text, encoding="utf-8")
        return changed

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
