"""`check --explain`: which file and line a value comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight.inventory.load import Inventory, load

FLEET = """\
fleet: inland-haul
timezone: America/Los_Angeles
include: [classes.yml]
defaults: {uplink: {timeout: 1s, down_after: 10m}}
terminals:
  fontana:
    class: small-yard
    uplinks:
      fiber: {bind: 10.10.0.21, down_after: 3s}
      lte: {bind: wwan0}
  reno: {targets: [198.51.100.9], uplinks: {fiber: {}}}
  reno.west: {targets: [198.51.100.9], uplinks: {fiber: {}}}
"""
CLASSES = """\
classes:
  small-yard: {targets: [198.51.100.1, 198.51.100.2], uplinks: {lte: {down_after: 5m}, fiber: {up_after: 9s}}}
"""


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inventory:
    monkeypatch.chdir(tmp_path)
    Path("fleet.yml").write_text(FLEET)
    Path("classes.yml").write_text(CLASSES)
    return load(Path("fleet.yml"))


@pytest.mark.parametrize(
    ("path", "explained"),
    [
        (
            "terminals.fontana.uplinks.fiber.down_after",
            "terminals.fontana.uplinks.fiber.down_after = 3s\n"
            "  fleet.yml:9:33\n"
            "  instead of 10m, fleet.yml:4:34 defaults.uplink.down_after",
        ),
        (
            "terminals.fontana.uplinks.lte.down_after",
            "terminals.fontana.uplinks.lte.down_after = 5m\n"
            "  classes.yml:2:71 classes.small-yard.uplinks.lte.down_after\n"
            "  instead of 10m, fleet.yml:4:34 defaults.uplink.down_after",
        ),
        (
            "terminals.fontana.uplinks.lte.timeout",
            "terminals.fontana.uplinks.lte.timeout = 1s\n  fleet.yml:4:21 defaults.uplink.timeout",
        ),
        (
            "terminals.fontana.targets.1",
            "terminals.fontana.targets.1 = 198.51.100.2\n  classes.yml:2:40 classes.small-yard.targets.1",
        ),
        (
            "terminals.fontana.targets",
            "terminals.fontana.targets = [198.51.100.1, 198.51.100.2]\n  classes.yml:2:16 classes.small-yard.targets",
        ),
        (
            "terminals.fontana.timezone",
            "terminals.fontana.timezone = America/Los_Angeles\n  nobody wrote it; the time zone of the fleet",
        ),
        (
            "terminals.fontana.uplinks.lte.metered",
            "terminals.fontana.uplinks.lte.metered = {budget: 50 MB, per: month, reserve: 30%, for_services: 20%}\n"
            "  nobody wrote it; lte, 5g and satellite are metered unless they say metered: false",
        ),
        (
            "terminals.fontana.switch_within",
            "terminals.fontana.switch_within = 1m\n  nobody wrote it; the default",
        ),
        (
            "terminals.reno.west.uplinks.fiber",
            "terminals.reno.west.uplinks.fiber.timeout = 1s\n  fleet.yml:4:21 defaults.uplink.timeout\n"
            "terminals.reno.west.uplinks.fiber.down_after = 10m\n  fleet.yml:4:34 defaults.uplink.down_after",
        ),
        ("fleet", "fleet = inland-haul\n  fleet.yml:1:1"),
    ],
)
def test_a_field_is_explained_by_the_file_and_line_that_won(inventory: Inventory, path: str, explained: str) -> None:
    assert inventory.explain(path) == explained


def test_silence_before_down_is_explained_where_nobody_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text(FLEET.replace(", down_after: 10m", "").replace("include: [classes.yml]\n", "")
        .replace("class: small-yard", "targets: [198.51.100.1]"))  # fmt: skip
    explained = load(tmp_path / "fleet.yml").explain("terminals.fontana.uplinks.lte.down_after")
    assert explained.startswith("terminals.fontana.uplinks.lte.down_after = ")
    assert explained.endswith("nobody wrote it; three probe intervals, and 3s at least where the uplink is not metered")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("terminals.fontanna.uplinks", "there is no 'fontanna' in terminals; did you mean 'fontana'?"),
        ("terminals.fontana.uplinks.fiber.downafter", "did you mean 'down_after'?"),
        ("terminals.fontana.targets.7", "there is no '7' in terminals.fontana.targets"),
        ("fleets", "there is no 'fleets' in the inventory; did you mean 'fleet'?"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(inventory: Inventory, path: str, message: str) -> None:
    with pytest.raises(ValueError, match="there is no") as error:
        inventory.explain(path)
    assert message in str(error.value)
