"""Routers: what each vendor's say over SNMP, as tables of data, and the one reader for all of them.

To add one: a module with a `PROFILE`, a line in `PROFILES`, a recording of your own with its golden. Others add theirs
through the entry point group `yardlight.routers`: its name is the `model` in the inventory, its value a `Profile`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from yardlight.terminal.routers import (
    advantech,
    airlink,
    cisco,
    cradlepoint,
    digi,
    fortiextender,
    fortigate,
    generic,
    mikrotik,
    oneaccess,
    opengear,
    peplink,
    teldat,
    teltonika,
    zmtel,
)
from yardlight.terminal.routers.tables import Profile

PROFILES: dict[str, Profile] = {
    module.PROFILE.name: module.PROFILE
    for module in (
        cradlepoint, peplink, teltonika, cisco, mikrotik, fortigate, fortiextender, opengear, advantech, digi, airlink,
        oneaccess, teldat, zmtel, generic,
    )
}  # fmt: skip
GENERIC = generic.PROFILE


@cache
def profiles() -> dict[str, Profile]:
    """Every profile by its name, those of others included; ours win."""
    found = {point.name: point.load() for point in entry_points(group="yardlight.routers")}
    return {name: each for name, each in found.items() if isinstance(each, Profile)} | PROFILES
