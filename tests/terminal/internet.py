"""Servers on loopback for probes of services: web servers good and bad, an authority for certificates, a DNS server."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]
HOST = "127.0.0.1"
NAME = "dispatch.example.com"
DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates; `file` is what a client that trusts it needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed("Test authority", self._key, None)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str = NAME, days: int = 30, itself: bool = False) -> ssl.SSLContext:
        """What a server needs that shows a certificate for `name`, ending in so many days."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(name, key, key if itself else self._key, days)
        file = self._folder / f"{name}{days}{itself}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def client(self) -> ssl.SSLContext:
        """What a client needs that trusts this authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.file))

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        signer: ec.EllipticCurvePrivateKey | None,
        days: int = 3650,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if signer in (None, key) else self._certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 400 * DAY)
            .not_valid_after(now + days * DAY)
        )
        if signer is None:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        else:
            host = x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        return builder.sign(signer or key, hashes.SHA256())


@dataclass
class Web:
    """A web server; `seen` are the heads of all requests, `connected` counts connects."""

    port: int
    seen: list[str] = field(default_factory=list)
    connected: int = 0


@asynccontextmanager
async def web(handler: Handler, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Web]:
    """Serve with `handler`, which gets each request's head."""
    state = Web(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.connected += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            state.seen.append(head)
            await handler(reader, writer, head)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, HOST, port, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()


def says(status: int, body: str = "", *headers: str) -> Handler:
    """Always the same answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", *headers, "", body]
        writer.write("\r\n".join(lines).encode())

    return handler


def by_path(pages: dict[str, Handler], otherwise: Handler | None = None) -> Handler:
    """An answer for each path; 404 for any other."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        await pages.get(head.split()[1], otherwise or says(404))(reader, writer, head)

    return handler


def forever(first: bytes, piece: bytes, every: float) -> Handler:
    """An answer that never ends: `piece` again and again, with so many seconds between."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return handler


@dataclass
class Dns(asyncio.DatagramProtocol):
    """A DNS server: addresses by name, all else NXDOMAIN. With `truncated`, UDP answers say nothing but that."""

    port: int = 0
    addresses: dict[str, str] = field(default_factory=lambda: {NAME: HOST})
    rcode: dns.rcode.Rcode | None = None
    silent: bool = False
    truncated: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    over_tcp: int = 0
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and (answer := self.answer(data, addr[0], self.truncated)):
            self._transport.sendto(answer, addr)

    def answer(self, packet: bytes, source: str, truncated: bool = False) -> bytes | None:
        query = dns.message.from_wire(packet)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append((source, name))
        if self.silent:
            return None
        answer = dns.message.make_response(query)
        if truncated:
            answer.flags |= dns.flags.TC
        elif self.rcode is not None:
            answer.set_rcode(self.rcode)
        elif name not in self.addresses:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif dns.rdatatype.to_text(query.question[0].rdtype) == "A":
            answer.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "A", self.addresses[name]))
        return answer.to_wire()

    async def serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            packet = await reader.readexactly(length)
            self.over_tcp += 1
            if answer := self.answer(packet, writer.get_extra_info("peername")[0]):
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def name_server(host: str = HOST, port: int = 0) -> AsyncIterator[Dns]:
    """A DNS server on UDP and TCP."""
    state = Dns()
    server = await asyncio.start_server(state.serve_tcp, host, port)
    state.port = server.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: state, local_addr=(host, state.port))
    try:
        yield state
    finally:
        transport.close()
        server.close()
