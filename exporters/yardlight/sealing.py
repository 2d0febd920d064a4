"""A folder of evidence: how it is written and sealed, and which file was edited since.

A sealed folder has `manifest.json` (the hash of every other file and the journal's head) and `seal`, the hash of the
manifest. Any changed byte, any file that is missing, new or has another's name shows. The seal is printed on the
report: paper in a drawer shows even an edit that was sealed again. A signature is one more file and a new seal,
which names the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yardlight import journal
from yardlight.errors import JournalError

MANIFEST, SEAL, JOURNAL, RECORD = "manifest.json", "seal", "journal.jsonl", "record.json"


@dataclass(frozen=True)
class Finding:
    """A file that is not as it was sealed, and how."""

    file: str
    what: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def write(folder: Path, name: str, document: Any) -> None:
    """One document of the evidence, readable as it lies."""
    write_bytes(folder, name, (json.dumps(document, indent=1, sort_keys=True) + "\n").encode())


def write_bytes(folder: Path, name: str, data: bytes) -> None:
    """One file of the evidence, whole or not at all, on the disk when this returns."""
    target = folder / name
    try:
        journal.make_folder(target.parent)
        part = target.with_name(f".{target.name}.part")
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        journal.hand_over(part)
        os.replace(part, target)
        journal.sync_folder(target.parent)
    except OSError as error:
        raise JournalError(f"{target}: cannot be written: {(error.strerror or str(error)).lower()}") from None


def seal(folder: Path) -> str:
    """Close the folder: from now on every change shows. The seal."""
    # What a kill left half written belongs to nothing, and the next write of that file would take it out of the list.
    for part in folder.rglob(".*.part"):
        part.unlink()
    lines = journal.entries((folder / JOURNAL).read_bytes())
    before = (folder / SEAL).read_text(encoding="ascii").strip() if (folder / SEAL).exists() else None
    files = {name: _digest(folder / name) for name in sorted(_files(folder))}
    head = lines[-1]["hash"] if lines else journal.FIRST
    write(folder, MANIFEST, {"files": files, "journal": head, "seal before": before})
    value = _digest(folder / MANIFEST)
    write_bytes(folder, SEAL, f"{value}\n".encode())
    return value


def sealed(folder: Path) -> bool:
    """True if this folder is closed."""
    return (folder / SEAL).exists()


def verify(folder: Path) -> list[Finding]:
    """Every file that is not as it was sealed; none means that the evidence is whole."""
    for name in (JOURNAL, MANIFEST, SEAL):
        if not (folder / name).is_file():
            return [Finding(name, "is missing, so nothing can be said about the rest")]
    if (folder / SEAL).read_bytes() != f"{_digest(folder / MANIFEST)}\n".encode():
        return [Finding(f"{MANIFEST} or {SEAL}", "was edited: one does not fit the other"), *_content(folder)]
    return _content(folder)


def _content(folder: Path) -> list[Finding]:
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        expected, head = dict(manifest["files"]), manifest["journal"]
    except (ValueError, KeyError, TypeError):
        return [Finding(MANIFEST, "cannot be read")]
    present = set(_files(folder))
    found = [Finding(name, "is missing") for name in sorted(expected.keys() - present)]
    found += [Finding(name, "was added after the seal") for name in sorted(present - expected.keys())]
    for name in sorted(present & expected.keys()):
        if _digest(folder / name) != expected[name]:
            found.append(Finding(name, _how(folder, name)))
    if not found and _head(folder) != head:
        found.append(Finding(JOURNAL, "does not end as it did when it was sealed"))
    return found


def _how(folder: Path, name: str) -> str:
    if name == JOURNAL:
        try:
            journal.entries((folder / name).read_bytes())
        except ValueError as error:
            return f"was edited: {error}"
    return "was edited"


def _head(folder: Path) -> str | None:
    try:
        lines = journal.entries((folder / JOURNAL).read_bytes())
    except ValueError:
        return None
    return str(lines[-1]["hash"]) if lines else journal.FIRST


def _files(folder: Path) -> list[str]:
    names = (str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    return [name for name in names if name not in (MANIFEST, SEAL)]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
