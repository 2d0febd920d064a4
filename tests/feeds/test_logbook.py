"""What is kept of drivers' logs, from vendors who tell lines again and from those who tell of changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.living import DAY, HOUR
from yardlight.feeds import logbook
from yardlight.feeds.domain import planned
from yardlight.feeds.duty import Entry, lines
from yardlight.feeds.logbook import Log
from yardlight.feeds.plan import Plan
from yardlight.feeds.record import Record
from yardlight.inventory.load import load

NOW = 100 * DAY
FLEET = """\
fleet: inland
roster: {trucks: trucks.csv, drivers: drivers.csv}
accounts: {vendor: {platform: generic, url: "https://eld.example.com"}}
feeds:
  logs: {account: vendor, path: /logs, id: id, time: at, truck: unit, driver: driver, duty: status, on_change: true%s}
terminals:
  fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}
"""


def plan(folder: Path, by_id: bool = False) -> Plan:
    (folder / "trucks.csv").write_text("truck,eld\nT1,1FU\nT2,\n", encoding="utf-8")
    (folder / "drivers.csv").write_text("code,eld\nann,77\nbob,\n", encoding="utf-8")
    (folder / "fleet.yml").write_text(FLEET % (", incremental: true" if by_id else ""), encoding="utf-8")
    [each] = planned(load(folder / "fleet.yml").fleet, folder)
    assert isinstance(each.collection.source.section, Plan)
    return each.collection.source.section


def line(driver: str, hour: float, word: str, id_: str = "", truck: str = "1fu", end: float | None = None) -> Record:
    until = None if end is None else NOW + end * HOUR
    return Record(id_ or driver, NOW + hour * HOUR, truck=truck, driver=driver, duty=word, until=until)


def told(log: Log) -> list[tuple[str, str | None, float]]:
    return [(each.driver, each.status, (each.start - NOW) / HOUR) for each in logbook.entries(log)]


def test_drivers_and_trucks_have_the_names_of_the_roster(tmp_path: Path) -> None:
    log = logbook.noted([line("77", -5, "D"), line("99", -4, "OFF", truck="Spare", end=-1)], {}, plan(tmp_path), NOW)
    assert list(logbook.entries(log)) == [
        Entry("99", "off_duty", NOW - 4 * HOUR, NOW - HOUR, "spare"),
        Entry("ann", "driving", NOW - 5 * HOUR, None, "T1"),
    ]


def test_a_line_that_is_not_told_again_was_edited_away(tmp_path: Path) -> None:
    how = plan(tmp_path)
    log = logbook.noted([line("ann", -9, "on"), line("ann", -8, "off"), line("bob", -7, "off")], {}, how, NOW)
    log = logbook.noted([line("ann", -9, "on"), line("ann", -6, "driving")], log, how, NOW)
    assert told(log) == [("ann", "on_duty", -9), ("ann", "driving", -6), ("bob", "off_duty", -7)]


def test_what_is_older_than_an_answer_stays(tmp_path: Path) -> None:
    how = plan(tmp_path)
    log = logbook.noted([line("ann", -90, "off")], {}, how, NOW)
    assert told(logbook.noted([line("ann", -9, "driving")], log, how, NOW)) == [
        ("ann", "off_duty", -90), ("ann", "driving", -9)
    ]  # fmt: skip


def test_what_nobody_drove_stays_though_a_driver_rests_since_before_it(tmp_path: Path) -> None:
    how = plan(tmp_path)
    log = logbook.noted([line("ann", -30, "off"), line("", -20, "D", end=-19)], {}, how, NOW)
    assert told(logbook.noted([line("ann", -30, "off"), line("bob", -5, "D")], log, how, NOW)) == [
        ("", "driving", -20), ("ann", "off_duty", -30), ("bob", "driving", -5)
    ]  # fmt: skip


def test_of_lines_with_an_id_the_last_word_holds_and_who_it_is_of_may_change(tmp_path: Path) -> None:
    how = plan(tmp_path, by_id=True)
    log = logbook.noted([line("", -9, "D", "a", end=-8), line("ann", -8, "OFF", "b")], {}, how, NOW)
    log = logbook.noted([line("bob", -9, "D", "a")], log, how, NOW)
    assert told(log) == [("ann", "off_duty", -8), ("bob", "driving", -9)]
    # Geotab tells an edited line again as one that does not count.
    assert told(logbook.noted([line("ann", -8, "Inactive", "b")], log, how, NOW)) == [("bob", "driving", -9)]


def test_the_line_that_holds_when_the_memory_begins_is_kept(tmp_path: Path) -> None:
    how = plan(tmp_path)
    long_ago, before = -15 * 24.0, -12 * 24.0
    log = logbook.noted([line("ann", long_ago, "off"), line("ann", before, "sb"), line("ann", -1, "on")], {}, how, NOW)
    assert [hour for _, _, hour in told(log)] == [before, -1]


def test_what_changes_no_status_is_no_line(tmp_path: Path) -> None:
    log = logbook.noted([line("ann", -3, "Login"), line("ann", -2, "INTERMEDIATE")], {}, plan(tmp_path), NOW)
    assert told(log) == []


@pytest.mark.parametrize(
    "word",
    ["INT_D", "PowerCompliance", "EnginePowerup", "Exemption16H", "Certify", "Connected", "OperatingZoneAmerica"],
)
def test_what_an_eld_notes_of_itself_makes_no_driver_active(word: str, tmp_path: Path) -> None:
    log = logbook.noted([line("ann", -3, "OFF"), line("ann", -2, word)], {}, plan(tmp_path), NOW)
    assert told(log) == [("ann", "off_duty", -3)]


@pytest.mark.parametrize(("before", "after"), [("PC", "off_duty"), ("YM", "on_duty")])
def test_the_end_of_personal_use_and_of_a_yard_move_is_off_duty_and_on_duty(
    before: str, after: str, tmp_path: Path
) -> None:
    log = logbook.noted([line("ann", -3, before), line("ann", -2, "SituationalDrivingClear")], {}, plan(tmp_path), NOW)
    assert told(log)[1] == ("ann", after, -2)


def test_a_line_that_names_no_truck_is_on_that_of_another_list_at_the_same_time() -> None:
    entries = [Entry("ann", "driving", NOW, NOW + HOUR, "T1"), Entry("ann", "personal", NOW)]
    assert [(each.status, each.truck, each.time) for each in lines(entries, NOW + 2 * HOUR, DAY)] == [
        ("personal", "T1", (NOW, NOW + HOUR)), ("personal", "T1", (NOW + HOUR, NOW + 2 * HOUR))
    ]  # fmt: skip


def test_logs_are_the_same_after_a_restart(tmp_path: Path) -> None:
    log = logbook.noted([line("ann", -3, "D")], {}, plan(tmp_path), NOW)
    assert logbook.recalled({driver: [list(row) for row in rows] for driver, rows in log.items()}) == log
