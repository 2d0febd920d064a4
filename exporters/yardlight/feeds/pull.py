"""Records of a feed written into an archive, a day at a time: what the vendor said as it came, and flat CSVs of it.

The vendor is only read. A day is complete once its folder of raw answers is there, which is put in place last: whatever
breaks off before that is done again, and writes the same. What is there and differs is never written over.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.catalogue import ARCHIVE_PULLED
from yardlight.collection import Collection, Session, Source
from yardlight.errors import BadReplyError, BudgetError, IncompleteError, PollError, RecordsError
from yardlight.exposition import Block, block
from yardlight.feeds import domain
from yardlight.feeds.plan import Plan
from yardlight.feeds.record import Breach, Record
from yardlight.files import replace
from yardlight.inventory import words
from yardlight.inventory.archives import Archive, Pattern
from yardlight.inventory.archives import Pull as Setting
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet

MANIFEST = "SHA256SUMS"
_DAY = timedelta(days=1)
# What has no name of its own, and whatever a name has that a file's cannot.
_NOBODY = "unknown"
_UNFIT = re.compile(r"[^\w.-]+")
# While days are left, the next ones follow soon.
_SOON = 60.0
# Who calls it by hand waits; a day at a time is kept whatever happens.
_COMMAND_SECONDS = 86400.0
_DATE = re.compile(r"\{date(?::([^{}]*))?\}")


@dataclass(frozen=True)
class PlannedPull:
    """Like `Planned`: days of a feed to be pulled into an archive each `interval` seconds within `deadline` seconds."""

    collection: Pull
    interval: float
    deadline: float
    keep_for: float = 86400.0


@dataclass(frozen=True)
class Pull:
    """Calling it pulls the days that are left, as far as time and budget go. `of` is the feed's own collection."""

    source: Source
    name: str
    archive: Archive
    setting: Setting
    of: Collection
    zone: str

    def __call__(self, session: Session) -> list[Block]:
        with _alone(self.raw) as alone:
            if not alone:
                raise IncompleteError(f"{self.name} is being pulled by another process")
            for _ in self.days(session):
                pass
        if self.left(session.clock()):
            session.again_in = _SOON
        session.memory = {}
        until = _midnight(self._next(), self.zone)
        return [block(ARCHIVE_PULLED, self.source.fleet, {(self.name,): until})]

    def days(self, session: Session) -> Iterator[date]:
        """Pull day by day, and tell each. Raises `PollError`, what was complete before stays."""
        different: list[str] = []
        longest, pulled = 0.0, 0
        for day in self.left(session.clock()):
            if pulled and session.left() < 2 * longest:
                break
            began = time.monotonic()
            try:
                different += self._day(day, session)
            except BudgetError:
                if not pulled:
                    raise
                break
            pulled, longest = pulled + 1, max(longest, time.monotonic() - began)
            yield day
        if different:
            more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
            raise IncompleteError(
                f"{different[0]}{more}: the vendor says something else now than what is there, which stays; "
                "move one that is wrong away"
            )

    def left(self, now: float) -> list[date]:
        """The days that are over for long enough and not here yet."""
        assert self.archive.since is not None
        found, day = [], self.archive.since
        while _midnight(day + _DAY, self.zone) + self.setting.settle <= now:
            if not (self.raw / f"{day}").is_dir():
                found.append(day)
            day += _DAY
        return found

    @property
    def raw(self) -> Path:
        """Where answers lie as they came."""
        return self.source.base / (self.setting.raw or f"{self.archive.path.path.rstrip('/')}-raw")

    def _next(self) -> date:
        """The first day that is not here."""
        assert self.archive.since is not None
        day = self.archive.since
        while (self.raw / f"{day}").is_dir():
            day += _DAY
        return day

    def _day(self, day: date, session: Session) -> list[str]:
        """Pull one day; the files that are there and say something else."""
        begins, ends = _midnight(day, self.zone), _midnight(day + _DAY, self.zone)
        pages, records = _asked(self.of, session, begins, ends)
        told = [each for each in records if isinstance(each.time, float) and begins <= each.time < ends]
        root, manifest = self.source.base / self.archive.path.path, self.archive.manifest or MANIFEST
        different, written = [], []
        for path, data in self._files(day, told):
            if _write_new(root / path, data):
                written.append((Path(path), hashlib.sha256(data).hexdigest()))
            else:
                different.append(path)
        for folder in {path.parent for path, _ in written}:
            _note(root / folder / manifest, {path.name: sha for path, sha in written if path.parent == folder})
        if not different:
            _seal(self.raw, f"{day}", pages)
        return different

    def _files(self, day: date, records: Iterable[Record]) -> Iterator[tuple[str, bytes]]:
        """The CSVs of a day by their paths: one for each driver or vehicle, if the archive's pattern names them."""
        plan, kind = self.of.source.section, self.archive.pattern.kind
        assert isinstance(plan, Plan)
        whose: dict[str, list[Record]] = {}
        for each in records:
            called = {"driver": each.driver, "vehicle": each.truck}.get(kind, "")
            known = plan.driver(called) if kind == "driver" else plan.trucks.get(called.casefold(), called)
            fit = _UNFIT.sub("_", known)
            # Of dots alone a path leads out of here.
            whose.setdefault((fit if fit.strip(".") else _NOBODY) if kind else "", []).append(each)
        for who, theirs in sorted(whose.items()):
            yield path_of(self.archive.pattern, who, day), table(theirs, ZoneInfo(self.zone))


@contextmanager
def _set_back(session: Session, since: float, now: float) -> Iterator[list[bytes]]:
    """The session at another moment; what comes as it comes."""
    kept = session.memory, session.clock, session.raw
    pages: list[bytes] = []
    session.raw = pages
    session.memory, session.clock = {"since": since}, lambda: now
    try:
        yield pages
    finally:
        session.memory, session.clock, session.raw = kept


def _asked(of: Collection, session: Session, begins: float, ends: float) -> tuple[list[bytes], list[Record]]:
    """What the vendor says of this time, as it came and as records. Raises `PollError`."""
    platform: Any = import_module(of.platform)
    config = platform.Config.model_validate(of.options)
    if config.feed.keeps_place:
        raise BadReplyError("this feed goes on where it was left; a day of it cannot be asked for")
    session.base = of.source.base
    with _set_back(session, begins + config.feed.overlap, ends) as pages:
        reply = platform.fetch(config, session)
        items = list(platform.parse(reply, config))
    for each in items:
        if isinstance(each, Breach) and each.kind in ("missing", "type"):
            raise BadReplyError(f"{each.field} is not where it was; nothing is written of such an answer")
    records = [each for each in items if isinstance(each, Record)]
    if undated := sum(each.time is None for each in records):
        raise BadReplyError(f"{undated} records have no time, and no day that they belong to")
    return pages or [json.dumps(reply.pages, default=str, sort_keys=True).encode()], records


def planned(fleet: Fleet, base: Path) -> Iterator[PlannedPull]:
    """A pull for each archive that has one."""
    feeds = {each.collection.source.name: each.collection for each in domain.planned(fleet, base)}
    for name, archive in fleet.archives.items():
        if (setting := archive.pull) is not None:
            of = feeds[f"feeds/{setting.feed}"]
            source = changed(of.source, name=f"pull/{name}", base=base.absolute())
            job = Pull(source, name, archive, setting, of, fleet.timezone)
            yield PlannedPull(job, setting.every, setting.deadline)


def command(inventory: Path, name: str | None) -> int:
    """`yardlight records pull`: pull what is left of an archive, or of all; 0 if nothing is left or refused."""
    fleet = load(inventory).fleet
    jobs = {each.collection.name: each for each in planned(fleet, inventory.parent)}
    if not jobs or name not in (None, *jobs):
        hint = words.choice(name or "", jobs, "archives") if jobs else "write pull: {feed: NAME} in one"
        raise RecordsError(f"there is no archive {name!r} with `pull`; {hint}" if name else f"no archive pulls; {hint}")
    whole = True
    for each in (job for job in jobs.values() if name in (None, job.collection.name)):
        job, session = each.collection, Session(time.monotonic() + _COMMAND_SECONDS)
        try:
            with _alone(job.raw) as alone:
                if not alone:
                    raise IncompleteError("serve is pulling it just now")
                for day in job.days(session):
                    print(f"{job.name}: {day}")
        except PollError as error:
            print(f"{job.name}: {error.reason}: {session.mask(str(error))}")
        left = job.left(time.time())
        print(f"{job.name}: {f'{len(left)} days are left, the first is {left[0]}' if left else 'nothing is left'}")
        whole = whole and not left
    return 0 if whole else 1


def path_of(pattern: Pattern, who: str, day: date) -> str:
    """The path of a file by an archive's pattern."""
    text = _DATE.sub(lambda found: day.strftime(found[1] or "%Y-%m-%d"), pattern.text)
    return text.replace("{driver}", who).replace("{vehicle}", who)


def table(records: Iterable[Record], zone: ZoneInfo) -> bytes:
    """Records as a CSV, the same for the same records whatever their order: when, whose, and all that came, flat."""
    rows = []
    for each in records:
        assert isinstance(each.time, float)
        when = datetime.fromtimestamp(each.time, zone).isoformat()
        own = {"record_time": when, "record_id": each.id, "record_truck": each.truck, "record_driver": each.driver}
        rows.append({**own, **dict(_flat(each.raw))})
    heading = list(dict.fromkeys(["record_time", "record_id", "record_truck", "record_driver", *_names(rows)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, heading, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: [row.get(name, "") for name in heading]))
    return text.getvalue().encode()


def _names(rows: Iterable[Mapping[str, str]]) -> list[str]:
    return sorted({name for row in rows for name in row})


def _flat(raw: Any, above: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a record by their dotted names; lists as JSON."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            yield from _flat(value, f"{above}.{key}" if above else str(key))
    elif raw is not None:
        yield above or "value", raw if isinstance(raw, str) else json.dumps(raw, sort_keys=True, default=str)


def _midnight(day: date, zone: str) -> float:
    return instant(datetime.combine(day, clock_time.min), ZoneInfo(zone))


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process writes there."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def _write_new(path: Path, data: bytes) -> bool:
    """Put a file there, whole or not at all; False if there is one that says something else, which stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".pull-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o640)
        # A rename would take the place of what is there.
        os.link(part, path)
    except FileExistsError:
        return path.read_bytes() == data
    finally:
        os.unlink(part)
    return True


def _note(manifest: Path, hashes: Mapping[str, str]) -> None:
    """Add lines to a manifest, as `sha256sum` writes them."""
    lines: dict[str, str] = {}
    with suppress(FileNotFoundError):
        for line in manifest.read_text(encoding="utf-8").splitlines():
            sha, _, name = line.partition("  ")
            lines[name] = sha
    text = "".join(f"{sha}  {name}\n" for name, sha in sorted({**lines, **hashes}.items()))
    replace(manifest, text.encode())


def _seal(root: Path, name: str, pages: list[bytes]) -> None:
    """Put the raw answers of a day in place: from now on it is complete."""
    part = root / f".{name}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    hashes = {f"page-{number:04}": page for number, page in enumerate(pages, 1)}
    for file, page in hashes.items():
        _write_new(part / file, page)
    _note(part / MANIFEST, {file: hashlib.sha256(page).hexdigest() for file, page in hashes.items()})
    os.rename(part, root / name)
