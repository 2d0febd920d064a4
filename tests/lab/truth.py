"""What really happened: a log of every fault and switch, and a fast prober that sees gaps and paths."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lab import namespace, network
from tests.lab.internet import ECHO_PORT

SHORTEST_GAP = 0.05


class Log:
    """Ground truth as JSON lines, with `monotonic` and `wall` seconds taken beside the kernel's action."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", buffering=1)
        self.entries: list[dict[str, Any]] = []

    def write(self, what: str, **facts: Any) -> dict[str, Any]:
        entry = {"monotonic": time.monotonic(), "wall": time.time(), "what": what, **facts}
        self.entries.append(entry)
        self._file.write(json.dumps(entry) + "\n")
        return entry


@dataclass(frozen=True)
class Gap:
    """The path carried nothing from `start` to `end` (monotonic seconds, to half a probe interval)."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


@dataclass
class Prober(asyncio.DatagramProtocol):
    """Sends a numbered datagram every `interval` seconds to the internet's echo and reads whom it saw.

    `gaps` are silences of 50 ms and longer; `moves` are the instants from which another circuit carried.
    Times come from the numbers that were answered, so a busy machine makes no false gap.
    """

    source: str
    interval: float = 0.01
    gaps: list[Gap] = field(default_factory=list)
    moves: list[tuple[float, str]] = field(default_factory=list)
    last_answered: float = 0.0

    async def start(self) -> None:
        sock = namespace.udp_socket("yard", self.source)
        sock.connect((network.ECHO, ECHO_PORT))
        self._sent: dict[int, float] = {}
        self._newest = -1
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=sock)
        self._transport = transport
        self._task = loop.create_task(self._send())

    def stop(self) -> None:
        self._task.cancel()
        self._transport.close()

    def error_received(self, exc: Exception) -> None:
        """An unreachable path answers with ICMP errors; to the truth they are silence."""

    async def _send(self) -> None:
        number, due = 0, time.monotonic()
        while True:
            self._sent[number] = time.monotonic()
            self._transport.sendto(struct.pack("!Q", number))
            number += 1
            due = max(due + self.interval, time.monotonic() - 1.0)
            await asyncio.sleep(due - time.monotonic())

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        number = struct.unpack_from("!Q", data)[0]
        if number <= self._newest:
            return
        if self._newest >= 0:
            first_lost, last_lost = self._sent.get(self._newest + 1), self._sent.get(number - 1)
            if number > self._newest + 1 and first_lost is not None and last_lost is not None:
                gap = Gap((self._sent[self._newest] + first_lost) / 2, (last_lost + self._sent[number]) / 2)
                if gap.seconds >= SHORTEST_GAP:
                    self.gaps.append(gap)
        self.last_answered = self._sent[number]
        path = network.PUBLIC.get(socket.inet_ntoa(data[8:12]), "unknown")
        if not self.moves or self.moves[-1][1] != path:
            self.moves.append((self._sent[number], path))
        for old in range(self._newest, number):
            self._sent.pop(old, None)
        self._newest = number

    @property
    def path(self) -> str:
        """The circuit that carried the newest answered datagram."""
        return self.moves[-1][1] if self.moves else "unknown"

    def overlapping(self, start: float, end: float) -> list[Gap]:
        """The gaps that touch the span from `start` to `end`."""
        return [gap for gap in self.gaps if gap.end >= start and gap.start <= end]
