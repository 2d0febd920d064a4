"""One request a SIM: rounds that go over many collections, where a platform has no answer about all at once.

A collection asks as many SIMs as its time and the account's budget allow: those that are in trouble or near the cap
first, with at most half of it, then those whose answer is the oldest. What was answered before is there again, with its
own instant, so that no SIM disappears between two answers and the age of each is seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yardlight.collection import Session
from yardlight.errors import BadReplyError, BudgetError, IncompleteError, PollTimeoutError, ThrottledError

# Of the time that is left when a round begins, the part it may take: the rest is for making samples of it.
_PART = 0.7
# So many refusals without one good answer are the platform's, not those of single SIMs.
_HOPELESS = 10


def room(rate: float, seconds: float) -> int:
    """How many requests a round makes at most, at so many a second and with so much time for the collection."""
    return int(rate * seconds * _PART)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said of a SIM and when (unix seconds). `told` is None if it was refused; `fresh` if asked just now."""

    at: float
    told: Any
    fresh: bool


class Rounds:
    """The rounds of one account; `keep` says that answers are remembered, not only when they came.

    What `ask` returns must be JSON and without any number of a SIM or device in it: it goes into the state file.
    """

    def __init__(self, session: Session, keep: bool = True) -> None:
        self._session, self._keep = session, keep
        asked = (session.memory or {}).get("asked")
        # When each was asked last, what it told (None if it was refused, True if that is not kept), when it last told.
        self._asked: dict[str, list[Any]] = {}
        if isinstance(asked, dict):
            # An older state did not say the last.
            self._asked = {sim: [*known, None][:3] for sim, known in asked.items()}

    def told_at(self, sim: str) -> float | None:
        """When a SIM was last asked for and not refused, in unix seconds."""
        known = self._asked.get(sim)
        return known[2] if known else None

    def go(
        self, sims: Mapping[str, Any], ask: Callable[[str, Any], Any], due: Callable[[Answer], bool] = lambda last: True
    ) -> dict[str, Answer]:
        """Ask for as many of `sims` (by name, with what `ask` needs) as there is room for.

        `due` tells by the last answer whether a SIM should be asked again. Raises `PollError` if not one could be
        asked, if the platform refuses all, and if there are none where there were some.
        """
        if not sims and self._asked:
            raise IncompleteError(f"the platform lists no SIM, where it listed {len(self._asked)} before")
        self._asked = {sim: known for sim, known in self._asked.items() if sim in sims}
        fresh: dict[str, Answer] = {}
        try:
            self._round({sim: sims[sim] for sim in self._order(sims) if self._due(sim, due)}, ask, fresh)
        except (ThrottledError, PollTimeoutError, BudgetError):
            if not fresh:
                raise
        self._session.memory = {**(self._session.memory or {}), "asked": self._asked}
        return fresh | {
            sim: Answer(at, told, False)
            for sim, (at, told, _) in self._asked.items()
            if sim not in fresh and (self._keep or told is None)
        }

    def _round(self, sims: Mapping[str, Any], ask: Callable[[str, Any], Any], fresh: dict[str, Answer]) -> None:
        until = time.monotonic() + self._session.left() * _PART
        refused, good = None, False
        for sim, asked_with in sims.items():
            if fresh and time.monotonic() >= until:
                break
            told = None
            try:
                told, good = ask(sim, asked_with), True
            except BadReplyError as error:
                refused = error
            fresh[sim] = Answer(self._session.clock(), told, True)
            at = fresh[sim].at
            self._asked[sim] = [
                at,
                told if self._keep or told is None else True,
                self.told_at(sim) if told is None else at,
            ]
            if refused is not None and not good and len(fresh) >= _HOPELESS:
                break
        if refused is not None and not good:
            raise refused

    def _due(self, sim: str, due: Callable[[Answer], bool]) -> bool:
        known = self._asked.get(sim)
        return known is None or due(Answer(known[0], known[1], False))

    def _order(self, sims: Mapping[str, Any]) -> list[str]:
        """Urgent and other SIMs in turns, each the oldest answer first."""
        known = self._asked
        oldest = sorted(sims, key=lambda sim: known.get(sim, [-1.0])[0]) if known else _spread(list(sims))
        wanted = set(self._session.first)
        urgent = [sim for sim in oldest if sim in wanted]
        others = [sim for sim in oldest if sim not in wanted]
        order: list[str] = []
        for index in range(max(len(urgent), len(others))):
            order += urgent[index : index + 1] + others[index : index + 1]
        return order


def _spread(sims: list[str]) -> list[str]:
    """Some of all parts of the list first: those that are refused, such as terminated ones, may stand together."""
    first = dict.fromkeys(sims[index * len(sims) // _HOPELESS] for index in range(_HOPELESS)) if sims else {}
    return [*first, *(sim for sim in sims if sim not in first)]
