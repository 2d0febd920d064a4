"""From single probes to silences: when did a path stop carrying, when did it carry again, how sure are we.

Pure: times come in as monotonic seconds. A path is silent from its last answered to its first answered probe; the
instants between those and their unanswered neighbors are the error bar, and the middle of it is the estimate, since
the cut is as likely in either half.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

MIN_SILENCE = 1.0
# So many probes in a row are not lost by chance, even on a circuit that loses a fifth. Where probes are rare, time
# takes the place of number.
MIN_LOST = 8
MIN_LOST_SLOW, SLOW = 3, 5.0
# A lone late answer may overtake an earlier probe's: the end of a silence is settled this long after the first answer.
SETTLE = 1.0


@dataclass(frozen=True, slots=True)
class Gap:
    """A finished silence. `start` and `end` are monotonic seconds, `error` the half width of each estimate summed.

    `since` is the instant of the last answered probe, which is what people are told.
    """

    start: float
    end: float
    error: float
    since: float

    @property
    def seconds(self) -> float:
        """Best estimate of the length."""
        return max(0.0, self.end - self.start)


def _estimate(good: float, bad: float, resume: float, unanswered: Iterable[float]) -> Gap:
    last_bad = max((at for at in unanswered if bad < at < resume), default=bad)
    return Gap((good + bad) / 2, (last_bad + resume) / 2, (bad - good) / 2 + (resume - last_bad) / 2, good)


@dataclass(slots=True)
class _Closing:
    """A silence whose first answer came but that has not settled: a probe sent earlier may still be answered."""

    good: float
    bad: float
    resume: float
    unanswered: list[float]


class Silence:
    """Watches one path over all of its targets.

    Feed `sent` for every probe in order of sending and `answered` for every answer; ask `finished` now and then.
    `blink` is the newest run of lost probes too short to be a silence. `overdue` is how long after sending a missing
    answer raises suspicion (from the path's own round-trip times).
    """

    def __init__(self) -> None:
        self.last_good: float | None = None
        self.overdue = 1.0
        self._waiting: deque[float] = deque(maxlen=256)
        self._first_bad: float | None = None
        self._closing: _Closing | None = None
        self._ended = (0.0, 0.0)
        self.blink: Gap | None = None

    @property
    def first_bad(self) -> float | None:
        """When the oldest unanswered probe since the last answer was sent."""
        return self._first_bad

    def restore(self, last_good: float, first_bad: float | None) -> None:
        """Go on from what an earlier process saw: its last answer, and the first silence after it if there was one."""
        self.last_good = last_good
        self._first_bad = first_bad

    def sent(self, at: float) -> None:
        """A probe left at `at`."""
        self._waiting.append(at)
        if self._first_bad is None:
            self._first_bad = at

    def answered(self, sent: float, now: float) -> None:
        """The probe sent at `sent` was answered; `now` is when we learned it."""
        closing = self._closing
        if closing is None and sent == self._first_bad and len(self._waiting) < MIN_LOST_SLOW:
            # Nothing is amiss: the one that was waited for came, too few others are open for a silence.
            self.last_good = sent
            self._waiting.popleft()
            self._first_bad = self._waiting[0] if self._waiting else None
            return
        if closing is not None and sent in closing.unanswered:
            closing.unanswered.remove(sent)
            closing.resume = min(closing.resume, sent)
        if self.last_good is not None and sent <= self.last_good:
            return
        if self.last_good is not None and self._first_bad is not None and self.confirmed(now):
            self._closing = _Closing(self.last_good, self._first_bad, sent, [at for at in self._waiting if at < sent])
        elif self.last_good is not None and self._first_bad is not None and self._first_bad < sent:
            self.blink = _estimate(self.last_good, self._first_bad, sent, self._waiting)
        self.last_good = sent
        while self._waiting and self._waiting[0] <= sent:
            self._waiting.popleft()
        self._first_bad = self._waiting[0] if self._waiting else None

    def suspicious(self, now: float) -> bool:
        """True when the oldest unanswered probe since the last answer is overdue: time to probe faster."""
        return self._first_bad is not None and now - self._first_bad > self.overdue

    def confirmed(self, now: float) -> bool:
        """True when the path has been silent for a second, over more overdue probes than chance would lose."""
        if self.last_good is None or self._first_bad is None or now - self.last_good < MIN_SILENCE:
            return False
        needed = MIN_LOST_SLOW if now - self.last_good >= SLOW else MIN_LOST
        return self._overdue_at_least(needed, now)

    def _overdue_at_least(self, probes: int, now: float) -> bool:
        return len(self._waiting) >= probes and self._waiting[probes - 1] < now - self.overdue

    def lasting(self, now: float, seconds: float, probes: int) -> bool:
        """True when every probe of the last `seconds` went unanswered and at least `probes` of them are overdue."""
        if self._first_bad is None or now - self._first_bad < seconds:
            return False
        return self._overdue_at_least(probes, now)

    def covers(self, sent: float, now: float) -> bool:
        """True if a probe sent at `sent` fell into a confirmed silence, the present one or the one just ended."""
        if self._closing is not None and self._closing.bad <= sent < self._closing.resume:
            return True
        if self._ended[0] <= sent < self._ended[1]:
            return True
        return self._first_bad is not None and sent >= self._first_bad and self.confirmed(now)

    def finished(self, now: float) -> Gap | None:
        """The silence that ended and has settled, once; None otherwise."""
        closing = self._closing
        if closing is None or now - closing.resume < SETTLE:
            return None
        self._closing = None
        self._ended = (closing.bad, closing.resume)
        return _estimate(closing.good, closing.bad, closing.resume, closing.unanswered)

    def forget(self) -> None:
        """Nothing was measured for a while (suspend, stopped process): silence up to now is no evidence."""
        self._waiting.clear()
        self._first_bad = None
        self._closing = None
        self.last_good = None
