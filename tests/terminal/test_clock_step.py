"""Row T22: the wall clock of the yard box steps by two hours. Its real process, its clock faked by libfaketime."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.lab.clock import Clock

from yardlight.inventory.machine import may_ping

FLEET = """\
fleet: acme
terminals:
  fontana: {targets: [127.0.0.1, 127.0.0.2, 127.0.0.3], uplinks: {fiber: {}}}
"""


@pytest.mark.needs("faketime")
@pytest.mark.skipif(not may_ping(), reason="ICMP needs CAP_NET_RAW")
def test_t22_a_step_of_the_wall_clock_is_no_gap_and_no_failover_and_shows_in_the_clock(
    tmp_path: Path, free_port: Callable[[], int], eventually: Callable[..., object]
) -> None:
    assert shutil.which("faketime")
    (tmp_path / "fleet.yml").write_text(FLEET)
    clock_of_the_box = Clock(tmp_path)
    port = free_port()
    environment = {**os.environ, **clock_of_the_box.environment}
    command = [sys.executable, "-m", "yardlight", "serve", "--terminal", "fontana", "--inventory", "fleet.yml"]
    process = subprocess.Popen(
        [*command, f"--web.listen-address=127.0.0.1:{port}"], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    )

    def sample(series: str) -> float | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
                page = reply.read().decode()
        except OSError:
            return None
        found = re.search(rf"^yardlight_{re.escape(series)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else None

    states = [
        'terminal_state{fleet="acme",state="primary",terminal="fontana"}',
        'uplink_state{fleet="acme",state="up",terminal="fontana",uplink="fiber"}',
    ]
    clock = 'clock_timestamp_seconds{fleet="acme",terminal="fontana"}'
    sent = 'default_path_probes_sent_total{fleet="acme",target="127.0.0.1",terminal="fontana"}'

    def stepped(seconds: int) -> bool:
        return abs((sample(clock) or 0) - time.time() - seconds) < 60

    def probed(since: float) -> bool:
        return (sample(sent) or 0) >= since + 4

    try:
        eventually(lambda: all(sample(state) == 1 for state in states), within=30)
        for step in (7200, -7200):
            clock_of_the_box.step(step)
            eventually(partial(stepped, step), within=10)
            eventually(partial(probed, sample(sent) or 0), within=30)
            assert [sample(state) for state in states] == [1, 1]
            assert sample('terminal_gap_seconds_count{fleet="acme",terminal="fontana"}') == 0
            assert sample('uplink_gap_seconds_count{fleet="acme",terminal="fontana",uplink="fiber"}') == 0
        within = sample('uplink_rtt_seconds_bucket{fleet="acme",le="2.0",terminal="fontana",uplink="fiber"}')
        assert within is not None
        total = sample('uplink_rtt_seconds_count{fleet="acme",terminal="fontana",uplink="fiber"}')
        assert total is not None
        assert total - within < 5, "only what came between the two reads"
    finally:
        process.terminate()
        process.wait(10)
