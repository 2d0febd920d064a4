"""`yardlight records ...`: check an archive now, fetch records, see whether a vendor's account may be closed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from yardlight.collection import Session
from yardlight.errors import PollError, RecordsError
from yardlight.inventory import words
from yardlight.inventory.archives import Archive
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet
from yardlight.records import retrieval
from yardlight.records.check import Check
from yardlight.records.domain import check_of
from yardlight.records.evidence import RESTORED
from yardlight.records.index import UNLISTED, Index
from yardlight.records.journal import note
from yardlight.records.reading import CORRUPT, NEVER_RIGHT, UNREADABLE
from yardlight.records.retrieval import Wanted
from yardlight.records.standing import Standing, standing
from yardlight.records.store import CHUNK

# Lines of one kind; the rest is counted.
_MOST_LINES = 20
# No archive is closed down in a hurry.
_EXIT_SECONDS = 86400.0
_ALL = 1 << 60


@dataclass(frozen=True)
class Where:
    """The inventory, and the state file beside which the indexes lie."""

    inventory: Path
    state: Path

    def fleet(self) -> Fleet:
        return load(self.inventory).fleet

    def check(self, fleet: Fleet, name: str) -> Check:
        return check_of(fleet, name, self.inventory.parent.absolute(), self.state.absolute())


@dataclass(frozen=True)
class Found:
    """An archive as it stands, and what is wrong with it in lines."""

    name: str
    standing: Standing
    wrong: Sequence[str]
    error: str = ""

    @property
    def whole(self) -> bool:
        return not self.wrong and not self.error


def check(where: Where, name: str | None, as_json: bool) -> int:
    """Check one archive or all of them now; 0 if nothing is wrong."""
    fleet = where.fleet()
    found = [_checked(where.check(fleet, each), everything=False) for each in _names(fleet, name)]
    if as_json:
        print(
            json.dumps([{"archive": each.name, "wrong": [*each.wrong, *filter(None, [each.error])]} for each in found])
        )
    else:
        for each in found:
            _print(each, fleet)
    return 0 if all(each.whole for each in found) else 1


def exit_check(where: Where, vendor: str) -> int:
    """Whether all that the archives must have of a vendor is there; 1 if anything is not, or is not known."""
    fleet = where.fleet()
    ours = [name for name, archive in fleet.archives.items() if vendor in _vendors(fleet, archive)]
    if not ours:
        known = set[str]().union(*(_vendors(fleet, archive) for archive in fleet.archives.values()))
        raise RecordsError(f"no archive says `vendor: {vendor}`; {words.choice(vendor, known, 'vendors')}")
    found = []
    for name in ours:
        job = where.check(fleet, name)
        archive = job.archive.model_copy(update={"read_at_most": _ALL})
        found.append(_checked(replace(job, archive=archive, closing=True), everything=True))
    for each in found:
        _print(each, fleet)
    if not all(each.whole for each in found):
        print(f"{vendor}: do not close the account yet.")
        return 1
    unsaid = [text for name in ours for text in _unsaid(name, fleet.archives[name], vendor)]
    for text in unsaid:
        print(f"see yourself: {text}")
    told = "what is looked for" if unsaid else "everything that has to be kept"
    closed = "With that settled, the account may be closed." if unsaid else "The account may be closed."
    print(f"{vendor}: {told} is there and opens. {closed}")
    return 0


def retrieve(where: Where, wanted: Wanted, output: Path | None, as_json: bool) -> int:
    """Pack records; 0 if nothing is missing."""
    fleet = where.fleet()
    outcome = retrieval.retrieve(fleet, where.inventory.parent.absolute(), where.state.absolute(), wanted)
    if output is not None:
        _hand_over(outcome.zip, output)
    if as_json:
        print(json.dumps({"folder": str(outcome.folder), "complete": outcome.complete}))
        return 0 if outcome.complete else 1
    body = outcome.body
    for text in _few([*body["missing"], *body["unusable"]]):
        print(f"missing or unusable: {_shown(text)}")
    for text in _few(body["awaited"]):
        print(f"not there yet, and may still arrive: {text}")
    print(f"{body['files']} files in {body['ended'] - body['began']:.1f} s: {output or outcome.zip}")
    return 0 if outcome.complete else 1


def _hand_over(packed: Path, output: Path) -> None:
    """Copy the zip to where somebody wants it, for them alone from its first byte. Raises `RecordsError`."""
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as target, packed.open("rb") as source:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)
            shutil.copyfileobj(source, target, CHUNK)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise RecordsError(f"{output}: cannot be written: {why}; the zip is {packed}") from None


def accept(where: Where, name: str, path: str, by: str, why: str) -> int:
    """From now on a file's content is the one it has, or a file that is gone is not asked for; written down."""
    fleet = where.fleet()
    job = where.check(fleet, *_names(fleet, name))
    index = Index(job.index_path)
    try:
        if not index.lock():
            raise RecordsError(f"{name} is being checked just now; try again in a minute")
        entry = index.named(path)
        if entry is None:
            raise RecordsError(
                f"{name} has no file {path!r}; `yardlight records check {name}` shows how they are called"
            )
        stays = NEVER_RIGHT | UNREADABLE
        if entry.kind in stays and any(index.find("file.id = ?", (entry.id,))):
            raise RecordsError(
                f"{path}: {entry.kind}: {entry.detail}; a change or a deletion can be accepted, this has to be mended"
            )
        note(job.folder, "accepted", archive=name, path=path, by=by, why=why, kind=entry.kind)
        index.accept(entry.id)
        index.commit()
    finally:
        index.close()
    print(f"{path}: accepted; the next check of {name} goes by it")
    return 0


def restored(where: Where, name: str, by: str, why: str) -> int:
    """Somebody restored the newest back-up and looked at it; written down, and the next one is due from now on."""
    fleet = where.fleet()
    [name] = _names(fleet, name)
    if fleet.archives[name].backup is None:
        raise RecordsError(f"{name} holds records and no back-ups; fetch some: yardlight records retrieve")
    note(where.check(fleet, name).folder, RESTORED, archive=name, by=by, why=why)
    print(f"{name}: written down")
    return 0


def _names(fleet: Fleet, name: str | None) -> list[str]:
    if name is None:
        if not fleet.archives:
            raise RecordsError("the inventory has no archives")
        return list(fleet.archives)
    if name not in fleet.archives:
        raise RecordsError(f"there is no archive {name!r}; {words.choice(name, fleet.archives, 'archives')}")
    return [name]


def _checked(job: Check, everything: bool) -> Found:
    """Check it here, or look at what `serve` found where that is at it just now."""
    index = Index(job.index_path)
    try:
        if not index.lock():
            found = standing(index, job.archive, job.known(), time.time(), job.closing)
            busy = "serve is checking it just now; this is what was found before" if everything else ""
            return Found(job.name, found, list(_wrong(job, index, found)), busy)
        session = Session(time.monotonic() + (_EXIT_SECONDS if everything else job.archive.deadline))
        try:
            found = job.look(index, session)
        except PollError as error:
            return Found(job.name, Standing(), (), session.mask(str(error)))
        return Found(job.name, found, list(_wrong(job, index, found)))
    finally:
        index.close()


def _vendors(fleet: Fleet, archive: Archive) -> set[str]:
    """Whose records it holds: as the inventory says, and the account from which they are pulled."""
    feed = fleet.feeds.get(archive.pull.feed) if archive.pull else None
    return set(filter(None, (archive.vendor, feed.account if feed else None)))


def _unsaid(name: str, archive: Archive, vendor: str) -> Iterator[str]:
    """What a check of this archive does not look for."""
    if archive.covers == "none":
        yield f"of {name} nothing says what has to be there (coverage: none)"
    elif archive.since is not None:
        yield f"{name} begins with {archive.since}; what {vendor} has of the days before is not looked for"


def _wrong(job: Check, index: Index, found: Standing) -> Iterator[str]:
    """Everything that is wrong, a line each, what is missing first."""
    if found.listed is None:
        yield "not listed as a whole yet; what is missing is not known"
        return
    for who, day in found.missing:
        yield f"missing: {who} {date.fromordinal(day)}"
    if found.unknown_days:
        yield f"not known: of {found.unknown_days} days nobody told who moved"
    for who in found.strangers:
        yield f"not known: {who} is held and not on the roster"
    for path in found.broken:
        yield f"missing: {path}, which the manifest has"
    for path, kind in found.unlisted:
        yield f"cannot be listed: {path or '.'}: {kind}; what is in it is not known"
    for entry in index.find("file.copy = 0 AND kind != ''", ()):
        if entry.kind in CORRUPT | UNREADABLE:
            yield f"{entry.kind}: {entry.path}: {entry.detail}"
    if not found.files:
        yield "no file at all"
    if found.due is not None and found.due < time.time():
        yield f"nothing new: something was expected by {_moment(found.due)} UTC"
    if found.unusual:
        newest, usual = words.size(found.newest_bytes or 0), words.size(found.usual_bytes or 0)
        yield f"the newest back-up has {newest}; usual are {usual}"
    if found.unread:
        yield f"not read yet: {found.unread} files"
    if found.copy_unread:
        yield f"not read yet: {found.copy_unread} files of the second copy"
    for path in found.deleted:
        yield f"deleted early: {path}"
    if job.archive.second_copy is None and job.archive.terms.copy_apart:
        yield f"no second copy, which {job.archive.terms.citation} asks for"
    elif found.copy_fails:
        yield f"the second copy cannot be read: {found.copy_fails}"
    elif job.archive.second_copy is not None and found.copied is None:
        yield "the second copy has not been listed yet"
    if found.copy_lacks:
        yield f"the second copy lacks {found.copy_lacks} files of {found.copy_lacks_days} days, or they are not as here"
    for kind, count in sorted(found.odd.items()):
        if kind not in UNLISTED | {"unmatched"}:
            yield f"has no place: {count} of kind {kind}"


def _required(archive: Archive, now: Standing) -> str:
    if archive.covers == "none":
        return "required: whatever is there"
    assert now.first is not None
    assert now.last is not None
    # What is younger than that may still arrive.
    return (
        f"required: {now.first} to {now.last}"
        if now.first <= now.last
        else f"required from {now.first} on: nothing yet"
    )


def _print(found: Found, fleet: Fleet) -> None:
    archive, now = fleet.archives[found.name], found.standing
    print(f"{found.name}: {archive.terms.title}, {archive.terms.citation}; a check, not legal advice")
    if found.error:
        print(f"  not checked: {found.error}")
    if now.listed is not None:
        print(
            f"  {now.files} files, {words.size(now.bytes)}, as of {_moment(now.listed)} UTC; {_required(archive, now)}"
        )
    for text in _few(found.wrong):
        print(f"  {_shown(text)}")
    if found.whole:
        print("  nothing is missing, and everything opens")


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"


def _shown(text: str) -> str:
    """Names of folders are whatever somebody called them: nothing of it steers a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _few(lines: Sequence[str]) -> Iterator[str]:
    """Some of many of a kind, and how many more."""
    by_kind: dict[str, list[str]] = {}
    for line in lines:
        by_kind.setdefault(line.partition(":")[0], []).append(line)
    for kind, some in by_kind.items():
        yield from some[:_MOST_LINES]
        if len(some) > _MOST_LINES:
            yield f"{kind}: {len(some) - _MOST_LINES} more"


def a_day(text: str) -> date:
    """A day as people write it. Raises `RecordsError`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RecordsError(f"{text!r} is not a day; write 2026-02-03") from None
