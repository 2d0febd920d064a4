"""The demo's archive: whole at first, and each of its faults is what a check finds."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from yardlight.collection import Session
from yardlight.demo import Ports
from yardlight.demo.archive import ArchiveFaultError, DemoArchive
from yardlight.demo.platforms import Platforms
from yardlight.inventory.load import load
from yardlight.records.domain import check_of
from yardlight.records.index import Index
from yardlight.records.standing import Standing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("demo")
    # With the roster of the whole demo: what is in a file must be on it.
    platforms = Platforms(Ports())
    platforms.write(made)
    yards = "".join(
        f'  {name}: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: }}}}\n'
        for name in ("fontana", "stockton", "reno")
    )
    (made / "fleet.yml").write_text(f"fleet: demo\nterminals:\n{yards}{platforms.section()}")
    return made


def found(folder: Path) -> Standing:
    job = check_of(load(folder / "fleet.yml").fleet, "eld", folder, folder / "yardlight.db")
    index = Index(job.index_path)
    try:
        return job.look(index, Session(time.monotonic() + 120.0))
    finally:
        index.close()


def test_each_fault_is_found_and_healed(folder: Path) -> None:
    archive = DemoArchive(folder, datetime.now(UTC).date())
    archive.write()
    whole = found(folder)
    assert (whole.files, list(whole.missing), +whole.kinds) == (1200, [], {})
    for fault in ("lost", "forged", "bad-file"):
        assert archive.switch(f"records={fault}")
    broken = found(folder)
    assert [who for who, _ in broken.missing] == ["d102"]
    assert +broken.kinds == {"changed": 2}
    assert archive.switch("records=heal")
    healed = found(folder)
    assert (list(healed.missing), +healed.kinds) == ([], {})


def test_what_is_no_fault_of_the_archive_is_left_to_others_or_refused(folder: Path) -> None:
    archive = DemoArchive(folder)
    assert archive.switch("fontana.fiber=cut") is None
    with pytest.raises(ArchiveFaultError, match="the archive can be: lost"):
        archive.switch("records=burn")
