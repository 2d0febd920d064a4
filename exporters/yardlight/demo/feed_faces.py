"""The voices of the demo's telematics, dispatch and ELD vendors: their APIs, as a vendor of today would have them."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from yardlight.demo.eld import Eld, Line, Position
from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.telematics import FakeTruck, FeedVendor, Report

_PAGE = 50
TELEMATICS = """\
    feed:
      path: /positions
      records: vehicles
      truck: unit
      time: reported_ms
      moving: speed_mph
      values: {odometer: odometer}
      error: error
      paging: {cursor: page.cursor, param: after, more: page.more}"""
LOADS = """\
    feed:
      path: /loads
      params: {updated_since: "{since}"}
      records: loads
      id: load
      truck: unit
      time: updated_at
      moving: "status == 'in_transit'"
      values: {odometer: odometer}
      paging: {next: next}"""


def refusal(faults: Container[str], ask: Ask) -> Say | None:
    """What goes wrong before anything is said; None if nothing does."""
    if "down" in faults:
        return Say({"message": "service unavailable"}, 503)
    if "revoked" in faults or ask.headers.get("authorization") != f"Bearer {SECRET}":
        return Say({"message": "invalid token"}, 401)
    if "error" in faults:
        return Say({"error": {"name": "DbUnavailableException", "message": "try later"}})
    return None


class Telematics:
    """Positions of all trucks, a page at a time: `GET /positions?after=`; those that are new: `GET /stream?after=`."""

    def __init__(self, vendor: FeedVendor) -> None:
        self.vendor = vendor

    def __call__(self, ask: Ask) -> Say:
        if (refused := refusal(self.vendor.faults, ask)) is not None:
            return refused
        after = int(ask.query.get("after", 0))
        return Say(self._stream(after) if ask.path.endswith("/stream") else self._page(after))

    def _stream(self, after: int) -> dict[str, Any]:
        """What is newer than the cursor, which is the newest time that was given."""
        told = [self._vehicle(*each) for each in self.vendor.reports() if each[1].at * 1000 > after]
        newest = max([after, *(each["reported_ms"] for each in told)])
        cursor = after if "stuck" in self.vendor.faults else newest
        return {"vehicles": told, "page": {"cursor": cursor, "more": False}}

    def _page(self, after: int) -> dict[str, Any]:
        faults = self.vendor.faults
        reports = [] if "empty" in faults else self.vendor.reports()
        if "endless" in faults:
            return {"vehicles": [self._vehicle(*each) for each in reports], "page": {"cursor": after + 1, "more": True}}
        # Short and empty pages on the way to the end.
        size = (_PAGE, 0, 7)[after // 1000 % 3] if "short" in faults else _PAGE
        start = after % 1000
        here = reports[start : start + size]
        cursor = after // 1000 * 1000 + start + len(here) + (1000 if "short" in faults else 0)
        more = start + len(here) < len(reports)
        return {"vehicles": [self._vehicle(*each) for each in here], "page": {"cursor": cursor, "more": more}}

    def _vehicle(self, truck: Any, report: Any) -> dict[str, Any]:
        faults = self.vendor.faults
        latitude, longitude = truck.place(report)
        told = {
            "unit": truck.unit,
            "reported_ms": int(report.at) if "seconds" in faults else int(report.at * 1000),
            "speed_mph": report.speed,
            "latitude": latitude,
            "longitude": longitude,
            "odometer": round(report.miles * (1.609344 if "kilometers" in faults else 1.0), 3),
        }
        if "renamed" in faults:
            told["reported_at_ms"] = told.pop("reported_ms")
        if "added" in faults:
            told["heading"] = 90
        return told


class Loads:
    """What changed of loads: `GET /loads?updated_since=`."""

    def __init__(self, vendor: FeedVendor) -> None:
        self.vendor = vendor

    def __call__(self, ask: Ask) -> Say:
        refused = refusal(self.vendor.faults, ask)
        return refused or Say(self._updates(_instant(ask.query.get("updated_since")) or 0.0))

    def _updates(self, begin: float) -> dict[str, Any]:
        updates = [] if "empty" in self.vendor.faults else self.vendor.updates(begin)
        return {"loads": [self._load(*each) for each in updates], "next": None}

    def _load(self, truck: FakeTruck, report: Report) -> dict[str, Any]:
        return {
            "load": f"L{truck.unit}",
            "unit": truck.unit,
            "updated_at": iso(report.at),
            "status": "in_transit" if report.speed else "parked",
            "odometer": round(report.miles, 1),
        }


class Elds:
    """`GET /logs?from=&to=` of drivers, and `GET /positions?since=` of trucks."""

    def __init__(self, vendor: Eld) -> None:
        self.vendor = vendor

    def __call__(self, ask: Ask) -> Say:
        if (refused := refusal(self.vendor.faults, ask)) is not None:
            return refused
        if ask.path.endswith("/logs"):
            begin, end = (_instant(ask.query.get(name)) for name in ("from", "to"))
            if begin is None or end is None:
                return Say({"message": "from and to are needed"}, 400)
            content: dict[str, Any] = {"logs": [_line(each) for each in self.vendor.lines(begin, end)]}
        else:
            since = _instant(ask.query.get("since")) or 0.0
            content = {"positions": [_position(each) for each in self.vendor.positions(since)]}
        return Say(content, headers=self.vendor.headers)


def _line(line: Line) -> dict[str, Any]:
    return {
        "driver": line.driver or None, "eld": line.eld, "began": iso(line.begin), "status": line.status,
        "ended": None if line.end is None else iso(line.end),
    }  # fmt: skip


def _position(position: Position) -> dict[str, Any]:
    report = position.report
    return {
        "eld": position.eld, "at": iso(report.at), "uploaded": iso(position.uploaded), "speed_mph": report.speed,
        "odometer": round(report.miles, 1), "engine": "On" if report.speed else "Idle",
        "malfunction": not position.works,
    }  # fmt: skip


def _instant(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None
