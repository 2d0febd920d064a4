"""Records that no runner made: a drill done on paper while the probes ran, and a real failover that counts as one.

Either way every time comes from the probes; nothing typed is a measurement. A plan is never a record: without a
recorded failover there is nothing to attach.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yardlight import sealing
from yardlight.drills import criteria, evidence, findings
from yardlight.drills.conditions import primary_of
from yardlight.drills.criteria import Checked, Criterion
from yardlight.drills.desk import drill_id
from yardlight.drills.evidence import Record
from yardlight.drills.plan import Plan
from yardlight.drills.playbook import Playbook
from yardlight.drills.timeline import Round, Seen, round_of
from yardlight.errors import DrillError
from yardlight.facts import EventFact
from yardlight.history import History
from yardlight.inventory.models import Fleet, Terminal
from yardlight.journal import Journal
from yardlight.state import Event

# A failover this far from the time that somebody remembers is another one.
_NEAR = 3600.0
# A record begins with its first instant, which may be known a little later than what it is about.
_SLACK = 60.0
_MANUAL, _UNPLANNED = "measured, manual steps", "measured, unplanned"


@dataclass(frozen=True)
class Attached:
    """What `drill attach` was asked for: `at` is local time as written, `said` what a person saw work."""

    terminal: str
    playbook: str
    at: str
    by: str
    unplanned: bool
    reviewer: str
    said: str


def attach(
    fleet: Fleet, terminal: Terminal, of: tuple[Playbook, bytes], history: History, at: float, wanted: Attached,
    folder: Path,
) -> Record:  # fmt: skip
    """The record of the failover nearest to `at`, sealed. Raises `DrillError` if none was recorded near it."""
    playbook, source = of
    if wanted.unplanned and not wanted.reviewer:
        raise DrillError("a real failover counts as a test only if a reviewer signs for it: add --reviewer NAME")
    _other_than(wanted.by, wanted.reviewer)
    if not playbook.attachable:
        raise DrillError(f"{playbook.playbook} needs {len(playbook.cuts)} cuts; only one failover can be attached")
    until = at + _NEAR + terminal.failback_within + 86400.0
    events = [_fact(each) for each in history.events(fleet.fleet, terminal.name, (at - _NEAR - 600, until))]
    failover = _nearest(events, terminal, at)
    for record in evidence.records(folder):
        within = record.body["begun"] - _SLACK <= failover.start <= record.ended
        # What a drill has failed is not passed by the same failover on paper; one that was broken off may be.
        if record.terminal == terminal.name and within and record.result not in ("aborted", "refused"):
            raise DrillError(f"this failover is on record already: {record.folder}")
    watched = max(
        (span.end for span in history.spans(fleet.fleet, terminal.name, (failover.start, until))), default=0.0
    )
    plan = Plan(
        drill_id(terminal.name, playbook.playbook, failover.start), fleet, terminal, playbook, source, wanted.by
    )
    round_ = _round(failover, events, terminal, watched)
    judged = _judged(round_, plan, wanted)
    result = criteria.result(judged, "")
    return _write(plan, wanted, round_, judged, result, events, folder / plan.drill)


def _fact(event: Event) -> EventFact:
    return EventFact(kind=event.kind, uplink=event.uplink, start=event.start, end=event.end, detail=event.detail)


def _nearest(events: Sequence[EventFact], terminal: Terminal, at: float) -> EventFact:
    there = [each for each in events if each.kind == "failover" and each.uplink != primary_of(terminal)]
    near = min(there, key=lambda each: abs(each.start - at), default=None)
    if near is None or abs(near.start - at) > _NEAR:
        raise DrillError(f"no failover of {terminal.name} was recorded within an hour of that time")
    return near


def _round(failover: EventFact, events: Sequence[EventFact], terminal: Terminal, watched: float) -> Round:
    """Until the yard was back and something else happened, or as far as anybody looked."""
    primary = primary_of(terminal)
    back = next((e for e in events if e.kind == "failover" and e.uplink == primary and e.start > failover.end), None)
    later = [e for e in events if back is not None and e.kind in ("gap", "failover") and e.start > back.end + 300.0]
    end = later[0].start if later else watched
    # A silence of the circuit that began a little before is the reason.
    return round_of(Seen(1, primary, failover.start - 60.0, end, None, None, events, quiet_until=end))


def _judged(round_: Round, plan: Plan, wanted: Attached) -> list[Criterion]:
    limits = {name: limit for name, limit in plan.limits.items() if name not in ("alert", "notification")}
    judged = [*criteria.of_rounds([round_], limits, 1, False)]
    judged += [
        Criterion(name, "not configured", "not part of what was recorded", 1)
        for name in ("alert", "notification")
        if name in plan.limits
    ]
    text = wanted.said or "nobody said what worked"
    said = Checked("business check by hand", bool(wanted.said) or None, text, 1, configured=False)
    return [*judged, *criteria.of_checks([said])]


def _write(
    plan: Plan, wanted: Attached, round_: Round, judged: Sequence[Criterion], result: tuple[str, str],
    events: Sequence[EventFact], folder: Path,
) -> Record:  # fmt: skip
    if not round_.instants:
        raise DrillError("of this failover nothing was measured, so there is nothing to attach")
    begun = min(instant.at for instant in round_.instants.values())
    ended = max(instant.at for instant in round_.instants.values())
    kind = _UNPLANNED if wanted.unplanned else _MANUAL
    book = Journal(folder / sealing.JOURNAL)
    try:
        now = time.time()
        book.write("attached", now, drill=plan.drill, terminal=plan.terminal.name, playbook=plan.playbook.playbook,
                   kind=kind, by=wanted.by, said=wanted.said)  # fmt: skip
        if wanted.reviewer:
            book.write("signed", now, reviewer=wanted.reviewer, statement=_statement(wanted))
    finally:
        book.close()
    body: dict[str, Any] = findings.document(plan, judged, [round_], (begun, ended), result)
    body |= {"kind": kind, "reviewer": wanted.reviewer}
    sealing.write_bytes(folder, "playbook.yml", plan.source)
    for name, document in findings.settings(plan, {}).items():
        sealing.write(folder, name, document)
    sealing.write(folder, "events.json", [each.model_dump() for each in events])
    sealing.write(folder, sealing.RECORD, body)
    sealing.seal(folder)
    return evidence.read(folder)


def _statement(wanted: Attached) -> str:
    return "accepted as the test of its quarter" if wanted.unplanned else "the paper was looked at"


def sign(folder: Path, reviewer: str, statement: str, now: float) -> str:
    """Add a signature and seal again; the new seal. Raises `DrillError` for evidence that is not whole."""
    if found := sealing.verify(folder):
        raise DrillError(f"what was edited is not signed: {'; '.join(map(str, found))}")
    record = evidence.read(folder)
    _other_than(record.body["who"], reviewer)
    name = f"signature-{1 + len(list(folder.glob('signature-*.json')))}.json"
    before = (folder / sealing.SEAL).read_text(encoding="ascii").strip()
    sealing.write(folder, name, {"reviewer": reviewer, "statement": statement, "at": now, "seal": before})
    return sealing.seal(folder)


def _other_than(who: str, reviewer: str) -> None:
    """Raises `DrillError` if whoever reviews it is who ran it."""
    if reviewer and reviewer.strip().casefold() == who.strip().casefold():
        raise DrillError(f"{reviewer} ran it; somebody else has to sign")


def signatures(folder: Path) -> list[dict[str, Any]]:
    """Who signed, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("signature-*.json"))]
