"""What the demo shows: terminals, tablets and what goes on between systems as measured, then what was sent to whom.

Everything measured is read from the exporter's own /metrics, so that the table shows what Prometheus gets.
The last column is the simulator's word; the two should agree within seconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from yardlight.catalogue import DEVICES, LAST_GAP, TERMINAL_PATH, TERMINAL_STATE, TERMINAL_STATE_SINCE, UPLINK_STATE
from yardlight.demo.between import Between, Sample
from yardlight.demo.inbox import Notice, clock

_COLORS = {
    "primary": "green", "up": "green", "standby": "yellow", "degraded": "yellow",
    "dark": "bold red", "down": "bold red", "fresh": "green", "stale": "yellow", "gone_from_mdm": "bold red",
}  # fmt: skip
_SAMPLE = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_SHOWN_NOTICES = 8


@dataclass(frozen=True)
class Row:
    """One terminal as measured; None or "" where not known. `since` in Unix seconds, `gap` in seconds."""

    terminal: str
    state: str
    uplinks: tuple[tuple[str, str], ...]
    path: str
    since: float | None
    gap: float | None

    @property
    def healthy(self) -> bool:
        """True if the primary carries and every uplink is up."""
        return self.state == "primary" and all(state == "up" for _, state in self.uplinks)

    @property
    def measured(self) -> str:
        """State and uplinks in a few words, the same as long as nothing changed."""
        return ", ".join([self.state or "unknown", *(f"{name} {state}" for name, state in self.uplinks)])


@dataclass(frozen=True)
class Tablets:
    """A group of tablets: how many are in each state in which any is."""

    account: str
    group: str
    states: tuple[tuple[str, int], ...]

    @property
    def measured(self) -> str:
        """In a few words, the same as long as nothing changed."""
        return ", ".join(f"{count} {state}" for state, count in self.states) or "none"


def samples(page: str) -> list[Sample]:
    """What is on a /metrics page, in its order."""
    return [(name, dict(_LABEL.findall(labels)), float(value)) for name, labels, value in _SAMPLE.findall(page)]


def tablets(page: str) -> list[Tablets]:
    """The groups of tablets on a /metrics page that have any, in the page's order."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for name, labels, value in samples(page):
        if name == DEVICES.name and value:
            found.setdefault((labels["account"], labels["group"]), []).append((labels["state"], int(value)))
    return [Tablets(*where, tuple(states)) for where, states in found.items()]


def rows(page: str) -> list[Row]:
    """The terminals on a /metrics page, in the page's order."""
    there = samples(page)

    def current(metric: str, terminal: str, label: str, key: str = "") -> dict[str, str]:
        """By `key`, the value of `label` on the sample of this state-like metric that is 1."""
        return {
            labels.get(key, ""): labels[label]
            for name, labels, value in there
            if name == metric and labels["terminal"] == terminal and value == 1
        }

    def number(metric: str, terminal: str) -> float | None:
        found = (value for name, labels, value in there if name == metric and labels["terminal"] == terminal)
        return next(found, None)

    terminals = dict.fromkeys(labels["terminal"] for name, labels, _ in there if name == TERMINAL_STATE.name)
    return [
        Row(
            terminal,
            current(TERMINAL_STATE.name, terminal, "state").get("", ""),
            tuple(current(UPLINK_STATE.name, terminal, "state", key="uplink").items()),
            current(TERMINAL_PATH.name, terminal, "uplink", key="source").get("observed", ""),
            number(TERMINAL_STATE_SINCE.name, terminal),
            number(LAST_GAP.name, terminal),
        )
        for terminal in terminals
    ]


def draw(
    measured: Iterable[Row],
    tablets: Iterable[Tablets],
    between: Iterable[Between],
    truth: Mapping[str, str],
    notices: list[Notice],
    notes: Iterable[str],
) -> Group:
    """The live picture: the fleet, its tablets, what is between systems, the inbox, and `notes` below."""
    fleet = Table(expand=True, title="Terminals", title_justify="left")
    for column in ("terminal", "state", "since", "uplinks", "observed path", "last gap", "in truth"):
        fleet.add_column(column)
    for row in measured:
        fleet.add_row(
            row.terminal,
            _colored(row.state or "unknown"),
            _for(row.since),
            Text("  ").join(_colored(state, f"{name} {state}") for name, state in row.uplinks),
            row.path or "unknown",
            "none" if row.gap is None else f"{row.gap:.1f} s",
            Text(truth.get(row.terminal, ""), style="dim"),
        )
    carried = Table(expand=True, title="Tablets", title_justify="left")
    for column in ("MDM", "group", "tablets", "in truth"):
        carried.add_column(column)
    for each in tablets:
        states = Text("  ").join(_colored(state, f"{count} {state}") for state, count in each.states)
        carried.add_row(each.account, each.group, states, Text(truth.get(each.account, ""), style="dim"))
    systems = Table(expand=True, title="Between systems", title_justify="left", show_header=False)
    for one in between:
        systems.add_row(one.name, Text(one.measured), Text(one.truth(truth), style="dim"))
    newest_first = notices[: -_SHOWN_NOTICES - 1 : -1]
    inbox = "\n\n".join(notice.text() for notice in newest_first)
    told = Panel(Text(inbox or "nothing was sent"), title="Inbox, newest first", title_align="left")
    return Group(fleet, carried, systems, told, *notes)


def _colored(state: str, text: str | None = None) -> Text:
    return Text(text or state, style=_COLORS.get(state, "magenta"))


def _for(since: float | None) -> str:
    if since is None:
        return "unknown"
    seconds = max(0, int(time.time() - since))
    length = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
    return f"{clock(since)} ({length})"
