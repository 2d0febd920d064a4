"""The arithmetic of availability: every second is up, down or not measured, once; and what counts as one outage."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.errors import StartError
from yardlight.history import availability
from yardlight.intervals import Interval, common, minus, seconds, union
from yardlight.lookback import length, moment, month

DAY = 86400.0
SPAN = 60

INTERVALS = st.lists(
    st.tuples(st.integers(-5, SPAN + 5), st.integers(0, 20)).map(lambda pair: (float(pair[0]), float(sum(pair)))),
    max_size=8,
)


def ticks(intervals: list[Interval]) -> set[int]:
    """The same time as a set of whole seconds, the slow and simple way."""
    return {tick for start, end in intervals for tick in range(int(start), int(end))}


@given(INTERVALS, INTERVALS)
def test_sets_of_intervals_behave_as_sets_of_seconds(some: list[Interval], others: list[Interval]) -> None:
    assert ticks(union(some)) == ticks(some)
    assert ticks(minus(some, others)) == ticks(some) - ticks(others)
    assert ticks(common(some, others)) == ticks(some) & ticks(others)
    for result in (union(some), minus(some, others), common(some, others)):
        assert all(start < end for start, end in result)
        assert result == sorted(result)
        assert seconds(result) == len(ticks(result))


@given(INTERVALS, INTERVALS, INTERVALS)
def test_every_second_of_a_period_is_up_down_or_not_measured(
    up: list[Interval], down: list[Interval], silences: list[Interval]
) -> None:
    found = availability((0.0, float(SPAN)), up, down, silences)
    period = set(range(SPAN))
    lost = (ticks(down) | (ticks(silences) & ticks(up))) & period
    assert ticks(found.down) == lost
    assert ticks(found.up) == (ticks(up) & period) - lost
    assert found.up_seconds + found.down_seconds + found.unmeasured_seconds == SPAN
    assert found.unmeasured_seconds == len(period - ticks(up) - ticks(down))
    if found.share is None:
        assert not found.up
        assert not found.down
    else:
        assert found.share == found.up_seconds / (found.up_seconds + found.down_seconds)


@given(INTERVALS, INTERVALS, INTERVALS)
def test_outages_hold_all_the_downtime_and_something_was_up_between_two(
    up: list[Interval], down: list[Interval], silences: list[Interval]
) -> None:
    found = availability((0.0, float(SPAN)), up, down, silences)
    assert sum(outage.seconds for outage in found.outages) == found.down_seconds
    for first, second in pairwise(found.outages):
        assert common(found.up, [(first.end, second.start)])
    for outage in found.outages:
        assert not common(found.up, [(outage.start, outage.end)])
        assert outage.seconds <= outage.end - outage.start


@given(INTERVALS, INTERVALS, st.integers(1, SPAN - 1))
def test_two_halves_of_a_period_add_up_to_the_whole(up: list[Interval], down: list[Interval], at: int) -> None:
    whole = availability((0.0, float(SPAN)), up, down, [])
    halves = [availability(period, up, down, []) for period in ((0.0, float(at)), (float(at), float(SPAN)))]
    assert sum(half.down_seconds for half in halves) == whole.down_seconds
    assert sum(half.unmeasured_seconds for half in halves) == whole.unmeasured_seconds


def test_time_that_nobody_measured_is_neither_up_nor_down() -> None:
    found = availability((0.0, 100.0), [(0.0, 40.0)], [(40.0, 50.0)], [])
    assert found.share == 0.8
    assert found.unmeasured_seconds == 50.0
    nothing = availability((0.0, 100.0), [], [], [(10.0, 20.0)])
    assert (nothing.share, nothing.begun, nothing.outages, nothing.mean_outage) == (None, None, [], None)


def test_an_outage_over_a_restart_of_the_box_is_one_and_only_what_was_measured_of_it_counts() -> None:
    found = availability((0.0, 100.0), [(0.0, 10.0), (60.0, 100.0)], [(10.0, 20.0), (40.0, 60.0)], [(10.0, 60.0)])
    (outage,) = found.outages
    assert (outage.start, outage.end, outage.seconds) == (10.0, 60.0, 30.0)
    assert found.unmeasured_seconds == 20.0


def test_overlapping_silences_are_counted_once() -> None:
    found = availability((0.0, 100.0), [(0.0, 100.0)], [], [(10.0, 30.0), (20.0, 40.0), (20.0, 25.0)])
    assert (found.down_seconds, len(found.outages), found.mean_outage) == (30.0, 1, 30.0)


@pytest.mark.parametrize(
    ("text", "zone", "days"),
    [
        ("2026-10", "America/Los_Angeles", 31),
        ("2026-11", "America/Los_Angeles", 30 + 1 / 24),
        ("2026-03", "America/Los_Angeles", 31 - 1 / 24),
        ("2026-03", "America/Phoenix", 31),
        ("2026-12", "America/Chicago", 31),
        ("2028-02", "America/Chicago", 29),
        ("2026-10", "Europe/Berlin", 31 + 1 / 24),
    ],
)
def test_a_month_is_as_long_as_its_local_days_are(text: str, zone: str, days: float) -> None:
    start, end = month(text, ZoneInfo(zone))
    assert end - start == pytest.approx(days * DAY)
    assert start == moment(f"{text}-01", ZoneInfo(zone))


@given(st.integers(1980, 2090), st.integers(1, 12), st.sampled_from(["America/New_York", "America/Denver", "UTC"]))
def test_months_meet_without_a_second_between_or_twice(year: int, number: int, zone: str) -> None:
    following = f"{year + number // 12}-{number % 12 + 1:02}"
    assert month(f"{year}-{number:02}", ZoneInfo(zone))[1] == month(following, ZoneInfo(zone))[0]


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026", "26-10", "2026-1", "0000-01", "9999-12", "oktober"])
def test_what_is_no_month_is_said(text: str) -> None:
    with pytest.raises(StartError, match="is not a month; write 2026-10"):
        month(text, ZoneInfo("UTC"))


def test_a_day_is_meant_whole_and_a_time_exactly() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    assert moment("2026-11-01", zone, end=True) - moment("2026-11-01", zone) == 25 * 3600
    assert moment("2026-11-01T22:00", zone, end=True) == moment("2026-11-01T22:00", zone)
    for text in ("2026-11-31", "yesterday", "2026-11-01T22:00Z", ""):
        with pytest.raises(StartError, match="is not a day or a local time"):
            moment(text, zone)


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (15.2, 0.12, "15.2 s ± 0.1"),
        (0.0, 0.001, "0.0 s ± 0.1"),
        (15.2, None, "15.2 s"),
        (59.99, None, "60.0 s"),
        (60.0, 3.0, "1 min"),
        (190.4, 0.1, "3 min 10 s"),
        (7500.0, None, "2 h 5 min"),
        (86400.0, None, "1 d"),
        (86400.0 + 59.0, None, "1 d"),
        (3 * 86400.0 + 4 * 3600.0 + 59.0, None, "3 d 4 h"),
    ],
)
def test_lengths_are_as_exact_as_somebody_cares(value: float, error: float | None, expected: str) -> None:
    assert length(value, error) == expected


def test_time_that_has_no_beginning_is_time_all_the_same() -> None:
    ever = float("-inf")
    assert union([(ever, 5.0), (3.0, 7.0), (9.0, 9.0)]) == [(ever, 7.0)]
