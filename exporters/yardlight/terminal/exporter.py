"""One terminal: its uplinks' verdicts, the default path, failovers, and the samples that say so."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import asdict, dataclass, field, replace
from itertools import permutations
from typing import Any, Literal

from yardlight import catalogue as m
from yardlight.budget import INTERVALS_TO_DOWN, UNMETERED_DOWN_AFTER, ProbePlan, echo_bytes, plan, services_share
from yardlight.catalogue import Metric
from yardlight.exposition import Block, Histogram, block
from yardlight.inventory.models import Metered, Terminal, Uplink
from yardlight.state import Event, Span, State, Total
from yardlight.terminal.engine import Engine
from yardlight.terminal.metering import Account, Ledger
from yardlight.terminal.path import Pace, Path, TargetLane, Wire
from yardlight.terminal.pins import ALONE, DEFAULT, SILENT, Key, Pins, Proof
from yardlight.terminal.services import DEFAULT_PATH, Route, ServiceProbes
from yardlight.terminal.silence import SETTLE, Gap
from yardlight.terminal.stretch import Stretches
from yardlight.terminal.timeline import Timeline
from yardlight.terminal.totals import Totals
from yardlight.terminal.verdict import Judgement, Verdict

log = logging.getLogger(__name__)

TerminalState = Literal["primary", "standby", "dark", "unknown"]
TERMINAL_STATES: tuple[TerminalState, ...] = ("primary", "standby", "dark", "unknown")
UPLINK_STATES = ("up", "degraded", "down", "unknown")

BUSY, CALM = 0.1, 1.0
# Evidence about a path older than this says nothing about now (unmetered; a metered one: three rounds).
PROOF_VALID = 10.0
# Answers that do not heal a state for so long (a pin that cannot be proven) are looked at calmly.
SETTLED = 60.0
# So many unanswered questions in a row are no rate limit.
SILENT_AFTER = 3
# A first answer after a silence may be a fluke: the yard is called carried again after this long.
STEADY = 0.5
# Fast probing finds a metered uplink silent before its routine pace would.
HUSHED_SECONDS, HUSHED_PROBES = 3.0, 5
# How long the default path is probed fast from the reserve while a failback is expected.
FAILBACK_WATCH = 1800.0
# After so long in the dark once a second is fast enough for a path that costs money.
DARK_FAST = 120.0
_REMEMBER_EVERY = 30.0
_RESTORE_WITHIN = 86400.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the landing page: what, its state, since when (unix seconds) and why."""

    what: str
    state: str
    since: float | None
    reason: str


@dataclass(slots=True)
class UplinkWatch:
    """An uplink with all that is measured about it."""

    uplink: Uplink
    plan: ProbePlan
    wire: Wire
    path: Path
    verdict: Verdict
    rtt: Histogram
    metered: bool
    timeline: Timeline
    stretches: Stretches = field(default_factory=Stretches)
    was_silent: bool = False
    last_gap: float | None = None
    restored_answer: float | None = None


@dataclass(slots=True)
class Carrier:
    """What is known about who carries the yard. Times are monotonic seconds."""

    state: TerminalState = "unknown"
    since: float | None = None
    reason: str = "not measured yet"
    observed: str | None = None
    last: str | None = None
    gap: Gap | None = None
    resumed: float | None = None
    failback_expected: float | None = None
    last_gap: float | None = None
    last_failover: float | None = field(default=None)


class TerminalExporter:
    """Measures one terminal. `start` and `stop` on the engine's loop; `blocks` for the page, `status` for people."""

    def __init__(self, fleet: str, terminal: Terminal, engine: Engine, state: State) -> None:
        self.fleet, self.terminal, self.engine, self.state = fleet, terminal, engine, state
        self.due = -1.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._remembered = 0.0
        stored = state.recall(fleet, terminal.name, "verdicts") or {}
        age = time.time() - float(stored.get("at", 0.0))
        self._stored: dict[str, Any] = stored if 0 <= age < _RESTORE_WITHIN else {}
        signatures = {
            uplink: {(str(kind), int(number)): str(value) for kind, number, value in known}
            for uplink, known in (state.recall(fleet, terminal.name, "signatures") or {}).items()
        }
        self.pins = Pins({name: uplink.next_hop for name, uplink in terminal.uplinks.items()}, signatures)
        self.watches = {name: self._watch(uplink) for name, uplink in terminal.uplinks.items()}
        self.carrier = Carrier()
        self.timeline = Timeline(fleet, terminal.name, "default")
        self._any_metered = any(watch.metered for watch in self.watches.values())
        self._wires: dict[str, tuple[Wire, ...]] = {name: (watch.wire,) for name, watch in self.watches.items()}
        self._wires[DEFAULT] = self._default_wires()
        self.default = Path(
            engine,
            self,
            DEFAULT,
            terminal.default_path.bind,
            terminal.default_path.targets or terminal.targets or next(iter(terminal.uplinks.values())).targets,
            2.0,
            Pace(1.0),
            egress=terminal.egress,
            resolvers=terminal.resolvers,
        )
        self.default.proofs_wanted = self.pins.needed
        self.services = self._services()
        self.totals = Totals(state.totals(fleet, terminal.name))
        self._declare()
        self._restore()

    def _watch(self, uplink: Uplink) -> UplinkWatch:
        terminal, plan_ = self.terminal, plan(self.terminal, uplink)
        account = None
        if isinstance(uplink.metered, Metered):
            kept = self.state.recall(self.fleet, terminal.name, f"ledger {uplink.name}")
            share = services_share(terminal, uplink.metered)
            account = Account(uplink.metered, time.time(), Ledger(**kept) if kept else None, share)
        targets = uplink.targets or terminal.targets
        path = Path(
            self.engine,
            self,
            uplink.name,
            uplink.bind,
            targets,
            uplink.timeout,
            Pace(plan_.interval, rounds=account is not None, charge=plan_.round_bytes),
            egress=terminal.egress,
            next_hop=uplink.next_hop,
            resolvers=terminal.resolvers,
        )
        path.proofs_wanted = self.pins.needed
        # Rounds visit one target at a time, so a metered uplink is judged by whether anything answers.
        judged = 1 if account is not None else len(path.lanes)
        verdict = Verdict(
            judged,
            None if account is not None else uplink.quorum,
            plan_.down_after,
            uplink.up_after,
            uplink.degraded,
        )
        metered = account is not None
        return UplinkWatch(
            uplink,
            plan_,
            Wire(account),
            path,
            verdict,
            Histogram(m.UPLINK_RTT.buckets),
            metered,
            Timeline(self.fleet, terminal.name, "pinned"),
        )

    def _services(self) -> ServiceProbes:
        terminal = self.terminal
        paths = {DEFAULT_PATH: (terminal.default_path.bind, 0.0)}
        paths |= {name: (watch.uplink.bind, watch.plan.service_interval) for name, watch in self.watches.items()}
        primary = next(name for name, uplink in terminal.uplinks.items() if uplink.role == "primary")
        return ServiceProbes(terminal.name, terminal.services, paths, primary, self.engine, self, terminal.resolvers)

    def _declare(self) -> None:
        name = self.terminal.name
        self.totals.declare(m.GAP, (name,))
        for uplink in self.watches:
            self.totals.declare(m.UPLINK_GAP, (name, uplink))
            for other in self.watches:
                if other != uplink:
                    self.totals.declare(m.FAILOVERS, (name, uplink, other))

    def _restore(self) -> None:
        """Take up instants of the last run, so that an outage that goes on keeps its beginning."""
        shift = time.monotonic() - time.time()
        silences = {DEFAULT: self.default.silence, **{name: watch.path.silence for name, watch in self.watches.items()}}
        for name, (good, bad) in self._stored.get("silences", {}).items():
            if name in silences:
                silences[name].restore(good + shift, bad + shift if bad is not None else None)
        for name, watch in self.watches.items():
            watch.restored_answer = watch.path.silence.last_good
            watch.last_gap = self._stored.get("gaps", {}).get(name)
        self.carrier.last = self._stored.get("carrier") if self._stored.get("carrier") in self.watches else None
        self.carrier.last_gap = self._stored.get("gap")
        self.carrier.last_failover = self._stored.get("failover")

    # Life

    def start(self) -> None:
        """Begin to probe."""
        self._loop = asyncio.get_running_loop()
        now = time.monotonic()
        self._remembered = now - random.uniform(0, _REMEMBER_EVERY)
        paths = [self.default, *(watch.path for watch in self.watches.values())]
        for index, path in enumerate(paths):
            path.start(now, index / len(paths) / max(1, len(path.lanes)))
        self.engine.watch(self)
        self.engine.schedule(self, now + BUSY)
        self.services.start()

    def stop(self) -> None:
        """Stop probing and remember what a restart should know."""
        self.services.stop()
        self.engine.cancel(self)
        self.engine.unwatch(self)
        for path in (self.default, *(watch.path for watch in self.watches.values())):
            path.stop()
        self._remember(time.monotonic())

    def stalled(self, now: float) -> None:
        """Probing stood still; nobody was silent, we were not looking."""
        self.default.silence.forget()
        self.timeline.interrupt()
        for watch in self.watches.values():
            watch.timeline.interrupt()
            watch.path.silence.forget()
            watch.verdict.forget(now)

    # What paths tell

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        """A far target answered over `path`."""
        if path is self.default:
            if (carrying := self.carrier.observed) is not None and self.watches[carrying].metered:
                # What the yard's traffic shows about a metered circuit need not be paid for twice.
                self.watches[carrying].verdict.answered(0, sent)
            return
        watch = self.watches[path.name]
        watch.verdict.answered(0 if watch.metered else lane.index, sent)
        watch.rtt.observe(rtt)
        if not lane.hurried(sent):
            watch.verdict.quality.answered(sent + rtt, rtt)

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None:
        """A far target did not answer over `path`."""
        if path is not self.default and not lane.hurried(sent) and not path.silence.covers(sent, now):
            self.watches[path.name].verdict.quality.lost(now)

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None:
        """Evidence about which uplink `path` really takes."""
        before = self.pins.keys
        if self.pins.see(path.name, key, value, sent):
            self.engine.schedule(self, sent)
        if self.pins.keys != before:
            for each in (self.default, *(watch.path for watch in self.watches.values())):
                each.telling = self.pins.keys
            kept = {
                name: [[kind, number, known] for (kind, number), known in signature.items()]
                for name, signature in self.pins.signatures.items()
            }
            self.state.remember(self.fleet, self.terminal.name, "signatures", kept)

    def path_hurried(self, path: Path, now: float) -> None:
        """Something is wrong on `path`: judge at once, and often from now on."""
        self.engine.schedule(self, now)

    def path_wires(self, path: Path) -> tuple[Wire, ...]:
        """Whose bytes a probe on this path are."""
        return self._wires[path.name]

    def _default_wires(self) -> tuple[Wire, ...]:
        """In the dark, and before anything is known, the default path may go by any metered uplink."""
        if self.carrier.observed is not None:
            return (self.watches[self.carrier.observed].wire,)
        return tuple(watch.wire for watch in self.watches.values() if watch.metered)

    # What probes of services ask

    def service_route(self, path: str, now: float) -> Route:
        """The path with this label as far as its own probes know: what fails over a dead one says nothing."""
        if path == DEFAULT_PATH:
            silence = self.default.silence
            closed = self.carrier.state == "dark" or silence.last_good is None
            return Route(
                self._wires[DEFAULT], "nothing answers over the default path" if closed else "", silence.suspicious(now)
            )
        watch = self.watches[path]
        judgement = watch.verdict.judgement
        if judgement.state not in ("up", "degraded"):
            return Route((watch.wire,), f"{path} is {judgement.state}")
        return Route((watch.wire,), doubtful=watch.path.silence.suspicious(now))

    def service_failed(self, path: str, now: float) -> None:
        """A metered uplink would find out much later that it is dead: look now."""
        if path != DEFAULT_PATH and self.watches[path].metered:
            self.watches[path].path.hurry(now)

    # Judgement

    def fire(self, now: float) -> None:
        """Judge everything; more often while something is wrong."""
        if self.pins.needed and not self.pins.certain:
            self._infer(now)
        trouble = self._judge_default(now)
        for watch in self.watches.values():
            trouble |= self._judge_uplink(watch, now)
        if now - self._remembered > _REMEMBER_EVERY:
            self._remember(now)
        # Unevenly, or hundreds of terminals would come to be judged in the same instant.
        self.engine.schedule(self, now + (BUSY if trouble else CALM * random.uniform(0.8, 1.0)))

    def _judge_uplink(self, watch: UplinkWatch, now: float) -> bool:
        path, before = watch.path, watch.verdict.judgement
        path.check(now)
        silent = path.silence.confirmed(now)
        if silent and not watch.was_silent:
            self._look_at_siblings(path, now)
        if silent:
            watch.stretches.listen(path.segments, path.silence.last_good)
        watch.was_silent = silent
        if (gap := path.silence.finished(now)) is not None:
            self._uplink_gap(watch, gap)
        proof = self._proof(watch, now)
        judgement = watch.verdict.judge(
            now,
            sending=path.problem,
            hushed=watch.metered
            and watch.uplink.down_after is None
            and path.silence.lasting(now, HUSHED_SECONDS, HUSHED_PROBES),
            proven_at=proof.at,
            unproven=None if proof.pinned else proof.reason,
        )
        if judgement.state == "down" and watch.verdict.last_answer is None and watch.restored_answer is not None:
            judgement = watch.verdict.judgement = Judgement("down", watch.restored_answer, judgement.reason)
        if judgement.state != before.state:
            change = {"uplink": watch.uplink.name, "from": before.state, "to": judgement.state}
            self._say("uplink changed", {**change, "reason": judgement.reason})
            self._remember(now)
        return _in_motion(path, judgement.state in ("down", "unknown"), judgement.since, now)

    def _infer(self, now: float) -> None:
        """Many carriers hide their hops. With two uplinks, what is known of one still tells of the other.

        While one is dead, whatever answers came by the other. While both live, a hop that answers on one and keeps
        silent on the other, whose probes are answered, is the other's signature.
        """
        if len(self.watches) != 2:
            return
        for known, other in permutations(self.watches.values()):
            silence = known.path.silence
            if silence.confirmed(now):
                for path in (other.path, self.default):
                    last = path.silence.last_good
                    hidden = path is not self.default or path.questions.in_vain >= 2
                    if hidden and last is not None and last > (silence.first_bad or now):
                        self.pins.see(path.name, ALONE, other.uplink.name, last)
                continue
            for key in tuple(self.pins.signatures[known.uplink.name]):
                asked = self.pins.answered_at(known.uplink.name, key)
                if asked is None or now - asked > 2 * PROOF_VALID:
                    continue
                for path in (other.path, self.default):
                    last = path.silence.last_good
                    answers = last is not None and now - last < max(2.0, 1.5 * path.pace.interval)
                    if answers and path.asked_in_vain(key) >= SILENT_AFTER:
                        self.path_seen(path, key, SILENT, now)

    def _proof(self, watch: UplinkWatch, now: float) -> Proof:
        valid = PROOF_VALID
        if watch.metered:
            valid = max(PROOF_VALID, INTERVALS_TO_DOWN * watch.path.pace.interval)
        return self.pins.proof(watch.uplink.name, now, valid)

    def _look_at_siblings(self, path: Path, now: float) -> None:
        """One path fell silent: is the other one there to take over? A metered one would tell only much later."""
        for other in self.watches.values():
            if other.path is not path and other.metered:
                other.path.hurry(now)

    def _judge_default(self, now: float) -> bool:
        path, carrier = self.default, self.carrier
        path.check(now)
        if (gap := path.silence.finished(now)) is not None:
            carrier.gap = gap
        if path.problem is not None:
            self._carried("unknown", None, now, path.problem)
        elif path.silence.confirmed(now) or (
            path.silence.last_good is None and path.silence.lasting(now, HUSHED_SECONDS, HUSHED_PROBES)
        ):
            self._dark(now)
        elif path.silence.last_good is None:
            self._carried("unknown", None, now, "not measured yet")
        else:
            self._carried_by(now)
        self._default_gap(now)
        self._repace(now)
        return _in_motion(path, carrier.state in ("dark", "unknown"), carrier.since, now)

    def _dark(self, now: float) -> None:
        carrier, since = self.carrier, self.default.silence.last_good
        carrier.resumed = None
        if carrier.state != "dark":
            self._look_at_siblings(self.default, now)
            self._carried("dark", None, since or now - HUSHED_SECONDS, "nothing answers over the default path")

    def _carried_by(self, now: float) -> None:
        """The default path answers: by which uplink?"""
        carrier, path = self.carrier, self.default
        if carrier.state == "dark":
            if carrier.resumed is None:
                carrier.resumed = path.silence.last_good
                path.questions.hurry(now, 3.0)
            if carrier.resumed is None or now - carrier.resumed < STEADY:
                return
        resumed = carrier.resumed
        valid = max(PROOF_VALID, 3.5 * path.pace.interval) if path.pace.rounds else PROOF_VALID
        observed = self.pins.observed(max(now - valid, resumed or 0.0))
        if observed is None:
            if resumed is None or now - resumed > 3.0:
                self._carried("unknown", None, resumed or now, "which uplink carries the yard is not known")
        elif resumed is None and carrier.last not in (None, observed):
            self._moved_without_silence(observed, now)
        else:
            self._carried(self.watches[observed].uplink.role, observed, now if resumed is None else resumed, "")
            if carrier.last is None:
                carrier.last = observed
        if resumed is not None and carrier.gap is None and now - resumed > 2 * SETTLE:
            carrier.resumed = None

    def _moved_without_silence(self, observed: str, now: float) -> None:
        """Evidence names another uplink though hardly anything was lost, or it moved while nothing was measured."""
        measured = self.carrier.observed is not None
        self._carried(self.watches[observed].uplink.role, observed, now, "")
        blink = self.default.silence.blink
        if not measured:
            self._failover(observed, None)
        elif blink is not None and blink.end > now - PROOF_VALID:
            self._failover(observed, blink)
        else:
            self._failover(observed, Gap(now, now, 0.0, now))

    def _carried(self, state: TerminalState, observed: str | None, since: float, reason: str) -> None:
        carrier = self.carrier
        if carrier.observed != observed:
            carrier.observed = observed
            self._wires[DEFAULT] = self._default_wires()
        if carrier.state == state:
            carrier.reason = reason
            return
        self._say("terminal changed", {"from": carrier.state, "to": state, "uplink": observed, "reason": reason})
        carrier.state, carrier.since, carrier.reason = state, since, reason
        if state == "dark":
            carrier.resumed = None
        self._remember(time.monotonic())

    def _default_gap(self, now: float) -> None:
        """A silence of the default path is over: record it once it is known who carries now, or will not be."""
        carrier, gap = self.carrier, self.carrier.gap
        if gap is None or carrier.state == "dark" or (carrier.observed is None and now - gap.end < 5.0):
            return
        carrier.gap = None
        carrier.resumed = None
        if carrier.observed is not None and carrier.last is not None and carrier.observed != carrier.last:
            self._failover(carrier.observed, gap)
        else:
            self._record("gap", carrier.observed or "", gap, [self._gap_total(gap)])
            carrier.last = carrier.observed or carrier.last

    def _say(self, what: str, fields: dict[str, Any]) -> None:
        known = {key: value for key, value in fields.items() if value not in (None, "")}
        log.info(what, extra={"kv": {"terminal": self.terminal.name, **known}})

    def _gap_total(self, gap: Gap) -> Total:
        self.carrier.last_gap = gap.seconds
        return self.totals.add(m.GAP, (self.terminal.name,), gap.seconds)

    def _failover(self, to: str, gap: Gap | None) -> None:
        """The default path moved; `gap` is None if that happened while nothing was measured."""
        carrier, now = self.carrier, time.monotonic()
        came_from, carrier.last = carrier.last or "", to
        totals = [self.totals.add(m.FAILOVERS, (self.terminal.name, came_from, to), 1.0)]
        if gap is not None:
            totals.append(self._gap_total(gap))
        happened = gap or Gap(now, now, 0.0, now)
        carrier.last_failover = happened.end + time.time() - now
        self._record("failover", to, happened, totals, came_from=came_from, measured=gap is not None)

    def _uplink_gap(self, watch: UplinkWatch, gap: Gap) -> None:
        watch.last_gap = gap.seconds
        total = self.totals.add(m.UPLINK_GAP, (self.terminal.name, watch.uplink.name), gap.seconds)
        segment = watch.stretches.first_silent(watch.path.segments, gap)
        self._record("uplink_gap", watch.uplink.name, gap, [total], segment=segment)

    def _record(self, kind: str, uplink: str, gap: Gap, totals: list[Total], **detail: str | bool) -> None:
        shift = time.time() - time.monotonic()
        measured = {"uplink": uplink, "seconds": round(gap.seconds, 3), "error": round(gap.error, 3)}
        self._say(kind.replace("_", " "), {**measured, **detail})
        event = Event(
            self.fleet, self.terminal.name, kind, uplink, gap.start + shift, gap.end + shift,
            {"error": round(gap.error, 4), **detail},
        )  # fmt: skip
        # The time of an event counts as watched: its spans are written with the next look.
        self._remembered = float("-inf")
        loop = self._loop
        assert loop is not None

        def written() -> None:
            loop.call_soon_threadsafe(self.totals.show, totals)

        self.state.record(event, totals, written)

    def _repace(self, now: float) -> None:
        """The default path costs money while a metered uplink carries it, or might."""
        carrier, path = self.carrier, self.default
        standby = carrier.observed is not None and self.watches[carrier.observed].uplink.role == "standby"
        path.expectant = standby and self._failback_expected(now)
        if not self._any_metered:
            return
        echo = 2 * echo_bytes(bool(path.hop_target and ":" in path.hop_target))
        pace = Pace(1.0)
        if carrier.state == "dark":
            fast = carrier.since is not None and now - carrier.since < DARK_FAST
            pace = Pace(1.0 if fast else 5.0, charge=echo, urgent=True)
        elif carrier.observed is not None and self.watches[carrier.observed].metered:
            if path.expectant:
                pace = Pace(1.0, charge=echo, urgent=True)
            else:
                routine = self.watches[carrier.observed].plan
                pace = Pace(2 * routine.interval, rounds=True, charge=routine.round_bytes)
        self._set_pace(path, pace, now)
        for name, watch in self.watches.items():
            if watch.metered:
                # Two paths share the routine budget of a metered uplink that carries the yard.
                shared = name == carrier.observed and path.pace.rounds
                self._set_pace(watch.path, replace(watch.path.pace, interval=watch.plan.interval * (1 + shared)), now)

    def _set_pace(self, path: Path, pace: Pace, now: float) -> None:
        if pace != path.pace:
            path.pace = pace
            self.engine.schedule(path, min(path.due, now + pace.interval) if path.due >= 0 else now)

    def _failback_expected(self, now: float) -> bool:
        """The primary answers again while the yard is on the standby: the router will move back at any moment."""
        carrier = self.carrier
        primary = next(watch for watch in self.watches.values() if watch.uplink.role == "primary")
        answered = primary.path.silence.last_good
        back = answered is not None and now - answered < 3.0
        if not back:
            carrier.failback_expected = None
            return False
        if carrier.failback_expected is None:
            carrier.failback_expected = now
        return now - carrier.failback_expected < FAILBACK_WATCH

    def _remember(self, now: float) -> None:
        """Write down what a restart and a report should know."""
        self._remembered = now
        shift = time.time() - time.monotonic()
        self.state.keep(self._spans(now, shift))
        name = self.terminal.name
        silences = {
            DEFAULT: self.default.silence,
            **{uplink: watch.path.silence for uplink, watch in self.watches.items()},
        }
        self.state.remember(
            self.fleet,
            name,
            "verdicts",
            {
                "at": time.time(),
                "silences": {
                    path: (
                        silence.last_good + shift,
                        silence.first_bad + shift if silence.first_bad is not None and silence.confirmed(now) else None,
                    )
                    for path, silence in silences.items()
                    if silence.last_good is not None
                },
                "gaps": {uplink: watch.last_gap for uplink, watch in self.watches.items()},
                "carrier": self.carrier.last,
                "gap": self.carrier.last_gap,
                "failover": self.carrier.last_failover,
            },
        )
        for uplink, watch in self.watches.items():
            if watch.wire.account is not None:
                ledger = watch.wire.account.ledger
                self.state.remember(
                    self.fleet,
                    name,
                    f"ledger {uplink}",
                    asdict(ledger),
                )

    def _spans(self, now: float, shift: float) -> list[Span]:
        carrier = self.carrier
        spans = self.timeline.see(carrier.observed or "", carrier.state, carrier.since, now, shift)
        for uplink, watch in self.watches.items():
            judgement = watch.verdict.judgement
            spans += watch.timeline.see(uplink, judgement.state, judgement.since, now, shift)
        return spans

    # What is told

    def blocks(self) -> list[Block]:
        """Every family of this terminal, as of now."""
        now, shift, name = time.monotonic(), time.time() - time.monotonic(), self.terminal.name
        carrier = self.carrier
        families: dict[Metric, dict[tuple[str, ...], float | Histogram | None]] = {
            m.TERMINAL_STATE: {(name, state): float(state == carrier.state) for state in TERMINAL_STATES},
            m.TERMINAL_STATE_SINCE: {(name,): carrier.since + shift if carrier.since is not None else None},
            m.LAST_GAP: {(name,): carrier.last_gap},
            m.LAST_FAILOVER: {(name,): carrier.last_failover},
            m.DEFAULT_SENT: {(name, lane.target.label): float(lane.sent) for lane in self.default.lanes},
            m.DEFAULT_LOST: {(name, lane.target.label): float(lane.lost_count) for lane in self.default.lanes},
            m.TERMINAL_PATH: {(name, uplink, "observed"): float(uplink == carrier.observed) for uplink in self.watches},
        }
        for metric in (m.GAP, m.UPLINK_GAP, m.FAILOVERS):
            families[metric] = {**self.totals.samples(metric)}
        for uplink, watch in self.watches.items():
            self._uplink_samples(families, uplink, watch, now, shift)
        families |= self.services.samples(now, shift)
        return [block(metric, self.fleet, samples) for metric, samples in families.items()]

    def _uplink_samples(
        self,
        families: dict[Metric, dict[tuple[str, ...], float | Histogram | None]],
        uplink: str,
        watch: UplinkWatch,
        now: float,
        shift: float,
    ) -> None:
        name, judgement = self.terminal.name, watch.verdict.judgement
        proof = self._proof(watch, now)

        def put(metric: Metric, labels: tuple[str, ...], value: float | Histogram | None) -> None:
            families.setdefault(metric, {})[labels] = value

        for state in UPLINK_STATES:
            put(m.UPLINK_STATE, (name, uplink, state), float(state == judgement.state))
        put(
            m.UPLINK_STATE_SINCE,
            (name, uplink),
            judgement.since + shift if judgement.since is not None else None,
        )
        put(m.UPLINK_PINNED, (name, uplink), None if proof.pinned is None else float(proof.pinned))
        put(m.UPLINK_INTERVAL, (name, uplink), watch.plan.interval)
        put(m.UPLINK_RTT, (name, uplink), watch.rtt)
        put(m.UPLINK_LAST_GAP, (name, uplink), watch.last_gap)
        put(m.PROBE_BYTES, (name, uplink), float(watch.wire.bytes))
        if watch.uplink.role == "standby":
            if judgement.state != "unknown":
                put(m.STANDBY_READY, (name, uplink, "path"), float(judgement.state != "down"))
            for check, ready in self.services.readiness(uplink, now).items():
                put(m.STANDBY_READY, (name, uplink, check), ready)
            if (proven := self.services.proven_at(uplink)) is not None:
                put(m.STANDBY_PROOF, (name, uplink), proven + shift)
        if isinstance(watch.uplink.metered, Metered):
            put(m.PROBE_BUDGET, (name, uplink), float(watch.uplink.metered.budget))
        for lane in (*watch.path.lanes, *watch.path.segments):
            labels = (name, uplink, lane.target.label, lane.segment)
            put(m.UPLINK_SENT, labels, float(lane.sent))
            put(m.UPLINK_LOST, labels, float(lane.lost_count))
        for segment, answers in self._segments(watch, now).items():
            put(m.UPLINK_SEGMENT_UP, (name, uplink, segment), float(answers))

    def _segments(self, watch: UplinkWatch, now: float) -> dict[str, bool]:
        """Which stretches of the path answer; a stretch nobody probes, or never heard of, is left out."""
        if watch.path.problem is not None:
            return {}
        found: dict[str, bool] = {}
        for lane in watch.path.segments:
            if lane.last_answer is not None:
                answers = now - lane.last_answer < 2 * 5.0 + UNMETERED_DOWN_AFTER
                found[lane.segment] = found.get(lane.segment, False) or answers
        if watch.verdict.last_answer is not None:
            found["far"] = watch.verdict.judgement.state != "down" and not watch.path.silence.confirmed(now)
        return found

    def status(self) -> list[Row]:
        """For people: the terminal and each uplink, with the reason where something is not well."""
        shift = time.time() - time.monotonic()
        carrier = self.carrier

        def wall(since: float | None) -> float | None:
            return since + shift if since is not None else None

        rows = [Row(self.terminal.name, carrier.state, wall(carrier.since), carrier.reason)]
        for uplink, watch in self.watches.items():
            judgement = watch.verdict.judgement
            rows.append(Row(f"{self.terminal.name} {uplink}", judgement.state, wall(judgement.since), judgement.reason))
        return rows + [Row(*row) for row in self.services.rows(time.monotonic(), shift)]


def _in_motion(path: Path, troubled: bool, since: float | None, now: float) -> bool:
    """True while a verdict may be about to change: fast probing, or answers that do not fit a state that is not old."""
    if path.hurrying(now):
        return True
    return path.silence.suspicious(now) != troubled and (since is None or now - since < SETTLED or not troubled)
