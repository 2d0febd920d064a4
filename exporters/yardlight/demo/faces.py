"""How platforms of three kinds speak for a carrier: answers to requests, without a server.

Each is what the product's documents say, as far as Yardlight asks: ThingSpace (POST, rows of days, a second token),
Control Center (a request a SIM, five a second), Super SIM (lists with links to the next page).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from yardlight.demo.carrier import Carrier, FakeSim

TOKEN, SESSION = "demo-token", "demo-session"
USER, SECRET = "demo", "demo-secret"
_BASIC = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()


@dataclass(frozen=True)
class Ask:
    """A request: `query` decoded, names of headers in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Say:
    """An answer: JSON."""

    content: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Face = Callable[[Ask], Say]


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _faulty(carrier: Carrier) -> Say | None:
    if carrier.faults.down:
        return Say({"errorMessage": "service unavailable"}, 500)
    return Say({"errorMessage": "too many requests"}, 429) if carrier.faults.throttled else None


class ThingSpace:
    """Rows of days a SIM at a time, at most `page` of them; estimates of the last two days, rated ones before."""

    def __init__(self, carrier: Carrier, plan_kb: int = 0, page: int = 500) -> None:
        self.carrier, self.plan_kb, self.page = carrier, plan_kb, page

    def __call__(self, ask: Ask) -> Say:
        if fault := _faulty(self.carrier):
            return fault
        if ask.path == "/ts/v1/oauth2/token":
            right = ask.headers.get("authorization") == _BASIC
            return Say({"access_token": TOKEN, "expires_in": 3600}) if right else Say({"error": "invalid_client"}, 401)
        if ask.headers.get("authorization") != f"Bearer {TOKEN}":
            return Say({"errorCode": "UnifiedWebService.REQUEST_FAILED"}, 401)
        if ask.path == "/m2m/v1/session/login":
            right = ask.json() == {"username": USER, "password": SECRET}
            return Say({"sessionToken": SESSION}) if right else Say({"errorCode": "LOGIN"}, 401)
        if ask.headers.get("vz-m2m-token") != SESSION:
            return Say({"errorCode": "SessionToken"}, 401)
        if ask.path.startswith("/m2m/v1/plans/"):
            return Say([{"name": "FLEETSHARE", "code": "FLEETSHARE", "sizeKb": self.plan_kb}])
        if ask.path == "/m2m/v1/devices/actions/list":
            return self._devices(ask.json())
        if ask.path == "/m2m/v1/devices/usage/actions/list":
            return self._usage(ask.json())
        return Say({"errorCode": "NOT_FOUND"}, 404)

    def _devices(self, asked: Mapping[str, Any]) -> Say:
        listed = list(enumerate(self.carrier.sims.values(), start=1))
        left = [each for each in listed if each[0] > asked.get("largestDeviceIdSeen", 0)]
        end = iso(self.carrier.cycle()[1])
        devices = [self._device(number, sim, end) for number, sim in left[: self.page]]
        return Say({"hasMoreData": len(left) > self.page, "devices": devices})

    def _device(self, number: int, sim: FakeSim, end: str) -> dict[str, Any]:
        return {
            "billingCycleEndDate": end,
            "carrierInformations": [
                {"carrierName": "Verizon Wireless", "servicePlan": "FLEETSHARE", "state": self.carrier.state(sim)}
            ],
            "connected": self.carrier.online(sim),
            "deviceIds": [{"id": sim.iccid, "kind": "iccid"}, {"id": sim.imei, "kind": "imei"}],
            "extendedAttributes": [{"key": "DeviceId", "value": str(number)}],
        }

    def _usage(self, asked: Mapping[str, Any]) -> Say:
        sim = self.carrier.sims.get(asked["deviceId"]["id"])
        if sim is None or sim.name in self.carrier.faults.unreadable:
            return Say({"errorCode": "INPUT_INVALID.DeviceId", "errorMessage": "no such device"}, 400)
        earliest, latest = _seconds(asked["earliest"]), _seconds(asked["latest"])
        today = self.carrier.ordinal(self.carrier.clock())
        first = self.carrier.ordinal(earliest)
        days = [day for day in range(first, self.carrier.ordinal(latest) + 1) if self.carrier.midnight(day) >= earliest]
        rows = [
            {
                "bytesUsed": used,
                "servicePlan": "FLEETSHARE",
                "source": "Usage Feed" if today - day > 2 else "Raw Usage",
                "timestamp": f"{date.fromordinal(day).isoformat()}T00:00:00Z",
            }
            for day in days
            if (used := self.carrier.used(sim, day)) is not None
        ]
        more = len(rows) > self.page
        return Say({"hasMoreData": more, "usageHistory": rows[: self.page]}, 202 if more else 200)


class ControlCenter:
    """A cycle's total a SIM at a time; more than `rate` requests in any second are refused."""

    def __init__(self, carrier: Carrier, rate: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.carrier, self.rate = carrier, rate
        self.heard: list[float] = []
        self.refused = 0
        self._clock = clock

    def __call__(self, ask: Ask) -> Say:
        now = self._clock()
        self.heard.append(now)
        if fault := _faulty(self.carrier):
            return fault
        if ask.headers.get("authorization") != _BASIC:
            return Say({"errorMessage": "Invalid credentials", "errorCode": "10000001"}, 401)
        if sum(1 for each in self.heard[-int(self.rate) - 1 :] if now - each < 1.0) > self.rate:
            self.refused += 1
            return Say({"errorMessage": "Rate limit exceeded", "errorCode": "40000029"}, 400)
        parts = ask.path.removeprefix("/v1/devices").strip("/").split("/")
        if parts == [""]:
            return self._devices(ask.query)
        sim = self.carrier.sims.get(parts[0])
        if sim is None or sim.name in self.carrier.faults.unreadable:
            return Say({"errorMessage": "Resource not found", "errorCode": "20000001"}, 404)
        return self._session(sim) if parts[1:] == ["sessionInfo"] else self._used(sim)

    def _devices(self, query: Mapping[str, str]) -> Say:
        if "modifiedSince" not in query:
            return Say({"errorMessage": "ModifiedSince is required", "errorCode": "10000003"}, 400)
        number, size = int(query.get("pageNumber", 1)), min(int(query.get("pageSize", 50)), 50)
        listed = list(self.carrier.sims.values())
        page = [self._device(sim) for sim in listed[(number - 1) * size : number * size]]
        return Say({"pageNumber": number, "devices": page, "lastPage": number * size >= len(listed)})

    def _device(self, sim: FakeSim) -> dict[str, Any]:
        status = "ACTIVATED" if self.carrier.state(sim) == "active" else "DEACTIVATED"
        return {"iccid": sim.iccid, "status": status, "ratePlan": "Fleet Shared", "communicationPlan": "LTE"}

    def _used(self, sim: FakeSim) -> Say:
        return Say(
            {
                "iccid": sim.iccid,
                "imei": sim.imei,
                "ctdDataUsage": self.carrier.total(sim),
                "overageLimitReached": self.carrier.faults.capped,
                "overageLimitOverride": "DEFAULT",
            }
        )

    def _session(self, sim: FakeSim) -> Say:
        begun = datetime.fromtimestamp(self.carrier.clock() - 7200, UTC).strftime("%Y-%m-%d %H:%M:%S.000+0000")
        ended = None if self.carrier.online(sim) else begun
        return Say({"iccid": sim.iccid, "dateSessionStarted": begun, "dateSessionEnded": ended})


class SuperSim:
    """Lists with links: days of all SIMs, and each SIM's own period of billing, 30 days from its activation."""

    def __init__(self, carrier: Carrier, limit_mb: int, base: str = "") -> None:
        self.carrier, self.limit_mb, self.base = carrier, limit_mb, base

    def __call__(self, ask: Ask) -> Say:
        if fault := _faulty(self.carrier):
            return fault
        if ask.path == "/api-services/v1/auth/token":
            right = dict(parse_qsl(ask.body.decode())).get("client_secret") == SECRET
            return Say({"access_token": TOKEN, "expires_in": 3600}) if right else Say({"error": "invalid_client"}, 401)
        if ask.headers.get("authorization") not in (f"Bearer {TOKEN}", _BASIC):
            return Say({"code": 20003}, 401)
        if ask.path == "/v1/Sims":
            return self._page(ask, "sims", [self._sim(sim) for sim in self.carrier.sims.values()])
        if ask.path == "/v1/Fleets":
            fleet = {"sid": _sid("HF", "1"), "unique_name": "trucks", "data_limit": self.limit_mb}
            return self._page(ask, "fleets", [fleet])
        if ask.path == "/v1/UsageRecords":
            return self._page(ask, "usage_records", self._usage(_seconds(ask.query["StartTime"])))
        if ask.path.endswith("/BillingPeriods"):
            return self._page(ask, "billing_periods", self._periods(ask.path.split("/")[3]))
        return Say({"code": 20404}, 404)

    def _page(self, ask: Ask, key: str, listed: list[dict[str, Any]]) -> Say:
        query = ask.query
        number, size = int(query.get("Page", 0)), int(query.get("PageSize", 50))
        more = (number + 1) * size < len(listed)
        following = f"{self.base}{ask.path}?{urlencode({**query, 'Page': number + 1})}" if more else None
        return Say({key: listed[number * size : (number + 1) * size], "meta": {"next_page_url": following}})

    def _sim(self, sim: FakeSim) -> dict[str, Any]:
        status = "active" if self.carrier.state(sim) == "active" else "inactive"
        return {"sid": _sid("HS", sim.iccid), "iccid": sim.iccid, "status": status, "fleet_sid": _sid("HF", "1")}

    def _usage(self, since: float) -> list[dict[str, Any]]:
        days = range(self.carrier.ordinal(since), self.carrier.ordinal(self.carrier.known_until()) + 1)
        return [
            {
                "sim_sid": _sid("HS", sim.iccid),
                "period": {
                    "start_time": iso(self.carrier.midnight(day)),
                    "end_time": iso(self.carrier.midnight(day + 1)),
                },
                "data_total": used,
            }
            for day in days
            for sim in self.carrier.sims.values()
            if (used := self.carrier.used(sim, day)) is not None
        ]

    def _periods(self, sid: str) -> list[dict[str, Any]]:
        sim = next(each for each in self.carrier.sims.values() if _sid("HS", each.iccid) == sid)
        length = 30 * 86400.0
        count = int((self.carrier.clock() - sim.activated) // length)
        return [
            {"start_time": iso(sim.activated + number * length), "end_time": iso(sim.activated + (number + 1) * length)}
            for number in (count, count - 1)
            if number >= 0
        ]


def _sid(kind: str, number: str) -> str:
    return f"{kind}{int(number):032x}"
