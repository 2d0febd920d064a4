"""What a feed's page says: over real HTTP, from an inventory as written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.feeds.world import GPS, TOKEN, iso, position, world

# A Wednesday at noon.
NOON = datetime(2026, 1, 7, 12, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
MINUTE, HOUR = 60.0, 3600.0


def positions(at: float, trucks: range = range(100, 110), **more: Any) -> dict[str, Any]:
    return {"data": [position(unit, at, **more) for unit in trucks]}


def test_the_newest_record_and_each_truck_of_the_roster_are_told_with_their_own_times(tmp_path: Path) -> None:
    replies = {"/positions": positions(NOON - 20, range(100, 125))}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        assert here.value("feed_newest_record_timestamp_seconds", feed="gps") == NOON - 20
        assert here.value("feed_trucks", feed="gps") == 25
        assert here.value("feed_records", feed="gps", state="new") == 25
        assert here.value("truck_last_moved_timestamp_seconds", truck="119") == NOON - 20
        assert here.value("truck_last_record_timestamp_seconds", truck="119") == NOON - 20
        # Not on the roster: no label says its name.
        assert here.value("truck_last_record_timestamp_seconds", truck="121") is None
        assert here.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_truck_that_stands_keeps_the_time_when_it_last_moved(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"/positions": positions(NOON)}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        replies["/positions"] = positions(NOON + HOUR, speed=0.0)
        here.collect(NOON + HOUR)
        assert here.value("truck_last_moved_timestamp_seconds", truck="100") == NOON
        assert here.value("truck_last_record_timestamp_seconds", truck="100") == NOON + HOUR
        assert here.value("feed_movement_timestamp_seconds", feed="gps") is None


def test_movement_has_a_beginning_and_an_end(tmp_path: Path) -> None:
    replies: dict[str, Any] = {}
    with world(tmp_path, replies) as here:
        for minute in range(5):
            replies["/positions"] = positions(NOON + minute * MINUTE)
            here.collect(NOON + minute * MINUTE)
        assert here.value("feed_movement_since_timestamp_seconds", feed="gps") == NOON
        assert here.value("feed_movement_timestamp_seconds", feed="gps") == NOON + 4 * MINUTE


def test_a_reply_with_yesterdays_positions_is_as_old_as_they_are(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"/positions": positions(NOON)}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        replies["/positions"] = positions(NOON - 24 * HOUR)
        here.collect(NOON + MINUTE)
        assert here.value("feed_newest_record_timestamp_seconds", feed="gps") == NOON - 24 * HOUR
        assert here.odd() == {"backwards"}


def test_no_record_is_no_news_and_not_a_zero(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"/positions": {"data": []}}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        assert here.value("feed_newest_record_timestamp_seconds", feed="gps") is None
        assert here.odd() == set()
        replies["/positions"] = positions(NOON)
        here.collect(NOON + MINUTE)
        replies["/positions"] = {"data": []}
        here.collect(NOON + 2 * MINUTE)
        assert here.value("feed_newest_record_timestamp_seconds", feed="gps") == NOON
        assert here.odd() == {"empty"}


def test_what_the_description_names_and_no_record_has_is_a_breach(tmp_path: Path) -> None:
    renamed = [
        {key.replace("time", "timestamp"): value for key, value in each.items()} for each in positions(NOON)["data"]
    ]
    replies: dict[str, Any] = {"/positions": {"data": renamed}}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        assert here.value("feed_contract_violations", feed="gps", kind="missing", field="time") == 10
        replies["/positions"] = {"items": []}
        here.collect(NOON + MINUTE)
        assert here.value("feed_contract_violations", feed="gps", kind="missing", field="data[]") == 1


def test_times_that_nobody_can_read_are_a_breach_and_not_an_empty_answer(tmp_path: Path) -> None:
    odd = positions(NOON)
    for each in odd["data"]:
        each["time"] = "week 2, day 3"
    replies: dict[str, Any] = {"/positions": odd}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        assert here.value("feed_contract_violations", feed="gps", kind="time_unit", field="time") == 10
        # One truck with a broken clock is nobody's contract.
        replies["/positions"] = {"data": [*positions(NOON + MINUTE)["data"][1:], odd["data"][0]]}
        here.collect(NOON + MINUTE)
        assert here.value("feed_contract_violations", feed="gps") is None
        assert here.value("feed_records", feed="gps", state="undated") == 1


def test_trucks_with_broken_clocks_may_be_the_only_ones_that_have_something_new_to_say(tmp_path: Path) -> None:
    feed = GPS.replace("/positions", "'/positions?since={since}'")
    replies: dict[str, Any] = {"/positions": positions(NOON)}
    with world(tmp_path, replies, {"gps": feed}) as here:
        here.collect(NOON)
        broken = positions(NOON + MINUTE, range(100, 104))
        for each in broken["data"]:
            each["time"] = "2080-01-01T00:00:00Z"
        replies["/positions"] = broken
        here.collect(NOON + MINUTE)
        assert here.value("feed_contract_violations", feed="gps") is None
        assert here.value("feed_records", feed="gps", state="undated") == 4


def test_an_empty_answer_mends_no_contract(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"/positions": positions(NOON)}
    with world(tmp_path, replies) as here:
        for minute in range(7):
            replies["/positions"] = positions(NOON + minute * MINUTE)
            here.collect(NOON + minute * MINUTE)
        broken = positions(NOON + HOUR)
        for each in broken["data"]:
            each["odo"] *= 1.609344
            each["time"] = str(NOON + HOUR)
        for minute, reply in ((60, broken), (61, {"data": []}), (62, {"data": []})):
            replies["/positions"] = reply
            here.collect(NOON + minute * MINUTE)
            for kind, field in (("unit", "odometer"), ("time_unit", "time")):
                assert here.value("feed_contract_violations", feed="gps", kind=kind, field=field) == 10, (minute, kind)
        for each in broken["data"]:
            each["time"] = None
        replies["/positions"] = broken
        here.collect(NOON + 63 * MINUTE)
        assert here.value("feed_contract_violations", feed="gps", kind="unit", field="odometer") == 1
        replies["/positions"] = positions(NOON + 64 * MINUTE)
        here.collect(NOON + 64 * MINUTE)
        assert here.value("feed_contract_violations", feed="gps") is None


def test_a_feed_is_empty_for_as_long_as_it_is(tmp_path: Path) -> None:
    replies: dict[str, Any] = {"/positions": positions(NOON)}
    with world(tmp_path, replies) as here:
        here.collect(NOON)
        replies["/positions"] = {"data": []}
        for day in range(1, 10):
            here.collect(NOON + day * 24 * HOUR)
            assert here.odd() == {"empty"}, day


def test_what_the_inventory_says_of_feeds_is_there_without_a_collection(tmp_path: Path) -> None:
    from yardlight import catalogue as m
    from yardlight.feeds import domain

    loads = 'account: vendor, path: /loads, records: "loads[]", id: id, time: at, expected: %s'
    feeds = {"loads": loads % "weekdays", "stats": loads % "on_change", "hours": loads % "always"}
    with world(tmp_path, {}, feeds) as here:
        said = domain.said(here.fleet, NOON)
        assert said[m.FEED_EXPECTED_SINCE] == {("vendor", "loads"): NOON - 7 * HOUR, ("vendor", "hours"): 0.0}
        assert set(said[m.FEED_MAX_AGE]) == {("vendor", "loads"), ("vendor", "hours")}
        assert len(said[m.FEED_INFO]) == 3
        sunday = domain.said(here.fleet, NOON + 4 * 24 * HOUR)
        assert sunday[m.FEED_EXPECTED_SINCE]["vendor", "loads"] is None


def test_a_feed_that_is_an_address_needs_no_account(tmp_path: Path) -> None:
    with world(tmp_path, {"/api/loads": {"loads": [{"id": 7, "at": iso(NOON)}]}}) as here:
        url = f'url: "{here.url}/api/loads?updated_since={{since}}", records: "loads[]", id: id, time: at'
        here.write({"loads": url})
        here.collect(NOON)
        assert here.value("feed_newest_record_timestamp_seconds", account="loads", feed="loads") == NOON
        assert here.asked[0].query == {"updated_since": iso(NOON - 24 * HOUR)}
        assert "authorization" not in here.asked[0].headers
        here.collect(NOON + HOUR)
        assert here.asked[1].query == {"updated_since": iso(NOON - 300)}


def test_the_same_content_is_known_whatever_values_the_inventory_names_and_whatever_other_times_move(
    tmp_path: Path,
) -> None:
    """Trucks without an odometer are frozen too, and so are those whose other clocks move on with the first one."""

    def page(at: float, said_at: float) -> dict[str, Any]:
        odd = {"odo": None, "received": iso(said_at + 2), "sentMs": int(said_at * 1000), "time": iso(said_at)}
        return {"data": [position(unit, at) | odd for unit in range(100, 110)]}

    replies: dict[str, Any] = {}
    with world(tmp_path, replies) as here:
        for minute in range(40):
            at = NOON + minute * MINUTE
            replies["/positions"] = page(min(at, NOON + 10 * MINUTE), at)
            here.collect(at)
        assert here.value("feed_unchanged_since_timestamp_seconds", feed="gps") == NOON + 10 * MINUTE
        replies["/positions"] = page(NOON + 41 * MINUTE, NOON + 41 * MINUTE)
        here.collect(NOON + 41 * MINUTE)
        assert here.value("feed_unchanged_since_timestamp_seconds", feed="gps") is None
