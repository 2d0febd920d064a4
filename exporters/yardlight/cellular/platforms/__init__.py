"""Which platforms there are; each is a module with `Config`, `fetch` and `parse`, and says what stands behind it."""

from __future__ import annotations

_HERE = "yardlight.cellular.platforms."

# The inventory's word for a platform -> its module.
PLATFORMS: dict[str, str] = {
    "thingspace": _HERE + "thingspace",
    "control_center": _HERE + "control_center",
    "super_sim": _HERE + "super_sim",
    "programmable_wireless": _HERE + "programmable_wireless",
    "soracom": _HERE + "soracom",
    "emnify": _HERE + "emnify",
    "router_counter": _HERE + "router_counter",
    "csv": _HERE + "portal_export",
}
