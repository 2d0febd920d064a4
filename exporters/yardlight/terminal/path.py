"""One path that is probed: its lanes to targets, its pace, its silences, the bytes it costs.

A pinned uplink, a terminal's default path and the centre's view of an uplink from outside are all a `Path`; who owns
it decides what its answers mean.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path as FilePath
from typing import Protocol
from urllib.parse import urlsplit

from yardlight.budget import echo_bytes, hop_reply_bytes, stun_bytes, tcp_bytes
from yardlight.errors import ServiceError
from yardlight.inventory.models import Target, is_address
from yardlight.terminal.engine import Engine
from yardlight.terminal.metering import Account
from yardlight.terminal.names import Resolver
from yardlight.terminal.pins import DEFAULT, EGRESS, MAX_HOPS, Key, hop
from yardlight.terminal.silence import Silence
from yardlight.terminal.stream import Meter

log = logging.getLogger(__name__)

# Suspicion: probe the whole path this often (seconds between two probes), for at most so long.
FAST = 1 / 15
FAST_ROUNDS = 0.5
FAST_FOR = 10.0
CATCH_UP = 0.1
# A new socket with a new identity after so long without an answer: firewalls and routers remember dead flows.
RENEW_AFTER = 15.0
# Hop-limited probes: many routers answer one a second per asker and keep a few in hand. All paths of a yard may come
# from one address, so together they ask for less than that, and unevenly: in step, one path would always lose.
PROOF_EVERY = 3.0
PROOF_EVERY_DEFAULT = 2.0
PROOF_JITTER = 0.15
PROOF_FAST = 0.4
PROOF_METERED = 1.0
PROOF_EXPECTANT = 1.0
PROOF_IN_VAIN = 30.0
SEGMENT_EVERY = 5.0
NAMES_EVERY, NAMES_FAST = 300.0, 3.0
# A generous answer with a few records.
NAME_BYTES = 200


@dataclass(slots=True)
class Wire:
    """What probing puts on one uplink: bytes both ways, and the account that allows them where it is metered."""

    account: Account | None = None
    bytes: int = 0

    def allows(self, size: int, wall: float, urgent: bool) -> bool:
        """True if `size` bytes may be sent; they are then taken from the account (its reserve where urgent)."""
        if self.account is None:
            return True
        return self.account.reserve(size, wall) if urgent else self.account.routine(size, wall)


@dataclass(frozen=True, slots=True)
class Pace:
    """How a path is probed when nothing is wrong.

    `interval` is the seconds between two probes of one target or, with `rounds`, between two rounds (a probe of the
    next target and a proof). Each send takes `charge` bytes from the accounts of the path's wires: from their reserve
    first where `urgent`.
    """

    interval: float
    rounds: bool = False
    charge: int = 0
    urgent: bool = False


class Owner(Protocol):
    """Who judges a path. Times are monotonic seconds."""

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None: ...
    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None: ...
    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None: ...
    def path_hurried(self, path: Path, now: float) -> None: ...


@dataclass(slots=True)
class TargetLane:
    """Probes of one target over one path."""

    path: Path
    index: int
    target: Target
    address: str | None
    segment: str
    sent: int = 0
    lost_count: int = 0
    last_answer: float | None = None
    problem: str | None = None
    due: float = -1.0
    v6: bool = False
    far: bool = True
    _out: int = 0
    _in: int = 0
    _hurried: set[float] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.far = self.segment == "far"
        if self.address is None:
            self.problem = f"the name {self.target.host} is not resolved yet"
        else:
            self.resolved(self.address)

    def resolved(self, address: str) -> None:
        """The target is at this address from now on."""
        self.address, self.problem, self.v6 = address, None, ":" in address
        echo = echo_bytes(self.v6)
        self._out, self._in = tcp_bytes(self.v6) if self.target.probe == "tcp" else (echo, echo)

    def send(self, now: float, hurried: bool) -> None:
        """One probe. Raises `OSError` if it cannot leave."""
        path, engine = self.path, self.path.engine
        assert self.address is not None
        if self.target.probe == "tcp":
            tcp = engine.tcp(path.bind, self.v6)
            engine.expect(self, tcp, tcp.connect(self, self.address, self.target.port or 0, now), now, path.timeout)
        else:
            icmp = engine.icmp(path.bind, self.v6)
            engine.expect(self, icmp, icmp.echo(self, self.address, now), now, path.timeout)
        self.sent += 1
        if hurried:
            self._hurried.add(now)
        elif self._hurried and len(self._hurried) > 64:
            self._hurried.clear()
        path.count(self._out)
        if self.far:
            path.silence.sent(now)

    def hurried(self, sent: float) -> bool:
        """True if that probe was an extra one: it tells when, but its loss says nothing about a share."""
        if self._hurried and sent in self._hurried:
            self._hurried.discard(sent)
            return True
        return False

    def answered(self, sent: float, received: float, ttl: int | None) -> None:
        """The target answered."""
        path = self.path
        if self.last_answer is None or sent > self.last_answer:
            self.last_answer = sent
        path.count(self._in)
        if self.far:
            path.answered(self, sent, received, ttl)

    def seen(self, sent: float, source: str) -> None:
        """A router said that the time to live ran out: a routing loop; no answer."""

    def lost(self, sent: float, now: float) -> None:
        """No answer within the timeout."""
        self.lost_count += 1
        if self.far:
            self.path.owner.path_lost(self.path, self, sent, now)

    def fire(self, now: float) -> None:
        """Segment lanes have a pace of their own; far lanes are sent by the path."""
        self.path.engine.schedule(self, now + (1.0 if self.path.silence.suspicious(now) else SEGMENT_EVERY))
        if self.address is not None:
            self.path.attempt(self, now, False)


@dataclass(slots=True)
class ProofLane:
    """Asks over one path for one kind of evidence: who answers after n hops, or which address the outside sees.

    `in_vain` counts the questions since the last answer.
    """

    path: Path
    key: Key
    in_vain: int = 0

    def send(self, now: float) -> None:
        """One question. Raises `OSError` if it cannot leave."""
        path, engine = self.path, self.path.engine
        self.in_vain += 1
        if self.key == EGRESS:
            host, port = path.egress or ("", 0)
            stun = engine.stun(path.bind, ":" in host)
            stun.ask(self, host, port, now)
            path.count(stun_bytes(":" in host)[0])
            return
        address = path.hop_target
        if address is None:
            return
        icmp = engine.icmp(path.bind, ":" in address)
        token = icmp.echo(self, address, now, hops=self.key[1])
        engine.expect(path.questions, icmp, token, now, path.timeout)
        path.count(echo_bytes(":" in address))

    def answered(self, sent: float, received: float, ttl: int | None) -> None:
        """The target itself is nearer than the hop asked for."""
        address = self.path.hop_target or ""
        self.in_vain = self.path.questions.in_vain = 0
        self.path.count(echo_bytes(":" in address))
        self.path.owner.path_seen(self.path, self.key, address, sent)

    def seen(self, sent: float, source: str) -> None:
        """The evidence came."""
        self.in_vain = self.path.questions.in_vain = 0
        self.path.count(stun_bytes(":" in source)[1] if self.key == EGRESS else hop_reply_bytes(":" in source))
        self.path.owner.path_seen(self.path, self.key, source, sent)


@dataclass(slots=True)
class Questions:
    """The pace of a path's proofs. `in_vain` counts questions since the last answer to one."""

    path: Path
    due: float = -1.0
    in_vain: int = 0
    hurry_until: float = 0.0
    _turn: int = 0

    def fire(self, now: float) -> None:
        """Ask for the next kind of evidence; again and again while nothing tells the uplinks apart."""
        path = self.path
        wanted = self._wanted(now)
        path.engine.schedule(self, now + self._spacing(now) * random.uniform(1 - PROOF_JITTER, 1 + PROOF_JITTER))
        if wanted:
            path.ask(wanted[self._turn % len(wanted)], now, paid=False)
            self._turn += 1
            self.in_vain += 1

    def hurry(self, now: float, seconds: float) -> None:
        """Something may have changed: ask at once and often for a while."""
        if now >= self.hurry_until and self.due >= 0:
            self.path.engine.schedule(self, now)
        self.hurry_until = max(self.hurry_until, now + seconds)

    def _wanted(self, now: float) -> tuple[Key, ...]:
        path = self.path
        if path.telling and self.in_vain < 10:
            if path.pace.rounds and now >= self.hurry_until:
                return ()  # each round carries its own proof
            return path.telling[:1] if self.in_vain < 3 else path.telling
        return ((EGRESS,) if path.egress else ()) + tuple(hop(number) for number in range(1, MAX_HOPS + 1))

    def _spacing(self, now: float) -> float:
        if self.in_vain > 30:
            return PROOF_IN_VAIN if self.path.pace.charge else PROOF_EVERY
        if self.path.pace.rounds:
            return PROOF_METERED
        if now < self.hurry_until or not self.path.telling:
            return PROOF_FAST
        if self.path.name == DEFAULT:
            return PROOF_EXPECTANT if self.path.expectant else PROOF_EVERY_DEFAULT
        return PROOF_EVERY

    def lost(self, sent: float, now: float) -> None:
        """An unanswered question is no evidence of anything."""


@dataclass(slots=True)
class NameLane:
    """Asks over the probed path itself for the address of a target that is a name; the last good answer stands."""

    lane: TargetLane
    resolver: Resolver
    due: float = -1.0
    task: asyncio.Task[None] | None = None

    def fire(self, now: float) -> None:
        """Ask; often until there is an answer or while the path is in trouble."""
        path = self.lane.path
        settled = self.lane.address is not None and not path.silence.suspicious(now)
        path.engine.schedule(self, now + (NAMES_EVERY if settled else NAMES_FAST * (10 if path.pace.charge else 1)))
        self.resolver.servers = path.resolvers or system_resolvers()
        if not self.resolver.servers:
            self.lane.problem = f"no DNS server to ask for {self.lane.target.host}: name one in resolvers"
            return
        if self.task is None and path.allowed(2 * NAME_BYTES, True):
            self.task = asyncio.get_running_loop().create_task(self._ask())

    async def _ask(self) -> None:
        path, name, meter = self.lane.path, self.lane.target.host, Meter()
        try:
            async with asyncio.timeout(NAMES_FAST):
                address = await self.resolver.address(name, meter)
        except (TimeoutError, ServiceError, OSError):
            # The probes themselves meet the same trouble and say so.
            return
        finally:
            path.count(meter.bytes)
            self.task = None
        if address != self.lane.address:
            log.info("name resolved", extra={"kv": {"path": path.name, "name": name}})
            self.lane.resolved(address)


def system_resolvers(own: bool = False) -> tuple[str, ...]:
    """The DNS servers in /etc/resolv.conf; those on this box, which ask over the default path, only with `own`."""
    try:
        lines = FilePath("/etc/resolv.conf").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    found = [words[1] for line in lines if (words := line.split()) and words[0] == "nameserver" and len(words) > 1]
    return tuple(server for server in found if is_address(server) and (own or not ip_address(server).is_loopback))


class Path:
    """Probes `targets` over `bind`; its pace, and whose bytes its probes are (`wires`), may change at any time."""

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
        self.pace, self.wires = pace, wires
        self.silence = Silence()
        self.telling: tuple[Key, ...] = ()
        self.proofs_wanted = True
        self.expectant = False
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
        self._last_ttl: dict[int, int] = {}
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

    @property
    def hop_target(self) -> str | None:
        """Where hop-limited probes are aimed: the first target whose address is known."""
        return next((lane.address for lane in self.lanes if lane.address is not None), None)

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

    def _spacing(self, now: float) -> float:
        pace = self.pace
        routine = pace.interval if pace.rounds else pace.interval / len(self.lanes)
        if self.hurrying(now):
            return FAST_ROUNDS if pace.rounds else min(routine, max(FAST, routine / 5))
        return routine

    def fire(self, now: float) -> None:
        """Send the next probe and plan the one after it."""
        spacing = self._spacing(now)
        # A spacing under the engine's tick is caught up within the tick; a longer delay is not.
        self.engine.schedule(self, self.due + spacing if now - self.due < max(spacing, CATCH_UP) else now + spacing)
        if self._hurry_allowed and self.silence.suspicious(now):
            self.check(now)
        hurried = self.hurrying(now)
        if self.pace.charge and not self.allowed(self.pace.charge, hurried or self.pace.urgent):
            self.relax()
            self.engine.schedule(self, now + 1.0)
            return
        for _ in self.lanes:
            lane = self.lanes[self._turn % len(self.lanes)]
            self._turn += 1
            if lane.address is not None:
                break
        else:
            return
        self.attempt(lane, now, hurried)
        if self.pace.rounds and self.proofs_wanted and self.telling:
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
        if any(lane.problem is None for lane in self.lanes):
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
        if not paid and not self.allowed(self._proof_bytes(key), True):
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

    def _proof_bytes(self, key: Key) -> int:
        v6 = ":" in (self.hop_target or "")
        return sum(stun_bytes(v6)) if key == EGRESS else echo_bytes(v6) + hop_reply_bytes(v6)

    def count(self, size: int) -> None:
        """These bytes went over the path's wires."""
        for wire in self.wires:
            wire.bytes += size

    def answered(self, lane: TargetLane, sent: float, received: float, ttl: int | None) -> None:
        """A far target answered: note the time, the pace of answers, and whether the way back changed its length."""
        rtt = received - sent
        if self._rtt == 0.0:
            self._rtt, self._rtt_deviation = rtt, rtt / 2
        else:
            self._rtt_deviation += (abs(rtt - self._rtt) - self._rtt_deviation) / 4
            self._rtt += (rtt - self._rtt) / 8
        self.silence.overdue = min(1.0, max(0.15, self._rtt + 4 * self._rtt_deviation))
        self.silence.answered(sent, received)
        if ttl is not None:
            if self._last_ttl.get(lane.index, ttl) != ttl:
                self.questions.hurry(received, 2.0)
            self._last_ttl[lane.index] = ttl
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
