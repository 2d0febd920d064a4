"""Whose day begins when: home terminals of drivers and trucks, through nights on which clocks are changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.living import DAY, HOUR, MINUTE
from yardlight.errors import InventoryError
from yardlight.feeds.duty import Line
from yardlight.feeds.homes import Homes, by_day, span
from yardlight.feeds.hos import Judged, Limits, Movement, judged
from yardlight.intervals import seconds, union
from yardlight.inventory.load import load

# With midnights that do not exist or come twice, days that were skipped, half hours, and no change at all.
ZONES = st.sampled_from(
    ["America/Los_Angeles", "America/Denver", "America/Phoenix", "America/St_Johns", "America/Havana",
     "America/Asuncion", "Asia/Beirut", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
).map(ZoneInfo)  # fmt: skip
# From 2011, when Apia went over the date line.
INSTANTS = st.integers(1_293_840_000, 1_924_991_999).map(float)
HOMES = Homes(
    zone="America/Los_Angeles",
    drivers={"ann": "America/Denver", "eve": "America/Phoenix"},
    trucks={"t1": "America/Denver"},
)


@given(ZONES, INSTANTS, st.floats(0.5, 9 * DAY))
def test_every_second_of_a_stretch_is_in_one_day_and_it_is_the_local_one(
    zone: ZoneInfo, start: float, length: float
) -> None:
    parts = list(by_day((start, start + length), zone))
    assert parts[0][1][0] == start
    assert parts[-1][1][1] == start + length
    for (day, part), (following, after) in pairwise(parts):
        assert part[1] == after[0]
        assert day < following
    for day, (begins, ends) in parts:
        for at in (begins, (begins + ends) / 2, max(begins, ends - 0.25)):
            assert datetime.fromtimestamp(at, zone).date() == day


@given(ZONES, INSTANTS)
def test_days_follow_each_other_without_a_gap(zone: ZoneInfo, at: float) -> None:
    day = datetime.fromtimestamp(at, zone).date()
    start, end = span(day, zone)
    assert start <= at < end
    assert span(day + timedelta(days=1), zone)[0] == end
    assert 23 * HOUR <= end - start <= 25 * HOUR


@given(
    st.sampled_from(["ann", "bob", "eve"]),
    st.sampled_from([date(2026, 3, 8), date(2026, 11, 1), date(2026, 7, 1)]),
    st.lists(st.tuples(st.integers(-86_400, 172_800), st.integers(60, 18_000)), min_size=1, max_size=5),
)
def test_driver_days_are_those_of_the_home_terminal_through_changes_of_the_clock(
    driver: str, day: date, moved: list[tuple[int, int]]
) -> None:
    zone = HOMES.driver(driver)
    midnight = span(day, zone)[0]
    movements = [Movement("t2", midnight + at, midnight + at + length, 25.0) for at, length in moved]
    log = [Line(driver, "driving", (midnight - 2 * DAY, midnight - 1.5 * DAY), "t2"),
           Line(driver, "off_duty", (midnight - 1.5 * DAY, midnight + 9 * DAY), "t2")]  # fmt: skip
    limits = Limits(least=0.0)
    found = judged(log, movements, elsewhere=(), homes=HOMES, limits=limits, now=midnight + 9 * DAY)
    for each in found.mismatches:
        begins, ends = span(each.day, zone)
        assert all(begins <= start < end <= ends for start, end in each.times)
    # By days or not, it is the same time.
    together = union((each.start, each.end) for each in movements)
    assert sum(each.seconds for each in found.mismatches) == pytest.approx(seconds(together))


def late_evening(driver: str) -> Judged:
    """A truck moves from 23:10 to 23:50 in Los Angeles, an hour later in Denver, while the log says off duty."""
    start = datetime(2026, 3, 2, 23, 10, tzinfo=ZoneInfo("America/Los_Angeles")).timestamp()
    log = [Line(driver, "driving", (start - 5 * HOUR, start - HOUR), "t1"),
           Line(driver, "off_duty", (start - HOUR, start + 9 * HOUR), "t1")] if driver else []  # fmt: skip
    moved = [Movement("t1", start, start + 40 * MINUTE, 25.0)]
    return judged(log, moved, elsewhere=(), homes=HOMES, limits=Limits(), now=start + 5 * DAY)


def test_the_same_evening_is_another_day_for_a_driver_who_is_at_home_further_east() -> None:
    assert [each.day for each in late_evening("bob").mismatches] == [date(2026, 3, 2)]
    assert [each.day for each in late_evening("ann").mismatches] == [date(2026, 3, 3)]
    # Nobody drove: a day of the truck's own home.
    assert [each.day for each in late_evening("").unassigned] == [date(2026, 3, 3)]


def test_what_nobody_drove_over_midnight_is_of_two_days() -> None:
    midnight = span(date(2026, 3, 3), HOMES.truck("t1"))[0]
    moved = [Movement("t1", midnight - 20 * MINUTE, midnight + 30 * MINUTE, 25.0)]
    found = judged([], moved, elsewhere=(), homes=HOMES, limits=Limits(), now=midnight + 5 * DAY).unassigned
    assert [(each.day, seconds(each.times)) for each in found] == [
        (date(2026, 3, 2), 20 * MINUTE), (date(2026, 3, 3), 30 * MINUTE),
    ]  # fmt: skip


def fleet(folder: Path, drivers: str) -> Homes:
    (folder / "trucks.csv").write_text("truck,terminal\n101,fontana\n102,denver\n103,\n", encoding="utf-8")
    (folder / "drivers.csv").write_text(drivers, encoding="utf-8")
    yards = "".join(
        f'  {name}: {{{zone}targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}\n'
        for name, zone in (("fontana", ""), ("denver", "timezone: America/Denver, "))
    )
    (folder / "fleet.yml").write_text(
        "fleet: inland\ntimezone: America/Los_Angeles\nroster: {trucks: trucks.csv, drivers: drivers.csv}\n"
        f"terminals:\n{yards}",
        encoding="utf-8",
    )
    return Homes.of(load(folder / "fleet.yml").fleet)


def test_who_is_at_home_where_stands_on_the_roster_and_else_the_fleets_clock_holds(tmp_path: Path) -> None:
    homes = fleet(tmp_path, "code,home terminal\nann,denver\nbob,fontana\ncleo,\n")
    assert [homes.driver(each).key for each in ("ann", "bob", "cleo", "somebody")] == [
        "America/Denver", *["America/Los_Angeles"] * 3,
    ]  # fmt: skip
    assert [homes.truck(each).key for each in ("101", "102", "103")] == [
        "America/Los_Angeles", "America/Denver", "America/Los_Angeles",
    ]  # fmt: skip
    assert len(homes.zones) == 2


def test_a_home_that_is_no_terminal_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as refused:
        fleet(tmp_path, "code,terminal\nann,denvre\n")
    [problem] = refused.value.problems
    assert str(problem).endswith("drivers.csv:2:2 terminal: there is no terminal 'denvre'; did you mean 'denver'?")
