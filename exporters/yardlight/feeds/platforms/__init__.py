"""The platforms that feeds are read from: a module each, with `Config`, `fetch` and `parse`."""

from __future__ import annotations

PLATFORMS = {
    "generic": "yardlight.feeds.platforms.generic",
}
