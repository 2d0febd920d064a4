"""Names of targets are asked over the path that is probed, and again when it falls silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from yardlight.inventory.models import Target
from yardlight.terminal.engine import Engine
from yardlight.terminal.lanes import TargetLane
from yardlight.terminal.pacing import Pace
from yardlight.terminal.path import Path
from yardlight.terminal.pins import Key

from .internet import HOST, name_server, says, web

NAME = "probe.example.com"


class Owner:
    """Hears what the path says and keeps it to itself."""

    def __init__(self) -> None:
        self.answers = 0

    def path_answered(self, path: Path, lane: TargetLane, sent: float, rtt: float) -> None:
        self.answers += 1

    def path_lost(self, path: Path, lane: TargetLane, sent: float, now: float) -> None: ...

    def path_seen(self, path: Path, key: Key, value: str, sent: float) -> None: ...

    def path_hurried(self, path: Path, now: float) -> None: ...


async def until(wanted: Callable[[], object], within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not wanted():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_a_target_that_moved_is_found_again_through_the_path_itself() -> None:
    async def run() -> None:
        async with name_server() as names, web(says(200)) as there:
            names.addresses = {NAME: "127.0.0.99"}
            engine, owner = Engine(), Owner()
            target = Target(label=NAME, host=NAME, probe="tcp", port=there.port)
            resolver = f"{HOST}:{names.port}"
            path = Path(engine, owner, "fiber", "127.0.0.7", (target,), 0.9, Pace(0.5), resolvers=(resolver,))
            path.proofs_wanted = False
            [lane] = path.names
            assert path.problem == f"the name {NAME} is not resolved yet"
            engine.start()
            path.start(time.monotonic(), 0.0)
            await until(lambda: path.lanes[0].address == "127.0.0.99")
            assert owner.answers == 0
            names.addresses = {NAME: HOST}
            await until(lambda: owner.answers > 2)
            assert {source for source, _ in names.asked} == {"127.0.0.7"}
            asked = len(names.asked)
            names.silent = True
            engine.schedule(lane, time.monotonic())
            await until(lambda: len(names.asked) > asked)
            await until(lambda: lane.task is None)
            assert path.lanes[0].address == HOST, "the last good answer stands"
            path.stop()
            await engine.stop()

    asyncio.run(run())
