"""The demo's vendors of telematics and dispatch: each fault of the list does what it says, and heals."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from yardlight.demo import telematics as faults
from yardlight.demo.faces import SECRET, Ask
from yardlight.demo.feed_faces import Loads, Telematics
from yardlight.demo.telematics import DAY, FeedVendor, VendorError, fake_trucks

LA = ZoneInfo("America/Los_Angeles")
# A Wednesday.
NOON = datetime(2026, 1, 7, 12, tzinfo=LA).timestamp()


def made(clock: float = NOON) -> FeedVendor:
    return FeedVendor("telematics", fake_trucks(12), lambda: clock, LA)


def said(vendor: FeedVendor, path: str = "/positions") -> Any:
    face = Loads(vendor) if "loads" in path else Telematics(vendor)
    return face(Ask("GET", path, {"authorization": f"Bearer {SECRET}"}))


def newest(vendor: FeedVendor) -> float:
    return float(max(each["reported_ms"] for each in said(vendor).content["vehicles"]) / 1000)


@pytest.mark.parametrize("line", faults.LIST.splitlines()[1:])
def test_each_fault_of_the_list_is_one(line: str) -> None:
    vendor = made()
    assert vendor.switch(line.split()[0].partition("=")[2]) == f"telematics: {vendor.truth()}"


def test_what_is_no_fault_is_refused_with_the_list() -> None:
    with pytest.raises(VendorError, match="telematics=yesterday"):
        made().switch("tired")


def test_positions_are_new_at_noon_and_stand_at_night() -> None:
    assert NOON - 60 <= newest(made()) <= NOON
    night = made(NOON + 12 * 3600)
    assert {each["speed_mph"] for each in said(night).content["vehicles"]} == {0.0}
    assert newest(night) > NOON + 11 * 3600


def test_faults_do_what_they_say_and_heal() -> None:
    clock = [NOON]
    vendor = FeedVendor("telematics", fake_trucks(12), lambda: clock[0], LA)
    before = said(vendor).content
    vendor.switch("stale")
    clock[0] += 600
    assert said(vendor).content == before
    vendor.switch("heal")
    vendor.switch("frozen")
    still, clock[0] = newest(vendor), clock[0] + 600
    assert newest(vendor) == still + 600
    vendor.switch("heal")
    vendor.switch("yesterday")
    clock[0] += 60
    assert newest(vendor) <= clock[0] - DAY
    for fault, status in (("down", 503), ("revoked", 401), ("error", 200)):
        vendor.switch("heal")
        vendor.switch(fault)
        assert said(vendor).status == status
    vendor.switch("heal")
    vendor.switch("empty")
    assert said(vendor).content["vehicles"] == []


def test_dispatch_tells_what_changed_since() -> None:
    loads = said(made(), "/loads?updated_since=2026-01-07T19:50:00Z").content["loads"]
    assert loads
    assert all(each["updated_at"] >= "2026-01-07T19:50:00Z" for each in loads)
    assert {each["status"] for each in loads} == {"in_transit"}
