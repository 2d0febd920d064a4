"""Records for whoever asks: of some drivers or vehicles, from one day to another, as one zip with a cover sheet.

What is missing stands on the sheet before anything else. A file is read and compared with its first reading while it
is packed; what the archive does not give as it was comes from the second copy, if that has it as it was.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from yardlight import templates
from yardlight.collection import Session
from yardlight.errors import PollError, RecordsError
from yardlight.inventory import words
from yardlight.inventory.archives import Archive, Place
from yardlight.inventory.models import Fleet
from yardlight.inventory.retention import AS_OF, window_start
from yardlight.records import evidence
from yardlight.records.check import Check, whose
from yardlight.records.coverage import Ground, expected, gaps
from yardlight.records.domain import check_of
from yardlight.records.evidence import Retrieval
from yardlight.records.index import Entry, Index
from yardlight.records.reading import Content, Whose, read, settled, wrong_with
from yardlight.records.standing import broken_promises, days_there
from yardlight.records.store import CHUNK, Store, UnreadableError, store

# So long a listing may take that makes the archive's own as new as the request.
_LIST_SECONDS = 20.0
_READ_SECONDS = 3600.0
# A zip knows the years from 1980 to 2107.
_OLDEST, _NEWEST = (int(datetime(year, 6, 1).timestamp()) for year in (1980, 2107))
COVER, SUMS = "00-COVER.html", "SHA256SUMS"


@dataclass(frozen=True)
class Wanted:
    """What was asked for, by whom and why. No archives named: all of them. Both days are included."""

    drivers: tuple[str, ...]
    vehicles: tuple[str, ...]
    archives: tuple[str, ...]
    first: date
    last: date
    by: str
    why: str


@dataclass
class Part:
    """What one archive gave. `missing` are (who, day), `awaited` those that may still arrive; the rest is text."""

    name: str
    archive: Archive
    listed: float | None = None
    files: int = 0
    bytes: int = 0
    missing: list[tuple[str, str]] = field(default_factory=list)
    awaited: list[tuple[str, str]] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def retrieve(fleet: Fleet, base: Path, state: Path, wanted: Wanted) -> Retrieval:
    """Pack what was asked for. Raises `RecordsError` for what cannot be asked."""
    _check(fleet, wanted)
    began = time.time()
    records = evidence.folder_of(state)
    folder = evidence.new_folder(records, began)
    target = evidence.zip_of(folder)
    sums: list[tuple[str, str]] = []
    with ExitStack() as undo:
        # Half of it would be people's records that no evidence knows of.
        undo.callback(target.unlink, missing_ok=True)
        try:
            with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as packed:
                target.chmod(0o600)
                checks = (check_of(fleet, name, base, state) for name in wanted.archives or fleet.archives)
                parts = [_Packing(each, wanted, packed, sums, folder).go() for each in checks]
                body = _body(fleet, wanted, parts, began)
                cover = templates.render("records_cover.html", r=body, parts=parts, as_of=AS_OF).encode()
                listed = "".join(f"{sha}  {name}\n" for sha, name in sorted(sums, key=lambda each: each[1])).encode()
                packed.writestr(COVER, cover)
                packed.writestr(SUMS, listed)
            body["sha256"] = _digest(target)
        except OSError as error:
            raise RecordsError(f"{target}: cannot be written: {(error.strerror or str(error)).lower()}") from None
        undo.pop_all()
    evidence.seal(folder, body, {COVER: cover, SUMS: listed})
    return Retrieval(folder, body)


def _check(fleet: Fleet, wanted: Wanted) -> None:
    for name in wanted.archives:
        if name not in fleet.archives:
            raise RecordsError(f"there is no archive {name!r}; {words.choice(name, fleet.archives, 'archives')}")
    if not fleet.archives:
        raise RecordsError("the inventory has no archives")
    if not wanted.drivers and not wanted.vehicles:
        raise RecordsError("say which drivers or vehicles")
    if wanted.last < wanted.first:
        raise RecordsError(f"{wanted.last} is before {wanted.first}")
    if not wanted.by.strip() or not wanted.why.strip():
        raise RecordsError("say who asks and why: both are kept")


@dataclass(frozen=True)
class _Try:
    """A file as one place gave it, 0 for the archive and 1 for its second copy, and what is wrong with that."""

    place: int
    content: Content | None
    why: str


class _Packing:
    """One archive's part of a retrieval."""

    def __init__(
        self, check: Check, wanted: Wanted, packed: zipfile.ZipFile, sums: list[tuple[str, str]], large_in: Path
    ) -> None:
        self._check, self._wanted, self._packed, self._sums, self._large_in = check, wanted, packed, sums, large_in
        self._archive, self._part = check.archive, Part(check.name, check.archive)
        self._names: set[str] = set()
        self._away: dict[int, str] = {}

    def go(self) -> Part:
        """Pack its files and find out what is missing."""
        who = self._who()
        if who == ():
            self._part.notes.append(f"not asked for: it is of {self._archive.pattern.kind}s")
            return self._part
        index = Index(self._check.index_path)
        try:
            session = Session(time.monotonic() + _LIST_SECONDS, self._check.source.base)
            self._list(index, session)
            if self._part.listed is None:
                self._part.unusable.append("the archive has not been listed as a whole; what is missing is not known")
                return self._part
            session.deadline = time.monotonic() + _READ_SECONDS
            ground = self._check.known()
            self._missing(index, ground, who)
            self._pack(index, session, whose(self._archive, ground), who)
        finally:
            index.close()
        return self._part

    def _who(self) -> tuple[str, ...] | None:
        """Of whom, for this archive; None where it is of nobody in particular."""
        if not self._archive.pattern.kind:
            return None
        return self._wanted.drivers if self._archive.pattern.kind == "driver" else self._wanted.vehicles

    def _list(self, index: Index, session: Session) -> None:
        """Make the listing as new as the request, if nobody else is at it and it takes no longer than people wait."""
        try:
            if not index.lock() or not self._check.list_now(index, session):
                self._part.notes.append("what came since the last check is not in it")
        except PollError as error:
            # What was there is known, and may be in the second copy.
            index.drop()
            self._part.unusable.append(f"the archive cannot be listed: {session.mask(str(error))}")
        self._part.listed = index.fact("listed 0")

    def _missing(self, index: Index, ground: Ground, who: tuple[str, ...] | None) -> None:
        first, last = self._wanted.first, self._wanted.last
        today = ground.today(time.time())
        kept_from = window_start(self._archive.terms, self._archive.keep, today)
        for since, why in ((self._archive.since, "the archive begins with"), (kept_from, "records are kept from")):
            if since is not None and first < since:
                self._part.notes.append(f"{why} {since}; nothing before is expected")
        if self._archive.covers == "vehicle":
            # One for all the time that they are kept: it need not be of the days asked for.
            first = min(first, window_start(self._archive.terms, self._archive.keep, min(last, today)))
        first = max(first, self._archive.since or first)
        gone = days_there(index, first, last, gone=True)

        def kept(name: str, day: int) -> bool:
            of = date.fromordinal(day)
            return of >= kept_from or day in gone.get(name, ()) or any(each.covers(name, of) for each in holds)

        holds = self._archive.holds
        asked = expected(self._archive, ground, first, min(last, today - timedelta(days=1)), who).only(kept)
        for name in who or ():
            if self._archive.covers != "none" and name not in asked.days:
                why = "is not on the roster as one who has these records"
                self._part.unusable.append(f"{name} {why}; what is missing is not known")
        if asked.unknown_days:
            days = f"of {asked.unknown_days} days"
            self._part.unusable.append(
                f"{days} nobody told who moved; whether records of them are missing is not known"
            )
        due = (today - timedelta(days=self._archive.late_after)).toordinal()
        for name, day in gaps(asked, days_there(index, first, last), self._archive):
            late = day <= due or day in gone.get(name, ()) or self._archive.covers == "vehicle"
            (self._part.missing if late else self._part.awaited).append((name, date.fromordinal(day).isoformat()))
        for path, _ in index.unlisted(0):
            self._part.unusable.append(f"{path or '.'}: cannot be listed; what is in it is not known")
        self._part.unusable += (
            f"{path}: the manifest has it, and it is not there"
            for path, whose_ in broken_promises(index, self._archive, max(self._wanted.first, kept_from), last)
            if who is None or whose_ in who
        )
        for span in self._archive.excused:
            whom = ", ".join(span.who) or "all"
            self._part.notes.append(f"excused: {whom}, {span.from_ or ''} to {span.to or ''}: {span.why}")

    def _pack(self, index: Index, session: Session, belongs: Whose, who: tuple[str, ...] | None) -> None:
        places = [self._archive.path, *([self._archive.second_copy] if self._archive.second_copy else [])]
        stores = [self._store(number, place, session) for number, place in enumerate(places)]
        days = (self._wanted.first.toordinal(), self._wanted.last.toordinal())
        whom = f" AND who IN ({', '.join('?' * len(who))})" if who is not None else ""
        for entry in index.find(f"file.copy = 0 AND day BETWEEN ? AND ?{whom}", (*days, *(who or ()))):
            promised = index.promised(entry.path) if self._archive.manifest else set()
            with ExitStack() as after:
                found = [*self._tried(stores, entry, promised, session)]
                for each in found:
                    if each.content and each.content.large:
                        after.callback(each.content.large.close)
                self._take(found, entry, belongs)

    def _store(self, number: int, place: Place, session: Session) -> Store | None:
        try:
            return store(place, self._check.source.base, session)
        except PollError as error:
            self._away[number] = session.mask(str(error))
            return None

    def _tried(
        self, stores: Sequence[Store | None], entry: Entry, promised: set[bytes], session: Session
    ) -> Iterator[_Try]:
        """The file from each place, until one has it as it was."""
        for number, place in enumerate(stores):
            if place is None or number in self._away:
                yield _Try(number, None, f"cannot be read: {self._away[number]}")
                continue
            try:
                content = read(place, entry.path, session.left, self._large_in)
            except UnreadableError as error:
                yield _Try(number, None, f"cannot be read: {error}")
                continue
            except PollError as error:
                # Not every file waits for a store that does not answer.
                self._away[number] = session.mask(str(error))
                yield _Try(number, None, f"cannot be read: {self._away[number]}")
                continue
            stays = entry.sha is not None and settled(self._archive, entry, time.time())
            why = "its content is not that of its first reading" if stays and content.sha != entry.sha else ""
            if not why and promised - {content.sha}:
                why = "its hash is not the one in the manifest"
            yield _Try(number, content, why)
            if not why:
                return

    def _take(self, found: Sequence[_Try], entry: Entry, belongs: Whose) -> None:
        good = next((each for each in found if each.content and not each.why), None)
        best = good or next((each for each in found if each.content), found[0])
        content, why = best.content, best.why
        if content is not None and not why:
            kind, detail = wrong_with(content, self._archive, entry, belongs)
            why = f"{kind}: {detail}" if kind else ""
        if why:
            self._part.unusable.append(f"{entry.path}: {why}{'' if content is None else ' (packed as it is)'}")
        if content is None:
            return
        if best.place:
            self._part.notes.append(f"{entry.path}: from the second copy")
        self._write(entry, content)

    def _write(self, entry: Entry, content: Content) -> None:
        path = PurePosixPath(self._part.name, entry.path)
        # On a system that does not tell capitals apart one would take the other's place.
        while str(path).casefold() in self._names:
            path = path.with_name(f"{path.stem}~{path.suffix}")
        self._names.add(str(path).casefold())
        written = datetime.fromtimestamp(min(max(int(entry.stamp.partition(":")[0]) // 10**9, _OLDEST), _NEWEST))
        info = zipfile.ZipInfo(str(path), written.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._packed.open(info, "w", force_zip64=content.size >= 2**31) as out:
            if content.large is not None:
                content.large.seek(0)
                shutil.copyfileobj(content.large, out, CHUNK)
            else:
                out.write(content.data or b"")
        self._sums.append((content.sha.hex(), str(path)))
        self._part.files, self._part.bytes = self._part.files + 1, self._part.bytes + content.size


def _body(fleet: Fleet, wanted: Wanted, parts: Sequence[Part], began: float) -> dict[str, Any]:
    return {
        "fleet": fleet.fleet,
        "by": wanted.by,
        "why": wanted.why,
        "drivers": list(wanted.drivers),
        "vehicles": list(wanted.vehicles),
        "first": wanted.first.isoformat(),
        "last": wanted.last.isoformat(),
        "began": began,
        "ended": time.time(),
        "archives": [part.name for part in parts],
        "gave": [part.name for part in parts if part.files],
        "files": sum(part.files for part in parts),
        "bytes": sum(part.bytes for part in parts),
        "missing": [f"{part.name}: {who} {day}" for part in parts for who, day in part.missing],
        "awaited": [f"{part.name}: {who} {day}" for part in parts for who, day in part.awaited],
        "unusable": [f"{part.name}: {text}" for part in parts for text in part.unusable] or _nothing(parts),
    }


def _nothing(parts: Sequence[Part]) -> list[str]:
    """What an empty zip is called: it shows nobody that anything can be fetched."""
    return [] if any(part.files for part in parts) else ["nothing was packed: no archive has files of these days"]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
