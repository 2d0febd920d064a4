"""Presets of feeds against what their vendors do: pages, errors, sessions, versions; and their contracts."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.feeds import platforms as p
from tests.vendor import Answer, Asked, Vendor
from yardlight.errors import (
    ApiError,
    AuthError,
    BadReplyError,
    ForeignLinkError,
    IncompleteError,
    ThrottledError,
)
from yardlight.feeds import contract_file, contracts
from yardlight.feeds.health import limit
from yardlight.feeds.judge import check
from yardlight.feeds.platforms import PLATFORMS, geotab
from yardlight.feeds.record import About
from yardlight.inventory.feeds import Stream

STREAMS = [
    (platform, stream)
    for platform, module in PLATFORMS.items()
    for stream in getattr(import_module(module), "STREAMS", {})
]


@pytest.fixture(autouse=True)
def _no_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process of its own."""
    monkeypatch.setattr(geotab, "_sessions", {})
    monkeypatch.setattr(geotab, "_logged_in", {})


def stream_of(platform: str, stream: str) -> Stream:
    found: Stream = import_module(PLATFORMS[platform]).STREAMS[stream]
    return found


def fakes() -> dict[str, p.Fake]:
    return {
        "samsara": p.Samsara(),
        "geotab": p.Geotab(),
        "motive": p.motive,
        "fleetio": p.fleetio,
        "verizon_connect": p.VerizonConnect(),
        "statuspage": p.statuspage(),
    }


@pytest.mark.parametrize(("platform", "stream"), STREAMS)
def test_each_stream_is_read_and_keeps_the_contract_that_it_brings(platform: str, stream: str, tmp_path: Path) -> None:
    items = p.once(platform, stream, fakes()[platform], tmp_path)
    assert p.breaches(items) == []
    assert p.records(items) or p.components(items)
    file = contracts.shipped_file(platform, stream)
    if file.is_file():
        assert check(contracts.outermost(p.records(items)), contract_file.read(file)) == []


@pytest.mark.parametrize("file", sorted(contracts.SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_each_contract_belongs_to_a_stream_and_judges(file: Path) -> None:
    assert tuple(file.stem.split("-", 1)) in STREAMS
    assert {each.kind for each in check([{}] * 30, contract_file.read(file))} == {"missing"}


# Samsara


def test_samsara_reads_all_pages_and_an_empty_one_is_not_the_last(tmp_path: Path) -> None:
    found = p.records(p.once("samsara", "gps", p.Samsara(), tmp_path))
    assert [each.truck for each in found] == ["T-101", "T-102", "T-103"]
    assert (found[2].time, found[2].moving, found[2].values["odometer"]) == (p.NOW - 5, True, 250_000_003)


def test_samsara_gateways_tell_their_health_in_its_own_words(tmp_path: Path) -> None:
    found = p.records(p.once("samsara", "gateways", p.Samsara(), tmp_path))
    assert [(each.id, each.time, each.values["health"]) for each in found] == [
        ("G1", p.NOW - 12, "Connected"),
        ("G2", p.NOW - 86400 * 30, "Power Source Off - Inactive Vehicle"),
    ]


def test_samsara_changes_go_on_where_the_last_answer_ended(tmp_path: Path) -> None:
    samsara = p.Samsara()
    with Vendor(samsara) as vendor:
        first = p.session(tmp_path)
        assert [each.truck for each in p.records(p.collect("samsara", "changes", vendor.url, first))] == [
            "T-101",
            "T-102",
        ]
        samsara.changes.append(p.engine(3, "Idle", 2))
        second = p.session(tmp_path, first.memory)
        [change] = p.records(p.collect("samsara", "changes", vendor.url, second))
        assert (change.truck, change.time, change.values["value"]) == ("T-103", p.NOW - 2, "Idle")
        third = p.session(tmp_path, second.memory)
        assert p.records(p.collect("samsara", "changes", vendor.url, third)) == []


def test_samsara_changes_begin_anew_after_the_cursor_ended(tmp_path: Path) -> None:
    samsara = p.Samsara()
    with Vendor(samsara) as vendor:
        first = p.session(tmp_path)
        p.collect("samsara", "changes", vendor.url, first)
        samsara.expired.add("2")
        again = p.collect("samsara", "changes", vendor.url, p.session(tmp_path, first.memory))
        assert len(p.records(again)) == 2


def test_samsara_logs_are_asked_ten_days_back_for_what_is_uploaded_late_and_corrected(tmp_path: Path) -> None:
    with Vendor(p.Samsara()) as vendor:
        under_way = p.session(tmp_path, {"since": p.NOW - 60, "cursor": None, "stuck": 0})
        found = p.records(p.collect("samsara", "hos_logs", vendor.url, under_way))
        assert vendor.asked[-1].query["startTime"] == p.iso(60 + 10 * 86400)
    assert [(each.id, each.time, each.values["status"]) for each in found] == [
        ("77", p.NOW - 7200, "onDuty"),
        ("77", p.NOW - 3600, "driving"),
    ]
    assert [(each.driver, each.truck, each.duty, each.until) for each in found] == [
        ("77", "T-101", "onDuty", p.NOW - 3600),
        ("77", "T-101", "driving", None),
    ]


def test_samsara_tells_of_malfunctions_that_were_logged_and_cleared_and_of_no_other_event(tmp_path: Path) -> None:
    found = p.records(p.once("samsara", "eld_events", p.Samsara(), tmp_path))
    assert [(each.truck, each.time, each.malfunction, each.malfunction_kind) for each in found] == [
        ("T-101", p.NOW - 9000, True, "P"),
        ("T-101", p.NOW - 60, True, "L"),
        ("T-101", p.NOW - 30, False, "P"),
    ]


# Geotab


@pytest.mark.parametrize(
    ("status", "word", "told"),
    [
        ("PowerCompliance", "Malfunction", True), ("PowerCompliance", "UserMalfunctionClear", False),
        ("PowerCompliance", "SystemClear", False), ("MissingElementCompliance", "Diagnostic", None),
        ("MissingElementCompliance", "SystemDiagnosticClear", None), ("PowerCompliance", "None", None),
        # A line of the driver's, recorded while something did not work.
        ("D", "Malfunction", None), ("OFF", "None", None), ("OFF", None, None),
    ],
)  # fmt: skip
def test_geotab_tells_of_malfunctions_by_lines_of_their_own(
    status: str, word: str | None, told: bool | None, tmp_path: Path
) -> None:
    vendor_ = p.Geotab()
    vendor_.rows = [{**p.log(1, 30), "status": status, "malfunction": word}]
    [record] = p.records(p.once("geotab", "duty_logs", vendor_, tmp_path))
    assert (record.malfunction, record.malfunction_kind) == (told, status)


def test_geotab_logs_in_once_for_many_collections(tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    with Vendor(vendor_) as vendor:
        for _ in range(20):
            [record] = p.records(p.collect("geotab", "devices", vendor.url, p.session(tmp_path)))
    assert (record.truck, record.moving, record.time) == ("b1", True, p.NOW - 9)
    assert vendor_.logins == 1


def test_geotab_takes_a_new_session_once_when_the_old_one_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor_ = p.Geotab()
    with Vendor(vendor_) as vendor:
        p.collect("geotab", "devices", vendor.url, p.session(tmp_path))
        vendor_.sessions.clear()
        monkeypatch.setattr(geotab, "_LOGIN_EVERY", 0.0)
        p.collect("geotab", "devices", vendor.url, p.session(tmp_path))
    assert vendor_.logins == 2


def test_geotab_never_logs_in_ten_times_a_minute_whatever_is_wrong(tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    vendor_.wrong_password = True
    with Vendor(vendor_) as vendor:
        for _ in range(10):
            with pytest.raises(AuthError):
                p.collect("geotab", "devices", vendor.url, p.session(tmp_path))
    assert vendor_.logins == 1


def test_geotab_feeds_go_on_at_the_version_and_follow_full_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor_ = p.Geotab()
    small = stream_of("geotab", "positions").model_copy(update={"body": {"typeName": "LogRecord", "resultsLimit": 2}})
    with Vendor(vendor_) as vendor:
        first = p.session(tmp_path)
        vendor_.rows.append(p.log(3, 1))
        found = p.records(p.collect("geotab", "positions", vendor.url, first, feed=small))
        assert [each.id for each in found] == ["l1", "l2", "l3"]
        vendor_.rows.append(p.log(4, 0))
        second = p.session(tmp_path, first.memory)
        assert [each.id for each in p.records(p.collect("geotab", "positions", vendor.url, second, feed=small))] == [
            "l4"
        ]
        third = p.session(tmp_path, second.memory)
        assert p.records(p.collect("geotab", "positions", vendor.url, third, feed=small)) == []


@pytest.mark.parametrize("stream", ["devices", "positions"])
def test_what_geotab_says_of_its_limits_in_headers_is_known(stream: str, tmp_path: Path) -> None:
    geotab_ = p.Geotab()

    def script(asked: Asked) -> Answer:
        return replace(geotab_(asked), headers={"X-Rate-Limit-Remaining": "7"})

    [about] = [each for each in p.once("geotab", stream, script, tmp_path) if isinstance(each, About)]
    assert limit(about.headers).left == 7


def test_geotab_errors_inside_of_success_are_errors(tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    vendor_.error = {"message": "m", "errors": [{"name": "MissingMethodException", "message": "The method"}]}
    with pytest.raises(ApiError, match="POST /apiv1 Get: MissingMethodException"):
        p.once("geotab", "devices", vendor_, tmp_path)


def test_geotab_is_waited_for_when_it_says_over_limit_in_success(tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    vendor_.busy = 2
    assert p.records(p.once("geotab", "devices", vendor_, tmp_path))
    vendor_.busy = 100
    with pytest.raises(ThrottledError):
        p.once("geotab", "devices", vendor_, tmp_path)


@pytest.mark.parametrize("path", ["evil.example.com", "geotab.com.evil.example", "x/y.geotab.com", "a@b.geotab.com"])
def test_geotab_is_not_followed_to_a_server_of_somebody_else(path: str, tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    vendor_.path = path
    with pytest.raises(ForeignLinkError, match="not followed"):
        p.once("geotab", "devices", vendor_, tmp_path)


def test_geotab_keeps_its_session_out_of_memory_and_messages(tmp_path: Path) -> None:
    vendor_ = p.Geotab()
    with Vendor(vendor_) as vendor:
        under_way = p.session(tmp_path)
        p.collect("geotab", "positions", vendor.url, under_way)
    assert "session-number" not in str(under_way.memory)
    assert under_way.mask("x session-number-1 x") == "x *** x"


# Motive, Fleetio, Verizon Connect


def test_motive_unwraps_items_and_compares_their_sum_with_the_total(tmp_path: Path) -> None:
    found = p.records(p.once("motive", "locations", p.motive, tmp_path))
    assert len(found) == 103
    assert (found[3].truck, found[3].time, found[3].moving) == ("T-3", p.NOW - 3, True)

    def short(asked: Asked) -> Answer:
        answer = p.motive(asked)
        return Answer({**answer.content, "vehicles": answer.content["vehicles"][:50]})

    with pytest.raises(IncompleteError, match="records, where the vendor counts 103"):
        p.once("motive", "locations", short, tmp_path)


def test_motive_logs_are_read_to_the_last_day_and_name_the_vehicle_where_there_was_one(tmp_path: Path) -> None:
    found = p.records(p.once("motive", "logs", p.motive, tmp_path))
    assert len(found) == 206
    assert [(each.driver, each.truck, each.duty, each.until) for each in found[4:8]] == [
        ("1002", "T-2", "driving", p.NOW - 3600),
        ("1002", "T-2", "off_duty", None),
        ("1003", "", "driving", p.NOW - 3600),
        ("1003", "", "off_duty", None),
    ]


def test_motive_driving_periods_have_the_vehicle_and_what_nobody_was_logged_in_for(tmp_path: Path) -> None:
    found = p.records(p.once("motive", "driving_periods", p.motive, tmp_path))
    assert len(found) == 103
    assert [(each.driver, each.truck, each.duty) for each in found[:2]] == [
        ("", "T-0", "driving"),
        ("1001", "T-1", "driving"),
    ]


def test_motive_drivers_who_never_used_the_app_have_no_time(tmp_path: Path) -> None:
    found = p.records(p.once("motive", "driver_apps", p.motive, tmp_path))
    assert (found[0].time, found[1].time) == (None, p.NOW - 60)


@pytest.mark.parametrize("version", ["2026-01-01", "2022-06-01"])
def test_fleetio_is_read_in_both_paging_styles_without_its_samples(version: str, tmp_path: Path) -> None:
    with Vendor(p.fleetio) as vendor:
        items = p.collect("fleetio", "meters", vendor.url, p.session(tmp_path), api_version=version)
        assert {asked.headers["x-api-version"] for asked in vendor.asked} == {version}
        assert len(vendor.asked) == 2
    found = p.records(items)
    assert len(found) == 129
    assert "7" not in {each.id for each in found}
    assert (found[0].time, found[0].truck, found[0].values["meter"]) == (p.NOW - 30 + 0.123456, "T-0", "20811.0")


def test_verizon_connect_asks_each_vehicle_and_leaves_out_one_that_is_refused(tmp_path: Path) -> None:
    vendor_ = p.VerizonConnect()
    found = p.records(p.once("verizon_connect", "positions", vendor_, tmp_path))
    assert [(each.truck, each.time, each.moving) for each in found] == [
        ("T-101", p.NOW - 33, False),
        ("T/103", p.NOW - 33, False),
    ]
    assert vendor_.tokens == 1
    vendor_.refused = set(vendor_.numbers)
    with pytest.raises(IncompleteError, match="3 of 3 vehicles refused"):
        p.once("verizon_connect", "positions", vendor_, tmp_path)


def test_verizon_connect_says_at_once_that_so_many_vehicles_take_longer_than_there_is_time(tmp_path: Path) -> None:
    vendor_ = p.VerizonConnect()
    vendor_.numbers = [f"T-{number}" for number in range(1000)]
    with pytest.raises(IncompleteError, match="1000 vehicles at 5 a second take 200 s; give the feed a deadline"):
        p.once("verizon_connect", "positions", vendor_, tmp_path, rate="5/s")


@pytest.mark.parametrize("body", [b"", b"<html><body>login</body></html>", b"two words"])
def test_verizon_connect_takes_no_page_for_a_token(body: bytes, tmp_path: Path) -> None:
    def script(asked: Asked) -> Answer:
        return Answer(body, headers={"Content-Type": "text/plain"})

    with pytest.raises(AuthError, match="no token in the answer"):
        p.once("verizon_connect", "positions", script, tmp_path)


# Statuspage


def test_a_status_page_tells_components_apart_and_knows_what_it_does_not_know(tmp_path: Path) -> None:
    assert p.components(p.once("statuspage", "components", p.statuspage(), tmp_path)) == [
        ("API", "operational"),
        ("API", "major_outage"),
        ("Dashcams", "degraded"),
        ("Webhooks", "maintenance"),
        ("Reports", "unknown"),
    ]


def test_of_a_status_page_only_the_components_that_matter_are_told(tmp_path: Path) -> None:
    items = p.once("statuspage", "components", p.statuspage(), tmp_path, components=["Dashcams"])
    assert p.components(items) == [("Dashcams", "degraded")]


def test_a_component_that_is_not_on_the_status_page_is_unknown(tmp_path: Path) -> None:
    items = p.once("statuspage", "components", p.statuspage(), tmp_path, components=["Dashcams", "ELD"])
    assert p.components(items) == [("Dashcams", "degraded"), ("ELD", "unknown")]


@pytest.mark.parametrize(
    ("status", "state"),
    [({"indicator": "critical"}, "major_outage"), ({"indicator": "fine?"}, "unknown"), (None, "unknown")],
)
def test_a_status_page_without_components_is_one_component(status: Any, state: str, tmp_path: Path) -> None:
    items = p.once("statuspage", "components", p.statuspage(components=None, status=status), tmp_path)
    assert p.components(items) == [("page", state)]


def test_a_status_page_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadReplyError):
        p.once("statuspage", "components", lambda asked: Answer(b"<html>", 200), tmp_path)
