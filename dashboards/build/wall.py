"""The NOC wall: is anything wrong, where, since when, what next. Legible from afar, for 3 yards and for 500."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    AGO,
    FLEETS,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    State,
    counted,
    fleets_page,
    leads,
    lines,
    listing,
    one_of,
    single,
    words,
)
from grafana_foundation_sdk.builders import dashboard

NONE = "none"
BIG = 64
# From good to bad, so that the largest number is the worst.
YARD = (
    State("on its primary", GREEN),
    State("on standby", ORANGE),
    State("not known", PURPLE),
    State("dark", RED),
    State("nothing heard", RED),
)
# As the metric calls all but the last.
_STATES = ("primary", "standby", "unknown", "dark")
NARROW: dict[str, object] = {"custom.width": 90}
# Whatever an alert is about, in the order of its size.
_ABOUT = (
    "uplink", "service", "platform", "account", "feed", "flow", "pool", "sim", "carrier", "group", "truck", "device",
    "archive", "playbook",
)  # fmt: skip


def newest(metric: str, by: str, where: str = "") -> str:
    """PromQL for a metric of the chosen fleets, one series per fleet and `by`."""
    return f"max by (fleet, {by}) (yardlight_{metric}{{{FLEETS}{where and ',' + where}}})"


def yards() -> str:
    """The state of each yard as its number in `YARD`; a yard that says nothing has the last."""
    measured = one_of("yardlight_terminal_state", FLEETS, [State(name, "") for name in _STATES], by="fleet, terminal")
    return f"({measured} or {len(YARD)} * {newest('terminal_info', 'terminal')})"


def firing(severity: str, by: str = "fleet, alertname") -> str:
    """Alerts that are firing, one series per `by`."""
    return f'max by ({by}) (ALERTS{{{FLEETS},alertstate="firing",severity="{severity}"}})'


def board() -> dashboard.Dashboard:
    """All panels: in one line how it stands, then what is open and where, then what will be."""
    built = fleets_page(
        "yardlight-wall",
        "Yardlight: Wall",
        "All that is watched on one page, worst first: what is open, which yards are on what, which vendors cannot be "
        "read, what runs out. Every name leads to its board.",
        ["wall"],
    ).time("now-24h", "now")
    for panel in (*_numbers(), *_open(), *_ahead()):
        built = built.with_panel(panel)
    return built


def _numbers() -> Iterator[Panel]:
    several = "fleet, alertname, terminal, account, service, platform"
    yield single(
        "Pages open",
        "Faults for which a person was woken. Normal is none. The list below says where and since when.",
        Place(0, 0, 4, 5),
        Query(f"count({firing('page', several)})"),
        steps=((None, GREEN), (1, RED)),
        size=BIG,
        empty=NONE,
    )
    yield single(
        "Tickets open",
        "Faults that can wait for the morning and need somebody then. A few are normal.",
        Place(4, 0, 4, 5),
        Query(f"count({firing('ticket', several)})"),
        steps=((None, GREEN), (1, ORANGE)),
        size=BIG,
        empty=NONE,
    )
    for x, title, number, color, text in (
        (
            8,
            "Yards dark or silent",
            "> 3",
            RED,
            "Nothing gets out of them, or nothing is heard of them. Normal is none.",
        ),
        (12, "Yards on standby", "== 2", ORANGE, "The failover works; get the primary repaired. Normal is none."),
        (16, "Yards not known", "== 3", PURPLE, "Measured, and it cannot be told what carries them. Normal is none."),
        (20, "Yards on their primary", "== 1", GREEN, "Traffic leaves as it should. Normal is all of them."),
    ):
        yield single(
            title,
            f"{text} The table of yards has them, worst first.",
            Place(x, 0, 4, 5),
            Query(f"count({yards()} {number})"),
            steps=((None, color if number == "== 1" else GREEN), (1, color)),
            size=BIG,
            empty=NONE,
        )


def _open() -> Iterator[Panel]:
    for y, h, severity, title, text, empty in (
        (5, 6, "page", "Pages: somebody was woken", "Normal is none.", "nobody was woken"),
        (11, 8, "ticket", "Tickets: for the morning", "A few are normal.", "nothing is open"),
    ):
        yield listing(
            title,
            f"Every open fault, the longest open first: where, since when, and who is told. {text} Each fault has a "
            "runbook of the same name; a yard leads to its board.",
            Place(0, y, 14, h),
            [Query(f"sort(1000 * min by (fleet, alertname, terminal, about, audience) ({_since(severity)}))")],
            {
                "alertname": "Fault",
                "fleet": "Fleet",
                "terminal": "Yard",
                "about": "About",
                "audience": "Told",
                "Value": "Since",
            },
            overrides={
                "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
                "Told": NARROW,
                "Since": AGO,
            },
            empty=empty,
        )
    yield listing(
        "Yards, worst first",
        "What carries each yard, since when, and over which line. On its primary is normal. A yard leads to its board.",
        Place(14, 5, 10, 9),
        [
            Query(f"sort_desc({yards()})"),
            Query(f"1000 * {newest('terminal_state_since_timestamp_seconds', 'terminal')}"),
            Query(f"{newest('terminal_path', 'terminal, uplink', _OBSERVED)} == 1"),
        ],
        {"Value #A": "State", "terminal": "Yard", "fleet": "Fleet", "uplink": "Leaves by", "Value #B": "Since"},
        overrides={
            "State": words(YARD),
            "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
            "Since": AGO,
        },
    )

    yield listing(
        "Whose fault",
        "What the signals at each yard, platform or truck in trouble point to: wan is ours, isp and carrier are to be "
        "called, unknown is nobody until somebody looked. Empty is normal.",
        Place(14, 14, 10, 5),
        [Query(f"sort(max by (fleet, terminal, platform, truck, domain) (yardlight:fault_domain{{{FLEETS}}} == 1))")],
        {"domain": "Fault of", "terminal": "Yard", "platform": "Platform", "truck": "Truck", "fleet": "Fleet"},
        overrides={"Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard")},
        empty="nobody's",
    )


def _since(severity: str) -> str:
    """When each open alert of this severity began, with all that it is about in the label `about`."""
    about = ", ".join(f'"{label}"' for label in _ABOUT)
    return (
        f'label_join(ALERTS_FOR_STATE{{{FLEETS},severity="{severity}"}} and ignoring (alertstate) '
        f'ALERTS{{alertstate="firing"}}, "about", " ", {about})'
    )


_OBSERVED = 'source="observed"'


def _ahead() -> Iterator[Panel]:
    yield listing(
        "Vendors that cannot be read",
        "Accounts whose last collection was not complete, and when the last complete one was. Empty is normal; what "
        "hangs on them is shown as of then.",
        Place(0, 19, 8, 7),
        [
            Query(f"min by (fleet, account) (yardlight_poll_success{{{FLEETS}}}) == 0"),
            Query(
                f"1000 * min by (fleet, account) (yardlight_poll_last_success_timestamp_seconds{{{FLEETS}}}) "
                f"and on (fleet, account) yardlight_poll_success{{{FLEETS}}} == 0"
            ),
        ],
        {"account": "Account", "fleet": "Fleet", "Value #B": "Last read"},
        overrides={
            "Account": leads("feeds", "Open its feeds", fleet="Fleet", account="Account"),
            "Last read": AGO,
        },
        empty="all are read",
    )
    yield listing(
        "Plans that run out first",
        "Pools and SIMs that reach their cap before the cycle ends, by forecast. Empty is normal. An account leads to "
        "its board, which says because of which SIM.",
        Place(8, 19, 8, 7),
        [Query(f"sort(1000 * bottomk(10, {newest('cap_exhaustion_timestamp_seconds', 'account, pool, sim')}))")],
        {"account": "Account", "pool": "Pool", "sim": "SIM", "Value": "Runs out", "fleet": "Fleet"},
        overrides={
            "Account": leads("cellular", "Open the plans", fleet="Fleet", account="Account"),
            "Runs out": AGO,
        },
        empty="none before its cycle ends",
    )
    yield listing(
        "Tablets in trouble",
        "Tablets that are silent on duty, have vanished from their MDM or never spoke, by account. A few silent ones "
        "are normal; gone is not.",
        Place(16, 19, 8, 7),
        [
            Query(f"sum by (fleet, account) ({newest('devices', 'account, group, state', state)}) > 0")
            for state in ('state=~"stale|dark"', 'state="gone_from_mdm"', 'state="never"')
        ],
        {
            "account": "Account",
            "Value #A": "Silent",
            "Value #B": "Gone",
            "Value #C": "Never spoke",
            "fleet": "Fleet",
        },
        overrides={
            "Account": leads("tablets", "Open the tablets", fleet="Fleet", account="Account"),
            **{name: {"unit": "none"} for name in ("Silent", "Gone", "Never spoke")},
            "Gone": counted(RED),
        },
        empty=NONE,
    )
    yield listing(
        "Feeds that must not be relied on",
        "Feeds that answer and are old, empty, the same again or not what they were. Empty is normal. Dispatch is told "
        "the same in plain words.",
        Place(0, 26, 8, 7),
        [
            Query(
                "sort(1000 * min by (fleet, account, feed, alertname) "
                f'(ALERTS_FOR_STATE{{{FLEETS},audience="dispatch"}} '
                'and ignoring (alertstate) ALERTS{alertstate="firing"}))'
            )
        ],
        {"feed": "Feed", "alertname": "Why", "Value": "Since", "account": "Account", "fleet": "Fleet"},
        overrides={
            "Feed": leads("feeds", "Open the feeds", fleet="Fleet", account="Account"),
            "Since": AGO,
        },
        empty=NONE,
    )
    yield listing(
        "Drills that are overdue",
        "Failovers that were not proven in their quarter, and since when they are due. Empty is normal. A yard leads "
        "to its board with its last drills.",
        Place(8, 26, 8, 7),
        [Query(f"sort(1000 * ({newest('drill_due_timestamp_seconds', 'terminal, playbook')} < time()))")],
        {"terminal": "Yard", "Value": "Was due", "playbook": "Drill", "fleet": "Fleet"},
        overrides={
            "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
            "Was due": AGO,
        },
        empty=NONE,
    )
    yield listing(
        "Records that are missing",
        "Archives in which a record is not there that the rule and the roster ask for. Empty is normal. An archive "
        "leads to its board.",
        Place(16, 26, 8, 7),
        [Query(f"sort_desc({newest('archive_gaps', 'archive')} > 0)")],
        {"archive": "Archive", "fleet": "Fleet", "Value": "Missing"},
        overrides={
            "Archive": leads("compliance", "Open the archive", fleet="Fleet", archive="Archive"),
            "Missing": {"unit": "none"},
        },
        empty=NONE,
    )
    yield lines(
        "Yards by state",
        "How many yards were in each state. One step at a time is one yard; many at once are a provider, or the "
        "center's own line.",
        Place(0, 33, 24, 8),
        [
            Query(f'sum(max by (fleet, state) (yardlight:terminals{{{FLEETS},state="{state}"}}))', each.name)
            for state, each in zip((*_STATES, "silent"), YARD, strict=True)
        ],
        unit="none",
    )
