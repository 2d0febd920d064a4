"""The running account of a metered uplink: what may still be sent, what was. Pure: times are wall-clock seconds.

The budget of a period is split: a routine share that is paid out evenly, a share for services paid out evenly too,
and a reserve for incidents (half of it at hand when the period starts, the other half paid out evenly). Whatever
happens, the period's total cannot exceed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from yardlight.budget import MARGIN, SERVICE_CEILING, period_seconds
from yardlight.inventory.models import Metered

# Routine tokens that may pile up while nothing was sent, in seconds of pay.
_PILE_SECONDS = 60.0

# Who pays for the probe of a service: its own share or, when it is urgent, the reserve as long as half of it is left.
# Samples of the speed have bytes set aside.
Purse = Literal["services", "urgent", "samples"]


def period_start(metered: Metered, now: float) -> float:
    """Start of the budget period that `now` is in: the calendar month in UTC, or a whole multiple of `per`."""
    if metered.per == "month":
        moment = datetime.fromtimestamp(now, UTC)
        return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
    return now // metered.per * metered.per


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a restart must know: the period, the bytes spent in it from each share, and those that really passed."""

    period: float
    routine: float
    reserve: float
    services: float = 0.0
    passed: float = 0.0
    samples: float = 0.0


class Account:
    """Ask `routine`, `reserve` or `take` before sending; all say no rather than overdraw.

    `for_services` is the share of the budget, a ratio, that only probes of services may use; `set_aside` are bytes of
    each period that only samples of the speed may.
    """

    def __init__(
        self,
        metered: Metered,
        now: float,
        ledger: Ledger | None = None,
        for_services: float = 0.0,
        set_aside: float = 0.0,
    ) -> None:
        self._metered = metered
        self._for_services, self._set_aside = for_services, set_aside
        self._budget = metered.budget * MARGIN - set_aside
        self._seconds = period_seconds(metered)
        start = period_start(metered, now)
        same = ledger is not None and ledger.period == start
        self._period = start
        self._routine_spent = ledger.routine if ledger is not None and same else 0.0
        self._reserve_spent = ledger.reserve if ledger is not None and same else 0.0
        self._services_spent = ledger.services if ledger is not None and same else 0.0
        self._passed = ledger.passed if ledger is not None and same else 0.0
        self._samples_spent = ledger.samples if ledger is not None and same else 0.0
        self._pile = 0.0
        self._services_pile = float(SERVICE_CEILING)
        self._paid_until = now

    @property
    def ledger(self) -> Ledger:
        return Ledger(
            self._period,
            self._routine_spent,
            self._reserve_spent,
            self._services_spent,
            self._passed,
            self._samples_spent,
        )

    def count(self, size: int) -> None:
        """So many bytes passed, whoever allowed them."""
        self._passed += size

    def passed(self, now: float) -> float:
        """Bytes that passed in this period."""
        self._pay(now)
        return self._passed

    def _pay(self, now: float) -> None:
        start = period_start(self._metered, now)
        if start != self._period:
            self._period, self._routine_spent, self._reserve_spent, self._services_spent = start, 0.0, 0.0, 0.0
            self._passed = self._samples_spent = 0.0
        elapsed = max(0.0, now - self._paid_until)
        self._paid_until = now
        rate = self._routine_share / self._seconds
        self._pile = min(self._pile + rate * elapsed, max(rate * _PILE_SECONDS, 2000.0))
        rate = self._budget * self._for_services / self._seconds
        self._services_pile = min(self._services_pile + rate * elapsed, SERVICE_CEILING)

    @property
    def _routine_share(self) -> float:
        return self._budget * max(0.0, 1 - self._metered.reserve - self._for_services)

    def routine(self, size: int, now: float) -> bool:
        """Take `size` bytes from the routine share; False if they are not there yet."""
        self._pay(now)
        if self._pile < size or self._routine_spent + size > self._routine_share:
            return False
        self._pile -= size
        self._routine_spent += size
        return True

    def reserve(self, size: int, now: float) -> bool:
        """Take `size` bytes from the reserve; False if it is spent."""
        return self._from_reserve(size, now, 1.0)

    def half_left(self, now: float) -> bool:
        """True while half of what the reserve has at hand is still there."""
        self._pay(now)
        return self._reserve_spent <= 0.5 * self._reserve_at_hand(now)

    def _reserve_at_hand(self, now: float) -> float:
        share = self._budget * self._metered.reserve
        return share / 2 + share / 2 * min(1.0, (now - self._period) / self._seconds)

    def _from_reserve(self, size: int, now: float, part: float) -> bool:
        self._pay(now)
        if self._reserve_spent + size > part * self._reserve_at_hand(now):
            return False
        self._reserve_spent += size
        return True

    def take(self, purse: Purse, size: int, now: float) -> bool:
        """Take `size` bytes for a probe of a service; False if they are not there."""
        if purse == "urgent":
            return self._from_reserve(size, now, 0.5)
        self._pay(now)
        if purse == "samples":
            if self._samples_spent + size > self._set_aside:
                return False
            self._samples_spent += size
            return True
        if self._services_pile < size or self._services_spent + size > self._budget * self._for_services:
            return False
        self._services_pile -= size
        self._services_spent += size
        return True

    def give_back(self, purse: Purse, size: int, now: float) -> None:
        """What was taken and not used; where more was used than taken, `size` is negative."""
        self._pay(now)
        if purse == "urgent":
            self._reserve_spent = max(0.0, self._reserve_spent - size)
        elif purse == "samples":
            self._samples_spent = max(0.0, self._samples_spent - size)
        else:
            self._services_spent = max(0.0, self._services_spent - size)
            self._services_pile = min(self._services_pile + size, SERVICE_CEILING)


@dataclass(slots=True)
class Wire:
    """What probing puts on one uplink: bytes both ways, and the account that allows them where it is metered."""

    account: Account | None = None
    bytes: int = 0

    def count(self, size: int) -> None:
        """So many bytes went over it."""
        self.bytes += size
        if self.account is not None:
            self.account.count(size)

    def allows(self, size: int, wall: float, urgent: bool) -> bool:
        """True if `size` bytes may be sent; they are then taken from the account (its reserve where urgent)."""
        if self.account is None:
            return True
        return self.account.reserve(size, wall) if urgent else self.account.routine(size, wall)
