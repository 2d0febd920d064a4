"""The Cellular board: what will run out before its cycle ends, because of whom, and who is off the network."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dashboards.build.house import (
    ACCOUNT,
    AGO,
    GREEN,
    NONE_KNOWN,
    NOT_MEASURED,
    ORANGE,
    RED,
    Panel,
    Place,
    Query,
    account_page,
    lines,
    listing,
    of,
    share,
    single,
)
from grafana_foundation_sdk.builders import dashboard

# A range of which one in ten ends below, and one in ten above.
_AHEAD = (
    ("0.1", "{{pool}} at the end: low"),
    ("0.5", "{{pool}} at the end: likely"),
    ("0.9", "{{pool}} at the end: high"),
)
# What a SIM does that it never should, in words for a table.
_ODD = (
    ("other device", "{sim_device_changed_timestamp_seconds} > time() - 86400"),
    ("throttled", "{sim_throttled} == 1"),
    ("used, suspended", "{sim_used_while_suspended_bytes} > 0"),
    ("roaming", "{sim_roaming} == 1"),
    ("unusual day", "{sim_largest_day_bytes} > {sim_runaway_above_bytes}"),
)
_OF_POOL, _OF_SIM = 'sim="",pool!=""', 'pool="",sim!=""'

_INFO = 'yardlight_sim_info{fleet="$fleet",terminal!="",carrier!=""}'
_TRUCKS = 'max by (terminal, truck, carrier) (yardlight_sim_info{fleet="$fleet",truck!="",carrier!=""})'
# One more carrier, perhaps.
_UNKNOWN = 'yardlight_sim_info{fleet="$fleet",carrier=""}'
_ONE_HOME = (
    f"count by (terminal, carrier) (max by (terminal, sim, carrier) ({_INFO}))"
    f" and on (terminal) count by (terminal) (count by (terminal, carrier) ({_INFO})) == 1"
    f" unless on (terminal) {_UNKNOWN}"
)
_ONE_TRUCK = (
    f"count by (terminal, carrier) ({_TRUCKS} and on (truck) count by (truck) ({_TRUCKS}) == 1"
    f" unless on (truck) {_UNKNOWN})"
)


def _odd(what: str, holds: str) -> str:
    found = re.sub(r"\{(\w+)\}", lambda match: of(match[1], "sim"), holds)
    return f'label_replace({found}, "what", "{what}", "", "")'


def _named(kind: str, where: str) -> str:
    label = kind.lower()
    found = of("cap_exhaustion_timestamp_seconds", label, where)
    return f'label_replace({found}, "what", "{kind} $1", "{label}", "(.+)")'


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: pools, SIMs in trouble, days, carriers."""
    built = (
        account_page(
            "yardlight-cellular",
            "Yardlight: Cellular",
            "One account at a carrier: use against caps and forecasts of pools and SIMs, odd SIMs, carriers.",
            ["cellular"],
            metric="sim_silent_after_seconds",
        )
        .time("now-14d", "now")
        .refresh("5m")
    )
    for panel in (*_now(), *_pools(), *_sims(), *_carriers()):
        built = built.with_panel(panel)
    return built


def _now() -> Iterator[Panel]:
    yield single(
        "SIMs",
        "SIMs of the roster that the platform has, whatever their state. It changes when trucks come and go.",
        Place(0, 0, 4, 4),
        Query(f"sum({of('sims', 'state')})"),
    )
    yield single(
        "At their cap, or will be",
        "Pools and SIMs that have reached their cap, or will by forecast before their cycle ends. None is normal.",
        Place(4, 0, 5, 4),
        Query(
            f"count({of('cap_exhaustion_timestamp_seconds', 'pool, sim')} or "
            f"max by (pool, sim) (yardlight:cap_reached{{{ACCOUNT}}}))"
        ),
        known=f"{of('sims_with_cap', 'account')} > 0 or {of('pool_cap_bytes', 'pool')}",
        steps=((None, GREEN), (1, ORANGE)),
        empty="no cap known",
    )
    yield single(
        "Age of the figures",
        "Age of the newest figures of the carrier; forecasts start there. Hours are normal, days are not.",
        Place(9, 0, 5, 4),
        Query(f'time() - max(yardlight_usage_as_of_timestamp_seconds{{{ACCOUNT},pool="",sim=""}})'),
        unit="s",
    )
    yield single(
        "Not in the list of names",
        "SIMs that the platform has and your list of names has not: they use the pools, too. Normal is 0.",
        Place(14, 0, 5, 4),
        Query(of("sims_unlisted", "account")),
        steps=((None, GREEN), (1, ORANGE)),
    )
    yield single(
        "Counted only",
        "SIMs in no trouble that have no series of their own, because of series_limit. 0 up to the limit.",
        Place(19, 0, 5, 4),
        Query(of("sims_not_shown", "account")),
    )


def _pools() -> Iterator[Panel]:
    yield share(
        "Pools: used now",
        "Use of the open cycle as a part of the cap, at least: of SIMs that cannot be read now, what was known. By "
        "itself it says little: look at the forecast.",
        Place(0, 4, 8, 7),
        Query(f"{of('pool_known_usage_bytes', 'pool')} / {of('pool_cap_bytes', 'pool')}", "{{pool}}"),
        ((None, GREEN), (0.8, ORANGE), (1, RED)),
        empty="no pool with a cap known",
    )
    yield lines(
        "Pools: use and forecast",
        "Use so far, and at the end of the cycle: one in ten ends below low or above high; dashed is the cap.",
        Place(8, 4, 16, 7),
        [
            Query(of("pool_known_usage_bytes", "pool"), "{{pool}} used"),
            *(
                Query(of("usage_projected_bytes", "pool", f'{_OF_POOL},probability="{probability}"'), name)
                for probability, name in _AHEAD
            ),
            Query(of("pool_cap_bytes", "pool"), "{{pool}} cap"),
        ],
        unit="decbytes",
        dashed=".* cap",
    )


def _sims() -> Iterator[Panel]:
    yield listing(
        "Caps still to be reached",
        "The day on which the cap is reached, as likely before as after it. What has reached it is not here any more.",
        Place(0, 11, 12, 8),
        # One column for both: an empty cell would say what an empty table says.
        [Query(f"1000 * ({_named('pool', _OF_POOL)} or {_named('SIM', _OF_SIM)})")],
        {"what": "What", "Value": "Cap reached on"},
        overrides={"Cap reached on": AGO},
        empty=NONE_KNOWN,
    )
    yield listing(
        "Biggest SIMs",
        "The fifteen SIMs with the most use in the open cycle: where to look first when a pool gets short.",
        Place(12, 11, 12, 8),
        [Query(f"topk(15, {of('sim_usage_bytes', 'sim')})")],
        {"sim": "SIM", "Value": "Used"},
        overrides={"Used": {"unit": "decbytes"}},
        empty=NOT_MEASURED,
    )
    yield lines(
        "SIMs: largest of the last two days",
        "The larger of the last two days, against the amount from which on a day is unusual (dashed).",
        Place(0, 19, 12, 8),
        [
            Query(f"topk(5, {of('sim_largest_day_bytes', 'sim')})", "{{sim}}"),
            Query(
                f"{of('sim_runaway_above_bytes', 'sim')} and on (sim) topk(5, {of('sim_largest_day_bytes', 'sim')})",
                "{{sim}} unusual",
            ),
        ],
        unit="decbytes",
        dashed=".* unusual",
    )
    yield listing(
        "Odd SIMs",
        "SIMs that do what they never should: in another device, throttled, used while suspended, roaming, or with a "
        "day of more use than they ever have.",
        Place(12, 19, 6, 8),
        [Query(" or ".join(map(_odd, *zip(*_ODD, strict=True))))],
        {"sim": "SIM", "what": "What"},
        empty=NONE_KNOWN,
    )
    yield listing(
        "States",
        "SIMs of the roster by the platform's word. Suspended ones that are used are told as a ticket.",
        Place(18, 19, 6, 8),
        [Query(f"{of('sims', 'state')} > 0")],
        {"state": "State", "Value": "SIMs"},
        empty=NOT_MEASURED,
    )


def _carriers() -> Iterator[Panel]:
    yield lines(
        "In session, by carrier and home",
        "Trucks' SIMs in session; dashed is the fewest that chance explains. Nights and weekends are lower.",
        Place(0, 27, 12, 8),
        [
            Query(of("carrier_sims_in_session", "carrier, terminal"), "{{carrier}} {{terminal}}"),
            Query(of("carrier_sims_in_session_least", "carrier, terminal"), "{{carrier}} {{terminal}} least"),
        ],
        unit="none",
        dashed=".* least",
    )
    yield single(
        "In session now",
        "Trucks' SIMs that the platform sees in session. Of some platforms that cannot be known, good or bad.",
        Place(12, 27, 4, 8),
        Query(f"sum({of('carrier_sims_in_session', 'carrier, terminal')})"),
        empty="cannot tell",
    )
    yield listing(
        "On one carrier only",
        "Of the whole fleet: homes whose trucks and backup lines all depend on one carrier, and trucks with no other.",
        Place(16, 27, 8, 8),
        [
            Query(
                f'label_replace({_ONE_HOME}, "what", "all SIMs of $1", "terminal", "(.+)") or '
                f'label_replace({_ONE_TRUCK}, "what", "trucks of $1", "terminal", "(.+)")'
            )
        ],
        {"what": "What", "carrier": "Carrier", "Value": "How many"},
        overrides={"How many": {"unit": "none"}},
        empty=NONE_KNOWN,
    )
