"""`yardlight records ...` as it is typed, and what a retrieval leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import zipfile
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.records.world import ELD, World, days, noon, today
from yardlight import sealing
from yardlight.cli import main
from yardlight.demo.eld_files import Shape, eld_file
from yardlight.inventory.retention import RULES, window_start
from yardlight.records import reading, store
from yardlight.records.evidence import retrieval_tests, retrievals
from yardlight.records.reading import Reader

# The commands go by the real clock.
TODAY = today()
# No second copy is asked for.
DOCUMENTS = ELD.replace("rule: rods", "rule: supporting-documents")
FIRST, LAST = TODAY - timedelta(days=40), TODAY - timedelta(days=1)
ROSTER = f"d101,{FIRST},,eld\nd102,{FIRST},,eld\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, f"{ELD}, vendor: samsara, second_copy: copy}}", ROSTER, fill=False)
    for driver in ("d101", "d102"):
        for day in days(FIRST, LAST):
            for root in ("eld", "copy"):
                made.put(driver, day, root)
    return made


def typed(world: World, *words: str) -> int:
    at = ("--inventory", str(world.folder / "fleet.yml"), "--state", str(world.folder / "yardlight.db"))
    return main(["records", *words, *at])


def fetch(world: World, *words: str) -> tuple[int, zipfile.ZipFile, str]:
    """The exit code of a retrieval, the zip, and its cover sheet."""
    target = world.folder / "records.zip"
    code = typed(world, "retrieve", "--from", str(FIRST), "--to", str(LAST), "--by", "Ann", "--why", "audit 7", "-o",
                 str(target), *words)  # fmt: skip
    packed = zipfile.ZipFile(target)
    return code, packed, packed.read("00-COVER.html").decode()


def test_a_check_of_a_whole_archive_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(world, "check") == 0
    told = capsys.readouterr().out
    assert "49 CFR 395.8(k)(1), 395.22(i); a check, not legal advice" in told
    assert "nothing is missing, and everything opens" in told


def test_a_check_names_what_is_missing_and_the_line_that_is_wrong(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.path("d101", TODAY - timedelta(days=30)).unlink()
    path = world.path("d102", TODAY - timedelta(days=31))
    path.write_bytes(path.read_bytes().replace(b"Lopez,Maria,d102", b"Lopes,Maria,d102"))
    assert typed(world, "check", "eld") == 1
    told = capsys.readouterr().out
    assert f"missing: d101 {TODAY - timedelta(days=30)}" in told
    assert f"invalid: d102/{TODAY - timedelta(days=31)}.csv: line 2: its check value does not fit" in told
    assert typed(world, "check", "--json") == 1
    [archive] = json.loads(capsys.readouterr().out)
    assert len(archive["wrong"]) == 2


def test_a_name_that_steers_a_terminal_is_shown_without_that(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / "eld" / "\x1b[31mred").mkdir()
    real = store.LocalStore.folder

    def folder(self: store.LocalStore, path: str) -> store.Listing:
        if path.endswith("red"):
            raise store.UnreadableError("folder", "no right to list it")
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "folder", folder)
    assert typed(world, "check") == 1
    fetch(world, "--driver", "d101")
    told = capsys.readouterr().out
    assert "cannot be listed: ?[31mred: folder" in told
    assert "\x1b" not in told


def test_many_of_a_kind_are_counted(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for each in (world.folder / "eld" / "d101").iterdir():
        each.unlink()
    assert typed(world, "check") == 1
    told = capsys.readouterr().out
    assert told.count("missing: d101") == 20
    assert "missing: 8 more" in told


def test_r12_an_account_that_is_to_be_closed_with_four_driver_days_missing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(world, "exit-check", "samsara") == 0
    assert "The account may be closed." in capsys.readouterr().out
    gone = [("d101", 3), ("d101", 4), ("d102", 1), ("d102", 20)]
    for driver, back in gone:
        world.path(driver, TODAY - timedelta(days=back)).unlink()
        world.path(driver, TODAY - timedelta(days=back), "copy").unlink()
    assert typed(world, "exit-check", "samsara") == 1
    told = capsys.readouterr().out
    for driver, back in gone:
        assert f"missing: {driver} {TODAY - timedelta(days=back)}" in told
    assert "do not close the account yet" in told


def test_before_an_account_is_closed_what_is_held_and_what_may_have_come_late_has_to_be_there(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    window = window_start(RULES["supporting-documents"], None, TODAY)
    # Received at its latest, the record of this day is kept for longer than the window that is always required.
    late, held = window - timedelta(days=13), TODAY - timedelta(days=400)
    hold = f"holds: [{{who: [d101, d109], from: {held}, to: {held}, why: claim 4711}}]"
    world.write(f"{DOCUMENTS}, vendor: samsara, {hold}}}", f"d101,2020-01-01,,eld\nd102,{TODAY},,eld\n")
    for day in days(late, FIRST):
        world.put("d101", day)
    assert typed(world, "exit-check", "samsara") == 1
    told = capsys.readouterr().out
    assert told.count("missing: d101") == 1
    assert f"missing: d101 {held}" in told
    assert "not known: d109 is held and not on the roster" in told
    world.put("d101", held)
    world.write(
        f"{DOCUMENTS}, vendor: samsara, {hold}}}".replace(", d109", ""), f"d101,2020-01-01,,eld\nd102,{TODAY},,eld\n"
    )
    assert typed(world, "exit-check", "samsara") == 0
    world.path("d101", late).unlink()
    assert typed(world, "exit-check", "samsara") == 1
    assert f"missing: d101 {late}" in capsys.readouterr().out


def test_what_no_roster_asks_for_is_left_to_whoever_closes_the_account(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.write(f"{DOCUMENTS}, vendor: samsara, since: {FIRST}}}", ROSTER)
    assert typed(world, "exit-check", "samsara") == 0
    told = capsys.readouterr().out
    assert f"see yourself: eld begins with {FIRST}; what samsara has of the days before is not looked for" in told
    world.write(f"{DOCUMENTS}, vendor: samsara, coverage: none}}", ROSTER)
    assert typed(world, "exit-check", "samsara") == 0
    told = capsys.readouterr().out
    assert "see yourself: of eld nothing says what has to be there (coverage: none)" in told
    assert "With that settled, the account may be closed." in told


def test_an_account_is_not_closed_while_files_of_the_second_copy_were_never_read(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = Reader.go_on

    def go_on(self: Reader, place: store.Store, copy: int, budget: int) -> None:
        if not copy:
            real(self, place, copy, budget)

    monkeypatch.setattr(Reader, "go_on", go_on)
    assert typed(world, "exit-check", "samsara") == 1
    assert "not read yet: 80 files of the second copy" in capsys.readouterr().out


def test_an_account_of_which_nothing_ever_came_is_not_closed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "empty").mkdir()
    world.write('ifta: {path: empty, pattern: "{date:%Y-%m-%d}.csv", rule: ifta, vendor: samsara}', ROSTER)
    assert typed(world, "exit-check", "samsara") == 1
    assert "no file at all" in capsys.readouterr().out


def test_an_account_whose_export_stopped_or_whose_back_up_is_too_small_is_not_closed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / "backups").mkdir()
    for back in range(10, 3, -1):
        path = world.folder / "backups" / f"{TODAY - timedelta(days=back)}.zip"
        path.write_bytes(b"x" * (1000 if back > 4 else 100))
        world.stamp(path, noon(TODAY - timedelta(days=back)))
    place = 'shop: {path: backups, pattern: "{date:%Y-%m-%d}.zip", rule: maintenance, vendor: samsara, backup: {}}'
    world.write(place, ROSTER)
    assert typed(world, "exit-check", "samsara") == 1
    told = capsys.readouterr().out
    assert "nothing new: something was expected by" in told
    assert "the newest back-up has 100 B" in told


def test_an_account_from_which_an_archive_is_pulled_is_not_closed_without_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    (world.folder / "secret").write_text("shh\n", encoding="utf-8")
    logs = ELD.replace("eld: {path: eld", "logs: {path: logs").replace("format: eld", "format: csv")
    pulled = f"{logs}, since: {FIRST}, pull: {{feed: hos}}}}"
    (world.folder / "logs").mkdir()
    world.write(
        f"{ELD}, vendor: samsara, second_copy: copy, since: {FIRST}}}\n{pulled}",
        ROSTER,
        more="""\
accounts: {samsara: {platform: samsara, token_file: secret}}
feeds: {hos: {account: samsara, stream: hos_logs}}
""",
    )
    assert typed(world, "exit-check", "samsara") == 1
    told = capsys.readouterr().out
    assert "logs: Records of duty status" in told
    assert "missing: d101" in told


def test_an_account_that_no_archive_names_is_refused(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(world, "exit-check", "samsarra") == 1
    assert "no archive says `vendor: samsarra`; did you mean 'samsara'?" in capsys.readouterr().err


def test_a_retrieval_has_every_file_as_it_is_and_a_cover_sheet(world: World) -> None:
    code, packed, cover = fetch(world, "--driver", "d101")
    assert code == 0
    names = set(packed.namelist()) - {"00-COVER.html", "SHA256SUMS"}
    assert names == {f"eld/d101/{day}.csv" for day in days(FIRST, LAST)}
    assert packed.read(f"eld/d101/{LAST}.csv") == eld_file(Shape(user="d101", day=LAST))
    assert len(packed.read("SHA256SUMS").splitlines()) == len(names)
    assert cover.index("Nothing is missing") < cover.index("What was asked for")
    assert "audit 7" in cover


def test_what_is_missing_or_not_as_it_was_stands_first_and_the_second_copy_helps_out(world: World) -> None:
    assert typed(world, "check") == 0
    missing, changed, lost = (TODAY - timedelta(days=back) for back in (5, 6, 7))
    world.path("d101", missing).unlink()
    world.put("d101", changed, content=eld_file(Shape(user="d101", day=changed, comment="forged")))
    for root in ("eld", "copy"):
        world.put("d101", lost, root, content=b"")
    code, packed, cover = fetch(world, "--driver", "d101")
    assert code == 1
    assert f"<li>d101, {missing}</li>" in cover
    assert cover.index(f"d101, {missing}") < cover.index("What was asked for")
    assert f"d101/{changed}.csv: from the second copy" in cover
    assert packed.read(f"eld/d101/{changed}.csv") == eld_file(Shape(user="d101", day=changed))
    assert f"eld: d101/{lost}.csv: its content is not that of its first reading (packed as it is)" in cover


def test_who_is_not_on_the_roster_is_never_complete(world: World) -> None:
    code, _, cover = fetch(world, "--driver", "d999")
    assert code == 1
    assert "d999 is not on the roster" in cover


def test_an_archive_of_drivers_is_not_asked_for_vehicles(world: World) -> None:
    code, packed, cover = fetch(world, "--vehicle", "112")
    # Nothing was fetched: that proves nothing.
    assert code == 1
    assert packed.namelist() == ["00-COVER.html", "SHA256SUMS"]
    assert "not asked for: it is of drivers" in cover
    assert "nothing was packed" in cover
    assert retrieval_tests(world.folder / "yardlight-records", "eld") == []


def test_only_what_gave_files_was_tried(world: World) -> None:
    (world.folder / "dvir").mkdir()
    dvir = 'dvir: {path: dvir, pattern: "{vehicle}/{date:%Y-%m-%d}.pdf", rule: dvir, coverage: none}'
    world.write(f"{ELD}, since: {FIRST}}}\n{dvir}", ROSTER)
    code, _, _ = fetch(world, "--driver", "d101")
    assert code == 0
    records = world.folder / "yardlight-records"
    assert [len(retrieval_tests(records, name)) for name in ("eld", "dvir")] == [1, 0]


def test_what_may_still_arrive_is_told_apart_from_what_is_missing(world: World) -> None:
    never, gone = (TODAY - timedelta(days=back) for back in (3, 4))
    world.path("d101", never).unlink()
    assert typed(world, "check") == 0
    world.path("d101", gone).unlink()
    code, _, cover = fetch(world, "--driver", "d101")
    assert code == 1
    assert f"<li>d101, {gone}</li>" in cover
    world.put("d101", gone)
    code, _, cover = fetch(world, "--driver", "d101")
    assert code == 0
    assert cover.index(f"eld: d101 {never}") < cover.index("What was asked for")


def test_an_archive_that_is_away_is_packed_from_its_second_copy_and_the_others_are_too(world: World) -> None:
    (world.folder / "dvir" / "112").mkdir(parents=True)
    dvir = 'dvir: {path: dvir, pattern: "{vehicle}/{date:%Y-%m-%d}.pdf", rule: dvir, coverage: none}'
    (world.folder / "dvir" / "112" / f"{LAST}.pdf").write_bytes(b"x")
    world.write(f"{ELD}, second_copy: copy, since: {FIRST}}}\n{dvir}", ROSTER)
    assert typed(world, "check") == 0
    (world.folder / "eld").rename(world.folder / "away")
    code, packed, cover = fetch(world, "--driver", "d101", "--vehicle", "112")
    assert code == 1
    assert f"{world.folder}/eld: no such file or directory" in cover
    assert f"eld/d101/{LAST}.csv" in packed.namelist()
    assert f"dvir/112/{LAST}.pdf" in packed.namelist()
    assert len(packed.namelist()) == 2 + 40 + 1


def test_a_folder_that_cannot_be_listed_is_not_complete(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store.LocalStore.folder

    def folder(self: store.LocalStore, path: str) -> store.Listing:
        if path == "d101":
            raise store.UnreadableError("folder", "permission denied")
        return real(self, path)

    assert typed(world, "check") == 0
    monkeypatch.setattr(store.LocalStore, "folder", folder)
    code, _, cover = fetch(world, "--driver", "d101")
    assert code == 1
    assert "eld: d101: cannot be listed" in cover


def test_an_inspection_of_before_the_days_asked_for_is_not_missing_while_it_is_kept(world: World) -> None:
    for unit, back in (("112", 200), ("7", 500)):
        (world.folder / "annual" / unit).mkdir(parents=True)
        (world.folder / "annual" / unit / f"{TODAY - timedelta(days=back)}.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    (world.folder / "trucks.csv").write_text("truck,terminal\n112,fontana\n7,fontana\n", encoding="utf-8")
    annual = (
        'annual: {path: annual, pattern: "{vehicle}/{date:%Y-%m-%d}.pdf", rule: annual-inspection, coverage: vehicle}'
    )
    world.write(f"{ELD}, since: {FIRST}}}\n{annual}", ROSTER)
    code, _, cover = fetch(world, "--driver", "d101", "--vehicle", "112")
    assert (code, "Nothing is missing" in cover) == (0, True)
    code, _, cover = fetch(world, "--vehicle", "7")
    assert code == 1
    assert f"<li>7, {LAST}</li>" in cover


def test_what_need_not_be_kept_any_more_is_not_missing_unless_it_is_held(world: World) -> None:
    kept_from = window_start(RULES["rods"], None, TODAY)
    held = kept_from - timedelta(days=30)
    for day in days(kept_from, FIRST):
        world.put("d101", day)
    hold = f"holds: [{{who: [d101], from: {held}, to: {held}, why: claim}}]"
    world.write(f"{ELD}, {hold}}}", "d101,2020-01-01,,eld\n")
    target = world.folder / "year.zip"
    year = ("retrieve", "--driver", "d101", "--from", str(TODAY - timedelta(days=365)), "--to", str(LAST))
    assert typed(world, *year, "--by", "Ann", "--why", "audit 7", "-o", str(target)) == 1
    cover = zipfile.ZipFile(target).read("00-COVER.html").decode()
    assert cover.count("<li>d101, ") == 1
    assert f"<li>d101, {held}</li>" in cover
    assert f"records are kept from {kept_from}; nothing before is expected" in cover


def test_a_log_that_may_still_be_corrected_is_packed_as_it_is_now(world: World) -> None:
    world.write(f"{ELD}, second_copy: copy, since: {FIRST}, settles_after: 8d}}", ROSTER)
    assert typed(world, "check") == 0
    corrected = eld_file(Shape(user="d101", day=LAST, comment="corrected"))
    world.put("d101", LAST, content=corrected)
    code, packed, _ = fetch(world, "--driver", "d101")
    assert (code, packed.read(f"eld/d101/{LAST}.csv")) == (0, corrected)


def test_what_a_manifest_has_is_looked_for(world: World) -> None:
    lost, other = TODAY - timedelta(days=50), TODAY - timedelta(days=30)
    (world.folder / "eld" / "d101" / "SHA256SUMS").write_text(f"{'0' * 64}  {lost}.csv\n{'0' * 64}  {other}.csv\n")
    world.write(f"{ELD}, manifest: SHA256SUMS, since: {FIRST}}}", ROSTER)
    code, _, cover = fetch(world, "--driver", "d101", "--from", str(lost))
    assert code == 1
    assert f"eld: d101/{lost}.csv: the manifest has it, and it is not there" in cover
    assert f"eld: d101/{other}.csv: its hash is not the one in the manifest (packed as it is)" in cover
    assert fetch(world, "--driver", "d102", "--from", str(lost))[0] == 0


def test_a_large_file_is_read_once_and_packed_as_it_was_hashed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(f"{ELD}, since: {FIRST}}}".replace("format: eld, ", ""), ROSTER)
    monkeypatch.setattr(reading, "MOST_OPENED", 10)
    opened: list[str] = []
    real = store.LocalStore.open

    def counted(self: store.LocalStore, path: str) -> AbstractContextManager[store.Opened]:
        opened.append(path)
        return real(self, path)

    monkeypatch.setattr(store.LocalStore, "open", counted)
    code, packed, _ = fetch(world, "--driver", "d101")
    assert code == 0
    assert packed.read(f"eld/d101/{LAST}.csv") == eld_file(Shape(user="d101", day=LAST))
    assert opened.count(f"d101/{LAST}.csv") == 1


@pytest.mark.parametrize("at", [-1e9, 5e9, 253402300800.0])
def test_a_time_that_no_zip_knows_stops_nothing(world: World, at: float) -> None:
    world.stamp(world.path("d101", LAST), at)
    assert fetch(world, "--driver", "d101")[0] == 0


def test_a_retrieval_is_kept_as_evidence_that_shows_every_edit(world: World) -> None:
    fetch(world, "--driver", "d101", "--driver", "d102")
    [kept] = retrievals(world.folder / "yardlight-records")
    assert (kept.by, kept.complete, kept.body["files"]) == ("Ann", True, 80)
    assert kept.body["ended"] - kept.body["began"] > 0
    assert not sealing.verify(kept.folder)
    assert kept.folder.stat().st_mode & 0o077 == 0
    (kept.folder / "00-COVER.html").write_text("all is well")
    assert [finding.file for finding in sealing.verify(kept.folder)] == ["00-COVER.html"]


def test_what_is_written_for_somebody_else_is_theirs_alone_from_its_first_byte(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = world.folder / "records.zip"
    modes: list[int] = []
    real = shutil.copyfileobj

    def copied(*files: Any) -> None:
        modes.append(target.stat().st_mode & 0o777)
        real(*files)

    monkeypatch.setattr(shutil, "copyfileobj", copied)
    fetch(world, "--driver", "d101")
    target.chmod(0o644)
    fetch(world, "--driver", "d101")
    assert modes == [0o600, 0o600]


def test_a_disk_that_is_full_leaves_no_half_of_a_zip(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    asked = ("--driver", "d101", "--from", str(FIRST), "--to", str(LAST), "--by", "Ann", "--why", "test")
    assert typed(world, "retrieve", *asked) == 1
    assert "cannot be written: no space left on device" in capsys.readouterr().err
    assert not list((world.folder / "yardlight-records" / "retrievals").glob("*.zip"))


def test_zips_are_deleted_after_a_month_and_the_evidence_stays(world: World) -> None:
    fetch(world, "--driver", "d101")
    [old] = (world.folder / "yardlight-records" / "retrievals").glob("*.zip")
    os.utime(old, (0, 0))
    assert typed(world, "check") == 0
    assert not old.exists()
    assert len(list(retrievals(world.folder / "yardlight-records"))) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--driver", "d101", "--archive", "elf"], "there is no archive 'elf'; archives: eld"),
        ([], "say which drivers or vehicles"),
        (["--driver", "d101", "--why", " "], "say who asks and why"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    world: World, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    days_ = ["--from", str(FIRST), "--to", str(LAST), "--by", "Ann", "--why", "x"]
    assert typed(world, "retrieve", *days_, *words) == 1
    assert told in capsys.readouterr().err


def test_a_change_that_is_right_is_accepted_and_written_down(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    typed(world, "check")
    world.put("d101", LAST, content=eld_file(Shape(user="d101", day=LAST, comment="corrected")))
    os.utime(world.path("d101", LAST))
    assert typed(world, "check") == 1
    assert f"changed: d101/{LAST}.csv" in capsys.readouterr().out
    named = ("eld", f"d101/{LAST}.csv", "--by", "Ann", "--why", "corrected by the driver")
    assert typed(world, "accept", *named) == 0
    world.put("d101", LAST, "copy", content=eld_file(Shape(user="d101", day=LAST, comment="corrected")))
    typed(world, "accept", *named)
    typed(world, "check")
    told = capsys.readouterr().out
    assert "changed:" not in told.split("accepted")[-1]
    journal = (world.folder / "yardlight-records" / "journal.jsonl").read_text()
    assert "corrected by the driver" in journal
    # What does not open is not mended by a word; once it is gone, its absence may be accepted.
    world.put("d102", FIRST, content=b"")
    typed(world, "check")
    assert typed(world, "accept", "eld", f"d102/{FIRST}.csv", "--by", "Ann", "--why", "x") == 0
    typed(world, "check")
    assert typed(world, "accept", "eld", f"d102/{FIRST}.csv", "--by", "Ann", "--why", "x") == 1
    assert "this has to be mended" in capsys.readouterr().err
    world.path("d102", FIRST).unlink()
    typed(world, "check")
    assert typed(world, "accept", "eld", f"d102/{FIRST}.csv", "--by", "Ann", "--why", "x") == 0
    assert typed(world, "accept", "eld", "nothing.csv", "--by", "Ann", "--why", "x") == 1
