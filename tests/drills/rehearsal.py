"""A drill whose yard is played by the test, and the process that serves it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from yardlight.drills.session import APPROVE, OVERRIDE, STOP, Button, Live, Screen, Session
from yardlight.errors import DrillError, Problem
from yardlight.exposition import AnyBlock
from yardlight.pages import Overview

TOKEN = "n7H2c0ffee-only-for-this-test-0123"
_USUAL = Live("Fiber carries the yard")
_STOP = Button(STOP, "Stop and restore", "stop")
_FIRST = Screen(
    drill="fontana-1", terminal="fontana", playbook="quarterly-wan-failover", title="Quarterly WAN failover",
    phase="approve", revision=1, step="approve", number=0, of=0, heading="Ready to start?",
    text="Dispatch will drop 2 times for about 60 seconds.\nNothing has been done yet.",
    buttons=(Button(APPROVE, "Start the drill", "go"), Button("decline", "Not now", "no")),
)  # fmt: skip


@dataclass
class Rehearsal:
    """A `Session` that goes from screen to screen as its presses and the test's `yard` say."""

    now_on: Screen = _FIRST
    seen: Live = _USUAL

    def __post_init__(self) -> None:
        self.presses: list[tuple[str, str, str, str]] = []
        self._news = asyncio.Event()

    def screen(self) -> Screen:
        return self.now_on

    def live(self) -> Live:
        return self.seen

    async def changed(self, revision: int, seconds: float) -> Screen:
        if self.now_on.revision == revision:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
        return self.now_on

    async def press(self, step: str, choice: str, who: str, reason: str = "") -> Screen:
        known = {button.choice for button in self.now_on.buttons}
        if step == self.now_on.step and choice in known:
            self.presses.append((step, choice, who, reason))
            self._after(step, choice)
        return self.now_on

    def yard(self, step: str) -> None:
        """The yard did what the drill waited for in this step."""
        if self.now_on.step == step:
            self._after(step, "done")

    def go(self, **changes: Any) -> None:
        """Another screen from now on."""
        plain: dict[str, Any] = {"waiting": "", "since": None, "until": None, "buttons": (_STOP,), "problems": ()}
        self.now_on = replace(self.now_on, **{**plain, "revision": self.now_on.revision + 1, **changes})
        self._news.set()
        self._news = asyncio.Event()

    def _after(self, step: str, choice: str) -> None:
        now, notes = time.time(), (*self.now_on.notes, f"{step}: {choice}")
        if choice == STOP:
            self.seen = _USUAL
            self.go(phase="over", step="over", heading="aborted", text="All is as it was.",
                    buttons=(), result="aborted", why="stopped by Maria", notes=notes)  # fmt: skip
        elif step == "approve" and choice == APPROVE:
            self.go(phase="running", step="cut", number=1, of=4, heading="Pull the fiber cable", notes=notes,
                    text="Pull the cable of Fiber (Frontier, 12/KRFN/004) out of the router. Nothing else.",
                    buttons=(Button("done", "Cable pulled", "go"), _STOP))  # fmt: skip
        elif step == "cut":
            self.seen = Live("Fiber is down; nothing carries the yard", now)
            self.go(step="on-standby", number=2, heading="Wait for LTE", text="Leave the cable out.", notes=notes,
                    waiting="The router is switching to LTE.", since=now, until=now + 120)  # fmt: skip
        elif step == "on-standby":
            self.seen = Live("Fiber is down; LTE carries the yard", now)
            yes, no = Button("yes", "Yes, it opens", "yes"), Button("no", "No", "no")
            self.go(step="dispatch", number=3, heading="Does dispatch open?", notes=notes,
                    text="Ask at the dispatch desk.", buttons=(yes, no, _STOP))  # fmt: skip
        elif step == "dispatch":
            self.go(step="restore", number=4, heading="Plug the cable back in", text="Until it clicks.",
                    buttons=(Button("done", "Cable is back in", "go"), _STOP), notes=notes)  # fmt: skip
        elif step == "restore":
            self.seen = _USUAL
            self.go(phase="over", step="over", number=0, of=0, heading="pass", buttons=(),
                    text="Thank you.", result="pass", why="every criterion was met", notes=notes)  # fmt: skip


REFUSED = replace(
    _FIRST, phase="refused", step="refused", heading="The drill cannot start", text="Nothing was done.",
    problems=("LTE is not ready: no name was resolved over it for 20 minutes",),
    buttons=(Button(OVERRIDE, "Start all the same", "no"), Button("decline", "Leave it", "go")),
)  # fmt: skip


class Box:
    """What serve is to its HTTP server, with one drill behind one link."""

    def __init__(self, rehearsal: type[Rehearsal] = Rehearsal) -> None:
        self.loop = asyncio.new_event_loop()
        self.notices: list[dict[str, Any]] = []
        self.opened = 0
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.session = self.run(self._made(rehearsal))

    async def _made(self, rehearsal: type[Rehearsal]) -> Rehearsal:
        return rehearsal()

    def run(self, question: Any) -> Any:
        """A coroutine's result, from the main loop."""
        return asyncio.run_coroutine_threadsafe(question, self.loop).result(10)

    def do(self, name: str, *arguments: Any, **named: Any) -> None:
        """A method of the rehearsal, called on the main loop."""

        async def called() -> None:
            getattr(self.session, name)(*arguments, **named)

        self.run(called())

    async def open_drill(self, token: str) -> Session:
        self.opened += 1
        if token != TOKEN:
            raise DrillError("this is not a drill link; make one with `yardlight drill link`")
        return self.session  # type: ignore[no-any-return]

    async def drill_notice(self, payload: dict[str, Any], received: float) -> None:
        self.notices.append({**payload, "received": received})

    def heartbeat(self) -> float:
        return time.monotonic()

    def ready(self) -> bool:
        return True

    async def blocks(self) -> Sequence[AnyBlock]:
        return ()

    async def reload(self) -> list[Problem]:
        return []

    async def overview(self) -> Overview:
        return Overview(time.time(), "terminal fontana", (), ())

    async def discovery(self) -> list[dict[str, Any]]:
        return []

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
