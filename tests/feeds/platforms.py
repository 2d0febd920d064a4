"""Platforms of feeds on loopback: accounts, and small stateful fakes that answer as each vendor documents.

A fake has what makes the vendor another one: pages that are short or empty with more behind them, errors in answers
that say success, sessions that end, versions that change the paging.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.vendor import Answer, Asked, Vendor
from yardlight.collection import Session
from yardlight.feeds.platforms import PLATFORMS
from yardlight.feeds.record import About, Breach, Component, Record
from yardlight.feeds.record import Told as Item

# 2026-11-20 15:00 UTC, a Friday.
NOW = 1795186800.0
SECRET = "very-secret-token"
OPTIONS: dict[str, dict[str, Any]] = {
    "samsara": {"token_file": "secret"},
    "geotab": {"database": "inland", "user": "yardlight@example.com", "password_file": "secret"},
    "motive": {"key_file": "secret"},
    "fleetio": {"key_file": "secret", "account_token_file": "secret"},
    "verizon_connect": {"app_id": "inland", "user": "integration", "password_file": "secret"},
    "statuspage": {},
}
Fake = Callable[[Asked], Answer]


def session(folder: Path, memory: Any = None, now: float = NOW, seconds: float = 60.0) -> Session:
    """A collection under way in this folder."""
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    return Session(time.monotonic() + seconds, folder, memory=memory, clock=lambda: now)


def collect(platform: str, stream: str, url: str, under_way: Session, **more: Any) -> list[Item]:
    """What one collection gives; the memory of the session goes through JSON, as it does in the state file."""
    module = import_module(PLATFORMS[platform])
    options = {**OPTIONS[platform], "rate": "1000/s", "url": url, "feed": module.STREAMS[stream], **more}
    config = module.Config.model_validate(options)
    under_way.memory = json.loads(json.dumps(under_way.memory))
    return list(module.parse(module.fetch(config, under_way), config))


def once(platform: str, stream: str, fake: Fake, folder: Path, **more: Any) -> list[Item]:
    """What the first collection of all gives."""
    with Vendor(fake) as vendor:
        return collect(platform, stream, vendor.url, session(folder), **more)


def records(items: list[Item]) -> list[Record]:
    """The records among the items."""
    return [each for each in items if isinstance(each, Record)]


def components(items: list[Item]) -> list[tuple[str, str]]:
    """The components among the items, and their states."""
    return [(each.name, each.state) for each in items if isinstance(each, Component)]


def breaches(items: list[Item]) -> list[Breach]:
    """What the reading of the reply itself found."""
    return [each for each in items if isinstance(each, Breach)]


def about(items: list[Item]) -> About:
    """What is known of the reply."""
    return next(each for each in items if isinstance(each, About))


class Samsara:
    """Trucks in pages of which some are short or empty, and a feed of changes that remembers its cursors."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = [engine(1, "On", 30), engine(2, "Off", 86400 * 9)]
        self.pages: list[list[dict[str, Any]]] = [[truck(1, 20), truck(2, 40)], [], [truck(3, 5)]]
        self.expired: set[str] = set()

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer({"message": "unauthorized", "requestId": "1"}, 401)
        after = asked.query.get("after", "")
        if after in self.expired:
            return Answer({"message": "Parameters for this paginated request have expired.", "requestId": "2"}, 400)
        return {
            "/fleet/vehicles/stats": self._stats,
            "/fleet/vehicles/stats/feed": self._feed,
            "/gateways": self._gateways,
            "/fleet/hos/logs": self._logs,
            "/beta/fleet/hos/drivers/eld-events": self._eld_events,
        }[asked.path](asked, after)

    def _stats(self, asked: Asked, after: str) -> Answer:
        assert len(asked.query["types"].split(",")) <= 3
        number = int(after or 0)
        return _page(self.pages[number], str(number + 1), number + 1 < len(self.pages))

    def _feed(self, asked: Asked, after: str) -> Answer:
        return _page(self.changes[int(after or 0) :], str(len(self.changes)), False)

    def _gateways(self, asked: Asked, after: str) -> Answer:
        healthy = {"healthStatus": "Connected", "lastConnected": iso(12)}
        silent = {"healthStatus": "Power Source Off - Inactive Vehicle", "lastConnected": iso(86400 * 30)}
        rows = [("G1", healthy), ("G2", silent)]
        return _page([{"serial": name, "model": "VG54NA", "connectionStatus": said} for name, said in rows], "", False)

    def _logs(self, asked: Asked, after: str) -> Answer:
        assert asked.query.keys() >= {"startTime", "endTime"}
        driver = {"id": "77", "name": "somebody"}
        log = {"logStartTime": iso(3600), "hosStatusType": "driving", "vehicle": {"id": "1", "name": "T-101"}}
        ended = {**log, "logStartTime": iso(7200), "logEndTime": iso(3600), "hosStatusType": "onDuty"}
        return _page([{"driver": driver, "hosLogs": [ended, log]}, {"driver": {"id": "78"}, "hosLogs": []}], "", False)

    def _eld_events(self, asked: Asked, after: str) -> Answer:
        assert asked.query.keys() >= {"startTime", "endTime"}
        told = [
            _eld_event(7, 1, 9000, "P"),
            _eld_event(1, 3, 8000),
            _eld_event(7, 3, 7000, "2"),
            _eld_event(7, 1, 60, "L"),
        ]
        first = [{"id": "77", "name": "somebody", "eldEvents": told}, {"id": "78", "eldEvents": []}]
        second = [{"id": "79", "eldEvents": [_eld_event(7, 2, 30, "P")]}]
        return _page(second, "", False) if after else _page(first, "a", True)


def _eld_event(kind: int, code: int, ago: float, what: str | None = None) -> dict[str, Any]:
    """An event of an ELD by 49 CFR 395 subpart B, appendix A, 7.20, 7.25 and 7.34."""
    said = {"malfunctionDiagnosticCode": what} if what else {}
    return {
        "eldEventType": kind,
        "eldEventCode": code,
        "time": iso(ago),
        "vehicle": {"id": "1", "name": "T-101"},
        **said,
    }


def iso(ago: float) -> str:
    """The instant so many seconds before now, as most vendors write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - ago))


def truck(number: int, ago: float) -> dict[str, Any]:
    """A truck of Samsara's with its last position."""
    gps = {"time": iso(ago), "latitude": 34.1, "longitude": -117.4, "speedMilesPerHour": 61.5, "headingDegrees": 90}
    odometer = {"time": iso(ago), "value": 250_000_000 + number}
    return {"id": f"28147497671000{number}", "name": f"T-10{number}", "gps": gps, "obdOdometerMeters": odometer}


def engine(number: int, state: str, ago: float) -> dict[str, Any]:
    """A change of an engine's state in Samsara's feed."""
    return {"id": str(number), "name": f"T-10{number}", "engineStates": [{"time": iso(ago), "value": state}]}


def _page(data: list[Any], cursor: str, more: bool) -> Answer:
    return Answer({"data": data, "pagination": {"endCursor": cursor, "hasNextPage": more}})


class Geotab:
    """A database with sessions that end, versions, and errors in answers that say 200."""

    def __init__(self) -> None:
        self.logins = 0
        self.sessions: set[str] = set()
        self.path = "ThisServer"
        self.wrong_password = False
        self.rows: list[dict[str, Any]] = [log(1, 30), log(2, 3)]
        self.busy = 0
        self.error: dict[str, Any] | None = None

    def __call__(self, asked: Asked) -> Answer:
        call = asked.json()
        method, params = call["method"], call["params"]
        if method == "Authenticate":
            self.logins += 1
            if self.wrong_password or params["password"] != SECRET:
                return _failure("InvalidUserException", "Incorrect login credentials")
            session = f"session-number-{self.logins}"
            self.sessions.add(session)
            who = {"userName": params["userName"], "database": params["database"], "sessionId": session}
            return _result({"credentials": who, "path": self.path})
        if params["credentials"]["sessionId"] not in self.sessions:
            return _failure("InvalidUserException", "Incorrect login credentials")
        if self.error is not None:
            return Answer({"error": self.error, "id": -1})
        if self.busy:
            self.busy -= 1
            return Answer(
                {"error": {"errors": [{"name": "OverLimitException", "message": "API calls quota exceeded"}]}},
                headers={"Retry-After": "0.05"},
            )
        if method == "Get":
            return _result(
                [
                    {
                        "device": {"id": "b1"},
                        "dateTime": iso(9),
                        "isDeviceCommunicating": True,
                        "speed": 88,
                        "latitude": 34,
                    }
                ]
            )
        if "fromVersion" not in params:
            assert params["search"]["fromDate"] == iso(86400)
        start = int(params.get("fromVersion", "0"), 16)
        rows = self.rows[start : start + params["resultsLimit"]]
        return _result({"data": rows, "toVersion": f"{start + len(rows):016x}"})


def log(number: int, ago: float) -> dict[str, Any]:
    """What a device of Geotab's sent: a position, or an entry of a driver's log."""
    what = {"speed": 0, "latitude": 34, "longitude": 7, "status": "OFF"}
    return {"id": f"l{number}", "device": {"id": "b1"}, "dateTime": iso(ago), **what}


def _result(result: Any) -> Answer:
    return Answer({"result": result, "jsonrpc": "2.0"})


def _failure(name: str, message: str) -> Answer:
    return Answer({"error": {"message": message, "errors": [{"name": name, "message": message}]}, "id": -1})


def motive(asked: Asked) -> Answer:
    """Two pages of vehicles, each wrapped in its singular name; of users, one who never used the app."""
    if asked.headers.get("x-api-key") != SECRET:
        return Answer({"error_message": "Invalid token"}, 401)
    page, per_page = int(asked.query["page_no"]), int(asked.query["per_page"])
    said = {"per_page": per_page, "page_no": page, "total": 103}
    first = (page - 1) * per_page
    numbers = range(first, min(first + per_page, 103))
    if asked.path == "/v1/users":
        last = {each: None if each == 0 else iso(each * 60) for each in numbers}
        users = [{"user": {"id": each, "role": "driver", "mobile_last_active_at": last[each]}} for each in numbers]
        return Answer({"users": users, "pagination": said})
    if asked.path == "/v1/logs":
        assert (asked.query["start_date"], asked.query["end_date"]) == ("2026-11-19", "2026-11-20")
        return Answer({"logs": [{"log": _motive_log(each)} for each in numbers], "pagination": said})
    if asked.path == "/v1/driving_periods":
        return Answer({"driving_periods": [{"driving_period": _period(each)} for each in numbers], "pagination": said})
    assert asked.path == "/v3/vehicle_locations"
    assert asked.headers["x-metric-units"] == "false"
    vehicles = [
        {"vehicle": {"id": each, "number": f"T-{each}", "current_location": {
            "located_at": iso(each), "lat": 34.0, "lon": -117.0, "speed": 55.0, "odometer": 1000.5}}}
        for each in numbers
    ]  # fmt: skip
    return Answer({"vehicles": vehicles, "pagination": said})


def _motive_log(number: int) -> dict[str, Any]:
    """A driver's day; the third one was in two vehicles."""
    vehicles = [{"vehicle": {"number": f"T-{number}"}}, {"vehicle": {"number": "T-9"}}][: 2 if number == 3 else 1]
    events = [
        {"event": {"id": 2 * number, "type": "driving", "start_time": iso(7200), "end_time": iso(3600)}},
        {"event": {"id": 2 * number + 1, "type": "off_duty", "start_time": iso(3600), "end_time": None}},
    ]
    return {"id": number, "date": "2026-11-20", "driver": {"id": 1000 + number}, "vehicles": vehicles, "events": events}


def _period(number: int) -> dict[str, Any]:
    """A vehicle's time at the wheel; of the first one nobody was logged in."""
    driver = None if number == 0 else {"id": 1000 + number}
    vehicle = {"id": number, "number": f"T-{number}"}
    return {"id": number, "start_time": iso(7200), "end_time": iso(3600), "type": "driving", "driver": driver,
            "vehicle": vehicle}  # fmt: skip


def fleetio(asked: Asked) -> Answer:
    """Meter readings in the paging of the version that was asked for; one of them is made up by the vendor."""
    if (asked.headers.get("authorization"), asked.headers.get("account-token")) != (f"Token {SECRET}", SECRET):
        return Answer({"error": "Not authorized"}, 401)
    rows = [
        {"id": each, "name": "x", "vehicle_name": f"T-{each}", "value": "20811.0", "date": "2026-11-19",
         "is_sample": each == 7, "updated_at": "2026-11-20T06:59:30.123456-08:00"}
        for each in range(130)
    ]  # fmt: skip
    per_page = int(asked.query["per_page"])
    if asked.headers["x-api-version"] >= "2024-01-01":
        start = int(asked.query.get("start_cursor", "0"))
        following = str(start + per_page) if start + per_page < len(rows) else None
        here = rows[start : start + per_page]
        return Answer({"start_cursor": str(start), "next_cursor": following, "per_page": per_page, "records": here})
    page = int(asked.query["page"]) - 1
    return Answer(rows[page * per_page : (page + 1) * per_page])


class VerizonConnect:
    """One position a request; a token in plain text; a vehicle that is not in the plan."""

    def __init__(self) -> None:
        self.tokens = 0
        self.numbers = ["T-101", "T 102", "T/103"]
        self.refused = {"T 102"}

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            assert asked.headers["authorization"].startswith("Basic ")
            self.tokens += 1
            return Answer(f"token-{self.tokens}".encode(), headers={"Content-Type": "text/plain"})
        if asked.headers["authorization"] != f"Atmosphere atmosphere_app_id=inland, Bearer token-{self.tokens}":
            return Answer({}, 401)
        if asked.path == "/cmd/v1/vehicles":
            return Answer([{"VehicleNumber": each, "Name": "x"} for each in self.numbers])
        number = asked.path.removeprefix("/rad/v1/vehicles/").removesuffix("/location")
        if number.replace("%20", " ").replace("%2F", "/") in self.refused:
            return Answer({"Message": "not found"}, 400)
        return Answer({"UpdateUTC": iso(33).removesuffix("Z"), "Latitude": 34.0, "Longitude": -117.0, "Speed": 0.0})


def statuspage(**summary: Any) -> Fake:
    """A page with two components of one name, a group, and a state that nobody knows."""
    rows = [
        ("a1", "API", "operational"), ("a2", "API", "major_outage"), ("b", "Dashcams", "degraded_performance"),
        ("c", "Webhooks", "under_maintenance"), ("d", "Reports", "on_fire"),
    ]  # fmt: skip
    components = [{"id": id_, "name": name, "status": state, "group": False} for id_, name, state in rows]
    group = {"id": "g", "name": "All", "status": "major_outage", "group": True, "components": ["a1", "a2"]}
    page = {"page": {"updated_at": iso(86400 * 20)}, "components": [*components, group], **summary}
    return lambda asked: Answer({key: value for key, value in page.items() if value is not None})
