"""Programs of the lab: started in a namespace, output in a file, killed without mercy when a fault asks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.lab import namespace

ROOT = Path(__file__).resolve().parents[2]
YARDLIGHT = (sys.executable, "-m", "yardlight")


class Program:
    """One program in one namespace; `start` may be called again after `kill`."""

    def __init__(
        self, where: str, name: str, argv: Sequence[str], work: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._environment = environment or {}
        self._argv = namespace.command(where, argv)
        self._log = work / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        search = [str(ROOT / "exporters"), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(search), **self._environment}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log, env=environment)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send it this signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def said(self) -> str:
        """Its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def failed(self) -> str | None:
        """The end of its log when it has exited by itself."""
        if self._process is None or self._process.poll() is None:
            return None
        return f"{self.name} exited with {self._process.returncode}: {self._log.read_text()[-2000:]}"


async def until_ready(where: str, port: int, path: str, program: Program, within: float = 60.0) -> None:
    """Wait until http://127.0.0.1:port/path answers 200; raises RuntimeError with its log otherwise."""
    deadline = time.monotonic() + within
    while True:
        try:
            await namespace.fetch(where, port, path)
            return
        except OSError:
            if (problem := program.failed()) or time.monotonic() > deadline:
                raise RuntimeError(problem or f"{program.name} is not ready after {within:.0f} s") from None
        await asyncio.sleep(0.1)
