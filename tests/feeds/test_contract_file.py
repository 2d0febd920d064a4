"""Contracts as files: people review them, any validator reads them, and they judge as what was learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.feeds.test_contract import CHANGES, changed, reply
from yardlight.errors import ContractError
from yardlight.feeds import contract_file
from yardlight.feeds.contract import Contract, learn
from yardlight.feeds.judge import check

NAME = "contracts/gps.json"


@pytest.fixture(scope="module")
def learned() -> Contract:
    return learn(reply() for _ in range(40))


@pytest.fixture(scope="module")
def text(learned: Contract) -> str:
    return contract_file.dump(learned)


def test_a_file_is_read_as_it_was_written(text: str) -> None:
    assert contract_file.dump(contract_file.load(text, NAME)) == text


def test_it_is_a_json_schema_that_the_records_keep(text: str) -> None:
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert [error.message for record in reply() for error in validator.iter_errors(record)] == []
    assert not validator.is_valid({"id": "1"})


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_judges_as_what_was_learned(text: str, name: str) -> None:
    change, kind, field = CHANGES[name]
    contract = contract_file.load(text, NAME)
    assert check(reply(), contract) == []
    assert [(each.kind, each.field) for each in check(changed(change), contract)] == [(kind, field)]


def test_no_line_is_longer_than_a_review_shows(text: str) -> None:
    assert max(map(len, text.splitlines())) <= 120


def test_a_rule_that_is_taken_out_is_not_judged(text: str) -> None:
    schema = json.loads(text)
    del schema["properties"]["engineState"]["enum"]
    schema["required"].remove("connected")
    contract = contract_file.load(json.dumps(schema), NAME)
    assert check(changed(lambda raw: (raw.update(engineState="Unplugged"), raw.pop("connected"))), contract) == []


def test_a_contract_by_hand_holds_without_evidence() -> None:
    schema = {"required": ["id"], "properties": {"id": {"type": "string"}, "state": {"enum": ["on", "off"]}}}
    contract = contract_file.load(json.dumps(schema), NAME)
    assert check([{"id": "1", "state": "on"}], contract) == []
    assert [(each.kind, each.field) for each in check([{"state": "idle"}], contract)] == [
        ("missing", "id"),
        ("enum", "state"),
    ]


BAD: list[tuple[Any, str]] = [
    ([], "the file: [] is not a schema, which is an object"),
    ({"properties": {"id": 5}}, "properties.id: 5 is not a schema, which is an object"),
    ({"type": "text"}, 'type: "text" is not one of object, array, string, number, integer, boolean, null'),
    ({"required": "id"}, 'required: "id" is not a list of names'),
    ({"required": ["id", {"id": 1}]}, 'required: ["id", {"id": 1}] is not a list of names'),
    ({"required": ["id"]}, 'required: "id" is not one of the properties'),
    ({"properties": []}, "properties: [] is not an object of schemas"),
    ({"properties": {"a": {"enum": [1]}}}, "properties.a.enum: [1] is not a list of words"),
    ({"x-learned": 3}, "x-learned: 3 is not an object"),
    ({"x-accepted": ["dana"]}, 'x-accepted: ["dana"] is not a list of objects'),
    ({"x-seen": 3}, "x-seen: 3 is not an object such as"),
    ({"x-missing": {"share": 2}}, 'x-missing: {"share": 2} is not an object such as {"share": 0.3}'),
    ({"x-epoch": "weeks"}, 'x-epoch: "weeks" is not one of seconds, milliseconds, microseconds, nanoseconds'),
    ({"x-values": [1, 2]}, "x-values: [1, 2] is not a list of 15 rising numbers"),
    ({"x-values": list(range(15)), "x-decimals": "1"}, 'is not numbers in x-numbers, x-decimals and x-noise'),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "message"), BAD)
def test_a_mistake_is_told_with_its_file_and_place(schema: Any, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        contract_file.load(json.dumps(schema), NAME)
    assert str(caught.value).startswith(f"{NAME}: ")
    assert message in str(caught.value)


def test_a_file_that_is_no_json_or_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"gps.json: no JSON: Expecting"):
        contract_file.load("{", NAME)
    with pytest.raises(ContractError, match="No such file"):
        contract_file.read(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff")
    with pytest.raises(ContractError, match="no text in UTF-8"):
        contract_file.read(tmp_path / "bytes.json")
