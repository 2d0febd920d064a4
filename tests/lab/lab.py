"""One whole lab: the network, its truth, the yard and, when asked for, the centre."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.lab import internet, namespace, network
from tests.lab.agent import Snmpd
from tests.lab.centre import Centre, Twin
from tests.lab.clock import Clock
from tests.lab.faults import Faults
from tests.lab.router import Router, Settings, switching_after
from tests.lab.truth import Log, Prober
from tests.lab.yard import OTHER_FLEET, TERMINAL, TWIN, Box, Glance, inventory, twin_terminal
from tests.terminal.internet import NAME, Authority

SOURCES = {"default": network.DEFAULT, "fiber": network.FIBER, "lte": network.LTE}

# A shared machine may stop for seconds (seen: 5 s); what was measured meanwhile is repeated, and said.
STALL = 0.7


@dataclass(frozen=True)
class Setup:
    """What a scenario wants. `truth` names the paths that get a prober (which a meter counts).

    `twin` adds a second terminal elsewhere, of this fleet or of another; `rules` changes the text of the shipped rules;
    `stepping_clock` lets a scenario set the wall clock of the box, `small_disk` fill the disk of its state file. With
    `snmp` the router has an agent and is polled, with `proof` dispatch is asked over LTE as a proof, with TLS.
    """

    shape: network.Shape = field(default_factory=network.Shape)
    router: Settings = field(default_factory=lambda: switching_after(4))
    metered: dict[str, Any] | bool = False
    egress: bool = False
    terminal: dict[str, Any] | None = None
    centre: bool = True
    usual: bool = False
    truth: tuple[str, ...] = ("default", "fiber")
    uplinks: dict[str, dict[str, Any] | None] | None = None
    fleet: dict[str, Any] | None = None
    twin: Literal["terminal", "fleet"] | None = None
    rules: dict[str, str] = field(default_factory=dict)
    stepping_clock: bool = False
    small_disk: bool = False
    snmp: bool = False
    proof: bool = False
    standby: dict[str, Any] = field(default_factory=dict)


class Lab:
    """Everything a scenario acts on and looks at. Must be made inside a namespace holder."""

    def __init__(self, setup: Setup, work: Path) -> None:
        self.setup = setup
        self.work = work
        self.log = Log(work / "truth.jsonl")
        self.faults = Faults(self.log)
        self.router = Router(setup.router, self.log)
        self.truth = {path: Prober(SOURCES[path]) for path in setup.truth}
        self._send_to = network.CENTRE_OUT_OF_BAND if setup.shape.out_of_band else network.CENTRE
        self.agent = Snmpd(work) if setup.snmp else None
        asked = {"router": self.agent.inventory} if self.agent is not None else {}
        self._authority = Authority(work) if setup.proof else None
        terminal = {**asked, **self._proof(), **(setup.terminal or {})}
        fleet = inventory(setup.metered, setup.egress, terminal, setup.uplinks, setup.fleet)
        if setup.twin == "terminal":
            fleet["terminals"][TWIN] = twin_terminal(setup.terminal)
        self.clock = Clock(work) if setup.stepping_clock else None
        environment = self.clock.environment if self.clock is not None else None
        self.box = Box(work / "fontana", fleet, self._send_to if setup.centre else None, environment)
        self._centre = None
        if setup.centre:
            self._centre = Centre(work, self.box.inventory, setup.usual, self._twin(), setup.rules)

    def _proof(self) -> dict[str, Any]:
        if self._authority is None:
            return {}
        proof = {"url": f"https://{NAME}/", "body": "ok", "ca_file": str(self._authority.file)}
        return {"resolvers": [network.DNS], "standby": {"proof": proof, **self.setup.standby}}

    def _twin(self) -> Twin | None:
        if self.setup.twin is None:
            return None
        if self.setup.twin == "terminal":
            return Twin(TWIN, self.box.inventory)
        other = self.box.inventory.with_name(f"{OTHER_FLEET}.yml")
        terminals = {TERMINAL: twin_terminal(self.setup.terminal)}
        other.write_text(yaml.safe_dump({"fleet": OTHER_FLEET, "terminals": terminals}))
        return Twin(TERMINAL, other)

    async def move_box(self) -> None:
        """Another host measures the yard from now on; what the old one remembered is lost."""
        self.box.kill()
        self.box = Box(self.work / "other-host", self.box.fleet, self._send_to)
        await self.box.start()

    @property
    def centre(self) -> Centre:
        assert self._centre is not None, "this scenario was set up without a centre"
        return self._centre

    async def start(self) -> None:
        """Everything runs and the terminal is seen on its primary; raises TimeoutError otherwise."""
        network.build(self.setup.shape)
        namespace.name_server(self.work, network.DNS)
        await internet.start(self._authority.server() if self._authority is not None else None)
        self.router.start()
        if self.agent is not None:
            self.agent.start()
        self._watch = asyncio.get_running_loop().create_task(self._watch_machine())
        for prober in self.truth.values():
            await prober.start()
        if self._centre is not None:
            await self._centre.start()
        if self.setup.small_disk:
            self.box.use_small_disk()
        await self.box.start()
        await self.until(healthy, within=90)

    def stalled_since(self, at: float) -> bool:
        """True when the machine itself stood still: then neither truth nor measurement is worth anything."""
        return any(stall["monotonic"] >= at for stall in self.log.entries if stall["what"] == "machine_stalled")

    async def _watch_machine(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.1)
            if (stood := time.monotonic() - before - 0.1) > STALL:
                self.log.write("machine_stalled", seconds=stood)

    async def until(self, holds: Callable[[Glance], bool], within: float) -> Glance:
        """The first glance from now on for which `holds`; raises TimeoutError with the last one."""
        began = time.monotonic()
        while time.monotonic() < began + within:
            for seen in self.box.since(began):
                if holds(seen):
                    return seen
            await asyncio.sleep(0.1)
        raise TimeoutError(f"not within {within:.0f} s: {self.box.glances[-1] if self.box.glances else 'no page'}")

    async def calm(self, within: float = 300) -> None:
        """Healthy again, nothing firing, nothing open in the inbox."""
        deadline = time.monotonic() + within
        await self.until(healthy, within)
        while self._centre is not None and (self._centre.inbox.open() or await self._centre.active()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still open: {self._centre.inbox.open() | await self._centre.active()}")
            await asyncio.sleep(0.5)


def healthy(seen: Glance) -> bool:
    return seen.terminal == "primary" and all(state == "up" for state in seen.uplinks.values())


async def make(setup: Setup, work: Path) -> Lab:
    """A started lab in this process, which must be a namespace holder's."""
    namespace.prepare()
    lab = Lab(setup, work)
    await lab.start()
    return lab
