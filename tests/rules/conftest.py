"""promtool reads its many files beside the tests that mostly wait, and out of their way."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeGuard

import pytest

from tests.rules.promtool import FOLDER

_POOL = pytest.StashKey[ThreadPoolExecutor]()
_RUNNING = pytest.StashKey[dict[str, "Future[str]"]]()


def _verdict(name: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["nice", "-n", "19", "promtool", "test", "rules", str(FOLDER / name)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


class Verdicts(Mapping[str, str]):
    """promtool's answer for each file of alert_rules/tests/ that a chosen test asks for; empty for one that passed."""

    def __init__(self, running: dict[str, Future[str]]) -> None:
        self._running = running

    def __getitem__(self, name: str) -> str:
        return self._running[name].result()

    def __iter__(self) -> Iterator[str]:
        return iter(self._running)

    def __len__(self) -> int:
        return len(self._running)


def _waits(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and "verdicts" in item.fixturenames


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_waits)


def pytest_collection_finish(session: pytest.Session) -> None:
    names = [
        item.callspec.params["name"] for item in session.items if isinstance(item, pytest.Function) and _waits(item)
    ]
    if session.config.option.collectonly or not names:
        return
    pool = session.config.stash[_POOL] = ThreadPoolExecutor(os.cpu_count())
    environment = dict(os.environ)  # of now: a test that changes PATH for itself does not take promtool away
    session.config.stash[_RUNNING] = {name: pool.submit(_verdict, name, environment) for name in names}


def pytest_sessionfinish(session: pytest.Session) -> None:
    if pool := session.config.stash.get(_POOL, None):
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def verdicts(pytestconfig: pytest.Config) -> Verdicts:
    return Verdicts(pytestconfig.stash[_RUNNING])
