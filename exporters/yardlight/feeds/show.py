"""From the records of a feed to samples: how new they are, whether trucks move, what is odd beside the last answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.calendars import is_open
from yardlight.catalogue import Metric
from yardlight.collection import Source, Told
from yardlight.feeds import between, contracts, elds, logbook, motion, movement, promises, tax, units
from yardlight.feeds.extract import number_of
from yardlight.feeds.freshness import Answer, digest, newest, older_than, sorted_out
from yardlight.feeds.health import limit
from yardlight.feeds.memory import Memory, Seen, recalled
from yardlight.feeds.plan import Plan
from yardlight.feeds.record import COMPONENT_STATES, About, Breach, Component, ComponentState, Record
from yardlight.feeds.record import Told as Item
from yardlight.things import Fact, Thing, pack

# So many fields are named one by one; a reply that is another one altogether has more.
_FIELDS = 20
Sample = tuple[Metric, tuple[str, ...], float | None]


def show(source: Source, items: Sequence[Item], memory: Any, now: float) -> Told:
    """The samples of one feed, and what to remember."""
    assert isinstance(source.section, Plan)
    kept = recalled(memory)
    accepted = contracts.mark(source.section.contracts)
    if accepted is None:
        accepted = kept.accepted
    if kept.description != source.section.description or kept.accepted not in (None, accepted):
        kept.description, kept.stamp = source.section.description, ""
        kept.steady, kept.scale, kept.levels, kept.breaches = {}, {}, {}, []
    kept.accepted = accepted
    page = _Page(source.account, source.section, items, kept, now)
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    for metric, labels, value in page.samples():
        families[metric][labels] = value
    kept.forget(now)
    trucks = _things(source.section.feed, kept) if source.section.by_truck else ()
    return Told(families, kept.to_json(), things=pack(trucks, now))


def _things(feed: str, kept: Memory) -> Iterator[Thing]:
    """Each truck of the feed for whoever asks about one."""
    for called, seen in kept.seen.items():
        facts = [Fact(f"last record of {feed}", at=seen.last)]
        if seen.moving is not None:
            facts.append(Fact("moving", "yes" if seen.moving else "no", seen.last))
        if seen.moved is not None:
            facts.append(Fact("last moved", at=seen.moved))
        yield Thing("truck", seen.truck, called, facts=tuple(facts))


@dataclass
class _Page:
    """The samples of one collection; what is remembered is brought up to date on the way."""

    account: str
    plan: Plan
    items: Sequence[Item]
    kept: Memory
    now: float

    def samples(self) -> Iterator[Sample]:
        key, kept, plan = (self.account, self.plan.feed), self.kept, self.plan
        records = [each for each in self.items if isinstance(each, Record)]
        about = next((each for each in self.items if isinstance(each, About)), About())
        answer = sorted_out(records, kept, self.now)
        breaches = [each for each in self.items if isinstance(each, Breach)]
        breaches += units.changed_times(records, plan.time, plan.adds_up, kept)
        breaches += units.changed_units(answer.dated, kept.seen, kept)
        breaches += contracts.breaches(plan.contracts, records, kept.levels)
        kept.newest = newest(answer, kept, plan.adds_up, self.now)
        self._note(answer)
        yield m.FEED_NEWEST, key, kept.newest
        yield m.FEED_RECEIVED, key, kept.received
        yield m.FEED_UNCHANGED_SINCE, key, kept.unchanged_since
        if movement.noted(kept, kept.newest, plan.movers, plan.moving_within):
            yield m.FEED_MOVEMENT, key, kept.moving_until
            yield m.FEED_MOVEMENT_SINCE, key, kept.moving_since
        for state in ("new", "known", "future", "undated"):
            yield m.FEED_RECORDS, (*key, state), getattr(answer, state)
        odd = between.anomalies(answer, about, kept, plan.adds_up, plan.by_truck, self.now)
        odd["volume"] = between.few(answer.new, kept, ZoneInfo(plan.zone), self._judges_volume(), self.now)
        for kind, is_so in odd.items():
            yield m.FEED_ANOMALY, (*key, kind), float(is_so)
        yield from self._violations(self._held(breaches, bool(records)))
        yield from self._promises(about.headers)
        left = limit(about.headers)
        yield m.FEED_LIMIT, key, left.most
        yield m.FEED_LIMIT_LEFT, key, left.left
        yield m.FEED_TLS_END, key, about.tls_ends
        yield from self._components()
        if plan.elds:
            kept.elds = elds.kept(kept.elds, self.now)
            mine = (each for called, each in kept.elds.items() if plan.name(called) or not plan.trucks)
            yield from elds.samples(key, mine)
        if plan.by_truck:
            yield from self._trucks()
        if any(each.engine is not None for each in kept.seen.values()):
            for rule, count in tax.holes(kept, self.now).items():
                yield m.TAX_RECORD_GAPS, (*key, rule), count

    def _judges_volume(self) -> bool:
        plan = self.plan
        if plan.calendar is None:
            return plan.always
        return is_open(plan.calendar, self.now, ZoneInfo(plan.zone))

    def _note(self, answer: Answer) -> None:
        """What the records say of each truck (or id), and whether any of it is new under its new time."""
        kept, fresh = self.kept, []
        # Some vendors tell the newest first.
        told = [(each.time, each) for each in answer.dated if isinstance(each.time, float)]
        for at, record in sorted(told, key=lambda pair: pair[0]):
            key, said = record.truck or record.id, digest(record)
            before = kept.seen.get(key)
            if record.malfunction is not None:
                elds.note(record, kept.elds.setdefault(key, {}))
            if before is not None and at > before.last and record.moving is not False:
                fresh.append(said != before.digest)
            if before is not None and at > before.last:
                tax.note(record, before, self.plan.adds_up, kept)
                if name := self.plan.name(key):
                    motion.note(record, before, kept.motion.setdefault(name, {}), self.now, kept.paces.get(key))
                    if before.moving and record.moving:
                        kept.paces[key] = motion.paced(kept.paces.get(key), at - before.last)
            if before is None or at >= before.last:
                kept.seen[key] = self._seen(record, said, before)
            kept.seen[key].listed = self.now
        kept.motion = motion.fresh(kept.motion, self.now)
        if self.plan.log:
            kept.log = logbook.noted(answer.dated, kept.log, self.plan, self.now)
            kept.log_since = self.now if kept.log_since is None else kept.log_since
        for record in answer.others:
            if (key := record.truck or record.id) in kept.seen:
                kept.seen[key].listed = self.now
            elif key:
                kept.listed[key] = self._truck(record), self.now
        kept.answered = self.now
        between.unchanged(fresh, kept)
        if kept.newest is not None:
            kept.highest = max(kept.newest, kept.highest or kept.newest)
        received = answer.received
        if received is not None:
            kept.received = min(received, self.now)
        if answer.marks:
            kept.marks = answer.marks

    def _seen(self, record: Record, said: str, before: Seen | None) -> Seen:
        assert isinstance(record.time, float)
        at = min(record.time, self.now)
        moved = at if record.moving else before.moved if before else None
        numbers = {name: number for name, value in record.values.items() if (number := number_of(value)) is not None}
        return Seen(at, record.moving, moved, said, self._truck(record), numbers, self.now, record.engine, record.speed)

    def _truck(self, record: Record) -> str:
        """The roster's name of it; empty for none."""
        return self.plan.trucks.get((record.truck or record.id).casefold(), "")

    def _held(self, breaches: Sequence[Breach], judged: bool) -> list[Breach]:
        """The worst breaches, with those of before while no record says that they are mended."""
        before = [] if judged else self.kept.breaches
        every = {(each.kind, each.field): each for each in (*breaches, *before)}.values()
        elsewhere = {each.field for each in every if each.to}
        found = [each for each in every if each.kind != "missing" or each.field not in elsewhere]
        worst = sorted(found, key=lambda breach: (not breach.broken, -breach.count))[:_FIELDS]
        if judged:
            self.kept.breaches = worst
        return worst

    def _violations(self, breaches: Sequence[Breach]) -> Iterator[Sample]:
        key = (self.account, self.plan.feed)
        for breach in breaches:
            yield m.FEED_VIOLATIONS, (*key, breach.kind, breach.field), breach.count

    def _promises(self, headers: Mapping[str, str]) -> Iterator[Sample]:
        key = (self.account, self.plan.feed)
        if version := promises.version(headers):
            yield m.FEED_API_INFO, (*key, version), 1
        yield m.FEED_API_DEPRECATED, key, promises.deprecated(headers)
        yield m.FEED_API_SUNSET, key, promises.sunset(headers)

    def _components(self) -> Iterator[Sample]:
        """What a status page says. Of two components of one name the worse counts."""
        worst: dict[str, ComponentState] = {}
        for each in (item for item in self.items if isinstance(item, Component)):
            known = worst.setdefault(each.name, each.state)
            worst[each.name] = max(known, each.state, key=COMPONENT_STATES.index)
        for name, state in worst.items():
            for one in COMPONENT_STATES:
                key = (self.account, self.plan.feed, self.plan.about, name, one)
                yield m.PLATFORM_STATUS, key, float(one == state)

    def _trucks(self) -> Iterator[Sample]:
        key, seen = (self.account, self.plan.feed), self.kept.lately(self.now)
        yield m.FEED_TRUCKS, key, len(seen)
        for age, count in older_than([each.last for each in seen], self.now).items():
            yield m.FEED_TRUCKS_OLDER, (*key, f"{age:.0f}"), count
        for each in seen:
            if each.truck:
                yield m.TRUCK_TOLD, (*key, each.truck), each.last
                yield m.TRUCK_MOVED, (*key, each.truck), each.moved
