"""The face of a run: the screen that is shown now, and the press that was made on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from yardlight.drills.plan import Plan
from yardlight.drills.session import STOP, Button, Phase, Result, Screen
from yardlight.drills.world import Clock

# A press is answered with the screen after it, where that comes soon.
_SOON_SECONDS = 5.0


@dataclass(frozen=True)
class Press:
    """What was pressed, by whom, and why."""

    choice: str
    who: str
    reason: str


class Face:
    """One screen at a time. `notes` are lines about what is over; `woken` is set by each press."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.notes: list[str] = []
        self.woken = asyncio.Event()
        self._plan, self._clock = plan, clock
        self._pressed: Press | None = None
        self._turned = asyncio.Event()
        self.screen = Screen(
            plan.drill, plan.terminal.name, plan.playbook.playbook, plan.playbook.title, "approve", 0, "", 0,
            len(plan.playbook.steps), plan.playbook.title, "", (),
        )  # fmt: skip

    def show(
        self,
        phase: Phase,
        step: str,
        heading: str,
        text: str,
        buttons: Sequence[Button] = (),
        waiting: str = "",
        limit: float | None = None,
        problems: Sequence[str] = (),
        result: tuple[Result, str] | None = None,
    ) -> None:
        """Another screen; what was pressed on the one before is forgotten, but for a stop."""
        if self._pressed is not None and self._pressed.choice != STOP:
            self._pressed = None
        plan, now = self._plan, self._clock.now()
        steps = [each.id for each in plan.playbook.steps]
        self.screen = Screen(
            plan.drill,
            plan.terminal.name,
            plan.playbook.playbook,
            plan.playbook.title,
            phase,
            self.screen.revision + 1,
            step,
            steps.index(step) + 1 if step in steps else self.screen.number,
            len(steps),
            heading,
            text,
            tuple(buttons),
            waiting,
            now,
            None if limit is None else now + limit,
            tuple(problems),
            tuple(self.notes),
            result[0] if result else None,
            result[1] if result else "",
        )
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def press(self, step: str, choice: str, who: str, reason: str) -> Screen:
        """A press for a step that is over changes nothing, a stop always counts."""
        shown = self.screen
        known = any(button.choice == choice for button in shown.buttons)
        if known and (choice == STOP or (step == shown.step and self._pressed is None)):
            self._pressed = Press(choice, who, reason)
            self.woken.set()
            return await self.changed(shown.revision, _SOON_SECONDS)
        return self.screen

    async def changed(self, revision: int, seconds: float) -> Screen:
        """The screen as soon as its revision is another one, or after so many seconds."""
        end = self._clock.now() + seconds
        while self.screen.revision == revision and (left := end - self._clock.now()) > 0:
            await self._clock.wait(self._turned, left)
        return self.screen

    def take(self) -> Press | None:
        """What was pressed on this screen, once."""
        press, self._pressed = self._pressed, None
        return press

    def take_stop(self) -> Press | None:
        """A stop, once; any other press stays for whoever waits for it."""
        return self.take() if self._pressed is not None and self._pressed.choice == STOP else None
