"""A whole day of all vendors, thousands of trucks and their tablets, through a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.programs import running
from tests.quarter.judge import Found
from tests.quarter.script import Script
from tests.quarter.stepped import Prometheus, groups
from tests.quarter.vendors import Fleet
from tests.quarter.yards import Window
from yardlight.exposition import AnyBlock

# Those that look at what the centre itself collects.
FILES = (
    "availability.yml", "cellular.yml", "centre.yml", "feeds.yml", "flows.yml", "mdm.yml", "records.yml",
    "webhooks.yml",
)  # fmt: skip


@dataclass
class Scraped:
    """Takes the place of a history: each page goes to Prometheus as it comes."""

    fleet: Fleet
    prometheus: Prometheus

    def add(self, blocks: Iterable[AnyBlock]) -> None:
        self.prometheus.page(blocks, self.fleet.clock.time())


def told(
    script: Script, window: Window, trucks: int, folder: Path, files: tuple[str, ...] = FILES
) -> tuple[list[Found], int]:
    """What these rules tell of the vendors in the window, and how many series there were."""
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text("{}")
    program = (
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
        "--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{port}",
    )  # fmt: skip
    with running(port, *program), Fleet(script, window, trucks, folder) as fleet:
        prometheus = Prometheus(port, groups(files))
        fleet.history = Scraped(fleet, prometheus)  # type: ignore[assignment]
        fleet.until(window.end)
        return [Found(window, each) for each in prometheus.told(window.begin)], prometheus.series
