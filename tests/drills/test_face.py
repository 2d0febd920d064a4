"""One press a screen: the first counts, one for a step that is over does not, a stop always does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.drills.simulated import World

from yardlight.drills.face import Face, Press
from yardlight.drills.session import STOP, Button

ANSWERS = (Button("yes", "Yes", "yes"), Button("no", "No", "no"), Button(STOP, "Stop and restore", "stop"))


def face(tmp_path: Path) -> Face:
    world = World(tmp_path)
    made = Face(world.runner().plan, world.clock)
    made.show("running", "dispatch", "One question", "Does dispatch open?", ANSWERS)
    return made


def pressed(made: Face, *presses: tuple[str, str]) -> Press | None:
    async def press() -> None:
        for step, choice in presses:
            await made.press(step, choice, "maria", "")

    asyncio.run(press())
    return made.take()


def test_the_first_press_on_a_screen_counts(tmp_path: Path) -> None:
    assert pressed(face(tmp_path), ("dispatch", "yes"), ("dispatch", "no")) == Press("yes", "maria", "")


def test_a_press_for_another_step_or_of_a_button_that_is_not_there_counts_for_nothing(tmp_path: Path) -> None:
    assert pressed(face(tmp_path), ("announce", "yes"), ("dispatch", "go")) is None


def test_a_stop_counts_whatever_step_it_names_and_outlives_the_screen(tmp_path: Path) -> None:
    made = face(tmp_path)

    async def press() -> None:
        await made.press("dispatch", "yes", "maria", "")
        await made.press("announce", STOP, "joe", "a truck burns")

    asyncio.run(press())
    made.show("running", "restore", "Plug it in", "", ANSWERS)
    assert made.take_stop() == Press(STOP, "joe", "a truck burns")
    assert made.take() is None


def test_what_was_pressed_on_the_screen_before_is_no_answer_to_this_one(tmp_path: Path) -> None:
    made = face(tmp_path)

    async def press() -> None:
        await made.press("dispatch", "yes", "maria", "")

    asyncio.run(press())
    made.show("running", "another", "Another question", "", ANSWERS)
    assert made.take() is None
