"""What must survive a restart, in one SQLite file: events, running totals, byte accounts, what was collected.

Losing the file loses history, never correctness. Writes happen in a thread of their own, one transaction each, so that
a slow disk never delays a probe; an event and the totals it changes are one transaction, and only then is the new
total exposed. kill -9 at any moment leaves the file valid (write-ahead log). A disk that refuses stops nothing: what
is to be written waits, even if the disk refused from the start.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import queue
import shutil
import sqlite3
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from yardlight.errors import DiskRefusesError, StateError

log = logging.getLogger(__name__)

VERSION = 2
_RETRY_SECONDS = 5.0
_GATHER_SECONDS = 1.0
_PENDING_LIMIT = 10_000
_REFUSED = frozenset({errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO})
_SQLITE_REFUSED = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR})
_SQLITE_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, fleet TEXT NOT NULL, terminal TEXT NOT NULL, kind TEXT NOT NULL, uplink TEXT NOT NULL,
    start REAL NOT NULL, end REAL NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_time ON event (fleet, terminal, start);
CREATE TABLE IF NOT EXISTS total (
    fleet TEXT NOT NULL, terminal TEXT NOT NULL, metric TEXT NOT NULL, labels TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (fleet, terminal, metric, labels)
);
CREATE TABLE IF NOT EXISTS span (
    fleet TEXT NOT NULL, terminal TEXT NOT NULL, path TEXT NOT NULL, uplink TEXT NOT NULL, state TEXT NOT NULL,
    start REAL NOT NULL, end REAL NOT NULL,
    PRIMARY KEY (fleet, terminal, path, uplink, start)
);
CREATE TABLE IF NOT EXISTS memory (
    fleet TEXT NOT NULL, terminal TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (fleet, terminal, name)
);
CREATE TABLE IF NOT EXISTS collected (
    fleet TEXT NOT NULL, account TEXT NOT NULL, as_of REAL NOT NULL, blocks BLOB NOT NULL,
    memory BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (fleet, account)
);
"""
# What brings a file of this version to the next one.
_STEPS = {1: "ALTER TABLE collected ADD COLUMN memory BLOB NOT NULL DEFAULT x''"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened between two instants (unix seconds).

    `kind` is gap (the default path carried nothing), failover (it moved) or uplink_gap (a pinned path was silent);
    `detail` is what else is known, JSON-able.
    """

    fleet: str
    terminal: str
    kind: str
    uplink: str
    start: float
    end: float
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """A state for as long as it was watched (unix seconds); of the time between two spans nothing is known.

    `path` is pinned (the uplink's own) or default; `uplink` of the default path is the one that carried, '' for none.
    """

    fleet: str
    terminal: str
    path: Literal["pinned", "default"]
    uplink: str
    state: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Total:
    """A running total after an event: a counter's number, or a histogram's bucket counts and sum."""

    metric: str
    labels: tuple[str, ...]
    value: Any


Work = Callable[[sqlite3.Connection], None]
# Who is told, in the writer's thread, once it is written.
Item = tuple[Work, Callable[[], None] | None]


def state_file(path: Path, fleet: str | None) -> Path:
    """Where a fleet's state lies: at `path`, or where many fleets share a folder (`fleet` given) beside it."""
    return path if fleet is None else path.with_name(f"{path.stem}-{fleet}{path.suffix}")


class State:
    """One state file. Opening never fails for what is in it: an unusable file is moved aside and said.

    Nor for a disk that is full or read-only: then what can be read of the file is known, and writing begins later.
    """

    def __init__(self, path: Path) -> None:
        """Open or create `path`. Raises `StateError` if there can be no such file or another process has it."""
        self.path = path
        self.writable = True
        self._lock: IO[str] | None = None
        self._writer: sqlite3.Connection | None = None
        self._closed = threading.Event()
        try:
            self._lock, self._reader = _acquire(path)
        except DiskRefusesError as error:
            self._refused(error)
            self._reader = _copy(path)
        self._later: deque[Work] = deque()
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="state", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is pending and close; waits a few seconds at most."""
        self._closed.set()
        self._queue.put(None)
        self._thread.join(timeout=5.0)
        self._reader.close()
        if self._lock is not None:
            self._lock.close()

    def record(self, event: Event, totals: list[Total], then: Callable[[], None]) -> None:
        """Write the event and the totals after it in one transaction, then call `then` (in the writer's thread)."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO event (fleet, terminal, kind, uplink, start, end, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    event.fleet, event.terminal, event.kind, event.uplink, event.start, event.end,
                    json.dumps(event.detail, sort_keys=True),
                ),
            )  # fmt: skip
            _write_totals(connection, event.fleet, event.terminal, totals)

        self._queue.put((work, then))

    def keep_totals(self, fleet: str, totals: Sequence[Total], then: Callable[[], None]) -> None:
        """Write these totals of the fleet itself at once, then call `then` (in the writer's thread)."""

        def work(connection: sqlite3.Connection) -> None:
            _write_totals(connection, fleet, "", totals)

        self._queue.put((work, then))

    def keep(self, spans: list[Span]) -> None:
        """Write these spans; one that began when a written one did takes its place, longer or shorter."""
        rows = [(each.fleet, each.terminal, each.path, each.uplink, each.state, each.start, each.end) for each in spans]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO span VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

        self._later.append(work)

    def remember(self, fleet: str, terminal: str, name: str, value: Any) -> None:
        """Keep a JSON-able value under this name; the newest one wins."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?)",
                (fleet, terminal, name, json.dumps(value)),
            )

        self._later.append(work)

    def recall(self, fleet: str, terminal: str, name: str) -> Any:
        """What was last remembered under this name, or None."""
        with self._reading():
            row = self._reader.execute(
                "SELECT value FROM memory WHERE fleet = ? AND terminal = ? AND name = ?", (fleet, terminal, name)
            ).fetchone()
            return json.loads(row[0]) if row else None
        return None

    def keep_blocks(self, fleet: str, account: str, as_of: float, blocks: bytes, memory: bytes = b"") -> None:
        """Keep what was collected of an account or a source, as of these unix seconds, and what to remember of it."""
        row = (fleet, account, as_of, blocks, memory)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO collected VALUES (?, ?, ?, ?, ?)", row)

        self._later.append(work)

    def kept_blocks(self, fleet: str, account: str) -> tuple[float, bytes, bytes] | None:
        """What was kept last of an account or a source: as of when, blocks, memory."""
        with self._reading():
            found: tuple[float, bytes, bytes] | None = self._reader.execute(
                "SELECT as_of, blocks, memory FROM collected WHERE fleet = ? AND account = ?", (fleet, account)
            ).fetchone()
            return found
        return None

    def totals(self, fleet: str, terminal: str) -> list[Total]:
        """Every running total of a terminal; '' for those of the fleet itself."""
        with self._reading():
            rows = self._reader.execute(
                "SELECT metric, labels, value FROM total WHERE fleet = ? AND terminal = ?", (fleet, terminal)
            )
            return [Total(metric, tuple(json.loads(labels)), json.loads(value)) for metric, labels, value in rows]
        return []

    def events(self, fleet: str, terminal: str, start: float, end: float) -> list[Event]:
        """Events of a terminal that began in [start, end) unix seconds, oldest first."""
        with self._reading():
            rows = self._reader.execute(
                "SELECT kind, uplink, start, end, detail FROM event"
                " WHERE fleet = ? AND terminal = ? AND start >= ? AND start < ? ORDER BY start, id",
                (fleet, terminal, start, end),
            )
            return [Event(fleet, terminal, row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows]
        return []

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """What is broken in a file that opens is as if it had never been written, and said."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            told = {"file": str(self.path), "reason": str(error)}
            log.error("a part of the state file is broken; what it held is lost", extra={"kv": told})

    def _write(self) -> None:
        try:
            while True:
                closing = self._closed.is_set()
                items = self._gather(0.0 if closing else _GATHER_SECONDS)
                if items and self._commit([work for work, _ in items]):
                    for _, then in items:
                        if then is not None:
                            then()
                if closing and not items:
                    return
        finally:
            if self._writer is not None:
                self._writer.close()

    def _gather(self, patience: float) -> list[Item]:
        """What is to be written next, in one transaction: at once where somebody waits for it, else after `patience`.

        Every transaction waits for the disk, and every wake-up for a processor.
        """
        try:
            awaited = self._queue.get(timeout=patience)
        except queue.Empty:
            awaited = None
        items: list[Item] = []
        while self._later:
            items.append((self._later.popleft(), None))
        return [*items, awaited] if awaited is not None else items

    def _commit(self, works: Sequence[Work]) -> bool:
        """Write one transaction, trying again while the disk refuses; False if it was given up at the limit."""
        while True:
            try:
                connection = self._connected()
                with connection:
                    for work in works:
                        work(connection)
            except (sqlite3.Error, StateError) as error:
                self._refused(error)
                self._replace_if_broken(error)
                if self._queue.qsize() + len(self._later) > _PENDING_LIMIT or self._closed.wait(_RETRY_SECONDS):
                    return False
            else:
                if not self.writable:
                    log.info("the state file can be written again", extra={"kv": {"file": str(self.path)}})
                self.writable = True
                return True

    def _connected(self) -> sqlite3.Connection:
        """The writer's connection. Raises `StateError` while the file cannot be had."""
        if self._lock is None:
            self._lock, self._reader = _acquire(self.path)
        if self._writer is None:
            self._writer = _connect(self.path)
        return self._writer

    def _replace_if_broken(self, error: Exception) -> None:
        """A file that broke under way is moved aside and begun anew: waiting would not mend it."""
        if self._writer is None or getattr(error, "sqlite_errorcode", 0) & 0xFF not in _SQLITE_BROKEN:
            return
        self._writer.close()
        self._writer = None
        with contextlib.suppress(OSError, StateError):
            _move_aside(self.path, "corrupt", "broke while it was written")
            self._reader = _open(self.path)

    def _refused(self, error: Exception) -> None:
        if self.writable:
            log.error(
                "cannot write the state file; probing goes on, history does not",
                extra={"kv": {"file": str(self.path), "reason": str(error)}},
            )
        self.writable = False


class Reader:
    """The history in a state file, read also while another process writes it. Nothing is ever changed."""

    def __init__(self, path: Path) -> None:
        """Raises `StateError` if `path` is not a state file that this version can read."""
        if not path.is_file():
            raise StateError(f"{path}: there is no state file here; `yardlight serve` writes one")
        self.path = path
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in self._connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.Error as error:
            raise StateError(f"{path}: cannot read the state file: {error}") from error
        if version > VERSION or "event" not in tables:
            self._connection.close()
            what = "was written by a newer Yardlight" if version > VERSION else "is not a state file"
            raise StateError(f"{path}: {what}")
        # Files from before spans were kept have none.
        self._has_spans = "span" in tables
        self._has_memories = version > 1

    def close(self) -> None:
        self._connection.close()

    def events(self, fleet: str, terminal: str, start: float, end: float) -> list[Event]:
        """Events of a terminal that touch [start, end) unix seconds, oldest first."""
        rows = self._rows(
            "SELECT kind, uplink, start, end, detail FROM event"
            " WHERE fleet = ? AND terminal = ? AND end >= ? AND start < ? ORDER BY start, id",
            (fleet, terminal, start, end),
        )
        return [Event(fleet, terminal, row[0], row[1], row[2], row[3], json.loads(row[4])) for row in rows]

    def spans(self, fleet: str, terminal: str, start: float, end: float) -> list[Span]:
        """Spans of a terminal that touch [start, end) unix seconds, oldest first."""
        if not self._has_spans:
            return []
        rows = self._rows(
            "SELECT path, uplink, state, start, end FROM span"
            " WHERE fleet = ? AND terminal = ? AND end >= ? AND start < ? ORDER BY start",
            (fleet, terminal, start, end),
        )
        return [Span(fleet, terminal, *row) for row in rows]

    def memory(self, fleet: str, poll: str) -> tuple[float, bytes] | None:
        """When a poll was complete the last time (unix seconds), and its memory; None if there is none."""
        if not self._has_memories:
            return None
        rows = self._rows("SELECT as_of, memory FROM collected WHERE fleet = ? AND account = ?", (fleet, poll))
        return rows[0] if rows and rows[0][1] else None

    def recall(self, fleet: str, name: str) -> Any:
        """What `State.remember` kept of a fleet under this name; None if there is nothing."""
        rows = self._rows("SELECT value FROM memory WHERE fleet = ? AND terminal = '' AND name = ?", (fleet, name))
        return json.loads(rows[0][0]) if rows else None

    def recalled(self, fleet: str, prefix: str) -> dict[str, Any]:
        """All that was remembered of the fleet under names that begin so."""
        rows = self._rows(
            "SELECT name, value FROM memory WHERE fleet = ? AND terminal = '' AND name >= ? AND name < ?",
            (fleet, prefix, prefix + "\U0010ffff"),
        )
        return {name: json.loads(value) for name, value in rows}

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StateError(f"{self.path}: cannot read the state file: {error}") from error


class IndexFile:
    """A SQLite file of a domain's own beside the state file: millions of rows that its worker writes, not this process.

    What is in it can be made again, so a power cut may take the last transaction along. An unusable file is moved
    aside. One process at a time holds `lock`; any may read.
    """

    def __init__(self, path: Path, schema: str, version: int) -> None:
        """Open or create `path`. Raises `StateError`."""
        self.path = path
        self._lock: IO[str] | None = None
        self._broken = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _open_index(path, schema, version)
        except (OSError, sqlite3.Error) as error:
            raise StateError(f"{path}: cannot open the index: {error}") from error

    def lock(self) -> bool:
        """Whether this process alone may write from now on."""
        try:
            self._lock = _lock(self.path)
        except StateError:
            return False
        return True

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds, all at once."""
        return list(self.each(query, values))

    def each(self, query: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a query finds, row by row. Raises `StateError`."""
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._failed("use", error) from error

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """One statement. Raises `StateError`."""
        self.run_many(statement, [values])

    def run_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """The same statement for each of the values. Raises `StateError`."""
        try:
            self._connection.executemany(statement, values)
        except sqlite3.Error as error:
            raise self._failed("use", error) from error

    def commit(self) -> None:
        """From now on it is there after a crash of this process. Raises `StateError`."""
        try:
            self._connection.commit()
        except sqlite3.Error as error:
            raise self._failed("write", error) from error

    def _failed(self, doing: str, error: sqlite3.Error) -> StateError:
        # An index of which a page is broken opens, and would fail at the same place each time.
        self._broken = self._broken or getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_BROKEN
        return StateError(f"{self.path}: cannot {doing} the index: {error}")

    def drop(self) -> None:
        """Forget what was not committed."""
        self._connection.rollback()

    def close(self) -> None:
        """What was not committed is dropped; whoever may write moves a broken index aside."""
        self._connection.close()
        if self._lock is not None:
            if self._broken:
                _move_aside(self.path, "corrupt", "is broken")
            self._lock.close()


def _open_index(path: Path, schema: str, version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -32768")
        connection.execute("PRAGMA secure_delete = OFF")
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        if found in (0, version):
            connection.executescript(schema)
            connection.execute(f"PRAGMA user_version = {version}")
            connection.commit()
            return connection
        why, sentence = "other", f"has format {found}, this version writes {version}"
    except sqlite3.OperationalError:
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        why, sentence = "corrupt", f"is not a usable index ({error})"
    connection.close()
    _move_aside(path, why, sentence)
    return _open_index(path, schema, version)


def _write_totals(connection: sqlite3.Connection, fleet: str, terminal: str, totals: Sequence[Total]) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO total VALUES (?, ?, ?, ?, ?)",
        [(fleet, terminal, each.metric, json.dumps(each.labels), json.dumps(each.value)) for each in totals],
    )


def _acquire(path: Path) -> tuple[IO[str], sqlite3.Connection]:
    lock = _lock(path)
    try:
        return lock, _open(path)
    except BaseException:
        lock.close()
        raise


def _copy(path: Path) -> sqlite3.Connection:
    """What can be read of a file that cannot be written, in memory: totals go on from there, not from zero."""
    memory = sqlite3.connect(":memory:", check_same_thread=False)
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with (
        contextlib.suppress(OSError, sqlite3.Error),
        tempfile.TemporaryDirectory(prefix="yardlight-", dir=shared) as folder,
    ):
        copy = Path(folder) / "state.db"
        shutil.copyfile(path, copy)
        # What was written last may be in the log beside it only.
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(path.with_name(f"{path.name}-wal"), copy.with_name("state.db-wal"))
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
                connection.backup(memory)
    memory.executescript(_SCHEMA)
    return memory


def _lock(path: Path) -> IO[str]:
    lock_path = path.with_name(path.name + ".lock")
    try:
        lock = open(lock_path, "w", encoding="ascii")  # noqa: SIM115
    except OSError as error:
        kind = DiskRefusesError if error.errno in _REFUSED else StateError
        raise kind(f"{path}: cannot keep state there: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StateError(f"{path}: another yardlight process uses this state file") from error
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _open(path: Path) -> sqlite3.Connection:
    try:
        _make_private(path)
        connection = _connect(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version <= VERSION:
            if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                connection.close()
                raise sqlite3.DatabaseError(" ".join(found.split()))
            for step in range(version, VERSION) if version else ():
                connection.execute(_STEPS[step])
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.commit()
            return connection
        connection.close()
        _move_aside(path, "newer", f"was written by a newer Yardlight (format {version}, this one knows {VERSION})")
    except sqlite3.OperationalError as error:
        kind = DiskRefusesError if error.sqlite_errorcode & 0xFF in _SQLITE_REFUSED else StateError
        raise kind(f"{path}: cannot open the state file: {error}") from error
    except sqlite3.DatabaseError as error:
        _move_aside(path, "corrupt", f"is not a usable state file ({error})")
    return _open(path)


def _make_private(path: Path) -> None:
    """Numbers of tablets and SIMs are in it: a new file is its owner's alone, an old one not everybody's."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
        path.chmod(path.stat().st_mode & ~0o007)


def _move_aside(path: Path, why: str, sentence: str) -> None:
    """Keep what cannot be used under another name: somebody may still get something out of it."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.{why}-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            os.replace(source, aside.with_name(aside.name + suffix))
    log.error(f"{path.name} {sentence}; moved aside, starting anew", extra={"kv": {"moved_to": str(aside)}})
