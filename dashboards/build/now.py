"""What works now, for dispatch and managers: words and colors, no numbers."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    BLUE,
    GRAY,
    GREEN,
    NONE_KNOWN,
    ORANGE,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    Row,
    State,
    choice,
    from_here,
    listing,
    mapping,
    matrix,
    page,
    ranking,
    renamed,
    words,
)
from dashboards.build.wall import CUT_OFF, not_listed, numbered, outside, silent, since
from grafana_foundation_sdk.builders import dashboard

# From good to bad, so that the largest number is the worst; what each means in one cell of a yard.
WORDS = (
    State("works", GREEN),
    State("answers from outside", BLUE),
    State("works, on backup", ORANGE),
    State("some silent", ORANGE),
    State("cannot tell", PURPLE),
    State("does not work", RED),
    State("nothing heard", RED),
)
WORKS, FROM_OUTSIDE, BACKUP, SOME_SILENT, CANNOT_TELL, FAILS, NOT_HEARD = range(1, len(WORDS) + 1)
FEEDS = (State("can be relied on", GREEN), State("cannot tell", PURPLE), State("do not rely on it", RED))
# What each notice to dispatch says, in words.
NOTICES = {
    "FeedStale": "is old",
    "FeedFrozen": "stands still",
    "FeedEmpty": "is empty",
    "FeedContractBroken": "is not what it was",
    "PlatformOutageDeclared": "is down, its vendor says",
}
LONG = (State("within the hour", GRAY), State("for hours", GRAY), State("for days", GRAY))
_FLEET = 'fleet="$fleet"'
_IN_USE = 'terminal!="",uplink="default"'
_TOLD = 'audience="dispatch"'


def board() -> dashboard.Dashboard:
    """What all yards share first, then each yard."""
    built = page(
        "yardlight-now",
        "Yardlight: What works now",
        "For dispatch and managers: what works at each yard and what can be relied on, in words. Who looks after it "
        "knows already.",
        ["now"],
    ).with_variable(choice("fleet", "Fleet", "label_values(yardlight_fleet_info, fleet)"))
    for panel in (*_shared(), *_yards()):
        built = built.with_panel(panel)
    return built


def _newest(metric: str, by: str, where: str = "") -> str:
    return f"max by ({by}) (yardlight_{metric}{{{_FLEET}{where and ',' + where}}})"


def _shared() -> Iterator[Panel]:
    feeds = _newest("feed_info", "account, feed, shows", 'platform!="statuspage"')
    # As the notifications say it: what they call not affected can be relied on. What cannot be read is not known.
    distrusted = (
        f'max by (account, feed) (ALERTS{{{_FLEET},{_TOLD},alertstate="firing"}} '
        f"or yardlight:feed_distrusted{{{_FLEET}}} and on (account, feed) yardlight:feed_answers{{{_FLEET}}})"
    )
    trusted = f"max by (account, feed, shows) (yardlight:feed_trusted{{{_FLEET}}})"
    yield ranking(
        "What everybody works with",
        "Positions, loads, hours and whatever else comes from vendors. Do not rely on it: old, empty or not what it "
        "was; ask drivers, and quote no arrival. Cannot tell: the vendor cannot be read. Can be relied on is normal.",
        Place(0, 0, 14, 8),
        [
            Row(f"{feeds} * 3 and on (account, feed) {distrusted}", "{{shows}}", RED),
            Row(f"{feeds} * 2 unless on (account, feed) ({distrusted} or {trusted})", "{{shows}}", PURPLE),
            Row(f"{trusted} unless on (account, feed) {distrusted}", "{{shows}}", GREEN),
        ],
        unit="none",
        mapped=mapping(FEEDS),
        size=24,
        empty=NONE_KNOWN,
    )
    age = f"time() - {since(_TOLD, 'alertname, account, feed, platform', _FLEET)} / 1000"
    # A feed by the name that its notification has.
    age = f"({age}) * on (account, feed) group_left (shows) {feeds} or ({age}) unless on (account, feed) {feeds}"
    yield listing(
        "What dispatch was told",
        "Notices that are still open, and for how long. Empty is normal: nothing has to be said.",
        Place(14, 0, 10, 8),
        [Query(f"sort_desc(1 + (({age}) > bool 3600) + (({age}) > bool 86400))")],
        {"shows": "Feed", "platform": "Vendor", "alertname": "It", "Value": "Told"},
        overrides={
            "It": {"mappings": [renamed(NOTICES)]},
            "Told": words(LONG),
        },
        empty="nothing known that has to be said",
    )


def _internet() -> str:
    """The state of each yard's own connection as a number of `WORDS`."""
    codes = {"primary": WORKS, "standby": BACKUP, "unknown": CANNOT_TELL, "dark": FAILS}
    return (
        f"{numbered(_FLEET, 'terminal', codes)} or {FROM_OUTSIDE} * ({outside(_FLEET, 'terminal')}) or "
        f"{NOT_HEARD} * ({silent(_FLEET, 'terminal')}) or {CANNOT_TELL} * ({not_listed(_FLEET, 'terminal')})"
    )


def _tablets() -> str:
    """Whether tablets of each yard are silent on duty or gone, as a number of `WORDS`."""
    listed = _newest("device_info", "account, terminal, device", 'terminal!=""')
    silent = f'yardlight_device_state{{{_FLEET},state=~"stale|dark|gone_from_mdm"}} == 1'
    read = f"min by (account) (yardlight_poll_success{{{_FLEET}}}) == 1"
    return (
        f"{SOME_SILENT} * group by (terminal) ({listed} and on (account, device) {silent}) or "
        f"{CANNOT_TELL} * group by (terminal) ({listed} unless on (account) {read}) or "
        f"{WORKS} * group by (terminal) ({listed})"
    )


def _yards() -> Iterator[Panel]:
    services = f"{_newest('service_up', 'terminal, service', _IN_USE)} unless on (terminal) {CUT_OFF}{{{_FLEET}}}"
    services = f"{FAILS} - {FAILS - WORKS} * ({services})"
    cells = " or ".join(
        (
            f'label_replace({_internet()}, "what", "Internet", "", "")',
            f'label_replace({services}, "what", "$1", "service", "(.+)")',
            f'label_replace({_tablets()}, "what", "Tablets", "", "")',
        )
    )
    yield matrix(
        "Yards",
        "Whether the internet, the online services and the tablets of each yard work, seen from there. Works, on "
        "backup: nothing to do, it may be slower. Answers from outside: nothing measures in that yard, and its line is "
        "there. Does not work: use the phone list of the yard. A service that works at no yard is down at its vendor. "
        "Works everywhere is normal; an empty cell is not known.",
        Place(0, 8, 24, 18),
        Query(f"max by (terminal, what) ({cells})"),
        rows=("terminal", "Yard"),
        columns="what",
        first="Internet",
        states=WORDS,
        links=from_here("terminal", "Open the yard", terminal="Yard"),
        empty=NONE_KNOWN,
    )
