"""Where an archive lies, as folders and files: on a path of this machine, or in a store that speaks S3 (`s3.py`).

A store lists one folder at a time and reads one file at a time. Nothing outside its root is ever opened: a link is
counted and not followed, and what was opened is asked where it is.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, cast

from yardlight.collection import Session
from yardlight.errors import UnreachableError
from yardlight.inventory.archives import Place

# Far more than anybody can look at; as one list they fit into a worker.
MOST_IN_FOLDER = 2_000_000
CHUNK = 1 << 20
_TICK_SECONDS = 2.5
_WARM_SECONDS = 1.0


class UnreadableError(Exception):
    """One file or folder cannot be read: `kind` is from a closed set, `detail` for people."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind, self.detail = kind, detail


@dataclass
class Listing:
    """What one folder holds: names of folders, a row for each file, sorted, and what is neither, by kind.

    A row is name, size and stamp with zero bytes between. The stamp begins with when the file was last written, in
    nanoseconds; what is the same in name, size and stamp is taken to be the same until it is read again.
    """

    folders: list[str] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    odd: Counter[str] = field(default_factory=Counter)


class Opened(Protocol):
    """A file that is being read; `stamp` is that of a listing, None where it does not tell."""

    size: int
    stamp: str | None

    def read(self, size: int) -> bytes: ...

    def unchanged(self) -> bool:
        """Whether nobody has written to it since it was opened."""


class Store(Protocol):
    """Paths are relative to the archive's root, with slashes; '' is the root."""

    def stamp(self, path: str) -> str | None:
        """Stays the same while no name in this folder comes, goes or is replaced; None where that is not known."""

    def folder(self, path: str) -> Listing:
        """Raises `PollError` for the root or the whole store, `UnreadableError` for one folder."""

    def open(self, path: str) -> AbstractContextManager[Opened]:
        """Raises `UnreadableError`, and `PollError` where it is not the file's fault."""

    def free(self) -> int | None:
        """Bytes that are left where it lies; None where that cannot be told."""

    def device(self) -> str:
        """The same for places on the same device only."""


def store(place: Place, base: Path, session: Session) -> Store:
    """The store of this place; relative paths are those of the inventory's folder. Raises `PollError`."""
    if not place.is_s3:
        return LocalStore(base / place.path)
    if find_spec("s3fs") is None:
        raise UnreachableError("s3:// needs the extra: pip install 'yardlight[s3]'")
    return cast(Store, import_module("yardlight.records.s3").S3Store(place, base, session))


class LocalStore:
    """A folder of this machine. Its own path may be a link; below it none is followed."""

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)
        self._shown = root

    def stamp(self, path: str) -> str | None:
        try:
            told = os.stat(os.path.join(self._root, path), follow_symlinks=not path)
        except OSError:
            return None
        # A second change within the same tick of a file system's clock would not show.
        if abs(time.time() - told.st_mtime) < _TICK_SECONDS or not stat.S_ISDIR(told.st_mode):
            return None
        return f"{told.st_ino}:{told.st_mtime_ns}:{told.st_ctime_ns}"

    def folder(self, path: str) -> Listing:
        found = Listing()
        where = os.fsencode(os.path.join(self._root, path))
        try:
            with os.scandir(where) as entries:
                for entry in entries:
                    _sort_in(entry, found)
                    if len(found.rows) > MOST_IN_FOLDER:
                        raise UnreadableError(
                            "too_many", f"{path or '.'}: more than {MOST_IN_FOLDER} files in a folder"
                        )
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            if not path:
                raise UnreachableError(f"{self._shown}: {why}") from None
            raise UnreadableError("folder", f"{path}: {why}") from None
        found.rows.sort()
        return found

    @contextmanager
    def open(self, path: str) -> Iterator[Opened]:
        try:
            # Not to wait for whoever writes into a pipe that took a file's place.
            descriptor = os.open(os.path.join(self._root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            # The next listing says whether it may be gone.
            raise UnreadableError("changing", "it was there a moment ago") from None
        except OSError as error:
            raise UnreadableError("unreadable", (error.strerror or str(error)).lower()) from None
        with _LocalFile(descriptor) as opened:
            inside = os.readlink(f"/proc/self/fd/{descriptor}").startswith(self._root.rstrip("/") + "/")
            if not inside or not stat.S_ISREG(opened.before.st_mode):
                raise UnreadableError("unreadable", "it is not a file of the archive")
            yield opened

    def free(self) -> int | None:
        try:
            told = os.statvfs(self._root)
        except OSError:
            return None
        return told.f_bavail * told.f_frsize

    def device(self) -> str:
        try:
            return f"device {os.stat(self._root).st_dev}"
        except OSError as error:
            raise UnreachableError(f"{self._shown}: {(error.strerror or str(error)).lower()}") from None


class _LocalFile:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.before = os.fstat(descriptor)
        # Whoever writes to it just now writes again within that time.
        if 0 < (warm := self.before.st_mtime + _WARM_SECONDS - time.time()) <= _WARM_SECONDS:
            time.sleep(warm)
        self.size = self.before.st_size
        self.stamp: str | None = str(self.before.st_mtime_ns)

    def __enter__(self) -> _LocalFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, size: int) -> bytes:
        try:
            return os.read(self._descriptor, size)
        except OSError as error:
            raise UnreadableError("unreadable", (error.strerror or str(error)).lower()) from None

    def unchanged(self) -> bool:
        after = os.fstat(self._descriptor)
        return (after.st_size, after.st_mtime_ns) == (self.before.st_size, self.before.st_mtime_ns)


def _sort_in(entry: os.DirEntry[bytes], found: Listing) -> None:
    if entry.is_symlink():
        found.odd["link"] += 1
    elif entry.is_dir(follow_symlinks=False):
        try:
            found.folders.append(entry.name.decode())
        except UnicodeDecodeError:
            found.odd["name"] += 1
    elif entry.is_file(follow_symlinks=False):
        try:
            told = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            return
        found.rows.append(b"%b\0%d\0%d" % (entry.name, told.st_size, told.st_mtime_ns))
    else:
        found.odd["no_file"] += 1
