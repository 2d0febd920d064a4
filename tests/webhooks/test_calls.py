"""What is remembered of calls stays bounded, and tells duplicates and skipped numbers apart."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from yardlight.webhooks.calls import ANEW, HOLES, Numbers, Remembered


def test_a_call_that_came_before_is_known_and_one_of_long_ago_is_not() -> None:
    calls = Remembered(3)
    assert [calls.seen(each) for each in (b"a", b"b", b"a", b"c")] == [False, False, True, False]
    # The fourth takes the place of the first.
    assert [calls.seen(each) for each in (b"d", b"b", b"a")] == [False, True, False]


def test_numbers_that_are_skipped_are_missing_until_they_come() -> None:
    numbers = Numbers()
    for number in (7, 8, 12, 10):
        numbers.came(number)
    assert numbers.missing == 2
    numbers.came(9)
    numbers.came(11)
    assert numbers.missing == 0


def test_what_was_skipped_while_nobody_listened_is_missing_afterwards() -> None:
    before = Numbers()
    for number in (1, 3):
        before.came(number)
    after = Numbers(*json.loads(json.dumps(before.kept)))
    after.came(6)
    assert after.missing == 3
    after.came(2)
    assert after.missing == 2


def test_a_vendor_that_counts_anew_skips_nothing() -> None:
    numbers = Numbers()
    for number in (ANEW + 5, ANEW + 9, 1, 2):
        numbers.came(number)
    assert (numbers.highest, numbers.missing) == (2, 0)


def test_however_much_is_skipped_what_is_remembered_is_bounded() -> None:
    numbers = Numbers()
    for number in range(0, 10 * HOLES, 2):
        numbers.came(number)
    assert len(numbers.kept[1]) == HOLES


@given(st.lists(st.integers(0, 60), max_size=80))
def test_what_is_missing_is_what_lies_between_and_did_not_come(came: list[int]) -> None:
    numbers = Numbers()
    for number in came:
        numbers.came(number)
    if came:
        # What came before the first one was not skipped: nobody listened then.
        assert numbers.missing == len(set(range(came[0], max(came) + 1)) - set(came))
