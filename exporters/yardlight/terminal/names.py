"""Names asked of DNS servers over one path, without waiting in the way of anything else.

Never the system's resolver: it asks over a path of its own choice. A truncated answer is asked for again over TCP, a
lost packet again a second later, of the next server where there is one.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from yardlight.budget import datagram_bytes
from yardlight.errors import ServiceError
from yardlight.inventory.addresses import is_address
from yardlight.terminal.sockets import bind_socket
from yardlight.terminal.stream import Meter, Stream

_AGAIN_AFTER = 1.0
# The second one where the first names nobody but this box: systemd's own resolver writes there whom it asks.
_FILES = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_REASONS = {
    dns.rcode.NXDOMAIN: "dns_nxdomain",
    dns.rcode.SERVFAIL: "dns_servfail",
    dns.rcode.REFUSED: "dns_refused",
}


@dataclass(slots=True)
class Resolver:
    """Asks `servers` over the path of `bind`; the one that answered last is asked first.

    A server is an address, with a port in it where that is not `port`.
    """

    bind: str | None
    servers: tuple[str, ...]
    port: int = 53
    _first: int = 0

    async def ask(self, name: str, kind: str, meter: Meter) -> dns.message.Message:
        """The answer to one question, whatever its rcode; servers that fail or refuse are only the last resort.

        Waits for ever: the caller has the deadline. Raises `OSError` if nothing can leave this box, and `ServiceError`
        (dns_refused) if nobody listens.
        """
        last: dns.message.Message | None = None
        if not self.servers:
            raise OSError(errno.ENOENT, "no DNS server to ask: name one in resolvers")
        refused, alien = 0, set[int]()
        while True:
            index = self._first % len(self.servers)
            try:
                answer = await asyncio.wait_for(self._ask_one(self.servers[index], name, kind, meter), _AGAIN_AFTER)
            except TimeoutError:
                self._first = index + 1
                continue
            except ConnectionError:
                answer = None
            except OSError:
                # Of the other IP version than the path, say; another server may be asked all the same.
                self._first = index + 1
                alien.add(index)
                if len(alien) == len(self.servers):
                    raise
                continue
            if answer is not None and answer.rcode() not in (dns.rcode.SERVFAIL, dns.rcode.REFUSED):
                self._first = index
                return answer
            self._first, last, refused = index + 1, answer or last, refused + 1
            if refused >= len(self.servers) - len(alien):
                if last is None:
                    raise ServiceError("dns_refused", f"{', '.join(self.servers)}: no DNS server there")
                return last

    async def address(self, name: str, meter: Meter) -> str:
        """An address of this name, of the IP version of the path. Raises `ServiceError` (dns_...) and `OSError`."""
        kinds = ("AAAA",) if self.bind is not None and ":" in self.bind else ("A", "AAAA")
        if self.bind is not None and "." in self.bind:
            kinds = ("A",)
        for kind in kinds:
            records = expect(await self.ask(name, kind, meter), name)
            if records is not None:
                return str(next(iter(records)).address)
        raise ServiceError("dns_empty", f"{name} has no address")

    def _place(self, server: str) -> tuple[str, int]:
        host, colon, port = server.rpartition(":")
        return (server, self.port) if not colon or is_address(server) else (host.strip("[]"), int(port))

    async def _ask_one(self, server: str, name: str, kind: str, meter: Meter) -> dns.message.Message:
        query = dns.message.make_query(name, kind, use_edns=0, payload=1232)
        packet = query.to_wire()
        host, port = self._place(server)
        v6 = ":" in host
        with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            bind_socket(sock, self.bind)
            sock.connect((host, port))
            sock.send(packet)
            meter.bytes += datagram_bytes(len(packet), v6)
            loop = asyncio.get_running_loop()
            while True:
                received = await loop.sock_recv(sock, 4096)
                meter.bytes += datagram_bytes(len(received), v6)
                answer = _read(query, received)
                if answer is not None:
                    break
        if answer.flags & dns.flags.TC:
            return await self._ask_over_tcp(server, query, packet, meter)
        return answer

    async def _ask_over_tcp(
        self, server: str, query: dns.message.Message, packet: bytes, meter: Meter
    ) -> dns.message.Message:
        host, port = self._place(server)
        stream = Stream(host, self.bind, meter)
        try:
            await stream.connect(port)
            await stream.send(struct.pack("!H", len(packet)) + packet)
            received = bytearray()
            while len(received) < 2 or len(received) < 2 + struct.unpack_from("!H", received)[0]:
                data = await stream.receive()
                if not data:
                    raise ConnectionResetError(errno.ECONNRESET, "the DNS server hung up")
                received += data
        except ServiceError as error:
            raise ConnectionRefusedError(errno.ECONNREFUSED, error.detail) from error
        finally:
            stream.close()
        answer = _read(query, bytes(received[2:]))
        if answer is None:
            raise ConnectionResetError(errno.ECONNRESET, "the DNS server answered something else")
        return answer


def expect(answer: dns.message.Message, name: str, rcode: str = "NOERROR") -> dns.rrset.RRset | None:
    """The records of an answer with the rcode wanted, aliases followed; None where there are none.

    Raises `ServiceError` (dns_...) for any other rcode.
    """
    if dns.rcode.to_text(answer.rcode()) != rcode:
        what = f"{name}: {dns.rcode.to_text(answer.rcode())}"
        raise ServiceError(_REASONS.get(answer.rcode(), "dns_other"), what)
    if rcode != "NOERROR" or not isinstance(answer, dns.message.QueryMessage):
        return None
    try:
        return answer.resolve_chaining().answer
    except dns.exception.DNSException as error:
        raise ServiceError("dns_other", f"{name}: {error}") from error


def _read(query: dns.message.Message, packet: bytes) -> dns.message.Message | None:
    """The answer to exactly this query; None for anything else."""
    try:
        answer = dns.message.from_wire(packet, ignore_trailing=True, raise_on_truncation=False)
    except dns.exception.DNSException:
        return None
    return answer if query.is_response(answer) else None


def system_resolvers(own: bool = False) -> tuple[str, ...]:
    """This machine's DNS servers; those on it, which ask over the default path, only with `own`."""
    for file in _FILES:
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        named = [words[1] for line in lines if (words := line.split()) and words[0] == "nameserver" and len(words) > 1]
        found = [server for server in named if is_address(server) and (own or not ip_address(server).is_loopback)]
        if found:
            return tuple(found)
    return ()
