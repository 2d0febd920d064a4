"""Where trucks were and what their drivers' logs say, put together: who moved on which day, and what does not match.

The days are noted for the fleet, so that archives know of which of them there has to be a record. What does not match
becomes cases. Drivers are named on their own pages and by `yardlight flows cases`, by their codes on the roster, and
never in a label or the log.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight import movement
from yardlight.collection import Families, Join, Left, Source, Told
from yardlight.domains import PlannedJoin
from yardlight.feeds import cases, logbook, motion
from yardlight.feeds.cases import Case, Explanations
from yardlight.feeds.duty import Line, lines
from yardlight.feeds.homes import Homes
from yardlight.feeds.hos import Limits, judged
from yardlight.feeds.memory import Memory, Stretches, recalled, stretches
from yardlight.inventory.feeds import Stream
from yardlight.inventory.hours import HoursOfService
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet
from yardlight.logs import kv
from yardlight.lookback import length
from yardlight.things import Fact, Thing, pack

log = logging.getLogger(__name__)

NAME = "movement"
_LOOKS, _SOONEST, _LATEST, _DEADLINE = 48, 60.0, 300.0, 120.0
# Days and cases are made so many times in the time that logs have to settle, and once an hour at least; days so long
# after they ended: the last positions of one come a little later.
_LOOKED_EVERY, _ENDED = 3600.0, 1800.0
# What has settled stays for another week, in which logs may still change; and unassigned driving is that of a week. Of
# the first day of what is kept the beginnings are missing.
_WEEK = 7 * 86400.0
_KEPT = _WEEK + 2 * 86400.0
# So many trucks are named in a line of the log.
_NAMED = 20


class HoursPlan(Model):
    """What is put together. `trucks` and `drivers` are those of the roster that are there.

    Drivers `elsewhere` keep their log on paper, or none.
    """

    homes: Homes
    positions: tuple[str, ...]
    logs: tuple[str, ...]
    trucks: frozenset[str]
    with_eld: frozenset[str]
    drivers: frozenset[str]
    elsewhere: frozenset[str]
    hours: HoursOfService

    @property
    def kept_for(self) -> float:
        """How much of what trucks did is kept."""
        return self.hours.settle + _KEPT

    @property
    def looked_every(self) -> float:
        """How often days and cases are made, seconds."""
        return min(self.hours.settle / _LOOKS, _LOOKED_EVERY)

    @property
    def limits(self) -> Limits:
        """What is let pass."""
        return Limits(tolerance=self.hours.tolerance, least=self.hours.least, settle=self.hours.settle)


@dataclass(slots=True)
class Kept:
    """What is kept from one look to the next: what trucks did, from when on; the days that were noted, and the cases.

    Both are made anew once in a while, `looked` is when that was last. Movements that ended until then were `judged`.
    """

    begun: float
    motion: dict[str, Stretches] = field(default_factory=dict)
    looked: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    judged: float | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        whole = {name: getattr(self, name) for name in self.__slots__}
        return {**whole, "cases": [asdict(case) for case in self.cases.values()]}


@dataclass(frozen=True, slots=True)
class Logs:
    """All logs as they stand: their lines, and of which time they are known."""

    lines: Sequence[Line]
    since: float
    as_of: float


def planned(fleet: Fleet, base: Path, streams: Mapping[str, Stream]) -> Iterator[PlannedJoin]:
    """One join for the fleet, if any feed tells of movement or of logs."""
    moving, logs = _telling(streams)
    if not (moving or logs):
        return
    plan = HoursPlan(
        homes=Homes.of(fleet),
        positions=moving,
        logs=logs,
        trucks=frozenset(each.name for each in fleet.roster.trucks if each.status != "retired"),
        with_eld=frozenset(each.name for each in fleet.roster.trucks if each.eld),
        drivers=frozenset(each.code for each in fleet.roster.drivers),
        elsewhere=frozenset(each.code for each in fleet.roster.drivers if each.logs != "eld"),
        hours=fleet.hours_of_service,
    )
    of = tuple(f"feeds/{name}" for name in (*moving, *logs))
    interval = min(max(plan.looked_every, _SOONEST), _LATEST)
    yield PlannedJoin(Join(Source(fleet.fleet, "", NAME, plan, base), of, show), interval, _DEADLINE)


def said(fleet: Fleet, streams: Mapping[str, Stream]) -> Families:
    """By how much logs and GPS may differ, where both are told."""
    moving, logs = _telling(streams)
    if not (moving and logs):
        return {}
    hours = fleet.hours_of_service
    return {m.HOS_SETTLE: {(): hours.settle}, m.HOS_ALLOWED: {(): hours.mismatches_allowed},
            m.HOS_UNASSIGNED_ALLOWED: {(): hours.unassigned}}  # fmt: skip


def _telling(streams: Mapping[str, Stream]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The feeds that tell whether trucks move, and those of drivers' logs."""
    moving = (name for name, each in streams.items() if each.moving is not None and each.truck is not None)
    return tuple(moving), tuple(name for name, each in streams.items() if each.duty is not None)


def show(source: Source, left: Mapping[str, Left], memory: Any, now: float) -> Told:
    """The samples, what to remember, and notes on days."""
    plan = source.section
    assert isinstance(plan, HoursPlan)
    kept = _recalled(memory, now)
    known = {name: (at, recalled(said)) for name, (at, said) in left.items() if said is not None}
    positions = [each for name in plan.positions if (each := known.get(f"feeds/{name}")) is not None]
    kept.motion = motion.absorbed(kept.motion, [each.motion for _, each in positions])
    begin = now - plan.kept_for
    kept.motion = {name: cut for name, there in kept.motion.items() if (cut := motion.since(there, begin))}
    explained = cases.explanations(cases.file_of(source.base, source.fleet))
    notes: dict[str, Any] = {}
    if now - kept.looked >= plan.looked_every:
        kept.looked, logs = now, _logs(plan, known)
        days = dict(_days(plan, kept, logs, min((at for at, _ in positions), default=now)))
        notes = {name: told for name, told in days.items() if kept.told.get(name) != told}
        kept.told = days
        if logs is not None and plan.positions:
            before = _open(kept, explained)
            _judge(plan, kept, logs, begin, _paces([each for _, each in positions]))
            _log(source.fleet, before, _open(kept, explained))
        kept.cases = cases.kept(kept.cases, explained, datetime.fromtimestamp(now, ZoneInfo(plan.homes.zone)).date())
    families = _samples(kept, explained) if kept.judged is not None else {}
    return Told(families, kept.to_json(), things=pack(_things(plan, kept, explained), now), notes=notes)


def _paces(feeds: Iterable[Memory]) -> dict[str, float]:
    """How often each truck speaks on the road, seconds; of two feeds the one that knows more counts."""
    found: dict[str, float] = {}
    for each in feeds:
        for id_, pace in each.paces.items():
            if truck := each.seen[id_].truck if id_ in each.seen else "":
                found[truck] = min(pace, found.get(truck, pace))
    return found


def _judge(plan: HoursPlan, kept: Kept, logs: Logs, begin: float, paces: Mapping[str, float]) -> None:
    """Hold what moved against the logs, as far as both are known."""
    # Of what goes on when the time that is kept begins, the beginning was forgotten; it was judged before.
    whole = max(begin + plan.limits.tied, logs.since)
    begin = max(begin, logs.since)
    moved = motion.movements({truck: motion.since(there, begin) for truck, there in kept.motion.items()})
    found = judged(
        logs.lines, moved, elsewhere=plan.elsewhere, homes=plan.homes, limits=plan.limits, now=logs.as_of, paces=paces
    )
    # Of a truck without an ELD nobody can say that somebody should have been logged in to it.
    elds = plan.with_eld | {line.truck for line in logs.lines}
    found = replace(found, unassigned=tuple(each for each in found.unassigned if each.truck in elds))
    kept.cases = cases.revised(kept.cases, found, plan.homes, logs.lines, whole, logs.as_of)
    kept.judged = found.until


def _open(kept: Kept, explained: Explanations) -> dict[str, Case]:
    return {number: case for number, case in kept.cases.items() if cases.state_of(case, explained) == "open"}


def _samples(kept: Kept, explained: Explanations) -> Families:
    count = Counter((case.kind, cases.state_of(case, explained)) for case in kept.cases.values())
    unassigned = _unassigned(kept, explained).values()
    return {
        m.HOS_JUDGED: {(): kept.judged},
        m.HOS_CASES: {(kind, state): count[kind, state] for kind in cases.KINDS for state in cases.STATES},
        m.HOS_UNASSIGNED: {("fleet",): sum(unassigned), ("truck",): max(unassigned, default=0.0)},
    }


def _unassigned(kept: Kept, explained: Explanations) -> dict[str, float]:
    """For how long each truck moved in the last week that was judged with nobody logged in."""
    until = kept.judged or 0.0
    return cases.unassigned(kept.cases.values(), explained, (until - _WEEK, until))


def _things(plan: HoursPlan, kept: Kept, explained: Explanations) -> Iterator[Thing]:
    """Trucks and drivers of which there is something to say."""
    for truck, moved in _unassigned(kept, explained).items():
        text = f"{length(moved)} in the last 7 days that were judged"
        yield Thing("truck", truck if truck in plan.trucks else "", truck, facts=(
            Fact("moved with nobody logged in", text, kept.judged),))  # fmt: skip
    mismatched = Counter(case.driver for case in _open(kept, explained).values() if case.kind == "mismatch")
    for driver in sorted(mismatched.keys() & plan.drivers):
        text = f"{mismatched[driver]} days on which they do not match, open"
        yield Thing("driver", driver, driver, facts=(Fact("log against GPS", text, kept.judged),))


def _log(fleet: str, before: Mapping[str, Case], after: Mapping[str, Case]) -> None:
    """Say which cases are new, once, without the drivers."""
    for kind in cases.KINDS:
        if fresh := [case for number, case in after.items() if case.kind == kind and number not in before]:
            trucks = ",".join(sorted({case.truck for case in fresh})[:_NAMED])
            log.warning("logs and GPS do not match", extra=kv(fleet=fleet, kind=kind, cases=len(fresh), trucks=trucks))


def _logs(plan: HoursPlan, known: Mapping[str, tuple[float, Memory]]) -> Logs | None:
    """The logs of all drivers; None while a feed of them was never read."""
    found = [known.get(f"feeds/{name}") for name in plan.logs]
    told = [(at, each, each.log_since) for at, each in (one for one in found if one) if each.log_since is not None]
    if not told or len(told) < len(plan.logs):
        return None
    entries = (entry for _, each, _ in told for entry in logbook.entries(each.log))
    as_of = min(at for at, _, _ in told)
    return Logs(lines(entries, as_of, plan.limits.tied), max(since for _, _, since in told), as_of)


def _days(plan: HoursPlan, kept: Kept, logs: Logs | None, seen_to: float) -> Iterator[movement.Note]:
    """Who moved on each day that is over and was watched from its beginning."""
    if not plan.trucks and not plan.drivers:
        return
    homes = plan.homes
    drove = _drove(plan, logs) if logs is not None else {}
    begin = max(kept.begun, seen_to - plan.kept_for)
    day = max(datetime.fromtimestamp(begin, zone).date() for zone in homes.zones) + timedelta(days=1)
    spans = homes.spans(day)
    # A day is over when it is everywhere.
    while (last := max(end for _, end in spans.values())) + _ENDED <= seen_to:
        first = min(start for start, _ in spans.values())
        moved = {
            truck: motion.moved_within(kept.motion.get(truck, {}), spans[homes.truck(truck)]) for truck in plan.trucks
        }
        settled = logs is not None and logs.since <= first and last + plan.hours.settle <= logs.as_of
        yield movement.note(
            day,
            [truck for truck, did in moved.items() if did],
            drove.get(day, set()) if settled else None,
            [truck for truck, did in moved.items() if did is None],
        )
        day += timedelta(days=1)
        spans = homes.spans(day)


def _drove(plan: HoursPlan, logs: Logs) -> Mapping[date, set[str]]:
    """Which drivers of the roster drove on which day, by their logs."""
    found: dict[date, set[str]] = {}
    for line in logs.lines:
        if line.status == "driving" and line.driver in plan.drivers:
            zone = plan.homes.driver(line.driver)
            first, last = (datetime.fromtimestamp(at, zone).date() for at in line.time)
            for number in range(first.toordinal(), last.toordinal() + 1):
                found.setdefault(date.fromordinal(number), set()).add(line.driver)
    return found


def _recalled(memory: Any, now: float) -> Kept:
    if memory is None:
        return Kept(now)
    there = {truck: stretches(said) for truck, said in memory["motion"].items()}
    return Kept(**{**memory, "motion": there, "cases": cases.recalled(memory["cases"])})
