"""What the kernel asks of this domain: its platforms, what is to be collected, what the inventory says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from yardlight.catalogue import (
    DEVICE_STALE_AFTER,
    DEVICES_SILENT_SHARE,
    DUTY_SINCE,
    ROSTER_TABLET,
    TRUCK_DARK_AFTER,
    TRUCK_MOVED_FOR,
    WIPE_WITHIN,
    Metric,
)
from yardlight.collection import Collection, Families, Source
from yardlight.domains import Planned
from yardlight.inventory.models import Fleet
from yardlight.mdm.orders import follow
from yardlight.mdm.plan import OTHER, resolved
from yardlight.mdm.platforms import PLATFORMS as PLATFORMS
from yardlight.mdm.show import show
from yardlight.mdm.staleness import Duty


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    """One collection for each source of `mdm:`."""
    for name, source in fleet.mdm.items():
        account = fleet.accounts[source.account]
        where = Source(fleet.fleet, account.name, f"mdm/{name}", resolved(fleet, source), Path(account.folder))
        collection = Collection(where, account.module, account.options, show, follow, source.poll)
        yield Planned(collection, source.poll, source.deadline)


def said(fleet: Fleet, now: float) -> Families:
    """What is expected of each group, since when it is on duty, and which tablets the roster has."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    if fleet.mdm:
        today = datetime.fromtimestamp(now, ZoneInfo(fleet.timezone)).date()
        families[ROSTER_TABLET] = {
            (truck.tablet.name, truck.name): 1
            for truck in fleet.roster.trucks
            if truck.tablet is not None and not truck.left(today)
        }
    for source in fleet.mdm.values():
        families[WIPE_WITHIN][(source.account,)] = source.wipe_within
        families[TRUCK_MOVED_FOR][(source.account,)] = source.truck_moved_for
        families[TRUCK_DARK_AFTER][(source.account,)] = source.truck_dark_after
        plan = resolved(fleet, source)
        groups = {*plan.standards, *(truck.group for truck in plan.trucks if truck.group), OTHER}
        for group in sorted(groups):
            key, standard = (source.account, group), plan.standard(group)
            families[DEVICE_STALE_AFTER][key] = standard.stale_after
            families[DEVICES_SILENT_SHARE][key] = standard.silent_share
            if standard.calendar is not None:
                families[DUTY_SINCE][key] = Duty(standard.calendar, ZoneInfo(plan.zone), now).opened
    return families
