"""One uplink with all that is measured about it: its pinned path, its verdict, its silences, the bytes it costs."""

from __future__ import annotations

import time
from typing import Protocol

from yardlight import catalogue as m
from yardlight.budget import INTERVALS_TO_DOWN, UNMETERED_DOWN_AFTER, plan, services_share, set_aside
from yardlight.exposition import Histogram
from yardlight.inventory.models import Metered, Terminal, Uplink
from yardlight.terminal.carrier import PROOF_VALID
from yardlight.terminal.engine import Engine
from yardlight.terminal.lanes import SEGMENT_EVERY, TargetLane
from yardlight.terminal.metering import Account, Ledger, Wire
from yardlight.terminal.pacing import Pace
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Key, Proof
from yardlight.terminal.readiness import Record
from yardlight.terminal.silence import Gap
from yardlight.terminal.stretch import Stretch, Stretches
from yardlight.terminal.verdict import Judgement, Verdict

# Fast probing finds a metered uplink silent before its routine pace would.
HUSHED_SECONDS, HUSHED_PROBES = 3.0, 5
# In a drill the default path takes most of what a router answers.
PROOF_VALID_CLOSELY = 30.0


class Yard(Protocol):
    """Who is told what a path shows about the way it takes, and that something is wrong or may be on it."""

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None: ...
    def path_hurried(self, path: Path, now: float) -> None: ...
    def path_uneasy(self, now: float) -> None: ...


class UplinkWatch:
    """Probes one uplink of a terminal and judges it. Times are monotonic seconds."""

    def __init__(self, terminal: Terminal, uplink: Uplink, engine: Engine, yard: Yard, ledger: Ledger | None) -> None:
        """`ledger` is what an earlier process had spent."""
        self.uplink, self.plan = uplink, plan(terminal, uplink)
        account = None
        if isinstance(uplink.metered, Metered):
            share, aside = services_share(terminal, uplink.metered), set_aside(terminal, uplink)
            account = Account(uplink.metered, time.time(), ledger, share, aside)
        self.wire, self.metered = Wire(account), account is not None
        self.path = Path(
            engine,
            self,
            uplink.name,
            uplink.bind,
            uplink.targets or terminal.targets,
            uplink.timeout,
            self.pace(),
            wires=(self.wire,),
            egress=terminal.egress,
            next_hop=uplink.next_hop,
            resolvers=terminal.resolvers,
        )
        # Rounds visit one target at a time, so a metered uplink is judged by whether anything answers.
        self.verdict = Verdict(
            1 if self.metered else len(self.path.lanes),
            None if self.metered else uplink.quorum,
            self.plan.down_after,
            uplink.up_after,
            uplink.degraded,
        )
        self.closely = False
        self.rtt = Histogram(m.UPLINK_RTT.buckets)
        self.record = Record()
        self.throughput = terminal.standby.throughput if uplink.role == "standby" else None
        self._yard = yard
        self._stretches = Stretches()
        self._was_silent = False
        self._restored_answer: float | None = None

    def restore(self, good: float, bad: float | None) -> None:
        """An earlier process heard its last answer at `good` and, if a silence had begun, that at `bad`."""
        self.path.silence.restore(good, bad)
        self._restored_answer = good

    def pace(self, shared: bool = False) -> Pace:
        """How often it is probed when nothing is wrong; `shared`: the default path goes by it, at the same cost."""
        return Pace(self.plan.interval * (1 + shared), rounds=self.metered, charge=self.plan.round_bytes)

    def half_left(self) -> bool:
        """True while half of the reserve at hand is left, or nothing is metered."""
        return self.wire.account is None or self.wire.account.half_left(time.time())

    @property
    def proof_valid(self) -> float:
        """For how long evidence about its path is good."""
        valid = PROOF_VALID_CLOSELY if self.closely else PROOF_VALID
        return max(valid, INTERVALS_TO_DOWN * self.path.pace.interval) if self.metered else valid

    def stalled(self, now: float) -> None:
        """Probing stood still; nobody was silent, we were not looking."""
        self.path.silence.forget()
        self.verdict.forget(now)

    # What the path tells

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        """A far target answered."""
        self.verdict.answered(0 if self.metered else lane.index, sent)
        self.rtt.observe(rtt)
        if not lane.hurried(sent):
            self.verdict.quality.answered(sent + rtt, rtt, lane.index)

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None:
        """A far target did not answer."""
        self._yard.path_uneasy(now)
        if not lane.hurried(sent) and not path.silence.covers(sent, now):
            self.verdict.quality.lost(now, lane.index)

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None:
        """Evidence about which uplink the path really takes."""
        self._yard.path_seen(path, key, value, sent)

    def path_hurried(self, path: Path, now: float) -> None:
        """Something is wrong on the path."""
        self._yard.path_hurried(path, now)

    # Judgement

    def hushed(self, now: float) -> bool:
        """True when the path fell silent since the last call; what answers nearer by is noted as long as it is."""
        silence = self.path.silence
        silent = silence.confirmed(now)
        fell, self._was_silent = silent and not self._was_silent, silent
        if silent:
            self._stretches.listen(self.path.segments, silence.last_good)
        return fell

    def judge(self, proof: Proof, now: float) -> Judgement:
        """The state now, with what is known of the way the path takes."""
        uplink, path, verdict = self.uplink, self.path, self.verdict
        judgement = verdict.judge(
            now,
            sending=path.problem,
            hushed=self.metered
            and uplink.down_after is None
            and path.silence.lasting(now, HUSHED_SECONDS, HUSHED_PROBES),
            proven_at=proof.at,
            unproven=None if proof.pinned else proof.reason,
        )
        if judgement.state == "down" and verdict.last_answer is None and self._restored_answer is not None:
            judgement = verdict.judgement = Judgement("down", self._restored_answer, judgement.reason)
        return judgement

    def first_silent(self, gap: Gap) -> Stretch:
        """Where that silence of the path lay."""
        return self._stretches.first_silent(self.path.segments, gap)

    def answering_segments(self, now: float) -> dict[str, bool]:
        """Which stretches of the path answer; a stretch nobody probes, or never heard of, is left out."""
        if self.path.problem is not None:
            return {}
        found: dict[str, bool] = {}
        for lane in self.path.segments:
            if lane.last_answer is not None:
                answers = now - lane.last_answer < 2 * SEGMENT_EVERY + UNMETERED_DOWN_AFTER
                found[lane.segment] = found.get(lane.segment, False) or answers
        if self.verdict.last_answer is not None:
            found["far"] = self.verdict.judgement.state != "down" and not self.path.silence.confirmed(now)
        return found
