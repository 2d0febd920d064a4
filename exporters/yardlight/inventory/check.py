"""`yardlight check`: is the inventory right, what does probing cost, has this machine what it names?"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from yardlight import budget
from yardlight.domains import Planned, domains
from yardlight.errors import InventoryError, Problem
from yardlight.inventory import router_rules, words
from yardlight.inventory.addresses import is_address
from yardlight.inventory.load import Inventory, load, load_dir
from yardlight.inventory.machine import Machine, snapshot
from yardlight.inventory.models import Metered, Target, Terminal, Uplink

_DAY = 86400
# From here on, terminals that cost the same share a row.
_MANY = 10
_HEAD = ("terminal", "uplink", "every", "a round", "down after", "services every", "a day", "of its budget")


@dataclass(frozen=True)
class Cost:
    """What one uplink costs: seconds between rounds, bytes of a round, seconds of silence until it is down.

    `service_interval_seconds` is between two routine probes of each service (None without services); the day and the
    period count them. `period_bytes` is what routine probing takes of `budget_bytes` in `period_seconds`; None if not
    metered.
    """

    terminal: str
    uplink: str
    role: str
    medium: str
    interval_seconds: float
    round_bytes: int
    down_after_seconds: float
    day_bytes: float
    period_bytes: float | None = None
    period_seconds: float | None = None
    budget_bytes: int | None = None
    service_interval_seconds: float | None = None


def check(path: Path, terminal: str | None, as_json: bool) -> int:
    """Print problems, warnings and costs of an inventory, or of each in a folder; 0 without problems."""
    inventories, errors = _load(path)
    problems = [problem for error in errors for problem in error.problems]
    warnings: list[Problem] = []
    machine = snapshot()
    for inventory in inventories:
        if terminal is None:
            warnings += elsewhere_problems(inventory, machine)
        elif terminal in inventory.fleet.terminals:
            problems += local_problems(inventory, terminal, machine)
        else:
            hint = words.choice(terminal, inventory.fleet.terminals, "terminals")
            problems.append(inventory.problem(("terminals",), f"there is no terminal {terminal!r}; {hint}"))
    costs_of = {inventory.fleet.fleet: list(costs(inventory.fleet.terminals.values())) for inventory in inventories}
    calls_of = {inventory.fleet.fleet: _calls(inventory) for inventory in inventories}
    if as_json:
        print(json.dumps(_document(problems, warnings, costs_of, calls_of), indent=2))
    else:
        _print(path, inventories, problems, warnings, costs_of, calls_of)
    return 1 if problems else 0


def explain(path: Path, dotted: str) -> int:
    """Print where a field of the inventory comes from."""
    inventory = load(path)
    try:
        print(inventory.explain(dotted))
    except ValueError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 1
    return 0


def costs(terminals: Iterable[Terminal]) -> Iterator[Cost]:
    """What probing costs, uplink by uplink, before the first packet."""
    for terminal in terminals:
        for uplink in sorted(terminal.uplinks.values(), key=lambda uplink: uplink.role):
            yield _cost(terminal, uplink)


def local_problems(inventory: Inventory, terminal: str, machine: Machine) -> list[Problem]:
    """What the box of this terminal lacks on `machine`: addresses, interfaces, the right to send pings."""
    found = []
    if not machine.may_ping and needs_ping(inventory.fleet.terminals[terminal]):
        message = (
            "pings need the capability CAP_NET_RAW; run as root, with AmbientCapabilities=CAP_NET_RAW in the "
            "systemd unit, with --cap-add NET_RAW in a container, or use tcp:// targets only"
        )
        found.append(inventory.problem(("terminals", terminal), message))
    for path, bind in _binds(inventory.fleet.terminals[terminal]):
        if not machine.has(bind):
            what = "does not have the address" if is_address(bind) else "has no interface"
            found.append(inventory.problem(("terminals", terminal, *path), f"this machine {what} {bind!r}"))
    router = inventory.fleet.terminals[terminal].router
    for key, message in router_rules.secret_problems(router.snmp) if router and router.snmp else ():
        found.append(inventory.problem(("terminals", terminal, "router", "snmp", key), message))
    return sorted(found, key=lambda problem: (problem.file, problem.line, problem.column))


def needs_ping(terminal: Terminal) -> bool:
    """True if anything of this terminal is probed with ICMP."""
    uplinks = terminal.uplinks.values()
    paths = [terminal.default_path.targets, *(uplink.targets or terminal.targets for uplink in uplinks)]
    return any(target.probe == "icmp" for targets in paths for target in targets)


def elsewhere_problems(inventory: Inventory, machine: Machine) -> list[Problem]:
    """The same when the check may run anywhere: terminals of which nothing is here are named in one line."""
    terminals = inventory.fleet.terminals
    found, elsewhere = [], []
    for name, terminal in terminals.items():
        binds = [bind for _, bind in _binds(terminal)]
        if len(terminals) == 1 or any(machine.has(bind) for bind in binds):
            found += local_problems(inventory, name, machine)
        elif binds:
            elsewhere.append(name)
    if elsewhere:
        message = f"this machine is not the box of {_who(elsewhere)}; run check --terminal NAME there"
        found.append(inventory.problem(("terminals",), message))
    return found


def _load(path: Path) -> tuple[list[Inventory], list[InventoryError]]:
    if path.is_dir():
        return load_dir(path)
    try:
        return [load(path)], []
    except InventoryError as error:
        return [], [error]


def _binds(terminal: Terminal) -> Iterator[tuple[tuple[str, ...], str]]:
    for name, uplink in terminal.uplinks.items():
        if uplink.bind is not None:
            yield ("uplinks", name, "bind"), uplink.bind
    if terminal.default_path.bind is not None:
        yield ("default_path", "bind"), terminal.default_path.bind


def _cost(terminal: Terminal, uplink: Uplink) -> Cost:
    plan = budget.plan(terminal, uplink)
    metered = uplink.metered if isinstance(uplink.metered, Metered) else None
    spent = plan.round_bytes if metered else sum(map(_bytes, uplink.targets or terminal.targets))
    services = terminal.asked.values()
    every = plan.service_interval or min((service.every for service in services), default=None)
    rate = spent / plan.interval
    rate += sum(budget.service_bytes(each) / (plan.service_interval or each.every) for each in services)
    period = budget.period_seconds(metered) if metered else None
    return Cost(
        terminal=terminal.name,
        uplink=uplink.name,
        role=uplink.role,
        medium=uplink.medium,
        interval_seconds=plan.interval,
        round_bytes=spent,
        down_after_seconds=plan.down_after,
        day_bytes=rate * _DAY,
        period_bytes=rate * period if period else None,
        period_seconds=period,
        budget_bytes=metered.budget if metered else None,
        service_interval_seconds=every,
    )


def _bytes(target: Target) -> int:
    v6 = ":" in target.host
    return sum(budget.tcp_bytes(v6)) if target.probe == "tcp" else 2 * budget.echo_bytes(v6)


def _document(
    problems: list[Problem],
    warnings: list[Problem],
    costs_of: dict[str, list[Cost]],
    calls_of: dict[str, list[Calls]],
) -> object:
    return {
        "ok": not problems,
        "problems": [dataclasses.asdict(problem) for problem in problems],
        "warnings": [dataclasses.asdict(warning) for warning in warnings],
        "costs": {fleet: [dataclasses.asdict(cost) for cost in rows] for fleet, rows in costs_of.items()},
        "calls": {fleet: [dataclasses.asdict(calls) for calls in rows] for fleet, rows in calls_of.items()},
    }


def _print(
    path: Path,
    inventories: list[Inventory],
    problems: list[Problem],
    warnings: list[Problem],
    costs_of: dict[str, list[Cost]],
    calls_of: dict[str, list[Calls]],
) -> None:
    for inventory in inventories:
        fleet = inventory.fleet
        uplinks = sum(len(terminal.uplinks) for terminal in fleet.terminals.values())
        counts = f"{_count(len(fleet.terminals), 'terminal')}, {_count(uplinks, 'uplink')}"
        print(f"{inventory.path} is valid: fleet {fleet.fleet}, {counts}\n")
        _print_table(_rows(costs_of[fleet.fleet]))
        for line in _polled(fleet.terminals.values()):
            print(line)
        for calls in calls_of[fleet.fleet]:
            print(calls)
        if calls_of[fleet.fleet]:
            print()
    for warning in warnings:
        print(f"warning: {warning}")
    sys.stdout.flush()
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"\n{path}: {_count(len(problems), 'problem')}", file=sys.stderr)


def _rows(rows: Sequence[Cost]) -> list[tuple[str, ...]]:
    """Lines of the table. In a large fleet, terminals that cost the same share one."""
    shared: dict[tuple[str, ...], list[str]] = {}
    many = len({cost.terminal for cost in rows}) > _MANY
    for cost in rows:
        cells = _cells(cost)
        shared.setdefault(cells if many else (cost.terminal, *cells), []).append(cost.terminal)
    return [(_who(names), *(cells if many else cells[1:])) for cells, names in shared.items()]


def _polled(terminals: Iterable[Terminal]) -> Iterator[str]:
    """Which routers are read and how; those that are read alike share a line."""
    alike: dict[str, list[str]] = {}
    for terminal in terminals:
        if (router := terminal.router) is not None and router.snmp is not None:
            snmp = router.snmp
            level = " and ".join(key for key in ("auth", "priv") if getattr(snmp, f"{key}_file")) or "no key"
            who = "" if snmp.version == "2c" else f" as {snmp.user} with {level}"
            how = f"{router.model} over SNMP {snmp.version}{who}, every {words.duration(snmp.every)}"
            alike.setdefault(how, []).append(f"{terminal.name} ({router.address})")
    for how, names in alike.items():
        yield f"router of {_who(names)}: {how}"
    if alike:
        yield ""


@dataclass(frozen=True)
class Calls:
    """What collecting costs at a vendor's API: how often an account is collected, and its requests a day.

    `day_requests` is None where it is not known before: one for each collection is the least then. `given` is what the
    number goes by.
    """

    account: str
    day_collections: int
    day_requests: int | None
    given: str
    budget_requests: int | None

    def __str__(self) -> str:
        often = f"account {self.account}: {_count(self.day_collections, 'collection')} a day"
        if self.day_requests is None:
            often, least = f"{often}, each of one request or more", self.day_collections
        else:
            requests = f"{self.day_requests:,} request{'s' * (self.day_requests != 1)}"
            often, least = f"{often}, about {requests} with the {self.given}", self.day_requests
        if self.budget_requests is None:
            return f"{often}; no requests_per_day limits them"
        if self.day_requests is None and self.budget_requests >= least:
            each = self.budget_requests // self.day_collections
            return f"{often}; requests_per_day: {self.budget_requests} pays for {each} each"
        enough = "pays for that" if self.budget_requests >= least else "is too few for that"
        return f"{often}; requests_per_day: {self.budget_requests} {enough}"


def _calls(inventory: Inventory) -> list[Calls]:
    """Every account that is collected."""
    planned: dict[str, list[Planned]] = {}
    for part in domains():
        for each in part.planned(inventory.fleet, inventory.path.parent):
            planned.setdefault(each.collection.source.account, []).append(each)
    found = []
    for name, sources in planned.items():
        often = [math.ceil(_DAY / each.interval) for each in sources]
        asks = [each.asks for each in sources]
        known = [times * each.requests for times, each in zip(often, asks, strict=True) if each is not None]
        found.append(
            Calls(
                name,
                sum(often),
                sum(known) if len(known) == len(sources) else None,
                next((each.given for each in asks if each is not None), ""),
                inventory.fleet.accounts[name].requests_per_day,
            )
        )
    return found


def _cells(cost: Cost) -> tuple[str, ...]:
    of_budget = "not metered"
    if cost.budget_bytes is not None and cost.period_bytes is not None and cost.period_seconds is not None:
        month = cost.period_seconds == budget.MONTH_SECONDS
        period = "month" if month else words.duration(cost.period_seconds)
        of_budget = f"{words.size(cost.period_bytes)} of {words.size(cost.budget_bytes)} per {period}"
    medium = () if cost.medium == cost.uplink else (cost.medium,)
    return (
        ", ".join((cost.uplink, *medium, cost.role)),
        words.duration(cost.interval_seconds),
        words.size(cost.round_bytes),
        words.duration(cost.down_after_seconds),
        "" if cost.service_interval_seconds is None else words.duration(cost.service_interval_seconds),
        words.size(cost.day_bytes),
        of_budget,
    )


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    """A table for a person at a terminal; plain columns, never cut, for a pipe."""
    head, *rows = _without_empty(_HEAD, *rows)
    console = Console()
    if console.is_terminal:
        table = Table(*head, box=None, padding=(0, 2, 0, 0), pad_edge=False)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()
        return
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print()


def _without_empty(head: tuple[str, ...], *rows: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The table without the columns in which nothing is."""
    kept = [index for index in range(len(head)) if any(row[index] for row in rows)]
    return [tuple(row[index] for index in kept) for row in (head, *rows)]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _who(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
