"""One terminal: puts its paths, its verdicts and its record together, and says on the page what came out.

One number's way: a probe's answer reaches its lane and `path.py`, then `uplink.py` (a pinned path) or this module (the
default path); `fire` has both judged by `verdict.py` and `carrier.py`; what happened goes to `chronicle.py`, and
`telling.py` makes samples of all of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

from yardlight.budget import echo_bytes
from yardlight.exposition import Block, Renderer, block
from yardlight.inventory.models import Terminal
from yardlight.state import State
from yardlight.terminal import pacing, telling
from yardlight.terminal.carrier import PROOF_VALID, Carrier, Changed, Happening, Look, Moved
from yardlight.terminal.chronicle import Chronicle
from yardlight.terminal.comparison import SETTLE, Comparison
from yardlight.terminal.engine import Engine
from yardlight.terminal.inference import infer
from yardlight.terminal.lanes import TargetLane
from yardlight.terminal.memory import Memory
from yardlight.terminal.metering import Wire
from yardlight.terminal.pacing import Pace
from yardlight.terminal.path import Path
from yardlight.terminal.pins import DEFAULT, Key, Pins, Proof
from yardlight.terminal.sampling import Sampled, Samples
from yardlight.terminal.services import DEFAULT_PATH, Route, ServiceProbes
from yardlight.terminal.telling import Families, Row
from yardlight.terminal.uplink import HUSHED_PROBES, HUSHED_SECONDS, UplinkWatch

# Seconds between two judgements: while something is wrong; while a probe was lost lately, or those over a metered
# uplink are too rare for what follows; while nothing is: each probe brings the next judgement forward when the answer
# before it is overdue, and so does each loss.
BUSY, UNEASY, CALM = 0.1, 1.0, 4.0
# So long after a loss; by then a target that stays silent is out of the quorum.
UNEASY_FOR = 6.0
# Less than this is a clock that is kept right, not one that was set.
CLOCK_SET = 0.05
# Answers that do not heal a state for so long (a pin that cannot be proven) are looked at calmly.
SETTLED = 60.0


class TerminalExporter:
    """Measures one terminal. `start` and `stop` on the engine's loop; `blocks` for the page, `status` for people."""

    def __init__(self, fleet: str, terminal: Terminal, engine: Engine, state: State) -> None:
        self.fleet, self.terminal, self.engine = fleet, terminal, engine
        self.due = -1.0
        self._shift = 0.0
        self._renderer = Renderer(fleet)
        # What the last page told that does not change with each probe, and the lines that came of it.
        self._told: tuple[telling.Yard, list[telling.Line]] | None = None
        self._calm: list[Block] = []
        self._memory = Memory(fleet, terminal.name, state)
        self.chronicle = Chronicle(fleet, terminal.name, terminal.uplinks, state, compared=terminal.polled)
        self.pins = Pins(
            {name: uplink.next_hop for name, uplink in terminal.uplinks.items()}, self._memory.signatures()
        )
        self.watches = {
            name: UplinkWatch(terminal, uplink, engine, self, self._memory.ledger(name))
            for name, uplink in terminal.uplinks.items()
        }
        self.carrier = Carrier({name: uplink.role for name, uplink in terminal.uplinks.items()}, self._memory.carrier)
        self._primary = next(watch for watch in self.watches.values() if watch.uplink.role == "primary")
        self.comparison = Comparison()
        # Who polls the router asks it again in so many seconds.
        self.ask_router: Callable[[float], None] = lambda after: None
        self._failback = pacing.Failback()
        self._closely_until = 0.0
        self._uneasy_until = 0.0
        self._any_metered = any(watch.metered for watch in self.watches.values())
        self.default = Path(
            engine,
            self,
            DEFAULT,
            terminal.default_path.bind,
            terminal.default_path.targets or terminal.targets or next(iter(terminal.uplinks.values())).targets,
            2.0,
            pacing.FREE,
            wires=self._default_wires(),
            egress=terminal.egress,
            resolvers=terminal.resolvers,
        )
        self._paths = (self.default, *(watch.path for watch in self.watches.values()))
        for path in self._paths:
            path.proofs_wanted = self.pins.needed
        self.services = self._services()
        self.samples = self._samples()
        self._memory.restore(self.default.silence, self.watches, self.chronicle)

    def _services(self) -> ServiceProbes:
        terminal = self.terminal
        paths = {DEFAULT_PATH: (terminal.default_path.bind, 0.0)}
        paths |= {name: (watch.uplink.bind, watch.plan.service_interval) for name, watch in self.watches.items()}
        primary = self._primary.uplink.name
        standbys = [name for name, watch in self.watches.items() if watch.uplink.role == "standby"]
        return ServiceProbes(
            terminal.name, terminal.asked, paths, primary, self.engine, self, terminal.resolvers, standbys=standbys
        )

    def _samples(self) -> Samples:
        standbys = [
            Sampled(name, watch.uplink.bind, watch.wire, partial(getattr, watch, "record"))
            for name, watch in self.watches.items()
            if watch.uplink.role == "standby"
        ]
        asked, carrying = self.terminal.standby.throughput, partial(getattr, self.carrier, "observed")
        return Samples(self.terminal.name, asked, standbys, self.engine, self, carrying, self.terminal.resolvers)

    # Life

    def start(self) -> None:
        """Begin to probe."""
        now = time.monotonic()
        self._memory.start(now)
        for index, path in enumerate(self._paths):
            path.start(now, index / len(self._paths) / max(1, len(path.lanes)))
        self.engine.watch(self)
        self.engine.schedule(self, now + BUSY)
        self.services.start()
        self.samples.start()

    def stop(self) -> None:
        """Stop probing and remember what a restart should know."""
        self.services.stop()
        self.samples.stop()
        self.engine.cancel(self)
        self.engine.unwatch(self)
        for path in self._paths:
            path.stop()
        self._remember(time.monotonic())

    def look_closely(self, seconds: float) -> None:
        """A drill is under way for so long: on the standby probe as fast as where a failback is expected.

        A metered one pays that out of its reserve, as long as half of that is left.
        """
        self._closely_until = time.monotonic() + seconds

    def stalled(self, now: float) -> None:
        """Probing stood still; nobody was silent, we were not looking."""
        self._memory.interrupt()
        self.default.silence.forget()
        for watch in self.watches.values():
            watch.stalled(now)

    # What paths tell

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        """A far target answered over the default path."""
        carrying = self._carrying
        if carrying is not None and carrying.metered:
            # What the yard's traffic shows about a metered circuit need not be paid for twice.
            carrying.verdict.answered(0, sent)

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None:
        """The default path's loss is judged as silence only."""

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None:
        """Evidence about which uplink `path` really takes."""
        before = self.pins.keys
        if self.pins.see(path.name, key, value, sent):
            self.engine.schedule(self, sent)
            if path is self.default and path.closely and (asked := path.asked_before(key, sent)) is not None:
                self.pins.narrow(asked, sent)
        if self.pins.keys != before:
            for each in self._paths:
                each.telling = self.pins.keys
            self._memory.keep_signatures(self.pins.signatures)

    def path_hurried(self, path: Path, now: float) -> None:
        """Something is wrong on `path`: judge at once, and often from now on."""
        self.engine.schedule(self, now)

    def path_uneasy(self, now: float) -> None:
        """A probe of an uplink was lost: look more often for a while."""
        if now >= self._uneasy_until and self.due >= 0:
            self.engine.schedule(self, min(self.due, now + UNEASY))
        self._uneasy_until = now + UNEASY_FOR

    # What probes of services ask

    def service_route(self, path: str, now: float) -> Route:
        """The path with this label as far as its own probes know: what fails over a dead one says nothing."""
        if path == DEFAULT_PATH:
            silence = self.default.silence
            closed = self.carrier.state == "dark" or silence.last_good is None
            return Route(
                self.default.wires, "nothing answers over the default path" if closed else "", silence.suspicious(now)
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

    # What the router says

    def router_said(self, word: str | None, asked: float) -> float | None:
        """The uplink that the router says it uses, asked for at `asked`; in how many seconds to ask again, if soon."""
        differed = self.comparison.differ
        again = self.comparison.hear(word, asked)
        if self.comparison.differ and not differed:
            self.chronicle.disagreed(word or "", self.comparison.observed or "", asked)
        return again

    # Judgement

    def fire(self, now: float) -> None:
        """Judge everything; more often while something is wrong."""
        if self.pins.needed and not self.pins.certain:
            for inferred in infer(self.pins, self._paths[1:], self.default, now):
                self.path_seen(*inferred)
        trouble = self._judge_default(now)
        for watch in self.watches.values():
            trouble |= self._judge_uplink(watch, now)
        if self._memory.due(now):
            self._remember(now)
        # Unevenly, or hundreds of terminals would come to be judged in the same instant.
        calm = UNEASY if self._any_metered or now < self._uneasy_until else CALM
        self.engine.schedule(self, now + (BUSY if trouble else calm * random.uniform(0.8, 1.0)))

    def _judge_uplink(self, watch: UplinkWatch, now: float) -> bool:
        path, before = watch.path, watch.verdict.judgement
        path.check(now)
        if watch.hushed(now):
            self._look_at_siblings(path, now)
        if (gap := path.silence.finished(now)) is not None:
            self.chronicle.uplink_paused(watch.uplink.name, gap, watch.first_silent(gap))
            self._memory.hurry()
        judgement = watch.judge(self._proof(watch, now), now)
        if judgement.state != before.state:
            change = {"uplink": watch.uplink.name, "from": before.state, "to": judgement.state}
            self.chronicle.say("uplink changed", {**change, "reason": judgement.reason})
            self._remember(now)
        return _in_motion(path, judgement.state in ("down", "unknown"), judgement.since, now)

    def _proof(self, watch: UplinkWatch, now: float) -> Proof:
        return self.pins.proof(watch.uplink.name, now, watch.proof_valid)

    def _look_at_siblings(self, path: Path, now: float) -> None:
        """One path fell silent: is the other one there to take over? A metered one would tell only much later."""
        for other in self.watches.values():
            if other.path is not path and other.metered:
                other.path.hurry(now)

    def _judge_default(self, now: float) -> bool:
        path, carrier = self.default, self.carrier
        path.check(now)
        observed, resumed = carrier.observed, carrier.resumed
        for happened in carrier.look(self._look(now)):
            self._heed(happened, now)
        if carrier.observed != observed:
            path.carried_by(self._default_wires())
        if self.comparison.see(carrier.observed, now):
            self.ask_router(SETTLE)
        if (carrying := self._carrying) is not None:
            carrying.record.carried = time.time()
        if carrier.resumed is not None and resumed is None:
            path.questions.hurry(now, 3.0)
        self._repace(now)
        return _in_motion(path, carrier.state in ("dark", "unknown"), carrier.since, now)

    def _look(self, now: float) -> Look:
        path, silence = self.default, self.default.silence
        silent_since = None
        if silence.confirmed(now):
            silent_since = silence.last_good
        elif silence.last_good is None and silence.lasting(now, HUSHED_SECONDS, HUSHED_PROBES):
            silent_since = now - HUSHED_SECONDS
        return Look(
            now,
            path.problem,
            silent_since,
            silence.last_good,
            silence.finished(now),
            silence.blink,
            self.pins.sighting(),
            max(PROOF_VALID, 3.5 * path.pace.interval) if path.pace.rounds else PROOF_VALID,
            self.pins.turned,
        )

    def _heed(self, happened: Happening, now: float) -> None:
        if isinstance(happened, Changed):
            change = {"from": happened.before, "to": happened.state, "uplink": happened.uplink}
            self.chronicle.say("terminal changed", {**change, "reason": happened.reason})
            if happened.state == "dark":
                self._look_at_siblings(self.default, now)
            self._remember(now)
            return
        if isinstance(happened, Moved):
            self.chronicle.moved(happened)
        else:
            self.chronicle.paused(happened)
        self._memory.hurry()

    @property
    def _carrying(self) -> UplinkWatch | None:
        return self.watches[self.carrier.observed] if self.carrier.observed is not None else None

    def _default_wires(self) -> tuple[Wire, ...]:
        """In the dark, and before anything is known, the default path may go by any metered uplink."""
        if (carrying := self._carrying) is not None:
            return (carrying.wire,)
        return tuple(watch.wire for watch in self.watches.values() if watch.metered)

    def _repace(self, now: float) -> None:
        carrier, path, carrying = self.carrier, self.default, self._carrying
        on_standby = carrying is not None and carrying.uplink.role == "standby"
        path.expectant = self._failback.expected(on_standby, self._primary.path.silence.last_good, now)
        drill = now < self._closely_until
        for watch in self.watches.values():
            watch.closely = drill
        drill = drill and on_standby and carrying is not None and carrying.half_left()
        path.closely = drill and path.expectant
        path.expectant = path.expectant or drill
        if not self._any_metered:
            return
        echo = 2 * echo_bytes(bool(path.hop_target and ":" in path.hop_target))
        pace = pacing.FREE
        if carrier.state == "dark" and carrier.since is not None:
            pace = pacing.dark(carrier.since, echo, now)
        elif carrying is not None and carrying.metered:
            pace = pacing.metered(carrying.plan, echo, path.expectant)
        self._set_pace(path, pace, now)
        for name, watch in self.watches.items():
            if watch.metered:
                # Two paths share the routine budget of a metered uplink that carries the yard.
                shared = name == carrier.observed and path.pace.rounds
                self._set_pace(watch.path, watch.pace(shared), now)

    def _set_pace(self, path: Path, pace: Pace, now: float) -> None:
        if pace != path.pace:
            path.pace = pace
            self.engine.schedule(path, min(path.due, now + pace.interval) if path.due >= 0 else now)

    def _remember(self, now: float) -> None:
        for name, watch in self.watches.items():
            watch.record.prove(self.services.proven_at(name), time.time() - time.monotonic())
        self._memory.write(self.default.silence, self.carrier, self.watches, self.chronicle, now)

    # What is told

    def blocks(self) -> list[Block]:
        """Every family of this terminal, as of now."""
        now, shift, name = time.monotonic(), self._wall_shift(), self.terminal.name
        yard = telling.yard(self.carrier, self.comparison.differ, self.chronicle, shift)
        lines = [
            telling.line(watch, self._proof(watch, now), self.services, now, shift) for watch in self.watches.values()
        ]
        if (yard, lines) != self._told:
            self._told = (yard, lines)
            self._calm = self._rendered(telling.calm_samples(name, yard, lines))
        moving = self._rendered(telling.moving_samples(name, self.default, self.watches.values(), now + shift))
        services = self.services.samples(now, shift).items()
        return [*self._calm, *moving, *(self._renderer.block(metric, samples) for metric, samples in services)]

    def _rendered(self, families: Families) -> list[Block]:
        return [block(metric, self.fleet, samples) for metric, samples in families.items()]

    def _wall_shift(self) -> float:
        """What makes monotonic seconds wall-clock time: the same on every page, unless the clock was set."""
        shift = time.time() - time.monotonic()
        if abs(shift - self._shift) > CLOCK_SET:
            self._shift = shift
        return self._shift

    def status(self) -> list[Row]:
        """For people: the terminal, each uplink and each service, with the reason where something is not well."""
        shift = self._wall_shift()
        shown = telling.rows(self.terminal.name, self.carrier, self.watches, shift)
        return [*shown, *(Row(*row) for row in self.services.rows(time.monotonic(), shift))]


def _in_motion(path: Path, troubled: bool, since: float | None, now: float) -> bool:
    """True while a verdict may be about to change: fast probing, or answers that do not fit a state that is not old."""
    if path.hurrying(now):
        return True
    return path.silence.suspicious(now) != troubled and (since is None or now - since < SETTLED or not troubled)
