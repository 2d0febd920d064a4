"""What platforms have in common that give the use of each day: how far back to ask, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from yardlight.cellular.cycle import UTC
from yardlight.cellular.history import midnight, ordinal
from yardlight.cellular.rounds import Answer
from yardlight.cellular.usage import Record, Refused, Usage

# A whole cycle and the days before it that show the weekdays.
_FIRST = 45


def since(last: float | None, at: float, again: int) -> float:
    """The midnight (UTC) from which to read at `at`, where `last` was when it was read last, and None is never.

    Whole days only, or the first would be told in part. The last `again` of them are read once more: they are restated.
    """
    today = ordinal(at, UTC)
    return midnight(today - _FIRST if last is None else min(ordinal(last, UTC), today) - again, UTC)


def usages(sim: str, answer: Answer | None, read: Callable[[dict[str, Any]], Usage | None]) -> Iterator[Record]:
    """The rows of an answer as `read` takes them; nothing while there is none, and never zero for a refusal."""
    if answer is None:
        return
    if answer.told is None:
        yield Refused(sim)
        return
    yield from filter(None, map(read, answer.told))
