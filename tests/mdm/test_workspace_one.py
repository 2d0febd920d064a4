"""Workspace ONE: both ways in, and what its list means by devices that are not managed (any more)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.mdm.talk import SECRET, collect, devices, fixture
from yardlight.client import basic
from yardlight.inventory.values import Secret
from yardlight.mdm.device import Order
from yardlight.mdm.platforms.workspace_one import Config

OAUTH = {"client_id": "abc", "client_secret_file": "secret", "login_url": "https://login.example.com"}
BASIC = {"username": "reader", "password_file": "secret"}


def test_a_token_and_the_tenants_key_go_with_each_question(tmp_path: Path) -> None:
    _, _, asked = collect("workspace_one", tmp_path)
    assert asked[0].form == {"grant_type": "client_credentials", "client_id": "abc", "client_secret": SECRET}
    sent = {(one.headers["authorization"], one.headers["aw-tenant-code"]) for one in asked[1:]}
    assert sent == {("Bearer token-1", SECRET)}


def test_a_password_and_the_tenants_key_do_as_well(tmp_path: Path) -> None:
    said = fixture("workspace_one")
    said["options"] = {"tenant_code_file": "secret", **BASIC}
    records, _, asked = collect("workspace_one", tmp_path, said)
    expected = basic("reader", Secret(SECRET)).headers()["Authorization"]
    assert {(one.headers["authorization"], one.headers["aw-tenant-code"]) for one in asked} == {(expected, SECRET)}
    assert len(devices(records)) == 4


@pytest.mark.parametrize("said", [{}, {**OAUTH, **BASIC}, {"username": "reader"}, {**BASIC, "client_id": "abc"}])
def test_there_is_one_way_in_and_it_is_whole(said: dict[str, str]) -> None:
    with pytest.raises(
        ValidationError, match="write username with password_file, or client_id with client_secret_file"
    ):
        Config(url="https://ws1.example.com", tenant_code_file="secret", **said)  # type: ignore[arg-type]


def test_what_is_listed_and_not_enrolled_counts_as_listed_and_is_no_device(tmp_path: Path) -> None:
    records, _, _ = collect("workspace_one", tmp_path)
    assert [device.serial for device in devices(records)] == ["R5T112", "R5T113", "R5T114", "R5T116"]


@pytest.mark.parametrize("status", ["Unenrolled", "Retired", "DeviceRetired", "UnenrolledByFeedbackService"])
def test_what_has_left_is_no_device_that_is_managed(tmp_path: Path, status: str) -> None:
    said = json.loads(json.dumps(fixture("workspace_one")).replace('"Enrolled"', f'"{status}"'))
    assert {device.orders for device in devices(collect("workspace_one", tmp_path, said)[0])} <= {
        (Order("wipe", None, "pending"),),
        (Order("retire", None, "pending"),),
    }


def test_no_devices_at_all_are_none(tmp_path: Path) -> None:
    said = fixture("workspace_one")
    said["exchanges"] = [said["exchanges"][0], {"ask": said["list"], "status": 204, "say": None}]
    assert collect("workspace_one", tmp_path, said)[0] == []
