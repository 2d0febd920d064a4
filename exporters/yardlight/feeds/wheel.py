"""Who was at the wheel of a truck that moved while all logs on it say that nobody was. Pure.

What is judged is a stint: pieces of movement between which nobody was active on the truck, one driver's as a rule. In
this order it was driven by

1. who is at the wheel when it ends, or was when it began, if the truck did not stop: nobody changes places on the way,
   unless it would be more than anybody drives;
2. of a team, who was not in the sleeper berth while somebody was;
3. of a whole shift of others, who usually has the truck at that time of day, or whose turn that day was;
4. of less than a shift of others, who was active on it by far the sooner before or after;
5. who was at the wheel right before;
6. who changed the status where it stopped, and was awake therefore;
7. who was active last; but who has driven for about as long as usual goes to sleep, and the mate drives, or whoever had
   the truck before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import median

from yardlight.feeds.duty import Line
from yardlight.intervals import Interval, common, minus, seconds, union, within

_DAY = 86400.0
# All of a shift is missing where a truck moved for so long; and so long after one, others come to the truck.
_A_SHIFT, _AN_HOUR = 3 * 3600.0, 3600.0
# A truck that stands for so long has somebody's night between.
_REST = 6 * 3600.0
# In a shorter stop, as at a light, nobody changes places.
_A_STOP = 150.0
# More driving than anybody does who has somebody to take over: 11 hours are allowed (49 CFR 395.3(a)(3)).
_TOO_MUCH = 12 * 3600.0
# For so long nobody drives a truck to its driver, who logs in so soon after.
_A_DRIVE, _SOON = 1800.0, 900.0
# So many times as much as anybody else somebody has the truck at a time of day who usually does.
_USUALLY = 2.0
# Drivers follow each other by a habit that shows in so many changes, nearly always in the same way.
_A_HABIT, _NEARLY = 3, 0.75
# That part of the usual is about as long as usual.
_ABOUT = 0.75
# By which somebody leaves the wheel or takes it over, and does not say that he was there.
_RELIEVED = ("sleeper", "driving")
# Statuses that change together say nothing of who was awake.
_TOGETHER = 120.0


def stints(pieces: Sequence[Interval], log: Sequence[Line]) -> Iterable[list[Interval]]:
    """Pieces in order, in groups between which somebody was active on the truck, or it stood for a night."""
    active = sorted(line.time[0] for line in log if line.driver and line.active)
    for _, between in groupby(pieces, key=lambda piece: bisect_left(active, piece[0])):
        stint: list[Interval] = []
        for piece in between:
            if stint and piece[0] - stint[-1][1] >= _REST:
                yield stint
                stint = []
            stint.append(piece)
        yield stint


def near_to(log: Iterable[Line], span: Interval, tolerance: float) -> list[Line]:
    """The lines of this time, or of so many seconds before or after it."""
    return [line for line in log if line.time[0] - tolerance < span[1] and line.time[1] + tolerance > span[0]]


class Truck:
    """A truck: the log of all drivers on it who keep one, when it `moved`, and `since` when each of them keeps it.

    Clocks may differ by `tolerance`, and for `tied` seconds somebody answers for a truck. Its words of the road lie
    `pace` seconds apart, so by that much later it may have stopped.
    """

    def __init__(
        self,
        log: Sequence[Line],
        moved: Iterable[Interval],
        since: Mapping[str, float],
        *,
        tolerance: float,
        tied: float,
        pace: float,
    ) -> None:
        self._log, self._since = log, since
        self._tolerance, self._tied, self._pace = tolerance, tied, pace
        self._active = [line for line in log if line.active]
        self._mates = _teams(log)
        self._rows = list(_rows(self._active))
        self._stint = median(map(_driven, self._rows)) if self._rows else 0.0
        self._runs = union((start, end + _A_STOP) for start, end in moved)

    def whose(self, stint: Sequence[Interval]) -> Iterable[tuple[Interval, str]]:
        """The pieces of a stint, each with the driver; without one where nobody had anything to do with the truck."""
        tolerance = self._tolerance
        near_by = {line.driver for piece in stint for line in near_to(self._log, piece, tolerance)}
        names = near_by.union(*(self._mates.get(name, ()) for name in near_by))
        owner = (
            self._drove_on(stint, names)
            or self._awake(stint, names)
            or self._usual(stint)
            or self._next_to(stint, names)
        )
        # Before a log begins it says nothing.
        if owner and self._since[owner] < stint[0][0]:
            for piece in stint:
                yield piece, owner
            return
        order = self._order(stint, names)
        for piece in stint:
            near = near_to(self._log, piece, tolerance)
            rest = [piece]
            for driver in order:
                times = [line.time for line in near if line.driver == driver]
                for part in common(rest, times):
                    yield part, driver
                rest = minus(rest, times)
            for part in rest:
                yield part, ""

    def _drove_on(self, stint: Sequence[Interval], names: set[str]) -> str:
        """Who began to drive by the log when it had been going on already, or drove on when the log had ended."""
        begin, end, tolerance = stint[0][0], stint[-1][1], self._tolerance
        drives = [line for line in self._active if line.driver in names]
        alone = len(names) == 1
        for line in drives:
            later = line.time[0] - end
            if alone and seconds(stint) >= _A_DRIVE and -tolerance <= later <= _SOON + self._pace:
                return line.driver
            if -tolerance <= later <= tolerance + self._pace and self._rolled(end, line.time[0]):
                after = _driven(next(_rows(each for each in self._active if each.time[0] >= line.time[0]), ()))
                if alone or seconds(stint) + after <= _TOO_MUCH:
                    return line.driver
        for line in drives:
            until = line.time[1]
            if line.status == "driving" and abs(until - begin) <= tolerance and self._rolled(until, begin):
                before = _driven(next(_rows(each for each in reversed(self._active) if each.time[0] < begin), ()))
                if alone or seconds(stint) + before <= _TOO_MUCH:
                    return line.driver
        return ""

    def _rolled(self, one: float, other: float) -> bool:
        """Whether the truck moved on from one instant to the other, but for a stop as at a light."""
        first, last = sorted((one, other))
        return any(start < first and last < until - _A_STOP for start, until in self._runs)

    def _usual(self, stint: Sequence[Interval]) -> str:
        """Who has the truck at this time of day by far the most, where all of a shift is missing; or always."""
        begin, end = stint[0][0], stint[-1][1]
        if self._mates or seconds(stint) < _A_SHIFT or end - begin > self._tied:
            return ""
        habit = dict.fromkeys((line.driver for line in self._log), 0.0)
        for line in self._active:
            start, until = line.time
            days = round((begin + end - start - until) / 2 / _DAY) * _DAY
            habit[line.driver] += max(0.0, min(end, until + days) - max(begin, start + days))
        first, *others = sorted(habit, key=lambda name: (habit[name], name), reverse=True) or [""]
        clear = all(habit[first] > _USUALLY * habit[name] for name in others)
        return first if clear else self._followed([row[0].driver for row in self._rows if row[0].time[0] < begin])

    def _followed(self, before: Sequence[str]) -> str:
        """Who follows, shift by shift, if nearly always the other one of two does, or nearly always the same one."""
        changed = [one != other for one, other in pairwise(row[0].driver for row in self._rows)]
        names = set(before)
        if len(changed) < _A_HABIT or len(names) != 2:
            return ""
        share = sum(changed) / len(changed)
        latest = before[-1]
        return (names - {latest}).pop() if share >= _NEARLY else latest if share <= 1 - _NEARLY else ""

    def _awake(self, stint: Sequence[Interval], names: set[str]) -> str:
        """The one of a team who was not in the sleeper berth while another one was."""
        team = names & self._mates.keys()
        asleep = {name for name in team if _half(stint, (line for line in self._log if line.driver == name))}
        up = team - asleep
        return up.pop() if asleep and len(up) == 1 else ""

    def _next_to(self, stint: Sequence[Interval], names: set[str]) -> str:
        """Of those who share a truck, and are no team, who was active on it by far the sooner before or after.

        Not of a whole shift, at the end of which somebody else takes over.
        """
        begin, end = stint[0][0], stint[-1][1]
        if self._mates or seconds(stint) >= _A_SHIFT or len({line.driver for line in self._active}) < 2:
            return ""
        nearest: dict[str, float] = {}
        for line in self._active:
            gap = max(0.0, begin - line.time[1] if line.time[0] < begin else line.time[0] - end)
            nearest[line.driver] = min(gap, nearest.get(line.driver, gap))
        first, *others = sorted(nearest, key=lambda name: (nearest[name], name))
        far = min((nearest[name] for name in others), default=float("inf"))
        close = nearest[first] <= (_REST if first in names else _AN_HOUR)
        return first if close and nearest[first] * _USUALLY <= far else ""

    def _order(self, stint: Sequence[Interval], names: set[str]) -> list[str]:
        """Those who were with the truck, from the likeliest on."""
        begin, end, tolerance = stint[0][0], stint[-1][1], self._tolerance
        before = [line for line in self._active if line.driver in names and line.time[0] < begin]
        last = dict.fromkeys(names, float("-inf")) | {line.driver: line.time[1] for line in before}
        order = sorted(names, key=lambda name: (last[name], name), reverse=True)
        if len(order) < 2:
            return order
        done = _driven(next(_rows(reversed(before)), ()))
        driving = [line for line in before if line.status != "on_duty"]
        wheel = max(driving, key=lambda line: line.time[1], default=None)
        if wheel is not None and wheel.time[1] + tolerance >= begin and done + seconds(stint) <= _TOO_MUCH:
            return sorted(order, key=lambda name: name != wheel.driver)
        up = [
            line
            for line in self._log
            if line.driver in names
            and line.status not in _RELIEVED
            and -tolerance <= line.time[0] - end <= tolerance + self._pace
        ]
        if up and not any(line.driver != up[0].driver and line.time[0] - up[0].time[0] <= _TOGETHER for line in up[1:]):
            return sorted(order, key=lambda name: name != up[0].driver)
        if done < _ABOUT * self._stint and done + seconds(stint) <= _TOO_MUCH:
            return order
        latest = order[0]
        asleep = {
            line.driver for line in self._log if line.status == "sleeper" and line.time[0] <= begin < line.time[1]
        }
        alone = begin - last[latest] >= _AN_HOUR
        return sorted(order, key=lambda name: name == latest or not (alone or name in asleep))


def _teams(log: Sequence[Line]) -> dict[str, set[str]]:
    """Who sleeps in the truck while who is active on it."""
    mates: dict[str, set[str]] = defaultdict(set)
    names = {line.driver for line in log}
    for name in names if len(names) > 1 else ():
        berth = union(line.time for line in log if line.driver == name and line.status == "sleeper")
        for line in log:
            if line.driver != name and line.status == "driving" and within(berth, line.time):
                mates[name].add(line.driver)
                mates[line.driver].add(name)
    return mates


def _rows(active: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines in a row of one driver, without a rest."""
    row: list[Line] = []
    for line in active:
        if row and (line.driver != row[-1].driver or _apart(line.time, row[-1].time) >= _REST):
            yield row
            row = []
        row.append(line)
    if row:
        yield row


def _driven(row: Iterable[Line]) -> float:
    return sum(line.time[1] - line.time[0] for line in row if line.status == "driving")


def _apart(one: Interval, other: Interval) -> float:
    return max(one[0], other[0]) - min(one[1], other[1])


def _half(stint: Sequence[Interval], log: Iterable[Line]) -> bool:
    """Whether somebody was in the sleeper berth for most of a stint."""
    berth = [line.time for line in log if line.status == "sleeper"]
    return seconds(common(stint, berth)) > seconds(stint) / 2
