"""What the setup guides tell a user to copy must be right."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from yardlight.inventory.load import load


@pytest.mark.needs("promtool")
def test_the_yards_sender_is_a_valid_agent_configuration(root: Path) -> None:
    config = root / "docker" / "prometheus" / "yard.yml"
    checked = subprocess.run(
        ["promtool", "check", "config", "--agent", str(config)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_inventory_in_the_yard_box_guide_can_be_loaded(root: Path, tmp_path: Path) -> None:
    guide = (root / "playbooks" / "setup" / "yard-box.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "fleet.yml").write_text(block)
    terminal = load(tmp_path / "fleet.yml").fleet.terminals["fontana"]
    assert {name: uplink.role for name, uplink in terminal.uplinks.items()} == {"fiber": "primary", "lte": "standby"}


def test_files_that_the_guides_link_to_exist(root: Path) -> None:
    for guide in (root / "playbooks" / "setup").glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)", guide.read_text(encoding="utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"
