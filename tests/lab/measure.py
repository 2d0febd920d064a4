"""Measured against truth: rows of the report, their bars, and the table."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One line of the report. `bars` maps a statistic (median, p95, max; share for yes or no) to its limit.

    A share must reach its limit, the others must stay at or below it. No bars: printed for comparison only.
    """

    title: str
    unit: str = "s"
    bars: Mapping[str, float] = field(default_factory=dict)


ALWAYS = {"share": 1.0}
ROW_IDS = [*(f"T{number:02}" for number in range(1, 40)), *(f"D{number:02}" for number in range(1, 16))]
ROWS: dict[str, Row] = {
    "bar1.recorded": Row("1 blackhole recorded once on fiber", "yes", ALWAYS),
    "bar1.length_error": Row("1 length error, fiber gap", bars={"median": 0.25, "p95": 0.6}),
    "bar1.default_error": Row("1 length error, default path gap"),
    "bar1.pages": Row("1 pages during blackholes", "posts", {"max": 0}),
    "bar1.false_events": Row("1 false events while quiet", "events", {"max": 0}),
    "bar1.quiet_posts": Row("1 notifications while quiet", "posts", {"max": 0}),
    "bar2.fiber.told_after": Row("2 fiber cut, LTE takes over: ticket after", bars={"p95": 20}),
    "bar2.fiber.pages": Row("2 fiber cut: pages", "posts", {"max": 0}),
    "bar2.fiber.once": Row("2 fiber cut: one firing post a receiver", "yes", ALWAYS),
    "bar2.fiber.usual": Row("2 fiber cut: blackbox_exporter after"),
    "bar2.dark.told_after": Row("2 both cut, another way out: page after", bars={"p95": 20}),
    "bar2.dark.once": Row("2 both cut, another way out: one firing post a receiver", "yes", ALWAYS),
    "bar2.dark.usual": Row("2 both cut, another way out: blackbox_exporter after"),
    "bar2.cut_off.told_after": Row("2 both cut, no way out: page from the centre after", bars={"p95": 60}),
    "bar2.cut_off.once": Row("2 both cut, no way out: one firing post a receiver", "yes", ALWAYS),
    "bar2.cut_off.usual": Row("2 both cut, no way out: blackbox_exporter after"),
    "bar3.T01": Row("3 T01 switch after 15 s: ticket, no page", "yes", ALWAYS),
    "bar3.T02": Row("3 T02 switch after 50 s: ticket, no page", "yes", ALWAYS),
    "bar3.T03": Row("3 T03 switch after 90 s: one page, then the ticket", "yes", ALWAYS),
    "bar3.T03-inband": Row("3 T03 measured through the router: one page, then the ticket", "yes", ALWAYS),
    "bar3.T04": Row("3 T04 90 s allowed 120 s: ticket, no page", "yes", ALWAYS),
    "bar3.events": Row("3 failover and failback each recorded once", "yes", ALWAYS),
    "bar3.gap_error": Row("3 gap error, failovers and failbacks", bars={"p95": 0.5}),
    "bar3.observed_after": Row("3 observed path right after", bars={"p95": 3.0}),
    "bar4.dead.noticed": Row("4 dead standby noticed, unmetered", bars={"max": 5.0}),
    "bar4.dead.never_up": Row("4 dead standby never up afterwards", "yes", ALWAYS),
    "bar4.unpinned.noticed": Row("4 policy route removed noticed, unmetered", bars={"max": 5.0}),
    "bar4.unpinned.never_up": Row("4 policy route removed: never up afterwards", "yes", ALWAYS),
    "bar4.metered.noticed": Row("4 same, metered: share of the printed time", "of time", {"max": 1.0}),
    "bar4.metered.never_up": Row("4 metered: never up afterwards", "yes", ALWAYS),
    "bar4.month": Row("4 bytes at the LTE card in a month: share of the budget", "of budget", {"max": 1.0}),
    "bar4.month_counted": Row("4 probe_bytes_total against the card: error", "of bytes"),
    "extra.restart": Row("T21 killed and restarted: no gap, no notification", "yes", ALWAYS),
    "extra.card": Row("T34 card back with another address: probing again after", bars={"max": 30}),
    "extra.sticky_error": Row("router that keeps connections: gap error", bars={"p95": 0.5}),
    "extra.sticky_observed": Row("router that keeps connections: observed right after", bars={"p95": 3.0}),
    "bar5.file_sound": Row("5 state file sound after kill -9, and opened again", "yes", ALWAYS),
    "bar5.never_lower": Row("5 pages on which no counter was lower than before", "yes", ALWAYS),
    "bar5.nothing_lost": Row("5 kills after which every exposed event was in the file", "yes", ALWAYS),
    "bar5.outages_complete": Row("5 terminals of which `yardlight outages` shows every exposed event", "yes", ALWAYS),
    "bar5.exposed_per_life": Row("5 failovers exposed between start and kill", "events"),
    **{f"row.{id_}": Row(f"{id_} holds", "yes", ALWAYS) for id_ in ROW_IDS},
    "proofs.month": Row("bytes at the LTE card with proofs in a month: share of the budget", "of budget", {"max": 1.0}),
    "proofs.month_counted": Row("probe_bytes_total against the card, with proofs: error", "of bytes"),
    "proofs.dead_told": Row("idle LTE of 50 MB a month dies: ticket after"),
    "proofs.unproven_told": Row("nothing known of LTE: ticket after max_proof_age and"),
    "word.claimed_after": Row("router's word right after a switch (a poll each 30 s)", bars={"max": 32}),
    "word.requests": Row("SNMP requests of a poll with 100 000 routes", "requests", {"max": 20}),
    "word.claimed": Row("claimed path known though net-snmp has to read 100 000 routes", "of 1"),
    "drill.passed": Row("quarterly drill by command actions passes", "yes", ALWAYS),
    **{f"drill.t{n}": Row(f"quarterly drill: t{n} against truth", bars={"max": 0.5}) for n in range(9)},
    "drill.in_bar": Row("quarterly drill: truth within the error bar, 50 ms allowed", "yes"),
    "drill.kill.reached": Row("killed in a drill: at the moment that was meant", "yes", ALWAYS),
    "drill.kill.restored": Row("killed in a drill: fibre restored within the guard time", "yes", ALWAYS),
    "drill.kill.told": Row("killed in a drill: the next start says so", "yes", ALWAYS),
    "drill.kill.verified": Row("killed in a drill: evidence whole", "yes", ALWAYS),
    "drill.kill.runner": Row("runner killed with the fibre cut: restored after"),
    "drill.kill.serve": Row("serve killed with the fibre cut: restored after"),
    "drill.kill.both": Row("both killed with the fibre cut: restored after"),
    "drill.kill.away": Row("runner in the centre killed, LTE dead: fibre restored after"),
    "stalls": Row("repeated because the machine stood still", "times"),
    "job": Row("scenario ran to its end", "yes", ALWAYS),
}  # fmt: skip


class Results:
    """What one scenario measured, and its voice while it runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, list[float]] = defaultdict(list)
        self.notes: list[str] = []
        self.rows: list[tuple[str, bool, str]] = []
        self._began = time.monotonic()

    def observe(self, row: str, value: float) -> None:
        assert row in ROWS, row
        self.values[row].append(float(value))

    def row(self, id_: str, holds: bool, story: str, problems: Sequence[str]) -> None:
        """Whether a row of tests/faults/terminal.yml held, and what was notified."""
        self.observe(f"row.{id_}", holds)
        self.rows.append((id_, holds, story))
        self.say(f"{id_} {'holds' if holds else 'DOES NOT HOLD'}: {story}")
        for problem in problems:
            self.note(f"{id_}: {problem}")

    def say(self, text: str) -> None:
        """A line of progress on stderr."""
        print(f"[{self.name} {time.monotonic() - self._began:5.0f} s] {text}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Progress that also belongs in the report: something did not hold."""
        self.notes.append(f"{self.name}: {text}")
        self.say(text)


@dataclass(frozen=True)
class Judged:
    """A row with its figures; `passed` is None where there is no bar."""

    key: str
    row: Row
    count: int
    figures: Mapping[str, float]
    passed: bool | None


def judge(values: Mapping[str, Sequence[float]]) -> list[Judged]:
    """Every measured row in the order of the report."""
    judged = []
    for key, row in ROWS.items():
        if found := values.get(key):
            figures = _figures(row, found)
            passed = all(_holds(name, figures[name], limit) for name, limit in row.bars.items()) if row.bars else None
            judged.append(Judged(key, row, len(found), figures, passed))
    return judged


def _figures(row: Row, values: Sequence[float]) -> dict[str, float]:
    if "share" in row.bars:
        return {"share": sum(values) / len(values)}
    return {"median": statistics.median(values), "p95": percentile(values, 0.95), "max": max(values)}


def _holds(name: str, figure: float, limit: float) -> bool:
    return figure >= limit if name == "share" else figure <= limit


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def show(
    judged: Sequence[Judged], rows: Sequence[tuple[str, bool, str]], notes: Sequence[str], console: Console
) -> None:
    """The table for people, a line for each row of the acceptance scenarios, then what did not hold."""
    table = Table("measured", "n", "median", "p95", "max", "bar", "")
    for one in (one for one in judged if not one.key.startswith("row.")):
        if "share" in one.figures:
            cells = [f"{round(one.figures['share'] * one.count)} of {one.count}", "", ""]
        else:
            cells = [f"{one.figures[name]:.3g} {one.row.unit}" for name in ("median", "p95", "max")]
        bar = ", ".join("all" if name == "share" else f"{name} ≤ {limit:g}" for name, limit in one.row.bars.items())
        verdict = {None: "", True: "[green]pass[/]", False: "[red]FAIL[/]"}[one.passed]
        table.add_row(one.row.title, str(one.count), *cells, bar, verdict)
    if table.row_count:
        console.print(table)
    for id_, holds, story in sorted(rows):
        console.print(f"{id_} {'yes' if holds else 'NO '} {story}", markup=False, soft_wrap=True)
    for note in notes:
        console.print(f"- {note}", markup=False)


def document(judged: Sequence[Judged], values: Mapping[str, Sequence[float]], notes: Sequence[str]) -> dict[str, Any]:
    """The same as JSON, with every single value."""
    rows = [
        {"row": one.key, "title": one.row.title, "unit": one.row.unit, "count": one.count, **one.figures,
         "bars": dict(one.row.bars), "passed": one.passed, "values": list(values[one.key])}
        for one in judged
    ]  # fmt: skip
    return {"rows": rows, "notes": list(notes)}
