"""A fleet over hours and days: the demo's MDMs on loopback, polls as they run, each page, and who is told what.

The clock jumps from one thing that happens to the next. Polls, collections, HTTP and rules are the shipped ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.history import Alert, History, Told, Words
from tests.mdm.talk import service_account
from tests.vendor import Answer, Asked, Script, Vendor
from tests.virtual import Clock
from yardlight import centre, client, poll
from yardlight.catalogue import CLOCK
from yardlight.collection import Collection, Result, Session, open_memory, pack_memory
from yardlight.demo.faces import SECRET, Ask, Face
from yardlight.demo.mdm import Mdm, fake_tablets
from yardlight.demo.mdm_faces import ENTERPRISE, AndroidManagement, Intune
from yardlight.domains import domains
from yardlight.exposition import AnyBlock, block, pack
from yardlight.inventory.load import load
from yardlight.poll import Poll
from yardlight.state import State

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TABLETS = 100
RULES = ("centre.yml", "feeds.yml", "mdm.yml")
DRIVERS = 'stale_after: 12h, os: {android: "13"}, apps: {com.example.eld: {min: "24.1"}}'


def spoken(face: Face) -> Script:
    """A face of the demo as a vendor's script."""

    def script(asked: Asked) -> Answer:
        target = f"{asked.path}?{'&'.join(f'{key}={value}' for key, value in asked.query.items())}"
        said = face(Ask(asked.method, target, asked.headers, asked.body))
        return Answer(said.content, said.status, said.headers)

    return script


class Days:
    """From `start` (unix seconds) on: the account `graph` with a hundred drivers' tablets, T-101 of truck 101 and on.

    `google` is the platform that tells of apps and policies. `spoil` may answer in the MDM's place. `more` is a part of
    the inventory besides. Use in a `with` block; `at` names things that happen, `until` lets time pass.
    """

    def __init__(
        self, folder: Path, start: float, *, google: bool = False, step: float = MINUTE, every: float = 8 * HOUR
    ) -> None:
        self.folder, self.clock, self.step = folder, Clock(start), step
        fakes = fake_tablets(TABLETS, "drivers", enrolled=start - 300 * DAY)
        self.mdm = Mdm("graph", fakes, self.clock.time, every=every)
        self.intune, self.google = Intune(self.mdm), AndroidManagement(self.mdm) if google else None
        self.spoil: Callable[[Asked], Answer | None] = lambda asked: None
        self.more, self.duty = "", "weekdays"
        self.trucks = {
            each.name: f"{each.name.removeprefix('T-')},{each.name}={each.serial},drivers,,active" for each in fakes
        }
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
        self.vendor = self._stack.enter_context(Vendor(self._answer))
        self.intune.base = self.vendor.url
        (self.folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
        (self.folder / "key.json").write_text(service_account(), encoding="utf-8")
        self.state = State(self.folder / "state.db")
        self._stack.callback(lambda: self.state.close())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _answer(self, asked: Asked) -> Answer:
        face: Face = self.intune if self.google is None else self.google
        return self.spoil(asked) or spoken(face)(asked)

    def write(self) -> None:
        """The inventory, with the roster as it is now."""
        rows = ["truck,tablet,group,terminal,status", *self.trucks.values()]
        (self.folder / "trucks.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        url = self.vendor.url
        account = f'platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret, login_url: "{url}"'
        if self.google is not None:
            account = f'platform: android_management, enterprise: {ENTERPRISE}, key_file: key.json, login_url: "{url}"'
        (self.folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
calendars: {{weekdays: {{days: mon-fri, hours: "05:00-20:00"}}, mornings: {{days: mon-sun, hours: "00:00-12:00"}}}}
roster: {{trucks: trucks.csv}}
accounts:
  graph: {{{account}, url: "{url}", rate: 1000/s}}
{self.more.partition("---")[0]}
mdm:
  tablets: {{account: graph, groups: {{drivers: {{duty: {self.duty}, {DRIVERS}}}}}}}
{self.more.partition("---")[2]}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
""",
            encoding="utf-8",
        )

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
        planned = {
            each.collection.source.name: each for part in domains() for each in part.planned(self._fleet, self.folder)
        }
        self._polls = {
            name: Poll(
                self._fleet.fleet, each.collection.source.account, partial(self._work, each.collection),
                each.interval, each.deadline, each.keep_for, self.state, name,
            )
            for name, each in planned.items()
        }  # fmt: skip
        for each in self._polls.values():
            each.start()

    async def _work(self, collection: Collection, deadline: float, memory: bytes) -> Result:
        """As a worker does it."""
        session = Session(time.monotonic() + 60.0, memory=open_memory(memory), clock=self.clock.time)
        blocks = pack(collection(session))
        return Result(blocks, pack_memory(session.memory), session.requests, session.again_in, session.instead)

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

    def count(self, state: str, group: str = "drivers") -> float:
        """How many tablets are in this state on the page as it is now."""
        wanted = f'group="{group}",state="{state}"'
        lines = (line for each in self.page() for line in each.body.decode().splitlines())
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith("yardlight_devices{") and wanted in line
        )

    def told(self, *texts: tuple[str, float]) -> tuple[dict[Alert, Told], list[Words]]:
        """Every alert that fired, ever, and what those of a name said at an instant."""
        return self.history.told(RULES, texts)
