"""Rows of mdm.yml from an MDM's API to what rings: real HTTP, the inventory as written, the shipped rules."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.mdm.test_intune import raw
from tests.mdm.world import DAY, HOUR, TRUCKS, iso, world
from tests.vendor import Answer, Asked
from yardlight import client
from yardlight.errors import PollError

LA = ZoneInfo("America/Los_Angeles")
# A Wednesday at noon.
NOON = datetime(2026, 1, 7, 12, tzinfo=LA).timestamp()
MONDAY = datetime(2026, 1, 12, 5, 1, tzinfo=LA).timestamp()
SILENT, GONE = ("DevicesSilent", "drivers"), ("DevicesGoneFromMdm", "drivers")

pytestmark = pytest.mark.needs("promtool")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)


def test_m01_m02_while_the_api_is_down_no_device_changes_state_and_what_was_read_stays(tmp_path: Path) -> None:
    def down(asked: Asked) -> Answer | None:
        return Answer({"error": "down"}, 503)

    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.collect(NOON)
        before, here.tenancy.spoil = here.text, down
        for hour in range(1, 7):
            with pytest.raises(PollError):
                here.collect(NOON + hour * HOUR)
        assert here.text == before
        assert here.alerts() == set()


def test_m06_a_clean_up_takes_the_silent_away_and_they_are_gone(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        for number in range(40):
            here.change(number, lastSyncDateTime=iso(NOON - 40 * DAY))
        here.collect(NOON)
        assert here.alerts() == {SILENT}
        here.list(here.tenancy.devices[40:])
        here.collect(NOON + HOUR)
        assert here.states() == {"fresh": 60, "gone_from_mdm": 40}
        # That the other one stays is a matter of time, which the rule tests have; this page stands alone.
        assert here.alerts() == {GONE}


def test_m08_an_eighth_of_the_drivers_is_silent_on_duty(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        for number in range(9):
            here.change(number, lastSyncDateTime=iso(NOON - 3 * DAY))
        here.collect(NOON)
        assert here.alerts() == set()
        for number in range(9, 12):
            here.change(number, lastSyncDateTime=iso(NOON - 3 * DAY))
        here.collect(NOON + 900)
        assert here.states() == {"fresh": 88, "stale": 12}
        assert here.alerts() == {SILENT}


def test_m09_m10_a_weekend_off_is_silence_that_was_expected_and_monday_rings_nobody(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(MONDAY - 2 * DAY - 11 * HOUR)
        for at in (MONDAY - 6 * HOUR, MONDAY):
            here.collect(at)
            assert here.states() == {"expected_silent": TRUCKS}
            assert here.alerts() == set()


def test_m13_one_that_never_spoke_has_no_age(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, lastSyncDateTime="0001-01-01T00:00:00Z", enrolledDateTime=iso(NOON - 4 * DAY))
        here.collect(NOON)
        assert here.states() == {"fresh": 99, "never": 1}
        assert here.alerts() == {("DevicesNeverCheckedIn", "drivers")}


def order(state: str, since: float) -> dict[str, object]:
    return {"actionName": "wipe", "actionState": state, "startDateTime": iso(since)}


def test_m15_m16_a_wipe_that_waits_is_watched_and_told(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON - HOUR)
        here.change(7, deviceActionResults=[order("pending", NOON)])
        here.collect(NOON + HOUR)
        assert here.again_in == 60.0
        assert here.alerts() == set()
        here.change(7, lastSyncDateTime=iso(NOON + HOUR))
        here.collect(NOON + HOUR + 1000)
        assert here.alerts() == {("WipeUnconfirmed", "T7")}
        here.change(7, deviceActionResults=[order("done", NOON)])
        here.collect(NOON + 2 * HOUR)
        assert here.again_in is None
        assert here.alerts() == set()
        here.change(7, deviceActionResults=[order("failed", NOON)])
        here.collect(NOON + 3 * HOUR)
        assert here.alerts() == {("WipeUnconfirmed", "T7")}


def test_m18_m19_below_standard_and_on_one_side_only(tmp_path: Path) -> None:
    with world(tmp_path, TRUCKS + 1) as here:
        here.tablets(NOON - HOUR)
        for number in range(25):
            here.change(number, osVersion="12")
        here.list([*here.tenancy.devices, raw(900, lastSyncDateTime=iso(NOON - HOUR))])
        here.collect(NOON)
        assert here.alerts() == {("DevicesBelowStandard", "drivers"), ("RosterMismatch", "")}
        assert (
            'yardlight_devices_below_standard{account="graph",fleet="inland",group="drivers",standard="os"} 25.0'
            in (here.text)
        )


def test_m24_m25_a_clock_that_is_ahead_and_a_group_that_is_renamed_make_nobody_silent(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.tablets(NOON + 2 * HOUR)
        here.collect(NOON)
        assert here.alerts() == {("ClockSkewed", "graph")}
        here.tablets(NOON, deviceCategoryDisplayName="Road Staff")
        here.collect(NOON + HOUR)
        assert here.states() == {"fresh": TRUCKS}
        assert here.alerts() == set()
