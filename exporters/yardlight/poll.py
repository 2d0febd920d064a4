"""One collection under one total deadline -> blocks; on its own schedule, whoever scrapes and however often.

A collection runs in a thread: it may block, be slow or crash without delaying a probe. What it gave last
stays on the page, with the time it stands for, until it is older than `keep_for`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from yardlight.catalogue import POLL_DURATION, POLL_FAILURES, POLL_LAST_SUCCESS, POLL_SUCCESS
from yardlight.errors import PollCrashedError, PollError, PollTimeoutError
from yardlight.exposition import Block, block
from yardlight.logs import kv
from yardlight.pages import PollRow

log = logging.getLogger(__name__)

Collect = Callable[[], list[Block]]
Outcome = list[Block] | BaseException
KEEP_SECONDS = 86400.0
# A vendor that is down for a night is asked four times an hour, and is back on the board minutes after it is.
BACKOFF_SECONDS = 900.0


class Poll:
    """Collects one account again and again. `interval`, `deadline` and `keep_for` are in seconds.

    Nothing that `collect` does or raises gets out: it ends as success or as a reason.
    """

    def __init__(
        self,
        fleet: str,
        account: str,
        collect: Collect,
        interval: float,
        deadline: float,
        keep_for: float = KEEP_SECONDS,
    ) -> None:
        self._fleet = fleet
        self._account = account
        self._collect = collect
        self._interval = interval
        self._deadline = deadline
        self._keep_for = keep_for
        self._turn = asyncio.Lock()
        self._work: asyncio.Future[Outcome] | None = None
        self._task: asyncio.Task[None] | None = None
        self._kept: list[Block] = []
        self._kept_since = 0.0
        self._last_success: float | None = None
        self._duration: float | None = None
        self._failures = Counter(dict.fromkeys(reasons(), 0))
        self._failed_in_row = 0
        self._reason = ""

    def start(self) -> None:
        """Collect now and then on schedule, as a task of the running loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"poll {self._account}")

    async def stop(self) -> None:
        """Collect no more. A collection under way is left behind, its result unused."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def once(self) -> bool:
        """Collect one time; whether it was complete."""
        async with self._turn:
            started = time.monotonic()
            try:
                self._kept = await self._in_time()
            except PollError as error:
                self._failed(error)
            else:
                self._kept_since, self._last_success = time.monotonic(), time.time()
                self._failed_in_row, self._reason = 0, ""
            self._duration = time.monotonic() - started
            return not self._reason

    def blocks(self) -> list[Block]:
        """What was collected last, unless too old, and how collecting goes."""
        if self._kept and time.monotonic() - self._kept_since > self._keep_for:
            self._kept = []
        return [*self._kept, *self._own_blocks()]

    def row(self) -> PollRow:
        """The same for the landing page."""
        state = "waiting" if self._duration is None else "failing" if self._reason else "ok"
        return PollRow(self._account, state, self._last_success, self._duration, self._reason)

    def _own_blocks(self) -> Iterator[Block]:
        key = (self._account,)
        ended = None if self._duration is None else float(not self._reason)
        yield block(POLL_SUCCESS, self._fleet, {key: ended})
        yield block(POLL_DURATION, self._fleet, {key: self._duration})
        yield block(POLL_LAST_SUCCESS, self._fleet, {key: self._last_success})
        failures = {(self._account, reason): float(count) for reason, count in sorted(self._failures.items())}
        yield block(POLL_FAILURES, self._fleet, failures)

    async def _run(self) -> None:
        while True:
            started = time.monotonic()
            await self.once()
            wait = pause(self._interval, self._failed_in_row, random.random())
            await asyncio.sleep(started + wait - time.monotonic())

    async def _in_time(self) -> list[Block]:
        """The result of one collection. Raises `PollError`.

        One that outlived its deadline keeps its thread until it ends; no second one is started beside it.
        """
        if self._work is not None and not self._work.done():
            raise PollTimeoutError("the collection before has still not ended")
        self._work = _in_thread(self._collect, f"poll {self._account}")
        done, _ = await asyncio.wait({self._work}, timeout=self._deadline)
        if not done:
            raise PollTimeoutError(f"no result within {self._deadline:g} s")
        outcome = self._work.result()
        if isinstance(outcome, PollError):
            raise outcome
        if isinstance(outcome, BaseException):
            where = kv(fleet=self._fleet, account=self._account)
            log.error("a collector crashed", exc_info=outcome, extra=where)
            raise PollCrashedError(f"{type(outcome).__name__}: {outcome}") from outcome
        return outcome

    def _failed(self, error: PollError) -> None:
        self._failures[error.reason] += 1
        self._failed_in_row += 1
        self._reason = f"{error.reason}: {error}"
        where = kv(fleet=self._fleet, account=self._account, reason=error.reason, error=error)
        log.warning("a collection failed", extra=where)


def pause(interval: float, failed_in_row: int, chance: float) -> float:
    """Seconds from start to start: doubled by each failure in a row, moved a tenth by `chance` (0 to 1)."""
    longest = max(interval, BACKOFF_SECONDS)
    return min(interval * 2.0 ** min(failed_in_row, 30), longest) * (0.9 + 0.2 * chance)


def reasons(base: type[PollError] = PollError) -> set[str]:
    """Every reason that a collection can fail with."""
    return {base.reason}.union(*(reasons(below) for below in base.__subclasses__()))


def _in_thread(work: Collect, name: str) -> asyncio.Future[Outcome]:
    """How `work` ends, in a daemon thread which a stop of the process does not wait for."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Outcome] = loop.create_future()

    def run() -> None:
        outcome: Outcome
        try:
            outcome = work()
        except BaseException as error:
            # Handed over as a value: some exceptions cannot be put into a future.
            outcome = error
        # The loop is closed when the process stopped in the meantime.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(future.set_result, outcome)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
