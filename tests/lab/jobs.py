"""Which labs are run: each job is one lab with one or more scenarios in it, short or as the bars say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab import bar1, bar2, bar3, bar4, drill_runs, drills, extras, kills, network, proofs, router_word, rows
from tests.lab.lab import Lab, Setup
from tests.lab.measure import Results
from tests.lab.network import Shape
from tests.lab.router import Settings, switching_after

Scenario = Callable[[Lab, Results], Awaitable[None]]
Alone = Callable[[Results, Path], Awaitable[None]]
FAST, SLOW = switching_after(4), switching_after(15)
# A router that does not move back by itself.
STAYS = replace(FAST, failback=False)
# A standby whose health the router does not check: nothing but the exporter sends over it.
TRUSTING = Settings(interval=1.0, fails=3, recovers=3, check_standby=False)
MONTH = 300.0


@dataclass(frozen=True)
class Job:
    """One lab; its scenarios run one after the other. `group` is what a user asks for on the command line.

    `alone` needs no lab, only loopback and a folder to work in.
    """

    name: str
    setup: Setup
    scenarios: tuple[Scenario, ...]
    minutes: float
    alone: Alone | None = None

    @property
    def group(self) -> str:
        return self.name.split(".", 1)[0]


def quick() -> list[Job]:
    """What `make test` runs: about a minute and a half."""
    unmetered = (partial(bar4.dead_standby, count=1, hold=6), partial(bar4.unpinned_standby, count=1, hold=6))
    return [
        Job("bar1.quick", Setup(), (partial(bar1.quiet, seconds=8), partial(bar1.blackholes, count=3)), 3),
        Job("bar2.quick", Setup(), (partial(bar2.cuts, kind="fiber", count=1, hold=25),), 4),
        Job("bar4.quick", Setup(centre=False), unmetered, 3),
        Job("bar5.quick", Setup(), (), 4, partial(kills.kills, count=12, victims=3)),
        Job("drills.quick", Setup(router=FAST, terminal={**drill_runs.YARD, **DISPATCH}, fleet=drill_runs.LINKS),
            (partial(rows.row, id_="D01", act=drills.quick),), 5),
    ]  # fmt: skip


def full() -> list[Job]:
    """The bars as they were set."""
    return [
        *_bar3(),
        *_bar2(),
        *_bar1(),
        *_bar4(),
        *_bar5(),
        *_drill(),
        *_drill_rows(),
        *_rows(),
        *_standby(),
        *_extra(),
    ]


def _bar1() -> list[Job]:
    return [
        Job("bar1.fast", Setup(router=FAST), (partial(bar1.blackholes, count=20),), 20),
        Job("bar1.slow", Setup(router=SLOW), (partial(bar1.blackholes, count=20),), 20),
        Job("bar1.quiet", Setup(), (partial(bar1.quiet, seconds=600),), 13),
    ]


def _bar2() -> list[Job]:
    def job(name: str, kind: bar2.Kind, setup: Setup) -> Job:
        return Job(f"bar2.{name}", setup, (partial(bar2.cuts, kind=kind, count=5, hold=125),), 45)

    usual = Setup(router=FAST, usual=True, truth=("default",))
    out_of_band = Setup(router=FAST, usual=True, truth=("default",), shape=Shape(out_of_band=True))
    return [
        made
        for turn in ("a", "b")
        for made in (
            job(f"fiber-{turn}", "fiber", usual),
            job(f"dark-{turn}", "dark", out_of_band),
            job(f"cut_off-{turn}", "cut_off", usual),
        )
    ]


def _bar3() -> list[Job]:
    def job(row: bar3.Scenario, seconds: float, out_of_band: bool = False, **terminal: str) -> Job:
        shape = Shape(out_of_band=out_of_band)
        setup = Setup(router=switching_after(seconds), shape=shape, terminal=terminal, truth=("default",))
        return Job(f"bar3.{row}", setup, (partial(bar3.switches, row=row, count=4),), 30)

    return [
        job("T03", 90, out_of_band=True),
        job("T03-inband", 90),
        job("T04", 90, switch_within="120s"),
        job("T02", 50),
        job("T01", 15),
    ]


def _bar4() -> list[Job]:
    unmetered = (partial(bar4.dead_standby, count=10, hold=12), partial(bar4.unpinned_standby, count=10, hold=12))
    metered = (partial(bar4.dead_standby, count=4, hold=12), partial(bar4.unpinned_standby, count=4, hold=12))
    meters = [
        (f"bar4.month-{kilobytes}kB-{on_standby:.0f}s", kilobytes * 1000, on_standby)
        for kilobytes, on_standby in ((300, 60.0), (60, 20.0), (60, 200.0), (30, 0.0))
    ]
    return [
        Job("bar4.hops", Setup(centre=False), unmetered, 25),
        Job("bar4.stun", Setup(centre=False, egress=True), unmetered, 25),
        Job("bar4.metered", Setup(
            centre=False, router=TRUSTING, truth=(), metered={"budget": "60 kB", "per": "5m"},
        ), metered, 25),
        *(
            Job(name, Setup(
                centre=False, router=TRUSTING, truth=(), metered={"budget": f"{budget} B", "per": "5m"},
            ), (partial(bar4.month, period=MONTH, budget=budget, on_standby=on_standby),), 9)
            for name, budget, on_standby in meters
        ),
    ]  # fmt: skip


def _bar5() -> list[Job]:
    return [Job("bar5.kills", Setup(), (), 90, partial(kills.kills, count=1000, victims=8))]


def _drill() -> list[Job]:
    def killed(who: str, moments: Sequence[str], **more: Any) -> Job:
        scenario = partial(drill_runs.kills, moments=moments, who=who, **more)
        name = "away" if more else who
        return Job(f"drill.kill-{name}", Setup(router=FAST, terminal=drill_runs.YARD, truth=(), centre=bool(more)),
                   (scenario,), 60)  # fmt: skip

    drills = {**drill_runs.YARD, **DISPATCH}
    steps = drill_runs.MOMENTS
    return [
        Job("drill.quarterly", Setup(router=FAST, terminal=drills, fleet=drill_runs.LINKS, snmp=True),
            (partial(drill_runs.quarterly, count=5),), 40),
        killed("runner", steps),
        killed("serve", [step for step in steps if step not in drill_runs.EARLY]),
        killed("both", [step for step in steps if step not in drill_runs.EARLY]),
        killed("runner", ["cut begins"] * 4, away=True),
    ]  # fmt: skip


DISPATCH: dict[str, Any] = {
    "resolvers": [network.DNS],
    "services": {"dispatch": {"url": "http://dispatch.example.com/health", "every": "10s"}},
}
OWN_WAY = Shape(out_of_band=True)
ALWAYS_PEAK: dict[str, Any] = {"calendars": {"always": {}}}


def _rows() -> list[Job]:
    def job(id_: str, act: rows.Act, minutes: float = 20, truth: tuple[str, ...] = (), **setup: Any) -> Job:
        made = Setup(**{"router": SLOW, "truth": truth, **setup})
        return Job(f"rows.{id_}", made, (partial(rows.row, id_=id_, act=act),), minutes)

    def moved(id_: str, seconds: float, *expected: str, **setup: Any) -> Job:
        router = switching_after(seconds)
        return job(id_, rows.failover(*expected), router=router, truth=("default",), **setup)

    return [
        job("T12", rows.t12, 50),
        job("T11", rows.t11, 35, rules={"[1h]": "[6m]"}),
        job("T13", rows.t13, terminal=DISPATCH),
        job("T14", rows.t14, terminal=DISPATCH),
        job("T15", rows.t15, terminal=DISPATCH),
        job("T16", rows.t16, terminal=DISPATCH, twin="terminal"),
        job("T07", rows.t07),
        job("T08", rows.t08),
        job("T09", rows.lossy("page"), terminal={"site": {"peak": "always"}}, fleet=ALWAYS_PEAK),
        job("T10", rows.lossy("ticket")),
        job("T17", rows.t17),
        job("T18", rows.t18, snmp=True, terminal={"failback_within": "30m"}),
        job("T19", rows.t19, snmp=True, shape=OWN_WAY),
        job("T20", rows.t20, uplinks={"fiber": {"circuit": {"outside": network.FIBER_WAN}}}),
        job("T22", rows.t22, stepping_clock=True),
        job("T23", rows.failover(*rows.PLANNED), terminal=rows.window(), truth=("default",)),
        job("T24", rows.t24, terminal=rows.window(), shape=OWN_WAY),
        job("T26", rows.t26, twin="terminal", shape=OWN_WAY),
        job("T27", rows.t27, shape=OWN_WAY),
        job("T28", rows.t28, router=STAYS, terminal={"failback_within": "60s"}),
        job("T31", rows.t31, twin="fleet", shape=OWN_WAY),
        job("T33", rows.dark(("info TerminalDark fontana",)), terminal={"stage": "trial"}, shape=OWN_WAY),
        job("T34", rows.t34, shape=OWN_WAY),
        job("T35", rows.t35, shape=OWN_WAY),
        job("T37", rows.t37),
        job("T38", rows.t38, small_disk=True),
        job("T39", rows.t39, shape=OWN_WAY),
        job("T21", rows.t21),
        job("T05", rows.cut_off),
        job("T06", rows.dark(rows.DARK), shape=OWN_WAY),
        moved("T01", 15, *rows.ON_LTE),
        moved("T02", 50, *rows.ON_LTE),
        moved("T03", 90, *rows.DARK, *rows.ON_LTE, shape=OWN_WAY),
        moved("T04", 90, *rows.ON_LTE, terminal={"switch_within": "120s"}),
        job("T32", rows.quiet(300), uplinks={"lte": None}),
        job("T36", rows.quiet(300)),
    ]


def _drill_rows() -> list[Job]:
    yard = {**drill_runs.YARD, **DISPATCH}

    def job(id_: str, act: drills.Act, **setup: Any) -> Job:
        made = Setup(**{"router": FAST, "terminal": yard, "fleet": drill_runs.LINKS, "truth": ("default",), **setup})
        return Job(f"drills.{id_}", made, (partial(rows.row, id_=id_, act=act),), 25)

    by_hand = {**yard, "drill": {"playbook": drill_runs.PLAYBOOK}}
    return [
        job("D05", drills.d05),
        job("D06", drills.d06, router=switching_after(80), terminal={**yard, "switch_within": "60s"}),
        job("D03", drills.d03),
        job("D01", drills.d01),
        job("D14", drills.d14, terminal=by_hand),
        job("D04", drills.d04, router=STAYS),
        job("D07", drills.d07),
        job("T25", drills.t25, shape=OWN_WAY),
        job("D08", drills.d08),
        job("D02", drills.d02, shape=OWN_WAY),
        job("D09", drills.d09, terminal=by_hand),
    ]


def _standby() -> list[Job]:
    """What is proven of an idle LTE, and what the router says."""
    month = Setup(centre=False, router=TRUSTING, truth=(), proof=True, metered={"budget": "600 kB", "per": "5m"})
    unproven = Setup(
        router=TRUSTING, truth=(), proof=True, metered={"budget": "3 MB", "per": "5m"}, standby={"max_proof_age": "60s"}
    )
    word = (partial(router_word.claims, count=5), partial(router_word.many_routes, count=100_000))
    return [
        Job("proofs.month", month, (partial(proofs.month, period=MONTH, budget=600_000),), 9),
        Job("proofs.dead", Setup(router=TRUSTING, truth=(), metered={"budget": "50 MB"}),
            (partial(proofs.dead, count=3),), 30),
        Job("proofs.unproven", unproven, (partial(proofs.unproven, max_age=60, count=2),), 30),
        Job("word.claims", Setup(router=FAST, centre=False, snmp=True), word, 25),
    ]  # fmt: skip


def _extra() -> list[Job]:
    sticky = Setup(router=FAST, centre=False, shape=Shape(sticky_nat=True))
    hidden = Setup(router=FAST, centre=False, shape=Shape(hidden_hops=True))
    unproven = (partial(bar4.dead_standby, count=2, hold=12), partial(bar4.unpinned_standby, count=3, hold=12))
    return [
        Job("extra.restart", Setup(), (partial(extras.restart, count=3),), 8),
        Job("extra.card", Setup(centre=False), (partial(extras.card, count=3),), 8),
        Job("extra.hidden", hidden, (partial(bar3.sticky, count=3), *unproven), 12),
        Job("extra.sticky", sticky, (partial(bar3.sticky, count=4),), 8),
    ]
