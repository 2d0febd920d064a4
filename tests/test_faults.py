"""The acceptance scenarios: all there, none weakened, each named by a test or still to be built."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "tests" / "faults"

# The rows each file was given with: how many, and the hash of exactly those. More may be added below them.
GIVEN = {
    "cellular.yml": (24, "9fa143f50f5dacfc"),
    "drills.yml": (15, "4d570b41dee60c53"),
    "feeds.yml": (28, "61189fe4522282a9"),
    "mdm.yml": (25, "39e18cf1f701d6c4"),
    "records.yml": (13, "d8f830d5ec6c8324"),
    "terminal.yml": (36, "c630b81e398aee0d"),
}

# Scenarios of what is still to come. Building one takes it off this list: a test that names it makes us.
NOT_YET_BUILT: set[str] = set()


def rows(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((FAULTS / name).read_text(encoding="utf-8"))
    return loaded


def digest(given: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:16]


def spread(spans: set[str]) -> set[str]:
    """{'T18-T19'} as {'T18', 'T19'}."""
    ids = set()
    for span in spans:
        first, _, last = span.partition("-")
        ids.update(f"{first[0]}{number:02}" for number in range(int(first[1:]), int((last or first)[1:]) + 1))
    return ids


def ids_in(text: str) -> set[str]:
    """Scenario ids in a text: T07, test_t07_..., never a part of a longer word or number."""
    return {found.upper() for found in re.findall(r"(?<![A-Za-z0-9])[A-Za-z]\d\d(?![A-Za-z0-9])", text)}


def named_by_tests() -> dict[str, list[str]]:
    """Scenario id to the test files, Python or promtool's, that name it."""
    folders = (ROOT / "tests", ROOT / "alert_rules" / "tests")
    named: dict[str, list[str]] = {}
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".yml")):
        if FAULTS in path.parents or path == Path(__file__):
            continue
        for id_ in ids_in(path.read_text(encoding="utf-8", errors="replace")):
            named.setdefault(id_, []).append(str(path.relative_to(ROOT)))
    return named


@pytest.mark.parametrize(("name", "given"), GIVEN.items())
def test_scenarios_are_added_below_the_given_ones_which_never_change(name: str, given: tuple[int, str]) -> None:
    count, expected = given
    assert digest(rows(name)[:count]) == expected, f"{name}: the first {count} rows are not what was agreed on"


def test_every_scenario_has_an_id_of_its_own() -> None:
    ids = [row["id"] for name in GIVEN for row in rows(name)]
    assert len(ids) >= 141
    assert len(ids) == len(set(ids))


def test_every_file_of_scenarios_is_known_here() -> None:
    assert {path.name for path in FAULTS.glob("*.yml")} == set(GIVEN)


def test_every_scenario_is_named_by_a_test_or_listed_as_not_yet_built() -> None:
    every = {row["id"] for name in GIVEN for row in rows(name)}
    assert not sorted(every - set(named_by_tests()) - spread(NOT_YET_BUILT))


def test_what_is_listed_as_not_yet_built_exists_and_has_no_test() -> None:
    every = {row["id"] for name in GIVEN for row in rows(name)}
    named = named_by_tests()
    assert spread(NOT_YET_BUILT) <= every
    assert not {id_: named[id_] for id_ in spread(NOT_YET_BUILT) & set(named)}, "built: take it off NOT_YET_BUILT"


def test_an_id_is_found_in_a_name_and_not_in_a_number() -> None:
    assert ids_in("# T07: x, test_t08_dead; 0xT09 T100 AT11") == {"T07", "T08"}
