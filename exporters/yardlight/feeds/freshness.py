"""How new the records of an answer are. Pure: the clock is given.

A truck whose clock is wrong tells of the future, or of years ago; neither says how new the feed is.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.feeds.memory import Memory, instants
from yardlight.feeds.record import Record
from yardlight.moment import moment

# Clocks that differ by less are told by nobody.
FUTURE = 300.0
# How long ago trucks were last told of, in seconds, as it is counted: a missed position up to three days.
AGES = (300.0, 900.0, 3600.0, 14400.0, 86400.0, 259200.0)
# How times begin that are texts; and how far from a record's own time another one of it belongs to the same moment.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]|\d{10}")
_AROUND = 900.0
_UTC = ZoneInfo("UTC")
# Marks of more records than this are not kept: what repeats is counted for people, nothing hangs on it.
_MARKS = 20_000


@dataclass(frozen=True)
class Answer:
    """The records of an answer by how their times stand to now: `dated` ones can be true, and lie in no future."""

    dated: list[Record]
    others: list[Record]
    new: int
    known: int
    future: int
    undated: int
    marks: list[str]

    @property
    def newest(self) -> float | None:
        return max(instants(each.time for each in self.dated), default=None)

    @property
    def received(self) -> float | None:
        return max(instants(each.received for each in self.dated), default=None)


def sorted_out(records: Sequence[Record], before: Memory, now: float) -> Answer:
    """The answer, compared with those before."""
    known, marks = set(before.marks), [_mark(each) for each in records]
    dated = [each for each in records if isinstance(each.time, float) and each.time <= now + FUTURE]
    others = [each for each in records if not isinstance(each.time, float) or each.time > now + FUTURE]
    future = sum(isinstance(each.time, float) for each in others)
    repeated = sum(mark in known for mark in marks)
    return Answer(
        dated=dated,
        others=others,
        new=len(records) - repeated,
        known=repeated,
        future=future,
        undated=len(others) - future,
        marks=marks[:_MARKS],
    )


def newest(answer: Answer, before: Memory, adds_up: bool, now: float) -> float | None:
    """When the newest record happened that people see now; what came without one changes nothing."""
    here = answer.newest
    if here is None:
        return before.newest
    here = min(here, now)
    return max(here, before.newest) if adds_up and before.newest is not None else here


def older_than(moments: Sequence[float], now: float) -> dict[float, int]:
    """How many of these are at least so many seconds ago, for each of `AGES`."""
    ordered = sorted(moments)
    return {age: bisect_right(ordered, now - age) for age in AGES}


def digest(record: Record) -> str:
    """What a record says besides its times, in a few letters."""
    return _short(json.dumps([_without_times(record.raw, record), record.moving], sort_keys=True, default=str))


def _without_times(raw: Any, record: Record) -> Any:
    """Without its time and what moves with it; when an arrival is expected, hours later, says something."""
    if isinstance(raw, dict):
        told = {key: value for key, value in raw.items() if key != "parent" and not _is_time(value, record)}
        return {key: _without_times(value, record) for key, value in told.items()}
    return [_without_times(each, record) for each in raw] if isinstance(raw, list) else raw


def _is_time(value: Any, record: Record) -> bool:
    if value == record.stamp:
        return True
    if not isinstance(value, str | float | int) or (isinstance(value, str) and not _TIME.match(value)):
        return False
    found = moment(value, _UTC)
    return isinstance(found, float) and isinstance(record.time, float) and abs(found - record.time) < _AROUND


def _mark(record: Record) -> str:
    return _short(f"{record.id} {record.time}")


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
