"""Platforms that the demo has not, each speaking for a carrier of the demo as its documents say."""

from __future__ import annotations

from typing import Any

from yardlight.demo.carrier import Carrier, FakeSim
from yardlight.demo.faces import TOKEN, Ask, ControlCenter, Say, ThingSpace, iso


class Terse(ThingSpace):
    """ThingSpace without rows of days on which a SIM was not used."""

    def __call__(self, ask: Ask) -> Say:
        said = super().__call__(ask)
        if ask.path.endswith("/usage/actions/list"):
            said.content["usageHistory"] = [row for row in said.content["usageHistory"] if row["bytesUsed"]]
        return said


class Emnify:
    """A prepaid amount for each SIM, of which what is left is told, in megabytes, and when it expires."""

    def __init__(self, carrier: Carrier, quota_mb: int, expires: str) -> None:
        self.carrier, self.quota_mb, self.expires = carrier, quota_mb, expires
        self.added_mb = quota_mb

    def top_up(self, megabytes: int) -> None:
        """So much more for each SIM, beside what is left."""
        self.quota_mb, self.added_mb = self.quota_mb + megabytes, megabytes

    def __call__(self, ask: Ask) -> Say:
        if ask.path == "/api/v1/authenticate":
            return Say({"auth_token": TOKEN})
        if ask.headers.get("authorization") != f"Bearer {TOKEN}":
            return Say({"error": "unauthorized"}, 401)
        sims = list(enumerate(self.carrier.sims.values(), start=1))
        if ask.path == "/api/v1/sim":
            return Say([self._sim(number, sim) for number, sim in sims])
        if ask.path.endswith("/stats"):
            return Say([{"last_hour": {}}])
        sim = dict(sims)[int(ask.path.split("/")[4])]
        first, last = (self.carrier.ordinal(at) for at in (sim.activated, self.carrier.known_until()))
        used = sum(self.carrier.used(sim, day) or 0 for day in range(first, last + 1))
        return Say(
            {
                "status": {"id": 1, "description": "ACTIVE"},
                "volume": self.quota_mb - used / 10**6,
                "last_volume_added": self.added_mb,
                "expiry_date": self.expires,
                "action_on_exhaustion": {"id": 2, "description": "Block"},
            }
        )

    def _sim(self, number: int, sim: FakeSim) -> dict[str, Any]:
        endpoint = {"id": number, "imei": sim.imei}
        return {"id": number, "iccid": sim.iccid, "status": {"description": "Activated"}, "endpoint": endpoint}


def _id(sim: FakeSim) -> str:
    return f"sim-{sim.name}"


class ProgrammableWireless:
    """Days of each SIM, the number as text, every second one in megabytes and not in bytes."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier

    def __call__(self, ask: Ask) -> Say:
        if ask.path == "/api-services/v1/auth/token":
            return Say({"access_token": TOKEN, "expires_in": 3600})
        if ask.headers.get("authorization") != f"Bearer {TOKEN}":
            return Say({"code": 20003}, 401)
        if ask.path == "/v1/Sims":
            sims = [
                {"sid": _id(sim), "iccid": sim.iccid, "status": "active", "rate_plan_sid": "plan"}
                for sim in self.carrier.sims.values()
            ]
            return Say({"sims": sims, "meta": {"next_page_url": None}})
        if ask.path == "/v1/RatePlans":
            plan = {"sid": "plan", "unique_name": "trucks", "data_limit": "2000", "data_limit_strategy": "block"}
            return Say({"rate_plans": [plan], "meta": {"next_page_url": None}})
        sim = next(sim for sim in self.carrier.sims.values() if _id(sim) == ask.path.split("/")[3])
        last = self.carrier.ordinal(self.carrier.known_until())
        rows = [self._row(sim, day) for day in range(last - 30, last + 1) if self.carrier.used(sim, day) is not None]
        return Say({"usage_records": rows, "meta": {"next_page_url": None}})

    def _row(self, sim: FakeSim, day: int) -> dict[str, Any]:
        used = self.carrier.used(sim, day) or 0
        data = {"total": f"{used / 10**6:.6f}", "units": "MB"} if day % 2 else {"total": str(used), "units": "bytes"}
        begin, end = iso(self.carrier.midnight(day)), iso(self.carrier.midnight(day + 1))
        return {"period": {"start": begin, "end": end}, "data": data}


class Spelled(ControlCenter):
    """Control Center that lists each SIM three times: with 20 digits, without the check digit, and filled with an F."""

    def __call__(self, ask: Ask) -> Say:
        asked = ask.path.removeprefix("/v1/devices").strip("/").split("/")[0]
        whole = next((iccid for iccid in self.carrier.sims if asked.rstrip("F") in (iccid[:-1], iccid)), asked)
        said = super().__call__(
            Ask(ask.method, ask.target.replace(asked, whole, 1) if asked else ask.target, ask.headers)
        )
        if not asked and said.status == 200:
            spelled = [
                {**device, "iccid": form}
                for device in said.content["devices"]
                for form in (device["iccid"], device["iccid"][:-1], device["iccid"][:-1] + "F")
            ]
            return Say({**said.content, "devices": spelled})
        return said
