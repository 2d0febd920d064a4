"""The state file: valid after kill -9, moved aside when unusable, never ahead of what is exposed."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from yardlight import catalogue as m
from yardlight.errors import StateError
from yardlight.exposition import Histogram
from yardlight.state import Event, State, Total
from yardlight.terminal.totals import Totals

EVENT = Event("acme", "fontana", "gap", "lte", 1000.0, 1015.5, {"error": 0.1})


def record(state: State, event: Event = EVENT, totals: list[Total] | None = None) -> None:
    done = threading.Event()
    state.record(event, totals or [], done.set)
    assert done.wait(10)


def test_events_and_totals_survive_a_restart(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    record(state, totals=[Total(m.FAILOVERS.name, ("fontana", "fiber", "lte"), 1.0)])
    state.remember("acme", "fontana", "carrier", {"is": "lte"})
    state.close()
    state = State(tmp_path / "s.db")
    assert state.events("acme", "fontana", 0, 2000) == [EVENT]
    assert state.events("other", "fontana", 0, 2000) == []
    assert state.totals("acme", "fontana") == [Total(m.FAILOVERS.name, ("fontana", "fiber", "lte"), 1.0)]
    assert state.recall("acme", "fontana", "carrier") == {"is": "lte"}
    state.close()


def test_a_corrupt_file_is_moved_aside_said_and_not_deleted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"this is no database, but somebody may want it" * 100)
    with caplog.at_level(logging.ERROR):
        state = State(path)
    record(state)
    state.close()
    kept = list(tmp_path.glob("s.db.corrupt-*"))
    assert len(kept) == 1
    assert kept[0].read_bytes().startswith(b"this is no database")
    assert "not a usable state file" in caplog.text


def _filled(path: Path) -> bytes:
    """A state file of some pages."""
    state = State(path)
    for number in range(200):
        record(state, totals=[Total(m.FAILOVERS.name, ("fontana", "fiber", str(number)), float(number))])
    state.close()
    return path.read_bytes()


@pytest.mark.parametrize("page", range(1, 7))
def test_a_file_with_a_broken_page_opens_and_history_is_written_again(tmp_path: Path, page: int) -> None:
    path = tmp_path / "s.db"
    raw = bytearray(_filled(path))
    raw[page * 4096 : (page + 1) * 4096] = b"\x2a" * 4096
    path.write_bytes(raw)
    state = State(path)
    assert state.totals("acme", "fontana") == []
    assert state.events("acme", "fontana", 0, 2000) == []
    record(state)
    assert state.events("acme", "fontana", 0, 2000) == [EVENT]
    state.close()
    assert len(list(tmp_path.glob("s.db.corrupt-*"))) == 1


def test_what_is_broken_inside_a_sound_page_is_lost_alone_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.db"
    _filled(path)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE total SET labels = '[1' WHERE value = '7.0'")
    connection.close()
    state = State(path)
    assert state.totals("acme", "fontana") == []
    assert len(state.events("acme", "fontana", 0, 2000)) == 200
    state.close()
    assert "a part of the state file is broken" in caplog.text


def test_a_file_that_breaks_while_it_is_written_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    state = State(path)
    record(state)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(b"\x2a" * path.stat().st_size)
    record(state)
    assert state.events("acme", "fontana", 0, 2000) == [EVENT]
    state.close()
    assert len(list(tmp_path.glob("s.db.corrupt-*Z"))) == 1


def test_a_file_of_a_newer_version_is_moved_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "s.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.execute("CREATE TABLE future (x)")
    connection.commit()
    connection.close()
    with caplog.at_level(logging.ERROR):
        State(path).close()
    assert len(list(tmp_path.glob("s.db.newer-*"))) == 1
    assert "written by a newer Yardlight" in caplog.text


def test_two_processes_cannot_share_a_state_file(tmp_path: Path) -> None:
    state = State(tmp_path / "s.db")
    with pytest.raises(StateError, match="another yardlight process uses this state file"):
        State(tmp_path / "s.db")
    state.close()


def test_a_folder_that_does_not_exist_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot keep state there: No such file or directory"):
        State(tmp_path / "nowhere" / "s.db")


REFUSED = """
import subprocess, sys, threading, time
from pathlib import Path
from yardlight.state import Event, State, Total

disk, fault = Path(sys.argv[1]), sys.argv[2]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "test", str(disk)], check=True)

def record(state, number):
    done = threading.Event()
    event = Event("acme", "fontana", "gap", "lte", float(number), number + 1.0, {})
    state.record(event, [Total("count", (), number)], done.set)
    return done

state = State(disk / "s.db")
assert record(state, 1).wait(10)
if fault != "killed":
    state.close()
else:
    # What kill -9 leaves: the newest totals are in the log beside the file only.
    import shutil
    for name in ("s.db", "s.db-wal"):
        shutil.copyfile(disk / name, disk / f"copy.{name}")
    state.close()
    for name in ("s.db", "s.db-wal"):
        (disk / f"copy.{name}").rename(disk / name)
if fault == "full":
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            pass
else:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
state = State(disk / "s.db")
written = record(state, 2)
deadline = time.monotonic() + 30
while state.writable and time.monotonic() < deadline:
    time.sleep(0.1)
assert not state.writable
assert [total.value for total in state.totals("acme", "fontana")] == [1]
assert not written.is_set()
if fault == "full":
    (disk / "filler").unlink()
else:
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
assert written.wait(30)
assert state.writable
state.close()
state = State(disk / "s.db")
assert [total.value for total in state.totals("acme", "fontana")] == [2]
assert len(state.events("acme", "fontana", 0, 10)) == 2
state.close()
print("held")
"""


@pytest.mark.needs("unshare")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("fault", ["read-only", "full", "killed"])
def test_a_disk_that_refuses_from_the_start_is_said_and_taken_up_when_it_can_be_written(
    tmp_path: Path, fault: str
) -> None:
    trial = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "true"], capture_output=True, check=False
    )
    if trial.returncode:
        pytest.skip("no namespaces on this machine")
    program = [sys.executable, "-c", REFUSED, str(tmp_path), fault]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "held\n", done.stderr


def test_a_total_is_shown_only_after_it_was_written() -> None:
    totals = Totals([])
    totals.declare(m.FAILOVERS, ("fontana", "fiber", "lte"))
    new = totals.add(m.FAILOVERS, ("fontana", "fiber", "lte"), 1.0)
    assert totals.samples(m.FAILOVERS) == {("fontana", "fiber", "lte"): 0.0}
    totals.show([new])
    assert totals.samples(m.FAILOVERS) == {("fontana", "fiber", "lte"): 1.0}


def test_a_restored_histogram_goes_on_where_it_was() -> None:
    first = Totals([])
    written = [first.add(m.GAP, ("fontana",), seconds) for seconds in (3.0, 16.0, 70.0)][-1]
    second = Totals([written])
    second.declare(m.GAP, ("fontana",))
    shown = second.samples(m.GAP)[("fontana",)]
    assert isinstance(shown, Histogram)
    assert (sum(shown.counts), shown.sum) == (3, 89.0)


def test_a_histogram_whose_buckets_changed_loses_no_count() -> None:
    old = Total(m.GAP.name, ("fontana",), {"bounds": [4.0, 7000.0], "counts": [2, 3, 1], "sum": 9000.0})
    totals = Totals([old])
    totals.declare(m.GAP, ("fontana",))
    shown = totals.samples(m.GAP)[("fontana",)]
    assert isinstance(shown, Histogram)
    assert (sum(shown.counts), shown.sum) == (6, 9000.0)


KILLED = """
import sys, threading
from pathlib import Path
from yardlight.state import Event, State, Total
state = State(Path(sys.argv[1]))
for number in range(1, 100000):
    done = threading.Event()
    event = Event("acme", "fontana", "gap", "lte", float(number), number + 1.0, {})
    state.record(event, [Total("count", (), number)], done.set)
    done.wait()
    print(number, flush=True)
"""


def test_kill_9_in_the_middle_of_writing_loses_nothing_that_was_exposed(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            exposed = 0
            for line in process.stdout:
                exposed = int(line)
                if exposed >= 20:
                    break
            os.kill(process.pid, signal.SIGKILL)
            rest = [int(line) for line in process.stdout if line.endswith("\n")]
        exposed = max([exposed, *rest])
        state = State(path)
        (total,) = state.totals("acme", "fontana")
        assert total.value >= exposed
        state.close()
