"""What the simulated yards work with: dispatch and the ELD portal over HTTP, and the DNS server that knows them.

As everywhere in the simulated internet, a source address stands for the circuit that it takes: who asks over a dead
circuit gets no answer, and neither do questions for names over a circuit whose DNS is dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from yardlight.demo import Ports
from yardlight.demo.bpf import LossyListener

DNS_HOST = "127.100.0.53"
ANSWERED_WITHIN = 5.0


@dataclass
class Service:
    """A server of the simulated internet; `down` makes it answer 503 to everybody."""

    name: str
    host: str
    address: str
    down: bool = False

    def url(self, ports: Ports) -> str:
        return f"http://{self.host}:{ports.services}/health"

    def truth(self) -> str:
        return "down everywhere" if self.down else "works"


def all_services() -> dict[str, Service]:
    """The servers that every yard works with, by name."""
    return {
        "dispatch": Service("dispatch", "dispatch.example.com", "127.100.0.10"),
        "eld-portal": Service("eld-portal", "eld.example.com", "127.100.0.11"),
    }


class Servers:
    """Runs the servers. `names_answered` says whether a question from this source address gets an answer."""

    def __init__(self, services: Mapping[str, Service], ports: Ports, names_answered: Callable[[str], bool]) -> None:
        self._services = services
        self._ports = ports
        self._names_answered = names_answered
        self._listeners: list[LossyListener] = []
        self._names: asyncio.DatagramTransport | None = None
        self._answering: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. Raises `OSError` when an address is taken."""
        loop = asyncio.get_running_loop()
        self._names, _ = await loop.create_datagram_endpoint(
            lambda: _Names(self._services, self._names_answered), local_addr=(DNS_HOST, self._ports.dns)
        )
        for service in self._services.values():
            listener = LossyListener(service.address, self._ports.services)
            self._listeners.append(listener)
            loop.add_reader(listener.socket, self._accept, listener, service)

    async def stop(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener.socket)
            listener.close()
        self._listeners.clear()
        for task in list(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        if self._names is not None:
            self._names.close()

    def lose(self, losses: Mapping[str, float]) -> None:
        """From now on lose this ratio of what each of these source addresses sends."""
        for listener in self._listeners:
            listener.lose(losses)

    def _accept(self, listener: LossyListener, service: Service) -> None:
        for connection in listener.accepted():
            task = asyncio.create_task(_answer(connection, service))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)


async def _answer(connection: socket.socket, service: Service) -> None:
    """One request, one answer."""
    connection.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWERED_WITHIN)
            status, body = (b"503 Service Unavailable", b"down\n") if service.down else (b"200 OK", b"ok\n")
            # Whatever answers for every host is taken for a login page.
            if f"\r\nhost: {service.host}".encode() not in request.lower():
                status, body = b"404 Not Found", b"no such host here\n"
            head = b"HTTP/1.1 %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            writer.write(head % (status, len(body)) + body)
            await writer.drain()
    finally:
        writer.close()


class _Names(asyncio.DatagramProtocol):
    """Knows the services' names and no other."""

    def __init__(self, services: Mapping[str, Service], answers: Callable[[str], bool]) -> None:
        self._addresses = {f"{service.host}.": service.address for service in services.values()}
        self._answers = answers
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is None or not self._answers(addr[0]):
            return
        with contextlib.suppress(dns.exception.DNSException):
            self._transport.sendto(self._answer(dns.message.from_wire(data)).to_wire(), addr)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        question = query.question[0] if query.question else None
        address = self._addresses.get(str(question.name).lower()) if question is not None else None
        if question is None or address is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", address))
        return answer
