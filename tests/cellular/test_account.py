"""The file with the names of SIMs, and what is said about its mistakes: never a number."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from yardlight.cellular.account import SimAccount, directory
from yardlight.cellular.usage import Directory, listed
from yardlight.collection import Session
from yardlight.demo.carrier import with_check
from yardlight.errors import PollError

FIRST, SECOND = with_check("890010000000000" + "7001"), with_check("890010000000000" + "7002")


def read(folder: Path, text: str | bytes, memory: object = None) -> Directory:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "sims.csv").write_bytes(content)
    return directory(SimAccount(sims="sims.csv"), Session(time.monotonic() + 5, folder, memory))


def test_sims_have_the_names_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, f"\ufeffsim, iccid, truck\ncab-7, {FIRST}, T7\ncab-8,{SECOND[:-1]}F,T8\n")
    assert (found.name(FIRST[:-1]), found.name(SECOND)) == ("cab-7", "cab-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,number\n", "sims.csv:1: has no column iccid and no column sim; write sim,iccid"),
        (f"sim,iccid\ncab-7,{FIRST}\n,{SECOND}\n", "sims.csv:3: a line needs both, sim and iccid"),
        (f"sim,iccid\ncab-7,{FIRST}\ncab-8,{FIRST}\n", "sims.csv:3: cab-8 and cab-7 have the same iccid"),
        (f"sim,iccid\ncab-7,{FIRST}\ncab-8,{FIRST[:-1]}F\n", "sims.csv: cab-8 and cab-7 are the same SIM"),
        ("sim,iccid\ncab-7,12345678901234567890\n", "sims.csv:2: 20 characters that are not an ICCID; it is 18 to 20"),
        (b"sim,iccid\ncab-\xff,1\n", "sims.csv: is not UTF-8 text"),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_line_and_without_a_number(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(PollError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(message)
    assert FIRST[:18] not in str(error.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(PollError, match=r"gone\.csv: cannot be read: no such file or directory"):
        directory(SimAccount(sims="gone.csv"), Session(time.monotonic() + 5, tmp_path))


def test_a_sim_without_a_name_has_the_same_mark_in_every_collection_and_another_elsewhere(tmp_path: Path) -> None:
    here, there = Session(time.monotonic() + 5, tmp_path), Session(time.monotonic() + 5, tmp_path)
    mark = directory(SimAccount(), here).name(FIRST)
    assert not listed(mark)
    again = Session(time.monotonic() + 5, tmp_path, here.memory)
    assert directory(SimAccount(), again).name(FIRST) == mark
    assert directory(SimAccount(), there).name(FIRST) != mark
