"""When to send: one clock tick for everything that is probed, on the main event loop.

Each tick drains every socket, then declares what is overdue as lost, then sends what is due. Sockets are polled, not
waited for: the kernel stamps each answer on arrival, so reading it some milliseconds later costs no accuracy and saves
a wake-up per packet.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
import time
from collections import deque
from typing import Protocol

from yardlight.terminal.sockets import IcmpSocket, ProbeSocket, StunSocket, TcpSocket

log = logging.getLogger(__name__)

TICK = 0.02
# A tick later than this was a stopped process or a suspended machine: what was not probed is not known.
STALL = 1.0
_LAG_WINDOW = 10.0
# Longer than any probe's timeout.
_RETIRE_AFTER = 5.0

Key = tuple[type[ProbeSocket], str | None, bool]


class Sender(Protocol):
    """Something with a time of its own to be called. `due` is when; the engine ignores calls that no longer match."""

    due: float

    def fire(self, now: float) -> None:
        """Send, and set `due` anew by `Engine.schedule`."""


class Asker(Protocol):
    """Who wants to hear that a probe was not answered."""

    def lost(self, sent: float, now: float) -> None:
        """The probe sent at `sent` was not answered within its timeout."""


class Watcher(Protocol):
    """Something that must know when probing itself stood still."""

    def stalled(self, now: float) -> None:
        """Nothing was sent or read for a while: silence up to `now` is no evidence."""


class Engine:
    """Owns the sockets and the schedule. All methods are for the event loop's own thread."""

    def __init__(self) -> None:
        self.heartbeat = time.monotonic()
        self._serial = itertools.count()
        self._heap: list[tuple[float, int, Sender]] = []
        self._open: dict[float, deque[tuple[float, ProbeSocket, int, Asker]]] = {}
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

    def icmp(self, bind: str | None, v6: bool) -> IcmpSocket:
        """The shared echo socket of this bind, opened at need. Raises `OSError` if it cannot be."""
        sock = self._sockets.get((IcmpSocket, bind, v6))
        if not isinstance(sock, IcmpSocket):
            sock = self._sockets[(IcmpSocket, bind, v6)] = IcmpSocket(bind, v6)
        return sock

    def tcp(self, bind: str | None, v6: bool) -> TcpSocket:
        """The shared maker of connects of this bind."""
        sock = self._sockets.get((TcpSocket, bind, v6))
        if not isinstance(sock, TcpSocket):
            sock = self._sockets[(TcpSocket, bind, v6)] = TcpSocket(bind, v6)
        return sock

    def stun(self, bind: str | None, v6: bool) -> StunSocket:
        """The shared STUN socket of this bind, opened at need. Raises `OSError` if it cannot be."""
        sock = self._sockets.get((StunSocket, bind, v6))
        if not isinstance(sock, StunSocket):
            sock = self._sockets[(StunSocket, bind, v6)] = StunSocket(bind, v6)
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
        heapq.heappush(self._heap, (at, next(self._serial), sender))

    def cancel(self, sender: Sender) -> None:
        """Never call `sender.fire` again unless it is scheduled anew."""
        sender.due = -1.0

    def expect(self, asker: Asker, sock: ProbeSocket, token: int, sent: float, timeout: float) -> None:
        """Tell `asker.lost` if the probe is still open `timeout` seconds after `sent`."""
        waiting = self._open.get(timeout)
        if waiting is None:
            waiting = self._open[timeout] = deque()
        waiting.append((sent, sock, token, asker))

    def lag_max(self) -> float:
        """Seconds: the worst delay of a tick in the last ten seconds."""
        self._lags_expire(time.monotonic())
        return max((lag for _, lag in self._lags), default=0.0)

    def _lags_expire(self, now: float) -> None:
        while self._lags and self._lags[0][0] < now - _LAG_WINDOW:
            self._lags.popleft()

    async def _run(self) -> None:
        planned = time.monotonic()
        while True:
            planned = max(planned + TICK, time.monotonic())
            await asyncio.sleep(planned - time.monotonic())
            now = time.monotonic()
            if now - planned > 0.001:
                self._lags.append((now, now - planned))
                self._lags_expire(now)
            try:
                self._tick(now)
            except Exception:
                # A bug in one tick must not end the probing of everything; it is said and the next tick goes on.
                log.exception("tick failed")

    def _tick(self, now: float) -> None:
        asleep = _asleep_seconds()
        still = max(now - self.heartbeat, asleep - self._asleep)
        self.heartbeat, self._asleep = now, asleep
        for sock in tuple(self._sockets.values()):
            sock.drain(now)
        if self._retired:
            self._drain_retired(now)
        if still > STALL:
            log.warning("probing stood still; that time is not judged", extra={"kv": {"seconds": round(still, 1)}})
            self._forget_all()
            for watcher in tuple(self._watchers):
                watcher.stalled(now)
        self._expire(now)
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, sender = heapq.heappop(heap)
            if sender.due == due:
                sender.fire(now)

    def _drain_retired(self, now: float) -> None:
        for _, sock in self._retired:
            sock.drain(now)
        while self._retired and self._retired[0][0] <= now:
            self._retired.pop(0)[1].close()

    def _expire(self, now: float) -> None:
        for timeout, waiting in self._open.items():
            limit = now - timeout
            while waiting and waiting[0][0] <= limit:
                sent, sock, token, asker = waiting.popleft()
                if sock.forget(token):
                    asker.lost(sent, now)

    def _forget_all(self) -> None:
        for waiting in self._open.values():
            for _, sock, token, _ in waiting:
                sock.forget(token)
            waiting.clear()


def _asleep_seconds() -> float:
    """Seconds this machine was suspended since it started: the boot clock counts them, the monotonic one does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
