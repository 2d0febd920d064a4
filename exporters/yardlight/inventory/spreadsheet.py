"""`yardlight inventory import`: a spreadsheet with a row per circuit becomes a compact inventory.

The cells become the same tree that YAML becomes, with their own places, so every rule of an inventory speaks here too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from yardlight.errors import InventoryError, Problem, StartError
from yardlight.inventory.assemble import assemble
from yardlight.inventory.models import Fleet
from yardlight.inventory.source import Node, Place
from yardlight.inventory.table import Cell, Row, problem_at, read_table

# Each column with what else people call it, compared without case, spaces and punctuation.
COLUMNS = {
    "terminal": ("site", "yard", "depot", "location", "terminalname", "sitename"),
    "timezone": ("tz", "zone"),
    "uplink": ("wan", "link", "uplinkname", "wanname", "connection"),
    "role": ("primarystandby", "primaryorstandby", "priority"),
    "medium": ("type", "media", "technology", "mediumtype"),
    "bind": ("interface", "address", "source", "sourceaddress", "ip", "ipaddress", "bindaddress"),
    "next_hop": ("gateway", "defaultgateway", "router", "nexthopaddress"),
    "isp": ("provider", "carrier", "vendor"),
    "circuit": ("circuitid", "accountnumber", "account", "id"),
    "support": ("phone", "supportphone", "supportnumber", "noc"),
    "targets": ("target", "probe", "probes", "pingtargets", "ping"),
}
_OF_TERMINAL = ("timezone", "targets")
_OF_CIRCUIT = {"isp": "isp", "circuit": "id", "support": "support"}
# What people call roles and media; anything else is left to the rules of an inventory.
_SPELLINGS = {
    "role": {"backup": "standby", "secondary": "standby", "main": "primary"},
    "medium": {"fibre": "fiber", "4g": "lte", "cellular": "lte", "starlink": "satellite"},
}
# A class pays only from here on.
_CLASS_FROM = 3


def convert(table: Path, fleet: str, output: Path | None) -> int:
    """Write the inventory made of a CSV file. Raises `InventoryError` with every mistake, or `StartError`."""
    text = inventory_text(table, fleet)
    if output is None:
        print(text, end="")
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StartError(f"{output} exists already and is left as it is") from None
    except OSError as error:
        raise StartError(f"{output} cannot be written: {(error.strerror or str(error)).lower()}") from None
    print(f"wrote {output}; next: yardlight check {output}")
    return 0


def inventory_text(table: Path, fleet: str) -> str:
    """The inventory made of a CSV file. Raises `InventoryError` with every mistake at its line and column."""
    return _written(fleet, _terminals(table, fleet))


@dataclass
class _Terminal:
    """The rows of one terminal: its own fields by the row that first had them, and its uplinks."""

    place: Place
    fields: dict[str, Cell] = field(default_factory=dict)
    uplinks: dict[str, dict[str, Cell]] = field(default_factory=dict)


def _terminals(table: Path, fleet: str) -> dict[str, _Terminal]:
    problems: list[Problem] = []
    terminals: dict[str, _Terminal] = {}
    for row in read_table(table, COLUMNS, "terminal", problems):
        _add(row, terminals, problems)
    _parse(table, fleet, terminals, problems)
    if problems:
        raise InventoryError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    return terminals


def _add(row: Row, terminals: dict[str, _Terminal], problems: list[Problem]) -> None:
    name, place = row["terminal"].text, row["terminal"].place
    terminal = terminals.setdefault(name, _Terminal(place))
    for key in _OF_TERMINAL:
        if key not in row:
            continue
        first = terminal.fields.setdefault(key, row[key])
        if first.text != row[key].text:
            message = f"{row[key].text!r} differs from line {first.place.line}, {first.text!r}; a terminal has one"
            problems.append(problem_at(row[key].place, f"terminals.{name}.{key}", message))
    uplink, at = _uplink_name(row)
    if uplink in terminal.uplinks:
        message = f"{name} has an uplink {uplink!r} already; give each a name of its own in the column uplink"
        problems.append(problem_at(at, f"terminals.{name}.uplinks.{uplink}", message))
        return
    terminal.uplinks[uplink] = {key: cell for key, cell in row.items() if key not in ("terminal", *_OF_TERMINAL)}
    terminal.uplinks[uplink]["uplink"] = Cell(uplink, at)


def _uplink_name(row: Row) -> tuple[str, Place]:
    """An uplink without a name is called by its medium, or fiber."""
    for key in ("uplink", "medium"):
        if key in row:
            return _spelled(key, row[key].text), row[key].place
    return "fiber", row["terminal"].place


def _parse(table: Path, fleet: str, terminals: Mapping[str, _Terminal], problems: list[Problem]) -> Fleet | None:
    """Judge the tree of all cells as an inventory; every mistake at its cell."""
    top = Place(str(table), 1, 1)
    if not terminals:
        if not problems:
            problems.append(problem_at(top, "", "there is no row below the headings"))
        return None
    nodes = {name: _terminal_node(name, terminal) for name, terminal in terminals.items()}
    root = Node({"fleet": Node(fleet, top, ("fleet",)), "terminals": Node(nodes, top, ("terminals",))}, top, ())
    return assemble(root, problems)[0]


def _terminal_node(name: str, terminal: _Terminal) -> Node:
    path = ("terminals", name)
    values = _terminal_value(terminal)

    def node(value: Any, cells: Mapping[str, Cell], path: tuple[str, ...], place: Place) -> Node:
        if isinstance(value, dict):
            entries = {key: node(each, cells, (*path, key), _place(cells, key, place)) for key, each in value.items()}
            return Node(entries, place, path)
        if isinstance(value, list):
            return Node([Node(each, place, (*path, str(index))) for index, each in enumerate(value)], place, path)
        return Node(value, place, path)

    entries = {
        key: node(value, terminal.fields, (*path, key), _place(terminal.fields, key, terminal.place))
        for key, value in values.items()
        if key != "uplinks"
    }
    uplinks = {
        key: node(values["uplinks"][key], cells, (*path, "uplinks", key), cells["uplink"].place)
        for key, cells in terminal.uplinks.items()
    }
    return Node({**entries, "uplinks": Node(uplinks, terminal.place, (*path, "uplinks"))}, terminal.place, path)


def _place(cells: Mapping[str, Cell], key: str, otherwise: Place) -> Place:
    column = {"id": "circuit"}.get(key, key)
    return cells[column].place if column in cells else otherwise


def _terminal_value(terminal: _Terminal) -> dict[str, Any]:
    """The fields of a terminal as an inventory has them."""
    value: dict[str, Any] = {key: cell.text for key, cell in terminal.fields.items()}
    if "targets" in value:
        value["targets"] = re.split(r"[\s,;]+", value["targets"].strip(",; "))
    value["uplinks"] = {name: _uplink_value(name, cells) for name, cells in terminal.uplinks.items()}
    return value


def _spelled(key: str, text: str) -> str:
    spellings = _SPELLINGS.get(key)
    return text if spellings is None else spellings.get(text.lower(), text.lower())


def _uplink_value(name: str, cells: Mapping[str, Cell]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key in ("role", "medium", "bind", "next_hop"):
        if key in cells:
            value[key] = _spelled(key, cells[key].text)
    if value.get("medium") == name:
        del value["medium"]
    if circuit := {field_: cells[key].text for key, field_ in _OF_CIRCUIT.items() if key in cells}:
        value["circuit"] = circuit
    return value


# Writing

Flat = dict[tuple[str, ...], Any]


def _written(fleet: str, terminals: Mapping[str, _Terminal]) -> str:
    """The inventory: a line for each terminal, with what its like share in classes and what all share on top."""
    values = {name: _terminal_value(terminal) for name, terminal in terminals.items()}
    top: dict[str, Any] = {"fleet": fleet}
    zones = Counter(value["timezone"] for value in values.values() if "timezone" in value)
    # Only what every terminal says may be said once for all.
    if zones.total() == len(values):
        top["timezone"] = zones.most_common(1)[0][0]
        for value in values.values():
            if value["timezone"] == top["timezone"]:
                del value["timezone"]
    classes: dict[str, dict[str, Any]] = {}
    for members in _alike(values):
        name = _class_name(values[members[0]], classes)
        classes[name] = shared = _shared([values[member] for member in members])
        for member in members:
            values[member] = {"class": name, **_rest(values[member], shared)}
    lines = [_line(key, value) for key, value in top.items()]
    if classes:
        lines.append("classes:")
        for name, value in classes.items():
            lines.append(f"  {_flow(name)}:")
            lines += [f"    {_line(key, each)}" for key, each in value.items() if key != "uplinks"]
            lines.append("    uplinks:")
            lines += [f"      {_line(key, each)}" for key, each in value["uplinks"].items()]
    lines.append("terminals:")
    lines += [f"  {_line(name, value)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"


def _alike(values: Mapping[str, Any]) -> list[list[str]]:
    """Terminals with the same uplinks in the same order, media and roles, where a class of them is worth it."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for name, value in values.items():
        key = tuple((uplink, each.get("role"), each.get("medium")) for uplink, each in value["uplinks"].items())
        groups.setdefault(key, []).append(name)
    return [names for names in groups.values() if len(names) >= _CLASS_FROM]


def _class_name(value: Mapping[str, Any], taken: Mapping[str, Any]) -> str:
    base = "-".join(value["uplinks"])[:50]
    return next(name for name in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if name not in taken)


def _shared(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The fields that all have, with the value that most of them have; more than one must agree."""
    flats = [_flat(value) for value in values]
    shared: dict[str, Any] = {"uplinks": {name: {} for name in values[0]["uplinks"]}}
    for path in flats[0]:
        if not all(path in flat for flat in flats):
            continue
        (most, count), *_ = Counter(_flow(flat[path]) for flat in flats).most_common(1)
        if count > 1:
            value = next(flat[path] for flat in flats if _flow(flat[path]) == most)
            _put(shared, path, value)
    uplinks = shared.pop("uplinks")
    return {**shared, "uplinks": uplinks}


def _rest(value: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """What of a terminal its class does not say."""
    common = _flat(shared)
    rest: dict[str, Any] = {}
    for path, each in _flat(value).items():
        if path not in common or common[path] != each:
            _put(rest, path, each)
    return rest


def _flat(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> Flat:
    found: Flat = {}
    for key, each in value.items():
        found |= _flat(each, (*path, key)) if isinstance(each, dict) else {(*path, key): each}
    return found


def _put(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def _line(key: str, value: Any) -> str:
    return f"{_flow(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    """YAML of one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    with suppress(ValueError):
        text = text[: text.index("\n...\n")]
    return text.rstrip("\n")
