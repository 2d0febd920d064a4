"""The MDMs that tablets are read from: a module each, with `Config`, `fetch` and `parse`."""

from __future__ import annotations

PLATFORMS = {
    "intune": "yardlight.mdm.platforms.intune",
    "jamf": "yardlight.mdm.platforms.jamf",
    "android_management": "yardlight.mdm.platforms.android_management",
    "soti_mobicontrol": "yardlight.mdm.platforms.soti_mobicontrol",
    "workspace_one": "yardlight.mdm.platforms.workspace_one",
    "hexnode": "yardlight.mdm.platforms.hexnode",
    "csv": "yardlight.mdm.platforms.portal_export",
}
