"""What was done, line by line: appended, on disk before anything is done, each line bound to the one before it.

A line is JSON with its number, the hash of the line before and its own; a changed, removed or moved line no longer
fits. The last line that a crash cut short is dropped when the journal is taken up again: what it meant to say had not
been done yet.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from yardlight.errors import JournalError

FIRST = "0" * 64
_PATIENCE = 5.0
Entry = dict[str, Any]


class Journal:
    """The journal in one file, held by one process. Opening it again goes on after its last whole line."""

    def __init__(self, path: Path) -> None:
        """Raises `JournalError` if it cannot be kept there, another process writes it, or it was edited."""
        self.path = path
        try:
            make_folder(path.parent)
            self._file: IO[bytes] = path.open("a+b")
            hand_over(path)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise JournalError(f"{path}: another process writes this journal") from None
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from None
        self._file.seek(0)
        data = self._file.read()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            self._file.truncate(len(whole))
        try:
            self.entries = entries(whole)
        except ValueError as error:
            self._file.close()
            raise JournalError(f"{path}: {error}") from None
        sync_folder(path.parent)

    def write(self, what: str, at: float, **facts: Any) -> Entry:
        """One line, on the disk when this returns. Raises `JournalError` if that failed: then nothing may be done."""
        entry = {"n": len(self.entries) + 1, "at": at, "what": what, **facts, "before": self.head}
        entry["hash"] = _hash(entry)
        try:
            self._file.write(line(entry))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise JournalError(f"{self.path}: cannot be written: {(error.strerror or str(error)).lower()}") from None
        self.entries.append(entry)
        return entry

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return str(self.entries[-1]["hash"]) if self.entries else FIRST

    def close(self) -> None:
        self._file.close()


def note(path: Path, what: str, /, **facts: Any) -> None:
    """One line in the journal in this file, which others write, too; on the disk when this returns.

    Raises `JournalError`: then nothing may be done.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            journal = Journal(path)
        except JournalError as error:
            # Somebody else writes a line just now.
            if time.monotonic() >= deadline or "another process" not in str(error):
                raise
            time.sleep(0.05)
            continue
        try:
            journal.write(what, time.time(), **facts)
        finally:
            journal.close()
        return


def line(entry: Entry) -> bytes:
    """An entry as it stands in the file; there is one way to write each."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def entries(data: bytes) -> list[Entry]:
    """The entries of a journal. Raises `ValueError` naming the first line that does not fit."""
    found: list[Entry] = []
    before = FIRST
    for number, text in enumerate(data.splitlines(keepends=True), 1):
        try:
            entry = json.loads(text)
            fits = line(entry) == text and entry["n"] == number and entry["before"] == before
            fits = fits and entry["hash"] == _hash({key: entry[key] for key in entry if key != "hash"})
        except (ValueError, KeyError, TypeError):
            fits = False
        if not fits:
            raise ValueError(f"line {number} was changed, or one before it was moved or removed")
        before = entry["hash"]
        found.append(entry)
    return found


def last(found: Sequence[Entry], what: str) -> Entry | None:
    """The newest entry that says this."""
    return next((entry for entry in reversed(found) if entry["what"] == what), None)


def in_use(path: Path) -> bool:
    """True while a process holds this journal."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _hash(entry: Entry) -> str:
    return hashlib.sha256(line(entry)).hexdigest()


def make_folder(path: Path) -> None:
    """This folder and those above it, each of them its parent's owner's."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        hand_over(path)


def hand_over(path: Path) -> None:
    """What root makes among the files of serve's user becomes that user's, for whom it would else be closed."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        with contextlib.suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """A new or renamed file is only there after a power cut if its folder was written too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
