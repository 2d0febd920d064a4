"""Scenarios of webhooks for promtool: a vendor that calls, beside the feeds that are read of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from tests.rules.feeds import BEGIN, END, MOVED, OVER, Feeds, Sample, case, stands, status
from tests.rules.tablets import always
from tests.rules.yard import ALWAYS, Centre, Labels, Read, Spans, Value, inside

ALLOWED = 1200.0
EVENTS: Labels = {"webhook": "events"}
REASONS = ("signature", "timestamp", "too_large", "rate", "encoding", "timeout", "secret")


@dataclass(frozen=True)
class Webhooks(Feeds):
    """The feeds of `Feeds`, and the webhook `events`, called once a minute while it is `called`.

    It is expected in `hours`, listened for since the last of `starts` and in the inventory in `hooked`; `feed` is the
    one that tells whether there is something to call about. A call a minute is `refused` in between.
    """

    called: Spans = ((0.0, BEGIN), (OVER, 1e9))
    hours: Spans = ALWAYS
    starts: tuple[float, ...] = (-86400.0,)
    hooked: Spans = ALWAYS
    feed: str = "gps"
    refused: Spans = ()

    def _all(self) -> Iterator[Sample]:
        yield from super()._all()
        about = {"feed": self.feed, "expected": "weekdays", "shows": "Events of trucks"}
        last: Read = self._last_call
        if self.moved is not None:
            # The new host has no state file of the old one.
            last = partial(self._last_call_there, self.moved)
        for name, labels, read in (
            ("webhook_info", {**EVENTS, **about}, always(1)),
            ("webhook_silent_after_seconds", EVENTS, always(ALLOWED)),
            ("webhook_expected_since_timestamp_seconds", EVENTS, lambda at: inside(self.hours, at)),
            ("webhook_listening_since_timestamp_seconds", EVENTS, self._listening),
            ("webhook_last_received_timestamp_seconds", EVENTS, last),
            *(("webhook_refused_total", {**EVENTS, "reason": each}, partial(self._refusals, each)) for each in REASONS),
        ):
            yield name, labels, partial(self._hooked, read)

    def _hooked(self, read: Read, at: float) -> Value:
        return read(at) if inside(self.hooked, at) is not None else None

    def _listening(self, at: float) -> float:
        begun = max(start for start in self.starts if start <= at)
        return max(begun, self.moved) if self.moved is not None and at >= self.moved else begun

    def _last_call(self, at: float) -> Value:
        moments = (index * 60.0 for index in range(int(at // 60.0) + 1))
        return max((each for each in moments if inside(self.called, each) is not None), default=None)

    def _last_call_there(self, moved: float, at: float) -> Value:
        found = self._last_call(at)
        return None if found is None or (at >= moved > found) else found

    def _refusals(self, reason: str, at: float) -> float:
        if reason != "signature":
            return 0.0
        return sum(max(0.0, min(at, end) - start) // 60.0 for start, end in self.refused)


SILENT = "ticket WebhookSilent samsara events"
# The last call was a minute before the trouble began.
FROM = BEGIN - 60 + ALLOWED
FIRES = ((0, FROM, ()), (FROM + 120, OVER - 60, (SILENT,)), (OVER + 90, END, ()))

WEBHOOKS = (
    case(
        "F24", "a vendor does not call for longer than allowed while polling shows new records: one ticket",
        Webhooks(), FIRES, moved=MOVED,
    ),
    case(
        "webhook-refused", "it calls, and what it signs with is not what we have: the ticket says so",
        Webhooks(refused=((BEGIN, OVER),)), FIRES,
    ),
    case(
        "webhook-no-news", "a vendor does not call, and polling shows nothing new either: nothing to call about",
        Webhooks(newest=stands(BEGIN), moving=()), ((0, END, ()),),
    ),
    case(
        "webhook-no-feed", "a webhook beside which nothing is read: silence counts as time goes by",
        Webhooks(feed=""), FIRES,
    ),
    case(
        "webhook-night", "nobody calls at night, and none is expected; silence counts from the opening on",
        Webhooks(called=((0.0, BEGIN),), hours=((0.0, BEGIN), (2700.0, 1e9))),
        ((0, 2700.0 + ALLOWED, ()), (2820.0 + ALLOWED, END, (SILENT,))),
    ),
    case(
        "webhook-closing", "the hours end while it is silent: nothing was mended, and nobody is told that it was",
        Webhooks(hours=((0.0, 2700.0),)), FIRES,
    ),
    case(
        "webhook-restart", "nobody listened for a while: silence counts from when somebody does again",
        Webhooks(called=((0.0, BEGIN),), starts=(-86400.0, 1800.0)),
        ((0, 1800.0 + ALLOWED, ()), (1920.0 + ALLOWED, END, (SILENT,))),
    ),
    case(
        "webhook-young", "a process that has not listened for long, and was never called",
        Webhooks(called=(), starts=(0.0,)), ((0, ALLOWED - 60, ()),), end=ALLOWED - 60,
    ),
    case(
        "webhook-declared", "the vendor's status page says that it is out: that explains silence",
        Webhooks(more=tuple(status("major_outage"))), ((0, END, ()),),
    ),
    case(
        "webhook-centre-away", "the center is away for ten minutes while it is silent: the ticket stays",
        Webhooks(),
        ((0, FROM, ()), (FROM + 120, 2400, (SILENT,)), (2580, 2940, (SILENT, "page CentreNotReporting")),
         (3120, OVER - 60, (SILENT,)), (OVER + 90, END, ())),
        centre=Centre(runs=((0.0, 2400.0), (3000.0, 1e9))),
    ),
    case(
        "webhook-removed", "it is taken out of the inventory while it is silent: its ticket ends",
        replace(Webhooks(), hooked=((0.0, 3000.0),)),
        ((0, FROM, ()), (FROM + 120, 2940, (SILENT,)), (3060, END, ())),
    ),
)  # fmt: skip
