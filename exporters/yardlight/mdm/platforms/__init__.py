"""The MDMs that tablets are read from: a module each, with `Config`, `fetch` and `parse`."""

from __future__ import annotations

PLATFORMS = {
    "intune": "yardlight.mdm.platforms.intune",
    "jamf": "yardlight.mdm.platforms.jamf",
    "android_management": "yardlight.mdm.platforms.android_management",
}
