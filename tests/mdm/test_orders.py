"""A wipe that waits is looked at alone each minute, and the rest is read when it is due."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.mdm.world import HOUR, World, iso, world

NOON = datetime(2026, 1, 7, 12, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()


def order(state: str, since: float) -> dict[str, object]:
    return {"actionName": "wipe", "actionState": state, "startDateTime": iso(since)}


def shown(here: World, name: str) -> dict[str, float]:
    """Values of a family by device."""
    return {labels["device"]: value for labels, value in here.samples(name)}


def test_m15_only_devices_whose_wipe_waits_are_read_until_all_are_due(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, deviceActionResults=[order("pending", NOON)])
        here.change(8, deviceActionResults=[{**order("pending", NOON), "actionName": "remoteLock"}])
        here.collect(NOON + 60)
        here.change(7, lastSyncDateTime=iso(NOON + 90))
        here.change(9, lastSyncDateTime=iso(NOON + 90))
        here.collect(NOON + 120)
        assert [asked.path.rpartition("/")[2] for asked in here.asked()] == ["token", here.tenancy.devices[7]["id"]]
        assert shown(here, "wipe_last_checkin_timestamp_seconds") == {"T7": NOON + 90}
        assert shown(here, "device_action_pending_timestamp_seconds") == {"T7": NOON, "T8": NOON}
        # As of the last time that all were read.
        assert shown(here, "device_last_checkin_timestamp_seconds")["T7"] == NOON - HOUR
        here.collect(NOON + 60 + 0.9 * 900)
        assert shown(here, "device_last_checkin_timestamp_seconds")["T9"] == NOON + 90


def test_m15_a_wipe_that_is_seen_done_is_watched_no_more(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, deviceActionResults=[order("pending", NOON)])
        here.change(8, deviceActionResults=[order("failed", NOON)])
        here.collect(NOON + 60)
        assert here.again_in == 60.0
        here.change(7, deviceActionResults=[order("done", NOON)])
        here.collect(NOON + 120)
        assert shown(here, "device_action_pending_timestamp_seconds") == {"T8": NOON}
        assert shown(here, "device_action_failed") == {"T8": 1.0}
        assert here.again_in == pytest.approx(0.9 * 900 - 60)


def test_m15_one_that_cannot_be_read_alone_goes_on_waiting_until_all_are_read(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, deviceActionResults=[order("pending", NOON)])
        here.collect(NOON + 60)
        here.list([each for each in here.tenancy.devices if each["serialNumber"] != "SER7"])
        here.collect(NOON + 120)
        assert shown(here, "device_action_pending_timestamp_seconds") == {"T7": NOON}
        assert here.states() == {"fresh": 100}
        assert here.again_in == 60.0
        here.collect(NOON + 900)
        assert here.states() == {"fresh": 99, "gone_from_mdm": 1}
        assert shown(here, "device_action_pending_timestamp_seconds") == {"T7": NOON}
        assert shown(here, "device_action_failed") == {}


def test_the_watch_keeps_to_the_accounts_budget(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, deviceActionResults=[order("pending", NOON)])
        here.collect(NOON, allowance=500)
        # A token and a device: two requests, which 493 pay for so often in a day.
        assert here.again_in == pytest.approx(86400 * 2 / 496, rel=0.02)
