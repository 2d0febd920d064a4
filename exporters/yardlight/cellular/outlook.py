"""`yardlight usage report`: what of each plan is used, how it ends, what would fit the next cycle, which SIMs idle.

All from what the last collections left in the state file, judged as of now: no platform is asked.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich import box
from rich.console import Console
from rich.table import Table

from yardlight.cellular.cycle import Cycle
from yardlight.cellular.forecast import PROBABILITIES, project, remaining
from yardlight.cellular.history import KEEP_DAYS, Track, ordinal
from yardlight.cellular.plan import resolved
from yardlight.cellular.show import Account, Line, looked_back
from yardlight.cellular.usage import listed
from yardlight.collection import open_memory
from yardlight.errors import StartError
from yardlight.history import History
from yardlight.inventory.models import Fleet
from yardlight.inventory.words import size
from yardlight.lookback import Source

# The day in which figures end is not whole, and days are kept only so long.
MOST_IDLE_DAYS = KEEP_DAYS - 2
# Nobody sells a plan below the first, nor one of 17.34 GB.
_SMALLEST, _STEPS = 1_000_000, (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_HEAD = (
    "plan", "SIMs", "used", "cap", "cycle ends", "by then 10 %", "50 %", "90 %", "cap reached", "fits the next",
    "used most",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A pool, or a SIM that is in none.

    `sims` is how many share it, `counted` of how many of them `used` is the sum (None for a total of the platform's
    own). `next_cap` is what the next cycle needs with a probability of 0.9, as a size in which plans are sold; None
    where too little is known. `biggest` are the SIMs that used most of it.

    Of a pool that is not `whole`, of which some SIMs could not be counted, what is used and comes is at least that.
    """

    kind: Literal["pool", "sim"]
    name: str
    line: Line
    sims: int
    counted: int | None
    next_cap: int | None
    biggest: tuple[tuple[str, int], ...]

    @property
    def whole(self) -> bool:
        return self.counted is None or self.counted >= self.sims


@dataclass(frozen=True)
class Outlook:
    """One source of the inventory. `collected` is when it was complete the last time, None for never.

    `idle` are SIMs without any use in the days that were asked for, `unjudged` those of which not all of these days are
    known; `unlisted` SIMs are not in the roster, and have no names.
    """

    source: str
    account: str
    zone: ZoneInfo
    collected: float | None
    entries: Sequence[Entry] = ()
    idle: Sequence[str] = ()
    unjudged: int = 0
    unlisted: int = 0


def show(source: Source, idle_days: int, as_json: bool) -> int:
    """Print every plan of a fleet. Raises `StartError`, `InventoryError` or `StateError` if there is nothing to see."""
    fleet, states = source.select()
    if not fleet.cellular:
        raise StartError(f"{fleet.fleet} has no part cellular: in its inventory, so nothing is known of its plans")
    with History(states) as history:
        found = list(outlooks(fleet, history, idle_days, time.time()))
    if as_json:
        print(json.dumps({"fleet": fleet.fleet, "sources": [_record(each, idle_days) for each in found]}, indent=2))
    else:
        for each in found:
            _print(each, idle_days)
    return 0


def outlooks(fleet: Fleet, history: History, idle_days: int, now: float) -> Iterator[Outlook]:
    """Every source of the fleet as its last collection left it."""
    for name, section in fleet.cellular.items():
        terms = resolved(fleet, section)
        kept = history.memory(fleet.fleet, f"cellular/{name}")
        if kept is None:
            yield Outlook(name, section.account, ZoneInfo(terms.zone), None)
            continue
        account = looked_back(terms, open_memory(kept[1])["domain"].open(), now)
        judged = {sim: _idle(line.track, idle_days) for sim, line in account.sims.items()}
        yield Outlook(
            name,
            section.account,
            account.zone,
            kept[0],
            sorted(_entries(account), key=lambda entry: (entry.kind == "sim", not entry.line.short, -entry.line.share)),
            [sim for sim, idle in judged.items() if idle],
            sum(idle is None for idle in judged.values()),
            sum(not listed(sim) for sim in account.there),
        )


def _entries(account: Account) -> Iterator[Entry]:
    pooled = {sim for pool in account.pools.values() for sim in pool.members}
    for name, pool in account.pools.items():
        line = account.pool_lines[name]
        needed = _next_cap(account, line, "", name)
        yield Entry("pool", name, line, len(pool.members), pool.counted, needed, tuple(account.biggest(name)))
    for name, line in account.sims.items():
        if name not in pooled:
            yield Entry("sim", name, line, 1, None, _next_cap(account, line, name, ""), ())


def _next_cap(account: Account, line: Line, sim: str, pool: str) -> int | None:
    """What the next cycle needs; what has no end has no next one."""
    fleet, fits = account.learned
    fit, cycle = fits.get(sim or f"/{pool}"), line.cycle
    if fit is None or cycle is None or cycle.end is None:
        return None
    following = account.cycle_at(sim, pool, cycle.end)
    if following is None and cycle.start is not None:
        following = Cycle(cycle.end, 2 * cycle.end - cycle.start)
    if following is None or following.end is None:
        return None
    return sold(project(fit, fleet, 0.0, remaining(cycle.end, following.end, account.zone))[-1])


def sold(count: float) -> int:
    """The smallest size of a plan in which so many bytes fit."""
    count = max(count, _SMALLEST)
    scale = 10.0 ** math.floor(math.log10(count))
    return round(next(step for step in _STEPS if step * scale >= count * (1 - 1e-9)) * scale)


def overage(line: Line) -> tuple[int, ...] | None:
    """How many blocks beyond the cap the cycle takes, by `PROBABILITIES`; None where none are sold, or it is not known.

    The last one that is begun is paid for as a whole.
    """
    plan, ahead = line.plan, line.projection
    if plan.overage_block is None or plan.cap is None or ahead is None or ahead.at_end is None:
        return None
    return tuple(-(-max(0, round(used) - plan.cap) // plan.overage_block) for used in ahead.at_end)


def _idle(track: Track, days: int) -> bool | None:
    """Whether nothing was used in so many days before the figures end; None if one of them is not known."""
    if track.as_of is None:
        return None
    last = ordinal(track.as_of, track.zone)
    used = [track.day(day) for day in range(last - days, last + 1)]
    if any(used):
        return False
    return None if None in used else True


def _record(outlook: Outlook, idle_days: int) -> dict[str, object]:
    """A source for machines: bytes, local times with their offset, None for what is not known."""
    zone = outlook.zone
    return {
        "source": outlook.source,
        "account": outlook.account,
        "collected": _iso(outlook.collected, zone),
        "plans": [_entry_record(entry, zone) for entry in outlook.entries],
        "idle_days": idle_days,
        "idle": list(outlook.idle),
        "idle_not_known": outlook.unjudged,
        "not_in_roster": outlook.unlisted,
    }


def _entry_record(entry: Entry, zone: ZoneInfo) -> dict[str, object]:
    line, cycle, ahead = entry.line, entry.line.cycle, entry.line.projection
    at_end, blocks = ahead.at_end if ahead is not None else None, overage(line)
    return {
        "kind": entry.kind,
        "name": entry.name,
        "plan": line.plan.name or None,
        "sims": entry.sims,
        "sims_counted": entry.counted,
        "used_bytes": line.used,
        "used_since": _iso(line.track.since, zone) if line.used is not None else None,
        "as_of": _iso(line.track.as_of, zone),
        "cap_bytes": line.plan.limit,
        "cycle_start": _iso(cycle.start if cycle else None, zone),
        "cycle_end": _iso(cycle.end if cycle else None, zone),
        "projected_bytes": {f"{p:g}": round(used) for p, used in zip(PROBABILITIES, at_end, strict=True)}
        if at_end is not None
        else None,
        "cap_reached": _iso(ahead.exhausted if ahead else None, zone),
        "overage_blocks": {f"{p:g}": count for p, count in zip(PROBABILITIES, blocks, strict=True)} if blocks else None,
        "next_cap_bytes": entry.next_cap if entry.whole else None,
        "next_cap_at_least_bytes": entry.next_cap,
        "biggest": [{"sim": sim, "used_bytes": used} for sim, used in entry.biggest],
    }


def _iso(at: float | None, zone: ZoneInfo) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")


def _print(outlook: Outlook, idle_days: int) -> None:
    # A pipe has no width: long lines are for grep, never cut.
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 400)
    title = f"{outlook.source} (account {outlook.account})"
    if outlook.collected is None:
        console.print(f"{title}: not collected yet, so nothing is known", soft_wrap=True)
        return
    known = [entry.line.track.as_of for entry in outlook.entries if entry.line.track.as_of is not None]
    until = f"figures until {_clock(max(known), outlook.zone)}" if known else "no figures yet"
    said = f"{title}: collected {_clock(outlook.collected, outlook.zone)}, {until} (times in {outlook.zone})"
    console.print(said, soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in _HEAD:
        table.add_column(heading, no_wrap=heading != "used most")
    for entry in outlook.entries:
        table.add_row(*_cells(entry, outlook.zone))
    if outlook.entries:
        console.print(table)
    console.print(
        "fits the next: the smallest cap in which the next cycle stays with a probability of 90 %", soft_wrap=True
    )
    console.print(
        f"no use for {idle_days} days: {', '.join(outlook.idle) or 'none'}{_not_known(outlook)}", soft_wrap=True
    )
    if outlook.unlisted:
        console.print(f"not in the roster, so not by name: {_sims(outlook.unlisted)}", soft_wrap=True)
    console.print()


def _not_known(outlook: Outlook) -> str:
    return f"; not known of {_sims(outlook.unjudged)}, watched for less" if outlook.unjudged else ""


def _sims(count: int) -> str:
    return "1 SIM" if count == 1 else f"{count} SIMs"


def _cells(entry: Entry, zone: ZoneInfo) -> Iterator[str]:
    line, cycle, ahead = entry.line, entry.line.cycle, entry.line.projection
    yield entry.name
    yield str(entry.sims) if entry.counted in (None, entry.sims) else f"{entry.counted} of {entry.sims}"
    used = "not known" if line.used is None else size(line.used)
    yield used if line.used is None or line.track.since is None else f"{used} since {_clock(line.track.since, zone)}"
    yield "not known" if line.plan.limit is None else size(line.plan.limit)
    yield "-" if cycle is None or cycle.end is None else _clock(cycle.end, zone)
    at_end = ahead.at_end if ahead is not None else None
    yield from map(size, at_end) if at_end is not None else ("-",) * len(PROBABILITIES)
    reached = _reached(line, zone)
    yield "not known" if reached == "no" and not entry.whole else f"{reached}{_bought(line)}"
    yield "-" if entry.next_cap is None else f"{'' if entry.whole else 'more than '}{size(entry.next_cap)}"
    yield ", ".join(f"{sim} {size(used)}" for sim, used in entry.biggest) or "-"


def _reached(line: Line, zone: ZoneInfo) -> str:
    """When the cap is reached, in a few words."""
    limit, ahead = line.plan.limit, line.projection
    if limit is None:
        return "-"
    if line.share >= 1:
        return "already"
    if ahead is None:
        return "not known"
    if ahead.exhausted is not None:
        return _clock(ahead.exhausted, zone)
    if ahead.at_end is None:
        return f"not before {_clock(ahead.until, zone)}"
    return "perhaps" if ahead.at_end[-1] > limit else "no"


def _bought(line: Line) -> str:
    """What is bought beyond the cap, with a probability of a half and of nine tenths that it is no more."""
    blocks, block = overage(line), line.plan.overage_block
    return f", {blocks[1]} to {blocks[2]} x {size(block)} more" if blocks and blocks[2] and block is not None else ""


def _clock(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"
