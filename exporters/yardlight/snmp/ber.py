"""The part of ASN.1's basic encoding rules that SNMP uses, both ways; pure.

What comes from a network is never trusted: whatever is not exactly a message raises `MalformedError` and nothing else.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from yardlight.errors import SnmpError

Oid = tuple[int, ...]

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
GET, GET_NEXT, RESPONSE, SET, GET_BULK, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA7, 0xA8
_NUMBERS = frozenset({INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64})
# net-snmp wraps floating point numbers into Opaque: this tag, then how many bytes.
_FLOAT, _DOUBLE = b"\x9f\x78\x04", b"\x9f\x79\x08"
_MAX_SUBIDS = 128


class Missing(enum.Enum):
    """Why there is no value; the tags that SNMPv2 gives instead of one."""

    NO_OBJECT = 0x80
    NO_INSTANCE = 0x81
    END_OF_VIEW = 0x82


MISSING = frozenset(Missing)
# Text is bytes until somebody knows its encoding; an IpAddress is dotted text.
Value = int | float | bytes | str | Oid | None | Missing
VarBind = tuple[Oid, Value]


class MalformedError(SnmpError):
    """What came is not a message of SNMP."""

    def __init__(self, detail: str) -> None:
        super().__init__("bad_reply", detail)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One request or reply. Of a GETBULK, `status` is how many are not repeated and `index` how many repetitions."""

    kind: int
    request_id: int
    status: int = 0
    index: int = 0
    varbinds: tuple[VarBind, ...] = ()


def oid(text: str) -> Oid:
    """1.3.6.1 as numbers. Raises `ValueError` for what is none."""
    return tuple(int(part) for part in text.strip(".").split("."))


def dotted(numbers: Oid) -> str:
    """The opposite of `oid`."""
    return ".".join(map(str, numbers))


# Encoding


def tlv(tag: int, body: bytes) -> bytes:
    """One element: tag, length, content."""
    length = len(body)
    if length < 0x80:
        return bytes((tag, length)) + body
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def integer(number: int, tag: int = INTEGER) -> bytes:
    """A signed number; the unsigned types of SNMP are encoded alike."""
    return tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


@lru_cache(maxsize=65536)
def encode_oid(numbers: Oid) -> bytes:
    """An object identifier as an element."""
    if len(numbers) < 2:
        numbers = (*numbers, 0, 0)[:2]
    body = bytearray()
    for number in (numbers[0] * 40 + numbers[1], *numbers[2:]):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(0x80 | (number & 0x7F))
        body.extend(reversed(septets))
    return tlv(OID, bytes(body))


def encode_value(value: Value, tag: int | None = None) -> bytes:
    """A value as an element; `tag` where its Python type does not say it (a Gauge32, say)."""
    if value is None:
        return tlv(NULL, b"")
    if isinstance(value, Missing):
        return tlv(value.value, b"")
    if isinstance(value, int):
        return integer(value, INTEGER if tag is None else tag)
    if isinstance(value, float):
        return tlv(OPAQUE, _DOUBLE + struct.pack(">d", value))
    if isinstance(value, bytes):
        return tlv(OCTETS if tag is None else tag, value)
    if isinstance(value, str):
        return tlv(IP_ADDRESS, bytes(int(part) for part in value.split(".")))
    return encode_oid(value)


@lru_cache(maxsize=65536)
def _asked(numbers: Oid) -> bytes:
    return tlv(SEQUENCE, encode_oid(numbers) + b"\x05\x00")


def encode_asked(oids: Iterable[Oid]) -> bytes:
    """The variable bindings of a question: names without values."""
    return tlv(SEQUENCE, b"".join(map(_asked, oids)))


def encode_varbinds(varbinds: Iterable[tuple[Oid, bytes]]) -> bytes:
    """Variable bindings whose values are elements already."""
    return tlv(SEQUENCE, b"".join(tlv(SEQUENCE, encode_oid(name) + value) for name, value in varbinds))


def encode_pdu(kind: int, request_id: int, varbinds: bytes, status: int = 0, index: int = 0) -> bytes:
    """A PDU of encoded variable bindings."""
    return tlv(kind, integer(request_id) + integer(status) + integer(index) + varbinds)


def encode_v2c(community: bytes, pdu: bytes) -> bytes:
    """A whole message of version 2c."""
    return tlv(SEQUENCE, b"\x02\x01\x01" + tlv(OCTETS, community) + pdu)


# Decoding


class Reader:
    """Elements one after the other from a part of a message."""

    __slots__ = ("data", "end", "start")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        self.data, self.start, self.end = data, start, len(data) if end is None else end

    def next(self) -> tuple[int, int, int]:
        """Tag, and where the content begins and ends. The next call reads what follows."""
        data, at, end = self.data, self.start, self.end
        if at + 2 > end:
            raise MalformedError("ends in the middle of an element")
        tag, length = data[at], data[at + 1]
        at += 2
        if length >= 0x80:
            size = length & 0x7F
            if not 0 < size <= 4 or at + size > end:
                raise MalformedError("a length that cannot be")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > end:
            raise MalformedError("an element longer than what holds it")
        self.start = at + length
        return tag, at, at + length

    def expect(self, tag: int) -> tuple[int, int]:
        """Where the content of the next element is, which must be of this kind."""
        found, start, end = self.next()
        if found != tag:
            raise MalformedError(f"tag {found:#x} where {tag:#x} should be")
        return start, end

    def within(self, tag: int) -> Reader:
        """A reader of what the next element holds."""
        return Reader(self.data, *self.expect(tag))

    def integer(self) -> int:
        """The next element as a number."""
        start, end = self.expect(INTEGER)
        return self._number(INTEGER, start, end)

    def octets(self) -> bytes:
        """The next element as bytes."""
        start, end = self.expect(OCTETS)
        return self.data[start:end]

    def value(self) -> Value:
        """The next element as a value."""
        tag, start, end = self.next()
        if tag in _NUMBERS:
            return self._number(tag, start, end)
        if tag == OCTETS:
            return self.data[start:end]
        if tag == OID:
            return decode_oid(self.data[start:end])
        if tag == IP_ADDRESS:
            if end - start != 4:
                raise MalformedError("an address that is not four bytes")
            return ".".join(map(str, self.data[start:end]))
        if tag == NULL:
            return None
        if 0x80 <= tag <= 0x82:
            return Missing(tag)
        if tag == OPAQUE:
            return _opaque(self.data[start:end])
        raise MalformedError(f"a value of an unknown type, tag {tag:#x}")

    def _number(self, tag: int, start: int, end: int) -> int:
        if not 0 < end - start <= 9:
            raise MalformedError("a number of no bytes or of too many")
        # Sloppy agents leave out the zero before a high bit: what cannot be negative is not.
        return int.from_bytes(self.data[start:end], "big", signed=tag == INTEGER)


@lru_cache(maxsize=65536)
def decode_oid(body: bytes) -> Oid:
    """The content of an object identifier. Raises `MalformedError`."""
    if not body or body[-1] & 0x80 or len(body) > 5 * _MAX_SUBIDS:
        raise MalformedError("an object identifier that is cut off")
    numbers: list[int] = []
    number = 0
    for byte in body:
        number = number << 7 | byte & 0x7F
        if number > 0xFFFFFFFF:
            raise MalformedError("an object identifier with a number over 32 bits")
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return (first, numbers[0] - 40 * first, *numbers[1:])


def _opaque(body: bytes) -> Value:
    if body.startswith(_FLOAT) and len(body) == 7:
        single: float = struct.unpack(">f", body[3:])[0]
        return single
    if body.startswith(_DOUBLE) and len(body) == 11:
        double: float = struct.unpack(">d", body[3:])[0]
        return double
    return body


def decode_pdu(reader: Reader) -> Pdu:
    """The next element as a PDU. Raises `MalformedError`."""
    kind, start, end = reader.next()
    if kind not in (GET, GET_NEXT, RESPONSE, SET, GET_BULK, TRAP, REPORT):
        raise MalformedError(f"a PDU of an unknown kind, tag {kind:#x}")
    body = Reader(reader.data, start, end)
    request_id, status, index = body.integer(), body.integer(), body.integer()
    bindings = body.within(SEQUENCE)
    varbinds: list[VarBind] = []
    while bindings.start < bindings.end:
        binding = bindings.within(SEQUENCE)
        name_start, name_end = binding.expect(OID)
        varbinds.append((decode_oid(binding.data[name_start:name_end]), binding.value()))
    return Pdu(kind, request_id, status, index, tuple(varbinds))


def decode_v2c(data: bytes) -> tuple[bytes, Pdu]:
    """Community and PDU of a message of version 2c. Raises `MalformedError`."""
    message = Reader(data).within(SEQUENCE)
    if (version := message.integer()) != 1:
        raise MalformedError(f"a message of version {version}, not 2c")
    return message.octets(), decode_pdu(message)
