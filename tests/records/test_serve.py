"""Checks of archives as a process that serves runs them: in worker slots, planned beside what accounts collect."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from tests.records.world import ELD, World, days, today
from yardlight.exposition import page
from yardlight.logs import Recent
from yardlight.serve import ServeOptions, Service
from yardlight.slots import Slots

LAST = today() - timedelta(days=1)


def filled(folder: Path) -> World:
    made = World(folder, f"{ELD}, since: {LAST - timedelta(days=20)}}}", "d101,2020-01-01,,eld\n", fill=False)
    for day in days(LAST - timedelta(days=20), LAST):
        made.put("d101", day)
    return made


def test_a_check_is_run_in_a_worker_slot(tmp_path: Path) -> None:
    world = filled(tmp_path)

    async def run() -> str:
        slots = Slots()
        try:
            result = await slots.run("inland", "records/eld", world.job(), 60.0)
        finally:
            await slots.stop()
        return page(result.blocks, openmetrics=False).decode()

    assert 'yardlight_archive_files{archive="eld",fleet="inland"} 21.0' in asyncio.run(run())


def test_serve_checks_archives_shows_them_and_forgets_those_that_are_taken_out(tmp_path: Path) -> None:
    world = filled(tmp_path)

    async def run() -> tuple[str, str]:
        options = ServeOptions(tmp_path / "fleet.yml", centre=True, state=tmp_path / "yardlight.db")
        service = Service(options, Recent())
        await service.load()
        await service.start()
        try:
            before = ""
            async with asyncio.timeout(60):
                while "yardlight_archive_files{" not in before:
                    await asyncio.sleep(0.1)
                    before = page(await service.blocks(), openmetrics=False).decode()
            text = (tmp_path / "fleet.yml").read_text().partition("archives:")
            (tmp_path / "fleet.yml").write_text(text[0] + text[2][text[2].index("terminals:") :])
            assert await service.reload() == []
            return before, page(await service.blocks(), openmetrics=False).decode()
        finally:
            await service.stop()

    before, after = asyncio.run(run())
    assert 'yardlight_poll_success{account="",fleet="inland",poll="records/eld"} 1.0' in before
    assert 'yardlight_archive_gaps{archive="eld",fleet="inland"} 0.0' in before
    assert (tmp_path / "yardlight-records" / "eld.db").exists()
    assert "yardlight_archive" not in after
    assert world.fleet.archives
