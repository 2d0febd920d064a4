"""A terminal's router, polled for as long as it is in the inventory; one task, and nothing in it that waits for long.

What it said last is shown only while it answers: after a failed poll there is no claim, no signal and no counter.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.errors import SnmpError
from yardlight.exposition import Block, block
from yardlight.inventory.models import Check, Terminal
from yardlight.snmp import Agent, Missing, Oid, Session, Value
from yardlight.snmp.agents import agent_of
from yardlight.state import State
from yardlight.terminal.readiness import radio
from yardlight.terminal.routers import asking, claims, standard, traps
from yardlight.terminal.routers.asking import Known
from yardlight.terminal.routers.claims import Claim
from yardlight.terminal.routers.counters import Counters
from yardlight.terminal.routers.interpret import parse, uptime
from yardlight.terminal.routers.reading import Interface, Modem, RouterReading, Wan
from yardlight.terminal.routers.traffic import Traffic

log = logging.getLogger(__name__)

# After something vanished the tables are walked again soon, and less and less soon while nothing else changes.
REDISCOVER_FIRST, REDISCOVER_LAST = 60.0, 900.0
# Some agents think for minutes about a large table of routes, deaf to all else: they are asked ever less often.
ROUTES_FIRST, ROUTES_LAST = 300.0, 86400.0
# A router that keeps silent is asked once a poll, not three times.
_TRIES, _TRIES_WHEN_DOWN = 3, 1
# Clocks of routers are not exact: seconds, and a part of the time that passed.
_UPTIME_TOLERANCE, _UPTIME_SHARE = 5.0, 0.01
_WRAP = 2**32 / 100
TRAPS_APART = 5.0
# What a signal can be: below is noise, above is beside the mast.
PHYSICAL = {"rsrp": (-156.0, -31.0), "rsrq": (-43.0, 3.0), "sinr": (-30.0, 45.0), "rssi": (-130.0, -20.0)}
_SIGNALS = {"rsrp": m.MODEM_RSRP, "rsrq": m.MODEM_RSRQ, "sinr": m.MODEM_SINR, "rssi": m.MODEM_RSSI}
_FLAGS = {
    "registered": m.MODEM_REGISTERED, "roaming": m.MODEM_ROAMING, "connected": m.MODEM_CONNECTED,
    "sim_ready": m.MODEM_SIM_READY,
}  # fmt: skip
Families = dict[Metric, dict[tuple[str, ...], float | None]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the landing page."""

    what: str
    state: str
    since: float | None
    reason: str


class RouterWatch:
    """Polls one terminal's router. `start` and `stop` on the main loop; `blocks` for the page, `status` for people.

    `heard` is told after each poll which uplink the router says it uses, and when (monotonic seconds) it was asked; it
    says in how many seconds to ask again, if sooner than usual.
    """

    def __init__(
        self,
        fleet: str,
        terminal: Terminal,
        state: State,
        heard: Callable[[str | None, float], float | None] = lambda word, asked: None,
    ) -> None:
        assert terminal.router is not None
        assert terminal.router.snmp is not None
        self.fleet, self.terminal = fleet, terminal
        self.router, self.snmp = terminal.router, terminal.router.snmp
        self.agent: Agent | None = None
        self.known: Known | None = None
        self.reading: RouterReading | None = None
        self.claim = Claim(None, "not asked yet")
        self._remembered = 0.0
        self.problem: SnmpError | None = None
        self.last_success: float | None = None
        self.boot: float | None = None
        self.since: float | None = None
        self._state, self._heard = state, heard
        self._planned, self._sooner, self._doubted = 0.0, asyncio.Event(), False
        kept = state.recall(fleet, terminal.name, "router counters") or {}
        self._counters = Counters({key: (boot, wraps) for key, (boot, wraps) in kept.items()})
        self._kept = dict(self._counters.wraps)
        self._learned: dict[str, str] = state.recall(fleet, terminal.name, "router settings") or {}
        self._pulse: dict[Oid, Value] = {}
        # The router's uptime, and when by our clock it said so.
        self.heard: tuple[float, float] | None = None
        self._boots: int | None = None
        self._addresses: dict[Oid, Value] = {}
        self._route: tuple[str | None, tuple[tuple[Oid, Value], ...]] = (None, ())
        self._walked, self._pause = float("-inf"), REDISCOVER_LAST
        self.routes_after, self._routes_pause = float("-inf"), ROUTES_FIRST
        self._exposed: Families = {}
        self._traffic = Traffic()
        self._traps = {"accepted": 0, "refused": 0}
        self._trapped_at, self._told = float("-inf"), ""
        self._ready: list[tuple[str, Check, bool]] = []
        self._weak: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    # Life

    def start(self, within: float = 0.0) -> None:
        """Begin to poll, at some moment of the next seconds: hundreds of routers are not asked at once."""
        self._planned = time.monotonic() + random.uniform(0, within)
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"router of {self.terminal.name}")

    def stop(self) -> None:
        """Stop polling."""
        if self.router.traps is not None:
            traps.forget(self.router.traps, self.router.address, self._trapped)
        if self._task is not None:
            self._task.cancel()

    def hurry(self, after: float, doubted: bool = True) -> None:
        """Something moved: poll in so many seconds, and if `doubted` take no answer that may be older than the move."""
        self._doubted = self._doubted or doubted
        self._plan(after)

    def _plan(self, after: float) -> None:
        """Poll in so many seconds, unless that is later than planned."""
        self._planned = min(self._planned, time.monotonic() + after)
        self._sooner.set()

    async def _run(self) -> None:
        if self.router.traps is not None:
            await traps.listen(self.router.traps, self.router.address, self._trapped)
        while True:
            await self._until_planned()
            asked = time.monotonic()
            planned, self._planned = self._planned, float("inf")
            try:
                await self.poll()
            except Exception:
                # A bug in one poll must not end the polling; the router counts as not read.
                log.exception("a poll of a router failed", extra={"kv": {"terminal": self.terminal.name}})
                self._failed(SnmpError("bad_reply", "what it says could not be understood"))
            self._plan(max(planned + self.snmp.every - time.monotonic(), 0.5))
            again = self._heard(self.claim.uplink, asked)
            if again is not None:
                self._doubted = True
                self._plan(max(asked + again - time.monotonic(), 0.5))

    def _trapped(self, data: bytes) -> None:
        """Something came from the router's address. A flood of traps is no flood of polls."""
        try:
            if self.agent is None:
                raise SnmpError("unknown_engine", "it was never polled")
            bindings = traps.opened(data, self.agent)
        except SnmpError:
            self._traps["refused"] += 1
            return
        self._traps["accepted"] += 1
        if (told := traps.told(bindings)) is not None and (told.carries or told.interface == self._told):
            self._told = told.interface if told.carries else ""
        if time.monotonic() - self._trapped_at >= TRAPS_APART:
            self._trapped_at = time.monotonic()
            self.hurry(0.5)

    async def _until_planned(self) -> None:
        while (wait := self._planned - time.monotonic()) > 0:
            self._sooner.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), wait)

    async def poll(self) -> None:
        """Ask once, and take up what came."""
        try:
            if self.agent is None:
                self.agent = agent_of(self.router.address, self.snmp)
            self.agent.tries = _TRIES_WHEN_DOWN if self.problem else _TRIES
            async with Session(self.agent, deadline=max(self.snmp.every, 10.0) * 0.9) as session:
                values = await self._ask(session)
        except SnmpError as error:
            self._failed(error)
            return
        self._read(values)

    # Asking

    async def _ask(self, session: Session) -> dict[Oid, Value]:
        now = time.monotonic()
        if self.known is None or now - self._walked > self._pause:
            await self._discover(session, now)
        assert self.known is not None
        values = await asking.look(session, self.known)
        pulse = {name: values.get(name) for name in (standard.IF_NUMBER, standard.IF_CHANGED)}
        if self._restarted(values, now) or (self._pulse and pulse != self._pulse):
            await self._discover(session, now)
            values = await asking.look(session, self.known)
        elif any(isinstance(values.get(name), Missing) for name in self.known.asked[len(standard.PULSE) :]):
            self._pause = min(self._pause, REDISCOVER_FIRST)
        self._pulse = {name: values.get(name) for name in (standard.IF_NUMBER, standard.IF_CHANGED)}
        found = await self._default_route(session)
        return self.known.fixed | self._addresses | values | found

    async def _discover(self, session: Session, now: float) -> None:
        before = self.known
        self.known = await asking.discover(session, self.router.model)
        self._addresses = {}
        self._walked = now
        changed = before is None or before.asked != self.known.asked
        self._pause = REDISCOVER_LAST if changed else min(2 * self._pause, REDISCOVER_LAST)
        if before is None or before.stopped != self.known.stopped:
            for reason in self.known.stopped:
                log.warning("a table of a router was not read to its end", extra=self._kv(reason=reason))

    async def _default_route(self, session: Session) -> dict[Oid, Value]:
        """The default routes; with the addresses anew if they changed, as a new circuit has a new address."""
        now = time.monotonic()
        if now < self.routes_after:
            return {}
        try:
            afresh, self._doubted = self._doubted, False
            found, table = await asking.routes(session, self._route[0], afresh)
        except SnmpError as error:
            self.routes_after, self._routes_pause = now + self._routes_pause, min(2 * self._routes_pause, ROUTES_LAST)
            pause = f"{self.routes_after - now:.0f} s"
            log.warning("the default route cannot be read", extra=self._kv(reason=error.reason, again_in=pause))
            return {}
        self._routes_pause = ROUTES_FIRST
        route = (table, tuple(sorted(found.items())))
        if route != self._route and self._route[1]:
            self._addresses = (await session.walk(standard.ADDRESSES, asking.ROWS)).values
        self._route = route
        return found

    def _restarted(self, values: dict[Oid, Value], now: float) -> bool:
        """True if the router or its agent started anew since the last poll; sets the moment of the router's start."""
        seconds = uptime(values)
        boots = values.get(standard.ENGINE_BOOTS)
        agent_boots = boots if isinstance(boots, int) else None
        again = self._boots is not None and agent_boots is not None and agent_boots != self._boots
        self._boots = agent_boots
        if seconds is None:
            return again
        before, self.heard = self.heard, (seconds, now)
        restarted = False
        if before is not None:
            # Less than it was, or less than the time since: unless the ticks ran over, which they do in 497 days.
            elapsed = now - before[1]
            less = seconds < before[0] - _UPTIME_TOLERANCE or seconds + _UPTIME_TOLERANCE < elapsed
            ran_over = abs(before[0] + elapsed - _WRAP - seconds) < _UPTIME_TOLERANCE + _UPTIME_SHARE * elapsed
            restarted = less and not ran_over
        if self.boot is None or restarted:
            self.boot = time.time() - seconds
            if restarted:
                self._told = ""
                log.warning("the router has restarted", extra=self._kv(uptime=round(seconds)))
        return again or restarted

    # Taking up

    def _failed(self, error: SnmpError) -> None:
        if self.problem is None or self.problem.reason != error.reason:
            log.warning("the router cannot be read", extra=self._kv(reason=error.reason, detail=error.detail))
            self.since = time.time()
        if error.reason == "secret":
            self.agent = None
        self.problem, self.reading = error, None
        self.claim = Claim(None, "the router cannot be read")

    def _read(self, values: dict[Oid, Value]) -> None:
        assert self.known is not None
        reading = parse(self.known.profile, values)
        if self.problem is not None or self.last_success is None:
            log.info("the router is read", extra=self._kv(profile=reading.profile, model=reading.device.model))
            self.since = time.time()
        self.reading, self.problem, self.last_success = reading, None, time.time()
        # Only routes are answered from memory.
        self._remembered = standard.remembered(values, reading.default.table) if reading.default else 0.0
        said = claims.claim(reading, self.terminal)
        if said.uplink is None and self._told:
            # By the trap where the tables say nothing; it is a claim like any other.
            told = claims.of_name(self._told, reading, self.terminal)
            said = Claim(told, f"its trap said that {self._told!r} carries") if told else said
        if said != self.claim:
            log.info("the router's word", extra=self._kv(uplink=said.uplink or "unknown", why=said.why))
        self.claim = said
        self._exposed = self._counted(reading)
        self._traffic.see(self._through(reading), time.monotonic())
        self._learn(reading)
        self._ready = list(self._readiness(reading))
        self._weak = {uplink for uplink, check, passes in self._ready if check == "radio" and not passes}
        if (wraps := self._counters.wraps) != self._kept:
            self._kept = dict(wraps)
            self._state.remember(self.fleet, self.terminal.name, "router counters", wraps)

    def _through(self, reading: RouterReading) -> float | None:
        """Bytes that went through the uplink whose modem this is: by its interfaces, else by the modem's own count."""
        if self.router.only is None:
            return None
        of_interfaces = [
            (each.received, each.transmitted)
            for each, labels in self._interfaces(reading)
            if labels[2] == self.router.only
        ]
        of_modems = [
            (each.received, each.transmitted) for each, labels in self._modems(reading) if labels[2] == self.router.only
        ]
        counted = [float(count) for both in of_interfaces or of_modems for count in both if count is not None]
        return sum(counted) if counted else None

    def _learn(self, reading: RouterReading) -> None:
        """What is configured the first time that it is read is how it should be, unless the inventory knows better."""
        new = {name: value for name, value in self._watched(reading).items() if name not in self._learned}
        if new:
            self._learned |= new
            self._state.remember(self.fleet, self.terminal.name, "router settings", self._learned)

    def _watched(self, reading: RouterReading) -> dict[str, str]:
        """Settings whose change matters: checks, and whether an uplink's interface is switched on."""
        ours = {
            f"admin {each.names[0]}"
            for each in reading.interfaces
            if each.names and claims.of_interface(each, reading, self.terminal) is not None
        }
        settings = reading.settings.items()
        return {name: value for name, value in settings if not name.startswith("admin ") or name in ours}

    def _counted(self, reading: RouterReading) -> Families:
        """Counters are taken up once a poll, however often they are scraped."""
        found: Families = {}

        def count(metric: Metric, labels: tuple[str, ...], row: int | str, raw: int | None, wide: bool) -> None:
            if raw is not None:
                key = f"{row} {labels[1]} {metric.name}"
                found.setdefault(metric, {})[labels] = float(self._counters.expose(key, raw, wide, self.boot))

        for each, labels in self._interfaces(reading):
            count(m.INTERFACE_RECEIVED, labels, each.index, each.received, each.wide)
            count(m.INTERFACE_TRANSMITTED, labels, each.index, each.transmitted, each.wide)
        for modem, labels in self._modems(reading):
            # Where they are narrow nobody says so: what falls has begun anew.
            count(m.MODEM_RECEIVED, labels, modem.key, modem.received, True)
            count(m.MODEM_TRANSMITTED, labels, modem.key, modem.transmitted, True)
        return found

    # What is told

    def blocks(self) -> list[Block]:
        """Every family of this router, as of the last poll."""
        name = self.terminal.name
        families: Families = {
            m.ROUTER_LAST_POLL: {(name,): self.last_success},
            m.ROUTER_BOOT: {(name,): self.boot},
            m.ROUTER_REQUESTS: {(name,): float(self.agent.requests) if self.agent else 0.0},
            **(
                {m.ROUTER_TRAPS: {(name, key): float(n) for key, n in self._traps.items()}} if self.router.traps else {}
            ),
            m.ROUTER_RETRIES: {(name,): float(self.agent.retries) if self.agent else 0.0},
        }
        if self.problem is not None:
            families[m.ROUTER_UP] = {(name,): 0.0}
            families[m.ROUTER_FAILURE] = {(name, self.problem.reason): 1.0}
        elif self.reading is not None:
            families[m.ROUTER_UP] = {(name,): 1.0}
            families |= self._exposed
            self._samples(families, self.reading)
        return [block(metric, self.fleet, samples) for metric, samples in families.items()]

    def _samples(self, families: Families, reading: RouterReading) -> None:
        name = self.terminal.name

        def put(metric: Metric, labels: tuple[str, ...], value: float | None) -> None:
            families.setdefault(metric, {})[labels] = value

        device = reading.device
        put(m.ROUTER_INFO, (name, reading.profile, device.model or "", device.firmware or ""), 1.0)
        if self.claim.uplink is not None:
            put(m.ROUTER_CLAIM_DELAY, (name,), self.snmp.every + self._remembered)
            for uplink in self.terminal.uplinks:
                put(m.TERMINAL_PATH, (name, uplink, "claimed"), float(uplink == self.claim.uplink))
        if self._traffic.carries is not None and self.router.only is not None:
            put(m.TERMINAL_PATH, (name, self.router.only, "inferred"), float(self._traffic.carries))
        for setting, value in reading.settings.items():
            put(m.ROUTER_SETTING, (name, setting, value), 1.0)
        for setting, value in {**self._learned, **self.router.settings}.items():
            if setting in reading.settings:
                put(m.ROUTER_SETTING_EXPECTED, (name, setting, value), 1.0)
        for uplink, check, passes in self._ready:
            put(m.STANDBY_READY, (name, uplink, check), float(passes))
        for each, labels in self._interfaces(reading):
            put(m.INTERFACE_UP, labels, None if each.up is None else float(each.up))
        for wan, labels in self._wans(reading):
            put(m.WAN_UP, labels, None if wan.up is None else float(wan.up))
            put(m.WAN_LATENCY, labels, None if wan.latency is None else wan.latency / 1000)
            put(m.WAN_JITTER, labels, None if wan.jitter is None else wan.jitter / 1000)
            put(m.WAN_LOSS, labels, None if wan.loss is None else wan.loss / 100)
            if wan.state is not None:
                put(m.WAN_INFO, (*labels, wan.state.word), 1.0)
        for modem, labels in self._modems(reading):
            info = tuple(part or "" for part in (modem.operator, modem.plmn, modem.technology, modem.band))
            put(m.MODEM_INFO, (*labels, *info), 1.0)
            put(m.MODEM_TEMPERATURE, labels, modem.temperature)
            for signal, metric in _SIGNALS.items():
                if (measured := _signal(modem, signal)) is not None:
                    put(metric, labels, measured)
                    put(m.MODEM_SUSPECT, (*labels, signal), float(not _plausible(signal, measured)))
            for flag, metric in _FLAGS.items():
                said = getattr(modem, flag)
                put(metric, labels, None if said is None else float(said))

    def _readiness(self, reading: RouterReading) -> Iterator[tuple[str, Check, bool]]:
        """Checks of the standbys that modems answer for: uplink, check, whether it passes."""
        for modem in reading.modems:
            uplink = self.terminal.uplinks.get(claims.of_modem(modem, reading, self.terminal) or "")
            if uplink is None or uplink.role != "standby":
                continue
            signal = {name: _signal(modem, name) for name in _SIGNALS}
            known = {name: value for name, value in signal.items() if value is not None and _plausible(name, value)}
            strong = radio(known, uplink.radio.model_dump(), uplink.name in self._weak)
            checks: dict[Check, bool | None] = {
                "radio": strong, "registration": modem.registered, "sim": modem.sim_ready,
            }  # fmt: skip
            yield from ((uplink.name, check, passes) for check, passes in checks.items() if passes is not None)

    def _interfaces(self, reading: RouterReading) -> Iterator[tuple[Interface, tuple[str, ...]]]:
        """What is worth showing, each name once: of two of one name the one that works, of these the newest."""
        named: dict[str, Interface] = {}
        for each in reading.interfaces:
            name = each.names[0] if each.names else f"interface {each.index}"
            known = named.get(name)
            if not each.loops and (known is None or bool(each.up) >= bool(known.up)):
                named[name] = each
        for name, each in named.items():
            uplink = claims.of_interface(each, reading, self.terminal)
            if uplink is not None or each.enabled is not False:
                yield each, (self.terminal.name, name, uplink or "")

    def _wans(self, reading: RouterReading) -> Iterator[tuple[Wan, tuple[str, ...]]]:
        times = Counter(wan.name for wan in reading.wans)
        for wan in reading.wans:
            name = wan.name if times[wan.name] == 1 else f"{wan.name} {wan.interface or ''} {wan.key}"
            yield wan, (self.terminal.name, name, claims.of_wan(wan, reading, self.terminal) or "")

    def _modems(self, reading: RouterReading) -> Iterator[tuple[Modem, tuple[str, ...]]]:
        times = Counter(modem.name for modem in reading.modems)
        for modem in reading.modems:
            name = modem.name if times[modem.name] == 1 else f"{modem.name} {modem.key}"
            yield modem, (self.terminal.name, name, claims.of_modem(modem, reading, self.terminal) or "")

    def status(self) -> list[Row]:
        """For people: whether the router answers, and what it says."""
        what = f"{self.terminal.name} router"
        if self.problem is not None:
            return [Row(what, "unknown", self.since, str(self.problem))]
        if self.reading is None:
            return [Row(what, "unknown", None, "not asked yet")]
        says = self.claim.uplink or "unknown"
        return [Row(what, "up", self.since, f"claims {says}: {self.claim.why}")]

    def _kv(self, **fields: object) -> dict[str, dict[str, object]]:
        return {"kv": {"terminal": self.terminal.name, **{key: value for key, value in fields.items() if value}}}


def _plausible(signal: str, value: float) -> bool:
    least, most = PHYSICAL[signal]
    return least <= value <= most


def _signal(modem: Modem, signal: str) -> float | None:
    value: float | None = getattr(modem, signal)
    return modem.snr if value is None and signal == "sinr" else value
