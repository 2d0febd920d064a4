"""Of whom and of which days there has to be a record, and which of them are not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from yardlight.calendars import instant, is_open
from yardlight.inventory.archives import Archive, Span
from yardlight.inventory.models import Calendar
from yardlight.inventory.retention import window_start
from yardlight.inventory.roster import Driver, Truck
from yardlight.movement import Moved

_DAY = timedelta(days=1)
# Something comes into every archive, if its rule says nothing sooner: within so many open days of its first check.
_FIRST_WITHIN = 5


@dataclass(frozen=True)
class Ground:
    """What an archive is compared with: the roster, calendars, the days on which somebody moved, the time zone."""

    drivers: tuple[Driver, ...] = ()
    trucks: tuple[Truck, ...] = ()
    calendar: Calendar | None = None
    expected: Calendar | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    moved: Mapping[date, Moved] = field(default_factory=dict)

    def today(self, now: float) -> date:
        return datetime.fromtimestamp(now, self.zone).date()

    def gone(self, who: str) -> date | None:
        """When this driver or vehicle left; None while it is here, or if the roster does not say."""
        return self._left.get(who)

    @cached_property
    def _left(self) -> dict[str, date | None]:
        # Asked for each file that is gone, of thousands of drivers.
        retired = {truck.name: truck.last_day for truck in self.trucks if truck.status == "retired"}
        return retired | {driver.code: driver.left for driver in self.drivers}


@dataclass(frozen=True)
class Expected:
    """Who has to have a record of which days, and of which days nobody told whether it moved."""

    days: Mapping[str, frozenset[int]]
    unknown: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def of(self, who: Iterable[str]) -> Expected:
        """The same of these only."""
        return Expected(*({name: days[name] for name in who if name in days} for days in (self.days, self.unknown)))

    def only(self, wanted: Callable[[str, int], bool]) -> Expected:
        """The same of these days of each only."""
        return Expected(*(
            {name: frozenset(day for day in some if wanted(name, day)) for name, some in days.items()}
            for days in (self.days, self.unknown)
        ))  # fmt: skip

    @property
    def unknown_days(self) -> int:
        """How many days are not known of anybody."""
        return len(frozenset[int]().union(*self.unknown.values()))


def expected(archive: Archive, ground: Ground, first: date, last: date, of: Collection[str] | None = None) -> Expected:
    """What the archive has to have of the days from `first` to `last`, both included; `of` these only, or of all."""
    if archive.covers == "none":
        return Expected({})
    days, unknown = _days(archive, ground, first, last)
    moving = archive.expected == "when_moving"
    found, not_known = {}, {}
    for who, begin, end in _who(archive, ground):
        if of is not None and who not in of:
            continue
        there = range(max(begin or first, first).toordinal(), min(end or last, last).toordinal() + 1)
        spans = [span for span in archive.excused if not span.who or who in span.who]
        theirs = days & _moving(archive, ground, who) if moving else days
        found[who], not_known[who] = (
            frozenset(each for each in some if each in there and not _excused(spans, who, each))
            for some in (theirs, unknown | _doubtful(archive, ground, who))
        )
    return Expected(found, not_known)


def closing(archive: Archive, ground: Ground, now: float, oldest: date) -> Expected:
    """What has to be there before a vendor gives nothing any more: also what may still arrive, what has to be kept for
    longer because it came late, and what is held. `oldest` is the day of the oldest record that is there.
    """
    last = ground.today(now) - _DAY
    first, _ = required(archive, ground, now)
    first -= timedelta(days=archive.terms.arrives_within)
    found = [expected(archive, ground, max(first, archive.since or first), last)]
    for hold in archive.holds:
        begin = max(hold.from_ or oldest, archive.since or date.min)
        held = expected(archive, ground, begin, min(hold.to or last, last))
        found.append(held.of(hold.who or held.days))
    names = {who for each in found for who in each.days}
    days, unknown = (
        {who: frozenset[int]().union(*(some.get(who, ()) for some in kinds)) for who in names}
        for kinds in ([each.days for each in found], [each.unknown for each in found])
    )
    return Expected(days, unknown)


def strangers(archive: Archive, ground: Ground) -> list[str]:
    """Who is held, has to have records and is not on the roster: of them nothing is missed."""
    known = {name for name, _, _ in _who(archive, ground)}
    held = {name for hold in archive.holds for name in hold.who}
    return sorted(held - known) if archive.covers != "none" else []


def gaps(wanted: Expected, there: Mapping[str, set[int]], archive: Archive) -> Iterator[tuple[str, int]]:
    """Who lacks the record of which day; of a vehicle that has none at all, of the last day."""
    for who in sorted(wanted.days):
        days, have = wanted.days[who], there.get(who, set())
        if archive.covers == "vehicle":
            if days and not have:
                yield who, max(days)
            continue
        for day in sorted(days - have):
            yield who, day


def required(archive: Archive, ground: Ground, now: float) -> tuple[date, date]:
    """The first and the last day whose records have to be there now."""
    today = ground.today(now)
    first = window_start(archive.terms, archive.keep, today)
    return max(first, archive.since or first), today - timedelta(days=archive.late_after)


def new_due(archive: Archive, ground: Ground, newest: float | None, known_since: float) -> float | None:
    """By when a new file has to be there: the close of the last open day that may pass without one.

    `newest` is when the last one came, None if there is none; `known_since` is when the archive was first listed.
    """
    if newest is not None:
        day, within = ground.today(newest), archive.open_days
    else:
        day, within = ground.today(known_since), archive.open_days or _FIRST_WITHIN
        day = max(day, archive.since or day)
    if within is None:
        return None
    left = within
    for _ in range(1000):
        day += _DAY
        noon = instant(datetime.combine(day, time(12)), ground.zone)
        left -= ground.calendar is None or _open(ground.calendar, noon, ground.zone)
        if not left:
            return instant(datetime.combine(day + _DAY, time.min), ground.zone)
    return None


def _open(calendar: Calendar, noon: float, zone: ZoneInfo) -> bool:
    """Whether the calendar is open at any hour of this day."""
    return any(is_open(calendar, noon + hour * 3600.0, zone) for hour in (0, *range(-12, 12)))


def _days(archive: Archive, ground: Ground, first: date, last: date) -> tuple[set[int], set[int]]:
    """The days of which records are expected, and those of which nobody told who moved."""
    span = range(first.toordinal(), last.toordinal() + 1)
    if archive.expected == "when_moving":
        drivers = archive.pattern.kind == "driver"
        told = {day.toordinal() for day, moved in ground.moved.items() if not drivers or moved.drivers is not None}
        return told & set(span), set(span) - told
    if ground.expected is not None:
        calendar = ground.expected
        noons = ((each, instant(datetime.combine(date.fromordinal(each), time(12)), ground.zone)) for each in span)
        return {each for each, noon in noons if _open(calendar, noon, ground.zone)}, set()
    return set(span), set()


def _doubtful(archive: Archive, ground: Ground, who: str) -> set[int]:
    """Days of which somebody told, and not whether this vehicle moved."""
    if archive.expected != "when_moving" or archive.pattern.kind == "driver":
        return set()
    return {day.toordinal() for day, moved in ground.moved.items() if who in moved.unknown}


def _moving(archive: Archive, ground: Ground, who: str) -> set[int]:
    drivers = archive.pattern.kind == "driver"
    return {
        day.toordinal()
        for day, moved in ground.moved.items()
        if who in ((moved.drivers or ()) if drivers else moved.trucks)
    }


def _who(archive: Archive, ground: Ground) -> Iterable[tuple[str, date | None, date | None]]:
    """Each driver who has to have logs, or each vehicle, from when and until when."""
    if archive.pattern.kind == "driver":
        return [(each.code, each.hired, each.left) for each in ground.drivers if each.logs == "eld"]
    # Of one that is gone since nobody knows when, no day can be asked.
    return [(each.name, None, each.last_day) for each in ground.trucks if each.last_day or not each.ends]


def _excused(spans: Sequence[Span], who: str, day: int) -> bool:
    return any(span.covers(who, date.fromordinal(day)) for span in spans)
