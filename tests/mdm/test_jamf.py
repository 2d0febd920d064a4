"""Jamf Pro: from a server on loopback to records, by the version that the server says it has."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vendor import Answer, Asked, Vendor
from yardlight import client
from yardlight.collection import Session
from yardlight.errors import BadReplyError, IncompleteError, PollError
from yardlight.mdm.device import Device, Order
from yardlight.mdm.platforms import jamf
from yardlight.moment import NEVER

SECRET = "canary-client-secret"
AT = 1767600900.0  # 2026-01-05T08:15:00Z


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(jamf, "_PER_PAGE", 10)


def mobile(number: int, **general: Any) -> dict[str, Any]:
    """A mobile device as the detail list has it; made up."""
    said = {
        "displayName": f"tablet {number}",
        "lastInventoryUpdateDate": "2026-01-04T00:00:00Z",
        "lastContactDate": "2026-01-05T08:15:00.000Z",
        "lastEnrolledDate": "2025-06-01T00:00:00Z",
        "osVersion": "17.5",
        "managementId": f"management-{number}",
    }
    return {
        "mobileDeviceId": str(number),
        "deviceType": "iOS",
        "hardware": {"serialNumber": f"SER{number}"},
        "general": {**said, **general},
        "applications": [{"identifier": "com.example.eld", "version": "24.1.0 (5)", "shortVersion": "24.1"}],
        "groups": [{"groupId": "7", "groupName": "Drivers"}],
    }


class Server:
    """A Jamf Pro of this version with so many mobile devices."""

    def __init__(self, devices: list[dict[str, Any]], version: str = "11.30.1-t1") -> None:
        self.devices, self.version, self.total = devices, version, len(devices)
        self.commands: list[dict[str, Any]] = []
        self.spoil: Callable[[Asked], Answer | None] = lambda asked: None

    def __call__(self, asked: Asked) -> Answer:
        if (spoiled := self.spoil(asked)) is not None:
            return spoiled
        if asked.path == "/api/v1/oauth/token":
            good = asked.form.get("client_secret") == SECRET
            return Answer(
                {"access_token": "t", "expires_in": 60, "token_type": "Bearer"} if good else {}, 200 if good else 401
            )
        if asked.path == "/api/v1/jamf-pro-version":
            return Answer({"version": self.version})
        if asked.path == "/api/v2/mdm/commands":
            return Answer({"totalCount": len(self.commands), "results": self.commands})
        if asked.path.endswith("computers-inventory"):
            general: dict[str, Any] = {"name": "office 1", "site": {"name": "Fontana"}}
            key = "lastContact" if "/v4/" in asked.path else "lastContactTime"
            return Answer(
                {"totalCount": 1, "results": [{"id": "1", "general": {**general, key: "2026-01-05T08:15:00Z"}}]}
            )
        listed, total = self.devices, self.total
        if wanted := re.fullmatch(r"mobileDeviceId=in=\((.*)\)", asked.query.get("filter", "")):
            listed = [each for each in listed if each["mobileDeviceId"] in wanted[1].split(",")]
            total = len(listed)
        start = int(asked.query["page"]) * int(asked.query["page-size"])
        return Answer({"totalCount": total, "results": listed[start : start + int(asked.query["page-size"])]})


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Device]]:
    (tmp_path / "secret").write_text(SECRET + "\n")

    def read_server(server: Server, **options: Any) -> list[Device]:
        with Vendor(server) as vendor:
            said = {"url": vendor.url, "client_id": "abc", "client_secret_file": "secret", "rate": "1000/s", **options}
            config = jamf.Config.model_validate(said)
            session = Session(time.monotonic() + 60.0, base=tmp_path)
            records = list(jamf.parse(jamf.fetch(config, session), config))
        assert {asked.method for asked in vendor.asked if "oauth" not in asked.path} == {"GET"}
        return [record for record in records if isinstance(record, Device)]

    return read_server


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25, 30])
def test_every_page_is_read_to_the_true_end(read: Callable[..., list[Device]], count: int) -> None:
    found = read(Server([mobile(number) for number in range(count)]))
    assert [device.serial for device in found] == [f"SER{number}" for number in range(count)]


def test_a_device_is_read_with_its_times_apart(read: Callable[..., list[Device]]) -> None:
    [device] = read(Server([mobile(1)]))
    assert (device.checkin, device.inventory) == (AT, 1767484800.0)
    assert (device.os, device.os_version, device.group) == ("iOS", "17.5", "Drivers")
    assert device.apps == {"com.example.eld": "24.1"}


def test_an_older_server_tells_no_last_contact_so_that_the_inventory_stands_for_it(
    read: Callable[..., list[Device]],
) -> None:
    old = mobile(1)
    del old["general"]["lastContactDate"]
    [device] = read(Server([old], version="11.23.2"))
    assert device.checkin == device.inventory == 1767484800.0


def test_computers_are_asked_for_by_the_servers_version(read: Callable[..., list[Device]]) -> None:
    for version, path in (
        ("11.23.2", "/api/v3/computers-inventory"),
        ("11.29.1-t1782156420899", "/api/v3/computers-inventory"),
        ("11.30.1-t7", "/api/v4/computers-inventory"),
    ):
        server, asked = Server([], version), []
        server.spoil = lambda one, asked=asked: asked.append(one.path)  # type: ignore[misc]
        [computer] = read(server, computers="true")
        assert path in asked
        assert (computer.name, computer.checkin, computer.os, computer.group) == ("office 1", AT, "macOS", "Fontana")


def test_a_server_that_does_not_have_the_endpoint_yet_is_asked_for_the_one_before(
    read: Callable[..., list[Device]],
) -> None:
    server = Server([mobile(1)], "11.10.1")
    server.spoil = lambda asked: Answer({}, 404) if asked.path == "/api/v3/computers-inventory" else None
    assert [(found.name, found.checkin) for found in read(server, computers="true")][1] == ("office 1", AT)


def test_fewer_devices_than_the_server_counts_are_incomplete(read: Callable[..., list[Device]]) -> None:
    server = Server([mobile(1)])
    server.total = 3
    with pytest.raises(IncompleteError, match="no more records after 1, where 3 are counted"):
        read(server)


def test_sections_that_a_broken_device_has_not_are_unknown_and_the_device_counts(
    read: Callable[..., list[Device]],
) -> None:
    broken = {**mobile(1), "general": None, "hardware": None, "applications": None, "groups": None}
    [device] = read(Server([broken]))
    assert (device.checkin, device.serial, device.apps, device.group) == (None, "", None, "")


@pytest.mark.parametrize(
    ("state", "progress"),
    [("PENDING", "pending"), ("NOT_NOW", "pending"), ("ACKNOWLEDGED", "done"), ("ERROR", "failed"), ("NEW", "pending")],
)
def test_a_wipe_is_an_order_of_its_device(read: Callable[..., list[Device]], state: str, progress: str) -> None:
    server = Server([mobile(1), mobile(2)])
    client_ = {"managementId": "management-2", "clientType": "MOBILE_DEVICE"}
    sent = {"dateSent": "2026-01-05T08:15:00Z", "client": client_, "commandState": state, "commandType": "ERASE_DEVICE"}
    server.commands = [sent]
    first, second = read(server)
    assert first.orders == ()
    assert second.orders == (Order("wipe", AT, progress),)  # type: ignore[arg-type]


def test_a_few_devices_are_read_alone_and_one_that_is_gone_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    with Vendor(Server([mobile(number) for number in range(30)])) as vendor:
        said = {"url": vendor.url, "client_id": "abc", "client_secret_file": "secret", "rate": "1000/s"}
        config, session = jamf.Config.model_validate(said), Session(time.monotonic() + 60.0, base=tmp_path)
        records = list(jamf.parse(jamf.fetch_some(config, session, ["mobile 7", "mobile 99", "mobile 12"]), config))
        pages = [asked.path for asked in vendor.asked if asked.path.endswith("/detail")]
    assert [each.id for each in records if isinstance(each, Device)] == ["mobile 7", "mobile 12"]
    assert len(pages) == 1


def test_commands_that_may_not_be_seen_are_no_reason_to_see_no_device(read: Callable[..., list[Device]]) -> None:
    server = Server([mobile(1)])
    server.spoil = lambda asked: Answer({}, 403) if asked.path.endswith("/commands") else None
    [found] = read(server)
    assert found.orders is None


def test_a_wipe_of_nobody_is_nobodys(read: Callable[..., list[Device]]) -> None:
    server = Server([mobile(1, managementId=None)])
    server.commands = [{"commandState": "PENDING", "dateSent": "2026-01-05T08:00:00Z", "client": None}]
    assert [found.orders for found in read(server)] == [()]


def parsed(*devices: Any) -> list[Device]:
    config = jamf.Config(url="https://jamf.example.com", client_id="c", client_secret_file="s")
    reply = {"mobile": [{"results": list(devices)}], "commands": []}
    return [record for record in jamf.parse(reply, config) if isinstance(record, Device)]


def test_commands_that_an_old_server_does_not_have_are_no_reason_to_see_no_device(
    read: Callable[..., list[Device]],
) -> None:
    server = Server([mobile(1)])
    server.spoil = lambda asked: Answer({}, 404) if asked.path.endswith("/mdm/commands") else None
    [found] = read(server)
    assert found.orders is None


def test_a_device_is_in_each_of_its_groups_by_name_and_by_number() -> None:
    [found] = parsed({**mobile(1), "groups": [{"groupId": "1", "groupName": "All Managed"}, {"groupId": 7}, None]})
    assert (found.group, found.groups) == ("All Managed", ("All Managed", "1", "7"))


@pytest.mark.parametrize("raw", [None, 0, "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_never_is_said_as_never(raw: Any) -> None:
    [device] = parsed(mobile(1, lastContactDate=raw, lastInventoryUpdateDate=None))
    assert device.checkin == NEVER


@pytest.mark.parametrize("device", [None, "x", {}, {"mobileDeviceId": ""}])
def test_another_shape_than_documented_is_a_bad_reply(device: Any) -> None:
    with pytest.raises(BadReplyError):
        parsed(device)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
_KEYS = st.sampled_from(["mobileDeviceId", "deviceType", "hardware", "general", "applications", "groups"])


@given(st.lists(st.dictionaries(_KEYS, _JSON)))
@settings(max_examples=50, deadline=None)
def test_no_reply_does_anything_but_give_records_or_a_reason(devices: list[Any]) -> None:
    try:
        found = parsed(*devices)
    except PollError:
        return
    assert len(found) == len(devices)
