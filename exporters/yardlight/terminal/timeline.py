"""How long each state lasted, written so that a report can tell "it was well" from "nobody looked".

Pure: times are monotonic seconds, `shift` is what makes them unix seconds. A span claims only time that was watched: it
grows with each look, and after a stall, a suspend, a step of the clock or a restart a new one begins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from yardlight.state import Span

# The wall clock moved against the monotonic one by more than a clock that is only disciplined would.
CLOCK_STEP = 1.0


class Timeline:
    """The states of one path. `see` what it is, at each change and now and then between; write what comes back."""

    def __init__(self, fleet: str, terminal: str, path: Literal["pinned", "default"]) -> None:
        self._empty = Span(fleet, terminal, path, "", "", 0.0, 0.0)
        self._present: Span | None = None
        self._shift = 0.0

    def see(self, uplink: str, state: str, since: float | None, now: float, shift: float) -> list[Span]:
        """The spans to write: the present one as far as `now` and, if this state is new, the one before.

        `since` is when the state began, which may be before anybody knew (a circuit is down since its last answer);
        time that was not watched is not claimed for it.
        """
        stepped = abs(shift - self._shift) > CLOCK_STEP
        self._shift = shift
        before, end = self._present, now + shift
        if before is None or stepped:
            self._present = replace(self._empty, uplink=uplink, state=state, start=end, end=end)
            return [self._present]
        if (before.uplink, before.state) == (uplink, state):
            self._present = replace(before, end=end)
            return [self._present]
        begun = end if since is None or before.state == state else min(max(since + shift, before.start), end)
        self._present = replace(before, uplink=uplink, state=state, start=begun, end=end)
        return [replace(before, end=begun), self._present]

    def interrupt(self) -> None:
        """Nothing was watched for a while: what was written stands, the next look begins a new span."""
        self._present = None
