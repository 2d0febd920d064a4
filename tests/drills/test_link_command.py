"""`yardlight drill link`: an address on stdout that opens the drill, and a QR code for whoever holds the phone."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import segno

from yardlight.cli import main
from yardlight.drills.links import Links

INVENTORY = """
fleet: inland-haul
terminals:
  fontana: {targets: [127.0.0.1], uplinks: {fiber: {bind: 10.10.0.21}, lte: {bind: wwan0}}}
"""
PLAYBOOK = "quarterly-wan-failover"


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "fleet.yml").write_text(INVENTORY)
    (tmp_path / "yardlight.db").touch()
    return ["drill", "link", PLAYBOOK, "--terminal", "fontana", "--inventory", str(tmp_path / "fleet.yml"),
            "--state", str(tmp_path / "yardlight.db")]  # fmt: skip


def test_stdout_is_the_address_and_nothing_else(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--base", "https://box.example.com/"]) == 0
    (address,) = capsys.readouterr().out.splitlines()
    token = address.removeprefix("https://box.example.com/drills/go/")
    link = Links(tmp_path / "yardlight-drills").find(token, time.time())
    assert (link.terminal, link.playbook) == ("fontana", PLAYBOOK)


def test_a_link_that_no_serve_would_know_is_not_made(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words[:-1], str(tmp_path / "elsewhere.db")]) == 1
    assert "elsewhere.db is not there: give the state file of this box's serve, --state FILE" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for somebody else")
def test_a_link_that_root_made_opens_at_a_serve_that_runs_as_somebody_else(words: list[str], tmp_path: Path) -> None:
    nobody = 65534
    os.chown(tmp_path, nobody, nobody)
    umask = os.umask(0o077)
    try:
        assert main(words) == 0
    finally:
        os.umask(umask)
    folder = tmp_path / "yardlight-drills"
    made = [folder, *folder.iterdir()]
    assert {path.name for path in made} == {folder.name, "links.json", ".links.lock"}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(nobody, nobody)}


def test_without_a_base_it_is_the_address_that_this_machine_sends_from(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("http://127.0.0.1:10480/drills/go/")


def test_whoever_sits_at_a_terminal_gets_a_qr_code_of_the_same_address(words: list[str]) -> None:
    ours, theirs = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "yardlight", *words], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True
    )
    os.close(theirs)
    said = ""
    while "begun within a day" not in said:
        said += os.read(ours, 65536).decode()
    os.close(ours)
    expected = io.StringIO()
    segno.make(done.stdout.strip(), micro=False).terminal(out=expected, compact=True)
    assert re.sub(r"\r", "", said).startswith(expected.getvalue())
