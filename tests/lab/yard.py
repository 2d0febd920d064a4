"""The box in the yard: its inventory, the exporter, the agent that sends them out, and a fast reader."""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab import namespace, network
from tests.lab.process import ROOT, YARDLIGHT, Program, until_ready

FLEET, TERMINAL, PORT = "lab", "fontana", 10480
TWIN, OTHER_FLEET, TWIN_PORT = "reno", "coast", 10481
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def inventory(
    metered: dict[str, Any] | bool = False,
    egress: bool = False,
    terminal: dict[str, Any] | None = None,
    uplinks_too: dict[str, dict[str, Any] | None] | None = None,
    fleet: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The lab's fleet as a user writes it; `metered` is the LTE uplink's, `terminal` and `fleet` override.

    `uplinks_too` adds to an uplink, or takes it away (None).
    """
    uplinks: dict[str, dict[str, Any]] = {
        "fiber": {
            "role": "primary", "medium": "fiber", "bind": network.FIBER, "next_hop": network.FIBER_HOP,
            "circuit": {"isp": "Frontier", "id": "12/KRFN/004", "support": "+1 800 555 0199"},
        },
        "lte": {"role": "standby", "medium": "lte", "bind": network.LTE, "metered": metered},
    }  # fmt: skip
    for name, more in (uplinks_too or {}).items():
        if more is None:
            del uplinks[name]
        else:
            uplinks[name] = {**uplinks[name], **more}
    yard: dict[str, Any] = {"targets": list(network.TARGETS), "uplinks": uplinks}
    if egress:
        yard["egress"] = f"stun://{network.STUN}:3478"
    return {"fleet": FLEET, **(fleet or {}), "terminals": {TERMINAL: {**yard, **(terminal or {})}}}


def twin_terminal(terminal: dict[str, Any] | None) -> dict[str, Any]:
    """A yard elsewhere, with one line of its own and the same services."""
    services = {key: value for key, value in (terminal or {}).items() if key in ("services", "resolvers")}
    return {"targets": list(network.TARGETS), "uplinks": {"line": {"medium": "fiber"}}, **services}


class Page:
    """One read of /metrics at `at` (monotonic seconds)."""

    def __init__(self, at: float, text: str) -> None:
        self.at = at
        self._samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for name, labels, value in _SAMPLE.findall(text):
            self._samples.setdefault(name, []).append((dict(_LABEL.findall(labels)), float(value)))

    def all(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Samples of yardlight_`name` that carry all of `labels`."""
        found = self._samples.get(f"yardlight_{name}", [])
        return [(own, value) for own, value in found if labels.items() <= own.items()]

    def value(self, name: str, **labels: str) -> float | None:
        """The one such sample's value, None when there is none."""
        found = self.all(name, **labels)
        return found[0][1] if found else None

    def total(self, name: str, **labels: str) -> float:
        return sum(value for _, value in self.all(name, **labels))

    def which(self, label: str, name: str, **labels: str) -> str | None:
        """The value of `label` on the sample that is 1: a state, or the uplink that carries."""
        return next((own[label] for own, value in self.all(name, **labels) if value == 1), None)


@dataclass(frozen=True)
class Glance:
    """What the exporter said at one moment (monotonic seconds); counts and sums of its two gap histograms."""

    at: float
    terminal: str | None
    uplinks: dict[str, str | None]
    pinned: dict[str, float | None]
    observed: str | None
    gaps: float
    gap_seconds: float
    uplink_gaps: dict[str, float]
    uplink_gap_seconds: dict[str, float]
    failovers: float


def glance(page: Page, circuits: Sequence[str] = ("fiber", "lte")) -> Glance:
    return Glance(
        at=page.at,
        terminal=page.which("state", "terminal_state", terminal=TERMINAL),
        uplinks={circuit: page.which("state", "uplink_state", uplink=circuit) for circuit in circuits},
        pinned={circuit: page.value("uplink_pinned", uplink=circuit) for circuit in circuits},
        observed=page.which("uplink", "terminal_path", source="observed"),
        gaps=page.total("terminal_gap_seconds_count"),
        gap_seconds=page.total("terminal_gap_seconds_sum"),
        uplink_gaps={circuit: page.total("uplink_gap_seconds_count", uplink=circuit) for circuit in circuits},
        uplink_gap_seconds={circuit: page.total("uplink_gap_seconds_sum", uplink=circuit) for circuit in circuits},
        failovers=page.total("terminal_failovers_total"),
    )


class Box:
    """The exporter and the agent on the box, and every glance taken at them (five a second)."""

    def __init__(
        self, work: Path, fleet: dict[str, Any], send_to: str | None, environment: Mapping[str, str] | None = None
    ) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.inventory = work / "fleets" / f"{FLEET}.yml"
        self.inventory.parent.mkdir(exist_ok=True)
        self.fleet = fleet
        self.inventory.write_text(yaml.safe_dump(fleet, sort_keys=False))
        self.glances: list[Glance] = []
        self._circuits = tuple(fleet["terminals"][TERMINAL]["uplinks"])
        # A disk of its own, so that a fault can fill it up.
        self.disk = work / "disk"
        self.disk.mkdir(exist_ok=True)
        self.state = self.disk / "yardlight.db"
        listen = f"127.0.0.1:{PORT}"
        self.exporter = Program("yard", "exporter", (
            *YARDLIGHT, "serve", "--terminal", TERMINAL, "--inventory", str(self.inventory),
            "--state", str(self.state), "--web.listen-address", f":{PORT}",
        ), work, environment)  # fmt: skip
        self.agent: Program | None = None
        if send_to is not None:
            config = work / "agent.yml"
            config.write_text(yaml.safe_dump(agent_config(send_to, listen, work.name), sort_keys=False))
            self.agent = Program("yard", "agent", (
                "prometheus", "--enable-feature=agent", f"--config.file={config}",
                f"--storage.agent.path={work / 'agent'}", "--web.listen-address=127.0.0.1:9090",
            ), work)  # fmt: skip

    def use_small_disk(self) -> None:
        """Give the state file a disk that is soon full; before the box is switched on."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "lab", str(self.disk)], check=True)

    def power_on(self) -> None:
        self.exporter.start()
        if self.agent is not None:
            self.agent.start()

    def kill(self) -> None:
        """As a power cut would: nothing is written any more."""
        self.exporter.kill()
        if self.agent is not None:
            self.agent.kill()

    async def start(self) -> None:
        self.power_on()
        await until_ready("yard", PORT, "/-/ready", self.exporter)
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def page(self) -> Page:
        body = await namespace.fetch("yard", PORT, "/metrics")
        return Page(time.monotonic(), body.decode())

    def since(self, at: float) -> list[Glance]:
        return [seen for seen in self.glances if seen.at >= at]

    async def _read(self) -> None:
        while True:
            # A box that was killed answers nothing, and that is one of the faults.
            with contextlib.suppress(OSError, TimeoutError):
                self.glances.append(glance(await self.page(), self._circuits))
            await asyncio.sleep(0.2)


def agent_config(send_to: str, listen: str, name: str) -> dict[str, Any]:
    """The sender as it is shipped; only the addresses and the yard's name are the lab's."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "prometheus" / "yard.yml").read_text())
    config["scrape_configs"][0]["static_configs"] = [{"targets": [listen], "labels": {"instance": name}}]
    config["remote_write"][0]["url"] = f"http://{send_to}:9090/api/v1/write"
    return config
