"""The plans' part of the monthly report: what each pool, and each SIM with a cap of its own, used in the month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from yardlight.cellular.history import ordinal
from yardlight.cellular.outlook import Entry, Outlook, outlooks
from yardlight.intervals import Interval
from yardlight.inventory import words
from yardlight.lookback import month
from yardlight.report import Scope, Section
from yardlight.templates import part

# Of SIMs that idle, the report looks at as many days as `yardlight usage report` does.
_IDLE_DAYS = 30


@dataclass(frozen=True)
class PlanMonth:
    """One plan in the month: `used` on the days of it that are known, None if none is; `unknown` are the others.

    What is left of a cycle and what fits the next one is as of now.
    """

    account: str
    entry: Entry
    used: int | None
    unknown: int


def sections(scope: Scope) -> list[Section]:
    """One for the whole fleet: a SIM in a truck is no terminal's."""
    if not scope.fleet.cellular or len(scope.terminals) < len(scope.fleet.terminals):
        return []
    found = list(outlooks(scope.fleet, scope.history, _IDLE_DAYS, scope.now))
    plans = [plan for each in found for plan in _plans(scope, each)]
    missing = [each.source for each in found if each.collected is None]
    return [Section("Cellular plans", part("report_plans.html", plans=plans, missing=missing, size=words.size))]


def _plans(scope: Scope, outlook: Outlook) -> Iterator[PlanMonth]:
    start, end = month(scope.month, outlook.zone)
    for entry in outlook.entries:
        if entry.kind == "pool" or entry.line.plan.limit is not None:
            yield _plan(outlook, entry, (start, min(end, scope.now)))


def _plan(outlook: Outlook, entry: Entry, period: Interval) -> PlanMonth:
    days = range(ordinal(period[0], outlook.zone), ordinal(period[1] - 1.0, outlook.zone) + 1)
    told = [used for day in days if (used := entry.line.track.day(day)) is not None]
    return PlanMonth(outlook.account, entry, sum(told) if told else None, len(days) - len(told))
