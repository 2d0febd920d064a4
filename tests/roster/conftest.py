"""What the tests of the trucks' pages share: a fleet behind a real HTTP server, and what was told of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.drills.rehearsal import Box
from tests.roster.world import World, iccid, sim, tablet
from yardlight.collection import pack_memory
from yardlight.inventory.load import load
from yardlight.roster.known import planned
from yardlight.roster.web import Kept
from yardlight.server import Server
from yardlight.things import Fact, Thing, pack

ROSTER = f"truck,tablet,sims,terminal,group\n112,T112=R112,S112={iccid(112)},fontana,drivers\n118,T118=R118,,,\n"


class Garage(Box):
    """What serve is to its HTTP server, with the fleet of a folder and what was told of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._inventory = load(folder / "fleet.yml")
        self.told: dict[str, tuple[float, Sequence[Thing]]] = {}
        self.kept_instead = b""
        self.fleets = 1

    async def kept(self) -> list[Kept]:
        sources = []
        for plan in planned(self._inventory):
            at, things = self.told.get(plan.collection.source.name, (None, ()))
            kept = self.kept_instead or (pack_memory({}, pack(things, at)) if at is not None else b"")
            sources.append((plan, (at or time.time(), kept) if kept else None, ""))
        return [Kept(self._inventory.fleet, sources)] * self.fleets


@pytest.fixture
def garage(tmp_path: Path) -> Iterator[Garage]:
    World(tmp_path, ROSTER)
    made, now = Garage(tmp_path), time.time()
    facts = [Fact("last check-in", at=now - 7200), Fact("state", "stale")]
    made.told["mdm/tablets"] = now - 300, [tablet("R112", "<b>Maria</b>", facts=facts)]
    made.told["cellular/sims"] = now - 36000, [sim(112, facts=[Fact("used", "3 GB of 5 GB", now - 40000)])]
    yield made
    made.stop()


@pytest.fixture
def port(garage: Garage) -> Iterator[int]:
    server = Server(garage, "127.0.0.1:0", trucks=garage)
    server.start()
    yield server.port
    server.stop()
