"""One path that is probed: its lanes to targets, its pace, its silences, the bytes it costs.

A pinned uplink, a terminal's default path and the centre's view of an uplink from outside are all a `Path`; who owns
it decides what its answers mean.
"""

from __future__ import annotations

import errno
import logging
import time
from typing import Protocol
from urllib.parse import urlsplit

from yardlight.budget import echo_bytes, hop_reply_bytes, stun_bytes
from yardlight.inventory.addresses import is_address
from yardlight.inventory.models import Target
from yardlight.terminal.engine import Engine
from yardlight.terminal.lanes import NameLane, ProofLane, Questions, TargetLane
from yardlight.terminal.metering import Wire
from yardlight.terminal.names import Resolver
from yardlight.terminal.pacing import Pace
from yardlight.terminal.pins import EGRESS, Key
from yardlight.terminal.silence import Silence

log = logging.getLogger(__name__)

# Suspicion: probe the whole path this often (seconds between two probes), for at most so long.
FAST = 1 / 15
FAST_ROUNDS = 0.5
FAST_FOR = 10.0
CATCH_UP = 0.1
# A new socket with a new identity after so long without an answer: firewalls and routers remember dead flows.
RENEW_AFTER = 15.0


class Owner(Protocol):
    """Who judges a path. Times are monotonic seconds."""

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None: ...
    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None: ...
    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None: ...
    def path_hurried(self, path: Path, now: float) -> None: ...


class Path:
    """Probes `targets` over `bind` at a pace that its owner may change at any time."""

    def __init__(
        self,
        engine: Engine,
        owner: Owner,
        name: str,
        bind: str | None,
        targets: tuple[Target, ...],
        timeout: float,
        pace: Pace,
        *,
        wires: tuple[Wire, ...] = (),
        egress: str | None = None,
        next_hop: str | None = None,
        resolvers: tuple[str, ...] = (),
    ) -> None:
        self.engine, self.owner, self.name, self.bind, self.timeout = engine, owner, name, bind, timeout
        self.pace = pace
        self.carried_by(wires)
        self.silence = Silence()
        self.telling: tuple[Key, ...] = ()
        self.proofs_wanted = True
        self.expectant = False
        self.closely = False
        far = [target for target in targets if target.segment == "far"] or list(targets)
        self.lanes = [
            TargetLane(self, index, target, target.host if is_address(target.host) else None, "far")
            for index, target in enumerate(far)
        ]
        near = [target for target in targets if target.segment != "far" and target not in far]
        if next_hop is not None:
            near.insert(0, Target(label=next_hop, host=next_hop, segment="next_hop"))
        self.segments = [
            TargetLane(self, index, target, target.host if is_address(target.host) else None, target.segment)
            for index, target in enumerate(near)
            if not pace.rounds
        ]
        self.egress = _stun_address(egress) if egress else None
        self.resolvers = resolvers
        self.names = [
            NameLane(lane, Resolver(bind, ())) for lane in (*self.lanes, *self.segments) if lane.address is None
        ]
        self.questions = Questions(self)
        self.due = -1.0
        self._turn = 0
        self._hurry_until = 0.0
        self._hurry_allowed = True
        self._proof_lanes: dict[Key, ProofLane] = {}
        self._rtt = 0.0
        self._rtt_deviation = 0.0
        self._renewed = 0.0
        self._hops_denied = False

    def start(self, now: float, phase: float) -> None:
        """Begin; `phase` (0 to 1) spreads paths over the interval so that they do not all send at once."""
        self._renewed = now
        self.engine.schedule(self, now + phase * min(self.pace.interval, 1.0))
        for index, lane in enumerate(self.segments):
            self.engine.schedule(lane, now + phase + 0.1 * index)
        for name in self.names:
            self.engine.schedule(name, now)
        if self.proofs_wanted:
            self.engine.schedule(self.questions, now + 0.05 + 0.2 * phase)

    def stop(self) -> None:
        """Send nothing more; shared sockets stay."""
        self.engine.cancel(self)
        self.engine.cancel(self.questions)
        for lane in self.segments:
            self.engine.cancel(lane)
        for name in self.names:
            self.engine.cancel(name)
            if name.task is not None:
                name.task.cancel()

    def carried_by(self, wires: tuple[Wire, ...]) -> None:
        """Whose bytes its probes are from now on."""
        self.wires = wires
        self.metered = any(wire.account is not None for wire in wires)

    @property
    def hop_target(self) -> str | None:
        """Where hop-limited probes are aimed: the first target whose address is known."""
        for lane in self.lanes:
            if lane.address is not None:
                return lane.address
        return None

    def hurry(self, now: float, seconds: float = FAST_FOR) -> None:
        """Probe fast for a while, unless it already is."""
        if now >= self._hurry_until:
            self._hurry_until = now + seconds
            self.engine.schedule(self, now)
            for index, lane in enumerate(self.segments):
                self.engine.schedule(lane, now + FAST * index)
            self.owner.path_hurried(self, now)

    def relax(self) -> None:
        """Back to the routine pace."""
        self._hurry_until = 0.0

    def hurrying(self, now: float) -> bool:
        """True while probing fast."""
        return now < self._hurry_until

    def fire(self, now: float) -> None:
        """Send the next probe and plan the one after it."""
        hurried, pace, lanes = now < self._hurry_until, self.pace, self.lanes
        spacing = pace.interval if pace.rounds else pace.interval / len(lanes)
        if hurried:
            spacing = FAST_ROUNDS if pace.rounds else min(spacing, max(FAST, spacing / 5))
        # A spacing under the engine's tick is caught up within the tick; a longer delay is not.
        self.engine.schedule(self, self.due + spacing if now - self.due < max(spacing, CATCH_UP) else now + spacing)
        if self._hurry_allowed and self.silence.suspicious(now):
            self.check(now)
            hurried = now < self._hurry_until
        if pace.charge and not self.allowed(pace.charge, hurried or pace.urgent):
            self.relax()
            self.engine.schedule(self, now + 1.0)
            return
        for _ in lanes:
            lane = lanes[self._turn % len(lanes)]
            self._turn += 1
            if lane.address is not None:
                break
        else:
            return
        self.attempt(lane, now, hurried)
        if pace.rounds and self.proofs_wanted and self.telling:
            self.questions.in_vain += 1
            self.ask(
                self.telling[self._turn % len(self.telling) if self.questions.in_vain > 3 else 0],
                now,
                paid=True,
            )

    def allowed(self, size: int, urgent: bool) -> bool:
        """True if the accounts of the path's wires let `size` bytes pass; `urgent` asks their reserve first."""
        wall = time.time()
        if urgent and all(wire.allows(size, wall, True) for wire in self.wires):
            return True
        return all(wire.allows(size, wall, False) for wire in self.wires)

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent on this path; None if at least one target can be asked."""
        for lane in self.lanes:
            if lane.problem is None:
                return None
        return self.lanes[0].problem

    def attempt(self, lane: TargetLane, now: float, hurried: bool) -> None:
        """Send to one target, and note why it could not be: a local failure is no evidence about the path."""
        try:
            lane.send(now, hurried)
        except PermissionError as error:
            reason = f"not permitted: {error.strerror}"
        except OSError as error:
            reason = _local_reason(error, self.bind)
        else:
            if lane.problem is not None:
                log.info("sending again", extra={"kv": {"path": self.name, "target": lane.target.label}})
                lane.problem = None
            return
        if lane.problem != reason:
            fields = {"path": self.name, "bind": self.bind, "target": lane.target.label, "reason": reason}
            log.warning("cannot send", extra={"kv": fields})
            lane.problem = reason
        if self.problem is not None:
            self.silence.forget()
            if now - self._renewed > 1.0:
                self._renewed = now
                self.engine.discard(self.bind)

    def ask(self, key: Key, now: float, paid: bool) -> None:
        """Ask for one kind of evidence; `paid` if it is part of a round, else the reserve pays where metered."""
        if (key == EGRESS and self.egress is None) or (key != EGRESS and self._hops_denied):
            return
        if not paid and self.metered and not self.allowed(self._proof_bytes(key), True):
            return
        lane = self._proof_lanes.get(key)
        if lane is None:
            lane = self._proof_lanes[key] = ProofLane(self, key)
        try:
            lane.send(now)
        except PermissionError:
            self._hops_denied = True
        except OSError:
            # The probes themselves meet the same trouble and say so.
            return

    def asked_in_vain(self, key: Key) -> int:
        """How many questions of this kind have gone unanswered since the last answer."""
        lane = self._proof_lanes.get(key)
        return lane.in_vain if lane is not None else 0

    def asked_before(self, key: Key, sent: float) -> float | None:
        """When the question before the one sent at `sent` was, if that is the newest of its kind."""
        lane = self._proof_lanes.get(key)
        return lane.before if lane is not None and lane.newest == sent else None

    def _proof_bytes(self, key: Key) -> int:
        v6 = ":" in (self.hop_target or "")
        return sum(stun_bytes(v6)) if key == EGRESS else echo_bytes(v6) + hop_reply_bytes(v6)

    def count(self, size: int) -> None:
        """These bytes went over the path's wires."""
        for wire in self.wires:
            wire.count(size)

    def answered(self, lane: TargetLane, sent: float, received: float, ttl: int | None) -> None:
        """A far target answered: note the time, the pace of answers, and whether the way back changed its length."""
        rtt = received - sent
        if self._rtt == 0.0:
            self._rtt, self._rtt_deviation = rtt, rtt / 2
        else:
            self._rtt_deviation += (abs(rtt - self._rtt) - self._rtt_deviation) / 4
            self._rtt += (rtt - self._rtt) / 8
        overdue = self._rtt + 4 * self._rtt_deviation
        self.silence.overdue = 0.15 if overdue < 0.15 else 1.0 if overdue > 1.0 else overdue
        self.silence.answered(sent, received)
        if ttl != lane.ttl and ttl is not None:
            if lane.ttl is not None:
                self.questions.hurry(received, 2.0)
            lane.ttl = ttl
        self.owner.path_answered(self, lane, sent, rtt)

    def check(self, now: float) -> None:
        """Called a few times a second: hurry on suspicion, relax on answers, renew sockets of a path long silent."""
        if self.silence.suspicious(now):
            if self._hurry_allowed:
                self._hurry_allowed = False
                self.hurry(now)
        else:
            if not self._hurry_allowed:
                self.relax()
            self._hurry_allowed = True
        last = self.silence.last_good
        quiet_since = max(self._renewed, last if last is not None else 0.0)
        if now - quiet_since > max(RENEW_AFTER, 2 * self.pace.interval):
            self._renewed = now
            self.engine.discard(self.bind)


def _stun_address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 3478


def _local_reason(error: OSError, bind: str | None) -> str:
    if error.errno in (errno.ENODEV, errno.ENXIO):
        return f"interface {bind} does not exist"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"this box does not have the address {bind}"
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "this box has no route there"
    if error.errno == errno.ENETDOWN:
        return f"the link of {bind or 'this box'} is down"
    return error.strerror or str(error)
