"""One request a SIM: who is asked when there is not room for all, and what is there of those that are not."""

from __future__ import annotations

import time
from typing import Any

import pytest

from yardlight.cellular.rounds import Answer, Rounds
from yardlight.collection import Session
from yardlight.errors import BadReplyError, BudgetError, ServerError, ThrottledError

SIMS = {f"cab-{number}": number for number in range(8)}


class Platform:
    """Answers so many requests of a collection, then refuses as one does whose budget is used up."""

    def __init__(self, room: int, error: type[Exception] = BudgetError) -> None:
        self.room, self.error = room, error
        self.asked: list[str] = []

    def __call__(self, sim: str, number: int) -> Any:
        if len(self.asked) == self.room:
            raise self.error("no room")
        self.asked.append(sim)
        return {"used": number}


def session(now: float, memory: Any = None, first: tuple[str, ...] = ()) -> Session:
    return Session(time.monotonic() + 60, memory=memory, first=first, clock=lambda: now)


def test_rounds_go_over_collections_the_oldest_answer_first() -> None:
    memory, asked = None, []
    for hour in range(4):
        platform = Platform(room=3)
        under_way = session(hour, memory)
        Rounds(under_way).go(SIMS, platform)
        memory = under_way.memory
        asked += platform.asked
    assert asked == [*SIMS, *SIMS][:12]


def test_those_in_trouble_come_first_and_take_half_at_most() -> None:
    under_way = session(0)
    Rounds(under_way).go(SIMS, Platform(room=8))
    urgent = ("cab-5", "cab-6", "cab-7")
    platform = Platform(room=4)
    again = session(1, under_way.memory, urgent)
    Rounds(again).go(SIMS, platform)
    assert platform.asked == ["cab-5", "cab-0", "cab-6", "cab-1"]


def test_what_was_told_before_is_there_with_its_own_instant() -> None:
    under_way = session(100)
    Rounds(under_way).go(SIMS, Platform(room=8))
    again = session(200, under_way.memory)
    answers = Rounds(again).go(SIMS, Platform(room=2))
    assert answers["cab-0"] == Answer(200, {"used": 0}, True)
    assert answers["cab-7"] == Answer(100, {"used": 7}, False)
    assert len(answers) == 8


def test_answers_that_are_not_kept_are_there_once() -> None:
    under_way = session(100)
    assert len(Rounds(under_way, keep=False).go(SIMS, Platform(room=8))) == 8
    again = session(200, under_way.memory)
    assert list(Rounds(again, keep=False).go(SIMS, Platform(room=2))) == ["cab-0", "cab-1"]


def test_a_sim_that_was_never_asked_has_no_answer_and_no_age() -> None:
    under_way = session(0)
    rounds = Rounds(under_way)
    assert set(rounds.go(SIMS, Platform(room=3))) == {"cab-0", "cab-1", "cab-2"}
    assert rounds.told_at("cab-7") is None
    assert rounds.told_at("cab-0") == 0


def test_a_refused_sim_is_asked_again_in_its_turn_and_stays_refused_until_then() -> None:
    def ask(sim: str, number: int) -> Any:
        if sim == "cab-3":
            raise BadReplyError("404")
        return number

    under_way = session(0)
    answers = Rounds(under_way).go(SIMS, ask)
    assert [sim for sim, answer in answers.items() if answer.told is None] == ["cab-3"]
    later = Rounds(session(1, under_way.memory)).go(SIMS, Platform(room=2))
    assert later["cab-3"] == Answer(0, None, False)


def test_a_sim_that_is_not_listed_any_more_is_forgotten() -> None:
    under_way = session(0)
    Rounds(under_way).go(SIMS, Platform(room=8))
    again = session(1, under_way.memory)
    assert set(Rounds(again).go({"cab-1": 1}, Platform(room=8))) == {"cab-1"}
    assert set(again.memory["asked"]) == {"cab-1"}


def test_a_platform_that_refuses_all_is_asked_ten_times_and_not_for_all() -> None:
    asked = []

    def ask(sim: str, number: int) -> Any:
        asked.append(sim)
        raise BadReplyError("<html>")

    with pytest.raises(BadReplyError):
        Rounds(session(0)).go({f"cab-{number}": number for number in range(500)}, ask)
    assert len(asked) == 10


@pytest.mark.parametrize("error", [ThrottledError, BudgetError])
def test_without_room_for_a_single_sim_the_collection_fails(error: type[Exception]) -> None:
    with pytest.raises(error):
        Rounds(session(0)).go(SIMS, Platform(0, error))


def test_an_api_that_breaks_in_the_middle_fails_the_collection() -> None:
    with pytest.raises(ServerError):
        Rounds(session(0)).go(SIMS, Platform(3, ServerError))


def test_a_round_ends_before_the_collections_time_does() -> None:
    def slow(sim: str, number: int) -> int:
        time.sleep(0.05)
        return number

    under_way = Session(time.monotonic() + 0.5)
    answers = Rounds(under_way).go(dict.fromkeys(map(str, range(100)), 0), slow)
    assert 1 <= len(answers) <= 8
    assert under_way.left() > 0
