"""What a check meets that it should not: each counted by kind, never a crash, never complete where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest

from tests.records.world import ELD, HOUR, TODAY, World, being_written, days
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.errors import IncompleteError, StateError, UnreachableError
from yardlight.inventory.archives import parse_pattern
from yardlight.records import reading, store
from yardlight.records.index import Index
from yardlight.records.layout import Layout
from yardlight.records.reading import Reader, Whose
from yardlight.records.standing import standing

DAY = TODAY - timedelta(days=20)
YESTERDAY = TODAY - timedelta(days=1)
ONE = "d101,2020-01-01,,eld\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, ELD + ", since: 2028-02-20}", ONE, fill=False)
    for day in days(TODAY - timedelta(days=24), TODAY - timedelta(days=1)):
        made.put("d101", day)
    return made


def unreadable(path: Path) -> None:
    path.chmod(0)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def encoded(path: Path) -> None:
    path.write_bytes(path.read_bytes().decode().replace("Lopez", "L\xf3pez").encode("latin-1"))


def anothers(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"d101", b"d102"))


@pytest.mark.parametrize(
    ("spoil", "kind"), [(empty, "empty"), (truncated, "invalid"), (encoded, "encoding"), (anothers, "invalid")]
)
def test_a_file_that_does_not_open_is_counted_by_why(world: World, spoil: Callable[[Path], None], kind: str) -> None:
    spoil(world.path("d101", DAY))
    world.check()
    assert world.counts("archive_corrupt_files") == {kind: 1}
    assert world.value("archive_gaps") == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_it_is_counted(world: World) -> None:
    unreadable(world.path("d101", DAY))
    world.check()
    assert world.counts("archive_unreadable_files") == {"unreadable": 1}


def test_links_are_never_followed_and_cover_nothing(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = world.path("d101", DAY)
    path.rename(outside / path.name)
    path.symlink_to(outside / path.name)
    (world.folder / "eld" / "d102").symlink_to(outside)
    world.check()
    assert world.counts("archive_unplaced_files") == {"link": 2}
    assert world.value("archive_gaps") == 1


def test_a_folder_that_becomes_a_link_between_listing_and_reading_is_not_read(world: World, tmp_path: Path) -> None:
    place = store.LocalStore(world.folder / "eld")
    (world.folder / "eld" / "d101").rename(tmp_path / "moved")
    (world.folder / "eld" / "d101").symlink_to(tmp_path / "moved")
    with pytest.raises(store.UnreadableError, match="not a file of the archive"), place.open(f"d101/{DAY}.csv"):
        pass


def test_a_pipe_is_no_file_and_keeps_nobody_waiting(world: World) -> None:
    path = world.path("d101", DAY)
    path.unlink()
    os.mkfifo(path)
    world.check()
    assert world.counts("archive_unplaced_files") == {"no_file": 1}
    assert world.value("archive_gaps") == 1
    with pytest.raises(store.UnreadableError), store.LocalStore(world.folder / "eld").open(f"d101/{DAY}.csv"):
        pass


def test_names_that_clash_that_no_pattern_fits_or_that_are_not_utf8_are_counted(world: World) -> None:
    folder = world.folder / "eld" / "d101"
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "2028-02-31.csv").write_bytes(b"x")
    with open(os.fsencode(folder) + b"/\xff.csv", "wb") as file:
        file.write(b"x")
    world.write(ELD.replace(".csv", ".{any}") + "}", ONE)
    (folder / f"{DAY}.CSV").write_bytes((folder / f"{DAY}.csv").read_bytes())
    world.check()
    assert world.counts("archive_unplaced_files") == {"unmatched": 2, "name": 1, "clash": 1}


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a\\b", "a\u202eb", "a\x7f"])
def test_a_name_that_could_lead_or_show_elsewhere_is_no_record(world: World, name: str) -> None:
    folder = world.folder / "eld" / name
    folder.mkdir()
    (folder / f"{DAY}.csv").write_bytes(b"x")
    (world.folder / "eld" / "d101" / f"{name}.csv").write_bytes(b"x")
    world.check()
    assert world.value("archive_files") == 24
    assert world.counts("archive_unplaced_files") == {"unmatched": 2}


@pytest.mark.parametrize(
    "path", ["../x/2028-03-01.csv", "./2028-03-01.csv", "../2028-03-01.csv", "d1\\/2028-03-01.csv"]
)
def test_a_path_that_leads_out_of_a_zip_has_no_place(path: str) -> None:
    for pattern in ("{driver}/{date:%Y-%m-%d}.csv", "{any}/{driver}/{date:%Y-%m-%d}.csv"):
        assert Layout(parse_pattern(pattern)).place(path) is None


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "0000-01-01", "1900-01-01"])
def test_a_day_of_no_record_is_no_day(world: World, day: str) -> None:
    (world.folder / "eld" / "d101" / f"{day}.csv").write_bytes(b"x")
    world.check()
    assert world.counts("archive_unplaced_files") == {"unmatched": 1}


@pytest.mark.parametrize("at", [-6e10, 1e13])
def test_a_file_of_another_age_stops_nothing(world: World, at: float) -> None:
    path = world.path("d101", DAY)
    world.stamp(path, at)
    world.check()
    assert world.counts("archive_corrupt_files") == {}
    path.unlink()
    world.check(world.at + HOUR)
    assert world.value("archive_gaps") == 1


def test_a_file_that_is_written_to_while_it_is_read_is_left_for_the_next_check(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = world.path("d101", DAY)
    real, whole = store._LocalFile.read, path.read_bytes()

    def read(self: store._LocalFile, size: int) -> bytes:
        data = real(self, size)
        if data == whole:
            with path.open("ab") as file:
                file.write(b"more")
        return data

    monkeypatch.setattr(store._LocalFile, "read", read)
    world.check()
    assert world.counts("archive_unreadable_files") == {"changing": 1}
    monkeypatch.undo()
    path.write_bytes(whole)
    world.check(world.at + HOUR)
    assert world.counts("archive_unreadable_files") == {}
    assert world.counts("archive_corrupt_files") == {}


def test_a_file_that_is_deleted_between_listing_and_reading_is_judged_by_the_next_listing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store.LocalStore.open

    def opened(self: store.LocalStore, path: str) -> AbstractContextManager[store.Opened]:
        world.path("d101", DAY).unlink(missing_ok=True)
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "open", opened)
    world.check()
    assert world.counts("archive_unreadable_files") == {"changing": 1}
    world.check(world.at + HOUR)
    assert world.counts("archive_unreadable_files") == {}
    assert world.value("archive_gaps") == 1


def test_a_file_that_takes_longer_than_a_check_is_told_as_too_large(world: World) -> None:
    with pytest.raises(store.UnreadableError, match="until the check's deadline") as raised:
        reading.read(store.LocalStore(world.folder / "eld"), f"d101/{DAY}.csv", lambda: 0.0)
    assert raised.value.kind == "too_large"


class Slow:
    """A clock that each part of a file takes a second of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
        self.left = seconds
        real = store._LocalFile.read

        def read(file: store._LocalFile, size: int) -> bytes:
            self.left -= 1
            return real(file, size)

        monkeypatch.setattr(store._LocalFile, "read", read)
        monkeypatch.setattr(reading, "CHUNK", 1000)

    def go_on(self, world: World) -> Counter[str]:
        """Read as far as the time goes; kinds of what is wrong then, and how many were never read."""
        index = Index(world.job().index_path)
        try:
            world.job()._list(index, 0, store.LocalStore(world.folder / "eld"), world.at, lambda: 1e9)
            Reader(index, world.job().archive, Whose(), world.at, lambda: self.left).go_on(
                store.LocalStore(world.folder / "eld"), 0, 10**9
            )
            kinds = Counter(entry.kind for entry in index.find("file.copy = 0 AND kind != ''", ()))
            return kinds + Counter(unread=index.unread(0))
        finally:
            index.close()


def test_a_file_that_the_deadline_cuts_off_after_others_is_read_next_time_and_not_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, ELD.replace("format: eld, ", "") + "}", fill=False)
    for back in range(1, 5):
        world.put("d101", TODAY - timedelta(days=back), content=b"x" * 3500)
    # A file takes five of these seconds.
    assert Slow(monkeypatch, 12).go_on(world) == {"unread": 2}
    assert Slow(monkeypatch, 12).go_on(world) == {}


def test_a_file_that_takes_all_of_a_check_is_too_large_until_a_check_may_take_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, ELD.replace("format: eld, ", "") + "}", fill=False)
    world.put("d101", YESTERDAY, content=b"x" * 20_000)
    assert Slow(monkeypatch, 12).go_on(world) == {"too_large": 1}
    assert Slow(monkeypatch, 12).go_on(world) == {"too_large": 1}
    assert Slow(monkeypatch, 100).go_on(world) == {}


@pytest.mark.parametrize("spoil", [empty, truncated, encoded])
def test_a_file_that_never_was_right_may_be_exported_again(world: World, spoil: Callable[[Path], None]) -> None:
    path = world.path("d101", DAY)
    spoil(path)
    world.check()
    assert sum(world.counts("archive_corrupt_files").values()) == 1
    world.put("d101", DAY)
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {}
    # From then on it is kept like any other.
    world.stamp(world.put("d101", DAY, content=eld_file(Shape(day=DAY, comment="forged"))), world.at)
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {"changed": 1}


def test_a_file_that_is_being_written_is_left_for_the_next_check(
    tmp_path: Path, eventually: Callable[..., object]
) -> None:
    world = World(tmp_path, ELD.replace("format: eld, ", "") + "}", fill=False)
    path = world.path("d101", YESTERDAY)
    path.parent.mkdir(parents=True)
    with being_written(path, eventually):
        world.check(time.time())
    assert world.counts("archive_unreadable_files") == {"changing": 1}
    world.check(world.at + HOUR)
    assert world.counts("archive_unreadable_files") == world.counts("archive_corrupt_files") == {}


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"%PDF-1.7 x %%EOF\n", {}), (b"\xef\xbb\xbf\r\n%PDF-1.7 x %%EOF\n", {}), (b"%PDF-1.7 x", {"invalid": 1})],
)
def test_a_pdf_is_whole_where_readers_say_so(world: World, content: bytes, kind: dict[str, float]) -> None:
    (world.folder / "scans").mkdir()
    (world.folder / "scans" / f"{DAY}.pdf").write_bytes(content)
    world.write('scans: {path: scans, pattern: "{date:%Y-%m-%d}.pdf", rule: dvir, format: pdf}', ONE)
    world.check(name="scans")
    assert world.counts("archive_corrupt_files") == kind


def test_an_archive_that_is_cleared_out_takes_no_more_memory_than_its_names(world: World) -> None:
    world.check()
    index = Index(world.job().index_path)
    try:
        [(folder, day)] = index.rows("SELECT folder, day FROM file LIMIT 1")
        rows = ((folder, f"{number}.csv", day) for number in range(20_000))
        index.run_many(
            "INSERT INTO file (copy, folder, name, size, stamp, arrived, who, day, sha, gone)"
            " VALUES (0, ?, ?, 1, '1', 0, 'd9', ?, randomblob(32), 1)",
            rows,
        )
        tracemalloc.start()
        found = standing(index, world.job().archive, world.job().ground, world.at)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        index.close()
    assert len(found.deleted) == 20_000
    assert peak < 20_000 * 250


def test_a_gigantic_file_is_hashed_in_pieces_and_is_no_record(world: World) -> None:
    path = world.folder / "eld" / "d101" / f"{DAY}.csv"
    with path.open("wb") as file:
        file.truncate(reading.MOST_OPENED + 1)
    content = reading.read(store.LocalStore(world.folder / "eld"), f"d101/{DAY}.csv", lambda: 1e9)
    assert (content.size, content.data) == (reading.MOST_OPENED + 1, None)
    world.check()
    assert world.counts("archive_corrupt_files") == {"invalid": 1}


def test_an_archive_that_is_empty_all_of_a_sudden_is_not_mounted_and_nothing_of_it_is_gone(world: World) -> None:
    world.check()
    before = world.text
    (world.folder / "eld").rename(world.folder / "away")
    with pytest.raises(UnreachableError, match="no such file"):
        world.check(world.at + HOUR)
    (world.folder / "eld").mkdir()
    with pytest.raises(IncompleteError, match="no file at all, where 24 were"):
        world.check(world.at + HOUR)
    (world.folder / "eld").rmdir()
    (world.folder / "away").rename(world.folder / "eld")
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 0
    assert "archive_files" in before


def test_a_flat_archive_that_is_empty_all_of_a_sudden_is_not_mounted_either(tmp_path: Path) -> None:
    world = World(tmp_path, 'eld: {path: eld, pattern: "{date:%Y-%m-%d}.csv", rule: ifta}', ONE, fill=False)
    for day in days(DAY, TODAY):
        (world.folder / "eld" / f"{day}.csv").write_bytes(b"x,y\n")
    world.check()
    (world.folder / "eld").rename(world.folder / "away")
    (world.folder / "eld").mkdir()
    for _ in range(2):
        with pytest.raises(IncompleteError, match="no file at all, where 21 were"):
            world.check(world.at + HOUR)
    (world.folder / "eld").rmdir()
    (world.folder / "away").rename(world.folder / "eld")
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 0


def test_an_archive_whose_last_file_was_deleted_in_time_is_empty_and_nothing_else(tmp_path: Path) -> None:
    world = World(tmp_path, 'eld: {path: eld, pattern: "{date:%Y-%m-%d}.csv", rule: dvir}', ONE, fill=False)
    path = world.folder / "eld" / f"{DAY}.csv"
    path.write_bytes(b"x,y\n")
    world.stamp(path, world.at)
    world.check()
    path.unlink()
    with pytest.raises(IncompleteError, match="no file at all, where 1 were"):
        world.check(world.at + HOUR)
    world.check(world.at + 99 * 24 * HOUR)
    assert (world.value("archive_files"), world.value("archive_deleted_early_files")) == (0, 0)


def test_a_folder_that_cannot_be_listed_is_counted_and_nothing_in_it_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.check()
    real = store.LocalStore.folder

    def folder(self: store.LocalStore, path: str) -> store.Listing:
        if path == "d101":
            raise store.UnreadableError("folder", "permission denied")
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "folder", folder)
    world.check(world.at + HOUR)
    assert world.counts("archive_unplaced_files") == {"folder": 1}
    assert world.value("archive_deleted_early_files") == 0
    assert world.value("archive_gaps") == 0


def test_a_listing_that_is_cut_off_by_the_deadline_goes_on_next_time_and_says_nothing_until_then(world: World) -> None:
    for number in range(3):
        (world.folder / "eld" / f"e{number}").mkdir()
    session = world.check(seconds=0.0)
    assert session.again_in == 60.0
    assert world.value("archive_files") is None
    assert world.value("archive_gaps") is None
    assert world.check(world.at + 60).again_in is None
    assert world.value("archive_files") == 24


def test_a_check_beside_another_one_does_not_begin(world: World) -> None:
    index = Index(world.job().index_path)
    assert index.lock()
    with pytest.raises(IncompleteError, match="another process"):
        world.check()
    index.close()
    world.check()


def test_an_index_that_is_no_database_is_moved_aside_and_made_again(world: World) -> None:
    world.check()
    path = world.job().index_path
    for each in path.parent.glob("eld.db*"):
        each.unlink()
    path.write_bytes(b"not a database" * 1000)
    world.check(world.at + HOUR)
    assert world.value("archive_files") == 24
    assert list(path.parent.glob("eld.db.corrupt-*"))


def test_a_clock_that_was_a_year_ahead_puts_nothing_off(world: World) -> None:
    now = world.at
    world.check(now + 365 * 86400)
    world.check(now)
    path = world.path("d101", DAY)
    # A bit flips: its time does not tell.
    written = path.stat().st_mtime
    path.write_bytes(path.read_bytes().replace(b"Lopez", b"Lopes", 1))
    world.stamp(path, written)
    world.check(now + 31 * 86400)
    assert world.counts("archive_corrupt_files") == {"damaged": 1}


def test_an_index_of_which_pages_are_broken_is_moved_aside_after_one_check(world: World) -> None:
    world.check()
    path = world.job().index_path
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    with pytest.raises(StateError, match="cannot use the index"):
        world.check(world.at + HOUR)
    world.check(world.at + HOUR)
    assert world.value("archive_files") == 24
    assert list(path.parent.glob("eld.db.corrupt-*"))


def test_a_process_that_is_killed_while_it_writes_leaves_an_index_that_goes_on(world: World) -> None:
    killed = f"""
import os, signal
from pathlib import Path
from yardlight.records.index import Index
index = Index(Path({str(world.job().index_path)!r}))
assert index.lock()
index.keep("kept", 1)
index.commit()
index.begin_listing(0, "lost", 0.0)
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -signal.SIGKILL
    index = Index(world.job().index_path)
    assert (index.fact("kept"), index.fact("run 0")) == (1, None)
    index.close()
    world.check()
    assert world.value("archive_files") == 24


def test_a_manifest_tells_what_is_missing_and_what_has_another_hash(world: World) -> None:
    import hashlib

    folder = world.folder / "eld" / "d101"
    lines = [f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}" for each in sorted(folder.glob("*.csv"))]
    (folder / "SHA256SUMS").write_text("\n".join([*lines, f"{'0' * 64} *{TODAY}.csv", "no line of ours"]) + "\n")
    world.write(ELD + ", manifest: SHA256SUMS, since: 2028-02-20}", ONE)
    world.check()
    assert world.counts("archive_corrupt_files") == {"manifest": 1}
    assert world.counts("archive_unplaced_files") == {}
    (folder / "SHA256SUMS").write_text("\n".join([*lines[1:], f"{'0' * 64}  {lines[0].split()[1]}"]) + "\n")
    (folder / f"{DAY}.csv").touch()
    world.check(world.at + HOUR)
    world.check(world.at + 40 * 86400)
    assert world.counts("archive_corrupt_files") == {"manifest": 1}
    assert [entry.path for entry in world.wrong()] == [f"d101/{lines[0].split()[1]}"]


def test_a_manifest_without_a_line_of_hashes_promises_nothing_and_is_told(world: World) -> None:
    (world.folder / "eld" / "d101" / "SHA256SUMS").write_text(f"MD5 ({DAY}.csv) = d41d8cd98f00b204e9800998ecf8427e\n")
    world.write(ELD + ", manifest: SHA256SUMS, since: 2028-02-20}", ONE)
    world.check()
    assert world.counts("archive_unplaced_files") == {"manifest": 1}


def test_a_manifest_at_the_top_has_files_below_and_may_have_others(world: World) -> None:
    folder = world.folder / "eld"
    (folder / "SHA256SUMS").write_text(
        f"{'0' * 64}  ./d101/{DAY}.csv\n{'0' * 64}  README\n{'0' * 64}  d101/2019-01-01.csv\n"
    )
    world.write(ELD + ", manifest: SHA256SUMS, since: 2028-02-20}", ONE)
    world.check()
    assert [(entry.kind, entry.path) for entry in world.wrong()] == [("manifest", f"d101/{DAY}.csv")]
    assert world.counts("archive_corrupt_files") == {"manifest": 1}


def test_a_manifest_that_cannot_be_read_any_more_takes_nothing_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = world.folder / "eld" / "d101" / "SHA256SUMS"
    sums.write_text(f"{'0' * 64}  {TODAY}.csv\n")
    world.write(ELD + ", manifest: SHA256SUMS, since: 2028-02-20}", ONE)
    world.check()
    assert world.counts("archive_corrupt_files") == {"manifest": 1}
    real = store.LocalStore.open

    def opened(self: store.LocalStore, path: str) -> AbstractContextManager[store.Opened]:
        if path.endswith("SHA256SUMS"):
            raise store.UnreadableError("unreadable", "input/output error")
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "open", opened)
    sums.write_text("")
    for _ in range(2):
        world.check(world.at + HOUR)
        assert world.counts("archive_corrupt_files") == {"manifest": 1}
        assert world.counts("archive_unplaced_files") == {"manifest": 1}
    monkeypatch.undo()
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {}
    assert world.counts("archive_unplaced_files") == {}


def test_a_folder_as_it_was_is_not_listed_and_a_file_written_in_place_shows_within_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, path = world.folder / "eld" / "d101", world.path("d101", DAY)
    for each in (folder, folder.parent):
        world.stamp(each, 1e9)
    listed: list[str] = []
    real = store.LocalStore.folder

    def listing(self: store.LocalStore, below: str) -> store.Listing:
        listed.append(below)
        return real(self, below)

    monkeypatch.setattr(store.LocalStore, "folder", listing)
    world.check()
    assert listed == ["", "d101"]
    path.write_bytes(path.read_bytes().replace(b"fuel", b"food"))
    world.check(world.at + HOUR)
    assert listed == ["", "d101"]
    world.check(world.at + 24 * HOUR)
    assert listed == ["", "d101"] * 2
    assert world.counts("archive_corrupt_files") == {"changed": 1}
    path.unlink()
    world.check(world.at + HOUR)
    assert listed == ["", "d101"] * 2 + ["d101"]
    assert world.value("archive_deleted_early_files") == 1
