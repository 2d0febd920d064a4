"""The running account of a metered uplink: what may still be sent, what was. Pure: times are wall-clock seconds.

The budget of a period is split: a routine share that is paid out evenly, and a reserve for incidents (half of it at
hand when the period starts, the other half paid out evenly). Whatever happens, the period's total cannot exceed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from yardlight.budget import MARGIN, period_seconds
from yardlight.inventory.models import Metered

# Routine tokens that may pile up while nothing was sent, in seconds of pay.
_PILE_SECONDS = 60.0


def period_start(metered: Metered, now: float) -> float:
    """Start of the budget period that `now` is in: the calendar month in UTC, or a whole multiple of `per`."""
    if metered.per == "month":
        moment = datetime.fromtimestamp(now, UTC)
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    return now // metered.per * metered.per


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a restart must know: the period and the bytes spent in it from each share."""

    period: float
    routine: float
    reserve: float


class Account:
    """Ask `routine` or `reserve` before sending; both say no rather than overdraw."""

    def __init__(self, metered: Metered, now: float, ledger: Ledger | None = None) -> None:
        self._metered = metered
        self._budget = metered.budget * MARGIN
        self._seconds = period_seconds(metered)
        start = period_start(metered, now)
        same = ledger is not None and ledger.period == start
        self._period = start
        self._routine_spent = ledger.routine if ledger is not None and same else 0.0
        self._reserve_spent = ledger.reserve if ledger is not None and same else 0.0
        self._pile = 0.0
        self._paid_until = now

    @property
    def ledger(self) -> Ledger:
        return Ledger(self._period, self._routine_spent, self._reserve_spent)

    def _pay(self, now: float) -> None:
        start = period_start(self._metered, now)
        if start != self._period:
            self._period, self._routine_spent, self._reserve_spent = start, 0.0, 0.0
        elapsed = max(0.0, now - self._paid_until)
        self._paid_until = now
        rate = self._budget * (1 - self._metered.reserve) / self._seconds
        self._pile = min(self._pile + rate * elapsed, max(rate * _PILE_SECONDS, 2000.0))

    def routine(self, size: int, now: float) -> bool:
        """Take `size` bytes from the routine share; False if they are not there yet."""
        self._pay(now)
        if self._pile < size or self._routine_spent + size > self._budget * (1 - self._metered.reserve):
            return False
        self._pile -= size
        self._routine_spent += size
        return True

    def reserve(self, size: int, now: float) -> bool:
        """Take `size` bytes from the reserve; False if it is spent."""
        self._pay(now)
        share = self._budget * self._metered.reserve
        available = share / 2 + share / 2 * min(1.0, (now - self._period) / self._seconds)
        if self._reserve_spent + size > available:
            return False
        self._reserve_spent += size
        return True
