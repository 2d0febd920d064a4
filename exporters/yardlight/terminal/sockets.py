"""What the kernel gives: sockets bound to one path, drained in batches, with its own receive times.

Nothing here waits. `drain` reads all that has come and hands each answer to the lane that asked; the engine calls it
before `expire` decides which probes are lost. Receive times come from the kernel's wall clock and are moved to the
monotonic clock batch by batch; a stamp outside [sent, read] (the wall clock was stepped) is replaced by the time of
the read.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import random
import secrets
import select
import socket
import struct
import time
from typing import Protocol

from yardlight.inventory.addresses import is_address
from yardlight.terminal.packets import EchoTemplate, build_stun, parse_icmp4, parse_icmp6, parse_stun

_SO_ATTACH_FILTER = 26
_SO_TIMESTAMPNS = 35
_SOL_RAW = 255
_ICMP_FILTER = 1
_SOL_SOCKET, _IPPROTO_IPV6, _IPV6_HOPLIMIT = socket.SOL_SOCKET, socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT
_TCP_INFO_RTT = 68
_TCP_INFO_TOTAL_RETRANSMITS = 100
_RECEIVE_BUFFER = 4 << 20
# An answer, or a quotation of our packet, with any options; and what the kernel adds to it.
_LONGEST, _ANCILLARY = 256, 128
_TIMESPEC = struct.Struct("qq")
# What tells open probes of one socket apart.
Token = int | bytes


class Lane(Protocol):
    """Who asked for a probe and wants to hear of its answer. Times are monotonic seconds."""

    def answered(self, sent: float, received: float, ttl: int | None) -> None:
        """The probe reached its target and came back."""

    def seen(self, sent: float, source: str) -> None:
        """A hop on the way answered instead (`source`), or the outside saw us as `source`."""

    def lost(self, sent: float, now: float) -> None:
        """The probe sent at `sent` was not answered within its timeout."""


class ProbeSocket:
    """Sends probes for lanes over one path, all with the same timeout; those that are open are held oldest first."""

    def __init__(self, bind: str | None, v6: bool, timeout: float) -> None:
        self._bind, self._v6, self._timeout = bind, v6, timeout
        self._open: dict[Token, tuple[Lane, float, socket.socket | None]] = {}

    def drain(self, now: float) -> None:
        """Hand every answer that has come to its lane."""
        raise NotImplementedError

    def expire(self, now: float) -> None:
        """Give up what is open for longer than the timeout, and tell its lanes."""
        open_, limit = self._open, now - self._timeout
        while open_:
            token = next(iter(open_))
            lane, sent, sock = open_[token]
            if sent > limit:
                return
            del open_[token]
            if sock is not None:
                self._release(sock)
            lane.lost(sent, now)

    def forget(self) -> None:
        """Give up all that is open and say nothing."""
        for _, _, sock in self._open.values():
            if sock is not None:
                self._release(sock)
        self._open.clear()

    def close(self) -> None:
        """Give back what the kernel gave; no word about open probes reaches a lane."""
        self.forget()

    def _release(self, sock: socket.socket) -> None:
        sock.close()


def bind_socket(sock: socket.socket, bind: str | None, port: int = 0) -> None:
    """Tie a socket to an address or an interface. Raises `OSError` if the box does not have it."""
    if bind is None:
        return
    if is_address(bind):
        sock.bind((bind, port))
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bind.encode() + b"\0")


def _only_own_replies(sock: socket.socket, tag: int) -> None:
    """Let echo replies of other programs stay in the kernel: a raw socket sees everybody's.

    Classic BPF over the IPv4 packet: an echo reply passes only with our sequence number, everything else passes.
    """
    program = [
        (0xB1, 0, 0, 0),  # x = length of the IP header
        (0x50, 0, 0, 0),  # a = ICMP type
        (0x15, 0, 3, 0),  # not an echo reply: accept
        (0x48, 0, 0, 6),  # a = sequence number
        (0x15, 1, 0, tag),  # ours: accept
        (0x06, 0, 0, 0),
        (0x06, 0, 0, 0xFFFF),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filter_ = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)


class IcmpSocket(ProbeSocket):
    """Echoes over one path (RFC 792, RFC 4443) through one socket.

    Raises `PermissionError` without CAP_NET_RAW and `OSError` if it cannot be bound.
    """

    def __init__(self, bind: str | None, v6: bool, timeout: float) -> None:
        super().__init__(bind, v6, timeout)
        family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (socket.AF_INET, socket.IPPROTO_ICMP)
        self._sock = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
        try:
            self._tag = random.SystemRandom().randrange(1, 0xFFFF)
            self._sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            if v6:
                pass_types = bytearray(b"\xff" * 32)
                for kind in (1, 3, 129):
                    pass_types[kind // 32 * 4 + kind % 32 // 8] &= ~(1 << kind % 8) & 0xFF
                self._sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP_FILTER, bytes(pass_types))
                self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            else:
                block = 0xFFFFFFFF & ~(1 << 0 | 1 << 3 | 1 << 11)
                self._sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("I", block))
                _only_own_replies(self._sock, self._tag)
            bind_socket(self._sock, bind)
        except BaseException:
            self._sock.close()
            raise
        self._parse = parse_icmp6 if v6 else parse_icmp4
        self._template = EchoTemplate(self._tag, v6)
        self._ident = random.randrange(0x10000)

    def echo(self, lane: Lane, address: str, now: float, hops: int | None = None) -> None:
        """Send one echo for `lane`, optionally limited to `hops`. Raises `OSError` if it cannot leave."""
        ident = self._ident
        self._ident = (ident + 1) & 0xFFFF
        packet = self._template.build(ident)
        if hops is None:
            self._sock.sendto(packet, (address, 0))
        else:
            level, name = (
                (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT) if self._v6 else (socket.IPPROTO_IP, socket.IP_TTL)
            )
            self._sock.sendmsg([packet], [(level, name, struct.pack("i", hops))], 0, (address, 0))
        self._open[ident] = (lane, now, None)

    def drain(self, now: float) -> None:
        """Hand every reply that has come to its lane."""
        receive, parse, tag, open_ = self._sock.recvmsg, self._parse, self._tag, self._open
        offset: float | None = None
        while True:
            try:
                packet, ancillary, _, source = receive(_LONGEST, _ANCILLARY)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno == errno.EBADF:
                    return
                # The kernel's word about an earlier send (unreachable); that probe stays open and is lost in time.
                continue
            reply = parse(packet)
            if reply is None or reply.sequence != tag or reply.kind == "unreachable":
                continue
            probe = open_.pop(reply.ident, None)
            if probe is None:
                continue
            lane, sent, _ = probe
            if reply.kind == "hop":
                lane.seen(sent, source[0])
                continue
            if offset is None:
                now = time.monotonic()
                offset = time.time() - now
            received, ttl = now, reply.ttl
            for level, kind, data in ancillary:
                if level == _SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = _TIMESPEC.unpack(data)
                    stamp = seconds + nanoseconds * 1e-9 - offset
                    if sent <= stamp <= now:
                        received = stamp
                elif level == _IPPROTO_IPV6 and kind == _IPV6_HOPLIMIT:
                    ttl = struct.unpack("i", data[:4])[0]
            lane.answered(sent, received, ttl)

    def close(self) -> None:
        """Give the socket back."""
        super().close()
        self._sock.close()


class _OneEach(ProbeSocket):
    """A socket of its own for each probe: an old flow may be stuck to a circuit that is dead."""

    def __init__(self, bind: str | None, v6: bool, timeout: float) -> None:
        super().__init__(bind, v6, timeout)
        self._family = socket.AF_INET6 if v6 else socket.AF_INET
        self._epoll = select.epoll()
        self._tokens: dict[int, Token] = {}

    def _wait_for(self, token: Token, sock: socket.socket, event: int, lane: Lane, sent: float) -> None:
        self._epoll.register(sock, event)
        self._tokens[sock.fileno()] = token
        self._open[token] = (lane, sent, sock)

    def drain(self, now: float) -> None:
        """Hand every answer that has come to its lane."""
        if not self._tokens:
            return
        for fd, _ in self._epoll.poll(0):
            token = self._tokens[fd]
            lane, sent, sock = self._open[token]
            assert sock is not None
            self._read(token, sock, lane, sent, now)

    def _read(self, token: Token, sock: socket.socket, lane: Lane, sent: float, now: float) -> None:
        """Something came; release the socket if there is no more to come."""
        raise NotImplementedError

    def _release(self, sock: socket.socket) -> None:
        # Closing takes it out of the epoll, too.
        self._tokens.pop(sock.fileno(), None)
        sock.close()

    def close(self) -> None:
        """Give the sockets back."""
        super().close()
        self._epoll.close()


class TcpSocket(_OneEach):
    """TCP connects over one path, reset as soon as they stand. A refused connect is not an answer.

    Many routers refuse on behalf of a dead WAN, so only a completed handshake shows that the path carries.
    """

    def __init__(self, bind: str | None, v6: bool, timeout: float) -> None:
        super().__init__(bind, v6, timeout)
        self._serial = itertools.count()

    def connect(self, lane: Lane, address: str, port: int, now: float) -> None:
        """Start one connect for `lane`. Raises `OSError` if it cannot leave."""
        sock = socket.socket(self._family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            bind_socket(sock, self._bind)
            error = sock.connect_ex((address, port))
            if error not in (0, errno.EINPROGRESS):
                raise OSError(error, os.strerror(error))
            self._wait_for(next(self._serial), sock, select.EPOLLOUT, lane, now)
        except BaseException:
            sock.close()
            raise

    def _read(self, token: Token, sock: socket.socket, lane: Lane, sent: float, now: float) -> None:
        """The handshake is over; a failed one stays open until it expires, as lost."""
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        failed = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._release(sock)
        if failed or struct.unpack_from("I", info, _TCP_INFO_TOTAL_RETRANSMITS)[0]:
            # Answered only after a SYN was sent again: the probe of `sent` itself was lost.
            return
        del self._open[token]
        rtt = struct.unpack_from("I", info, _TCP_INFO_RTT)[0] * 1e-6
        lane.answered(sent, min(now, sent + rtt), None)


class StunSocket(_OneEach):
    """Asks a STUN server over one path as which address it is seen (RFC 5389)."""

    def ask(self, lane: Lane, address: str, port: int, now: float) -> None:
        """Send one binding request for `lane`. Raises `OSError` if it cannot leave."""
        transaction = secrets.token_bytes(12)
        sock = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            bind_socket(sock, self._bind)
            sock.sendto(build_stun(transaction), (address, port))
            self._wait_for(transaction, sock, select.EPOLLIN, lane, now)
        except BaseException:
            sock.close()
            raise

    def _read(self, token: Token, sock: socket.socket, lane: Lane, sent: float, now: float) -> None:
        try:
            answer = parse_stun(sock.recv(4096))
        except OSError:
            # The kernel's word about the question (unreachable); it is lost in time.
            return
        if answer is not None and answer[0] == token:
            del self._open[token]
            self._release(sock)
            lane.seen(sent, answer[1])
