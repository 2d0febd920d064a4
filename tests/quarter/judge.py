"""What is told in windows, and whether a fault of the script calls for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.quarter import replay, vendors, yards
from tests.quarter.inbox import Firing
from tests.quarter.replay import Told
from tests.quarter.script import LA, MINUTE, TOLD, Script
from tests.quarter.yards import Window
from tests.rules import yard

# What was told resolves so long after the fault at the latest, and may be told once more until then.
_AFTER = 15 * MINUTE


@dataclass(frozen=True)
class Found:
    """An alert that fired in a window."""

    window: Window
    told: Told

    def called_for(self, script: Script) -> bool:
        """Whether a fault of the script explains it: of its terminal or account, or of none."""
        told = self.told
        begin, end = self.window.begin + told.first, self.window.begin + told.last
        return any(
            (told["alertname"] in TOLD[event.kind] or (event.kind == "drill" and told["drill"] != ""))
            and {told["terminal"], told["account"]} <= {"", *event.where}
            and event.begin <= end
            and begin <= event.end + _AFTER
            for event in script.faults
        )

    def __str__(self) -> str:
        at = datetime.fromtimestamp(self.window.begin + self.told.first, LA)
        lasting = f"{(self.told.last - self.told.first) / 60:.0f} min, begun {self.told.begun} times"
        return f"{self.window.name}: {self.told.what}, {at:%a %Y-%m-%d %H:%M} for {lasting}"

    def firing(self) -> list[Firing]:
        """When it fired; how often it began is told, and when the second time was is not: it fired in equal parts."""
        told, step = self.told, self.window.step
        each = (told.last + step - told.first) / told.begun
        begins = [self.window.begin + told.first + number * each for number in range(told.begun)]
        labels = {**dict(told.labels), "fleet": "inland-haul"}
        found = [Firing(labels, begin, begin + each - (step if told.begun > 1 else 0)) for begin in begins]
        goes_on = told.last + 2 * step > self.window.length
        return [*found[:-1], replace(found[-1], end=None) if goes_on else found[-1]]


def told(script: Script, batch: Sequence[Window], trucks: int, folder: Path) -> list[Found]:
    """What was told in these windows."""
    step = batch[0].step
    length = max(each.length for each in batch) // step * step
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(yard, "STEP", step)
        lines = [line for window in batch for line in _lines(script, window, length, trucks, folder)]
    named = {window.name: window for window in batch}
    all_told = replay.told(lines, length, folder, step, list(named))
    # What belongs to no fleet is said of the first window.
    found = [Found(named.get(each["fleet"], batch[0]), each) for each in all_told]
    # The shorter windows of a batch go on until the longest one ends; what comes then is looked at in its own.
    return [each for each in found if each.told.first <= each.window.length]


def _lines(script: Script, window: Window, length: float, trucks: int, folder: Path) -> Iterator[tuple[str, str]]:
    if not window.of_vendors:
        return yards.lines(script, window, length)
    own = folder / window.name
    own.mkdir()
    return vendors.lines(script, window, trucks, own)


def missed(script: Script, batch: Sequence[Window], found: Sequence[Found]) -> list[str]:
    """Faults in the middle of these windows of which the first thing that must be told was not."""
    return [
        f"{TOLD[event.kind][0]} of {event.kind} at {event.where[0]}"
        for window in batch
        for event in script.faults
        if any(TOLD[event.kind][:1]) and window.around(event) and not any(
            each.window == window and each.told["alertname"] == TOLD[event.kind][0]
            and {each.told["terminal"], each.told["account"]} <= {"", *event.where}
            for each in found
        )
    ]  # fmt: skip
