"""The short lab: real packets, real Prometheus and Alertmanager, measured against truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.needs("unshare", "ip", "iptables", "prometheus")]


@pytest.fixture(scope="module")
def report() -> dict[str, dict[str, object]]:
    """The rows of one short run, by name."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab", "--quick", "--json"],
        cwd=root, stdout=subprocess.PIPE, text=True, timeout=400, check=False,
    )  # fmt: skip
    if done.returncode == 2:
        pytest.skip("no namespaces on this machine")
    document = json.loads(done.stdout)
    return {row["row"]: {**row, "notes": document["notes"]} for row in document["rows"]}


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    "row",
    [
        "job", "bar1.recorded", "bar1.length_error", "bar1.pages", "bar1.false_events", "bar1.quiet_posts",
        "bar2.fiber.told_after", "bar2.fiber.pages", "bar2.fiber.once",
        "bar4.dead.noticed", "bar4.dead.never_up", "bar4.unpinned.noticed", "bar4.unpinned.never_up",
        "bar5.file_sound", "bar5.never_lower", "bar5.nothing_lost", "bar5.outages_complete", "row.D01",
    ],
)  # fmt: skip
def test_the_measured_values_hold_against_the_truth(report: dict[str, dict[str, object]], row: str) -> None:
    assert report[row]["passed"], report[row]
