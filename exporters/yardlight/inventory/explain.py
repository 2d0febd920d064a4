"""Which file and line a field of the inventory got its value from, and what it won over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from yardlight import budget
from yardlight.inventory import words
from yardlight.inventory.models import Fleet, Terminal
from yardlight.inventory.source import Node, plain

_SHARES = ("loss", "reserve", "for_services")
# Fields that are filled in from others when nobody writes them.
_DERIVED = {
    "role": "the first uplink without a role is primary, the others are standbys",
    "medium": "an uplink named like a medium is of that medium",
    "metered": "lte, 5g and satellite are metered unless they say metered: false",
    "timezone": "the time zone of the fleet",
}


def explain(fleet: Fleet, root: Node, dotted: str) -> str:
    """One line per field at or below `dotted`: its value, where it was written, and what that replaced.

    Raises `ValueError` for a path that leads nowhere.
    """
    path = _split(fleet, root, dotted)
    node = root.get(path)
    if node is None:
        return f"{dotted} = {_value(fleet, path)}\n  {_reason(fleet, path)}"
    return "\n".join(line for leaf in _leaves(node, path) for line in _lines(*leaf))


def _split(fleet: Fleet, root: Node, dotted: str) -> tuple[str, ...]:
    """The path in its parts; names may hold dots themselves, so the longest name that exists is taken."""
    rest = dotted.strip(".")
    path: tuple[str, ...] = ()
    while rest:
        known = _children(fleet, root, path)
        match = max((key for key in known if rest == key or rest.startswith(f"{key}.")), key=len, default=None)
        if match is None:
            word = rest.partition(".")[0]
            where = ".".join(path) or "the inventory"
            raise ValueError(f"there is no {word!r} in {where}; {words.choice(word, sorted({*known}), 'known here')}")
        path, rest = (*path, match), rest[len(match) + 1 :]
    return path


def _children(fleet: Fleet, root: Node, path: tuple[str, ...]) -> list[str]:
    node, value = root.get(path), _walk(fleet, path)
    names = list(node.entries) if node else []
    if node and isinstance(node.value, list):
        names += [str(index) for index in range(len(node.value))]
    if isinstance(value, BaseModel):
        names += [field.alias or name for name, field in type(value).model_fields.items()]
    return names


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, tuple):
            value = value[int(part)] if part.isdecimal() and int(part) < len(value) else None
        else:
            value = getattr(value, part, None)
    return value


def _leaves(node: Node, path: tuple[str, ...]) -> Iterator[tuple[Node, tuple[str, ...]]]:
    if isinstance(node.value, dict) and node.value:
        for key, entry in node.value.items():
            yield from _leaves(entry, (*path, key))
    else:
        yield node, path


def _lines(node: Node, path: tuple[str, ...]) -> Iterator[str]:
    yield f"{'.'.join(path)} = {_shown(plain(node))}"
    yield f"  {_origin(node)}"
    for beaten in node.over:
        yield f"  instead of {_shown(plain(beaten))}, {_origin(beaten)}"


def _origin(node: Node) -> str:
    place = f"{node.place.file}:{node.place.line}:{node.place.column}"
    return f"{place} {'.'.join(node.path)}" if node.path[:1] in (("classes",), ("defaults",)) else place


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_shown(item)}' for key, item in value.items())}}}"
    return "nothing" if value is None else str(value)


def _value(fleet: Fleet, path: tuple[str, ...]) -> str:
    if _is_down_after(fleet, path):
        terminal = fleet.terminals[path[1]]
        return words.duration(budget.plan(terminal, terminal.uplinks[path[3]]).down_after)
    return _said(path[-1], _walk(fleet, path))


def _said(key: str, value: Any) -> str:
    """A value of the models as a person would have written it."""
    if isinstance(value, BaseModel):
        return f"{{{', '.join(f'{name}: {_said(name, item)}' for name, item in value)}}}"
    if key in _SHARES:
        return f"{value * 100:g}%"
    if key == "budget":
        return words.size(value)
    if isinstance(value, float):
        return words.duration(value)
    if isinstance(value, bool):
        return str(value).lower()
    return _shown(list(value) if isinstance(value, tuple) else value)


def _reason(fleet: Fleet, path: tuple[str, ...]) -> str:
    if _is_down_after(fleet, path):
        return "nobody wrote it; three probe intervals, and 3s at least where the uplink is not metered"
    in_terminal = isinstance(_walk(fleet, path[:2]), Terminal)
    derived = _DERIVED.get(path[-1]) if in_terminal else None
    return f"nobody wrote it; {derived or 'the default'}"


def _is_down_after(fleet: Fleet, path: tuple[str, ...]) -> bool:
    return path[0] == "terminals" and path[-1] == "down_after" and _walk(fleet, path) is None
