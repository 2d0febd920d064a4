"""A fleet with carriers of the demo, its own inventory and a clock that is ours: collected as the exporter does it."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from tests.cellular.talk import spoken
from tests.ringing import ringing
from tests.vendor import Vendor

from yardlight.cellular import domain
from yardlight.collection import Session, open_memory, pack_memory
from yardlight.demo.carrier import HOUR, Carrier, FakeSim
from yardlight.demo.faces import SECRET, USER, ControlCenter, Face, SuperSim, ThingSpace
from yardlight.exposition import block, pack, page
from yardlight.inventory.load import load

DAY = 24 * HOUR
ACCOUNTS = {
    ThingSpace: f"""platform: thingspace, account_name: "1", client_id: {USER}, client_secret_file: secret,
             username: {USER}, password_file: secret""",
    ControlCenter: f"platform: control_center, username: {USER}, api_key_file: secret, network: att",
    SuperSim: f"platform: super_sim, client_id: {USER}, client_secret_file: secret, network: kore",
}


class World:
    """One account `carrier` whose source is `sims`, spoken for by `face`; `section` is the rest of its inventory.

    Use in a `with` block. `collect` moves the clock; what is on the page then is read with `value`.
    """

    def __init__(self, folder: Path, carrier: Carrier, face: Face, section: str = "", account: str = "") -> None:
        self.folder, self.carrier, self.face = folder, carrier, face
        self._section, self._account = section, account
        self._memory = b""
        self._stack = ExitStack()
        self.text, self.at = "", 0.0

    def __enter__(self) -> Self:
        self.vendor = self._stack.enter_context(Vendor(spoken(self.face)))
        if isinstance(self.face, SuperSim):
            self.face.base = self.vendor.url
        self.write(self._section)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def write(self, section: str) -> None:
        """The inventory, with this as the rest of the source's part."""
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        rows = [f"T-{sim.name},{sim.name}={sim.iccid},fontana" for sim in self.carrier.sims.values()]
        (self.folder / "trucks.csv").write_text("\n".join(["truck,sims,terminal", *rows]) + "\n", encoding="utf-8")
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
roster: {{trucks: trucks.csv}}
accounts:
  carrier: {{{ACCOUNTS[type(self.face)]}, url: "{self.vendor.url}", rate: 1000/s, {self._account}}}
cellular:
  sims: {{account: carrier, {section}}}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )
        fleet = load(self.folder / "fleet.yml").fleet
        [self._planned] = domain.planned(fleet, self.folder)

    def collect(self, at: float, within: float = 120.0) -> None:
        """One collection at this instant, in so many seconds. Raises `PollError`, and what was on the page stays."""
        set_clock(self.carrier, at)
        self.at = at
        session = Session(time.monotonic() + within, memory=open_memory(self._memory), clock=lambda: at)
        blocks = self._planned.collection(session)
        self._memory = pack_memory(session.memory)
        self.text = page(pack(blocks), openmetrics=False).decode()

    def every(self, step: float, start: float, end: float) -> None:
        """Collect again and again."""
        at = start
        while at <= end:
            self.collect(at)
            at += step

    def value(self, name: str, **labels: str) -> float | None:
        """A sample of the page by its labels besides fleet and account; None if there is none."""
        wanted = {"fleet": "inland", "account": "carrier", **labels}
        found = [
            sample.value
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == f"yardlight_{name}" and wanted.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, f"{name} {labels} is {len(found)} samples"
        return found[0] if found else None

    def alerts(self) -> set[tuple[str, str]]:
        """What rings for the page as it stands, and about whom: by the shipped rules, all else being well."""
        fleet = load(self.folder / "fleet.yml").fleet
        said = [block(metric, "inland", samples) for metric, samples in domain.said(fleet, self.at).items()]
        whole = self.text + page(pack(said), openmetrics=False).decode()
        poll = '{account="carrier",fleet="inland",poll="cellular/sims"}'
        well = {
            f"yardlight_poll_success{poll}": 1.0,
            f"yardlight_poll_last_success_timestamp_seconds{poll}": self.at,
            'yardlight:terminal_utc_offset_seconds{fleet="inland",terminal="fontana"}': 0.0,
        }
        return ringing(whole, self.at, self.folder, well, "cellular.yml")

    def identifiers(self) -> list[str]:
        """Numbers of SIMs and devices that are on the page or in the state: there must be none."""
        numbers = {number for sim in self.carrier.sims.values() for number in (sim.iccid, sim.iccid[:-1], sim.imei)}
        kept = re.findall(r"\d{14,}", f"{self.text} {open_memory(self._memory)}")
        return [number for number in kept if any(each in number for each in numbers)]


def carrier_of(sims: Sequence[FakeSim], at: float, cap: int = 10**9, day: int = 1, lag: float = 2 * HOUR) -> Carrier:
    """A carrier whose clock is set with `set_clock`."""
    return Carrier("carrier", sims, lambda: at, cap, day=day, lag=lag)


def set_clock(carrier: Carrier, at: float) -> None:
    """What the carrier takes for now."""
    carrier.clock = lambda: at
