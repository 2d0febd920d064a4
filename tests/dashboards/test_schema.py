"""Every board against Grafana's own types: of 11.6, the oldest that boards are for, and of a current release.

`@grafana/schema` has types and no JSON Schema; one is made of them. Keys that it does not know are found by
the round trip through the SDK, wrong types here.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.dashboards.boards import BOARDS, load

# As .ci/setup installs them.
PACKAGES = {"11.6": "grafana-schema-11", "current": "grafana-schema"}


@pytest.fixture(scope="module", params=PACKAGES.values(), ids=PACKAGES)
def schema(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> jsonschema.protocols.Validator:
    modules = Path(__file__).parents[2] / ".venv" / "node_modules"
    types = sorted((modules / request.param).glob("dist/**/raw/dashboard/x/*types.gen.d.ts"))
    generator = modules / ".bin" / "ts-json-schema-generator"
    if not types or not generator.exists():
        pytest.skip("Grafana's types are not installed: `make setup` does it where npm is there")
    made = tmp_path_factory.mktemp("schema") / "dashboard.json"
    # Their index has one type twice; a file has them once, and what a panel's plugin adds is not in it.
    arguments = ("--type", "Dashboard", "--no-type-check", "--additional-properties", "--out", str(made))
    subprocess.run([str(generator), "--path", str(types[0]), *arguments], check=True, capture_output=True, timeout=100)
    read = json.loads(made.read_text(encoding="utf-8"))
    validator: jsonschema.protocols.Validator = jsonschema.validators.validator_for(read)(read)
    return validator


def mistakes(validator: jsonschema.protocols.Validator, board: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(board)]


@pytest.mark.parametrize("board", BOARDS, ids=[board.stem for board in BOARDS])
def test_a_board_is_what_grafana_says_that_boards_are(board: Path, schema: jsonschema.protocols.Validator) -> None:
    assert mistakes(schema, load(board)) == []


def test_the_schema_finds_a_wrong_type(schema: jsonschema.protocols.Validator) -> None:
    board = load(BOARDS[0])
    board["panels"][0]["gridPos"]["x"] = "left"
    assert mistakes(schema, board) != []
    board = load(BOARDS[0])
    board["schemaVersion"] = "new"
    assert mistakes(schema, board) != []
