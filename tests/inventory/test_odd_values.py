"""What people put where something else belongs: any kind of value in any field."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from yardlight.errors import InventoryError
from yardlight.inventory.check import check
from yardlight.inventory.load import load

CONFIG = Path(__file__).parent.parent / "config"
ODD: tuple[Any, ...] = (
    None, True, 0, "", "x", "\0", "0d", "-1%", "9" * 400, [], {"a": "b"}, ["a", {"b": 1}], date(2026, 1, 1),
)  # fmt: skip
# One of the bad files nests without an end.
_DEEPEST = 9
Place = tuple[str | int, ...]


def places(node: Any, at: Place = ()) -> Iterator[Place]:
    """Every field of a document, the document itself first."""
    yield at
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items if len(at) < _DEEPEST else ():
        yield from places(value, (*at, key))


def changed(document: Any, at: Place, value: Any) -> Any:
    """The document with another value at this place."""
    if not at:
        return value
    new = deepcopy(document)
    *above, last = at
    node = new
    for key in above:
        node = node[key]
    node[last] = value
    return new


def documents() -> list[dict[str, Any]]:
    found = []
    for path in [CONFIG / "everything.yml", *sorted((CONFIG / "bad").glob("*.yml"))]:
        try:
            document = yaml.safe_load(path.read_bytes())
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def test_the_file_with_every_part_is_valid() -> None:
    assert load(CONFIG / "everything.yml").fleet.fleet == "inland-haul"


def test_no_value_in_any_field_is_more_than_a_mistake(tmp_path: Path) -> None:
    path, seen = tmp_path / "fleet.yml", set()
    for document in documents():
        for at in places(document):
            kind = tuple("*" if isinstance(key, int) else key for key in at)
            for value in ODD if kind not in seen else ():
                path.write_text(yaml.dump(changed(document, at, value), Dumper=yaml.CSafeDumper), encoding="utf-8")
                with suppress(InventoryError):
                    load(path)
                    check(path, None, as_json=True)
            seen.add(kind)
