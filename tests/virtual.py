"""A clock that jumps: coroutines that sleep for days run in a moment, while real servers answer between the jumps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class Clock:
    """Stands in for the module `time` of whoever asks it for the time; only sleeping moves it."""

    def __init__(self, now: float) -> None:
        self._began, self._passed = now, 0.0

    def time(self) -> float:
        return self._began + self._passed

    def monotonic(self) -> float:
        return self._passed

    def pass_(self, seconds: float) -> None:
        self._passed += seconds

    def run(self, what: Coroutine[Any, Any, None]) -> None:
        """Run this to its end on a loop of this clock. What it does itself takes no time."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            runner.run(what)


class _Selector(selectors.SelectSelector):
    """Whoever would wait is at once where the waiting ends."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self._clock.pass_(timeout)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._clock.monotonic()
