"""Many routers in one process, for the bench: each a port and an engine of its own, some of them dead."""

from __future__ import annotations

import asyncio
import sys

from tests.snmp.agent import FakeAgent, values

from yardlight.inventory.values import Secret
from yardlight.snmp import Oid, Usm, ber, oid

AUTH, PRIV = "auth passphrase", "priv passphrase"
IF, IFX = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
MODEM = "1.3.6.1.4.1.48690.2.2.1"
ROUTE = "1.3.6.1.2.1.4.24.4.1"
HOP = "0.0.0.0.0.0.0.0.0.100.64.1.1"


def table() -> dict[str, int | bytes | str | tuple[int, ...] | None]:
    """Eight interfaces, a default route and a modem."""
    found: dict[str, int | bytes | str | tuple[int, ...] | None] = {
        "1.3.6.1.2.1.1.1.0": b"Linux bench",
        "1.3.6.1.2.1.1.3.0": 360000,
        "1.3.6.1.2.1.2.1.0": 8,
        "1.3.6.1.2.1.4.20.1.2.100.64.1.9": 1,
        "1.3.6.1.2.1.4.20.1.3.100.64.1.9": "255.255.255.0",
        f"{ROUTE}.5.{HOP}": 1,
        f"{ROUTE}.6.{HOP}": 4,
        f"{ROUTE}.11.{HOP}": 1,
        f"{ROUTE}.16.{HOP}": 1,
    }
    for row in range(1, 9):
        found |= {
            f"{IF}.2.{row}": f"eth{row}".encode(),
            f"{IF}.3.{row}": 6,
            f"{IF}.7.{row}": 1,
            f"{IF}.8.{row}": 1,
        }
    modem = {
        9: b"inserted", 10: b"OK", 11: b"Registered, home", 12: -51, 13: b"Carrier", 14: b"310410", 15: b"Connected",
        16: b"LTE", 17: 410, 18: b"3", 19: 12, 20: -95, 21: -11, 24: b"10.1.2.3", 27: b"89",
    }  # fmt: skip
    return found | {f"{MODEM}.{column}.1": value for column, value in modem.items()}


def elements() -> dict[Oid, bytes]:
    """The same as it goes on the wire, with counters of 64 bits."""
    wide = {f"{IFX}.{column}.{row}": 2**40 + row for column in (6, 10) for row in range(1, 9)}
    wide |= {f"{MODEM}.22.1": 2**33, f"{MODEM}.23.1": 2**34}
    return values(table()) | {oid(name): ber.integer(value, ber.COUNTER64) for name, value in wide.items()}


async def main(count: int, dead: int) -> None:
    """Serve until stdin ends; the ports go to stdout first, those of the dead last."""
    user = Usm("noc", "sha", Secret(AUTH), "aes", Secret(PRIV))
    ports = []
    for index in range(count + dead):
        agent = FakeAgent(elements(), users=[user])
        agent.engine_id += index.to_bytes(4, "big")
        agent.silent = index >= count
        await agent.__aenter__()
        ports.append(agent.port)
    print(*ports, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
