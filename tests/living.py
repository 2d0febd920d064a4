"""An exporter over hours and days: vendors on loopback, polls as they run, each page, and who is told what.

The clock jumps from one thing that happens to the next. Polls, collections, HTTP and rules are the shipped ones.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

import pytest

from tests.history import Alert, History, Told, Words
from tests.vendor import Answer, Asked, Vendor
from tests.virtual import Clock
from yardlight import centre, client, poll
from yardlight.catalogue import CLOCK
from yardlight.collection import Collection, Join, Result, Session, open_memory, pack_memory
from yardlight.domains import domains, joined
from yardlight.exposition import AnyBlock, block, pack
from yardlight.inventory.load import load
from yardlight.poll import Poll
from yardlight.state import State

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
RULES = ("centre.yml", "feeds.yml", "flows.yml", "mdm.yml", "webhooks.yml")


class Living(ABC):
    """From `start` (unix seconds) on: a fleet `inland`, looked at each `step` seconds. Its vendor is `answer`.

    Use in a `with` block; `at` names things that happen, `until` lets time pass.
    """

    def __init__(self, folder: Path, start: float, step: float = MINUTE) -> None:
        self.folder, self.clock, self.step = folder, Clock(start), step
        self._stack = ExitStack()
        self._polls: dict[str, Poll] = {}
        self._happens: list[tuple[float, Callable[[], object]]] = []
        links = 'grafana="https://grafana.example.com",runbooks="https://yardlight.example.com/runbooks"'
        always = {
            'yardlight:terminal_utc_offset_seconds{fleet="inland",terminal="fontana"}': -28800.0,
            f'yardlight:links{{fleet="inland",{links}}}': 1.0,
        }
        self.history = History(folder, start, step, always)

    def __enter__(self) -> Self:
        patched = self._stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(client, "_FIRST_WAIT", 0.001)
        patched.setattr(poll, "time", self.clock)
        # Each run of a test collects at the same instants.
        patched.setattr(poll, "random", Random(1))
        self.vendor = self._stack.enter_context(Vendor(self.answer))
        self.state = State(self.folder / "state.db")
        self._stack.callback(lambda: self.state.close())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @abstractmethod
    def answer(self, asked: Asked) -> Answer:
        """What the vendor says."""

    @abstractmethod
    def write(self) -> None:
        """The inventory as it is now, as fleet.yml."""

    def at(self, moment: float, what: Callable[[], object]) -> None:
        """This happens then."""
        self._happens.append((moment, what))

    def until(self, end: float) -> None:
        """Let time pass, from the first page to the last at `end`."""
        self.write()
        self.clock.run(self._live(end))

    def restart(self) -> None:
        """The exporter ends; another one takes up what is in the state file, with the inventory as it is now."""
        self.write()
        self.state.close()
        self.state = State(self.folder / "state.db")
        self._load()

    def _load(self) -> None:
        for each in self._polls.values():
            if each._task is not None:
                each._task.cancel()
        self._fleet = load(self.folder / "fleet.yml").fleet
        self._said = centre.Said()
        collected = (each for part in domains() for each in part.planned(self._fleet, self.folder))
        put_together = joined(self._fleet, self.folder)
        planned = {each.collection.source.name: each for each in (*collected, *put_together)}
        self._polls = {
            name: Poll(
                self._fleet.fleet, each.collection.source.account, partial(self._work, each.collection),
                each.interval, each.deadline, each.keep_for, self.state, name, self.clock.time,
            )
            for name, each in planned.items()
        }  # fmt: skip
        for each in self._polls.values():
            each.start()

    async def _work(self, collection: Collection | Join, deadline: float, memory: bytes) -> Result:
        """As a worker does it."""
        if isinstance(collection, Join):
            collection = collection.with_left({name: poll.left for name, poll in self._polls.items()})
        session = Session(time.monotonic() + 60.0, memory=open_memory(memory), clock=self.clock.time)
        blocks = pack(collection(session))
        return Result(
            blocks, pack_memory(session.memory, session.things), session.requests, session.again_in, session.instead,
            session.notes,
        )  # fmt: skip

    async def _live(self, end: float) -> None:
        self._load()
        while self.clock.time() <= end:
            # What was to happen until now, then what was collected because of it.
            for moment, what in sorted(self._happens, key=lambda each: each[0]):
                if moment <= self.clock.time():
                    self._happens.remove((moment, what))
                    what()
            await asyncio.sleep(0.0)
            self.history.add(self.page())
            await asyncio.sleep(self.step)
        for each in self._polls.values():
            await each.stop()

    def page(self) -> list[AnyBlock]:
        """What /metrics shows now."""
        now = self.clock.time()
        ours = block(CLOCK, self._fleet.fleet, {("",): now})
        return [
            ours,
            *self._said.blocks(self._fleet, now),
            *(each for one in self._polls.values() for each in one.blocks()),
        ]

    def told(self, *texts: tuple[str, float]) -> tuple[dict[Alert, Told], list[Words]]:
        """Every alert that fired, ever, and what those of a name said at an instant."""
        return self.history.told(RULES, texts)
