"""What every test may use: the tools it needs, a free port, and waiting for something with a deadline."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

from tests import ports
from tests.served import Process

ROOT = Path(__file__).parent.parent
# Debian keeps these outside an ordinary user's PATH.
SBIN = ":".join(
    ["/usr/local/sbin:/usr/sbin:/sbin:/usr/lib/podman", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
)

APART = "tests/rules/test_scenarios.py"

_missing: dict[str, int] = {}

# How long an example takes says something about the machine, not about the code. The same examples each time, so that
# what fails is the change and not luck; `make fuzz` looks for new ones.
hypothesis.settings.register_profile("same", deadline=None, derandomize=True)
hypothesis.settings.register_profile("new", deadline=None, print_blob=True)
hypothesis.settings.load_profile("same")


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PATH"] = f"{os.environ['PATH']}:{SBIN}"
    # A fifth of promtool's time is looking for garbage.
    os.environ.setdefault("GOGC", "400")
    config.addinivalue_line("markers", "needs(*commands): skipped, loudly, where one of these commands is missing")


class _Scheduling(LoadFileScheduling):
    """The tests of a file share what is slow to start and run in one process; those of `APART` share nothing."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(APART) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduling:
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        commands = [command for marker in item.iter_markers("needs") for command in marker.args]
        missing = [command for command in commands if shutil.which(command) is None]
        if missing:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(missing)}"))
            for command in missing:
                _missing[command] = _missing.get(command, 0) + 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missing:
        terminalreporter.section("NOT TESTED HERE", red=True, bold=True)
        for command, tests in sorted(_missing.items()):
            terminalreporter.line(f"{command} is not installed: {tests} tests were skipped")


@pytest.fixture
def root() -> Path:
    """The top of the checkout."""
    return ROOT


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A function that gives a TCP port on loopback which nothing listens on now."""
    return ports.free_port


@pytest.fixture
def process(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Process]:
    """`yardlight serve`, not started yet, in the test's own folder; killed when the test is over."""
    made = Process(tmp_path, free_port())
    yield made
    if hasattr(made, "child") and made.child.poll() is None:
        made.child.kill()
        made.child.wait()


@pytest.fixture
def eventually() -> Callable[..., object]:
    """A function that polls `check` until it gives something true, and fails after `within` seconds."""

    def wait(check: Callable[[], object], within: float = 10.0, every: float = 0.05) -> object:
        deadline = time.monotonic() + within
        while not (result := check()):
            if time.monotonic() > deadline:
                pytest.fail(f"still {result!r} after {within:g} s: {check}")
            time.sleep(every)
        return result

    return wait
