"""Exports of portals: whole ones are read whatever they look like, those half written are left for later."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from yardlight.cellular.cycle import Cycle
from yardlight.cellular.plan import Terms
from yardlight.cellular.platforms import portal_export
from yardlight.cellular.platforms.portal_export import Config
from yardlight.cellular.show import show
from yardlight.cellular.usage import Left, Plan, Record, Refused, Sim, Usage, Used, usages
from yardlight.collection import Session, Source
from yardlight.demo.carrier import with_check
from yardlight.errors import BadReplyError, IncompleteError, PollError, UnreachableError
from yardlight.inventory.cellular import CellularSource

NOW = 1795186800.0
FIRST, SECOND = with_check("890010000000000" + "7001"), with_check("890010000000000" + "7002")
TOTALS = {"iccid": "ICCID", "used": "Data Usage (MB)"}


def lay(folder: Path, name: str, content: str | bytes, age: float = 3600.0) -> None:
    path = folder / "exports" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (NOW - age, NOW - age))


def collect(folder: Path, columns: dict[str, str] | None = None, memory: Any = None, **options: Any) -> list[Record]:
    (folder / "sims.csv").write_text(f"sim,iccid\ncab-7,{FIRST}\ncab-8,{SECOND}\n", encoding="utf-8")
    config = Config(sims="sims.csv", folder="exports", columns=columns or TOTALS, **options)
    under_way = Session(time.monotonic() + 5, folder, memory, clock=lambda: NOW)
    records = list(portal_export.parse(portal_export.fetch(config, under_way), config))
    if isinstance(memory, dict):
        memory.update(under_way.memory)
    return records


def amounts(records: list[Record]) -> dict[str, int]:
    return {usage.sim: usage.amount.bytes for usage in usages(records)}


@pytest.mark.parametrize(
    ("written", "roams"), [("Yes", True), ("roaming", True), ("no", False), ("0", False), ("?", None)]
)
def test_a_column_may_tell_who_roams(tmp_path: Path, written: str, roams: bool | None) -> None:
    lay(tmp_path, "export.csv", f"ICCID,Data Usage (MB),Roaming\n{FIRST},12,{written}\n")
    sims = [each for each in collect(tmp_path, {**TOTALS, "roaming": "Roaming"}) if isinstance(each, Sim)]
    assert [each.roaming for each in sims] == [roams]


def test_totals_are_as_of_when_the_file_was_written(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB)\n{FIRST},1.5\n{SECOND[:-1]},\n")
    records = collect(tmp_path)
    assert records[2:] == [Usage(Used(1_500_000), NOW - 3600, "cab-7"), Refused("cab-8")]


@pytest.mark.parametrize(
    "content",
    [
        f"ICCID;Data Usage (MB)\r\n{FIRST};12.5\r\n".encode("utf-16"),
        f"\ufeffICCID\tData Usage (MB)\n'{FIRST}\t\"12.5 MB\"\n".encode(),
        f'Usage, November\n\n"ICCID","Firm","Data Usage (MB)"\n"=""{FIRST}""","Spédition","12.5"\n'.encode("cp1252"),
        f"ICCID|Data Usage (MB)|x\n{FIRST}|0.0125 GB|\n\n".encode(),
    ],
    ids=["UTF-16, semicolons", "BOM, tabs, an apostrophe", "titles above, Windows text, a formula", "bars, own units"],
)  # fmt: skip
def test_a_portals_taste_in_files_makes_no_difference(tmp_path: Path, content: bytes) -> None:
    lay(tmp_path, "a.csv", content)
    assert amounts(collect(tmp_path)) == {"cab-7": 12_500_000}


def test_all_that_a_portal_may_tell_is_read(tmp_path: Path) -> None:
    columns = {
        "iccid": "SIM", "used": "Used", "unit": "Unit", "cap": "Limit", "plan": "Plan", "state": "Status",
        "as_of": "Updated", "cycle_start": "From", "cycle_end": "To", "activated": "Since",
    }  # fmt: skip
    lay(
        tmp_path,
        "a.csv",
        "SIM,Used,Unit,Limit,Plan,Status,Updated,From,To,Since\n"
        f'{FIRST},"1,5",GB,2,Pro,Activated,20.11.2026 05:00,01.11.2026 00:00,01.12.2026 00:00,20.10.2026 05:00\n',
    )
    sim, usage = collect(
        tmp_path, columns, dates="%d.%m.%Y %H:%M", decimal=",", timezone="America/Los_Angeles", network="att"
    )
    assert isinstance(sim, Sim)
    assert (sim.state, sim.plan, sim.carrier) == ("active", Plan("Pro", 2 * 10**9), "att")
    assert sim.activated == 1792497600.0
    # Midnight in Los Angeles: in November eight hours after that of UTC, on the first still seven.
    cycle = Cycle(1793516400.0, 1796112000.0)
    assert usage == Usage(Used(1_500_000_000), 1795179600.0, "cab-7", cycle=cycle)


def test_a_line_of_totals_is_no_sim_and_a_number_that_was_cut_off_is_an_error(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB)\n{FIRST},12.5\nTotal (1 SIM),12.5\n-,1\n")
    assert amounts(collect(tmp_path)) == {"cab-7": 12_500_000}
    lay(tmp_path, "a.csv", "ICCID,Data Usage (MB)\n8.9E+18,12.5\n")
    with pytest.raises(BadReplyError, match=r"a\.csv:2: 7 characters that are not an ICCID"):
        collect(tmp_path)


def test_days_and_what_is_left_are_what_they_are(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Day,Bytes\n{FIRST},2026-11-19,77\n{FIRST},2026-11-20,5\n")
    days = usages(collect(tmp_path, {"iccid": "ICCID", "used": "Bytes", "day": "Day"}, unit="B"))
    assert [(usage.day, usage.amount, usage.as_of) for usage in days] == [
        (739939, Used(77), 1795132800.0),
        (739940, Used(5), NOW - 3600),
    ]
    lay(tmp_path, "a.csv", f"ICCID,Remaining\n{FIRST},-0.5\n")
    [left] = usages(collect(tmp_path, {"iccid": "ICCID", "left": "Remaining"}))
    assert left.amount == Left(-500_000)


def test_rows_of_one_sim_and_time_are_parts_of_it_and_a_row_that_stands_twice_is_one(tmp_path: Path) -> None:
    columns = {"iccid": "ICCID", "used": "MB", "day": "Day"}
    rows = [f"{FIRST},2026-11-19,{cell}" for cell in ("70,US", "5,CA", "70,US", "70,MX", ",PR")]
    other = f"{SECOND},2026-11-19,1,US"
    lay(tmp_path, "a.csv", "\n".join(["ICCID,Day,MB,Country", *rows, other, f"{FIRST},2026-11-18,3,US", ""]))
    days = usages(collect(tmp_path, columns))
    assert [(usage.sim, usage.day, usage.amount.bytes) for usage in days] == [
        ("cab-7", 739939, 145_000_000),
        ("cab-8", 739939, 1_000_000),
        ("cab-7", 739938, 3_000_000),
    ]
    lay(tmp_path, "a.csv", f"ICCID,Service,Data Usage (MB)\n{FIRST},APN 1,3\n{FIRST},APN 2,4\n")
    assert amounts(collect(tmp_path)) == {"cab-7": 7_000_000}


def test_a_part_that_cannot_be_read_makes_no_smaller_figure_of_the_others(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,APN,Data Usage (MB)\n{FIRST},1,3\n{FIRST},2,four\n{FIRST},3,5\n{SECOND},1,6\n")
    records = collect(tmp_path)
    assert amounts(records) == {"cab-8": 6_000_000}
    assert records[-1] == Refused("cab-7")


def test_a_file_that_is_still_written_is_left_for_later(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB)\n{FIRST},1\n", age=7200)
    lay(tmp_path, "b.csv", f"ICCID,Data Usage (MB)\n{FIRST},2\n", age=3)
    lay(tmp_path, "c.csv", f"ICCID,Data Usage (MB)\n{FIRST},12", age=60)
    assert amounts(collect(tmp_path)) == {"cab-7": 1_000_000}


def test_a_file_that_was_cut_off_and_forgotten_is_complained_of(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB)\n{FIRST},12", age=3600)
    with pytest.raises(BadReplyError, match=r"a\.csv: its last line has no end"):
        collect(tmp_path)


def test_each_older_file_is_read_once_and_the_newest_always(tmp_path: Path) -> None:
    memory: dict[str, Any] = {}
    columns = {"iccid": "ICCID", "used": "MB", "day": "Day"}
    lay(tmp_path, "old.csv", f"ICCID,Day,MB\n{FIRST},2026-11-18,1\n", age=90000)
    lay(tmp_path, "new.csv", f"ICCID,Day,MB\n{FIRST},2026-11-19,2\n", age=3600)
    assert [usage.amount.bytes for usage in usages(collect(tmp_path, columns, memory))] == [1_000_000, 2_000_000]
    assert [usage.amount.bytes for usage in usages(collect(tmp_path, columns, memory))] == [2_000_000]
    lay(tmp_path, "old.csv", f"ICCID,Day,MB\n{FIRST},2026-11-18,3\n", age=80000)
    assert [usage.amount.bytes for usage in usages(collect(tmp_path, columns, memory))] == [3_000_000, 2_000_000]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("ICCID,Usage\nx,1\n", BadReplyError, r"a\.csv: has no line with the headings Data Usage \(MB\)"),
        ("<html>\n", BadReplyError, r"a\.csv: has no line with the headings ICCID, Data Usage"),
        ("ICCID,Data Usage (MB)\n8.91E+18,1\n", BadReplyError, r"a\.csv:2: 8 characters that are not an ICCID"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    tmp_path: Path, content: str, error: type[PollError], message: str
) -> None:
    lay(tmp_path, "a.csv", content)
    with pytest.raises(error, match=message):
        collect(tmp_path)


DAYS = {"iccid": "ICCID", "used": "MB", "day": "Day"}


@pytest.mark.parametrize(
    ("day", "options", "message"),
    [
        (
            "18.11.2026",
            {},
            r"a\.csv:2: Day: '18\.11\.2026' is not a date like '2026-11-30'; its form is told by `dates`",
        ),
        ("12/11/2026", {}, r"a\.csv:2: Day: '12/11/2026' is not a date like '2026-11-30'"),
        ("2026-11-18", {"dates": "%d.%m.%Y"}, r"a\.csv:2: Day: '2026-11-18' is not a date like '30\.11\.2026'"),
    ],
)
def test_days_that_cannot_be_read_are_told_with_what_is_accepted_and_are_never_a_total(
    tmp_path: Path, day: str, options: dict[str, Any], message: str
) -> None:
    lay(tmp_path, "a.csv", f"ICCID;Day;MB\n{FIRST};{day};100\n{SECOND};{day};100\n")
    with pytest.raises(BadReplyError, match=message):
        collect(tmp_path, DAYS, **options)


def test_one_odd_date_or_amount_costs_one_sim_and_an_empty_day_is_no_total(tmp_path: Path) -> None:
    for day, used in (("yesterday", "5"), ("", "5"), ("2026-11-19", "five")):
        lay(tmp_path, "a.csv", f"ICCID;Day;MB\n{FIRST};2026-11-19;100\n{SECOND};{day};{used}\n")
        records = collect(tmp_path, DAYS)
        assert amounts(records) == {"cab-7": 100_000_000}
        assert records[-1] == Refused("cab-8")


def test_which_row_cannot_be_read_is_in_the_log_with_file_line_and_heading(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lay(tmp_path, "a.csv", f"ICCID;Day;MB\n{FIRST};2026-11-19;100\n{SECOND};2026-11-19;five\n{SECOND};yesterday;5\n")
    records = collect(tmp_path, DAYS)
    section = CellularSource.model_validate({"account": "portal"})
    terms = Terms(source=section, zone="UTC", network="v", places={}, counted=(), counts=False)
    show(Source("f", "portal", "cellular/portal", terms, tmp_path), records, None, NOW)
    [said] = [record.kv for record in caplog.records if record.levelname == "WARNING"]  # type: ignore[attr-defined]
    assert said["first"].startswith("a.csv:3: MB: 'five' is not an amount in MB")
    assert (said["account"], said["all"]) == ("portal", 2)


def test_until_when_a_figure_counts_is_never_guessed_where_it_cannot_be_read(tmp_path: Path) -> None:
    columns = {**TOTALS, "as_of": "Updated"}
    lay(tmp_path, "a.csv", f"ICCID;Data Usage (MB);Updated\n{FIRST};5;01.09.2026 05:00\n")
    with pytest.raises(BadReplyError, match=r"a\.csv:2: Updated: '01\.09\.2026 05:00' is not a date"):
        collect(tmp_path, columns)
    for never in ("-", "N/A", "9999-12-31"):
        lay(tmp_path, "a.csv", f"ICCID;Data Usage (MB);Updated\n{FIRST};5;{never}\n")
        assert [usage.as_of for usage in usages(collect(tmp_path, columns))] == [NOW - 3600]


@pytest.mark.parametrize("form", ["dd.mm.yyyy", "", "%d.%Q"])
def test_a_form_of_dates_that_python_does_not_know_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match="is not a form of times; write one as Python's strptime takes it"):
        Config.model_validate({"folder": "x", "columns": TOTALS, "dates": form})


@pytest.mark.parametrize(
    ("cell", "decimal", "expected"),
    [
        ("1,234.5", ".", 1_234_500_000), ("1 234.5", ".", 1_234_500_000), ("1\u202f234.5", ".", 1_234_500_000),
        ("1.234,5", ",", 1_234_500_000), ("1'234", ".", 1_234_000_000), ("2 GiB", ".", 2 * 2**30),
        ("512 bytes", ".", 512), ("12,5", ".", None), ("1.234,56", ".", None), ("12.5", ",", None),
        ("1,234.56", ",", None), ("12 pieces", ".", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_written_or_complained_of_and_never_a_hundred_times_as_much(
    tmp_path: Path, cell: str, decimal: str, expected: int | None
) -> None:
    lay(tmp_path, "a.csv", f"ICCID;Data Usage (MB)\n{FIRST};{cell}\n")
    if expected is not None:
        assert amounts(collect(tmp_path, decimal=decimal)) == {"cab-7": expected}
        return
    with pytest.raises(
        BadReplyError, match=r"a\.csv:2: Data Usage \(MB\): '.*' is not an amount in MB with '[.,]' bef"
    ):
        collect(tmp_path, decimal=decimal)


def test_a_comma_that_cuts_a_number_in_two_is_told_with_its_line(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB),Plan\n{FIRST},1,234.5,Pro\n")
    with pytest.raises(BadReplyError, match=r"a\.csv:2: has 4 cells under 3 headings"):
        collect(tmp_path)
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB),Plan\n{FIRST},12,Pro,,\n")
    assert amounts(collect(tmp_path)) == {"cab-7": 12_000_000}


def test_lines_may_end_as_on_a_macintosh_of_long_ago(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f"ICCID,Data Usage (MB)\r{FIRST},12\r")
    assert amounts(collect(tmp_path)) == {"cab-7": 12_000_000}


def test_no_folder_and_no_file_are_no_account_without_sims(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="exports: there is no such folder"):
        collect(tmp_path)
    lay(tmp_path, "a.txt", "x\n")
    with pytest.raises(IncompleteError, match=r"exports: no whole file \*\.csv yet"):
        collect(tmp_path)


def test_what_an_export_tells_of_a_sim_besides_is_there_for_who_asks_about_it(tmp_path: Path) -> None:
    lay(tmp_path, "a.csv", f'ICCID,Label,IMEI,Line\n"=""{FIRST}""",Truck 7,\'350000000000006,+15550100\n')
    columns = {"iccid": "ICCID", "name": "Label", "imei": "IMEI", "phone": "Line"}
    [told] = [record for record in collect(tmp_path, columns) if isinstance(record, Sim)]
    assert (told.sim, told.called, told.iccid) == ("cab-7", "Truck 7", FIRST)
    assert (told.imei, told.phone) == ("350000000000006", "+15550100")


def test_an_export_with_another_imei_tells_of_another_device_and_one_that_a_spreadsheet_rounded_of_none(
    tmp_path: Path,
) -> None:
    columns, memory = {"iccid": "ICCID", "imei": "IMEI"}, dict[str, Any]()
    devices = []
    for imei in ("350000000000006", "'350000000000006", "350000000000014", "3.5E+14"):
        lay(tmp_path, "a.csv", f"ICCID,IMEI\n{FIRST},{imei}\n")
        [told] = [record for record in collect(tmp_path, columns, memory) if isinstance(record, Sim)]
        devices.append(told.device)
    assert devices[0] == devices[1] != devices[2]
    assert None not in devices[:3]
    assert devices[3] is None
