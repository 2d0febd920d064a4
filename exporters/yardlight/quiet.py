"""`yardlight quiet`: trouble that somebody expects for a while, said on the command line instead of in the inventory.

Kept in a JSON file beside the inventory, which a serving centre reads every few seconds: nothing is restarted, and an
entry ends by itself. It changes what is told, never what is measured.
"""

from __future__ import annotations

import fcntl
import getpass
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from rich import box
from rich.console import Console
from rich.table import Table

from yardlight import files
from yardlight.errors import StartError
from yardlight.inventory.load import load
from yardlight.inventory.model import Name
from yardlight.inventory.models import Fleet, Terminal
from yardlight.inventory.values import parse_duration
from yardlight.logs import kv
from yardlight.lookback import find_terminal, find_uplink, length

log = logging.getLogger(__name__)

# What takes longer is no surprise: it belongs into the inventory, as maintenance.
LONGEST = 7 * 86400.0
# Ended entries are kept so long for those who ask what happened.
_KEPT = 30 * 86400.0


class Quiet(BaseModel):
    """An entry: `uplink` None means every circuit of the terminal; who said so, when and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    terminal: Name
    uplink: Name | None
    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
    who: str
    why: str

    def active(self, now: float) -> bool:
        """Whether it holds at this instant (unix seconds)."""
        return self.from_.timestamp() <= now < self.to.timestamp()

    def uplinks(self, terminal: Terminal) -> Iterator[str]:
        """The circuits of the terminal that it is about."""
        return (name for name in terminal.uplinks if self.uplink in (None, name))


_ENTRIES = TypeAdapter(list[Quiet])


def quiet_file(inventory: Path) -> Path:
    """Where the entries for an inventory lie. Not *.yml: that would be a fleet in a folder of fleets."""
    return inventory.with_name(f"{inventory.stem}.quiet.json")


def read(path: Path) -> list[Quiet]:
    """The entries in this file, none where it does not exist. Raises `StartError` if it is not one."""
    try:
        return _ENTRIES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StartError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StartError(f"{path} is not a list of quiet times: {place}{': ' if place else ''}{first['msg']}") from None


class QuietTimes:
    """The entries of an inventory for a process that serves it: read again when the file changed."""

    def __init__(self, inventory: Path) -> None:
        self._path = quiet_file(inventory)
        self._stamp: tuple[int, int, int] | None = None
        self._entries: list[Quiet] = []

    def entries(self) -> Sequence[Quiet]:
        """All entries, ended ones too. A broken file is said once, and those before it stand."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._entries = read(self._path)
            except StartError as error:
                log.error("the quiet times were refused, those before are used on", extra=kv(error=error))
        return self._entries

    def _look(self) -> tuple[int, int, int] | None:
        try:
            seen = self._path.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_ino, seen.st_size


def begin(inventory: Path, terminal: str, uplink: str | None, duration: str, why: str) -> int:
    """Be quiet from now on. Raises `InventoryError`, or `StartError` for what cannot be."""
    fleet, place = _checked(inventory, terminal, uplink)
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise StartError(str(error)) from None
    if not 0 < seconds <= LONGEST:
        hint = f"write longer ones into {inventory}, as maintenance"
        raise StartError(f"{duration!r} is not between a moment and 7d; {hint}")
    now = time.time()
    entry = Quiet(
        terminal=terminal, uplink=uplink, from_=_utc(now), to=_utc(now + seconds), who=whoami(), why=why.strip()
    )  # fmt: skip
    with _changing(quiet_file(inventory), now) as entries:
        entries[:] = [each for each in entries if not (_same(each, entry) and each.active(now))]
        entries.append(entry)
    print(f"{_what(entry)} of {fleet.fleet} is quiet until {_clock(entry.to, place)} ({length(seconds)}): {entry.why}")
    print("its tickets become info; a dark terminal still pages; everything is measured and recorded as always")
    return 0


def end(inventory: Path, terminal: str, uplink: str | None) -> int:
    """End what is quiet at a terminal, or one circuit of it. 1 if nothing is."""
    _checked(inventory, terminal, uplink)
    now = time.time()
    ended = 0
    with _changing(quiet_file(inventory), now) as entries:
        for index, each in enumerate(entries):
            if each.terminal == terminal and uplink in (None, each.uplink) and each.active(now):
                entries[index] = each.model_copy(update={"to": _utc(now)})
                ended += 1
    what = f"{terminal} {uplink}" if uplink else terminal
    print(f"{what} is quiet no more" if ended else f"{what} was not quiet", file=sys.stdout if ended else sys.stderr)
    return 0 if ended else 1


def show(inventory: Path, terminal: str | None) -> int:
    """Print what is quiet now, and what was in the last 30 days."""
    fleet = load(inventory).fleet
    if terminal is not None:
        find_terminal(fleet, terminal)
    now = time.time()
    rows = [each for each in read(quiet_file(inventory)) if terminal in (None, each.terminal)]
    if not rows:
        print("nothing is quiet, nor was in the last 30 days")
        return 0
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in ("what", "from", "until", "", "who", "why"):
        table.add_column(heading, no_wrap=heading != "why")
    for each in sorted(rows, key=lambda row: row.from_, reverse=True):
        place = fleet.terminals.get(each.terminal)
        state = "now" if each.active(now) else "over"
        table.add_row(_what(each), _clock(each.from_, place), _clock(each.to, place), state, each.who, each.why)
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 400).print(table)
    return 0


def _checked(inventory: Path, terminal: str, uplink: str | None) -> tuple[Fleet, Terminal]:
    fleet = load(inventory).fleet
    place = find_terminal(fleet, terminal)
    if uplink is not None:
        find_uplink(place, uplink)
    return fleet, place


@contextmanager
def _changing(path: Path, now: float) -> Iterator[list[Quiet]]:
    """The entries to be changed in place, then written whole; two who do so at once wait for each other."""
    try:
        with path.with_name(f".{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = [each for each in read(path) if each.to.timestamp() > now - _KEPT]
            yield entries
            files.replace(path, _ENTRIES.dump_json(entries, by_alias=True, indent=2) + b"\n")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None


def _same(one: Quiet, other: Quiet) -> bool:
    return (one.terminal, one.uplink) == (other.terminal, other.uplink)


def _what(entry: Quiet) -> str:
    return f"{entry.terminal} {entry.uplink}" if entry.uplink else entry.terminal


def whoami() -> str:
    """Who gave the command, also through sudo."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _clock(at: datetime, terminal: Terminal | None) -> str:
    return f"{at.astimezone(terminal.zone if terminal else UTC):%Y-%m-%d %H:%M:%S %Z}"
