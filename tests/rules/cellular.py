"""Scenarios of SIMs and plans for promtool: what the centre exports of an account at a connectivity platform."""

from __future__ import annotations

from dataclasses import replace

from tests.rules.account import DAY, HOUR, Platform, Sample
from tests.rules.scenarios import CUT, HEAL, Expected, Scenario, failover, yard
from tests.rules.yard import FIBER, LTE, Centre, Host, Labels, Read, Value, Yard

GB, MB = 1e9, 1e6
# When the trouble of a scenario begins and ends, and how long it is watched.
BEGIN, OVER, END = 300.0, 2100.0, 2700.0
ON_LTE = {"terminal": "fontana", "uplink": "lte"}
SIM, POOL = {"pool": "", "sim": "T12"}, {"pool": "tablets", "sim": ""}
LTE_TICKETS = ("ticket TerminalOnStandby fontana", "ticket UplinkDown fontana fiber")
HEADROOM = "page StandbyHeadroomLow fontana"


def always(value: float) -> Read:
    return lambda _: value


def then(value: Value, before: Value = None, start: float = BEGIN, end: float = OVER) -> Read:
    """`value` from `start` to `end`, `before` otherwise."""
    return lambda at: value if start <= at < end else before


def line(
    labels: Labels, used: Read, cap: Read, exhausted: Read, projected: Read, ends: float = 9 * DAY
) -> tuple[Sample, ...]:
    """A SIM or a pool with its cycle, its cap and its forecast."""
    kind = "pool" if labels["pool"] else "sim"
    own = {kind: labels[kind]}
    return (
        (f"{kind}_usage_bytes", own, used),
        (f"{kind}_cap_bytes", own, cap),
        ("usage_as_of_timestamp_seconds", labels, lambda at: at - 6 * HOUR),
        ("cycle_end_timestamp_seconds", labels, always(ends)),
        ("usage_projected_bytes", {**labels, "probability": "0.5"}, projected),
        ("usage_projected_bytes", {**labels, "probability": "0.9"}, lambda at: (projected(at) or 0) * 1.2),
        ("cap_exhaustion_timestamp_seconds", labels, exhausted),
    )


def info(
    sim: str, pool: str = "", truck: str = "", terminal: str = "", uplink: str = "", carrier: str = "Verizon"
) -> Sample:
    labels = {"sim": sim, "pool": pool, "carrier": carrier, "truck": truck, "terminal": terminal, "uplink": uplink}
    return ("sim_info", labels, always(1))


NEWEST: Sample = ("usage_as_of_timestamp_seconds", {"pool": "", "sim": ""}, lambda at: at - 6 * HOUR)
MEMBERS: tuple[Sample, ...] = tuple(
    sample
    for sim, used in (("T12", 41), ("T7", 38), ("T9", 22), ("T1", 3))
    for sample in (info(sim, "tablets"), ("sim_usage_bytes", {"sim": sim}, always(used * GB)))
)


def heading(exhausted: Read, projected: Read, used: Read | None = None, ends: float = 9 * DAY) -> Platform:
    """The pool of the tablets with its biggest SIMs."""
    pool = line(POOL, used or always(391 * GB), always(500 * GB), exhausted, projected, ends)
    return Platform((*pool, *MEMBERS, NEWEST))


def sim(*samples: Sample, **more: float) -> Platform:
    """One SIM of a truck, T12, in truck 112 of Barstow."""
    return Platform((info("T12", truck="112", terminal="barstow"), *samples, NEWEST), **more)


def standby(left: float, unstaffed: float | None = None) -> Platform:
    """Fontana's standby with so much left of its plan, and the yard's usual load of 1 GB an hour.

    `unstaffed` is until when nobody is at work.
    """
    yard_, line_ = {"terminal": "fontana"}, {"terminal": "fontana", "uplink": "lte"}
    return Platform(
        (
            info("fontana-standby", terminal="fontana", uplink="lte"),
            ("standby_left_bytes", line_, always(left)),
            ("standby_headroom_least_seconds", yard_, always(12 * HOUR)),
            ("terminal_usual_load_bytes_per_second", yard_, always(GB / HOUR)),
            ("terminal_unstaffed_until_timestamp_seconds", yard_, always(unstaffed)),
            NEWEST,
        )
    )


def sampled(speed: Read, taken: Read, *more: Sample) -> Platform:
    """A file came over Fontana's standby at such a `speed`, `taken` then; throttled it has 16 kB/s."""
    sim = {"sim": "fontana-standby"}
    return Platform(
        (
            *standby(48 * GB).samples,
            *more,
            ("sim_throttle_speed_bytes_per_second", sim, always(16_000)),
            ("cycle_start_timestamp_seconds", {"pool": "", **sim}, always(-3 * DAY)),
            ("standby_throughput_bytes_per_second", ON_LTE, speed),
            ("standby_throughput_timestamp_seconds", ON_LTE, taken),
        )
    )


def with_figures(platform: Platform) -> Platform:
    """The same where the carrier's figures count until now."""
    until: Sample = ("usage_as_of_timestamp_seconds", {"pool": "", "sim": "fontana-standby"}, lambda at: at)
    return replace(platform, samples=(*platform.samples, until))


def then_nothing(read: Read, until: float) -> Read:
    """What is told until then; what the inventory says goes on."""
    return lambda at: read(at) if at < until else None


def parked(carrier: str, count: int, least: float) -> tuple[Sample, ...]:
    """Trucks of Barstow on a carrier, which all stand for a while."""
    labels, stand = {"carrier": carrier, "terminal": "barstow"}, then(1, 0)
    return (
        *(
            info(f"{carrier[0]}{n}", truck=f"{carrier[0]}{n}", terminal="barstow", carrier=carrier)
            for n in range(count)
        ),
        *(("sim_in_session", {"sim": f"{carrier[0]}{n}"}, lambda at: 0.0 if stand(at) else 1.0) for n in range(count)),
        ("carrier_sims", labels, always(count)),
        ("carrier_sims_in_session", labels, lambda at: 0.0 if stand(at) else float(count)),
        ("carrier_sims_in_session_least", labels, always(least)),
    )


def counter(speed: float) -> tuple[Sample, ...]:
    """Fontana's router counts what LTE receives: so many bytes a second from the beginning on, and then much more."""
    labels = {"terminal": "fontana", "interface": "wwan0", "uplink": "lte"}

    def received(at: float) -> float:
        slow = min(max(at - BEGIN, 0.0), OVER - BEGIN) * speed
        return slow + (min(at, BEGIN) + max(at - OVER, 0.0)) * 40 * speed

    return (
        ("router_interface_receive_bytes_total", labels, received),
        ("router_interface_transmit_bytes_total", labels, always(0)),
    )


def without_load(platform: Platform) -> tuple[Sample, ...]:
    """All of it but what the inventory says of the yard's load."""
    return tuple(each for each in platform.samples if each[0] != "terminal_usual_load_bytes_per_second")


def carried(speed: float) -> tuple[Sample, ...]:
    """Fontana's router counts what fiber carries until it breaks, three quarters of it received.

    Of a rate of which only the first minutes are known, PromQL takes half.
    """
    labels = {"terminal": "fontana", "interface": "eth0", "uplink": "fiber"}
    return (
        ("router_interface_receive_bytes_total", labels, lambda at: 0.75 * speed * min(at, CUT)),
        ("router_interface_transmit_bytes_total", labels, lambda at: 0.25 * speed * min(at, CUT)),
    )


def on_lte(*firing: str) -> Expected:
    """What is told while Fontana is on LTE, and `firing` beside it."""
    return ((0, CUT - 5, ()), (CUT + 90, HEAL, (*firing, *LTE_TICKETS)), (HEAL + 120, 900, ()))


def told(
    *firing: str, start: float = BEGIN + 60, end: float = OVER - 30, until: float = END, quiet: float = OVER + 120
) -> Expected:
    """Quiet, then these alerts, then quiet again."""
    return ((0, BEGIN - 30, ()), (start, end, firing), (quiet, until, ()))


def case(name: str, title: str, platform: Platform, expect: Expected, **more: object) -> Scenario:
    given = {"yards": (yard(),), "end": END, "moved": 1200.0, "every": 30.0, **more}
    return Scenario(name, title, platform=platform, expect=expect, **given)  # type: ignore[arg-type]


def trucks(dark: Read, others_least: float = 6.0) -> Platform:
    """Eight trucks of Barstow on Verizon, six of which go dark, and eight on AT&T."""
    samples: list[Sample] = [NEWEST]
    for number in range(8):
        name = f"v{number}"
        samples += [
            info(name, truck=f"{100 + number}", terminal="barstow"),
            ("sim_in_session", {"sim": name}, (lambda at: 0.0 if dark(at) else 1.0) if number < 6 else always(1)),
        ]
    for carrier, least, read in (
        ("Verizon", 4.0, lambda at: 2.0 if dark(at) else 8.0),
        ("AT&T", others_least, always(7)),
    ):
        labels = {"carrier": carrier, "terminal": "barstow"}
        samples += [
            ("carrier_sims", labels, always(8)),
            ("carrier_sims_in_session", labels, read),
            ("carrier_sims_in_session_least", labels, always(least)),
        ]
    return Platform(tuple(samples))


def one_by_one(yards: tuple[Yard, ...], apart: float, never: int = 0) -> tuple[Yard, ...]:
    """The same, whose LTE comes back so many seconds after that of the one before; that of the last ones does not."""
    ends = [OVER + apart * index if index < len(yards) - never else 1e9 for index in range(len(yards))]
    return tuple(
        replace(each, lines={**each.lines, "lte": replace(LTE, dead=((BEGIN, end),))})
        for each, end in zip(yards, ends, strict=True)
    )


def many(count: int) -> tuple[Yard, ...]:
    """Terminals whose LTE, all of one carrier, dies at once; their fiber is fine."""
    dead = replace(LTE, dead=((BEGIN, OVER),))
    names = ("fontana", *(f"yard-{number}" for number in range(2, count + 1)))
    return tuple(Yard(name=name, lines={"fiber": FIBER, "lte": dead}) for name in names)


CAP_DAY = 5.2 * DAY
CELLULAR: tuple[Scenario, ...] = (
    case(
        "C01",
        "a pool heads for its cap nine days before its cycle ends",
        heading(then(CAP_DAY), then(561 * GB, 470 * GB)),
        told("ticket CapWillBeExceeded thingspace/tablets"),
    ),
    case(
        "C02",
        "80 % used two days before the end, projected under the cap",
        heading(always(None), always(470 * GB), ends=2 * DAY),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "C03",
        "the cap is reached",
        heading(always(None), always(561 * GB), then(503 * GB, 391 * GB)),
        told("ticket CapReached thingspace/tablets"),
    ),
    case(
        "C07",
        "the API is down over the change of the cycle: what is known is of the old one, and no cap of the new",
        replace(heading(then(CAP_DAY), then(561 * GB, 470 * GB), ends=1500.0), answers=((0, 1200), (OVER, 1e12))),
        ((0, BEGIN - 30, ()), (BEGIN + 60, 1470, ("ticket CapWillBeExceeded thingspace/tablets",)), (1560, END, ())),
        moved=None,
    ),
    case(
        "C10",
        "a lifetime plan runs out before it expires",
        sim(
            *(
                each
                for each in line(SIM, always(400 * MB), always(500 * MB), then(CAP_DAY), then(540 * MB, 480 * MB))
                if each[0] != "cycle_end_timestamp_seconds"
            )
        ),
        told("ticket CapWillBeExceeded thingspace//T12"),
        moved=None,
    ),
    case(
        "cap-reached-overage",
        "the cap is reached, and the contract says what follows",
        Platform(
            (
                *heading(always(None), always(561 * GB), then(503 * GB, 391 * GB)).samples,
                ("plan_after_info", {**POOL, "after": "overage"}, always(1)),
                *(
                    ("pool_biggest_usage_bytes", {"pool": "tablets", "sim": sim}, always(used * GB))
                    for sim, used in (("T9", 90), ("T12", 12))
                ),
            )
        ),
        told("ticket CapReached thingspace/tablets"),
        moved=None,
    ),
    case(
        "C14",
        "the plan is raised: the forecast is against the new cap, and the ticket closes",
        sim(*line(SIM, always(4 * GB), then(5 * GB, 10 * GB, 0, OVER), then(CAP_DAY), always(7 * GB))),
        told("ticket CapWillBeExceeded thingspace//T12", quiet=OVER + 60),
        moved=None,
    ),
    case(
        "C23",
        "more used than the cap allows, from the start",
        sim(*line(SIM, then(1.2 * GB, 0.9 * GB), always(1 * GB), always(None), always(1.3 * GB))),
        told("ticket CapReached thingspace//T12"),
        moved=None,
    ),
    case(
        "C05",
        "the carrier's figures are 30 hours old, where six are usual",
        Platform(
            (
                info("T12"),
                (
                    "usage_as_of_timestamp_seconds",
                    {"pool": "", "sim": ""},
                    lambda at: at - (30 if BEGIN <= at < OVER else 6) * HOUR,
                ),
            )
        ),
        told("ticket UsageDataLate thingspace"),
    ),
    case(
        "C11",
        "one SIM uses twenty times its own middle day",
        sim(
            ("sim_largest_day_bytes", {"sim": "T12"}, then(1 * GB, 60 * MB)),
            ("sim_runaway_above_bytes", {"sim": "T12"}, always(500 * MB)),
        ),
        told("ticket SimRunaway thingspace//T12"),
    ),
    case(
        "C06",
        "yesterday is restated by 40 %",
        sim(
            ("sim_largest_day_bytes", {"sim": "T12"}, then(84 * MB, 60 * MB)),
            ("sim_runaway_above_bytes", {"sim": "T12"}, always(500 * MB)),
        ),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "C12",
        "a SIM is silent for three days while its truck moves",
        sim(
            *line(SIM, always(1 * GB), always(5 * GB), always(None), always(2 * GB)),
            ("sim_last_use_timestamp_seconds", {"sim": "T12"}, then(-3.5 * DAY, -6 * HOUR)),
            ("truck_last_moved_timestamp_seconds", {"truck": "112"}, always(-HOUR)),
        ),
        told("ticket SimSilent thingspace//T12"),
    ),
    case(
        "C13",
        "a SIM is silent for three days, and its truck is parked",
        sim(
            *line(SIM, always(1 * GB), always(5 * GB), always(None), always(2 * GB)),
            ("sim_last_use_timestamp_seconds", {"sim": "T12"}, then(-3.5 * DAY, -6 * HOUR)),
            ("truck_last_moved_timestamp_seconds", {"truck": "112"}, always(-3.6 * DAY)),
        ),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "suspended-use",
        "a suspended SIM is used",
        sim(("sim_used_while_suspended_bytes", {"sim": "T12"}, then(6 * MB, 0))),
        told("ticket SimSuspendedUse thingspace//T12"),
    ),
    case(
        "other-device",
        "a SIM is in another device; a day later that is no news",
        sim(("sim_device_changed_timestamp_seconds", {"sim": "T12"}, then(BEGIN, -90_000.0))),
        told("ticket SimDeviceChanged thingspace//T12"),
    ),
    case(
        "roaming",
        "a SIM is on another network",
        sim(("sim_roaming", {"sim": "T12"}, then(1, 0))),
        told("info SimRoaming thingspace//T12"),
    ),
    case(
        "expiring",
        "plans with an expiry: of T12 in two weeks, of T13 in three, and T14 is in no use any more",
        sim(
            ("plan_expiry_timestamp_seconds", {"sim": "T12"}, always(14 * DAY + BEGIN)),
            ("plan_expiry_timestamp_seconds", {"sim": "T13"}, always(21 * DAY)),
            ("plan_expiry_timestamp_seconds", {"sim": "T14"}, always(DAY)),
            ("sim_state", {"sim": "T12", "state": "active"}, always(1)),
            ("sim_state", {"sim": "T14", "state": "terminated"}, always(1)),
        ),
        ((0, BEGIN - 30, ()), (BEGIN + 60, END, ("ticket PlanExpiring thingspace//",))),
    ),
    case(
        "expired",
        "the plan of T12 ended yesterday, that of T13 ends in a week: until a week after the last of them",
        sim(
            ("plan_expiry_timestamp_seconds", {"sim": "T12"}, always(-DAY)),
            ("plan_expiry_timestamp_seconds", {"sim": "T13"}, always(7 * DAY)),
        ),
        ((60, END, ("ticket PlanExpiring thingspace//",)),),
    ),
    case(
        "headroom-measured",
        "on LTE, and what the primary carried in the last week would use up the plan in nine hours",
        replace(standby(9 * GB), samples=(*without_load(standby(9 * GB)), *carried(2 * GB / HOUR))),
        ((0, CUT - 5, ()), *on_lte(HEADROOM)[1:]),
        yards=(failover(15),),
        end=900.0,
        moved=None,
        every=5.0,
    ),
    case(
        "C17",
        "over a week the router counted 1.9 GB and the carrier 2.6 GB",
        sim(
            ("sim_settled_bytes", {"sim": "T12", "source": "carrier"}, then(2.6 * GB, 2.0 * GB)),
            ("sim_settled_bytes", {"sim": "T12", "source": "router"}, always(1.9 * GB)),
        ),
        told("ticket UsageReconcileDrift thingspace//T12", quiet=OVER + 120),
    ),
    case(
        "C18",
        "one carrier's trucks around Barstow are dark, the other's are not",
        trucks(then(1, 0)),
        told("ticket CarrierDegraded Verizon", start=BEGIN + 700),
    ),
    case(
        "C18-parked",
        "all trucks around Barstow are dark, whatever their carrier: they are parked",
        trucks(then(1, 0), others_least=7.5),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "C19-claimed",
        "the platform says that the SIM is throttled",
        sim(("sim_throttled", {"sim": "T12"}, then(1, 0))),
        told("ticket SimThrottled thingspace//T12"),
    ),
    case(
        "C19-measured",
        "the SIM's line moves data at its throttled speed, and the platform says nothing",
        replace(
            standby(48 * GB),
            samples=(
                *standby(48 * GB).samples,
                ("sim_throttle_speed_bytes_per_second", {"sim": "fontana-standby"}, always(16_000)),
                *counter(16_000),
            ),
        ),
        told("ticket SimThrottled thingspace//fontana-standby", start=BEGIN + 1500, quiet=OVER + 420),
        moved=None,
    ),
    case(
        "C19-sampled",
        "a file came over the idle standby at its throttled speed, and the platform says nothing",
        sampled(then(15_000, 900_000), then(BEGIN, -DAY, end=1e9)),
        told("ticket SimThrottled thingspace//fontana-standby", quiet=OVER + 120),
        moved=None,
    ),
    case(
        "C19-sampled-and-faster",
        "a file came over the standby at its throttled speed, and since then the yard moves six times as much over it",
        sampled(always(15_000), always(-DAY), *counter(15_000 * 6)),
        ((300, END, ()),),
        moved=None,
    ),
    case(
        "C19-last-cycle",
        "a file came over the standby at its throttled speed, before the cycle began: nothing is known of this one",
        sampled(always(15_000), always(-4 * DAY)),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "C19-withdrawn",
        "the same, and the platform is silent until its figures are withdrawn: it is still the last cycle's",
        replace(
            standby(48 * GB),
            samples=(
                *standby(48 * GB).samples,
                ("sim_throttle_speed_bytes_per_second", {"sim": "fontana-standby"}, then(None, 16_000)),
                ("cycle_start_timestamp_seconds", {"pool": "", "sim": "fontana-standby"}, then(None, -3 * DAY)),
                ("standby_throughput_bytes_per_second", ON_LTE, always(15_000)),
                ("standby_throughput_timestamp_seconds", ON_LTE, always(-4 * DAY)),
            ),
            answers=((0, BEGIN), (OVER, 1e9)),
        ),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "C19-capped",
        "the SIM of a pool is throttled because the pool's cap is reached: one ticket",
        replace(
            heading(always(None), always(561 * GB), then(503 * GB, 391 * GB), ends=DAY),
            samples=(
                *heading(always(None), always(561 * GB), then(503 * GB, 391 * GB), ends=DAY).samples,
                ("sim_throttled", {"sim": "T7"}, then(1, 0)),
            ),
        ),
        told("ticket CapReached thingspace/tablets"),
        moved=None,
    ),
    case(
        "T30",
        "a carrier's LTE is down everywhere, the fibers are fine: one ticket, and no standby is told alone",
        Platform((NEWEST,)),
        told("ticket CarrierDegraded Verizon", start=BEGIN + 300, quiet=OVER + 60),
        yards=many(8),
        moved=None,
    ),
    case(
        "T30-one-by-one",
        "a carrier's lines come back half a minute apart: the last of them is told alone once it should be there",
        Platform((NEWEST,)),
        (
            (0, BEGIN + 90, ()),
            (BEGIN + 300, OVER + 30, ("ticket CarrierDegraded Verizon",)),
            (OVER + 150, OVER + 300, ()),
            (OVER + 420, END + 300, ("ticket StandbyNotReady yard-5 lte",)),
        ),
        yards=one_by_one(many(5), 30, never=1),
        end=END + 300,
        moved=None,
    ),
    case(
        "carrier-unheard",
        "a carrier is told as down, and for forty seconds no yard is heard: no standby is told beside it",
        Platform((NEWEST,)),
        ((0, BEGIN + 90, ()), (BEGIN + 300, 1500, ("ticket CarrierDegraded Verizon",))),
        yards=tuple(replace(each, hosts=(Host(runs=((0.0, 900.0), (940.0, 1e9)), lingers=True),)) for each in many(3)),
        end=1500.0,
        every=10.0,
        moved=None,
    ),
    case(
        "T29",
        "on LTE at night, and the plan lasts nine hours",
        standby(9 * GB),
        on_lte(HEADROOM),
        yards=(failover(15),),
        end=900.0,
        moved=260.0,
        every=5.0,
    ),
    case(
        "C04",
        "on LTE now, and its plan lasts for thirty hours of a weekend of forty",
        standby(30 * GB, 40 * HOUR),
        on_lte(HEADROOM),
        yards=(failover(15),),
        end=900.0,
        moved=None,
        every=5.0,
    ),
    case(
        "C04-centre-away",
        "the same, and the centre's exporter is away for twenty minutes: the page stays",
        standby(30 * GB, 40 * HOUR),
        (
            (CUT + 90, 590, (HEADROOM, *LTE_TICKETS)),
            (900, 1790, (HEADROOM, *LTE_TICKETS, "page CentreNotReporting")),
            (1900, 2390, (HEADROOM, *LTE_TICKETS)),
            (2520, 2700, ()),
        ),
        yards=(yard(((CUT, 2400.0),), path=((CUT + 15, "lte"), (2420, "fiber"))),),
        centre=Centre(runs=((0.0, 600.0), (1800.0, 1e9))),
        moved=None,
        every=15.0,
    ),
    case(
        "headroom-figures-follow",
        "on LTE, and the carrier's figures have what it carries: that is not taken off twice",
        with_figures(standby(12 * GB + 0.03 * GB)),
        on_lte(),
        yards=(failover(15),),
        end=900.0,
        moved=None,
        every=5.0,
    ),
    case(
        "headroom-account-fails",
        "on LTE, its plan does not last, and then the carrier's API fails and tells nothing any more: the page stays",
        Platform(
            tuple(
                (name, labels, then_nothing(read, 500.0) if name == "standby_left_bytes" else read)
                for name, labels, read in standby(9 * GB).samples
            ),
            answers=((0.0, 500.0),),
        ),
        ((0, CUT - 5, ()), (CUT + 90, 1490, (HEADROOM, *LTE_TICKETS)), (1700, 1800, ())),
        yards=(yard(((CUT, 1500.0),), path=((CUT + 15, "lte"), (1520, "fiber"))),),
        end=1800.0,
        moved=None,
        every=15.0,
    ),
    case(
        "carrier-parked-beside-unheard",
        "all trucks of a home are parked, and beside its two carriers there is one of which no habit is known",
        Platform((*parked("Verizon", 8, 4.0), *parked("AT&T", 8, 4.0), *parked("T-Mobile", 3, 0.0), NEWEST)),
        ((0, END, ()),),
        moved=None,
    ),
    case(
        "headroom-enough",
        "on LTE, and the plan lasts for two days, beyond the weekend",
        standby(48 * GB, 40 * HOUR),
        on_lte(),
        yards=(failover(15),),
        end=900.0,
        moved=None,
        every=5.0,
    ),
)
