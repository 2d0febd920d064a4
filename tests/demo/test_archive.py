"""The demo's archive: whole at first, and each of its faults is what a check finds."""

from __future__ import annotations

import os
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
    sections = platforms.section() + made_in(made).section()
    (made / "fleet.yml").write_text(f"fleet: demo\nterminals:\n{yards}{sections}")
    return made


def made_in(folder: Path) -> DemoArchive:
    """Its archives, with another folder for another device."""
    other = folder / "other"
    other.mkdir(exist_ok=True)
    return DemoArchive(folder, datetime.now(UTC).date(), other)


def found(folder: Path, name: str = "eld") -> Standing:
    job = check_of(load(folder / "fleet.yml").fleet, name, folder, folder / "yardlight.db")
    index = Index(job.index_path)
    try:
        return job.look(index, Session(time.monotonic() + 120.0))
    finally:
        index.close()


def test_each_fault_is_found_and_healed(folder: Path) -> None:
    archive = made_in(folder)
    archive.write()
    whole = found(folder)
    assert (whole.files, list(whole.missing), +whole.kinds) == (1200, [], {})
    # Half a year is kept of all, and of one whom somebody sues what is older, too.
    assert whole.held >= 1
    assert whole.copy_lacks == 0
    for fault in ("lost", "forged", "bad-file", "copy-lost"):
        assert archive.switch(f"records={fault}")
    broken = found(folder)
    assert [who for who, _ in broken.missing] == ["d102"]
    assert +broken.kinds == {"changed": 2}
    # What was cut off and what was forged is not what the copy has.
    assert broken.copy_lacks >= 1
    assert archive.switch("records=heal")
    healed = found(folder)
    assert (list(healed.missing), +healed.kinds, healed.copy_lacks) == ([], {}, 0)


def test_the_newest_backup_of_the_shop_is_as_usual_until_it_is_small(folder: Path) -> None:
    archive = made_in(folder)
    archive.write()

    def usual() -> bool:
        standing = found(folder, "shop")
        sizes = standing.least_bytes, standing.newest_bytes, standing.most_bytes
        assert None not in sizes
        least, newest, most = (size or 0 for size in sizes)
        return least <= newest <= most

    assert usual()
    assert archive.switch("records=small-backup")
    assert not usual()
    # The back-up of a night may be made again, so that this is all that there is to tell.
    assert not +found(folder, "shop").kinds
    assert archive.switch("records=heal")
    assert usual()


def test_where_there_is_no_other_device_there_is_no_second_copy(folder: Path, tmp_path: Path) -> None:
    archive = DemoArchive(folder, other_device=tmp_path / "nowhere")
    assert "second_copy" not in archive.section()
    with pytest.raises(ArchiveFaultError, match="there is no second copy"):
        archive.switch("records=copy-lost")


def test_what_is_no_fault_of_the_archive_is_left_to_others_or_refused(folder: Path) -> None:
    archive = made_in(folder)
    assert archive.switch("fontana.fiber=cut") is None
    with pytest.raises(ArchiveFaultError, match="the archives can be: lost"):
        archive.switch("records=burn")


def test_a_copy_of_a_demo_that_was_killed_is_removed_by_the_next_one_and_no_other(folder: Path, tmp_path: Path) -> None:
    for owner in (os.getppid(), 2**22 + 1):
        (tmp_path / f"yardlight-demo-{owner}").mkdir()
    (tmp_path / "somebody-elses").mkdir()
    archive = DemoArchive(folder, other_device=tmp_path)
    archive.write()
    ours = {f"yardlight-demo-{owner}" for owner in (os.getpid(), os.getppid())}
    assert {each.name for each in tmp_path.iterdir()} == {*ours, "somebody-elses"}
    archive.remove_copy()
    assert f"yardlight-demo-{os.getpid()}" not in {each.name for each in tmp_path.iterdir()}
