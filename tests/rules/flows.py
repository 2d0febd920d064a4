"""Scenarios of flows for promtool: telematics and maintenance, which should agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from tests.rules.feeds import AWAY, AWAY_FOR_A_WHILE, BEGIN, END, GPS, MOVED, OVER, Feeds, Sample, case, stands, told
from tests.rules.tablets import always, then
from tests.rules.yard import ALWAYS, Labels, Read, Spans, Value, inside

ODOMETER: Labels = {"flow": "odometer"}
DAY = 86400.0
_WELL = (
    ("flow_lag_seconds", None, 3600.0),
    ("flow_compared", None, 48.0),
    ("flow_mismatches", None, 0.0),
    ("flow_missing_ids", "sink", 0.0),
    ("flow_missing_ids", "source", 0.0),
    ("flow_day_records", "source", 100.0),
    ("flow_day_records", "sink", 96.0),
)


@dataclass(frozen=True)
class Flows(Feeds):
    """The feeds of `Feeds`, and the flow `odometer` from gps to loads, well but for `trouble`.

    `flows` is when the inventory has it, `valued` when it compares values too, `by_day` when days, `judged` when its
    last look is on the page.
    """

    trouble: tuple[Sample, ...] = ()
    flows: Spans = ALWAYS
    valued: Spans = ALWAYS
    judged: Spans = ALWAYS
    by_day: Spans = ALWAYS

    def _all(self) -> Iterator[Sample]:
        yield from super()._all()
        named = {**ODOMETER, "source": "gps", "sink": "loads", "shows": "Odometer"}
        for name, labels, read in (
            ("flow_info", named, always(1)),
            ("flow_max_lag_seconds", ODOMETER, always(DAY)),
            ("flow_ids_allowed", {**ODOMETER, "kind": "mismatches"}, partial(self._within, self.valued, always(0))),
            ("flow_ids_allowed", {**ODOMETER, "kind": "missing"}, always(2)),
            ("flow_day_allowed_ratio", ODOMETER, partial(self._within, self.by_day, always(0.1))),
        ):
            yield name, labels, partial(self._within, self.flows, read)
        troubled = {(name, labels.get("side")) for name, labels, _ in self.trouble}
        for name, side, value in _WELL:
            if (name, side) not in troubled:
                own = {**ODOMETER, **({} if side is None else {"side": side})}
                yield name, own, partial(self._shown, always(value))
        for name, labels, read in self.trouble:
            yield name, labels, partial(self._shown, read)

    def _shown(self, read: Read, at: float) -> Value:
        return self._within(self.judged, partial(self._within, self.flows, read), at)

    @staticmethod
    def _within(spans: Spans, read: Read, at: float) -> Value:
        return read(at) if inside(spans, at) is not None else None


def off(name: str, value: float, well: float = 0.0, **labels: str) -> Sample:
    """One sample of the flow that is not well while there is trouble."""
    return f"flow_{name}", {**ODOMETER, **labels}, then(value, well, BEGIN, OVER)


def missing(since: float) -> Sample:
    """From then on it is known who is missing in the second system."""
    return "flow_missing_ids", {**ODOMETER, "side": "sink"}, then(20.0, 0.0, since, OVER)


def _then_gone(at: float) -> Value:
    return None if at >= 3000.0 else 12.0 if at >= BEGIN else 0.0


def _then_a_gap(at: float) -> Value:
    return 96.0 if at < BEGIN or at >= OVER else 80.0 if at < 2400.0 else None


MISMATCH, MISSING = "ticket FlowMismatch odometer", "ticket FlowMissingIds odometer"
DAY_DIFFERS = "ticket FlowDayDiffers odometer"
FEWER = Flows(trouble=(off("day_records", 80.0, 96.0, side="sink"),))
# Five minutes after the beginning, when what takes ten to be told was not told yet; and when it was.
SOON, LATER = BEGIN + 300, BEGIN + 900
LAGGING, STALE = "ticket FlowLagging odometer", "ticket FeedStale samsara gps"
BEHIND = Flows(trouble=(off("lag_seconds", 26 * 3600.0, 3600.0),))
TWELVE = Flows(trouble=(off("mismatches", 12.0),))

FLOWS = (
    case(
        "F18", "telematics and maintenance differ on 12 trucks: one ticket says how many",
        TWELVE, told(MISMATCH, after=690), moved=MOVED,
    ),
    case(
        "F19", "5 trucks of telematics are missing in maintenance, where 2 may be",
        Flows(trouble=(off("missing_ids", 5.0, side="sink"),)), told(MISSING, after=690), moved=MOVED,
    ),
    case(
        "F19-allowed", "two trucks are missing, which is allowed",
        Flows(trouble=(off("missing_ids", 1.0, side="sink"), off("missing_ids", 1.0, side="source"))), ((0, END, ()),),
    ),
    case(
        "F20", "maintenance is 26 hours behind telematics", BEHIND, told(LAGGING), moved=MOVED,
    ),
    case(
        "F20-differs", "it is behind, and that is why values differ: told as behind only",
        replace(BEHIND, trouble=(*BEHIND.trouble, off("mismatches", 12.0))), told(LAGGING),
    ),
    case(
        "flow-day", "a whole day has 80 in the second system and 100 in the first: one ticket",
        FEWER, told(DAY_DIFFERS, after=690), moved=MOVED,
    ),
    case(
        "flow-day-within", "a day has 91 of 100, which is within a tenth; 2 of 3 are within what may be missing",
        Flows(trouble=(off("day_records", 91.0, 3.0, side="sink"), off("day_records", 100.0, 2.0, side="source"))),
        ((0, END, ()),),
    ),
    case(
        "flow-day-missing", "it is known who is missing: told as missing only",
        replace(FEWER, trouble=(*FEWER.trouble, missing(BEGIN))), told(MISSING, after=690),
    ),
    case(
        "flow-day-missing-soon", "who is missing is known five minutes after the day was: the day is never told",
        replace(FEWER, trouble=(*FEWER.trouble, missing(SOON))),
        ((0, SOON + 570, ()), (SOON + 690, OVER - 60, (MISSING,)), (OVER + 90, END, ())), moved=MOVED,
    ),
    case(
        "flow-day-missing-later", "who is missing is known after the day was told: both stay told",
        replace(FEWER, trouble=(*FEWER.trouble, missing(LATER))),
        ((0, BEGIN, ()), (BEGIN + 690, LATER + 570, (DAY_DIFFERS,)),
         (LATER + 690, OVER - 60, (DAY_DIFFERS, MISSING)), (OVER + 90, END, ())),
        moved=LATER + 300,
    ),
    case(
        "flow-day-not-known", "of the next day one side is not known: what was told stays told",
        Flows(trouble=(("flow_day_records", {**ODOMETER, "side": "sink"}, _then_a_gap),)), told(DAY_DIFFERS, after=690),
    ),
    case(
        "flow-day-not-compared", "days are not compared any more: the ticket ends",
        replace(FEWER, by_day=((0.0, 3000.0),)),
        ((0, BEGIN, ()), (BEGIN + 690, 2940, (DAY_DIFFERS,)), (3060, END, ())),
    ),
    case(
        "flow-feed-old", "the positions are old, and values differ for that: told as old only",
        Flows(stands(BEGIN - 300), trouble=TWELVE.trouble), told(STALE, after=390),
    ),
    case(
        "flow-feed-old-later", "positions grow old after values differed: both stay told",
        Flows(stands(2100.0), trouble=TWELVE.trouble),
        ((0, BEGIN, ()), (BEGIN + 690, 2350, (MISMATCH,)), (2490, OVER - 60, (MISMATCH, STALE)), (OVER + 90, END, ())),
    ),
    case(
        "flow-feed-old-soon",
        "positions grow old five minutes after values differed and some went missing: told as old only",
        Flows(stands(BEGIN), trouble=(*TWELVE.trouble, missing(BEGIN))), told(STALE, after=390), moved=MOVED,
    ),
    case(
        "flow-centre-away", "the same with the center away for ten minutes: told as old only",
        Flows(stands(BEGIN - 300), trouble=TWELVE.trouble),
        ((0, BEGIN - 60, ()), (BEGIN + 390, 1770, (STALE,)), (1980, 2340, (STALE, AWAY)), (2520, OVER - 60, (STALE,)),
         (OVER + 90, END, ())),
        centre=AWAY_FOR_A_WHILE,
    ),
    case(
        "flow-ids-only", "the flow compares ids only from now on: its ticket about values ends",
        Flows(trouble=(("flow_mismatches", ODOMETER, _then_gone),), valued=((0.0, 3000.0),)),
        ((0, BEGIN, ()), (BEGIN + 690, 2940, (MISMATCH,)), (3060, END, ())),
    ),
    case(
        "flow-not-known", "one side has not been read for a day: what was told stays told",
        replace(TWELVE, judged=((0.0, 2100.0), (OVER, 1e9))), told(MISMATCH, after=690),
    ),
    case(
        "F28", "a running truck told no position for 12 minutes: for information, to whoever answers the auditor",
        Feeds(more=(("feed_tax_record_gaps", {**GPS, "rule": "ifta"}, then(1.0, 0.0, BEGIN, OVER)),
                    ("feed_tax_record_gaps", {**GPS, "rule": "irp"}, always(0)))),
        told("info TaxRecordGap samsara gps"), moved=MOVED,
    ),
    case(
        "F28-engines-unknown", "the feed is described without engines from now on: its holes are told no more",
        Feeds(more=(("feed_tax_record_gaps", {**GPS, "rule": "ifta"}, then(1.0, None, BEGIN, OVER)),)),
        told("info TaxRecordGap samsara gps"),
    ),
    case(
        "flow-removed", "the flow is taken out of the inventory while values differ: its ticket ends",
        replace(TWELVE, flows=((0.0, 3000.0),)),
        ((0, BEGIN, ()), (BEGIN + 690, 2940, (MISMATCH,)), (3060, END, ())),
    ),
)  # fmt: skip
