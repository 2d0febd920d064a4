"""When trucks moved, by what feeds told of them: what is known, what is not, and who is told of the days."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.living import DAY, HOUR, MINUTE
from yardlight.feeds import motion
from yardlight.feeds.hos import Movement
from yardlight.feeds.memory import Seen, Stretches
from yardlight.feeds.record import Record

NOW = 10 * DAY


def between(before: Seen, **word: object) -> Stretches:
    """What is noted of a truck that was seen so and then told this."""
    there: Stretches = {}
    motion.note(Record("1", **{"time": before.last + MINUTE, **word}), before, there, NOW)  # type: ignore[arg-type]
    return there


def odometer(value: float) -> dict[str, float]:
    return {"odometer": value}


@pytest.mark.parametrize(("speed", "kind"), [(None, "moved"), (5.0, "yard"), (25.0, "road")])
def test_what_a_truck_did_holds_until_its_next_word(speed: float | None, kind: str) -> None:
    before = Seen(HOUR, moving=True, speed=speed)
    assert between(before, moving=False) == {kind: [(HOUR, HOUR + MINUTE)]}


def test_of_a_truck_that_stands_next_it_is_not_known_when_it_stopped_but_soon_if_that_was_its_only_word() -> None:
    before = Seen(HOUR, moving=True, speed=25.0)
    (went,) = between(before, moving=False, time=HOUR + 15 * MINUTE)["road"]
    assert HOUR + MINUTE < went[1] < HOUR + 2 * MINUTE
    assert motion.moved_within({"road": [went]}, (HOUR, went[1])) is False, "one word that may have jumped"
    assert between(before, moving=True, speed=25.0, time=HOUR + 15 * MINUTE) == {"road": [(HOUR, HOUR + 15 * MINUTE)]}


def test_how_fast_it_was_on_the_way_the_nearer_word_tells() -> None:
    before = Seen(HOUR, moving=True, speed=25.0)
    assert between(before, moving=True, speed=5.0, time=HOUR + 10 * MINUTE) == {
        "road": [(HOUR, HOUR + 5 * MINUTE)], "yard": [(HOUR + 5 * MINUTE, HOUR + 10 * MINUTE)]
    }  # fmt: skip


def test_below_five_miles_an_hour_a_truck_is_not_in_motion() -> None:
    assert between(Seen(0.0, moving=True, speed=2.0), moving=True, speed=25.0) == {"stood": [(0.0, MINUTE)]}
    assert between(Seen(0.0, moving=True, speed=2.3), moving=False) == {"yard": [(0.0, MINUTE)]}


def test_a_truck_that_crept_and_fell_silent_is_not_known_to_have_stood() -> None:
    assert between(Seen(0.0, moving=True, speed=2.0), moving=True, speed=25.0, time=HOUR) == {}
    assert between(Seen(0.0, moving=False, speed=0.0), moving=True, speed=25.0, time=HOUR) == {"stood": [(0.0, HOUR)]}


@pytest.mark.parametrize(("usual", "gap", "moved"), [(1, 4, True), (1, 6, False), (5, 12, True), (5, 14, False)])
def test_a_truck_that_is_silent_for_much_longer_than_usual_is_not_known_to_have_moved(
    usual: int, gap: int, moved: bool
) -> None:
    there: Stretches = {}
    record = Record("1", gap * MINUTE, moving=True)
    motion.note(record, Seen(0.0, moving=True), there, NOW, usual * MINUTE)
    assert bool(there) is moved


def test_what_is_usual_is_learned_and_one_gap_changes_little() -> None:
    pace = None
    for length in (60.0, 61.0, 59.0, 3000.0, 60.0, 62.0):
        pace = motion.paced(pace, length)
    assert pace is not None
    assert 50 < pace < 75
    assert motion.paced(None, DAY) < 20 * MINUTE
    for _ in range(40):
        pace = motion.paced(pace, 300.0)
    assert 270 < pace < 330


def test_words_of_moving_between_words_of_standing_are_no_movements_however_many() -> None:
    there: Stretches = {}
    for number in range(8):
        motion.note(Record("1", number * HOUR + MINUTE, moving=False), Seen(number * HOUR, moving=True), there, NOW)
    assert len(there["moved"]) == 8
    assert list(motion.movements({"t1": there})) == []


@pytest.mark.parametrize("moving", [True, False])
def test_an_odometer_that_is_stuck_makes_no_truck_stand_that_says_it_moves(moving: bool) -> None:
    before = Seen(HOUR, moving=True, speed=25.0, values=odometer(180_000.0))
    word = {"moving": moving, "speed": 25.0, "time": HOUR + 15 * MINUTE, "values": odometer(180_000.0)}
    assert list(between(before, **word)) == ["road"]


def test_a_truck_that_stood_stood_until_it_told_otherwise() -> None:
    assert between(Seen(0.0, moving=False), moving=True, time=HOUR) == {"stood": [(0.0, HOUR)]}


def test_a_truck_that_fell_silent_on_the_road_is_not_known_to_have_stood_nor_moved() -> None:
    assert between(Seen(0.0, moving=True), moving=False, time=HOUR) == {}
    assert between(Seen(0.0, moving=False), moving=False, time=30 * HOUR) == {}


def test_an_odometer_tells_of_silence_whether_the_truck_moved_in_it() -> None:
    before = Seen(0.0, moving=True, values=odometer(180_000.0))
    assert between(before, time=30 * HOUR, values=odometer(180_000.5)) == {"stood": [(0.0, 30 * HOUR)]}
    assert between(before, time=30 * HOUR, values=odometer(180_040.0)) == {"lost": [(0.0, 30 * HOUR)]}


def test_an_engine_that_was_off_all_along_moved_nothing() -> None:
    before = Seen(0.0, moving=False, engine=False)
    assert between(before, time=30 * HOUR, moving=False, engine=False) == {"stood": [(0.0, 30 * HOUR)]}


def test_a_clock_that_is_ahead_tells_nothing_of_the_future() -> None:
    assert between(Seen(NOW - MINUTE, moving=True), time=NOW + HOUR / 15) == {"moved": [(NOW - MINUTE, NOW)]}


def test_a_day_is_moved_on_stood_through_or_not_known() -> None:
    day = (0.0, DAY)
    parts = {"stood": [(-HOUR, 8 * HOUR), (9 * HOUR, 25 * HOUR)]}
    assert motion.moved_within({**parts, "road": [(8 * HOUR, 9 * HOUR)]}, day) is True
    assert motion.moved_within({"stood": [(-HOUR, 25 * HOUR)]}, day) is False
    assert motion.moved_within(parts, day) is None
    assert motion.moved_within({}, day) is None
    # Somewhere in the day, or perhaps in the night before.
    assert motion.moved_within({"lost": [(HOUR, 9 * HOUR)]}, day) is True
    assert motion.moved_within({"lost": [(-HOUR, 9 * HOUR)]}, day) is None


def test_of_two_feeds_the_faster_is_believed() -> None:
    both = motion.absorbed({"t1": {"yard": [(0.0, HOUR)]}}, [{"t1": {"road": [(0.5 * HOUR, 2 * HOUR)]}}])
    assert list(motion.movements(both)) == [
        Movement("t1", 0.5 * HOUR, 2 * HOUR, float("inf")), Movement("t1", 0.0, 0.5 * HOUR, 0.0)
    ]  # fmt: skip


def test_what_a_feed_noted_is_left_for_hours_and_no_longer() -> None:
    noted = {"t1": {"road": [(0.0, HOUR), (NOW - 7 * HOUR, NOW - 5 * HOUR)]}, "t2": {"stood": [(0.0, HOUR)]}}
    assert motion.fresh(noted, NOW) == {"t1": {"road": [(NOW - 6 * HOUR, NOW - 5 * HOUR)]}}


WORDS = st.lists(st.tuples(st.floats(1.0, DAY), st.booleans()), min_size=1, max_size=30)


@given(WORDS)
def test_no_time_is_known_that_no_word_vouches_for(words: list[tuple[float, bool]]) -> None:
    there: Stretches = {}
    seen = Seen(0.0, moving=True)
    for wait, moving in words:
        at = seen.last + wait
        motion.note(Record("1", at, moving=moving), seen, there, 100 * DAY)
        if wait > 4 * HOUR or (seen.moving and wait > 20 * MINUTE):
            assert not any(start < at - 1 and end > seen.last + 1 for times in there.values() for start, end in times)
        seen = Seen(at, moving=moving)
    for kind in ("moved", "stood"):
        others = [each for other, times in there.items() if other != kind for each in times]
        assert not any(a < d and c < b for a, b in there.get(kind, ()) for c, d in others)
