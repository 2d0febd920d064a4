"""Writing one value to a router: the only thing here that changes anything, and only a drill calls it."""

from __future__ import annotations

import asyncio

from yardlight.snmp.ber import Oid, Value
from yardlight.snmp.session import Agent, Session


def snmp_set(agent: Agent, name: Oid, value: Value, tag: int | None = None) -> None:
    """Set `name` (with its instance) to `value` and return when the agent took it. Raises `SnmpError`.

    `tag` is the type where Python's does not say it: `ber.GAUGE32` for a number that is no INTEGER, say. For a thread
    or a process without an event loop; with one, use `Session.set`.
    """
    asyncio.run(_set(agent, name, value, tag))


async def _set(agent: Agent, name: Oid, value: Value, tag: int | None) -> None:
    async with Session(agent) as session:
        await session.set(name, value, tag)
