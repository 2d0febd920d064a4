"""What past drills say about today, as samples: the last run, the last pass, what is due. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from yardlight import catalogue as m
from yardlight.catalogue import Metric
from yardlight.drills import cadence
from yardlight.drills.evidence import Record
from yardlight.drills.session import Result
from yardlight.inventory.load import Inventory


def record_samples(
    inventory: Inventory, known_since: Mapping[str, float], records: Sequence[Record]
) -> dict[Metric, dict[tuple[str, ...], float]]:
    """Everything about past runs and what is due. Pure."""
    families: dict[Metric, dict[tuple[str, ...], float]] = {}

    def put(metric: Metric, labels: tuple[str, ...], value: float) -> None:
        families.setdefault(metric, {})[labels] = value

    terminals = inventory.fleet.terminals
    passed: dict[tuple[str, str], float] = {}
    for record in records:
        if record.terminal not in terminals or record.body.get("fleet") != inventory.fleet.fleet:
            continue
        key = (record.terminal, record.playbook)
        put(m.DRILL_LAST_RUN, key, record.ended)
        for result in get_args(Result):
            put(m.DRILL_LAST_RESULT, (*key, result), float(result == record.result))
        # What an earlier run measured says nothing about this one.
        measured = durations(record.body.get("rounds", ()))
        for phase in ("failover", "failback", "told"):
            families.setdefault(m.DRILL_LAST_DURATION, {}).pop((*key, phase), None)
            if phase in measured:
                put(m.DRILL_LAST_DURATION, (*key, phase), measured[phase])
        if record.result == "pass":
            passed[key] = max(passed.get(key, 0.0), record.ended)
            put(m.DRILL_LAST_PASS, key, passed[key])
    for name, terminal in terminals.items():
        if terminal.drill is not None and name in known_since:
            key = (name, terminal.drill.playbook)
            put(m.DRILL_DUE, key, cadence.due(known_since[name], passed.get(key), terminal.zone))
    return families


def durations(rounds: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What the first round of a record measured, by phase."""
    if not rounds:
        return {}
    first, found = rounds[0], {}
    for phase, gap in (("failover", first["gap"]), ("failback", first["back_gap"])):
        if gap is not None:
            found[phase] = float(gap["at"])
    instants = first["instants"]
    if "t0" in instants and "t5" in instants:
        found["told"] = float(instants["t5"]["at"] - instants["t0"]["at"])
    return found
