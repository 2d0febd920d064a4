"""Any edit of sealed evidence shows, whatever byte it is in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yardlight import sealing
from yardlight.errors import DrillError
from yardlight.journal import Journal


def bundle(folder: Path) -> Path:
    journal = Journal(folder / sealing.JOURNAL)
    for number in range(5):
        journal.write("step", 1000.0 + number, step=f"s{number}", text='quoted "text", ü')
    journal.close()
    sealing.write(folder, sealing.RECORD, {"drill": "d1", "terminal": "fontana", "playbook": "p", "ended": 1010.0,
                                              "result": "pass"})  # fmt: skip
    sealing.write(folder, "queries/001.json", {"query": "up", "answer": {"status": "success"}})
    sealing.write_bytes(folder, "facts.jsonl", b'{"at": 1}\n{"at": 2}\n{"at": 3}\n')
    sealing.seal(folder)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("evidence") / "d1")


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def test_untouched_evidence_is_whole(whole: Path) -> None:
    assert sealing.verify(whole) == []


def copied(whole: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(whole, target)
    return target


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_d10_one_changed_byte_anywhere_is_found_and_its_file_named(
    data: st.DataObject, whole: Path, tmp_path: Path
) -> None:
    folder = copied(whole, tmp_path)
    file = data.draw(st.sampled_from(files(folder)))
    raw = bytearray(file.read_bytes())
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= data.draw(st.integers(1, 255))
    file.write_bytes(bytes(raw))
    found = sealing.verify(folder)
    name = str(file.relative_to(folder))
    assert any(name in str(finding) for finding in found), (name, index, found)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_byte_that_was_put_in_or_taken_out_is_found(data: st.DataObject, whole: Path, tmp_path: Path) -> None:
    folder = copied(whole, tmp_path)
    file = data.draw(st.sampled_from(files(folder)))
    raw = file.read_bytes()
    index = data.draw(st.integers(0, len(raw) - 1))
    added = data.draw(st.binary(max_size=1))
    file.write_bytes(raw[:index] + added + raw[index + (not added) :])
    assert any(str(file.relative_to(folder)) in str(finding) for finding in sealing.verify(folder))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_lines_and_files_that_were_moved_removed_or_added_are_found(
    data: st.DataObject, whole: Path, tmp_path: Path
) -> None:
    folder = copied(whole, tmp_path)
    what = data.draw(st.sampled_from(["swap lines", "drop line", "repeat line", "remove", "swap files", "add"]))
    one, other = data.draw(st.permutations(files(folder)))[:2]
    if what.endswith(("line", "lines")):
        one = folder / data.draw(st.sampled_from([sealing.JOURNAL, "facts.jsonl"]))
        lines = one.read_bytes().splitlines(keepends=True)
        first, second = data.draw(st.permutations(range(len(lines))))[:2]
        if what == "swap lines":
            lines[first], lines[second] = lines[second], lines[first]
        elif what == "drop line":
            del lines[first]
        else:
            lines.insert(first, lines[second])
        one.write_bytes(b"".join(lines))
    elif what == "remove":
        one.unlink()
    elif what == "swap files":
        first_bytes, second_bytes = one.read_bytes(), other.read_bytes()
        one.write_bytes(second_bytes)
        other.write_bytes(first_bytes)
    else:
        one = folder / "queries" / "002.json"
        one.write_text("{}")
    found = sealing.verify(folder)
    if what == "swap files" and {one.name, other.name} & {sealing.MANIFEST, sealing.SEAL}:
        assert found  # where the list itself is gone, it is named and no other can be
    else:
        assert any(str(one.relative_to(folder)) in str(finding) for finding in found), (what, one, found)


@pytest.mark.parametrize("name", [sealing.MANIFEST, sealing.SEAL, sealing.RECORD])
def test_evidence_that_was_sealed_again_after_a_kill_in_the_middle_of_it_is_whole(tmp_path: Path, name: str) -> None:
    folder = bundle(tmp_path / "d1")
    (folder / f".{name}.part").write_text('{"half')
    sealing.seal(folder)
    assert sealing.verify(folder) == []


def test_a_journal_goes_on_after_a_crash_in_the_middle_of_a_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("begun", 1.0)
    journal.close()
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"at":2.0,"wh')
    again = Journal(tmp_path / "journal.jsonl")
    assert [entry["what"] for entry in again.entries] == ["begun"]
    again.write("interrupted", 3.0)
    again.close()
    assert [entry["what"] for entry in Journal(tmp_path / "journal.jsonl").entries] == ["begun", "interrupted"]


def test_a_journal_that_was_edited_is_not_taken_up_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.write("begun", 1.0)
    journal.close()
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"begun", b"ended"))
    with pytest.raises(DrillError, match="line 1 was changed"):
        Journal(path)


def test_two_processes_never_write_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(DrillError, match="another process"):
        Journal(tmp_path / "journal.jsonl")
    journal.close()
    Journal(tmp_path / "journal.jsonl").close()
