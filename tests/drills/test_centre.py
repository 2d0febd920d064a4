"""What a drill asks of the center, from a real Prometheus."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ports import free_port

from yardlight.access import Access
from yardlight.drills.talk import HttpCentre
from yardlight.errors import DrillError

RULES = """
groups:
  - name: told
    rules:
      - {record: "yardlight:standby_headroom_seconds", expr: vector(7200), labels: {fleet: f, terminal: a, uplink: lte}}
      - {record: "yardlight:drill_since_timestamp_seconds", expr: vector(1), labels: {fleet: f, terminal: a}}
"""


async def nobody(_: float) -> list[dict[str, object]]:
    return []


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "prometheus.yml").write_text("global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
    at = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}",
         f"--web.listen-address={at}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield f"http://{at}"
    process.terminate()
    process.wait()


@pytest.mark.needs("prometheus")
def test_how_long_a_standbys_plan_lasts_is_asked_of_the_rules(prometheus: str) -> None:
    centre = HttpCentre(Access(prometheus), Access(prometheus), nobody)

    async def ask() -> None:
        until = time.monotonic() + 60
        while True:
            try:
                if await centre.knows("f", "a"):
                    break
            except DrillError:
                assert time.monotonic() < until, "Prometheus does not answer"
            assert time.monotonic() < until, "Prometheus evaluates nothing"
            await asyncio.sleep(0.2)
        assert await centre.headroom("f", "a", "lte") == 7200
        assert await centre.headroom("f", "a", "fiber") is None
        assert await centre.headroom("f", "b", "lte") is None
        assert not await centre.knows("f", "b")

    asyncio.run(ask())


def test_what_is_no_prometheus_is_said_to_be_none() -> None:
    centre = HttpCentre(Access("http://127.0.0.1:9"), Access("http://127.0.0.1:9"), nobody)
    with pytest.raises(DrillError, match="cannot be asked"):
        asyncio.run(centre.headroom("f", "a", "lte"))
