"""SOTI MobiControl: how its API wants to be asked, and which of a device's times is its last word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mdm.talk import SECRET, collect, fixture
from yardlight.client import basic
from yardlight.inventory.values import Secret
from yardlight.mdm.device import Device
from yardlight.mdm.platforms import soti_mobicontrol
from yardlight.moment import NEVER, Moment


def test_a_token_is_taken_with_the_client_and_the_users_password(tmp_path: Path) -> None:
    _, _, asked = collect("soti_mobicontrol", tmp_path)
    assert asked[0].form == {"grant_type": "password", "username": "reader", "password": SECRET}
    assert asked[0].headers["authorization"] == basic("abc", Secret(SECRET)).headers()["Authorization"]
    assert {one.headers["authorization"] for one in asked[1:]} == {"Bearer token-1"}


def test_pages_end_where_there_are_no_devices_however_long_they_are(tmp_path: Path) -> None:
    said = fixture("soti_mobicontrol")
    listed = said["exchanges"][1]["say"]
    pages = [[{**listed[0], "DeviceId": f"d-{number}"} for number in range(start, start + 3)] for start in (0, 3, 6)]
    pages.append([{**listed[0], "DeviceId": "d-9"}])
    exchanges = [
        {"ask": said["list"], "when": {"skip": str(skip)}, "say": say}
        for skip, say in zip((0, 3, 6, 9, 10), [*pages, []], strict=True)
    ]
    records, told, _ = collect("soti_mobicontrol", tmp_path, {**said, "exchanges": [said["exchanges"][0], *exchanges]})
    assert told.unknown == []
    assert [record.id for record in records if isinstance(record, Device)] == [f"d-{number}" for number in range(10)]


@pytest.mark.parametrize(
    ("times", "last_word"),
    [
        ({"LastCheckInTime": "2026-01-05T08:15:00Z", "LastAgentDisconnectTime": "2026-01-05T08:15:01Z"}, 1767600901.0),
        ({"LastCheckInTime": "2026-01-05T08:15:00", "LastStatusUpdate": None}, 1767622500.0),
        ({"LastCheckInTime": None, "LastAgentConnectTime": None}, NEVER),
        ({"LastCheckInTime": None, "LastStatusUpdate": "soon"}, None),
        ({}, None),
    ],
)
def test_the_last_word_is_the_latest_of_its_times(times: dict[str, Any], last_word: Moment) -> None:
    config = soti_mobicontrol.Config(
        url="https://soti.example.com",
        client_id="a",
        client_secret_file="s",
        username="u",
        password_file="s",
        timezone="America/Chicago",
    )
    [device] = soti_mobicontrol.parse([[{"DeviceId": "d-1", **times}]], config)
    assert isinstance(device, Device)
    assert device.checkin == last_word
