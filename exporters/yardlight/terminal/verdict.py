"""What an uplink's answers amount to: up, degraded, down or unknown. Pure: times are monotonic seconds.

Quorum over targets with hysteresis decides up and down; a sliding minute of routine probes decides degraded. Probes
lost inside a confirmed silence belong to that silence and never count as loss, so a blackout is not also a brownout.
Nor do those to a target that is dead while others answer: that is the target's trouble, not the line's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from yardlight.inventory.models import Degraded

UplinkState = Literal["up", "degraded", "down", "unknown"]

# The window and the steps in which it slides, in seconds.
WINDOW, SLICE = 60.0, 3.0
# Under this many probes in the window one loss says nothing about a share.
MIN_SAMPLES = 20
# So many lost in a row of one target, while others answer, is a dead target: one in 3000 where a fifth is lost.
DEAD_TARGET = 5
# Loss, latency and jitter must fall to this part of their limit before the uplink is no longer degraded.
CLEAR_AT = 0.5


@dataclass(slots=True)
class _Slice:
    """Some seconds of the window, from `start` on: sums over their probes."""

    start: float
    probes: int = 0
    lost: int = 0
    rtt: float = 0.0
    steps: int = 0
    jitter: float = 0.0


class Quality:
    """Loss, mean round-trip time and jitter over a sliding minute of routine probes, a few seconds at a time."""

    def __init__(self) -> None:
        self._slices: deque[_Slice] = deque()
        # How many of each target's newest probes were lost in a row.
        self._runs: dict[int, int] = {}
        # Of each target: one is farther away than the other, and that is no jitter.
        self._last_rtt: dict[int, float] = {}

    def answered(self, now: float, rtt: float, target: int = 0) -> None:
        """A routine probe of this target came back after `rtt` seconds."""
        run = self._runs.get(target, 0)
        self._runs[target] = 0
        slice_ = self._slice(now)
        if run and run < DEAD_TARGET:
            slice_.probes += run
            slice_.lost += run
        slice_.probes += 1
        slice_.rtt += rtt
        if (last := self._last_rtt.get(target)) is not None:
            slice_.steps += 1
            slice_.jitter += abs(rtt - last)
        self._last_rtt[target] = rtt

    def lost(self, now: float, target: int = 0) -> None:
        """A routine probe of this target, outside any silence of the path, was not answered.

        Where there are several, it counts once the target answers again: it may just have died.
        """
        self._runs[target] = self._runs.get(target, 0) + 1
        if len(self._runs) == 1:
            self._runs[target] = 0
            slice_ = self._slice(now)
            slice_.probes += 1
            slice_.lost += 1

    def _slice(self, now: float) -> _Slice:
        if not self._slices or now - self._slices[-1].start >= SLICE:
            self._slices.append(_Slice(now))
            self._expire(now)
        return self._slices[-1]

    def _expire(self, now: float) -> None:
        while self._slices and now - self._slices[0].start >= WINDOW:
            self._slices.popleft()

    def exceeds(self, limits: Degraded, now: float, factor: float = 1.0) -> bool:
        """True if loss, mean round-trip time or jitter reaches `factor` times its limit."""
        self._expire(now)
        lost = sum([each.lost for each in self._slices])
        if not lost and limits.rtt is None and limits.jitter is None:
            return False
        probes = sum([each.probes for each in self._slices])
        if probes < MIN_SAMPLES:
            return False
        if lost / probes >= limits.loss * factor > 0:
            return True
        if limits.rtt is not None and lost < probes:
            rtt = sum([each.rtt for each in self._slices])
            if rtt / (probes - lost) >= limits.rtt * factor:
                return True
        if limits.jitter is None:
            return False
        steps = sum([each.steps for each in self._slices])
        return steps > 0 and sum([each.jitter for each in self._slices]) / steps >= limits.jitter * factor

    def forget(self) -> None:
        """Start over: nothing was measured for a while."""
        self._slices.clear()
        self._runs.clear()
        self._last_rtt.clear()


@dataclass(frozen=True, slots=True)
class Judgement:
    """A state, since when (monotonic seconds, None while never known) and why, in a few words."""

    state: UplinkState
    since: float | None
    reason: str


class Verdict:
    """The state of one uplink. Tell it `answered` per target and ask `judge` a few times a second."""

    def __init__(self, targets: int, quorum: int | None, down_after: float, up_after: float, limits: Degraded) -> None:
        self.quality = Quality()
        self._answered: list[float | None] = [None] * targets
        self._quorum = quorum if quorum is not None else (targets + 1) // 2
        self._down_after = down_after
        self._up_after = up_after
        self._limits = limits
        self._started: float | None = None
        self._recovering: float | None = None
        self.judgement = Judgement("unknown", None, "not measured yet")

    def answered(self, target: int, sent: float) -> None:
        """Target number `target` answered the probe sent at `sent`."""
        before = self._answered[target]
        if before is None or sent > before:
            self._answered[target] = sent

    @property
    def last_answer(self) -> float | None:
        """When the newest answered probe was sent."""
        return max((at for at in self._answered if at is not None), default=None)

    def judge(
        self, now: float, *, sending: str | None, hushed: bool, proven_at: float | None, unproven: str | None
    ) -> Judgement:
        """The state now.

        `hushed` is true when fast probing already found the path silent for long enough. `sending` says why nothing
        can be sent (None: probes leave), `unproven` why the path is not known to be this uplink's own (None: it is),
        `proven_at` when that was last shown. Without proof an answer is worth nothing: the state is then down
        (nothing answers) or unknown, never up.
        """
        if self._started is None:
            self._started = now
        before = self.judgement
        if sending is not None:
            self._recovering = None
            self.judgement = self._changed(before, "unknown", now, sending)
            self._started = now
            return self.judgement
        fresh = sum(1 for at in self._answered if at is not None and now - at < self._down_after)
        if fresh < self._quorum or hushed:
            self._recovering = None
            if hushed or now - self._started >= self._down_after:
                since = self.last_answer if self.last_answer is not None else self._started
                reason = (
                    "nothing answers" if hushed or not fresh else f"{fresh} of {len(self._answered)} targets answer"
                )
                self.judgement = self._changed(before, "down", since, reason)
            return self.judgement
        if unproven is not None:
            self._recovering = None
            self.judgement = self._changed(before, "unknown", now, unproven)
            return self.judgement
        if before.state in ("down", "unknown"):
            self._recover(before, now, proven_at)
            return self.judgement
        self._grade(before, now)
        return self.judgement

    def _recover(self, before: Judgement, now: float, proven_at: float | None) -> None:
        if self._recovering is None:
            self._recovering = min(at for at in self._answered if at is not None and now - at < self._down_after)
        fresh_proof = proven_at is not None and proven_at >= self._recovering
        # The very first verdict has nothing to flap from: it needs proof, not patience.
        patience = 0.0 if before.since is None else self._up_after
        if fresh_proof and now - self._recovering >= patience:
            self.judgement = Judgement("up", self._recovering, "")
            self._recovering = None

    def _grade(self, before: Judgement, now: float) -> None:
        if before.state == "up" and self.quality.exceeds(self._limits, now):
            self.judgement = Judgement("degraded", now, "loss, latency or jitter over its limit")
        elif before.state == "degraded" and not self.quality.exceeds(self._limits, now, CLEAR_AT):
            self.judgement = Judgement("up", now, "")

    @staticmethod
    def _changed(before: Judgement, state: UplinkState, since: float, reason: str) -> Judgement:
        if before.state == state and before.since is not None:
            return Judgement(state, before.since, reason)
        return Judgement(state, since, reason)

    def forget(self, now: float) -> None:
        """Nothing was measured for a while: answers from before say nothing about now, but the state stands."""
        self._answered = [now if at is not None and self.judgement.state != "down" else at for at in self._answered]
        self._started = now
        self.quality.forget()
