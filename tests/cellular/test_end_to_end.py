"""Rows of cellular.yml from a carrier's API to the page: real HTTP, the inventory as written, a clock that is ours."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cellular.world import DAY, World, carrier_of, set_clock

from yardlight.demo.carrier import HOUR, fake_sims
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


# All but two of these ask promtool what rings.
pytestmark = pytest.mark.needs("promtool")


@pytest.fixture
def thingspace(tmp_path: Path) -> World:
    """Four SIMs, 30 MB a day each on average, whose rows of 45 days are there at once."""
    carrier = carrier_of(fake_sims("cab", 4, 30 * MB), at(1))
    return World(tmp_path, carrier, ThingSpace(carrier), POOL % "3 GB")


def test_c01_a_pool_that_heads_for_its_cap_is_seen_five_days_before_it_gets_there(thingspace: World) -> None:
    """The first collection of all, nine days before the cycle ends: the platform's rows are history enough."""
    with thingspace as world:
        world.write(POOL % "2.9 GB")
        world.collect(at(20))
        exhausted = world.value("cap_exhaustion_timestamp_seconds", pool="tablets", sim="")
        assert exhausted is not None
        reached = next(day for day in range(20, 32) if pool_total(world, day) >= 2.9 * GB)
        assert exhausted - at(20) >= 5 * DAY
        assert abs(exhausted - at(reached)) < 2 * DAY
        assert world.value("cycle_end_timestamp_seconds", pool="tablets", sim="") == APRIL
        assert world.alerts() == {("CapWillBeExceeded", "tablets")}
        assert world.identifiers() == []


def pool_total(world: World, day: int) -> int:
    """What all SIMs will have used by the evening of a day."""
    # Its own lag later, and a second before the cycle may end.
    set_clock(world.carrier, at(day) + world.carrier.lag - 1.0)
    return sum(map(world.carrier.total, world.carrier.sims.values()))


def test_c02_much_used_two_days_before_the_end_and_enough_left_is_calm(thingspace: World) -> None:
    with thingspace as world:
        needed = pool_total(world, 31)
        world.write(POOL % f"{round(needed * 1.15 / MB)} MB")
        every_day(world, 25, 29)
        used, cap = world.value("pool_usage_bytes", pool="tablets"), world.value("pool_cap_bytes", pool="tablets")
        assert used is not None
        assert cap is not None
        assert used > 0.78 * cap
        assert world.value("cap_exhaustion_timestamp_seconds", pool="tablets", sim="") is None
        assert world.alerts() == set()


def test_c03_c23_a_cap_that_is_passed_is_said_as_it_is(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 3, 30 * MB), at(1), cap=3 * GB)
    with World(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "3 GB") as world:
        every_day(world, 1, 3)
        carrier.faults.capped = True
        world.collect(at(4))
        used = world.value("pool_usage_bytes", pool="tablets")
        assert used is not None
        assert used > 3 * GB
        assert world.value("sim_throttled", sim="cab-101") == 1
        assert ("CapReached", "tablets") in world.alerts()


def test_c05_data_that_is_late_widens_what_may_come(thingspace: World) -> None:
    with thingspace as world:
        every_day(world, 10, 20)
        usual = spread(world)
        world.carrier.switch("late=30h")
        world.collect(at(21))
        assert world.value("usage_as_of_timestamp_seconds", pool="", sim="") == pytest.approx(
            at(21) - 30 * HOUR, abs=DAY
        )
        assert spread(world) > usual * 0.9
        late = world.value("usage_late_after_seconds")
        assert late is not None
        assert late < 30 * HOUR
        assert ("UsageDataLate", "carrier") in world.alerts()


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
        assert day is None or above is None or day < above
        assert "SimRunaway" not in {name for name, _ in world.alerts()}


def test_c07_an_api_that_is_down_over_the_end_of_the_cycle(thingspace: World) -> None:
    with thingspace as world:
        every_day(world, 25, 30)
        shown = world.text
        world.carrier.switch("down")
        with pytest.raises(ServerError):
            world.collect(at(31))
        assert world.text == shown
        world.carrier.switch("heal")
        world.carrier.faults.late = 10 * HOUR
        world.collect(APRIL + HOUR)
        assert world.value("sim_usage_bytes", sim="cab-101") is None
        assert (world.value("usage_last_cycle_bytes", pool="", sim="cab-101") or 0) > 20 * MB


def test_c08_an_end_that_the_platform_names_is_the_end_of_the_cycle(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1), day=12)
    with World(tmp_path, carrier, ThingSpace(carrier), "cycle: {day: 12}") as world:
        world.collect(at(20))
        assert world.value("cycle_end_timestamp_seconds", pool="", sim="cab-101") == at(32 + 11, 0)
        assert world.value("cycle_start_timestamp_seconds", pool="", sim="cab-101") == at(12, 0)


def test_c09_each_sims_thirty_days_are_its_own_and_the_pools_month_is_a_month(tmp_path: Path) -> None:
    sims = fake_sims("cab", 2, 30 * MB)
    sims[0].activated, sims[1].activated = at(-20, 9), at(3, 13.5)
    carrier = carrier_of(sims, at(1))
    section = "pools: {tablets: {cap: 5 GB, cycle: month}}"
    with World(tmp_path, carrier, SuperSim(carrier, 1000), section) as world:
        world.collect(at(20))
        ends = [world.value("cycle_end_timestamp_seconds", pool="", sim=sim.name) for sim in sims]
        assert ends == [at(-20, 9) + 60 * DAY, at(3, 13.5) + 30 * DAY]
        assert world.value("cycle_end_timestamp_seconds", pool="tablets", sim="") == APRIL
        assert world.value("sim_cap_bytes", sim="cab-101") == GB
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
        assert ("SimRunaway", "cab-103") in world.alerts()
        assert world.identifiers() == []


def test_c14_a_plan_that_grows_in_the_middle_of_the_cycle(thingspace: World) -> None:
    with thingspace as world:
        world.write(POOL % "2 GB")
        every_day(world, 10, 14)
        assert ("CapWillBeExceeded", "tablets") in world.alerts()
        world.write(POOL % "10 GB")
        world.collect(at(15))
        assert world.value("pool_cap_bytes", pool="tablets") == 10 * GB
        assert world.alerts() == set()


def test_c15_a_shared_plan_is_the_sum_of_those_that_can_be_read(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 40, 30 * MB), at(1))
    carrier.faults.unreadable = {"cab-103", "cab-117", "cab-140"}
    with World(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "50 GB") as world:
        every_day(world, 9, 10)
        readable = [sim for sim in carrier.sims.values() if sim.name not in carrier.faults.unreadable]
        assert world.value("pool_usage_bytes", pool="tablets") == sum(map(carrier.total, readable))
        assert world.value("pool_sims", pool="tablets") == 40
        assert world.value("pool_sims_counted", pool="tablets") == 37
        assert world.value("sim_usage_bytes", sim="cab-103") is None


def test_c18_those_of_a_carrier_that_lose_their_sessions_are_counted_where_they_live(thingspace: World) -> None:
    with thingspace as world:
        for hour in range(0, 24 * 9, 3):
            world.collect(at(1) + hour * HOUR)
        assert world.value("carrier_sims_in_session", carrier="verizon", terminal="fontana") == 4
        world.carrier.switch("offline=cab-101,cab-102,cab-103")
        world.collect(at(10, 1))
        assert world.value("carrier_sims_in_session", carrier="verizon", terminal="fontana") == 1
        assert world.value("sim_in_session", sim="cab-101") == 0


def test_c22_tracking_that_begins_in_the_middle_of_a_cycle_has_the_whole_of_it(tmp_path: Path) -> None:
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), at(1))
    with World(tmp_path, carrier, ControlCenter(carrier, rate=1e9), POOL % "3 GB") as world:
        world.collect(at(12))
        sim = next(iter(carrier.sims.values()))
        assert world.value("sim_usage_bytes", sim=sim.name) == carrier.total(sim)
        assert world.value("usage_since_timestamp_seconds", pool="", sim=sim.name) is None


@pytest.mark.parametrize("fault", ["down", "throttled"])
def test_a_fault_of_the_api_leaves_what_is_shown_and_says_no_number(thingspace: World, fault: str) -> None:
    with thingspace as world:
        world.collect(at(10))
        shown = world.text
        world.carrier.switch(fault)
        with pytest.raises(PollError) as error:
            world.collect(at(11), within=1.0)
        assert world.text == shown
        assert not any(number in str(error.value) for number in world.carrier.sims)
