"""Is a modem's traffic that of a yard, or only its own? Inferred from what it counts, and said to be no more. Pure.

For a modem that stands beside the router: its own default route always goes by itself, so it can claim nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

# Bytes a second, both ways. Probes and a modem's own management stay under the first; a yard at night may do less than
# the second, so between them nothing changes.
IDLE, CARRYING = 2_000.0, 20_000.0


@dataclass(slots=True)
class Traffic:
    """`carries` is None until two readings have shown it, and while the counters begin anew."""

    carries: bool | None = None
    _total: float | None = None
    _at: float = 0.0

    def see(self, total: float | None, at: float) -> None:
        """Take in what is counted by now; None if it is not known."""
        before, since = self._total, self._at
        self._total, self._at = total, at
        if total is None or before is None or total < before or at <= since:
            self.carries = None
            return
        rate = (total - before) / (at - since)
        if rate >= CARRYING:
            self.carries = True
        elif rate < IDLE:
            self.carries = False
