"""Where a silence lay: the first stretch of an uplink's path, counted from the yard, that did not answer in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

from yardlight.terminal.silence import MIN_SILENCE, Gap

Stretch = Literal["next_hop", "isp", "far", "unknown"]

# Near stretches are asked every five seconds until a path is suspicious: a shorter silence may have missed them all.
ASKED_WITHIN = 5.0 + 2 * MIN_SILENCE
_ORDER: tuple[Literal["next_hop", "isp"], ...] = ("next_hop", "isp")


class NearLane(Protocol):
    """Probes of something nearer than the far targets; `last_answer` is when the newest answered one was sent."""

    @property
    def segment(self) -> str: ...
    @property
    def last_answer(self) -> float | None: ...


class Stretches:
    """What answered while the far targets did not. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._good: float | None = None
        self._heard: dict[str, float] = {}

    def listen(self, lanes: Iterable[NearLane], good: float | None) -> None:
        """Called a few times a second during a silence whose last far answer was at `good`."""
        if good is None:
            return
        if good != self._good:
            self._good, self._heard = good, {}
        for lane in lanes:
            # A probe sent right after the last far answer may still have left before the cut.
            if lane.last_answer is not None and lane.last_answer > good + MIN_SILENCE:
                self._heard.setdefault(lane.segment, lane.last_answer)

    def first_silent(self, lanes: Iterable[NearLane], gap: Gap) -> Stretch:
        """The nearest stretch that did not answer in `gap`; unknown where nothing near is probed, or not in time."""
        known = {lane.segment for lane in lanes if lane.last_answer is not None}
        # An answer in the last second may belong to the repair, which reached the near stretch a moment earlier.
        settled = gap.end - MIN_SILENCE
        heard = {segment for segment, at in self._heard.items() if self._good == gap.since and at < settled}
        probed = [segment for segment in _ORDER if segment in known]
        while heard & set(probed):
            probed = probed[1:]
        if probed:
            return probed[0] if gap.seconds >= ASKED_WITHIN else "unknown"
        return "far" if known else "unknown"
