"""Rows of feeds.yml from a vendor to who is told what: real HTTP, polls as they run, the shipped rules, over time."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.feeds.days import LA, Days
from tests.history import Alert, Told, Words
from tests.living import DAY, HOUR, MINUTE
from tests.vendor import Answer, Asked, Vendor
from yardlight.cli import main
from yardlight.demo.faces import Ask

ROWS = {
    row["id"]: row["expect"]
    for row in yaml.safe_load((Path(__file__).parents[1] / "faults" / "feeds.yml").read_text(encoding="utf-8"))
}
# Who is told of what, where it is not the NOC.
OF_DISPATCH = ("FeedStale", "FeedContractBroken", "FeedFrozen", "FeedEmpty", "PlatformOutageDeclared")
OF_COMPLIANCE = ("TaxRecordGap", "HosGpsMismatch", "UnassignedDriving")
OF = {**dict.fromkeys(OF_DISPATCH, "dispatch"), **dict.fromkeys(OF_COMPLIANCE, "compliance")}

pytestmark = pytest.mark.needs("promtool")


def at(day: str, clock: str = "12:00") -> float:
    """A local time as an instant."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=LA).timestamp()


# A Wednesday.
NOON = at("2026-01-07")
BEGIN = NOON + 15 * MINUTE


class Rung:
    """What fired, and the words that were asked for."""

    def __init__(self, told: dict[Alert, Told], words: list[Words]) -> None:
        self.told, self.words = told, words

    def when(self) -> Told:
        """When the only alert fired."""
        [found] = self.told.values()
        return found


def rung(days: Days, row: str, *texts: tuple[str, float]) -> Rung:
    """What fired, which is exactly what the row says."""
    told, words = days.told(*texts)
    expect = ROWS[row]
    wanted = [f"{kind} {each}" for kind in ("page", "ticket", "info") for each in expect.get(kind, [])]
    fired = sorted(alert.what for alert in told)
    assert len(fired) == len(wanted), fired
    for each in wanted:
        # "FeedStale or FeedEmpty"; a name without what it is about fits any.
        kind, names = each.split(" ", 1)
        assert any(f"{f}  ".startswith(f"{kind} {name} ") for f in fired for name in names.split(" or ")), fired
    for alert in told:
        assert alert.audience == OF.get(alert.what.split()[1], "noc")
    return Rung(told, words)


def live(folder: Path, fault: str, start: float = NOON, minutes: float = 60, **more: Any) -> Iterator[Days]:
    """A fleet whose telematics has this fault from `BEGIN` on, and is well again in the last quarter of an hour."""
    with Days(folder, start, **more) as days:
        days.at(start + 15 * MINUTE, lambda: days.telematics.switch(fault))
        days.at(start + (minutes - 15) * MINUTE, lambda: days.telematics.switch("heal"))
        yield days
        days.until(start + minutes * MINUTE)


def lived(folder: Path, fault: str, minutes: float = 60, change: Callable[[Days], object] | None = None) -> Days:
    """The same, after it."""
    days = None
    for days in live(folder, fault, minutes=minutes):
        if change is not None:
            change(days)
    assert days is not None
    return days


def test_f01_positions_that_stop_are_told_to_dispatch_and_so_is_that_they_are_new_again(tmp_path: Path) -> None:
    days = lived(tmp_path, "stale")
    rang = rung(days, "F01", ("FeedStale", NOON + 40 * MINUTE))
    stale = rang.when()
    # As old as they may be, one collection, and the time that it takes to notice.
    assert BEGIN + 5 * MINUTE <= stale.first <= BEGIN + 8 * MINUTE
    assert NOON + 44 * MINUTE <= stale.last <= NOON + 47 * MINUTE
    [words] = rang.words
    assert re.fullmatch(
        r"GPS positions: 2\d min old, nothing newer than Wed 4:1\d PM. Do not quote ETAs. Not affected: Loads.",
        words["summary"],
    )


def test_f01_yesterdays_positions_are_told_within_two_collections(tmp_path: Path) -> None:
    stale = rung(lived(tmp_path, "yesterday", 45), "F01").when()
    assert BEGIN <= stale.first <= BEGIN + 2 * MINUTE
    assert stale.last <= NOON + 32 * MINUTE


def test_f02_at_night_with_every_truck_parked_the_same_is_no_trouble(tmp_path: Path) -> None:
    with Days(tmp_path, at("2026-01-07", "22:30")) as days:
        days.at(at("2026-01-07", "22:40"), lambda: days.telematics.switch("stale"))
        days.until(at("2026-01-08", "00:00"))
        rung(days, "F02")


def test_f03_monday_begins_after_a_quiet_weekend_and_nobody_is_told(tmp_path: Path) -> None:
    with Days(tmp_path, at("2026-01-12", "04:30")) as days:
        days.until(at("2026-01-12", "05:40"))
        rung(days, "F03")


def test_f04_a_required_field_that_is_renamed_is_named_to_dispatch(tmp_path: Path) -> None:
    rang = rung(lived(tmp_path, "renamed", 45), "F04", ("FeedContractBroken", NOON + 25 * MINUTE))
    assert BEGIN <= rang.when().first <= BEGIN + 4 * MINUTE
    assert rang.words[0]["summary"] == (
        "GPS positions may be wrong: the vendor changed reported_ms (gone). Do not quote ETAs."
    )


def test_f05_a_field_more_is_for_information_until_it_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Days(tmp_path, NOON, trucks=40) as days:
        days.write()
        assert main(["contract", "learn", "gps"]) == 0
        days.at(BEGIN, lambda: days.telematics.switch("added"))
        days.at(NOON + 30 * MINUTE, lambda: main(["contract", "accept", "gps", "--by", "dana"]))
        days.until(NOON + 40 * MINUTE)
        rang = rung(days, "F05", ("FeedContractDrifted", NOON + 25 * MINUTE))
    assert "new: heading." in rang.words[0]["description"]
    assert BEGIN <= rang.when().first <= BEGIN + 2 * MINUTE
    assert rang.when().last <= NOON + 32 * MINUTE


def test_f06_an_odometer_in_kilometers_is_a_broken_contract_of_kind_unit(tmp_path: Path) -> None:
    rang = rung(lived(tmp_path, "kilometers", 45), "F06", ("FeedContractBroken", NOON + 25 * MINUTE))
    assert "odometer (another unit)" in rang.words[0]["summary"]
    assert rang.when().last <= NOON + 32 * MINUTE


def test_f07_milliseconds_that_are_suddenly_seconds_break_the_contract_and_no_clock(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    def watch(days: Days) -> None:
        name = "feed_newest_record_timestamp_seconds"
        for minute in (20, 29):
            days.at(NOON + minute * MINUTE, days.note(seen, f"{minute}", name, feed="gps"))

    rang = rung(lived(tmp_path, "seconds", 45, watch), "F07", ("FeedContractBroken", NOON + 25 * MINUTE))
    assert "reported_ms (times written otherwise)" in rang.words[0]["summary"]
    assert seen["29"] == pytest.approx(NOON + 29 * MINUTE, abs=120)


def test_f08_a_cursor_that_is_always_the_same_is_frozen(tmp_path: Path) -> None:
    def keep(days: Days) -> None:
        keeps = "paging: {cursor: page.cursor, param: after, more: page.more, keep: true}"
        days.account = days.account.replace("paging: {cursor: page.cursor, param: after, more: page.more}", keeps)
        days.account = days.account.replace("path: /positions", "path: /stream")

    rang = rung(lived(tmp_path, "stuck", 45, keep), "F08", ("FeedFrozen", NOON + 25 * MINUTE))
    assert "the same cursor again and again" in rang.words[0]["description"]


def test_f09_the_same_content_under_a_moving_clock_is_frozen_after_half_an_hour(tmp_path: Path) -> None:
    frozen = rung(lived(tmp_path, "frozen", 75), "F09").when()
    assert BEGIN + 29 * MINUTE <= frozen.first <= BEGIN + 33 * MINUTE
    assert frozen.last <= NOON + 62 * MINUTE


def test_f10_no_truck_at_all_in_the_busiest_hour_is_told_once(tmp_path: Path) -> None:
    empty = rung(lived(tmp_path, "empty", 45), "F10").when()
    assert BEGIN <= empty.first <= BEGIN + 4 * MINUTE


def test_f11_a_truck_in_2031_makes_nothing_new_and_is_counted(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    with Days(tmp_path, NOON) as days:
        days.telematics.wrong_clocks["105"] = 5 * 365 * DAY
        days.at(NOON + 5 * MINUTE, days.note(seen, "future", "feed_records", feed="gps", state="future"))
        days.at(NOON + 5 * MINUTE, days.note(seen, "newest", "feed_newest_record_timestamp_seconds", feed="gps"))
        days.at(NOON + 10 * MINUTE, lambda: days.telematics.switch("stale"))
        days.until(NOON + 30 * MINUTE)
        # Neither is a feed of which all others stand still.
        rung(days, "F01")
    assert seen["future"] == 1
    assert NOON + 3 * MINUTE <= seen["newest"] <= NOON + 5 * MINUTE


def test_f12_short_and_empty_pages_are_read_to_the_end(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    with Days(tmp_path, NOON) as days:
        days.telematics.switch("short")
        days.at(NOON + 5 * MINUTE, days.note(seen, "trucks", "feed_trucks", feed="gps"))
        days.until(NOON + 10 * MINUTE)
        rung(days, "F12")
    assert seen["trucks"] == 12


def test_f13_a_page_that_repeats_for_ever_is_stopped_and_called_incomplete(tmp_path: Path) -> None:
    days = lived(tmp_path, "endless", 45, lambda days: setattr(days, "gps", f"{days.gps}, max_pages: 5"))
    rung(days, "F13")


def test_f14_an_error_inside_a_good_answer_fails_the_account(tmp_path: Path) -> None:
    rang = rung(lived(tmp_path, "error", 45), "F14", ("AccountFailing", NOON + 25 * MINUTE))
    assert "feeds/gps fails with api_error" in rang.words[0]["description"]


def with_samsara(days: Days) -> None:
    """The positions are Samsara's, who has a status page; and so are the gateways."""
    url = days.vendor.url
    days.accounts = f"""\
  samsara: {{platform: samsara, token_file: secret, url: "{url}/samsara", rate: 1000/s}}
  page: {{platform: statuspage, url: "{url}/status", rate: 1000/s}}"""
    days.gps = days.gps.replace("account: telematics", "account: samsara, stream: gps")
    days.more = """\
  gateways: {account: samsara, stream: gateways, poll: 1m, expected: on_change}
  page: {account: page, stream: components, poll: 1m, about: samsara}"""


def test_f15_an_outage_that_the_vendor_declares_is_one_notice_and_f16_an_unknown_state_none(tmp_path: Path) -> None:
    def declare(days: Days) -> None:
        with_samsara(days)
        days.at(BEGIN, lambda: setattr(days.page_of_samsara, "state", "major_outage"))
        days.at(NOON + 30 * MINUTE, lambda: setattr(days.page_of_samsara, "state", "operational"))

    declared = rung(lived(tmp_path, "stale", 45, declare), "F15").when()
    assert BEGIN + 5 * MINUTE <= declared.first <= BEGIN + 8 * MINUTE
    assert declared.last <= NOON + 33 * MINUTE


def test_f16_a_status_page_that_says_unknown_or_cannot_be_read_is_no_outage(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    with Days(tmp_path, NOON) as days:
        with_samsara(days)
        days.at(NOON + 5 * MINUTE, lambda: setattr(days.page_of_samsara, "state", "dreaming"))
        for state in ("unknown", "operational", "major_outage"):
            name = "platform_status"
            days.at(NOON + 10 * MINUTE, days.note(seen, state, name, component="API", state=state, platform="samsara"))
        days.at(NOON + 11 * MINUTE, lambda: days.telematics.switch("stale"))
        days.until(NOON + 30 * MINUTE)
        # What is old is told as what it is.
        rung(days, "F01")
    assert seen == {"unknown": 1, "operational": 0, "major_outage": 0}


def test_f17_a_key_that_is_revoked_is_one_ticket_for_all_feeds_of_the_account(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        with_samsara(days)
        days.at(BEGIN, lambda: setattr(days.samsara, "key", "another"))
        days.until(NOON + 40 * MINUTE)
        rang = rung(days, "F17", ("AccountFailing", NOON + 30 * MINUTE))
    for poll in ("feeds/gateways", "feeds/gps"):
        assert f"{poll} fails with auth" in rang.words[0]["description"]


def endless() -> Iterator[bytes]:
    """A reply of a gigabyte, as far as somebody reads it."""
    yield b'{"vehicles": ["'
    for _ in range(1024):
        yield b"x" * 2**20


def test_f25_replies_without_an_end_are_bounded_and_called_incomplete(tmp_path: Path) -> None:
    bomb = gzip.compress(b"[" + b"0," * (100 * 2**20), 1)
    replies = (lambda: Answer(endless()), lambda: Answer(bomb, headers={"Content-Encoding": "gzip"}))
    with Days(tmp_path, NOON) as days:

        def spoiled(asked: Asked) -> Answer | None:
            minute = (days.clock.time() - NOON) / MINUTE
            return replies[int(minute) % 2]() if asked.path.startswith("/telematics") and minute > 3 else None

        days.spoil = spoiled
        days.until(NOON + 12 * MINUTE)
        rang = rung(days, "F25", ("CollectionIncomplete", NOON + 10 * MINUTE))
    assert "feeds/gps fails with too_large" in rang.words[0]["description"]


def test_f25_a_redirect_to_another_host_is_refused_and_gets_no_credentials(tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer({})) as thief, Days(tmp_path, NOON) as days:
        away = Answer(status=302, headers={"Location": f"{thief.url}/positions"})
        days.at(BEGIN, lambda: setattr(days, "spoil", lambda asked: away if "telematics" in asked.path else None))
        days.until(NOON + 30 * MINUTE)
        rang = rung(days, "F25", ("CollectionIncomplete", NOON + 25 * MINUTE))
    assert "feeds/gps fails with foreign_link" in rang.words[0]["description"]
    assert thief.asked == []


@pytest.mark.parametrize(("day", "hours"), [("2026-03-07", 7), ("2026-10-31", 7), ("2028-02-28", 4)])
def test_f26_nights_of_another_length_are_like_any_other(day: str, hours: int, tmp_path: Path) -> None:
    """The vendor writes New York's time without saying so, and some trucks drive through the night."""
    begin = at(day, "22:00")
    with Days(tmp_path, begin, nights=4, step=2 * MINUTE) as days:
        days.poll, days.timezone = "2m", "America/Denver"
        days.account = days.account.replace("    feed:", "    timezone: America/New_York\n    feed:")
        days.account = days.account.replace("reported_ms", "reported")

        def in_new_york(asked: Asked) -> Answer | None:
            if "telematics" not in asked.path:
                return None
            said: Any = days.faces["telematics"](Ask("GET", "/positions", asked.headers))
            for each in said.content["vehicles"]:
                local = datetime.fromtimestamp(each["reported_ms"] / 1000, ZoneInfo("America/New_York"))
                each["reported"] = f"{local:%m/%d/%Y %I:%M:%S %p}"
            return Answer(said.content)

        days.spoil = in_new_york
        days.more = "  by_hours: {account: telematics, poll: 2m, max_age: 20m, expected: nights}"
        days.until(begin + hours * HOUR)
        rung(days, "F26")


def merged(runs: Iterable[Days]) -> Days:
    """The fleets of one MSP before one Prometheus."""
    first, *others = runs
    for each in others:
        first.history.join(each.history)
    return first


def test_f27_a_platform_that_is_down_for_all_fleets_is_one_ticket_that_lists_them(tmp_path: Path) -> None:
    runs = []
    for fleet in ("inland", "valley", "mesa"):
        folder = tmp_path / fleet
        folder.mkdir()
        with Days(folder, NOON, fleet=fleet) as days:
            with_samsara(days)
            days.at(BEGIN, lambda days=days: days.telematics.switch("down"))
            days.until(NOON + 30 * MINUTE)
            runs.append(days)
    rang = rung(merged(runs), "F27", ("PlatformOutage", NOON + 25 * MINUTE))
    assert "for 3 fleets at a time: inland, mesa, valley" in rang.words[0]["summary"]
