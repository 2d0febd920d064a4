"""`yardlight probe router TERMINAL`: what a router says now, for whoever sets it up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from yardlight.errors import InventoryError, SnmpError
from yardlight.inventory import words
from yardlight.inventory.load import load
from yardlight.inventory.models import Router, Terminal
from yardlight.snmp import Agent, Session
from yardlight.snmp.agents import agent_of
from yardlight.terminal.routers import asking, claims, profiles
from yardlight.terminal.routers.interpret import parse
from yardlight.terminal.routers.reading import RouterReading

_SIGNALS = (("rsrp", "dBm"), ("rsrq", "dB"), ("sinr", "dB"), ("snr", "dB"), ("rssi", "dBm"))
# What to look at first, for whoever sets a router up.
_HINTS = {
    "timeout": "is SNMP switched on there, and allowed from this machine's address?",
    "refused": "is SNMP switched on there, and on this port?",
    "unknown_user": "users of SNMPv3 are made on the router; their names are case-sensitive",
    "wrong_auth": "compare auth (sha is SHA-1) and the passphrase in auth_file with the router",
    "wrong_privacy": "compare priv (aes is AES-128) and the passphrase in priv_file with the router",
    "unsupported_level": "give the user auth and priv on the router, or leave out here what it lacks",
    "no_access": "the router knows this user or community, but has no view for it",
}


def probe(path: Path, name: str) -> int:
    """Ask the router of this terminal and print its answer; 1 if there is none."""
    inventory = load(path)
    terminal = inventory.fleet.terminals.get(name)
    if terminal is None:
        hint = words.choice(name, inventory.fleet.terminals, "terminals")
        raise InventoryError([inventory.problem(("terminals",), f"there is no terminal {name!r}; {hint}")])
    router = terminal.router
    if router is None or router.snmp is None:
        message = "is missing; write router: {address: 10.10.0.1, snmp: {community_file: secrets/snmp}}"
        raise InventoryError([inventory.problem(("terminals", name, "router", "snmp"), message)])
    try:
        agent = agent_of(router.address, router.snmp)
        began = time.monotonic()
        reading, stopped = asyncio.run(_ask(agent, router))
    except SnmpError as error:
        hint = f"\n{_HINTS[error.reason]}" if error.reason in _HINTS else ""
        print(f"{router.address} port {router.snmp.port}: {error.detail or error.reason}{hint}", file=sys.stderr)
        return 1
    print("\n".join(lines(reading, terminal)))
    for reason in stopped:
        print(f"a table was not read to its end: {reason}")
    print(f"\n{agent.requests} requests, {time.monotonic() - began:.1f} s")
    return 0


async def _ask(agent: Agent, router: Router) -> tuple[RouterReading, tuple[str, ...]]:
    async with Session(agent) as session:
        known = await asking.discover(session, router.model)
        values = known.fixed | await asking.look(session, known) | (await asking.routes(session))[0]
        return parse(known.profile, values), known.stopped


def lines(reading: RouterReading, terminal: Terminal) -> Iterator[str]:
    """A reading for a person: who it is, what it claims, and what its parts are called in `interfaces`."""
    device = reading.device
    who = [profiles()[reading.profile].title, device.model, device.firmware and f"firmware {device.firmware}"]
    since = device.uptime is not None and f"up for {words.duration(device.uptime)}"
    yield ", ".join(part for part in (*who, since) if part)
    said = claims.claim(reading, terminal)
    yield f"claims {said.uplink or 'nothing'}: {said.why}"
    yield from _table(
        ("interface", "works", "uplink", "addresses"),
        [
            (
                " / ".join(each.names) or f"interface {each.index}",
                _word(each.up),
                claims.of_interface(each, reading, terminal) or "",
                ", ".join(reading.addresses_of(each.index)),
            )
            for each in reading.interfaces
        ],
    )
    yield from _table(
        ("WAN", "state", "works", "uplink", "interface"),
        [
            (
                wan.name,
                str(wan.state or ""),
                _word(wan.up),
                claims.of_wan(wan, reading, terminal) or "",
                wan.interface or "",
            )
            for wan in reading.wans
        ],
    )
    yield from _table(
        ("modem", "uplink", "operator", "registered", "connected", "signal"),
        [
            (
                modem.name,
                claims.of_modem(modem, reading, terminal) or "",
                ", ".join(part for part in (modem.operator, modem.technology) if part),
                _word(modem.registered),
                _word(modem.connected),
                ", ".join(
                    f"{name.upper()} {getattr(modem, name):g} {unit}"
                    for name, unit in _SIGNALS
                    if getattr(modem, name) is not None
                ),
            )
            for modem in reading.modems
        ],
    )


def _word(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        yield ""
        for row in (head, *rows):
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
