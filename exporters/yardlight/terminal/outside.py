"""The centre's view: does the public address of each uplink answer from outside?

Tells "box unplugged" from "site dark", and works as a first step with no yard box at all. An address that never
answered says nothing (many firewalls drop echoes), so there is no sample before the first answer. That it once did is
remembered: a site that goes dark while the centre starts anew is missed all the same.
"""

from __future__ import annotations

import time

from yardlight import catalogue as m
from yardlight.exposition import Block, block
from yardlight.inventory.models import Fleet, Target
from yardlight.state import State
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

    def __init__(self, fleet: Fleet, engine: Engine, state: State) -> None:
        self.fleet, self.engine, self._state = fleet.fleet, engine, state
        self.paths: dict[tuple[str, str], Path] = {}
        for terminal in fleet.terminals.values():
            for uplink in terminal.uplinks.values():
                if (address := uplink.circuit.outside) is not None:
                    target = Target(label=address, host=address)
                    path = Path(engine, self, f"{terminal.name} {uplink.name}", None, (target,), 2.0, Pace(INTERVAL))
                    path.proofs_wanted = False
                    self.paths[(terminal.name, uplink.name)] = path
        self._once_answered = {
            path
            for (terminal, uplink), path in self.paths.items()
            if state.recall(self.fleet, terminal, _memory(uplink)) == path.lanes[0].target.host
        }
        # Since when an answer would have been heard, monotonic seconds.
        self._listening_since = time.monotonic()

    def start(self) -> None:
        """Begin to probe."""
        now = self._listening_since = time.monotonic()
        for index, path in enumerate(self.paths.values()):
            path.start(now, index / len(self.paths))
        self.engine.watch(self)

    def stop(self) -> None:
        """Stop probing."""
        for path in self.paths.values():
            path.stop()
        self.engine.unwatch(self)

    def stalled(self, now: float) -> None:
        """Probing stood still: nothing is known until the next answer, or until none comes."""
        self._listening_since = now
        for path in self.paths.values():
            path.lanes[0].last_answer = None

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        """The lane notes when; that there was one is kept."""
        if path in self._once_answered:
            return
        self._once_answered.add(path)
        [(terminal, uplink)] = (key for key, each in self.paths.items() if each is path)
        self._state.remember(self.fleet, terminal, _memory(uplink), lane.target.host)

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
            samples[key] = self._answers(path, now)
        return [block(m.OUTSIDE_UP, self.fleet, samples)]

    def _answers(self, path: Path, now: float) -> float | None:
        last = path.lanes[0].last_answer
        if path.problem is not None or path not in self._once_answered:
            return None
        if last is None:
            return 0.0 if now - self._listening_since >= SILENT_AFTER else None
        return float(now - last < SILENT_AFTER)


def _memory(uplink: str) -> str:
    """Under which name it is kept which address of an uplink once answered."""
    return f"outside {uplink}"
