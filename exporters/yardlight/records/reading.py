"""Reading files of an archive again: hashed whole, opened as what they are, compared with their first reading.

What was never read comes first, then what was read longest ago, as far as a check may read. A file that somebody
writes to is left for the next check; what cannot be read is counted and tried again.
"""

from __future__ import annotations

import hashlib
import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO

from yardlight.inventory.archives import Archive
from yardlight.records import eld
from yardlight.records.index import Entry, Index, Judged
from yardlight.records.store import CHUNK, Listing, Store, UnreadableError

# What is opened as a whole; larger ones are hashed only.
MOST_OPENED = 32 * 2**20
_BATCH = 500
# A store that lists and does not serve is not asked for a million files.
_ENOUGH_FAILURES = 100
# Opened in each check, if nothing is due.
_SAMPLE = 20
_EPOCH = date(1970, 1, 1).toordinal()
# A file of this kind has content that is not what was kept, or not what it should be.
CORRUPT = frozenset({"changed", "damaged", "empty", "encoding", "invalid", "identity", "manifest"})
# So many seconds a check had when a file took longer.
_CUT_OFF = "cut off after"
NEVER_RIGHT = CORRUPT - {"changed", "damaged"}
# One of this kind could not be read.
UNREADABLE = frozenset({"unreadable", "not_served", "too_large", "changing"})


@dataclass(frozen=True)
class Content:
    """A file as it was read: `data` where it is small enough to be opened, `stamp` by its own word.

    `large` has what is not, where that was asked for; whoever asked closes it.
    """

    sha: bytes
    size: int
    data: bytes | None
    stamp: str | None = None
    large: IO[bytes] | None = None


@dataclass(frozen=True)
class Whose:
    """What a file's own word on whose it is has to fit; empty sets where the roster does not say.

    `codes` are those of drivers whom the vendor of the logs knows by another name, which is in small letters here.
    """

    drivers: frozenset[str] = frozenset()
    trucks: frozenset[str] = frozenset()
    codes: Mapping[str, str] = field(default_factory=dict)


def read(store: Store, path: str, left: Callable[[], float], large_in: Path | None = None) -> Content:
    """The file. Raises `UnreadableError`: also for one that changed meanwhile or takes longer than is left.

    One that is too large to be opened is kept in a file without a name in the folder `large_in`, if that is given.
    """
    digest, size, parts = hashlib.sha256(), 0, []
    with ExitStack() as undo, store.open(path) as opened:
        keep, large = opened.size <= MOST_OPENED, None
        if not keep and large_in is not None:
            large = undo.enter_context(tempfile.TemporaryFile(dir=large_in))
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if keep:
                parts.append(chunk)
            elif large is not None:
                large.write(chunk)
            if left() <= 0:
                raise UnreadableError("too_large", f"{size} bytes read until the check's deadline")
        if not opened.unchanged():
            raise UnreadableError("changing", "somebody writes to it")
        if size != opened.size:
            raise UnreadableError("unreadable", f"{size} bytes came, of {opened.size}")
        undo.pop_all()
        return Content(digest.digest(), size, b"".join(parts) if keep else None, opened.stamp, large)


def promises(store: Store, folder: str, listing: Listing, manifest: str, left: Callable[[], float]) -> dict[str, bytes]:
    """The hashes that a folder's manifest has, as `sha256sum` writes it, by the paths of files; none without one.

    Raises `UnreadableError` for one that cannot be read.
    """
    if not any(row.startswith(manifest.encode() + b"\0") for row in listing.rows):
        return {}
    data = read(store, posixpath.join(folder, manifest), left).data
    if data is None:
        raise UnreadableError("too_large", f"{manifest}: more than {MOST_OPENED} bytes")
    lines = (line.partition(b" ") for line in data.splitlines())
    found = {
        posixpath.normpath(posixpath.join(folder, name[1:].decode(errors="replace"))): bytes.fromhex(sha.decode())
        for sha, _, name in lines
        if len(sha) == 64 and not sha.translate(None, b"0123456789abcdefABCDEF")
    }
    if data.strip() and not found:
        raise UnreadableError("unreadable", f"{manifest}: no line of it is one of sha256sum")
    return found


class Reader:
    """Reads files of one copy of an archive; `left` are the seconds until the check has to end."""

    def __init__(self, index: Index, archive: Archive, whose: Whose, now: float, left: Callable[[], float]) -> None:
        self._index, self._archive, self._whose, self._now, self._left = index, archive, whose, now, left
        self._whole = left()
        self.read_bytes = 0
        self.read_files = 0

    def go_on(self, store: Store, copy: int, budget: int) -> None:
        """Read what is due until `budget` bytes are read or the time is over."""
        due = self._now - self._archive.reread
        failures = self.read_files = self.read_bytes = 0
        if self._whole > 1.1 * (self._index.fact(_CUT_OFF) or self._whole):
            # What took longer than a check had may be done in one that has more.
            self._index.read_anew("too_large")
            self._index.keep(_CUT_OFF, None)
        for entries in self._due(copy, due):
            judged = []
            try:
                for entry in entries:
                    if self._left() <= 0 or (self.read_bytes and self.read_bytes + entry.size > budget):
                        break
                    began = self._left()
                    row, failed = self._read(store, copy, entry)
                    if row[3] == "too_large" and began < self._whole / 2:
                        # Others took the time: it comes before them in the next check.
                        break
                    if row[3] == "too_large":
                        self._index.keep(_CUT_OFF, self._whole)
                    judged.append(row)
                    failures = failures + 1 if failed else 0
                    self.read_bytes, self.read_files = self.read_bytes + entry.size, self.read_files + 1
                    if failures >= _ENOUGH_FAILURES:
                        break
            finally:
                # Also what was read before the credentials expired.
                self._index.judged(judged)
                self._index.commit()
            if len(judged) < len(entries) or failures >= _ENOUGH_FAILURES:
                return

    def _due(self, copy: int, due: float) -> Iterator[list[Entry]]:
        """Batches: never read, unreadable last time, longest ago, and a few in any case."""
        started = self._now
        tried = self._index.find("file.copy = ? AND kind IN ('unreadable', 'not_served', 'changing')", (copy,))
        again = [entry for entry, _ in zip(tried, range(_ENOUGH_FAILURES), strict=False)]
        if again:
            yield again
        while batch := self._index.to_read(copy, None, _BATCH):
            yield batch
        while batch := self._index.to_read(copy, due, _BATCH):
            yield batch
        if self.read_files < _SAMPLE:
            yield self._index.to_read(copy, started, _SAMPLE - self.read_files)

    def _read(self, store: Store, copy: int, entry: Entry) -> tuple[Judged, bool]:
        """What to keep of a file, and whether it could not be read."""
        try:
            content = read(store, entry.path, self._left)
        except UnreadableError as error:
            row = (entry.sha, entry.read_stamp, self._now, error.kind, error.detail, entry.id)
            return row, error.kind != "changing"
        sha, kind, detail = self._judged(copy, entry, content)
        return (sha, _stamped(entry, content), self._now, kind, detail, entry.id), False

    def _judged(self, copy: int, entry: Entry, content: Content) -> tuple[bytes, str, str]:
        """The hash to compare with from now on, what is wrong, and where."""
        if copy:
            # It is right if it is like the archive, whatever it was before.
            return content.sha, "", ""
        if entry.sha is not None and content.sha != entry.sha and settled(self._archive, entry, self._now):
            stamped = _stamped(entry, content) != entry.read_stamp and entry.kind != "damaged"
            kind = "changed" if stamped or entry.kind == "changed" else "damaged"
            return entry.sha, kind, "its content is not that of its first reading"
        if self._archive.manifest and self._index.promised(entry.path) - {content.sha}:
            return content.sha, "manifest", "its hash is not the one in the manifest"
        kind, detail = wrong_with(content, self._archive, entry, self._whose)
        return content.sha, kind, detail


def settled(archive: Archive, entry: Entry, now: float) -> bool:
    """Whether a file has to stay as it was first read: not while it may be corrected, nor where it never was right."""
    # The day after the record's is over everywhere.
    over = (entry.day - _EPOCH + 2) * 86400.0 + archive.settles_after
    return (not archive.settles_after or now >= over) and entry.kind not in NEVER_RIGHT


def _stamped(entry: Entry, content: Content) -> str:
    """Size and time of a file; where these are as they were and the content is not, nobody wrote it."""
    return f"{content.size}:{content.stamp or entry.stamp}"


def wrong_with(content: Content, archive: Archive, entry: Entry, whose: Whose) -> tuple[str, str]:
    """What is wrong with this file of the archive, by kind and in words with its line; '' for nothing."""
    form = archive.format
    if not content.size:
        return "empty", "it has no content"
    if form == "any":
        return "", ""
    if content.data is None:
        return "invalid", f"it has {content.size} bytes; no file of its kind is so large"
    if form == "pdf":
        # Readers let it begin and end within so much.
        whole = b"%PDF-" in content.data[:1024] and b"%%EOF" in content.data[-2048:]
        return ("", "") if whole else ("invalid", "it does not begin and end as a PDF does")
    try:
        text = content.data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.data.count(b"\n", 0, error.start) + 1
        return "encoding", f"line {line}: is not UTF-8 text"
    if form == "eld":
        file = eld.parse(content.data)
        if file.wrong:
            return "invalid", "; ".join(map(str, file.wrong[:5]))
        file.user = whose.codes.get(file.user.casefold(), file.user)
        driver, vehicle = (entry.who if archive.pattern.kind == kind else "" for kind in ("driver", "vehicle"))
        day = date.fromordinal(entry.day)
        strange = list(eld.identity_problems(file, driver, whose.drivers, whose.trucks, vehicle, day))
        return ("identity", "; ".join(map(str, strange))) if strange else ("", "")
    if not text.endswith(("\n", "\r")):
        return "invalid", f"line {text.count(chr(10)) + 1}: has no end; the file was cut off"
    if "\0" in text:
        return "invalid", f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}: zero bytes"
    return "", ""
