"""Time as disjoint intervals [start, end) of unix seconds: what is in either, in one only, in both. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order, without empty ones."""
    merged: list[Interval] = []
    begun, until = 0.0, float("-inf")
    for start, end in sorted(intervals):
        if start >= end or end <= until:
            continue
        if merged and start <= until:
            merged[-1] = (begun, end)
        else:
            merged.append((start, end))
            begun = start
        until = end
    return merged


def minus(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """The time of `intervals` that is not in `others`."""
    rest: list[Interval] = []
    holes = union(others)
    first = 0
    for start, end in union(intervals):
        while first < len(holes) and holes[first][1] <= start:
            first += 1
        index = first
        while index < len(holes) and holes[index][0] < end:
            if start < holes[index][0]:
                rest.append((start, holes[index][0]))
            start = holes[index][1]
            index += 1
        if start < end:
            rest.append((start, end))
    return rest


def common(intervals: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """The time that is in both."""
    intervals = union(intervals)
    return minus(intervals, minus(intervals, others))


def within(intervals: Sequence[Interval], span: Interval) -> list[Interval]:
    """The part of disjoint intervals in order that is in this time; of long lists only that is looked at."""
    start, end = span
    first = bisect_right(intervals, start, key=_end)
    last = bisect_left(intervals, end, key=_start)
    cut = list(intervals[first:last])
    if cut:
        cut[0] = (max(cut[0][0], start), cut[0][1])
        cut[-1] = (cut[-1][0], min(cut[-1][1], end))
    return cut


def _start(interval: Interval) -> float:
    return interval[0]


def _end(interval: Interval) -> float:
    return interval[1]


def seconds(intervals: Iterable[Interval]) -> float:
    """The length of disjoint intervals."""
    return sum(end - start for start, end in intervals)
