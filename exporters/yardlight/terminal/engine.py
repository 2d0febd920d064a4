"""When to send: one clock tick for everything that is probed, on the main event loop.

Each tick drains every socket, then declares what is overdue as lost, then sends what is due. Sockets are polled, not
waited for: the kernel stamps each answer on arrival, so reading it some milliseconds later costs no accuracy and saves
a wake-up per packet. What is to be sent waits in a wheel of ticks, as a heap would be the dearest part of a probe.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import defaultdict, deque
from typing import Protocol, TypeVar

from yardlight.terminal.sockets import ProbeSocket

log = logging.getLogger(__name__)

TICK = 0.02
# A tick later than this was a stopped process or a suspended machine: what was not probed is not known.
STALL = 1.0
_LAG_WINDOW = 10.0
# Longer than any probe's timeout.
_RETIRE_AFTER = 5.0

S = TypeVar("S", bound=ProbeSocket)
Key = tuple[type[ProbeSocket], str | None, bool, float]


class Sender(Protocol):
    """Something with a time of its own to be called. `due` is when; the engine ignores calls that no longer match."""

    due: float

    def fire(self, now: float) -> None:
        """Send, and set `due` anew by `Engine.schedule`."""


class Watcher(Protocol):
    """Something that must know when probing itself stood still."""

    def stalled(self, now: float) -> None:
        """Nothing was sent or read for a while: silence up to `now` is no evidence."""


class Engine:
    """Owns the sockets and the schedule. All methods are for the event loop's own thread."""

    def __init__(self) -> None:
        self.heartbeat = time.monotonic()
        # Who is to be called at the n-th tick since the clock began; before `_next` nobody is any more.
        self._wheel: defaultdict[int, list[tuple[float, Sender]]] = defaultdict(list)
        self._next = math.ceil(self.heartbeat / TICK)
        self._sockets: dict[Key, ProbeSocket] = {}
        self._retired: list[tuple[float, ProbeSocket]] = []
        self._watchers: list[Watcher] = []
        self._lags: deque[tuple[float, float]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._asleep = _asleep_seconds()

    def start(self) -> None:
        """Begin to tick on the running event loop."""
        self.heartbeat, self._asleep = time.monotonic(), _asleep_seconds()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="engine")

    async def stop(self) -> None:
        """Stop ticking and give the sockets back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for sock in (*self._sockets.values(), *(sock for _, sock in self._retired)):
            sock.close()
        self._sockets.clear()
        self._retired.clear()

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every standstill until `unwatch`."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """The opposite of `watch`."""
        self._watchers.remove(watcher)

    def socket(self, kind: type[S], bind: str | None, v6: bool, timeout: float) -> S:
        """The shared socket of this kind for this path, opened at need. Raises `OSError` if it cannot be."""
        sock = self._sockets.get((kind, bind, v6, timeout))
        if not isinstance(sock, kind):
            sock = self._sockets[(kind, bind, v6, timeout)] = kind(bind, v6, timeout)
        return sock

    def discard(self, bind: str | None) -> None:
        """Send no more through the sockets of this bind: the next probe opens a new one with a new identity.

        The old ones are still read for a while, as answers to what they sent may be under way.
        """
        now = time.monotonic()
        for key in [key for key in self._sockets if key[1] == bind]:
            self._retired.append((now + _RETIRE_AFTER, self._sockets.pop(key)))

    def schedule(self, sender: Sender, at: float) -> None:
        """Call `sender.fire` at `at`, and not at whatever was asked before."""
        sender.due = at
        # What is due already is called in the present tick, even by somebody who is called in it.
        tick = math.ceil(at / TICK) if at > self.heartbeat else self._next
        self._wheel[tick if tick > self._next else self._next].append((at, sender))

    def cancel(self, sender: Sender) -> None:
        """Never call `sender.fire` again unless it is scheduled anew."""
        sender.due = -1.0

    def lag_max(self) -> float:
        """Seconds: the worst delay of a tick in the last ten seconds."""
        self._lags_expire(time.monotonic())
        return max((lag for _, lag in self._lags), default=0.0)

    def _lags_expire(self, now: float) -> None:
        while self._lags and self._lags[0][0] < now - _LAG_WINDOW:
            self._lags.popleft()

    async def _run(self) -> None:
        while True:
            planned = (self.heartbeat // TICK + 1) * TICK
            await asyncio.sleep(planned - time.monotonic())
            now = time.monotonic()
            if now - planned > 0.001:
                self._lags.append((now, now - planned))
                self._lags_expire(now)
            try:
                self._tick(now)
            except Exception:
                # It is said, and the next tick goes on.
                log.exception("tick failed")

    def _tick(self, now: float) -> None:
        asleep = _asleep_seconds()
        still = max(now - self.heartbeat, asleep - self._asleep)
        self.heartbeat, self._asleep = now, asleep
        sockets = [*self._sockets.values(), *(sock for _, sock in self._retired)]
        for sock in sockets:
            sock.drain(now)
        if still > STALL:
            log.warning("probing stood still; that time is not judged", extra={"kv": {"seconds": round(still, 1)}})
            for sock in sockets:
                sock.forget()
            for watcher in tuple(self._watchers):
                watcher.stalled(now)
        for sock in sockets:
            sock.expire(now)
        while self._retired and self._retired[0][0] <= now:
            self._retired.pop(0)[1].close()
        self._call(now)

    def _call(self, now: float) -> None:
        """Call whom the ticks up to now are for; the list of a tick may grow while it is gone through."""
        last = int(now / TICK)
        while self._next <= last:
            for due, sender in self._wheel[self._next]:
                if sender.due == due:
                    try:
                        sender.fire(now)
                    except Exception:
                        # A bug of one must not end the probing of all.
                        log.exception("a call failed", extra={"kv": {"of": type(sender).__name__}})
            del self._wheel[self._next]
            self._next += 1


def _asleep_seconds() -> float:
    """Seconds this machine was suspended since it started: the boot clock counts them, the monotonic one does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
