"""Where trucks were and what their drivers' logs say, put together: who moved on which day.

The days are noted for the fleet, so that archives know of which of them there has to be a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from yardlight import movement
from yardlight.calendars import instant
from yardlight.collection import Join, Left, Source, Told
from yardlight.domains import PlannedJoin
from yardlight.feeds import logbook, motion
from yardlight.feeds.duty import Entry, lines
from yardlight.feeds.hos import Limits
from yardlight.feeds.memory import Memory, Stretches, recalled, stretches
from yardlight.intervals import Interval
from yardlight.inventory.feeds import Stream
from yardlight.inventory.hours import HoursOfService
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet

NAME = "movement"
_EVERY, _DEADLINE = 300.0, 120.0
# Days are told again so often, and so long after they ended: the last positions of a day come a little later.
_TOLD_EVERY, _ENDED = 3600.0, 1800.0
# What has settled stays for another week, in which logs may still change.
_WEEK = 8 * 86400.0


class HoursPlan(Model):
    """What is put together. `trucks` and `drivers` are those of the roster that are there."""

    zone: str
    positions: tuple[str, ...]
    logs: tuple[str, ...]
    trucks: frozenset[str]
    drivers: frozenset[str]
    hours: HoursOfService

    @property
    def kept_for(self) -> float:
        """How much of what trucks did is kept."""
        return self.hours.settle + _WEEK


@dataclass(slots=True)
class Kept:
    """What is kept from one look to the next: what trucks did, from when on; the days that were noted, and when."""

    begun: float
    motion: dict[str, Stretches] = field(default_factory=dict)
    told_at: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Logs:
    """All logs: their lines, and of which time they are known."""

    entries: Sequence[Entry]
    since: float
    as_of: float


def planned(fleet: Fleet, base: Path, streams: Mapping[str, Stream]) -> Iterator[PlannedJoin]:
    """One join for the fleet, if any feed tells of movement or of logs."""
    moving = [name for name, each in streams.items() if each.moving is not None and each.truck is not None]
    logs = [name for name, each in streams.items() if each.duty is not None]
    if not (moving or logs):
        return
    plan = HoursPlan(
        zone=fleet.timezone,
        positions=tuple(moving),
        logs=tuple(logs),
        trucks=frozenset(each.name for each in fleet.roster.trucks if each.status != "retired"),
        drivers=frozenset(each.code for each in fleet.roster.drivers),
        hours=fleet.hours_of_service,
    )
    of = tuple(f"feeds/{name}" for name in (*moving, *logs))
    yield PlannedJoin(Join(Source(fleet.fleet, "", NAME, plan, base), of, show), _EVERY, _DEADLINE)


def show(source: Source, left: Mapping[str, Left], memory: Any, now: float) -> Told:
    """What to remember, and notes on days."""
    plan = source.section
    assert isinstance(plan, HoursPlan)
    kept = _recalled(memory, now)
    known = {name: (at, recalled(said)) for name, (at, said) in left.items() if said is not None}
    positions = [each for name in plan.positions if (each := known.get(f"feeds/{name}")) is not None]
    kept.motion = motion.absorbed(kept.motion, [each.motion for _, each in positions])
    begin = now - plan.kept_for
    kept.motion = {name: cut for name, there in kept.motion.items() if (cut := motion.since(there, begin))}
    notes: dict[str, Any] = {}
    if now - kept.told_at >= _TOLD_EVERY:
        kept.told_at = now
        seen_to = min((at for at, _ in positions), default=now)
        notes = dict(_days(plan, kept, _logs(plan, known), seen_to))
        fresh = {name: told for name, told in notes.items() if kept.told.get(name) != told}
        kept.told, notes = notes, fresh
    return Told({}, asdict(kept), notes=notes)


def _logs(plan: HoursPlan, known: Mapping[str, tuple[float, Memory]]) -> Logs | None:
    """The logs of all drivers; None while a feed of them was never read."""
    found = [known.get(f"feeds/{name}") for name in plan.logs]
    told = [(at, each, each.log_since) for at, each in (one for one in found if one) if each.log_since is not None]
    if not told or len(told) < len(plan.logs):
        return None
    entries = [entry for _, each, _ in told for entry in logbook.entries(each.log)]
    return Logs(entries, max(since for _, _, since in told), min(at for at, _, _ in told))


def _days(plan: HoursPlan, kept: Kept, logs: Logs | None, seen_to: float) -> Iterator[movement.Note]:
    """Who moved on each day that is over and was watched from its beginning."""
    if not plan.trucks and not plan.drivers:
        return
    zone = ZoneInfo(plan.zone)
    drove = _drove(plan, logs, zone) if logs is not None else {}
    day = datetime.fromtimestamp(max(kept.begun, seen_to - plan.kept_for), zone).date() + timedelta(days=1)
    while (span := _span(day, zone))[1] + _ENDED <= seen_to:
        moved = {truck: motion.moved_within(kept.motion.get(truck, {}), span) for truck in plan.trucks}
        settled = logs is not None and logs.since <= span[0] and span[1] + plan.hours.settle <= logs.as_of
        yield movement.note(
            day,
            [truck for truck, did in moved.items() if did],
            drove.get(day, set()) if settled else None,
            [truck for truck, did in moved.items() if did is None],
        )
        day += timedelta(days=1)


def _drove(plan: HoursPlan, logs: Logs, zone: ZoneInfo) -> Mapping[date, set[str]]:
    """Which drivers of the roster drove on which day, by their logs."""
    found: dict[date, set[str]] = {}
    for line in lines(logs.entries, logs.as_of, Limits().tied):
        if line.status == "driving" and line.driver in plan.drivers:
            first, last = (datetime.fromtimestamp(at, zone).date() for at in line.time)
            for number in range(first.toordinal(), last.toordinal() + 1):
                found.setdefault(date.fromordinal(number), set()).add(line.driver)
    return found


def _span(day: date, zone: ZoneInfo) -> Interval:
    """From midnight to midnight."""
    start, end = (instant(datetime.combine(each, time.min), zone) for each in (day, day + timedelta(days=1)))
    return start, end


def _recalled(memory: Any, now: float) -> Kept:
    if memory is None:
        return Kept(now)
    return Kept(**{**memory, "motion": {truck: stretches(there) for truck, there in memory["motion"].items()}})
