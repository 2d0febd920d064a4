"""The centre's view of public addresses: what it says after it was started anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.logs import Recent
from yardlight.serve import ServeOptions, Service
from yardlight.state import State
from yardlight.terminal import outside
from yardlight.terminal.engine import Engine
from yardlight.terminal.outside import SILENT_AFTER, OutsideProbes

FLEET = """\
fleet: f
terminals:
  reno: {{targets: [1.1.1.1], uplinks: {{fiber: {{medium: fiber, circuit: {{outside: {address}}}}}}}}}
"""
UP, DOWN = (
    f'yardlight_uplink_outside_up{{fleet="f",terminal="reno",uplink="fiber"}} {value}' for value in ("1.0", "0.0")
)


class Centre:
    """One process after another on one state file, with a clock of ours. It is on no loop: nothing is sent."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now = folder, time.monotonic()
        monkeypatch.setattr(outside.time, "monotonic", lambda: self.now)
        self.begin()

    def begin(self, address: str = "192.0.2.1") -> None:
        (self.folder / "fleet.yml").write_text(FLEET.format(address=address))
        self.state = State(self.folder / "yardlight.db")
        self.probes = OutsideProbes(load(self.folder / "fleet.yml").fleet, Engine(), self.state)

    def restart(self, address: str = "192.0.2.1") -> None:
        self.state.close()
        self.begin(address)

    def answers(self) -> None:
        [path] = self.probes.paths.values()
        path.lanes[0].last_answer = self.now
        self.probes.path_answered(path, path.lanes[0], self.now, 0.01)

    def says(self, after: float = 0.0) -> str:
        self.now += after
        return page(self.probes.blocks(), openmetrics=False).decode()


@pytest.fixture
def centre(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    made = Centre(tmp_path, monkeypatch)
    yield made
    made.state.close()


def test_an_address_that_never_answered_says_nothing_however_long_it_is_asked(centre: Centre) -> None:
    assert "outside_up{" not in centre.says(after=86400)
    centre.restart()
    assert "outside_up{" not in centre.says(after=86400)


def test_a_site_that_is_dark_when_the_centre_starts_anew_is_said_to_be_down_once_it_had_time_to_answer(
    centre: Centre,
) -> None:
    centre.answers()
    assert UP in centre.says()
    assert DOWN in centre.says(after=SILENT_AFTER)
    centre.restart()
    assert "outside_up{" not in centre.says(after=SILENT_AFTER - 1)
    assert DOWN in centre.says(after=1)
    centre.answers()
    assert UP in centre.says()


def test_after_probing_stood_still_nothing_is_said_until_it_answers_or_had_time_to(centre: Centre) -> None:
    centre.answers()
    centre.now += 600
    centre.probes.stalled(centre.now)
    assert "outside_up{" not in centre.says(after=SILENT_AFTER - 1)
    assert DOWN in centre.says(after=1)


def test_another_address_of_the_uplink_has_to_answer_first(centre: Centre) -> None:
    centre.answers()
    centre.restart("192.0.2.2")
    assert "outside_up{" not in centre.says(after=86400)


@pytest.mark.parametrize("address", ["127.0.0.1", None])
def test_a_centre_that_only_looks_from_outside_keeps_a_state_file_and_one_that_looks_at_nothing_none(
    address: str | None, tmp_path: Path
) -> None:
    text = FLEET.format(address=address)
    (tmp_path / "fleet.yml").write_text(text if address else text.replace(", circuit: {outside: None}", ""))

    async def run() -> None:
        service = Service(ServeOptions(tmp_path / "fleet.yml", centre=True, state=tmp_path / "yardlight.db"), Recent())
        await service.load()
        await service.start()
        await service.stop()

    asyncio.run(run())
    assert (tmp_path / "yardlight.db").exists() == (address is not None)
