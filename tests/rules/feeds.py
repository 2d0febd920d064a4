"""Scenarios of feeds for promtool: what the centre exports of an account at a vendor of telematics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from tests.rules.scenarios import Expected, Scenario, yard
from tests.rules.tablets import always, then
from tests.rules.yard import ALWAYS, Centre, Labels, Read, Series, Spans, Value, _made, centre_labels, inside

Sample = tuple[str, Labels, Read]
# When the trouble of a scenario begins and ends, and how long it is watched.
BEGIN, OVER, END = 900.0, 3600.0, 4500.0
INTERVAL, DEADLINE = 60.0, 45.0
GPS, LOADS = {"feed": "gps"}, {"feed": "loads"}
KINDS = ("empty", "cursor_stuck", "backwards", "future", "vanished", "volume", "repeated")
REASONS = ("server_error", "incomplete", "foreign_link", "too_large", "api_error", "auth")


def fresh(at: float) -> float:
    """The newest record of a feed that works: as of the last collection."""
    return max(0.0, at // INTERVAL * INTERVAL - 20)


def stands(since: float, until: float = OVER) -> Read:
    """The newest record of a feed that brings nothing new from one instant to another."""
    return lambda at: fresh(since if since <= at < until else at)


@dataclass(frozen=True)
class Feeds:
    """The account `samsara` with its feeds gps (expected while trucks move) and loads (at all hours).

    `newest` is that of gps; trucks move in `moving`, as loads tells. `more` is what else is on the page while the last
    complete collection is `kept`. `answers` is when collections succeed, `listed` when the inventory has the account;
    `fleets` all have the same.
    """

    newest: Read = fresh
    moving: Spans = ALWAYS
    more: tuple[Sample, ...] = ()
    answers: Spans = ALWAYS
    kept: Spans = ALWAYS
    listed: Spans = ALWAYS
    # When a process that has just started has not ended a collection yet.
    unasked: Spans = ()
    reason: str = "server_error"
    fleets: tuple[str, ...] = ("inland-haul",)
    # When another host takes over; the old one's series end.
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        for instance in centre.instances:
            hosts = [(instance, (0.0, 1e12))]
            if self.moved is not None:
                hosts = [(instance, (0.0, self.moved)), (f"moved-{instance}", (self.moved, 1e12))]
            for fleet in self.fleets:
                for host, span in hosts:
                    for name, labels, read in self._all():
                        there = partial(self._there, centre, fleet, span, read)
                        where = {**centre_labels(host), "fleet": fleet, "account": "samsara"}
                        yield from _made(name, {**where, **labels}, there, end)

    def _there(self, centre: Centre, fleet: str, span: tuple[float, float], read: Read, at: float) -> Value:
        listed = inside(self.listed, at) is not None and centre.lists(fleet, at)
        return read(at) if span[0] <= at < span[1] and listed else None

    def _all(self) -> Iterator[Sample]:
        yield "account_info", {"platform": "samsara"}, always(1)
        for feed, expected, shows, advice in (
            ("gps", "when_moving", "GPS positions", "Do not quote ETAs."),
            ("loads", "always", "Loads", "Do not rely on them."),
        ):
            about = {"platform": "samsara", "expected": expected, "shows": shows, "while_old": advice}
            yield "feed_info", {"feed": feed, **about}, always(1)
            yield "feed_max_age_seconds", {"feed": feed}, always(300)
            yield "feed_frozen_after_seconds", {"feed": feed}, always(1800)
            yield "feed_moving_within_seconds", {"feed": feed}, always(900)
            yield from self._polled({"poll": f"feeds/{feed}"})
        yield "feed_expected_since_timestamp_seconds", LOADS, always(0)
        replaced = {(name, *labels.values()) for name, labels, _ in self.more}
        for name, labels, read in (*self._usual(), *self.more):
            if (name, *labels.values()) in replaced and (name, labels, read) not in self.more:
                continue
            yield name, labels, partial(self._while_kept, read)

    def _usual(self) -> Iterator[Sample]:
        yield "feed_newest_record_timestamp_seconds", GPS, self.newest
        yield "feed_newest_record_timestamp_seconds", LOADS, fresh
        yield (
            "feed_movement_timestamp_seconds",
            LOADS,
            lambda at: None if inside(self.moving, at) is None else fresh(at),
        )
        yield "feed_movement_since_timestamp_seconds", LOADS, lambda at: inside(self.moving, at)
        for kind in KINDS:
            yield "feed_anomaly", {**GPS, "kind": kind}, always(0)

    def _while_kept(self, read: Read, at: float) -> Value:
        return read(at) if inside(self.kept, at) is not None else None

    def _polled(self, poll: Labels) -> Iterator[Sample]:
        success = partial(self._once_asked, lambda at: float(self._last(at) == at // INTERVAL * INTERVAL))
        yield "poll_success", poll, success
        yield "poll_last_success_timestamp_seconds", poll, self._last
        yield "poll_due_timestamp_seconds", poll, lambda at: self._last(at) + 2 * INTERVAL + DEADLINE
        for reason in REASONS:
            failed = partial(self._once_asked, partial(self._fails, reason))
            yield "poll_failed", {**poll, "reason": reason}, failed

    def _once_asked(self, read: Read, at: float) -> Value:
        return read(at) if inside(self.unasked, at) is None else None

    def _fails(self, reason: str, at: float) -> float:
        return float(reason == self.reason and self._last(at) < at // INTERVAL * INTERVAL)

    def _last(self, at: float) -> float:
        """When the last collection before `at` was complete, of one each interval."""
        moments = (index * INTERVAL for index in range(int(at // INTERVAL) + 1))
        return max(moment for moment in moments if inside(self.answers, moment) is not None)


def odd(kind: str) -> tuple[Sample, ...]:
    return (("feed_anomaly", {**GPS, "kind": kind}, then(1.0, 0.0, BEGIN, OVER)),)


def violation(kind: str, field: str, count: float = 40.0) -> tuple[Sample, ...]:
    return (("feed_contract_violations", {**GPS, "kind": kind, "field": field}, then(count, None, BEGIN, OVER)),)


def status(state: str) -> Iterator[Sample]:
    """A status page that is read in the same account, and what it says of one component while there is trouble."""
    page = {"feed": "loads", "platform": "samsara", "component": "API"}
    for each in ("operational", "major_outage", "unknown"):
        during = float(each == state)
        yield "platform_status", {**page, "state": each}, then(during, float(each == "operational"), BEGIN - 60, OVER)


def status_page(*states: tuple[float, str], until: float = 1e9) -> tuple[Sample, ...]:
    """A feed of its own that reads the status page until the inventory has it no more, and its API from when on."""
    page, component = {"feed": "status"}, {"feed": "status", "platform": "samsara"}
    about = {**page, "platform": "statuspage", "expected": "on_change", "shows": "status", "while_old": ""}
    samples: list[Sample] = [("feed_info", about, always(1)), ("poll_success", {"poll": "feeds/status"}, always(1))]
    for each in ("operational", "major_outage", "unknown"):
        web = {**component, "component": "Web", "state": each}
        samples.append(("platform_status", web, always(float(each == "operational"))))
        api = {**component, "component": "API", "state": each}
        samples.append(("platform_status", api, lambda at, each=each: float(each == _last(states, at))))  # type: ignore[misc]
    return tuple((name, labels, partial(_until, until, read)) for name, labels, read in samples)


def beside(feed: str, expected: str, answers: float = 1.0) -> tuple[Sample, ...]:
    """Another feed of the account, and whether its last collection was complete."""
    about = {"platform": "samsara", "expected": expected, "shows": feed.title(), "while_old": ""}
    return (
        ("feed_info", {"feed": feed, **about}, always(1)),
        ("poll_success", {"poll": f"feeds/{feed}"}, always(answers)),
    )


def _last(states: tuple[tuple[float, str], ...], at: float) -> str:
    return next((state for start, state in reversed(states) if start <= at), "operational")


def _until(end: float, read: Read, at: float) -> Value:
    return read(at) if at < end else None


def generic(account: str) -> Iterator[Sample]:
    """Another account of the fleet, whose server the inventory itself describes and that does not answer."""
    poll = {"account": account, "poll": f"feeds/{account}"}
    yield "account_info", {"account": account, "platform": "generic"}, always(1)
    yield (
        "poll_due_timestamp_seconds",
        poll,
        lambda at: (BEGIN if BEGIN <= at < OVER else at) + 2 * INTERVAL + DEADLINE,
    )
    yield "poll_failed", {**poll, "reason": "unreachable"}, then(1.0, 0.0, BEGIN, OVER)


def told(*firing: str, after: float = 60.0, begin: float = BEGIN) -> Expected:
    """Quiet, then these alerts, then quiet again."""
    return ((0, begin - 30, ()), (begin + after, OVER - 60, firing), (OVER + 90, END, ()))


def case(name: str, title: str, platform: Feeds, expect: Expected, **more: object) -> Scenario:
    given = {"yards": (yard(),), "end": END, "moved": None, "every": 30.0, **more}
    return Scenario(name, title, platform=platform, expect=expect, **given)  # type: ignore[arg-type]


STALE, EMPTY = "ticket FeedStale samsara gps", "ticket FeedEmpty samsara gps"
FROZEN, BROKEN = "ticket FeedFrozen samsara gps", "ticket FeedContractBroken samsara gps"
FAILING = "ticket AccountFailing inland-haul/ samsara"
INCOMPLETE = "ticket CollectionIncomplete inland-haul/ samsara"
DECLARED, AWAY = "ticket PlatformOutageDeclared samsara", "page CentreNotReporting"
OUTAGE, EXPIRING = "ticket PlatformOutage samsara", "ticket CredentialExpiring samsara"
ENDS = "ticket CertificateEnding samsara"
FAILING_TOO = "ticket AccountFailing valley-freight/ samsara"
ENDING: tuple[Sample, ...] = (
    ("account_credential_warning_seconds", {}, always(14 * 86400.0)),
    ("credentials_end_timestamp_seconds", {"credential": "inventory"}, then(5 * 86400.0, None, BEGIN, OVER)),
)
OUT = ((BEGIN - 60, "major_outage"), (OVER, "operational"))
OUT_SOON = (BEGIN + 30, "major_outage")
AWAY_FOR_A_WHILE = Centre(runs=((0.0, 1800.0), (2400.0, 1e9)))
STARTS_ANEW = Centre(runs=((0.0, 1770.0), (1800.0, 1e9)))
DOWN: Spans = ((0.0, BEGIN), (OVER, 1e9))
MOVED = 2400.0

FEEDS = (
    case(
        "F01", "positions stop being new while trucks move: dispatch is told once, and once more when they are",
        Feeds(stands(BEGIN)), told(STALE, after=390), moved=MOVED,
    ),
    case(
        "F01-yesterday", "yesterday's positions come back at once: told within two collections",
        Feeds(lambda at: 60.0 if BEGIN <= at < OVER else fresh(at)), told(STALE), end=END,
    ),
    case(
        "F01-parks", "the trucks park while the positions are old: nothing was mended, and nobody is told that it was",
        Feeds(stands(BEGIN), moving=((0.0, 2400.0), (4000.0, 1e9))), told(STALE, after=390),
    ),
    case(
        "F01-beside", "beside it a status page, logs that tell of changes only, and messages that cannot be read now",
        Feeds(stands(BEGIN), more=(*status_page(), *beside("logs", "on_change"), *beside("messages", "always", 0.0))),
        told(STALE, after=390),
    ),
    case(
        "F02", "the same at night with every truck parked", Feeds(stands(BEGIN), moving=()), ((0, END, ()),),
    ),
    case(
        "F03", "trucks move again after a quiet weekend: silence counts from then on only",
        Feeds(stands(60.0, BEGIN + 240), moving=((BEGIN, 1e9),)), ((0, END, ()),),
    ),
    case(
        "F04", "a required field is renamed: dispatch is told, and the field is named",
        Feeds(stands(BEGIN), more=violation("missing", "location.time")), told(BROKEN, after=120), moved=MOVED,
    ),
    case(
        "F04-once", "one reply is another one, and the next is good again",
        Feeds(more=(("feed_contract_violations", {**GPS, "kind": "missing", "field": "data"},
                     then(1.0, None, BEGIN, BEGIN + 60)),)), ((0, END, ()),),
    ),
    case(
        "F05", "an optional field is added: for information, until it is accepted",
        Feeds(more=violation("new_field", "location.heading")), told("info FeedContractDrifted samsara gps"),
        moved=MOVED,
    ),
    case(
        "F06", "the odometer switches to kilometers, and F07, milliseconds to seconds: one ticket names both",
        Feeds(more=(*violation("unit", "odometer"), *violation("time_unit", "time"))), told(BROKEN, after=120),
    ),
    case(
        "F08", "the cursor is always the same: frozen, and not also old",
        Feeds(stands(BEGIN), more=odd("cursor_stuck")), told(FROZEN), moved=MOVED,
    ),
    case(
        "F09", "the same content under a moving clock while trucks move: frozen after half an hour",
        Feeds(more=(("feed_unchanged_since_timestamp_seconds", GPS, then(BEGIN, None, BEGIN, OVER)),)),
        ((0, BEGIN + 1770, ()), (BEGIN + 1920, OVER - 60, (FROZEN,)), (OVER + 90, END, ())),
    ),
    case(
        "F09-parked", "the same content under a moving clock while all trucks stand",
        Feeds(moving=(), more=(("feed_unchanged_since_timestamp_seconds", GPS, then(BEGIN, None, BEGIN, OVER)),)),
        ((0, END, ()),),
    ),
    case(
        "F10", "no record at all in a busy hour: empty, and not also old",
        Feeds(stands(BEGIN), more=odd("empty")), told(EMPTY, after=120), moved=MOVED,
    ),
    case(
        "F10-never", "a feed of which there never was a record",
        Feeds(then(None, None)), ((0, 270, ()), (420, END, (EMPTY,))),
    ),
    case(
        "F13", "a page that repeats for ever: told as incomplete, and F25, an answer without an end",
        Feeds(answers=DOWN, reason="too_large"),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, (INCOMPLETE,)), (OVER + 90, END, ())),
    ),
    case(
        "F14", "an error inside a good answer: the account fails, its feeds do not",
        Feeds(answers=DOWN, reason="api_error"),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, (FAILING,)), (OVER + 90, END, ())),
    ),
    case(
        "F15", "the vendor's status page says major outage and positions are old: one notice for all of it",
        Feeds(stands(BEGIN), more=tuple(status("major_outage"))),
        told("ticket PlatformOutageDeclared samsara", after=390), moved=MOVED,
    ),
    case(
        "F15-removed", "the status page is taken out of the inventory in an outage: nobody declares it any more",
        Feeds(stands(BEGIN), more=status_page(*OUT, until=2400.0)),
        ((0, BEGIN, ()), (BEGIN + 390, 2340, (DECLARED,)), (2460, OVER - 60, (STALE,)), (OVER + 90, END, ())),
    ),
    case(
        "F15-unknown", "the status page says unknown of what was out: that takes nothing back, whatever else works",
        Feeds(stands(BEGIN), more=status_page(OUT[0], (2400.0, "unknown"), OUT[1])), told(DECLARED, after=390),
    ),
    case(
        "F15-centre-away", "the center is away for ten minutes in a declared outage: it stays the only word",
        Feeds(stands(BEGIN), more=status_page(*OUT)),
        ((0, BEGIN, ()), (BEGIN + 390, 1770, (DECLARED,)), (1980, 2340, (DECLARED, AWAY)),
         (2520, OVER - 60, (DECLARED,)), (OVER + 90, END, ())),
        centre=AWAY_FOR_A_WHILE,
    ),
    case(
        "F15-empty-soon", "it declares half a minute after its feed was empty, before that is told: one notice",
        Feeds(stands(BEGIN), more=(*odd("empty"), *status_page(OUT_SOON, OUT[1]))), told(DECLARED, after=90),
        moved=MOVED,
    ),
    case(
        "F15-broken-soon", "the same of a feed that is old and came with another field",
        Feeds(stands(BEGIN - 300), more=(*violation("missing", "location.time"), *status_page(OUT_SOON, OUT[1]))),
        told(DECLARED, after=90), moved=MOVED,
    ),
    case(
        "F16", "the status page says unknown: that is no outage, and old positions are told as what they are",
        Feeds(stands(BEGIN), more=tuple(status("unknown"))), told(STALE, after=390),
    ),
    case(
        "F17", "the key is revoked, which all feeds of the account feel: one ticket",
        Feeds(answers=DOWN, kept=((0.0, BEGIN + 600), (OVER, 1e9)), reason="auth"),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, (FAILING,)), (OVER + 90, END, ())),
    ),
    case(
        "F17-old", "an account whose positions are old already cannot be read any more: what was told stays told",
        Feeds(stands(BEGIN), answers=((0.0, 1800.0), (OVER, 1e9)), kept=((0.0, 2400.0), (OVER, 1e9)), reason="auth"),
        ((0, BEGIN, ()), (BEGIN + 390, 1860, (STALE,)), (2040, OVER - 60, (STALE, FAILING)), (OVER + 90, END, ())),
    ),
    case(
        "F27", "the platform is down for all fleets of an MSP: one ticket that lists them",
        Feeds(answers=DOWN, fleets=("inland-haul", "valley-freight", "mesa-lines")),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, ("ticket PlatformOutage samsara",)), (OVER + 90, END, ())),
        yards=(yard(), yard(fleet="valley-freight"), yard(fleet="mesa-lines")), moved=MOVED,
    ),
    case(
        "F27-centre-away", "the same with the center away for ten minutes: still one ticket",
        Feeds(answers=DOWN, fleets=("inland-haul", "valley-freight")),
        ((0, BEGIN + 60, ()), (BEGIN + 240, 1770, (OUTAGE,)), (1980, 2340, (OUTAGE, AWAY)),
         (2520, OVER - 60, (OUTAGE,)), (OVER + 90, END, ())),
        yards=(yard(), yard(fleet="valley-freight")), centre=AWAY_FOR_A_WHILE,
    ),
    case(
        "F27-restart", "the same, and the center starts anew: still one ticket before its first collections have ended",
        Feeds(answers=DOWN, fleets=("inland-haul", "valley-freight"), unasked=((1800.0, 1890.0),)),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, (OUTAGE,)), (OVER + 90, END, ())),
        yards=(yard(), yard(fleet="valley-freight")), centre=STARTS_ANEW,
    ),
    case(
        "F27-prometheus-away", "the same, and Prometheus comes back meanwhile: it knows of each fleet before of all",
        Feeds(answers=((0.0, 1.0), (OVER, 1e9)), fleets=("inland-haul", "valley-freight")),
        ((660, OVER - 60, (OUTAGE,)), (OVER + 90, END, ())),
        yards=(yard(), yard(fleet="valley-freight")), centre=Centre(runs=((600.0, 1e9),)), first="yardlight-centre",
    ),
    case(
        "incomplete-restart", "answers without an end, and the center starts anew: told as what they are",
        Feeds(answers=DOWN, reason="incomplete", unasked=((1800.0, 1890.0),)),
        ((0, BEGIN + 60, ()), (BEGIN + 240, OVER - 60, (INCOMPLETE,)), (OVER + 90, END, ())),
        centre=STARTS_ANEW,
    ),
    case(
        "incomplete-then-down", "answers without an end, then a restart and none at all; one poll sleeps for hours yet",
        Feeds(answers=DOWN, unasked=((1800.0, 1890.0),), more=(
            ("poll_due_timestamp_seconds", {"poll": "feeds/pages"}, always(1e9)),
            ("poll_failed", {"poll": "feeds/pages", "reason": "incomplete"},
             lambda at: None if 1800 <= at < 1890 else float(BEGIN <= at < 1800)),
            ("poll_due_timestamp_seconds", {"poll": "feeds/daily"}, always(1e9)),
            ("poll_failed", {"poll": "feeds/daily", "reason": "server_error"}, lambda at: 0.0 if at < 1800 else None),
        )),
        ((0, BEGIN + 60, ()), (BEGIN + 240, 1760, (INCOMPLETE,)), (1950, OVER - 60, (FAILING,)), (OVER + 90, END, ())),
        centre=STARTS_ANEW,
    ),
    case(
        "one-server-two-accounts", "both accounts of one dead server fail beside a platform that is well: it is theirs",
        Feeds(more=(*generic("tms"), *generic("shop"))),
        told("ticket AccountFailing inland-haul/ tms", "ticket AccountFailing inland-haul/ shop", after=240),
    ),
    case(
        "fleet-removed", "a fleet is removed while its account fails: its ticket ends within an hour",
        Feeds(answers=((0.0, BEGIN),), fleets=("inland-haul", "valley-freight"), reason="auth"),
        ((0, BEGIN + 60, ()), (BEGIN + 240, 2370, (FAILING, FAILING_TOO)),
         (2580, 5940, (FAILING, FAILING_TOO, "ticket FleetNotListed valley-freight/")), (6120, 6600, (FAILING,))),
        yards=(yard(), yard(fleet="valley-freight")), centre=Centre(without={"valley-freight": ((2400.0, 1e9),)}),
        end=6600.0,
    ),
    case(
        "credential-kept", "a key of the inventory ends soon, until its last day is taken out: its ticket ends",
        Feeds(more=ENDING), told(EXPIRING), moved=MOVED,
    ),
    case(
        "credential-centre-away", "the center is away for ten minutes while a key ends soon: the ticket stays",
        Feeds(more=ENDING),
        ((0, BEGIN - 30, ()), (BEGIN + 60, 1770, (EXPIRING,)), (1980, 2340, (EXPIRING, AWAY)),
         (2520, OVER - 60, (EXPIRING,)), (OVER + 90, END, ())),
        centre=AWAY_FOR_A_WHILE,
    ),
    case(
        "feed-ahead", "all its times lie in the future: nobody can tell how old it is",
        Feeds(stands(BEGIN), more=odd("future")), told("ticket ClockSkewed samsara gps", after=360), moved=MOVED,
    ),
    case(
        "feed-api-ending", "answers say that the API will soon be gone: a ticket until another one answers",
        Feeds(more=(
            ("feed_api_sunset_timestamp_seconds", GPS, then(BEGIN + 86400.0, None, BEGIN, OVER)),
            ("feed_api_ending_warning_seconds", GPS, always(90 * 86400.0)),
        )),
        told("ticket FeedApiEnding samsara gps"), moved=MOVED,
    ),
    case(
        "feed-api-ends-later", "answers say that the API will be gone in a year",
        Feeds(more=(
            ("feed_api_sunset_timestamp_seconds", GPS, always(365 * 86400.0)),
            ("feed_api_ending_warning_seconds", GPS, always(90 * 86400.0)),
        )),
        ((0, END, ()),),
    ),
    case(
        "certificate-ending", "the certificate of a vendor's server ends tomorrow, until it is renewed",
        Feeds(more=(
            ("feed_tls_end_timestamp_seconds", GPS, then(BEGIN + 86400.0, 90 * 86400.0, BEGIN, OVER)),
            ("feed_tls_end_timestamp_seconds", LOADS, always(90 * 86400.0)),
            ("feed_tls_warning_seconds", GPS, always(7 * 86400.0)),
        )),
        told("ticket CertificateEnding samsara"), moved=MOVED,
    ),
    case(
        "certificate-unread", "the server with it cannot be read any more: the ticket stays, and another one says so",
        Feeds(
            more=(
                ("feed_tls_end_timestamp_seconds", GPS, always(5 * 86400.0)),
                ("feed_tls_warning_seconds", GPS, always(7 * 86400.0)),
            ),
            answers=DOWN, kept=((0.0, BEGIN + 600), (OVER, 1e9)), reason="auth",
        ),
        ((120, BEGIN + 60, (ENDS,)), (BEGIN + 240, OVER - 60, (ENDS, FAILING)), (OVER + 90, END, (ENDS,))),
    ),
    case(
        "rate-limit-near", "5 of 100 requests are left after each answer for an hour: told after half of it",
        Feeds(more=(
            ("feed_rate_limit_requests", GPS, always(100)),
            ("feed_rate_limit_remaining_requests", GPS, then(5.0, 60.0, BEGIN, OVER)),
            ("feed_rate_limit_least_ratio", GPS, always(0.1)),
        )),
        told("ticket RateLimitNear samsara", after=1890), moved=2850.0,
    ),
    case(
        "rate-limit-for-a-while", "5 of 100 requests are left for a quarter of an hour, and where no limit is told",
        Feeds(more=(
            ("feed_rate_limit_requests", GPS, always(100)),
            ("feed_rate_limit_remaining_requests", GPS, then(5.0, 60.0, BEGIN, BEGIN + 900)),
            ("feed_rate_limit_remaining_requests", LOADS, always(1)),
            ("feed_rate_limit_least_ratio", GPS, always(0.1)),
        )),
        ((0, END, ()),),
    ),
    case(
        "feed-odd", "a tenth of the trucks is missing in it at once: for information",
        Feeds(more=odd("vanished")), told("info FeedOdd samsara gps", after=660), moved=MOVED,
    ),
    case(
        "feed-removed", "the account is taken out of the inventory while its positions are old: its ticket ends",
        Feeds(stands(BEGIN), listed=((0.0, 3000.0),)),
        ((0, BEGIN, ()), (BEGIN + 390, 2940, (STALE,)), (3060, END, ())),
    ),
    case(
        "feed-centre-away", "the center is away for ten minutes while positions are old: the ticket stays",
        Feeds(stands(BEGIN)),
        ((0, BEGIN, ()), (BEGIN + 390, 1770, (STALE,)), (1980, 2340, (STALE, AWAY)),
         (2520, OVER - 60, (STALE,)), (OVER + 90, END, ())),
        centre=AWAY_FOR_A_WHILE,
    ),
)  # fmt: skip
