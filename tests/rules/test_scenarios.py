"""Every scenario of the shipped rules through promtool: who is told, and who is not."""

from __future__ import annotations

import pytest

from tests.rules.promtool import FOLDER, judged, names


@pytest.mark.needs("promtool")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_who_is_told_is_what_the_scenario_expects(name: str) -> None:
    right, said = judged(FOLDER / name)
    assert right, said
