"""The services of a yard, asked for over each of its paths: which work, over which uplink, and why one does not.

A result over an uplink counts only while that uplink carries and its pin is proven; what fails over a dead path says
nothing. One odd answer changes nothing either: it is asked again two seconds later, and only the same answer twice is
believed. When a service fails on the path that the yard uses, the other paths are asked at once, so that it can be said
whether to switch.

On a metered uplink every probe is paid before it is sent, at the most it can cost, and what it did not need is given
back: routine ones by the share for services, urgent ones by half of the reserve.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import ssl
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from yardlight import catalogue as m
from yardlight.budget import FRUGAL, SERVICE_CEILING
from yardlight.catalogue import Metric
from yardlight.exposition import Block, Histogram, block
from yardlight.inventory.models import PROOF, Check, Fleet, Service
from yardlight.terminal.asking import Outcome, Way, ask
from yardlight.terminal.engine import Engine
from yardlight.terminal.metering import Purse, Wire
from yardlight.terminal.names import Resolver, system_resolvers
from yardlight.terminal.readiness import Finding, asked
from yardlight.terminal.stream import Meter

log = logging.getLogger(__name__)

# Labels of paths that are no uplink.
DEFAULT_PATH, CENTRE = "default", "centre"
_LOOK_EVERY = 0.5
_CONFIRM_AFTER = 2.0
# While a service fails: so often over paths that cost nothing, and over those that cost.
_FAILING_EVERY, _FAILING_EVERY_METERED = 10.0, 300.0
# An answer younger than this is as good as a new one; where bytes cost, one younger than that has to do.
_FRESH, _FRESH_METERED = 10.0, 60.0
_PAY_AGAIN_AFTER = 5.0

_contexts: dict[str | None, ssl.SSLContext] = {}

Samples = dict[Metric, dict[tuple[str, ...], float | Histogram | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path at this moment; `wires` are who pays.

    `closed` says why nothing can be learned over it. While it is `doubtful` (probes of its own are overdue) nothing is
    asked over it and no failure believed.
    """

    wires: tuple[Wire, ...] = ()
    closed: str = ""
    doubtful: bool = False

    @property
    def metered(self) -> bool:
        return any(wire.account is not None for wire in self.wires)

    def same_wires(self, other: Route) -> bool:
        """True if the bytes of both are the same uplinks'."""
        return list(map(id, self.wires)) == list(map(id, other.wires))


class Ground(Protocol):
    """Who knows the paths."""

    def service_route(self, path: str, now: float) -> Route:
        """The path with this label, now (monotonic seconds)."""

    def service_failed(self, path: str, now: float) -> None:
        """A service failed over this path: is it the path itself?"""


@dataclass(slots=True)
class Standing:
    """What is believed of a service over one path; times are monotonic seconds. Two answers in a row change it."""

    up: bool | None = None
    since: float | None = None
    reason: str = ""
    last_good: float | None = None
    first_bad: float | None = None
    _doubted: float | None = None

    def told(self, works: bool, at: float, reason: str) -> bool:
        """Take in one result; True if it contradicts what is believed and should be asked again soon."""
        good = self.last_good
        if works:
            self.last_good, self.first_bad = at, None
        elif self.first_bad is None:
            self.first_bad = at
        if works == self.up or (works and self.up is None):
            if self.up is None:
                self.up, self.since = True, at
            self.reason, self._doubted = reason, None
            return False
        if self._doubted is None:
            self._doubted = at
            return True
        first, self._doubted = self._doubted, None
        self.up, self.reason = works, reason
        self.since = first if works else (good if good is not None else first)
        return False

    def forget(self) -> None:
        """Nothing is known any more."""
        self.up = self.since = self.first_bad = self._doubted = None
        self.reason = ""


@dataclass(slots=True)
class Watch:
    """One service over one path. `every` is the routine time between two probes; `ended` when the last one did."""

    name: str
    service: Service
    path: str
    way: Way
    every: float
    due: float
    servers: tuple[str, ...]
    standing: Standing = field(default_factory=Standing)
    outcome: Outcome | None = None
    expiry: float | None = None
    proven: float | None = None
    ended: float | None = None
    urgent: bool = False
    problem: str = "not measured yet"
    route: Route = field(default_factory=Route)
    task: asyncio.Task[None] | None = None

    def pace(self) -> float:
        """Seconds until the next probe when nothing else asks for one."""
        failing = self.outcome is not None and self.outcome.reason != ""
        if not self.route.metered:
            return min(self.every, _FAILING_EVERY) if failing and math.isfinite(self.every) else self.every
        if self.path == DEFAULT_PATH:
            return max(self.every, _FAILING_EVERY_METERED)
        return min(self.every, 2 * _FAILING_EVERY_METERED) if failing else self.every

    def known(self, now: float) -> bool:
        """True while the last result says something about now."""
        if self.standing.up is None or self.ended is None:
            return False
        pace = self.pace() if math.isfinite(self.every) else _FAILING_EVERY_METERED
        return now - self.ended < 3 * max(pace, self.service.every) + 2 * self.service.timeout


class ServiceProbes:
    """Probes `services` over `paths` (label -> bind and routine seconds, 0 for the service's own) for one terminal.

    `primary` is the label of the uplink that the yard normally uses. What is called `PROOF` is asked for over
    `standbys`, and over another path only when it failed there. `start` and `stop` on the engine's loop.
    """

    def __init__(
        self,
        terminal: str,
        services: Mapping[str, Service],
        paths: Mapping[str, tuple[str | None, float]],
        primary: str,
        engine: Engine,
        ground: Ground,
        resolvers: tuple[str, ...] = (),
        dns_port: int = 53,
        standbys: Collection[str] = (),
    ) -> None:
        self._terminal, self._engine, self._ground = terminal, engine, ground
        self._leading = (DEFAULT_PATH, CENTRE, primary)
        self._stalls = 0
        self.due = -1.0
        self.watches = [
            Watch(
                name,
                service,
                path,
                Way(Resolver(bind, (), dns_port)),
                max(every, service.every) if name != PROOF or path in standbys else math.inf,
                0.0,
                resolvers,
            )
            for name, service in services.items()
            for path, (bind, every) in paths.items()
        ]

    def start(self) -> None:
        """Begin to probe, if there is anything to be."""
        if not self.watches:
            return
        now = time.monotonic()
        for watch in self.watches:
            watch.due = now + random.uniform(0, min(watch.service.every, _FAILING_EVERY) / 2)
        self._engine.watch(self)
        self._engine.schedule(self, now + _LOOK_EVERY)

    def stop(self) -> None:
        """Stop probing; what is under way is given up."""
        if not self.watches:
            return
        self._engine.cancel(self)
        self._engine.unwatch(self)
        for watch in self.watches:
            if watch.task is not None:
                watch.task.cancel()

    def stalled(self, now: float) -> None:
        """Probing stood still: what was under way proves nothing."""
        self._stalls += 1

    def fire(self, now: float) -> None:
        """Begin what is due on paths that are open."""
        self._engine.schedule(self, now + _LOOK_EVERY)
        for watch in self.watches:
            if watch.task is None:
                self._look(watch, self._ground.service_route(watch.path, now), now)

    def _look(self, watch: Watch, route: Route, now: float) -> None:
        before, watch.route = watch.route, route
        if route.closed:
            watch.standing.forget()
            watch.problem = route.closed
            return
        if (before.closed or not before.same_wires(route)) and self._outdated(watch, now, _FRESH_METERED):
            # Back, or by another uplink than before: what was measured says nothing about this.
            watch.urgent = watch.urgent or watch.ended is not None
            watch.due = min(watch.due, now)
        if now < watch.due or route.doubtful:
            return
        purses = self._pay(watch, now)
        if purses is None:
            watch.due = now + _PAY_AGAIN_AFTER
            return
        watch.task = asyncio.get_running_loop().create_task(self._probe(watch, purses))

    def _pay(self, watch: Watch, now: float) -> list[tuple[Wire, Purse]] | None:
        """Take the most that a probe can cost from everybody who may have to carry it; None if one cannot pay."""
        wall, paid = time.time(), list[tuple[Wire, Purse]]()
        purses: tuple[Purse, ...] = ("urgent", "services") if watch.urgent else ("services",)
        for wire in watch.route.wires:
            if wire.account is None:
                continue
            purse = next((each for each in purses if wire.account.take(each, SERVICE_CEILING, wall)), None)
            if purse is None:
                self._settle(paid, 0)
                return None
            paid.append((wire, purse))
        return paid

    def _settle(self, paid: list[tuple[Wire, Purse]], used: int) -> None:
        wall = time.time()
        for wire, purse in paid:
            assert wire.account is not None
            wire.account.give_back(purse, SERVICE_CEILING - used, wall)

    async def _probe(self, watch: Watch, paid: list[tuple[Wire, Purse]]) -> None:
        meter, stalls, wires = Meter(), self._stalls, watch.route.wires
        outcome, problem = None, ""
        try:
            outcome = await self._ask(watch, meter)
        except OSError as error:
            problem = error.strerror or str(error)
        except Exception:
            problem = "a bug of ours"
            log.exception("a service was not asked", extra={"kv": self._names(watch)})
        finally:
            for wire in wires:
                wire.count(meter.bytes)
            self._settle(paid, meter.bytes)
            watch.task = None
        self._conclude(watch, outcome if stalls == self._stalls else None, problem)

    async def _ask(self, watch: Watch, meter: Meter) -> Outcome:
        resolver = watch.way.resolver
        resolver.servers = watch.servers or system_resolvers(own=watch.path in (DEFAULT_PATH, CENTRE))
        way = Way(resolver, FRUGAL if watch.route.metered else None)
        return await ask(watch.service, way, await context(watch.service.ca_file), meter)

    def _conclude(self, watch: Watch, outcome: Outcome | None, problem: str) -> None:
        now = time.monotonic()
        route = self._ground.service_route(watch.path, now)
        watch.urgent = False
        believed = outcome is not None and (not outcome.reason or not route.doubtful)
        if outcome is None or not believed or route.closed or not route.same_wires(watch.route):
            if problem and problem != watch.problem:
                log.warning("a service cannot be asked", extra={"kv": {**self._names(watch), "reason": problem}})
            watch.problem = problem or watch.problem
            watch.due = now + min(watch.every, _FAILING_EVERY)
            return
        watch.problem = ""
        watch.outcome, watch.ended, watch.expiry = outcome, now, outcome.expiry or watch.expiry
        before, works = watch.standing.up, outcome.reason == ""
        if works:
            watch.proven = now
        doubtful = watch.standing.told(works, now, f"{outcome.reason}: {outcome.detail}" if outcome.reason else "")
        if watch.standing.up != before:
            self._say(watch)
        watch.due = now + (_CONFIRM_AFTER if doubtful else watch.pace() * random.uniform(0.95, 1.05))
        watch.urgent = doubtful or (watch.path == DEFAULT_PATH and route.metered)
        if not works:
            self._ground.service_failed(watch.path, now)
            if watch.path in self._leading or (watch.name == PROOF and math.isfinite(watch.every)):
                self._compare(watch, now)

    def _compare(self, failed: Watch, now: float) -> None:
        """Does it work over another path? Asked once it has failed over this one, and then again and again."""
        began = failed.standing.first_bad or now
        for other in self.watches:
            if other.name != failed.name or other is failed or other.task is not None:
                continue
            if self._outdated(other, now, _FAILING_EVERY_METERED) or (other.ended or 0.0) < began:
                other.urgent, other.due = True, min(other.due, now)

    def _outdated(self, watch: Watch, now: float, where_metered: float) -> bool:
        return watch.ended is None or now - watch.ended > (where_metered if watch.route.metered else _FRESH)

    def _names(self, watch: Watch) -> dict[str, str]:
        return {"terminal": self._terminal or CENTRE, "service": watch.name, "uplink": watch.path}

    def _say(self, watch: Watch) -> None:
        state = "works" if watch.standing.up else "fails"
        log.info("service changed", extra={"kv": {**self._names(watch), "to": state, "reason": watch.standing.reason}})

    # What is told

    def samples(self, now: float, shift: float) -> Samples:
        """All families, as of `now` (monotonic seconds); `shift` makes it wall-clock time."""
        found: Samples = {}
        for watch in self.watches:
            labels = (self._terminal, watch.name, watch.path)
            for metric, more, value in self._of(watch, now, shift):
                found.setdefault(metric, {})[(*labels, *more)] = value
        return found

    def _of(self, watch: Watch, now: float, shift: float) -> Iterator[tuple[Metric, tuple[str, ...], float | None]]:
        standing, outcome = watch.standing, watch.outcome
        if watch.ended is not None:
            yield m.SERVICE_LAST_PROBE, (), watch.ended + shift
        if watch.expiry is not None:
            yield m.SERVICE_CERTIFICATE_EXPIRY, (), watch.expiry
        if outcome is None or not watch.known(now):
            return
        yield m.SERVICE_UP, (), float(standing.up is True)
        yield m.SERVICE_SINCE, (), standing.since + shift if standing.since is not None else None
        yield m.SERVICE_FIRST_FAILURE, (), standing.first_bad + shift if standing.first_bad is not None else None
        yield m.SERVICE_RESPONSE, (), outcome.seconds
        for phase, seconds in outcome.phases.items():
            yield m.SERVICE_PHASE, (phase,), seconds
        if standing.up is False:
            yield m.SERVICE_FAILURE, (standing.reason.partition(":")[0],), 1.0

    def readiness(self, uplink: str, now: float) -> dict[Check, bool]:
        """What was proven of this uplink: the checks dns, https and service; what is not known is left out."""
        works = {watch.name for watch in self.watches if watch.standing.up and watch.known(now)}
        return asked(
            Finding(
                works=watch.standing.up is True,
                secure=watch.service.secure,
                named=watch.outcome.named if watch.outcome is not None else None,
                elsewhere=watch.name in works,
                work=watch.name != PROOF,
            )
            for watch in self.watches
            if watch.path == uplink and watch.known(now)
        )

    def proven_at(self, uplink: str) -> float | None:
        """When something last worked over this uplink, over TLS where anything is asked so (monotonic seconds)."""
        here = [watch for watch in self.watches if watch.path == uplink]
        proofs = [watch for watch in here if watch.service.secure] or here
        return max((watch.proven for watch in proofs if watch.proven is not None), default=None)

    def rows(self, now: float, shift: float) -> Iterator[tuple[str, str, float | None, str]]:
        """For people: what, state, since when (unix seconds), why."""
        for watch in self.watches:
            standing = watch.standing
            state = ("works" if standing.up else "fails") if watch.known(now) else "unknown"
            since = standing.since + shift if standing.since is not None else None
            what = f"{self._terminal} {watch.name} over {watch.path}".strip()
            yield what, state, since, standing.reason or watch.problem


class CentreServices:
    """The services of a fleet as the centre sees them: each once, however many terminals work with it."""

    def __init__(self, fleet: Fleet, engine: Engine) -> None:
        self.fleet = fleet.fleet
        self._wires = (Wire(),)
        paths = {CENTRE: (None, 0.0)}
        self.probes = ServiceProbes("", services_of(fleet), paths, CENTRE, engine, self, fleet.resolvers)

    def service_route(self, path: str, now: float) -> Route:
        """The centre's own line is not judged: a service fails from here only where all else works from here."""
        return Route(self._wires)

    def service_failed(self, path: str, now: float) -> None:
        """There is no other path to look at."""

    def start(self) -> None:
        """Begin to probe."""
        self.probes.start()

    def stop(self) -> None:
        """Stop probing."""
        self.probes.stop()

    def blocks(self) -> list[Block]:
        """All families, as of now."""
        now = time.monotonic()
        samples = self.probes.samples(now, time.time() - now)
        return [block(metric, self.fleet, {**found}) for metric, found in samples.items()]


def services_of(fleet: Fleet) -> dict[str, Service]:
    """Every service of a fleet, as the first terminal that has it says."""
    found: dict[str, Service] = {}
    for terminal in fleet.terminals.values():
        for name, service in terminal.services.items():
            found.setdefault(name, service)
    return found


async def context(ca_file: str | None) -> ssl.SSLContext:
    """Whom to trust. Reading all authorities takes a while, so it is done once and not on the loop."""
    if ca_file not in _contexts:
        _contexts[ca_file] = await asyncio.to_thread(ssl.create_default_context, cafile=ca_file)
    return _contexts[ca_file]
