"""A reading as lines, one fact each. `python -m tests.terminal.routers.facts` writes the goldens anew, to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.snmp.agent import FakeAgent, snmprec

from yardlight.inventory.values import Secret
from yardlight.snmp import Session, Usm, Value
from yardlight.snmp.ber import Oid
from yardlight.terminal.routers import asking
from yardlight.terminal.routers.interpret import parse
from yardlight.terminal.routers.reading import RouterReading

FAKES = Path(__file__).parent / "fakes"


async def read(path: Path, user: Usm | None = None) -> tuple[RouterReading, asking.Known, dict[Oid, Value]]:
    """A recording as the poller reads it: found out, discovered, polled twice."""
    async with (
        FakeAgent(snmprec(path), users=[user] if user else []) as agent,
        Session(agent.client(user)) as session,
    ):
        known = await asking.discover(session)
        await asking.look(session, known)
        values = known.fixed | await asking.look(session, known) | (await asking.routes(session))[0]
        return parse(known.profile, values), known, values


def facts_of(reading: RouterReading) -> dict[str, str]:
    """Every fact of a reading by its place; rows by their key, so that one that is gone shifts no other."""
    found: dict[str, str] = {}

    def add(place: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, each in value.items():
                add(f"{place}.{key}", each)
        elif isinstance(value, tuple) and value and hasattr(value[0], "__dataclass_fields__"):
            for number, each in enumerate(value):
                name = getattr(each, "key", None) or getattr(each, "address", None) or getattr(each, "index", number)
                # Two tables may have a row of one number.
                add(place + f".{name}" + ("'" if f"{place}.{name}.name" in found else ""), fields_of(each))
        elif value not in (None, ()):
            found[place] = value.reveal() if isinstance(value, Secret) else str(value)

    for name in reading.__dataclass_fields__:
        value = getattr(reading, name)
        add(name, fields_of(value) if hasattr(value, "__dataclass_fields__") else value)
    return found


def fields_of(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def golden(path: Path) -> str:
    """The facts of a recording as the golden beside it holds them."""
    reading, _, _ = asyncio.run(read(path))
    return "".join(f"{place}: {fact}\n" for place, fact in facts_of(reading).items())


if __name__ == "__main__":
    for recording in sorted(FAKES.glob("*.snmprec")):
        recording.with_suffix(".golden").write_text(golden(recording), encoding="utf-8")
