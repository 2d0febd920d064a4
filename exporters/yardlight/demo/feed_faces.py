"""The voices of the demo's telematics and dispatch vendors: their APIs, as a vendor of today would have them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yardlight.demo.faces import SECRET, Ask, Say, iso
from yardlight.demo.telematics import FeedVendor

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
      paging: {next: next}"""


class _Face:
    """What both have in common: a key, and what goes wrong before anything is said."""

    def __init__(self, vendor: FeedVendor) -> None:
        self.vendor = vendor

    def refusal(self, ask: Ask) -> Say | None:
        faults = self.vendor.faults
        if "down" in faults:
            return Say({"message": "service unavailable"}, 503)
        if "revoked" in faults or ask.headers.get("authorization") != f"Bearer {SECRET}":
            return Say({"message": "invalid token"}, 401)
        if "error" in faults:
            return Say({"error": {"name": "DbUnavailableException", "message": "try later"}})
        return None


class Telematics(_Face):
    """Positions of all trucks, a page at a time: `GET /positions?after=`; those that are new: `GET /stream?after=`."""

    def __call__(self, ask: Ask) -> Say:
        after = int(ask.query.get("after", 0))
        return self.refusal(ask) or Say(self._stream(after) if ask.path.endswith("/stream") else self._page(after))

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


class Loads(_Face):
    """What changed of loads: `GET /loads?updated_since=`."""

    def __call__(self, ask: Ask) -> Say:
        return self.refusal(ask) or Say(self._updates(ask.query.get("updated_since", "")))

    def _updates(self, since: str) -> dict[str, Any]:
        begin = datetime.fromisoformat(since).timestamp() if since else 0.0
        updates = [] if "empty" in self.vendor.faults else self.vendor.updates(begin)
        return {
            "loads": [
                {"load": f"L{truck.unit}", "unit": truck.unit, "updated_at": iso(at), "status": status}
                for truck, at, status in updates
            ],
            "next": None,
        }
