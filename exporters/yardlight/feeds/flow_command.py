"""`yardlight flows show`: which trucks differ between two systems, as the last look found them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from yardlight.collection import opened
from yardlight.errors import StartError
from yardlight.history import History
from yardlight.inventory.words import choice
from yardlight.lookback import Source, length
from yardlight.things import Thing, unpack


def show(source: Source, names: Sequence[str], as_json: bool) -> int:
    """Print these flows, or all. Raises `StartError` for one that there is not."""
    inventory, states = source.choose()
    flows, fleet = inventory.fleet.flows, inventory.fleet.fleet
    for name in names:
        if name not in flows:
            raise StartError(f"{inventory.path}: there is no flow {name!r}; {choice(name, flows, 'flows')}")
    found: dict[str, tuple[float, list[Thing]] | None] = {}
    with History(states) as history:
        for name in names or flows:
            kept = history.memory(fleet, f"flows/{name}")
            told = opened(kept[1])[1] if kept is not None else b""
            found[name] = _listed(told) if told else None
    if as_json:
        print(json.dumps({name: each and _record(*each) for name, each in found.items()}, indent=2))
        return 0
    for name, each in found.items():
        flow = flows[name]
        if each is None:
            print(f"{name} ({flow.source} -> {flow.sink}): not known yet")
            continue
        at, things = each
        ago = length(max(0.0, time.time() - at))
        print(f"{name} ({flow.source} -> {flow.sink}): {len(things) or 'none'} differ, as of {ago} ago")
        for thing in things:
            print(f"  {thing.called}: {'; '.join(fact.text for fact in thing.facts)}")
    return 0


def _listed(told: bytes) -> tuple[float, list[Thing]]:
    at, things = unpack(told)
    return at, list(things)


def _record(at: float, things: Sequence[Thing]) -> dict[str, object]:
    return {"as_of": at, "differ": {each.called: [fact.text for fact in each.facts] for each in things}}
