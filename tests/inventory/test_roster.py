"""The user's lists of trucks and drivers: read with the inventory, refused whole with every mistake at its cell."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yardlight.errors import InventoryError
from yardlight.inventory.load import load
from yardlight.inventory.roster import Driver, Roster, SimCard, Tablet, Truck

INVENTORY = """
fleet: inland-haul
roster: {trucks: trucks.csv, drivers: drivers.csv}
terminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: }}}
"""
TRUCKS = """
truck,tablet,sims,eld,terminal,group,status,until
112,R52M30ABCDE,8901260852290847433,E-77,fontana,drivers,active,
113,T113=R52M30ABCDF,T113=89012608522908474341 8901260852290847445,,,,repair,2026-02-03
"""
DRIVERS = """
code,hired,left,logs
D-1,2024-05-01,,eld
D-2,2024-05-01,2025-01-31,paper
"""


def roster(folder: Path, trucks: str = TRUCKS, drivers: str = DRIVERS) -> Roster:
    for name, text in (("fleet.yml", INVENTORY), ("trucks.csv", trucks), ("drivers.csv", drivers)):
        (folder / name).write_text(textwrap.dedent(text).lstrip("\n"))
    return load(folder / "fleet.yml").fleet.roster


def test_a_day_that_stands_for_never_is_none(tmp_path: Path) -> None:
    """Sixty days after it there is no day any more."""
    roster(tmp_path)
    (tmp_path / "revoked.csv").write_text("model,revoked\nLogIt-2,9999-12-31\nLogIt-3,2026-02-03\n")
    listed = INVENTORY.replace("drivers.csv}", "drivers.csv, revoked_elds: revoked.csv}")
    (tmp_path / "fleet.yml").write_text(listed.lstrip("\n"))
    with pytest.raises(InventoryError) as error:
        load(tmp_path / "fleet.yml")
    assert "revoked.csv:2:2 revoked: '9999-12-31' is not a date; write 2026-02-03" in str(error.value)


def test_a_row_is_a_truck_with_its_tablet_and_sims_named_after_it_unless_they_have_names(tmp_path: Path) -> None:
    found = roster(tmp_path)
    assert found.trucks == (
        Truck(
            "112", Tablet("112", "R52M30ABCDE"), (SimCard("112", "8901260852290847433"),),
            "E-77", "fontana", "drivers", "active", None,
        ),
        Truck(
            "113", Tablet("T113", "R52M30ABCDF"),
            (SimCard("T113", "89012608522908474341"), SimCard("113-2", "8901260852290847445")),
            status="repair", until=date(2026, 2, 3),
        ),
    )  # fmt: skip
    assert found.drivers == (
        Driver("D-1", date(2024, 5, 1)),
        Driver("D-2", date(2024, 5, 1), date(2025, 1, 31), "paper"),
    )


@pytest.mark.parametrize(
    ("status", "until", "day", "works"),
    [
        ("active", None, date(2026, 1, 5), True),
        ("active", date(2026, 1, 5), date(2026, 1, 5), True),
        ("active", date(2026, 1, 5), date(2026, 1, 6), False),
        ("parked", None, date(2026, 1, 5), False),
        ("repair", date(2026, 1, 5), date(2026, 1, 5), False),
        ("repair", date(2026, 1, 5), date(2026, 1, 6), True),
    ],
)
def test_a_status_holds_until_its_last_day(status: str, until: date | None, day: date, works: bool) -> None:
    assert Truck("112", status=status, until=until).works(day) is works  # type: ignore[arg-type]


def problems(folder: Path, **tables: str) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        roster(folder, **tables)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_every_mistake_of_a_roster_is_told_at_once_with_file_line_and_column(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        trucks="""
        truck,tablet,sims,terminal,status,until
        112,R1,8901260852290847433,fontana,active,
        112,R1,8901260852290847433,fontanna,lost,tomorrow
        a b,=R2,12345,,,
        """,
        drivers="""
        code,hired,left,logs,eld
        D-1,2024-05-01,2024-04-01,tacho,b1A
        D-1,,,,B1A
        """,
    ) == [
        "trucks.csv:3:1 truck: truck '112' is already in line 2",
        "trucks.csv:3:2 tablet: tablet name '112' is already in line 2",
        "trucks.csv:3:2 tablet: tablet 'r1' is already in line 2",
        "trucks.csv:3:3 sims: SIM name '112' is already in line 2",
        "trucks.csv:3:3 sims: a SIM that is already in line 2",
        "trucks.csv:3:4 terminal: there is no terminal 'fontanna'; did you mean 'fontana'?",
        "trucks.csv:3:5 status: 'lost' is not one of active, parked, repair, leave, retired",
        "trucks.csv:3:6 until: 'tomorrow' is not a date; write 2026-02-03",
        "trucks.csv:4:1 truck: 'a b' is not a name; use letters, digits, '-', '_' and '.', at most 63",
        "trucks.csv:4:2 tablet: '' is not a name; use letters, digits, '-', '_' and '.', at most 63",
        "trucks.csv:4:3 sims: 5 characters that are not an ICCID: 18 to 20 digits from 89 on",
        "drivers.csv:2:3 left: 2024-04-01 is before hired, 2024-05-01",
        "drivers.csv:2:4 logs: 'tacho' is not one of eld, paper, exempt",
        "drivers.csv:3:1 code: driver 'D-1' is already in line 2",
        "drivers.csv:3:5 eld: a driver's id that is already in line 2",
    ]


def test_what_stands_for_no_serial_number_is_no_tablet_and_half_of_one_is_a_mistake(tmp_path: Path) -> None:
    trucks = "truck,tablet\n112,n/a\n113,N/A\n114,-\n115,T115=unknown\n"
    assert {truck.tablet for truck in roster(tmp_path, trucks=trucks).trucks} == {None}
    assert problems(tmp_path, trucks="truck,tablet\n112,T112=\n113,1.23E+14\n") == [
        "trucks.csv:2:2 tablet: there is no serial number behind 'T112='",
        "trucks.csv:3:2 tablet: '1.23E+14' is no serial number; a spreadsheet rounded it: make the column text",
    ]


def test_an_empty_roster_is_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, trucks="truck,tablet\n") == [
        "trucks.csv:1:1 there is no row below the headings; an empty roster is not used"
    ]


def test_a_roster_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "fleet.yml").write_text(
        INVENTORY.replace("trucks.csv", "gone.csv").replace(", drivers: drivers.csv", "")
    )
    with pytest.raises(InventoryError, match=r"gone\.csv cannot be read: no such file or directory"):
        load(tmp_path / "fleet.yml")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_no_text_in_a_roster_does_anything_but_give_trucks_or_problems(tmp_path: Path, text: str) -> None:
    told: list[object] = []
    try:
        told += roster(tmp_path, trucks=f"truck,tablet,sims,until\n{text}\n").trucks
    except InventoryError as error:
        told += error.problems
    assert told
