"""ICMP echo (RFC 792, RFC 4443) and STUN binding (RFC 5389) as bytes: pure, no sockets and no clock."""

from __future__ import annotations

import ipaddress
import struct
from functools import lru_cache
from typing import NamedTuple

from yardlight.budget import ECHO_PAYLOAD

ECHO_REQUEST = 8
ECHO_REPLY = 0
UNREACHABLE = 3
TIME_EXCEEDED = 11
ECHO_REQUEST_6 = 128
ECHO_REPLY_6 = 129
UNREACHABLE_6 = 1
TIME_EXCEEDED_6 = 3

_HEADER = struct.Struct("!BBHHH")
_IDENTITY = struct.Struct("!HH")
_STUN_HEADER = struct.Struct("!HHI")
_PAYLOAD = b"yardlite"[:ECHO_PAYLOAD]
_STUN_COOKIE = 0x2112A442
_XOR_MAPPED_ADDRESS = 0x0020


class Reply(NamedTuple):
    """One ICMP message about a probe of ours: which probe, and whether it is the echo's answer.

    `kind` is "echo" (answered), "hop" (time to live ran out at the sender) or "unreachable". `ttl` is what was left of
    the answer's own time to live, None where the kernel did not say.
    """

    kind: str
    ident: int
    sequence: int
    ttl: int | None


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class EchoTemplate:
    """Echo requests with one sequence number (`tag`) and an identifier of their own each.

    Routers and firewalls take the identifier for a flow. One identifier for all probes would be one flow, and that
    stays stuck to a dead circuit's translation after a failover: each probe asks as a newcomer would.
    """

    def __init__(self, tag: int, v6: bool) -> None:
        self._tag = tag
        self._kind = ECHO_REQUEST_6 if v6 else ECHO_REQUEST
        self._base = 0xFFFF & ~checksum(_HEADER.pack(self._kind, 0, 0, 0, tag) + _PAYLOAD)

    def build(self, ident: int) -> bytes:
        """The bytes of the request with this identifier (0 to 65535). The kernel redoes the sum for IPv6."""
        total = self._base + ident
        total = (total & 0xFFFF) + (total >> 16)
        return _HEADER.pack(self._kind, 0, ~total & 0xFFFF, ident, self._tag) + _PAYLOAD


def parse_icmp4(packet: bytes) -> Reply | None:
    """The reply in an IPv4 packet as a raw socket gives it (IP header first); None if it is not about an echo."""
    if len(packet) < 28:
        return None
    header = (packet[0] & 0x0F) * 4
    if header < 20 or len(packet) < header + 8:
        return None
    kind = packet[header]
    if kind == ECHO_REPLY:
        ident, sequence = _IDENTITY.unpack_from(packet, header + 4)
        return Reply("echo", ident, sequence, packet[8])
    if kind not in (TIME_EXCEEDED, UNREACHABLE):
        return None
    inner = header + 8
    if len(packet) < inner + 20 or packet[inner] >> 4 != 4 or packet[inner + 9] != 1:
        return None
    echo = inner + (packet[inner] & 0x0F) * 4
    if len(packet) < echo + 8 or packet[echo] != ECHO_REQUEST:
        return None
    ident, sequence = _IDENTITY.unpack_from(packet, echo + 4)
    return Reply("hop" if kind == TIME_EXCEEDED else "unreachable", ident, sequence, None)


def parse_icmp6(packet: bytes) -> Reply | None:
    """The reply in an ICMPv6 message as a raw socket gives it (no IP header); None if it is not about an echo."""
    if len(packet) < 8:
        return None
    kind = packet[0]
    if kind == ECHO_REPLY_6:
        ident, sequence = _IDENTITY.unpack_from(packet, 4)
        return Reply("echo", ident, sequence, None)
    if kind not in (TIME_EXCEEDED_6, UNREACHABLE_6) or len(packet) < 56 or packet[14] != 58:
        return None
    if packet[48] != ECHO_REQUEST_6:
        return None
    ident, sequence = _IDENTITY.unpack_from(packet, 52)
    return Reply("hop" if kind == TIME_EXCEEDED_6 else "unreachable", ident, sequence, None)


def build_stun(transaction: bytes) -> bytes:
    """A STUN binding request with this 12-byte transaction id and no attributes."""
    return _STUN_HEADER.pack(0x0001, 0, _STUN_COOKIE) + transaction


@lru_cache(maxsize=4096)
def _address(number: int, v6: bool) -> str:
    return str(ipaddress.IPv6Address(number) if v6 else ipaddress.IPv4Address(number))


def parse_stun(packet: bytes) -> tuple[bytes, str] | None:
    """(transaction id, mapped address) of a STUN binding success response; None for anything else."""
    if len(packet) < 20:
        return None
    kind, length, cookie = _STUN_HEADER.unpack_from(packet)
    if kind != 0x0101 or cookie != _STUN_COOKIE or len(packet) < 20 + length:
        return None
    transaction = packet[8:20]
    at = 20
    while at + 4 <= 20 + length:
        attribute, size = _IDENTITY.unpack_from(packet, at)
        value = packet[at + 4 : at + 4 + size]
        if attribute == _XOR_MAPPED_ADDRESS and len(value) in (8, 20):
            key = packet[4:8] if len(value) == 8 else packet[4:20]
            address = int.from_bytes(value[4:], "big") ^ int.from_bytes(key, "big")
            return transaction, _address(address, len(value) == 20)
        at += 4 + (size + 3) // 4 * 4
    return None
