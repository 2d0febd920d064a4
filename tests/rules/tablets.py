"""Scenarios of tablets for promtool: what the centre exports of an account at an MDM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.rules.scenarios import Expected, Scenario, yard
from tests.rules.yard import ALWAYS, Centre, Labels, Read, Series, Spans, Value, _made, centre_labels, inside

HOUR, DAY = 3600.0, 86400.0
Sample = tuple[str, Labels, Read]
STATES = ("fresh", "stale", "dark", "never", "gone_from_mdm", "expected_silent", "unknown")
# When the trouble of a scenario begins and ends, and how long it is watched.
BEGIN, OVER, END = 900.0, 3600.0, 4500.0
DRIVERS = {"group": "drivers"}
INTERVAL, DEADLINE = 900.0, 600.0


def always(value: float) -> Read:
    return lambda _: value


def then(value: Value, before: Value = None, start: float = BEGIN, end: float = OVER) -> Read:
    """`value` from `start` to `end`, `before` otherwise."""
    return lambda at: value if start <= at < end else before


@dataclass(frozen=True)
class Tablets:
    """The account `graph` and what was read of its tablets.

    `answers` is when its collections succeed, `kept` when the last complete one is on the page, `listed` when the
    inventory has the account, and `roster` when it has each tablet.
    """

    samples: tuple[Sample, ...] = ()
    answers: Spans = ALWAYS
    kept: Spans = ALWAYS
    listed: Spans = ALWAYS
    roster: dict[str, Spans] = field(default_factory=lambda: {"T112": ALWAYS, "T7": ALWAYS})
    reason: str = "server_error"
    account: str = "graph"
    wipe_within: float = DAY
    # When another host takes over; the old one's series end.
    moved: float | None = None

    def series(self, centre: Centre, end: float) -> Series:
        for instance in centre.instances:
            hosts = [(instance, (0.0, 1e12))]
            if self.moved is not None:
                hosts = [(instance, (0.0, self.moved)), (f"moved-{instance}", (self.moved, 1e12))]
            for host, span in hosts:
                for name, labels, read in self._all():
                    there = partial(self._there, centre, span, read)
                    where = {**centre_labels(host), "fleet": "inland-haul"}
                    yield from _made(name, {**where, **labels}, there, end)

    def _there(self, centre: Centre, span: tuple[float, float], read: Read, at: float) -> Value:
        return read(at) if span[0] <= at < span[1] and centre.lists("inland-haul", at) else None

    def _all(self) -> Iterator[Sample]:
        for device, spans in self.roster.items():
            truck = {"device": device, "truck": device[1:]}
            yield "roster_tablet_info", truck, lambda at, spans=spans: None if inside(spans, at) is None else 1.0
        for name, labels, read in (*self._said(), *self._polled(), *map(self._while_kept, self._collected())):
            yield name, {"account": self.account, **labels}, partial(self._while_listed, read)

    def _while_kept(self, sample: Sample) -> Sample:
        name, labels, read = sample
        if labels.get("account", self.account) != self.account:
            # Telematics is another account, which is read on.
            return sample
        return name, labels, lambda at: read(at) if inside(self.kept, at) is not None else None

    def _while_listed(self, read: Read, at: float) -> Value:
        return read(at) if inside(self.listed, at) is not None else None

    def _said(self) -> Iterator[Sample]:
        yield "account_info", {"platform": "intune"}, always(1)
        yield "account_credential_warning_seconds", {}, always(14 * DAY)
        yield "device_wipe_within_seconds", {}, always(self.wipe_within)
        yield "truck_moved_for_seconds", {}, always(HOUR)
        yield "truck_dark_after_seconds", {}, always(2 * DAY)
        for group in ("drivers", "other"):
            yield "device_stale_after_seconds", {"group": group}, always(12 * HOUR)
            yield "devices_silent_share_limit", {"group": group}, always(0.1)

    def _collected(self) -> Iterator[Sample]:
        for group in ("drivers", "other"):
            yield "device_stale_before_timestamp_seconds", {"group": group}, always(-12 * HOUR)
        yield from self.samples

    def _polled(self) -> Iterator[Sample]:
        poll = {"poll": "mdm/tablets"}
        yield "poll_success", poll, lambda at: float(self._last(at) == at // INTERVAL * INTERVAL)
        yield "poll_last_success_timestamp_seconds", poll, self._last
        yield "poll_due_timestamp_seconds", poll, lambda at: self._last(at) + 2 * INTERVAL + DEADLINE
        for reason in ("server_error", "incomplete", "foreign_link", "throttled"):
            fails = {**poll, "reason": reason}
            yield "poll_failed", fails, partial(self._fails, reason)

    def _fails(self, reason: str, at: float) -> float:
        return float(reason == self.reason and self._last(at) < at // INTERVAL * INTERVAL)

    def _last(self, at: float) -> float:
        """When the last collection before `at` was complete, of one each interval."""
        moments = (index * INTERVAL for index in range(int(at // INTERVAL) + 1))
        return max(moment for moment in moments if inside(self.answers, moment) is not None)


def counts(start: float = BEGIN, end: float = OVER, group: str = "drivers", **trouble: int) -> tuple[Sample, ...]:
    """A hundred tablets of the group, all fresh but for these by state while there is trouble."""
    during = {"fresh": 100 - sum(trouble.values()), **trouble}
    return tuple(
        (
            "devices",
            {"group": group, "state": state},
            then(float(during.get(state, 0)), 100.0 if state == "fresh" else 0.0, start, end),
        )
        for state in STATES
    )


def one(device: str, state: str, checkin: float, start: float = BEGIN, end: float = OVER) -> tuple[Sample, ...]:
    """A tablet that is in this state while there is trouble, with its last word."""
    states = tuple(
        (
            "device_state",
            {"device": device, "group": "drivers", "state": each},
            then(float(each == state), float(each == "fresh"), start, end),
        )
        for each in STATES
    )
    return (*states, ("device_last_checkin_timestamp_seconds", {"device": device}, always(checkin)))


def cleaned_up() -> Iterator[Sample]:
    """Forty of a hundred are dark, and then no longer in the MDM."""
    for state, before, during, after in (
        ("fresh", 60.0, 60.0, 100.0),
        ("dark", 40.0, 0.0, 0.0),
        ("gone_from_mdm", 0.0, 40.0, 0.0),
        ("stale", 0.0, 0.0, 0.0),
        ("expected_silent", 0.0, 0.0, 0.0),
    ):
        read = partial(_in_turn, before, during, after)
        yield "devices", {**DRIVERS, "state": state}, read


def _in_turn(before: float, during: float, after: float, at: float) -> float:
    return before if at < BEGIN else during if at < OVER else after


def silent(count: int, **more: float) -> tuple[Sample, ...]:
    """So many drivers' tablets that are dark, and each of them by name, T1 the longest."""
    named = (one(f"T{number}", "dark", -40 * DAY + number * HOUR, **more) for number in range(1, count + 1))
    return (*counts(dark=count, **more), *(sample for each in named for sample in each))


def wipe(
    since: float, checkin: Read, start: float = BEGIN, end: float = OVER, failed_until: float = 0.0
) -> tuple[Sample, ...]:
    """Truck 112's tablet with a wipe that waits, or failed until then."""
    order = {"device": "T112", "action": "wipe"}
    return (
        *counts(),
        ("wipe_last_checkin_timestamp_seconds", {"device": "T112"}, checkin),
        ("device_action_pending_timestamp_seconds", order, then(since, None, start, end)),
        ("device_action_failed", order, lambda at: float(at < failed_until) if start <= at < end else None),
    )


def truck(name: str, moved: Read, told: Read) -> tuple[Sample, ...]:
    """When telematics last saw a truck move, and last had a record of it."""
    of = {"account": "samsara", "feed": "gps", "truck": name}
    return ("truck_last_moved_timestamp_seconds", of, moved), ("truck_last_record_timestamp_seconds", of, told)


def now(at: float) -> float:
    return at // 60 * 60


def sets_out(at: float) -> float:
    """The last movement of a truck that set out twelve and a half hours ago, stood, and moves again."""
    return -12.5 * HOUR if at < BEGIN - 60 else now(at)


def below(standard: str, count: float) -> Sample:
    return ("devices_below_standard", {**DRIVERS, "standard": standard}, then(count, 0.0))


def mismatches(mdm_only: float, roster_only: float) -> tuple[Sample, ...]:
    return (
        ("roster_mismatches", {"kind": "mdm_only"}, then(mdm_only, 0.0)),
        ("roster_mismatches", {"kind": "roster_only"}, then(roster_only, 0.0)),
    )


def told(*firing: str, start: float = BEGIN + 60, end: float = OVER - 60, until: float = END) -> Expected:
    """Quiet, then these alerts, then quiet again."""
    return ((0, BEGIN - 60, ()), (start, end, firing), (OVER + 60, until, ()))


def away(*firing: str) -> Expected:
    """These alerts while there is trouble, though the center is away for some time of it."""
    page = "page CentreNotReporting"
    return (
        (0, BEGIN - 60, ()), (BEGIN + 60, 1740, firing), (1980, 2340, (*firing, page)), (2520, OVER - 60, firing),
        (OVER + 60, END, ()),
    )  # fmt: skip


def dark_with_carrier(truck: str) -> tuple[tuple[str, str], ...]:
    """A truck that is cut off with its carrier all the time."""
    series = f'yardlight:truck_dark_with_carrier{{fleet="inland-haul", truck="{truck}", carrier="verizon"}}'
    return ((series, f"1x{END // 5:g}"),)


def case(name: str, title: str, platform: Tablets, expect: Expected, **more: object) -> Scenario:
    given = {"yards": (yard(),), "end": END, "moved": None, "every": 60.0, **more}
    return Scenario(name, title, platform=platform, expect=expect, **given)  # type: ignore[arg-type]


SILENT = "ticket DevicesSilent graph drivers"
GONE = "ticket DevicesGoneFromMdm graph drivers"
DEGRADED = "ticket CarrierDegraded verizon"
FAILING = "ticket AccountFailing inland-haul/ graph"
WIPE, WIPE_PAGE = "ticket WipeUnconfirmed graph T112", "page WipeUnconfirmed graph T112"
DOWN: Spans = ((0.0, BEGIN), (OVER, 1e9))
MOVED = 2400.0
LOST = -50 * HOUR
AWAY = Centre(runs=((0.0, 1800.0), (2400.0, 1e9)))

TABLETS = (
    case(
        "M01", "the MDM's API is down: one ticket for the account, and who was silent stays so, withdrawn or not",
        Tablets(silent(12, start=0.0, end=OVER), answers=DOWN, kept=((0.0, BEGIN + 1800), (OVER, 1e9))),
        ((60, BEGIN + 1440, (SILENT,)), (BEGIN + 1560, OVER - 60, (SILENT, FAILING)), (OVER + 60, END, ())),
    ),
    case(
        "M02", "the API is down across a restart of the exporter: what it read last is there again with its time",
        Tablets(silent(12, start=0.0, end=OVER), answers=DOWN),
        ((60, BEGIN + 1440, (SILENT,)), (BEGIN + 1560, OVER - 60, (SILENT, FAILING)), (OVER + 60, END, ())),
        centre=Centre(runs=((0.0, 1800.0), (1860.0, 1e9))),
    ),
    case(
        "M06", "a clean-up rule takes 40 silent tablets out of the MDM: they are gone, and nothing resolves",
        Tablets(
            (
                *cleaned_up(),
                *(
                    ("device_state", {"device": device, **DRIVERS, "state": "gone_from_mdm"}, then(1.0, 0.0))
                    for device in ("T7", "T112")
                ),
            )
        ),
        ((60, BEGIN + 2340, (SILENT,)), (BEGIN + 2460, OVER - 60, (SILENT, GONE)), (OVER + 60, END, ())),
        moved=3000.0,
    ),
    case(
        "M06-moved", "two tablets have gone to another MDM, and the center is away for ten minutes: nobody is told",
        Tablets(
            (
                *counts(gone_from_mdm=2),
                *(
                    sample
                    for device in ("T7", "T112")
                    for sample in (
                        ("device_state", {"device": device, **DRIVERS, "state": "gone_from_mdm"}, then(1.0, 0.0)),
                        ("device_info", {"account": "google", "device": device, **DRIVERS}, then(1.0)),
                    )
                ),
            )
        ),
        away(),
        centre=AWAY,
    ),
    case(
        "M08", "12 % of the drivers' tablets are silent: one ticket with their names",
        Tablets(silent(12)), told(SILENT), moved=MOVED,
    ),
    case(
        "M08-many", "thirty of a hundred: twenty names and how many more",
        Tablets(silent(30)), told(SILENT),
    ),
    case(
        "M08-few", "nine of a hundred are silent: nobody is told",
        Tablets(silent(9)), ((0, END, ()),),
    ),
    case(
        "M08-centre-away", "the centre is away for ten minutes while tablets are silent: the ticket stays",
        Tablets(silent(12)), away(SILENT), centre=AWAY,
    ),
    case(
        "M08-carrier", "ten of a hundred are silent besides a parked truck, one with its carrier: too few without it",
        Tablets(
            (
                *counts(stale=11), *one("T112", "stale", -13 * HOUR), *one("T7", "stale", -13 * HOUR),
                *truck("7", always(-14 * HOUR), now),
            )
        ),
        ((0, END, (DEGRADED,)),),
        history=dark_with_carrier("112"),
    ),
    case(
        "M08-carrier-parked", "ten of a hundred are silent, and a parked truck is cut off with its carrier: a ticket",
        Tablets(
            (
                *counts(stale=11), *one("T112", "stale", -13 * HOUR), *one("T7", "stale", -13 * HOUR),
                *truck("7", always(-14 * HOUR), now),
            )
        ),
        ((0, BEGIN - 60, (DEGRADED,)), (BEGIN + 60, OVER - 60, (SILENT, DEGRADED)), (OVER + 60, END, (DEGRADED,))),
        history=dark_with_carrier("7"),
    ),
    case(
        "M08-removed", "the account is taken out of the inventory while tablets are silent: its ticket ends",
        Tablets(silent(12), listed=((0.0, 3000.0),)), (*told(SILENT, end=2940)[:2], (3060, END, ())),
    ),
    case(
        "M09", "the whole fleet is parked over the weekend: silence that is expected, and M10, all back on Monday",
        Tablets(counts(expected_silent=100)), ((0, END, ()),),
    ),
    case(
        "M11", "a truck is on the road, and its tablet has been silent since before it set out",
        Tablets((*counts(stale=1), *one("T112", "stale", -13 * HOUR), *truck("112", sets_out, now))),
        told("ticket TabletSilentWhileMoving 112"), moved=MOVED,
    ),
    case(
        "M11-stands", "ten of a hundred are silent, and the truck of one of them stands: nobody is told",
        Tablets((*counts(stale=10), *one("T112", "stale", -13 * HOUR), *truck("112", always(-14 * HOUR), now))),
        ((0, END, ()),),
    ),
    case(
        "M11-centre-away", "as M11, and the center is away for ten minutes: the ticket stays",
        Tablets((*counts(stale=1), *one("T112", "stale", -13 * HOUR), *truck("112", sets_out, now))),
        away("ticket TabletSilentWhileMoving 112"),
        centre=AWAY,
    ),
    case(
        "M11-prometheus-away", "as M11, and Prometheus was away meanwhile: the truck did not set out when it came back",
        Tablets((*counts(stale=1, start=0.0), *one("T112", "stale", -13 * HOUR, start=0.0), *truck("112", now, now))),
        ((780, OVER - 60, ("ticket TabletSilentWhileMoving 112",)), (OVER + 60, END, ())),
        centre=Centre(runs=((600.0, 1e9),)),
        history=(
            (
                'yardlight:device_moved_since_timestamp_seconds{fleet="inland-haul", account="graph", device="T112"}',
                f"{-12.5 * HOUR:g}",
            ),
        ),
    ),
    case(
        "M11-stands-centre-away", "as M11-stands, and the center is away for ten minutes: it still stands",
        Tablets((*counts(stale=10), *one("T112", "stale", -13 * HOUR), *truck("112", always(-14 * HOUR), now))),
        away(),
        centre=AWAY,
    ),
    case(
        "M11-stands-down", "as M11-stands, and the MDM cannot be read until its last data has long been withdrawn",
        Tablets(
            (
                *counts(stale=10, start=0.0, end=1e9), *one("T112", "stale", -13 * HOUR, start=0.0, end=1e9),
                *truck("112", always(-14 * HOUR), now),
            ),
            answers=((0.0, BEGIN),), kept=((0.0, BEGIN + 1800),),
        ),
        ((0, BEGIN + 1440, ()), (BEGIN + 1560, 7500, (FAILING,))),
        end=7500.0,
    ),
    case(
        "M11-yard", "a truck that was moved across the yard did not set out",
        Tablets(
            (
                *counts(stale=1), *one("T112", "stale", -14 * HOUR),
                *truck("112", lambda at: -13 * HOUR if at < BEGIN - 60 else -12.5 * HOUR, now),
            )
        ),
        ((0, END, ()),),
    ),
    case(
        "M11-group", "a group has gone silent: one of its trucks that moves is not told besides",
        Tablets((*counts(stale=12), *one("T112", "stale", -13 * HOUR), *truck("112", sets_out, now))),
        told(SILENT),
    ),
    case(
        "M12", "a truck at work is as silent as its tablet, for two days, while telematics tells of others",
        Tablets(
            (
                *counts(dark=1), *one("T112", "dark", LOST), *truck("112", always(LOST), always(LOST)),
                *truck("7", now, now),
            )
        ),
        told("ticket TruckDark 112"), moved=MOVED,
    ),
    case(
        "M12-centre-away", "as M12, and the center is away for ten minutes: the ticket stays",
        Tablets(
            (
                *counts(dark=1), *one("T112", "dark", LOST), *truck("112", always(LOST), always(LOST)),
                *truck("7", now, now),
            )
        ),
        away("ticket TruckDark 112"),
        centre=AWAY,
    ),
    case(
        "M12-all", "telematics has lost all trucks: that is its own trouble",
        Tablets(
            (
                *counts(dark=1), *one("T112", "dark", LOST), *truck("112", always(LOST), always(LOST)),
                *truck("7", always(-49 * HOUR), always(-49 * HOUR)),
            )
        ),
        ((0, END, ()),),
    ),
    case(
        "M13", "a tablet that was enrolled three days ago and never spoke",
        Tablets(
            (
                *counts(never=1),
                ("devices_never_checked_in", DRIVERS, then(1.0, 0.0)),
                ("device_state", {"device": "T7", **DRIVERS, "state": "never"}, then(1.0, 0.0)),
            )
        ),
        told("ticket DevicesNeverCheckedIn graph drivers"), moved=MOVED,
    ),
    case(
        "M15", "a wipe waits and the tablet has been on line for 15 minutes: a ticket",
        Tablets(wipe(BEGIN, lambda at: BEGIN - DAY if at < BEGIN + 120 else at // 60 * 60)),
        ((0, BEGIN + 960, ()), (BEGIN + 1080, OVER - 60, (WIPE,)), (OVER + 60, END, ())),
        moved=MOVED,
    ),
    case(
        "M15-off", "a wipe waits for a tablet that is off: nobody is told until the limit",
        Tablets(wipe(BEGIN, always(BEGIN - DAY))), ((0, END, ()),),
    ),
    case(
        "M15-gone", "the tablet leaves the MDM while its wipe waits: a ticket, as nobody knows whether it was wiped",
        Tablets(
            (
                *wipe(BEGIN - DAY + 1800, always(BEGIN - 2 * DAY), start=0.0),
                ("device_state", {"device": "T112", **DRIVERS, "state": "gone_from_mdm"}, then(1.0, 0.0)),
            )
        ),
        told(WIPE),
    ),
    case(
        "M15-struck", "the tablet is struck from the roster while the MDM cannot be read: its ticket ends",
        Tablets(
            wipe(0.0, always(60.0), start=0.0, end=1e9),
            answers=((0.0, 1800.0),), kept=((0.0, 2400.0),), roster={"T112": ((0.0, 3000.0),), "T7": ALWAYS},
        ),
        ((0, 900, ()), (1020, 2940, (WIPE,)), (3060, 3240, ())),
        end=3240.0,
    ),
    case(
        "M16", "a wipe has waited for 24 hours: a page, whatever was told before",
        Tablets(wipe(BEGIN + 1800 - DAY, lambda at: at // 60 * 60 if at >= BEGIN else BEGIN - 2 * DAY, start=0.0)),
        ((0, BEGIN + 840, ()), (BEGIN + 960, BEGIN + 1740, (WIPE,)), (BEGIN + 1860, OVER - 60, (WIPE_PAGE,)),
         (OVER + 60, END, ())),
        moved=3000.0,
    ),
    case(
        "M16-failed", "a wipe failed: a page at once, which stays while it is ordered again",
        Tablets(wipe(BEGIN, always(BEGIN - DAY), failed_until=2700.0)),
        told(WIPE_PAGE),
    ),
    case(
        "M16-withdrawn", "the page stays when the MDM cannot be read and its last data has been withdrawn",
        Tablets(
            wipe(BEGIN, always(BEGIN - DAY), failed_until=1e9), answers=((0.0, 1800.0), (OVER, 1e9)),
            kept=((0.0, 2400.0), (OVER, 1e9)),
        ),
        ((0, BEGIN - 60, ()), (BEGIN + 60, 3240, (WIPE_PAGE,)), (3360, OVER - 60, (WIPE_PAGE, FAILING)),
         (OVER + 60, END, ())),
    ),
    case(
        "M17", "a client secret ends in less than 14 days",
        Tablets((*counts(), ("credentials_end_timestamp_seconds", {"credential": "secret"},
                             lambda at: BEGIN + 14 * DAY if at < OVER else 400 * DAY))),
        told("ticket CredentialExpiring graph"), moved=MOVED,
    ),
    case(
        "M18", "25 tablets below the least system, 3 without the ELD app, 2 with no policy: three counts",
        Tablets((*counts(), below("os", 25), below("app", 3), below("policy", 2), below("unapproved", 0),
                 ("mdm_unassigned_is_compliant", {}, always(1)))),
        told("ticket DevicesBelowStandard graph drivers"), moved=MOVED,
    ),
    case(
        "M19", "a tablet that the roster does not have, and one of the roster that the MDM never had",
        Tablets((*counts(), *mismatches(1, 1))), told("ticket RosterMismatch"), moved=MOVED,
    ),
    case(
        "M21", "the MDM refuses for ten minutes: one collection is missed, and nobody is told",
        Tablets(counts(), answers=((0.0, 890.0), (1490.0, 1e9)), reason="throttled"), ((0, 3600, ()),), end=3600.0,
    ),
    case(
        "M23", "the next link points to another host: told as incomplete",
        Tablets(counts(), answers=DOWN, reason="foreign_link"),
        ((0, BEGIN + 1440, ()), (BEGIN + 1560, OVER - 60, ("ticket CollectionIncomplete inland-haul/ graph",)),
         (OVER + 60, END, ())),
    ),
    case(
        "M24", "the platform's clock is two hours ahead: tablets are fresh, and it is said for information",
        Tablets((*counts(), ("devices_in_future", {}, then(7.0, 0.0)))),
        told("info ClockSkewed inland-haul/ graph"), moved=MOVED,
    ),
)  # fmt: skip
