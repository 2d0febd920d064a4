"""What people put where something else belongs: any kind of value in any field of what they write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fuzz.targets import targets
from tests.spoiling import places, put
from yardlight.inventory.load import load

EVERYTHING = Path(__file__).parent.parent / "config" / "everything.yml"
ODD: tuple[Any, ...] = (
    None, True, 0, "", "x", "\0", "0d", "-1%", "9" * 400, [], {"a": "b"}, ["a", {"b": 1}], date(2026, 1, 1),
)  # fmt: skip


def documents(seeds: tuple[bytes, ...]) -> Iterator[dict[str, Any]]:
    """What the seeds hold, but for those that are broken or contain themselves."""
    for seed in seeds:
        try:
            document = yaml.safe_load(seed)
            json.dumps(document, default=str)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            yield document


def test_the_inventory_with_every_part_is_valid() -> None:
    assert load(EVERYTHING).fleet.fleet == "inland-haul"


@pytest.mark.parametrize("name", ["inventory", "playbook", "web config", "contract"])
def test_no_value_in_any_field_is_more_than_a_mistake(name: str, tmp_path: Path) -> None:
    parser, seen = targets(tmp_path)[name], set()
    for document in documents(parser.seeds):
        for path in places(document):
            kind = tuple("*" if isinstance(key, int) else key for key in path)
            for value in ODD if kind not in seen else ():
                new = put(document, path, value)
                text = json.dumps(new, default=str) if name == "contract" else yaml.dump(new, Dumper=yaml.CSafeDumper)
                parser.target(text.encode())
            seen.add(kind)
