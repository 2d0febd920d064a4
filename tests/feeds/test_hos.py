"""Drivers' logs against GPS: what matches, what does not, and what is nobody's."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.feeds.logbook import DAY, HOUR, MINUTE, ZONE, quarter
from tests.feeds.logbook import HOMES as ZONES
from yardlight.feeds.duty import Entry, Status, lines, status_of
from yardlight.feeds.homes import Homes
from yardlight.feeds.hos import Judged, Limits, Movement, judged
from yardlight.intervals import seconds

MONDAY = datetime(2026, 3, 2, tzinfo=ZONE).timestamp()
HOMES = Homes(zone="America/Chicago")
SETTLED = MONDAY + 4 * DAY
Written = tuple[str, Status | None, float]


def judge(
    log: list[Entry], *moved: tuple[float, float, float], now: float = SETTLED, elsewhere: tuple[str, ...] = ()
) -> Judged:
    """Hours of Monday in which truck t1 moved, and its speed in meters per second."""
    movements = [Movement("t1", MONDAY + start * HOUR, MONDAY + end * HOUR, speed) for start, end, speed in moved]
    limits = Limits()
    return judged(lines(log, now, limits.tied), movements, elsewhere=elsewhere, homes=HOMES, limits=limits, now=now)


def written(*log: Written, truck: str = "t1") -> list[Entry]:
    return [Entry(driver, status, MONDAY + hour * HOUR, None, truck) for driver, status, hour in log]


def test_forty_minutes_off_duty_while_the_truck_moved_is_a_case_of_its_driver_and_day() -> None:
    log = written(("ann", "driving", 8), ("ann", "off_duty", 10))
    (case,) = judge(log, (8, 10, 25), (12, 12 + 40 / 60, 25)).mismatches
    assert (case.driver, case.truck, case.day) == ("ann", "t1", date(2026, 3, 2))
    assert case.seconds == pytest.approx(40 * MINUTE)


def test_nothing_is_judged_before_the_logs_have_settled() -> None:
    log = written(("ann", "driving", 8), ("ann", "off_duty", 10))
    moved = (12, 13, 25.0)
    assert not judge(log, moved, now=MONDAY + (13 + 47) * HOUR).mismatches
    assert judge(log, moved, now=MONDAY + (13 + 49) * HOUR).mismatches


@pytest.mark.parametrize(
    "log",
    [
        written(("ann", "driving", 8), ("ann", "personal", 12), ("ann", "off_duty", 13)),
        written(("ann", "driving", 8), ("ann", "sleeper", 10), ("bob", "driving", 12), ("bob", "off_duty", 13)),
        written(("ann", "driving", 8), ("ann", None, 12), ("ann", "off_duty", 13)),
    ],
    ids=["personal use", "a team", "a status that is not known"],
)
def test_what_a_log_on_the_truck_allows_is_no_mismatch(log: list[Entry]) -> None:
    assert judge(log, (12, 13, 25)).mismatches == ()


def test_a_yard_move_at_the_speed_of_a_yard_is_let_pass_and_one_on_the_road_is_a_case() -> None:
    log = written(("ann", "driving", 8), ("ann", "off_duty", 11), ("ann", "yard_move", 12), ("ann", "off_duty", 13))
    assert judge(log, (12, 13, 6)).mismatches == ()
    assert [case.driver for case in judge(log, (12, 13, 27)).mismatches] == ["ann"]


def test_drivers_on_paper_or_exempt_are_not_held_against_a_log_they_do_not_keep() -> None:
    log = written(("ann", "off_duty", 0))
    assert judge(log, (12, 13, 25)).mismatches
    assert judge(log, (12, 13, 25), elsewhere=("ann",)).mismatches == ()


def test_clocks_that_differ_by_minutes_are_no_mismatch() -> None:
    log = written(("ann", "driving", 8), ("ann", "off_duty", 10))
    assert judge(log, (7.95, 10.05, 25)).mismatches == ()


def test_driving_that_nobody_was_logged_in_for_is_a_list_of_its_own() -> None:
    alone = judge([], (12, 13, 25))
    noted = judge(
        [*written(("ann", "off_duty", 11)), Entry("", "driving", MONDAY + 12 * HOUR, MONDAY + 13 * HOUR, "t1")],
        (12, 13, 25),
    )
    for found in (alone, noted):
        assert found.mismatches == ()
        assert [(each.truck, seconds(each.times)) for each in found.unassigned] == [("t1", HOUR)]


def test_who_went_home_a_day_ago_does_not_answer_for_the_truck() -> None:
    log = written(("ann", "driving", -30), ("ann", "off_duty", -28))
    found = judge(log, (12, 13, 25))
    assert found.mismatches == ()
    assert [each.truck for each in found.unassigned] == ["t1"]


def test_nobody_changes_places_in_a_truck_that_moves() -> None:
    home, monday = written(("ann", "driving", -40), ("ann", "off_duty", -38)), written(("ann", "driving", 13))
    (case,) = judge([*home, *monday], (12, 16, 25)).mismatches
    assert (case.driver, case.seconds) == ("ann", HOUR)
    stood = judge([*home, *monday], (12, 12.8, 25), (13, 16, 25))
    unheard = judge(monday, (12, 16, 25))
    for found in (stood, unheard):
        assert found.mismatches == ()
        assert [each.truck for each in found.unassigned] == ["t1"]


@pytest.mark.parametrize(("slept", "blamed"), [(11, {"ann"}), (20, {"bob"})])
def test_who_drove_all_night_did_not_drive_on_all_day_beside_a_rested_mate(slept: float, blamed: set[str]) -> None:
    log = written(("bob", "sleeper", 0), ("ann", "driving", 0), ("ann", "sleeper", 9), ("bob", "on_duty", slept + 1))
    assert {case.driver for case in judge(log, (0, 9.05, 25), (9.07, slept, 25)).mismatches} == blamed


def test_a_whole_shift_of_a_truck_that_one_driver_has_is_his_though_his_log_ends_days_ago() -> None:
    friday = written(("ann", "driving", -70), ("ann", "off_duty", -60))
    (case,) = judge(friday, (6, 9, 25), (10, 15, 25)).mismatches
    assert (case.driver, case.seconds) == ("ann", 8 * HOUR)
    shared = written(("bob", "driving", -118), ("bob", "off_duty", -108))
    assert judge([*shared, *friday], (6, 9, 25), (10, 15, 25)).mismatches == ()
    assert judge(friday, (-30, -28, 25), (-14, -12, 25), (6, 8, 25)).mismatches == (), "two hours each day"
    noted = Entry("", "driving", MONDAY + 6 * HOUR, MONDAY + 15 * HOUR, "t1")
    assert judge([*friday, noted], (6, 9, 25), (10, 15, 25)).mismatches == ()


def test_a_whole_shift_of_a_truck_that_is_shared_is_of_who_has_it_at_that_time_of_day() -> None:
    days = written(("ann", "driving", -67), ("ann", "off_duty", -60))
    nights = written(("bob", "driving", -7), ("bob", "off_duty", 1))
    assert {case.driver for case in judge([*days, *nights], (6, 9, 25), (10, 14, 25)).mismatches} == {"ann"}


def test_personal_use_goes_on_where_a_list_that_does_not_know_it_cuts_the_day() -> None:
    log = written(("ann", "driving", 14), ("ann", "off_duty", 22), ("ann", "off_duty", 24), ("ann", "driving", 32))
    personal = Entry("ann", "personal", MONDAY + 23 * HOUR, MONDAY + 25 * HOUR, "t1")
    assert judge([*log, personal], (23, 25, 25)).mismatches == ()
    assert [case.seconds for case in judge([*log, personal], (23, 26, 25)).mismatches] == [HOUR]


TEAM = (("bob", "sleeper", -20), ("ann", "driving", -20), ("ann", "sleeper", -10), ("bob", "driving", -10),
        ("bob", "sleeper", 0), ("ann", "driving", 0.2), ("ann", "off_duty", 6))  # fmt: skip


@pytest.mark.parametrize(
    ("log", "driver"),
    [
        ((("bob", "on_duty", 9.5),), "ann"),
        ((("bob", "off_duty", 6.4), ("ann", "sleeper", 6.5)), "bob"),
        ((("ann", "sleeper", 6.5), ("ann", "on_duty", 9.1), ("bob", "on_duty", 9.3)), "ann"),
        ((("ann", "sleeper", 6.5), ("ann", "off_duty", 9.02), ("bob", "off_duty", 9.03)), "ann"),
        ((("ann", "sleeper", 6.5), ("bob", "driving", 9.05)), "ann"),
    ],
    ids=["one sleeps", "the other one does", "who wrote at the stop", "both wrote, the turn is not over", "relieved"],
)
def test_which_of_a_team_drove(log: tuple[Written, ...], driver: str) -> None:
    stopped = judge(written(*TEAM, *log), (0.2, 6, 25), (6.5, 9, 25), (9.1, 9.2, 5))
    assert {case.driver for case in stopped.mismatches} == {driver}


def test_who_sleeps_in_a_truck_after_days_at_home_sleeps_in_the_last_one() -> None:
    log = written(*TEAM[:2], ("ann", "sleeper", -10), ("bob", "driving", -10), ("bob", "off_duty", -6), truck="t1")
    home = [Entry(who, "off_duty", MONDAY - 6 * HOUR, None, "") for who in ("ann", "bob")]
    back = Entry("ann", "sleeper", MONDAY + 40 * HOUR, None, "")
    assert {case.driver for case in judge([*log, *home, back], (41, 43, 25), now=SETTLED + DAY).mismatches} == {"bob"}
    up = Entry("ann", "on_duty", MONDAY + 43.05 * HOUR, None, "t1")
    assert {case.driver for case in judge([*log, *home, back, up], (41, 43, 25), now=SETTLED + DAY).mismatches} == {
        "bob"
    }


def test_a_turn_that_is_over_was_followed_by_the_mate_s() -> None:
    log = written(*TEAM[:-1], ("ann", "sleeper", 10))
    assert {case.driver for case in judge(log, (0.2, 10, 25), (10.5, 13, 25)).mismatches} == {"bob"}


@pytest.mark.parametrize(("days", "driver"), [("ababa", "bob"), ("abab", "ann"), ("aabbb", "bob")])
def test_a_whole_shift_of_a_truck_that_is_shared_is_of_whose_turn_it_was(days: str, driver: str) -> None:
    log = []
    for number, one in enumerate(reversed(days), 1):
        who = {"a": "ann", "b": "bob"}[one]
        log += written((who, "driving", 6 - 24 * number), (who, "off_duty", 15 - 24 * number))
    assert {case.driver for case in judge(log, (6, 9, 25), (10, 14, 25)).mismatches} == {driver}


def test_what_has_settled_of_a_shift_is_of_whose_the_whole_shift_is() -> None:
    days = written(("ann", "driving", -14), ("ann", "off_duty", -8))
    nights = written(("bob", "driving", -31), ("bob", "off_duty", -23), ("bob", "driving", 17), ("bob", "off_duty", 24))
    shift = ((-6.8, -5.5, 25.0), (-5, 0, 25.0))
    assert {case.driver for case in judge([*days, *nights], *shift).mismatches} == {"bob"}
    (case,) = judge([*days, *nights], *shift, now=MONDAY + 44 * HOUR).mismatches
    assert (case.driver, case.seconds) == ("bob", pytest.approx(1.3 * HOUR))


def test_of_who_share_a_truck_it_was_who_was_active_on_it_soon_before_or_after() -> None:
    ann = written(("ann", "driving", -12), ("ann", "off_duty", -4))
    bob = written(("bob", "driving", -40), ("bob", "off_duty", -33), ("bob", "driving", 8), ("bob", "off_duty", 12))
    assert {case.driver for case in judge([*ann, *bob], (6, 7, 25), (8, 12, 25)).mismatches} == {"bob"}
    assert {case.driver for case in judge([*ann, *bob], (-3, -2, 25), (8, 12, 25)).mismatches} == {"ann"}


def test_a_driver_who_changed_trucks_answers_for_the_new_one_only() -> None:
    log = [*written(("ann", "driving", 6)), *written(("ann", "driving", 8), ("ann", "off_duty", 10), truck="t2")]
    assert judge(log, (12, 13, 25)).mismatches == ()


def test_the_later_of_two_lines_that_start_together_is_the_edited_one() -> None:
    log = written(("ann", "off_duty", 12), ("ann", "driving", 12), ("ann", "off_duty", 14))
    assert judge(log, (12, 13, 25)).mismatches == ()


@pytest.mark.parametrize(
    ("log", "moved", "driver"),
    [
        ([("ann", "driving", 4), ("ann", "sleeper", 6)], (5.0, 8.0), "ann"),
        ([("ann", "driving", 4), ("ann", "sleeper", 9)], (9.1, 13.0), "bob"),
        ([("ann", "driving", 7), ("ann", "sleeper", 9)], (9.1, 13.0), "ann"),
        ([("ann", "driving", 4), ("ann", "sleeper", 9), ("ann", "on_duty", 13)], (9.1, 13.0), "ann"),
    ],
    ids=["while she was at the wheel", "after her shift", "in the midst of it", "and she was at the wheel behind it"],
)
def test_of_a_team_it_is_held_against_who_drove_on_and_after_a_shift_against_who_had_slept(
    log: list[Written], moved: tuple[float, float], driver: str
) -> None:
    team = written(("bob", "driving", -4), ("bob", "sleeper", 0), ("ann", "sleeper", -4), *log)
    assert [case.driver for case in judge(team, (*moved, 25)).mismatches] == [driver]


def test_who_comes_for_the_next_shift_answers_for_it_and_who_left_for_what_follows_at_once() -> None:
    log = written(("bob", "driving", -8), ("bob", "off_duty", 0), ("ann", "driving", 4), ("ann", "off_duty", 12))
    assert [case.driver for case in judge(log, (16, 22, 25)).mismatches] == ["bob"]
    assert [case.driver for case in judge(log, (12.5, 13, 25)).mismatches] == ["ann"]


def test_what_an_eld_noted_of_nobody_ends_where_it_says_so_and_where_somebody_logs_in() -> None:
    ann = written(("ann", "driving", 8), ("ann", "off_duty", 12), ("ann", "driving", 20), ("ann", "off_duty", 21))
    nobody = [
        Entry("", "driving", MONDAY + 14 * HOUR, None, "t1"),
        Entry("", "on_duty", MONDAY + 15 * HOUR, None, "t1"),
    ]
    for log in (nobody, nobody[:1]):
        found = judge([*ann, *log], (14, 15, 25), (22, 23, 25))
        assert [seconds(each.times) for each in found.unassigned] == [HOUR]
        assert [each.times[0][0] for each in found.mismatches] == [MONDAY + 22 * HOUR]


def test_a_period_that_has_an_end_is_part_of_the_line_it_lies_in_whichever_list_comes_first() -> None:
    log = written(("ann", "driving", 8), ("ann", "off_duty", 12))
    personal = Entry("ann", "personal", MONDAY + 12 * HOUR, MONDAY + 13 * HOUR, "t1")
    for entries in ([*log, personal], [personal, *log]):
        assert judge(entries, (12, 13, 25)).mismatches == ()
        (case,) = judge(entries, (12, 13, 25), (15, 16, 25)).mismatches
        assert case.times == ((MONDAY + 15 * HOUR, MONDAY + 16 * HOUR),)


def test_an_hour_over_midnight_belongs_to_both_days() -> None:
    log = written(("ann", "driving", 20), ("ann", "off_duty", 23))
    assert [case.day.day for case in judge(log, (23.5, 24.5, 25)).mismatches] == [2, 3]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("sleeperBed", "sleeper"), ("SLP", "sleeper"), ("Off Duty - PC", "personal"), ("ON_DUTY_YM", "yard_move"),
        ("off_duty", "off_duty"), ("D", "driving"), ("PC", "personal"), ("YM", "yard_move"),
        ("On Duty (Not Driving)", "on_duty"), ("", None), (None, None), ("onBreak", None),
    ],
)  # fmt: skip
def test_vendors_words_become_statuses_and_unknown_ones_none(word: object, status: str | None) -> None:
    assert status_of(word) == status


STATUSES = st.sampled_from(["off_duty", "sleeper", "driving", "on_duty", "personal", "yard_move", None])
LOGS = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["", "ann", "bob"]),
        STATUSES,
        st.floats(0, 5 * DAY),
        st.none() | st.floats(0, 6 * DAY),
        st.sampled_from(["", "t1", "t2"]),
    ),
    max_size=12,
)
MOVED = st.lists(
    st.builds(lambda at, length: Movement("t1", at, at + length, 25.0), st.floats(0, 5 * DAY), st.floats(1, DAY)),
    max_size=4,
)


@given(LOGS, MOVED)
def test_what_is_held_against_anybody_is_time_in_which_the_truck_moved_and_no_log_let_it(
    log: list[Entry], moved: list[Movement]
) -> None:
    limits = Limits(least=0.0)
    stands = lines(log, 10 * DAY, limits.tied)
    found = judged(stands, moved, elsewhere=(), homes=Homes(zone="UTC"), limits=limits, now=10 * DAY)
    driving = [line.time for line in stands if line.driver and line.truck == "t1" and line.active]
    for each in (*found.mismatches, *found.unassigned):
        for start, end in each.times:
            middle = (start + end) / 2
            assert any(one.start <= start and end <= one.end for one in moved) or len(moved) > 1
            assert any(one.start <= middle <= one.end for one in moved)
            if not any(line.status == "yard_move" for line in stands):
                assert not any(begin <= middle < ends for begin, ends in driving)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_months_hidden_driving_is_found_and_nothing_else_is(seed: int) -> None:
    made = quarter(seed, drivers=60, days=45)
    log, limits = lines((entry for _, entry in made.entries), made.end, Limits().tied), Limits()
    homes = Homes(zone="America/Chicago", drivers={each: ZONES[home] for each, home in made.homes.items()})
    found = judged(log, made.movements, elsewhere=made.elsewhere, homes=homes, limits=limits, now=made.end)
    cases = {(case.driver, case.truck, case.day) for case in found.mismatches} - (made.grey - made.wrong)
    assert len(made.wrong) > 10
    assert len(cases & made.wrong) >= 0.95 * len(made.wrong)
    assert len(cases & made.wrong) >= 0.98 * len(cases)
