"""What the kernel asks of this domain: its platforms, what is to be collected, what the inventory says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from yardlight.catalogue import SIM_SILENT_AFTER, USAGE_DRIFT, Metric
from yardlight.cellular.plan import resolved
from yardlight.cellular.platforms import PLATFORMS as PLATFORMS
from yardlight.cellular.show import show
from yardlight.collection import Collection, Families, Source
from yardlight.domains import Planned
from yardlight.inventory.models import Fleet


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    """One collection for each source of `cellular:`."""
    for name, source in fleet.cellular.items():
        account = fleet.accounts[source.account]
        where = Source(fleet.fleet, account.name, f"cellular/{name}", resolved(fleet, source), Path(account.folder))
        yield Planned(Collection(where, account.module, account.options, show), source.poll, source.deadline)


def said(fleet: Fleet, now: float) -> Families:
    """The thresholds of each account."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    for source in fleet.cellular.values():
        families[SIM_SILENT_AFTER][source.account,] = source.silent_after
        families[USAGE_DRIFT][source.account,] = source.drift
    return families
