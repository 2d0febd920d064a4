"""Who was at the wheel of a truck that moved while all logs on it say that nobody was. Pure.

What is judged is a stint: pieces of movement between which nobody was active on the truck, one driver's as a rule. In
this order it was driven by

1. who is at the wheel when it ends, or was when it began, and the truck did not stop: nobody changes places on the way;
2. of a whole shift, who usually has the truck at that time of day;
3. who changed the status where it stopped, and was awake therefore;
4. who was active last; but who has done a shift goes to sleep, and the mate drives, or whoever had the truck before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from yardlight.feeds.duty import Line
from yardlight.intervals import Interval, common, minus, seconds, union

_DAY = 86400.0
# Who was active for so long has done a shift, if no rest lay between; and so long after it, others come to the truck.
_A_SHIFT, _REST, _AN_HOUR = 3 * 3600.0, 2 * 3600.0, 3600.0
# In a shorter stop, as at a light, nobody changes places.
_A_STOP = 150.0
# More at a stretch than anybody drives who has somebody to take over: 11 hours are allowed (49 CFR 395.3(a)(3)).
_TOO_MUCH = 14 * 3600.0
# So many times as much as anybody else somebody has the truck at a time of day who usually does.
_USUALLY = 2.0


class Limits(Protocol):
    """By how much clocks may differ, and for how long somebody answers for a truck, in seconds."""

    @property
    def tolerance(self) -> float: ...
    @property
    def tied(self) -> float: ...


class Moved(Protocol):
    """When a truck moved, in unix seconds."""

    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def near_to(log: Iterable[Line], span: Interval, tolerance: float) -> list[Line]:
    """The lines of this time, or of so many seconds before or after it."""
    return [line for line in log if line.time[0] - tolerance < span[1] and line.time[1] + tolerance > span[0]]


class Truck:
    """A truck: the log of all drivers on it who keep one, when it moved, and since when each of them keeps it.

    Its words of the road lie `pace` seconds apart, so by that much later it may have stopped.
    """

    def __init__(
        self, log: Sequence[Line], moved: Iterable[Moved], since: Mapping[str, float], limits: Limits, pace: float
    ) -> None:
        self._log, self._since, self._limits, self._pace = log, since, limits, pace
        self._active = [line for line in log if line.active]
        self._runs = union((each.start, each.end + _A_STOP) for each in moved)

    def whose(self, stint: Sequence[Interval]) -> Iterable[tuple[Interval, str]]:
        """The pieces of a stint, each with the driver; without one where nobody had anything to do with the truck."""
        tolerance = self._limits.tolerance
        names = {line.driver for piece in stint for line in near_to(self._log, piece, tolerance)}
        owner = self._drove_on(stint, names) or self._usual(stint)
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
        """Who began to drive by the log when it had been going on already."""
        end = stint[-1][1]
        for line in self._active:
            if line.driver in names and abs(line.time[0] - end) <= self._limits.tolerance:
                first, last = sorted((end, line.time[0]))
                if any(start < first and last < until - _A_STOP for start, until in self._runs):
                    return line.driver
        return ""

    def _usual(self, stint: Sequence[Interval]) -> str:
        """Who has the truck at this time of day by far the most, where all of a shift is missing; or always."""
        begin, end = stint[0][0], stint[-1][1]
        if seconds(stint) < _A_SHIFT or end - begin > self._limits.tied:
            return ""
        habit = dict.fromkeys((line.driver for line in self._log), 0.0)
        for line in self._active:
            start, until = line.time
            days = round((begin + end - start - until) / 2 / _DAY) * _DAY
            habit[line.driver] += max(0.0, min(end, until + days) - max(begin, start + days))
        first, *others = sorted(habit, key=lambda name: (habit[name], name), reverse=True) or [""]
        return first if all(habit[first] > _USUALLY * habit[name] for name in others) else ""

    def _order(self, stint: Sequence[Interval], names: set[str]) -> list[str]:
        """Those who were with the truck, from the likeliest on."""
        begin, end = stint[0][0], stint[-1][1]
        last = dict.fromkeys(names, float("-inf")) | {
            line.driver: line.time[1] for line in self._active if line.driver in names and line.time[0] < begin
        }
        order = sorted(names, key=lambda name: (last[name], name), reverse=True)
        if len(order) < 2:
            return order
        latest = order[0]
        done = _shift([line.time for line in self._active if line.driver == latest and line.time[0] < begin])
        driving = [line for line in self._active if line.status != "on_duty" and line.time[0] < begin]
        wheel = max(driving, key=lambda line: line.time[1], default=None)
        can = wheel is not None and (wheel.driver != latest or done + seconds(stint) <= _TOO_MUCH)
        if wheel is not None and can and wheel.driver in names and wheel.time[1] + self._limits.tolerance >= begin:
            return sorted(order, key=lambda name: name != wheel.driver)
        for line in self._log:
            awake = line.driver in names and line.status != "sleeper"
            if awake and -self._limits.tolerance <= line.time[0] - end <= self._limits.tolerance + self._pace:
                return sorted(order, key=lambda name: name != line.driver)
        if done < _A_SHIFT:
            return order
        asleep = {
            line.driver for line in self._log if line.status == "sleeper" and line.time[0] <= begin < line.time[1]
        }
        alone = begin - last[latest] >= _AN_HOUR
        return sorted(order, key=lambda name: name == latest or not (alone or name in asleep))


def _shift(times: Sequence[Interval]) -> float:
    """For how long somebody was active at last, without a rest between."""
    total, since = 0.0, float("inf")
    for start, end in reversed(union(times)):
        if since - end >= _REST and total:
            break
        total, since = total + end - start, start
    return total
