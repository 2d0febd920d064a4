"""`yardlight records pull`: a vendor's days in an archive that the records domain reads, whatever breaks off."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import pickle
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.vendor import Answer, Asked, Vendor
from yardlight.cli import main
from yardlight.collection import Session
from yardlight.errors import BadReplyError, BudgetError, IncompleteError
from yardlight.exposition import page
from yardlight.feeds import pull
from yardlight.inventory.archives import parse_pattern
from yardlight.inventory.load import load
from yardlight.logs import Recent
from yardlight.moment import moment
from yardlight.records.layout import Layout
from yardlight.serve import ServeOptions, Service

LA = ZoneInfo("America/Los_Angeles")
# A Friday at noon; the days before have settled up to the 17th.
NOW = datetime(2026, 11, 20, 12, tzinfo=LA).timestamp()
FIRST = date(2026, 11, 15)
LOGS = """account: eld, path: "/logs?from={since}&to={now}", records: logs, id: id, time: began, driver: driver,
        truck: unit, duty: status, on_change: true, expected: on_change, paging: {page: page, size: 2}"""
KEPT = "pattern: '{driver}/{date:%Y-%m-%d}.csv', rule: rods, format: csv, coverage: none, manifest: SHA256SUMS"


class Eld:
    """Logs of two drivers each day, asked for by time; `said` changes what one of them says."""

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self.fails: Callable[[Asked], Answer | None] = lambda asked: None

    def logs(self) -> Iterator[dict[str, Any]]:
        for day in range(30):
            began = datetime(2026, 11, 1, 6, tzinfo=LA) + timedelta(days=day)
            for driver in ("e-77", "D102"):
                for hour, status in ((0, "on"), (2, "driving")):
                    name = f"{began:%m%d}-{driver}-{hour}"
                    when = (began + timedelta(hours=hour)).isoformat()
                    yield {
                        "id": name, "driver": driver, "unit": "112", "began": when,
                        "status": self.said.get(name, status), "place": {"city": "Fontana", "miles": 12.5},
                    }  # fmt: skip

    def __call__(self, asked: Asked) -> Answer:
        if (failure := self.fails(asked)) is not None:
            return failure
        since, until = (moment(asked.query[key], LA) for key in ("from", "to"))
        assert isinstance(since, float)
        assert isinstance(until, float)
        found = [each for each in self.logs() if since <= datetime.fromisoformat(each["began"]).timestamp() < until]
        number = int(asked.query["page"])
        return Answer({"logs": found[2 * number - 2 : 2 * number]})


class World:
    """An inventory with the archive `eld` that pulls from this vendor."""

    def __init__(self, folder: Path, url: str, archive: str = KEPT, more: str = "") -> None:
        self.folder = folder
        (folder / "drivers.csv").write_text("code,eld\nD101,e-77\nD102,\n")
        (folder / "trucks.csv").write_text("truck,terminal\n112,fontana\n")
        (folder / "fleet.yml").write_text(
            f"""\
fleet: inland
timezone: America/Los_Angeles
roster: {{trucks: trucks.csv, drivers: drivers.csv}}
accounts: {{eld: {{platform: generic, url: "{url}", rate: 1000/s, {more}}}}}
feeds: {{logs: {{{LOGS}}}}}
archives: {{eld: {{path: eld, {archive}, since: {FIRST}, pull: {{feed: logs}}}}}}
terminals: {{fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
"""
        )
        self.fleet = load(folder / "fleet.yml").fleet
        [planned] = pull.planned(self.fleet, folder)
        # As it goes to a worker.
        self.job: pull.Pull = pickle.loads(pickle.dumps(planned.collection))

    def run(self, now: float = NOW, allowance: int | None = None) -> str:
        """One run as `serve` does it; what is on the page after it."""
        session = Session(time.monotonic() + 60.0, clock=lambda: now, allowance=allowance)
        self.again_in = None
        text = page(self.job(session), openmetrics=False).decode()
        self.again_in = session.again_in
        return text

    @property
    def files(self) -> dict[str, bytes]:
        """What lies in the archive and beside it, by its path."""
        roots = (self.folder / "eld", self.folder / "eld-raw")
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for root in roots
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }


@contextmanager
def world(folder: Path, vendor: Eld, **more: str) -> Iterator[World]:
    with Vendor(vendor) as running:
        yield World(folder, running.url, **more)


def test_days_that_have_settled_are_written_for_each_driver_with_raw_answers_and_hashes(tmp_path: Path) -> None:
    with world(tmp_path, Eld()) as made:
        text = made.run()
    days = [f"2026-11-{day}" for day in (15, 16, 17)]
    csvs = [f"eld/{driver}/{day}.csv" for driver in ("D101", "D102") for day in days]
    raws = [f"eld-raw/{day}/page-000{number}" for day in days for number in (1, 2, 3)]
    sums = ["eld/D101/SHA256SUMS", "eld/D102/SHA256SUMS", *(f"eld-raw/{day}/SHA256SUMS" for day in days)]
    assert sorted(made.files) == sorted([*csvs, *raws, *sums])
    rows = list(csv.DictReader(made.files["eld/D101/2026-11-16.csv"].decode().splitlines()))
    assert [(row["record_time"], row["status"], row["place.city"], row["place.miles"]) for row in rows] == [
        ("2026-11-16T06:00:00-08:00", "on", "Fontana", "12.5"),
        ("2026-11-16T08:00:00-08:00", "driving", "Fontana", "12.5"),
    ]
    until = datetime(2026, 11, 18, tzinfo=LA).timestamp()
    assert float(text.rsplit(" ", 1)[1]) == until
    assert 'yardlight_archive_pulled_until_timestamp_seconds{archive="eld",fleet="inland"}' in text
    assert made.again_in is None
    for each in sums:
        done = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=(tmp_path / each).parent, capture_output=True)
        assert done.returncode == 0, done.stderr


def test_raw_answers_are_what_the_vendor_sent_byte_by_byte(tmp_path: Path) -> None:
    sent: list[bytes] = []

    def oddly(asked: Asked) -> Answer:
        body = json.dumps(Eld()(asked).content, indent=3).encode() + b" \n"
        sent.append(body)
        return Answer(body)

    with Vendor(oddly) as running:
        made = World(tmp_path, running.url)
        made.run()
    assert [made.files[path] for path in sorted(made.files) if "/page-" in path] == sent


def test_the_archives_own_check_finds_nothing_wrong_with_what_was_pulled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, Eld()) as made:
        made.run()
    monkeypatch.chdir(tmp_path)
    main(["records", "check", "--inventory", "fleet.yml"])
    said = capsys.readouterr().out
    assert "missing: " not in said
    assert not [line for line in said.splitlines() if "manifest" in line or "encoding" in line or "invalid" in line]


def test_a_second_run_asks_for_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with Vendor(Eld()) as running:
        made = World(tmp_path, running.url)
        made.run()
        before, asked = made.files, len(running.asked)
        stamps = {path: os.stat(tmp_path / path).st_mtime_ns for path in before}
        made.run()
        assert len(running.asked) == asked
        assert made.files == before
        assert {path: os.stat(tmp_path / path).st_mtime_ns for path in before} == stamps
        made.run(NOW + 86400)
        assert "eld/D101/2026-11-18.csv" in made.files


@pytest.mark.parametrize("broken", range(9))
def test_whatever_request_breaks_off_the_next_run_goes_on_and_ends_with_the_same(tmp_path: Path, broken: int) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    with world(whole, Eld()) as other:
        other.run()
    vendor = Eld()
    count = iter(range(1000))
    vendor.fails = lambda asked: Answer(b"<html>", 200) if next(count) == broken else None
    with world(tmp_path, vendor) as made:
        with pytest.raises((BadReplyError, IncompleteError)):
            made.run()
        complete = [path for path in made.files if path.endswith("SHA256SUMS") and "raw" in path]
        assert len(complete) == broken // 3
        made.run()
        assert made.files == other.files


def crashed(*_: object) -> None:
    raise OSError("the power went")


def test_a_crash_between_the_csvs_and_the_raw_answers_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, Eld()) as made:
        with monkeypatch.context() as patched:
            patched.setattr(pull, "_seal", crashed)
            with pytest.raises(OSError, match="the power went"):
                made.run()
        assert [path for path in made.files if "raw" in path] == []
        made.run()
        assert len([path for path in made.files if path.endswith(".csv")]) == 6


def test_what_is_there_and_differs_stays_and_is_told_until_somebody_moves_it(tmp_path: Path) -> None:
    with world(tmp_path, Eld()) as made:
        (tmp_path / "eld" / "D101").mkdir(parents=True)
        mine = tmp_path / "eld" / "D101" / "2026-11-16.csv"
        mine.write_text("what a person kept\n")
        for _ in range(2):
            with pytest.raises(IncompleteError, match=r"^D101/2026-11-16.csv: the vendor says something else now"):
                made.run()
            assert mine.read_text() == "what a person kept\n"
        # The days around it are there.
        assert {"eld/D101/2026-11-15.csv", "eld/D101/2026-11-17.csv", "eld/D102/2026-11-16.csv"} <= set(made.files)
        mine.rename(tmp_path / "kept-by-hand.csv")
        made.run()
        assert b"Fontana" in mine.read_bytes()


def test_a_budget_that_ends_keeps_the_days_that_are_whole_and_comes_again(tmp_path: Path) -> None:
    with world(tmp_path, Eld()) as made:
        made.run(allowance=7)
        assert len([path for path in made.files if path.startswith("eld-raw") and path.endswith("SUMS")]) == 2
        assert made.again_in is not None
        with pytest.raises(BudgetError):
            made.run(allowance=2)
        made.run()
        assert len([path for path in made.files if path.startswith("eld-raw") and path.endswith("SUMS")]) == 3


def test_an_answer_without_its_records_or_their_times_is_no_day_without_records(tmp_path: Path) -> None:
    vendor = Eld()
    with world(tmp_path, vendor) as made:
        for content in ({"log": []}, {"logs": [{"id": "1", "driver": "e-77"}]}):
            vendor.fails = lambda asked, content=content: Answer(content)  # type: ignore[misc]
            with pytest.raises(BadReplyError):
                made.run()
        assert made.files == {}


def test_two_processes_do_not_pull_the_same_archive(tmp_path: Path) -> None:
    with world(tmp_path, Eld()) as made, pull._alone(made.job.raw) as alone:
        assert alone
        with pytest.raises(IncompleteError, match="another process"):
            made.run()


def test_without_a_driver_in_the_pattern_a_day_is_one_file(tmp_path: Path) -> None:
    archive = "pattern: '{date:%Y}/{date}.csv'" if False else "pattern: 'all-{date:%Y%m%d}.csv'"
    with world(tmp_path, Eld(), archive=f"{archive}, rule: rods, format: csv, coverage: none") as made:
        made.run()
    assert [path for path in made.files if path.endswith(".csv")] == [
        f"eld/all-202611{day}.csv" for day in (15, 16, 17)
    ]
    assert len(made.files["eld/all-20261115.csv"].splitlines()) == 5


@pytest.mark.parametrize(("driver", "folder"), [("../../etc/x", ".._.._etc_x"), ("..", "unknown"), (".", "unknown")])
def test_a_name_that_is_no_files_name_leads_nowhere_else(driver: str, folder: str, tmp_path: Path) -> None:
    vendor = Eld()
    logs = [{"id": "1", "driver": driver, "unit": "1", "began": "2026-11-15T06:00:00-08:00", "status": "on"}]
    vendor.fails = lambda asked: Answer({"logs": logs if asked.query["page"] == "1" else []})
    with world(tmp_path, vendor) as made:
        made.run()
    assert [path for path in made.files if path.endswith(".csv")] == [f"eld/{folder}/2026-11-15.csv"]


@pytest.mark.parametrize("raw", ["{driver}/{date:%Y-%m-%d}.csv", "{date:%y%j}-{vehicle}.csv", "x/{date}.csv"])
def test_a_path_that_is_written_is_one_that_the_archive_reads(raw: str) -> None:
    pattern, day = parse_pattern(raw), date(2026, 2, 28)
    who = "D101" if pattern.kind else ""
    assert Layout(pattern).place(pull.path_of(pattern, who, day)) == (who, day.toordinal())


def test_the_command_pulls_what_is_left_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vendor = Eld()
    with world(tmp_path, vendor) as made:
        first = date.today() - timedelta(days=5)
        text = (tmp_path / "fleet.yml").read_text().replace(f"since: {FIRST}", f"since: {first}")
        (tmp_path / "fleet.yml").write_text(text)
        assert main(["records", "pull", "--inventory", str(tmp_path / "fleet.yml")]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[0] == f"eld: {first}"
        assert said[-1] == "eld: nothing is left"
        assert main(["records", "pull", "nothing", "--inventory", str(tmp_path / "fleet.yml")]) == 1
        vendor.fails = lambda asked: Answer({"message": "no"}, 401)
        shutil.rmtree(made.folder / "eld-raw" / f"{first}")
        assert main(["records", "pull", "eld", "--inventory", str(tmp_path / "fleet.yml")]) == 1
        assert "eld: auth: " in capsys.readouterr().out


def test_serve_pulls_on_schedule_in_the_turns_of_the_account(tmp_path: Path) -> None:
    with world(tmp_path, Eld()) as made:
        text = (tmp_path / "fleet.yml").read_text().replace(f"since: {FIRST}", f"since: {date.today() - timedelta(4)}")
        (tmp_path / "fleet.yml").write_text(text)

        async def run() -> str:
            service = Service(
                ServeOptions(tmp_path / "fleet.yml", centre=True, state=tmp_path / "yardlight.db"), Recent()
            )
            await service.load()
            await service.start()
            try:
                found = ""
                async with asyncio.timeout(90):
                    while "yardlight_archive_pulled_until_timestamp_seconds{" not in found:
                        await asyncio.sleep(0.1)
                        found = page(await service.blocks(), openmetrics=False).decode()
                return found
            finally:
                await service.stop()

        found = asyncio.run(run())
    assert 'yardlight_poll_success{account="eld",fleet="inland",poll="pull/eld"} 1.0' in found
    assert [path for path in made.files if path.startswith("eld-raw")]
