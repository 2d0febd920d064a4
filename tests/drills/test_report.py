"""What is written for people: the report of a drill, the binder, what is printed before anybody approves."""

from __future__ import annotations

import asyncio
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.drills.simulated import INVENTORY, Behaviour, World

from yardlight import cli, sealing
from yardlight.drills import evidence, report


class Reader(HTMLParser):
    """The text of a page, and everything that it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {value}" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)


def test_the_report_says_what_was_shown_and_needs_no_network(tmp_path: Path) -> None:
    record = asyncio.run(World(tmp_path, Behaviour(switch=(80.0,))).runner().run())
    page = Reader(report.page(record))
    assert page.fetched == []
    assert "fail: convergence: nothing carried the yard for 1 min 20 s, limit 1 min" in page.text
    for instant in (
        "the primary was cut",
        "the first answered probe over the standby",
        "nothing was lost from here on",
    ):
        assert instant in page.text
    assert (record.folder / sealing.SEAL).read_text().strip() in page.text
    text = report.markdown(record)
    assert text.startswith("# Quarterly WAN failover: fontana\n\n**fail**: convergence")
    assert "| t0 | the primary was cut | 2023-11-14 14:1" in text
    assert "not asked: the drill ran without a person" in text


def test_a_report_is_written_beside_the_evidence_and_never_among_it(tmp_path: Path) -> None:
    record = asyncio.run(World(tmp_path).runner().run())
    place = ("--inventory", str(tmp_path / "fleet.yml"), "--state", str(tmp_path / "yardlight.db"))
    assert cli.main(["drill", "report", str(record.folder), "-o", str(tmp_path / "out"), *place]) == 0
    assert {file.name for file in (tmp_path / "out").iterdir()} == {f"{record.id}.md", f"{record.id}.html"}
    assert sealing.verify(record.folder) == []
    (record.folder / "report.html").write_text("better")
    assert [str(finding) for finding in sealing.verify(record.folder)] == ["report.html: was added after the seal"]


def test_a_report_of_edited_evidence_says_so_before_anything_else(tmp_path: Path) -> None:
    record = asyncio.run(World(tmp_path, Behaviour(switch=(80.0,))).runner().run())
    file = record.folder / sealing.RECORD
    file.write_text(file.read_text().replace('"result": "fail"', '"result": "pass"'))
    edited = evidence.read(record.folder)
    assert edited.result == "pass"
    warning = "This is not the evidence that was sealed: record.json: was edited"
    assert report.markdown(edited).splitlines()[2] == f"**{warning}**"
    assert warning in Reader(report.page(edited)).text


def test_evidence_that_is_handed_on_has_no_secret_of_the_cut_in_it(tmp_path: Path) -> None:
    call = '{url: "http://127.0.0.1:9/wan?token=s3cret", body: s3cret, headers: {Authorization: s3cret}}'
    ways = (f"http: {{do: {call}, undo: {call}}}", "command: {do: [curl, -u, 's3cret'], undo: [curl, -u, 's3cret']}")
    for number, way in enumerate(ways):
        (tmp_path / str(number)).mkdir()
        inventory = INVENTORY.replace("command: {do: [/bin/true], undo: [/bin/true]}", way)
        record = asyncio.run(World(tmp_path / str(number), inventory=inventory).runner().run())
        files = [file for file in record.folder.rglob("*") if file.is_file()]
        assert [file.name for file in files if b"s3cret" in file.read_bytes()] == []


def test_evidence_is_read_where_there_is_no_inventory_and_a_zip_asks_to_be_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = asyncio.run(World(tmp_path).runner().run())
    monkeypatch.chdir(tmp_path)
    packed = shutil.make_archive("sent", "zip", record.folder.parent, record.folder.name)
    (tmp_path / "auditor").mkdir()
    monkeypatch.chdir(tmp_path / "auditor")
    assert cli.main(["drill", "verify", packed]) == 1
    assert "sent.zip is packed; unpack it and name the folder that comes out" in capsys.readouterr().err
    shutil.unpack_archive(packed, ".")
    monkeypatch.chdir(record.id)
    assert cli.main(["drill", "verify", "."]) == 0
    assert capsys.readouterr().out.startswith(f"{record.id}: whole, seal ")


def test_the_chart_shows_when_the_yard_was_cut_off(tmp_path: Path) -> None:
    record = asyncio.run(World(tmp_path).runner().run())
    svg = re.search(r"<svg.*?</svg>", report.page(record), re.DOTALL)
    assert svg is not None
    assert svg[0].count('class="down"') >= 5
    assert svg[0].count("<line") == len(record.body["rounds"][0]["instants"])


def test_before_approval_it_says_how_often_dispatch_drops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fleet.yml").write_text(INVENTORY)
    place = ("--inventory", str(tmp_path / "fleet.yml"), "--terminal", "fontana", "--dry-run")
    assert cli.main(["drill", "run", "quarterly-wan-failover", *place]) == 0
    said = capsys.readouterr().out
    assert "dispatch will drop 2 times for about 60 seconds" in said
    assert "by the terminal itself (command)" in said
    assert not (tmp_path / "yardlight-drills").exists()
    assert cli.main(["drill", "run", "both-dark-tabletop", *place]) == 0
    assert "Nothing is cut." in capsys.readouterr().out


def test_the_binder_has_names_numbers_and_times_and_opens_offline(tmp_path: Path) -> None:
    site = 'site: {peak: mornings, address: "1 Yard Rd", contacts: {yard: "+1 909 555 0100"}}'
    circuit = 'circuit: {isp: Frontier, id: 12/KRFN/004, support: "+1 800 555 0199"}'
    text = INVENTORY.replace("site: {peak: mornings}", site)
    text = text.replace("circuit: {isp: Frontier, id: 12/KRFN/004}", circuit)
    (tmp_path / "fleet.yml").write_text(text)
    assert cli.main(["render", "playbooks", "--inventory", str(tmp_path / "fleet.yml"), "-o", str(tmp_path / "b")]) == 0
    page = Reader((tmp_path / "b" / "fontana.html").read_text())
    assert page.fetched == []
    for word in (
        "+1 909 555 0100",
        "+1 800 555 0199",
        "12/KRFN/004",
        "Frontier",
        "1 Yard Rd",
        "Pull the cable of fiber",
    ):
        assert word in page.text
    assert "Dispatch will drop 2 times for about 60 seconds" in page.text
    assert "drill attach quarterly-wan-failover --terminal fontana" in page.text
    assert "drill attach thorough-wan-failover" not in page.text, "which would be refused"
    assert "drill link thorough-wan-failover --terminal fontana" in page.text
    assert "say so to whoever is on call before it begins" in page.text
    assert "Plug the cable back in at once if nothing works for 2m15s" in page.text
    assert page.text.count("done by") == 7
