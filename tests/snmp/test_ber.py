"""The codec: what it writes others read, what others write it reads, and nothing else gets in."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from yardlight.snmp import ber
from yardlight.snmp.ber import GET, GET_BULK, RESPONSE, MalformedError, Missing, Pdu

OIDS = st.builds(
    lambda first, second, rest: (first, second, *rest),
    st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**32 - 1), max_size=20),
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-(2**31), 2**31 - 1), st.binary(max_size=300), st.none(), OIDS, st.sampled_from(list(Missing)),
    st.ip_addresses(v=4).map(str), st.floats(allow_nan=False),
)  # fmt: skip
VARBINDS = st.lists(st.tuples(OIDS, VALUES), max_size=20)


def message(varbinds: list[tuple[ber.Oid, ber.Value]], kind: int = RESPONSE, number: int = 7) -> bytes:
    bindings = ber.encode_varbinds((name, ber.encode_value(value)) for name, value in varbinds)
    return ber.encode_v2c(b"public", ber.encode_pdu(kind, number, bindings))


@given(VARBINDS, st.integers(1, 2**31 - 1))
def test_what_is_written_is_read(varbinds: list[tuple[ber.Oid, ber.Value]], number: int) -> None:
    assert ber.decode_v2c(message(varbinds, number=number)) == (
        b"public",
        Pdu(RESPONSE, number, 0, 0, tuple(varbinds)),
    )


@given(st.binary(max_size=200))
def test_what_is_no_message_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(MalformedError):
        ber.decode_v2c(data)


@given(VARBINDS, st.data())
def test_a_message_cut_off_or_damaged_is_read_or_refused_and_never_more(
    varbinds: list[tuple[ber.Oid, ber.Value]], data: st.DataObject
) -> None:
    whole = message(varbinds)
    at = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MalformedError):
        ber.decode_v2c(whole[:at])
    damaged = whole[:at] + bytes((data.draw(st.integers(0, 255)),)) + whole[at + 1 :]
    with contextlib.suppress(MalformedError):
        ber.decode_v2c(damaged)


@given(OIDS, st.integers(-(2**31), 2**31 - 1), st.binary(max_size=200))
def test_pysnmp_reads_what_is_written(name: ber.Oid, number: int, text: bytes) -> None:
    decoded, rest = decoder.decode(message([(name, number), (name, text)]), asn1Spec=v2c.Message())
    assert rest == b""
    pdu = v2c.apiMessage.get_pdu(decoded)
    found = v2c.apiPDU.get_varbinds(pdu)
    assert [tuple(each) for each, _ in found] == [name, name]
    assert int(found[0][1]) == number
    assert bytes(found[1][1]) == text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (v2c.Counter64(2**64 - 1), 2**64 - 1),
        (v2c.Counter32(2**32 - 1), 2**32 - 1),
        (v2c.Gauge32(0), 0),
        (v2c.TimeTicks(128), 128),
        (v2c.Integer(-9999), -9999),
        (v2c.IpAddress("10.45.125.89"), "10.45.125.89"),
        (v2c.OctetString(b"Orange\xe9"), b"Orange\xe9"),
        (v2c.ObjectIdentifier("1.3.6.1.4.1.48690"), (1, 3, 6, 1, 4, 1, 48690)),
        (v2c.Null(""), None),
    ],
)
def test_what_pysnmp_writes_is_read(theirs: object, ours: ber.Value) -> None:
    pdu = v2c.GetResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_varbinds(pdu, [("1.3.6.1.2.1.1.1.0", theirs)])
    whole = v2c.Message()
    v2c.apiMessage.set_defaults(whole)
    v2c.apiMessage.set_community(whole, "public")
    v2c.apiMessage.set_pdu(whole, pdu)
    _, read = ber.decode_v2c(encoder.encode(whole))
    assert read.varbinds == ((ber.oid("1.3.6.1.2.1.1.1.0"), ours),)


def test_numbers_that_sloppy_agents_write_without_the_zero_before_a_high_bit_are_not_negative() -> None:
    sloppy = ber.tlv(ber.COUNTER32, b"\xff\xff\xff\xff")
    bindings = ber.encode_varbinds([((1, 3, 6), sloppy)])
    _, read = ber.decode_v2c(ber.encode_v2c(b"public", ber.encode_pdu(RESPONSE, 1, bindings)))
    assert read.varbinds == (((1, 3, 6), 2**32 - 1),)


def test_a_getbulk_has_its_two_numbers_where_others_have_status_and_index() -> None:
    bulk = ber.encode_pdu(GET_BULK, 9, ber.encode_asked([(1, 3, 6)]), 0, 16)
    assert ber.decode_v2c(ber.encode_v2c(b"c", bulk))[1] == Pdu(GET_BULK, 9, 0, 16, (((1, 3, 6), None),))
    assert ber.decode_v2c(ber.encode_v2c(b"c", ber.encode_pdu(GET, 1, ber.encode_asked([]))))[1].varbinds == ()
