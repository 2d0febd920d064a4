"""The simulated fleet: circuits with faults, routers that fail over, and the internet that both lead to.

Everything is a source address. Each uplink has one (probes bound to it are pinned to that circuit) and so has
the default path, which takes whichever circuit the terminal's router picks. The internet loses or answers
what comes from an address according to the circuit that address takes at that moment, and tells it over STUN
(RFC 5389) which public address it left by. The measurements are told nothing: they must find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import cast

from yardlight.demo import Ports
from yardlight.demo.bpf import LossyListener
from yardlight.demo.services import Servers, all_services

TARGETS = ("127.100.0.1", "127.100.0.2", "127.100.0.3")
STUN_HOST = TARGETS[0]
PRIMARY, STANDBY = "fiber", "lte"
TICK = 0.1

_MAGIC = 0x2112A442
_BINDING_REQUEST, _BINDING_SUCCESS, _XOR_MAPPED_ADDRESS = 0x0001, 0x0101, 0x0020


@dataclass
class Circuit:
    """One WAN circuit: the source address pinned to it, its public address, and what is wrong with it.

    `loss` is a ratio, 1 when it is cut. `pin_lost` means that the router lost the policy route: probes from
    `source` then take the default path. `dns_dead`: names are not answered over it, all else passes.
    """

    source: str
    public: str
    loss: float = 0.0
    pin_lost: bool = False
    dns_dead: bool = False

    @property
    def alive(self) -> bool:
        return self.loss < 1


@dataclass
class Router:
    """The edge router of a terminal: seconds until it switches and until it fails back, None for never."""

    switch_after: float | None = 8.0
    failback_after: float | None = 15.0
    carries: str = PRIMARY
    _since: float | None = field(default=None, repr=False)

    def tick(self, circuits: dict[str, Circuit], now: float) -> None:
        """Move the default path when its reason has lasted long enough; `now` is in monotonic seconds."""
        other = STANDBY if self.carries == PRIMARY else PRIMARY
        if not circuits[self.carries].alive and circuits[other].alive:
            wait = self.switch_after
        elif self.carries == STANDBY and circuits[PRIMARY].alive:
            wait = self.failback_after
        else:
            self._since = None
            return
        if self._since is None:
            self._since = now
        if wait is not None and now - self._since >= wait:
            self.carries, self._since = other, None


@dataclass
class Yard:
    """One terminal of the simulated fleet."""

    name: str
    default_source: str
    circuits: dict[str, Circuit]
    router: Router = field(default_factory=Router)

    def takes(self) -> dict[str, Circuit]:
        """The circuit that each source address of this yard takes now."""
        carrier = self.circuits[self.router.carries]
        pinned = {c.source: carrier if c.pin_lost else c for c in self.circuits.values()}
        return {**pinned, self.default_source: carrier}

    def truth(self) -> str:
        """What is really so, in words."""
        wrong = [f"{name} {_condition(c)}" for name, c in self.circuits.items() if _condition(c)]
        return ", ".join([f"traffic by {self.router.carries}", *wrong])


def _condition(circuit: Circuit) -> str:
    if not circuit.alive:
        return "cut"
    words = [f"loses {circuit.loss:.0%}"] if circuit.loss else []
    words += ["not pinned"] if circuit.pin_lost else []
    return " ".join([*words, *(["without DNS"] if circuit.dns_dead else [])])


def _yard(number: int, name: str) -> Yard:
    return Yard(
        name,
        default_source=f"127.101.{number}.9",
        circuits={
            PRIMARY: Circuit(f"127.101.{number}.1", public=f"198.51.100.{number}"),
            STANDBY: Circuit(f"127.101.{number}.2", public=f"203.0.113.{number}"),
        },
    )


class Simulator:
    """Three yards and their internet, on loopback."""

    def __init__(self, ports: Ports) -> None:
        self.yards = {name: _yard(n, name) for n, name in enumerate(("fontana", "stockton", "reno"), start=1)}
        self._ports = ports
        self._listeners: list[LossyListener] = []
        self._lost: dict[str, float] | None = None
        self._stun: asyncio.DatagramTransport | None = None
        self.services = all_services()
        self._servers = Servers(self.services, ports, self._names_answered)
        self._ticking: asyncio.Task[None] | None = None

    def takes(self) -> dict[str, Circuit]:
        """The circuit that each source address of the fleet takes now."""
        return {source: circuit for yard in self.yards.values() for source, circuit in yard.takes().items()}

    async def start(self) -> None:
        """Listen and let time pass. Raises `OSError`, with nothing left open, when an address is taken."""
        loop = asyncio.get_running_loop()
        # First the one address that two simulators cannot share: lossy listeners would join each other's
        # groups.
        self._stun, _ = await loop.create_datagram_endpoint(
            lambda: _Stun(self), local_addr=(STUN_HOST, self._ports.stun)
        )
        try:
            for host in TARGETS:
                listener = LossyListener(host, self._ports.internet)
                self._listeners.append(listener)
                loop.add_reader(listener.socket, listener.accept_all)
            await self._servers.start()
        except OSError:
            await self.stop()
            raise
        self.update()
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        if self._stun is not None:
            self._stun.close()
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener.socket)
            listener.close()
        self._listeners.clear()
        await self._servers.stop()

    def update(self) -> None:
        """Let routers act and the internet lose what it must lose from now on."""
        now = time.monotonic()
        for yard in self.yards.values():
            yard.router.tick(yard.circuits, now)
        lost = {source: circuit.loss for source, circuit in self.takes().items() if circuit.loss}
        if lost != self._lost:
            for listener in self._listeners:
                listener.lose(lost)
            self._servers.lose(lost)
            self._lost = lost

    def _names_answered(self, source: str) -> bool:
        """Whoever takes no circuit of the fleet, the centre for one, has a good line of its own."""
        circuit = self.takes().get(source)
        return circuit is None or not (circuit.dns_dead or random.random() < circuit.loss)

    async def _tick(self) -> None:
        while True:
            self.update()
            await asyncio.sleep(TICK)


class _Stun(asyncio.DatagramProtocol):
    """Answers binding requests with the public address of the circuit the sender takes, if that is alive."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        circuit = self._simulator.takes().get(addr[0])
        if circuit is None or random.random() < circuit.loss or self._transport is None:
            return
        if answer := stun_answer(data, circuit.public, addr[1]):
            self._transport.sendto(answer, addr)


def stun_answer(request: bytes, public: str, port: int) -> bytes | None:
    """The binding success response (RFC 5389, section 15.2), or None for what is no binding request."""
    if len(request) < 20:
        return None
    kind, _, magic = struct.unpack_from("!HHI", request)
    if kind != _BINDING_REQUEST or magic != _MAGIC:
        return None
    address = int.from_bytes(socket.inet_aton(public), "big") ^ _MAGIC
    attribute = struct.pack("!HHBBHI", _XOR_MAPPED_ADDRESS, 8, 0, 1, port ^ (_MAGIC >> 16), address)
    return struct.pack("!HHI", _BINDING_SUCCESS, len(attribute), _MAGIC) + request[8:20] + attribute
