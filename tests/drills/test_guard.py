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


def test_an_undo_that_fails_for_an_hour_is_tried_at_once_and_does_not_fill_the_journal(tmp_path: Path) -> None:
    broken = Action(Cut(command=Command(do=("true",), undo=("false",))), None)

    async def an_hour() -> list[float]:
        guard = Guard(tmp_path, "fontana", broken)
        await guard.arm(charge("d1"))
        begin = time.time()
        await guard.cut_now("d1", begin)
        for second in range(3600):
            await guard.watch(begin + 20.0 + second, None, primary_up=False)
        assert guard.charge is not None
        assert guard.charge.is_open
        return [line["at"] - begin - 20.0 for line in guard.lines("d1") if line["what"] == "undo begins"]

    tries = asyncio.run(an_hour())
    assert len([each for each in tries if each < 60.0]) == 30
    assert len(tries) < 200
    assert max(tries) > 3500.0
