"""Fleet overview for who looks after many customers: each fleet a row, the same columns for all."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    BLUE,
    FLEETS,
    GREEN,
    NONE_KNOWN,
    ORANGE,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    counted,
    fleets_page,
    leads,
    lines,
    listing,
)
from dashboards.build.wall import (
    DARK,
    DRILLS_DUE,
    NOT_KNOWN,
    OUTSIDE,
    PRIMARY,
    REACHED,
    STANDBY,
    firing,
    in_state,
    newest,
    yards,
)
from grafana_foundation_sdk.builders import dashboard

COLUMNS = {
    "On their primary": GREEN,
    "From outside": BLUE,
    "Pages": RED,
    "Tickets": ORANGE,
    "Dark or silent": RED,
    "On standby": ORANGE,
    "Not known": PURPLE,
    "Not read": ORANGE,
    "Tablets silent": ORANGE,
    "Plans short": ORANGE,
}


def board() -> dashboard.Dashboard:
    """Customers side by side, then how many pages each had."""
    built = fleets_page(
        "yardlight-fleets",
        "Yardlight: Fleets",
        "All customers side by side: what is open at each, and how its yards stand. A fleet leads to its wall.",
        ["fleets"],
    ).time("now-7d", "now")
    for panel in _panels():
        built = built.with_panel(panel)
    return built


def _panels() -> Iterator[Panel]:
    state = 'state=~"stale|dark"'
    well = [f"count by (fleet) ({in_state(number)})" for number in (PRIMARY, OUTSIDE)]
    queries = [
        f"count by (fleet) ({firing('page', FLEETS)})",
        f"count by (fleet) ({firing('ticket', FLEETS)})",
        f"count by (fleet) ({yards()} >= {DARK})",
        f"count by (fleet) ({in_state(STANDBY)})",
        f"count by (fleet) ({in_state(NOT_KNOWN)})",
        f"count by (fleet) (min by (fleet, account) (yardlight_poll_success{{{FLEETS}}}) == 0)",
        f"sum by (fleet) ({newest('devices', 'account, group, state', state)}) > 0",
        f"count by (fleet) ({newest('cap_exhaustion_timestamp_seconds', 'account, pool, sim')} or {REACHED})",
    ]
    yield listing(
        "Customers",
        "Open pages and tickets of each fleet, its yards on their primary, without a box and answering from outside, "
        "dark or silent, on standby or not known, vendors that cannot be read, tablets silent on duty. Normal: all "
        "yards on their primary or from outside, and every other cell empty; a column in which no fleet has anything "
        "is not there. What is told of all fleets at once, such as of the center itself, is on the wall.",
        Place(0, 0, 24, 10),
        [Query(f"count by (fleet) ({yards()})"), *map(Query, [*well, *queries[:7]])],
        {
            "fleet": "Fleet",
            "Value #A": "Yards",
            **dict(zip((f"Value #{ref}" for ref in "BCDEFGHIJ"), COLUMNS, strict=False)),
        },
        overrides={
            "Fleet": leads("wall", "Open its wall", fleet="Fleet"),
            "Yards": {"unit": "none"},
            **{name: counted(color) for name, color in COLUMNS.items()},
        },
    )
    yield lines(
        "Open pages",
        "How many pages were open at each fleet. None is normal; at several fleets at once: a vendor, a carrier or "
        "the center's own line.",
        Place(0, 10, 12, 8),
        [Query(queries[0], "{{fleet}}")],
        unit="none",
        color=RED,
        empty=NONE_KNOWN,
    )
    yield lines(
        "Yards dark or silent",
        "How many yards of each fleet nothing got out of, or nothing was heard of. None is normal.",
        Place(12, 10, 12, 8),
        [Query(f'sum by (fleet) (yardlight:terminals{{{FLEETS},state=~"dark|silent"}})', "{{fleet}}")],
        unit="none",
        color=RED,
        empty=NONE_KNOWN,
    )
    yield listing(
        "Plans at their cap, or before their cycle ends",
        "How many pools and SIMs of each fleet are at their cap, or reach it early, by forecast. Empty is normal.",
        Place(0, 18, 12, 6),
        [Query(f"sort_desc({queries[7]})")],
        {"fleet": "Fleet", "Value": "Plans short"},
        overrides={"Fleet": leads("wall", "Open its wall", fleet="Fleet"), "Plans short": counted(ORANGE)},
        empty=NONE_KNOWN,
    )
    yield listing(
        "Drills overdue",
        "How many failovers of each fleet were not proven in their quarter. Empty is normal.",
        Place(12, 18, 12, 6),
        [Query(f"sort_desc(count by (fleet) ({DRILLS_DUE} < time()))")],
        {"fleet": "Fleet", "Value": "Overdue"},
        overrides={"Fleet": leads("wall", "Open its wall", fleet="Fleet"), "Overdue": counted(ORANGE)},
        empty=NONE_KNOWN,
    )
