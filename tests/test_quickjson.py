"""The quick way with JSON says what the standard library says."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight import quickjson
from yardlight.client import Reply
from yardlight.feeds import strict
from yardlight.things import Thing, pack, unpack

TEXTS = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@given(VALUES)
def test_what_is_written_is_read_by_either(value: Any) -> None:
    assert json.loads(quickjson.dumps(value)) == value
    assert quickjson.loads(json.dumps(value).encode()) == value


def test_a_number_of_twenty_digits_is_written_whole() -> None:
    assert json.loads(quickjson.dumps([89012608522908474330])) == [89012608522908474330]


@pytest.mark.parametrize("digits", [310, 5000])
def test_a_number_above_every_float_is_not_known(digits: int) -> None:
    body = b'{"a": ' + b"9" * digits + b', "b": 1}'
    reply = Reply(200, {}, body, "GET /")
    for read in (quickjson.loads(body), reply.json(), reply.quick_json(), strict.read(body, "GET /")):
        assert read == {"a": None, "b": 1}


class Named(NamedTuple):
    text: str


@pytest.mark.parametrize("text", ["whole", "cut \ud83d"])
def test_tuples_with_names_are_lists(text: str) -> None:
    assert quickjson.loads(quickjson.dumps([Named(text)], default=tuple)) == [[text]]


@pytest.mark.parametrize("data", [b"", b"<html>", b'{"a": ', b"\xff", b'["\x01"]'])
def test_what_is_no_json_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"line 1 column|can't decode|Expecting"):
        quickjson.loads(data)


def test_half_a_picture_in_a_name_is_kept_as_it_is() -> None:
    things = [Thing("tablet", called="Ann's \ud83d"), Thing("tablet", called="whole")]
    assert list(unpack(pack(things, 1.0))[1]) == things
