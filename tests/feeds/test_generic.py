"""APIs that nobody wrote a module for, described in the inventory alone: credentials, pages, places, times, tables."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.world import TOKEN, iso, world
from tests.vendor import Answer, Asked, Vendor
from yardlight.collection import Session
from yardlight.errors import ApiError, AuthError, BadReplyError, IncompleteError
from yardlight.feeds import credentials
from yardlight.feeds.extract import number_of
from yardlight.feeds.paging import Pager
from yardlight.feeds.platforms import generic
from yardlight.feeds.record import Breach, Record
from yardlight.feeds.strict import read
from yardlight.inventory.feeds import Paging, Stream

NOW = 1_767_816_000.0
LOAD = {"id": 7, "at": iso(NOW)}


@pytest.fixture(autouse=True)
def without_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_sessions", {})


def records(folder: Path, url: str, feed: dict[str, Any], memory: Any = None, **account: Any) -> list[Record]:
    """What one collection gets."""
    (folder / "secret").write_text(TOKEN + "\n", encoding="utf-8")
    about = {"url": url, "rate": "1000/s", **account}
    if not url:
        del about["url"]
    config = generic.Config.model_validate({**about, "feed": feed})
    session = Session(time.monotonic() + 20, base=folder, memory=memory, clock=lambda: NOW)
    return [each for each in generic.parse(generic.fetch(config, session), config) if isinstance(each, Record)]


LOADS = {"path": "/loads", "records": "loads", "id": "id", "time": "at"}


def asked_with(
    folder: Path, auth: dict[str, Any], also: Callable[[Asked], Answer | None] = lambda asked: None
) -> Asked:
    """The last request, of an account that is authorized in this way."""
    with Vendor(lambda asked: also(asked) or Answer({"loads": [LOAD]})) as vendor:
        assert [each.id for each in records(folder, vendor.url, LOADS, auth=auth)] == ["7"]
        return vendor.asked[-1]


def test_a_bearer_token_a_user_and_a_key_are_sent_as_headers(tmp_path: Path) -> None:
    assert asked_with(tmp_path, {"bearer_file": "secret"}).headers["authorization"] == f"Bearer {TOKEN}"
    basic = asked_with(tmp_path, {"basic": {"user": "dana", "password_file": "secret"}}).headers["authorization"]
    assert base64.b64decode(basic.removeprefix("Basic ")).decode() == f"dana:{TOKEN}"
    key = {"header": "X-API-Key", "file": "secret", "prefix": "Token "}
    assert asked_with(tmp_path, {"key": key}).headers["x-api-key"] == f"Token {TOKEN}"


def test_client_credentials_are_given_to_the_host_of_the_tokens_alone(tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer({"access_token": "given-token", "expires_in": 3600})) as tokens:
        grant = {"token_url": f"{tokens.url}/oauth/token", "client_id": "abc", "client_secret_file": "secret"}
        asked = asked_with(tmp_path, {"oauth2": {**grant, "scope": "read"}})
        assert asked.headers["authorization"] == "Bearer given-token"
        [given] = tokens.asked
        assert given.form == {
            "grant_type": "client_credentials", "client_id": "abc", "scope": "read", "client_secret": TOKEN,
        }  # fmt: skip


def test_a_session_is_logged_in_to_once_and_again_when_it_is_refused(tmp_path: Path) -> None:
    logins: list[Any] = []

    def vendor_says(asked: Asked) -> Answer | None:
        if asked.path == "/login":
            logins.append(asked.json())
            return Answer({"session": {"id": f"s{len(logins)}"}})
        valid = asked.headers.get("x-session") == f"s{len(logins)}" and not (expired and len(logins) == 1)
        return None if valid else Answer({"message": "log in"}, 401)

    expired = False
    login = {
        "path": "/login", "body": {"user": "dana", "password": "{password}"}, "password_file": "secret",
        "token": "session.id", "header": "X-Session", "prefix": "",
    }  # fmt: skip
    with Vendor(lambda asked: vendor_says(asked) or Answer({"loads": [LOAD]})) as vendor:
        for _ in range(3):
            assert records(tmp_path, vendor.url, LOADS, auth={"login": login})
        assert logins == [{"user": "dana", "password": TOKEN}]
        expired = True
        assert records(tmp_path, vendor.url, LOADS, auth={"login": login})
        assert len(logins) == 2


def test_a_session_of_before_is_masked_with_and_without_what_stands_before_it(tmp_path: Path) -> None:
    login = {"path": "/login", "body": {}, "password_file": "secret", "token": "session"}
    config = generic.Config.model_validate({"url": "http://127.0.0.1:9", "auth": {"login": login}})
    key = (config.url, config.auth.login.model_dump_json() if config.auth and config.auth.login else "")
    credentials._sessions[key] = ({"Authorization": "Bearer kept-session"}, time.monotonic() + 60)  # type: ignore[index]
    (tmp_path / "secret").write_text(TOKEN)
    session = Session(time.monotonic() + 20, base=tmp_path)
    auth = credentials.authorization(config, session)
    assert auth is not None
    assert auth.headers() == {"Authorization": "Bearer kept-session"}
    assert session.mask("kept-session, Bearer kept-session") == "***, Bearer ***"


def test_a_log_in_that_gives_no_session_is_an_error_of_the_credentials(tmp_path: Path) -> None:
    login = {"path": "/login", "body": {}, "password_file": "secret", "token": "session.id"}
    with Vendor(lambda asked: Answer({"error": "wrong"})) as vendor, pytest.raises(AuthError, match=r"no session\.id"):
        records(tmp_path, vendor.url, LOADS, auth={"login": login})


ALL = [{"id": number, "at": iso(NOW - number)} for number in range(25)]


def by_link(asked: Asked) -> Answer:
    start = int(asked.query.get("start", 0))
    more = f"/loads?start={start + 10}" if start + 10 < len(ALL) else None
    return Answer({"loads": ALL[start : start + 10], "links": {"next": more}})


def by_header(asked: Asked) -> Answer:
    start = int(asked.query.get("start", 0))
    link = (
        f'</loads?start={start + 10}>; rel="next", </loads>; rel="first"'
        if start + 10 < len(ALL)
        else "<None>; rel=next"
    )
    return Answer({"loads": ALL[start : start + 10]}, headers={"Link": link})


def by_cursor(asked: Asked) -> Answer:
    """Short and empty pages on the way."""
    start = int(asked.query.get("after", 0))
    size = (10, 0, 3)[len(asked.query.get("after", "")) % 3]
    end = min(start + size, len(ALL))
    cursor = f"{end:0{len(asked.query.get('after', '')) + 1}}"
    return Answer({"loads": ALL[start:end], "cursor": cursor, "more": end < len(ALL)})


def by_page(asked: Asked) -> Answer:
    page = int(asked.query["page"])
    return Answer({"loads": ALL[page * 10 - 10 : page * 10], "total": len(ALL)})


def by_offset(asked: Asked) -> Answer:
    start = int(asked.query["skip"])
    return Answer({"loads": ALL[start : start + 10]})


@pytest.mark.parametrize(
    ("says", "paging", "pages"),
    [
        (by_link, {"next": "links.next"}, 3),
        (by_header, {"header": "link"}, 3),
        (by_cursor, {"cursor": "cursor", "param": "after", "more": "more"}, 5),
        (by_page, {"page": "page", "total": "total"}, 3),
        (by_page, {"page": "page"}, 4),
        (by_offset, {"offset": "skip", "size": 10}, 3),
    ],
)
def test_pages_of_every_style_are_read_to_the_end(
    says: Callable[[Asked], Answer], paging: dict[str, Any], pages: int, tmp_path: Path
) -> None:
    with Vendor(says) as vendor:
        found = records(tmp_path, vendor.url, {**LOADS, "paging": paging})
        assert [each.id for each in found] == [str(number) for number in range(25)]
        assert len(vendor.asked) == pages


@pytest.mark.parametrize("none", [None, "", False, 0], ids=str)
def test_no_cursor_is_the_end_however_it_is_written(none: Any, tmp_path: Path) -> None:
    def page(asked: Asked) -> Answer:
        start = int(asked.query.get("after", 0))
        return Answer({"loads": ALL[start : start + 10], "cursor": start + 10 if start + 10 < len(ALL) else none})

    feed = {**LOADS, "paging": {"cursor": "cursor", "param": "after"}}
    with Vendor(page) as vendor:
        assert len(records(tmp_path, vendor.url, feed)) == len(ALL)


@pytest.mark.parametrize(
    ("header", "leads"),
    [
        ('</p?c=1>; rel="next"', "/p?c=1"),
        ('</p>; rel="first", </p?c=1,2>; title="a, b"; rel="next"', "/p?c=1,2"),
        ("</p?c=1>; title=\"x\"; rel='next'", "/p?c=1"),
        ('</p?c=1>;rel="prefetch next"', "/p?c=1"),
        ('</p?c=1>; REL=NEXT, </p?c=9>; rel="last"', "/p?c=1"),
        ('</p?c=1>; rel="nextcloud"', None),
        ("<None>; rel=next", None),
        ("", None),
    ],
)
def test_a_link_header_leads_on_as_its_standard_says(header: str, leads: str | None) -> None:
    pager = Pager(Stream(paging=Paging(header="link")))
    assert pager.step([], {"link": header}) == leads


def test_fewer_records_than_the_vendor_counts_are_not_all(tmp_path: Path) -> None:
    def cut(asked: Asked) -> Answer:
        return Answer({"loads": ALL[:10] if asked.query["page"] == "1" else [], "total": len(ALL)})

    feed = {**LOADS, "paging": {"page": "page", "total": "total"}}
    with Vendor(cut) as vendor, pytest.raises(IncompleteError, match="10 records, where the vendor counts 25"):
        records(tmp_path, vendor.url, feed)


def test_records_within_records_know_the_outer_one(tmp_path: Path) -> None:
    nested = {"fleets": [{"name": "west", "trucks": [{"unit": 7, "pings": [{"at": iso(NOW)}, {"at": iso(NOW - 9)}]}]}]}
    feed = {
        "path": "/", "records": ["fleets", "trucks", "pings"], "time": "at", "truck": "parent.unit",
        "values": {"fleet": "parent.parent.name"},
    }  # fmt: skip
    with Vendor(lambda asked: Answer(nested)) as vendor:
        found = records(tmp_path, vendor.url, feed)
    assert [(each.truck, each.time, each.values) for each in found] == [
        ("7", NOW, {"fleet": "west"}), ("7", NOW - 9, {"fleet": "west"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "zone", "written", "expected"),
    [
        ("auto", "UTC", "2026-01-07T20:00:00.123Z", NOW + 0.123),
        ("auto", "America/Los_Angeles", "2026-01-07 12:00:00", NOW),
        ("auto", "UTC", NOW * 1000, NOW),
        ("ms", "UTC", int(NOW * 1000), NOW),
        # Seconds where milliseconds should be are in 1970, and no instant.
        ("ms", "UTC", int(NOW), "never"),
        ("s", "UTC", f"{NOW:.0f}", NOW),
        ("s", "UTC", int(NOW * 1000), None),
        ("%d.%m.%y %H:%M", "America/Los_Angeles", "07.01.26 12:00", NOW),
        ("%d.%m.%y %H:%M", "UTC", "yesterday", None),
        ("%a, %d %b %Y %H:%M:%S %Z", "America/Los_Angeles", "Wed, 07 Jan 2026 20:00:00 GMT", NOW),
        ("auto", "America/Los_Angeles", f"/Date({NOW * 1000:.0f})/", NOW),
        ("auto", "America/Los_Angeles", f"/Date({NOW * 1000:.0f}-0800)/", NOW),
    ],
)
def test_times_are_read_as_described(form: str, zone: str, written: Any, expected: Any, tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer({"loads": [{"id": 1, "at": written}]})) as vendor:
        [found] = records(tmp_path, vendor.url, {**LOADS, "time_format": form}, timezone=zone)
    assert found.time == (pytest.approx(expected, rel=0, abs=0.001) if isinstance(expected, float) else expected)


def test_instants_stand_where_the_description_wants_them(tmp_path: Path) -> None:
    feed = {
        **LOADS, "path": "/loads?day={today:%Y%m%d}", "method": "POST",
        "params": {"from": "{since:s}"}, "headers": {"X-Now": "{now:ms}"}, "body": {"filter": {"after": "{since}"}},
    }  # fmt: skip
    with Vendor(lambda asked: Answer({"loads": [LOAD]})) as vendor:
        records(tmp_path, vendor.url, feed, {"since": NOW - 600}, timezone="America/Los_Angeles")
        [asked] = vendor.asked
    assert asked.query == {"day": "20260107", "from": f"{NOW - 900:.0f}"}
    assert asked.headers["x-now"] == f"{NOW * 1000:.0f}"
    assert asked.json() == {"filter": {"after": iso(NOW - 900)}}


def test_pages_of_a_search_are_asked_for_in_its_body(tmp_path: Path) -> None:
    asked_for: list[Any] = []

    def says(asked: Asked) -> Answer:
        assert (asked.method, asked.query) == ("POST", {})
        asked_for.append(asked.json())
        after = asked_for[-1]["variables"].get("after")
        return Answer({"loads": [LOAD], "page": {"end": "b" if after is None else "c", "more": after is None}})

    paging = {"cursor": "page.end", "more": "page.more", "param": "variables.after", "into": "body"}
    feed = {**LOADS, "method": "POST", "body": {"query": "{loads}", "variables": {"first": 1}}, "paging": paging}
    with Vendor(says) as vendor:
        assert len(records(tmp_path, vendor.url, feed)) == 2
    assert asked_for == [
        {"query": "{loads}", "variables": {"first": 1}},
        {"query": "{loads}", "variables": {"first": 1, "after": "b"}},
    ]
    asked_for.clear()
    counted = {**feed, "body": {"variables": {}}, "paging": {"page": "number", "more": "page.more", "into": "body"}}
    with Vendor(lambda asked: Answer({"loads": [LOAD], "page": {"more": asked.json()["number"] < 3}})) as vendor:
        assert len(records(tmp_path, vendor.url, counted)) == 3


@pytest.mark.parametrize(("yes", "no"), [(True, False), (1, 0), ("true", "false"), ("Y", "N"), ("1", "0")])
def test_whether_there_is_more_is_said_in_many_words(yes: Any, no: Any, tmp_path: Path) -> None:
    def says(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        # An empty page in the middle, and a full one at the end.
        return Answer({"loads": [] if page == 2 else [LOAD], "more": yes if page < 3 else no})

    with Vendor(says) as vendor:
        assert len(records(tmp_path, vendor.url, {**LOADS, "paging": {"page": "page", "more": "more"}})) == 2
        assert len(vendor.asked) == 3


@pytest.mark.parametrize(
    ("said", "number"),
    [("1,234.5", 1234.5), (" 20,811 ", 20811.0), ("1,23", None), ("33,123,4", None), ("12 mi", None)],
)
def test_numbers_that_are_text_may_have_thousands_apart(said: str, number: float | None) -> None:
    assert number_of(said) == number


def test_a_sum_that_is_text_is_a_number(tmp_path: Path) -> None:
    def says(asked: Asked) -> Answer:
        return Answer({"loads": [LOAD] * 2, "count": "4"})

    with Vendor(says) as vendor:
        assert len(records(tmp_path, vendor.url, {**LOADS, "paging": {"page": "page", "total": "count"}})) == 4
    counts = "0 records, where the vendor counts 400"
    few = Answer({"loads": [], "count": "400"})
    with Vendor(lambda asked: few) as vendor, pytest.raises(IncompleteError, match=counts):
        records(tmp_path, vendor.url, {**LOADS, "paging": {"page": "page", "total": "count"}})


def test_a_link_that_is_a_question_only_is_asked_at_the_same_place(tmp_path: Path) -> None:
    def says(asked: Asked) -> Answer:
        assert asked.path == "/api/loads"
        return Answer({"loads": [LOAD], "next": "?page=2" if "page" not in asked.query else None})

    with Vendor(says) as vendor:
        feed = {**LOADS, "path": "/loads?size=1", "paging": {"next": "next"}}
        assert len(records(tmp_path, f"{vendor.url}/api", feed)) == 2


@pytest.mark.parametrize("answer", [Answer(b"", 204), Answer({"loads": None})])
def test_nothing_is_said_in_several_ways_and_none_of_them_is_a_breach(answer: Answer, tmp_path: Path) -> None:
    with Vendor(lambda asked: answer) as vendor:
        config = generic.Config.model_validate({"url": vendor.url, "feed": LOADS})
        session = Session(time.monotonic() + 20, base=tmp_path, clock=lambda: NOW)
        found = list(generic.parse(generic.fetch(config, session), config))
    assert [each for each in found if isinstance(each, Record | Breach)] == []


def test_a_cursor_is_kept_and_one_that_ended_is_begun_anew(tmp_path: Path) -> None:
    def says(asked: Asked) -> Answer:
        if asked.query.get("after") == "old":
            return Answer({"message": "cursor expired"}, 400)
        return Answer({"loads": [LOAD], "cursor": "new"})

    feed = {**LOADS, "paging": {"cursor": "cursor", "param": "after", "keep": True, "size": 50}}
    config = generic.Config.model_validate({"rate": "1000/s", "feed": feed})
    with Vendor(says) as vendor:
        config = config.model_copy(update={"url": vendor.url})
        for memory, expected in ((None, None), ({"cursor": "old"}, None), ({"cursor": "new", "stuck": 2}, "new")):
            session = Session(time.monotonic() + 20, memory=memory, clock=lambda: NOW)
            fetched = generic.fetch(config, session)
            assert vendor.asked[-1].query.get("after") == expected
            assert session.memory["cursor"] == "new"
        assert fetched.about.stuck == 3


def test_an_error_inside_a_good_answer_is_one(tmp_path: Path) -> None:
    said = {"error": {"name": "DbUnavailable"}, "loads": []}
    with Vendor(lambda asked: Answer(said)) as vendor, pytest.raises(ApiError, match="DbUnavailable"):
        records(tmp_path, vendor.url, {**LOADS, "error": "error"})


TABLE = b'Unit,"When, local",Speed\r\n112,01/07/2026 12:00:00 PM,55\r\n113,01/07/2026 11:59:00 AM,0\r\n'
CSV = {
    "format": "csv", "truck": "Unit", "time": '"When, local"', "moving": "Speed", "values": {"speed": "Speed"},
}  # fmt: skip


def test_a_table_over_http_is_read_by_its_headings(tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer(TABLE, headers={"Content-Type": "text/csv"})) as vendor:
        found = records(tmp_path, vendor.url, {**CSV, "path": "/report"}, timezone="America/Los_Angeles")
    assert [(each.truck, each.time, each.moving) for each in found] == [("112", NOW, True), ("113", NOW - 60, False)]


def test_a_table_without_the_column_of_the_engine_is_an_error_and_not_an_engine_that_nobody_tells_of(
    tmp_path: Path,
) -> None:
    with Vendor(lambda asked: Answer(TABLE)) as vendor, pytest.raises(BadReplyError, match="headings Ignition"):
        records(tmp_path, vendor.url, {**CSV, "path": "/report", "engine": "Ignition"})


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8-sig", ""), ("utf-16", ""), ("cp1252", "; charset=windows-1252")]
)
def test_a_table_is_read_in_the_letters_in_which_it_was_written(encoding: str, said: str, tmp_path: Path) -> None:
    table = TABLE.decode().replace("112", "Zoë").encode(encoding)
    with Vendor(lambda asked: Answer(table, headers={"Content-Type": f"text/csv{said}"})) as vendor:
        assert [each.truck for each in records(tmp_path, vendor.url, {**CSV, "path": "/report"})] == ["Zoë", "113"]


def test_trucks_that_are_the_keys_of_an_object_are_its_items(tmp_path: Path) -> None:
    feed = {"path": "/all", "records": "items(trucks)", "truck": "[0]", "time": "[1].at", "moving": "[1].speed"}
    trucks = {"112": {"at": iso(NOW), "speed": 55}, "113": {"at": iso(NOW - 60), "speed": 0}}
    with Vendor(lambda asked: Answer({"trucks": trucks})) as vendor:
        found = records(tmp_path, vendor.url, feed)
    assert [(each.truck, each.time, each.moving) for each in found] == [("112", NOW, True), ("113", NOW - 60, False)]


def test_the_newest_whole_table_of_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    for name, content, age in (("a.csv", b"Unit\n1\n", 900), ("b.csv", TABLE, 300), ("c.csv", TABLE[:60], 60)):
        (tmp_path / "drop" / name).write_bytes(content)
        os.utime(tmp_path / "drop" / name, (NOW - age, NOW - age))
    feed = {**CSV, "folder": "drop", "files": "*.csv"}
    found = records(tmp_path, "", feed, timezone="America/Los_Angeles")
    assert [each.truck for each in found] == ["112", "113"]


def test_json_in_a_folder_needs_no_last_line_and_half_of_it_is_left_for_later(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    whole = b'{"loads": [{"n": 7}]}'
    feed = {"folder": "drop", "records": "loads", "id": "n"}

    def lay(name: str, content: bytes, age: float) -> None:
        (tmp_path / "drop" / name).write_bytes(content)
        os.utime(tmp_path / "drop" / name, (NOW - age, NOW - age))

    lay("a.json", whole, 900)
    lay("b.json", whole[:-5], 60)
    assert [each.id for each in records(tmp_path, "", feed)] == ["7"]
    lay("b.json", whole[:-5], 700)
    with pytest.raises(BadReplyError, match=r"b\.json: no JSON"):
        records(tmp_path, "", feed)


def test_what_json_forbids_is_not_known_and_never_a_number() -> None:
    said = b'{"speed": NaN, "top": Infinity, "a": 1, "a": 2, "b": 3, "b": 3, "long": %s}' % (b"9" * 5000)
    assert read(said, "GET /") == {"speed": None, "top": None, "a": None, "b": 3, "long": None}


def test_a_name_in_other_letters_than_json_has_loses_no_reply() -> None:
    assert read('{"name": "Peña"}'.encode("cp1252"), "GET /") == {"name": "Peña"}


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": ', b"<html>maintenance</html>", b"", b"\xff\xfe"])
def test_what_is_no_json_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(BadReplyError, match=f"GET /: no JSON in an answer of {len(body)} bytes"):
        read(body, "GET /")


# Nested pages that nobody has a module for: sites, then their trucks by cursor, each with its pings.
MADE_UP = """\
  tracker:
    platform: generic
    url: {url}/v3
    auth: {{key: {{header: X-Key, file: secret}}}}
    timezone: America/Chicago
    rate: 1000/s
feeds:
  gps:
    account: tracker
    path: /sites/west/units
    params: {{expand: pings, limit: 2}}
    records: [result.units, pings]
    truck: parent.label
    time: gps_time
    received: rx
    moving: mph
    values: {{odometer: parent.odo.miles, fuel: fuel}}
    error: fault
    paging: {{cursor: result.page.token, param: page_token, more: result.page.more}}
    shows: GPS positions
    while_old: Do not quote ETAs.
    max_age: 5m
    expected: when_moving
"""


def test_a_made_up_api_of_nested_pages_takes_25_lines_and_no_code(tmp_path: Path) -> None:
    assert len(MADE_UP.splitlines()) <= 25

    def says(asked: Asked) -> Answer:
        assert asked.path == "/v3/sites/west/units"
        assert asked.headers["x-key"] == TOKEN
        start = int(asked.query.get("page_token", 0))
        units = [
            {
                "label": f"{number}",
                "odo": {"miles": 180_000 + number},
                "pings": [
                    {"gps_time": f"01/07/2026 2:{59 - ago:02}:00 PM", "rx": iso(NOW + 3), "mph": 60, "fuel": 0.5}
                    for ago in (1, 0)
                ],
            }
            for number in range(100 + start, min(102 + start, 105))
        ]
        token = start + len(units)
        return Answer({"result": {"units": units, "page": {"token": token, "more": token < 5}}})

    with world(tmp_path, {"/v3/sites/west/units": says}) as here:
        text = (tmp_path / "fleet.yml").read_text(encoding="utf-8")
        head, tail = text.partition("feeds:")[0], text[text.index("terminals:") :]
        here.load(head + MADE_UP.format(url=here.url) + tail)
        here.collect(NOW + 3600)
        newest = NOW + 3540
        assert here.value("feed_newest_record_timestamp_seconds", feed="gps") == newest
        assert here.value("feed_newest_received_timestamp_seconds", feed="gps") == NOW + 3
        assert here.value("feed_trucks", feed="gps") == 5
        assert here.value("truck_last_moved_timestamp_seconds", truck="104") == newest
        assert here.value("feed_movement_timestamp_seconds", feed="gps") == newest
        assert len(here.asked) == 3
