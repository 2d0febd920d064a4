"""What a runner talks to: the terminal (`Yard`), the centre (`Centre`) and the clock, here or far away.

Two yards exist: in the same process (`desk.py`) and through `serve`'s HTTP (`talk.py`). Tests bring a third, in which
time is simulated.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from yardlight.drills.actions import Done
from yardlight.drills.guard import Charge
from yardlight.facts import TerminalFacts


@dataclass(frozen=True)
class Glance:
    """The terminal at one moment. `guard` is what is armed there, `holds` the fingerprint of the action it knows.

    `offset` is its clock minus the runner's, to within `error` seconds.
    """

    facts: TerminalFacts
    guard: Charge | None
    holds: str
    offset: float = 0.0
    error: float = 0.0


class Yard(Protocol):
    """The terminal's `serve`. All raise `DrillError` where it cannot be reached or refuses."""

    @property
    def remote(self) -> bool:
        """True if the runner is somewhere else, and may lose sight of it when a circuit is cut."""

    async def look(self, since: float | None) -> Glance: ...
    async def arm(self, charge: Charge) -> None: ...
    async def renew(self, drill: str) -> None: ...
    async def cut(self, drill: str) -> Done: ...
    async def restore(self, drill: str) -> Done: ...
    async def release(self, drill: str) -> None: ...
    async def lines(self, drill: str) -> Sequence[Mapping[str, Any]]:
        """What the guard wrote about this drill."""

    async def throughput(self) -> tuple[int, float]:
        """Bytes and seconds of the download that the inventory names, over the path that the yard uses."""


class Centre(Protocol):
    """Prometheus, Alertmanager and the drill receiver. All raise `DrillError` where they cannot be reached."""

    async def alerts(self, fleet: str, terminal: str) -> Sequence[Mapping[str, Any]]:
        """Alerts of this terminal as Alertmanager gives them."""

    async def knows(self, fleet: str, terminal: str) -> bool:
        """Whether the alert rules know that a drill is in progress at this terminal."""

    async def headroom(self, fleet: str, terminal: str, uplink: str) -> float | None:
        """How many seconds this standby's plan carries the yard at its usual load; None if that is not known."""

    async def query(self, expression: str, start: float, end: float, step: float) -> Mapping[str, Any]:
        """A range query: what was asked and the whole answer."""

    async def notices(self, since: float) -> Sequence[Mapping[str, Any]]:
        """Notifications that came to the drill receiver: {received, payload}, oldest first."""

    async def clock(self) -> tuple[float, float]:
        """Its clock minus the runner's, and the half width of that."""


class Clock(Protocol):
    """Time, which tests may simulate."""

    def now(self) -> float:
        """Unix seconds."""

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Until the event is set, at most so long."""


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
