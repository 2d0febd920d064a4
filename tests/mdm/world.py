"""A fleet of a hundred trucks whose tablets a tenant on loopback manages, and a clock that is ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.mdm.test_intune import SECRET, Tenancy, raw
from tests.vendor import Asked, Vendor
from yardlight.collection import Session, open_memory, pack_memory
from yardlight.exposition import Block, pack, page
from yardlight.inventory.load import load
from yardlight.mdm import domain

HOUR = 3600.0
TRUCKS = 100


def iso(at: float) -> str:
    """An instant as Graph writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """The account `graph` with its source `tablets`; tablet N is that of truck N. `collect` moves the clock."""

    def __init__(self, folder: Path, vendor: Vendor, tenancy: Tenancy) -> None:
        self.folder, self.vendor, self.tenancy = folder, vendor, tenancy
        self._memory = b""
        self._blocks: list[Block] = []
        self.text = ""
        self.again_in: float | None = None
        (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        rows = [f"{number},T{number}=SER{number},drivers" for number in range(TRUCKS)]
        (self.folder / "trucks.csv").write_text("\n".join(["truck,tablet,group", *rows]) + "\n", encoding="utf-8")
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00"}}}}
roster: {{trucks: trucks.csv}}
accounts:
  graph: {{platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret,
          url: "{self.vendor.url}", login_url: "{self.vendor.url}", rate: 1000/s}}
mdm:
  tablets: {{account: graph, groups: {{drivers: {{duty: weekdays, stale_after: 24h}}}}}}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )
        [self._planned] = domain.planned(load(self.folder / "fleet.yml").fleet, self.folder)

    def tablets(self, checkin: float, **more: Any) -> None:
        """Every tablet spoke at this instant."""
        said = {"lastSyncDateTime": iso(checkin), **more}
        self.list([raw(number, **said) for number in range(TRUCKS)])

    def list(self, devices: list[dict[str, Any]]) -> None:
        """What the tenant lists, and counts, from now on."""
        self.tenancy.devices, self.tenancy.counted = devices, len(devices)

    def change(self, number: int, **more: Any) -> None:
        """One tablet is different from now on."""
        self.tenancy.devices[number] = {**self.tenancy.devices[number], **more}

    def collect(self, at: float, allowance: int | None = None) -> None:
        """One collection at this instant. Raises `PollError`, and what was on the page stays."""
        session = Session(
            time.monotonic() + 60.0, memory=open_memory(self._memory), clock=lambda: at, allowance=allowance
        )
        self.vendor.asked.clear()
        blocks = self._planned.collection(session)
        self._memory, self.again_in = pack_memory(session.memory), session.again_in
        stays = (
            []
            if session.instead is None
            else [each for each in self._blocks if each.metric.name not in session.instead]
        )
        self._blocks = [*stays, *blocks]
        self.text = page(pack(self._blocks), openmetrics=False).decode()

    def asked(self) -> list[Asked]:
        """What the last collection asked."""
        return list(self.vendor.asked)

    def samples(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each sample of a family on the page."""
        return [
            (sample.labels, sample.value)
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == f"yardlight_{name}"
        ]

    def states(self) -> dict[str, float]:
        """How many drivers' tablets are in each state."""
        return {
            labels["state"]: value
            for labels, value in self.samples("devices")
            if labels["group"] == "drivers" and value
        }


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A world while its tenant runs."""
    tenancy = Tenancy([])
    with Vendor(tenancy) as vendor:
        yield World(folder, vendor, tenancy)
