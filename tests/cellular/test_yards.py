"""Rows about the SIMs of yards, from carrier, router and yard to who is told what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.cellular.test_router_counter import router
from tests.cellular.world import DAY, FLEET, STANDS, Account, World, carrier_of, said
from tests.rules.yard import FIBER, LTE, Yard
from tests.snmp.agent import FakeAgent, serving, values
from tests.terminal.test_sampling import BYTES, file_of, measured

from yardlight.demo.carrier import HOUR, FakeSim, fake_sims, with_check
from yardlight.demo.faces import ControlCenter, ThingSpace

MB, GB = 10**6, 10**9
SIM = "fontana-standby"
ON_LTE = {"terminal": "fontana", "uplink": "lte"}
# A Friday at 11 p.m. and at 8.30 p.m. in Fontana, where work ends at 8 p.m.
NIGHT = datetime(2026, 3, 21, 6, tzinfo=UTC).timestamp()
EVENING = datetime(2026, 3, 21, 3, 30, tzinfo=UTC).timestamp()
TOLD_OF_A_FAILOVER = ["ticket TerminalOnStandby fontana", "ticket UplinkDown fontana"]
# When its fiber breaks, and when it is well again.
CUT, HEALED = 60.0, 480.0

pytestmark = pytest.mark.needs("promtool")


def of_yard(daily: int) -> FakeSim:
    """The SIM in the router of Fontana."""
    return FakeSim(SIM, with_check("8900100" + "000000000901"), "000000000000901", daily)


def on_lte(name: str) -> Yard:
    """Fontana's fiber breaks, and its router moves to LTE within 15 seconds."""
    if name != "fontana":
        return Yard(fleet=FLEET, name=name)
    lines = {"fiber": replace(FIBER, dead=((CUT, HEALED),)), "lte": LTE}
    return Yard(fleet=FLEET, name=name, lines=lines, path=((CUT + 15, "lte"), (HEALED + 20, "fiber")))


@pytest.fixture
def standby(tmp_path: Path) -> Callable[..., World]:
    """A world in which the plan of Fontana's standby has `left` at an instant, for a yard that uses 1 GB an hour."""

    def made(at: float, left: int, site: str = "hourly_load: 1 GB") -> World:
        carrier = carrier_of([of_yard(100 * MB)], at)
        cap = carrier.total(carrier.sims[next(iter(carrier.sims))]) + left
        account = Account(carrier, ControlCenter(carrier, rate=1e9), f"cycle: month, cap: {cap // 1000} kB")
        return World(tmp_path, {"carrier": account}, standbys={"fontana": SIM}, sites={"fontana": site})

    return made


def test_t29_on_lte_at_night_with_nine_hours_left_somebody_is_woken(standby: Callable[..., World]) -> None:
    with standby(NIGHT, 9 * GB) as world:
        world.collect(NIGHT)
        assert world.value("standby_left_bytes", **ON_LTE) == pytest.approx(9 * GB, abs=1000)
        moments = [NIGHT + CUT - 30, NIGHT + CUT + 300, NIGHT + HEALED + 180]
        before, during, after = world.told_over(NIGHT, moments, on_lte)
    assert said(before) == []
    assert said(during) == ["page StandbyHeadroomLow fontana to oncall", *TOLD_OF_A_FAILOVER]
    assert during[0].summary == (
        "Fontana: the yard runs on its backup line, and that plan lasts about 8h 55min more at the usual load. "
        "Raise the plan or cut traffic now, or dispatch there goes offline."
    )
    assert said(after) == []


@pytest.mark.parametrize(
    ("left", "site", "paged"),
    [
        # The weekend is 57 hours long.
        (30 * GB, "hourly_load: 1 GB, staffed: weekdays", True),
        (60 * GB, "hourly_load: 1 GB, staffed: weekdays", False),
        (30 * GB, "hourly_load: 1 GB", False),
    ],
)
def test_c04_a_plan_that_ends_before_somebody_is_at_work_again_pages(
    standby: Callable[..., World], left: int, site: str, paged: bool
) -> None:
    with standby(EVENING, left, site) as world:
        world.collect(EVENING)
        [during] = world.told_over(EVENING, [EVENING + CUT + 300], on_lte)
    page = ["page StandbyHeadroomLow fontana to oncall"] if paged else []
    assert said(during) == [*page, *TOLD_OF_A_FAILOVER]


def test_an_idle_standby_whose_plan_is_short_wakes_nobody(standby: Callable[..., World]) -> None:
    with standby(NIGHT, 9 * GB) as world:
        world.collect(NIGHT)
        assert said(world.told()) == []


def test_c19_what_the_carrier_claims_is_told_as_its_claim(standby: Callable[..., World]) -> None:
    with standby(NIGHT, 30 * GB) as world:
        world.collect(NIGHT)
        # The limit of this SIM alone, by the platform; what it used is far below the cap of the inventory.
        world.carrier.cap = 1
        world.carrier.faults.capped = True
        world.collect(NIGHT + 900.0)
        assert world.value("sim_throttled", sim=SIM) == 1
        before, after = world.told_over(NIGHT, [NIGHT + 600.0, NIGHT + 900.0 + STANDS])
    assert said(before) == []
    assert said(after) == [f"ticket SimThrottled {SIM}"]
    assert after[0].summary == (
        f"SIM {SIM} (carrier) is throttled: the carrier says so. Raise the plan, or expect it to crawl."
    )


def test_c19_what_was_measured_at_the_yard_is_told_as_measured(standby: Callable[..., World]) -> None:
    """A file as the yard's exporter fetches it over the idle standby, from a server that is slow."""
    record, _, _ = measured(file_of(BYTES, pause=0.02), lambda record: record.speed is not None)
    assert record.speed is not None
    with standby(NIGHT, 30 * GB) as world:
        world.account.section += f", throttle_speed: {round(record.speed / 1000)} kB"
        world.write()
        world.collect(NIGHT)
        assert world.value("sim_throttled", sim=SIM) == 0
        # As slow as that in the cycle before, then in this one, and then as fast as ever.
        for minutes, (speed, at) in enumerate(((1, NIGHT - 25 * DAY), (1, NIGHT - HOUR), (10, NIGHT + HOUR / 2))):
            world.beside = sample(speed * record.speed, at)
            world.look(NIGHT + minutes * 600.0)
        told = world.told_over(NIGHT, [NIGHT + minutes * 60.0 for minutes in (8, 18, 28)])
    assert [said(each) for each in told] == [[], [f"ticket SimThrottled {SIM}"], []]
    assert "is throttled: measured at the yard; the carrier does not say so." in told[1][0].summary


def sample(speed: float, at: float) -> dict[str, float]:
    """What a yard's exporter says of the speed of its standby."""
    where = f'{{fleet="{FLEET}",terminal="fontana",uplink="lte"}}'
    return {
        f"yardlight_standby_throughput_bytes_per_second{where}": speed,
        f"yardlight_standby_throughput_timestamp_seconds{where}": at,
    }


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[tuple[World, FakeAgent]]:
    """A world in which the router of Fontana counts what its SIM uses, too."""
    start = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    carrier = carrier_of([of_yard(round(2.6 * GB / 7))], start)
    (tmp_path / "community").write_text("public\n", encoding="utf-8")
    with serving(FakeAgent(values(router()))) as agent:
        lines = (
            f"platform: router_counter, lines: {{{SIM}: {{address: 127.0.0.1, interface: wwan0, "
            f"snmp: {{community_file: community, port: {agent.port}}}}}}}"
        )
        account = Account(carrier, ControlCenter(carrier, rate=1e9), "cycle: month, cap: 50 GB")
        world = World(
            tmp_path,
            {"carrier": account},
            standbys={"fontana": SIM},
            others={"router": (lines, "cycle: month")},
        )
        with world:
            yield world, agent


def count_up(world: World, agent: FakeAgent, share: float, days: int) -> float:
    """Twice a day the router has counted this share of what the carrier will say; the last instant."""
    [sim] = world.carrier.sims.values()
    start = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
    at = start
    for half in range(2 * days):
        at = start + half * DAY / 2
        world.carrier.clock = lambda at=at: at + world.carrier.lag
        received = round(world.carrier.total(sim) * share)
        agent.use(values(router(uptime=round(at - start + 1e6) * 100, wide=10**10 + received)))
        world.collect(at)
    return at


def test_c17_a_router_that_counts_less_than_the_carrier_bills_is_a_ticket(counted: tuple[World, FakeAgent]) -> None:
    world, agent = counted
    count_up(world, agent, 1.9 / 2.6, 14)
    told = world.told()
    assert said(told) == [f"ticket UsageReconcileDrift {SIM}"]
    router_, carrier = (world.value("sim_settled_bytes", sim=SIM, source=source) for source in ("router", "carrier"))
    assert router_ == pytest.approx(1.9 * GB, rel=0.1)
    assert carrier == pytest.approx(2.6 * GB, rel=0.1)
    assert world.identifiers() == []


def test_c17_what_both_count_alike_but_for_the_carriers_delay_is_silence(counted: tuple[World, FakeAgent]) -> None:
    world, agent = counted
    count_up(world, agent, 0.98, 14)
    assert world.value("sim_settled_bytes", sim=SIM, source="router") is not None
    assert said(world.told()) == []


def test_c16_a_router_whose_counters_wrap_and_that_reboots_never_jumps(counted: tuple[World, FakeAgent]) -> None:
    """Counters of 31 bits an hour apart: 300 MB each, over 2^31, then a reboot after which 40 MB were counted."""
    world, agent = counted
    start = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
    readings = [
        (2**31 - 400 * MB, 0),
        (2**31 - 100 * MB, 1),
        (200 * MB, 2),
        (500 * MB, 3),
        (40 * MB, None),
        (340 * MB, 5),
    ]
    used = []
    for hour, (narrow, up) in enumerate(readings):
        uptime = (
            (up if up is not None else 0) * 3600 + 100_000 if up is not None and up < 5 else 600 + 3600 * (hour - 4)
        )
        agent.use(values(router(uptime=uptime * 100, wide=0, narrow=narrow)))
        world.collect(start + hour * HOUR)
        used.append(world.value("sim_usage_bytes", account="router", sim=SIM))
    grown = [0, 300, 300, 300, 40, 300]
    assert [(each or 0) // MB for each in used] == [2 * sum(grown[: index + 1]) for index in range(len(grown))]
    assert said(world.told()) == []


@pytest.mark.timeout(300)
def test_t30_a_carriers_outage_at_two_hundred_yards_is_one_ticket(tmp_path: Path) -> None:
    """Their fiber is fine, and so are the trucks' SIMs of another carrier, which has another platform."""
    carrier = carrier_of(fake_sims("cab", 2, 30 * MB), NIGHT)
    names = ["fontana", *(f"yard-{number:03}" for number in range(2, 201))]
    world = World(
        tmp_path,
        {"carrier": Account(carrier, ThingSpace(carrier), "cycle: month", "network: att")},
        standbys={name: f"{name}-standby" for name in names},
    )
    dead = replace(LTE, isp="Verizon Wireless", dead=((CUT, HEALED),))

    def yards(name: str) -> Yard:
        return Yard(fleet=FLEET, name=name, lines={"fiber": FIBER, "lte": dead})

    with world:
        world.collect(NIGHT)
        before, during, after = world.told_over(
            NIGHT, [NIGHT + CUT - 30, NIGHT + CUT + 360, NIGHT + HEALED + 120], yards
        )
    assert said(before) == []
    assert said(during) == ["ticket CarrierDegraded Verizon Wireless"]
    assert during[0].summary == (
        "Verizon Wireless has trouble: 200 of ours are cut off. Backup lines of: Fontana, Yard-002, Yard-003, "
        "Yard-004, Yard-005, Yard-006. Nothing to do on our side but tell them."
    )
    assert all(f" {name}" in during[0].description for name in names)
    assert said(after) == []
