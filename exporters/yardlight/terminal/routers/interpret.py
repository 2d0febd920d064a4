"""From variable bindings to a `RouterReading`: the one reader of all profiles. Pure: no network, no clock."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from yardlight.inventory.values import Secret
from yardlight.snmp import MISSING, Oid, Value, oid
from yardlight.terminal.routers import standard
from yardlight.terminal.routers.reading import Device, Interface, Modem, RouterReading, Said, Wan
from yardlight.terminal.routers.tables import NO_TEXT, Column, Profile, Table

ENTITY_NAME, ENTITY_ALIAS = oid("1.3.6.1.2.1.47.1.1.1.1.7"), oid("1.3.6.1.2.1.47.1.3.2.1.2")
_IF_INDEX = oid("1.3.6.1.2.1.2.2.1.1")
# A number, perhaps with its unit: "16.1", "-65 dBm", "1%".
_NUMBER = re.compile(r"([-+]?\d{1,20}(?:\.\d+)?)\s*(?:%|dBm|dB|ms|s|°?C|MB)?", re.IGNORECASE)
_ON = re.compile(r"\bon\s+(\S+)$")
_HUNDREDTHS = 100.0
_WRAP = 2**32 / _HUNDREDTHS
Facts = dict[str, Any]
Places = dict[Oid, list[tuple[int, int, Column]]]


def parse(profile: Profile, said: Mapping[Oid, Value]) -> RouterReading:
    """All that these variable bindings say of a router of this profile."""
    values = {name: value for name, value in said.items() if value not in MISSING}
    interfaces = standard.interfaces(values)
    addresses = standard.addresses(values)
    device: Facts = {}
    modems: list[tuple[Table, Oid, Facts]] = []
    wans: list[tuple[Table, Oid, Facts]] = []
    settings: dict[str, str] = {}
    for table, index, facts in _rows(profile, values):
        if table.subject == "device":
            device |= {fact: value for fact, value in facts.items() if fact not in device}
        elif table.subject == "modem" and not (table.instead and modems):
            modems.append((table, index, facts))
        elif table.subject == "wan":
            wans.append((table, index, facts))
        elif table.subject == "setting":
            settings |= {fact.format(key=_key(index)): f"{value:g}" for fact, value in facts.items()}
    for each in interfaces:
        if each.names and each.enabled is not None and not each.loops:
            settings[f"admin {each.names[0]}"] = "up" if each.enabled else "down"
    known_wans = tuple(
        Wan(_key(index), **{"name": table.label.format(key=_key(index)), **facts}) for table, index, facts in wans
    )
    return RouterReading(
        profile.name,
        _device(profile, values, device),
        interfaces,
        addresses,
        standard.default_route(values, addresses),
        _scripted(profile, values, tuple(_modems(modems, values, interfaces, known_wans))),
        known_wans,
        settings,
    )


def columns_of(profile: Profile) -> Iterator[tuple[Table, Column, Oid]]:
    """Every column of a profile with its whole OID, once for each root of its table."""
    for table in profile.tables:
        for root in table.roots:
            for column in table.columns:
                yield table, column, (*oid(root), *column.numbers)


@lru_cache(maxsize=64)
def _places(profile: Profile) -> tuple[Places, tuple[int, ...]]:
    """Columns by OID: the table's number, the number of its root, the column; and which lengths there are."""
    found: Places = {}
    for number, table in enumerate(profile.tables):
        for place, root in enumerate(table.roots):
            for column in table.columns:
                found.setdefault((*oid(root), *column.numbers), []).append((number, place, column))
    return found, tuple(sorted({len(name) for name in found}))


def _rows(profile: Profile, values: Mapping[Oid, Value]) -> Iterator[tuple[Table, Oid, Facts]]:
    """Table, index and facts of each row that says anything, in the order of tables and indexes."""
    places, lengths = _places(profile)
    cells: dict[tuple[int, Oid], list[tuple[int, Oid, Column, Value]]] = {}
    for name, value in values.items():
        for length in lengths:
            for number, place, column in places.get(name[:length], ()):
                table, index = profile.tables[number], name[length:]
                if index != (0,) if table.scalars else not index:
                    continue
                cells.setdefault((number, index[: table.depth]), []).append((place, index, column, value))
    for number, index in sorted(cells):
        table = profile.tables[number]
        facts = _facts(table, sorted(cells[(number, index)], key=lambda cell: cell[:2]))
        if facts and (table.needs is None or table.needs in facts):
            yield table, index, facts


def _facts(table: Table, cells: list[tuple[int, Oid, Column, Value]]) -> Facts:
    """The facts of one row. Of columns and roots that say the same, the first that says something counts."""
    order = {id(column): place for place, column in enumerate(table.columns)}
    facts: Facts = {}
    zeros: list[tuple[Column, float]] = []
    for _, _, column, value in sorted(cells, key=lambda cell: (order[id(cell[2])], cell[0], cell[1])):
        if column.fact in facts:
            continue
        fact = understand(column, value)
        if fact == 0 and column.zero_needs is not None:
            zeros.append((column, fact))
        elif fact is not None:
            facts[column.fact] = fact
    for column, zero in zeros:
        if facts.get(column.zero_needs or ""):
            facts.setdefault(column.fact, zero)
    return facts


def understand(column: Column, value: Value) -> Any:
    """A value as the fact it is, or None where it says nothing."""
    if column.kind == "number":
        return _number(column, value)
    if column.kind == "bytes":
        count = _number(column, value)
        return int(count) if count is not None and count >= 0 else None
    plain = standard.text(value) if isinstance(value, bytes) else value
    if plain is None or (isinstance(plain, str) and plain.casefold() in NO_TEXT) or plain in column.none:
        return None
    code = _code(plain)
    if column.kind == "flag":
        return True if code in column.yes else False if code in column.no else None
    if column.kind == "said":
        if not isinstance(code, int):
            return Said(str(plain), column.words.get(code, str(plain)))
        return Said(code, column.words.get(code, str(code)))
    if column.kind == "secret":
        # An ICCID ends in padding to an even number of digits.
        return Secret(str(plain).rstrip("Ff"))
    if column.words and code in column.words:
        return column.words[code]
    return None if column.words and isinstance(code, int) else str(plain)


def _number(column: Column, value: Value) -> float | None:
    if isinstance(value, bytes):
        match = _NUMBER.fullmatch((standard.text(value) or "").strip())
        if match is None:
            return None
        value = float(match[1]) if "." in match[1] else int(match[1])
    if not isinstance(value, int | float) or value in column.none or not math.isfinite(value):
        return None
    return value / column.divide if column.divide != 1 else value


def _code(plain: Any) -> int | str:
    """A state as a number, or as text in one case."""
    if isinstance(plain, int):
        return plain
    text = str(plain)
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else text.casefold()


def _key(index: Oid) -> str:
    return ".".join(map(str, index))


def _device(profile: Profile, values: Mapping[Oid, Value], facts: Facts) -> Device:
    descr = standard.text(values.get(standard.DESCR))
    if profile.describes and descr and (match := re.search(profile.describes, descr)):
        facts = {fact: part for fact, part in match.groupdict().items() if part} | facts
    return Device(**{"uptime": uptime(values), **facts})


def uptime(values: Mapping[Oid, Value]) -> float | None:
    """Seconds since the router started, by the best of its clocks."""
    host, agent, engine = (values.get(name) for name in (standard.HOST_UPTIME, standard.UPTIME, standard.ENGINE_TIME))
    if isinstance(host, int) and isinstance(agent, int) and host >= agent:
        # The agent is a program on it; otherwise both wrap at 497 days and say the same.
        return host / _HUNDREDTHS
    if not isinstance(agent, int):
        return float(engine) if isinstance(engine, int) else None
    seconds = agent / _HUNDREDTHS
    if isinstance(engine, int) and engine > _WRAP and abs((engine - seconds) % _WRAP) < 60:
        return float(engine)
    return seconds


def _modems(
    modems: Iterable[tuple[Table, Oid, Facts]],
    values: Mapping[Oid, Value],
    interfaces: tuple[Interface, ...],
    wans: tuple[Wan, ...],
) -> Iterator[Modem]:
    by_index = {each.index: each for each in interfaces}
    for table, index, facts in modems:
        key, extra = _key(index), {}
        if table.row == "ifindex":
            interface = by_index.get(index[0])
            listed = standard.text(values.get((*oid(table.names), *index))) if table.names else None
            extra = {"interface": index[0], "name": interface.names[0] if interface and interface.names else listed}
        elif table.row == "entity":
            extra = _entity(index[0], values)
        elif table.named is not None:
            extra = _wan_of(table, index, values, wans)
        label = table.label.format(key=key)
        modem = Modem(key, **{"name": label, **{fact: each for fact, each in extra.items() if each}, **facts})
        wan = next((each for each in wans if each.name == modem.wan), None)
        yield replace(modem, rssi=wan.rssi) if wan and modem.rssi is None else modem


def _entity(number: int, values: Mapping[Oid, Value]) -> Facts:
    """A modem of ENTITY-MIB: what it is called, and the interface of the entity that it says it is on."""
    name = standard.text(values.get((*ENTITY_NAME, number)))
    on = _ON.search(name or "")
    if on is None:
        return {"name": name}
    for index, value in standard.rows(values, ENTITY_NAME):
        if standard.text(value) == on[1]:
            for _, pointer in standard.rows(values, (*ENTITY_ALIAS, *index)):
                if isinstance(pointer, tuple) and pointer[:-1] == _IF_INDEX:
                    return {"name": name, "interface": pointer[-1]}
    return {"name": name}


def _wan_of(table: Table, index: Oid, values: Mapping[Oid, Value], wans: tuple[Wan, ...]) -> Facts:
    """Which WAN a modem is: the column that says so, or the WAN whose name has the modem's number in it."""
    for root in table.roots:
        told = values.get((*oid(root), *oid(table.wan), *index)) if table.wan else None
        for wan in wans:
            if isinstance(told, int) and wan.key == str(told):
                return {"wan": wan.name, "name": wan.name}
    name = (table.named or "").format(index[0] + 1)
    return {"wan": name, "name": name} if any(wan.name == name for wan in wans) else {}


def _scripted(profile: Profile, values: Mapping[Oid, Value], modems: tuple[Modem, ...]) -> tuple[Modem, ...]:
    """With what the owner's scripts say; of two modems they do not say which."""
    if profile.scripts is None or len(modems) != 1:
        return modems
    facts: Facts = {}
    for index, value in standard.rows(values, oid(profile.scripts.names)):
        fact = profile.scripts.facts.get(standard.text(value) or "")
        if fact and (said := standard.text(values.get((*oid(profile.scripts.outputs), *index)))):
            facts[fact] = said
    return (replace(modems[0], **facts),)
