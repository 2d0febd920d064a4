"""How an archive stands, from its index: what pages, boards, the command line and a cover sheet all say."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from yardlight.calendars import instant
from yardlight.inventory.archives import Archive, Backup
from yardlight.inventory.retention import keep_until
from yardlight.records.coverage import Ground, closing, expected, gaps, new_due, required, strangers
from yardlight.records.index import Entry, Index
from yardlight.records.layout import Layout

# Back-ups that make a habit.
_HABIT = 10
_LEAST_HABIT = 3
Missing = tuple[str, int]


@dataclass
class Standing:
    """All that a check found out. Instants are unix seconds; None is not known.

    `listed` is when the last whole listing ended, None if there was none: then of the files nothing is said;
    `known_since` when the first one did. `kinds`
    counts what is wrong with files, `odd` what cannot be placed. `unread` are files that nobody has read yet, `broken`
    those that a manifest has and that are not there, `unlisted` folders of which not all is known, and why.
    """

    listed: float | None = None
    known_since: float | None = None
    files: int = 0
    bytes: int = 0
    first: date | None = None
    last: date | None = None
    newest: float | None = None
    oldest: float | None = None
    due: float | None = None
    missing: Sequence[Missing] = ()
    strangers: Sequence[str] = ()
    unknown_days: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    broken: Sequence[str] = ()
    odd: Counter[str] = field(default_factory=Counter)
    unlisted: Sequence[tuple[str, str]] = ()
    unread: int = 0
    longest_unread: float | None = None
    deleted: Sequence[str] = ()
    held: int = 0
    copied: float | None = None
    copy_fails: str = ""
    copy_unread: int = 0
    copy_lacks: int = 0
    copy_lacks_days: int = 0
    newest_bytes: int | None = None
    usual_bytes: float | None = None
    least_bytes: float | None = None
    most_bytes: float | None = None

    @property
    def unusual(self) -> bool:
        """Whether the newest back-up is smaller or larger than its habit allows."""
        size, least, most = self.newest_bytes, self.least_bytes, self.most_bytes
        return size is not None and least is not None and most is not None and not least <= size <= most


def standing(index: Index, archive: Archive, ground: Ground, now: float, closes: bool = False) -> Standing:
    """How the archive stands by what its index has; `closes`: before nothing comes any more."""
    found = Standing(index.fact("listed 0"), index.fact("first listed 0"))
    if found.listed is None:
        return found
    [(found.files, total)] = index.rows("SELECT sum(files), sum(bytes) FROM folder WHERE copy = 0")
    found.files, found.bytes = found.files or 0, total or 0
    # What has a later day than this is no newest record: somebody's typing, or a clock.
    [(oldest, newest)] = index.rows(
        "SELECT min(day), max(day) FILTER (WHERE day <= ?) FROM file WHERE copy = 0 AND gone IS NULL",
        (ground.today(now).toordinal(),),
    )
    found.oldest, found.newest = _instant(oldest, ground), _instant(newest, ground)
    [(arrived,)] = index.rows("SELECT max(arrived) FROM file WHERE copy = 0 AND gone IS NULL")
    found.due = new_due(archive, ground, arrived, found.known_since or now)
    found.kinds = Counter(dict(index.rows(
        "SELECT kind, count(*) FROM file WHERE copy = 0 AND kind != '' AND gone IS NULL GROUP BY kind"
    )))  # fmt: skip
    found.odd, found.unlisted = index.odd(0), list(index.unlisted(0))
    found.unread = index.unread(0)
    [(found.longest_unread,)] = index.rows("SELECT min(verified) FROM file WHERE copy = 0 AND gone IS NULL")
    found.first, found.last = required(archive, ground, now)
    found.broken = [path for path, _ in broken_promises(index, archive, found.first)]
    found.kinds["manifest"] += len(found.broken)
    if closes:
        wanted = closing(archive, ground, now, date.fromordinal(oldest) if oldest else found.first)
        found.strangers = strangers(archive, ground)
    else:
        wanted = expected(archive, ground, found.first, found.last)
    found.unknown_days = wanted.unknown_days
    if wanted.days:
        spans = [day for days in wanted.days.values() for day in days] or [found.first.toordinal()]
        there = days_there(index, date.fromordinal(min(spans)), date.fromordinal(max(spans)))
        found.missing = list(gaps(wanted, there, archive))
    found.deleted = [entry.path for entry in deleted_early(index, archive, ground, now)]
    today = ground.today(now)
    found.held = sum(_held(index, archive, ground, today))
    if archive.second_copy is not None:
        _compare(index, archive, now, found)
    if archive.backup is not None:
        _sizes(index, archive.backup, found)
    return found


def days_there(index: Index, first: date, last: date, gone: bool = False) -> dict[str, set[int]]:
    """Of whom there is a file of which of these days; or was one, and is `gone`."""
    found: dict[str, set[int]] = defaultdict(set)
    there = f"gone IS {'NOT ' if gone else ''}NULL"
    query = f"SELECT DISTINCT who, day FROM file WHERE copy = 0 AND {there} AND day BETWEEN ? AND ?"
    for who, day in index.each(query, (first.toordinal(), last.toordinal())):
        found[who].add(day)
    return found


def broken_promises(index: Index, archive: Archive, first: date, last: date = date.max) -> Iterator[tuple[str, str]]:
    """Files of these days that a manifest has and the archive has not, and whose they are."""
    layout = Layout(archive.pattern)
    for path in index.broken_promises():
        placed = layout.place(path)
        if placed and first.toordinal() <= placed[1] <= last.toordinal():
            yield path, placed[0]


def kept_until(archive: Archive, ground: Ground, entry: Entry, arrived: float) -> date:
    """The first day on which this file need not be kept any more; a hold has no such day."""
    day = date.fromordinal(entry.day)
    if any(hold.covers(entry.who, day) for hold in archive.holds):
        return date.max
    return keep_until(archive.terms, archive.keep, day, ground.gone(entry.who), ground.today(arrived))


def deleted_early(index: Index, archive: Archive, ground: Ground, now: float) -> Iterator[Entry]:
    """Files that are gone though they had to be kept; not those whose content is there under another name."""
    today = ground.today(now)
    for entry, arrived, _ in index.gone(0):
        if kept_until(archive, ground, entry, arrived) > today and not _elsewhere(index, entry):
            yield entry


def expired(index: Index, archive: Archive, ground: Ground, now: float) -> Iterator[int]:
    """Ids of files that are gone and that nobody will ask for: kept for long enough, or of the second copy."""
    today = ground.today(now)
    for entry, arrived, _ in index.gone(0):
        if kept_until(archive, ground, entry, arrived) <= today or _elsewhere(index, entry):
            yield entry.id
    for entry, _, _ in index.gone(1):
        yield entry.id


def _elsewhere(index: Index, entry: Entry) -> bool:
    query = "SELECT sha, size FROM file WHERE copy = 0 AND gone IS NULL AND who = ? AND day = ?"
    there = index.rows(query, (entry.who, entry.day))
    return any(sha == entry.sha if entry.sha and sha else size == entry.size for sha, size in there)


def _held(index: Index, archive: Archive, ground: Ground, today: date) -> Iterator[int]:
    """Files under a hold that are past their rule: kept because of the hold alone."""
    past = (archive.keep or archive.terms.keep).before(today) - timedelta(days=archive.terms.arrives_within)
    for hold in archive.holds:
        first = hold.from_.toordinal() if hold.from_ else 0
        last = min(hold.to or past, past).toordinal()
        who = f" AND who IN ({', '.join('?' * len(hold.who))})" if hold.who else ""
        query = f"SELECT count(*) FROM file WHERE copy = 0 AND gone IS NULL AND day BETWEEN ? AND ?{who}"
        yield index.rows(query, (first, last, *hold.who))[0][0]


_LACKS = """
SELECT count(*), count(DISTINCT mine.who || '/' || mine.day) FROM file mine JOIN folder ON folder.id = mine.folder
LEFT JOIN folder other ON other.copy = 1 AND other.path = folder.path
LEFT JOIN file theirs ON theirs.folder = other.id AND theirs.name = mine.name AND theirs.gone IS NULL
WHERE mine.copy = 0 AND mine.gone IS NULL AND mine.arrived < ? AND mine.day >= ?
AND (theirs.id IS NULL OR theirs.size != mine.size OR theirs.kind NOT IN ('', 'changing')
OR (theirs.sha != mine.sha AND theirs.verified IS NOT NULL AND mine.verified IS NOT NULL))
"""


def _compare(index: Index, archive: Archive, now: float, found: Standing) -> None:
    """What the second copy lacks, or has with another content, of what had time to get there."""
    found.copied, found.copy_fails = index.fact("listed 1"), index.fact("copy fails") or ""
    for path, _ in index.unlisted(1):
        found.copy_fails = found.copy_fails or f"{path or '.'}: cannot be listed"
    if found.copied is None or found.first is None:
        return
    found.copy_unread = index.unread(1)
    values = (now - archive.copied_within, found.first.toordinal())
    [(found.copy_lacks, found.copy_lacks_days)] = index.rows(_LACKS, values)


def _sizes(index: Index, backup: Backup, found: Standing) -> None:
    """The newest back-up against the middle of those before it."""
    # One that is being written is not as large yet as it will be.
    query = (
        "SELECT size FROM file WHERE copy = 0 AND gone IS NULL AND verified IS NOT NULL AND kind != 'changing'"
        " ORDER BY day DESC, arrived DESC LIMIT ?"
    )
    sizes = [size for (size,) in index.each(query, (_HABIT + 1,))]
    if sizes:
        found.newest_bytes = sizes[0]
    if len(sizes) > _LEAST_HABIT:
        found.usual_bytes = statistics.median(sizes[1:])
        found.least_bytes = found.usual_bytes * (1 - backup.smaller)
        found.most_bytes = found.usual_bytes * (1 + backup.larger)


def _instant(day: int | None, ground: Ground) -> float | None:
    """Where a day begins; for the newest and the oldest record."""
    return None if day is None else instant(datetime.combine(date.fromordinal(day), time.min), ground.zone)
