"""A wall clock that a scenario can step: libfaketime for one process, its monotonic clock untouched."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


class Clock:
    """The clock of the process that runs with `environment`."""

    def __init__(self, work: Path) -> None:
        self._offset = work / "clock-offset"
        self.step(0)
        self.environment = {
            "LD_PRELOAD": library(),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def step(self, seconds: int) -> None:
        """Be this far ahead of the true time from now on."""
        self._offset.write_text(f"{seconds:+d}\n")


def library() -> str:
    """The library that the `faketime` command preloads, in the build for programs with threads."""
    shown = subprocess.run(["faketime", "now", "env"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"^LD_PRELOAD=(\S+?)libfaketime\.so\.1", shown, re.MULTILINE)
    return f"{found[1]}libfaketimeMT.so.1" if found else ""
