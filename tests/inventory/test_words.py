"""Durations, sizes and suggestions as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.inventory import words
from yardlight.inventory.values import parse_duration, parse_size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.25, "250ms"), (1, "1s"), (17.98, "18s"), (2.5, "2.5s"), (60, "1m"), (90, "1m30s"),
     (60.2, "1m1s"), (3600, "1h"), (93784, "1d2h3m4s"), (math.inf, "never")],
)  # fmt: skip
def test_a_duration_reads_as_a_person_writes_it(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (228, "228 B"), (1_096_000, "1.1 MB"), (50_000_000, "50 MB"), (2.5e9, "2.5 GB")]
)
def test_a_size_reads_as_a_person_writes_it(count: float, text: str) -> None:
    assert words.size(count) == text


@given(st.floats(0.001, 1e7))
def test_a_printed_duration_can_be_written_into_an_inventory(seconds: float) -> None:
    assert parse_duration(words.duration(seconds)) == pytest.approx(seconds, rel=0.06, abs=0.06)


@given(st.integers(0, 10**13))
def test_a_printed_size_can_be_written_into_an_inventory(count: int) -> None:
    assert parse_size(words.size(count)) == pytest.approx(count, rel=0.006)


def test_only_a_close_word_is_suggested() -> None:
    known = ["targets", "timezone", "site"]
    assert words.nearest("tragets", known) == "targets"
    assert words.nearest("Targets", known) == "targets"
    assert words.nearest("vlan", known) is None
