"""When trucks moved and when they stood, from each word of theirs to the next one. Pure: the clock is given.

A stretch of time of which nothing is known is in none of the lists: it is never taken for standing. What the position
feeds note of the last hours is taken over by a join, which keeps it for days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from yardlight.feeds.extract import number_of
from yardlight.feeds.hos import YARD_SPEED, Movement
from yardlight.feeds.memory import Seen, Stretches
from yardlight.feeds.record import Record
from yardlight.intervals import Interval, common, minus, seconds, union, within

# `road` and `yard` are moving faster than a yard move may be, and no faster; `moved` is at a speed that is not told.
# In a stretch of `lost` a truck moved at some time, and nobody knows when.
Kind = Literal["road", "yard", "moved", "stood", "lost"]
MOVING: tuple[Kind, ...] = ("road", "yard", "moved")
# An ELD takes a truck to be in motion at 5 mph at the latest (49 CFR 395 subpart B, appendix A, 4.3.1.2); GPS at rest
# shows less.
_IN_MOTION = 5 * 0.44704
# So many times as far apart as they usually are two words may be for a truck to have moved from one to the other, and
# at least and at most so many seconds. What may lie between two words is no case of its own (`hos.judged`).
_HOLDS, _HOLDS_LEAST, _HOLDS_MOST = 2.5, 240.0, 1050.0
# By so much what is usual changes with each word.
_LEARNS = 1.1
# When a truck stopped that stands by its next word is not known: it is taken to have moved on for so long. That is less
# than `_LEAST`, so that one position which jumped is no movement.
_COASTS = 110.0
# Trackers of parked trucks speak once in a while; so long nobody has to prove that it stood.
_PARKED = 4 * 3600.0
# By how much an odometer may differ while a truck stands, as a share: a mile in a hundred thousand.
_SAME = 1e-5
# So long what a feed noted is left for the join, which looks every few minutes.
_LEFT_FOR = 6 * 3600.0
# Less is a truck that is put into another place, or GPS.
_LEAST = 120.0


def paced(pace: float | None, length: float) -> float:
    """How many seconds usually lie between two words of a truck on the road, once these did: about their median."""
    known = length if pace is None else pace * _LEARNS if length > pace else pace / _LEARNS
    return min(known, _HOLDS_MOST)


def note(record: Record, before: Seen, there: Stretches, now: float, pace: float | None = None) -> None:
    """Put down what happened between what was last told of a truck and this newer record of it.

    `pace` is what `paced` made of the words before.
    """
    if not isinstance(record.time, float):
        return
    for kind, start, end in _between(record, before, record.time, pace):
        if start < min(end, now):
            there[kind] = union([*there.get(kind, ()), (start, min(end, now))])


def _between(record: Record, before: Seen, at: float, pace: float | None) -> Iterator[tuple[Kind, float, float]]:
    last, moved, moves = before.last, _in_motion(before.moving, before.speed), _in_motion(record.moving, record.speed)
    holds = _HOLDS_MOST if pace is None else min(max(_HOLDS * pace, _HOLDS_LEAST), _HOLDS_MOST)
    # Who creeps in a queue is not parked.
    rests = _PARKED if before.moving is False else holds
    if moved and at - last <= holds:
        if moves is False:
            yield _kind(before.speed), last, min(at, last + _COASTS)
        else:
            # How fast it was in the middle, the nearer word tells.
            middle = (last + at) / 2 if moves else at
            yield _kind(before.speed), last, middle
            yield _kind(record.speed), middle, at
        return
    stayed = _stayed(number_of(record.values.get("odometer")), before.values.get("odometer"))
    if stayed is not None:
        yield "stood" if stayed else "lost", last, at
    elif moved is False and (at - last <= rests or (before.engine is False and record.engine is False)):
        yield "stood", last, at


def _in_motion(moving: bool | None, speed: float | None) -> bool | None:
    return moving if moving is None or speed is None else moving and speed >= _IN_MOTION


def _kind(speed: float | None) -> Kind:
    return "moved" if speed is None else "yard" if speed <= YARD_SPEED else "road"


def _stayed(odometer: float | None, before: float | None) -> bool | None:
    """Whether an odometer shows the same as before, in whatever unit."""
    if odometer is None or before is None:
        return None
    return abs(odometer - before) <= _SAME * abs(before)


def fresh(motion: Mapping[str, Stretches], now: float) -> dict[str, Stretches]:
    """What is young enough to be left for the join."""
    cut = {truck: since(there, now - _LEFT_FOR) for truck, there in motion.items()}
    return {truck: there for truck, there in cut.items() if there}


def since(there: Stretches, begin: float) -> Stretches:
    """The part from `begin` on."""
    cut = {kind: within(times, (begin, float("inf"))) for kind, times in there.items()}
    return {kind: times for kind, times in cut.items() if times}


def absorbed(kept: Mapping[str, Stretches], told: Iterable[Mapping[str, Stretches]]) -> dict[str, Stretches]:
    """What was kept, with what feeds tell."""
    found = {truck: dict(there) for truck, there in kept.items()}
    for motion in told:
        for truck, there in motion.items():
            mine = found.setdefault(truck, {})
            for kind, times in there.items():
                mine[kind] = union([*mine.get(kind, ()), *times])
    return found


def movements(motion: Mapping[str, Stretches]) -> Iterator[Movement]:
    """Each movement of each truck; of two feeds that differ on its speed the faster counts."""
    for truck, there in motion.items():
        runs = [
            run for run in union(each for kind in MOVING for each in there.get(kind, ())) if seconds([run]) >= _LEAST
        ]
        road = there.get("road", [])
        yard = minus(there.get("yard", []), road)
        moved = minus(there.get("moved", []), [*road, *yard])
        for times, speed in ((road, float("inf")), (yard, 0.0), (moved, None)):
            for start, end in common(times, runs):
                yield Movement(truck, start, end, speed)


def moved_within(there: Stretches, span: Interval) -> bool | None:
    """Whether a truck moved in this time; None where nobody knows."""
    moving = union(each for kind in MOVING for each in within(there.get(kind, ()), span))
    if seconds(moving) >= _LEAST or any(start >= span[0] and end <= span[1] for start, end in there.get("lost", ())):
        return True
    known = [*moving, *within(there.get("stood", ()), span)]
    return None if minus([span], known) else False
