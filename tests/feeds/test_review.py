"""`yardlight contract` on a real vendor on loopback: learned, compared, accepted; and what each poll then tells."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.world import World, position, world
from tests.vendor import Answer
from yardlight.cli import main

NOW = 1_790_000_000.0


def positions(change: Callable[[dict[str, Any]], Any] = lambda raw: None) -> dict[str, Any]:
    rng = random.Random(3)
    raws = [
        position(100 + each % 20, NOW - rng.uniform(0, 200), rng.choice([0.0, rng.uniform(5, 70)]),
                 state=rng.choice(["on", "off", "idle"]))
        for each in range(300)
    ]  # fmt: skip
    for raw in raws:
        change(raw)
    return {"data": raws}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with world(tmp_path, {"/positions": positions()}) as made:
        yield made


def told(here: World, at: float = NOW) -> dict[tuple[str, str], float]:
    """What the page says of the contract, by kind and field."""
    here.collect(at)
    kinds = ("missing", "renamed", "enum", "unit", "new_field")
    fields = ("state", "condition", "speed", "color")
    found = {(k, f): here.value("feed_contract_violations", kind=k, field=f) for k in kinds for f in fields}
    return {key: value for key, value in found.items() if value is not None}


def rename(raw: dict[str, Any]) -> None:
    raw["condition"] = raw.pop("state")


def test_a_contract_is_learned_compared_and_accepted(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(here) == {}
    assert main(["contract", "learn", "gps", "--by", "dana"]) == 0
    out = capsys.readouterr().out
    assert "contracts/gps.json: 6 fields, 6 of them required." in out
    assert "300 records of 1 answers are few" in out
    written = json.loads((here.folder / "contracts" / "gps.json").read_text(encoding="utf-8"))
    assert written["x-learned"]["by"] == "dana"
    assert written["properties"]["state"]["enum"] == ["idle", "off", "on"]
    assert main(["contract", "diff", "gps"]) == 0
    assert "The answer keeps the contract" in capsys.readouterr().out
    assert told(here) == {}

    here.replies["/positions"] = positions(rename)
    assert main(["contract", "diff", "gps", "--json"]) == 1
    [breach] = json.loads(capsys.readouterr().out)
    assert (breach["field"], breach["kind"], breach["to"]) == ("state", "renamed", "condition")
    assert told(here) == {("renamed", "state"): 300.0}

    assert main(["contract", "accept", "gps", "--by", "sam"]) == 0
    assert "state" in capsys.readouterr().out
    written = json.loads((here.folder / "contracts" / "gps.json").read_text(encoding="utf-8"))
    [note] = written["x-accepted"]
    assert (note["by"], note["what"]) == ("sam", ["state: renamed, now condition"])
    assert written["properties"]["condition"]["enum"] == ["idle", "off", "on"]
    assert "state" not in written["properties"]
    assert told(here) == {}


def test_an_answer_that_does_not_come_loses_none_of_those_that_did(
    here: World, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([positions(), Answer({}, 500), positions()])
    here.replies["/positions"] = lambda asked: next(answers)
    assert main(["contract", "learn", "gps", "--replies", "3", "--every", "1s"]) == 0
    said = capsys.readouterr()
    assert "2 of 3: gps: GET /positions: status 500" in said.err
    assert "600 records of 2 answers are few" in said.out
    here.replies["/positions"] = Answer({}, 500)
    assert main(["contract", "learn", "gps", "--again"]) == 1


def test_a_new_field_is_drift_until_it_is_accepted(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.replies["/positions"] = positions(lambda raw: raw.update(color={"cab": "red"}))
    assert main(["contract", "diff", "gps"]) == 0
    assert "0 broken, 1 new." in capsys.readouterr().out
    assert told(here) == {("new_field", "color"): 300.0}
    assert main(["contract", "accept", "gps", "color"]) == 0
    assert told(here) == {}


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        (lambda raw: raw.pop("state"), "missing", "state"),
        (lambda raw: raw.update(speed=raw["speed"] * 1.609344), "unit", "speed"),
        (lambda raw: raw.update(state="towed"), "enum", "state"),
    ],
)
def test_each_kind_can_be_accepted(here: World, change: Callable[[dict[str, Any]], Any], kind: str, field: str) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.replies["/positions"] = positions(change)
    assert set(told(here)) == {(kind, field)}
    assert main(["contract", "accept", "gps"]) == 0
    assert main(["contract", "diff", "gps"]) == 0
    assert told(here) == {}


def test_only_fields_that_are_named_are_accepted(here: World) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.replies["/positions"] = positions(lambda raw: (raw.update(state="towed"), raw.update(color="red")))
    assert main(["contract", "accept", "gps", "color"]) == 0
    assert main(["contract", "diff", "gps"]) == 1


@pytest.mark.parametrize("fields", [[], ["odometer"]], ids=["all", "by its name in the inventory"])
def test_a_unit_that_shows_only_beside_the_answers_before_ends_with_its_acceptance(
    here: World, fields: list[str]
) -> None:
    def in_units_of(size: float) -> dict[str, Any]:
        return {"data": [position(unit, NOW) | {"odo": 250_000 * size + unit} for unit in range(100, 110)]}

    here.replies["/positions"] = in_units_of(1.0)
    assert main(["contract", "learn", "gps"]) == 0
    for minute in range(8):
        here.collect(NOW + minute * 60)
    here.replies["/positions"] = in_units_of(1.609344)
    here.collect(NOW + 480)
    assert here.value("feed_contract_violations", kind="unit", field="odometer") == 10
    here.replies["/positions"]["data"][0]["color"] = "red"
    assert main(["contract", "accept", "gps", "color"]) == 0
    here.collect(NOW + 540)
    assert here.value("feed_contract_violations", kind="unit", field="odometer") == 10
    assert main(["contract", "accept", "gps", *fields]) == 0
    here.collect(NOW + 600)
    assert here.value("feed_contract_violations", kind="unit", field="odometer") is None


def test_what_the_inventory_names_and_was_renamed_is_not_told_as_gone_too(here: World) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.replies["/positions"] = positions(lambda raw: raw.update(located_at=raw.pop("time")))
    here.collect(NOW)
    assert here.value("feed_contract_violations", kind="renamed", field="time") == 300
    assert here.value("feed_contract_violations", kind="missing", field="time") is None


def test_a_form_of_times_that_is_accepted_is_the_right_one(here: World) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.collect(NOW)
    here.replies["/positions"] = positions(lambda raw: raw.update(time=NOW))
    here.collect(NOW + 60)
    assert here.value("feed_contract_violations", kind="time_unit", field="time") == 300
    assert main(["contract", "accept", "gps"]) == 0
    here.collect(NOW + 120)
    assert here.value("feed_contract_violations", kind="time_unit", field="time") is None


def test_mistakes_are_told(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "diff", "gsp"]) == 1
    assert "there is no feed 'gsp'; feeds: gps" in capsys.readouterr().err
    assert main(["contract", "diff", "gps"]) == 1
    assert "gps has no contract yet; yardlight contract learn gps writes contracts/gps.json" in capsys.readouterr().err
    assert main(["contract", "learn", "gps"]) == 0
    assert main(["contract", "learn", "gps"]) == 1
    assert "contracts/gps.json is there" in capsys.readouterr().err
    assert main(["contract", "accept", "gps", "speed"]) == 1
    assert "nothing changed in 'speed'" in capsys.readouterr().err
    here.replies["/positions"] = {"data": []}
    assert main(["contract", "learn", "gps", "--again"]) == 1
    assert "no records, nothing to learn from" in capsys.readouterr().err
    del here.replies["/positions"]
    with pytest.raises(SystemExit):
        main(["contract", "learn", "gps", "--replies", "0"])


def test_a_contract_that_is_being_edited_does_not_stop_the_feed(here: World) -> None:
    assert main(["contract", "learn", "gps"]) == 0
    here.replies["/positions"] = positions(rename)
    assert told(here) == {("renamed", "state"): 300.0}
    (here.folder / "contracts" / "gps.json").write_text("{", encoding="utf-8")
    assert told(here) == {("renamed", "state"): 300.0}
