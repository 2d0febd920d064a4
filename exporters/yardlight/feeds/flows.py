"""Flows: what two feeds left last, put side by side, and what of it people and rules are told.

Trucks that differ are named in the log, on their own pages, on the flow's page and by `yardlight flows show`, by their
names on the roster and never in a label.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.collection import Families, Join, Left, Source, Told
from yardlight.domains import PlannedJoin
from yardlight.feeds import daily, findings
from yardlight.feeds.agreement import Agreement, Bounds, Difference, Said, Trails, agreement
from yardlight.feeds.daily import Daily
from yardlight.feeds.memory import FORGOTTEN_AFTER, Memory, recalled
from yardlight.inventory.flows import Flow
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet
from yardlight.logs import kv
from yardlight.things import Fact, Thing, pack

log = logging.getLogger(__name__)

# Looked at so many times in the time that the sink may be behind, within these bounds.
_LOOKS, _SOONEST, _LATEST, _DEADLINE = 24, 60.0, 300.0, 60.0
_RUNBOOKS = "/runbooks"
# As long as what a feed told is shown at all.
_KEPT_FOR = 86400.0
_SIDES: tuple[Literal["source", "sink"], ...] = ("source", "sink")
# So many trucks are named in a line of the log.
_NAMED = 20


class FlowPlan(Model):
    """A flow with everything resolved. `roster` are the trucks that count, None where any id does."""

    name: str
    flow: Flow
    adds_up: dict[str, bool]
    roster: frozenset[str] | None
    zone: str


def planned(fleet: Fleet, base: Path, adds_up: Mapping[str, bool]) -> Iterator[PlannedJoin]:
    """One join for each flow; `adds_up` says of each feed whether its replies hold what is new only."""
    for name, flow in fleet.flows.items():
        by_truck = flow.key == "truck" and fleet.roster.trucks
        trucks = frozenset(truck.name for truck in fleet.roster.trucks if truck.status == "active")
        plan = FlowPlan(
            name=name,
            flow=flow,
            adds_up={side: adds_up[flow.of(side).feed] for side in _SIDES},
            roster=trucks if by_truck else None,
            zone=fleet.timezone,
        )
        of = tuple(f"feeds/{flow.of(side).feed}" for side in _SIDES)
        interval = min(max(flow.max_lag / _LOOKS, _SOONEST), _LATEST)
        yield PlannedJoin(Join(Source(fleet.fleet, "", f"flows/{name}", plan, base), of, show), interval, _DEADLINE)


def said(fleet: Fleet) -> Families:
    """The flows, and by how much their sides may differ."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    for name, flow in fleet.flows.items():
        source, sink = flow.of("source").feed, flow.of("sink").feed
        families[m.FLOW_INFO][name, source, sink, flow.shows or name, _page(fleet, name)] = 1
        families[m.FLOW_MAX_LAG][name,] = flow.max_lag
        if flow.of("source").value:
            families[m.FLOW_ALLOWED][name, "mismatches"] = flow.mismatches_allowed
        families[m.FLOW_ALLOWED][name, "missing"] = flow.missing_allowed
        families[m.FLOW_DAY_ALLOWED][name,] = flow.days_differ
    return families


def _page(fleet: Fleet, name: str) -> str:
    """Where the page of this flow is; empty where the inventory has no address of this exporter."""
    links = fleet.links
    here = links.centre or (links.runbooks or "").rstrip("/").removesuffix(_RUNBOOKS)
    # Runbooks that lie somewhere else say nothing about where this is.
    if not here or here == (links.runbooks or "").rstrip("/"):
        return ""
    return f"{here.rstrip('/')}/flow/{quote(fleet.fleet, safe='')}/{quote(name, safe='')}"


def show(source: Source, left: Mapping[str, Left], memory: Any, now: float) -> Told:
    """The samples of one flow, and what to remember of it. While a side is not known, nothing is said."""
    plan = source.section
    assert isinstance(plan, FlowPlan)
    kept = memory or {"flow": ""}
    if kept["flow"] != (written := plan.flow.model_dump_json()):
        kept = {"flow": written, "trails": None, "told": [], "found": None, "days": None}
    known = [left.get(f"feeds/{plan.flow.of(side).feed}", (0.0, None)) for side in _SIDES]
    as_of = min(at for at, _ in known)
    if now - as_of > _KEPT_FOR or any(remembered is None for _, remembered in known):
        return Told({}, kept)
    trails = Trails(**kept["trails"]) if kept["trails"] else Trails()
    first, second = (_side(plan, side, recalled(each)) for side, (_, each) in zip(_SIDES, known, strict=True))
    found = agreement(first, second, trails, _bounds(plan), as_of)
    troubled = sorted({*found.differ, *found.missing["source"], *found.missing["sink"]})
    if troubled != kept["told"]:
        _log(source.fleet, plan, found)
    lines = dict(_lines(plan, found))
    days, zone = daily.recalled(kept.get("days")), ZoneInfo(plan.zone)
    for side, told, (read, _) in zip(_SIDES, (first, second), known, strict=True):
        days.note(side, told, read, plan.adds_up[side], zone)
    days.settle(as_of, plan.flow.max_lag, zone)
    kept = {
        "flow": written,
        "trails": trails.to_json(),
        "told": troubled,
        "found": asdict(findings.of(found, trails, as_of)),
        "days": days.to_json(),
    }
    families = {**_samples(plan.name, found), **_of_days(plan.name, days)}
    return Told(families, kept, things=pack(_things(plan, lines, as_of), now))


def _side(plan: FlowPlan, side: Literal["source", "sink"], memory: Memory) -> dict[str, Said]:
    """What one side last told of each truck or id, under the name that both know it by."""
    value, factor = plan.flow.of(side).value, plan.flow.factor if side == "source" else 1.0
    found: dict[str, Said] = {}
    for called, seen in memory.seen.items():
        number = seen.values.get(value)
        listed = plan.adds_up[side] or seen.listed == memory.answered
        told = Said(seen.last, None if number is None else number * factor, listed)
        key = _key(plan, called, seen.truck)
        # Of a truck that has two units, the one that spoke last counts.
        if key and (key not in found or (found[key].at or 0.0) < seen.last):
            found[key] = told
    for called, (truck, at) in memory.listed.items():
        if key := _key(plan, called, truck):
            found.setdefault(key, Said(None, None, plan.adds_up[side] or at == memory.answered))
    return found


def _key(plan: FlowPlan, called: str, truck: str) -> str:
    """The name by which both sides know it; empty for what does not count."""
    if plan.roster is None:
        return called.strip().casefold()
    return truck if truck in plan.roster else ""


def _bounds(plan: FlowPlan) -> Bounds:
    # Where replies hold what is new only, an id is not known before something happens to it.
    patience: dict[str, float] = {side: FORGOTTEN_AFTER if plan.adds_up[side] else plan.flow.max_lag for side in _SIDES}
    return Bounds(plan.flow.tolerance, plan.flow.max_lag, patience)


def _samples(flow: str, found: Agreement) -> Families:
    valued = found.compared > 0
    return {
        m.FLOW_LAG: {(flow,): found.lag},
        m.FLOW_COMPARED: {(flow,): found.compared},
        m.FLOW_MISMATCHES: {(flow,): len(found.differ) if valued else None},
        m.FLOW_MISSING: {(flow, side): len(found.missing[side]) for side in _SIDES},
    }


def _of_days(flow: str, days: Daily) -> Families:
    """The last day that has settled."""
    last = next(iter(days.days), None)
    if last is None:
        return {}
    return {
        m.FLOW_DAY: {(flow,): last.start},
        m.FLOW_DAY_RECORDS: {(flow, "source"): last.source, (flow, "sink"): last.sink},
    }


def _lines(plan: FlowPlan, found: Agreement) -> Iterator[tuple[str, str]]:
    """What is wrong with each truck or id, for people."""
    feeds = {side: plan.flow.of(side).feed for side in _SIDES}
    for side in _SIDES:
        for key in found.missing[side]:
            yield key, f"not in {feeds[side]}"
    for key, each in found.differ.items():
        yield key, f"{each.value:,.0f} in {feeds['sink']}, {each.expected:,.0f} in {feeds['source']} ({_off(each)})"


def _off(each: Difference) -> str:
    return f"{(each.value / each.expected - 1) * 100:+.1f} %" if each.expected else "0 expected"


def _things(plan: FlowPlan, lines: Mapping[str, str], as_of: float) -> Iterator[Thing]:
    kind: Literal["truck"] = "truck"
    for key, text in lines.items():
        name = key if plan.roster is not None else ""
        yield Thing(kind, name, key, facts=(Fact(f"flow {plan.name}", text, as_of),))


def _log(fleet: str, plan: FlowPlan, found: Agreement) -> None:
    """Say what differs now, once, with the names of the roster."""
    named = {"differ": list(found.differ), **{f"missing_in_{side}": found.missing[side] for side in _SIDES}}
    if plan.roster is None:
        # Ids of vendors are nobody's to log.
        named = {}
    shown = {key: ",".join(names[:_NAMED]) for key, names in named.items() if names}
    counts = {"differing": len(found.differ), "missing": sum(map(len, found.missing.values()))}
    where = kv(fleet=fleet, flow=plan.name, **counts, **shown)
    log.warning("the two sides of a flow differ otherwise than before", extra=where)
