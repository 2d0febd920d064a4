"""The NOC wall: is anything wrong, where, since when, what next. Legible from afar, for 3 yards and for 500.

What fits on one screen of 1920 by 1080 is for reading at three meters: few rows in large letters, the worst of each
kind. Below it are the complete lists, for whoever sits in front of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashboards.build.house import (
    AGO,
    BLUE,
    CLEAR,
    FLEETS,
    GREEN,
    NONE,
    NONE_KNOWN,
    ORANGE,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    Row,
    State,
    fleets_page,
    leads,
    listing,
    mapping,
    one_of,
    ranking,
    renamed,
    shares,
    single,
    way,
    words,
)
from grafana_foundation_sdk.builders import dashboard

BIG = 64
# From good to bad, so that the largest number is the worst.
YARD = (
    State("on its primary", GREEN),
    State("answers from outside", BLUE),
    State("on standby", ORANGE),
    State("not known", PURPLE),
    State("dark", RED),
    State("nothing heard", RED),
)
PRIMARY, OUTSIDE, STANDBY, NOT_KNOWN, DARK, SILENT = range(1, len(YARD) + 1)
# What a box in the yard says, as the metric calls it.
MEASURED = {"primary": PRIMARY, "standby": STANDBY, "unknown": NOT_KNOWN, "dark": DARK}
# Whose fault, as the metric calls it and in words.
FAULTS = {
    "wan": "our network",
    "isp": "the ISP",
    "carrier": "the carrier",
    "dns": "names (DNS)",
    "device": "the tablet",
    "vendor": "the vendor",
    "credentials": "our credentials",
    "integration": "the interface",
    "probe_box": "our probe box",
    "unknown": "not known yet",
}
NARROW: dict[str, object] = {"custom.width": 90}
# Wide enough that customers of one beginning are told apart.
FLEET_WIDE: dict[str, object] = {"custom.width": 140}
NAMES: dict[str, object] = {"custom.width": 200}
# Whatever an alert is about, in the order of its size.
_ABOUT = (
    "uplink", "service", "platform", "account", "feed", "flow", "webhook", "pool", "sim", "carrier", "group", "truck",
    "device", "archive", "playbook",
)  # fmt: skip
_SAID = " ".join(f"{{{{{label}}}}}" for label in _ABOUT)
_FLEET = "({{fleet}})"
# Alerts of the chosen fleets, and those of all at once, such as of the center itself.
OF_ALL = 'fleet=~"$fleet|"'
# By how much pools and SIMs are over their cap.
REACHED = f"max by (fleet, account, pool, sim) (yardlight:cap_reached{{{FLEETS}}})"
# Rows of a list that is read from afar: at the width of a laptop each takes two lines.
FEW = 2


def newest(metric: str, by: str, where: str = "") -> str:
    """PromQL for a metric of the chosen fleets, one series per fleet and `by`."""
    return f"max by (fleet, {by}) (yardlight_{metric}{{{FLEETS}{where and ',' + where}}})"


# By when the next drill must pass: what a box said last, also while it is away.
DRILLS_DUE = f"max by (fleet, terminal, playbook) (yardlight:drill_due_timestamp_seconds{{{FLEETS}}})"
# What a yard sent last before it was cut off stands for five minutes more: it is not how it is now.
CUT_OFF = "yardlight:terminal_missing_since_timestamp_seconds"
# When its box was last heard, of every yard that ever had one.
_REMEMBERED = "yardlight:terminal_remembered_timestamp_seconds"


# As large as the numbers are, a sentence has no room.
_UNKNOWN = "?"
# Where no inventory arrives, nothing is known of anything.
_FLEETS_THERE = f"max by (fleet) (yardlight_fleet_info{{{FLEETS}}})"
# Where no rule is evaluated, nobody is told of anything: one of them always fires.
_RULES_THERE = f'{_FLEETS_THERE} and on () ALERTS{{alertname="Watchdog",alertstate="firing"}}'


def numbered(where: str, by: str, numbers: Mapping[str, int]) -> str:
    """The state of each yard whose box is heard as its number; nothing where that is not so."""
    measured = " or ".join(
        f'(yardlight_terminal_state{{{where},state="{state}"}} == 1) * {number}' for state, number in numbers.items()
    )
    return f"max by ({by}) ({measured}) unless on ({by}) {CUT_OFF}{{{where}}}"


def outside(where: str, by: str) -> str:
    """Yards that never had a box, of which an address answers the center: that is all that is known of them."""
    return (
        f"max by ({by}) (yardlight_uplink_outside_up{{{where}}}) == 1 "
        f"unless on ({by}) yardlight_terminal_state{{{where}}} unless on ({by}) {_REMEMBERED}{{{where}}}"
    )


def not_listed(where: str, by: str) -> str:
    """Yards whose inventory does not arrive, since their center is away: rules keep them for an hour."""
    return (
        f"max by ({by}) (yardlight:terminal_info{{{where}}} unless on ({by}) yardlight_terminal_info{{{where}}} "
        f"unless on ({by}) yardlight_terminal_state{{{where}}} unless on ({by}) {CUT_OFF}{{{where}}}) > bool 0"
    )


def silent(where: str, by: str) -> str:
    """Yards that say nothing, or were cut off; those that answer from outside are among them."""
    return (
        f"max by ({by}) (yardlight_terminal_info{{{where}}} unless on ({by}) yardlight_terminal_state{{{where}}} "
        f"or {CUT_OFF}{{{where}}}) > bool 0"
    )


def yards() -> str:
    """The state of each yard as its number in `YARD`; a yard that says nothing has the last."""
    by = "fleet, terminal"
    return (
        f"({numbered(FLEETS, by, MEASURED)} or {OUTSIDE} * ({outside(FLEETS, by)}) or "
        f"{SILENT} * ({silent(FLEETS, by)}) or {NOT_KNOWN} * ({not_listed(FLEETS, by)}))"
    )


def in_state(number: int) -> str:
    """Yards that are in one state of `YARD`, and no others: on a wall of 500 each series counts."""
    if number == OUTSIDE:
        return f"({outside(FLEETS, 'fleet, terminal')})"
    if number == SILENT:
        return f"({silent(FLEETS, 'fleet, terminal')} unless {in_state(OUTSIDE)})"
    [state] = (state for state, each in MEASURED.items() if each == number)
    of_state = f'state="{state}"'
    found = f"{newest('terminal_state', 'terminal', of_state)} == 1 unless on (fleet, terminal) {CUT_OFF}"
    return f"({found} or {not_listed(FLEETS, 'fleet, terminal')})" if number == NOT_KNOWN else f"({found})"


def firing(severity: str, fleet: str = OF_ALL) -> str:
    """Alerts that are firing, one series for each."""
    return f'max without (instance, job) (ALERTS{{{fleet},alertstate="firing",severity="{severity}"}})'


def begun(where: str) -> str:
    """When each open alert began, in seconds; `where` chooses them. The rules remember it over a restart."""
    return (
        f"((yardlight:alert_since_timestamp_seconds{{{where}}} or ALERTS_FOR_STATE{{{where}}}) "
        'and ignoring (alertstate) ALERTS{alertstate="firing"})'
    )


def since(where: str, by: str, fleet: str = OF_ALL) -> str:
    """When each open alert began, in milliseconds; `where` chooses them."""
    found = f"min by ({by}) ({begun(f'{fleet},{where}')})"
    return f"1000 * {_said_of_all(found)}" if fleet == OF_ALL else f"1000 * {found}"


def _said_of_all(expr: str) -> str:
    """The same, with alerts that are of no one fleet called that."""
    return f'label_replace({expr}, "fleet", "all fleets", "fleet", "")'


def board() -> dashboard.Dashboard:
    """All panels: from afar, how it stands, what is open and where, what will be; from near, all of it."""
    built = fleets_page(
        "yardlight-wall",
        "Yardlight: Wall",
        "All that is watched on one page, worst first: what is open, which yards are on what, which vendors cannot be "
        "read, what runs out. Every name leads to its board.",
        ["wall"],
    ).time("now-24h", "now")
    for panel in (*_numbers(), *_open(), *_ahead(), *_lists()):
        built = built.with_panel(panel)
    return built


def _numbers() -> Iterator[Panel]:
    yield single(
        "Pages open",
        "Faults for which a person was woken. Normal is none. The list below says where and since when.",
        Place(0, 0, 4, 4),
        Query(f"count({firing('page')})"),
        steps=((None, GREEN), (1, RED)),
        size=BIG,
        empty=_UNKNOWN,
        known=_RULES_THERE,
    )
    yield single(
        "Tickets open",
        "Faults that can wait for the morning and need somebody then. A few are normal.",
        Place(4, 0, 4, 4),
        Query(f"count({firing('ticket')})"),
        steps=((None, GREEN), (1, ORANGE)),
        size=BIG,
        empty=_UNKNOWN,
        known=_RULES_THERE,
    )
    for x, title, which, color, text in (
        (
            8,
            "Yards dark or silent",
            f"{in_state(DARK)} or {in_state(SILENT)}",
            RED,
            "Nothing gets out of them, or nothing is heard of them. Normal is none.",
        ),
        (
            12,
            "Yards on standby",
            in_state(STANDBY),
            ORANGE,
            "The failover works; get the primary repaired. Normal is none.",
        ),
        (
            16,
            "Yards not known",
            in_state(NOT_KNOWN),
            PURPLE,
            "Measured, and it cannot be told what carries them; or their center is away. Normal is none.",
        ),
        (
            20,
            "Yards as they should be",
            f"{in_state(PRIMARY)} or {in_state(OUTSIDE)}",
            GREEN,
            "Traffic leaves by the primary; or no box was ever there, and the yard answers from outside. Normal is all "
            "of them.",
        ),
    ):
        yield single(
            title,
            f"{text} The list of yards has them, worst first.",
            Place(x, 0, 4, 4),
            Query(f"count({which})"),
            steps=((None, GREEN), (1, color)),
            size=BIG,
            empty=_UNKNOWN,
            known=newest("terminal_info", "terminal"),
            none_is_well=color != GREEN,
        )


_YARD = way("terminal", "Open the yard", fleet="fleet", terminal="terminal")
# When each yard came to be as it is; of one that is not heard, when it last was. Nothing of one that never was.
_SINCE = (
    f"1000 * ({newest('terminal_state_since_timestamp_seconds', 'terminal')} unless on (fleet, terminal) {CUT_OFF} or "
    f"max by (fleet, terminal) ({CUT_OFF}{{{FLEETS}}}) or max by (fleet, terminal) ({_REMEMBERED}{{{FLEETS}}}))"
)
_COLLECTED = way("itself", "Open what is collected", fleet="fleet")
_OBSERVED = 'source="observed"'


def _yard_rows(number: int, expr: str, timeless: str = "") -> Row:
    """Yards in a state, with the time since when; or without one, and what they are called then."""
    color = CLEAR if number in (PRIMARY, OUTSIDE) else YARD[number - 1].color
    legend = f"{{{{terminal}}}}: {timeless or YARD[number - 1].name} {_FLEET}"
    return Row(expr, legend, color, [_YARD], valueless=bool(timeless))


def _open() -> Iterator[Panel]:
    about = ", ".join(("fleet", "alertname", "terminal", *_ABOUT))
    at_a_yard, elsewhere = (f'severity="page",terminal{is_}""' for is_ in ("!=", "="))
    yield ranking(
        "Pages: somebody was woken",
        "Open pages, the longest open first: what, where and since when. Normal is none. Each has a runbook of the "
        "same name; one about a yard leads to its board. What does not fit stands in the list of pages below.",
        Place(0, 4, 10, 12),
        [
            Row(
                f"sort(bottomk(5, {since(at_a_yard, about)}))",
                f"{{{{alertname}}}}: {{{{terminal}}}} {_SAID} {_FLEET}",
                RED,
                [_YARD],
            ),
            Row(f"sort(bottomk(2, {since(elsewhere, about)}))", f"{{{{alertname}}}}: {_SAID} {_FLEET}", RED),
        ],
        empty="nobody was woken",
        known=_RULES_THERE,
    )
    yield ranking(
        "Yards, worst first",
        "What carries each yard and since when, in each state the longest first; of those on their primary, the last "
        "to come back. On its primary is normal, and answers from outside where no box was ever there. A yard leads to "
        "its board, and the list below has all of them.",
        Place(10, 4, 8, 12),
        [
            _yard_rows(DARK, f"sort(bottomk(2, {_SINCE} and {in_state(DARK)}))"),
            _yard_rows(SILENT, f"sort(bottomk(2, {_SINCE} and {in_state(SILENT)}))"),
            _yard_rows(SILENT, f"bottomk(1, {in_state(SILENT)} unless {_SINCE})", "never heard"),
            _yard_rows(STANDBY, f"sort(bottomk(2, {_SINCE} and {in_state(STANDBY)}))"),
            _yard_rows(NOT_KNOWN, f"sort(bottomk(1, {_SINCE} and {in_state(NOT_KNOWN)}))"),
            _yard_rows(PRIMARY, f"sort_desc(topk(2, {_SINCE} and {in_state(PRIMARY)}))"),
            _yard_rows(OUTSIDE, f"bottomk(1, {in_state(OUTSIDE)})", YARD[OUTSIDE - 1].name),
        ],
        empty="no yard is watched",
        known=_FLEETS_THERE,
    )
    whose = [State(domain, BLUE) for domain in FAULTS]
    where, elsewhere = (f'{FLEETS},terminal{is_}""' for is_ in ("!=", "="))
    yards_ = one_of("yardlight:fault_domain", where, whose, "fleet, terminal, domain", "domain")
    blamed = one_of("yardlight:fault_domain", elsewhere, whose, "fleet, platform, truck, domain", "domain")
    # Several accounts may be of one kind of platform: each is named, with what it is blamed for itself.
    accounts = one_of("yardlight:fault_of:account", FLEETS, whose, "fleet, account, domain", "domain")
    others = f"{blamed} unless on (fleet, platform) yardlight:fault_of:account{{{FLEETS}}}"
    yield ranking(
        "Whose fault",
        "What the signals at each yard, vendor or truck in trouble point to. The ISP and the carrier are to be "
        "called with the circuit's id; not known yet is nobody's until somebody looked. None known is normal. At most "
        "seven are here; the lists of pages and tickets have all.",
        Place(18, 4, 6, 12),
        [
            Row(f"bottomk(4, {yards_})", f"{{{{terminal}}}} {_FLEET}", BLUE, [_YARD]),
            Row(f"bottomk(1, {others})", f"{{{{platform}}}}{{{{truck}}}} {_FLEET}", BLUE),
            Row(
                f"bottomk(2, {accounts})",
                f"{{{{account}}}} {_FLEET}",
                BLUE,
                [_COLLECTED],
            ),
        ],
        unit="none",
        mapped=mapping([State(words_, BLUE) for words_ in FAULTS.values()]),
        empty=NONE_KNOWN,
        known=_RULES_THERE,
    )


def _of_whom(polls: str) -> str:
    return f'label_replace({polls}, "account", "$1", "poll", "records/(.+)")'


def _ahead() -> Iterator[Panel]:
    # What belongs to no account, such as an archive, has its own name.
    unread = _of_whom(f"min by (fleet, account, poll) (yardlight_poll_success{{{FLEETS}}}) == 0")
    last_read = f"yardlight_poll_last_success_timestamp_seconds{{{FLEETS}}}"
    last_read = f"{_of_whom(f'min by (fleet, account, poll) ({last_read})')} and on (fleet, account, poll) {unread}"
    never_read = f"min by (fleet, account) ({unread} unless on (fleet, account, poll) {last_read})"
    yield ranking(
        "Vendors that cannot be read",
        "Accounts and archives whose last collection was not complete, and when the last complete one was; never read "
        "if one of an account's collections never was; not heard of, since when, while the center that reads them is "
        "away. None is normal; what hangs on them is shown as of then. A row leads to all that is collected.",
        Place(0, 16, 8, 5),
        [
            Row(
                f"sort(bottomk({FEW}, 1000 * min by (fleet, account) ({last_read}) "
                f"unless on (fleet, account) {never_read}))",
                f"{{{{account}}}}: last read {_FLEET}",
                ORANGE,
                [_COLLECTED],
            ),
            Row(
                f"bottomk(1, {never_read})",
                f"{{{{account}}}}: never read {_FLEET}",
                ORANGE,
                [_COLLECTED],
                valueless=True,
            ),
            Row(
                f"bottomk(1, 1000 * max by (fleet, account) (yardlight:account_info{{{FLEETS}}}) "
                f"unless on (fleet, account) yardlight_account_info{{{FLEETS}}})",
                f"{{{{account}}}}: not heard of {_FLEET}",
                PURPLE,
                [_COLLECTED],
            ),
        ],
        empty="all are read",
        known=_FLEETS_THERE,
    )
    to_come = newest("cap_exhaustion_timestamp_seconds", "account, pool, sim")
    plans = [way("cellular", "Open the plans", fleet="fleet", account="account")]
    yield ranking(
        "Plans that run out first",
        "Pools and SIMs that are at their cap, then those that reach it before the cycle ends, by forecast. None is "
        "normal. One leads to the board of its account, which says because of which SIM.",
        Place(8, 16, 8, 5),
        [
            Row(
                f"topk(1, {REACHED})",
                f"{{{{account}}}} {{{{pool}}}}{{{{sim}}}} over cap {_FLEET}",
                RED,
                plans,
                unit="decbytes",
            ),
            Row(
                f"sort(1000 * bottomk({FEW - 1}, {to_come}))",
                f"{{{{account}}}} {{{{pool}}}}{{{{sim}}}} {_FLEET}",
                ORANGE,
                plans,
            ),
        ],
        empty=NONE_KNOWN,
        known=_FLEETS_THERE,
    )
    yield ranking(
        "Tablets in trouble",
        "Tablets that have vanished from their MDM, are silent on duty or never spoke, by account. A few silent ones "
        "are normal; gone is not. An account leads to its board with each of them.",
        Place(16, 16, 8, 5),
        [
            Row(
                f"topk(1, sum by (fleet, account) ({newest('devices', 'account, group, state', state)}) > 0)",
                f"{{{{account}}}}: {what} {_FLEET}",
                color,
                [way("tablets", "Open the tablets", fleet="fleet", account="account")],
                unit="suffix: tablets",
            )
            for state, what, color in (
                ('state="gone_from_mdm"', "gone", RED),
                ('state=~"stale|dark"', "silent", ORANGE),
                ('state="never"', "never spoke", ORANGE),
            )
        ],
        empty=NONE_KNOWN,
        known=_FLEETS_THERE,
    )
    # A platform that is out by its own word is of no one account.
    told = since('audience="dispatch",account!=""', "fleet, account, feed, alertname")
    declared = since('audience="dispatch",account=""', "fleet, platform, alertname")
    yield ranking(
        "Feeds that must not be relied on",
        "Feeds that answer and are old, empty, the same again or not what they were. None is normal. Dispatch is told "
        "the same in plain words.",
        Place(0, 21, 8, 5),
        [
            Row(
                f"sort(bottomk({FEW}, {told}))",
                f"{{{{alertname}}}}: {{{{feed}}}} {_FLEET}",
                ORANGE,
                [way("feeds", "Open the feeds", fleet="fleet", account="account")],
            ),
            Row(f"bottomk(1, {declared})", f"{{{{alertname}}}}: {{{{platform}}}} {_FLEET}", ORANGE, [_COLLECTED]),
        ],
        empty=NONE_KNOWN,
        known=_RULES_THERE,
    )
    yield ranking(
        "Drills that are overdue",
        "Failovers that were not proven in their quarter, and since when they are due. None is normal. A yard leads "
        "to its board with its last drills.",
        Place(8, 21, 8, 5),
        [
            Row(
                f"sort(1000 * bottomk({FEW}, {DRILLS_DUE} < time()))",
                f"{{{{terminal}}}}: was due {_FLEET}",
                ORANGE,
                [_YARD],
            )
        ],
        empty=NONE,
        known=_FLEETS_THERE,
    )
    yield ranking(
        "Records that are missing",
        "Archives in which a record is not there that the rule and the roster ask for. None is normal. An archive "
        "leads to its board.",
        Place(16, 21, 8, 5),
        [
            Row(
                f"topk({FEW}, {newest('archive_gaps', 'archive')} > 0)",
                f"{{{{archive}}}} {_FLEET}",
                RED,
                [way("compliance", "Open the archive", fleet="fleet", archive="archive")],
                unit="suffix: missing",
            )
        ],
        empty=NONE_KNOWN,
        known=_FLEETS_THERE,
    )


def _lists() -> Iterator[Panel]:
    about = ", ".join(f'"{label}"' for label in _ABOUT)
    for y, h, severity, title, text in (
        (26, 6, "page", "All pages", "Normal is none."),
        (32, 9, "ticket", "Tickets: for the morning", "A few are normal."),
    ):
        opened = begun(f'{OF_ALL},severity="{severity}"')
        named = f'label_join({_said_of_all(opened)}, "about", " ", {about})'
        yield listing(
            title,
            "Every open fault, the longest open first: where, whose it is as far as signals tell, since when, who is "
            f"told. {text} Each fault has a runbook of the same name; a yard leads to its board.",
            Place(0, y, 24, h),
            [Query(f"sort(1000 * min by (fleet, alertname, terminal, about, domain, audience) ({named}))")],
            {
                "alertname": "Fault",
                "terminal": "Yard",
                "about": "About",
                "domain": "Fault of",
                "audience": "Told",
                "Value": "Since",
                "fleet": "Fleet",
            },
            overrides={
                "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
                "Fault": NAMES,
                "Fault of": {"mappings": [renamed(FAULTS)]},
                "Told": NARROW,
                "Since": AGO,
                "Fleet": FLEET_WIDE,
            },
            empty=NONE_KNOWN,
        )
    yield listing(
        "Every yard",
        "What carries each yard, since when, and over which line, worst first. On its primary is normal, and answers "
        "from outside where no box was ever there. A yard leads to its board.",
        Place(0, 41, 12, 10),
        [
            Query(f"sort_desc({yards()})"),
            Query(_SINCE),
            Query(
                f"{newest('terminal_path', 'terminal, uplink', _OBSERVED)} == 1 unless on (fleet, terminal) {CUT_OFF}"
            ),
        ],
        {"terminal": "Yard", "Value #A": "State", "Value #B": "Since", "uplink": "Leaves by", "fleet": "Fleet"},
        overrides={
            "State": {**words(YARD), "custom.width": 170},
            "Yard": leads("terminal", "Open the yard", fleet="Fleet", terminal="Yard"),
            "Since": AGO,
            "Fleet": FLEET_WIDE,
        },
    )
    yield shares(
        "Yards by state",
        "How many yards were in each state. One step at a time is one yard; many at once are a provider, or the "
        "center's own line.",
        Place(12, 41, 12, 10),
        [
            Query(f'sum(max by (fleet, state) (yardlight:terminals{{{FLEETS},state="{state}"}}))', each.name)
            for state, each in zip(("primary", "outside", "standby", "unknown", "dark", "silent"), YARD, strict=True)
        ],
        YARD,
    )
