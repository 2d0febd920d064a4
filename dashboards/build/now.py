"""What works now, for dispatch and managers: words and colors, no numbers."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    AGO,
    FLEETS,
    GREEN,
    NOT_CONFIGURED,
    ORANGE,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    State,
    fleets_page,
    leads,
    listing,
    words,
)
from dashboards.build.wall import newest, yards
from grafana_foundation_sdk.builders import dashboard

# The numbers of `yards()`, in the words of somebody who works there.
INTERNET = (
    State("works", GREEN),
    State("works, on backup", ORANGE),
    State("cannot tell", PURPLE),
    State("is down", RED),
    State("nothing heard", RED),
)
WORKS = (State("does not work", RED), State("works", GREEN))
TABLETS = (State("all heard", GREEN), State("some silent", ORANGE))
FEEDS = (State("can be relied on", GREEN), State("cannot tell", PURPLE), State("do not rely on it", RED))
_TOLD = ('audience="dispatch"', 'alertstate="firing"')


def board() -> dashboard.Dashboard:
    """Yards first, then what all of them share."""
    built = fleets_page(
        "yardlight-now",
        "Yardlight: What works now",
        "For dispatch and managers: what works at each yard and what can be relied on, in words. Who looks after it "
        "knows already.",
        ["now"],
    )
    for panel in (*_yards(), *_feeds()):
        built = built.with_panel(panel)
    return built


def _yards() -> Iterator[Panel]:
    silent = newest("device_state", "device", 'state=~"stale|dark"')
    listed = newest("device_info", "terminal, device", 'terminal!=""')
    yield listing(
        "Yards",
        "Whether the internet and the tablets of each yard work. works, on backup: nothing to do, it may be slower. "
        "is down: use the phone list of the yard.",
        Place(0, 0, 14, 14),
        [
            Query(f"sort_desc({yards()})"),
            Query(f"1000 * {newest('terminal_state_since_timestamp_seconds', 'terminal')}"),
            Query(f"1 + max by (fleet, terminal) ({listed} * on (fleet, device) group_left () {silent})"),
        ],
        {
            "terminal": "Yard",
            "Value #A": "Internet",
            "Value #B": "Since",
            "Value #C": "Tablets",
            "fleet": "Fleet",
        },
        overrides={
            "Internet": words(INTERNET),
            "Tablets": words(TABLETS),
            "Since": AGO,
            "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
        },
    )
    yield listing(
        "Online services at each yard",
        "Whether what the yards work with (dispatch, the ELD portal, ...) can be reached from there, over the line in "
        "use. A service that works at no yard is down at its vendor.",
        Place(14, 0, 10, 14),
        [
            Query(f"sort(1 + {newest('service_up', 'terminal, service', _IN_USE)})"),
        ],
        {"service": "Service", "terminal": "Yard", "Value": "It", "fleet": "Fleet"},
        overrides={"It": words(WORKS)},
        empty=NOT_CONFIGURED,
    )


_IN_USE = 'terminal!="",uplink="default"'


def _feeds() -> Iterator[Panel]:
    told, firing = _TOLD
    feeds = newest("feed_info", "account, feed, shows")
    unread = f"min by (fleet, account) (yardlight_poll_success{{{FLEETS}}}) == 0"
    distrusted = f"max by (fleet, account, feed) (ALERTS{{{FLEETS},{told},{firing}}})"
    yield listing(
        "What everybody works with",
        "Positions, loads, hours and whatever else comes from vendors. do not rely on it: old, empty or not what it "
        "was; ask drivers, and quote no arrival. cannot tell: the vendor cannot be read.",
        Place(0, 14, 14, 9),
        [
            Query(
                f"sort_desc(({feeds} * 3 and on (fleet, account, feed) {distrusted}) or "
                f"({feeds} * 2 and on (fleet, account) {unread}) or {feeds})"
            ),
            Query(f"1000 * {newest('feed_newest_record_timestamp_seconds', 'account, feed')}"),
        ],
        {"shows": "What", "Value #A": "It", "Value #B": "Newest is from", "feed": "Feed", "fleet": "Fleet"},
        overrides={"It": words(FEEDS), "Newest is from": AGO},
    )
    yield listing(
        "What dispatch was told",
        "Notices that are still open, and since when. Empty is normal: nothing has to be said.",
        Place(14, 14, 10, 9),
        [
            Query(
                f"sort(1000 * min by (fleet, alertname, account, feed, platform) (ALERTS_FOR_STATE{{{FLEETS},{told}}} "
                f"and ignoring (alertstate) ALERTS{{{firing}}}))"
            )
        ],
        {"alertname": "Notice", "feed": "Feed", "platform": "Platform", "Value": "Since", "fleet": "Fleet"},
        overrides={"Since": AGO},
        empty="nothing",
    )
