"""Yardlight itself: does it measure, collect, remember and keep up; are the vendors' limits near."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    AGO,
    FLEETS,
    GREEN,
    NONE_KNOWN,
    NOT_CONFIGURED,
    ORANGE,
    RED,
    SPACED,
    Panel,
    Place,
    Query,
    State,
    answers,
    bars,
    fleets_page,
    lines,
    listing,
    single,
)
from dashboards.build.wall import newest
from grafana_foundation_sdk.builders import dashboard


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: now, accounts, over time."""
    built = fleets_page(
        "yardlight-itself",
        "Yardlight: Itself",
        "The exporters: whether the inventory on disk is the one in use, history is kept, the probing loop keeps up, "
        "and what collecting costs.",
        ["itself"],
    ).time("now-24h", "now")
    for panel in (*_now(), *_accounts(), *_over_time()):
        built = built.with_panel(panel)
    return built


def _now() -> Iterator[Panel]:
    yield single(
        "Inventory",
        "Whether the inventory on disk is the one in use, everywhere. refused: a change has a mistake; the old one is "
        "in force, and the landing page names file, line and field.",
        Place(0, 0, 6, 4),
        Query(f"min(yardlight_config_last_reload_successful{{{FLEETS}}})"),
        mapped=answers(State("in use", GREEN), State("refused", ORANGE)),
    )
    yield single(
        "History",
        "Whether the last write to each state file succeeded. not kept: measuring and alerting go on, and what "
        "happens meanwhile is missing from outages and reports. Normal: kept.",
        Place(6, 0, 6, 4),
        Query(f"min(yardlight_state_writable{{{FLEETS}}})"),
        mapped=answers(State("kept", GREEN), State("not kept", RED)),
    )
    yield single(
        "Slowest loop",
        "The longest delay of any probing loop in the last ten seconds. Under 10 ms is normal; above a probe's "
        "timeout, losses may be made up.",
        Place(12, 0, 6, 4),
        Query(f"max(yardlight_loop_lag_seconds{{{FLEETS}}})"),
        unit="s",
        steps=((None, GREEN), (0.1, ORANGE), (1, RED)),
    )
    yield single(
        "Sources that fail",
        "Collections of which the last one was not complete. None is normal; the table below has the reason.",
        Place(18, 0, 6, 4),
        Query(f"count(min by (fleet, account, poll) (yardlight_poll_success{{{FLEETS}}}) == 0)"),
        steps=((None, GREEN), (1, ORANGE)),
        known=newest("poll_success", "account, poll"),
    )


def _accounts() -> Iterator[Panel]:
    read = f"min by (fleet, account, poll) (yardlight_poll_success{{{FLEETS}}})"
    last = newest("poll_last_success_timestamp_seconds", "account, poll")
    yield listing(
        "What is collected",
        "Each source: when it was last read completely, how long that took, and why the last try failed, if it did; "
        "those that fail first, then the oldest. Minutes ago and no reason are normal.",
        Place(0, 4, 24, 10),
        [
            # Not shown, but rows come in its order.
            Query(f"sort(1e10 * {read} + ({last} or {read} * 0))"),
            Query(f"1000 * {last}"),
            Query(newest("poll_duration_seconds", "account, poll")),
            Query(f"{newest('poll_failed', 'account, poll, reason')} == 1"),
        ],
        {
            "account": "Account",
            "poll": "Source",
            "Value #B": "Last read",
            "Value #C": "Took",
            "reason": "Why not",
            "fleet": "Fleet",
        },
        overrides={"Last read": AGO, "Took": {"unit": "s"}, "Why not": {"mappings": [SPACED]}},
        empty=NOT_CONFIGURED,
    )
    yield listing(
        "Requests in 24 hours",
        "What each account asked of its vendor, and what the inventory allows. Far below is normal; where they meet, "
        "rounds get slower.",
        Place(0, 14, 12, 8),
        [
            Query(f"sort_desc({newest('api_spent_requests', 'account')})"),
            Query(newest("api_budget_requests", "account")),
        ],
        {"account": "Account", "Value #A": "Asked", "Value #B": "Allowed", "fleet": "Fleet"},
        overrides={"Asked": {"unit": "none"}, "Allowed": {"unit": "none"}},
        empty=NOT_CONFIGURED,
    )
    yield listing(
        "Versions",
        "Which Yardlight and which Python run where. One version everywhere is normal, but for the days of an upgrade.",
        Place(12, 14, 12, 8),
        [
            Query(
                "count by (fleet, version, python) "
                f"(max by (fleet, instance, version, python) (yardlight_build_info{{{FLEETS}}}))"
            )
        ],
        {"version": "Yardlight", "python": "Python", "Value": "Exporters", "fleet": "Fleet"},
        overrides={"Exporters": {"unit": "none"}},
    )


def _over_time() -> Iterator[Panel]:
    yield lines(
        "Delay of the loop",
        "The longest delay of each fleet's probing loops. A flat line near zero is normal; spikes at one time each day "
        "are a back-up or an update of the machine.",
        Place(0, 22, 12, 8),
        [Query(f"max by (fleet) (yardlight_loop_lag_seconds{{{FLEETS}}})", "{{fleet}}")],
        unit="s",
    )
    yield bars(
        "Failed collections",
        "How many collections failed in each stretch of time, by reason. Single ones are normal, and made good soon "
        "after.",
        Place(12, 22, 12, 8),
        [
            Query(
                f"sum by (reason) (increase(yardlight_poll_failures_total{{{FLEETS}}}[$__rate_interval])) > 0",
                "{{reason}}",
            )
        ],
        unit="short",
        color=ORANGE,
        empty=NONE_KNOWN,
    )
