"""Time as disjoint intervals [start, end) of unix seconds: what is in either, in one only, in both. Pure."""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[float, float]


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals in order, without empty ones."""
    merged: list[Interval] = []
    for start, end in sorted(interval for interval in intervals if interval[0] < interval[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
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


def seconds(intervals: Iterable[Interval]) -> float:
    """The length of disjoint intervals."""
    return sum(end - start for start, end in intervals)
