"""Faults of the lab's network, each written to the truth log as it happens."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

from tests.lab import namespace, network
from tests.lab.truth import Log

Where = Literal["circuit", "upstream"]
_CHAINS: dict[Where, str] = {"circuit": "CIRCUIT", "upstream": "UPSTREAM"}


class Faults:
    """Switch faults on and off. `circuit` is fiber or lte; `at` in the log is the middle of the action."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._broken: dict[str, set[Where]] = {}

    async def blackhole(self, circuit: str, where: Where = "circuit") -> float:
        """Drop everything both ways, silently; `upstream` leaves the ISP's own gateway answering."""
        return await self._rule(circuit, where, "-j DROP", "blackhole")

    async def loss(self, circuit: str, share: float) -> float:
        """Lose `share` of what comes back from the internet: as many round trips fail."""
        rule = f"-i core -m statistic --mode random --probability {share} -j DROP"
        return await self._rule(circuit, "upstream", rule, "loss", share=share)

    async def dns_dead(self, circuit: str) -> float:
        """Names are no longer answered on this circuit; all else passes."""
        return await self._rule(circuit, "upstream", "-p udp --dport 53 -j DROP", "dns_dead")

    async def unreachable(self, circuit: str, address: str) -> float:
        """One address of the internet cannot be reached over this circuit, as with peering trouble."""
        return await self._rule(circuit, "upstream", f"-d {address} -j DROP", "unreachable", address=address)

    async def dead_host(self, address: str, dead: bool) -> float:
        """A host of the internet answers nobody, or does so again."""
        verb, what = ("-A", "host_dead") if dead else ("-D", "host_back")
        before = time.monotonic()
        await namespace.act("internet", f"iptables {verb} INPUT -d {address} -j DROP")
        self._log.write(what, address=address)
        return before

    async def heal(self, circuit: str) -> float:
        """Undo blackhole, loss and dead DNS of this circuit; the instant at which the last of them ended."""
        at = time.monotonic()
        for where in sorted(self._broken.pop(circuit, set())):
            at = await self._act(network.ISPS[circuit], f"iptables -t mangle -F {_CHAINS[where]}", "heal", circuit)
        return at

    async def link(self, circuit: str, up: bool) -> float:
        """Take the ISP's end of the cable down or up: the router loses or regains carrier."""
        state = "up" if up else "down"
        return await self._act(network.ISPS[circuit], f"ip link set cust {state}", f"link_{state}", circuit)

    async def policy_route(self, circuit: str, present: bool) -> float:
        """Remove or restore the router's rule that sends the pinned address by its own circuit."""
        verb = "add" if present else "del"
        line = f"ip rule {verb} from {network.PINS[circuit]} lookup {network.TABLES[circuit]} priority 100"
        return await self._act("edge", line, f"policy_route_{verb}", circuit)

    async def divert(self, circuit: str, on: bool) -> float:
        """The yard's traffic leaves by this circuit through a policy of its own; the router's routes do not show it."""
        verb = "add" if on else "del"
        line = f"ip rule {verb} from {network.DEFAULT} lookup {network.TABLES[circuit]} priority 90"
        return await self._act("edge", line, f"divert_{verb}", circuit)

    async def unplug_card(self) -> float:
        """The yard box loses its network card."""
        return await self._act("yard", "ip link del eth0", "card_removed", "")

    async def plug_card(self, default: str) -> float:
        """The card is back, with another first address and the old pinned ones."""
        network.connect_yard(default)
        return float(self._log.write("card_back", default=default)["monotonic"])

    async def flap(self, circuit: str, times: int, down: float, up: float) -> None:
        """Blackhole and heal again and again; seconds each."""
        for _ in range(times):
            await self.blackhole(circuit)
            await asyncio.sleep(down)
            await self.heal(circuit)
            await asyncio.sleep(up)

    async def _rule(self, circuit: str, where: Where, rule: str, what: str, **facts: Any) -> float:
        self._broken.setdefault(circuit, set()).add(where)
        line = f"iptables -t mangle -A {_CHAINS[where]} {rule}"
        return await self._act(network.ISPS[circuit], line, what, circuit, where=where, **facts)

    async def _act(self, name: str, line: str, what: str, circuit: str, **facts: Any) -> float:
        before = time.monotonic()
        await namespace.act(name, line)
        after = time.monotonic()
        at = (before + after) / 2
        wall = time.time() - (time.monotonic() - at)
        self._log.write(what, circuit=circuit, at=at, at_wall=wall, uncertain=(after - before) / 2, **facts)
        return at
