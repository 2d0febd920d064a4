"""What sources know thing by thing: kept beside the memory, told of numbers to nobody by accident."""

from __future__ import annotations

import json
import os
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.collection import Packed, open_memory, opened, pack_memory
from yardlight.state import Reader, State
from yardlight.things import Fact, Thing, iccids, numbered, pack, unpack

TABLET = Thing(
    "tablet", "T112", "Maria's tablet", "guid-112", "drivers", numbered(("serial", "R52M30ABCDE"), ("iccid", "")),
    (Fact("last check-in", at=1_767_600_900.5), Fact("system", "Android 13")), None,
)  # fmt: skip


def test_what_is_packed_comes_back() -> None:
    things = [TABLET, Thing("sim"), *(Thing("truck", f"{number}", gone=float(number)) for number in range(1200))]
    for some in (things, things[:500], []):
        at, found = unpack(pack(some, 1_767_600_900.25))
        assert (at, list(found)) == (1_767_600_900.25, some)


@given(st.lists(st.text()))
def test_no_text_that_a_vendor_sends_is_lost_or_becomes_two(names: list[str]) -> None:
    sent = [Thing("sim", called=name, numbers=(("iccid", name),)) for name in names]
    assert list(unpack(pack(sent, 1.0))[1]) == sent


def test_a_number_that_is_not_told_is_none() -> None:
    assert TABLET.all("serial") == ["R52M30ABCDE"]
    assert TABLET.all("iccid") == []


def test_a_number_that_is_written_to_be_read_is_found() -> None:
    assert numbered(("iccid", "8910 0000-0000 0001 234"), ("imei", "35 0000")) == (
        ("iccid", "8910000000000001234"), ("imei", "35 0000"),
    )  # fmt: skip


def test_numbers_and_a_vendors_name_are_in_no_text_of_a_thing() -> None:
    assert "R52M30ABCDE" not in repr(TABLET)
    assert "Maria" not in repr(TABLET)
    assert "guid-112" not in f"{[TABLET]}"


@pytest.mark.parametrize("memory", [{"platform": 1, "domain": Packed.of({"a": 1})}, {}])
def test_things_lie_behind_the_memory_that_the_next_collection_opens(memory: object) -> None:
    packed = pack([TABLET], 1.0)
    assert opened(pack_memory(memory, packed)) == (memory, packed)


def test_what_a_domain_remembers_is_opened_when_somebody_needs_it() -> None:
    memory = open_memory(pack_memory({"platform": 1, "domain": Packed.of({"a": [1]}), "first": ["b"]}))
    assert memory["domain"].open() == {"a": [1]}
    assert {**memory, "domain": None} == {"platform": 1, "domain": None, "first": ["b"]}


@pytest.mark.parametrize(
    "memory",
    [
        None,
        {},
        [1, {"a": 2}],
        {
            "none": {},
            "sims": {f"T{number}": [number, "a\nb", None] for number in range(1501)},
            "pools": {"a": 1},
            "lags": [],
        },
    ],
)
def test_what_is_packed_piece_by_piece_is_opened_as_it_was_and_in_its_order(memory: object) -> None:
    opened_again = Packed.of(memory).open()
    assert json.dumps(opened_again) == json.dumps(memory)


def test_the_memory_in_an_older_state_file_is_opened_all_the_same() -> None:
    packed = pack([TABLET], 1.0)
    memory, told = opened(zlib.compress(b'{"platform":1,"domain":{"a":[1]}}') + packed)
    assert memory["domain"].open() == {"a": [1]}
    assert (memory["platform"], told) == (1, packed)


def test_there_may_be_no_things_and_no_memory() -> None:
    assert opened(pack_memory({"domain": None})) == ({"domain": None}, b"")
    assert opened(pack_memory(None)) == (None, b"")


def test_the_state_file_is_its_owners_alone(tmp_path: Path) -> None:
    path, now = tmp_path / "state.db", time.time()
    old = os.umask(0o022)
    try:
        state = State(path)
        state.keep_blocks("inland", "mdm/tablets", now, b"", pack_memory({}, pack([TABLET], now)))
        state.close()
        path.chmod(0o644)
        State(path).close()
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o640
    kept = Reader(path).memory("inland", "mdm/tablets")
    assert kept is not None
    assert list(unpack(opened(kept[1])[1])[1]) == [TABLET]


def test_a_new_state_file_is_read_by_nobody_else(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        State(tmp_path / "state.db").close()
    finally:
        os.umask(old)
    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600


def test_what_is_no_iccid_is_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"^9 characters that are not an ICCID") as caught:
        iccids("123456789")
    assert "123456789" not in str(caught.value)
