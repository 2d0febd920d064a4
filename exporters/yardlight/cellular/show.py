"""From the records of a connectivity platform to samples: remembered, added up, projected, judged as of now."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.cellular import diversity, lateness
from yardlight.cellular.cycle import Cycle, ending
from yardlight.cellular.forecast import PROBABILITIES, Fit, Fleet, exhaustion, learn, project, remaining, whole_days
from yardlight.cellular.history import Track, begin, midnight, ordinal
from yardlight.cellular.levels import Days
from yardlight.cellular.memory import Memory, recalled
from yardlight.cellular.oddities import Day, largest_day, last_use
from yardlight.cellular.plan import Place, Terms, rule, terms_of
from yardlight.cellular.pools import Sum, add_up, in_cycle, members
from yardlight.cellular.usage import SIM_STATES, AllDays, Count, Plan, Record, Refused, Sim, Usage, Used, listed
from yardlight.collection import Source, Told
from yardlight.errors import IncompleteError
from yardlight.inventory.words import size
from yardlight.logs import kv
from yardlight.things import Fact, Thing, numbered, pack

log = logging.getLogger(__name__)

# As long as rules look back: who was in trouble is shown one by one until then.
_SHOWN_AFTER_TROUBLE = 3600.0
# What a SIM used counts until its cycle is over, and a list may lack it by mistake.
_FORGOTTEN_AFTER = 32 * 86400.0 + _SHOWN_AFTER_TROUBLE
# A row of today may be as of its end, and a carrier's clock or zone be wrong by hours.
_CLOCKS_DIFFER = 2 * 86400.0
# A plan that neither ends nor begins anew is looked ahead for so long; one that expires later is not projected.
_LIFETIME_AHEAD, _LONGEST_AHEAD = 60 * 86400.0, 400 * 86400.0
# A plan that ends in so long is looked after now.
_SOON = 14 * 86400.0
# A SIM with this share of its cap used is asked first where each takes a request.
_NEAR = 0.8
# So many SIMs of a pool are named.
_BIGGEST = 3
# Router and carrier are compared over a week that ended so long ago that both have told all of it.
_COMPARED, _SETTLED = 7, 3
Sample = tuple[Metric, tuple[str, ...], float | None]


@dataclass(frozen=True)
class Projection:
    """The use at the end of a cycle by `PROBABILITIES` (None without an end), and when the cap is reached.

    `until` is how far ahead was looked: to the end, where there is one.
    """

    at_end: tuple[float, ...] | None
    exhausted: float | None
    until: float


@dataclass(frozen=True)
class Line:
    """A SIM or a pool with what is known of it: its use, what may be used, its cycle now, what is to come."""

    track: Track
    plan: Plan
    cycle: Cycle | None
    used: int | None
    projection: Projection | None

    @property
    def share(self) -> float:
        """The part of the cap that is used, 0 where either is not known."""
        return self.used / self.plan.limit if self.used is not None and self.plan.limit else 0.0

    @property
    def left(self) -> int | None:
        """What may still be used."""
        limit = self.plan.limit
        return limit - self.used if limit is not None and self.used is not None else None

    @property
    def short(self) -> bool:
        """Whether the cap is reached, or will be before the cycle ends."""
        return self.share >= 1 or (self.projection is not None and self.projection.exhausted is not None)


def show(source: Source, records: Sequence[Record], memory: Any, now: float) -> Told:
    """The samples of one source, and what to remember. Raises `IncompleteError` for no SIM where there were some."""
    assert isinstance(source.section, Terms)
    kept = recalled(memory, ZoneInfo(source.section.zone))
    if kept.sims and not records:
        raise IncompleteError(f"no SIM at all, where {len(kept.sims)} were")
    account = Account(source.section, kept, now)
    if odd := [record.why for record in records if isinstance(record, Refused) and record.why]:
        log.warning("some of the figures cannot be read", extra=kv(account=source.account, first=odd[0], all=len(odd)))
    account.take(records)
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    for metric, labels, value in account.samples(source.account):
        families[metric][labels] = value
    first, things = account.first(), pack(account.things(), now)
    # It has all tracks, and what was made of them.
    del account
    return Told(families, kept.to_json(), first, things=things)


def _as_before(said: Sim, before: Sim) -> Sim:
    """What is asked for SIM by SIM is not told of one that is refused: it is as it was, and no alert of it ends."""
    return replace(
        said,
        plan=said.plan if said.plan is not None else before.plan,
        expires=said.expires if said.expires is not None else before.expires,
        throttled=said.throttled if said.throttled is not None else before.throttled,
        roaming=said.roaming if said.roaming is not None else before.roaming,
    )


def looked_back(terms: Terms, memory: Any, now: float) -> Account:
    """The source as its last collection left it, at `now`."""
    kept = recalled(memory, ZoneInfo(terms.zone))
    return Account(terms, kept, now, kept.said, kept.refused)


@dataclass
class Account:
    """The SIMs and pools of one source at `now`; `said` is what was told of each, `refused` whose use was not."""

    terms: Terms
    kept: Memory
    now: float
    said: dict[str, Sim] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @property
    def zone(self) -> ZoneInfo:
        return self.kept.zone

    def take(self, records: Sequence[Record]) -> None:
        """Remember what the records say, in the order in which it was so."""
        for record in records:
            if isinstance(record, Sim):
                self.said[record.sim] = record
                self.kept.fact(record.sim).note(record)
            elif isinstance(record, Refused):
                self.refused.add(record.sim)
        for name in self.refused & self.said.keys() & self.kept.said.keys():
            self.said[name] = _as_before(self.said[name], self.kept.said[name])
        self.kept.said |= self.said
        usages = [record for record in records if isinstance(record, Usage)]
        # Less than nothing is no figure, nor is what has still to be used; what the others are worth nobody knows.
        wrong = {
            (usage.sim, usage.pool)
            for usage in usages
            if (isinstance(usage.amount, Used) and usage.amount.bytes < 0) or usage.as_of > self.now + _CLOCKS_DIFFER
        }
        self.refused |= {sim for sim, _ in wrong if sim}
        for usage in sorted(usages, key=lambda usage: usage.as_of):
            if (usage.sim, usage.pool) not in wrong:
                self._take_usage(usage)
        counts: dict[str, list[Count]] = defaultdict(list)
        for record in records:
            if isinstance(record, Count):
                counts[record.sim].append(record)
        for sim, each in counts.items():
            self._take_counts(sim, each)
        self._take_rest([each for each in records if isinstance(each, AllDays) and each.sim not in self.refused])
        for name, said in self.kept.said.items():
            if name in self.kept.sims and said.activated is not None:
                self.kept.sims[name].born(said.activated)
        self.kept.refused = set(self.refused)
        self._forget({record.sim for record in records})

    def _forget(self, told: set[str]) -> None:
        """SIMs that are not there any more: their terms at once, what they used when it does not count any more."""
        kept, before = self.kept, self.now - _FORGOTTEN_AFTER
        for sim in [sim for sim, track in kept.sims.items() if sim not in told]:
            if self.terms.counts or (kept.sims[sim].as_of or 0.0) < before:
                del kept.sims[sim]
        there = {*self.there, *told}
        kept.said = {sim: each for sim, each in kept.said.items() if sim in there and (sim in told or sim in kept.sims)}
        kept.facts = {sim: each for sim, each in kept.facts.items() if sim in there or sim in kept.sims}
        kept.meters = {name: each for name, each in kept.meters.items() if name.partition(" ")[0] in told}

    @property
    def there(self) -> list[str]:
        """The SIMs that are at the platform by its list, and those of the inventory that were until now.

        One that was removed from both has no alert any more, but one of the inventory must not lose them by vanishing.
        An export may have some SIMs only, and a router lists none.
        """
        every = dict.fromkeys([*self.kept.sims, *self.said])
        if not self.said or self.terms.partial:
            return list(every)
        return [sim for sim in every if sim in self.said or sim in self.terms.places]

    def _take_usage(self, usage: Usage) -> None:
        track = self.kept.sim(usage.sim) if usage.sim else self.kept.pool(usage.pool)
        cycle = usage.cycle or self.cycle_at(usage.sim, usage.pool, usage.as_of)
        if cycle is not None and cycle.start is None and cycle.end is not None:
            cycle = ending(cycle.end, track.cycle)
        plan = self.plan(usage.sim) if usage.sim else self.pool_plan(usage.pool)
        before = track.as_of
        track.take(usage, cycle, plan)
        if usage.sim and usage.day is None:
            self.kept.fact(usage.sim).caught_up(track, before)

    def _take_rest(self, told: Sequence[AllDays]) -> None:
        """Days without use, until the newest figures of the account: what is later may not be known of anybody yet."""
        newest = max((track.as_of for track in self.kept.sims.values() if track.as_of is not None), default=None)
        if newest is None:
            return
        for each in told:

            def cycle_at(at: float, each: AllDays = each) -> Cycle | None:
                said = each.cycle if each.cycle is not None and each.cycle.has(at) else None
                return said or self.cycle_at(each.sim, "", at)

            self.kept.sim(each.sim).rest(each.since, newest, cycle_at)

    def _take_counts(self, sim: str, counts: Sequence[Count]) -> None:
        """Counters of one SIM together, as one growth: what came in and what went out."""
        grown, start, end = 0, 0.0, 0.0
        for count in counts:
            name = f"{sim} {count.part}"
            meter = self.kept.meters.get(name)
            if meter is None:
                self.kept.meters[name] = begin(count)
                continue
            self.kept.meters[name], more = meter.advance(count)
            if more is not None:
                grown, start, end = grown + more, meter.at, count.at
        if end > start:
            self.kept.sim(sim).grow(grown, start, end, self.cycle_at(sim, "", end))

    def cycle_at(self, sim: str, pool: str, at: float) -> Cycle | None:
        """The cycle by the inventory's rule. Where nobody tells the cycle there is none: a month is not made up."""
        source = self.terms.source
        said = self.kept.said.get(sim)
        written = (source.pools[pool].cycle if pool in source.pools else None) or source.cycle
        found = rule(written, self.terms.zone, said.activated if said else None)
        return found.at(at) if found else None

    def plan(self, sim: str) -> Plan:
        """What a SIM may use."""
        said = self.kept.said.get(sim)
        return terms_of(said.plan if said else None, self.terms.source)

    def pool_plan(self, pool: str) -> Plan:
        """What a pool may use: only the inventory knows."""
        written = self.terms.source.pools.get(pool)
        return terms_of(None, written) if written is not None else Plan()

    @cached_property
    def learned(self) -> tuple[Fleet, dict[str, Fit]]:
        """What the account teaches, and the fit of each SIM, and of each pool under its name with a slash before it."""
        tracks = self.kept.sims | {f"/{name}": each.track for name, each in self.pools.items()}
        histories = {name: days for name, track in tracks.items() if (days := whole_days(track)) is not None}
        place = {name: index for index, name in enumerate(histories)}
        pools = {
            place[f"/{name}"]: [place[sim] for sim in each.added if sim in place]
            for name, each in self.pools.items()
            if f"/{name}" in place
        }
        fleet, fits = learn(list[Days](histories.values()), pools)
        return fleet, {name: fit for name, fit in zip(histories, fits, strict=True) if fit is not None}

    @cached_property
    def pools(self) -> dict[str, Sum]:
        """Each pool: the platform's own total, or the sum of its SIMs."""
        source = self.terms.source
        # One that was never read is a member whose use is not known.
        there, found = self.there, {}
        for name in sorted({*source.pools, *self.kept.pools}):
            names = members(name, source.pools.get(name), self.kept.said, there, len(source.pools) == 1)
            if (own := self.kept.pools.get(name)) is not None:
                found[name] = Sum(own, tuple(names), None)
                continue
            cycle = self.cycle_at("", name, self.now) or self._common(names)
            found[name] = add_up(self.kept.sims, names, cycle, self.zone, self.now, self.refused)
        return found

    def _common(self, names: Sequence[str]) -> Cycle | None:
        """The cycle that the platform gives most of these SIMs, if it has not ended."""
        cycles = Counter(track.cycle for name in names if (track := self.kept.sims.get(name)) and track.open(self.now))
        return cycles.most_common(1)[0][0] if cycles else None

    @cached_property
    def sims(self) -> dict[str, Line]:
        """Every SIM that the roster has a name for."""
        return {
            name: self._line(name, track, self.plan(name), self.cycle_at(name, "", self.now))
            for name in self.there
            if listed(name)
            for track in [self.kept.sims.get(name) or Track(self.zone)]
        }

    @cached_property
    def pool_lines(self) -> dict[str, Line]:
        """Every pool."""
        return {
            name: self._line(f"/{name}", each.track, self.pool_plan(name), self.cycle_at("", name, self.now))
            for name, each in self.pools.items()
        }

    def _line(self, key: str, track: Track, plan: Plan, cycle: Cycle | None) -> Line:
        opened = track.open(self.now)
        now = track.cycle if opened else cycle
        used = track.used if opened else None
        return Line(track, plan, now, used, self._projected(key, track, plan) if opened else None)

    def _projected(self, key: str, track: Track, plan: Plan) -> Projection | None:
        """What is to come. Of a cycle that was counted in part, or of which no end is known, nothing is said."""
        fleet, fits = self.learned
        fit, cycle = fits.get(key), track.cycle
        if fit is None or cycle is None or track.used is None or track.as_of is None or track.since is not None:
            return None
        said = self.kept.said.get(key)
        end = cycle.end if cycle.end is not None else said.expires if said else None
        ahead = end if end is not None else track.as_of + _LIFETIME_AHEAD
        if not track.as_of < ahead <= track.as_of + _LONGEST_AHEAD:
            return None
        days = remaining(track.as_of, ahead, self.zone)
        at_end = project(fit, fleet, track.used, days)
        cap = plan.limit
        exhausted = exhaustion(fit, track.used, cap, at_end[1], days, self.zone) if cap is not None else None
        return Projection(at_end if end is not None else None, exhausted, ahead)

    def biggest(self, pool: str) -> list[tuple[str, int]]:
        """The SIMs that used most of a pool in its cycle, of those that have a name."""
        cycle, sims = self.pool_lines[pool].cycle, self.sims
        uses = [
            (sim, used)
            for sim in self.pools[pool].members
            if sim in sims and (used := in_cycle(sims[sim].track, cycle, self.zone, self.now))
        ]
        return sorted(uses, key=lambda each: -each[1])[:_BIGGEST]

    def first(self) -> list[str]:
        """SIMs to be asked for before others: in trouble, or near their cap."""
        return [name for name, line in self.sims.items() if line.short or line.share >= _NEAR]

    def samples(self, account: str) -> Iterator[Sample]:
        """All of them; what is remembered of a SIM's trouble is brought up to date on the way."""
        yield from self._lateness(account)
        days = {name: largest_day(line.track, self.terms.source.runaway) for name, line in self.sims.items()}
        for name, line in self.sims.items():
            if line.short or self._odd(name, line, days[name]):
                self.kept.fact(name).trouble = self.now
        # Whoever is told of a pool is told because of whom.
        for pool, line in self.pool_lines.items():
            if line.short:
                for name, _ in self.biggest(pool):
                    self.kept.fact(name).trouble = self.now
        alone = [name for name in self.sims if self._shown_alone(name)]
        yield m.SIMS_WITH_CAP, (account,), sum(line.plan.limit is not None for line in self.sims.values())
        yield m.SIMS_NOT_SHOWN, (account,), len(self.sims) - len(alone)
        yield m.SIMS_UNLISTED, (account,), sum(not listed(name) for name in self.there)
        if self.terms.in_trucks and not self.terms.counts:
            yield m.ROSTER_SIMS_LISTED, (account,), len(self.terms.in_trucks & self.said.keys())
        states = Counter(self.said[name].state if name in self.said else "unknown" for name in self.sims)
        for state in SIM_STATES:
            yield m.SIMS, (account, state), states[state]
        pool_of = {sim: name for name, pool in self.pools.items() for sim in pool.members}
        for name in alone:
            yield from self._sim(account, name, pool_of.get(name, ""), days[name])
        for name, line in self.pool_lines.items():
            yield from self._usage(account, name, "", line)
            each = self.pools[name]
            yield m.POOL_USAGE, (account, name), line.used if each.counted is None or line.used is None else each.read
            yield m.POOL_KNOWN_USAGE, (account, name), line.used
            yield m.POOL_CAP, (account, name), line.plan.limit
            for sim, used in self.biggest(name):
                yield m.POOL_BIGGEST, (account, name, sim), used
            if each.counted is not None:
                yield m.POOL_SIMS, (account, name), len(each.members)
                yield m.POOL_SIMS_COUNTED, (account, name), each.counted
        yield from self._carriers(account)
        yield from self._standbys()

    def things(self) -> Iterator[Thing]:
        """Every SIM for whoever asks about one; those that the roster does not have by their numbers only."""
        lines = {sim: (name, self.pool_lines[name]) for name, pool in self.pools.items() for sim in pool.members}
        for name in self.there:
            said, line = self.said.get(name), self.sims.get(name)
            facts = _state_facts(said) if said is not None else []
            if line is not None:
                facts += _use_facts("", line)
            if name in lines:
                pool, shared = lines[name]
                facts += _use_facts(f"pool {pool}", shared)
            sim = said or Sim(name, self.now)
            numbers = numbered(("iccid", sim.iccid), ("imei", sim.imei), ("phone", sim.phone))
            yield Thing("sim", name if listed(name) else "", sim.called, numbers=numbers, facts=tuple(facts))

    def _lateness(self, account: str) -> Iterator[Sample]:
        """Until when the newest figures count, and how old they may be."""
        tracks = (self.kept.sims.get(name) for name in self.there)
        newest = max((track.as_of for track in tracks if track and track.as_of is not None), default=None)
        limit = lateness.late_after(self.kept.lags, self.terms.source.late_after)
        yield m.USAGE_LATE_AFTER, (account,), limit
        yield m.USAGE_AS_OF, (account, "", ""), newest
        if newest is not None:
            day = ordinal(self.now, self.zone)
            self.kept.lags = lateness.noted(self.kept.lags, day, self.now - newest, limit)

    def _odd(self, name: str, line: Line, day: Day | None) -> bool:
        said = self.said.get(name)
        changed = self.kept.fact(name).changed
        return (
            (day is not None and day.used > day.above)
            or bool(self._suspended_use(name, line.track))
            or bool(said and (said.throttled or said.roaming))
            or (changed is not None and self.now - changed < 86400.0)
            or (said is not None and said.expires is not None and abs(said.expires - self.now) < _SOON)
        )

    def _suspended_use(self, name: str, track: Track) -> int | None:
        return self.kept.fact(name).used_while_suspended(track)

    def _shown_alone(self, name: str) -> bool:
        recent = self.now - self.kept.fact(name).trouble < _SHOWN_AFTER_TROUBLE
        return len(self.sims) <= self.terms.source.series_limit or recent or bool(self._place(name).uplink)

    def _place(self, name: str) -> Place:
        return self.terms.places.get(name, Place())

    def _carrier(self, said: Sim | None) -> str:
        return (said.carrier if said else "") or self.terms.network

    def _sim(self, account: str, name: str, pool: str, day: Day | None) -> Iterator[Sample]:
        line, said, place, key = self.sims[name], self.said.get(name), self._place(name), (account, name)
        yield m.SIM_INFO, (*key, pool, self._carrier(said), place.truck, place.terminal, place.uplink), 1
        yield from self._usage(account, "", name, line)
        yield m.SIM_USAGE, key, line.used
        yield m.SIM_CAP, key, line.plan.limit
        yield m.SIM_LAST_USE, key, last_use(line.track)
        yield m.SIM_SUSPENDED_USE, key, self._suspended_use(name, line.track)
        yield m.SIM_DEVICE_CHANGED, key, self.kept.fact(name).changed
        if day is not None:
            yield m.SIM_DAY, key, day.used
            yield m.SIM_RUNAWAY_ABOVE, key, day.above
        if place.uplink and line.plan.throttle_speed is not None:
            yield m.SIM_THROTTLE_SPEED, key, line.plan.throttle_speed / 8
        if name in self.terms.counted:
            yield m.SIM_SETTLED, (*key, "router" if self.terms.counts else "carrier"), self._settled(line.track)
        if said is not None:
            for state in SIM_STATES:
                yield m.SIM_STATE, (*key, state), float(state == said.state)
            yield m.SIM_IN_SESSION, key, _flag(said.in_session)
            yield m.SIM_ROAMING, key, _flag(said.roaming)
            yield m.SIM_THROTTLED, key, _flag(said.throttled)
            yield m.PLAN_EXPIRY, key, said.expires

    def _settled(self, track: Track) -> int | None:
        """The use of a week of which everybody has told all; None if a day of it is not known, or not whole yet."""
        last = ordinal(self.now, self.zone) - _SETTLED
        if track.as_of is None or track.as_of < midnight(last, self.zone):
            return None
        days = [track.day(day) for day in range(last - _COMPARED, last)]
        told = [used for used in days if used is not None]
        return sum(told) if len(told) == _COMPARED and track.seeded <= last - _COMPARED else None

    def _usage(self, account: str, pool: str, sim: str, line: Line) -> Iterator[Sample]:
        """What SIMs and pools have in common."""
        key, track, ahead = (account, pool, sim), line.track, line.projection
        yield m.USAGE_AS_OF, key, track.as_of
        if line.plan.limit is not None and line.plan.after != "unknown":
            yield m.PLAN_AFTER, (*key, line.plan.after), 1
        if line.cycle is not None:
            yield m.CYCLE_START, key, line.cycle.start
            yield m.CYCLE_END, key, line.cycle.end
        if line.used is not None:
            yield m.USAGE_SINCE, key, track.since
        if track.used is not None and line.used is None:
            # It is over, and of the next one nothing is known yet.
            yield m.USAGE_LAST_CYCLE, key, track.used if track.since is None else None
        elif track.closed is not None:
            yield m.USAGE_LAST_CYCLE, key, track.closed.used
        if ahead is not None:
            # Whole seconds and bytes: what is beyond differs by processor.
            yield m.CAP_EXHAUSTION, key, None if ahead.exhausted is None else round(ahead.exhausted)
            for probability, used in zip(PROBABILITIES, ahead.at_end or (), strict=False):
                yield m.USAGE_PROJECTED, (*key, f"{probability:g}"), round(used)

    def _carriers(self, account: str) -> Iterator[Sample]:
        """Who is in session, by carrier and home; of SIMs in yards' routers, which idle, nothing follows."""
        told = [
            (self._carrier(said), place.terminal, said.in_session)
            for name, said in self.said.items()
            if said.in_session is not None and said.state in ("active", "unknown")
            for place in [self._place(name)]
            if not place.uplink
        ]
        made, self.kept.habits = diversity.groups(told, self.kept.habits, self.now, self.zone)
        for (carrier, home), group in made.items():
            key = (account, carrier, home)
            yield m.CARRIER_SIMS, key, group.sims
            yield m.CARRIER_IN_SESSION, key, group.in_session
            yield m.CARRIER_EXPECTED, key, group.expected
            yield m.CARRIER_LEAST, key, group.least

    def _standbys(self) -> Iterator[Sample]:
        """What is left for each standby: of its SIM's own cap, or of its pool's where that is less."""
        lines = {sim: self.pool_lines[name] for name, pool in self.pools.items() for sim in pool.members}
        for name, line in self.sims.items():
            place = self._place(name)
            if place.uplink:
                both = [line, lines[name]] if name in lines else [line]
                left = [
                    each.plan.limit - each.used
                    for each in both
                    if each.plan.limit is not None and each.used is not None
                ]
                if left:
                    yield m.STANDBY_LEFT, (place.terminal, place.uplink), max(0, min(left))


def _state_facts(said: Sim) -> list[Fact]:
    """How a SIM is, as of when the platform was asked."""
    facts = [Fact("state", said.state, said.seen)] if said.state != "unknown" else []
    if said.in_session is not None:
        facts.append(Fact("session", "in session" if said.in_session else "not in session", said.seen))
    if said.throttled:
        facts.append(Fact("speed", "throttled", said.seen))
    return facts


def _use_facts(whose: str, line: Line) -> Iterator[Fact]:
    """What is used of which cap, as of the carrier's figures, and when it ends."""
    what = f"{whose} " if whose else ""
    used = "not known" if line.used is None else size(line.used)
    of = "" if line.plan.limit is None else f" of {size(line.plan.limit)}"
    yield Fact(f"{what}used", f"{used}{of}", line.track.as_of)
    if not whose and (last := last_use(line.track)) is not None:
        yield Fact("last use", at=last)
    if line.cycle is not None and line.cycle.end is not None:
        yield Fact(f"{what}cycle ends", at=line.cycle.end)
    if line.projection is not None and line.projection.exhausted is not None:
        yield Fact(f"{what}cap likely reached", at=line.projection.exhausted)


def _flag(said: bool | None) -> float | None:
    return None if said is None else float(said)
