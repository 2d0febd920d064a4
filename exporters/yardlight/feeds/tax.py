"""Positions that are missing while an engine runs, which records of distances for fuel tax and registration must not.

IFTA asks for a position every 10 minutes while the engine is on (Procedures Manual, P540), IRP for one every 15
(Audit Procedures Manual, 401). Pure: the clock is given.
"""

from __future__ import annotations

from collections.abc import Mapping

from yardlight.feeds.memory import Memory, Seen
from yardlight.feeds.record import Record

# How far apart two positions may be, by whose rule, in seconds.
LIMITS: Mapping[str, float] = {"ifta": 600.0, "irp": 900.0}
# What happened in the last day is counted.
_COUNTED = 86400.0


def note(record: Record, before: Seen, adds_up: bool, kept: Memory) -> None:
    """Put down that positions are missing between what was last told of a truck and this newer record."""
    if not isinstance(record.time, float) or not (record.engine and before.engine):
        return
    # Of answers with the last position only, one that was missed may have had a newer one: what is certain is how old
    # the last position was when it was still the last.
    certain = record.time - before.last if adds_up else min(before.listed, record.time) - before.last
    if certain > min(LIMITS.values()):
        kept.holes.append((record.time, certain))


def holes(kept: Memory, now: float) -> dict[str, int]:
    """How many there were in the last day, by whose rule; what is older is forgotten."""
    kept.holes = [each for each in kept.holes if each[0] > now - _COUNTED]
    return {rule: sum(length > limit for _, length in kept.holes) for rule, limit in LIMITS.items()}
