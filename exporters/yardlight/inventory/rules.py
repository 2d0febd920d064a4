"""What must hold between the fields of an inventory; each rule yields problems at the place to change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from yardlight import budget
from yardlight.calendars import holiday_country
from yardlight.errors import Problem
from yardlight.inventory import drill_rules, router_rules, service_rules, standby_rules, words
from yardlight.inventory.addresses import is_address
from yardlight.inventory.models import Maintenance, Metered, Sla, Target, Terminal, Uplink
from yardlight.inventory.source import Node, plain
from yardlight.inventory.values import parse_share

# A shorter interval is a flood, not a measurement.
_MIN_INTERVAL = 0.1


def fleet_problems(root: Node) -> Iterator[Problem]:
    """Holidays that nobody knows."""
    for calendar in _children(root, "calendars"):
        holidays = calendar.entries.get("holidays")
        if holidays and isinstance(holidays.value, str):
            try:
                holiday_country(holidays.value)
            except ValueError as error:
                yield holidays.problem(str(error))


def uplinks_problems(terminal: Node, uplinks: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules between the uplinks of a terminal; they hold for what was written even where a field is wrong."""
    node = terminal.entries["uplinks"]
    mappings = {name: data for name, data in uplinks.items() if isinstance(data, dict)}
    if not uplinks:
        yield node.problem("there is no uplink; write one entry per circuit, like fiber: {bind: 10.0.0.2}")
        return
    primaries = [name for name, data in mappings.items() if data["role"] == "primary"]
    for name in primaries[1:]:
        place, below = node.nearest((name, "role"))
        yield place.problem(f"a second primary, after {primaries[0]!r}; a terminal has exactly one", *below)
    if mappings and all(data["role"] == "standby" for data in mappings.values()):
        yield node.problem("no uplink is primary; a terminal has exactly one")
    yield from _bind_problems(terminal, mappings)
    # A misspelt key is reported as such; what it holds is not missing.
    shared = (entry for key, entry in terminal.entries.items() if words.nearest(key, ("targets",)))
    without = [name for name, data in mappings.items() if not data.get("targets")]
    if without and not any(entry.value for entry in shared):
        own = "has no targets of its own" if len(without) == 1 else "have no targets of their own"
        yield _at(terminal, ("targets",), f"is missing; {' and '.join(without)} {own}")


def _bind_problems(terminal: Node, uplinks: Mapping[str, dict[str, Any]]) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for name, data in uplinks.items():
        node, below = terminal.nearest(("uplinks", name, "bind"))
        bind = data.get("bind")
        if bind is None and len(uplinks) > 1:
            message = "is missing; with two or more uplinks each needs the address or interface it leaves by"
            yield node.problem(message, *below)
        if not isinstance(bind, str):
            continue
        owner = owners.setdefault(_canonical(bind), name)
        if owner != name:
            yield node.problem(f"{bind!r} is already the bind of {owner!r}; each uplink needs its own")
    default = terminal.get(("default_path", "bind"))
    if default and isinstance(default.value, str) and (owner := owners.get(_canonical(default.value), "")):
        message = f"{default.value!r} is the bind of {owner!r}, so this would never be the path the router picks"
        yield default.problem(message)


def terminal_problems(terminal: Node, root: Node) -> Iterator[Problem]:
    """References to other parts of the file."""
    calendars = root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    for key in ("peak", "staffed"):
        named = terminal.get(("site", key))
        if named and isinstance(named.value, str) and named.value not in known:
            choice = words.choice(named.value, known, "calendars")
            yield named.problem(f"there is no calendar {named.value!r}; {choice}")


def judged_problems(node: Node, terminal: Terminal, broken: Mapping[str, set[str]]) -> Iterator[Problem]:
    """Rules about values. `broken`: fields already refused, by uplink (the terminal's own as '')."""
    yield from _repeated(node, ("targets",), terminal.targets)
    yield from _repeated(node, ("default_path", "targets"), terminal.default_path.targets)
    for name, uplink in terminal.uplinks.items():
        path = ("uplinks", name)
        yield from _repeated(node, (*path, "targets"), uplink.targets)
        yield from _sla_problems(node, (*path, "circuit", "sla"), uplink.circuit.sla)
        if broken[name] or broken[""] & {"targets", "egress"}:
            continue
        too_short = list(_too_short(node, path, uplink))
        yield from too_short
        targets = uplink.targets or terminal.targets
        if uplink.quorum is not None and uplink.quorum > len(targets) > 0:
            yield _at(node, (*path, "quorum"), f"{uplink.quorum} cannot be reached with {_count(targets)}")
        if not too_short:
            yield from _down_after_problems(node, path, terminal, uplink)
        yield from _version_problems(node, path, uplink.bind, targets)
    for index, window in enumerate(terminal.maintenance):
        yield from _window_problems(node, ("maintenance", str(index)), window)
    yield from service_rules.terminal_problems(node, terminal)
    yield from drill_rules.terminal_problems(node, terminal)
    yield from router_rules.terminal_problems(node, terminal)
    yield from standby_rules.terminal_problems(node, terminal)


def _repeated(node: Node, path: tuple[str, ...], targets: tuple[Target, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, target in enumerate(targets):
        if target.label in seen:
            yield _at(node, (*path, str(index)), f"{target.label!r} is already in this list")
        seen.add(target.label)


def _sla_problems(node: Node, path: tuple[str, ...], sla: Sla | None) -> Iterator[Problem]:
    """A credit is for less than what was promised, and grows with the damage."""
    written = node.get((*path, "credits"))
    if sla is None or written is None:
        return
    least = 0.0
    for below, credit, name in sorted(
        ((parse_share(name), parse_share(credit), name) for name, credit in plain(written).items()), reverse=True
    ):
        if below > sla.availability:
            promised = _written(node, path, "availability")
            yield _at(node, (*path, "credits", name), f"{name!r} is more than the availability promised, {promised}")
        elif credit <= least:
            yield _at(node, (*path, "credits", name), "gives no more than a smaller shortfall does")
        else:
            least = credit


def _too_short(node: Node, path: tuple[str, ...], uplink: Uplink) -> Iterator[Problem]:
    if uplink.interval is not None and uplink.interval < _MIN_INTERVAL:
        yield _at(node, (*path, "interval"), f"{_written(node, path, 'interval')} is too short; 100ms is the least")
    if uplink.timeout <= 0:
        yield _at(
            node,
            (*path, "timeout"),
            f"{_written(node, path, 'timeout')} is too short; no answer could come in time",
        )


def _down_after_problems(node: Node, path: tuple[str, ...], terminal: Terminal, uplink: Uplink) -> Iterator[Problem]:
    plan = budget.plan(terminal, uplink)
    if math.isinf(plan.interval):
        yield _at(node, (*path, "metered"), "leaves no bytes to probe with; raise budget or lower reserve")
    elif uplink.down_after is not None and uplink.down_after < plan.shortest_down_after:
        shortest = words.duration(math.ceil(round(plan.shortest_down_after * 10, 6)) / 10)
        why = f"intervals of {words.duration(plan.interval)}"
        if isinstance(uplink.metered, Metered):
            period = "month" if uplink.metered.per == "month" else words.duration(uplink.metered.per)
            paid = f"{words.size(uplink.metered.budget)} per {period}"
            why = f"intervals of {words.duration(plan.interval)}, which is what {paid} pay for"
        message = f"{_written(node, path, 'down_after')} is under three {why}; the shortest is {shortest}"
        yield _at(node, (*path, "down_after"), message)


def _version_problems(
    node: Node, path: tuple[str, ...], bind: str | None, targets: tuple[Target, ...]
) -> Iterator[Problem]:
    """From an address of one IP version nothing of the other can be asked; a name may have both."""
    if bind is None or not is_address(bind) or not all(is_address(target.host) for target in targets):
        return
    version, others = ip_address(bind).version, {ip_address(target.host).version for target in targets}
    if others and version not in others:
        yield _at(node, (*path, "bind"), f"{bind!r} is IPv{version}, and all targets are IPv{others.pop()}")


def _window_problems(node: Node, path: tuple[str, ...], window: Maintenance) -> Iterator[Problem]:
    uplinks = node.entries["uplinks"].entries if "uplinks" in node.entries else {}
    if window.uplink not in uplinks:
        hint = words.choice(window.uplink, uplinks, "uplinks")
        yield _at(node, (*path, "uplink"), f"there is no uplink {window.uplink!r}; {hint}")
    for key, moment in (("from", window.from_), ("to", window.to)):
        if moment.tzinfo is not None:
            yield _at(node, (*path, key), "has an offset from UTC; write the terminal's local time without one")
            return
    if window.to <= window.from_:
        yield _at(
            node,
            (*path, "to"),
            f"{window.to:%Y-%m-%dT%H:%M} is not after from, {window.from_:%Y-%m-%dT%H:%M}",
        )


def _children(node: Node, key: str) -> Iterable[Node]:
    child = node.entries.get(key)
    return child.entries.values() if child else ()


def _at(node: Node, path: tuple[str, ...], message: str) -> Problem:
    place, below = node.nearest(path)
    return place.problem(message, *below)


def _written(node: Node, path: tuple[str, ...], key: str) -> str:
    found = node.get((*path, key))
    return repr(found.value) if found else key


def _count(targets: tuple[Target, ...]) -> str:
    return "one target" if len(targets) == 1 else f"{len(targets)} targets"


def _canonical(bind: str) -> str:
    """One spelling per address, so that the same one is found in two."""
    return str(ip_address(bind)) if is_address(bind) else bind
