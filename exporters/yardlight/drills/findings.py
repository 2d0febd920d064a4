"""From what a run saw to what is told: checks judged, rounds put together, the evidence written into its folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from yardlight import __version__, sealing
from yardlight.drills import timeline
from yardlight.drills.conditions import primary_of, standby_of
from yardlight.drills.criteria import Checked, Criterion
from yardlight.drills.plan import Known, Plan
from yardlight.drills.timeline import Round, Seen
from yardlight.drills.world import Centre, Yard
from yardlight.errors import DrillError
from yardlight.facts import EventFact, ServiceFact, TerminalFacts
from yardlight.inventory import words
from yardlight.inventory.models import Terminal, Throughput

Interval = tuple[float, float]
_DEFAULT = "default"
_FRACTION = re.compile(r"\.(\d+)")
# Before and after the drill, so that the evidence shows how it was.
_AROUND = 120.0
# Prometheus answers at most 11 000 points a series.
_POINTS = 5000
QUERIES = {
    "terminal-state": 'yardlight_terminal_state{{fleet="{fleet}",terminal="{terminal}"}}',
    "uplink-state": 'yardlight_uplink_state{{fleet="{fleet}",terminal="{terminal}"}}',
    "default-path-lost": 'yardlight_default_path_probes_lost_total{{fleet="{fleet}",terminal="{terminal}"}}',
    "default-path-sent": 'yardlight_default_path_probes_sent_total{{fleet="{fleet}",terminal="{terminal}"}}',
    "services": 'yardlight_service_up{{fleet="{fleet}",terminal="{terminal}"}}',
    "probe-bytes": 'yardlight_probe_bytes_total{{fleet="{fleet}",terminal="{terminal}"}}',
    "alerts": 'ALERTS{{fleet="{fleet}",terminal="{terminal}"}}',
}


def moment(text: str) -> float:
    """Unix seconds of a time as Alertmanager and Prometheus write it, with up to nine decimals."""
    match = _FRACTION.search(text)
    if match:
        text = text.replace(match[0], f".{match[1][:6]:0<6}")
    return datetime.fromisoformat(text).timestamp()


def turned(before: TerminalFacts, now: TerminalFacts, standby: str | None) -> Interval | None:
    """Between which two of its answers the router began to say that it uses the standby, if it did just now."""
    if standby is None or now.claimed != standby or before.claimed == standby:
        return None
    if before.claimed_at is None or now.claimed_at is None:
        return None
    return before.claimed_at, now.claimed_at


def check(name: str, terminal: Terminal, facts: TerminalFacts, since: float, round_: int) -> Checked:
    """One check against the newest facts; only what was measured after `since` counts."""
    if name == "standby":
        return _standby(terminal, facts, round_)
    title = f"business check {name}"
    asked = [each for each in facts.services if each.uplink == _DEFAULT]
    if not asked:
        return Checked(title, None, "no service is named in the inventory", round_, configured=False)
    fresh = [each for each in asked if each.ended is not None and each.ended > since]
    if name == "dns":
        return _dns(title, terminal, facts, fresh, round_)
    waiting = sorted({each.service for each in asked} - {each.service for each in fresh if each.up is not None})
    failing = sorted(f"{each.service} ({each.reason})" for each in fresh if each.up is False)
    if failing:
        return Checked(title, False, f"does not work over the standby: {', '.join(failing)}", round_)
    if waiting:
        return Checked(title, None, f"not asked over the standby in time: {', '.join(waiting)}", round_)
    return Checked(title, True, f"works over the standby: {', '.join(sorted(each.service for each in fresh))}", round_)


def _dns(title: str, terminal: Terminal, facts: TerminalFacts, fresh: Sequence[ServiceFact], round_: int) -> Checked:
    """Names over the path of the yard, or else over the standby's own: both go by the same circuit now."""
    named = [each for each in fresh if each.named is not None]
    if any(each.named for each in named):
        return Checked(title, True, "names are resolved over the standby", round_)
    ready = facts.ready.get(standby_of(terminal) or "", {}).get("dns")
    if named or ready == 0:
        return Checked(title, False, "dns: names are not resolved over the standby", round_)
    return Checked(title, None, "no name was asked for over the standby in time", round_, configured=bool(fresh))


def _standby(terminal: Terminal, facts: TerminalFacts, round_: int) -> Checked:
    title, standby = "standby", standby_of(terminal)
    ready = facts.ready.get(standby or "", {})
    if not ready:
        return Checked(title, None, "nothing is known of the standby", round_)
    failing = sorted(name for name, value in ready.items() if value != 1)
    if failing:
        return Checked(title, False, f"{standby} fails {' and '.join(failing)}", round_)
    wanted = {"path", "dns", "service"} if terminal.services else {"path"}
    if missing := sorted(wanted - ready.keys()):
        return Checked(title, None, f"{standby} is not proven yet: {' and '.join(missing)}", round_)
    return Checked(title, True, f"{standby} is proven: {', '.join(sorted(ready))}", round_)


def throughput(wanted: Throughput, size: int, seconds: float, round_: int) -> Checked:
    """What a download over the standby showed."""
    rate = size / max(seconds, 1e-3)
    text = f"{words.size(size)} in {seconds:.1f} s over the standby, {words.size(rate)} a second"
    if wanted.least is None:
        return Checked("business check throughput", size > 0, text, round_)
    text += f"; at least {words.size(wanted.least)} a second"
    return Checked("business check throughput", rate >= wanted.least, text, round_)


def rounds(terminal: Terminal, known: Known, events: Sequence[EventFact]) -> list[Round]:
    """Each round that was begun, with its instants."""
    found = []
    numbers = sorted(known.cuts)
    for number in numbers:
        # What belongs to a round began after it did, and before the next one.
        end = known.cuts[number + 1].begin - 1.0 if number + 1 in known.cuts else float("inf")
        told = list(known.told.values()) if number == 1 else []
        found.append(
            timeline.round_of(
                Seen(
                    number,
                    primary_of(terminal),
                    known.cuts[number].begin,
                    end,
                    known.cuts[number],
                    known.restored.get(number),
                    events,
                    told,
                    known.claimed.get(number),
                    number in known.flaps,
                    known.quiet_until.get(number),
                )
            )
        )
    return found


async def gather(
    folder: Path,
    plan: Plan,
    known: Known,
    yard: Yard,
    centre: Centre | None,
    facts: TerminalFacts | None,
    when: Interval,
) -> None:
    """Write all that was seen into the folder; what cannot be had is said in it."""
    documents: dict[str, Any] = {
        **settings(plan, known.offsets),
        "preconditions.json": [asdict(each) for each in known.conditions],
        "events.json": [each.model_dump() for each in facts.events] if facts is not None else [],
        "alerts.json": list(known.alerts.values()),
        "notifications.json": known.notices,
    }
    with contextlib.suppress(DrillError):
        documents["guard.json"] = list(await yard.lines(plan.drill))
    for name, document in documents.items():
        await asyncio.to_thread(sealing.write, folder, name, document)
    lines = "".join(json.dumps(sample, sort_keys=True) + "\n" for sample in known.samples)
    await asyncio.to_thread(sealing.write_bytes, folder, "facts.jsonl", lines.encode())
    if centre is not None and not known.refused:
        await _ask(folder, plan, centre, when)


async def _ask(folder: Path, plan: Plan, centre: Centre, when: Interval) -> None:
    start, end = when[0] - _AROUND, when[1]
    step = max(1.0, round((end - start) / _POINTS))
    for number, (name, query) in enumerate(QUERIES.items(), 1):
        expression = query.format(fleet=plan.fleet.fleet, terminal=plan.terminal.name)
        try:
            answer: Any = await centre.query(expression, start, end, step)
        except DrillError as error:
            answer = {"query": expression, "error": str(error)}
        await asyncio.to_thread(sealing.write, folder, f"queries/{number:02}-{name}.json", answer)


def settings(plan: Plan, offsets: Mapping[str, Interval]) -> dict[str, Any]:
    """How the terminal was set up, and what measured it; by file."""
    machines = {"yardlight": __version__, "python": platform.python_version(), "machine": platform.node()}
    return {"terminal.json": _terminal(plan), "machines.json": {**machines, "offsets": offsets}}


def _terminal(plan: Plan) -> dict[str, Any]:
    """The terminal as it was set up, without what may be a secret."""
    dumped = plan.terminal.model_dump(mode="json")
    cut = (dumped.get("drill") or {}).get("cut") or {}
    for call in (cut.get("http") or {}).values():
        call["headers"] = sorted(call["headers"])
        call["url"] = call["url"].partition("?")[0]
        call["body"] = f"{len(call['body'])} characters"
    for way, words_ in (cut.get("command") or {}).items():
        cut["command"][way] = [words_[0], f"{len(words_) - 1} arguments"]
    return dumped


def kind(plan: Plan) -> str:
    """How the times of a run came to be."""
    if plan.playbook.kind == "tabletop":
        return "talked through"
    return "measured" if plan.cut is not None or not plan.playbook.cuts else "measured, manual steps"


def document(
    plan: Plan, judged: Sequence[Criterion], found: Sequence[Round], when: Interval, result: tuple[str, str]
) -> dict[str, Any]:
    """The outcome as one document."""
    return {
        "drill": plan.drill,
        "fleet": plan.fleet.fleet,
        "terminal": plan.terminal.name,
        "playbook": plan.playbook.playbook,
        "version": plan.playbook.version,
        "title": plan.playbook.title,
        "kind": kind(plan),
        "who": plan.who,
        "approver": plan.approver,
        "begun": when[0],
        "ended": when[1],
        "result": result[0],
        "why": result[1],
        "limits": plan.limits,
        "timezone": plan.terminal.timezone,
        "criteria": [asdict(each) for each in judged],
        "rounds": [round_document(each) for each in found],
    }


def round_document(found: Round) -> dict[str, Any]:
    """A round with its instants and lengths."""
    return {
        "number": found.number,
        "flap": found.flap,
        "instants": {name: asdict(instant) for name, instant in found.instants.items()},
        "gap": None if found.gap is None else asdict(found.gap),
        "back_gap": None if found.back_gap is None else asdict(found.back_gap),
        "disturbances": found.disturbances,
        "quiet": found.quiet,
    }
