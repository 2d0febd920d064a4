"""What answers in the lab's internet: an echo that says who asked, dispatch over HTTP, STUN and DNS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct

from tests.lab import namespace, network

ECHO_PORT, STUN_PORT, DNS_PORT = 7, 3478, 53
DISPATCH_NAME = b"\x08dispatch\x07example\x03com\x00"
_COOKIE = 0x2112A442


class _Answering(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport = transport

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        reply = self.answer(data, peer)
        if reply is not None:
            self.transport.sendto(reply, peer)

    def answer(self, data: bytes, peer: tuple[str, int]) -> bytes | None:
        raise NotImplementedError


class Echo(_Answering):
    """Returns the datagram with the sender's public address behind it."""

    def answer(self, data: bytes, peer: tuple[str, int]) -> bytes:
        return data + socket.inet_aton(peer[0])


class Stun(_Answering):
    """Binding success with XOR-MAPPED-ADDRESS (RFC 5389 sections 6 and 15.2)."""

    def answer(self, data: bytes, peer: tuple[str, int]) -> bytes | None:
        if len(data) < 20 or struct.unpack_from("!H", data)[0] != 1:
            return None
        host = struct.unpack("!I", socket.inet_aton(peer[0]))[0] ^ _COOKIE
        attribute = struct.pack("!HHBBHI", 0x0020, 8, 0, 1, peer[1] ^ (_COOKIE >> 16), host)
        return struct.pack("!HH", 0x0101, len(attribute)) + data[4:20] + attribute


class Names(_Answering):
    """A name server that knows dispatch.example.com and nothing else (RFC 1035)."""

    def answer(self, data: bytes, peer: tuple[str, int]) -> bytes | None:
        if len(data) < 17:
            return None
        end = data.index(0, 12) + 1
        question = data[12 : end + 4]
        known = data[12:end].lower() == DISPATCH_NAME
        address = known and question[-4:] == b"\x00\x01\x00\x01"
        flags = 0x8580 if known else 0x8583
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(network.DISPATCH)
        return data[:2] + struct.pack("!HHHHH", flags, 1, int(address), 0, 0) + question + (record if address else b"")


async def _dispatch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    # Whatever answers for every host is taken for a login page.
    status = b"200 OK" if b"\r\nhost: dispatch.example.com\r\n" in head.lower() else b"404 Not Found"
    writer.write(b"HTTP/1.1 %b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n" % status)
    writer.close()


async def start(secure: ssl.SSLContext | None = None) -> None:
    """Start all services, dispatch `secure` too if that is given; they live as long as the lab's process."""
    loop = asyncio.get_running_loop()
    for protocol, address, port in (
        (Echo, network.ECHO, ECHO_PORT), (Stun, network.STUN, STUN_PORT), (Names, network.DNS, DNS_PORT),
    ):  # fmt: skip
        await loop.create_datagram_endpoint(protocol, sock=namespace.udp_socket("internet", address, port))
    await asyncio.start_server(_dispatch, sock=namespace.listening_socket("internet", network.DISPATCH, 80))
    if secure is not None:
        sock = namespace.listening_socket("internet", network.DISPATCH, 443)
        await asyncio.start_server(_dispatch, sock=sock, ssl=secure)
