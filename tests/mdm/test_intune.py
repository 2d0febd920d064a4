"""Intune: from a tenant on loopback to records, whatever the tenant does."""

from __future__ import annotations

import itertools
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
from yardlight.errors import (
    AuthError,
    BadReplyError,
    ForbiddenError,
    ForeignLinkError,
    IncompleteError,
    PollError,
)
from yardlight.mdm.device import Device, Order, Tenant
from yardlight.mdm.platforms import intune
from yardlight.moment import NEVER
from yardlight.reading import text

SECRET = "canary-client-secret"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def raw(number: int, **more: Any) -> dict[str, Any]:
    """A device as the list has it; made up."""
    said = {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "serialNumber": f"SER{number}",
        "deviceName": f"tablet {number}",
        "deviceCategoryDisplayName": "Drivers",
        "operatingSystem": "Android",
        "osVersion": "14",
        "lastSyncDateTime": "2026-01-05T08:15:00.1234567Z",
        "enrolledDateTime": "2025-06-01T00:00:00Z",
        "complianceState": "compliant",
        "managementState": "managed",
        "deviceActionResults": [],
    }
    return {**said, **more}


class Tenancy:
    """A tenant with so many devices, a thousand and less a page. `spoil` may answer in its place."""

    def __init__(
        self, devices: list[dict[str, Any]], spoil: Callable[[Asked], Answer | None] = lambda asked: None
    ) -> None:
        self.devices, self.spoil, self.per_page, self.lives, self.taken = (
            devices,
            spoil,
            100,
            3599.0,
            itertools.count(1),
        )
        self.counted = len(devices)
        self.valid: dict[str, float] = {}

    def __call__(self, asked: Asked) -> Answer:
        if (spoiled := self.spoil(asked)) is not None:
            return spoiled
        if asked.path == "/contoso/oauth2/v2.0/token":
            if asked.form.get("client_secret") != SECRET:
                return Answer({"error": "invalid_client"}, 401)
            token = f"token-{next(self.taken)}"
            self.valid[f"Bearer {token}"] = time.monotonic() + self.lives
            return Answer({"token_type": "Bearer", "expires_in": self.lives, "access_token": token})
        if self.valid.get(asked.headers.get("authorization", ""), 0.0) < time.monotonic():
            return Answer({"error": {"code": "InvalidAuthenticationToken"}}, 401)
        if asked.path.endswith("/managedDeviceOverview"):
            return Answer({"enrolledDeviceCount": self.counted})
        if (id_ := asked.path.partition("/managedDevices/")[2]) != "":
            one = next((device for device in self.devices if device["id"] == id_), None)
            return Answer(one) if one else Answer({"error": {"code": "ResourceNotFound"}}, 404)
        if asked.path.endswith("/deviceComplianceSettingStates"):
            states = [{"deviceId": each["id"], "state": "nonCompliant"} for each in self.devices if each.get("bare")]
            return Answer({"value": states})
        if asked.path == "/v1.0/deviceManagement":
            return Answer({"settings": {"secureByDefault": False}})
        start = int(asked.query.get("$skiptoken", 0))
        page: dict[str, Any] = {"value": self.devices[start : start + self.per_page]}
        if start + self.per_page < len(self.devices):
            host = asked.headers["host"]
            page["@odata.nextLink"] = f"http://{host}{asked.path}?$skiptoken={start + self.per_page}"
        return Answer(page)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[Any]]:
    (tmp_path / "secret").write_text(SECRET + "\n")
    (tmp_path / "wrong").write_text("canary-wrong\n")

    def read_tenant(tenancy: Tenancy, seconds: float = 60.0, **options: Any) -> list[Any]:
        with Vendor(tenancy) as vendor:
            said = {"tenant": "contoso", "client_id": "abc", "client_secret_file": "secret", "url": vendor.url}
            said |= {"login_url": vendor.url, "rate": "1000/s", **options}
            config = intune.Config.model_validate(said)
            session = Session(time.monotonic() + seconds, base=tmp_path)
            return list(intune.parse(intune.fetch(config, session), config))

    return read_tenant


def devices(records: list[Any]) -> list[Device]:
    return [record for record in records if isinstance(record, Device)]


def test_every_page_is_read_to_the_true_end(read: Callable[..., list[Any]]) -> None:
    found = read(Tenancy([raw(number) for number in range(250)]))
    assert [device.serial for device in devices(found)] == [f"SER{number}" for number in range(250)]
    assert Tenant(unassigned_is_compliant=True) in found


def test_m03_a_token_that_ends_in_the_middle_of_the_pages_is_renewed_and_nothing_is_missing(
    read: Callable[..., list[Any]],
) -> None:
    tenancy = Tenancy([raw(number) for number in range(500)])
    tenancy.per_page, tenancy.lives = 10, 0.4
    found = read(tenancy, rate="60/s")
    assert len(devices(found)) == 500
    assert next(tenancy.taken) > 2


def test_m04_a_page_that_fails_again_and_again_ends_the_collection(read: Callable[..., list[Any]]) -> None:
    def second_fails(asked: Asked) -> Answer | None:
        return Answer({}, 500) if asked.query.get("$skiptoken") == "100" else None

    with pytest.raises(IncompleteError, match=r"^GET /v1\.0/deviceManagement/managedDevices: status 500, page 2$"):
        read(Tenancy([raw(number) for number in range(250)], second_fails))


def test_fewer_devices_than_the_tenant_counts_are_incomplete(read: Callable[..., list[Any]]) -> None:
    tenancy = Tenancy([raw(number) for number in range(100)])
    tenancy.counted = 300
    with pytest.raises(IncompleteError, match="100 devices, where 300 are counted"):
        read(tenancy)
    tenancy.counted = 103
    assert len(devices(read(tenancy))) == 100


def test_m23_a_next_page_on_another_host_is_not_followed_and_the_token_not_sent(read: Callable[..., list[Any]]) -> None:
    def elsewhere(asked: Asked) -> Answer | None:
        if asked.path.endswith("/managedDevices"):
            return Answer({"value": [raw(1)], "@odata.nextLink": "https://evil.example.com/v1.0/x"})
        return None

    with pytest.raises(ForeignLinkError, match=r"leads to https://evil\.example\.com"):
        read(Tenancy([raw(1)], elsewhere))


def test_a_tenant_whose_settings_may_not_be_read_says_nothing_about_them(read: Callable[..., list[Any]]) -> None:
    def private(asked: Asked) -> Answer | None:
        return Answer({}, 403) if asked.path == "/v1.0/deviceManagement" else None

    assert Tenant() in read(Tenancy([raw(1)], private))


def test_a_device_without_a_policy_is_no_compliant_and_no_noncompliant_one(read: Callable[..., list[Any]]) -> None:
    tenancy = Tenancy(
        [raw(1), raw(2, bare=True, complianceState="noncompliant"), raw(3, complianceState="noncompliant")]
    )
    assert [device.compliance for device in devices(read(tenancy))] == ["compliant", "no_policy", "noncompliant"]
    tenancy.spoil = lambda asked: Answer({}, 403) if "SettingState" in asked.path else None
    assert [device.compliance for device in devices(read(tenancy))] == ["compliant", "noncompliant", "noncompliant"]


@pytest.mark.parametrize("status", [403, 404])
def test_which_devices_have_no_policy_is_known_where_it_may_be_asked_for_and_matters(
    read: Callable[..., list[Any]], status: int
) -> None:
    def policies(secure: bool, refused: bool = False) -> bool:
        def spoil(asked: Asked) -> Answer | None:
            if refused and "SettingState" in asked.path:
                return Answer({}, status)
            return Answer({"settings": {"secureByDefault": secure}}) if asked.path == "/v1.0/deviceManagement" else None

        [tenant] = [each for each in read(Tenancy([raw(1)], spoil)) if isinstance(each, Tenant)]
        assert isinstance(tenant.policies, bool)
        return tenant.policies

    assert policies(True)
    assert not policies(False)
    assert not policies(True, refused=True)


@pytest.mark.parametrize("path", [".*SettingStates", "/v1.0/deviceManagement", "/v1.0/applications.*"])
def test_half_an_answer_about_the_tenant_is_no_word_that_there_is_nothing(
    read: Callable[..., list[Any]], path: str
) -> None:
    with pytest.raises(BadReplyError):
        read(Tenancy([raw(1)], lambda asked: Answer(b'{"value": [') if re.fullmatch(path, asked.path) else None))


def test_a_wrong_secret_is_told_as_such_and_not_repeated(read: Callable[..., list[Any]]) -> None:
    with pytest.raises(AuthError) as caught:
        read(Tenancy([raw(1)]), client_secret_file="wrong")
    assert "canary" not in str(caught.value)


def test_consent_that_was_revoked_is_forbidden(read: Callable[..., list[Any]]) -> None:
    def revoked(asked: Asked) -> Answer | None:
        return Answer({}, 403) if asked.path.endswith("/managedDevices") else None

    with pytest.raises(ForbiddenError):
        read(Tenancy([raw(1)], revoked))


def test_only_reads_are_sent(read: Callable[..., list[Any]]) -> None:
    asked: list[Asked] = []

    def watch(one: Asked) -> Answer | None:
        asked.append(one)
        return None

    read(Tenancy([raw(number) for number in range(150)], watch))
    assert {(one.method, one.path) for one in asked if one.method != "GET"} == {("POST", "/contoso/oauth2/v2.0/token")}


def parsed(*values: Any, **reply: Any) -> list[Any]:
    config = intune.Config(tenant="t", client_id="c", client_secret_file="s")
    whole = {
        "overview": {},
        "settings": None,
        "secrets": [],
        "without": [],
        "pages": [{"value": list(values)}],
        **reply,
    }
    return list(intune.parse(whole, config))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"lastSyncDateTime": "0001-01-01T00:00:00Z"}, {"checkin": NEVER}),
        ({"lastSyncDateTime": "9999-12-31T23:59:59.9999999Z"}, {"checkin": None}),
        ({"lastSyncDateTime": None}, {"checkin": None}),
        ({"complianceState": "inGracePeriod"}, {"compliance": "grace"}),
        ({"complianceState": "conflict"}, {"compliance": "noncompliant"}),
        ({"complianceState": "configManager"}, {"compliance": "unknown"}),
        ({"complianceState": "something new"}, {"compliance": "unknown"}),
        ({"serialNumber": None, "deviceName": {}}, {"serial": "", "name": ""}),
        ({"managementState": "wipePending"}, {"orders": (Order("wipe", None, "pending"),)}),
        ({"managementState": "wipeFailed"}, {"orders": (Order("wipe", None, "failed"),)}),
        *(
            (
                {"deviceActionResults": [{"actionName": "factoryReset", "actionState": said}]},
                {"orders": (Order("wipe", None, progress),)},
            )
            for said, progress in (
                ("none", "pending"),
                ("active", "pending"),
                ("something new", "pending"),
                (None, "pending"),
                ("done", "done"),
                ("canceled", "done"),
                ("notSupported", "failed"),
            )
        ),
        (
            {
                "managementState": "wipePending",
                "deviceActionResults": [
                    {"actionName": "wipe", "actionState": "active", "startDateTime": "2026-01-05T08:15:00Z"},
                    {"actionName": "locateDevice", "actionState": "done", "startDateTime": "2026-01-05T08:15:00Z"},
                    None,
                ],
            },
            {"orders": (Order("wipe", 1767600900.0, "pending"), Order("other", 1767600900.0, "done"))},
        ),
    ],
)
def test_what_a_device_says_is_read_by_the_documents(said: dict[str, Any], expected: dict[str, Any]) -> None:
    [device] = devices(parsed(raw(1, **said)))
    assert {name: getattr(device, name) for name in expected} == expected


@pytest.mark.parametrize(
    "pages",
    [["<html>"], [{"value": None}], [[]], [{"value": [None]}], [{"value": [{}]}], [{"value": [{"id": ""}]}], [{}]],
)
def test_another_shape_than_documented_is_a_bad_reply(pages: list[Any]) -> None:
    with pytest.raises(BadReplyError):
        parsed(pages=pages)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(intune.FIELDS), _JSON)), _JSON, _JSON)
@settings(max_examples=50, deadline=None)
def test_no_reply_does_anything_but_give_records_or_a_reason(values: list[Any], overview: Any, said: Any) -> None:
    try:
        found = devices(parsed(*values, overview=overview, settings=said))
    except PollError:
        return
    assert [device.id for device in found] == [text(value, "id") for value in values]
