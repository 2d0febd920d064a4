"""Flows from two vendors to who is told what: rows F18 to F20, over real HTTP, polls as they run, the shipped rules."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt
import pytest

from tests.feeds.days import GPS, LA, Days
from tests.feeds.shop import ACCOUNT, FEED
from tests.feeds.test_end_to_end import NOON, rung
from tests.feeds.world import world
from tests.living import DAY, HOUR, MINUTE
from tests.roster.test_web import ask
from tests.test_accounts import inventory, serving, until
from tests.vendor import Answer, Asked, Vendor
from yardlight import templates
from yardlight.cli import main
from yardlight.demo.faces import Ask, Say
from yardlight.demo.shop import Shop
from yardlight.feeds import flows, web
from yardlight.feeds.agreement import Bounds, Said, Trails, agreement
from yardlight.feeds.daily import Daily
from yardlight.server import Server

FLOW = "source: gps.odometer, sink: meters.meter, tolerance: 1%, shows: Odometer"
BOUNDS = Bounds(0.01, DAY, {"source": DAY, "sink": DAY})


class Shops(Days):
    """The same fleet with a maintenance system and a flow to it."""

    def __init__(self, folder: Path, start: float, max_lag: str = "4h", every: int = 5) -> None:
        super().__init__(folder, start, trucks=24, nights=4, step=every * MINUTE)
        self.poll = f"{every}m"
        self.gps = GPS.replace("max_age: 5m", "max_age: 30m")
        self.shop = Shop(self.units, self.clock.time, LA, every=30 * MINUTE)
        self.faces["shop"] = self.shop
        self.more = f"{FEED.format(poll=self.poll)}\nflows: {{odometer: {{{FLOW}, max_lag: {max_lag}}}}}"

    def write(self) -> None:
        self.accounts = ACCOUNT.format(url=self.vendor.url)
        super().write()


@pytest.mark.needs("promtool")
def test_f18_odometers_that_differ_on_12_trucks_are_one_ticket_and_the_trucks_are_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    seen: dict[str, Any] = {}
    units = [f"{unit}" for unit in range(110, 122)]
    with Shops(tmp_path, NOON) as days:
        days.at(NOON + 80 * MINUTE, days.note(seen, "before", "flow_mismatches", flow="odometer"))
        days.at(NOON + 80 * MINUTE, days.note(seen, "compared", "flow_compared", flow="odometer"))
        days.at(NOON + 80 * MINUTE, lambda: days.shop.factors.update(dict.fromkeys(units, 1.08)))
        days.at(NOON + 150 * MINUTE, days.shop.factors.clear)
        days.until(NOON + 180 * MINUTE)
        rang = rung(days, "F18", ("FlowMismatch", NOON + 130 * MINUTE))
    assert seen["before"] == 0
    assert seen["compared"] >= 20
    assert NOON + 90 * MINUTE <= rang.when().first <= NOON + 115 * MINUTE
    assert NOON + 149 * MINUTE <= rang.when().last <= NOON + 170 * MINUTE
    assert "is not what gps says for 12 of 2" in rang.words[0]["summary"]
    [named] = [each.kv["differ"] for each in caplog.records if "flow" in each.getMessage() and "differ" in each.kv]
    assert named.split(",") == units


def test_whoever_asks_gets_the_list_with_both_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Shops(tmp_path, NOON, max_lag="1h") as days:
        days.shop.factors["105"] = 1.08
        days.shop.unknown.add("106")
        days.until(NOON + 90 * MINUTE)
    assert main(["flows", "show", "odometer", "--state", "state.db"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("odometer (gps.odometer -> meters.meter): 2 differ, as of ")
    assert [line.strip().split(":")[0] for line in lines] == ["106", "105"]
    assert lines[0].endswith("not in meters")
    assert lines[1].endswith("in gps (+8.0 %)")
    assert main(["flows", "show", "odo", "--state", "state.db"]) == 1
    assert "there is no flow 'odo'; flows: odometer" in capsys.readouterr().err


@pytest.mark.needs("promtool")
def test_f19_trucks_that_maintenance_does_not_have_are_a_ticket_once_they_could_be_there(tmp_path: Path) -> None:
    with Shops(tmp_path, NOON, max_lag="1h") as days:
        days.shop.unknown.update({"103", "104", "105", "106", "107"})
        days.at(NOON + 120 * MINUTE, days.shop.unknown.clear)
        days.until(NOON + 150 * MINUTE)
        rang = rung(days, "F19", ("FlowMissingIds", NOON + 100 * MINUTE))
    assert NOON + 70 * MINUTE <= rang.when().first <= NOON + 90 * MINUTE
    assert rang.when().last <= NOON + 135 * MINUTE
    assert "5 missing in meters (gps has them)" in rang.words[0]["summary"]


class Tms(Days):
    """An order each half an hour, and its bill a quarter of an hour later, but for those `lost`: what is new only."""

    def __init__(self, folder: Path, start: float) -> None:
        super().__init__(folder, start, trucks=3, step=20 * MINUTE)
        # Its trucks stand from four in the afternoon, and then update a load each hour only.
        self.poll, self.loads_age, self.lost = "20m", "3h", range(0)
        self.faces["tms"] = self.say
        self.gps = GPS.replace("max_age: 5m", "max_age: 1h")
        feeds = [
            f"  {name}: {{account: tms, poll: {self.poll}, path: '/{name}?since={{since:s}}', records: rows, id: id,"
            " time: at, expected: always, max_age: 3h}"
            for name in ("orders", "bills")
        ]
        flow = "{source: orders, sink: bills, key: id, max_lag: 1h, days_differ: 10%}"
        self.more = "\n".join([*feeds, f"flows: {{billing: {flow}}}"])

    def write(self) -> None:
        self.accounts = f'  tms: {{platform: generic, url: "{self.vendor.url}/tms", rate: 1000/s}}'
        super().write()

    def say(self, ask: Ask) -> Say:
        late = 15 * MINUTE if ask.path == "/bills" else 0.0
        since, now = (int((at - late) // (30 * MINUTE)) for at in (float(ask.query["since"]), self.clock.time()))
        told = [each for each in range(since + 1, now + 1) if ask.path == "/orders" or each not in self.lost]
        return Say({"rows": [{"id": f"{each}", "at": each * 30 * MINUTE} for each in told]})


@pytest.mark.needs("promtool")
def test_a_day_of_which_a_quarter_was_never_billed_is_a_ticket_once_it_has_settled_and_no_day_before_is_judged(
    tmp_path: Path,
) -> None:
    midnight, seen = NOON + 12 * HOUR, dict[str, Any]()
    with Tms(tmp_path, NOON) as tms:
        # A day that was not watched from its beginning, then one of 48 orders of which 12 never arrive.
        first = int(midnight // (30 * MINUTE))
        tms.lost = range(first + 1, first + 48, 4)
        tms.at(midnight + 3 * HOUR, tms.note(seen, "unwatched", "flow_day_records", flow="billing", side="sink"))
        for side in ("source", "sink"):
            tms.at(midnight + 26 * HOUR, tms.note(seen, side, "flow_day_records", flow="billing", side=side))
        tms.at(midnight + 26 * HOUR, tms.note(seen, "day", "flow_day_timestamp_seconds", flow="billing"))
        tms.until(midnight + 27 * HOUR)
        told, words = tms.told(("FlowDayDiffers", midnight + 26.5 * HOUR))
        polls = {name: web.Polled(1200.0, 60.0, poll.left, "") for name, poll in tms._polls.items()}
    page = templates.render("flow.html", v=web._view(web.Kept(tms._fleet, polls), "billing", True))
    assert re.search(r"<tr><td>Thu Jan 8</td><td>48</td>\s*<td>36</td></tr>", page), page
    assert "OLD: as of" in page
    assert seen == {"unwatched": None, "source": 48, "sink": 36, "day": midnight}
    [(alert, when)] = told.items()
    assert alert.what == "ticket FlowDayDiffers billing"
    assert midnight + 25 * HOUR <= when.first <= midnight + 26.5 * HOUR
    assert "orders and bills are 12 apart over one whole day" in words[0]["summary"]


@pytest.mark.needs("promtool")
def test_f20_a_sink_that_stands_still_for_26_hours_is_a_ticket_and_ends_with_its_first_new_record(
    tmp_path: Path,
) -> None:
    begin = NOON + HOUR
    with Shops(tmp_path, NOON, max_lag="24h", every=10) as days:
        days.at(begin, lambda: setattr(days.shop, "stopped", begin))
        days.at(begin + 26 * HOUR, lambda: setattr(days.shop, "stopped", None))
        days.until(begin + 28 * HOUR)
        lagging = rung(days, "F20").when()
    assert begin + 24 * HOUR <= lagging.first <= begin + 26 * HOUR
    assert begin + 25 * HOUR <= lagging.last <= begin + 26.5 * HOUR


def test_serve_puts_side_by_side_what_its_polls_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "_SOONEST", 0.2)
    monkeypatch.setattr(flows, "_LATEST", 0.2)
    now = time.time()
    gps = {"trucks": [{"unit": "105", "at": now, "miles": 1000}, {"unit": "106", "at": now, "miles": 1000}]}
    shop = {"trucks": [{"unit": "105", "at": now, "miles": 1000}, {"unit": "106", "at": now, "miles": 1200}]}

    async def use() -> dict[str, float]:
        with Vendor(lambda asked: Answer(gps if asked.path == "/gps" else shop)) as vendor:
            feeds = "\n".join(
                f"  {name}: {{url: '{vendor.url}/{name}', poll: 1s, records: trucks, truck: unit, time: at,"
                " values: {miles: miles}}"
                for name in ("gps", "shop")
            )
            path = inventory(
                tmp_path, f"{{}}\nfeeds:\n{feeds}\nflows: {{miles: {{source: gps.miles, sink: shop.miles}}}}"
            )
            async with serving(path) as service:
                return await until(service, lambda found: 'flow_compared{flow="miles"}' in found)

    found = asyncio.run(use())
    assert found['flow_compared{flow="miles"}'] == 2
    assert found['flow_mismatches{flow="miles"}'] == 1
    assert found['flow_lag_seconds{flow="miles"}'] == 0


def test_the_page_of_a_flow_has_both_numbers_who_is_missing_and_since_when_and_ids_for_who_says_who_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "_SOONEST", 0.2)
    monkeypatch.setattr(flows, "_LATEST", 0.2)
    at = time.time()
    orders = {"rows": [{"id": f"<b>order-{n}", "at": at, "miles": 1000} for n in range(1, 4)]}
    bills = {"rows": [{"id": f"<b>order-{n}", "at": at, "miles": 1234} for n in range(1, 3)]}
    config = tmp_path / "web.yml"
    config.write_text(f"basic_auth_users: {{help: '{bcrypt.hashpw(b'hunter2', bcrypt.gensalt(4)).decode()}'}}\n")
    known = {"Authorization": f"Basic {base64.b64encode(b'help:hunter2').decode()}"}
    failing: list[str] = []

    def answer(asked: Asked) -> Answer:
        return Answer({}, 500) if asked.path in failing else Answer(orders if asked.path == "/orders" else bills)

    async def use() -> tuple[list[str], str]:
        with Vendor(answer) as vendor:
            lines = "\n".join(
                f"  {name}: {{url: '{vendor.url}/{name}', poll: 1s, records: rows, id: id, time: at,"
                " values: {miles: miles}, shows: the " + name + "}"
                for name in ("orders", "bills")
            )
            flow = "{source: orders.miles, sink: bills.miles, key: id, max_lag: 1s, shows: Billed miles}"
            path = inventory(tmp_path, f"{{}}\nfeeds:\n{lines}\nflows: {{billing: {flow}}}")
            async with serving(path) as service:
                servers = [Server(service, "127.0.0.1:0", each, flows=service) for each in (None, config)]
                for server in servers:
                    server.start()
                try:
                    await until(service, lambda found: found.get('flow_missing_ids{flow="billing",side="sink"}') == 1)
                    pages = [
                        await asyncio.to_thread(ask, server.port, "/flow/f/billing", **headers)
                        for server, headers in zip(servers, ({}, known), strict=True)
                    ]
                    assert [status for status, _, _ in pages] == [200, 200]
                    assert "script-src" not in pages[0][2]["content-security-policy"]
                    assert (await asyncio.to_thread(ask, servers[1].port, "/flow/f/billing"))[0] == 401
                    assert (await asyncio.to_thread(ask, servers[0].port, "/flow/f/%3Cb%3E"))[0] == 404
                    assert (await asyncio.to_thread(ask, servers[0].port, "/flow/other/billing"))[0] == 404
                    failing.append("/bills")
                    await until(
                        service, lambda found: found.get('poll_success{account="bills",poll="feeds/bills"}') == 0
                    )
                    old = (await asyncio.to_thread(ask, servers[0].port, "/flow/f/billing"))[1]
                    return [text for _, text, _ in pages], old
                finally:
                    for server in servers:
                        server.stop()

    (veiled, shown), failed = asyncio.run(use())
    for text in (veiled, shown):
        assert "<h1>Billed miles</h1>" in text
        assert re.search(r"<dt>Not in the bills</dt><dd>1</dd>", text)
        assert re.search(r"<dt>Differ</dt><dd>2</dd>", text)
        assert re.search(r"<td>1,000</td><td>1,234</td>\s*<td>\d+:\d\d [AP]M", text)
        assert "<b>" not in text
        assert 'href="../../runbooks/FlowMismatch"' in text
    assert "order-1" not in veiled
    assert "...er-1" in veiled
    assert all(f"&lt;b&gt;order-{n}" in shown for n in (1, 2, 3))
    assert re.search(r'the bills</dt>\s*<dd>.*as of .*<span class="trouble">\w.*</span>', failed)
    assert 'trouble">' not in veiled


def lists(**of: list[str]) -> dict[str, Any]:
    """Lists of vehicles without times, by path."""
    return {f"/{path}": {"data": [{"unit": unit} for unit in units]} for path, units in of.items()}


LISTS = {
    path: f"account: vendor, path: /{path}, records: data, truck: unit, on_change: true" for path in ("hr", "shop")
}
IDS = "flows: {units: {source: hr, sink: shop, max_lag: 1h}}"


def test_lists_without_times_are_compared_too(tmp_path: Path) -> None:
    with world(tmp_path, lists(hr=["101", "102", "103"], shop=["101"]), LISTS, more=IDS) as here:
        for minutes in (0, 30, 61):
            here.collect(NOON + minutes * MINUTE)
        assert here.value("flow_missing_ids", flow="units", side="sink") == 2
        assert here.value("flow_missing_ids", flow="units", side="source") == 0
        assert here.value("flow_lag_seconds", flow="units") is None


def test_a_list_that_is_empty_now_lacks_all_that_the_other_side_has(tmp_path: Path) -> None:
    replies = lists(hr=["101", "102", "103"], shop=["101", "102", "103"])
    with world(tmp_path, replies, LISTS, more=IDS) as here:
        here.collect(NOON)
        replies |= lists(shop=[])
        for minutes in (1, 62):
            here.collect(NOON + minutes * MINUTE)
        assert here.value("flow_missing_ids", flow="units", side="sink") == 3
        replies |= lists(shop=["101", "102", "103"])
        here.collect(NOON + 63 * MINUTE)
        assert here.value("flow_missing_ids", flow="units", side="sink") == 0


def test_a_truck_whose_clock_is_wrong_is_listed_all_the_same(tmp_path: Path) -> None:
    gps = "account: vendor, path: /gps, records: data, truck: unit, time: at"
    replies = lists(shop=["101", "102"])
    with world(tmp_path, replies, {"gps": gps, "shop": LISTS["shop"]}, more=IDS.replace("hr", "gps")) as here:
        for minutes in (0, 1, 62):
            now = NOON + minutes * MINUTE
            clocks = {"101": now, "102": now if minutes == 0 else now + 5 * 365 * DAY}
            replies["/gps"] = {"data": [{"unit": unit, "at": at} for unit, at in clocks.items()]}
            here.collect(now)
        assert here.value("flow_missing_ids", flow="units", side="source") == 0
        assert here.value("feed_records", feed="gps", state="future") == 1


def a_day(zone: ZoneInfo, start: float, hours: int, unread: range = range(0)) -> Daily:
    """Watched each half an hour, but for these hours, for so long; an id each hour."""
    kept = Daily()
    for half in range(2 * hours + 1):
        at = start + half * HOUR / 2
        if half // 2 not in unread:
            said = {f"{each}": Said(start + each * HOUR) for each in range(half // 2 + 1)}
            for side in ("source", "sink"):
                kept.note(side, said, at, True, zone)
            kept.settle(at, HOUR, zone)
    return kept


def test_days_are_those_of_the_fleets_clock_on_the_nights_when_it_changes() -> None:
    for month, day, length in ((3, 8, 23), (11, 1, 25)):
        midnight = datetime(2026, month, day, tzinfo=LA).timestamp()
        changed, first = a_day(LA, midnight - 12 * HOUR, 12 + length + 2).days
        assert (first.source, first.sink) == (None, None)
        assert (changed.start, changed.source, changed.sink) == (midnight, length, length)


def test_a_day_in_which_nobody_looked_for_hours_is_not_known() -> None:
    start = datetime(2026, 1, 6, 12, tzinfo=LA).timestamp()
    days = a_day(LA, start, 63, range(20, 24)).days
    assert [(each.source, each.sink) for each in days] == [(24, 24), (None, None), (None, None)]


def test_a_day_before_a_side_was_first_read_is_not_known_of_it() -> None:
    kept, midnight = Daily(), datetime(2026, 1, 7, tzinfo=LA).timestamp()
    kept.note("source", {}, midnight - 60, True, LA)
    kept.note("sink", {"1": Said(midnight - 30)}, midnight + 60, True, LA)
    kept.settle(midnight - 60, HOUR, LA)
    kept.settle(midnight + 2 * HOUR, HOUR, LA)
    assert [(each.source, each.sink) for each in kept.days] == [(None, None)]


def test_an_answer_that_drops_what_is_older_than_hours_tells_of_no_day() -> None:
    kept, start = Daily(), datetime(2026, 1, 6, 23, tzinfo=LA).timestamp()
    for half in range(54):
        at = start + half * HOUR / 2
        said = {f"{each}": Said(start + each * HOUR, None, each > half / 2 - 6) for each in range(half // 2 + 1)}
        for side, whole in (("source", False), ("sink", True)):
            kept.note(side, said, at, whole, LA)
        kept.settle(at, HOUR, LA)
    assert [(each.source, each.sink) for each in kept.days] == [(None, 24), (None, None)]


def looks(*values: tuple[float, float]) -> Trails:
    """The trail of truck 105 after these moments and values."""
    kept = Trails()
    for at, value in values:
        agreement({"105": Said(at, value)}, {}, kept, BOUNDS, at)
    return kept


def test_a_meter_is_held_against_what_the_odometer_was_when_it_was_read() -> None:
    kept = looks((0, 1000.0), (HOUR, 1060.0), (2 * HOUR, 1120.0))
    source = {"105": Said(2 * HOUR, 1120.0)}
    assert not agreement(source, {"105": Said(HOUR, 1060.0)}, kept, BOUNDS, 2 * HOUR).differ
    [wrong] = agreement(source, {"105": Said(HOUR, 1200.0)}, kept, BOUNDS, 2 * HOUR).differ.values()
    assert (wrong.value, wrong.expected) == (1200.0, 1120.0)


def test_what_was_read_before_anybody_watched_is_not_compared() -> None:
    kept = looks((10 * HOUR, 1000.0))
    found = agreement({"105": Said(10 * HOUR, 1000.0)}, {"105": Said(HOUR, 500.0)}, kept, BOUNDS, 10 * HOUR)
    assert (found.compared, found.differ) == (0, {})


def test_where_the_source_told_no_number_around_then_nothing_is_compared() -> None:
    kept = Trails()
    for hour in range(3):
        agreement({"105": Said(hour * HOUR, None)}, {}, kept, BOUNDS, hour * HOUR)
    found = agreement({"105": Said(3 * HOUR, 1180.0)}, {"105": Said(HOUR, 1060.0)}, kept, BOUNDS, 3 * HOUR)
    assert (found.compared, found.differ) == (0, {})


def test_a_meter_that_should_have_come_by_now_is_compared_with_what_it_should_be() -> None:
    kept = looks((0, 1000.0), (10 * HOUR, 1500.0), (30 * HOUR, 1500.0), (40 * HOUR, 2000.0))
    source = {"105": Said(40 * HOUR, 2000.0)}
    [late] = agreement(source, {"105": Said(-DAY, 900.0)}, kept, BOUNDS, 40 * HOUR).differ.values()
    assert late.expected == 1500.0


def test_a_weekend_in_which_nothing_drives_is_no_lag() -> None:
    kept = looks((0, 1000.0), (HOUR, 1060.0))
    monday = 60 * HOUR
    parked = {"105": Said(monday, 1060.0)}
    assert agreement(parked, {"105": Said(HOUR, 1060.0)}, kept, BOUNDS, monday).lag == 0.0
    moves = {"105": Said(monday + HOUR, 1120.0)}
    assert agreement(moves, {"105": Said(HOUR, 1060.0)}, kept, BOUNDS, monday + HOUR).lag == 0.0
    further = {"105": Said(monday + 3 * HOUR, 1240.0)}
    assert agreement(further, {"105": Said(HOUR, 1060.0)}, kept, BOUNDS, monday + 3 * HOUR).lag == 2 * HOUR


def test_what_was_there_when_watching_began_is_no_news() -> None:
    kept = looks((10 * HOUR, 1000.0), (11 * HOUR, 1060.0))
    source = {"105": Said(11 * HOUR, 1060.0), "106": Said(11 * HOUR, 500.0)}
    agreement(source, {"105": Said(HOUR, 900.0)}, kept, BOUNDS, 11 * HOUR)
    assert kept.behind_since == 11 * HOUR
    still = {"106": Said(11 * HOUR, 500.0)}
    assert agreement(still, {"106": Said(HOUR, 400.0)}, Trails(), BOUNDS, 11 * HOUR).lag == 0.0


def test_a_lag_grows_beyond_what_is_kept_of_the_source() -> None:
    kept, sink = Trails(), {"105": Said(0.0, 1000.0)}
    lags = [
        agreement({"105": Said(at, 1000.0 + at / 60)}, sink, kept, BOUNDS, at).lag
        for at in [hour * HOUR for hour in range(100)]
    ]
    assert lags[-1] == 98 * HOUR


def test_without_anything_on_one_side_nobody_knows_the_lag() -> None:
    assert agreement({"105": Said(0.0, 1.0)}, {}, Trails(), BOUNDS, 0.0).lag is None
