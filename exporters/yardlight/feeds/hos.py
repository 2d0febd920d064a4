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
from itertools import groupby

from yardlight.feeds.duty import Line
from yardlight.feeds.homes import Homes, by_day
from yardlight.intervals import Interval, common, minus, seconds, union

# An ELD ends a yard move above 20 mph (49 CFR 395 subpart B, appendix A, 4.3.2.2.2); GPS is allowed a little more.
YARD_SPEED = 25 * 0.44704
# Who was active for so long has done a shift, if no rest lay between; and so long after it, others come to the truck.
_A_SHIFT, _REST, _AN_HOUR = 3 * 3600.0, 2 * 3600.0, 3600.0
# More at a stretch than anybody drives who has somebody to take over: 11 hours are allowed (49 CFR 395.3(a)(3)).
_TOO_MUCH = 14 * 3600.0


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
) -> Judged:
    """All movements that ended long enough ago, held against the logs as they stand, in order.

    `elsewhere` are drivers who keep their log on paper or need none (49 CFR 395.1(e), 395.8(a)(1)(iii)): a truck that
    one of them was with is explained. Days begin as `homes` say.
    """
    until = now - limits.settle
    logs: dict[str, list[Line]] = defaultdict(list)
    since: dict[str, float] = {}
    for line in log:
        logs[line.truck].append(line)
        since[line.driver] = min(line.time[0], since.get(line.driver, line.time[0]))
    moved: dict[str, list[Movement]] = defaultdict(list)
    for movement in movements:
        if movement.end <= until:
            moved[movement.truck].append(movement)
    blamed: dict[tuple[str, str, date], list[Interval]] = defaultdict(list)
    nobody: dict[tuple[str, date], list[Interval]] = defaultdict(list)
    for truck, each in sorted(moved.items()):
        for piece, driver in _pieces(each, logs.get(truck, []), since, elsewhere, limits):
            for day, part in by_day(piece, homes.driver(driver) if driver else homes.truck(truck)):
                if driver:
                    blamed[driver, truck, day].append(part)
                else:
                    nobody[truck, day].append(part)
    found = (Mismatch(*key, tuple(union(times))) for key, times in sorted(blamed.items()))
    mismatches = tuple(each for each in found if each.seconds >= limits.least)
    alone = tuple(Unassigned(*key, tuple(union(times))) for key, times in sorted(nobody.items()))
    return Judged(mismatches, alone, until)


def _pieces(
    movements: Sequence[Movement],
    log: Sequence[Line],
    since: Mapping[str, float],
    elsewhere: Collection[str],
    limits: Limits,
) -> Iterable[tuple[Interval, str]]:
    """The pieces of the movements of a truck that no line allows, each with the driver, or without one.

    `since` is when the log of each driver begins, on whatever truck.
    """
    doubtful: list[Interval] = []
    for movement in _doubtful(movements, log, elsewhere, limits):
        near = _near(log, (movement.start, movement.end), limits)
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
            yield piece, ""
        doubtful += minus(rest, unclaimed)
    runs = union((movement.start, movement.end) for movement in movements)
    names = {line.driver for line in log if line.driver}
    (only,) = names if len(names) == 1 and names.isdisjoint(elsewhere) else ("",)
    for stint in _stints(sorted(doubtful), log):
        drivers, sure = _likely(stint, log, runs, limits)
        # Before the log begins it says nothing.
        if sure and since[sure] >= stint[0][0]:
            sure = ""
        # A whole shift of a truck that one driver has is his, however long ago his log ends.
        whole = seconds(stint) >= _A_SHIFT and stint[-1][1] - stint[0][0] <= limits.tied
        for piece in stint:
            near = [line for line in _near(log, piece, limits) if line.driver]
            yield from _whose(piece, drivers, near, sure or (only if whole else ""))


def _near(log: Sequence[Line], span: Interval, limits: Limits) -> list[Line]:
    return [
        line for line in log if line.time[0] - limits.tolerance < span[1] and line.time[1] + limits.tolerance > span[0]
    ]


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


def _stints(pieces: Sequence[Interval], log: Sequence[Line]) -> Iterable[list[Interval]]:
    """Pieces between which nobody was active on the truck: one driver's, as a rule."""
    active = sorted(line.time[0] for line in log if line.driver and line.active)
    for _, stint in groupby(pieces, key=lambda piece: bisect_left(active, piece[0])):
        yield list(stint)


def _likely(
    stint: Sequence[Interval], log: Sequence[Line], runs: Sequence[Interval], limits: Limits
) -> tuple[list[str], str]:
    """The drivers of a truck, from the one who is likeliest to have driven all this; and who has, if that is certain.

    Nobody changes places in a truck that moves: who was at the wheel when it began, or is when it ends, drove it,
    unless that would be too much for anybody. Else it is who was at the wheel until shortly before, or changed the
    status where it stopped; else who was active last. But of a team who has done a shift goes to the sleeper berth, and
    the other drives; after an hour, so may whoever had the truck before.
    """
    begin, end = stint[0][0], stint[-1][1]
    names = {line.driver for piece in stint for line in _near(log, piece, limits) if line.driver}
    active = [line for line in log if line.driver in names and line.active]
    last = dict.fromkeys(names, float("-inf")) | {line.driver: line.time[1] for line in active if line.time[0] < begin}
    order = sorted(names, key=lambda name: (last[name], name), reverse=True)
    after = [
        line for line in active if abs(line.time[0] - end) <= limits.tolerance and _between(runs, end, line.time[0])
    ]
    sure = after[0].driver if after else ""
    if len(order) < 2:
        return order, sure
    if sure:
        return sorted(order, key=lambda name: name != sure), sure
    driving = [line for line in active if line.status != "on_duty" and line.time[0] < begin]
    wheel = max(driving, key=lambda line: line.time[1], default=None)
    latest = order[0]
    done = _shift([line.time for line in active if line.driver == latest and line.time[0] < begin])
    if (
        wheel is not None
        and wheel.time[1] + limits.tolerance >= begin
        and (wheel.driver != latest or done + seconds(stint) <= _TOO_MUCH)
    ):
        return sorted(order, key=lambda name: name != wheel.driver), ""
    up = [
        line.driver
        for line in log
        if line.driver in names and line.status != "sleeper" and abs(line.time[0] - end) <= limits.tolerance
    ]
    if up:
        return sorted(order, key=lambda name: name != up[0]), ""
    if done < _A_SHIFT:
        return order, ""
    asleep = {line.driver for line in log if line.status == "sleeper" and line.time[0] <= begin < line.time[1]}
    alone = begin - last[latest] >= _AN_HOUR
    return sorted(order, key=lambda name: name == latest or not (alone or name in asleep)), ""


def _between(runs: Sequence[Interval], one: float, other: float) -> bool:
    """Whether the truck moved on from one instant to the other."""
    start, end = sorted((one, other))
    return any(run[0] < start and end < run[1] for run in runs)


def _shift(times: Sequence[Interval]) -> float:
    """For how long somebody was active at last, without a rest between."""
    total, since = 0.0, float("inf")
    for start, end in reversed(union(times)):
        if since - end >= _REST and total:
            break
        total, since = total + end - start, start
    return total


def _whose(
    piece: Interval, drivers: Sequence[str], near: Sequence[Line], otherwise: str
) -> Iterable[tuple[Interval, str]]:
    """Whom a piece is held against: of those with the truck, the first of these drivers; else `otherwise`."""
    rest = [piece]
    for driver in drivers:
        times = [line.time for line in near if line.driver == driver]
        for part in common(rest, times):
            yield part, driver
        rest = minus(rest, times)
    for part in rest:
        yield part, otherwise
