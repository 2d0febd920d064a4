"""What a collection of tablets is judged by: the part `mdm:` of the inventory with everything resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from yardlight.inventory.mdm import STALE_AFTER, App, Expected, Group, MdmSource
from yardlight.inventory.model import Model
from yardlight.inventory.models import Calendar, Fleet
from yardlight.inventory.roster import Truck

# Devices that neither the roster nor `mdm_groups` puts anywhere.
OTHER = "other"
# A third of the first silences end by themselves; three times as long hardly any does.
DARK_FACTOR = 3.0
SILENT_SHARE = 0.1


class Standard(Model):
    """What is expected of a group of tablets. Seconds count on duty only; no `calendar` means at all hours."""

    stale_after: float = STALE_AFTER
    dark_after: float = STALE_AFTER * DARK_FACTOR
    silent_share: float = SILENT_SHARE
    calendar: Calendar | None = None
    os: dict[str, str] = {}
    apps: dict[str, App] = {}


class Plan(Model):
    """How one source is judged. `standards` by group, `mdm_groups` from an MDM's own name or id of a group to ours."""

    base: Standard
    standards: dict[str, Standard]
    mdm_groups: dict[str, str]
    trucks: tuple[Truck, ...]
    zone: str
    series_limit: int
    expects: int | None = None
    leave_out: frozenset[str] = frozenset()

    def day(self, now: float) -> date:
        """The day by the fleet's clock."""
        return datetime.fromtimestamp(now, ZoneInfo(self.zone)).date()

    def standard(self, group: str) -> Standard:
        """The standard of a group; one that the inventory does not name has the source's own."""
        return self.standards.get(group, self.base)


def resolved(fleet: Fleet, source: MdmSource) -> Plan:
    """The plan of this source; what a group does not say, its source does, and after that we."""
    # A spreadsheet may write them with another case.
    spelled = {name.casefold(): name for name in source.groups}
    trucks = [
        replace(truck, group=spelled.get(truck.group.casefold(), truck.group)) if truck.group else truck
        for truck in fleet.roster.trucks
    ]
    return Plan(
        base=_standard(source, Group(), fleet.calendars),
        standards={name: _standard(source, group, fleet.calendars) for name, group in source.groups.items()},
        mdm_groups={theirs: name for name, group in source.groups.items() for theirs in group.mdm_groups},
        trucks=tuple(trucks),
        zone=fleet.timezone,
        series_limit=source.series_limit,
        expects=source.expects,
        leave_out=frozenset(name.casefold() for name in source.leave_out),
    )


def _standard(source: Expected, group: Expected, calendars: Mapping[str, Calendar]) -> Standard:
    def first(key: str, otherwise: object) -> object:
        said = [getattr(each, key) for each in (group, source)]
        return next((value for value in said if value is not None), otherwise)

    stale_after = first("stale_after", STALE_AFTER)
    assert isinstance(stale_after, float)
    duty = first("duty", None)
    return Standard.model_validate(
        {
            "stale_after": stale_after,
            "dark_after": first("dark_after", stale_after * DARK_FACTOR),
            "silent_share": first("silent_share", SILENT_SHARE),
            "calendar": calendars[duty] if isinstance(duty, str) else None,
            "os": first("os", {}),
            "apps": first("apps", {}),
        }
    )
