"""Whether drivers' logs agree with where the trucks were: hours of service (49 CFR 395.8) against GPS. Pure.

A truck that moved was driven by somebody. For each piece of a movement it is asked whether any log on that truck allows
it: driving or on duty, personal use, a yard move at the speed of a yard. If so, all is well, whoever else was asleep
behind. If all logs on it say off duty or asleep, that piece does not match the log of the driver who is likeliest to
have been at the wheel. If there is no log on it at all, or the ELD itself says that nobody was logged in, it is
unassigned driving, which is a list of its own. Nothing is judged before `settle` has passed: logs come late, and
drivers may correct them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from yardlight.feeds.duty import Line
from yardlight.feeds.homes import Homes, by_day
from yardlight.feeds.wheel import Truck, near_to, stints
from yardlight.intervals import Interval, common, minus, seconds, union

# An ELD ends a yard move above 20 mph (49 CFR 395 subpart B, appendix A, 4.3.2.2.2); GPS is allowed a little more.
YARD_SPEED = 25 * 0.44704


@dataclass(frozen=True, slots=True)
class Limits:
    """What is let pass. Seconds, and meters per second.

    `tolerance` is by how much clocks and the ends of log lines may differ from GPS; `least` what a driver's day must
    have to be a case.
    """

    tolerance: float = 300.0
    least: float = 600.0
    settle: float = 48 * 3600.0
    tied: float = 24 * 3600.0
    yard_speed: float = YARD_SPEED


@dataclass(frozen=True, slots=True)
class Movement:
    """A truck moved from `start` to `end` (unix seconds), at most at `speed` (meters per second, None: not told)."""

    truck: str
    start: float
    end: float
    speed: float | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A driver's day on one truck on which it moved while the log says that the driver did not drive."""

    driver: str
    truck: str
    day: date
    times: tuple[Interval, ...]

    @property
    def seconds(self) -> float:
        """How long it moved."""
        return seconds(self.times)


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A truck's day on which it moved and nobody was logged in to it."""

    truck: str
    day: date
    times: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What does not match, what nobody claimed, and until when (unix seconds) movements were judged."""

    mismatches: tuple[Mismatch, ...]
    unassigned: tuple[Unassigned, ...]
    until: float


def judged(
    log: Iterable[Line],
    movements: Iterable[Movement],
    *,
    elsewhere: Collection[str],
    homes: Homes,
    limits: Limits,
    now: float,
    paces: Mapping[str, float] = MappingProxyType({}),
) -> Judged:
    """All movements that ended long enough ago, held against the logs as they stand, in order.

    `elsewhere` are drivers who keep their log on paper or need none (49 CFR 395.1(e), 395.8(a)(1)(iii)): a truck that
    one of them was with is explained. Days begin as `homes` say. `paces` are the seconds that usually lie between two
    words of a truck on the road: two thirds of that are added to what a day must have. What the ELD recorded of nobody
    counts whole.
    """
    until = now - limits.settle
    logs: dict[str, list[Line]] = defaultdict(list)
    since: dict[str, float] = {}
    for line in log:
        logs[line.truck].append(line)
        since[line.driver] = min(line.time[0], since.get(line.driver, line.time[0]))
    moved: dict[str, list[Movement]] = defaultdict(list)
    for movement in movements:
        moved[movement.truck].append(movement)
    blamed: dict[tuple[str, str, date], list[Interval]] = defaultdict(list)
    nobody: dict[tuple[str, date], list[Interval]] = defaultdict(list)
    recorded: set[tuple[str, date]] = set()
    for truck, each in sorted(moved.items()):
        # What followed shows whose it was, and is not judged itself.
        settled = union((movement.start, movement.end) for movement in each if movement.end <= until)
        for piece, driver in _pieces(each, logs.get(truck, []), since, elsewhere, limits, paces.get(truck, 0.0)):
            if minus([piece], settled):
                continue
            for day, part in by_day(piece, homes.driver(driver) if driver else homes.truck(truck)):
                if driver:
                    blamed[driver, truck, day].append(part)
                else:
                    nobody[truck, day].append(part)
                if driver is None:
                    recorded.add((truck, day))
    found = (Mismatch(*key, tuple(union(times))) for key, times in sorted(blamed.items()))
    mismatches = tuple(each for each in found if each.seconds >= limits.least + paces.get(each.truck, 0.0) / 1.5)
    alone = (Unassigned(*key, tuple(union(times))) for key, times in sorted(nobody.items()))
    unassigned = tuple(
        each
        for each in alone
        if (each.truck, each.day) in recorded or seconds(each.times) >= limits.tolerance + paces.get(each.truck, 0.0)
    )
    return Judged(mismatches, unassigned, until)


def _pieces(
    movements: Sequence[Movement],
    log: Sequence[Line],
    since: Mapping[str, float],
    elsewhere: Collection[str],
    limits: Limits,
    pace: float,
) -> Iterable[tuple[Interval, str | None]]:
    """The pieces of the movements of a truck that no line allows, each with the driver, or "" for nobody.

    None is of what the ELD itself recorded of nobody. `since` is when the log of each driver begins, on whatever truck.
    The truck's words lie `pace` seconds apart.
    """
    doubtful: list[Interval] = []
    for movement in _doubtful(movements, log, elsewhere, limits):
        near = near_to(log, (movement.start, movement.end), limits.tolerance)
        allowed = [
            line.time
            for line in near
            if line.driver and (line.driver in elsewhere or _may_move(line, movement, limits))
        ]
        nearly = [(start - limits.tolerance, end + limits.tolerance) for start, end in allowed]
        # What clocks may explain is let pass whole; what they cannot is counted whole.
        rest = [piece for piece in minus([(movement.start, movement.end)], allowed) if minus([piece], nearly)]
        unclaimed = [line.time for line in near if not line.driver]
        for piece in common(rest, unclaimed):
            yield piece, None
        doubtful += minus(rest, unclaimed)
    if not doubtful:
        return
    truck = Truck(
        [line for line in log if line.driver and line.driver not in elsewhere],
        ((movement.start, movement.end) for movement in movements),
        since,
        tolerance=limits.tolerance,
        tied=limits.tied,
        pace=pace,
    )
    for stint in stints(sorted(doubtful), log):
        yield from truck.whose(stint)


def _doubtful(
    movements: Sequence[Movement], log: Sequence[Line], elsewhere: Collection[str], limits: Limits
) -> Iterable[Movement]:
    """Those that are not plainly driven by somebody, which nearly all are; only these need a closer look."""
    plain = union(
        (line.time[0] - limits.tolerance, line.time[1] + limits.tolerance)
        for line in log
        if line.driver and (line.driver in elsewhere or (line.active and line.status != "yard_move"))
    )
    ends = [end for _, end in plain]
    for movement in movements:
        index = bisect_left(ends, movement.end)
        if index == len(plain) or plain[index][0] > movement.start:
            yield movement


def _may_move(line: Line, movement: Movement, limits: Limits) -> bool:
    if line.status == "yard_move":
        return movement.speed is None or movement.speed <= limits.yard_speed
    return line.active
