"""Which contract a feed has: the file beside the inventory, or the one that its platform's module brings along."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from yardlight.errors import ContractError
from yardlight.feeds import contract_file
from yardlight.feeds.contract import Contract
from yardlight.feeds.judge import judged
from yardlight.feeds.record import Breach, Record
from yardlight.feeds.scales import level
from yardlight.feeds.shape import shape, written

log = logging.getLogger(__name__)
# Of those that platforms bring along.
SHIPPED = Path(__file__).parent / "contracts"
FOLDER = "contracts"
# The last one of each file that could be read.
_good: dict[str, Contract] = {}


def own_file(base: Path, feed: str, written: str | None) -> Path:
    """Where a feed's own contract is, or will be once it is learned."""
    return base / (written or f"{FOLDER}/{feed}.json")


def shipped_file(platform: str, stream: str | None) -> Path:
    """Where the contract is that a platform brings along for a stream."""
    return SHIPPED / f"{platform}-{stream}.json"


def files_of(base: Path, feed: str, written: str | None, platform: str, stream: str | None) -> tuple[str, ...]:
    """Where a feed's contract may be: its own before its platform's."""
    return str(own_file(base, feed, written)), str(shipped_file(platform, stream))


def first_of(files: Iterable[str]) -> str | None:
    """The file that holds; None while there is none."""
    return next((file for file in files if Path(file).is_file()), None)


def mark(files: Iterable[str]) -> str | None:
    """Changes when somebody takes all for right as it is, by the contract that holds; None if that cannot be read."""
    file = first_of(files)
    contract = _current(file) if file is not None else None
    if contract is None:
        return "" if file is None else None
    notes = [contract.about.get("x-learned", {}), *contract.about.get("x-accepted", [])]
    last = [note for note in notes if note.get("as_is", True)][-1:]
    return hashlib.blake2b(repr(last).encode(), digest_size=8).hexdigest()


def breaches(files: Iterable[str], records: Iterable[Record], levels: dict[str, float]) -> list[Breach]:
    """What the records break of the contract in the first of these files that there is; nothing without one.

    `levels` are those of the numbers of each field in the answers before, which are brought up to date: seasons and
    odometers bring numbers far from where they were when the contract was learned, but only step by step.
    """
    file = first_of(files)
    contract = _current(file) if file is not None else None
    if contract is None:
        return []
    found = shape(outermost(records))
    told = judged(found, contract, levels)
    broken = {each.field for each in told}
    now = {written(path): level(each.numbers) for path, each in found.items()}
    levels.update({field: size for field, size in now.items() if size and field not in broken})
    return told


def outermost(records: Iterable[Record]) -> list[Any]:
    """The records of a reply as the vendor sent them, those once that hold several."""
    found: dict[int, Any] = {}
    for record in records:
        raw = record.raw
        while isinstance(raw, dict) and isinstance(raw.get("parent"), dict):
            raw = raw["parent"]
        found[id(raw)] = raw
    return list(found.values())


def _current(file: str) -> Contract | None:
    """The contract; while somebody is at work on its file and it cannot be read, the one before."""
    try:
        _good[file] = _read(file, Path(file).stat().st_mtime_ns)
    except (ContractError, OSError) as error:
        log.warning("contract cannot be read, %s: %s", "the one before holds" if file in _good else "none holds", error)
    return _good.get(file)


@lru_cache(maxsize=512)
def _read(file: str, changed: int) -> Contract:
    return contract_file.read(Path(file))
