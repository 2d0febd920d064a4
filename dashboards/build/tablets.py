"""The Tablets board: which have gone silent or vanished, which fall short, which were to be wiped and were not."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    ACCOUNT,
    AGO,
    BLUE,
    GRAY,
    GREEN,
    NONE_KNOWN,
    NOT_MEASURED,
    ORANGE,
    PLAIN,
    PURPLE,
    RED,
    Panel,
    Place,
    Query,
    State,
    account_page,
    answers,
    counted,
    lines,
    listing,
    of,
    share,
    shares,
    single,
)
from grafana_foundation_sdk.builders import dashboard

# Who can be silent: those who never spoke or are gone are counted by themselves.
SPOKE = 'state=~"fresh|stale|dark|expected_silent"'
TROUBLE = ((None, GREEN), (1, ORANGE))
_WIPE, _SILENT = 'action="wipe"', 'state=~"stale|dark"'
# Silent, and their trucks stand: made by the rules, where telematics is read.
_STANDS = f"max by (group, device) (yardlight:device_parked{{{ACCOUNT}}})"
_YES_NO: dict[str, object] = {
    "type": "value",
    "options": {"0": {"text": "no", "index": 0}, "1": {"text": "failed", "color": RED, "index": 1}},
}
# State and heading.
STATES = {
    "fresh": "Fresh",
    "expected_silent": "Off duty",
    "stale": "Stale",
    "dark": "Dark",
    "gone_from_mdm": "Gone",
    "never": "Never",
    "unknown": "Unknown",
}
NARROW: dict[str, object] = {"unit": "none", "custom.minWidth": 70}
# States in a column as they are called everywhere else on this board.
_COLORS = dict(zip(STATES, (GREEN, GRAY, ORANGE, RED, RED, ORANGE, PURPLE), strict=True))
_WORDS: dict[str, object] = {
    "type": "value",
    "options": {
        state: {"text": name.lower(), "index": index, "color": _COLORS[state]}
        for index, (state, name) in enumerate(STATES.items())
    },
}
_STATE: dict[str, dict[str, object]] = {
    "State": {"mappings": [_WORDS], "custom.cellOptions": {"type": "color-text"}},
}


def _count(state: str) -> str:
    return f"sum({of('devices', 'group, state', state)})"


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: now, groups, wipes and the oldest, standards, over time."""
    built = (
        account_page(
            "yardlight-tablets",
            "Yardlight: Tablets",
            "One account at an MDM: which tablets have gone silent, vanished, never spoke or fall short, and wipes "
            "that wait. All as of the last complete collection.",
            ["tablets"],
            metric="device_stale_after_seconds",
        )
        .time("now-7d", "now")
        .refresh("1m")
    )
    for panel in (*_now(), *_groups(), *_one_by_one(), *_standards(), *_over_time()):
        built = built.with_panel(panel)
    return built


def _now() -> Iterator[Panel]:
    yield single(
        "Read as of",
        "When the account was last read completely; everything here stands as of then. Normal: minutes ago. Older: the "
        "account cannot be read, see its alert; nobody is called silent because of that.",
        Place(0, 0, 5, 4),
        Query(f"1000 * max(yardlight_poll_last_success_timestamp_seconds{{{ACCOUNT}}})"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Last reading",
        "Whether the last collection was complete. failed: the one before is shown, with its time at the left.",
        Place(5, 0, 4, 4),
        Query(f"min({of('poll_success', 'poll')})"),
        mapped=answers(State("complete", GREEN), State("failed", ORANGE)),
    )
    yield single(
        "Silent",
        "Tablets that have not spoken for longer than their group may on duty, without those of trucks that telematics "
        "sees standing. A few are normal; the limit is a share of each group, see below. Not known where of no tablet "
        "it can be told when it spoke.",
        Place(9, 0, 3, 4),
        Query(f"({_count(_SILENT)} - (count({_STANDS}) or {_count(_SILENT)} * 0)) and {_count(SPOKE)} > 0"),
        steps=TROUBLE,
    )
    yield single(
        "Gone from the MDM",
        "Tablets of ours that the MDM does not list any more. Normal is 0: nobody manages these, and they look healthy "
        "everywhere else.",
        Place(12, 0, 4, 4),
        Query(_count('state="gone_from_mdm"')),
        steps=((None, GREEN), (1, RED)),
    )
    yield single(
        "Never spoke",
        "Tablets that are enrolled and have never spoken to the MDM. New ones are normal for three days.",
        Place(16, 0, 4, 4),
        Query(_count('state="never"')),
        steps=TROUBLE,
    )
    yield single(
        "Wipes that wait",
        "Tablets that somebody ordered to be wiped and that are not known to be. Normal is none. Take each for "
        "readable and open the runbook WipeUnconfirmed.",
        Place(20, 0, 4, 4),
        Query(f"count({of('device_action_pending_timestamp_seconds', 'device', _WIPE)})"),
        known=of("devices", "group, state"),
        steps=((None, GREEN), (1, RED)),
    )


def _groups() -> Iterator[Panel]:
    every = f"sum by (group) ({of('devices', 'group, state', _SILENT)})"
    silent = f"({every} - (count by (group) ({_STANDS}) or {every} * 0))"
    spoke = f"(sum by (group) ({of('devices', 'group, state', SPOKE)}) > 0)"
    ratio = f"{silent} / {spoke}"
    over = f"{ratio} >= on (group) {of('devices_silent_share_limit', 'group')}"
    yield share(
        "Silent share by group",
        "The share of each group that is silent on duty, of those who ever spoke. Under the group's limit (its "
        "silent_share, at the right) is normal; from it on the bar is orange, and there is one ticket.",
        Place(0, 4, 6, 8),
        Query(f"{ratio} unless on (group) ({over})", "{{group}}"),
        PLAIN,
        over=Query(over, "{{group}}"),
        empty=NOT_MEASURED,
    )
    yield listing(
        "Groups by state",
        "How many tablets of each group are in each state. Fresh and off duty (or parked, or in repair) are normal; "
        "stale and dark are silent on duty; gone from the MDM is the worst. Limit is the share that may be silent.",
        Place(6, 4, 18, 8),
        [
            *(Query(of("devices", "group", _state(state))) for state in STATES),
            Query(f"{of('devices_silent_share_limit', 'group')} and on (group) {of('devices', 'group')}"),
        ],
        {
            "group": "Group",
            **dict(zip((f"Value #{ref}" for ref in "ABCDEFG"), STATES.values(), strict=True)),
            "Value #H": "Limit",
        },
        overrides={
            "Group": {"custom.minWidth": 70},
            **{name: {**counted(_COLORS[state]), **NARROW} for state, name in STATES.items()},
            "Limit": {"unit": "percentunit", "custom.minWidth": 70},
        },
        empty=NOT_MEASURED,
    )


def _state(name: str) -> str:
    return f'state="{name}"'


def _one_by_one() -> Iterator[Panel]:
    yield listing(
        "Wipes and other orders that wait",
        "What somebody ordered in the MDM and is not carried out yet, and since when. Empty is normal. A wipe that "
        "waits while the tablet has spoken since did not get there.",
        Place(0, 12, 10, 8),
        [
            Query(f"1000 * {of('device_action_pending_timestamp_seconds', 'device, action')}"),
            Query(of("device_action_failed", "device, action")),
        ],
        {"device": "Tablet", "action": "Order", "Value #A": "Since", "Value #B": "Failed"},
        overrides={
            "Since": AGO,
            "Failed": {"mappings": [_YES_NO]},
        },
        empty=NONE_KNOWN,
    )
    oldest = f"bottomk(20, {of('device_last_checkin_timestamp_seconds', 'device')})"
    yield listing(
        "Oldest words",
        "The twenty tablets whose last word is oldest, with their state where they are or were in trouble. At the "
        "bottom of a healthy group: less than a day, or parked.",
        Place(10, 12, 14, 8),
        [
            Query(f"1000 * {oldest}"),
            Query(
                f"(max by (device, group, state) (yardlight_device_state{{{ACCOUNT}}} == 1) or on (device) "
                f"{of('device_info', 'device, group')}) and on (device) {oldest}"
            ),
        ],
        {"device": "Tablet", "group": "Group", "state": "State", "Value #A": "Last word"},
        overrides={"Last word": AGO, **_STATE},
        empty=NONE_KNOWN,
    )
    yield listing(
        "Gone, never spoke or dark",
        "Each tablet that vanished from the MDM, never spoke to it or has been silent for long. Empty is normal. "
        "Strike from the roster what is not yours any more.",
        Place(0, 20, 10, 8),
        [
            Query(
                "max by (device, group, state) "
                f'(yardlight_device_state{{{ACCOUNT},state=~"gone_from_mdm|never|dark"}} == 1)'
            )
        ],
        {"device": "Tablet", "group": "Group", "state": "State"},
        overrides=_STATE,
        empty=NONE_KNOWN,
    )


def _standards() -> Iterator[Panel]:
    yield listing(
        "Below standard",
        "Tablets that fall short of what the inventory asks of their group: os (too old a system), app (one is missing "
        "or too old), policy (none assigned), unapproved (an app nobody approved). 0 is normal.",
        Place(10, 20, 6, 8),
        [Query(f"{of('devices_below_standard', 'group, standard')} > 0")],
        {"group": "Group", "standard": "Lacks", "Value": "Tablets"},
        overrides={"Tablets": {"unit": "none"}},
        empty=NONE_KNOWN,
    )
    yield single(
        "Only in the MDM",
        "Tablets that the MDM has and the roster does not. Normal is 0; each is judged as belonging to no truck.",
        Place(16, 20, 4, 4),
        Query(of("roster_mismatches", "account", 'kind="mdm_only"')),
        steps=TROUBLE,
        empty="not known, or no roster",
    )
    yield single(
        "Not in this MDM",
        "Tablets that the roster gives to working trucks, and that this MDM never had. Normal is 0, or as many as are "
        "in your other MDMs.",
        Place(20, 20, 4, 4),
        Query(of("roster_mismatches", "account", 'kind="roster_only"')),
        empty="not known, or no roster",
    )
    yield single(
        "Credential ends",
        "When the first of this account's credentials ends, where the platform tells. A ticket comes two weeks before.",
        Place(16, 24, 4, 4),
        Query(f"1000 * min({of('credentials_end_timestamp_seconds', 'credential')})"),
        unit="dateTimeFromNow",
        empty="not told",
    )
    yield single(
        "Counted only",
        "Tablets in no trouble that have no series of their own, because of series_limit. 0 up to the limit is normal.",
        Place(20, 24, 4, 4),
        Query(of("devices_not_shown", "account")),
    )


def _over_time() -> Iterator[Panel]:
    yield shares(
        "Tablets by state",
        "How many tablets of the account were in each state. Steps of stale at one moment are an outage or a change in "
        "the MDM; a step from dark to gone is a clean-up rule.",
        Place(0, 28, 12, 8),
        [Query(_count(_state(state)), name) for state, name in STATES.items()],
        # Gone beside dark, and never beside stale: on top of each other they need colors of their own.
        tuple(map(State, STATES.values(), (GREEN, GRAY, ORANGE, RED, "yellow", BLUE, PURPLE))),
    )
    yield lines(
        "Last words",
        "How many tablets last spoke at least so long ago, on duty or not. It rises each night and weekend and falls "
        "again; what stays up is silent.",
        Place(12, 28, 12, 8),
        [
            Query(f"sum({of('devices_older_than', 'group', _older(seconds))})", f"{name} ago or more")
            for name, seconds in (("4 hours", 14400), ("a day", 86400), ("3 days", 259200), ("2 weeks", 1209600))
        ],
        unit="none",
    )


def _older(seconds: int) -> str:
    return f'age_seconds="{seconds}"'
