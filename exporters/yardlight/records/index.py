"""What is known of an archive's files: a rolling index in SQLite, one file per archive, beside the state file.

A million files do not fit into a poll's memory, so a check goes on where the last one stopped: folders that are still
to be listed stand in the index as well. A folder in which no name came, went or was replaced is listed once a day only:
then at the latest a file shows that somebody wrote into it in place. Only a whole listing says that a file is gone.

Of the archive itself `copy` is 0, of its second copy 1. A file's `sha` is that of its first reading: what is read
later is compared with it; in the second copy it is that of the last. `kind` says what is wrong with it, '' for nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zlib import crc32

from yardlight.records.layout import Layout
from yardlight.records.store import Listing
from yardlight.state import IndexFile

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY, copy INTEGER NOT NULL, path TEXT NOT NULL, print BLOB NOT NULL, run INTEGER NOT NULL,
    files INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, odd TEXT NOT NULL DEFAULT '{}',
    below TEXT NOT NULL DEFAULT '[]', stamp TEXT, listed REAL NOT NULL DEFAULT 0, UNIQUE (copy, path)
);
CREATE TABLE IF NOT EXISTS file (
    id INTEGER PRIMARY KEY, copy INTEGER NOT NULL, folder INTEGER NOT NULL, name TEXT NOT NULL, size INTEGER NOT NULL,
    stamp TEXT NOT NULL, arrived REAL NOT NULL, who TEXT NOT NULL, day INTEGER NOT NULL, sha BLOB, read_stamp TEXT,
    verified REAL, kind TEXT NOT NULL DEFAULT '', detail TEXT NOT NULL DEFAULT '', gone REAL, UNIQUE (folder, name)
);
CREATE INDEX IF NOT EXISTS file_by_day ON file (copy, gone, who, day);
CREATE INDEX IF NOT EXISTS file_to_read ON file (copy, verified) WHERE gone IS NULL;
CREATE INDEX IF NOT EXISTS file_wrong ON file (copy, kind) WHERE kind != '';
CREATE TABLE IF NOT EXISTS promise (
    folder TEXT NOT NULL, name TEXT NOT NULL, manifest TEXT NOT NULL, sha BLOB NOT NULL,
    PRIMARY KEY (folder, name, manifest)
);
CREATE TABLE IF NOT EXISTS todo (id INTEGER PRIMARY KEY, copy INTEGER NOT NULL, path TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_SPREAD_SECONDS = 43200
# A folder that cannot be listed, one of too many files, one whose manifest cannot be read.
UNLISTED = frozenset({"folder", "too_many", "manifest"})
_NEW = "INSERT INTO file (copy, folder, name, size, stamp, arrived, who, day) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_PATH = "CASE WHEN folder.path = '' THEN file.name ELSE folder.path || '/' || file.name END"


# Hash, stamp and instant of a reading, kind and detail of what is wrong, the file's id.
Judged = tuple[bytes | None, str | None, float, str, str, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the index. `day` counts as `date.toordinal` does."""

    id: int
    path: str
    size: int
    stamp: str
    who: str
    day: int
    sha: bytes | None
    read_stamp: str | None
    kind: str
    detail: str


class Index(IndexFile):
    """The index of one archive."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _SCHEMA, _VERSION)

    # Facts about the archive as a whole

    def fact(self, name: str) -> Any:
        """What is remembered under this name, or None."""
        found = self.rows("SELECT value FROM fact WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def keep(self, name: str, value: Any) -> None:
        """Remember a JSON-able value under this name."""
        self.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, json.dumps(value)))

    # Listing

    def begin_listing(self, copy: int, pattern: str, now: float) -> None:
        """Start at the root, unless a listing is under way. By another pattern, every file is placed anew."""
        # A clock that was ahead and went back would put off what is due until then.
        self.run("UPDATE folder SET listed = 0 WHERE copy = ? AND listed > ?", (copy, now))
        self.run("UPDATE file SET verified = ? WHERE copy = ? AND gone IS NULL AND verified > ?", (now, copy, now))
        if self.fact(f"pattern {copy}") != pattern:
            self.run("UPDATE folder SET print = x'', stamp = NULL WHERE copy = ?", (copy,))
            self.run("DELETE FROM todo WHERE copy = ?", (copy,))
            self.keep(f"pattern {copy}", pattern)
        if self.rows("SELECT 1 FROM todo WHERE copy = ? LIMIT 1", (copy,)):
            return
        self.keep(f"run {copy}", (self.fact(f"run {copy}") or 0) + 1)
        self.keep(f"files {copy}", self.files(copy))
        self.run("INSERT INTO todo (copy, path) VALUES (?, '')", (copy,))

    def next_folder(self, copy: int) -> str | None:
        """A folder that is still to be listed; None if there is none."""
        found = self.rows("SELECT path FROM todo WHERE copy = ? ORDER BY id DESC LIMIT 1", (copy,))
        return found[0][0] if found else None

    def as_before(self, copy: int, path: str, stamp: str | None, since: float) -> bool:
        """Whether this folder need not be listed: its stamp is that of its last listing, which was after `since`."""
        query = "SELECT id, below FROM folder WHERE copy = ? AND path = ? AND stamp = ? AND listed > ?"
        found = self.rows(query, (copy, path, stamp, since))
        if found:
            self._done(copy, path, json.loads(found[0][1]))
            self.run("UPDATE folder SET run = ? WHERE id = ?", (self.fact(f"run {copy}"), found[0][0]))
        return bool(found)

    def _done(self, copy: int, path: str, below: Sequence[str]) -> None:
        """Not this folder is to be listed any more, but those in it."""
        self.run("DELETE FROM todo WHERE copy = ? AND path = ?", (copy, path))
        paths = ((copy, f"{path}/{name}" if path else name) for name in below)
        self.run_many("INSERT INTO todo (copy, path) VALUES (?, ?)", paths)

    def take(
        self, copy: int, path: str, listing: Listing, layout: Layout, now: float, stamp: str | None = None
    ) -> bool:
        """This folder is listed: what is new, changed and gone in it. Whether anything is."""
        run = self.fact(f"run {copy}")
        printed = blake2b(b"\n".join(listing.rows), digest_size=16).digest()
        known = self.rows("SELECT id, print, odd FROM folder WHERE copy = ? AND path = ?", (copy, path))
        self._done(copy, path, listing.folders)
        # Not all folders are to be listed again in the same check.
        listed = now - crc32(path.encode()) % _SPREAD_SECONDS
        if known and known[0][1] == printed:
            odd = Counter(json.loads(known[0][2]))
            for kind in ("link", "name", "no_file", "folder"):
                odd[kind] = listing.odd[kind]
            self.run(
                "UPDATE folder SET run = ?, odd = ?, below = ?, stamp = ?, listed = ? WHERE id = ?",
                (run, json.dumps(+odd), json.dumps(listing.folders), stamp, listed, known[0][0]),
            )
            return False
        if not known:
            self.run("INSERT INTO folder (copy, path, print, run) VALUES (?, ?, x'', ?)", (copy, path, run))
            known = self.rows("SELECT id, print, odd FROM folder WHERE copy = ? AND path = ?", (copy, path))
        before = self.fact(f"listed {copy}") or 0.0
        changes = _Changes(copy, known[0][0], path, layout, now, before, Counter(listing.odd))
        changes.apply(self, listing.rows)
        self.run(
            "UPDATE folder SET print = ?, run = ?, files = ?, bytes = ?, odd = ?, below = ?, stamp = ?, listed = ?"
            " WHERE id = ?",
            (
                printed,
                run,
                changes.files,
                changes.size,
                json.dumps(+changes.odd),
                json.dumps(listing.folders),
                stamp,
                listed,
                known[0][0],
            ),
        )
        return True

    def promise(self, manifest: str, hashes: Mapping[str, bytes]) -> None:
        """What the manifest in this folder says of files, by their paths."""
        self.run("DELETE FROM promise WHERE manifest = ?", (manifest,))
        rows = ((*_split(path), manifest, sha) for path, sha in hashes.items())
        self.run_many("INSERT INTO promise VALUES (?, ?, ?, ?)", rows)

    def promised(self, path: str) -> set[bytes]:
        """The hashes that manifests have for this file."""
        return {sha for (sha,) in self.each("SELECT sha FROM promise WHERE folder = ? AND name = ?", _split(path))}

    def broken_promises(self) -> Iterator[str]:
        """Files that a manifest has and the archive has not."""
        query = (
            "SELECT DISTINCT promise.folder, promise.name FROM promise"
            " LEFT JOIN folder ON folder.copy = 0 AND folder.path = promise.folder"
            " LEFT JOIN file ON file.folder = folder.id AND file.name = promise.name AND file.gone IS NULL"
            " WHERE file.id IS NULL ORDER BY promise.folder, promise.name"
        )
        return (f"{folder}/{name}" if folder else name for folder, name in self.each(query))

    def refused(self, copy: int, path: str, kind: str) -> None:
        """This folder cannot be listed: nothing is said about what is in it or below it."""
        run = self.fact(f"run {copy}")
        self.run("DELETE FROM todo WHERE copy = ? AND path = ?", (copy, path))
        self.run(
            "INSERT INTO folder (copy, path, print, run, odd) VALUES (?, ?, x'', ?, ?)"
            " ON CONFLICT (copy, path) DO UPDATE SET print = x'', stamp = NULL, run = excluded.run, odd = excluded.odd",
            (copy, path, run, json.dumps({kind: 1})),
        )
        self.run("UPDATE folder SET run = ? WHERE copy = ? AND path LIKE ? ESCAPE '\\'", (run, copy, _below(path)))

    def in_doubt(self, copy: int, path: str, kind: str) -> None:
        """Something in this folder, which was listed, cannot be told: it is counted, and listed again next time."""
        [(odd,)] = self.rows("SELECT odd FROM folder WHERE copy = ? AND path = ?", (copy, path))
        values = (json.dumps({**json.loads(odd), kind: 1} if kind else json.loads(odd)), copy, path)
        self.run("UPDATE folder SET print = x'', stamp = NULL, odd = ? WHERE copy = ? AND path = ?", values)

    def end_listing(self, copy: int, now: float) -> None:
        """Every folder was listed: what was not found in it is gone."""
        run = self.fact(f"run {copy}")
        gone = self.rows("SELECT id FROM folder WHERE copy = ? AND run != ?", (copy, run))
        self.run_many("UPDATE file SET gone = ? WHERE folder = ? AND gone IS NULL", ((now, id_) for (id_,) in gone))
        self.run_many(
            "UPDATE folder SET print = x'', stamp = NULL, files = 0, bytes = 0, odd = '{}' WHERE id = ?", gone
        )
        if not copy:
            self.run(
                "DELETE FROM promise WHERE manifest IN (SELECT path FROM folder WHERE copy = 0 AND run != ?)", (run,)
            )
        self.keep(f"listed {copy}", now)
        if self.fact(f"first listed {copy}") is None:
            self.keep(f"first listed {copy}", now)

    def accept(self, id_: int) -> None:
        """What this file holds now is what is compared with later; one that is gone is forgotten."""
        self.run("DELETE FROM file WHERE id = ? AND gone IS NOT NULL", (id_,))
        self.run("UPDATE file SET sha = NULL, verified = NULL, kind = '', detail = '' WHERE id = ?", (id_,))

    def read_anew(self, kind: str) -> None:
        """Files of this kind are to be read like those that nobody has read."""
        self.run("UPDATE file SET verified = NULL WHERE kind = ?", (kind,))

    def forget(self, ids: Iterable[int]) -> None:
        """Files that are gone and that nobody will ask for any more."""
        self.run_many("DELETE FROM file WHERE id = ?", ((id_,) for id_ in ids))

    # Reading

    def to_read(self, copy: int, before: float | None, limit: int) -> list[Entry]:
        """Files that were never read (`before` None), or not since `before`; those longest ago first."""
        due = "verified IS NULL" if before is None else "verified < ?"
        values = (copy, limit) if before is None else (copy, before, limit)
        where = f"file.copy = ? AND gone IS NULL AND {due} ORDER BY verified, file.id LIMIT ?"
        return list(self._entries(where, values))

    def judged(self, rows: Iterable[Judged]) -> None:
        """What was found on reading: sha, stamp, when, kind, detail, and the file's id."""
        self.run_many("UPDATE file SET sha = ?, read_stamp = ?, verified = ?, kind = ?, detail = ? WHERE id = ?", rows)

    # Asking

    def find(self, where: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        """Files that are there, in the order of who, day and name; `where` is of SQL."""
        return self._entries(f"gone IS NULL AND {where} ORDER BY who, day, file.name", values)

    def named(self, path: str) -> Entry | None:
        """The archive's own file at this path, there or gone."""
        where = "file.copy = 0 AND folder.path = ? AND file.name = ?"
        return next(self._entries(where, _split(path)), None)

    def gone(self, copy: int) -> Iterator[tuple[Entry, float, float]]:
        """Files that are gone, with when they had arrived and when they were missed."""
        query = (
            f"SELECT file.id, {_PATH}, size, file.stamp, who, day, sha, read_stamp, kind, detail, arrived, gone"
            " FROM file JOIN folder ON folder.id = file.folder WHERE file.copy = ? AND gone IS NOT NULL"
        )
        for *entry, arrived, gone in self.each(query, (copy,)):
            yield Entry(*entry), arrived, gone

    def files(self, copy: int) -> int:
        """How many files are there by the last listing of each folder."""
        return int(self.rows("SELECT sum(files) FROM folder WHERE copy = ?", (copy,))[0][0] or 0)

    def unread(self, copy: int) -> int:
        """How many files are there that nobody has read yet."""
        query = "SELECT count(*) FROM file WHERE copy = ? AND gone IS NULL AND verified IS NULL"
        return int(self.rows(query, (copy,))[0][0])

    def unlisted(self, copy: int) -> Iterator[tuple[str, str]]:
        """Folders of which not all is known, and why: `folder`, `too_many` or `manifest`."""
        for path, odd in self.each(
            "SELECT path, odd FROM folder WHERE copy = ? AND odd != '{}' ORDER BY path", (copy,)
        ):
            for kind in UNLISTED & json.loads(odd).keys():
                yield path, kind

    def odd(self, copy: int) -> Counter[str]:
        """What cannot be placed, by kind."""
        found: Counter[str] = Counter()
        for (odd,) in self.each("SELECT odd FROM folder WHERE copy = ? AND odd != '{}'", (copy,)):
            found.update(json.loads(odd))
        return found

    def _entries(self, where: str, values: tuple[Any, ...]) -> Iterator[Entry]:
        query = (
            f"SELECT file.id, {_PATH}, size, file.stamp, who, day, sha, read_stamp, kind, detail FROM file"
            f" JOIN folder ON folder.id = file.folder WHERE {where}"
        )
        return (Entry(*row) for row in self.each(query, values))


@dataclass
class _Changes:
    """One folder's rows against what the index has of it; `before` is when the last whole listing ended."""

    copy: int
    folder: int
    path: str
    layout: Layout
    now: float
    before: float
    odd: Counter[str]
    files: int = 0
    size: int = 0

    def apply(self, index: Index, rows: list[bytes]) -> None:
        """Bring the index up to these rows."""
        changed: list[tuple[Any, ...]] = []
        moved: list[tuple[Any, ...]] = []
        gone: list[tuple[float, int]] = []
        query = "SELECT id, name, size, stamp, who, day, gone FROM file WHERE folder = ? ORDER BY name"
        known = index.each(query, (self.folder,))
        before = next(known, None)
        fresh = self._merge(rows, before, known, changed, moved, gone)
        # A cursor over rows that are being inserted might meet them; of a new folder there are none.
        index.run_many(_NEW, fresh if before is None else list(fresh))
        index.run_many(
            "UPDATE file SET size = ?, stamp = ?, arrived = ?, verified = NULL, gone = NULL WHERE id = ?", changed
        )
        index.run_many("UPDATE file SET who = ?, day = ? WHERE id = ?", moved)
        index.run_many("UPDATE file SET gone = ? WHERE id = ? AND gone IS NULL", gone)

    def _merge(
        self,
        rows: list[bytes],
        before: tuple[Any, ...] | None,
        known: Iterator[tuple[Any, ...]],
        changed: list[tuple[Any, ...]],
        moved: list[tuple[Any, ...]],
        gone: list[tuple[float, int]],
    ) -> Iterator[tuple[Any, ...]]:
        """Rows for new files; both sides come in the order of names."""
        seen: set[str] = set()
        for row in rows:
            raw, size, stamp = row.rsplit(b"\0", 2)
            while before is not None and before[1].encode() < raw:
                gone.append((self.now, before[0]))
                before = next(known, None)
            if (placed := self._placed(raw, seen)) is None:
                continue
            name, who, day = placed
            self.files, self.size = self.files + 1, self.size + int(size)
            # What a listing did not find came after it, whatever time its copying kept.
            written = int(stamp.partition(b":")[0]) / 1e9
            told = (int(size), stamp.decode(), min(max(written, self.before), self.now))
            if before is None or before[1] != name:
                yield self.copy, self.folder, name, *told, who, day
                continue
            id_, _, *was, was_who, was_day, was_gone = before
            if told[:2] != tuple(was) or was_gone is not None:
                changed.append((*told, id_))
            if (was_who, was_day) != (who, day):
                moved.append((who, day, id_))
            before = next(known, None)
        while before is not None:
            gone.append((self.now, before[0]))
            before = next(known, None)

    def _placed(self, raw: bytes, seen: set[str]) -> tuple[str, str, int] | None:
        """Name, who and day of a file; None for one that has no place, which is counted."""
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            self.odd["name"] += 1
            return None
        placed = self.layout.place(f"{self.path}/{name}" if self.path else name)
        if placed is None:
            self.odd["unmatched"] += name != self.layout.manifest
            return None
        # Two names that are one on a system that does not tell capitals apart.
        self.odd["clash"] += name.casefold() in seen
        seen.add(name.casefold())
        return name, *placed


def _split(path: str) -> tuple[str, str]:
    """A path's folder and name."""
    folder, _, name = path.rpartition("/")
    return folder, name


def _below(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}/%"
