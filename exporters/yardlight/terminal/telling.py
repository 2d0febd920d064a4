"""What is known of one terminal, as samples for the page and as rows for people."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.exposition import Histogram
from yardlight.inventory.models import Check, Metered
from yardlight.terminal.carrier import Carrier
from yardlight.terminal.chronicle import Chronicle
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Proof
from yardlight.terminal.readiness import path, throughput
from yardlight.terminal.services import ServiceProbes
from yardlight.terminal.uplink import UplinkWatch

TERMINAL_STATES = ("primary", "standby", "dark", "unknown")
UPLINK_STATES = ("up", "degraded", "down", "unknown")

# What each probe changes; the rest stays as it is for hours.
MOVING = {m.DEFAULT_SENT, m.DEFAULT_LOST, m.UPLINK_SENT, m.UPLINK_LOST, m.UPLINK_RTT, m.PROBE_BYTES}

Families = dict[Metric, dict[tuple[str, ...], float | Histogram | None]]
Sample = tuple[Metric, tuple[str, ...], float | Histogram | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the landing page: what, its state, since when (unix seconds) and why."""

    what: str
    state: str
    since: float | None
    reason: str


def terminal_samples(
    name: str, carrier: Carrier, default: Path, chronicle: Chronicle, uplinks: Mapping[str, UplinkWatch], shift: float
) -> Families:
    """The yard itself; `shift` makes monotonic seconds wall-clock time."""
    families: Families = {
        m.TERMINAL_STATE: {(name, state): float(state == carrier.state) for state in TERMINAL_STATES},
        m.TERMINAL_STATE_SINCE: {(name,): _wall(carrier.since, shift)},
        m.LAST_GAP: {(name,): chronicle.last_gap},
        m.LAST_OUTAGE: {(name,): chronicle.outage[0] if chronicle.outage else None},
        m.LAST_OUTAGE_END: {(name,): chronicle.outage[1] if chronicle.outage else None},
        m.LAST_FAILOVER: {(name,): chronicle.last_failover},
        m.UPLINK_LAST_GAP: {(name, uplink): gap for uplink, gap in chronicle.uplink_gaps.items()},
        m.DEFAULT_SENT: {(name, lane.target.label): float(lane.sent) for lane in default.lanes},
        m.DEFAULT_LOST: {(name, lane.target.label): float(lane.lost_count) for lane in default.lanes},
        m.TERMINAL_PATH: {(name, uplink, "observed"): float(uplink == carrier.observed) for uplink in uplinks},
    }
    for metric in (m.GAP, m.UPLINK_GAP, m.FAILOVERS, m.DISAGREEMENTS):
        families[metric] = {**chronicle.totals.samples(metric)}
    return families


def uplink_samples(
    watch: UplinkWatch, proof: Proof, services: ServiceProbes, now: float, shift: float
) -> Iterator[Sample]:
    """One uplink; the labels begin with its name."""
    uplink, judgement = watch.uplink.name, watch.verdict.judgement
    for state in UPLINK_STATES:
        yield m.UPLINK_STATE, (uplink, state), float(state == judgement.state)
    yield m.UPLINK_STATE_SINCE, (uplink,), _wall(judgement.since, shift)
    yield m.UPLINK_PINNED, (uplink,), None if proof.pinned is None else float(proof.pinned)
    yield m.UPLINK_INTERVAL, (uplink,), watch.plan.interval
    yield m.UPLINK_RTT, (uplink,), watch.rtt
    yield m.PROBE_BYTES, (uplink,), float(watch.wire.bytes)
    if watch.uplink.role == "standby":
        yield from _standby_samples(watch, services, now, shift)
    if isinstance(watch.uplink.metered, Metered):
        yield m.PROBE_BUDGET, (uplink,), float(watch.uplink.metered.budget)
    if watch.wire.account is not None:
        yield m.PROBE_PERIOD, (uplink,), watch.wire.account.passed(now + shift)
    for lane in (*watch.path.lanes, *watch.path.segments):
        labels = (uplink, lane.target.label, lane.segment)
        yield m.UPLINK_SENT, labels, float(lane.sent)
        yield m.UPLINK_LOST, labels, float(lane.lost_count)
    for segment, answers in watch.answering_segments(now).items():
        yield m.UPLINK_SEGMENT_UP, (uplink, segment), float(answers)


def _standby_samples(watch: UplinkWatch, services: ServiceProbes, now: float, shift: float) -> Iterator[Sample]:
    uplink, record = watch.uplink.name, watch.record
    record.prove(services.proven_at(uplink), shift)
    for check, ready in readiness(watch, services, now).items():
        yield m.STANDBY_READY, (uplink, check), float(ready)
    yield m.STANDBY_PROOF, (uplink,), record.proven
    yield m.STANDBY_CARRIED, (uplink,), record.carried
    yield m.STANDBY_THROUGHPUT, (uplink,), record.speed
    yield m.STANDBY_SAMPLED, (uplink,), record.sampled


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
