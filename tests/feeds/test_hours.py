"""Where trucks were and what drivers' logs say: over real HTTP, polls as they run, the shipped rules."""

from __future__ import annotations

import csv
import io
import json
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.feeds.days import LA, Days
from tests.feeds.eld import ACCOUNT, FEED, Eld, Line
from tests.feeds.test_end_to_end import at, rung
from tests.living import HOUR, MINUTE
from yardlight.cli import main
from yardlight.collection import Session
from yardlight.demo.telematics import FakeTruck
from yardlight.exposition import pack
from yardlight.movement import days_moved
from yardlight.records.domain import check_of
from yardlight.state import Reader

DENVER = """\
  denver: {timezone: America/Denver, targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}
"""
# A Monday before dawn.
MONDAY = at("2026-01-05", "00:00")


class Shifts(Days):
    """The same fleet with an ELD, and drivers d101, d102, ... in trucks 101, 102, ..."""

    def __init__(self, folder: Path, start: float, trucks: int = 4, every: int = 10) -> None:
        super().__init__(folder, start, trucks=trucks, step=every * MINUTE)
        self.poll = f"{every}m"
        self.gps = self.gps.replace("max_age: 5m", "max_age: 90m, speed_unit: mph")
        self.eld = Eld(self.units, self.clock.time, LA)
        self.faces["eld"] = self.eld
        self.exempt: set[str] = set()
        self.archives = ""
        # Of trucks and their drivers; else the fleet's clock holds.
        self.homes: dict[str, str] = {}

    def write(self) -> None:
        units, homes = [each.unit for each in self.units], self.homes
        rows = [f"d{unit},{'exempt' if f'd{unit}' in self.exempt else 'eld'},{homes.get(unit, '')}" for unit in units]
        (self.folder / "drivers.csv").write_text("\n".join(["code,logs,terminal", *rows]) + "\n", encoding="utf-8")
        rows = [f"{unit},{homes.get(unit, '')}" for unit in units]
        (self.folder / "trucks.csv").write_text("\n".join(["truck,terminal", *rows]) + "\n", encoding="utf-8")
        self.accounts = ACCOUNT.format(url=self.vendor.url)
        self.more = FEED.format(poll="1h") + self.archives
        super().write()
        inventory = self.folder / "fleet.yml"
        text = inventory.read_text(encoding="utf-8")
        text = text.replace("roster: {trucks: trucks.csv}", "roster: {trucks: trucks.csv, drivers: drivers.csv}")
        inventory.write_text(text + DENVER, encoding="utf-8")


def test_records_are_missed_of_drivers_who_drove_and_of_no_others(tmp_path: Path) -> None:
    with Shifts(tmp_path, MONDAY - 2 * HOUR, every=15) as days:
        tuesday = date(2026, 1, 6)
        days.units[1].off = {tuesday}
        days.eld.silent.add("d102")
        days.archives = (
            '\narchives: {eld: {path: eld, pattern: "{driver}/{date:%Y-%m-%d}.csv", rule: rods, expected: when_moving,'
            " arrives_within: 1}}"
        )
        # Of Tuesday nobody has a file.
        for driver in ("d101", "d102", "d103", "d104"):
            (tmp_path / "eld" / driver).mkdir(parents=True)
            for day in (date(2026, 1, 5), date(2026, 1, 7)):
                (tmp_path / "eld" / driver / f"{day}.csv").write_text("a day\n", encoding="utf-8")
        days.until(at("2026-01-09", "02:00"))
        days.state.close()
        days.state = type(days.state)(tmp_path / "state.db")
        reader = Reader(tmp_path / "state.db")
        told = days_moved(reader, "inland")
        reader.close()
        check = check_of(days._fleet, "eld", tmp_path, tmp_path / "state.db")
        session = Session(time.monotonic() + 60, clock=days.clock.time)
        found = b"".join(each.body for each in pack(check(session))).decode()
    assert sorted(told) == [date(2026, 1, 5) + timedelta(days=number) for number in range(4)]
    assert told[tuesday].trucks == {"101", "103", "104"}
    assert told[tuesday].drivers == {"d101", "d103", "d104"}
    assert told[tuesday].unknown == frozenset()
    assert told[date(2026, 1, 8)].trucks == {"101", "102", "103", "104"}
    # Logs of the last two days have not settled.
    assert [day.day for day in sorted(told) if told[day].drivers is not None] == [5, 6]
    values = {line.partition("{")[0]: line.split()[-1] for line in found.splitlines()}
    assert values["yardlight_archive_gaps"] == "3.0"
    assert float(values["yardlight_archive_dates_not_known"]) > 100


def test_a_day_is_that_of_the_home_terminal_for_each_truck_and_driver(tmp_path: Path) -> None:
    with Shifts(tmp_path, MONDAY - 2 * HOUR, every=15) as days:
        days.homes = {"101": "denver", "102": "fontana"}
        # An hour before midnight by the Pacific is Tuesday in Denver.
        for unit in days.units[:2]:
            unit.starts, unit.drives = 23.2, 0.5
            unit.off = {date(2026, 1, 6), date(2026, 1, 7), date(2026, 1, 8)}
            days.eld.silent.add(f"d{unit.unit}")
            begin = MONDAY + 23.2 * HOUR
            for at_, status in ((begin, "driving"), (begin + HOUR / 2, "off_duty")):
                days.eld.written.append(Line(f"d{unit.unit}", unit.unit, at_, status))
        days.until(at("2026-01-09", "04:00"))
        days.state.close()
        days.state = type(days.state)(tmp_path / "state.db")
        reader = Reader(tmp_path / "state.db")
        told = days_moved(reader, "inland")
        reader.close()
    monday, tuesday = (told[date(2026, 1, number)] for number in (5, 6))
    assert ("101" in monday.trucks, "102" in monday.trucks) == (False, True)
    assert ("101" in tuesday.trucks, "102" in tuesday.trucks) == (True, False)
    assert monday.drivers is not None
    assert tuesday.drivers is not None
    assert ("d101" in monday.drivers, "d102" in monday.drivers) == (False, True)
    assert ("d101" in tuesday.drivers, "d102" in tuesday.drivers) == (True, False)


@pytest.mark.needs("promtool")
def test_f21_forty_minutes_while_the_log_says_off_duty_are_a_case_for_compliance_until_the_log_is_corrected(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    stops, settled = MONDAY + 13 * HOUR, MONDAY + (13 + 48) * HOUR
    with Shifts(tmp_path, MONDAY, every=15) as days:
        # Truck 101 drives from five to one.
        days.eld.hides["d101"] = stops - 40 * MINUTE

        def look() -> None:
            # What was judged is on the disk.
            days.restart()
            main(["flows", "cases", "--csv", "--state", "state.db"])

        days.at(settled + 4 * HOUR, look)
        days.at(settled + 5 * HOUR, days.eld.hides.clear)
        days.until(settled + 9 * HOUR)
        rang = rung(days, "F21", ("HosGpsMismatch", settled + 3 * HOUR)).when()
    assert settled <= rang.first <= settled + 2.5 * HOUR
    assert settled + 5 * HOUR <= rang.last <= settled + 8 * HOUR
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["state"], row["kind"], row["driver"], row["truck"]) == ("open", "mismatch", "d101", "101")
    assert (row["day"], row["timezone"], row["fixed_by"]) == ("2026-01-05", "America/Los_Angeles", "")
    assert row["times"].endswith(" PST")
    assert float(row["moved_seconds"]) == pytest.approx(40 * MINUTE, abs=16 * MINUTE)
    # Who it was is nobody's to log.
    [said] = [each.kv for each in caplog.records if "do not match" in each.getMessage()]
    assert said["trucks"] == "101"
    assert "d101" not in caplog.text
    assert main(["flows", "cases", "--month", "2026-01", "--state", "state.db"]) == 0
    out = capsys.readouterr().out
    assert " fixed " in out
    assert out.rstrip().endswith(", d101: driving")
    assert main(["flows", "cases", "--month", "2025-12", "--state", "state.db"]) == 0
    assert capsys.readouterr().out.endswith("none\n")


@pytest.mark.needs("promtool")
def test_f22_what_logs_may_say_while_a_truck_moves_is_no_mismatch(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}
    with Shifts(tmp_path, MONDAY - HOUR, trucks=5, every=15) as days:
        personal, yard, team, exempt, late = days.units
        for each in days.units:
            each.off = {date(2026, 1, 6), date(2026, 1, 7)}

        def says(unit: FakeTruck, driver: str, status: str) -> None:
            begin = MONDAY + unit.starts * HOUR
            days.eld.silent.add(f"d{unit.unit}")
            days.eld.written += [
                Line(driver, unit.unit, begin - HOUR, "on_duty"),
                Line(driver, unit.unit, begin - MINUTE, status),
                Line(driver, unit.unit, begin + unit.drives * HOUR + MINUTE, "off_duty"),
            ]

        says(personal, "d101", "personal_conveyance")
        yard.speed = 8.0
        says(yard, "d102", "yard_move")
        says(team, "d103", "sleeper")
        says(team, "d203", "driving")
        says(exempt, "d104", "off_duty")
        days.exempt.add("d104")
        days.eld.late["d105"] = 26 * HOUR
        last = MONDAY + 72 * HOUR
        for kind in ("mismatch", "unassigned"):
            days.at(last, days.note(seen, kind, "hos_cases", kind=kind, state="open"))
        days.at(last, days.note(seen, "judged", "hos_judged_timestamp_seconds"))
        days.until(last)
        rung(days, "F22")
    assert seen["judged"] > MONDAY + late.starts * HOUR + late.drives * HOUR
    assert (seen["mismatch"], seen["unassigned"]) == (0, 0)


@pytest.mark.needs("promtool")
def test_f23_three_hours_with_nobody_logged_in_are_told_until_somebody_explains_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    settled = MONDAY + (13 + 48) * HOUR
    explain = ["flows", "explain", "", "--by", "dana", "--because", "the shop tested its brakes", "--state", "state.db"]

    def explained() -> None:
        # What was judged is on the disk.
        days.restart()
        main(["flows", "cases", "--json", "--state", "state.db"])
        [case] = json.loads(capsys.readouterr().out)
        assert (case["kind"], case["driver"], case["truck"]) == ("unassigned", None, "101")
        explain[2] = case["case"]
        assert main(explain) == 0

    with Shifts(tmp_path, MONDAY, trucks=5, every=15) as days:
        days.eld.silent.add("d101")
        days.eld.written += [
            Line("d101", "101", MONDAY + 8 * HOUR, "driving"), Line("d101", "101", MONDAY + 13 * HOUR, "off_duty")
        ]  # fmt: skip
        days.units[0].off = {date(2026, 1, 6), date(2026, 1, 7)}
        days.at(settled + 4 * HOUR, explained)
        days.until(settled + 6 * HOUR)
        rang = rung(days, "F23", ("UnassignedDriving", settled + 3 * HOUR))
    assert settled <= rang.when().first <= settled + 2.5 * HOUR
    assert rang.when().last <= settled + 5 * HOUR
    assert "a truck moved for 3h" in rang.words[0]["summary"] or "a truck moved for 2h" in rang.words[0]["summary"]
    capsys.readouterr()
    assert main(["flows", "cases", "--month", "2026-01", "--state", "state.db"]) == 0
    out = capsys.readouterr().out
    assert "dana, 2" in out
    assert ": the shop tested its brakes" in out
    assert main([*explain[:2], "0000", *explain[3:]]) == 1
    assert f"there is no case '0000'; cases: {explain[2]}" in capsys.readouterr().err
