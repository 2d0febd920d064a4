"""What is kept of each retrieval: who asked for what and why, what was missing, how long it took, the zip's hash.

Each has a sealed folder like a drill's, beside the indexes; `yardlight drill verify FOLDER` tells whether it was
edited. The zip itself, full of people's records, lies beside it and is deleted after a month.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from yardlight import journal, sealing
from yardlight.journal import Journal

# What people did to a fleet's archives, beside the indexes; and what a line says of a back-up that was restored.
JOURNAL, RESTORED = "journal.jsonl", "restored"
_FOLDER = "retrievals"
_ZIP_KEPT = 30 * 86400.0


@dataclass(frozen=True)
class Retrieval:
    """One retrieval that is over: its sealed folder, and what its record.json says."""

    folder: Path
    body: dict[str, Any]

    @property
    def at(self) -> float:
        """When it ended, unix seconds."""
        return float(self.body["ended"])

    @property
    def by(self) -> str:
        return str(self.body["by"])

    @property
    def complete(self) -> bool:
        return not self.body["missing"] and not self.body["unusable"]

    @property
    def zip(self) -> Path:
        return zip_of(self.folder)


def folder_of(state: Path) -> Path:
    """Where indexes and retrievals of a fleet lie: beside its state file."""
    return state.with_name(f"{state.stem}-records")


def new_folder(records: Path, at: float) -> Path:
    """A folder for one retrieval; its name sorts by time."""
    name = f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M%SZ}"
    root = records / _FOLDER
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(1, 1000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise FileExistsError(str(root / name))


def zip_of(folder: Path) -> Path:
    """The zip of this retrieval: beside its folder, as it does not stay."""
    return folder.with_name(f"{folder.name}.zip")


def seal(folder: Path, body: dict[str, Any], files: dict[str, bytes]) -> None:
    """Close the folder of a retrieval: from now on every change shows."""
    lines = Journal(folder / sealing.JOURNAL)
    try:
        lines.write("asked", body["began"], by=body["by"], why=body["why"])
        lines.write("handed over", body["ended"], sha256=body["sha256"], missing=len(body["missing"]))
    finally:
        lines.close()
    for name, data in files.items():
        sealing.write_bytes(folder, name, data)
    sealing.write(folder, sealing.RECORD, body)
    sealing.seal(folder)


def retrievals(records: Path) -> Iterator[Retrieval]:
    """Those that are over, oldest first; what cannot be read is left out."""
    for folder in sorted((records / _FOLDER).glob("*T*Z*")):
        if folder.is_dir() and sealing.sealed(folder):
            with suppress(OSError, ValueError):
                yield Retrieval(folder, json.loads((folder / sealing.RECORD).read_bytes()))


@dataclass(frozen=True)
class Proof:
    """When somebody got out of an archive what was asked for, and who."""

    at: float
    by: str


def retrieval_tests(records: Path, archive: str) -> list[Proof]:
    """Retrievals that brought files of this archive, and all that was asked for, oldest first."""
    found = (each for each in retrievals(records) if archive in each.body.get("gave", ()) and each.complete)
    return [Proof(each.at, each.by) for each in found]


def restore_tests(records: Path, archive: str) -> list[Proof]:
    """When a back-up was restored by a person who said so, oldest first; none if the journal does not hold."""
    with suppress(OSError, ValueError):
        lines = journal.entries((records / JOURNAL).read_bytes())
        return [
            Proof(each["at"], each["by"]) for each in lines if each["what"] == RESTORED and each["archive"] == archive
        ]
    return []


def drop_old_zips(records: Path, now: float) -> None:
    """Delete zips that were there to be fetched for a month."""
    for path in (records / _FOLDER).glob("*.zip"):
        with suppress(OSError):
            if path.stat().st_mtime < now - _ZIP_KEPT:
                path.unlink()
