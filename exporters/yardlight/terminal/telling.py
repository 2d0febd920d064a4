"""What is known of one terminal, as samples for the page and as rows for people.

Most of it stays the same for hours: samples of that come from a `Yard` and its `Line`s alone, so where these are equal
to those of the last page, so is what was rendered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from yardlight import catalogue as m
from yardlight.catalogue import METRICS, Metric
from yardlight.exposition import Histogram
from yardlight.inventory.models import Check, Metered
from yardlight.terminal.carrier import Carrier
from yardlight.terminal.chronicle import Chronicle
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Proof
from yardlight.terminal.readiness import path, throughput
from yardlight.terminal.services import ServiceProbes
from yardlight.terminal.totals import Key
from yardlight.terminal.uplink import UplinkWatch

TERMINAL_STATES = ("primary", "standby", "dark", "unknown")
UPLINK_STATES = ("up", "degraded", "down", "unknown")

_PER_UPLINK = (m.UPLINK_SENT, m.UPLINK_LOST, m.UPLINK_RTT, m.PROBE_BYTES, m.PROBE_PERIOD)

Families = dict[Metric, dict[tuple[str, ...], float | Histogram | None]]
Sample = tuple[Metric, tuple[str, ...], float | Histogram | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the landing page: what, its state, since when (unix seconds) and why."""

    what: str
    state: str
    since: float | None
    reason: str


class Yard(NamedTuple):
    """The yard itself as the page tells it; equal ones are told in the same words. Moments in unix seconds."""

    state: str
    since: float | None
    observed: str | None
    differ: bool | None
    last_gap: float | None
    outage: tuple[float, float] | None
    last_failover: float | None
    uplink_gaps: tuple[tuple[str, float | None], ...]
    totals: tuple[tuple[Key, float | Histogram], ...]


class Standby(NamedTuple):
    """What is known of a standby: what was proven and when, when it carried the yard, how fast it was and when."""

    ready: tuple[tuple[Check, bool], ...]
    proven: float | None
    carried: float | None
    speed: float | None
    sampled: float | None


class Line(NamedTuple):
    """One uplink as the page tells it, its counters aside. Moments in unix seconds."""

    uplink: str
    state: str
    since: float | None
    pinned: bool | None
    interval: float
    budget: float | None
    standby: Standby | None
    segments: tuple[tuple[str, bool], ...]


def yard(carrier: Carrier, differ: bool | None, chronicle: Chronicle, shift: float) -> Yard:
    """What is known now; `shift` makes monotonic seconds wall-clock time."""
    return Yard(
        carrier.state,
        _wall(carrier.since, shift),
        carrier.observed,
        differ,
        chronicle.last_gap,
        chronicle.outage,
        chronicle.last_failover,
        tuple(chronicle.uplink_gaps.items()),
        tuple(chronicle.totals.shown.items()),
    )


def line(watch: UplinkWatch, proof: Proof, services: ServiceProbes, now: float, shift: float) -> Line:
    """What is known of one uplink now."""
    uplink, judgement = watch.uplink, watch.verdict.judgement
    return Line(
        uplink.name,
        judgement.state,
        _wall(judgement.since, shift),
        proof.pinned,
        watch.plan.interval,
        float(uplink.metered.budget) if isinstance(uplink.metered, Metered) else None,
        _standby(watch, services, now, shift) if uplink.role == "standby" else None,
        tuple(watch.answering_segments(now).items()),
    )


def _standby(watch: UplinkWatch, services: ServiceProbes, now: float, shift: float) -> Standby:
    uplink, record = watch.uplink.name, watch.record
    record.prove(services.proven_at(uplink), shift)
    ready = tuple(readiness(watch, services, now).items())
    return Standby(ready, record.proven, record.carried, record.speed, record.sampled)


def calm_samples(name: str, yard: Yard, lines: Iterable[Line]) -> Families:
    """What stays as it is for hours."""
    families: Families = {}
    for metric, labels, value in _yard_samples(yard):
        families.setdefault(metric, {})[(name, *labels)] = value
    for line in lines:
        families.setdefault(m.TERMINAL_PATH, {})[(name, line.uplink, "observed")] = float(line.uplink == yard.observed)
        for metric, labels, value in _line_samples(line):
            families.setdefault(metric, {})[(name, line.uplink, *labels)] = value
    for (total, labels), value in yard.totals:
        families.setdefault(METRICS[total], {})[labels] = value
    return families


def _yard_samples(yard: Yard) -> Iterator[Sample]:
    for state in TERMINAL_STATES:
        yield m.TERMINAL_STATE, (state,), float(state == yard.state)
    yield m.TERMINAL_STATE_SINCE, (), yard.since
    yield m.LAST_GAP, (), yard.last_gap
    yield m.LAST_OUTAGE, (), yard.outage[0] if yard.outage else None
    yield m.LAST_OUTAGE_END, (), yard.outage[1] if yard.outage else None
    yield m.LAST_FAILOVER, (), yard.last_failover
    yield m.DISAGREEMENT, (), None if yard.differ is None else float(yard.differ)
    for uplink, gap in yard.uplink_gaps:
        yield m.UPLINK_LAST_GAP, (uplink,), gap


def _line_samples(line: Line) -> Iterator[Sample]:
    """The labels follow the uplink's name."""
    for state in UPLINK_STATES:
        yield m.UPLINK_STATE, (state,), float(state == line.state)
    yield m.UPLINK_STATE_SINCE, (), line.since
    yield m.UPLINK_PINNED, (), None if line.pinned is None else float(line.pinned)
    yield m.UPLINK_INTERVAL, (), line.interval
    yield m.PROBE_BUDGET, (), line.budget
    if line.standby is not None:
        for check, ready in line.standby.ready:
            yield m.STANDBY_READY, (check,), float(ready)
        yield m.STANDBY_PROOF, (), line.standby.proven
        yield m.STANDBY_CARRIED, (), line.standby.carried
        yield m.STANDBY_THROUGHPUT, (), line.standby.speed
        yield m.STANDBY_SAMPLED, (), line.standby.sampled
    for segment, answers in line.segments:
        yield m.UPLINK_SEGMENT_UP, (segment,), float(answers)


def moving_samples(name: str, default: Path, watches: Iterable[UplinkWatch], wall: float) -> Families:
    """What each probe changes, at this moment (unix seconds)."""
    families: Families = {
        m.DEFAULT_SENT: {(name, lane.target.label): lane.sent for lane in default.lanes},
        m.DEFAULT_LOST: {(name, lane.target.label): lane.lost_count for lane in default.lanes},
    }
    sent, lost, rtt, size, period = (families.setdefault(metric, {}) for metric in _PER_UPLINK)
    for watch in watches:
        uplink = watch.uplink.name
        rtt[name, uplink] = watch.rtt
        size[name, uplink] = watch.wire.bytes
        if watch.wire.account is not None:
            period[name, uplink] = watch.wire.account.passed(wall)
        for lane in (*watch.path.lanes, *watch.path.segments):
            labels = (name, uplink, lane.target.label, lane.segment)
            sent[labels], lost[labels] = lane.sent, lane.lost_count
    return families


def readiness(watch: UplinkWatch, services: ServiceProbes, now: float) -> dict[Check, bool]:
    """What was proven of a standby, check by check; what is not known is left out."""
    known = path(watch.verdict.judgement.state) | services.readiness(watch.uplink.name, now)
    return known | throughput(watch.throughput, watch.record, time.time())


def rows(name: str, carrier: Carrier, uplinks: Mapping[str, UplinkWatch], shift: float) -> Iterator[Row]:
    """For people: the yard and each uplink, with the reason where something is not well."""
    yield Row(name, carrier.state, _wall(carrier.since, shift), carrier.reason)
    for uplink, watch in uplinks.items():
        judgement = watch.verdict.judgement
        yield Row(f"{name} {uplink}", judgement.state, _wall(judgement.since, shift), judgement.reason)


def _wall(since: float | None, shift: float) -> float | None:
    return since + shift if since is not None else None
