"""A real Prometheus that knows an hour of a fleet, for every test of a board."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.dashboards import history
from tests.ports import free_port
from tests.programs import running


@pytest.fixture(scope="package")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, float], list[Any]]]:
    """A Prometheus with an hour of history up to now; a function that asks it about so many seconds ago."""

    folder = tmp_path_factory.mktemp("prometheus")
    end = int(time.time()) // history.STEP * history.STEP
    (folder / "hour.om").write_text(history.openmetrics(end), encoding="utf-8")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "hour.om", folder / "data"],
        check=True,
        capture_output=True,
    )
    (folder / "prometheus.yml").write_text("{}")

    def ask(expr: str, ago: float) -> list[Any]:
        query = urllib.parse.urlencode({"query": expr, "time": end - ago})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=5) as reply:
            result: list[Any] = json.load(reply)["data"]["result"]
            return result

    port = free_port()
    arguments = (f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data")
    with running(port, "prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"):
        yield ask
