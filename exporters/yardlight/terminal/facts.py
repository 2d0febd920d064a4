"""A terminal's facts, as drills ask for them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from yardlight.facts import EventFact, ServiceFact, TerminalFacts, UplinkFact
from yardlight.terminal.exporter import TerminalExporter
from yardlight.terminal.services import ServiceProbes
from yardlight.terminal.telling import readiness


def facts(exporter: TerminalExporter, since: float | None) -> TerminalFacts:
    """What is known now, with the events that began at or after `since` (unix seconds; None for no events)."""
    now, at = time.monotonic(), time.time()
    shift, carrier = at - now, exporter.carrier
    uplinks, ready = {}, {}
    for name, watch in exporter.watches.items():
        judgement = watch.verdict.judgement
        uplinks[name] = UplinkFact(
            role=watch.uplink.role,
            state=judgement.state,
            since=None if judgement.since is None else judgement.since + shift,
            reason=judgement.reason,
        )
        if watch.uplink.role == "standby":
            ready[name] = readiness(watch, exporter.services, now)
    events = [] if since is None else exporter.chronicle.since(since)
    return TerminalFacts(
        at=at,
        state=carrier.state,
        since=None if carrier.since is None else carrier.since + shift,
        observed=carrier.observed,
        uplinks=uplinks,
        ready=ready,
        services=[*_services(exporter.services, now, shift)],
        events=[EventFact(kind=e.kind, uplink=e.uplink, start=e.start, end=e.end, detail=e.detail) for e in events],
    )


def _services(probes: ServiceProbes, now: float, shift: float) -> Iterator[ServiceFact]:
    for watch in probes.watches:
        yield ServiceFact(
            service=watch.name,
            uplink=watch.path,
            up=watch.standing.up if watch.known(now) else None,
            ended=None if watch.ended is None else watch.ended + shift,
            named=None if watch.outcome is None else watch.outcome.named,
            reason=watch.standing.reason or watch.problem,
        )
