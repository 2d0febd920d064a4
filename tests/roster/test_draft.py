"""`yardlight roster draft`: what becomes a row, what stays blank and why, and that the files are read as they are."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.roster.world import World, iccid, imei, sim, tablet, vehicle
from yardlight.cli import main
from yardlight.inventory.load import load
from yardlight.inventory.roster import Roster, Truck
from yardlight.roster.draft import Draft, drafted, sim_names
from yardlight.roster.draft_command import files_of
from yardlight.roster.joined import Joined
from yardlight.roster.names import units
from yardlight.things import Number, Thing


def rows(made: Draft) -> dict[str, tuple[str, list[str]]]:
    """Each truck with the serial number of its tablet and the names and numbers of its SIMs."""
    named = zip(made.rows, sim_names(made.rows), strict=True)
    return {
        row.name: (
            row.tablet.thing.all("serial")[0] if row.tablet is not None else "",
            [f"{name}={number}" for name, number in sims],
        )
        for row, sims in named
    }


def why(made: Draft) -> dict[str, str]:
    return {left.item.thing.called: left.why for left in made.leftovers}


def test_tablets_and_sims_are_joined_by_the_trucks_number_in_their_names() -> None:
    made = drafted(
        {
            "mdm/tablets": [tablet("R1", "TRUCK-0112"), tablet("R2", "TRUCK-0113")],
            "cellular/sims": [sim(1, "Unit 112"), sim(2, "Unit 113"), sim(3, "Unit 113 spare"), sim(4, "Unit 200")],
        }
    )
    assert rows(made) == {
        "0112": ("R1", [f"0112={iccid(1)}"]),
        "0113": ("R2", [f"0113-1={iccid(2)}", f"0113-2={iccid(3)}"]),
        "200": ("", [f"200={iccid(4)}"]),
    }
    assert made.rows[0].notes == ["tablet by name 'TRUCK-0112'", "SIM by name 'Unit 112'"]
    assert not made.leftovers


def test_a_number_counts_more_than_a_name() -> None:
    holds: tuple[tuple[Number, str], ...] = (("iccid", iccid(7)), ("imei", imei(7)))
    made = drafted(
        {
            "mdm/tablets": [tablet("R1", "T112", *holds), tablet("R2", "T113", ("imei", imei(8)))],
            "cellular/sims": [sim(7, "T113"), sim(8, "", ("imei", imei(8)[:14] + "07"))],
        }
    )
    assert rows(made) == {"112": ("R1", [f"112={iccid(7)}"]), "113": ("R2", [f"113={iccid(8)}"])}
    assert [row.notes[1] for row in made.rows] == ["SIM by ICCID", "SIM by IMEI"]


def test_telematics_says_which_trucks_there_are_and_which_tablet_is_in_one() -> None:
    made = drafted(
        {
            "feeds/gps": [vehicle("A-12", ("serial", "R1"), ("eld", "E-77")), vehicle("B 12"), vehicle("***")],
            "mdm/tablets": [tablet("R1", "Maria's tablet"), tablet("R2", "B-12"), tablet("R3", "spare 12")],
        }
    )
    assert rows(made) == {"A-12": ("R1", []), "B-12": ("R2", [])}
    assert made.rows[0].eld == "E-77"
    assert made.rows[0].notes == ["truck in feeds/gps", "tablet by serial number"]
    assert why(made) == {"***": "'***' cannot be a name", "spare 12": "'spare 12' may be A-12 or B-12"}


def test_letters_beyond_ascii_are_no_other_truck_and_make_no_two_of_them_one() -> None:
    made = drafted({"feeds/gps": [vehicle("\u00d1and\u00fa 5"), vehicle("\u0410"), vehicle("\u0411")]})
    assert list(rows(made)) == ["Nandu-5"]
    assert set(why(made)) == {"\u0410", "\u0411"}
    assert Joined(Roster((Truck("Nandu-5"),))).vehicle(vehicle("\u00d1and\u00fa 5")) is not None


def test_a_truck_that_two_tablets_claim_has_none_and_both_are_listed() -> None:
    made = drafted({"mdm/tablets": [tablet("R1", "TRUCK-112"), tablet("R2", "Unit 112"), tablet("R3", "TRUCK-113")]})
    assert rows(made) == {"112": ("", []), "113": ("R3", [])}
    assert made.rows[0].notes == ["2 tablets claim it"]
    assert why(made) == dict.fromkeys(("TRUCK-112", "Unit 112"), "2 tablets claim truck 112")


def test_a_sim_that_two_tablets_hold_is_in_none() -> None:
    both: tuple[Number, str] = ("iccid", iccid(1))
    made = drafted(
        {"mdm/tablets": [tablet("R1", "T112", both), tablet("R2", "T113", both)], "cellular/s": [sim(1, "112")]}
    )
    assert rows(made) == {"112": ("R1", []), "113": ("R2", [])}
    assert why(made) == {"112": "its ICCID is in 2 places"}


def test_what_names_no_truck_is_listed_and_no_truck_is_made_of_it() -> None:
    spoken = ["Maria's iPad 2", "R52M30ABCDE", "samsung_11/5/2025_3:04 PM", "SN12345678", ""]
    made = drafted({"mdm/tablets": [tablet(f"R{number}", called) for number, called in enumerate(spoken)]})
    assert rows(made) == {}
    assert set(why(made)) == set(spoken)
    assert why(made)[""] == "it has no name"


def test_a_sim_in_a_tablet_without_a_row_is_in_none_either() -> None:
    made = drafted({"m": [tablet("R1", "Maria", ("iccid", iccid(1)))], "c": [sim(1, "112")]})
    assert rows(made) == {}
    assert why(made)["112"] == "it is in the tablet 'Maria' (m), which is in no row"


def test_a_tablet_that_left_its_mdm_and_a_sim_of_a_yard_are_in_no_draft() -> None:
    gone = tablet("R1", "T112")._replace(gone=1.0)
    made = drafted({"m": [gone], "c": [sim(1, "T113", name="fontana-standby")]}, {"fontana-standby"})
    assert (rows(made), list(made.leftovers)) == ({}, [])


def test_the_same_tablet_in_two_mdms_is_one() -> None:
    made = drafted({"mdm/a": [tablet("R1", "T112")], "mdm/b": [tablet("r1", "T112", ("imei", imei(1)))]})
    assert rows(made) == {"112": ("R1", [])}
    assert made.rows[0].tablet is not None
    assert made.rows[0].tablet.sources == ("mdm/a", "mdm/b")
    assert made.rows[0].tablet.thing.all("imei") == [imei(1)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Tab A8 112", "Tab A8 113"], {"Tab A8 112": "112", "Tab A8 113": "113"}),
        (["T112"], {"T112": "112"}),
        (["yard 1 truck 20", "yard 2 truck 30"], {}),
        (["iPad 2"], {}),
        (["TRUCK-1"], {"TRUCK-1": "1"}),
        (["Unit #7 tab", "Unit #12 tab"], {"Unit #7 tab": "7", "Unit #12 tab": "12"}),
        (["Tab A8", "Tab A9"], {}),
        (["trucker 8"], {}),
        (["1234567"], {}),
    ],
)
def test_the_number_in_a_name_is_the_one_that_differs(names: list[str], expected: dict[str, str]) -> None:
    assert units(names) == expected


def test_a_sim_without_a_name_at_its_carrier_has_that_of_the_accounts_own_list() -> None:
    made = drafted({"cellular/sims": [sim(1, name="cab-0112"), sim(2, "0113", name="cab-0114")]})
    assert rows(made) == {"0112": ("", [f"0112={iccid(1)}"]), "0113": ("", [f"0113={iccid(2)}"])}


def test_drivers_come_from_whoever_tells_them_by_their_codes() -> None:
    told = [Thing("driver", called=code) for code in ("D-10", "D-9", "D-10", "")]
    assert list(drafted({"feeds/hos": told}).drivers) == ["D-9", "D-10"]


TEXT = st.text(alphabet=st.sampled_from("aT=1209- ,;\"'\n\x00é#"), max_size=8)


@given(
    st.lists(st.tuples(TEXT, TEXT, st.integers(0, 9)), max_size=12),
    st.lists(st.tuples(TEXT, st.integers(0, 30)), max_size=12),
    st.lists(st.tuples(TEXT, TEXT), max_size=6),
    st.randoms(use_true_random=False),
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_vendors_call_things_the_draft_is_a_roster_and_their_order_does_not_matter(
    tmp_path: Path,
    tablets: list[tuple[str, str, int]],
    sims: list[tuple[str, int]],
    vehicles: list[tuple[str, str]],
    luck: random.Random,
) -> None:
    known = {
        "m": [tablet(serial, called, ("iccid", iccid(number))) for serial, called, number in tablets],
        "c": [sim(number, called) for called, number in sims],
        "f": [vehicle(called, ("serial", serial)) for called, serial in vehicles],
    }
    files = files_of(drafted(known))
    for things in known.values():
        luck.shuffle(things)
    assert files_of(drafted({source: known[source] for source in ("f", "m", "c")})) == files
    if files["trucks.csv"]:
        (tmp_path / "trucks.csv").write_text(files["trucks.csv"], encoding="utf-8")
        (tmp_path / "fleet.yml").write_text(
            "fleet: f\nroster: {trucks: trucks.csv}\nterminals: {t: {targets: [198.51.100.1], uplinks: {fiber: }}}\n"
        )
        found = load(tmp_path / "fleet.yml").fleet.roster.trucks
        assert [truck.name for truck in found] == [
            row["truck"] for row in csv.DictReader(files["trucks.csv"].splitlines())
        ]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def test_the_files_are_written_for_their_owner_and_load_with_the_line_that_is_printed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.collected("mdm/tablets", tablet("R1", "T112"), tablet("R2", "=cmd|' /C calc'!A0"))
    world.collected("cellular/sims", sim(1, "T112"))
    assert main(["roster", "draft", "-o", "new"]) == 3
    out, report = capsys.readouterr()
    assert out == ""
    assert "mdm/tablets: complete 5 min" in report
    assert "1 truck, 1 with a tablet; 1 SIM in 1 truck" in report
    assert "left over, in no row: 1" in report
    files = {file.name: file for file in (world.folder / "new").iterdir()}
    assert set(files) == {"trucks.csv", "unmatched.csv"}
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files.values())
    assert files["unmatched.csv"].read_text().splitlines()[1].startswith("tablet,'=cmd")
    line = next(line for line in report.splitlines() if line.startswith("roster:"))
    inventory = world.folder / "new" / "fleet.yml"
    inventory.write_text((world.folder / "fleet.yml").read_text().replace("accounts:", f"{line}\naccounts:"))
    [truck] = load(inventory).fleet.roster.trucks
    assert (truck.name, truck.sims[0].iccid) == ("112", iccid(1))


def test_a_roster_that_is_there_is_never_overwritten(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.collected("mdm/tablets", tablet("R1", "T112"))
    (world.folder / "trucks.csv").write_text("mine\n")
    assert main(["roster", "draft", "-o", "."]) == 1
    assert "trucks.csv: is there already and is not overwritten" in capsys.readouterr().err
    assert (world.folder / "trucks.csv").read_text() == "mine\n"
    assert main(["roster", "draft"]) == 3
    out, report = capsys.readouterr()
    assert out.splitlines()[1] == "112,112=R1,,,,,active,,tablet by name 'T112'"
    assert "cellular/sims: not collected yet, so nothing is known of it" in report


def test_all_of_it_in_its_rows_is_exit_code_0(world: World) -> None:
    world.collected("mdm/tablets", tablet("R1", "T112"))
    world.collected("cellular/sims", sim(1, "T112"))
    assert main(["roster", "draft"]) == 0


def test_without_anything_collected_there_is_nothing_to_draft(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["roster", "draft"]) == 1
    assert "there is no state file here" in capsys.readouterr().err
    (world.folder / "fleet.yml").write_text("fleet: f\nterminals: {t: {targets: [198.51.100.1], uplinks: {fiber: }}}\n")
    assert main(["roster", "draft"]) == 1
    assert "nothing is collected: there is no part mdm:, cellular: or feeds:" in capsys.readouterr().err
