"""A roster that is empty, cut off or broken is refused whole and the one before stays, however files break."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.mdm.test_intune import SECRET, Tenancy, raw
from tests.mdm.world import iso
from tests.roster.world import iccid
from tests.served import Process
from tests.vendor import Vendor
from yardlight.cli import main
from yardlight.errors import InventoryError
from yardlight.inventory.load import load

Eventually = Callable[..., object]
HEADING = "truck,tablet,sims,eld,terminal,group,status,until"
WHOLE = f"{HEADING}\n112,T112=SER112,S112={iccid(112)},E-1,fontana,drivers,active,\n118,T118=SER118,,,,,,\n"
BROKEN = {
    "no bytes": (b"", "trucks.csv:1:1 there is no row below the headings; an empty roster is not used"),
    "headings only": (HEADING.encode(), "trucks.csv:1:1 there is no row below the headings"),
    "cut off in a heading": (b"truck,tab", "trucks.csv:1:2 unknown column 'tab'; known here: truck, tablet, sims,"),
    "cut off in a row": (
        WHOLE.encode()[: WHOLE.index("SER118") + 4],
        "trucks.csv:3:2 the last line has 2 of 8 cells and no end: was it cut off while it was saved?",
    ),
    "cut off in an ICCID": (
        WHOLE.encode()[: WHOLE.index(iccid(112)) + 9],
        "trucks.csv:2:3 sims: 9 characters that are not an ICCID",
    ),
    "cut off in quotes": (b'truck,tablet\n112,"T112=R1', "trucks.csv:2:1 broken CSV: unexpected end of data"),
    "UTF-16": (WHOLE.encode("utf-16"), "trucks.csv:1:1 byte 0xff is not UTF-8; save the table as 'CSV UTF-8'"),
    "Latin-1": ("truck,tablet,note\n112,R1,Señor\n".encode("latin-1"), "trucks.csv:2:1 byte 0xf1 is not UTF-8"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xfe", "is not UTF-8"),
    "a spreadsheet's rounding": (
        f"{HEADING}\n112,,8.91E+18,,,,,\n".encode(),
        "trucks.csv:2:3 sims: 8 characters that are not an ICCID: 18 to 20 digits from 89 on; "
        "a spreadsheet rounded it: make the column text",
    ),
}
INVENTORY = """\
fleet: inland
roster: {{trucks: trucks.csv}}
accounts:
  graph: {{platform: intune, tenant: contoso, client_id: abc, client_secret_file: secret,
          url: "{url}", login_url: "{url}", rate: 1000/s}}
mdm: {{tablets: {{account: graph}}}}
terminals:
  fontana: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}
"""


def written(folder: Path, trucks: bytes, url: str = "http://127.0.0.1:9") -> Path:
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "trucks.csv").write_bytes(trucks)
    (folder / "fleet.yml").write_text(INVENTORY.format(url=url))
    return folder / "fleet.yml"


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_roster_is_refused_and_told_where(tmp_path: Path, how: str) -> None:
    content, expected = BROKEN[how]
    with pytest.raises(InventoryError) as caught:
        load(written(tmp_path, content))
    assert any(expected.partition("trucks.csv")[2] in str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize(
    "content",
    [
        WHOLE.encode("utf-8-sig").replace(b",", b";").replace(b"\n", b"\r\n"),
        WHOLE.encode().replace(b",", b"\t"),
        WHOLE.encode().rstrip(b"\n"),
        WHOLE.encode().replace(b"\n", b"\r\n\r\n"),
        WHOLE.replace("until", "Until ").replace("truck,", " Unit Number,").encode(),
    ],
    ids=["Excel's semicolons and BOM", "tabs", "no last line end", "blank lines", "other words"],
)
def test_what_spreadsheets_make_of_it_is_the_same_roster(tmp_path: Path, content: bytes) -> None:
    expected = load(written(tmp_path, WHOLE.encode())).fleet.roster
    assert load(written(tmp_path, content)).fleet.roster == expected


def test_while_it_serves_a_broken_roster_changes_nothing_and_the_truck_is_still_shown(
    process: Process, eventually: Eventually, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = process.folder
    monkeypatch.chdir(folder)
    said = {"lastSyncDateTime": iso(time.time() - 7200)}
    tenancy = Tenancy([raw(112, **said), raw(118, **said)])
    with Vendor(tenancy) as vendor:
        written(folder, WHOLE.encode(), vendor.url)
        process.start("--centre").ready()
        eventually(lambda: "2 h" in process.ask("/truck/112")[1], within=60)
        for content, _ in BROKEN.values():
            (folder / "trucks.csv").write_bytes(content)
            status, text = process.ask("/-/reload", "POST")
            assert status == 422
            assert "trucks.csv" in text
        page = process.series()
        assert page['config_last_reload_successful{fleet="inland"}'] == 0
        tablets = [name for name in page if name.startswith("roster_tablet_info")]
        assert len(tablets) == 2
        assert "2 h" in process.ask("/truck/112")[1]
        (folder / "trucks.csv").write_bytes(WHOLE.encode())
        assert process.ask("/-/reload", "POST")[0] == 200
        # Beside the process that writes the file.
        eventually(lambda: main(["roster", "diff"]) == 0, within=30)
        assert main(["show", "truck", "T118"]) == 0
        assert "last check-in: " in capsys.readouterr().out
        assert not any(number in process.log + process.ask("/metrics")[1] for number in ("SER112", iccid(112)))
