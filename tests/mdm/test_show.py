"""From records to samples: matched with the roster, judged, counted; what vanished is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yardlight.catalogue import METRICS
from yardlight.collection import Source, Told
from yardlight.errors import BadReplyError, IncompleteError
from yardlight.exposition import block
from yardlight.inventory.models import Calendar
from yardlight.inventory.roster import Tablet, Truck
from yardlight.mdm.device import Device, Order, Tenant, older, version
from yardlight.mdm.orders import follow
from yardlight.mdm.plan import Plan, Standard
from yardlight.mdm.show import show
from yardlight.moment import NEVER
from yardlight.things import Fact, unpack

LA = ZoneInfo("America/Los_Angeles")
# A Wednesday at noon.
NOW = datetime(2026, 1, 7, 12, tzinfo=LA).timestamp()
HOUR = 3600.0
WEEKDAYS = Calendar.model_validate({"days": "mon-fri", "hours": "05:00-20:00"})
DRIVERS = Standard(stale_after=12 * HOUR, dark_after=36 * HOUR, calendar=WEEKDAYS)


def truck(number: int, **more: Any) -> Truck:
    return Truck(
        f"{number}", Tablet(f"T{number}", f"SER{number}"), **{"group": "drivers", "terminal": "fontana", **more}
    )


def device(number: int, **more: Any) -> Device:
    said = {"serial": f"SER{number}", "name": f"Somebody's tablet {number}", "checkin": NOW - HOUR, **more}
    return Device(f"guid-{number}", **said)


def plan(*trucks: Truck, **more: Any) -> Plan:
    said = {"base": Standard(), "standards": {"drivers": DRIVERS}, "mdm_groups": {"Drivers": "drivers"}}
    return Plan(**{**said, "trucks": trucks, "zone": "America/Los_Angeles", "series_limit": 1000, **more})


def told(how: Plan, records: list[Any], memory: Any = None, now: float = NOW) -> Told:
    """What is made of the records; the memory goes through JSON as it does in the kernel."""
    made = show(Source("f", "graph", "mdm/tablets", how, Path()), records, json.loads(json.dumps(memory)), now)
    for metric, samples in made.families.items():
        block(metric, "f", samples)
    return made


def value(made: Told, name: str, *labels: str) -> float | None:
    found = made.families.get(METRICS[f"yardlight_{name}"], {}).get(("graph", *labels))
    assert found is None or isinstance(found, int | float)
    return found


def states(made: Told, group: str = "drivers") -> dict[str, float]:
    samples = made.families[METRICS["yardlight_devices"]]
    return {state: count for (_, where, state), count in samples.items() if where == group and count}  # type: ignore[misc]


def test_since_when_a_stale_device_is_silent_is_told_as_of_the_collection() -> None:
    # Five hours of duty on Tuesday evening and seven on Wednesday morning.
    made = told(plan(truck(112)), [device(112)])
    since = datetime(2026, 1, 6, 15, tzinfo=LA).timestamp()
    assert value(made, "device_stale_before_timestamp_seconds", "drivers") == since
    made = told(plan(truck(112)), [device(112), Tenant(as_of=NOW - HOUR)])
    assert value(made, "device_stale_before_timestamp_seconds", "drivers") == since - HOUR
    assert (
        METRICS["yardlight_device_stale_before_timestamp_seconds"]
        not in follow(
            Source("f", "graph", "mdm/tablets", plan(truck(112)), Path()), [], json.loads(json.dumps(made.memory)), NOW
        ).families
    )


def test_a_device_is_shown_under_the_name_and_in_the_group_that_the_roster_gives_it() -> None:
    made = told(plan(truck(112)), [device(112, os="Android", os_version="14", compliance="compliant")])
    assert value(made, "device_last_checkin_timestamp_seconds", "T112") == NOW - HOUR
    assert value(made, "device_info", "T112", "drivers", "112", "fontana", "Android", "14") == 1
    assert value(made, "device_compliant", "T112") == 1
    assert states(made) == {"fresh": 1}


def test_nothing_that_the_mdm_calls_a_device_or_its_user_is_in_a_label() -> None:
    made = told(plan(truck(112)), [device(112), device(5, name="ann@example.com", serial="CANARY-SERIAL")])
    text = "".join(block(metric, "f", samples).body.decode() for metric, samples in made.families.items())
    for secret in ("Somebody", "ann@example.com", "CANARY-SERIAL", "SER112", "guid-"):
        assert secret not in text
    assert 'device="unlisted-' in text


def test_m06_devices_that_a_clean_up_rule_takes_away_are_gone_and_nothing_of_them_resolves() -> None:
    fleet = [truck(number) for number in range(100)]
    quiet = [device(number, checkin=NOW - (40 * 24 if number < 40 else 1) * HOUR) for number in range(100)]
    first = told(plan(*fleet), quiet)
    assert states(first) == {"dark": 40, "fresh": 60}
    second = told(plan(*fleet), quiet[40:], first.memory, NOW + 900)
    assert states(second) == {"gone_from_mdm": 40, "fresh": 60}
    assert value(second, "device_last_checkin_timestamp_seconds", "T7") == NOW - 960 * HOUR
    assert value(second, "device_state", "T7", "drivers", "gone_from_mdm") == 1
    third = told(plan(*fleet), quiet[40:], second.memory, NOW + 30 * 86400)
    assert states(third)["gone_from_mdm"] == 40


def test_m07_a_device_that_is_retired_and_struck_from_the_roster_disappears() -> None:
    first = told(plan(truck(1), truck(2)), [device(1), device(2)])
    second = told(plan(truck(1), truck(2)), [device(1)], first.memory)
    assert states(second) == {"fresh": 1, "gone_from_mdm": 1}
    struck = told(plan(truck(1)), [device(1)], second.memory)
    assert states(struck) == {"fresh": 1}
    assert value(struck, "device_last_checkin_timestamp_seconds", "T2") is None
    retired = told(plan(truck(1), truck(2, status="retired")), [device(1)], second.memory)
    assert states(retired) == {"fresh": 1}


def test_after_the_last_day_of_a_truck_nothing_of_it_is_missed() -> None:
    sold = truck(2, until=date(2026, 1, 7))
    how = plan(truck(1), sold, truck(3, until=date(2026, 1, 6)))
    first = told(how, [device(1), device(2)])
    assert value(first, "roster_mismatches", "roster_only") == 0
    assert states(told(how, [device(1)], first.memory, NOW + HOUR)) == {"fresh": 1, "gone_from_mdm": 1}
    assert states(told(how, [device(1, checkin=NOW + 13 * HOUR)], first.memory, NOW + 13 * HOUR)) == {"fresh": 1}


def test_without_a_roster_a_device_that_vanishes_is_missed_for_thirty_days() -> None:
    first = told(plan(), [device(1, group="Drivers"), device(2, group="Drivers")])
    second = told(plan(), [device(1, group="Drivers")], first.memory, NOW + 60)
    assert states(second) == {"fresh": 1, "gone_from_mdm": 1}
    third = told(plan(), [device(1, group="Drivers", checkin=NOW + 31 * 86400)], second.memory, NOW + 31 * 86400)
    assert states(third) == {"fresh": 1}


def test_m05_an_empty_list_where_devices_were_is_incomplete_and_at_the_very_first_it_is_not() -> None:
    first = told(plan(truck(1)), [device(1)])
    with pytest.raises(IncompleteError, match="no device at all, where 1 were"):
        told(plan(truck(1)), [], first.memory)
    assert states(told(plan(), [])) == {}


def test_a_list_that_is_empty_because_its_last_devices_left_the_roster_is_complete() -> None:
    first = told(plan(truck(1), truck(2)), [device(1)])
    for how in (plan(truck(2)), plan(truck(1, status="retired"), truck(2))):
        made = told(how, [], first.memory, NOW + 900)
        assert states(made) == {}
        assert value(made, "roster_mismatches", "roster_only") == 1
    unlisted = told(plan(truck(2)), [device(1)])
    with pytest.raises(IncompleteError, match="no device at all, where 1 were"):
        told(plan(truck(2)), [], unlisted.memory, NOW + 29 * 86400)
    assert states(told(plan(truck(2)), [], unlisted.memory, NOW + 31 * 86400)) == {}


def test_fewer_devices_than_the_inventory_expects_are_incomplete() -> None:
    told(plan(expects=2), [device(1), device(2)])
    with pytest.raises(IncompleteError, match="1 devices, where `expects` says 2 at least"):
        told(plan(expects=2), [device(1), device(1)])


def test_m20_of_two_records_with_one_serial_the_newest_counts_and_the_other_is_a_duplicate() -> None:
    old = Device("guid-old", "SER1", "old", checkin=NOW - 500 * HOUR)
    for records in ([old, device(1)], [device(1), old]):
        made = told(plan(truck(1)), records)
        assert states(made) == {"fresh": 1}
        assert value(made, "devices_duplicate") == 1
        assert value(made, "device_last_checkin_timestamp_seconds", "T1") == NOW - HOUR


@pytest.mark.parametrize(
    "serial", ["unknown", "0", "000000000000", "To be filled by O.E.M.", "Default string", "N/A", "0123456789ABCDEF"]
)
def test_what_stands_for_no_serial_number_makes_no_two_devices_one(serial: str) -> None:
    made = told(plan(), [device(1, serial=serial), device(2, serial=serial.upper()), device(3)])
    assert states(made, "other") == {"fresh": 3}
    assert value(made, "devices_duplicate") == 0
    assert [each.all("serial") for each in unpack(made.things)[1]].count([]) == 2


def test_the_same_record_on_two_pages_is_one_device_and_no_duplicate() -> None:
    made = told(plan(truck(1)), [device(1), device(1)])
    assert states(made) == {"fresh": 1}
    assert value(made, "devices_duplicate") == 0


def test_m13_a_device_that_never_checked_in_is_counted_as_such_and_late_after_three_days() -> None:
    new = device(1, checkin=NEVER, enrolled=NOW - 86400)
    late = device(2, checkin=NEVER, enrolled=NOW - 4 * 86400)
    made = told(plan(truck(1), truck(2)), [new, late])
    assert states(made) == {"never": 2}
    assert value(made, "devices_never_checked_in", "drivers") == 1
    assert value(made, "device_last_checkin_timestamp_seconds", "T1") is None


def test_one_whose_enrolment_is_not_told_is_late_three_days_after_we_first_saw_it() -> None:
    first = told(plan(truck(1)), [device(1, checkin=NEVER)])
    assert value(first, "devices_never_checked_in", "drivers") == 0
    later = told(plan(truck(1)), [device(1, checkin=NEVER)], first.memory, NOW + 3 * 86400)
    assert value(later, "devices_never_checked_in", "drivers") == 1


def test_m18_what_falls_short_is_counted_by_what_it_lacks_and_no_policy_is_never_compliant() -> None:
    asked = {"calendar": WEEKDAYS, "os": {"android": "13"}, "apps": {"com.example.eld": {"min": "24.1"}}}
    standard = Standard.model_validate(asked)
    good = {"os": "Android", "os_version": "14", "apps": {"com.example.eld": "24.1"}, "compliance": "compliant"}
    devices = [device(number, **good) for number in range(40)]
    devices[:25] = [replace(each, os_version="12.1") for each in devices[:25]]
    devices[25:27] = [replace(each, apps={}) for each in devices[25:27]]
    devices[27] = replace(devices[27], apps={"com.example.eld": "24.0.9"})
    devices[28:30] = [replace(each, compliance="no_policy") for each in devices[28:30]]
    made = told(plan(*map(truck, range(40)), standards={"drivers": standard}), devices)
    assert value(made, "devices_below_standard", "drivers", "os") == 25
    assert value(made, "devices_below_standard", "drivers", "app") == 3
    assert value(made, "devices_below_standard", "drivers", "policy") == 2
    assert value(made, "devices_compliance", "drivers", "no_policy") == 2
    assert value(made, "device_compliant", "T28") is None


def test_apps_that_the_platform_does_not_tell_are_not_counted_as_missing() -> None:
    standard = Standard.model_validate({"apps": {"com.example.eld": {}}})
    made = told(plan(truck(1), standards={"drivers": standard}), [device(1)])
    assert value(made, "devices_below_standard", "drivers", "app") is None


def test_what_cannot_be_judged_of_any_device_has_no_count_and_is_no_zero() -> None:
    standard = Standard.model_validate({"os": {"android": "13"}, "apps": {"com.example.eld": {"min": "24.1"}}})
    how = plan(truck(1), truck(2), standards={"drivers": standard})

    def below(*records: Any) -> dict[str, float]:
        found = told(how, list(records)).families.get(METRICS["yardlight_devices_below_standard"], {})
        return {name: count for (_, group, name), count in found.items() if group == "drivers"}  # type: ignore[misc]

    dim = device(1, os="Android", os_version="Tiramisu", compliance="compliant", apps={"com.example.eld": "latest"})
    assert below(dim, device(2)) == {}
    clear = device(2, os="Android", os_version="13", compliance="unknown", apps={"com.example.eld": "24.1"})
    assert below(dim, clear) == {"os": 0, "app": 0}
    assert below(dim, clear, Tenant(policies=True)) == {"os": 0, "app": 0, "policy": 0}
    assert below(dim, clear, Tenant(policies=False)) == {"os": 0, "app": 0}
    # An app that is missing is, whatever the versions of others are.
    assert below(replace(dim, apps={})) == {"app": 1}
    assert below(dim, replace(clear, compliance="no_policy")) == {"os": 0, "app": 0, "policy": 1}


def test_m19_who_is_on_one_side_only_is_counted() -> None:
    made = told(plan(truck(1), truck(2), truck(3, status="retired")), [device(1), device(9)])
    assert value(made, "roster_mismatches", "mdm_only") == 1
    assert value(made, "roster_mismatches", "roster_only") == 1
    assert value(told(plan(), [device(1)]), "roster_mismatches", "mdm_only") is None


def test_m24_a_last_word_in_the_future_is_counted_and_fresh() -> None:
    made = told(plan(truck(1), truck(2)), [device(1, checkin=NOW + 2 * HOUR), device(2)])
    assert value(made, "devices_in_future") == 1
    assert states(made) == {"fresh": 2}


def test_m25_a_group_renamed_in_the_mdm_changes_no_group_of_ours_and_nothing_is_gone() -> None:
    how = plan(truck(1))
    first = told(how, [device(1, group="Drivers")])
    second = told(how, [device(1, group="Road Staff")], first.memory)
    assert states(first) == states(second) == {"fresh": 1}


def test_a_parked_truck_is_expected_to_be_silent_until_its_day() -> None:
    parked = truck(1, status="repair", until=date(2026, 1, 7))
    silent = [device(1, checkin=NOW - 90 * 24 * HOUR)]
    assert states(told(plan(parked), silent)) == {"expected_silent": 1}
    assert states(told(plan(parked), silent, now=NOW + 86400)) == {"dark": 1}


def test_what_was_ordered_and_waits_is_shown_since_then_and_since_we_saw_it_where_nobody_tells() -> None:
    wiping = device(1, orders=(Order("wipe", NOW - HOUR, "pending"),))
    made = told(plan(truck(1)), [wiping])
    assert value(made, "device_action_pending_timestamp_seconds", "T1", "wipe") == NOW - HOUR
    assert value(made, "device_action_failed", "T1", "wipe") == 0
    unsaid = device(1, orders=(Order("wipe", None, "failed"),))
    first = told(plan(truck(1)), [unsaid])
    second = told(plan(truck(1)), [unsaid], first.memory, NOW + 900)
    assert value(second, "device_action_pending_timestamp_seconds", "T1", "wipe") == NOW
    assert value(second, "device_action_failed", "T1", "wipe") == 1
    done = told(plan(truck(1)), [device(1, orders=(Order("wipe", None, "done"),))], second.memory, NOW + 1800)
    assert value(done, "device_action_pending_timestamp_seconds", "T1", "wipe") is None


def test_m15_while_a_wipe_waits_the_next_collection_is_wanted_in_a_minute() -> None:
    def again(*orders: Order) -> float | None:
        return told(plan(truck(1), truck(2)), [device(1, orders=orders), device(2)]).again_in

    assert again(Order("wipe", NOW, "pending")) == 60.0
    assert again(Order("wipe", NOW, "failed"), Order("lock", NOW, "pending")) is None
    assert again() is None


def test_m16_a_device_that_vanishes_while_its_wipe_waits_goes_on_waiting() -> None:
    how, wiping = plan(truck(1), truck(2)), device(1, orders=(Order("wipe", NOW - HOUR, "pending"),))
    first = told(how, [wiping, device(2)])
    second = told(how, [device(2)], first.memory, NOW + 900)
    third = told(how, [device(2)], second.memory, NOW + 1800)
    assert value(third, "device_action_pending_timestamp_seconds", "T1", "wipe") == NOW - HOUR
    assert value(third, "device_state", "T1", "drivers", "gone_from_mdm") == 1
    struck = told(plan(truck(2)), [device(2)], third.memory, NOW + 2700)
    assert value(struck, "device_action_pending_timestamp_seconds", "T1", "wipe") is None


def test_orders_that_may_not_be_read_any_more_are_neither_done_nor_forgotten() -> None:
    first = told(plan(truck(1)), [device(1, orders=(Order("wipe", NOW - HOUR, "pending"),))])
    unread = told(plan(truck(1)), [device(1, orders=None)], first.memory, NOW + 900)
    assert wiping(unread) == {"T1": NOW - HOUR}
    assert not wiping(told(plan(truck(1)), [device(1, orders=())], unread.memory, NOW + 1800))
    source = Source("f", "graph", "mdm/tablets", plan(truck(1)), Path())
    watched = follow(source, [device(1, orders=None)], json.loads(json.dumps(first.memory)), NOW + 60)
    assert (wiping(watched), watched.watched) == ({"T1": NOW - HOUR}, ["guid-1"])


def wiping(made: Told) -> dict[str, float]:
    """Since when wipes wait, by device."""
    pending = made.families.get(METRICS["yardlight_device_action_pending_timestamp_seconds"], {})
    return {device: since for (_, device, action), since in pending.items() if action == "wipe"}  # type: ignore[misc]


def test_m16_a_device_that_the_roster_never_had_goes_on_waiting_for_its_wipe_after_it_vanished() -> None:
    how = plan(truck(2))
    first = told(how, [device(1, orders=(Order("wipe", NOW - HOUR, "pending"),)), device(2), device(3)])
    [name] = wiping(first)
    left = told(how, [device(2)], first.memory, NOW + 900)
    left = told(how, [device(2)], left.memory, NOW + 40 * 86400)
    assert wiping(left) == {name: NOW - HOUR}
    assert value(left, "device_state", name, "other", "gone_from_mdm") == 1
    [gone] = [thing for thing in unpack(left.things)[1] if thing.name == name]
    assert gone.all("serial") == ["ser1"]
    assert states(left, "other") == {"gone_from_mdm": 1}
    assert value(left, "roster_mismatches", "mdm_only") == 0
    # The roster says that it is dealt with, or the MDM that it is there again.
    assert not wiping(told(plan(truck(2), truck(1, status="retired")), [device(2)], left.memory, NOW + 41 * 86400))
    assert wiping(told(plan(truck(2), truck(1)), [device(2)], left.memory, NOW + 41 * 86400)) == {"T1": NOW - HOUR}
    anew = Device("guid-new", "ser1", "new", checkin=NOW)
    assert not wiping(told(how, [device(2), anew], left.memory, NOW + 41 * 86400))


def test_a_device_that_is_written_into_the_roster_while_its_wipe_waits_is_one_device() -> None:
    waits = device(1, orders=(Order("wipe", None, "pending"),))
    first = told(plan(truck(2)), [waits, device(2)])
    listed = told(plan(truck(1), truck(2)), [waits, device(2)], first.memory, NOW + 900)
    assert wiping(listed) == {"T1": NOW}
    assert (states(listed), states(listed, "other")) == ({"fresh": 2}, {})
    struck = told(plan(truck(2)), [waits, device(2)], listed.memory, NOW + 1800)
    assert list(wiping(struck).values()) == [NOW]
    assert (states(struck), states(struck, "other")) == ({"fresh": 1}, {"fresh": 1})


def test_one_that_is_enrolled_again_after_its_wipe_waits_no_more() -> None:
    first = told(plan(truck(1)), [device(1, orders=(Order("wipe", NOW - HOUR, "pending"),))])
    anew = Device("guid-new", "SER1", "new", checkin=NOW + 900, orders=())
    second = told(plan(truck(1)), [anew], first.memory, NOW + 900)
    assert value(second, "device_action_pending_timestamp_seconds", "T1", "wipe") is None


def test_above_the_limit_only_those_in_trouble_are_shown_and_for_an_hour_after_it() -> None:
    fleet = [truck(number) for number in range(20)]
    devices = [device(number, checkin=NOW - (400 if number == 3 else 1) * HOUR) for number in range(20)]
    how = plan(*fleet, series_limit=10)
    first = told(how, devices)
    assert set(first.families[METRICS["yardlight_device_last_checkin_timestamp_seconds"]]) == {("graph", "T3")}
    assert value(first, "devices_not_shown") == 19
    well = [replace(each, checkin=NOW) for each in devices]
    second = told(how, well, first.memory, NOW + 900)
    assert value(second, "device_state", "T3", "drivers", "fresh") == 1
    assert value(second, "device_state", "T3", "drivers", "dark") == 0
    third = told(how, well, second.memory, NOW + 4500)
    assert METRICS["yardlight_device_last_checkin_timestamp_seconds"] not in third.families
    assert states(third)["fresh"] == 20


def test_what_a_tenant_says_of_itself_is_shown_where_it_says_it() -> None:
    tenant = Tenant(credentials_end={"secret": NOW + 86400, "old": NEVER}, unassigned_is_compliant=True)
    made = told(plan(), [device(1), tenant])
    assert value(made, "credentials_end_timestamp_seconds", "secret") == NOW + 86400
    assert value(made, "credentials_end_timestamp_seconds", "old") is None
    assert value(made, "mdm_unassigned_is_compliant") == 1
    assert value(told(plan(), [device(1)]), "mdm_unassigned_is_compliant") is None


@pytest.mark.parametrize(
    ("text", "parts"),
    [("11.2.1 (20D74)", (11, 2, 1)), ("10.0.22621.1555", (10, 0, 22621, 1555)), ("14", (14,)), ("v24.1-b", (24, 1))],
)
def test_a_version_is_read_from_free_text(text: str, parts: tuple[int, ...]) -> None:
    assert version(text) == parts


def test_versions_compare_by_numbers_and_14_0_is_not_older_than_14() -> None:
    assert older("9.9", "10") is True
    assert older("14.0", "14") is False
    assert older("14", "14.0.0") is False
    assert older("unknown", "14") is None


@given(
    st.lists(
        st.builds(
            Device,
            id=st.sampled_from(["a", "b", "c", "d"]),
            serial=st.sampled_from(["", "SER1", "ser1", "SER2", "x"]),
            name=st.sampled_from(["", "SER2", "x"]),
            checkin=st.one_of(st.none(), st.just(NEVER), st.floats(NOW - 1e7, NOW + 1e5)),
        )
    ),
    st.lists(st.integers(1, 3), unique=True),
)
@settings(max_examples=300)
def test_no_device_is_invented_lost_or_counted_twice(devices: list[Device], numbers: list[int]) -> None:
    made = told(plan(*map(truck, numbers)), devices)
    counted = sum(made.families[METRICS["yardlight_devices"]].values())  # type: ignore[arg-type]
    serials = {each.serial.casefold() for each in devices if each.serial}
    without = {each.id for each in devices if not each.serial}
    assert counted == len(serials) + len(without)


def test_each_device_is_told_with_its_numbers_and_how_it_stands_for_whoever_asks_about_one() -> None:
    wipe = (Order("wipe", NOW - HOUR, "pending"),)
    listed = device(112, imei="350000000000006", os="Android", os_version="14", orders=wipe)
    made = told(plan(truck(112), truck(113)), [listed, device(5, checkin=NEVER, group="Drivers"), device(113)])
    tablet, stranger, _ = sorted(unpack(made.things)[1], key=lambda each: each.name == "T113")
    assert (tablet.name, tablet.called, tablet.group) == ("T112", "Somebody's tablet 112", "drivers")
    assert tablet.numbers == (("serial", "SER112"), ("imei", "350000000000006"))
    assert tablet.id == "guid-112"
    assert tablet.facts == (
        Fact("last check-in", at=NOW - HOUR),
        Fact("state", "fresh"),
        Fact("wipe ordered, not carried out", at=NOW - HOUR),
        Fact("system", "Android 14"),
    )
    apart = device(112, inventory=NOW - 5 * HOUR, status_report=NEVER, policy_sync=NOW - 2 * HOUR)
    [kept] = unpack(told(plan(truck(112)), [apart]).things)[1]
    assert kept.facts[2:] == (
        Fact("last inventory", at=NOW - 5 * HOUR),
        Fact("last status report", "never"),
        Fact("last fetch of its policy", at=NOW - 2 * HOUR),
    )
    assert stranger.name.startswith("unlisted-")
    assert stranger.facts[0] == Fact("last check-in", "never")
    later = told(plan(truck(112), truck(113)), [listed], made.memory, NOW + HOUR)
    [gone] = [each for each in unpack(later.things)[1] if each.gone is not None]
    assert (gone.name, gone.all("serial"), gone.gone) == ("T113", ["SER113"], NOW)
    assert Fact("state", "gone from mdm") in gone.facts


def test_a_device_that_is_called_like_anothers_serial_number_is_not_that_other_one() -> None:
    named = device(9, serial="SER9", name="SER1")
    for devices in ([named, device(1)], [device(1), named]):
        made = told(plan(truck(1)), devices)
        assert value(made, "device_last_checkin_timestamp_seconds", "T1") == NOW - HOUR
        assert value(made, "roster_mismatches", "mdm_only") == 1
        [tablet] = [thing for thing in unpack(made.things)[1] if thing.name == "T1"]
        assert ("serial", "SER1") in tablet.numbers


def test_two_records_of_one_id_are_never_both_the_tablet_of_a_truck() -> None:
    named = Device("guid-1", "", "SER1", checkin=NOW - HOUR)
    for devices in ([named, device(1)], [device(1), named]):
        names = [thing.name for thing in unpack(told(plan(truck(1)), devices).things)[1]]
        assert names.count("T1") == 1


def test_of_two_records_that_are_called_as_the_roster_has_it_the_one_that_spoke_last_counts() -> None:
    old = Device("guid-old", "", "SER1", checkin=NOW - 400 * HOUR)
    new = Device("guid-new", "", "SER1", checkin=NOW - HOUR)
    for devices in ([old, new], [new, old]):
        assert states(told(plan(truck(1)), devices)) == {"fresh": 1}


def test_a_group_that_no_device_is_in_any_more_was_renamed_and_one_that_left_it_was_moved() -> None:
    both = [device(1, group="Drivers"), device(2, group="Drivers")]
    first = told(plan(), both)
    renamed = told(plan(), [device(1, group="Road Staff"), device(2, group="Road Staff")], first.memory)
    assert (states(renamed), states(renamed, "other")) == ({"fresh": 2}, {})
    again = told(plan(), [device(1, group="Road Staff"), device(2, group="Road Staff"), device(3)], renamed.memory)
    assert (states(again), states(again, "other")) == ({"fresh": 2}, {"fresh": 1})
    moved = told(plan(), [device(1, group="Drivers"), device(2, group="Spares")], first.memory)
    assert (states(moved), states(moved, "other")) == ({"fresh": 1}, {"fresh": 1})


def test_a_device_in_several_groups_is_in_the_one_that_the_inventory_names() -> None:
    assert states(told(plan(), [device(1, group="All Managed", groups=("All Managed", "Drivers"))])) == {"fresh": 1}


def test_last_words_that_most_devices_have_no_more_are_another_answer_and_make_nobody_silent() -> None:
    devices = [device(number) for number in range(5)]
    first = told(plan(), devices)
    for instead in (None, NEVER):
        mute = [replace(each, checkin=instead) for each in devices]
        with pytest.raises(BadReplyError, match=r"^5 of 5 devices do not tell any more when they spoke last$"):
            told(plan(), mute, first.memory, NOW + 900)
        some = told(plan(), [*mute[:2], *devices[2:]], first.memory, NOW + 900)
        assert states(some, "other") == {"fresh": 3, instead or "unknown": 2}


def test_a_last_word_that_is_days_ahead_makes_nobody_fresh() -> None:
    made = told(plan(truck(1), truck(2)), [device(1, checkin=NOW + 40 * 86400), device(2)])
    assert states(made) == {"fresh": 1, "unknown": 1}
    assert value(made, "devices_in_future") == 1
    assert value(made, "device_last_checkin_timestamp_seconds", "T1") is None


def test_of_orders_of_one_kind_the_last_one_counts() -> None:
    failed, done = Order("wipe", NOW - 90 * 86400, "failed"), Order("wipe", NOW - HOUR, "done")
    for orders in ((failed, done), (done, failed)):
        assert not wiping(told(plan(truck(1)), [device(1, orders=orders)]))
    anew = Order("wipe", NOW, "pending")
    assert wiping(told(plan(truck(1)), [device(1, orders=(anew, failed))])) == {"T1": NOW}


def test_a_wipe_from_before_the_device_was_enrolled_anew_waits_no_more() -> None:
    lately = Order("wipe", NOW - HOUR, "failed")
    assert wiping(told(plan(truck(1)), [device(1, orders=(lately,), enrolled=NOW - 2 * HOUR)]))
    assert not wiping(told(plan(truck(1)), [device(1, orders=(lately,), enrolled=NOW - HOUR / 2)]))


def test_what_the_inventory_leaves_out_is_nobodys_unless_the_roster_has_it() -> None:
    how = plan(truck(1), truck(2), leave_out=frozenset({"windows", "office"}))
    office = (
        device(1, group="Office"),
        device(3, group="Office"),
        device(4, os="Windows"),
        device(5, groups=("Office",)),
    )
    made = told(how, [*office, device(2), device(6)])
    assert (states(made), states(made, "other")) == ({"fresh": 2}, {"fresh": 1})
    assert value(made, "roster_mismatches", "mdm_only") == 1
    none = plan(leave_out=frozenset({"office"}))
    first = told(none, [device(1), device(2)])
    moved = told(none, [device(1, group="Office"), device(2)], first.memory)
    assert states(moved, "other") == {"fresh": 1}
    assert len(list(unpack(moved.things)[1])) == 1
