"""The real `yardlight serve` as a process of its own; the fixture `process` has one that ends with its test."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass
class Process:
    """`yardlight serve` on a port of its own, with what it wrote."""

    folder: Path
    port: int
    child: subprocess.Popen[str] = field(init=False)

    def start(self, *arguments: str, prefix: tuple[str, ...] = ()) -> Process:
        listen = ("--web.listen-address", f"127.0.0.1:{self.port}")
        self.child = subprocess.Popen(
            [*prefix, sys.executable, "-m", "yardlight", "serve", *listen, *arguments],
            cwd=self.folder,
            stderr=(self.folder / "log").open("w"),
            text=True,
        )
        return self

    def ready(self) -> Process:
        """Wait until it serves; fail with its log if it ends instead."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                pytest.fail(f"ended with {self.child.returncode}: {self.log}")
            with contextlib.suppress(OSError):
                if self.ask("/-/ready")[0] == 200:
                    return self
            time.sleep(0.05)
        pytest.fail(f"not ready: {self.log}")

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self, path: str, method: str = "GET", accept: str = "*/*") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers={"Accept": accept})
        response = connection.getresponse()
        answer = response.status, response.read().decode()
        connection.close()
        return answer

    def series(self) -> dict[str, float]:
        """Every sample of the page, names without their prefix."""
        status, text = self.ask("/metrics")
        assert status == 200
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return {name.removeprefix("yardlight_"): float(value) for name, value in lines}

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return self.child.wait(20)

    def ended(self) -> tuple[int, list[str]]:
        """The exit code and the log's lines of a process that should end by itself."""
        return self.child.wait(20), self.log.splitlines()
