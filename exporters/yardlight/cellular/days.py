"""What platforms have in common that give the use of each day: how far back to ask, and what an answer is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from yardlight.cellular.cycle import UTC, Cycle
from yardlight.cellular.history import KEEP_DAYS, midnight, ordinal
from yardlight.cellular.rounds import Answer, Rounds
from yardlight.cellular.usage import AllDays, Record, Refused, Usage
from yardlight.collection import Session


def since(last: float | None, at: float, again: int) -> float:
    """The midnight (UTC) from which to read at `at`, where `last` was when it was read last, and None is never.

    Whole days only, or the first would be told in part. The last `again` of them are read once more: they are restated.
    """
    today = ordinal(at, UTC)
    return midnight(today - KEEP_DAYS + 1 if last is None else min(ordinal(last, UTC), today) - again, UTC)


def read(
    session: Session, at: float, sims: Mapping[str, str], again: int, ask: Callable[[str, float], list[dict[str, Any]]]
) -> dict[str, Answer]:
    """Rounds over `sims` (by name, as the platform calls them) of which `ask` gives the rows from an instant on."""
    rounds = Rounds(session, keep=False)

    def days(sim: str, called: str) -> Any:
        begin = since(rounds.told_at(sim), at, again)
        return {"since": begin, "rows": ask(called, begin)}

    return rounds.go(sims, days)


def usages(
    sim: str, answer: Answer | None, read: Callable[[dict[str, Any]], Usage | None], cycle: Cycle | None = None
) -> Iterator[Record]:
    """The rows of an answer as `read` takes them; nothing while there is none, and never zero for a refusal.

    That they are all is said only where every row can be read. `cycle` is the one the platform says it is in now.
    """
    if answer is None:
        return
    if answer.told is None:
        yield Refused(sim)
        return
    found = [read(row) for row in answer.told["rows"]]
    yield from filter(None, found)
    if None not in found:
        yield AllDays(sim, answer.told["since"], cycle)
