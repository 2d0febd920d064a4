"""`yardlight roster diff`: what moved, what only one side has, what left, and what cannot be said."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.mdm.test_intune import SECRET, Tenancy, raw
from tests.mdm.world import iso
from tests.roster.world import MINUTE, World, iccid, imei, sim, tablet, vehicle
from tests.vendor import Answer, Asked, Vendor
from yardlight.cellular.platforms import super_sim
from yardlight.cli import main
from yardlight.inventory.roster import Driver, Roster, SimCard, Tablet, Truck
from yardlight.mdm.platforms import intune
from yardlight.roster.diff import Difference, differences
from yardlight.roster.known import Known
from yardlight.state import State
from yardlight.things import Thing

NOW = 1_767_600_000.0


def truck(number: int, **more: object) -> Truck:
    said = {"tablet": Tablet(f"T{number}", f"R{number}"), "sims": (SimCard(f"S{number}", iccid(number)),), **more}
    return Truck(f"{number}", **said)  # type: ignore[arg-type]


def known(source: str, *things: Thing) -> Known:
    return Known(source, "account", NOW, NOW + 3600, things)


def told(roster: Roster, *sources: Known) -> list[tuple[str, str, str, str]]:
    return [(each.change, each.kind, each.truck, each.now) for each in differences(roster, sources)]


TRUCKS = Roster((truck(112), truck(118)))
TABLETS = known("mdm/tablets", tablet("R112", "T112"), tablet("R118", "T118"))
SIMS = known("cellular/sims", sim(112), sim(118))


def test_a_roster_that_is_as_the_vendors_say_differs_in_nothing() -> None:
    assert told(TRUCKS, TABLETS, SIMS) == []


def test_tablets_that_were_swapped_call_themselves_like_the_other_truck() -> None:
    fleet = Roster(tuple(truck(number) for number in range(110, 120)))
    called = {number: number for number in range(110, 120)} | {112: 118, 118: 112}
    tablets = known("mdm/tablets", *[tablet(f"R{number}", f"TRUCK-{name}") for number, name in called.items()])
    found = differences(fleet, [tablets, known("cellular/sims", *[sim(number) for number in called])])
    assert [(each.change, each.truck, each.now, each.sure) for each in found] == [
        ("moved", "112", "118", False), ("moved", "118", "112", False),
    ]  # fmt: skip


def test_names_that_have_nothing_to_do_with_trucks_say_nothing() -> None:
    fleet = Roster(tuple(truck(number) for number in range(110, 120)))
    tablets = known("mdm/tablets", *[tablet(f"R{number}", f"tablet {229 - number}") for number in range(110, 120)])
    assert told(fleet, tablets) == []


def test_a_trucks_name_may_have_more_than_its_number() -> None:
    fleet = Roster(tuple(Truck(f"T-{n}", Tablet(f"t{n}", f"R{n}")) for n in range(110, 115)))
    called = {110: 110, 111: 111, 112: 112, 113: 114, 114: 113}
    tablets = known("mdm/tablets", *[tablet(f"R{number}", f"drivers {name}") for number, name in called.items()])
    assert told(fleet, tablets) == [("moved", "tablet", "T-113", "T-114"), ("moved", "tablet", "T-114", "T-113")]


def test_a_sim_is_where_its_tablet_tells_its_number() -> None:
    holds = known("mdm/tablets", tablet("R112", "T112"), tablet("R118", "T118", ("iccid", iccid(112))))
    [moved] = differences(TRUCKS, [holds, SIMS])
    assert (moved.change, moved.kind, moved.truck, moved.now, moved.sure) == ("moved", "sim", "112", "118", True)
    assert moved.text == "its SIM S112 is in the tablet of truck 118"


def test_a_sim_is_in_the_device_that_its_carrier_names() -> None:
    tablets = known("mdm/tablets", tablet("R112", "", ("imei", "35 000000 000011 2")), tablet("R118", ""))
    carrier = known("cellular/sims", sim(112), sim(118, "", ("imei", "3500000000001199")), sim(118))
    assert told(TRUCKS, tablets, carrier) == [("moved", "sim", "118", "112")]
    same = known("cellular/sims", sim(112, "", ("imei", "350000000000112")), sim(118))
    assert told(TRUCKS, tablets, same) == []


def test_what_only_a_vendor_has_is_told_with_the_truck_that_it_seems_to_be_of() -> None:
    tablets = known("mdm/tablets", tablet("R112"), tablet("NEW", "TRUCK-118"))
    carrier = known("cellular/sims", sim(112), sim(118), sim(7))
    assert told(TRUCKS, tablets, carrier) == [
        ("unlisted", "sim", "", ""), ("unlisted", "tablet", "", "118"), ("unknown", "tablet", "118", ""),
    ]  # fmt: skip


def test_nothing_is_missing_before_every_source_that_could_know_it_was_read() -> None:
    unread = Known("mdm/ipads", "jamf")
    assert told(TRUCKS, known("mdm/tablets", tablet("R112")), unread, SIMS) == []
    assert told(TRUCKS, known("mdm/tablets", tablet("R112")), SIMS) == [("unknown", "tablet", "118", "")]
    assert told(TRUCKS) == []


def test_what_left_and_what_should_have() -> None:
    roster = Roster((truck(112, status="retired"), truck(118)))
    gone = tablet("R118", "")._replace(gone=NOW - 5)
    assert told(roster, known("mdm/tablets", tablet("R112"), gone), SIMS) == [
        ("left", "sim", "112", ""), ("left", "tablet", "112", ""), ("left", "tablet", "118", ""),
    ]  # fmt: skip


def test_telematics_knows_trucks_elds_and_drivers() -> None:
    roster = Roster((truck(112, eld="E-1"), truck(118, eld="E-2"), truck(119)), (Driver("D-1"),))
    drivers = [Thing("driver", called=code) for code in ("d-1", "D-2")]
    feed = known("feeds/gps", vehicle("112", ("eld", "E-2")), vehicle("118", ("eld", "E-9")), vehicle("200"), *drivers)
    assert told(roster, feed, known("feeds/hos", vehicle("200"), *drivers)) == [
        ("moved", "truck", "118", "118"), ("moved", "truck", "118", "112"),
        ("unlisted", "driver", "", ""), ("unlisted", "truck", "", ""), ("unknown", "truck", "119", ""),
    ]  # fmt: skip


def test_the_sim_of_a_yard_is_on_no_truck() -> None:
    spare = known("cellular/sims", sim(112), sim(118), sim(7, name="fontana-standby"))
    assert differences(TRUCKS, [TABLETS, spare], frozenset({"fontana-standby"})) == []


def test_no_number_is_in_a_sentence() -> None:
    found: list[Difference] = differences(Roster((truck(3),)), [TABLETS, SIMS])
    assert found
    for each in found:
        assert not any(number in each.text for number in ("R112", iccid(112), imei(112)))


ROSTER = f"truck,tablet,sims\n112,T112=R112,S112={iccid(112)}\n118,T118=R118,S118={iccid(118)}\n"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, ROSTER)


def test_people_and_machines_read_the_same_and_numbers_only_where_asked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.collected("mdm/tablets", tablet("R112", "T112"), tablet("R118", "T118", ("iccid", iccid(112))))
    world.collected("cellular/sims", sim(112), sim(118))
    assert main(["roster", "diff"]) == 3
    text = capsys.readouterr().out
    assert "Moved: swap them on the roster, or put them back: 1" in text
    assert "  112: SIM [...0112]: its SIM S112 is in the tablet of truck 118; mdm/tablets as of 20" in text
    assert iccid(112) not in text
    assert main(["roster", "diff", "--numbers"]) == 3
    assert iccid(112) in capsys.readouterr().out
    assert main(["roster", "diff", "--json"]) == 3
    printed = capsys.readouterr().out
    assert iccid(112) not in printed
    found = json.loads(printed)
    assert [(each["source"], each["old"]) for each in found["sources"]] == [
        ("cellular/sims", False), ("mdm/tablets", False),
    ]  # fmt: skip
    [difference] = found["differences"]
    assert (difference["change"], difference["truck"], difference["now"]) == ("moved", "112", "118")


def test_no_difference_is_0_and_4_where_a_source_is_old_or_was_never_read(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.collected("mdm/tablets", tablet("R112"), tablet("R118"))
    assert main(["roster", "diff"]) == 4
    world.collected("cellular/sims", sim(112), sim(118), ago=600 * MINUTE)
    assert main(["roster", "diff"]) == 4
    assert "cellular/sims: OLD, complete 10 h" in capsys.readouterr().out
    # Exported yesterday, and read just now.
    world.collected("cellular/sims", sim(112), sim(118), of=1200 * MINUTE)
    capsys.readouterr()
    assert main(["roster", "diff"]) == 0
    assert "cellular/sims: complete 20 h" in capsys.readouterr().out


def test_without_a_roster_there_is_nothing_to_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    World(tmp_path)
    assert main(["roster", "diff"]) == 1
    assert "there is no roster: to compare; `yardlight roster draft` makes one" in capsys.readouterr().err


def test_live_asks_each_account_and_says_which_did_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tenancy = Tenancy([raw(112, lastSyncDateTime=iso(time.time() - 60))])
    with Vendor(tenancy) as vendor:
        graph = f'client_secret_file: secret, url: "{vendor.url}", login_url: "{vendor.url}", rate: 1000/s}}\n  kore:'
        text = (
            World(tmp_path, ROSTER).folder.joinpath("fleet.yml").read_text()
            .replace("client_secret_file: secret}\n  kore:", graph)
            .replace("cellular: {sims: {account: kore, cycle: month}}\n", "")
        )  # fmt: skip
        (tmp_path / "fleet.yml").write_text(text)
        (tmp_path / "secret").write_text(SECRET + "\n")
        (tmp_path / "trucks.csv").write_text("truck,tablet\n112,T112=SER112\n118,T118=SER118\n")
        assert main(["roster", "diff", "--live"]) == 3
        assert "118: tablet [...]: its tablet is in no MDM" in capsys.readouterr().out
        assert not (tmp_path / "yardlight.db").exists()

        def down(asked: Asked) -> Answer | None:
            return Answer({"error": "down"}, 403)

        hour = int(time.time() // 3600)
        state = State(tmp_path / "yardlight.db")
        state.remember("inland", "", "requests graph", {hour - 30: 500, hour - 3: 96})
        state.close()
        text = (tmp_path / "fleet.yml").read_text()
        (tmp_path / "fleet.yml").write_text(text.replace("rate: 1000/s", "rate: 1000/s, requests_per_day: 196"))
        assert main(["roster", "diff", "--live"]) == 3
        (tmp_path / "fleet.yml").write_text(text.replace("rate: 1000/s", "rate: 1000/s, requests_per_day: 97"))
        capsys.readouterr()
        assert main(["roster", "diff", "--live"]) == 4
        assert "asked now in vain: budget: " in capsys.readouterr().out
        (tmp_path / "fleet.yml").write_text(text)
        tenancy.spoil = down
        assert main(["roster", "diff", "--live"]) == 4
        printed = capsys.readouterr().out
        assert "mdm/tablets: not collected yet, so nothing is known of it (asked now in vain: forbidden: " in printed


def test_a_bug_of_ours_is_told_by_its_kind_and_what_was_kept_is_compared(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> object:
        raise KeyError(iccid(112))

    monkeypatch.setattr(intune, "fetch", broken)
    monkeypatch.setattr(super_sim, "fetch", broken)
    world.collected("mdm/tablets", tablet("R112"), tablet("R118"))
    world.collected("cellular/sims", sim(112), sim(118))
    assert main(["roster", "diff", "--live"]) == 4
    text = capsys.readouterr().out
    assert "2 things (asked now in vain: crashed: KeyError)" in text
    assert iccid(112) not in text


def test_two_sources_of_one_account_share_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "trucks.csv").write_text("truck\n112\n")
    with Vendor(lambda _: Answer({"data": [{"unit": "112", "time": iso(time.time())}]})) as vendor:
        feed = '{account: vendor, path: /p, records: "data[]", truck: unit, time: time, max_age: 5m}'
        (tmp_path / "fleet.yml").write_text(
            "fleet: inland\nroster: {trucks: trucks.csv}\n"
            f'accounts: {{vendor: {{platform: generic, url: "{vendor.url}", auth: {{bearer_file: token}}, '
            "requests_per_day: 1}}\n"
            f"feeds: {{gps: {feed}, hos: {feed}}}\n"
            "terminals: {t: {targets: ['tcp://127.0.0.1:9'], uplinks: {fiber: {bind: 127.0.0.1}}}}\n"
        )
        assert main(["roster", "diff", "--live"]) == 4
    text = capsys.readouterr().out
    assert re.search(r"feeds/gps: complete \d+ s ago, 1 thing\n", text)
    assert "feeds/hos: not collected yet, so nothing is known of it (asked now in vain: budget: " in text
    assert len(vendor.asked) == 1
