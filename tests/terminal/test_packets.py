"""ICMP and STUN as bytes."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from yardlight.terminal import packets

idents = st.integers(0, 0xFFFF)


def ipv4(payload: bytes, *, protocol: int = 1, ttl: int = 57, options: bytes = b"") -> bytes:
    """An IPv4 packet around `payload`; the checksum is of no interest to the parser."""
    words = 5 + len(options) // 4
    return struct.pack("!BBHHHBBH4s4s", 0x40 | words, 0, 0, 0, 0, ttl, protocol, 0, b"\1\2\3\4", b"\5\6\7\x08") + (
        options + payload
    )


@given(idents, idents)
def test_every_echo_request_carries_a_checksum_that_sums_to_zero(ident: int, sequence: int) -> None:
    assert packets.checksum(packets.EchoTemplate(sequence, v6=False).build(ident)) == 0


@given(idents, idents, st.sampled_from([b"", b"\x94\x04\0\0"]))
def test_an_echo_reply_names_its_probe_and_what_was_left_of_its_time_to_live(
    ident: int, sequence: int, options: bytes
) -> None:
    request = packets.EchoTemplate(sequence, v6=False).build(ident)
    reply = packets.parse_icmp4(ipv4(b"\0" + request[1:], options=options))
    assert reply == packets.Reply("echo", ident, sequence, 57)


@given(idents, idents)
def test_time_exceeded_names_the_hop_and_the_probe_it_stopped(ident: int, sequence: int) -> None:
    quoted = ipv4(packets.EchoTemplate(sequence, v6=False).build(ident))
    packet = ipv4(struct.pack("!BBHI", packets.TIME_EXCEEDED, 0, 0, 0) + quoted)
    assert packets.parse_icmp4(packet) == packets.Reply("hop", ident, sequence, None)


@given(idents, idents)
def test_the_same_holds_for_ipv6(ident: int, sequence: int) -> None:
    request = packets.EchoTemplate(sequence, v6=True).build(ident)
    reply = packets.parse_icmp6(bytes([packets.ECHO_REPLY_6]) + request[1:])
    assert reply == packets.Reply("echo", ident, sequence, None)
    header = struct.pack("!IHBB", 0x60000000, len(request), 58, 1) + bytes(32)
    packet = struct.pack("!BBHI", packets.TIME_EXCEEDED_6, 0, 0, 0) + header + request
    assert packets.parse_icmp6(packet) == packets.Reply("hop", ident, sequence, None)


@given(st.binary(max_size=120))
def test_garbage_is_no_reply_and_no_crash(packet: bytes) -> None:
    for parse in (packets.parse_icmp4, packets.parse_icmp6):
        reply = parse(packet)
        assert reply is None or reply.kind in ("echo", "hop", "unreachable")
    packets.parse_stun(packet)


@given(st.binary(min_size=12, max_size=12), st.ip_addresses())
def test_a_stun_answer_gives_the_mapped_address_back(
    transaction: bytes, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    request = packets.build_stun(transaction)
    key = request[4:8] if address.version == 4 else request[4:20]
    hidden = bytes(a ^ b for a, b in zip(address.packed, key, strict=True))
    value = struct.pack("!BBH", 0, 1 if address.version == 4 else 2, 0) + hidden
    padding = struct.pack("!HH", 0x8022, 3) + b"abc\0"
    body = padding + struct.pack("!HH", 0x0020, len(value)) + value
    answer = struct.pack("!HHI", 0x0101, len(body), 0x2112A442) + transaction + body
    assert packets.parse_stun(answer) == (transaction, str(address))


def test_a_stun_answer_without_an_address_is_none() -> None:
    answer = struct.pack("!HHI", 0x0101, 0, 0x2112A442) + bytes(12)
    assert packets.parse_stun(answer) is None
