"""The terminals' part of the monthly report: circuits, credits, failovers, the standby, and what was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from yardlight.calendars import maintenance
from yardlight.history import Availability, Outage, carried, circuit_availability, outages, terminal_availability
from yardlight.intervals import Interval, minus, seconds
from yardlight.inventory.models import Sla, Terminal, Uplink
from yardlight.report import Scope, Section
from yardlight.state import Event, Span
from yardlight.templates import part

# More rows than anybody reads on paper; the rest is in `yardlight outages`.
_MOST_ROWS = 60
# A restart of the box, or a moment until a path is proven again, is not worth a row.
WORTH_SAYING = 60.0
# Slices of a month in the strip beside a circuit: an hour and a bit each.
_SLICES = 600


@dataclass(frozen=True)
class CircuitMonth:
    """One circuit in the month: `period` is the part of it that is over, `whole` all of it."""

    terminal: Terminal
    uplink: Uplink
    period: Interval
    whole: Interval
    path: Availability
    carried: list[Interval]

    @property
    def longest(self) -> float:
        return max((outage.seconds for outage in self.path.outages), default=0.0)

    @property
    def carried_seconds(self) -> float:
        return seconds(self.carried)

    @property
    def strip(self) -> list[tuple[int, int, str]]:
        """The month in slices for a picture: (first slice, how many, up, down or none), worst first in each."""
        return _strip(self.path, self.whole)

    @cached_property
    def claim(self) -> Claim | None:
        sla = self.uplink.circuit.sla
        if sla is None:
            return None
        counted = seconds(minus(self.path.down, maintenance(self.terminal, self.uplink.name)))
        return Claim(sla, self.whole[1] - self.whole[0], counted, self.path.down_seconds - counted)


@dataclass(frozen=True)
class Claim:
    """What can be claimed under an SLA: `counted` are the seconds down that were measured, outside maintenance.

    Time that was not measured is taken as up, in the ISP's favor: the credit is the least that is due.
    """

    sla: Sla
    period: float
    counted: float
    excused: float

    @property
    def allowed(self) -> float:
        return (1 - self.sla.availability) * self.period

    @property
    def availability(self) -> float:
        return 1 - self.counted / self.period

    @property
    def credit(self) -> float:
        return self.sla.credit(self.availability)

    @property
    def kept(self) -> bool:
        return self.counted <= self.allowed


@dataclass(frozen=True)
class TerminalMonth:
    """One terminal in the month."""

    terminal: Terminal
    period: Interval
    path: Availability
    circuits: list[CircuitMonth]
    moves: list[Outage]
    gaps: list[Outage]

    @property
    def standby_seconds(self) -> float:
        return sum(circuit.carried_seconds for circuit in self.circuits if circuit.uplink.role == "standby")


def sections(scope: Scope) -> list[Section]:
    """The sections of all terminals, in the order of the inventory."""
    months = [terminal_month(scope, terminal) for terminal in scope.terminals.values()]
    circuits = [circuit for month in months for circuit in month.circuits]
    moves = [(month.terminal, move) for month in months for move in month.moves]
    shown: dict[str, object] = {"months": months, "moves": moves[:_MOST_ROWS], "more": len(moves[_MOST_ROWS:])}
    return [
        Section("Circuits", part("report_circuits.html", circuits=circuits, slices=_SLICES, least=WORTH_SAYING)),
        Section("Service credits", part("report_credits.html", circuits=circuits)),
        Section("Terminals, failovers and the standby", part("report_terminals.html", local=local, **shown)),
        Section("What was not measured", part("report_unmeasured.html", notes=list(_notes(months)), local=local)),
    ]


def terminal_month(scope: Scope, terminal: Terminal) -> TerminalMonth:
    """All that the report says about one terminal."""
    period, whole = scope.period(terminal), scope.whole(terminal)
    spans = scope.history.spans(scope.fleet.fleet, terminal.name, period)
    events = scope.history.events(scope.fleet.fleet, terminal.name, period)
    rows = [row for row in outages(terminal, events, spans) if period[0] <= row.start < period[1]]
    return TerminalMonth(
        terminal,
        period,
        terminal_availability(spans, events, period),
        [_circuit(terminal, uplink, spans, events, period, whole) for uplink in terminal.uplinks.values()],
        [row for row in rows if row.kind in ("failover", "failback")],
        [row for row in rows if row.kind == "gap"],
    )


def _circuit(
    terminal: Terminal,
    uplink: Uplink,
    spans: Sequence[Span],
    events: Sequence[Event],
    period: Interval,
    whole: Interval,
) -> CircuitMonth:
    path = circuit_availability(uplink.name, spans, events, period)
    return CircuitMonth(terminal, uplink, period, whole, path, carried(uplink.name, spans, period))


def _strip(path: Availability, whole: Interval) -> list[tuple[int, int, str]]:
    width = (whole[1] - whole[0]) / _SLICES
    slices = [""] * _SLICES
    for state, intervals in (("up", path.up), ("down", path.down)):
        for start, end in intervals:
            first, last = int((start - whole[0]) / width), int((end - whole[0]) / width - 1e-9)
            slices[first : last + 1] = [state] * (min(last, _SLICES - 1) - first + 1)
    runs: list[tuple[int, int, str]] = []
    for index, state in enumerate(slices):
        if runs and runs[-1][2] == state:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, state)
        else:
            runs.append((index, 1, state))
    return [run for run in runs if run[2]]


@dataclass(frozen=True)
class Note:
    """How much of the month nobody measured a path, and when measuring began if that was not at once."""

    what: str
    terminal: Terminal
    seconds: float
    part: float
    begun: float | None
    late: bool


def _notes(months: Sequence[TerminalMonth]) -> Iterator[Note]:
    for month in months:
        yield from _note(month.terminal, f"{month.terminal.name}, the yard's traffic", month.path)
        for circuit in month.circuits:
            yield from _note(month.terminal, f"{month.terminal.name} {circuit.uplink.name}", circuit.path)


def _note(terminal: Terminal, what: str, path: Availability) -> Iterator[Note]:
    if path.unmeasured_seconds < WORTH_SAYING:
        return
    late = path.begun is not None and path.begun - path.period[0] > 3600
    yield Note(what, terminal, path.unmeasured_seconds, path.unmeasured_seconds / path.period_seconds, path.begun, late)


def local(at: float, terminal: Terminal) -> str:
    """'Oct 3, 02:00:07 PDT'."""
    moment = datetime.fromtimestamp(at, terminal.zone)
    return f"{moment:%b} {moment.day}, {moment:%H:%M:%S %Z}"
