"""One TCP connection over one path, plain or with TLS, that knows what it put on the wire.

Made by hand rather than by asyncio's transports, so that each phase can be timed, the socket be tied to an address or
an interface, its segments and its window be made small, and the kernel be asked what it sent and got.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from yardlight.budget import FRAME
from yardlight.errors import ServiceError
from yardlight.terminal.sockets import bind_socket

T = TypeVar("T")

# In struct tcp_info (linux/tcp.h): bytes acknowledged and received, segments out and in, bytes sent with repetitions.
_TCP_INFO_BYTES_ACKED = 120
_TCP_INFO_BYTES_SENT = 200
# IP without options and TCP with a time stamp; the two segments of the handshake carry 8 bytes more of options.
_HEADER, _HEADER6, _HANDSHAKE = 20 + 32, 40 + 32, 16
# What closing costs after the kernel was asked: a FIN and its acknowledgement each way.
_CLOSING = 4
_CHUNK = 16_384


@dataclass(slots=True)
class Meter:
    """Bytes on the wire, both ways, frames included."""

    bytes: int = 0


class Stream:
    """A connection to `address`; at most `limit` bytes are taken from it.

    `segment` limits the size of the packets that the other side sends, `window` what it may send ahead, both in bytes.
    Every method but `close` may raise `ServiceError`; `connect` raises `OSError` if nothing can leave this box.
    """

    def __init__(
        self,
        address: str,
        bind: str | None,
        meter: Meter,
        *,
        limit: int = 1_000_000,
        segment: int | None = None,
        window: int | None = None,
    ) -> None:
        self._address, self._meter, self._left = address, meter, limit
        self._v6 = ":" in address
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        family = socket.AF_INET6 if self._v6 else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if segment is not None:
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
            if window is not None:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            bind_socket(self._sock, bind)
        except BaseException:
            self._sock.close()
            raise

    async def connect(self, port: int) -> None:
        """Shake hands."""
        error = self._sock.connect_ex((self._address, port))
        if error == errno.EINPROGRESS:
            await _writable(self._sock)
            error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                # The network said so, not this box.
                raise ServiceError(_CONNECT.get(error, "unreachable"), os.strerror(error))
        if error == errno.ECONNREFUSED:
            raise ServiceError("connect_refused", os.strerror(error))
        if error:
            raise OSError(error, os.strerror(error))

    async def secure(self, context: ssl.SSLContext, host: str) -> float | None:
        """Agree on TLS with `host`; when its certificate ends (unix seconds). Raises `ServiceError` (tls_...)."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        try:
            await self._drive(self._tls.do_handshake)
        except ssl.SSLCertVerificationError as error:
            raise ServiceError(_VERIFY.get(error.verify_code, "tls_untrusted"), error.verify_message) from error
        except ssl.SSLError as error:
            raise ServiceError("tls_other", (error.reason or str(error)).lower().replace("_", " ")) from error
        ends = (self._tls.getpeercert() or {}).get("notAfter")
        return float(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None

    async def send(self, data: bytes) -> None:
        """All of `data`."""
        if self._tls is None:
            await self._push(data)
        else:
            await self._drive(partial(self._tls.write, data))

    async def receive(self) -> bytes:
        """What has come, as soon as something has; nothing at the end."""
        if self._tls is None:
            return await self._pull()
        try:
            return await self._drive(partial(self._tls.read, _CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise ServiceError("reset", (error.reason or str(error)).lower().replace("_", " ")) from error

    def close(self) -> None:
        """Hang up, and count what went over the wire."""
        info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        acked, received = struct.unpack_from("QQ", info, _TCP_INFO_BYTES_ACKED)
        segments = sum(struct.unpack_from("II", info, _TCP_INFO_BYTES_ACKED + 16))
        sent = acked
        if len(info) >= _TCP_INFO_BYTES_SENT + 8:
            sent = max(acked, struct.unpack_from("Q", info, _TCP_INFO_BYTES_SENT)[0])
        per_segment = FRAME + (_HEADER6 if self._v6 else _HEADER)
        if segments:
            self._meter.bytes += sent + received + (segments + _CLOSING) * per_segment + _HANDSHAKE
        self._sock.close()

    async def _drive(self, step: Callable[[], T]) -> T:
        """Repeat one step of TLS until the other side has said enough for it."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._push(self._outgoing.read())
                data = await self._pull()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
                continue
            except ssl.SSLError:
                # The other side may learn why.
                with contextlib.suppress(ServiceError):
                    await self._push(self._outgoing.read())
                raise
            await self._push(self._outgoing.read())
            return result

    async def _push(self, data: bytes) -> None:
        try:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        except OSError as error:
            raise ServiceError("reset", error.strerror or str(error)) from error

    async def _pull(self) -> bytes:
        try:
            data = await asyncio.get_running_loop().sock_recv(self._sock, _CHUNK)
        except OSError as error:
            raise ServiceError("reset", error.strerror or str(error)) from error
        self._left -= len(data)
        if self._left < 0:
            raise ServiceError("too_large", "it sent more than is taken from it")
        return data


_CONNECT = {errno.ECONNREFUSED: "connect_refused", errno.ETIMEDOUT: "connect_timeout"}
# X509_V_ERR_...: expired; self-signed; name or address not in it. All others: nobody trusted signed it.
_VERIFY = {10: "tls_expired", 18: "tls_self_signed", 62: "tls_wrong_name", 64: "tls_wrong_name"}


async def _writable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(sock)
