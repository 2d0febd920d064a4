"""Rows of records.yml from files on a disk to what rings: the inventory as written, checks that run, shipped rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.records.world import DAY, DRIVERS, ELD, FIRST, HOUR, TODAY, World, being_written, days, noon
from yardlight.cli import main
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.movement import note
from yardlight.records import evidence, store
from yardlight.state import State

pytestmark = pytest.mark.needs("promtool")
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole archive, for tests that break a copy of it."""
    folder = tmp_path_factory.mktemp("year")
    World(folder)
    return folder


@pytest.fixture
def world(year: Path, tmp_path: Path) -> World:
    for path in year.rglob("*.csv"):
        if path.parent != year:
            target = tmp_path / path.relative_to(year)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    made = World(tmp_path, fill=False)
    for path in (tmp_path / "eld").rglob("*.csv"):
        made.stamp(path, noon(date.fromisoformat(path.stem)) + 18 * HOUR)
    return made


def test_an_archive_that_is_whole_rings_nobody(world: World) -> None:
    world.check()
    assert world.alerts() == set()
    assert world.value("archive_files") == len(DRIVERS) * 181
    assert world.value("archive_unread_files") == 0


def test_r01_nothing_new_for_two_working_days_after_a_weekend(world: World) -> None:
    # The last export came on Wednesday morning; Friday's end is two working days later, the weekend is none.
    friday = noon(TODAY + timedelta(days=2))
    world.check(friday)
    assert world.alerts() == set()
    world.check(noon(TODAY + timedelta(days=3)))
    assert world.alerts() == {("ArchiveStale", "eld")}
    for driver in DRIVERS:
        for day in days(TODAY, TODAY + timedelta(days=2)):
            world.put(driver, day)
    world.check(noon(TODAY + timedelta(days=3)) + HOUR)
    assert world.alerts() == set()


def test_r01_a_file_that_was_unpacked_with_an_old_time_is_new_when_it_comes(world: World) -> None:
    world.check()
    due = world.value("archive_new_due_timestamp_seconds")
    world.check(noon(TODAY + timedelta(days=1)))
    world.stamp(world.put("d101", TODAY), noon(date(1980, 1, 1)))
    world.check(noon(TODAY + timedelta(days=2)))
    later = world.value("archive_new_due_timestamp_seconds")
    assert due is not None
    assert later is not None
    assert later > due


def test_r01_nothing_ever_came(tmp_path: Path) -> None:
    world = World(tmp_path, fill=False)
    world.write(ELD + ", coverage: none}", "d101,2020-01-01,,eld\n")
    world.check()
    assert world.alerts() == set()
    world.check(world.at + 4 * DAY)
    assert world.alerts() == {("ArchiveStale", "eld")}


def test_r01_nothing_ever_came_into_an_archive_whose_records_come_as_they_come(tmp_path: Path) -> None:
    world = World(tmp_path, fill=False)
    world.write('eld: {path: eld, pattern: "{any}_{date:%Y-%m-%d}.pdf", rule: annual-inspection}', "d101,,,eld\n")
    world.check()
    (world.folder / "eld" / "112.pdf").write_bytes(b"x")
    world.check(world.at + 4 * DAY)
    assert world.alerts() == set()
    world.check(world.at + 2 * DAY)
    assert world.alerts() == {("ArchiveStale", "eld")}
    path = world.folder / "eld" / "112_2028-03-01.pdf"
    path.write_bytes(b"x")
    world.stamp(path, world.at)
    world.check(world.at + 99 * DAY)
    assert ("ArchiveStale", "eld") not in world.alerts()


def test_r02_one_driver_day_is_missing_a_hundred_days_back(world: World) -> None:
    world.path("d102", TODAY - timedelta(days=100)).unlink()
    world.check()
    assert world.value("archive_gaps") == 1
    assert world.alerts() == {("ArchiveGap", "eld")}


def test_r02_of_a_day_on_which_the_driver_did_not_move_no_record_is_missed_where_that_is_told(world: World) -> None:
    missing = TODAY - timedelta(days=100)
    world.path("d102", missing).unlink()
    world.write(ELD + ", expected: when_moving}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    # Nobody tells of any day: what is missing is not known, and that is told.
    assert (world.value("archive_gaps"), world.value("archive_dates_not_known")) == (None, 169)
    assert world.alerts() == {("ArchiveGap", "eld")}
    state = State(world.folder / "yardlight.db")
    for day in days(FIRST, YESTERDAY):
        state.remember("inland", "", *note(day, {"112"}, set(DRIVERS) - ({"d102"} if day == missing else set())))
    state.close()
    world.check(world.at + HOUR)
    assert (world.value("archive_gaps"), world.value("archive_dates_not_known")) == (0, 0)
    state = State(world.folder / "yardlight.db")
    state.remember("inland", "", *note(missing, {"112"}, {"d102"}))
    state.close()
    world.check(world.at + HOUR)
    assert world.value("archive_gaps") == 1


def test_r03_hired_mid_window_left_five_months_ago_and_a_leap_day(world: World) -> None:
    hired, left = date(2028, 1, 10), date(2027, 10, 15)
    for driver, first, last in (("d102", hired, YESTERDAY), ("d103", FIRST, left)):
        for day in days(FIRST, YESTERDAY):
            if not first <= day <= last:
                world.path(driver, day).unlink()
    world.write(ELD + "}", f"d101,2020-01-01,,eld\nd102,{hired},,eld\nd103,2020-01-01,{left},eld\nd104,,,paper\n")
    assert world.path("d101", date(2028, 2, 29)).exists()
    world.check()
    assert world.value("archive_gaps") == 0
    assert world.alerts() == set()


def test_r04_a_flipped_bit_is_found_within_one_pass_over_the_files(world: World) -> None:
    world.write(ELD + ", reread: 3d, read_at_most: 250 kB}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    while world.check().again_in is not None or world.value("archive_unread_files"):
        world.at += HOUR
    path = world.path("d101", TODAY - timedelta(days=50))
    stamp, content = path.stat().st_mtime, bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(bytes(content))
    world.stamp(path, stamp)
    world.at += 3 * DAY
    for each in days(YESTERDAY, TODAY + timedelta(days=2)):
        for driver in DRIVERS:
            world.put(driver, each)
    for _ in range(8):
        world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {"damaged": 1}
    assert world.alerts() == {("ArchiveCorrupt", "eld")}
    path.write_bytes(eld_file(Shape(day=TODAY - timedelta(days=50))))
    world.stamp(path, stamp)
    world.at += 3 * DAY
    for _ in range(8):
        world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {}


def test_r05_a_bad_file_check_value_is_found_and_its_line_told(world: World) -> None:
    path = world.path("d101", TODAY - timedelta(days=50))
    content = path.read_bytes()
    world.put("d101", TODAY - timedelta(days=50), content=content[:-6] + b"0000\r\n")
    world.check()
    assert world.counts("archive_corrupt_files") == {"invalid": 1}
    assert world.alerts() == {("ArchiveCorrupt", "eld")}
    line = content.count(b"\n")
    assert [entry.detail for entry in world.wrong()] == [
        f"line {line}: the file's check value does not fit: a line was changed, added or lost"
    ]


def test_r06_the_second_copy_lacks_three_days(world: World) -> None:
    copied = ELD + ", second_copy: copy}"
    for day in days(FIRST, YESTERDAY):
        for driver in DRIVERS:
            world.put(driver, day, root="copy")
    world.write(copied, "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    # Both lie on the disk of this test.
    assert world.value("archive_second_copy_apart") == 0
    assert world.value("archive_second_copy_missing_files") == 0
    for day in days(TODAY - timedelta(days=60), TODAY - timedelta(days=58)):
        world.path("d101", day, root="copy").unlink()
    world.path("d102", YESTERDAY, root="copy").unlink()
    world.check(world.at + HOUR)
    # Yesterday's file came this morning and has a day to get there.
    assert world.value("archive_second_copy_missing_dates") == 3
    assert world.alerts() == {("ArchiveSecondCopyDiffers", "eld")}


def test_r06_a_second_copy_that_cannot_be_read_stops_nothing_else_and_rings(world: World) -> None:
    world.write(ELD + ", second_copy: nowhere}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.path("d102", TODAY - timedelta(days=100)).unlink()
    world.check()
    assert (world.value("archive_gaps"), world.value("archive_second_copy_answers")) == (1, 0)
    assert world.alerts() == {("ArchiveGap", "eld"), ("ArchiveSecondCopyDiffers", "eld")}


def test_r06_the_second_copy_has_another_content(world: World) -> None:
    for day in days(FIRST, YESTERDAY):
        for driver in DRIVERS:
            world.put(driver, day, root="copy")
    path = world.path("d101", TODAY - timedelta(days=60), root="copy")
    path.write_bytes(path.read_bytes().replace(b"fuel", b"food"))
    world.write(ELD + ", second_copy: copy}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    assert world.value("archive_second_copy_missing_files") == 1
    # Whoever puts it right is told so.
    world.stamp(world.put("d101", TODAY - timedelta(days=60), root="copy"), world.at)
    world.check(world.at + 2 * DAY)
    assert world.value("archive_second_copy_missing_files") == 0


def copied(world: World) -> Path:
    """With a second copy that is whole; a file of it."""
    for day in days(FIRST, YESTERDAY):
        for driver in DRIVERS:
            world.put(driver, day, root="copy")
    world.write(ELD + ", second_copy: copy, reread: 3d}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    assert world.value("archive_second_copy_missing_files") == 0
    return world.path("d101", TODAY - timedelta(days=60), root="copy")


def test_r06_a_second_copy_that_rots_is_found_when_it_is_read_again(world: World) -> None:
    path = copied(world)
    stamp = path.stat().st_mtime
    path.write_bytes(path.read_bytes().replace(b"fuel", b"food"))
    world.stamp(path, stamp)
    world.check(world.at + 4 * DAY)
    assert world.value("archive_second_copy_missing_files") == 1


def test_r06_a_file_of_the_second_copy_that_cannot_be_read_is_lacking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(world)
    real = store.LocalStore.open

    def opened(self: store.LocalStore, name: str) -> AbstractContextManager[store.Opened]:
        if self._root.endswith("copy") and name.endswith(path.name):
            raise store.UnreadableError("unreadable", "input/output error")
        return real(self, name)

    monkeypatch.setattr(store.LocalStore, "open", opened)
    world.check(world.at + 4 * DAY)
    assert world.value("archive_second_copy_missing_files") == len(DRIVERS)


def test_r11_a_folder_that_cannot_be_listed_rings_whether_of_the_archive_or_of_its_second_copy(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(world)
    real, closed = store.LocalStore.folder, "copy"

    def folder(self: store.LocalStore, path: str) -> store.Listing:
        if self._root.endswith(closed) and path == "d101":
            raise store.UnreadableError("folder", "permission denied")
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "folder", folder)
    world.check(world.at + DAY)
    assert world.value("archive_second_copy_answers") == 0
    assert world.value("archive_second_copy_missing_files") == 0
    closed = "eld"
    world.check(world.at + DAY)
    assert ("ArchiveUnreadable", "eld") in world.alerts()


def test_r07_files_are_deleted_at_five_months(world: World) -> None:
    world.check()
    for day in days(FIRST, date(2027, 10, 15)):
        world.path("d101", day).unlink()
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 30
    assert world.alerts() == {("RecordsDeletedEarly", "eld"), ("ArchiveGap", "eld")}
    for day in days(FIRST, date(2027, 10, 15)):
        world.put("d101", day)
    world.check(world.at + HOUR)
    assert world.alerts() == set()


def test_r07_files_of_whom_no_record_is_expected_are_deleted_at_five_months(world: World) -> None:
    world.write(ELD + ", coverage: none}", "d101,2020-01-01,,eld\nd102,,,eld\nd103,,,eld\n")
    world.check()
    (world.folder / "eld" / "d103").rename(world.folder / "elsewhere")
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 181
    assert world.alerts() == {("RecordsDeletedEarly", "eld")}


def test_files_under_another_name_are_not_deleted_and_those_whose_time_is_over_may_be(world: World) -> None:
    world.write(ELD + ", coverage: none}", "d101,2020-01-01,,eld\nd102,,,eld\nd103,,,eld\n")
    old = world.put("d101", TODAY - timedelta(days=200))
    world.check()
    old.unlink()
    world.path("d101", YESTERDAY).rename(world.path("d101", YESTERDAY).with_suffix(".CSV"))
    world.write(ELD.replace(".csv", ".{any}") + ", coverage: none}", "d101,2020-01-01,,eld\nd102,,,eld\nd103,,,eld\n")
    world.check(world.at + HOUR)
    assert world.value("archive_deleted_early_files") == 0


def test_r08_under_a_legal_hold_a_record_is_kept_past_its_age_and_deleting_it_rings(world: World) -> None:
    held = TODAY - timedelta(days=300)
    path = world.put("d101", held)
    other = world.put("d102", held)
    hold = f"holds: [{{who: [d101], from: {held}, to: {held}, why: claim 4711}}]"
    world.write(f"{ELD}, {hold}}}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    assert world.value("archive_held_files") == 1
    other.unlink()
    world.check(world.at + HOUR)
    assert world.alerts() == set()
    path.unlink()
    world.check(world.at + HOUR)
    assert world.alerts() == {("RecordsDeletedEarly", "eld")}


def test_r09_another_content_under_the_same_name(world: World) -> None:
    world.check()
    day = TODAY - timedelta(days=50)
    path = world.put("d101", day, content=eld_file(Shape(day=day, comment="tank stop")))
    world.stamp(path, world.at)
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {"changed": 1}
    assert world.alerts() == {("ArchiveCorrupt", "eld")}
    # It stays told while it is there, and ends when the first content is back.
    world.check(world.at + 60 * DAY)
    assert world.counts("archive_corrupt_files") == {"changed": 1}
    world.put("d101", day)
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {}


def test_r09_a_file_that_may_still_be_corrected_may_change(world: World) -> None:
    world.write(ELD + ", settles_after: 8d}", "".join(f"{each},2020-01-01,,eld\n" for each in DRIVERS))
    world.check()
    world.stamp(world.put("d101", YESTERDAY, content=eld_file(Shape(day=YESTERDAY, comment="x"))), world.at)
    world.check(world.at + HOUR)
    assert world.counts("archive_corrupt_files") == {}


def retrieved(world: World, at: float, by: str, missing: list[str] | None = None) -> None:
    """Somebody fetched records from the archive."""
    folder = evidence.new_folder(world.folder / "yardlight-records", at)
    body = {"began": at - 60, "ended": at, "by": by, "why": "test", "sha256": "", "archives": ["eld"],
            "gave": ["eld"], "missing": missing or [], "unusable": []}  # fmt: skip
    evidence.seal(folder, body, {})


def test_r10_the_last_retrieval_is_too_old_or_by_the_same_person_as_the_one_before(world: World) -> None:
    world.check()
    retrieved(world, world.at - 95 * DAY, "Ann")
    world.check(world.at + HOUR)
    assert world.alerts() == {("RetrievalTestOverdue", "")}
    retrieved(world, world.at - DAY, "Ann", missing=["d101 2028-01-01"])
    world.check(world.at + HOUR)
    assert world.alerts() == {("RetrievalTestOverdue", "")}
    retrieved(world, world.at - 60, "Ann Lee")
    retrieved(world, world.at - 50, " ann  lee")
    world.check(world.at + HOUR)
    # However the name was typed.
    assert world.value("archive_retrieval_testers") == 1
    assert world.alerts() == {("RetrievalTestOverdue", "")}
    retrieved(world, world.at, "Ben")
    world.check(world.at + HOUR)
    assert world.value("archive_retrieval_testers") == 2
    assert world.alerts() == set()


def test_r10_a_back_up_that_nobody_restored_for_a_quarter_rings_until_somebody_says_so(world: World) -> None:
    place = (
        'maintenance: {path: backups, pattern: "{date:%Y-%m-%d}.zip", rule: maintenance, backup: {}, new_within: 999}'
    )
    world.write(place, "d101,2020-01-01,,eld\n")
    (world.folder / "backups").mkdir()
    (world.folder / "backups" / f"{YESTERDAY}.zip").write_bytes(b"x")
    world.check(name="maintenance")
    assert world.alerts() == set()
    world.check(world.at + 95 * DAY, name="maintenance")
    assert world.alerts() == {("RetrievalTestOverdue", "")}
    at = ["--inventory", str(world.folder / "fleet.yml"), "--state", str(world.folder / "yardlight.db")]
    assert main(["records", "restored", "maintenance", "--by", "Ann", "--why", "312 rows", *at]) == 0
    [proof] = evidence.restore_tests(world.folder / "yardlight-records", "maintenance")
    assert (proof.by, abs(proof.at - time.time()) < 600) == ("Ann", True)
    world.check(proof.at + DAY, name="maintenance")
    assert world.alerts() == set()


def test_r13_a_back_up_is_40_percent_smaller_than_the_others(world: World) -> None:
    place = 'maintenance: {path: backups, pattern: "{date:%Y-%m-%d}.zip", rule: maintenance'
    world.write(f"{place}, backup: {{}}, calendar: weekdays}}", "d101,2020-01-01,,eld\n")
    (world.folder / "backups").mkdir()
    for back in range(12, 0, -1):
        day = TODAY - timedelta(days=back)
        path = world.folder / "backups" / f"{day}.zip"
        path.write_bytes(b"x" * (100_000 + back))
        world.stamp(path, noon(day))
    world.check(name="maintenance")
    assert world.alerts() == set()
    path.write_bytes(b"x" * 60_000)
    world.stamp(path, noon(YESTERDAY) + 1)
    world.check(world.at + HOUR, name="maintenance")
    assert world.alerts() >= {("BackupSuspicious", "maintenance")}


def test_a_back_up_that_is_being_written_is_not_told_as_too_small(
    world: World, eventually: Callable[..., object]
) -> None:
    place = 'maintenance: {path: backups, pattern: "{date:%Y-%m-%d}.zip", rule: maintenance'
    world.write(f"{place}, backup: {{}}, calendar: weekdays}}", "d101,2020-01-01,,eld\n")
    (world.folder / "backups").mkdir()
    for back in range(12, 1, -1):
        path = world.folder / "backups" / f"{TODAY - timedelta(days=back)}.zip"
        path.write_bytes(b"x" * 100_000)
        world.stamp(path, noon(TODAY - timedelta(days=back)))
    with being_written(world.folder / "backups" / f"{YESTERDAY}.zip", eventually):
        world.check(time.time(), name="maintenance")
        assert world.value("backup_newest_bytes") == 100_000
    world.check(world.at + HOUR, name="maintenance")
    assert (world.value("backup_newest_bytes") or 0) < 10_000


def test_a_file_of_a_day_that_is_yet_to_come_is_no_newest_record(world: World) -> None:
    world.put("d101", TODAY + timedelta(days=3650))
    world.check()
    assert world.value("archive_newest_timestamp_seconds") == noon(YESTERDAY) - 12 * HOUR
