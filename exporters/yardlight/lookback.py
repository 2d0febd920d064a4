"""Which history a command looks back at: the fleet, its state files, and periods in a terminal's own time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from yardlight.calendars import instant
from yardlight.errors import InventoryError, StartError
from yardlight.intervals import Interval
from yardlight.inventory import words
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.models import Fleet, Terminal
from yardlight.state import state_file

# So far away an instant is told with its year.
_YEAR_TOLD = 180 * 86400.0
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Source:
    """What the command line says about where history is. Without `states` it is where `serve` keeps it."""

    inventory: Path | None
    inventory_dir: Path | None
    fleet: str | None
    states: tuple[Path, ...]

    def select(self) -> tuple[Fleet, tuple[Path, ...]]:
        """The fleet and its state files. Raises `InventoryError`, or `StartError` if there is no such fleet."""
        found, states = self.choose()
        return found.fleet, states

    def choose(self) -> tuple[Inventory, tuple[Path, ...]]:
        """The same with all of the inventory."""
        if self.inventory_dir is not None:
            found = self._of_folder(self.inventory_dir)
        else:
            found = load(self.inventory or Path("fleet.yml"))
        name = found.fleet.fleet
        if self.fleet not in (None, name):
            raise StartError(f"{found.path}: is the fleet {name!r}, not {self.fleet!r}")
        own = state_file(Path("yardlight.db"), name if self.inventory_dir else None)
        return found, self.states or (own,)

    def _of_folder(self, folder: Path) -> Inventory:
        inventories, errors = load_dir(folder)
        names = [inventory.fleet.fleet for inventory in inventories]
        for inventory in inventories:
            if self.fleet == inventory.fleet.fleet or (self.fleet is None and len(inventories) == 1 and not errors):
                return inventory
        if errors:
            raise InventoryError([problem for error in errors for problem in error.problems])
        if self.fleet is None:
            raise StartError(f"{folder}: name one with --fleet; fleets: {', '.join(names)}")
        raise StartError(f"{folder}: there is no fleet {self.fleet!r}; {words.choice(self.fleet, names, 'fleets')}")


def find_terminal(fleet: Fleet, name: str) -> Terminal:
    """The terminal of this name. Raises `StartError` naming those there are."""
    if terminal := fleet.terminals.get(name):
        return terminal
    raise StartError(f"there is no terminal {name!r}; {words.choice(name, fleet.terminals, 'terminals')}")


def find_uplink(terminal: Terminal, name: str) -> str:
    """The name again, if the terminal has this uplink. Raises `StartError` naming those it has."""
    if name in terminal.uplinks:
        return name
    raise StartError(
        f"{terminal.name} has no uplink {name!r}; {words.choice(name, terminal.uplinks, 'uplinks')}",
    )


def moment(text: str, zone: ZoneInfo, *, end: bool = False) -> float:
    """Unix seconds of a local `2026-10-01` (with `end`: of the end of that day) or `2026-10-01T22:00`."""
    try:
        if len(text) == len("2026-10-01"):
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return instant(datetime.combine(day, time.min), zone)
        local = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        local = None
    if local is None or local.tzinfo is not None:
        raise StartError(f"{text!r} is not a day or a local time; write 2026-10-01 or 2026-10-01T22:00")
    return instant(local, zone)


def month(text: str, zone: ZoneInfo) -> Interval:
    """The month `2026-10` in local time, from midnight to midnight. Raises `StartError` for anything else."""
    match = _MONTH.fullmatch(text)
    if not match or not 1971 <= int(match[1]) <= 9998:
        raise StartError(f"{text!r} is not a month; write 2026-10")
    first = date(int(match[1]), int(match[2]), 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return _midnight(first, zone), _midnight(following, zone)


def _midnight(day: date, zone: ZoneInfo) -> float:
    return instant(datetime.combine(day, time.min), zone)


def ago(at: float, now: float) -> str:
    """'1 h 50 min ago', 'in 3 d 4 h', '7 s ago': to the second, which is as exact as somebody cares for."""
    seconds = abs(at - now)
    text = length(seconds) if seconds >= 60 else f"{seconds:.0f} s"
    return f"in {text}" if at > now else f"{text} ago"


def clock(at: float, now: float, zone: ZoneInfo) -> str:
    """'4:12 AM MST' of the same day, else 'Thu Jan 8, 4:12 AM MST'."""
    local, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    day = "" if local.date() == today.date() else f"{local:%a %b} {local.day}, "
    year = f"{local.year}, " if abs(at - now) > _YEAR_TOLD else ""
    return f"{day}{year}{local.hour % 12 or 12}:{local:%M %p %Z}"


def length(seconds: float, error: float | None = None) -> str:
    """'15.2 s ± 0.1', '3 min 10 s', '2 h 5 min', '3 d 4 h': as exact as it was measured and somebody cares."""
    if seconds < 60:
        text = f"{seconds:.1f} s"
        return text if error is None else f"{text} ± {max(error, 0.05):.1f}"
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])
