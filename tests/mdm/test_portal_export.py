"""Exports of MDMs' consoles: the newest whole file is the list, as of when it was written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mdm.polled import Polled, failed, of_devices
from tests.mdm.talk import NOW, devices, fixture, lay
from yardlight.collection import Session
from yardlight.errors import BadReplyError, IncompleteError, PollError, UnreachableError
from yardlight.mdm.device import Device, Record, Tenant
from yardlight.mdm.platforms import portal_export
from yardlight.mdm.platforms.portal_export import Config
from yardlight.moment import NEVER

HOUR = 3600.0
COLUMNS = {"serial": "Serial", "checkin": "Seen"}
HEADING = "Serial,Seen\n"
AS_OF = 'yardlight_devices_as_of_timestamp_seconds{account="mdm",fleet="f"}'


def collect(folder: Path, now: float = NOW, **options: Any) -> list[Record]:
    config = Config(**{"folder": "exports", "columns": COLUMNS, **options})
    under_way = Session(time.monotonic() + 5, folder, clock=lambda: now)
    return list(portal_export.parse(portal_export.fetch(config, under_way), config))


def of(folder: Path, **options: Any) -> dict[str, Device]:
    return {device.id: device for device in devices(collect(folder, **options))}


def test_the_newest_whole_file_is_the_list_as_of_when_it_was_written(tmp_path: Path) -> None:
    lay(tmp_path / "exports/a.csv", f"{HEADING}A,2026-01-04 08:15\nB,2026-01-04 08:15\n", 25 * HOUR)
    lay(tmp_path / "exports/b.csv", f"{HEADING}A,2026-01-05 08:15\n", HOUR)
    lay(tmp_path / "exports/c.csv", f"{HEADING}A,2026-01-05 11:5", 60.0)
    first, second = collect(tmp_path)
    assert first == Device("A", "A", checkin=1767600900.0)
    assert second == Tenant(as_of=NOW - HOUR)


def test_silence_is_counted_until_the_export_and_no_further(tmp_path: Path) -> None:
    polled = Polled("csv", tmp_path, fixture("csv"))
    lay(tmp_path / "exports/tablets.csv", "Device,Serial,Group,OS,Version,Last seen,Enrolled,Compliant\n"
        "t,S1,,,,2026-01-04 06:00:00,,\n", 20 * HOUR)  # fmt: skip
    found = polled.once()
    assert found[AS_OF] == NOW - 20 * HOUR
    assert found['yardlight_devices{account="mdm",fleet="f",group="other",state="fresh"}'] == 1.0


@pytest.mark.parametrize(
    ("cell", "checkin"),
    [
        ("", NEVER), ("Never", NEVER), ("N/A", NEVER), ("-", NEVER), ("0001-01-01 00:00:00", NEVER), ("0", NEVER),
        ("soon", None), ("12/31/9999 11:59:59 PM", None), ("1767600900000", 1767600900.0),
        ("10/27/2023 3:05:53 PM", 1698437153.0), ("2023-10-27T15:05:53-05:00", 1698437153.0),
    ],
)  # fmt: skip
def test_what_a_cell_says_of_the_last_word(tmp_path: Path, cell: str, checkin: Any) -> None:
    lay(tmp_path / "exports/a.csv", f"{HEADING}A,{cell}\n")
    assert of(tmp_path, timezone="America/Chicago")["A"].checkin == checkin


def test_a_cell_that_a_row_does_not_have_says_nothing(tmp_path: Path) -> None:
    lay(tmp_path / "exports/a.csv", f"{HEADING}A\nB,\n")
    assert {name: device.checkin for name, device in of(tmp_path).items()} == {"A": None, "B": NEVER}


def test_dates_are_read_in_the_form_that_the_inventory_gives(tmp_path: Path) -> None:
    lay(tmp_path / "exports/a.csv", f"{HEADING}A,05.01.2026 09:15\nB,2026-01-05\n")
    found = of(tmp_path, dates="%d.%m.%Y %H:%M", timezone="Europe/Berlin")
    assert {name: device.checkin for name, device in found.items()} == {"A": 1767600900.0, "B": None}


@pytest.mark.parametrize(
    ("content", "age", "error", "message"),
    [
        ("Serial,Last\nx,1\n", HOUR, BadReplyError, r"^a\.csv: has no line with the headings Seen$"),
        ("<html>\n", HOUR, BadReplyError, r"^a\.csv: has no line with the headings Serial, Seen$"),
        ("", HOUR, BadReplyError, r"^a\.csv: its last line has no end"),
        (f"{HEADING}A,2026-01-05", HOUR, BadReplyError, r"^a\.csv: its last line has no end"),
        (f"{HEADING}A,2026-01-05\n,2026-01-05\n", HOUR, BadReplyError, r"^a\.csv:3: a device without a serial number"),
        (
            f"{HEADING}A,2026-01-05\n",
            27 * HOUR,
            IncompleteError,
            r"^a\.csv: written 27 h ago, and no whole file since$",
        ),
        (f"{HEADING}A,2026-01-05\n", 1.0, IncompleteError, r"^exports: no whole file \*\.csv yet$"),
    ],
)
def test_what_is_no_list_of_devices_is_said_with_its_place(
    tmp_path: Path, content: str, age: float, error: type[PollError], message: str
) -> None:
    lay(tmp_path / "exports/a.csv", content, age)
    with pytest.raises(error, match=message):
        collect(tmp_path)


def test_no_folder_is_no_mdm_without_devices(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=r"^exports: there is no such folder$"):
        collect(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Device,Serial\n", "bad_reply"),
        ("<html>\n", "bad_reply"),
        ("Device,Serial,Group,OS,Version,Last seen,Enrolled,Compliant\n", "incomplete"),
        ("Device,Serial,Group,OS,Version,Last seen,Enrolled,Compliant\nx,A", "bad_reply"),
    ],
    ids=["other columns", "HTML", "no device", "cut off"],
)
def test_after_an_export_that_is_none_the_last_one_stays(tmp_path: Path, content: str, reason: str) -> None:
    polled = Polled("csv", tmp_path, fixture("csv"))
    before = polled.once()
    assert failed(before) == set()
    lay(tmp_path / "exports/tablets.csv", content)
    after = polled.once()
    assert failed(after) == {reason}
    assert of_devices(after) == of_devices(before)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=3), max_size=5))
def test_any_cells_are_devices_or_a_reason(tmp_path: Path, rows: list[list[str]]) -> None:
    text = HEADING + "".join(",".join(cells) + "\n" for cells in rows)
    lay(tmp_path / "exports/a.csv", text)
    try:
        found = collect(tmp_path)
    except PollError:
        return
    assert all(device.id in text for device in devices(found))


def test_numbers_of_an_export_are_there_for_who_asks_about_a_device(tmp_path: Path) -> None:
    lay(
        tmp_path / "exports/a.csv",
        f'{HEADING.strip()},SIM,IMEI,Line\nA,,"=""8910000000000001234""",\'35,+15550100\n',
        HOUR,
    )
    columns = {**COLUMNS, "iccid": "SIM", "imei": "IMEI", "phone": "Line"}
    found = of(tmp_path, columns=columns)["A"]
    assert (found.iccids, found.imei, found.phone) == (("8910000000000001234",), "35", "+15550100")


def test_devices_whose_serial_number_only_stands_for_none_are_told_apart_by_name(tmp_path: Path) -> None:
    lay(
        tmp_path / "exports/a.csv", "Serial,Name,Seen\nunknown,truck 1,2026-01-04 08:15\nN/A,truck 2,2026-01-04 08:15\n"
    )
    assert set(of(tmp_path, columns={**COLUMNS, "name": "Name"})) == {"truck 1", "truck 2"}


def test_days_before_months_are_not_read_as_months_before_days(tmp_path: Path) -> None:
    text = f"{HEADING}A,05/01/2026 09:15\nB,27/12/2025 09:15\n"
    lay(tmp_path / "exports/a.csv", text)
    with pytest.raises(
        BadReplyError, match=r"^a\.csv: days before months in column 'Seen'; write dates: '%d/%m/%Y %H:%M'$"
    ):
        collect(tmp_path)
    found = of(tmp_path, dates="%d/%m/%Y %H:%M", timezone="Europe/Berlin")
    assert found["A"].checkin == 1767600900.0


def test_a_form_of_dates_that_fits_none_of_them_is_told(tmp_path: Path) -> None:
    lay(tmp_path / "exports/a.csv", f"{HEADING}A,2026-01-05 08:15\nB,never\n")
    with pytest.raises(BadReplyError, match=r"^a\.csv: no time in column 'Seen' has the form of `dates`$"):
        collect(tmp_path, dates="%d.%m.%Y")
    lay(tmp_path / "exports/a.csv", f"{HEADING}B,never\n")
    assert of(tmp_path, dates="%d.%m.%Y")["B"].checkin == NEVER
