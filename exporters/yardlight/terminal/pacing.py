"""How often a path is probed; a yard's default path costs money while a metered uplink carries it, or might. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from yardlight.budget import ProbePlan


@dataclass(frozen=True, slots=True)
class Pace:
    """How a path is probed when nothing is wrong.

    `interval` is the seconds between two probes of one target or, with `rounds`, between two rounds (a probe of the
    next target and a proof). Each send takes `charge` bytes from the accounts of the path's wires: from their reserve
    first where `urgent`.
    """

    interval: float
    rounds: bool = False
    charge: int = 0
    urgent: bool = False


# Once a second, over an uplink that costs nothing.
FREE = Pace(1.0)
# After so long in the dark once a second is fast enough for a path that costs money.
DARK_FAST = 120.0
# How long the default path is probed fast from the reserve while a failback is expected.
FAILBACK_WATCH = 1800.0
# A primary that answered within so long answers.
_ANSWERS = 3.0


class Failback:
    """The primary answers again while the yard is on the standby: the router will move back at any moment."""

    def __init__(self) -> None:
        self._since: float | None = None

    def expected(self, on_standby: bool, primary_answered: float | None, now: float) -> bool:
        """True while it is worth looking closely; `primary_answered` is when the primary last did."""
        if not on_standby or primary_answered is None or now - primary_answered >= _ANSWERS:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since < FAILBACK_WATCH


def dark(since: float, echo: int, now: float) -> Pace:
    """Nothing answers since `since`, and a metered uplink may be the one to carry again: `echo` bytes a probe."""
    return Pace(1.0 if now - since < DARK_FAST else 5.0, charge=echo, urgent=True)


def metered(plan: ProbePlan, echo: int, failback_expected: bool) -> Pace:
    """A metered uplink carries: its routine budget is shared with the pinned path, a failback has the reserve."""
    if failback_expected:
        return Pace(1.0, charge=echo, urgent=True)
    return Pace(2 * plan.interval, rounds=True, charge=plan.round_bytes)
