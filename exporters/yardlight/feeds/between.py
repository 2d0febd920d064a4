"""What an answer is beside those before it: the same under other times, older, from the future, with trucks missing.

Pure: the clock is given. Each kind is a fact about two or more answers; whether anybody is told is for the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from yardlight.feeds.freshness import Answer
from yardlight.feeds.memory import Memory
from yardlight.feeds.record import About

# Times of an answer that is put together while trucks report differ by so much.
_JITTER = 60.0
# So many collections in a row make a habit of what one may be by chance.
_STUCK_AFTER = 3
_REPEATED_AFTER = 3
# Trucks come and go one by one; a tenth of them at once does not.
_VANISHED_SHARE, _VANISHED_LEAST, _MISSED_FOR = 0.1, 3, 86400.0
# How fast it is learned what share of records usually says something new, and from where on silence about it counts.
_LEARNS, _LIVELY = 0.2, 0.5
# An hour with fewer than a fifth of the records that the quietest of the same hours had, where these had enough.
_FEW, _ENOUGH, _WEEKS, _WEEKS_KEPT = 0.2, 20.0, 3, 6
_HOUR, _HOUR_SEEN = 3600.0, 600.0


def anomalies(
    answer: Answer, about: About, memory: Memory, adds_up: bool, by_truck: bool, now: float
) -> dict[str, bool]:
    """Each kind and whether it is so. `memory` is that of the answers before, with this one's records noted."""
    nothing = not answer.marks
    dated = len(answer.dated) + answer.future
    memory.repeated = 0 if answer.new or nothing else memory.repeated + 1
    newest, highest = memory.newest, memory.highest
    return {
        "empty": nothing and not adds_up and memory.highest is not None,
        "cursor_stuck": about.stuck >= _STUCK_AFTER,
        "backwards": newest is not None and highest is not None and newest < highest - _JITTER,
        "future": dated > 0 and answer.future * 2 >= dated,
        "vanished": by_truck and not adds_up and not nothing and _vanished(memory, now),
        "repeated": memory.repeated >= _REPEATED_AFTER,
    }


def unchanged(fresh: Sequence[bool], memory: Memory) -> None:
    """Note since when nothing new is said: `fresh` is, of each record with a new time, whether it says anything else.

    A load on its way says the same for hours, a position never does. So it means something only where half of the
    records usually say something new. Records of trucks that stand are left out.
    """
    if any(fresh):
        memory.unchanged_since = None
    elif fresh and memory.unchanged_since is None and memory.lively >= _LIVELY:
        memory.unchanged_since = memory.highest
    if fresh and memory.unchanged_since is None:
        memory.lively += _LEARNS * (sum(fresh) / len(fresh) - memory.lively)


def _vanished(memory: Memory, now: float) -> bool:
    listed = [each.listed for each in memory.seen.values() if now - each.listed < _MISSED_FOR]
    gone = sum(at < now for at in listed)
    return gone >= _VANISHED_LEAST and gone >= _VANISHED_SHARE * len(listed)


def few(new: int, memory: Memory, zone: ZoneInfo, expected: bool, now: float) -> bool:
    """Whether the last whole hour had far fewer new records than the same hour of each of the weeks before.

    Hours in which nothing is expected, or that were not watched from end to end, are neither judged nor learned.
    """
    running = memory.hours.get("running")
    start = now // _HOUR * _HOUR
    if running is None or running[0] != start:
        # When it began, the records so far, when it was first and last looked at, whether the hour before had few.
        low = _judged(running, memory, zone) if running is not None and start - running[0] == _HOUR else False
        running = memory.hours["running"] = [start, 0.0, now, now, float(low)]
    running[1] += new
    running[3] = now
    if not expected:
        running[2] = start + _HOUR
    return bool(running[4])


def _judged(running: list[float], memory: Memory, zone: ZoneInfo) -> bool:
    start, count, first, last, _ = running
    if first - start > _HOUR_SEEN or start + _HOUR - last > _HOUR_SEEN:
        return False
    local = datetime.fromtimestamp(start, zone)
    weeks = memory.hours.setdefault(f"{local.weekday()}-{local.hour}", [])
    low = len(weeks) >= _WEEKS and median(weeks) >= _ENOUGH and count < _FEW * min(weeks)
    if not low:
        memory.hours[f"{local.weekday()}-{local.hour}"] = [*weeks, count][-_WEEKS_KEPT:]
    return low
