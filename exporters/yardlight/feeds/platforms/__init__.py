"""The platforms that feeds are read from: a module each, with `Config`, `fetch` and `parse`."""

from __future__ import annotations

PLATFORMS = {
    "generic": "yardlight.feeds.platforms.generic",
    "samsara": "yardlight.feeds.platforms.samsara",
    "geotab": "yardlight.feeds.platforms.geotab",
    "motive": "yardlight.feeds.platforms.motive",
    "fleetio": "yardlight.feeds.platforms.fleetio",
    "verizon_connect": "yardlight.feeds.platforms.verizon_connect",
    "sql": "yardlight.feeds.platforms.sql",
    "statuspage": "yardlight.feeds.platforms.statuspage",
}
