"""What is odd about one SIM: a runaway day, silence, use while suspended, another device.

All of it from whole and begun days of its own history, so that figures which come late or are restated are no oddity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yardlight.cellular.history import Track, midnight, ordinal
from yardlight.cellular.levels import median
from yardlight.cellular.usage import Sim
from yardlight.inventory.cellular import Runaway

# Days of its own that a SIM must have before one of them is called unusual.
_LEAST_DAYS = 7
# What a SIM does each week is no runaway: so many times its middle day of the same weekday, if as many are known.
_OVER_ITS_WEEKDAY, _LEAST_WEEKS = 2.0, 3
# A single day with use tells nothing of a usual one: it may be the peak itself.
_LEAST_WITH_USE = 2
# Figures of the day on which a SIM was suspended still come in on the next.
_GRACE_DAYS = 1


@dataclass(frozen=True, slots=True)
class Day:
    """The more unusual of the last two days, and from where on it is unusual."""

    used: int
    above: float


def largest_day(track: Track, runaway: Runaway) -> Day | None:
    """The last day and the one before it against the middle one of those with use before; None if too few are known."""
    if track.as_of is None:
        return None
    today = ordinal(track.as_of, track.zone)
    last = [day for day in (today - 1, today) if track.day(day) is not None and day >= track.seeded]
    before = [used for day in range(track.first, min(today - 1, track.end)) if (used := track.day(day)) is not None]
    if not last or len(before) < _LEAST_DAYS:
        return None
    with_use = [used for used in before if used]
    usual = median(with_use) if len(with_use) >= _LEAST_WITH_USE else 0.0
    judged = [
        Day(track.day(day) or 0, max(runaway.least, runaway.times * usual, _OVER_ITS_WEEKDAY * _on_weekday(track, day)))
        for day in last
    ]
    return max(judged, key=lambda day: (day.used / max(day.above, 1.0), day.used))


def _on_weekday(track: Track, day: int) -> float:
    """The middle use of the same weekday in the weeks before, 0 if that is not known."""
    same = [used for before in range(day - 7, track.first - 1, -7) if (used := track.day(before)) is not None]
    return median(same) if len(same) >= _LEAST_WEEKS else 0.0


def last_use(track: Track) -> float | None:
    """Until when it was last seen to be used: the end of a day, or of what is known of it."""
    if track.as_of is None:
        return None
    for day in range(track.end - 1, track.first - 1, -1):
        if track.day(day):
            return min(track.as_of, midnight(day + 1, track.zone))
    return None


def used_since(track: Track, since: float) -> int:
    """What was used on the days after the one after this instant."""
    first = _after_grace(track, since)
    return sum(track.day(day) or 0 for day in range(max(first, track.first), track.end))


def _after_grace(track: Track, since: float) -> int:
    return ordinal(since, track.zone) + _GRACE_DAYS + 1


@dataclass(slots=True)
class Facts:
    """What must be remembered of a SIM besides its use: since when it has its state, when its device changed.

    `late` is what came with the first total after the days of grace: it may have been used before.
    """

    state: str = ""
    since: float = 0.0
    device: str | None = None
    changed: float | None = None
    trouble: float = 0.0
    late: int = 0

    def note(self, sim: Sim) -> None:
        """What the platform says now. A state that is not told is no change of it, nor a mark made anew."""
        if sim.state != "unknown" and sim.state != self.state:
            self.state, self.since, self.late = sim.state, sim.seen, 0
        if sim.device is not None and sim.device != self.device:
            # One of another length was made of other digits, by an older version.
            if self.device is not None and len(self.device) == len(sim.device):
                self.changed = sim.seen
            self.device = sim.device

    def caught_up(self, track: Track, before: float | None) -> None:
        """A total came, until which its figures counted `before`: what it grew by is spread over all the days since."""
        if self.state == "suspended" and before is not None and track.as_of is not None:
            after = midnight(_after_grace(track, self.since), track.zone)
            if before < after <= track.as_of:
                self.late = used_since(track, self.since)

    def used_while_suspended(self, track: Track) -> int | None:
        """Bytes on days after the one after it was suspended; None for a SIM that is not."""
        return max(0, used_since(track, self.since) - self.late) if self.state == "suspended" else None

    def to_json(self) -> list[Any]:
        """All of it as a list that JSON takes."""
        return [self.state, self.since, self.device, self.changed, self.trouble, self.late]
