"""The terminal for a runner in the same process: the desk itself, and a download over the path that the box uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import aiohttp

from yardlight.drills.actions import Done
from yardlight.drills.guard import Charge
from yardlight.drills.world import Glance
from yardlight.errors import DrillError

if TYPE_CHECKING:
    from yardlight.drills.desk import FleetDesk

_DOWNLOAD_SECONDS = 60.0


class InsideYard:
    """The terminal for a runner in the same process."""

    remote = False

    def __init__(self, desk: FleetDesk, terminal: str) -> None:
        self._desk, self._terminal = desk, terminal

    async def look(self, since: float | None) -> Glance:
        return self._desk.look(self._terminal, since)

    async def arm(self, charge: Charge) -> None:
        await self._desk.arm(self._terminal, charge)

    async def renew(self, drill: str) -> None:
        await self._desk.renew(self._terminal, drill)

    async def cut(self, drill: str) -> Done:
        return await self._desk.cut(self._terminal, drill)

    async def restore(self, drill: str) -> Done:
        return await self._desk.restore(self._terminal, drill)

    async def release(self, drill: str) -> None:
        await self._desk.release(self._terminal, drill)

    async def lines(self, drill: str) -> Sequence[Mapping[str, Any]]:
        return await asyncio.to_thread(self._desk.lines, self._terminal, drill)

    async def throughput(self) -> tuple[int, float]:
        return await self._desk.throughput(self._terminal)


async def download(url: str, size: int) -> tuple[int, float]:
    """Bytes, at most `size`, and the seconds that they took. Raises `DrillError` if nothing came."""
    began, count = time.monotonic(), 0
    try:
        async with (
            asyncio.timeout(_DOWNLOAD_SECONDS),
            aiohttp.ClientSession() as session,
            session.get(url) as answer,
        ):
            if answer.status >= 300:
                raise DrillError(f"{url} was answered with {answer.status}")
            async for part in answer.content.iter_chunked(16384):
                count += len(part)
                if count >= size:
                    break
    except (TimeoutError, OSError, aiohttp.ClientError) as error:
        if not count:
            raise DrillError(f"{url} did not answer: {error or 'too slow'}") from None
    return count, time.monotonic() - began
