"""Units, and which two numbers are one SIM."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.cellular.usage import Directory, Left, Used, listed, to_bytes
from yardlight.things import iccids

# Made up; 89 is telecom, 1 the country, the rest no issuer's.
NINETEEN = "8910000000000001234"


def check_digit(digits: str) -> str:
    return next(d for d in "0123456789" if len(iccids(digits + d)) == 2)


@pytest.mark.parametrize(
    ("raw", "unit", "expected"),
    [
        (5, "B", 5),
        ("1048576", "B", 1048576),
        ("1.5", "MB", 1_500_000),
        (2, "GB", 2_000_000_000),
        ("1,234.5", "kb", 1_234_500),
        ("-3", "MB", -3_000_000),
        ("9007199254740993", "B", 9007199254740993),
        (1e3, "KB", 1_000_000),
        (3, "MiB", 3 * 2**20),
        (3, "Bytes", 3),
    ],
)
def test_c21_mb_and_bytes_and_numbers_as_text_are_bytes(raw: Any, unit: str, expected: int) -> None:
    assert to_bytes(raw, unit) == expected


def test_an_account_may_count_in_powers_of_two() -> None:
    assert to_bytes("1", "MB", binary=True) == 1048576


@pytest.mark.parametrize(
    "raw",
    [None, True, "", "n/a", "NaN", float("nan"), float("inf"), [], "12 MB", "0x10", "1,5", "1,234,5", "12,345.6,7"],
)
def test_what_is_no_number_is_refused_and_never_zero(raw: Any) -> None:
    with pytest.raises(ValueError, match="is not an amount of data"):
        to_bytes(raw)


@pytest.mark.parametrize("raw", [10**200, "1e300", 1e308, -(10**19), 10**19])
def test_more_than_all_networks_carry_is_no_amount(raw: Any) -> None:
    with pytest.raises(ValueError, match="is more than any plan has"):
        to_bytes(raw)


def test_a_unit_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="'Mbit' is not a unit of data; known here: B, KB, MB, GB, TB"):
        to_bytes(1, "Mbit")


def test_c20_the_same_sim_with_19_and_20_digits_and_an_f_is_one() -> None:
    twenty = NINETEEN + check_digit(NINETEEN)
    directory = Directory({twenty: "truck-7"}, "key")
    spellings = (NINETEEN, NINETEEN + "F", twenty, f"{twenty[:4]} {twenty[4:]}")
    assert {directory.name(each) for each in spellings} == {"truck-7"}
    unknown = Directory({}, "key")
    assert len({unknown.name(each) for each in spellings}) == 1


@given(st.integers(0, 10**14 - 1), st.integers(1, 9))
def test_c20_neighbors_in_a_box_of_sims_are_different_sims(number: int, step: int) -> None:
    first = f"89100{number:014}"
    second = f"89100{(number + step) % 10**14:014}"
    directory = Directory({first + check_digit(first): "one", second + check_digit(second): "two"}, "key")
    assert [directory.name(first), directory.name(second)] == ["one", "two"]


@pytest.mark.parametrize("raw", ["", "89", "8910000000000001234567", "1234567890123456789", "89ABCDEF0000000000"])
def test_what_is_no_iccid_is_refused_without_being_repeated(raw: str) -> None:
    with pytest.raises(ValueError, match=r"\d+ characters that are not an ICCID") as error:
        iccids(raw)
    assert len(raw) < 3 or raw not in str(error.value)


def test_a_sim_that_is_not_listed_gets_a_name_that_does_not_tell_its_number() -> None:
    name = Directory({}, "key").name(NINETEEN)
    assert not listed(name)
    assert NINETEEN not in name
    assert name != Directory({}, "another key").name(NINETEEN)
    assert listed("truck-7")


def test_a_device_is_the_same_with_its_check_digit_or_its_softwares_version_and_what_is_no_imei_is_none() -> None:
    directory = Directory({}, "key")
    spellings = ("350000000000006", "3500000000000012", "35 000000 000000 6", "35-000000-000000")
    assert len({directory.device(each) for each in spellings}) == 1
    assert directory.device("350000000000014") not in (directory.device(spellings[0]), None)
    assert "35000000000000" not in str(directory.device(spellings[0]))
    assert {directory.device(raw) for raw in ("", "3.5E+14", "n/a", "0" * 15, "35000000")} == {None}


def test_two_names_for_one_sim_are_refused() -> None:
    with pytest.raises(ValueError, match="truck-8 and truck-7 are the same SIM"):
        Directory({NINETEEN: "truck-7", NINETEEN + "F": "truck-8"}, "key")


def test_what_is_left_is_never_taken_for_what_was_used() -> None:
    assert Used(5) != Left(5)
