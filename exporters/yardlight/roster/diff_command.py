"""`yardlight roster diff`: what people and machines read of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from yardlight.errors import StartError
from yardlight.lookback import Source
from yardlight.roster.diff import CHANGES, Change, Difference, differences
from yardlight.roster.known import Known, as_of, gathered, yards
from yardlight.roster.names import masked
from yardlight.things import Kind

# Exit codes: they differ; they do not as far as is known, and a source is old, was not read or never collected.
DIFFERS, UNKNOWN = 3, 4
_TITLES: dict[Change, str] = {
    "moved": "Moved: swap them on the roster, or put them back",
    "unlisted": "At a vendor, not on the roster",
    "unknown": "On the roster, at no vendor",
    "left": "Left",
}
_KINDS: dict[Kind, str] = {"tablet": "tablet", "sim": "SIM", "truck": "truck", "driver": "driver"}


def diff(source: Source, live: bool, numbers: bool, as_json: bool) -> int:
    """Print the roster against what vendors know. Raises `StartError` without a roster."""
    inventory, states = source.choose()
    fleet = inventory.fleet
    if not fleet.roster.trucks:
        raise StartError(f"{inventory.path}: there is no roster: to compare; `yardlight roster draft` makes one")
    known, now = gathered(inventory, states, live), time.time()
    found = differences(fleet.roster, known, yards(inventory))
    if as_json:
        sources = [
            {"source": each.source, "as_of": each.at, "old": each.old(now), "error": each.wrong or None}
            for each in known
        ]
        told = {"fleet": fleet.fleet, "sources": sources, "differences": [_record(each, numbers) for each in found]}
        print(json.dumps(told, indent=2))
    else:
        for line in _lines(found, known, ZoneInfo(fleet.timezone), now, numbers):
            print(line)
    if found:
        return DIFFERS
    return 0 if all(each.at is not None and not each.wrong and not each.old(now) for each in known) else UNKNOWN


def _record(each: Difference, numbers: bool) -> dict[str, object]:
    return {
        "change": each.change,
        "kind": each.kind,
        "truck": each.truck or None,
        "now": each.now or None,
        "text": each.text,
        "sure": each.sure,
        "source": each.source or None,
        "as_of": each.at,
        "number": (each.number if numbers else masked(each.number)) or None,
    }


def _lines(
    found: Sequence[Difference], known: Sequence[Known], zone: ZoneInfo, now: float, numbers: bool
) -> Iterator[str]:
    yield from (as_of(each, now) for each in known)
    for change in CHANGES:
        these = [each for each in found if each.change == change]
        if these:
            yield f"\n{_TITLES[change]}: {len(these)}"
        yield from (f"  {_line(each, zone, numbers)}" for each in these)
    if not found:
        yield "no difference between the roster and what is known"


def _line(each: Difference, zone: ZoneInfo, numbers: bool) -> str:
    whose = f"{each.truck}: " if each.truck else ""
    number = f" [{each.number if numbers else masked(each.number)}]" if each.number else ""
    sure = "" if each.sure else " (by its name only)"
    at = f"; {each.source} as of {datetime.fromtimestamp(each.at, zone):%Y-%m-%d %H:%M %Z}" if each.at else ""
    return f"{whose}{_KINDS[each.kind]}{number}: {each.text}{sure}{at}"
