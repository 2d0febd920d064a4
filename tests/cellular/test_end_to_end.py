"""Rows of cellular.yml from a carrier's API to who is told what: real HTTP, a real inventory, all shipped rules.

The clock is ours. What is not expected is silence: of every alert there is, none but those named may be told.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.cellular.voices import Emnify, ProgrammableWireless, Spelled, Terse
from tests.cellular.world import DAY, Account, World, carrier_of, one, said, set_clock
from tests.mdm.test_intune import SECRET as TENANCY_SECRET
from tests.mdm.test_intune import Tenancy, raw
from tests.mdm.world import iso
from tests.vendor import Vendor

from yardlight.demo.carrier import HOUR, Carrier, fake_sims
from yardlight.demo.faces import ControlCenter, SuperSim, ThingSpace
from yardlight.errors import PollError, ServerError

MB, GB = 10**6, 10**9
POOL = "cycle: month, pools: {tablets: {cap: %s}}"
MARCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
APRIL = datetime(2026, 4, 1, tzinfo=UTC).timestamp()


def at(day: float, hour: float = 22.0) -> float:
    """An instant of March 2026."""
    return MARCH + (day - 1) * DAY + hour * HOUR


def every_day(world: World, first: int, last: int) -> None:
    for day in range(first, last + 1):
        world.collect(at(day))


# Nearly all of these ask promtool what is told.
pytestmark = pytest.mark.needs("promtool")


@pytest.fixture
def thingspace(tmp_path: Path) -> World:
    """Four SIMs, 30 MB a day each on average, whose rows of 45 days are there at once."""
    carrier = carrier_of(fake_sims("cab", 4, 30 * MB), at(1))
    return one(tmp_path, carrier, ThingSpace(carrier), POOL % "20 GB")


def test_c01_a_pool_that_heads_for_its_cap_is_seen_five_days_before_it_gets_there(thingspace: World) -> None:
    """The first collection of all, nine days before the cycle ends: the platform's rows are history enough."""
    with thingspace as world:
        world.change(POOL % "2.9 GB")
        world.collect(at(20))
        exhausted = world.value("cap_exhaustion_timestamp_seconds", pool="tablets", sim="")
        assert exhausted is not None
        reached = next(day for day in range(20, 32) if pool_total(world, day) >= 2.9 * GB)
        assert exhausted - at(20) >= 5 * DAY
        assert abs(exhausted - at(reached)) < 2 * DAY
        assert world.value("cycle_end_timestamp_seconds", pool="tablets", sim="") == APRIL
        notices = world.told()
        assert said(notices) == ["ticket CapWillBeExceeded tablets"]
        on_day = datetime.fromtimestamp(exhausted, ZoneInfo("America/Los_Angeles"))
        short = (world.value("usage_projected_bytes", pool="tablets", sim="", probability="0.5") or 0.0) - 2.9 * GB
        uses = {sim.name: world.value("sim_usage_bytes", sim=sim.name) or 0.0 for sim in world.sims()}
        biggest = [f"{name} {prefixed(uses[name])}" for name in sorted(uses, key=lambda name: -uses[name])[:3]]
        assert notices[0].summary == (
            f"Pool tablets (carrier) will reach its cap of 2.9GB on {on_day:%a, %b %-d}; the cycle runs 11 more days, "
            f"{prefixed(short)} short. Biggest: {', '.join(biggest)}."
        )
        assert world.identifiers() == []


def prefixed(count: float) -> str:
    """Bytes as Prometheus writes them in texts."""
    power = int(math.log10(count) // 3)
    return f"{count / 1000**power:.4g}{' kMGT'[power]}B"


def pool_total(world: World, day: int) -> int:
    """What all SIMs will have used by the evening of a day."""
    # Its own lag later, and a second before the cycle may end.
    set_clock(world.carrier, at(day) + world.carrier.lag - 1.0)
    return sum(map(world.carrier.total, world.carrier.sims.values()))


def test_c02_much_used_two_days_before_the_end_and_enough_left_is_calm(thingspace: World) -> None:
    with thingspace as world:
        needed = pool_total(world, 31)
        world.change(POOL % f"{round(needed * 1.15 / MB)} MB")
        every_day(world, 25, 29)
        used, cap = world.value("pool_usage_bytes", pool="tablets"), world.value("pool_cap_bytes", pool="tablets")
        assert used is not None
        assert cap is not None
        assert used > 0.78 * cap
        assert world.value("cap_exhaustion_timestamp_seconds", pool="tablets", sim="") is None
        assert said(world.told()) == []


def test_c03_c23_a_cap_that_is_passed_is_said_as_it_is(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 3, 30 * MB), at(1), cap=3 * GB)
    with one(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "3 GB") as world:
        every_day(world, 1, 3)
        carrier.switch("cap")
        world.collect(at(4))
        used = world.value("pool_usage_bytes", pool="tablets")
        assert used is not None
        assert used > 3 * GB
        assert world.value("sim_throttled", sim="cab-101") == 1
        notices = world.told()
        # The carrier slows all three for it: that is no fault of its own.
        assert said(notices) == ["ticket CapReached tablets"]
        assert f"the cap of 3GB is reached ({prefixed(used - 3 * GB)} over)." in notices[0].summary
        assert "The carrier has slowed 3 SIMs of it already." in notices[0].description


def test_c05_data_that_is_late_widens_what_may_come(tmp_path: Path) -> None:
    """Than on the same days where it is not late: of three together, for the past that is tried differs each day."""

    def spreads(world: World) -> float:
        total = spread(world)
        for day in (22, 23):
            world.collect(at(day))
            total += spread(world)
        return total

    def world_in(folder: Path) -> World:
        folder.mkdir()
        carrier = carrier_of(fake_sims("cab", 4, 30 * MB), at(1))
        return one(folder, carrier, ThingSpace(carrier), POOL % "20 GB")

    with world_in(tmp_path / "on time") as world:
        every_day(world, 10, 21)
        on_time = spreads(world)
    with world_in(tmp_path / "late") as world:
        every_day(world, 10, 20)
        world.carrier.switch("late=30h")
        world.collect(at(21))
        assert world.value("usage_as_of_timestamp_seconds", pool="", sim="") == pytest.approx(
            at(21) - 30 * HOUR, abs=DAY
        )
        late = world.value("usage_late_after_seconds")
        assert late is not None
        assert late < 30 * HOUR
        notices = world.told()
        assert said(notices) == ["ticket UsageDataLate carrier"]
        # A row of a day does not say until when it counts: at the latest until the day ends.
        assert notices[0].summary == (
            "Fleet inland: the newest usage figures of carrier are 22h 0min old; usually they come sooner. "
            "Forecasts are wider until they do."
        )
        assert spreads(world) > 1.05 * on_time


def spread(world: World) -> float:
    low, high = (
        world.value("usage_projected_bytes", pool="tablets", sim="", probability=each) for each in ("0.1", "0.9")
    )
    assert low is not None
    assert high is not None
    return high - low


def test_c06_yesterday_told_anew_neither_goes_back_nor_runs_away(thingspace: World) -> None:
    with thingspace as world:
        every_day(world, 10, 20)
        before = world.value("sim_usage_bytes", sim="cab-101")
        world.carrier.switch("restate=40%")
        world.collect(at(20, 23))
        after = world.value("sim_usage_bytes", sim="cab-101")
        assert before is not None
        assert after is not None
        assert 0 < after - before < 60 * MB
        day, above = (world.value(name, sim="cab-101") for name in ("sim_largest_day_bytes", "sim_runaway_above_bytes"))
        assert day is not None
        assert above is not None
        assert day < above
        assert said(world.told()) == []


def test_c07_an_api_that_is_down_over_the_end_of_the_cycle(thingspace: World) -> None:
    with thingspace as world:
        every_day(world, 25, 30)
        used = world.value("sim_usage_bytes", sim="cab-101")
        before = APRIL - HOUR
        world.collect(before)
        assert (world.value("sim_usage_bytes", sim="cab-101") or 0) > (used or 0)
        world.carrier.switch("down")
        for quarter in range(1, 6):
            with pytest.raises(ServerError):
                world.collect(before + quarter * 900.0)
            # What was known stays, with until when it counts; nothing is made up about the new cycle.
            assert world.value("cycle_end_timestamp_seconds", pool="", sim="cab-101") == APRIL
        world.carrier.switch("heal")
        world.carrier.faults.late = 10 * HOUR
        healed = APRIL + 1800.0
        world.collect(healed)
        assert world.value("sim_usage_bytes", sim="cab-101") is None
        assert (world.value("usage_last_cycle_bytes", pool="", sim="cab-101") or 0) >= (used or 0)
        told = world.told_over(before, [before + 1800.0, APRIL - 600.0, APRIL + 1500.0, healed + 600.0])
        assert [said(each) for each in told] == [[], *2 * [["ticket AccountFailing carrier"]], []]
        assert told[1][0].summary.startswith("Fleet inland: carrier cannot be read; its last good data is from ")


def test_c08_cycle_day_31_in_february_a_dst_night_and_an_account_in_another_zone(tmp_path: Path) -> None:
    """Of the account's zone are the days, whatever Fontana's clocks say; February has no 31st, and March 8 no 2 a.m."""
    chicago, fontana = ZoneInfo("America/Chicago"), ZoneInfo("America/Los_Angeles")
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1), day=31, zone=chicago)
    face = ControlCenter(carrier, rate=1e9)
    with one(tmp_path, carrier, face, "cycle: {day: 31}", "timezone: America/Chicago") as world:
        edge = datetime(2026, 2, 28, tzinfo=chicago).timestamp()
        expected = [
            (edge - 1, (2026, 1, 31), (2026, 2, 28)),
            (edge + 1, (2026, 2, 28), (2026, 3, 31)),
            (datetime(2026, 3, 8, 1, 59, tzinfo=chicago).timestamp(), (2026, 2, 28), (2026, 3, 31)),
            (datetime(2026, 3, 8, 3, 1, tzinfo=chicago).timestamp(), (2026, 2, 28), (2026, 3, 31)),
            (datetime(2026, 3, 30, 22, 1, tzinfo=fontana).timestamp(), (2026, 3, 31), (2026, 4, 30)),
        ]
        for now, start, end in expected:
            world.collect(now)
            for metric, day in (("cycle_start", start), ("cycle_end", end)):
                midnight = datetime(*day, tzinfo=chicago).timestamp()
                assert world.value(f"{metric}_timestamp_seconds", pool="", sim="cab-101") == midnight, (now, metric)
        assert said(world.told()) == []


def test_c08_an_end_that_the_platform_names_is_the_end_of_the_cycle(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1), day=12)
    with one(tmp_path, carrier, ThingSpace(carrier), "cycle: {day: 12}") as world:
        world.collect(at(20))
        assert world.value("cycle_end_timestamp_seconds", pool="", sim="cab-101") == at(32 + 11, 0)
        assert world.value("cycle_start_timestamp_seconds", pool="", sim="cab-101") == at(12, 0)


def test_c09_each_sims_thirty_days_are_its_own_and_the_pools_month_is_a_month(tmp_path: Path) -> None:
    sims = fake_sims("cab", 2, 30 * MB)
    sims[0].activated, sims[1].activated = at(-20, 9), at(3, 13.5)
    carrier = carrier_of(sims, at(1))
    section = "pools: {tablets: {cap: 5 GB, cycle: month}}"
    with one(tmp_path, carrier, SuperSim(carrier, 1000), section) as world:
        world.collect(at(20))
        ends = [world.value("cycle_end_timestamp_seconds", pool="", sim=sim.name) for sim in sims]
        assert ends == [at(-20, 9) + 60 * DAY, at(3, 13.5) + 30 * DAY]
        assert world.value("cycle_end_timestamp_seconds", pool="tablets", sim="") == APRIL
        assert world.value("sim_cap_bytes", sim="cab-101") == GB
        assert said(world.told()) == []
        assert world.identifiers() == []


def test_c10_a_lifetime_plan_that_runs_out_before_it_expires(tmp_path: Path) -> None:
    """500 MB until the end of the next year, of which the platform tells what is left; no month is made up for it."""
    carrier = carrier_of(fake_sims("scale", 1, 14 * MB), at(1))
    [sim] = carrier.sims.values()
    sim.activated = at(-25, 0)
    with one(tmp_path, carrier, Emnify(carrier, 500, "2027-02-01 00:00:00")) as world:
        every_day(world, -24, 10)
        assert world.value("sim_cap_bytes", sim=sim.name) == 500 * MB
        assert world.value("cycle_start_timestamp_seconds", pool="", sim=sim.name) is None
        assert world.value("cycle_end_timestamp_seconds", pool="", sim=sim.name) is None
        expires = datetime(2027, 2, 1, tzinfo=UTC).timestamp()
        assert world.value("plan_expiry_timestamp_seconds", sim=sim.name) == expires
        used = world.value("sim_usage_bytes", sim=sim.name) or 0.0
        exhausted = world.value("cap_exhaustion_timestamp_seconds", pool="", sim=sim.name)
        assert exhausted is not None
        assert exhausted == pytest.approx(at(10) + (500 * MB - used) / (used / 35) * DAY, abs=3 * DAY)
        told = world.told()
        assert said(told) == [f"ticket CapWillBeExceeded {sim.name}"]
        on_day = datetime.fromtimestamp(exhausted, ZoneInfo("America/Los_Angeles"))
        short = (world.value("usage_projected_bytes", pool="", sim=sim.name, probability="0.5") or 0.0) - 500 * MB
        assert told[0].summary == (
            f"SIM scale-101 (carrier) will reach its cap of 500MB on {on_day:%a, %b %-d}, {prefixed(short)} short."
        )
        assert world.identifiers() == []


def test_a_prepaid_amount_that_is_topped_up_counts_from_there_and_its_days_stay(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("scale", 1, 14 * MB), at(1))
    [sim] = carrier.sims.values()
    sim.activated = at(-25, 0)
    quota = Emnify(carrier, 500, "2027-02-01 00:00:00")
    with one(tmp_path, carrier, quota) as world:
        every_day(world, -24, 5)
        ends = world.value("cap_exhaustion_timestamp_seconds", pool="", sim=sim.name)
        before = world.value("sim_usage_bytes", sim=sim.name) or 0.0
        assert ends is not None
        quota.top_up(500)
        world.collect(at(5, 23))
        left = 1000 * MB - before
        assert world.value("sim_cap_bytes", sim=sim.name) == pytest.approx(left, rel=0.01)
        assert world.value("sim_usage_bytes", sim=sim.name) == 0.0
        cap = world.value("sim_cap_bytes", sim=sim.name)
        every_day(world, 6, 9)
        assert world.value("sim_cap_bytes", sim=sim.name) == cap
        used = world.value("sim_usage_bytes", sim=sim.name) or 0.0
        assert used == pytest.approx(4 * 14 * MB, rel=0.5)
        later = world.value("cap_exhaustion_timestamp_seconds", pool="", sim=sim.name)
        assert later is not None
        assert later - ends == pytest.approx(500 * MB / sim.daily * DAY, rel=0.2)
        assert world.identifiers() == []


def test_c11_a_day_of_twenty_times_the_usual_is_told_by_its_roster_name(thingspace: World) -> None:
    with thingspace as world:
        every_day(world, 18, 20)
        world.carrier.switch("runaway=cab-103")
        world.collect(at(20, 23.5))
        day, above = (world.value(name, sim="cab-103") for name in ("sim_largest_day_bytes", "sim_runaway_above_bytes"))
        assert day is not None
        assert above is not None
        assert day > above
        notices = world.told()
        assert said(notices) == ["ticket SimRunaway cab-103"]
        assert notices[0].summary.startswith(f"SIM cab-103 (carrier): {prefixed(day)} in a day, far more than it ever")
        assert "; truck T-cab-103." in notices[0].summary
        assert world.identifiers() == []


@pytest.mark.parametrize("kind", [ThingSpace, partial(ControlCenter, rate=1e9)])
def test_a_sim_in_another_device_is_told_for_a_day_without_the_devices_number(
    tmp_path: Path, kind: Callable[[Carrier], ThingSpace | ControlCenter]
) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1))
    with one(tmp_path, carrier, kind(carrier), POOL % "20 GB") as world:
        world.collect(at(19))
        [sim, _] = carrier.sims.values()
        sim.imei = "000000000000999"
        world.collect(at(20))
        told = world.told()
        assert said(told) == ["ticket SimDeviceChanged cab-101"]
        assert told[0].summary == (
            "SIM cab-101 (carrier) is in another device, seen Fri, Mar 20, 3:00 PM; truck T-cab-101. "
            "If nobody swapped its tablet or router, block the SIM."
        )
        assert world.identifiers() == []
        world.collect(at(21, 23))
        assert said(world.told()) == []


@pytest.mark.parametrize("face", [ThingSpace, Terse])
@pytest.mark.parametrize(("moved", "expected"), [(1.0, ["ticket SimSilent cab-102"]), (100.0, []), (None, [])])
def test_c12_c13_a_silent_sim_is_told_if_its_truck_moves(
    tmp_path: Path, face: type[ThingSpace], moved: float | None, expected: list[str]
) -> None:
    """Telematics saw the truck so many hours ago; where nobody knows, nothing follows from silence."""
    carrier = carrier_of(fake_sims("cab", 4, 30 * MB), at(1))
    with one(tmp_path, carrier, face(carrier), POOL % "20 GB") as world:
        every_day(world, 10, 16)
        world.carrier.multiply(0.0, "cab-102")
        every_day(world, 17, 20)
        last = world.value("sim_last_use_timestamp_seconds", sim="cab-102")
        assert last is not None
        assert at(20) - last > 3 * DAY
        if moved is not None:
            where = 'account="samsara",feed="gps",fleet="inland"'
            world.beside = {
                f'yardlight_truck_last_moved_timestamp_seconds{{{where},truck="T-{sim.name}"}}': at(20) - moved * HOUR
                for sim in world.sims()
            }
        world.look(at(20))
        told = world.told()
        assert said(told) == expected
        for each in told:
            on_day = datetime.fromtimestamp(last, ZoneInfo("America/Los_Angeles"))
            assert each.summary == (
                f"SIM cab-102 (carrier): no data since {on_day:%a, %b %-d}, but its truck T-cab-102 moves. "
                "The tablet or router in it is likely off the network."
            )


@pytest.mark.parametrize("begin", [at(26), at(5, 1), at(7)], ids=["late", "in its first hour", "in its first days"])
def test_the_demos_end_of_a_month_takes_six_minutes_whenever_in_the_cycle_it_begins(
    tmp_path: Path, begin: float
) -> None:
    """Heading for the cap, at it, and in a new cycle of which nothing is known yet: one ticket after the other."""
    carrier = carrier_of(fake_sims("cab", 6, 35 * MB), at(1), cap=8 * GB, day=5)
    with one(tmp_path, carrier, ThingSpace(carrier), "pools: {tablets: {cap: 8 GB}}") as world:
        world.collect(begin)
        carrier.switch("month-end")
        for seconds in (60.0, 210.0, 390.0):
            world.collect(begin + seconds)
        told = world.told_over(begin, [begin + seconds for seconds in (0.0, 120.0, 300.0, 480.0)])
        assert [said(each) for each in told] == [
            [],
            ["ticket CapWillBeExceeded tablets"],
            ["ticket CapReached tablets"],
            [],
        ]
        assert world.value("pool_usage_bytes", pool="tablets") is None
        assert (world.value("usage_last_cycle_bytes", pool="", sim="cab-101") or 0) > 0


def test_c14_a_plan_that_grows_in_the_middle_of_the_cycle(thingspace: World) -> None:
    with thingspace as world:
        world.change(POOL % "5 GB")
        world.carrier.multiply(2.0)
        every_day(world, 10, 14)
        assert (world.value("usage_projected_bytes", pool="tablets", sim="", probability="0.5") or 0) > 5 * GB
        world.change(POOL % "10 GB")
        grown = at(14) + 1800.0
        world.collect(grown)
        assert world.value("pool_cap_bytes", pool="tablets") == 10 * GB
        before, after = world.told_over(at(14), [grown - 300.0, grown + 300.0])
        assert said(before) == ["ticket CapWillBeExceeded tablets"]
        assert said(after) == []


def test_c15_a_shared_plan_is_the_sum_of_those_that_can_be_read(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 40, 30 * MB), at(1))
    carrier.faults.unreadable = {"cab-103", "cab-117", "cab-140"}
    with one(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "50 GB") as world:
        every_day(world, 9, 10)
        readable = [sim for sim in carrier.sims.values() if sim.name not in carrier.faults.unreadable]
        assert world.value("pool_usage_bytes", pool="tablets") == sum(map(carrier.total, readable))
        assert world.value("pool_sims", pool="tablets") == 40
        assert world.value("pool_sims_counted", pool="tablets") == 37
        assert world.value("sim_usage_bytes", sim="cab-103") is None
        assert said(world.told()) == []


def test_c18_one_carriers_outage_around_barstow_names_six_trucks_and_no_tablet(tmp_path: Path) -> None:
    """Three hundred trucks at three homes, two thirds of them with one carrier and a third with another."""
    verizon, att = (
        carrier_of(fake_sims(prefix, count, MB, first=first), at(1))
        for prefix, count, first in (("v", 200, 101), ("a", 100, 301))
    )
    homes = {
        sim.name: "barstow" if number % 25 == 0 else ("fontana", "reno")[number % 2]
        for number, sim in enumerate([*verizon.sims.values(), *att.sims.values()])
    }
    accounts = {
        "verizon": Account(verizon, ThingSpace(verizon), POOL % "200 GB"),
        "att": Account(att, ThingSpace(att), POOL % "200 GB", "network: att"),
    }
    barstow = [name for name, home in homes.items() if home == "barstow"]
    dark = barstow[:6]
    tenancy = Tenancy([])
    (tmp_path / "graph").write_text(TENANCY_SECRET + "\n", encoding="utf-8")
    with Vendor(tenancy) as vendor:
        tablets = (
            "platform: intune, tenant: contoso, client_id: abc, client_secret_file: graph, "
            f'url: "{vendor.url}", login_url: "{vendor.url}", rate: 1000/s'
        )
        # Use is read in rounds; who is in session comes with each list.
        world = World(tmp_path, accounts, homes=homes, tablets=tablets, allowance=30)

        def heard(silent: Sequence[str], hours: float) -> None:
            """All tablets an hour before March 10, 1 a.m., but those of these trucks so many hours."""
            tenancy.devices = [
                raw(
                    number, serialNumber=name, lastSyncDateTime=iso(at(10, 1) - HOUR * (hours if name in silent else 1))
                )
                for number, name in enumerate(homes)
            ]
            tenancy.counted = len(tenancy.devices)

        with world:
            heard((), 1)
            # A habit is known after eight looks at an hour.
            for minutes in range(0, 56, 7):
                world.collect(at(9, 1) + minutes * 60.0)
            heard(dark, 30)
            verizon.switch(f"offline={','.join(dark)}")
            world.collect(at(10, 1))
            told = world.told(900.0)
            assert said(told) == ["ticket CarrierDegraded verizon"]
            trucks = ", ".join(f"T-{name}" for name in dark)
            assert told[0].summary == (
                f"Verizon has trouble: 6 of ours are cut off. Trucks of Barstow: {trucks}. "
                "Nothing to do on our side but tell them."
            )
            # The same tablets, for another reason than their carrier.
            verizon.switch("heal")
            world.collect(at(10, 1.2))
            assert said(world.told(900.0)) == ["ticket DevicesSilent drivers"]
            # All of them, with both carriers: they are parked.
            heard((), 1)
            for carrier in (verizon, att):
                carrier.switch(f"offline={','.join(name for name in barstow if name in carrier.names())}")
            world.collect(at(10, 1.4))
            assert said(world.told(900.0)) == []
            assert world.identifiers() == []


def test_c20_a_sim_that_is_listed_in_three_spellings_is_one(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1))
    with one(tmp_path, carrier, Spelled(carrier, rate=1e9), POOL % "20 GB") as world:
        every_day(world, 9, 10)
        assert world.value("sims", state="active") == 2
        assert world.value("sims_unlisted") == 0
        assert world.value("pool_usage_bytes", pool="tablets") == sum(map(carrier.total, carrier.sims.values()))
        assert said(world.told()) == []
        assert world.identifiers() == []


def test_c21_megabytes_and_bytes_in_one_answer_and_numbers_as_text_are_bytes(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1))
    with one(tmp_path, carrier, ProgrammableWireless(carrier), "cycle: month") as world:
        every_day(world, 19, 20)
        for sim in carrier.sims.values():
            assert world.value("sim_usage_bytes", sim=sim.name) == pytest.approx(carrier.total(sim), abs=20)
            assert world.value("sim_cap_bytes", sim=sim.name) == 2 * GB
        assert said(world.told()) == []
        assert world.identifiers() == []


def test_c22_tracking_that_begins_in_the_middle_of_a_cycle_has_the_whole_of_it(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1))
    with one(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "3 GB") as world:
        world.collect(at(12))
        sim = next(iter(carrier.sims.values()))
        assert world.value("sim_usage_bytes", sim=sim.name) == carrier.total(sim)
        assert world.value("usage_counted_since_timestamp_seconds", pool="", sim=sim.name) is None
        assert said(world.told()) == []


@pytest.mark.parametrize("fault", ["down", "throttled"])
def test_a_fault_of_the_api_leaves_what_is_shown_and_says_no_number(thingspace: World, fault: str) -> None:
    with thingspace as world:
        world.collect(at(10))
        used = world.value("sim_usage_bytes", sim="cab-101")
        world.carrier.switch(fault)
        with pytest.raises(PollError) as error:
            world.collect(at(11), within=1.0)
        assert used == world.value("sim_usage_bytes", sim="cab-101")
        assert not any(number in str(error.value) for number in world.carrier.sims)


@pytest.mark.timeout(120)
def test_c24_rounds_over_many_sims_obey_the_limit_and_the_age_of_each_is_visible(tmp_path: Path) -> None:
    """A fortieth of the ten thousand that the benchmark has, and twenty times its five requests a second."""
    count, rate = 250, 100
    carrier = carrier_of(fake_sims("cab", count, MB), at(1))
    face = ControlCenter(carrier, rate=rate)
    account = Account(carrier, face, POOL % "500 GB", rate=f"{rate}/s")
    with World(tmp_path, {"carrier": account}) as world:
        instants = (at(10, 1), at(10, 1.25))
        for instant in instants:
            # Time for a part of them only.
            world.collect(instant, within=2.5)
        assert face.refused == 0
        heard = sorted(face.heard)
        assert all(late - early >= 1.0 for early, late in zip(heard, heard[rate:], strict=False))
        ages = {
            sim.name: world.value("usage_as_of_timestamp_seconds", pool="", sim=sim.name)
            for sim in carrier.sims.values()
        }
        assert {each for each in ages.values() if each is not None} == set(instants)
        assert None in ages.values()
        assert world.value("pool_sims_counted", pool="tablets") == sum(each is not None for each in ages.values())
        assert world.value("pool_sims", pool="tablets") == count
        assert said(world.told()) == []
        assert world.identifiers() == []
