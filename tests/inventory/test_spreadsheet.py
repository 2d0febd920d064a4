"""`yardlight inventory import`: from a table as people keep it to an inventory that says the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yardlight.cli import main
from yardlight.errors import InventoryError
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet
from yardlight.inventory.spreadsheet import inventory_text

HEAD = "terminal,timezone,uplink,role,medium,bind,next_hop,isp,circuit,support,targets\n"
TWO = (
    HEAD
    + "fontana,America/Los_Angeles,fiber,primary,fiber,10.10.0.21,100.64.1.1,Frontier,12/KRFN/004,+1 800 555 0199,"
    + "198.51.100.1 tcp://example.com:443\n"
    + "fontana,,backup-lte,standby,lte,wwan0,,Verizon,007,,\n"
)
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def save(text: str) -> Path:
        Path("yards.csv").write_bytes(text.encode())
        return Path("yards.csv")

    return save


def imported(path: Path) -> Fleet:
    out = path.with_suffix(".yml")
    out.write_text(inventory_text(path, "acme"))
    return load(out).fleet


def problems(path: Path) -> list[str]:
    with pytest.raises(InventoryError) as error:
        inventory_text(path, "acme")
    return [str(problem) for problem in error.value.problems]


def test_every_column_arrives_where_the_inventory_has_it(write: Write) -> None:
    fleet = imported(write(TWO))
    fontana = fleet.terminals["fontana"]
    assert (fleet.fleet, fontana.timezone) == ("acme", "America/Los_Angeles")
    assert [target.label for target in fontana.targets] == ["198.51.100.1", "tcp://example.com:443"]
    fiber, lte = fontana.uplinks["fiber"], fontana.uplinks["backup-lte"]
    assert (fiber.role, fiber.medium, fiber.bind, fiber.next_hop) == ("primary", "fiber", "10.10.0.21", "100.64.1.1")
    assert (fiber.circuit.isp, fiber.circuit.id) == ("Frontier", "12/KRFN/004")
    assert fiber.circuit.support == "+1 800 555 0199"
    assert (lte.role, lte.medium, lte.bind, lte.circuit.id) == ("standby", "lte", "wwan0", "007")


@pytest.mark.parametrize(
    "head",
    [
        "Terminal,Time Zone,Uplink,Role,Medium,Bind,Next Hop,ISP,Circuit,Support,Targets\n",
        "SITE,tz,WAN name,Priority,Type,IP Address,Default-Gateway,Carrier,Circuit ID,Support Phone,Ping targets\n",
        "yard , time_zone, link,priority,technology,source address,gateway,provider,account number,phone,probe\n",
    ],
)
def test_headings_are_found_in_the_spellings_people_use(write: Write, head: str) -> None:
    plain = imported(write(TWO))
    assert imported(write(TWO.replace(HEAD, head))) == plain


@pytest.mark.parametrize(
    "how", ["bom", "semicolons", "tabs", "crlf", "empty lines", "trailing commas", "spaces", "case"]
)
def test_what_spreadsheets_do_to_a_table_changes_nothing(write: Write, how: str) -> None:
    plain = imported(write(TWO))
    changed = {
        "bom": "\ufeff" + TWO,
        "semicolons": TWO.replace(",", ";"),
        "tabs": TWO.replace(",", "\t"),
        "crlf": TWO.replace("\n", "\r\n"),
        "empty lines": TWO.replace("\n", "\n,,,,\n\n", 1) + ",,,\n",
        "trailing commas": TWO.replace("\n", ",,\n"),
        "spaces": TWO.replace(",", " , "),
        "case": TWO.replace("primary", "Primary").replace(",lte,", ",LTE,").replace(",standby,", ",Backup,"),
    }
    assert imported(write(changed[how])) == plain


def test_the_smallest_table_is_terminals_and_targets(write: Write) -> None:
    fleet = imported(write("site,targets\nfontana,198.51.100.1\nontario,198.51.100.1\n"))
    assert {name: list(each.uplinks) for name, each in fleet.terminals.items()} == {
        "fontana": ["fiber"],
        "ontario": ["fiber"],
    }


def test_every_mistake_is_named_with_line_and_column_at_once(write: Write) -> None:
    table = (
        "Site;Time Zone;WAN;Role;Type;IP address;Gateway;Carier;Circuit ID;Targets\n"
        "fontana;America/LA;fiber;Primary;copper;10.10.0.21;100.64.1;Frontier;12/KRFN/004;198.51.100.1 198.51.100.2\n"
        "fontana;;lte;second;LTE;10.10.0.21;;Verizon;;198.51.100.9\n"
        ";;lte;Standby;LTE;wwan0;;Verizon;;\n"
        "ontario;;fiber;;;;;;;not a target!;x\n"
        "ontario;;fiber\n"
        '"bad name";;fiber;;;;;;;"198.51.100.1\n198.51.100.1"\n'
        "akron;;fiber\n"
    )
    assert problems(write(table)) == [
        "yards.csv:1:8 unknown column 'Carier'; did you mean 'isp'?",
        "yards.csv:2:2 terminals.fontana.timezone: 'America/LA' is not a time zone; write one like America/Los_Angeles",
        "yards.csv:2:5 terminals.fontana.uplinks.fiber.medium: 'copper' is not one of fiber, lte, 5g, cable, satellite",
        "yards.csv:2:7 terminals.fontana.uplinks.fiber.next_hop: '100.64.1' is not an IP address",
        "yards.csv:3:4 terminals.fontana.uplinks.lte.role: 'second' is not one of primary, standby",
        "yards.csv:3:6 terminals.fontana.uplinks.lte.bind: '10.10.0.21' is already the bind of 'fiber'; "
        "each uplink needs its own",
        "yards.csv:3:10 terminals.fontana.targets: '198.51.100.9' differs from line 2, '198.51.100.1 198.51.100.2'; "
        "a terminal has one",
        "yards.csv:4:3 terminal: is empty; every row names its terminal",
        "yards.csv:5:10 terminals.ontario.targets.2: 'target!' is not a target; write an address, a name or "
        "tcp://host:port",
        "yards.csv:5:11 'x' is in a column without a heading",
        "yards.csv:6:3 terminals.ontario.uplinks.fiber: ontario has an uplink 'fiber' already; give each a name of its "
        "own in the column uplink",
        "yards.csv:7:1 terminals.bad name: 'bad name' is not a name; use letters, digits, '-', '_' and '.', at most 63",
        "yards.csv:9:1 terminals.akron.targets: is missing; fiber has no targets of its own",
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "yards.csv:1:1 there is no row below the headings"),
        (b"targets\n198.51.100.1\n", "yards.csv:1:1 there is no column 'terminal'"),
        (b"terminal,targets\n", "yards.csv:1:1 there is no row below the headings"),
        (b"terminal,site,targets\n", "yards.csv:1:2 'site' is a second column for terminal"),
        (b"terminal\nLe\xf3n\n", "yards.csv:2:1 byte 0xf3 is not UTF-8; save the table as 'CSV UTF-8'"),
        (b'terminal\n"open\n', "yards.csv:2:1 broken CSV: unexpected end of data"),
    ],
)
def test_what_is_no_table_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes, expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("yards.csv").write_bytes(raw)
    assert expected in problems(Path("yards.csv"))


def rows(terminals: int) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD.strip().split(","))
    zones = ("America/Los_Angeles", "America/Chicago", "America/New_York")
    for number in range(terminals):
        name, zone = f"yard{number:03}", zones[number % 7 % 3]
        isp = ("Frontier", "Spectrum", "Lumen", "Comcast", "Cox")[number % 5]
        targets = "198.51.100.1 198.51.100.2 203.0.113.53"
        address = f"10.10.{number // 250}.{number % 250}"
        writer.writerow([name, zone, "fiber", "primary", "fiber", address, "", isp, f"12/{number}", "+1 800", targets])
        if number % 10:
            medium = "5g" if number % 9 == 0 else "lte"
            writer.writerow([name, zone, medium, "standby", medium, "wwan0", "", "Verizon", "", "", targets])
    return out.getvalue()


def test_500_terminals_fit_in_600_lines_and_say_the_same(write: Write) -> None:
    text = inventory_text(write(rows(500)), "acme")
    assert len(text.splitlines()) <= 600
    fleet = imported(Path("yards.csv"))
    assert len(fleet.terminals) == 500
    assert fleet.terminals["yard499"].uplinks["fiber"].circuit.isp == "Cox"
    assert fleet.terminals["yard499"].uplinks["lte"].circuit.isp == "Verizon"
    assert fleet.terminals["yard027"].uplinks["5g"].bind == "wwan0"
    assert len({each.timezone for each in fleet.terminals.values()}) == 3


def test_a_class_holds_what_most_share_and_a_terminal_only_what_differs(write: Write) -> None:
    lines = inventory_text(write(rows(30)), "acme").splitlines()
    assert "    targets: [198.51.100.1, 198.51.100.2, 203.0.113.53]" in lines
    assert "      lte: {role: standby, bind: wwan0, circuit: {isp: Verizon}}" in lines
    (yard,) = (line for line in lines if line.startswith("  yard005"))
    assert yard == (
        "  yard005: {class: fiber-lte, timezone: America/New_York, "
        "uplinks: {fiber: {bind: 10.10.0.5, circuit: {isp: Frontier, id: 12/5}}}}"
    )


CELL = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
ROW = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(["", "America/Chicago", "America/Denver"]),
        "isp": st.just("") | st.sampled_from(["no", "null", "~", "007", "a: b", "#1", "- x", "'q'", "+1 800"]) | CELL,
        "circuit": st.just("") | CELL,
        "standby": st.booleans(),
        "targets": st.sampled_from(["198.51.100.1", "198.51.100.1, 198.51.100.2", "tcp://example.com:443"]),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=12))
def test_whatever_stands_in_the_cells_arrives_as_it_was_written(
    write: Write, table: list[dict[str, str | bool]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["terminal", "timezone", "uplink", "bind", "isp", "circuit", "targets"])
    for number, row in enumerate(table):
        name, shared = f"yard{number}", (row["isp"], row["circuit"], row["targets"])
        writer.writerow([name, row["timezone"], "fiber", f"10.0.0.{number}", *shared])
        if row["standby"]:
            writer.writerow([name, row["timezone"], "lte", "wwan0", *shared])
    fleet = imported(write(out.getvalue()))
    assert list(fleet.terminals) == [f"yard{number}" for number in range(len(table))]
    for row, terminal in zip(table, fleet.terminals.values(), strict=True):
        assert terminal.timezone == row["timezone"] or not row["timezone"]
        assert list(terminal.uplinks) == (["fiber", "lte"] if row["standby"] else ["fiber"])
        for uplink in terminal.uplinks.values():
            assert (uplink.circuit.isp or "", uplink.circuit.id or "") == (row["isp"], row["circuit"])
        assert ", ".join(target.label for target in terminal.targets) == row["targets"]


def test_terminals_without_a_time_zone_never_get_that_of_others(write: Write) -> None:
    fleet = imported(write("terminal,tz,targets\na,America/Chicago,198.51.100.1\nb,,198.51.100.1\n"))
    assert (fleet.terminals["a"].timezone, fleet.terminals["b"].timezone) == ("America/Chicago", "UTC")


def test_the_command_writes_once_and_check_accepts_it(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(TWO)
    assert main(["inventory", "import", "yards.csv", "--fleet", "acme", "-o", "fleet.yml"]) == 0
    assert capsys.readouterr().out == "wrote fleet.yml; next: yardlight check fleet.yml\n"
    assert main(["check", "fleet.yml"]) == 0
    assert main(["inventory", "import", "yards.csv", "-o", "fleet.yml"]) == 1
    assert capsys.readouterr().err.endswith("fleet.yml exists already and is left as it is\n")
    assert main(["inventory", "import", "yards.csv"]) == 0
    assert capsys.readouterr().out.startswith("fleet: my-fleet\n")
    assert main(["inventory", "import", "nowhere.csv"]) == 1
    assert capsys.readouterr().err == "nowhere.csv cannot be read: no such file or directory\n"
