"""The MDMs of the demo: every fault of the list is one, and is undone; tokens end, pages lead to the next."""

from __future__ import annotations

import pytest

from yardlight.demo import mdm as mdm_faults
from yardlight.demo.faces import SECRET, Ask
from yardlight.demo.mdm import HOUR, Mdm, MdmError, fake_tablets
from yardlight.demo.mdm_faces import Intune

NOW = 1795186800.0


def made() -> Mdm:
    return Mdm("graph", [*fake_tablets(60, "drivers"), *fake_tablets(20, "yard", first=161)], lambda: NOW)


@pytest.mark.parametrize("line", mdm_faults.LIST.splitlines()[1:])
def test_every_fault_of_the_list_is_one(line: str) -> None:
    mdm = made()
    assert mdm.switch(line.split()[0].partition("=")[2]) == f"graph: {mdm.truth()}"


@pytest.mark.parametrize("action", ["burn", "silent=cooks", "wipe=T-999", "ahead=soon", ""])
def test_what_is_no_fault_is_refused_with_what_there_is(action: str) -> None:
    with pytest.raises(MdmError, match="graph=clean-up"):
        made().switch(action)


def test_healing_undoes_all_faults() -> None:
    well, sick = made(), made()
    for line in mdm_faults.LIST.splitlines()[1:-1]:
        sick.switch(line.split()[0].partition("=")[2])
    assert Intune(sick)._list(Ask("GET", "/x", {})) != Intune(well)._list(Ask("GET", "/x", {}))
    sick.switch("heal")
    assert Intune(sick)._list(Ask("GET", "/x", {})) == Intune(well)._list(Ask("GET", "/x", {}))
    assert sick.truth() == well.truth() == "80 listed"


def test_a_tablet_speaks_now_and_then_until_it_falls_silent() -> None:
    clock = [NOW]
    mdm = Mdm("graph", fake_tablets(1, "drivers"), lambda: clock[0], every=HOUR)
    [tablet] = mdm.tablets
    first = mdm.spoke(tablet)
    assert first is not None
    assert NOW - HOUR < first <= NOW
    clock[0] = first + HOUR
    assert mdm.spoke(tablet) == first + HOUR
    mdm.silence([tablet], first)
    assert mdm.spoke(tablet) == first


def test_a_token_ends_and_a_page_leads_to_the_next() -> None:
    clock = [0.0]
    mdm = made()
    mdm.page, mdm.lives = 50, 60.0
    face = Intune(mdm, "http://here", lambda: clock[0])
    token = face(Ask("POST", "/demo/oauth2/v2.0/token", {}, f"client_secret={SECRET}".encode())).content["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    path = "/v1.0/deviceManagement/managedDevices"
    first = face(Ask("GET", path, headers)).content
    assert first["@odata.nextLink"] == f"http://here{path}?$skiptoken=50"
    last = face(Ask("GET", f"{path}?$skiptoken=50", headers)).content
    assert len(first["value"]) + len(last["value"]) == 80
    assert "@odata.nextLink" not in last
    clock[0] = 61.0
    assert face(Ask("GET", path, headers)).status == 401
