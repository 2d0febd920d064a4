"""Rows of mdm.yml from an MDM's API to who is told what: real HTTP, polls as they run, the shipped rules, over time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.history import Alert, Told, Words
from tests.mdm.days import DAY, HOUR, MINUTE, TABLETS, Days
from tests.vendor import Answer, Asked, Vendor
from yardlight.demo.mdm import FakeTablet, fake_tablets
from yardlight.demo.mdm_faces import Intune

LA = ZoneInfo("America/Los_Angeles")
ROWS = {
    row["id"]: row["expect"]
    for row in yaml.safe_load((Path(__file__).parents[1] / "faults" / "mdm.yml").read_text(encoding="utf-8"))
}
SILENT = "ticket DevicesSilent drivers"

pytestmark = pytest.mark.needs("promtool")


def at(day: str, clock: str = "12:00") -> float:
    """A local time as an instant."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=LA).timestamp()


# A Wednesday.
NOON = at("2026-01-07")


def rung(days: Days, row: str, *texts: tuple[str, float], besides: Iterable[str] = (), **names: str) -> Rung:
    """What fired, which is what the row says and what the test has `besides`; `names` are its `tablet` or `truck`."""
    told, words = days.told(*texts)
    expected = [f"{severity} {each}" for severity in ("page", "ticket") for each in ROWS[row].get(severity, [])]
    for kind, name in names.items():
        expected = [each.replace(f" {kind}", f" {name}") for each in expected]
    left = [*expected, *besides]
    for alert in told:
        audience = "oncall" if alert.what.startswith("page") else "noc"
        match = next((each for each in left if alert.what == each or alert.what.startswith(f"{each} ")), None)
        assert match is not None, f"{alert.what} fired"
        assert alert.audience == audience
        left.remove(match)
    assert not left, "did not fire"
    return Rung(told, words)


class Rung:
    """What fired, and the words that were asked for."""

    def __init__(self, told: dict[Alert, Told], words: list[Words]) -> None:
        self._told, self.words = told, words

    def when(self, name: str) -> Told:
        """When the one alert of this name fired."""
        [found] = [told for alert, told in self._told.items() if name in alert.what]
        return found


def test_m01_m02_an_api_that_is_down_for_hours_and_over_a_restart_is_one_ticket(tmp_path: Path) -> None:
    down, up = NOON + 20 * MINUTE, NOON + 6.5 * HOUR
    seen = []
    with Days(tmp_path, NOON, step=5 * MINUTE) as days:
        days.mdm.silence(days.mdm.of("drivers")[:5], NOON - 2 * DAY)
        days.at(down, lambda: days.mdm.switch("down"))
        days.at(down + 3 * HOUR, days.restart)
        for hour in range(6):
            days.at(down + hour * HOUR + 30 * MINUTE, lambda: seen.append((days.count("fresh"), days.count("stale"))))
        days.at(down + 3 * HOUR + 5 * MINUTE, lambda: seen.append(days.page()))
        days.at(up, lambda: setattr(days.mdm.faults, "down", False))
        days.until(NOON + 8 * HOUR)
        rang = rung(days, "M01", ("AccountFailing", down + 4 * HOUR))
        assert ROWS["M02"]["ticket"] == ROWS["M01"]["ticket"]
    [restarted] = [each for each in seen if isinstance(each, list)]
    assert {each for each in seen if isinstance(each, tuple)} == {(TABLETS - 5, 5)}
    as_of = next(each.body.decode() for each in restarted if "last_success" in each.metric.name and each.body)
    assert NOON <= float(as_of.split()[-1]) < down
    told = rang.when("AccountFailing")
    # Two collections and their deadline after the last complete one.
    assert 30 * MINUTE <= told.first - down <= 55 * MINUTE
    assert up <= told.last < up + 40 * MINUTE
    assert "graph cannot be read; its last good data is from" in rang.words[0]["summary"]
    assert "mdm/tablets fails with server_error" in rang.words[0]["description"]


def test_m03_tokens_that_end_in_the_middle_of_the_pages_are_renewed(tmp_path: Path) -> None:
    with Days(tmp_path, NOON, step=5 * MINUTE) as days:
        ticks = itertools.count()
        days.mdm.page, days.mdm.lives = 5, 9.0
        # Each request takes a second by the clock of the one who gives tokens.
        days.intune = Intune(days.mdm, days.vendor.url, lambda: float(next(ticks)))
        days.until(NOON + HOUR)
        assert days.intune.tokens.given > 8
        assert days.count("fresh") == TABLETS
        rung(days, "M03")


@pytest.mark.parametrize("row", ["M04", "M05", "M23"])
def test_m04_m05_m23_what_is_not_complete_changes_nothing_and_is_one_ticket(tmp_path: Path, row: str) -> None:
    pages, bad, good = itertools.count(1), NOON + 20 * MINUTE, NOON + 2 * HOUR

    def spoilt(asked: Asked) -> Answer | None:
        if not asked.path.endswith("/managedDevices") or not bad <= days.clock.time() < good:
            return None
        if row == "M04" and next(pages) % 2 == 0:
            return Answer({"error": {"code": "InternalServerError"}}, 500)
        if row == "M23":
            return Answer({"value": [], "@odata.nextLink": f"{elsewhere.url}/v1.0/deviceManagement/managedDevices"})
        return None

    with Vendor(lambda asked: Answer({"value": []})) as elsewhere, Days(tmp_path, NOON) as days:
        days.mdm.page, days.spoil = 20, spoilt
        if row == "M05":
            days.at(bad, lambda: setattr(days.mdm.faults, "empty", True))
            days.at(good, lambda: days.mdm.switch("heal"))
        seen = []
        days.at(good - MINUTE, lambda: seen.append((days.count("fresh"), days.count("gone_from_mdm"))))
        days.until(good + HOUR)
        told = rung(days, row).when("CollectionIncomplete")
        assert seen == [(TABLETS, 0)]
        assert bad + 30 * MINUTE <= told.first <= bad + 55 * MINUTE
        assert told.last < good + 40 * MINUTE
        assert elsewhere.asked == []


def test_m06_a_clean_up_takes_forty_silent_tablets_away_and_nothing_resolves(tmp_path: Path) -> None:
    swept = NOON + HOUR
    with Days(tmp_path, NOON) as days:
        days.mdm.silence(days.mdm.of("drivers")[:40], NOON - 40 * DAY)
        days.at(swept, days.mdm.clean_up)
        days.until(NOON + 3 * HOUR)
        rang = rung(days, "M06", ("DevicesGoneFromMdm", NOON + 2.5 * HOUR), besides=[SILENT])
    assert rang.when("DevicesSilent").last == NOON + 3 * HOUR
    assert rang.when("DevicesSilent").count >= 178
    # Two collections and their deadline after the first one that does not have them; pages and rules come each minute.
    assert 40 * MINUTE <= rang.when("DevicesGone").first - swept <= 60 * MINUTE
    [said] = rang.words
    assert said["summary"] == (
        "Tablets of drivers: 40 are no longer in the MDM (graph) and still ours. Nobody manages them, and nothing else"
        " would tell. The board has the list."
    )
    assert "T-101, T-102" in said["description"]
    assert "and 20 more" in said["description"]
    assert said["dashboard_url"].endswith("/d/yardlight-tablets?var-fleet=inland&var-account=graph")


def test_m07_a_tablet_that_is_retired_and_struck_from_the_roster_is_gone_without_a_word(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:

        def retire() -> None:
            days.mdm.gone.add("T-107")
            del days.trucks["T-107"]
            days.restart()

        days.at(NOON + 20 * MINUTE, retire)
        days.until(NOON + 2 * HOUR)
        rung(days, "M07")
        assert (days.count("fresh"), days.count("gone_from_mdm")) == (TABLETS - 1, 0)
        assert b"T-107" not in b"".join(each.body for each in days.page())


def test_m08_an_eighth_of_the_drivers_is_silent_for_24_hours_of_duty_and_told_once_with_its_list(
    tmp_path: Path,
) -> None:
    heal = NOON + 40 * MINUTE
    with Days(tmp_path, NOON) as days:
        # Monday from 18:00, Tuesday, and Wednesday until noon: 2, 15 and 7 hours of duty.
        days.mdm.silence(days.mdm.of("drivers")[:12], at("2026-01-05", "18:00"))
        days.at(heal, lambda: days.mdm.switch("heal"))
        days.until(NOON + HOUR)
        rang = rung(days, "M08", ("DevicesSilent", NOON + 10 * MINUTE))
    assert rang.when("DevicesSilent").first <= NOON + 2 * MINUTE
    assert rang.when("DevicesSilent").last < heal + 17 * MINUTE
    [said] = rang.words
    assert "12% have gone silent (12 of 100, at hours when they should speak)" in said["summary"]
    assert all(f"T-{number}" in said["description"] for number in range(101, 113))


def test_m08_twelve_hours_of_duty_are_the_limit_and_nights_do_not_count(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        # Tuesday from 15:30 and Wednesday until 12:30.
        days.mdm.silence(days.mdm.of("drivers")[:12], at("2026-01-06", "15:30"))
        days.until(NOON + HOUR)
        told = rung(days, "M08").when("DevicesSilent")
    assert 30 * MINUTE <= told.first - NOON <= 48 * MINUTE


def test_m09_m10_a_weekend_off_is_expected_and_monday_morning_rings_nobody(tmp_path: Path) -> None:
    seen = []
    friday, monday = at("2026-01-09", "18:00"), at("2026-01-12", "05:01")
    with Days(tmp_path, friday - HOUR, step=30 * MINUTE) as days:
        days.poll, everybody = "1h", days.mdm.of("drivers")
        days.at(friday, lambda: days.mdm.silence(everybody, friday))
        days.at(at("2026-01-11"), lambda: seen.append(days.count("expected_silent")))
        days.at(monday + 29 * MINUTE, lambda: seen.append(days.count("expected_silent")))
        days.at(monday + 30 * MINUTE, lambda: days.mdm.switch("heal"))
        days.until(monday + 2 * HOUR)
        rung(days, "M09")
        assert not ROWS["M10"]["ticket"]
        assert seen == [TABLETS, TABLETS]
        assert days.count("fresh") == TABLETS


def trucks(days: Days) -> list[str]:
    return [each.name.removeprefix("T-") for each in days.mdm.of("drivers")]


def test_m11_a_truck_that_moves_while_its_tablet_is_silent_has_trouble_with_the_tablet(tmp_path: Path) -> None:
    """Silence counts from when the truck set out, so that trucks which stand, or set out just now, are not told."""
    five = at("2026-01-07", "05:00")
    with Days(tmp_path, five, step=5 * MINUTE) as days:
        days.positions = dict.fromkeys(trucks(days), (None, False))
        days.positions |= dict.fromkeys(trucks(days)[50:], (None, True))
        days.mdm.silence(days.mdm.of("drivers")[:16], five)
        for truck, sets_out, hours in (("107", 0, 3), ("108", 10.5, 3), ("109", 0, 0.5)):
            moves, stands = {truck: (None, True)}, {truck: (None, False)}
            days.at(five + sets_out * HOUR + 5 * MINUTE, partial(days.positions.update, moves))
            days.at(five + (sets_out + hours) * HOUR + 5 * MINUTE, partial(days.positions.update, stands))
        days.until(five + 13.5 * HOUR)
        rang = rung(days, "M11", ("TabletSilentWhileMoving", five + 13.25 * HOUR), truck="107")
        assert days.count("stale") == 16
    # The limit is 12 hours of duty; the truck set out after five minutes, and is read every five.
    assert 12 * HOUR + 5 * MINUTE <= rang.when("TabletSilentWhileMoving").first - five <= 12 * HOUR + 35 * MINUTE
    said = rang.words[0]
    assert said["summary"].startswith(
        "Truck 107 is on the road, and its tablet has said nothing since before it set out"
    )
    assert said["summary"].endswith("It is the tablet, not the truck.")
    assert "tablet T-107." in said["description"]


def test_m12_a_truck_that_is_as_silent_as_its_tablet_is_off_or_out_of_coverage(tmp_path: Path) -> None:
    monday = at("2026-01-05", "18:00")
    with Days(tmp_path, monday + 46 * HOUR, step=5 * MINUTE) as days:
        days.positions = dict.fromkeys(trucks(days), (None, True)) | {"107": (monday, True), "108": (monday, True)}
        days.mdm.silence(days.mdm.of("drivers")[6:8], monday + MINUTE)
        days.trucks["T-108"] = days.trucks["T-108"].replace(",active", ",repair")
        days.until(monday + 49 * HOUR)
        rang = rung(days, "M12", ("TruckDark", monday + 48.5 * HOUR), truck="107")
    assert 48 * HOUR <= rang.when("TruckDark").first - monday <= 48 * HOUR + 10 * MINUTE
    assert rang.words[0]["summary"].endswith("It is off, or out of coverage; call the driver.")


def test_m13_one_that_was_enrolled_three_days_ago_and_never_spoke_has_no_age(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        box = days.mdm.named("T-107")
        box.never_spoke, box.enrolled = True, NOON - 3 * DAY + 20 * MINUTE
        days.until(NOON + HOUR)
        rang = rung(days, "M13", ("DevicesNeverCheckedIn", NOON + 50 * MINUTE))
        assert (days.count("never"), days.count("fresh")) == (1, TABLETS - 1)
        assert ages_of(days, "T-107") == []
    assert 20 * MINUTE <= rang.when("DevicesNeverCheckedIn").first - NOON <= 38 * MINUTE
    assert "1 enrolled three days ago or more and never spoke" in rang.words[0]["summary"]


def ages_of(days: Days, device: str) -> list[str]:
    lines = (line for each in days.page() for line in each.body.decode().splitlines())
    return [line for line in lines if "last_checkin_timestamp_seconds{" in line and f'device="{device}"' in line]


def test_m14_the_years_1_and_9999_are_no_check_ins(tmp_path: Path) -> None:
    with Days(tmp_path, NOON, step=5 * MINUTE) as days:
        never, ends = days.mdm.named("T-107"), days.mdm.named("T-108")
        never.never_spoke, never.enrolled = True, NOON - DAY
        ends.last_word = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
        days.until(NOON + HOUR)
        rung(days, "M14")
        assert (days.count("never"), days.count("unknown"), days.count("fresh")) == (1, 1, TABLETS - 2)
        assert ages_of(days, "T-107") == ages_of(days, "T-108") == []
        older = [line for each in days.page() for line in each.body.decode().splitlines() if "older_than{" in line]
        for age in ("86400", "1209600"):
            assert {line.split()[-1] for line in older if f'age_seconds="{age}"' in line} == {"0.0"}


def test_m15_a_wipe_that_waits_while_its_tablet_is_on_line_is_told_after_fifteen_minutes(tmp_path: Path) -> None:
    online = NOON + 20 * MINUTE
    with Days(tmp_path, NOON) as days:
        lost = days.mdm.named("T-107")
        lost.last_word, lost.wipe = NOON - 5 * HOUR, NOON - HOUR
        days.at(online, lambda: setattr(lost, "last_word", online))
        days.at(NOON + HOUR, lambda: setattr(lost, "wipe_state", "done"))
        days.until(NOON + 1.5 * HOUR)
        rang = rung(days, "M15", ("WipeUnconfirmed", NOON + 50 * MINUTE), tablet="T-107")
    told = rang.when("WipeUnconfirmed")
    # It is read each minute, or it would take a quarter of an hour more.
    assert 15 * MINUTE <= told.first - online <= 18 * MINUTE
    assert told.last <= NOON + HOUR + 3 * MINUTE
    assert rang.words[0]["summary"].startswith(
        "Yardlight cannot see what is on tablet T-107 or whether it was erased. It"
    )
    assert "has been online since its wipe was ordered, and is not wiped" in rang.words[0]["summary"]


@pytest.mark.parametrize("how", ["pending", "failed"])
def test_m16_a_wipe_that_waits_for_a_day_or_failed_pages(tmp_path: Path, how: str) -> None:
    with Days(tmp_path, NOON) as days:
        lost = days.mdm.named("T-107")
        lost.last_word, lost.wipe = NOON - 26 * HOUR, NOON - 24 * HOUR + 30 * MINUTE
        if how == "failed":
            lost.wipe = NOON - HOUR
            days.at(NOON + 30 * MINUTE, lambda: setattr(lost, "wipe_state", "failed"))
        days.until(NOON + HOUR)
        rang = rung(days, "M16", ("WipeUnconfirmed", NOON + 50 * MINUTE), tablet="T-107")
    assert 30 * MINUTE <= rang.when("WipeUnconfirmed").first - NOON <= 33 * MINUTE
    said = "has failed" if how == "failed" else "is not confirmed"
    assert f"{said}. Take it for readable; open the runbook." in rang.words[0]["summary"]
    assert rang.words[0]["runbook_url"] == "https://yardlight.example.com/runbooks/WipeUnconfirmed"


def test_m17_a_client_secret_that_ends_in_fourteen_days(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        days.mdm.credential_ends = NOON + 14 * DAY + 20 * MINUTE
        days.until(NOON + HOUR)
        rang = rung(days, "M17", ("CredentialExpiring", NOON + 50 * MINUTE))
    assert 20 * MINUTE <= rang.when("CredentialExpiring").first - NOON <= 22 * MINUTE
    # promtool's time begins with 1970.
    assert "a credential of graph ends on Wed, Jan 14" in rang.words[0]["summary"]


def test_m18_what_is_below_standard_is_three_counts_in_one_ticket(tmp_path: Path) -> None:
    with Days(tmp_path, NOON, google=True) as days:
        for fault in ("old", "no-app", "no-policy"):
            days.mdm.switch(fault)
        days.until(NOON + 30 * MINUTE)
        rang = rung(days, "M18", ("DevicesBelowStandard", NOON + 20 * MINUTE))
        lines = [line for each in days.page() for line in each.body.decode().splitlines()]
        assert sum('state="no_policy"} 2.0' in line for line in lines) == 1
        # No policy is never compliant.
        assert sum(line.startswith("yardlight_device_compliant{") for line in lines) == TABLETS - 2
    assert rang.words[0]["summary"] == (
        "Tablets of drivers below standard: 3 without an app they must have, or with too old a one; 25 with too old a"
        " system; 2 with no policy assigned."
    )


def test_m19_what_is_on_one_side_only_is_told(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        days.mdm.add(FakeTablet("nobody's", "YLDEMOSTRANGE", "drivers", 900))
        days.trucks["T-901"] = "901,T-901=NEVERSEEN,drivers,,active"
        days.until(NOON + 30 * MINUTE)
        rang = rung(days, "M19", ("RosterMismatch", NOON + 20 * MINUTE))
    assert rang.words[0]["summary"] == (
        "Fleet inland: roster and MDM do not agree: 1 in the MDM that the roster does not have."
        " 1 on the roster that no MDM ever had."
    )


def test_m20_of_two_records_with_one_serial_the_newer_counts(tmp_path: Path) -> None:
    with Days(tmp_path, NOON, step=5 * MINUTE) as days:
        again = fake_tablets(1, "drivers", first=107)[0]
        again.number, again.last_word = 900, NOON - 60 * DAY
        days.mdm.add(again)
        days.until(NOON + HOUR)
        rung(days, "M20")
        assert (days.count("fresh"), days.count("dark")) == (TABLETS, 0)
        lines = [line for each in days.page() for line in each.body.decode().splitlines()]
        assert sum(line.startswith("yardlight_devices_duplicate{") and line.endswith(" 1.0") for line in lines) == 1


def test_m21_ten_minutes_of_too_many_requests_are_told_to_nobody(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        days.at(NOON + 10 * MINUTE, lambda: days.mdm.switch("throttled"))
        days.at(NOON + 20 * MINUTE, lambda: days.mdm.switch("heal"))
        seen = []
        days.at(NOON + 19 * MINUTE, lambda: seen.append(failed(days)))
        days.until(NOON + 2 * HOUR)
        rung(days, "M21")
        assert seen == ["throttled"]
        assert failed(days) == ""


def failed(days: Days) -> str:
    """The reason of the last collection, where it failed."""
    lines = [line for each in days.page() for line in each.body.decode().splitlines()]
    told = (line for line in lines if line.startswith("yardlight_poll_failed{") and line.endswith(" 1.0"))
    return next((line.partition('reason="')[2].partition('"')[0] for line in told), "")


@pytest.mark.parametrize("night", ["2026-03-07", "2026-10-31"])
def test_m22_the_nights_in_which_clocks_change_are_nights_as_others(tmp_path: Path, night: str) -> None:
    with Days(tmp_path, at(night, "17:00"), step=15 * MINUTE) as days:
        days.duty, days.poll = "mornings", "1h"
        seen = []
        for hour in range(20):
            days.at(at(night, "17:30") + hour * HOUR, lambda: seen.append(days.count("fresh")))
        days.until(at(night, "17:00") + 20 * HOUR)
        rung(days, "M22")
        assert set(seen) == {TABLETS}


def test_m24_a_clock_that_is_two_hours_ahead_is_told_for_information(tmp_path: Path) -> None:
    with Days(tmp_path, NOON, every=5 * MINUTE) as days:
        days.mdm.switch("ahead=2h")
        days.until(NOON + 30 * MINUTE)
        rang = rung(days, "M24", ("ClockSkewed", NOON + 20 * MINUTE), besides=["info ClockSkewed graph"])
        assert days.count("fresh") == TABLETS
    assert "graph gives times that lie in the future, of 100 tablets" in rang.words[0]["summary"]


def test_m25_a_group_that_is_renamed_in_the_mdm_is_the_same_group(tmp_path: Path) -> None:
    with Days(tmp_path, NOON) as days:
        drivers = days.mdm.of("drivers")
        days.mdm.silence(drivers[:12], NOON - 3 * DAY)

        def rename() -> None:
            for each in drivers:
                each.group = "Road Staff"

        days.at(NOON + 30 * MINUTE, rename)
        days.until(NOON + 1.5 * HOUR)
        rang = rung(days, "M25", besides=[SILENT])
        assert days.count("gone_from_mdm") == 0
    told = rang.when("DevicesSilent")
    assert (told.last, told.count) == (NOON + 1.5 * HOUR, round((told.last - told.first) / MINUTE) + 1)
