"""What the kernel asks of this domain: which checks are to be run, and what the inventory says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.collection import Families, Source
from yardlight.inventory.archives import Archive
from yardlight.inventory.models import Fleet
from yardlight.inventory.retention import window_start
from yardlight.records.check import Check
from yardlight.records.coverage import Ground
from yardlight.records.evidence import folder_of


@dataclass(frozen=True)
class PlannedCheck:
    """Like `Planned`, of an archive: to be checked each `interval` seconds within `deadline` seconds."""

    collection: Check
    interval: float
    deadline: float
    keep_for: float = 86400.0


def planned(fleet: Fleet, base: Path, state: Path) -> Iterator[PlannedCheck]:
    """One check for each archive; its index lies beside the state file."""
    for name in fleet.archives:
        archive = fleet.archives[name]
        yield PlannedCheck(check_of(fleet, name, base, state), archive.check, archive.deadline)


def check_of(fleet: Fleet, name: str, base: Path, state: Path) -> Check:
    """The check of this archive."""
    archive = fleet.archives[name]
    # No account: what fails is the archive, which has alerts of its own.
    source = Source(fleet.fleet, "", f"records/{name}", archive, base)
    return Check(source, name, archive, ground_of(fleet, archive), folder_of(state), state)


def ground_of(fleet: Fleet, archive: Archive) -> Ground:
    """What the inventory has for the archive to be compared with."""
    return Ground(
        fleet.roster.drivers,
        fleet.roster.trucks,
        fleet.calendars.get(archive.calendar or ""),
        fleet.calendars.get(archive.expected),
        ZoneInfo(fleet.timezone),
    )


def said(fleet: Fleet, now: float) -> Families:
    """The archives, and how far back each has to go."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    today = datetime.fromtimestamp(now, ZoneInfo(fleet.timezone)).date()
    for name, archive in fleet.archives.items():
        rule = archive.terms
        families[m.ARCHIVE_INFO][name, archive.rule, rule.citation, archive.covers, archive.stage] = 1
        first = datetime.combine(window_start(rule, archive.keep, today), time.min, UTC)
        families[m.ARCHIVE_REQUIRED][name,] = (datetime.combine(today, time.min, UTC) - first).total_seconds()
        families[m.ARCHIVE_FREE_LEAST][name,] = archive.least_free
    return families
