"""The centre's view: does the public address of each uplink answer from outside?

Tells "box unplugged" from "site dark", and works as a first step with no yard box at all. An address that never
answered says nothing (many firewalls drop echoes), so there is no sample before the first answer.
"""

from __future__ import annotations

import time

from yardlight import catalogue as m
from yardlight.exposition import Block, block
from yardlight.inventory.models import Fleet, Target
from yardlight.terminal.engine import Engine
from yardlight.terminal.lanes import TargetLane
from yardlight.terminal.pacing import Pace
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Key

INTERVAL = 5.0
# Three probes without an answer, the timeout of the last one included.
SILENT_AFTER = 3 * INTERVAL + 2.0


class OutsideProbes:
    """Probes `circuit.outside` of every uplink of a fleet that has one."""

    def __init__(self, fleet: Fleet, engine: Engine) -> None:
        self.fleet, self.engine = fleet.fleet, engine
        self.paths: dict[tuple[str, str], Path] = {}
        for terminal in fleet.terminals.values():
            for uplink in terminal.uplinks.values():
                if (address := uplink.circuit.outside) is not None:
                    target = Target(label=address, host=address)
                    path = Path(engine, self, f"{terminal.name} {uplink.name}", None, (target,), 2.0, Pace(INTERVAL))
                    path.proofs_wanted = False
                    self.paths[(terminal.name, uplink.name)] = path

    def start(self) -> None:
        """Begin to probe."""
        now = time.monotonic()
        for index, path in enumerate(self.paths.values()):
            path.start(now, index / len(self.paths))
        self.engine.watch(self)

    def stop(self) -> None:
        """Stop probing."""
        for path in self.paths.values():
            path.stop()
        self.engine.unwatch(self)

    def stalled(self, now: float) -> None:
        """Probing stood still: nothing is known until the next answer."""
        for path in self.paths.values():
            path.lanes[0].last_answer = None

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        """Noted by the lane itself."""

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None:
        """Judged by age, not by loss."""

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None:
        """From outside there is no pin to prove."""

    def path_hurried(self, path: Path, now: float) -> None:
        """Nobody waits for the centre's view."""

    def blocks(self) -> list[Block]:
        """One sample for every address that ever answered."""
        now = time.monotonic()
        samples: dict[tuple[str, ...], float | None] = {}
        for key, path in self.paths.items():
            last = path.lanes[0].last_answer
            samples[key] = None if last is None or path.problem is not None else float(now - last < SILENT_AFTER)
        return [block(m.OUTSIDE_UP, self.fleet, samples)]
