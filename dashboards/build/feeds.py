"""The Feeds board: how old what each feed brings is, whether trucks move, what is odd, what is not as it was."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.build.house import (
    ACCOUNT,
    AGO,
    GREEN,
    NONE_KNOWN,
    NOT_CONFIGURED,
    ORANGE,
    SPACED,
    Panel,
    Place,
    Query,
    State,
    account_page,
    address,
    answers,
    counted,
    folded,
    lines,
    listing,
    of,
    renamed,
    single,
)
from grafana_foundation_sdk.builders import dashboard

# A flow goes from one account to another one.
FLEET = 'fleet="$fleet"'
TROUBLE = ((None, GREEN), (1, ORANGE))
_POLLED = 'poll=~"feeds/.+"'
# A column of instants of only those rows in which they are too long ago.
TOO_OLD: dict[str, object] = {
    **AGO,
    "color": {"mode": "fixed", "fixedColor": ORANGE},
    "custom.cellOptions": {"type": "color-text"},
}
# States of records and what they are called.
RECORDS = {"new": "New", "known": "Known before", "future": "In the future", "undated": "Without a time"}


def board() -> dashboard.Dashboard:
    """All panels, top to bottom: now, feeds, what is wrong, over time."""
    built = (
        account_page(
            "yardlight-feeds",
            "Yardlight: Feeds",
            "One account at a vendor: how new what it answers is, whether it is what it was, and what is odd about it. "
            "All as of the last complete collection of each feed.",
            ["feeds"],
            metric="feed_info",
        )
        .time("now-24h", "now")
        .refresh("1m")
    )
    for panel in (*_now(), *_feeds(), *_wrong(), *_over_time(), *_promises()):
        built = built.with_panel(panel)
    built = built.with_row(folded("Webhooks", 52, _webhooks()))
    return built.with_row(folded("Hours of service of the fleet", 61, (*_hours(), *_elds())))


def _now() -> Iterator[Panel]:
    yield single(
        "Oldest reading",
        "When the feed was last read completely that was read longest ago. Normal: one or two intervals. Older: the "
        "account cannot be read, see its alert; nothing is called old because of that.",
        Place(0, 0, 5, 4),
        Query(f"1000 * min({of('poll_last_success_timestamp_seconds', 'poll', _POLLED)})"),
        unit="dateTimeFromNow",
    )
    yield single(
        "Last readings",
        "Whether the last collection of every feed was complete. failed: for one at least, what was read before is "
        "shown, with its time.",
        Place(5, 0, 5, 4),
        Query(f"min({of('poll_success', 'poll', _POLLED)})"),
        mapped=answers(State("complete", GREEN), State("failed", ORANGE)),
    )
    yield single(
        "Fields not as they were",
        "Fields of any feed that are gone, of another type, in another unit or often empty. Normal is none; new fields "
        "do not count.",
        Place(10, 0, 5, 4),
        Query(f"count({of('feed_contract_violations', 'feed, kind, field', _kind_is_not('new_field'))} > 0)"),
        known=of("poll_last_success_timestamp_seconds", "poll", _POLLED),
        steps=TROUBLE,
    )
    yield single(
        "Odd answers",
        "How many things are odd about the last answers, beside those before: see the list below. Normal is none; "
        "repeated alone is what a quiet night looks like.",
        Place(15, 0, 4, 4),
        Query(f"count({of('feed_anomaly', 'feed, kind', _kind_is_not('repeated'))} == 1)"),
        known=of("feed_anomaly", "feed, kind"),
        steps=TROUBLE,
    )
    yield single(
        "Requests today",
        "What the account's feeds have asked for in 24 hours. Far below its budget, where it has one, is normal.",
        Place(19, 0, 5, 4),
        Query(of("api_spent_requests", "account")),
        empty=NOT_CONFIGURED,
    )


def _kind_is_not(kind: str) -> str:
    return f'kind!="{kind}"'


def _feeds() -> Iterator[Panel]:
    yield listing(
        "Feeds",
        "Each feed, when its newest record happened and when the vendor got that, how old it may be while records are "
        "expected, and since when they are by the calendar. Nothing under too old is normal.",
        Place(0, 4, 24, 6),
        [
            Query(f"max by (feed, shows, expected) (yardlight_feed_info{{{ACCOUNT}}})"),
            Query(f"1000 * {of('feed_newest_record_timestamp_seconds', 'feed')}"),
            Query(f"1000 * {of('feed_newest_received_timestamp_seconds', 'feed')}"),
            Query(of("feed_max_age_seconds", "feed")),
            Query(f"1000 * ({of('feed_expected_since_timestamp_seconds', 'feed')} > 0)"),
            Query(f"1000 * {of('feed_movement_timestamp_seconds', 'feed')}"),
            Query(f"1000 * max by (feed) (yardlight:feed_old_since_timestamp_seconds{{{ACCOUNT}}})"),
        ],
        {
            "feed": "Feed",
            "shows": "Shows",
            "expected": "Expected",
            "Value #B": "Newest record",
            "Value #C": "Got by the vendor",
            "Value #D": "Allowed",
            "Value #G": "Too old",
            "Value #E": "Open since",
            "Value #F": "Trucks moved",
        },
        overrides={
            "Expected": {"mappings": [SPACED]},
            "Newest record": AGO,
            "Got by the vendor": AGO,
            "Allowed": {"unit": "s"},
            "Too old": TOO_OLD,
            "Open since": AGO,
            "Trucks moved": AGO,
        },
    )
    mismatches = f"max by (flow) (yardlight_flow_mismatches{{{FLEET}}})"
    yield listing(
        "Flows",
        "What two feeds of the fleet should agree on: how far the second one is behind and may be, how many were "
        "compared, how many differ, how many are on one side only. None differing and none missing is normal; "
        "which ones is on the flow's page (or `yardlight flows show`).",
        Place(0, 10, 24, 8),
        [
            # Rows come as the first query has them.
            Query(f"sort_desc({mismatches})"),
            Query(f"max by (flow, shows, source, sink, page) (yardlight_flow_info{{{FLEET}}})"),
            Query(f"max by (flow) (yardlight_flow_lag_seconds{{{FLEET}}})"),
            Query(f"max by (flow) (yardlight_flow_max_lag_seconds{{{FLEET}}})"),
            Query(f"max by (flow) (yardlight_flow_compared{{{FLEET}}})"),
            Query(f"sum by (flow) (max by (flow, side) (yardlight_flow_missing_ids{{{FLEET}}}))"),
        ],
        {
            "shows": "Flow",
            "source": "From",
            "sink": "To",
            "Value #C": "Behind",
            "Value #D": "Allowed",
            "Value #E": "Compared",
            "Value #A": "Differ",
            "Value #F": "On one side only",
            "page": "Which ones",
        },
        overrides={
            "Flow": {"custom.width": 210},
            "Behind": {"unit": "s"},
            "Allowed": {"unit": "s"},
            "Compared": {"unit": "none"},
            "Differ": counted(ORANGE),
            "On one side only": counted(ORANGE),
            "Which ones": address("Open the list"),
        },
    )


# What is listed and stands in no number above, since by itself it breaks nothing.
_NOT_COUNTED = renamed({"new_field": "new field (not counted)", "repeated": "repeated (not counted)"})


def _wrong() -> Iterator[Panel]:
    yield listing(
        "Not as it was",
        "Fields that are not as described or as learned, in how many records of the last answer. a new field breaks "
        "nothing. Empty is normal; what is meant to be is accepted.",
        Place(0, 18, 12, 6),
        [Query(f"{of('feed_contract_violations', 'feed, field, kind')} > 0")],
        {"feed": "Feed", "field": "Field", "kind": "How", "Value": "Records"},
        overrides={"How": {"mappings": [_NOT_COUNTED, SPACED]}, "Records": {"unit": "none"}},
        empty=NONE_KNOWN,
    )
    yield listing(
        "Odd beside the answers before",
        "empty: no record where some were; cursor stuck: the same page again and again; backwards: older than before; "
        "future: a clock or zone is wrong; vanished: trucks are missing; volume: few for this hour; repeated: nothing "
        "new, as at night.",
        Place(12, 18, 12, 6),
        [Query(f"{of('feed_anomaly', 'feed, kind')} == 1")],
        {"feed": "Feed", "kind": "What"},
        overrides={"What": {"mappings": [_NOT_COUNTED, SPACED]}},
        empty=NONE_KNOWN,
    )


def _over_time() -> Iterator[Panel]:
    yield lines(
        "Age of the newest record",
        "How old the newest record of each feed was. A saw whose teeth are shorter than the limit is normal; a steady "
        "climb while trucks move is a feed that stopped.",
        Place(0, 24, 12, 8),
        [Query(f"time() - {of('feed_newest_record_timestamp_seconds', 'feed')}", "{{feed}}")],
        unit="s",
    )
    yield lines(
        "Records by answer",
        "Records of the last answer of all feeds. In the future or without a time: clocks in trucks that are wrong; a "
        "few are normal, and they make nothing look new.",
        Place(12, 24, 12, 8),
        [Query(f"sum({of('feed_records', 'feed, state', _state(state))})", name) for state, name in RECORDS.items()],
        unit="none",
    )
    yield lines(
        "Trucks by age",
        "How many trucks were last told of at least so long ago, moving or not. It rises each night and weekend and "
        "falls again; what stays up tells nothing any more.",
        Place(0, 32, 12, 8),
        [
            Query(f"sum({of('feed_trucks_older_than', 'feed, age_seconds', _age(seconds))})", f"{name} ago or more")
            for name, seconds in (("5 minutes", 300), ("an hour", 3600), ("a day", 86400), ("3 days", 259200))
        ],
        unit="none",
    )
    yield lines(
        "Duration of collections",
        "How long the last collection of each feed took. Far below its interval is normal.",
        Place(12, 32, 12, 8),
        [Query(of("poll_duration_seconds", "poll", _POLLED), "{{poll}}")],
        unit="s",
    )
    yield lines(
        "Left of the vendor's limit of requests",
        "What the last answer of each feed left of the requests that the vendor allows, where it says. Near nothing "
        "for half an hour: it will refuse some soon. No line: it does not say.",
        Place(0, 40, 12, 6),
        [
            Query(
                f"{of('feed_rate_limit_remaining_requests', 'feed')} / ({of('feed_rate_limit_requests', 'feed')} > 0)",
                "{{feed}}",
            )
        ],
        unit="percentunit",
        empty="the vendor does not say",
    )
    yield listing(
        "What ends",
        "When the certificate ends that the vendor's server shows, which renews itself as a rule, and from when on the "
        "vendor's answers say that this API is deprecated or gone.",
        Place(12, 40, 12, 6),
        [
            Query(f"1000 * {of('feed_tls_end_timestamp_seconds', 'feed')}"),
            Query(f"1000 * {of('feed_api_deprecated_timestamp_seconds', 'feed')}"),
            Query(f"1000 * {of('feed_api_sunset_timestamp_seconds', 'feed')}"),
        ],
        {"feed": "Feed", "Value #A": "Certificate", "Value #B": "Deprecated", "Value #C": "Gone"},
        overrides={"Certificate": AGO, "Deprecated": AGO, "Gone": AGO},
        empty=NONE_KNOWN,
    )


def _promises() -> Iterator[Panel]:
    yield listing(
        "Availability in 30 days",
        "What the inventory asks of the account, how much of 30 days its platform answered, and what is "
        "left of the time that it may fail. Less than 0 %: overdrawn. Needs 30 days of Prometheus' memory; a fault of "
        "ours, such as a credential, does not count.",
        Place(0, 46, 24, 6),
        [
            Query(of("account_availability_target_ratio", "account")),
            Query(f"max by (account) (yardlight:account_available:avg30d{{{ACCOUNT}}})"),
            Query(f"max by (account) (yardlight:account_error_budget_left:ratio30d{{{ACCOUNT}}})"),
        ],
        {"account": "Account", "Value #A": "Asked for", "Value #B": "Answered", "Value #C": "Budget left"},
        overrides={
            "Asked for": {"unit": "percentunit"},
            "Answered": {"unit": "percentunit"},
            "Budget left": {"unit": "percentunit"},
        },
        empty=NOT_CONFIGURED,
    )


def _webhooks() -> Iterator[Panel]:
    yield listing(
        "Webhooks",
        "What the vendor calls us with: the last call that was signed rightly, how long there may be none, since when "
        "somebody listens, and numbers that were skipped. Nothing under too silent is normal.",
        Place(0, 53, 16, 8),
        [
            Query(f"max by (webhook, shows, expected) (yardlight_webhook_info{{{ACCOUNT}}})"),
            Query(f"1000 * {of('webhook_last_received_timestamp_seconds', 'webhook')}"),
            Query(of("webhook_silent_after_seconds", "webhook")),
            Query(f"1000 * {of('webhook_listening_since_timestamp_seconds', 'webhook')}"),
            Query(of("webhook_missing_calls", "webhook")),
            Query(f"1000 * max by (webhook) (yardlight:webhook_silent_since_timestamp_seconds{{{ACCOUNT}}})"),
        ],
        {
            "shows": "Webhook",
            "expected": "Expected",
            "Value #B": "Last call",
            "Value #C": "May be silent",
            "Value #F": "Too silent",
            "Value #D": "Listens since",
            "Value #E": "Skipped",
        },
        overrides={
            "Webhook": {"custom.width": 150},
            "Last call": AGO,
            "May be silent": {"unit": "s"},
            "Too silent": TOO_OLD,
            "Listens since": AGO,
            "Skipped": {"unit": "none"},
        },
        empty=NOT_CONFIGURED,
    )
    yield lines(
        "Calls",
        "Calls a second: signed rightly, of these repeated, and refused by reason. Refused by signature: the vendor "
        "signs with another secret, or somebody else calls. None refused is normal.",
        Place(16, 53, 8, 8),
        [
            Query(f"sum({_calls('yardlight_webhook_received_total')})", "received"),
            Query(f"sum({_calls('yardlight_webhook_duplicates_total')})", "repeated"),
            Query(f"sum by (reason) ({_calls('yardlight_webhook_refused_total')}) > 0", "refused: {{reason}}"),
        ],
        unit="reqps",
        empty=NOT_CONFIGURED,
    )


def _calls(metric: str) -> str:
    return f"rate({metric}{{{ACCOUNT}}}[$__rate_interval])"


def _state(name: str) -> str:
    return f'state="{name}"'


def _age(seconds: int) -> str:
    return f'age_seconds="{seconds}"'


def _hours() -> Iterator[Panel]:
    yield single(
        "Logs judged until",
        "Movements of trucks that ended until then were held against drivers' logs: two days ago is normal, which is "
        "how long logs take to settle. Of the whole fleet, as all about hours of service here.",
        Place(0, 62, 6, 4),
        Query(f"1000 * {_fleet('hos_judged_timestamp_seconds')}"),
        unit="dateTimeFromNow",
        empty=NOT_CONFIGURED,
    )
    yield single(
        "Moved, and off duty by the log",
        "Driver-days on which a truck moved while the driver's log says off duty or asleep, neither corrected nor "
        "explained. Normal is 0; `yardlight flows cases` lists them.",
        Place(6, 62, 6, 4),
        Query(_fleet("hos_cases", 'kind="mismatch",state="open"')),
        steps=TROUBLE,
        empty=NOT_CONFIGURED,
    )
    yield single(
        "Moved with nobody logged in",
        "For how long all trucks together did, in the last seven days that were judged and without what is explained. "
        "Some minutes are normal where a shop moves trucks.",
        Place(12, 62, 6, 4),
        Query(_fleet("hos_unassigned_seconds", 'of="fleet"')),
        unit="s",
        empty=NOT_CONFIGURED,
    )
    yield single(
        "The truck that did for longest",
        "For how long one truck moved with nobody logged in, in these seven days. Compliance is told above "
        "`unassigned` of `hours_of_service` in the inventory.",
        Place(18, 62, 6, 4),
        Query(_fleet("hos_unassigned_seconds", 'of="truck"')),
        unit="s",
        empty=NOT_CONFIGURED,
    )


def _elds() -> Iterator[Panel]:
    broken = "eld_malfunction_since_timestamp_seconds"
    yield listing(
        "ELDs that do not work",
        "In how many trucks by which feed of the account, since when the first one does not, and by when it must be "
        "repaired or replaced (8 days, 49 CFR 395.34). Normal is 0; empty where no feed of it tells of malfunctions.",
        Place(0, 66, 9, 6),
        [
            Query(of("eld_malfunctions", "feed")),
            Query(f"1000 * {of(broken, 'feed')}"),
            Query(f"1000 * ({of(broken, 'feed')} + {of('eld_repair_within_seconds', 'feed')})"),
        ],
        {"feed": "Feed", "Value #A": "Trucks", "Value #B": "First since", "Value #C": "Repair by"},
        overrides={"Trucks": {"unit": "none"}, "First since": AGO, "Repair by": AGO},
        empty=NOT_CONFIGURED,
    )
    yield listing(
        "Revoked ELDs",
        "Models on the fleet's list of those that FMCSA revoked: how many trucks of the roster have one, and by when "
        "none may any more (60 days). Normal is 0 in each line.",
        Place(9, 66, 7, 6),
        [
            Query(f"sort_desc(max by (model) (yardlight_eld_revoked_trucks{{{FLEET}}}))"),
            Query(f"1000 * max by (model) (yardlight_eld_replace_by_timestamp_seconds{{{FLEET}}})"),
        ],
        {"model": "Model", "Value #A": "Trucks", "Value #B": "Replace by"},
        overrides={"Trucks": {"unit": "none"}, "Replace by": AGO},
        empty=NOT_CONFIGURED,
    )
    yield listing(
        "Positions missing for tax records",
        "In the last day, with the engine on: for longer than 10 minutes (IFTA) and than 15 (IRP). Normal is 0; "
        "empty where no feed of the account tells of engines.",
        Place(16, 66, 8, 6),
        [
            Query(of("feed_tax_record_gaps", "feed", 'rule="ifta"')),
            Query(of("feed_tax_record_gaps", "feed", 'rule="irp"')),
        ],
        {"feed": "Feed", "Value #A": "Over 10 min", "Value #B": "Over 15 min"},
        overrides={"Over 10 min": {"unit": "none"}, "Over 15 min": {"unit": "none"}},
        empty=NOT_CONFIGURED,
    )


def _fleet(metric: str, more: str = "") -> str:
    """A number of the fleet; accounts have no part in it."""
    return f"max by (fleet) (yardlight_{metric}{{{FLEET}{',' if more else ''}{more}}})"
