"""Traps of routers: an authenticated word that something moved, and so a reason to ask at once. Never evidence.

One port of a process serves all its routers. Who sends is known by its address and proven by the secrets that it is
polled with; everything else is counted and dropped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from yardlight.errors import SnmpError
from yardlight.snmp import Agent, Oid, Value, oid
from yardlight.snmp.ber import TRAP, Pdu, decode_v2c
from yardlight.snmp.usm import Keys, unseal

log = logging.getLogger(__name__)

_TRAP_OID = oid("1.3.6.1.6.3.1.1.4.1.0")
Listener = Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A trap that says which interface carries now: the object with its name, if another one has this value."""

    name: str
    state: str = ""
    value: int | None = None


# By trap: Cradlepoint's wanStatusChange (connected), Opengear's failover (the replacing interface).
MEANINGS = {
    oid("1.3.6.1.4.1.20992.4.1.8"): Meaning("1.3.6.1.4.1.20992.4.15", "1.3.6.1.4.1.20992.4.13", 3),
    oid("1.3.6.1.4.1.25049.10.15.2.0.200"): Meaning("1.3.6.1.4.1.25049.10.15.10.1.1.1.11"),
}


def opened(data: bytes, agent: Agent) -> dict[Oid, Value]:
    """The variable bindings of a trap of this agent. Raises `SnmpError` for what is none, or not proven to be its."""
    if agent.user is None:
        community, pdu = decode_v2c(data)
        if agent.community is None or community != agent.community.reveal().encode():
            raise SnmpError("wrong_auth", "another community")
        return _bindings(pdu)
    engine = agent.engine
    found = unseal(data, agent.user, lambda engine_id: engine.keys if engine_id == engine.engine_id else Keys())
    if found.flags & 3 != agent.user.flags or found.engine_id != engine.engine_id:
        raise SnmpError("wrong_auth", "another engine or level")
    return _bindings(found.pdu)


class Told(NamedTuple):
    """What a failover trap says: this interface carries now, or does no more."""

    interface: str
    carries: bool


def told(bindings: dict[Oid, Value]) -> Told | None:
    """The interface that a failover trap speaks of; None for every other trap."""
    trap = bindings.get(_TRAP_OID)
    meaning = MEANINGS.get(trap) if isinstance(trap, tuple) else None
    name = _under(bindings, meaning.name) if meaning is not None else None
    if meaning is None or not isinstance(name, bytes):
        return None
    return Told(name.decode("utf-8", "replace"), not meaning.state or _under(bindings, meaning.state) == meaning.value)


def _bindings(pdu: Pdu) -> dict[Oid, Value]:
    if pdu.kind != TRAP:
        raise SnmpError("bad_reply", "no trap")
    return dict(pdu.varbinds)


def _under(bindings: dict[Oid, Value], name: str) -> Value:
    prefix = oid(name)
    return next((value for found, value in bindings.items() if found[: len(prefix)] == prefix), None)


class _Port(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.listeners: dict[str, list[Listener]] = {}
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for listener in self.listeners.get(addr[0], ()):
            listener(data)


_ports: dict[int, _Port] = {}


async def listen(port: int, address: str, listener: Listener) -> None:
    """Hand what comes from this address to `listener`. A port that cannot be had is said, and polling goes on."""
    if port not in _ports:
        made = _Port()
        try:
            made.transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: made, local_addr=("0.0.0.0", port)
            )
        except OSError as error:
            log.warning("traps cannot be received", extra={"kv": {"port": port, "reason": error.strerror}})
            return
        _ports[port] = made
    _ports[port].listeners.setdefault(address, []).append(listener)


def forget(port: int, address: str, listener: Listener) -> None:
    """Nobody is interested any more; a port without listeners is given back."""
    if (found := _ports.get(port)) is None:
        return
    left = [each for each in found.listeners.get(address, ()) if each != listener]
    found.listeners[address] = left
    if not left:
        del found.listeners[address]
    if not found.listeners:
        del _ports[port]
        if found.transport is not None:
            found.transport.close()
