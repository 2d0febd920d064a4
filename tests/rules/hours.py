"""Scenarios of hours of service for promtool: where trucks were and what drivers' logs say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from tests.rules.feeds import BEGIN, END, GPS, MOVED, OVER, Feeds, Sample, case, told
from tests.rules.tablets import always, then
from tests.rules.yard import ALWAYS, Labels, Read, Spans, Value, inside

OPEN: Labels = {"kind": "mismatch", "state": "open"}
MODEL: Labels = {"model": "LogIt-2"}
NOBODY: Labels = {"kind": "unassigned", "state": "open"}


@dataclass(frozen=True)
class Hours(Feeds):
    """The feeds of `Feeds`, of which logs are held against GPS: `open` driver-days, `unassigned` seconds of a truck.

    `planned` is when the inventory has feeds of both, `judged` when what was found is on the page.
    """

    open: float = 0.0
    unassigned: float = 0.0
    planned: Spans = ALWAYS
    judged: Spans = ALWAYS

    def _all(self) -> Iterator[Sample]:
        yield from super()._all()
        for name, value in (
            ("hos_settle_seconds", 48 * 3600.0),
            ("hos_mismatches_allowed", 1.0),
            ("hos_unassigned_allowed_seconds", 7200.0),
        ):
            yield name, {}, partial(self._within, self.planned, always(value))
        for name, labels, read in (
            ("hos_cases", OPEN, then(self.open, 0.0, BEGIN, OVER)),
            ("hos_cases", NOBODY, then(1.0 if self.unassigned else 0.0, 0.0, BEGIN, OVER)),
            ("hos_unassigned_seconds", {"of": "truck"}, then(self.unassigned, 0.0, BEGIN, OVER)),
            ("hos_unassigned_seconds", {"of": "fleet"}, then(self.unassigned + 1800.0, 1800.0, BEGIN, OVER)),
        ):
            yield name, labels, partial(self._within, self.judged, partial(self._within, self.planned, read))

    @staticmethod
    def _within(spans: Spans, read: Read, at: float) -> Value:
        return read(at) if inside(spans, at) is not None else None


MISMATCH, UNASSIGNED = "ticket HosGpsMismatch", "ticket UnassignedDriving"
THREE = Hours(open=3.0)

HOURS = (
    case(
        "F21", "on three driver-days trucks moved while the log says off duty: a ticket to compliance",
        THREE, told(MISMATCH), moved=MOVED,
    ),
    case(
        "F21-allowed", "as many are open as the inventory lets pass", Hours(open=1.0), ((0, END, ()),),
    ),
    case(
        "F23", "a truck moved for three hours in a week with nobody logged in: another ticket",
        Hours(unassigned=3 * 3600.0), told(UNASSIGNED), moved=MOVED,
    ),
    case(
        "F23-little", "it was an hour, which happens", Hours(unassigned=3600.0), ((0, END, ()),),
    ),
    case(
        "eld-malfunction", "the ELD of two trucks does not work: for compliance, with the days that are left",
        Feeds(more=(("eld_malfunctions", GPS, then(2.0, 0.0, BEGIN, OVER)),
                    ("eld_malfunction_since_timestamp_seconds", GPS, then(BEGIN, None, BEGIN, OVER)),
                    ("eld_repair_within_seconds", GPS, always(8 * 86400.0)))),
        told("ticket EldMalfunction samsara gps", after=1890), moved=MOVED,
    ),
    case(
        "eld-undescribed", "the feed is not asked for malfunctions any more: what it told ends",
        Feeds(more=(("eld_malfunctions", GPS, then(2.0, None, BEGIN, OVER)),
                    ("eld_malfunction_since_timestamp_seconds", GPS, then(BEGIN, None, BEGIN, OVER)),
                    ("eld_repair_within_seconds", GPS, then(8 * 86400.0, None, BEGIN, OVER)))),
        told("ticket EldMalfunction samsara gps", after=1890),
    ),
    case(
        "eld-revoked", "trucks have a model that was revoked, until the roster has none of it",
        Feeds(more=(("eld_revoked_trucks", MODEL, then(12.0, 0.0, BEGIN, OVER)),
                    ("eld_revoked_trucks", {"model": "Other"}, always(0)),
                    ("eld_replace_by_timestamp_seconds", MODEL, always(30.5 * 86400.0)))),
        told("ticket EldRevoked LogIt-2"), moved=MOVED,
    ),
    case(
        "eld-revoked-over", "the 60 days are over",
        Feeds(more=(("eld_revoked_trucks", MODEL, then(1.0, 0.0, BEGIN, OVER)),
                    ("eld_replace_by_timestamp_seconds", MODEL, always(600.0)))),
        told("ticket EldRevoked LogIt-2"),
    ),
    case(
        "hours-not-known", "the logs cannot be read for a day: what was found stays told",
        replace(THREE, unassigned=3 * 3600.0, judged=((0.0, 2100.0), (OVER, 1e9))), told(MISMATCH, UNASSIGNED),
    ),
    case(
        "hours-removed", "the feed of the logs is taken out of the inventory: what hangs on it ends",
        replace(THREE, planned=((0.0, 3000.0),)),
        ((0, BEGIN - 30, ()), (BEGIN + 90, 2940, (MISMATCH,)), (3060, END, ())),
    ),
)  # fmt: skip
