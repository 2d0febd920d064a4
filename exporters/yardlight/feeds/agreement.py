"""Whether two feeds agree that should: what one of them told, and what the other one made of it. Pure.

The sink takes over what the source knows, some time later. So its value is held against what the source said at the
time of the sink's own record, or so long ago as it may be behind, if that is later: by then it should have had it.
What the source said then is known from its trail, which begins when a flow is first looked at; before that nothing is
compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# A trail has so many points in the time that the sink may be behind; between two of them any value is right.
_POINTS = 48

# When something new was said, and the value (None where only ids are compared).
Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Said:
    """What one side last told of a truck or an id: when, the value (in the sink's unit), whether it still lists it.

    Of one that is only listed, without a time, there is no `at` and no value.
    """

    at: float | None
    value: float | None = None
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """By how much the sides may differ. `patience`: how long an id may be missing on a side, seconds."""

    tolerance: float
    max_lag: float
    patience: Mapping[str, float]


@dataclass(slots=True)
class Trails:
    """What is kept of a flow between two looks: the source's trails, who is missing on which side and who differs,
    each since when.

    `behind_since` is the first record of the source of which the sink has nothing yet.
    """

    points: dict[str, list[Point]] = field(default_factory=dict)
    missing: dict[str, dict[str, float]] = field(default_factory=dict)
    behind_since: float | None = None
    differing: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """The sink's value, and the nearest one that would have been right."""

    value: float
    expected: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the sink is behind (seconds, None: not known), what was compared, what differs, who is missing where."""

    lag: float | None
    compared: int
    differ: Mapping[str, Difference]
    missing: Mapping[str, list[str]]


def agreement(
    source: Mapping[str, Said], sink: Mapping[str, Said], kept: Trails, bounds: Bounds, now: float
) -> Agreement:
    """How the sides agree at `now`, when both were read; `kept` is brought up to date."""
    _note(source, kept, bounds.max_lag, now)
    compared, differ = 0, dict[str, Difference]()
    for key in source.keys() & sink.keys():
        found = _difference(source[key], sink[key], kept.points.get(key, []), bounds, now)
        if found is not None:
            compared += 1
            if found.value != found.expected:
                differ[key] = found
    kept.differing = {key: kept.differing.get(key, now) for key in sorted(differ)}
    missing = {
        "source": _missing("source", sink, source, kept, bounds, now),
        "sink": _missing("sink", source, sink, kept, bounds, now),
    }
    return Agreement(_lag(sink, kept), compared, dict(sorted(differ.items())), missing)


def _note(source: Mapping[str, Said], kept: Trails, max_lag: float, now: float) -> None:
    """Add what is new to the trails, and drop what is older than the sink may be, but for the last of that."""
    step, horizon = max_lag / _POINTS, now - max_lag
    kept.points = {key: trail for key, trail in kept.points.items() if key in source}
    for key, said in source.items():
        if said.at is None:
            continue
        trail = kept.points.setdefault(key, [(said.at, said.value)])
        last, value = trail[-1]
        news = said.at > last if said.value is None else said.value != value
        if news and said.at >= last + step:
            trail.append((said.at, said.value))
        first = bisect_right(trail, horizon, key=lambda point: point[0])
        del trail[: max(first - 1, 0)]


def _difference(source: Said, sink: Said, trail: list[Point], bounds: Bounds, now: float) -> Difference | None:
    """What the sink says and what would have been right; None if that cannot be told."""
    if source.value is None or sink.value is None or sink.at is None or not trail:
        return None
    then = max(sink.at, now - bounds.max_lag)
    if trail[0][0] > then:
        return None
    index = bisect_right(trail, then, key=lambda point: point[0])
    around = [trail[index - 1][1], trail[index][1] if index < len(trail) else source.value]
    right = [value for value in around if value is not None]
    if not right:
        return None
    low, high = min(right), max(right)
    expected = min(max(sink.value, low), high)
    nearly = low - abs(low) * bounds.tolerance <= sink.value <= high + abs(high) * bounds.tolerance
    return Difference(sink.value, sink.value if nearly else expected)


def _missing(
    side: str, others: Mapping[str, Said], own: Mapping[str, Said], kept: Trails, bounds: Bounds, now: float
) -> list[str]:
    """Whom this side has not had for long, of those that the other one lists."""
    absent = {key for key, said in others.items() if said.listed and not (key in own and own[key].listed)}
    before = kept.missing.get(side, {})
    kept.missing[side] = {key: before.get(key, now) for key in sorted(absent)}
    return [key for key, since in kept.missing[side].items() if now - since >= bounds.patience[side]]


def _lag(sink: Mapping[str, Said], kept: Trails) -> float | None:
    """Between the newest record of the source and the first one of which nothing has arrived."""
    told = [said.at for said in sink.values() if said.at is not None]
    if not kept.points or not told:
        return None
    arrived = max(told)
    if kept.behind_since is None or kept.behind_since <= arrived:
        kept.behind_since = min(_after(arrived, kept.points.values()), default=None)
    if kept.behind_since is None:
        return 0.0
    return max(trail[-1][0] for trail in kept.points.values()) - kept.behind_since


def _after(arrived: float, trails: Iterable[Sequence[Point]]) -> Iterable[float]:
    """When each trail had something new for the first time after that; its beginning is no news."""
    for trail in trails:
        index = max(bisect_right(trail, arrived, key=lambda point: point[0]), 1)
        if index < len(trail):
            yield trail[index][0]
