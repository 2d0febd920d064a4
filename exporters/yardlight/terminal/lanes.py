"""What is asked over one path: its targets, where its packets really go, and the addresses of names."""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from yardlight.budget import echo_bytes, hop_reply_bytes, stun_bytes, tcp_bytes
from yardlight.errors import ServiceError
from yardlight.inventory.models import Target
from yardlight.terminal.names import Resolver, system_resolvers
from yardlight.terminal.pins import DEFAULT, EGRESS, MAX_HOPS, Key, hop
from yardlight.terminal.sockets import IcmpSocket, StunSocket, TcpSocket
from yardlight.terminal.stream import Meter

if TYPE_CHECKING:
    from yardlight.terminal.path import Path

log = logging.getLogger(__name__)

# Hop-limited probes: many routers answer one a second per asker and keep a few in hand. All paths of a yard may come
# from one address, so together they ask for less than that, and unevenly: in step, one path would always lose.
# A pin that breaks is to be known within 5 seconds.
PROOF_EVERY = 4.0
PROOF_EVERY_DEFAULT = 2.5
PROOF_JITTER = 0.1
PROOF_FAST = 0.4
PROOF_METERED = 1.0
PROOF_EXPECTANT = 1.0
# In a drill, from the primary's return to the yard's: more than a router answers, so that the first answer of the other
# one comes at once. What its predecessor did not answer went the old way.
PROOF_CLOSELY = 0.5
PROOF_IN_VAIN = 30.0
SEGMENT_EVERY = 5.0
NAMES_EVERY, NAMES_FAST = 300.0, 3.0
# A generous answer with a few records.
NAME_BYTES = 200


@dataclass(slots=True)
class TargetLane:
    """Probes of one target over one path. `ttl` is what was left of its last answer's time to live."""

    path: Path
    index: int
    target: Target
    address: str | None
    segment: str
    sent: int = 0
    lost_count: int = 0
    last_answer: float | None = None
    ttl: int | None = None
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
        path, v6, address = self.path, self.v6, self.address
        assert address is not None
        if self.target.probe == "tcp":
            tcp = path.engine.socket(TcpSocket, path.bind, v6, path.timeout)
            tcp.connect(self, address, self.target.port or 0, now)
        else:
            path.engine.socket(IcmpSocket, path.bind, v6, path.timeout).echo(self, address, now)
        self.sent += 1
        if hurried:
            self._hurried.add(now)
        elif self._hurried and len(self._hurried) > 64:
            self._hurried.clear()
        for wire in path.wires:
            wire.count(self._out)
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
        for wire in path.wires:
            wire.count(self._in)
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

    `in_vain` counts the questions since the last answer; `newest` and `before` are when the last two were sent.
    """

    path: Path
    key: Key
    in_vain: int = 0
    newest: float | None = None
    before: float | None = None

    def send(self, now: float) -> None:
        """One question. Raises `OSError` if it cannot leave."""
        path, engine = self.path, self.path.engine
        self.in_vain += 1
        self.before, self.newest = self.newest, now
        if self.key == EGRESS:
            host, port = path.egress or ("", 0)
            engine.socket(StunSocket, path.bind, ":" in host, path.timeout).ask(self, host, port, now)
            path.count(stun_bytes(":" in host)[0])
            return
        address = path.hop_target
        if address is None:
            return
        icmp = engine.socket(IcmpSocket, path.bind, ":" in address, path.timeout)
        icmp.echo(self, address, now, hops=self.key[1])
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

    def lost(self, sent: float, now: float) -> None:
        """An unanswered question is no evidence of anything."""


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
        if self.path.closely:
            return PROOF_CLOSELY
        if self.path.name == DEFAULT:
            return PROOF_EXPECTANT if self.path.expectant else PROOF_EVERY_DEFAULT
        return PROOF_EVERY


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
        path.engine.schedule(self, now + (NAMES_EVERY if settled else NAMES_FAST) * (10 if path.pace.charge else 1))
        self.resolver.servers = path.resolvers or system_resolvers()
        if not self.resolver.servers:
            self.lane.problem = f"no DNS server to ask for {self.lane.target.host}: name one in resolvers"
            return
        if self.task is None and path.allowed(2 * NAME_BYTES, not settled):
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
