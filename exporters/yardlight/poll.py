"""One collection under one total deadline -> blocks; on its own schedule, whoever scrapes and however often.

What collects is a `Work`: a job in a worker slot (`Turns.collect`), or `InThread` for what this process knows anyway.
What it gave last stays on the page, with the time it stands for, until it is older than `keep_for`; from worker
slots it is in the state file too, for the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from yardlight.catalogue import (
    POLL_DUE,
    POLL_DURATION,
    POLL_FAILED,
    POLL_FAILURES,
    POLL_LAST_SUCCESS,
    POLL_SUCCESS,
    Metric,
)
from yardlight.collection import Result
from yardlight.errors import PollCrashedError, PollError, PollTimeoutError, poll_errors
from yardlight.exposition import AnyBlock, Block, PackedBlock, block, dump, load
from yardlight.logs import kv
from yardlight.pages import PollRow
from yardlight.state import State

log = logging.getLogger(__name__)

# Given the deadline in seconds and the memory of the collection before; raises `PollError`.
Work = Callable[[float, bytes], Awaitable[Result]]
Collect = Callable[[], list[AnyBlock]]
Outcome = list[AnyBlock] | BaseException
KEEP_SECONDS = 86400.0
# Whoever is in a hurry is served once a minute, and no source is collected for more than half of the time.
SOONEST_SECONDS = 60.0
BUSY_FACTOR = 2.0
# A vendor that is down for a night is asked four times an hour, and is back on the board minutes after it is.
BACKOFF_SECONDS = 900.0
# So much longer than usual a pause may be, by chance.
LATEST = 1.1


class Poll:
    """Collects one source of an account again and again. `interval`, `deadline` and `keep_for` are in seconds.

    `name` is that of the source, '' for what is an account's only one. Nothing that `work` does or raises gets out: it
    ends as success or as a reason. With a `state`, packed blocks and memory are kept in it, and taken up from there.
    `clock` tells unix seconds.
    """

    def __init__(
        self,
        fleet: str,
        account: str,
        work: Work,
        interval: float,
        deadline: float,
        keep_for: float = KEEP_SECONDS,
        state: State | None = None,
        name: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._fleet = fleet
        self._account = account
        self._name = name
        self._work = work
        self._interval = interval
        self._deadline = deadline
        self._keep_for = keep_for
        self._state = state
        self._clock = clock
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._kept: Sequence[AnyBlock] = ()
        self._memory = b""
        self._kept_since = 0.0
        self._last_success: float | None = None
        self._duration: float | None = None
        self._failures = Counter({error.reason: 0 for error in poll_errors()})
        self._failed_in_row = 0
        self._failed_as = ""
        self._reason = ""
        self._not_before = 0.0
        self._again_in: float | None = None
        self._since = clock()
        # How collecting goes changes when a collection ends only.
        self._own: tuple[Block, ...] | None = None
        self._take_up()

    def start(self) -> None:
        """Collect on schedule, as a task of the running loop; now, unless an earlier run did not long ago."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"poll {self._account}")

    async def stop(self) -> None:
        """Collect no more. A collection under way is ended, or its result not used."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def once(self) -> bool:
        """Collect one time; whether it was complete."""
        async with self._turn:
            started = time.monotonic()
            try:
                result = await self._collected()
            except PollError as error:
                self._failed(error)
            else:
                self._take(result)
                self._failed_in_row, self._failed_as, self._reason = 0, "", ""
                self._again_in = result.again_in
            self._duration = time.monotonic() - started
            self._own = None
            return not self._reason

    def blocks(self) -> list[AnyBlock]:
        """What was collected last, unless too old, and how collecting goes."""
        if self._kept and time.monotonic() - self._kept_since > self._keep_for:
            self._kept = ()
        if self._own is None:
            self._own = tuple(self._own_blocks())
        return [*self._kept, *self._own]

    @property
    def left(self) -> tuple[float, bytes] | None:
        """When it was complete last, and what that left for the next collection, with the things it told."""
        return (self._last_success, self._memory) if self._last_success is not None else None

    @property
    def reason(self) -> str:
        """Why the last collection failed; empty if it did not."""
        return self._reason

    def sample(self, metric: Metric) -> float | None:
        """What was collected last of a family that has one sample."""
        bodies = (each.body for each in self._kept if each.metric.name == metric.name)
        lines = [line for body in bodies for line in body.splitlines()]
        return float(lines[0].rpartition(b" ")[2]) if len(lines) == 1 else None

    def row(self) -> PollRow:
        """The same for the landing page."""
        state = "waiting" if self._duration is None else "failing" if self._reason else "ok"
        return PollRow(self._name or self._account, state, self._last_success, self._duration, self._reason)

    def _own_blocks(self) -> Iterator[Block]:
        key = (self._account, self._name)
        ended = None if self._duration is None else float(not self._reason)
        yield block(POLL_SUCCESS, self._fleet, {key: ended})
        yield block(POLL_DURATION, self._fleet, {key: self._duration})
        yield block(POLL_LAST_SUCCESS, self._fleet, {key: self._last_success})
        yield block(POLL_DUE, self._fleet, {key: self._due()})
        failures = {(*key, reason): float(count) for reason, count in sorted(self._failures.items())}
        yield block(POLL_FAILURES, self._fleet, failures)
        if ended is not None:
            now = {(*key, reason): float(reason == self._failed_as) for reason in sorted(self._failures)}
            yield block(POLL_FAILED, self._fleet, now)

    def _due(self) -> float:
        """When a complete collection is overdue: two have been missed by then, however late each began."""
        return (self._last_success or self._since) + 2 * LATEST * self._interval + self._deadline

    async def _run(self) -> None:
        if self._last_success is not None:
            await asyncio.sleep(min(self._last_success - self._clock(), 0.0) + self._interval)
        while True:
            started = time.monotonic()
            await self.once()
            interval = sooner(self._interval, self._again_in, self._duration or 0.0)
            wait = pause(interval, self._failed_in_row, random.random())
            await asyncio.sleep(max(started + wait, self._not_before) - time.monotonic())

    def _take(self, result: Result) -> None:
        """Show it from now on; what was read of a few entities only is as old as the rest of what is shown."""
        self._memory = result.memory
        if result.instead is None or self._last_success is None:
            self._kept, self._kept_since, self._last_success = result.blocks, time.monotonic(), self._clock()
        else:
            stays = [each for each in self._kept if each.metric.name not in result.instead]
            self._kept = [*stays, *result.blocks]
        self._keep(self._last_success)
        if self._state is not None:
            for name, value in result.notes.items():
                self._state.remember(self._fleet, "", name, value)

    async def _collected(self) -> Result:
        """The result of one collection. Raises `PollError`, whatever happens."""
        try:
            return await self._work(self._deadline, self._memory)
        except PollError:
            raise
        except Exception as error:
            log.exception("a collector crashed", extra=kv(fleet=self._fleet, account=self._account))
            raise PollCrashedError(f"{type(error).__name__}: {error}") from error

    def _keep(self, as_of: float) -> None:
        """Put the blocks into the state file, for the next start."""
        if self._state is not None:
            packed = [each for each in self._kept if isinstance(each, PackedBlock)]
            self._state.keep_blocks(self._fleet, self._name or self._account, as_of, dump(packed), self._memory)

    def _take_up(self) -> None:
        """Show what an earlier run collected, unless it cannot be read any more."""
        kept = self._state.kept_blocks(self._fleet, self._name or self._account) if self._state is not None else None
        if kept is None:
            return
        as_of, data, self._memory = kept
        try:
            blocks = load(data)
            for each in blocks:
                each.body  # noqa: B018
        except Exception as error:
            log.warning("kept blocks are of no use", extra=kv(fleet=self._fleet, account=self._account, reason=error))
            return
        age = max(0.0, self._clock() - as_of)
        self._kept, self._kept_since, self._last_success = blocks, time.monotonic() - age, as_of

    def _failed(self, error: PollError) -> None:
        self._failures[error.reason] += 1
        self._failed_in_row += 1
        self._failed_as, self._reason = error.reason, f"{error.reason}: {error}"
        self._not_before = time.monotonic() + (error.retry_after or 0.0)
        where = kv(fleet=self._fleet, account=self._account, poll=self._name, reason=error.reason, error=error)
        log.warning("a collection failed", extra=where)


def sooner(interval: float, again_in: float | None, duration: float) -> float:
    """The interval until the next collection, where this one took `duration` and asked for one in `again_in`."""
    if again_in is None:
        return interval
    return min(interval, max(again_in, SOONEST_SECONDS, BUSY_FACTOR * duration))


def pause(interval: float, failed_in_row: int, chance: float) -> float:
    """Seconds from start to start: doubled by each failure in a row but the first, moved a tenth by `chance` (0 to 1).

    One failure is made good at the usual time, before the source is overdue.
    """
    longest = max(interval, BACKOFF_SECONDS)
    return min(interval * 2.0 ** min(max(failed_in_row - 1, 0), 30), longest) * (0.9 + 0.2 * chance)


class InThread:
    """Collects in a daemon thread: for what this process knows already and only has to render.

    A collection that outlives its deadline keeps its thread until it ends; no second one is started beside it.
    """

    def __init__(self, collect: Collect) -> None:
        self._collect = collect
        self._running: asyncio.Future[Outcome] | None = None

    async def __call__(self, deadline: float, memory: bytes = b"") -> Result:
        if self._running is not None and not self._running.done():
            raise PollTimeoutError("the collection before has still not ended")
        self._running = _in_thread(self._collect)
        done, _ = await asyncio.wait({self._running}, timeout=deadline)
        if not done:
            raise PollTimeoutError(f"no result within {deadline:g} s")
        outcome = self._running.result()
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, BaseException):
            raise PollCrashedError(f"{type(outcome).__name__}: {outcome}") from outcome
        return Result(outcome)


def _in_thread(work: Collect) -> asyncio.Future[Outcome]:
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

    threading.Thread(target=run, name="collect", daemon=True).start()
    return future
