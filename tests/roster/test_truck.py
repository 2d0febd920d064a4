"""A truck, looked up: each line with its as-of, unknown never none, and numbers only for those who may see them."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.roster.world import INVENTORY, MINUTE, World, iccid, imei, sim, tablet, vehicle
from tests.vendor import Answer, Asked, Vendor
from yardlight.cli import main
from yardlight.inventory.models import Fleet
from yardlight.inventory.roster import Roster, SimCard, Tablet, Truck
from yardlight.roster.alerts import Alerts, about, open_alerts
from yardlight.roster.known import Known
from yardlight.roster.truck import Part, View, find, parts, words
from yardlight.things import Fact, Thing, pack, search

NOW = datetime(2026, 1, 8, 13, 30, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0
T112 = Truck("112", Tablet("T112", "R112"), (SimCard("S112", iccid(112)),), "E-77", "fontana", "drivers")


def known(source: str, *things: Thing, at: float | None = NOW - 300, due: float = NOW + HOUR, wrong: str = "") -> Known:
    return Known(source, "account", at, due, things, wrong)


def view(*told: Part, alerts: Alerts | None = None) -> View:
    return View("inland", T112, ZoneInfo("America/Denver"), NOW, told, alerts or Alerts(NOW))


def test_each_source_says_what_it_knows_as_of_its_own_time() -> None:
    spoke = Fact("last check-in", at=NOW - 2 * HOUR)
    used = Fact("used", "3 GB of 5 GB", NOW - 2 * DAY)
    found = parts(
        T112,
        [
            known("mdm/tablets", tablet("R112", facts=[spoke]), tablet("R113")),
            known("cellular/sims", sim(112, facts=[used]), at=NOW - 600),
            known("feeds/gps", vehicle("112", ("eld", "E-77"))._replace(facts=(Fact("last position", at=NOW),))),
        ],
        NOW,
    )
    assert [(part.title, part.source, part.at, part.trouble) for part in found] == [
        ("Tablet T112", "mdm/tablets", NOW - 300, []),
        ("SIM S112", "cellular/sims", NOW - 600, []),
        ("ELD and telematics", "feeds/gps", NOW - 300, []),
    ]
    shown = view(*found)
    assert [shown.told(part.facts[0], part) for part in found] == [
        "4:30 AM MST, 2 h ago", "3 GB of 5 GB, as of Tue Jan 6, 6:30 AM MST, 2 d ago", "6:30 AM MST, 0 s ago",
    ]  # fmt: skip


def test_what_is_old_says_so_and_what_failed_says_why() -> None:
    [part, *_] = parts(T112, [known("mdm/tablets", tablet("R112"), due=NOW - 1, wrong="auth: refused")], NOW)
    assert part.old
    assert part.trouble == [
        "mdm/tablets has not been read since: all of this may have changed",
        "mdm/tablets cannot be read now: auth: refused",
    ]


def test_what_nobody_was_asked_for_is_not_none() -> None:
    asked = [known("mdm/tablets", at=None, wrong="auth: refused"), known("mdm/ipads", tablet("R9"), wrong="timeout")]
    tablet_, sim_, eld = parts(T112, asked, NOW)
    assert tablet_.trouble == [
        "mdm/tablets was not read yet, so nothing is known of it: auth: refused",
        "mdm/ipads does not have it, and cannot be read now: timeout",
    ]
    unread = parts(T112, [known("mdm/tablets", at=None)], NOW)[0]
    assert unread.trouble == ["mdm/tablets was not read yet, so nothing is known of it"]
    assert sim_.trouble == ["not asked: nothing here collects it"]
    assert eld.trouble == ["not asked: nothing here collects it"]
    bare = parts(Truck("9"), [known("mdm/tablets")], NOW)
    assert [part.title for part in bare] == ["Tablet: none on the roster", "SIM: none on the roster"]


def test_a_tablet_that_left_its_mdm_is_shown_as_of_when_it_was_there() -> None:
    [part, *_] = parts(T112, [known("mdm/tablets", tablet("R112")._replace(gone=NOW - DAY))], NOW)
    assert (part.at, part.trouble) == (NOW - DAY, ["it is not in its MDM any more; this is what was known last"])


def test_numbers_are_veiled_and_a_name_of_the_vendors_wholly() -> None:
    [part, *_] = parts(T112, [known("m", tablet("R52M30ABCDE"), tablet("R112", "Maria", ("imei", imei(1))))], NOW)
    part = parts(T112, [known("mdm/t", tablet("R112", "Maria", ("imei", imei(1))))], NOW)[0]
    assert part.shown(False) == [("serial number", "..."), ("IMEI", "...0010"), ("name at the vendor", "...")]
    assert part.shown(True) == [("serial number", "R112"), ("IMEI", imei(1)), ("name at the vendor", "Maria")]


def test_instants_are_told_with_their_day_where_that_is_another_one() -> None:
    shown = view()
    assert shown.clock(NOW) == "6:30 AM MST"
    assert shown.when(NOW - 12 * HOUR) == "Wed Jan 7, 6:30 PM MST, 12 h ago"
    assert shown.when(NOW + 3 * DAY) == "Sun Jan 11, 6:30 AM MST, in 3 d"
    assert shown.clock(NOW - 300 * DAY) == "Fri Mar 14, 2025, 7:30 AM MDT"
    assert shown.told(Fact("last check-in"), Part("x")) == "not known"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("112", ["112"]),
        ("T112", ["112"]),
        ("t-112", ["112"]),
        ("s112", ["112"]),
        ("11", ["112", "T11-3"]),
        ("Truck 112", ["112"]),
        ("0112", ["112"]),
        ("\uff11\uff11\uff12", ["112"]),
        (iccid(112), []),
        ("SER112", []),
        ("truck 113", []),
        ("x", []),
        ("", []),
    ],
)
def test_a_truck_is_found_by_its_name_or_that_of_what_is_in_it(asked: str, expected: list[str]) -> None:
    assert [truck.name for truck in find(Roster((Truck("T11-3"), T112)), asked)] == expected


def test_only_what_may_be_of_the_truck_is_opened() -> None:
    others = [tablet(f"OTHER{number}") for number in range(5000)]
    mine = [tablet("r112"), Thing("sim", "S112"), sim(112), vehicle("Nr", ("eld", "E-77")), vehicle("1 12")]
    for thing in mine:
        at, found = search(pack([*others[:2600], thing, *others[2600:]], NOW), words(T112))
        told = list(found)
        assert at == NOW
        assert thing in told
        assert len(told) <= 500


@pytest.mark.parametrize(
    ("key", "called"),
    [("Ñandú", "ÑANDÚ"), ("\u0130stanbul", "\u0130STANBUL"), ("STRASSE 1", "Stra\u00dfe 1"), ('5" tab\\', '5" TAB\\')],
)
def test_a_tablet_is_found_by_a_name_of_any_letters(key: str, called: str) -> None:
    truck_ = Truck("7", Tablet("T7", key))
    packed = pack([*(tablet(f"OTHER{number}") for number in range(900)), tablet("R1", called)], NOW)
    at, found = search(packed, words(truck_))
    [part, *_] = parts(truck_, [known("mdm/t", *found, at=at)], NOW)
    assert part.trouble == []
    assert part.source == "mdm/t"


def alert(name: str, state: str = "active", **labels: str) -> dict[str, Any]:
    return {
        "labels": {"alertname": name, "fleet": "inland", "severity": "ticket", **labels},
        "annotations": {"summary": f"{name}\n  says so."},
        "startsAt": "2026-01-08T12:30:00.123Z", "activeAt": "2026-01-08T12:30:00.123456789Z",
        "status": {"state": state}, "state": "firing",
    }  # fmt: skip


OPEN = [
    alert("WipeUnconfirmed", device="T112", account="graph", severity="page"),
    alert("SimRunaway", device="", sim="S112", account="kore", state="suppressed"),
    alert("SimSilent", sim="S9", account="kore"),
    alert("WipeUnconfirmed", device="T9", account="graph"),
    alert("TerminalDark", terminal="fontana", severity="page"),
    alert("TerminalDark", terminal="reno"),
    alert("DevicesSilent", group="drivers", account="graph"),
    alert("DevicesSilent", group="office", account="graph"),
    alert("DevicesSilent", group="drivers", account="other"),
    alert("DevicesSilent", group="drivers", account="kore"),
    alert("AccountFailing", account="graph"),
    alert("AccountFailing", account="other"),
    alert("Watchdog"),
]


HAS = (Part("Tablet T112", accounts=["graph"], group="drivers"), Part("SIM S112", accounts=["kore"]))


def told(links: dict[str, str], *has: Part) -> Alerts:
    fleet = Fleet.model_validate({"fleet": "inland", "links": links, "terminals": {}})
    return about(T112, has or HAS, asyncio.run(open_alerts(fleet, NOW)))


def test_alerts_of_the_truck_come_first_then_those_around_it_and_none_of_another() -> None:
    def alertmanager(asked: Asked) -> Answer:
        assert asked.query == {"filter": 'fleet="inland"'}
        return Answer(OPEN)

    def prometheus(asked: Asked) -> Answer:
        pending = {**OPEN[0], "state": "pending"}
        foreign = alert("TerminalDark", terminal="fontana", fleet="other")
        # The heartbeat is always there, and is no fleet's.
        nobodys = {**alert("Watchdog"), "labels": {"alertname": "Watchdog", "severity": "info"}}
        return Answer({"status": "success", "data": {"alerts": [pending, foreign, nobodys, *OPEN]}})

    for key, script in (("alertmanager", alertmanager), ("prometheus", prometheus)):
        with Vendor(script) as vendor:
            found = told({key: vendor.url})
        assert [(each.name, each.own) for each in found.found] == [
            ("WipeUnconfirmed", True), ("SimRunaway", True),
            ("TerminalDark", False), ("AccountFailing", False), ("DevicesSilent", False),
        ]  # fmt: skip
        assert found.found[0].text == "WipeUnconfirmed says so."
        assert found.found[0].since == pytest.approx(datetime(2026, 1, 8, 12, 30, tzinfo=UTC).timestamp(), abs=1)
        assert found.found[1].silenced == (key == "alertmanager")


def test_the_group_of_a_tablet_is_the_one_it_is_judged_in() -> None:
    judged = alert("DevicesSilent", group="other", account="graph")
    tablet_ = tablet("R112")._replace(group="other")
    knows = [Known("mdm/t", "graph", NOW, NOW + HOUR, (tablet_,)), Known("mdm/ipads", "abm", NOW, NOW + HOUR)]
    with Vendor(lambda _: Answer([judged, alert("AccountFailing", account="abm")])) as vendor:
        bare = replace(T112, group=None)
        found = told({"alertmanager": vendor.url}, *parts(bare, knows, NOW))
        assert [each.name for each in found.found] == ["DevicesSilent"]
        # Where no MDM has it, it may be in any.
        found = told({"alertmanager": vendor.url}, *parts(bare, [replace(each, things=()) for each in knows], NOW))
        assert [each.name for each in found.found] == ["AccountFailing"]


def test_nobody_who_could_be_asked_is_not_asked_and_never_none() -> None:
    assert told({}).why_not == "not asked: the inventory has no links: to alertmanager or prometheus"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        for key, name in (("alertmanager", "Alertmanager"), ("prometheus", "Prometheus")):
            assert told({key: f"{url}/behind/s3cret"}).why_not == f"not asked: {name} cannot be asked"
    answers = [Answer({"no": "list"}), Answer([{"labels": {}}]), Answer([1]), Answer(b"<html>"), Answer(b"s3cret", 502)]
    for answer in answers:
        with Vendor(lambda _, answer=answer: answer) as vendor:  # type: ignore[misc]
            for key, name in (("alertmanager", "Alertmanager"), ("prometheus", "Prometheus")):
                why = told({key: vendor.url}).why_not
                assert why.startswith(f"not asked: {name} ")
                assert "127.0.0.1" not in why
                assert "s3cret" not in why


ROSTER = (
    f"truck,tablet,sims,eld,terminal,group\n112,T112=R112,S112={iccid(112)},E-77,fontana,drivers\n118,T118=R118,,,,\n"
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    made = World(tmp_path, ROSTER)
    made.collected("mdm/tablets", tablet("R112", "Maria", facts=[Fact("last check-in", at=made.now - 7200)]))
    made.collected("cellular/sims", sim(112), ago=600 * MINUTE)
    return made


def test_the_command_reads_out_what_is_known(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "truck", "T112"]) == 0
    text = capsys.readouterr().out
    assert "Truck 112 of inland: drivers, home fontana, active" in text
    assert "SIM S112 (OLD, cellular/sims as of " in text
    assert re.search(r"last check-in: .*[AP]M M[SD]T, 2 h", text)
    assert "Open alerts: not asked: the inventory has no links:" in text
    for secret in ("R112", iccid(112), "Maria", "guid-R112", "E-77"):
        assert secret not in text
    assert main(["show", "truck", "112", "--numbers"]) == 0
    text = capsys.readouterr().out
    assert f"  ICCID: {iccid(112)}\n" in text
    assert "in its console, where it can be wiped: https://intune.microsoft.com/#view/" in text
    assert "/overview/mdmDeviceId/guid-R112" in text


def test_a_tablet_that_the_roster_does_not_have_is_found_by_the_name_that_alerts_have_for_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = tablet("R999", "Ines", facts=[Fact("wipe ordered, failed", at=world.now - 7200)])
    world.collected("mdm/tablets", tablet("R112"), stranger)
    assert main(["show", "truck", stranger.name]) == 0
    text = capsys.readouterr().out
    assert f"Tablet {stranger.name} of inland: no truck of the roster has it\n" in text
    assert "wipe ordered, failed: " in text
    assert "R999" not in text
    (world.folder / "fleet.yml").write_text(INVENTORY, encoding="utf-8")
    assert main(["show", "truck", stranger.name, "--numbers"]) == 0
    text = capsys.readouterr().out
    assert "R999" in text
    assert "/overview/mdmDeviceId/guid-R999" in text
    assert main(["show", "truck", "unlisted-00000000"]) == 1


def test_machines_read_the_same(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "truck", "112", "--json"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert (found["truck"], found["alerts"], found["terminal"]) == ("112", None, "fontana")
    assert [part["old"] for part in found["parts"]] == [False, True, False]
    assert found["parts"][0]["facts"] == [{"label": "last check-in", "text": None, "at": world.now - 7200}]
    assert iccid(112) not in printed


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("1", "2 trucks have '1' in a name: 112, 118"),
        ("1188", "no truck, tablet or SIM of the roster is called '1188'; did you mean '118'?"),
        ("zebra", "no truck, tablet or SIM of the roster is called 'zebra'\n"),
    ],
)
def test_a_name_of_none_or_many_is_said(
    world: World, capsys: pytest.CaptureFixture[str], asked: str, message: str
) -> None:
    assert main(["show", "truck", asked]) == 1
    assert message in capsys.readouterr().err


def test_before_anything_was_collected_the_roster_is_shown_and_nothing_else_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    World(tmp_path, ROSTER)
    assert main(["show", "truck", "112"]) == 0
    text = capsys.readouterr().out
    assert "Tablet T112\n  ! mdm/tablets was not read yet, so nothing is known of it: " in text
    assert time.strftime("%Y") not in text
