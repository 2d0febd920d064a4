"""A state file with a history that is known, for tests of what looks back at it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from yardlight.state import Event, Span, State

FLEET = "inland-haul"
PACIFIC = ZoneInfo("America/Los_Angeles")
INVENTORY = """
fleet: inland-haul
timezone: America/Los_Angeles
defaults: {terminal: {targets: [198.51.100.1]}}
terminals:
  fontana:
    uplinks:
      fiber: {bind: 10.10.0.21, circuit: {isp: "Fron<tier", id: 12/KRFN/004, SLA}}
      lte: {bind: wwan0, circuit: {isp: Verizon}}
    maintenance: [{uplink: fiber, from: 2026-10-20T22:00, to: 2026-10-21T04:00, why: ISP window}]
  memphis: {timezone: America/Chicago, uplinks: {cable: {}}}
"""
SLA = "sla: {availability: 99.9%, credits: {99.9%: 5%, 99%: 10%}}"


def at(local: str, zone: ZoneInfo = PACIFIC) -> float:
    """Unix seconds of a local time."""
    return datetime.fromisoformat(local).replace(tzinfo=zone).timestamp()


class Past:
    """Writes a history as the exporter of a terminal does."""

    def __init__(self, folder: Path, name: str = "yardlight.db", sla: str = SLA) -> None:
        (folder / "fleet.yml").write_text(INVENTORY.replace(", SLA", f", {sla}" if sla else ""))
        self.path = folder / name
        self._state = State(self.path)

    def span(
        self, path: Literal["pinned", "default"], uplink: str, state: str, start: float, end: float, at: str = "fontana"
    ) -> None:
        self._state.keep([Span(FLEET, at, path, uplink, state, start, end)])

    def event(self, kind: str, uplink: str, start: float, end: float, terminal: str = "fontana", **detail: str) -> None:
        event = Event(FLEET, terminal, kind, uplink, start, end, {"error": 0.12, **detail})
        self._state.record(event, [], lambda: None)

    def good(self, start: float, end: float) -> None:
        """All of fontana well."""
        self.span("pinned", "fiber", "up", start, end)
        self.span("pinned", "lte", "up", start, end)
        self.span("default", "fiber", "primary", start, end)

    def failover(self, start: float, end: float, switch: float = 15.0, segment: str = "isp") -> None:
        """fiber silent from `start` to `end`, the yard on lte after `switch` seconds, back ten after fiber is."""
        self.span("pinned", "fiber", "down", start, end)
        self.span("pinned", "fiber", "up", end, end + 10)
        self.span("pinned", "lte", "up", start, end + 10)
        self.span("default", "", "dark", start, start + switch)
        self.span("default", "lte", "standby", start + switch, end + 10)
        self.event("uplink_gap", "fiber", start, end, segment=segment)
        self.event("failover", "lte", start, start + switch, came_from="fiber")
        self.event("failover", "fiber", end + 10, end + 10.4, came_from="lte")

    def close(self) -> None:
        self._state.close()
