"""What the last look at a flow found, for its page: all counts, and of the trucks (or ids) some."""

from __future__ import annotations

from dataclasses import dataclass, field

from yardlight.feeds.agreement import Agreement, Trails

# So many are examples enough to begin with, and are little to keep.
EXAMPLES = 25


@dataclass(frozen=True, slots=True)
class Findings:
    """As of `as_of`: the lag (seconds), how many were compared, differ, and are missing on which side.

    Examples of those that differ are (name, the sink's value, what would have been right, since when), of those that
    are missing (name, since when). `as_of` and all else are unix seconds.
    """

    as_of: float
    lag: float | None = None
    compared: int = 0
    differing: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    differ: list[tuple[str, float, float, float]] = field(default_factory=list)
    absent: dict[str, list[tuple[str, float]]] = field(default_factory=dict)


def of(found: Agreement, kept: Trails, as_of: float) -> Findings:
    """What is kept of a look; of what differs the worst, of what is missing the first of the alphabet."""
    worst = sorted(found.differ.items(), key=lambda each: -_apart(each[1].value, each[1].expected))[:EXAMPLES]
    return Findings(
        as_of=as_of,
        lag=found.lag,
        compared=found.compared,
        differing=len(found.differ),
        missing={side: len(keys) for side, keys in found.missing.items()},
        differ=[(key, each.value, each.expected, kept.differing.get(key, as_of)) for key, each in worst],
        absent={
            side: [(key, kept.missing[side].get(key, as_of)) for key in keys[:EXAMPLES]]
            for side, keys in found.missing.items()
        },
    )


def _apart(value: float, expected: float) -> float:
    return abs(value - expected) / abs(expected) if expected else float("inf")
