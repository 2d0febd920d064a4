"""Who may stay connected: scrapers are few, and whoever only holds a connection open makes room for the next one."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from yardlight.logs import kv

log = logging.getLogger(__name__)

# asyncio says that a connection is there only after it has taken all that wait: they are counted a moment later.
_SETTLE_SECONDS = 0.05


class Guests:
    """The connections of one server, at most `most` of them but for a moment.

    For one that is too many the oldest goes that was never given what it asked for; if there is none of these, the
    oldest that waits for nothing just now, else the newest. So no number of idle or dripping clients keeps Prometheus
    out.
    """

    def __init__(self, server: web.Server, most: int) -> None:
        self._server, self._most = server, most
        self._served: set[object] = set()
        self._waiting: Counter[object] = Counter()
        self._turned_out = 0
        self._looking = False

    def come(self) -> asyncio.Protocol:
        """One more."""
        if not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_later(_SETTLE_SECONDS, self._look)
        return self._server()

    def asks(self, protocol: object) -> None:
        """A request has come whole, and is being answered."""
        self._waiting[protocol] += 1

    def answered(self, protocol: object, status: int) -> None:
        """It was, with this status."""
        self._waiting[protocol] -= 1
        if not self._waiting[protocol]:
            del self._waiting[protocol]
        if status < 400:
            self._served.add(protocol)

    def _look(self) -> None:
        self._looking = False
        connections = self._server.connections
        self._served.intersection_update(connections)
        surplus = len(connections) - self._most
        if surplus <= 0:
            return
        for guest, _ in zip(self._leaving(connections), range(surplus), strict=False):
            guest.force_close()
        before, self._turned_out = self._turned_out, self._turned_out + surplus
        if before.bit_length() < self._turned_out.bit_length():
            told = kv(most=self._most, closed=self._turned_out)
            log.warning("more connections than there is room for: the oldest idle ones are closed", extra=told)

    def _leaving(self, connections: list[web.RequestHandler]) -> Iterator[web.RequestHandler]:
        """In which order they go."""
        idle = [each for each in connections if each not in self._waiting]
        yield from (each for each in idle if each not in self._served)
        yield from (each for each in idle if each in self._served)
        yield from (each for each in reversed(connections) if each in self._waiting)
