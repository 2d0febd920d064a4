"""net-snmp's agent on the lab's router: its real interfaces and its real routes, asked for with version 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lab import namespace, network
from tests.lab.process import Program
from yardlight.terminal.routers import standard

USER, AUTH, PRIV = "noc", "auth passphrase", "priv passphrase"
# Who may change the agent itself, from the router only.
_LOCAL = "lab"
# The host's own uptime is left out: this router started when its agent did.
_CONFIG = f"""\
createUser {USER} SHA "{AUTH}" AES "{PRIV}"
view router included .1
view router excluded .1.3.6.1.2.1.25
rouser {USER} priv -V router
rwcommunity {_LOCAL} {network.EDGE}
sysServices 72
"""


class Snmpd:
    """The router's agent; `start` and `stop` make it restart."""

    def __init__(self, work: Path) -> None:
        self._folder = work / "snmpd"
        self._folder.mkdir(parents=True)
        (self._folder / "snmpd.conf").write_text(_CONFIG)
        for name, secret in (("auth", AUTH), ("priv", PRIV)):
            (self._folder / name).write_text(secret + "\n")
        self._program = Program("edge", "snmpd", (
            "snmpd", "-f", "-Lo", "-C", "-c", str(self._folder / "snmpd.conf"), f"udp:{network.EDGE}:161",
        ), work, {"SNMP_PERSISTENT_DIR": str(self._folder / "state"), "MIBS": ""})  # fmt: skip

    @property
    def inventory(self) -> dict[str, Any]:
        """`router:` of the terminal."""
        snmp = {
            "version": 3, "user": USER, "auth_file": str(self._folder / "auth"),
            "priv_file": str(self._folder / "priv"),
        }  # fmt: skip
        return {"address": network.EDGE, "interfaces": dict(network.WANS), "snmp": snmp}

    def start(self) -> None:
        self._program.start()

    def stop(self) -> None:
        self._program.kill()


async def forget_routes_soon() -> None:
    """Let the agent look at the kernel's routes each second; by itself it answers from memory for a minute."""
    for cache in standard.CACHES.values():
        name = ".".join(map(str, cache))
        await namespace.act("edge", f"snmpset -v2c -c {_LOCAL} {network.EDGE} {name} i 1")


async def fill_routes(work: Path, count: int) -> None:
    """A routing table as large as the internet's: `count` networks by way of fiber."""
    batch = work / "routes"
    batch.write_text(
        "".join(
            f"route add 11.{n >> 16}.{n >> 8 & 255}.{n & 255}/32 via {network.FIBER_HOP} dev {network.WANS['fiber']}\n"
            for n in range(count)
        )
    )
    await namespace.act("edge", f"ip -batch {batch}")


def routes() -> int:
    """How many routes the router has."""
    return namespace.run("edge", "ip route show").count("\n")
