"""The yard's router: it pings through each WAN, and moves everyone to the standby when the primary fails.

It is as good or as slow as its settings: most products in the field take between 4 and 90 seconds.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import time
from dataclasses import dataclass

from tests.lab import namespace, network
from tests.lab.truth import Log

TIMEOUT = 1.0  # of one ping, in seconds


@dataclass(frozen=True)
class Settings:
    """A WAN is bad after `fails` lost pings, `interval` seconds apart, and good after `recovers` answers.

    `delay` is what the move itself takes (a modem that attaches), `follow_link` reacts to a lost carrier
    at once, `failback` false leaves all on the standby, `check_standby` false trusts the standby's link.
    """

    interval: float = 1.0
    fails: int = 3
    recovers: int = 3
    delay: float = 0.0
    follow_link: bool = True
    failback: bool = True
    check_standby: bool = True


def switching_after(seconds: float, failback_after: float = 10.0) -> Settings:
    """Settings that move about `seconds` after a blackhole began; the pings' phase adds up to an interval."""
    interval = max(0.5, seconds / 10)
    fails = max(1, round((seconds - TIMEOUT) / interval + 0.5))
    return Settings(interval, fails, max(2, round(failback_after / interval)))


class Router:
    """Runs the health checks of the `edge` namespace; `active` is the circuit of its default route."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self.settings = settings
        self.active = "fiber"
        self._log = log
        self._good = {"fiber": True, "lte": True}
        self._carrier = {"fiber": True, "lte": True}
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()

    def start(self) -> None:
        checked = ("fiber", "lte") if self.settings.check_standby else ("fiber",)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._check(circuit)) for circuit in checked]
        if self.settings.follow_link:
            self._tasks.append(loop.create_task(self._watch_links()))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def move(self, circuit: str) -> None:
        """What somebody does by hand."""
        async with self._turn:
            await self._move(circuit)

    async def _check(self, circuit: str) -> None:
        with namespace.inside("edge"):
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.setblocking(False)
        sock.bind((network.FIBER_WAN if circuit == "fiber" else network.LTE_WAN, 0))
        lost = answered = number = 0
        while True:
            number = number % 65535 + 1
            began = time.monotonic()
            if await _ping(sock, network.TARGETS[0], number, timeout=min(TIMEOUT, self.settings.interval)):
                lost, answered = 0, answered + 1
            else:
                lost, answered = lost + 1, 0
            if lost == self.settings.fails or answered == self.settings.recovers:
                await self._judge(circuit, good=lost == 0)
            await asyncio.sleep(max(0.0, began + self.settings.interval - time.monotonic()))

    async def _watch_links(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *namespace.command("edge", ["ip", "monitor", "link"]), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async for raw in process.stdout:
            for circuit, card in network.WANS.items():
                if f" {card}" in (line := raw.decode()) and "<" in line:
                    self._carrier[circuit] = "LOWER_UP" in line
                    await self._decide()

    async def _judge(self, circuit: str, good: bool) -> None:
        if self._good[circuit] != good:
            self._good[circuit] = good
            self._log.write("router_verdict", circuit=circuit, good=good)
            await self._decide()

    async def _decide(self) -> None:
        async with self._turn:
            usable = [circuit for circuit in ("fiber", "lte") if self._good[circuit] and self._carrier[circuit]]
            if not usable or self.active == usable[0]:
                return
            if self.active in usable and not self.settings.failback:
                return
            if usable[0] == "lte":
                await asyncio.sleep(self.settings.delay)
            await self._move(usable[0])

    async def _move(self, circuit: str) -> None:
        before = time.monotonic()
        route = f"default via {network.GATEWAYS[circuit]} dev {network.WANS[circuit]}"
        await namespace.act("edge", f"ip route replace {route}")
        self._log.write("router_moved", to=circuit, at=(before + time.monotonic()) / 2)
        self.active = circuit


async def _ping(sock: socket.socket, host: str, number: int, timeout: float) -> bool:
    """One echo (RFC 792) to `host`; true when its own answer came within `timeout` seconds."""
    identifier = os.getpid() & 0xFFFF
    body = struct.pack("!HH", identifier, number) + bytes(8)
    packet = struct.pack("!BBH", 8, 0, _checksum(struct.pack("!BBH", 8, 0, 0) + body)) + body
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            await loop.sock_sendto(sock, packet, (host, 0))
            while True:
                reply = await loop.sock_recv(sock, 2048)
                if reply[20] == 0 and struct.unpack_from("!HH", reply, 24) == (identifier, number):
                    return True
    except (TimeoutError, OSError):
        return False


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
