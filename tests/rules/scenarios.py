"""The acceptance rows of this step as yards with faults, and who must be told at every moment.

Each becomes a file in alert_rules/tests/. Those with `moved` have a second case: the exporter moves to another host in
the middle of the incident while two centres export every threshold. What is not expected must be silent.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.rules.yard import ALWAYS, FIBER, LONG_AGO, LTE, Centre, Drill, Host, Router, Service, Spans, Yard

CUT, HEAL, END = 150.0, 410.0, 480.0
Expected = tuple[tuple[float, float, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Scenario:
    """`expect`: from, until (seconds), and all alerts that fire then, as
    "severity AlertName [fleet/][terminal] [uplink [target]]"; "fleet/ account" for what belongs to an account, and
    "drill:severity ..." for what is told to the drill's receiver only.
    """

    name: str
    title: str
    yards: tuple[Yard, ...]
    end: float
    expect: Expected
    centre: Centre = field(default_factory=Centre)
    # Recorded series that an earlier run of Prometheus left behind.
    history: tuple[tuple[str, str], ...] = ()
    # When the exporter moves in the second case; -1: the inventory is exported twice only; None: no second case.
    moved: float | None = None
    every: float = 5.0
    # The group that is evaluated before all others; Prometheus promises no order.
    first: str = ""
    # An account at a vendor: anything with `moved` and `series(centre, end)`, such as `Platform`.
    platform: Any = None


def yard(fiber: Spans = (), lte: Spans = (), *, path: tuple[tuple[float, str], ...] = (), **more: Any) -> Yard:
    """Fontana with its two lines dead in the given spans."""
    lines = {"fiber": replace(FIBER, dead=fiber), "lte": replace(LTE, dead=lte)}
    return Yard(lines=lines, path=path, **more)


def failover(switch: float, **more: Any) -> Yard:
    """Fiber dies; the router moves after `switch` seconds, and back 20 s after fiber healed."""
    return yard(((CUT, HEAL),), path=((CUT + switch, "lte"), (HEAL + 20, "fiber")), **more)


def both_dead(**more: Any) -> Yard:
    return yard(((CUT, HEAL),), ((CUT, HEAL),), **more)


def lte_dies_too(**more: Any) -> Yard:
    """Fiber dies, LTE carries, LTE dies 100 s after it; both heal together and the router goes back."""
    return yard(((CUT, HEAL),), ((CUT + 100, HEAL),), path=((CUT + 15, "lte"), (HEAL + 20, "fiber")), **more)


def moved_host(blank: float) -> tuple[Host, ...]:
    """The exporter stops 100 s after CUT and starts on another host 40 s later, knowing nothing for `blank` seconds."""
    return Host(runs=((0, CUT + 100),)), Host("10.10.0.99:10480", ((CUT + 140, 1e9),), blank=blank)


def silent(*ends: float, start: float = CUT, first: int = 1, fleet: str = "inland-haul") -> tuple[Yard, ...]:
    """yard-1 and so on, of which nothing is heard from `start` until these ends."""
    return tuple(
        Yard(
            name=f"yard-{number}", fleet=fleet,
            hosts=(Host(f"yard-{number}:10480", ((0, start), (end, 1e9)), lingers=True),),
        )
        for number, end in enumerate(ends, first)
    )  # fmt: skip


def missing(number: int) -> str:
    return f"page TerminalNotReporting yard-{number}"


SILENT = "page FleetNotReporting inland-haul/"
ON_LTE = ("ticket TerminalOnStandby fontana", "ticket UplinkDown fontana fiber")
DRILLED = ("drill:ticket TerminalOnStandby fontana", "drill:ticket UplinkDown fontana fiber")
QUARTERLY = "quarterly-wan-failover"
PLANNED = ("info TerminalOnStandby fontana", "info UplinkDown fontana fiber")
DARK = ("page TerminalDark fontana",)
MISSING = ("page TerminalNotReporting fontana",)
NO_STANDBY = ("ticket StandbyNotReady fontana lte",)
WINDOW: dict[str, Spans] = {"fiber": ((100.0, 2000.0),)}
LOSSY = replace(FIBER, degraded=((CUT, HEAL),))
LONG_NUMBERS = replace(
    FIBER, support="+1 (800) 555-0199 ext. 48213", circuit="101/T3/DLLSTXZ01/FTWOTXED/0012345678/FTR-B2"
)
DEAD_LTE = replace(LTE, dead=((LONG_AGO, 1e9),))
THREE = {"fiber": replace(FIBER, dead=((CUT, HEAL),)), "lte-a": LTE, "lte-b": replace(LTE, isp="T-Mobile")}
FLAPS: Spans = tuple((CUT + 30 * each, CUT + 30 * each + (2.3, 3.2, 5.4, 8.1)[each % 4]) for each in range(40))

DNS_DEAD = Service(fails={"default": ((CUT, HEAL),), "fiber": ((CUT, HEAL),)}, reason="dns_timeout")
PEERING = Service(fails={"default": ((CUT, HEAL),), "fiber": ((CUT, HEAL),)})
# Last answered 20 s before the drill in which it fails began.
FAILS_ON_LTE = Service(fails=dict.fromkeys(("default", "lte"), ((80.0, HEAL),)), reason="dns_timeout", verdict=CUT - 65)
NO_DNS_ON_LTE = Service(fails={"lte": ((CUT, HEAL),)}, reason="dns_timeout")
EVERYWHERE = dict.fromkeys(("default", "fiber", "lte", "centre"), ((CUT, HEAL),))
GONE = Service(fails=EVERYWHERE, reason="status")
ONLY_HERE = Service(fails={path: spans for path, spans in EVERYWHERE.items() if path != "centre"}, reason="tls_expired")
SLOW = Service(slow=((CUT, CUT + 600),))
WORKS = Service()
SEES = Centre(service=WORKS)
PLATFORM = ("page PlatformDown inland-haul/ dispatch",)
UNREACHABLE = ("page ServiceUnreachable fontana dispatch",)
UNPROVEN = ("ticket StandbyUnproven fontana lte",)
AT_RISK = ("page TerminalAtRisk fontana",)
_NOT_DELIVERED = 'alertmanager_notifications_failed_total{instance="a:9093", job="alertmanager", integration="%s"}'

SCENARIOS = (
    Scenario(
        "T13", "DNS dead on fiber only: a page that says to switch to LTE",
        (yard(service=DNS_DEAD),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL + 5, UNREACHABLE), (HEAL + 20, END, ())),
        centre=SEES,
    ),
    Scenario(
        "T14", "DNS dead on LTE only, fiber carries: the standby is not ready though its path is",
        (yard(service=NO_DNS_ON_LTE),), END,
        ((0, CUT + 120, ()), (CUT + 145, HEAL + 5, NO_STANDBY), (HEAL + 20, END, ())),
        centre=SEES,
        moved=CUT + 200,
    ),
    Scenario(
        "standby-no-https", "no certificate is accepted over LTE: not ready, and at risk once fiber degrades as well",
        (
            Yard(
                lines={
                    "fiber": replace(FIBER, degraded=((CUT + 140, HEAL),)),
                    "lte": replace(LTE, failing={"https": ((CUT, HEAL + 60),)}),
                },
                service=WORKS,
            ),
        ), END + 60,
        (
            (0, CUT + 115, ()),
            (CUT + 130, CUT + 195, NO_STANDBY),
            (CUT + 210, HEAL - 5, (*NO_STANDBY, *AT_RISK)),
            (HEAL + 10, HEAL + 55, NO_STANDBY),
            (HEAL + 70, END + 60, ()),
        ),
        centre=SEES,
        moved=CUT + 230,
    ),
    Scenario(
        "standby-no-sim", "the router has lost the SIM, which this terminal requires, before the path shows it",
        (
            Yard(
                lines={
                    "fiber": FIBER,
                    "lte": replace(LTE, failing={"sim": ((CUT, HEAL),)}, dead=((CUT + 60, HEAL),)),
                },
                required=("sim",),
            ),
        ), END,
        ((0, CUT + 115, ()), (CUT + 130, HEAL, NO_STANDBY), (HEAL + 15, END, ())),
    ),
    Scenario(
        "unproven", "nothing is asked over LTE for longer than a proof may be old, here 10 min: a ticket until it is",
        (
            Yard(
                lines={"fiber": FIBER, "lte": replace(LTE, unasked=((CUT, 1200.0),))},
                service=WORKS,
                max_proof_age=600.0,
            ),
        ), 1500.0,
        ((0, CUT + 580, ()), (CUT + 620, 1190, UNPROVEN), (1220, 1500, ())),
        centre=SEES, every=10,
        moved=CUT + 700,
    ),
    Scenario(
        "unproven-never", "a standby that was added ten minutes ago, and nothing was ever asked over it",
        (
            Yard(
                lines={"fiber": FIBER, "lte": replace(LTE, unasked=ALWAYS)},
                service=WORKS,
                max_proof_age=600.0,
            ),
        ), 900.0,
        ((0, 590, ()), (620, 900, UNPROVEN)),
        centre=SEES, every=10,
    ),
    Scenario(
        "unproven-dead", "what cannot be asked over a dead LTE is no second ticket, nor is it when LTE is back",
        (
            Yard(
                lines={"fiber": FIBER, "lte": replace(LTE, dead=((CUT, 1200.0),))},
                service=WORKS,
                max_proof_age=600.0,
            ),
        ), 1500.0,
        ((0, CUT + 110, ()), (CUT + 140, 1200, NO_STANDBY), (1220, 1500, ())),
        centre=SEES, every=10,
    ),
    Scenario(
        "T15", "dispatch fails over fiber and works over LTE: a page that says to switch",
        (yard(service=PEERING),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL + 5, UNREACHABLE), (HEAL + 20, END, ())),
        centre=SEES,
        moved=CUT + 150,
    ),
    Scenario(
        "T16", "dispatch fails over both lines of two terminals and from the center: one page for all",
        (yard(service=GONE), yard(service=GONE, name="reno")), END + 240,
        ((0, CUT + 5, ()), (CUT + 25, HEAL + 5, PLATFORM), (HEAL + 25, END + 240, ())),
        centre=Centre(service=GONE),
        moved=CUT + 150,
    ),
    Scenario(
        "T16-one-after-the-other", "as T16, and the other line was asked a moment before dispatch died: no page for it",
        (yard(service=replace(GONE, every=36.0, good_before=8.0)),), END + 240,
        ((0, CUT + 25, ()), (CUT + 40, HEAL + 5, PLATFORM), (HEAL + 60, END + 240, ())),
        centre=Centre(service=GONE),
    ),
    Scenario(
        "T16-standby-first", "as T16, and it is noticed over LTE first, while other paths still work: no ticket",
        (yard(service=replace(GONE, fails={**EVERYWHERE, "lte": ((CUT - 20, HEAL),)})),), END + 240,
        ((0, CUT + 5, ()), (CUT + 25, HEAL + 5, PLATFORM), (HEAL + 25, END + 240, ())),
        centre=Centre(service=GONE),
    ),
    Scenario(
        "T16-here-only", "dispatch fails over both lines of one terminal only: 90 s later a page for that one",
        (yard(service=ONLY_HERE), yard(service=WORKS, name="reno")), END,
        ((0, CUT + 85, ()), (CUT + 100, HEAL + 5, UNREACHABLE), (HEAL + 20, END, ())),
        centre=SEES,
    ),
    Scenario(
        "T16-dark", "dispatch cannot be reached because nothing can: one page, not two",
        (both_dead(service=WORKS),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, DARK), (HEAL + 20, END, ())),
        centre=SEES,
    ),
    Scenario(
        "service-slow", "dispatch answers after 4.2 s for ten minutes: a ticket",
        (yard(service=SLOW),), 1200.0,
        (
            (0, CUT + 295, ()),
            (CUT + 320, CUT + 610, ("ticket ServiceSlow fontana dispatch",)),
            (CUT + 760, 1200, ()),
        ),
        centre=SEES,
        moved=CUT + 400,
    ),
    Scenario(
        "T01", "fiber cut, LTE carries after 15 s, fiber heals and the router fails back: one ticket",
        (failover(15),), END,
        ((0, CUT + 10, ()), (CUT + 25, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "T02", "the router needs 50 s: a ticket, no page",
        (failover(50),), END,
        ((0, CUT + 45, ()), (CUT + 60, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
    ),
    Scenario(
        "T02-cut-off", "as T02, and nothing is heard from the yard until LTE carries",
        (failover(50, own_way=False),), END,
        ((0, CUT + 45, ()), (CUT + 60, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
    ),
    Scenario(
        "T03", "the router needs 90 s: one page until LTE carries, then the ticket",
        (failover(90),), END,
        (
            (0, CUT + 55, ()),
            (CUT + 65, CUT + 85, DARK),
            (CUT + 100, CUT + 115, ()),
            (CUT + 125, HEAL + 15, ON_LTE),
            (HEAL + 30, END, ()),
        ),
    ),
    Scenario(
        "T04", "as T03 with switch_within 120 s: the ticket only",
        (failover(90, switch_within=120.0),), END,
        ((0, CUT + 85, ()), (CUT + 100, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
    ),
    Scenario(
        "T05", "both lines dead and measurements sent through them: the centre pages within 60 s",
        (both_dead(own_way=False),), END,
        ((0, CUT + 50, ()), (CUT + 58, HEAL - 2, MISSING), (HEAL + 10, END, ())),
        every=2.0,
        moved=-1,
    ),
    Scenario(
        "T06", "both lines dead, measurements arrive by another way: a page within page_after + 10 s",
        (both_dead(),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "fleet-silent",
        "nothing is heard of all yards of a fleet: one page, one for who stays silent, and other fleets have their own",
        (*silent(HEAL, HEAL + 15, HEAL + 30, HEAL + 45, 1e9), *silent(HEAL, fleet="coast-freight")), HEAL + 300,
        (
            (0, CUT + 50, ()), (CUT + 65, HEAL - 5, (SILENT, "page TerminalNotReporting coast-freight/yard-1")),
            (HEAL + 15, HEAL + 140, (SILENT,)), (HEAL + 165, HEAL + 300, (missing(5),)),
        ),
        moved=-1,
    ),
    Scenario(
        "fleet-silent-later", "who was silent before the others stays told, and who falls silent after them is told",
        (
            *silent(1e9), *silent(1e9, 1e9, 1e9, start=CUT + 300, first=2), *silent(1e9, start=CUT + 600, first=5),
            yard(),
        ), 1500,
        (
            (0, CUT + 50, ()), (CUT + 65, CUT + 350, (missing(1),)), (CUT + 365, CUT + 650, (missing(1), SILENT)),
            (CUT + 665, 1500, (missing(1), SILENT, missing(5))),
        ),
    ),
    Scenario(
        "fleet-silent-two", "two of three yards fall silent together: each is told",
        (*silent(HEAL, HEAL), yard()), END,
        ((0, CUT + 50, ()), (CUT + 65, HEAL - 5, (missing(1), missing(2))), (HEAL + 10, END, ())),
    ),
    Scenario(
        "numbers-long", "an extension belongs to its number, and a circuit that is too long is cut where it shows",
        (Yard(lines={"fiber": replace(LONG_NUMBERS, dead=((CUT, HEAL),)), "lte": replace(LTE, dead=((CUT, HEAL),))}),),
        END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),
    ),
    Scenario(
        "T07", "LTE dead for three days, fiber fine",
        (Yard(lines={"fiber": FIBER, "lte": replace(LTE, dead=((LONG_AGO, HEAL),))}),), END,
        ((0, 115, ()), (130, HEAL, NO_STANDBY), (HEAL + 15, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "T08", "as T07, and fiber loses 15 %: degraded primary and no standby",
        (Yard(lines={"fiber": LOSSY, "lte": DEAD_LTE}),), END,
        (
            (130, CUT + 50, NO_STANDBY),
            (CUT + 70, HEAL - 5, (*NO_STANDBY, "page TerminalAtRisk fontana")),
            (HEAL + 10, END, NO_STANDBY),
        ),
        moved=CUT + 150,
    ),
    Scenario(
        "T09", "15 % loss on fiber while the peak calendar is open",
        (Yard(lines={"fiber": LOSSY, "lte": LTE}, peak=ALWAYS),), END,
        (
            (0, CUT + 50, ()),
            (CUT + 70, HEAL - 5, ("page UplinkDegraded fontana fiber",)),
            (HEAL + 10, END, ()),
        ),
        moved=CUT + 150,
    ),
    Scenario(
        "T10", "15 % loss on fiber at two in the morning",
        (Yard(lines={"fiber": LOSSY, "lte": LTE}, peak=()),), END,
        (
            (0, CUT + 50, ()),
            (CUT + 70, HEAL - 5, ("ticket UplinkDegraded fontana fiber",)),
            (HEAL + 10, END, ()),
        ),
    ),
    Scenario(
        "T11", "40 blackholes of 2 to 8 s, here within 20 minutes",
        (Yard(lines={"fiber": replace(FIBER, dead=FLAPS, degraded=((CUT, CUT + 1260),)), "lte": LTE}),), 1500,
        ((0, CUT + 120, ()), (CUT + 240, 1500, ("ticket UplinkFlapping fontana fiber",))),
        every=10, moved=800,
    ),
    Scenario(
        "T12", "one far target dead, others fine",
        (Yard(lines={"fiber": replace(FIBER, dead_target=((CUT, 1400.0),)), "lte": LTE}),), 1800,
        (
            (0, CUT + 300, ()),
            (CUT + 620, 1400, ("info TargetUnreachable fontana fiber 203.0.113.53",)),
            (1720, 1800, ()),
        ),
        every=10, moved=1000,
    ),
    Scenario(
        "T17", "the policy route of the LTE probe address removed",
        (Yard(lines={"fiber": FIBER, "lte": replace(LTE, unpinned=((CUT, HEAL),))}),), END,
        ((0, CUT + 55, ()), (CUT + 70, HEAL - 5, ("ticket UplinkNotPinned fontana lte",)), (HEAL + 10, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "T18", "the router goes on to say fiber while traffic leaves by LTE for ten minutes: two tickets and no page",
        (
            yard(
                ((CUT, CUT + 600),),
                path=((CUT + 15, "lte"), (CUT + 620, "fiber")),
                router=Router(lies=((CUT, CUT + 600),)),
            ),
        ), CUT + 720,
        (
            (0, CUT + 10, ()),
            (CUT + 45, CUT + 595, (*ON_LTE, "ticket PathDisagreement fontana")),
            (CUT + 665, CUT + 720, ()),
        ),
        moved=CUT + 300,
    ),
    Scenario(
        "T19", "the router restarts, which takes 90 s, and both lines are gone meanwhile: one page, then the reason",
        (
            yard(
                ((CUT, CUT + 90),), ((CUT, CUT + 90),),
                router=Router(silent=((CUT, CUT + 100),), booted=(CUT + 60,)),
            ),
        ), 2200,
        (
            (0, CUT, ()),
            (CUT + 20, CUT + 80, DARK),
            (CUT + 120, CUT + 1840, ("info RouterRebooted fontana",)),
            (CUT + 1880, 2200, ()),
        ),
        every=10,
        moved=CUT + 600,
    ),
    Scenario(
        "T19-cut-off", "as T19, and nothing is heard from the yard until the router is back",
        (
            yard(
                ((CUT, CUT + 90),), ((CUT, CUT + 90),),
                router=Router(silent=((CUT, CUT + 100),), booted=(CUT + 60,)),
                own_way=False,
            ),
        ), END,
        (
            (0, CUT + 50, ()),
            (CUT + 65, CUT + 85, MISSING),
            (CUT + 120, END, ("info RouterRebooted fontana",)),
        ),
    ),
    Scenario(
        "router-new", "a router that started ten minutes before it was first asked has not restarted",
        (yard(router=Router(booted=(-600.0,))),), END,
        ((0, END, ()),),
    ),
    Scenario(
        "router-drifts", "the router's probe runs every ten minutes in place of half a minute, until it is set back",
        (yard(router=Router(drifted=((CUT, HEAL),), silent=((HEAL - 60, HEAL - 20),))),), END,
        (
            (0, CUT - 5, ()),
            (CUT + 5, HEAL - 5, ("ticket RouterSettingsDrifted fontana",)),
            (HEAL + 5, END, ()),
        ),
        moved=CUT + 100,
    ),
    Scenario(
        "router-silent", "the router's SNMP is switched off for ten minutes: a ticket after two",
        (yard(router=Router(silent=((CUT, CUT + 600),), reason="wrong_auth")),), CUT + 720,
        (
            (0, CUT + 115, ()),
            (CUT + 130, CUT + 595, ("ticket RouterUnreachable fontana",)),
            (CUT + 610, CUT + 720, ()),
        ),
        moved=CUT + 300,
    ),
    Scenario(
        "router-silent-disagrees", "a router that lied and then keeps silent has not told the truth",
        (
            yard(
                path=((CUT, "lte"),),
                router=Router(lies=((CUT, 1e9),), silent=((CUT + 200, 1e9),)),
            ),
        ), END,
        (
            (CUT + 45, END - 20, ("ticket TerminalOnStandby fontana", "ticket PathDisagreement fontana")),
        ),
    ),
    Scenario(
        "signal-poor", "LTE's signal at -121 dBm for half an hour, and a minute's bad quality that is not told",
        (
            yard(
                router=Router(
                    signal={
                        "rsrp": ((LONG_AGO, -98.0), (CUT, -121.0), (CUT + 1800, -97.0)),
                        "rsrq": ((LONG_AGO, -11.0), (CUT, -30.0), (CUT + 60, -11.0)),
                    }
                )
            ),
        ), 3600,
        (
            (0, CUT + 640, ()),
            (CUT + 740, CUT + 1800, ("ticket ModemSignalPoor fontana lte",)),
            (CUT + 2220, 3600, ()),
        ),
        every=30,
        moved=CUT + 1200,
    ),
    Scenario(
        "budget-exceeded", "probing has put more on LTE than its budget allows, until the next period",
        (yard(budget=50e6, passed=((0.0, 20e6), (CUT, 51e6), (HEAL, 0.0))),), END,
        (
            (0, CUT - 5, ()),
            (CUT + 5, HEAL - 5, ("ticket ProbeBudgetExceeded fontana lte",)),
            (HEAL + 5, END, ()),
        ),
        moved=CUT + 100,
    ),
    Scenario(
        "T20", "the box unplugged while the site answers from outside",
        (yard(hosts=(Host(runs=((0, CUT), (HEAL, 1e9)), blank=8),), outside=()),), END,
        ((0, CUT + 50, ()), (CUT + 65, HEAL, ("ticket TerminalNotReporting fontana",)), (HEAL + 15, END, ())),
        moved=-1,
    ),
    Scenario(
        "T40", "no box, and the site stops answering from outside",
        (yard(hosts=(), outside=((CUT, HEAL),)),), END,
        ((0, CUT + 50, ()), (CUT + 65, HEAL - 5, MISSING), (HEAL + 15, END, ())),
        moved=-1,
    ),
    Scenario(
        "T40-center", "no box, and the center starts anew while the site is there and while it is not",
        (yard(hosts=(), outside=((CUT + 200, HEAL + 200),)),), END + 200,
        ((0, CUT + 250, ()), (CUT + 265, HEAL + 195, MISSING), (HEAL + 215, END + 200, ())),
        centre=Centre(runs=((0, 60), (160, CUT + 300), (CUT + 320, 1e9))),
    ),
    Scenario(
        "T21", "the exporter killed and back after 20 s",
        (yard(hosts=(Host(runs=((0, CUT), (CUT + 20, 1e9)), blank=8),)),), END,
        ((0, END, ()),),

    ),
    Scenario(
        "T21-dark", "the exporter killed and back after 20 s, knowing nothing, while both lines are dead",
        (both_dead(hosts=(Host(runs=((0, CUT + 100), (CUT + 120, 1e9)), blank=30),)),), END,
        ((CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),

    ),
    Scenario(
        "T22", "the wall clock of the box two hours ahead, and back",
        (yard(skew=((CUT, 7200.0), (HEAL, 0.0))),), END,
        ((0, CUT + 100, ()), (CUT + 140, HEAL - 5, ("ticket ClockSkewed fontana",)), (HEAL + 15, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "T22-dark", "both lines dead under a clock two hours behind",
        (both_dead(skew=((0, -7200.0),)),), END,
        (
            (140, CUT + 5, ("ticket ClockSkewed fontana",)),
            (CUT + 20, HEAL - 5, (*DARK, "ticket ClockSkewed fontana")),
            (HEAL + 10, END, ("ticket ClockSkewed fontana",)),
        ),

    ),
    Scenario(
        "T23", "fiber down within its maintenance window, LTE carries",
        (failover(15, maintenance=WINDOW),), END,
        ((0, CUT + 10, ()), (CUT + 25, HEAL + 15, PLANNED), (HEAL + 30, END, ())),
    ),
    Scenario(
        "T24", "fiber down within its maintenance window, and LTE dies too",
        (lte_dies_too(maintenance=WINDOW),), END,
        ((CUT + 25, CUT + 105, PLANNED), (CUT + 120, HEAL - 5, (*DARK, *PLANNED)), (HEAL + 30, END, ())),
    ),
    Scenario(
        "T24-cut-off", "as T24, and measurements are cut off with the lines",
        (lte_dies_too(maintenance=WINDOW, own_way=False),), END,
        ((CUT + 25, CUT + 150, PLANNED), (CUT + 165, HEAL - 5, (*MISSING, *PLANNED)), (HEAL + 30, END, ())),

    ),
    Scenario(
        "T25", "LTE dies while fiber is cut for a drill, longer than the abort limit: the outage pages",
        (lte_dies_too(drill=Drill(runs=((100, HEAL + 40),), abort_after=60)),), END + 60,
        (
            (0, CUT + 10, ()),
            (CUT + 25, CUT + 105, DRILLED),
            (CUT + 120, CUT + 155, ("drill:page TerminalDark fontana", *DRILLED)),
            (CUT + 165, HEAL - 5, (*DARK, *DRILLED)),
            (HEAL + 30, END + 60, ()),
        ),
        moved=CUT + 130,
    ),
    Scenario(
        "T25-cut-off", "as T25, and nothing is heard from the yard any more",
        (lte_dies_too(drill=Drill(runs=((100, HEAL + 40),), abort_after=90), own_way=False),), END + 60,
        (
            (CUT + 25, CUT + 105, DRILLED),
            (CUT + 165, CUT + 180, ("drill:page TerminalNotReporting fontana", *DRILLED)),
            (CUT + 200, HEAL - 5, (*MISSING, *DRILLED)),
            (HEAL + 30, END + 60, ()),
        ),
    ),
    Scenario(
        "drill-no-drill", "as T25 without a drill: everything is told at once",
        (lte_dies_too(),), END,
        ((CUT + 25, CUT + 105, ON_LTE), (CUT + 120, HEAL - 5, (*DARK, *ON_LTE)), (HEAL + 30, END, ())),
    ),
    Scenario(
        "drill", "a failover drill, all as it should be: only the drill's receiver is told",
        (failover(15, drill=Drill(runs=((100, HEAL + 40),))),), END + 60,
        ((0, CUT + 10, ()), (CUT + 25, HEAL + 15, DRILLED), (HEAL + 30, END + 60, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "drill-cut-off", "as drill, and nothing is heard from the yard until LTE carries",
        (failover(50, own_way=False, drill=Drill(runs=((100, HEAL + 40),))),), END + 60,
        ((0, CUT + 45, ()), (CUT + 60, HEAL + 15, DRILLED), (HEAL + 30, END + 60, ())),
    ),
    Scenario(
        "drill-service", "a service fails over LTE while the drill has the yard on it",
        (failover(15, service=FAILS_ON_LTE, drill=Drill(runs=((100, HEAL + 110),), abort_after=60)),), END + 100,
        (
            (0, CUT + 10, ()),
            (CUT + 40, HEAL - 5, ("drill:page ServiceUnreachable fontana dispatch", *DRILLED)),
            (HEAL + 100, END + 100, ()),
        ),
        centre=SEES,
    ),
    Scenario(
        "drill-stays-on-lte", "the router stays on LTE past the drill's deadline: everyone is told; the drill failed",
        (yard(((CUT, HEAL),), path=((CUT + 15, "lte"),), drill=Drill(
            runs=((100, HEAL + 100),), deadline=HEAL, result="fail", ended=HEAL + 100,
        )),), HEAL + 300,
        (
            (CUT + 25, HEAL + 85, DRILLED),
            (HEAL + 120, HEAL + 300, (*ON_LTE, f"ticket DrillFailed fontana {QUARTERLY}")),
        ),
    ),
    Scenario(
        "drill-slow-switch", "the switch takes 80 s and the limit is 60 s: the page goes to the drill's receiver",
        (failover(80, drill=Drill(runs=((100, HEAL + 40),))),), END + 60,
        (
            (0, CUT + 55, ()),
            (CUT + 65, CUT + 75, ("drill:page TerminalDark fontana",)),
            (CUT + 120, HEAL + 15, DRILLED),
            (HEAL + 30, END + 60, ()),
        ),
    ),
    Scenario(
        "drill-began-on-lte", "a ticket that was open before the drill began stays the NOC's",
        (failover(15, drill=Drill(runs=((CUT + 60, HEAL + 40),))),), END + 60,
        ((0, CUT + 10, ()), (CUT + 25, HEAL + 15, ON_LTE), (HEAL + 30, END + 60, ())),
    ),
    Scenario(
        "drill-never-ends", "a drill past its deadline: the yard is asked for it, and its alerts are told to all",
        (failover(15, drill=Drill(runs=((100, HEAL + 200),), deadline=200)),), HEAL + 300,
        (
            (CUT + 25, 295, DRILLED),
            (325, HEAL + 15, (*ON_LTE, f"ticket DrillStillInProgress fontana {QUARTERLY}")),
            (HEAL + 40, HEAL + 195, (f"ticket DrillStillInProgress fontana {QUARTERLY}",)),
            (HEAL + 220, HEAL + 300, ()),
        ),
        moved=350.0,
    ),
    Scenario(
        "D11", "the quarter ends without a pass; the pass after it resolves the ticket",
        (yard(drill=Drill(
            due=((0, 500.0), (1000, 9e6)), result="pass", ended=1000.0, passed=1000.0,
        )),), 1200.0,
        (
            (0, 190, ()),
            (220, 490, (f"ticket DrillDueSoon fontana {QUARTERLY}",)),
            (520, 990, (f"ticket DrillOverdue fontana {QUARTERLY}",)),
            (1020, 1200, ()),
        ),
        moved=600.0,
    ),
    Scenario(
        "D11-last-day", "a quarter that ends at midnight: the day that is told is the last one that counts",
        (yard(drill=Drill(due=((0, 28800.0),), remind_before=86400.0)),), 150.0,
        ((30, 150, (f"ticket DrillDueSoon fontana {QUARTERLY}",)),),
    ),
    Scenario(
        "D11-asked-no-more", "the drill taken out of the inventory: the ticket ends",
        (yard(drill=Drill(due=((0, 100.0),)), listed=((0, 400.0),)), replace(yard(), name="tacoma")), 600.0,
        ((130, 395, (f"ticket DrillOverdue fontana {QUARTERLY}",)), (420, 600, ())),
    ),
    Scenario(
        "D11-centre-away", "the centre's exporter away for a while: the ticket stays",
        (yard(drill=Drill(due=((0, 100.0),))),), 700.0,
        ((130, 295, (f"ticket DrillOverdue fontana {QUARTERLY}",)),
         (650, 700, (f"ticket DrillOverdue fontana {QUARTERLY}", "page CentreNotReporting"))),
        centre=Centre(runs=((0, 300.0),)),
    ),
    Scenario(
        "drill-box-away", "a box away for hours: what it said of its drills, passed or failed, holds until it is back",
        (yard(
            hosts=(Host(runs=((0, 60.0),)),), outside=(),
            drill=Drill(due=((0, 30.0),), due_there=9e6, result="fail", ended=0.0),
        ),), 3900.0,
        (
            (30, 60, (f"ticket DrillFailed fontana {QUARTERLY}",)),
            (150, 3900, ("ticket TerminalNotReporting fontana", f"ticket DrillFailed fontana {QUARTERLY}")),
        ),
        moved=-1,
    ),
    Scenario(
        "drill-failed", "a drill that failed, and the one that passed after it",
        (
            yard(drill=Drill(result="fail", ended=300.0)),
            replace(yard(drill=Drill(result="pass", ended=300.0, passed=300.0)), name="reno"),
            replace(yard(drill=Drill(result="refused", ended=300.0)), name="tacoma"),
        ), 600.0,
        ((0, 295, ()), (320, 600, (f"ticket DrillFailed fontana {QUARTERLY}",))),
        moved=450.0,
    ),
    Scenario(
        "T26", "the terminal removed from the inventory while it pages",
        (both_dead(listed=((0, CUT + 100),)), replace(yard(), name="tacoma")), END,
        ((CUT + 20, CUT + 95, DARK), (CUT + 105, END, ())),
        moved=CUT + 60,
    ),
    Scenario(
        "T27", "the exporter moved to another host during an outage, without history",
        (both_dead(hosts=moved_host(60)),), END,
        ((CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),

    ),
    Scenario(
        "T27-ticket", "the exporter moved to another host, without history, while LTE carries",
        (failover(15, hosts=moved_host(60)),), END,
        ((CUT + 25, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),

    ),
    Scenario(
        "T27-lingering",
        "the exporter moved just before an outage, and the old host's last good word stays visible",
        (
            both_dead(
                hosts=(Host(runs=((0, CUT),), lingers=True), Host("10.10.0.99:10480", ((CUT, 1e9),))),
            ),
        ),
        END,
        ((0, CUT + 5, ()), (CUT + 15, HEAL - 5, DARK), (HEAL + 10, END, ())),
    ),
    Scenario(
        "T31", "two fleets with a fontana each, one goes dark",
        (both_dead(), yard(fleet="coast-freight")), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),
    ),
    Scenario(
        "T32", "the smallest inventory: one terminal, one uplink, quiet",
        (Yard(lines={"internet": replace(FIBER, isp="", circuit="", support="")}),), 3600,
        ((0, 3600, ()),),
        every=15,
    ),
    Scenario(
        "T33", "as T06 on a terminal in its trial stage",
        (both_dead(stage="trial"),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, ("info TerminalDark fontana",)), (HEAL + 10, END, ())),
    ),
    Scenario(
        "T34", "the LTE interface gone for an hour, then back with another address",
        (Yard(lines={"fiber": FIBER, "lte": replace(LTE, absent=((CUT, CUT + 3600.0),))}),), 4500,
        ((0, 4500, ()),),
        every=15,
    ),
    Scenario(
        "T35", "the centre's exporter away for a minute and a half during an outage (test_live.py restarts Prometheus)",
        (both_dead(),), END,
        ((0, CUT + 5, ()), (CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),
        centre=Centre(runs=((0.0, CUT + 50), (CUT + 140, 1e9))),
    ),
    Scenario(
        "T36", "a quiet night",
        (yard(), replace(yard(), name="tacoma")), 3600,
        ((0, 3600, ()),),
        every=15,
        moved=1800,
    ),
    Scenario(
        "T28", "fiber healthy again, but the router stays on LTE for 45 minutes",
        (yard(((CUT, 300),), path=((CUT + 15, "lte"), (3000, "fiber"))),), 3200,
        (
            (CUT + 30, 890, ON_LTE),
            (920, 2990, ("ticket TerminalOnStandbyTooLong fontana",)),
            (3010, 3200, ()),
        ),
        every=10, moved=1200,
    ),
    Scenario(
        "three-lines", "fiber dies, and of two LTE lines the router moves to the second",
        (replace(failover(15), lines=THREE, path=((CUT + 15, "lte-b"), (HEAL + 20, "fiber")), router=Router()),), END,
        ((CUT + 25, HEAL + 15, ON_LTE), (HEAL + 30, END, ())),
    ),
    Scenario(
        "three-lines-standby", "one of two LTE lines is dead: a ticket, and no risk while the other one is there",
        (replace(yard(), lines={**THREE, "fiber": LOSSY, "lte-a": DEAD_LTE}),), END,
        (
            (140, CUT + 50, ("ticket StandbyNotReady fontana lte-a",)),
            (CUT + 80, HEAL - 10, ("ticket StandbyNotReady fontana lte-a", "ticket UplinkDegraded fontana fiber")),
            (HEAL + 30, END, ("ticket StandbyNotReady fontana lte-a",)),
        ),
    ),
    Scenario(
        "busy-hop", "15 % loss on fiber, whose next hop answers four echoes of ten",
        (Yard(lines={"fiber": replace(LOSSY, deaf_hop=0.6), "lte": LTE}),), END,
        ((CUT + 70, HEAL - 5, ("ticket UplinkDegraded fontana fiber",)), (HEAL + 10, END, ())),
    ),
    Scenario(
        "deaf-hop", "15 % loss on fiber, whose next hop answers no echo at all",
        (Yard(lines={"fiber": replace(LOSSY, deaf_hop=1.0), "lte": LTE}),), END,
        ((CUT + 70, HEAL - 5, ("ticket UplinkDegraded fontana fiber",)), (HEAL + 10, END, ())),
    ),
    Scenario(
        "on-failover-page", "a terminal whose failover pages",
        (failover(15, on_failover="page"),), END,
        (
            (CUT + 25, HEAL + 15, ("page TerminalOnStandby fontana", "ticket UplinkDown fontana fiber")),
            (HEAL + 30, END, ()),
        ),
    ),
    Scenario(
        "never-reported", "a terminal in the inventory whose box was never installed",
        (yard(), replace(yard(hosts=()), name="tacoma")), 2700,
        ((0, 1780, ()), (1900, 2700, ("ticket TerminalNeverReported tacoma",))),
        every=15,
        moved=-1,
    ),
    Scenario(
        "probes-only", "the primary's probes find nothing while the router's traffic still flows over it",
        (Yard(lines={"fiber": replace(FIBER, dead=((CUT, HEAL),)), "lte": LTE}, dead_path=False),), END,
        ((0, CUT + 25, ()), (CUT + 40, HEAL, ("ticket UplinkDown fontana fiber",)), (HEAL + 15, END, ())),
        moved=CUT + 150,
    ),
    Scenario(
        "long-outage-heals", "after both lines were dead LTE's verdict lags by 40 s and fiber looks lossy for a minute",
        (
            Yard(
                lines={
                    "fiber": replace(FIBER, dead=((CUT, HEAL),), recover=8, degraded=((HEAL + 8, HEAL + 80),)),
                    "lte": replace(LTE, dead=((CUT, HEAL),), recover=40),
                }
            ),
        ), 1000,
        ((CUT + 20, HEAL - 5, DARK), (HEAL + 10, 1000, ())),
    ),
    Scenario(
        "dark-then-cut-off",
        "both lines dead, and after a minute the other way is cut too: still one page",
        (both_dead(hosts=(Host(runs=((0, CUT + 60), (HEAL, 1e9))),)),),
        END,
        ((CUT + 20, HEAL - 5, DARK), (HEAL + 10, END, ())),
    ),
    Scenario(
        "cut-off-then-dark",
        "cut off with its lines, then heard by another way while they are still dead: still one page",
        (both_dead(hosts=(Host(runs=((0, CUT), (CUT + 120, 1e9))),)),),
        END,
        ((CUT + 65, HEAL - 5, MISSING), (HEAL + 10, END, ())),
    ),
    Scenario(
        "prometheus-away",
        "Prometheus itself was away for an hour, and its yards need half a minute to be heard again",
        (yard(hosts=(Host(runs=((30, 1e9),)),)),),
        END,
        ((0, END, ()),),
        history=(
            ('yardlight:terminal_remembered_timestamp_seconds{fleet="inland-haul", terminal="fontana"}', "-3600"),
        ),
    ),
    Scenario(
        "path-unknown",
        "both lines dead at a yard that never knows which line carries: over when its default path answers",
        (both_dead(path_known=False),),
        700,
        ((0, CUT + 5, ()), (CUT + 20, HEAL + 110, DARK), (HEAL + 130, 700, ())),
        moved=CUT + 60,
    ),
    Scenario(
        "centre-away", "the centre's exporter down for five minutes while all yards are well",
        (yard(),), 900,
        ((0, CUT + 100, ()), (CUT + 150, HEAL - 10, ("page CentreNotReporting",)), (HEAL + 15, 900, ())),
        centre=Centre(runs=((0.0, CUT), (HEAL, 1e9))), every=15,
        moved=-1,
    ),
    Scenario(
        "fleet-away", "one customer's inventory missing among others",
        (yard(), yard(fleet="coast-freight")), 900,
        (
            (0, CUT + 110, ()),
            (CUT + 150, HEAL - 10, ("ticket FleetNotListed coast-freight/",)),
            (HEAL + 15, 900, ()),
        ),
        centre=Centre(without={"coast-freight": ((CUT, HEAL),)}), every=15,
        moved=-1,
    ),
    Scenario(
        "rule-fails", "a rule cannot be evaluated for some minutes: a page, since nothing else would be told",
        (yard(),), 1200,
        (
            (0, CUT + 125, ()),
            (CUT + 150, 720, ("page RuleEvaluationFailing",)),
            (750, 1200, ()),
        ),
        history=(
            (
                'prometheus_rule_evaluation_failures_total{instance="localhost:9090", job="prometheus", '
                'rule_group="/etc/prometheus/alert_rules/services.yml;yardlight-services"}',
                f"0x{CUT / 5:g} 1+1x{(HEAL + 200 - CUT) / 5:g} {(HEAL + 200 - CUT) / 5 + 1:g}x200",
            ),
        ),
        every=15,
        moved=CUT + 200,
    ),
    Scenario(
        "pager-refuses", "what is sent to PagerDuty is refused for some minutes: the NOC hears of it by its own way",
        (yard(),), 1200,
        (
            (0, CUT + 285, ()), (CUT + 330, HEAL + 195, ("ticket NotificationsFailing",)), (HEAL + 345, 1200, ()),
        ),
        history=(
            (_NOT_DELIVERED % "pagerduty", f"0x{CUT / 5:g} 1+1x{(HEAL + 195 - CUT) / 5:g} 92x200"),
            (_NOT_DELIVERED % "webhook", "7x400"),
        ),
        every=15,
        moved=CUT + 200,
    ),
    Scenario(
        "reload-refused", "a broken inventory that a reload refused",
        (yard(),), 900,
        (
            (0, CUT + 285, ()),
            (CUT + 330, 590, ("ticket ConfigReloadFailed inland-haul/",)),
            (615, 900, ()),
        ),
        centre=Centre(refused=((CUT, 600),)), every=15,
        moved=CUT + 150,
    ),
    Scenario(
        "disk-full", "a state file that cannot be written",
        (yard(),), 900,
        (
            (0, CUT + 285, ()),
            (CUT + 330, 590, ("ticket StateNotWritable inland-haul/",)),
            (615, 900, ()),
        ),
        centre=Centre(unwritable=((CUT, 600),)), every=15,
        moved=CUT + 150,
    ),
    Scenario(
        "account-failing", "a vendor's account that fails for 41 minutes: told when two collections are missed",
        (yard(),), 3600,
        (
            (0, 1245, ()),
            (1290, 2990, ("ticket AccountFailing inland-haul/ graph",)),
            (3030, 3600, ()),
        ),
        centre=Centre(failing=((CUT, 2600.0),)), every=15,
        moved=CUT + 150,
    ),
    Scenario(
        "account-busy", "a vendor that refuses for ten minutes is told to nobody",
        (yard(),), 1800, ((0, 1800, ()),),
        centre=Centre(failing=((590.0, 1190.0),)), every=15,
    ),
    Scenario(
        "collection-incomplete", "every second page is missing for 41 minutes",
        (yard(),), 3600,
        (
            (0, 1245, ()),
            (1290, 2990, ("ticket CollectionIncomplete inland-haul/ graph",)),
            (3030, 3600, ()),
        ),
        centre=Centre(failing=((CUT, 2600.0),), reason="incomplete"), every=15,
        moved=CUT + 150,
    ),
)  # fmt: skip
