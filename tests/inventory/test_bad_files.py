"""One file per mistake: `# expect:` lines in it are the exact messages, all of them, in this order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from yardlight.errors import InventoryError
from yardlight.inventory.load import load

BAD = Path(__file__).parent.parent / "config" / "bad"
FILES = sorted(file.name for file in BAD.glob("*.yml"))


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_gives_exactly_the_messages_in_its_first_lines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    text = Path(name).read_bytes().decode("utf-8", "replace")
    expected = re.findall(r"^# expect: (.*)$", text, re.MULTILINE)
    with pytest.raises(InventoryError) as error:
        load(Path(name))
    assert [str(problem) for problem in error.value.problems] == expected
    assert str(error.value) == "\n".join(expected)


def test_there_is_a_file_for_every_mistake_that_the_design_names() -> None:
    named = {
        "broken_yaml_bracket.yml", "tabs.yml", "not_utf8.yml", "empty.yml", "not_a_mapping.yml",
        "unknown_key_uplink.yml", "duplicate_terminal.yml", "bad_role.yml", "missing_bind.yml",
        "same_bind_twice.yml", "two_primaries.yml", "down_after_too_short.yml",
        "down_after_too_short_for_the_budget.yml", "bad_duration.yml", "bad_size.yml", "bad_share.yml",
        "bad_timezone_fleet.yml", "bad_target.yml", "bad_name_terminal.yml", "unknown_class.yml",
        "include_missing.yml", "include_itself.yml", "same_terminal_in_two_files.yml",
        "maintenance_unknown_uplink.yml", "peak_names_no_calendar.yml", "quorum_too_high.yml",
    }  # fmt: skip
    assert named <= set(FILES)
