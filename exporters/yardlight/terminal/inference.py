"""What silence tells about the way packets take, where answers do not: many carriers hide their hops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from yardlight.terminal.carrier import PROOF_VALID
from yardlight.terminal.path import Path
from yardlight.terminal.pins import ALONE, SILENT, Key, Pins

# So many unanswered questions in a row are no rate limit.
SILENT_AFTER = 3


class Inferred(NamedTuple):
    """Evidence about a path, as if the probe sent at `at` had been answered so."""

    path: Path
    key: Key
    value: str
    at: float


def infer(pins: Pins, uplinks: Sequence[Path], default: Path, now: float) -> Iterator[Inferred]:
    """With two uplinks, what is known of one still tells of the other.

    While one is dead, whatever answers came by the other. While both live, a hop that answers on one and keeps
    silent on the other, whose probes are answered, is the other's signature.
    """
    if len(uplinks) != 2:
        return
    for known, other in permutations(uplinks):
        if known.silence.confirmed(now):
            for path in (other, default):
                last = path.silence.last_good
                hidden = path is not default or path.questions.in_vain >= 2
                if hidden and last is not None and last > (known.silence.first_bad or now):
                    yield Inferred(path, ALONE, other.name, last)
            continue
        for key in tuple(pins.signatures[known.name]):
            asked = pins.answered_at(known.name, key)
            if asked is None or now - asked > 2 * PROOF_VALID:
                continue
            for path in (other, default):
                last = path.silence.last_good
                answers = last is not None and now - last < max(2.0, 1.5 * path.pace.interval)
                if answers and path.asked_in_vain(key) >= SILENT_AFTER:
                    yield Inferred(path, key, SILENT, now)
