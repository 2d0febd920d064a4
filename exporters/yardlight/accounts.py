"""One account at a vendor: its sources take turns, and in 24 hours it makes no more requests than its budget allows."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from yardlight.catalogue import API_BUDGET, API_REQUESTS, API_SPENT
from yardlight.collection import Result
from yardlight.errors import PollError
from yardlight.exposition import Block, block
from yardlight.slots import Slots
from yardlight.state import State
from yardlight.worker import Job

_HOUR, _DAY_HOURS = 3600.0, 24
# Vendors count requests by the second, when they arrive. One collection paces its own; the last ones of the collection
# before may have arrived together, and this long after their answers none of them counts any more.
_APART = 1.0


class Turns:
    """Runs what is collected of one account in worker slots, one at a time. `budget` is in requests per 24 hours."""

    def __init__(self, slots: Slots, fleet: str, account: str, state: State) -> None:
        self.budget: int | None = None
        self._slots, self._fleet, self._account, self._state = slots, fleet, account, state
        self._turn = asyncio.Lock()
        self._not_before = 0.0
        self._total: Counter[str] = Counter()
        # Hours since 1970 and the requests made in each.
        kept = state.recall(fleet, "", self._memory_name) or {}
        self._spent: Counter[int] = Counter({int(hour): count for hour, count in kept.items()})

    async def collect(self, job: Job, deadline: float, memory: bytes) -> Result:
        """One collection; `deadline` in seconds from when it has a slot. Raises `PollError`."""
        async with self._turn:
            await asyncio.sleep(self._not_before - time.monotonic())
            left = None if self.budget is None else self.budget - self.spent(time.time())
            try:
                result = await self._slots.run(self._fleet, self._account, job, deadline, memory, left)
            except PollError as error:
                self._count(error.requests)
                raise
            finally:
                self._not_before = time.monotonic() + _APART
            self._count(result.requests)
            return result

    def spent(self, now: float) -> int:
        """Requests of the last 24 hours, in whole hours: a little more rather than less."""
        for hour in self._spent.keys() - _lately(self._spent, now).keys():
            del self._spent[hour]
        return self._spent.total()

    def blocks(self) -> list[Block]:
        """What the account spends, for the page."""
        return list(self._blocks())

    def _blocks(self) -> Iterator[Block]:
        requests = {(self._account, code): float(count) for code, count in sorted(self._total.items())}
        yield block(API_REQUESTS, self._fleet, requests)
        if self.budget is not None:
            yield block(API_BUDGET, self._fleet, {(self._account,): float(self.budget)})
        yield block(API_SPENT, self._fleet, {(self._account,): float(self.spent(time.time()))})

    def _count(self, requests: Mapping[str, int]) -> None:
        self._total.update(requests)
        if made := sum(requests.values()):
            self._spent[int(time.time() // _HOUR)] += made
            self._state.remember(self._fleet, "", self._memory_name, self._spent)

    @property
    def _memory_name(self) -> str:
        return spent_name(self._account)


def spent_name(account: str) -> str:
    """Under which name the state file remembers what an account spent, by hours since 1970."""
    return f"requests {account}"


def spent_lately(kept: Mapping[str, int], now: float) -> int:
    """Requests of the last 24 hours of what is remembered so."""
    return sum(_lately({int(hour): count for hour, count in kept.items()}, now).values())


def _lately(spent: Mapping[int, int], now: float) -> dict[int, int]:
    oldest = int(now // _HOUR) - _DAY_HOURS
    return {hour: count for hour, count in spent.items() if hour >= oldest}
