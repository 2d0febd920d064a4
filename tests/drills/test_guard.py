"""The guard by itself: which action it does, and what it says of one that it no longer knows."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from yardlight.drills.actions import Action
from yardlight.drills.guard import Charge, Guard
from yardlight.inventory.models import Command, Cut


def action(name: str) -> Action:
    return Action(Cut(command=Command(do=("echo", f"{name} do"), undo=("echo", f"{name} undo"))), None)


def charge(drill: str) -> Charge:
    now = time.time()
    return Charge(drill, "fontana", "p", False, 15.0, 60.0, 600.0, now, now, now + 900.0)


def test_the_drill_after_a_reload_cuts_as_the_inventory_says_now(tmp_path: Path) -> None:
    async def drilled() -> list[str]:
        guard, said = Guard(tmp_path, "fontana", action("old")), []
        await guard.arm(charge("d1"))
        guard.use(action("new"))
        for drill in ("d1", "d2"):
            await guard.arm(charge(drill))
            done = (await guard.cut_now(drill, time.time()), await guard.restore_now(drill, time.time()))
            said += [each.text.partition(": ")[2] for each in done]
            await guard.release(drill, time.time())
        return said

    assert asyncio.run(drilled()) == ["old do", "old undo", "new do", "new undo"]


def test_a_cut_that_the_inventory_no_longer_knows_is_not_called_undone(tmp_path: Path) -> None:
    async def restarted() -> Guard:
        guard = Guard(tmp_path, "fontana", action("old"))
        await guard.arm(charge("d1"))
        await guard.cut_now("d1", time.time())
        again = Guard(tmp_path, "fontana", None)
        await again.watch(time.time(), None, primary_up=False)
        return again

    guard = asyncio.run(restarted())
    assert guard.charge is not None
    assert guard.charge.is_open
    assert guard.lines("d1")[-1]["text"] == "the inventory says no more how the primary is cut"
