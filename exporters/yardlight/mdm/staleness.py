"""How a device stands, from its last word and the hours in which one was expected. Pure: the clock is given.

Silence is counted in hours of duty: a tablet that is off from Friday evening to Monday morning was silent for two hours
on Friday. Everything is judged as of the collection, so that an MDM that cannot be read makes nobody look silent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Literal
from zoneinfo import ZoneInfo

from yardlight.calendars import windows
from yardlight.inventory.models import Calendar
from yardlight.moment import NEVER, Moment

State = Literal["fresh", "stale", "dark", "never", "gone_from_mdm", "expected_silent", "unknown"]
STATES: tuple[State, ...] = ("fresh", "stale", "dark", "never", "gone_from_mdm", "expected_silent", "unknown")
# Longer silences are dark by any threshold that makes sense, and their hours need not be told apart.
LOOKS_BACK = 120 * 86400.0
# A last word that lies further ahead than any zone that was mixed up is of a clock that is wrong.
AHEAD = 86400.0
_DAY = 86400.0


@dataclass(frozen=True)
class Limits:
    """Seconds of silence on duty from which a device is stale, and dark."""

    stale_after: float
    dark_after: float


class Duty:
    """The hours of duty up to `now` (unix seconds): every hour without a calendar."""

    def __init__(self, calendar: Calendar | None, zone: ZoneInfo, now: float) -> None:
        self.now = now
        found = [(now - LOOKS_BACK, now)] if calendar is None else _windows(calendar, int(now // _DAY), zone)
        found = [window for window in found if window[0] < now]
        self._openings = [opening for opening, _ in found]
        self._closings = [min(closing, now) for _, closing in found]
        lengths = [closing - opening for opening, closing in zip(self._openings, self._closings, strict=True)]
        # Duty until the opening of each window.
        self._before = [0.0, *accumulate(lengths)]

    def since(self, moment: float) -> float:
        """Seconds of duty from `moment` until now; 0 for one in the future."""
        return self._before[-1] - self._until(moment)

    def before(self, seconds: float) -> float | None:
        """The last instant from which so many seconds of duty have passed; None if there were not so many."""
        until = self._before[-1] - seconds
        if until < 0:
            return None
        index = bisect_right(self._before, until) - 1
        return self._openings[index] + until - self._before[index] if index < len(self._openings) else self.now

    @property
    def opened(self) -> float | None:
        """When the hours began that are open now; None while nobody is on duty."""
        return self._openings[-1] if self._openings and self._closings[-1] == self.now else None

    def _until(self, moment: float) -> float:
        index = bisect_right(self._openings, moment)
        if index == 0:
            return 0.0
        return self._before[index - 1] + min(moment, self._closings[index - 1]) - self._openings[index - 1]


@lru_cache(maxsize=64)
def _windows(calendar: Calendar, day: int, zone: ZoneInfo) -> list[tuple[float, float]]:
    """The hours of duty up to the end of this day since 1970: they are asked for with each page."""
    return windows(calendar, day * _DAY - LOOKS_BACK, (day + 1) * _DAY, zone)


def state(checkin: Moment, duty: Duty, limits: Limits, works: bool) -> State:
    """How a device that the MDM lists stands; `works` is False while its truck is parked, in repair or on leave."""
    if checkin == NEVER:
        return "never"
    if checkin is None or checkin > duty.now + AHEAD:
        return "unknown"
    if duty.now - checkin < min(limits.stale_after, limits.dark_after):
        # On duty nobody was silent for longer than that; and so are nearly all of a hundred thousand.
        return "fresh"
    silent = duty.since(checkin)
    if not works and duty.now - checkin >= limits.stale_after:
        return "expected_silent"
    if silent >= limits.dark_after:
        return "dark"
    if silent >= limits.stale_after:
        return "stale"
    # Silent for longer than that, and for the most part nobody was on duty.
    return "expected_silent" if duty.now - checkin >= limits.stale_after else "fresh"


def older_than(checkins: Sequence[float], now: float, ages: Sequence[float]) -> dict[float, int]:
    """How many last words are at least so many seconds old; `checkins` are sorted."""
    return {age: bisect_right(checkins, now - age) for age in ages}
