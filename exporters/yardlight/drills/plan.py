"""What one run is to do and what it has learned so far: the two ends between which the runner works."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from yardlight.drills.conditions import Condition, primary_of, standby_of
from yardlight.drills.criteria import Checked
from yardlight.drills.live import word
from yardlight.drills.playbook import Playbook, Step
from yardlight.drills.timeline import Act, Told
from yardlight.inventory.models import Cut, Fleet, Terminal

# A person reads, walks and presses.
PERSON_SECONDS = 90.0


@dataclass(frozen=True)
class Plan:
    """What is to be run, where, for whom. `attended`: a person is there to read and press."""

    drill: str
    fleet: Fleet
    terminal: Terminal
    playbook: Playbook
    source: bytes
    who: str
    attended: bool = True
    override: str = ""
    approver: str = ""

    @property
    def limits(self) -> dict[str, float]:
        """The pass criteria as numbers of this terminal, written down before the run."""
        found = {}
        for name in type(self.playbook.criteria).model_fields:
            limit = getattr(self.playbook.criteria, name)
            if limit is not None:
                found[name] = limit.seconds(self.terminal)
        return found

    @property
    def lasts(self) -> float:
        """Seconds that the whole takes at most, if every step needs all of its time."""
        return sum(self._lasts(step) for step in self.playbook.steps)

    def _lasts(self, step: Step) -> float:
        limit = step.within or step.hold
        return limit.seconds(self.terminal) if limit is not None else PERSON_SECONDS

    def text(self, text: str) -> str:
        """A sentence of the playbook with this terminal's names and numbers."""
        primary = primary_of(self.terminal)
        circuit = self.terminal.uplinks[primary].circuit
        named = " ".join(part for part in (circuit.isp, circuit.id) if part)
        return text.format(
            terminal=self.terminal.name.replace("-", " ").title(),
            primary=word(self.terminal, primary),
            standby=word(self.terminal, standby_of(self.terminal)),
            circuit=named or primary,
            minutes=max(1, math.ceil(self.lasts / 60)),
            drops=self.playbook.drops,
        )

    @property
    def cut(self) -> Cut | None:
        """How the primary is cut here; None where a person does it."""
        return self.terminal.drill.cut if self.terminal.drill is not None else None

    @property
    def warning(self) -> str:
        """What it does to the yard, said before anybody approves it."""
        if not self.playbook.cuts:
            return "Nothing is cut."
        times = self.playbook.drops
        return f"dispatch will drop {times} times for about {self.terminal.switch_within:.0f} seconds"


@dataclass
class Known:
    """All that the run learned, for the judgement and the evidence."""

    conditions: list[Condition] = field(default_factory=list)
    cuts: dict[int, Act] = field(default_factory=dict)
    restored: dict[int, Act] = field(default_factory=dict)
    flaps: set[int] = field(default_factory=set)
    begun: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    on_standby: dict[int, float] = field(default_factory=dict)
    quiet_until: dict[int, float] = field(default_factory=dict)
    claimed: dict[int, tuple[float, float]] = field(default_factory=dict)
    checks: list[Checked] = field(default_factory=list)
    told: dict[str, Told] = field(default_factory=dict)
    alerts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    acknowledged: Mapping[str, Any] | None = None
    notices: list[Mapping[str, Any]] = field(default_factory=list)
    samples: list[Mapping[str, Any]] = field(default_factory=list)
    offsets: dict[str, tuple[float, float]] = field(default_factory=dict)
    aborted: str = ""
    refused: str = ""
