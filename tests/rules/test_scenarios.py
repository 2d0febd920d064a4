"""Every scenario of the shipped rules through promtool: who is told, and who is not."""

from __future__ import annotations

import subprocess

import pytest

from tests.rules.promtool import FOLDER, names


@pytest.mark.needs("promtool")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_who_is_told_is_what_the_scenario_expects(name: str) -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", str(FOLDER / name)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
