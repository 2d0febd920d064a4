"""Prometheus, Alertmanager and others like them: run for as long as a test needs them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen


@contextmanager
def running(port: int, *argv: str, page: str = "/-/ready") -> Iterator[None]:
    """The program while it is needed, from the moment it answers at this page."""
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not ready(port, page):
            assert process.poll() is None, f"{argv[0]} ended"
            assert time.monotonic() < deadline, f"{argv[0]} is not ready"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def ready(port: int, page: str = "/-/ready") -> bool:
    """Whether it answers there."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{page}", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
