"""Spans of states: they claim the time that was watched, all of it and nothing else."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yardlight.errors import StateError
from yardlight.state import VERSION, Reader, Span, State
from yardlight.terminal.timeline import Timeline

SHIFT = 1_790_000_000.0


class Watched:
    """A timeline whose spans are kept as the state file keeps them: the newest of those with one beginning."""

    def __init__(self) -> None:
        self.timeline = Timeline("acme", "fontana", "pinned")
        self.rows: dict[tuple[str, float], Span] = {}

    def see(self, state: str, now: float, since: float | None = None, shift: float = SHIFT) -> None:
        for span in self.timeline.see("fiber", state, since, now, shift):
            self.rows[(span.uplink, span.start)] = span

    def spans(self) -> list[tuple[str, float, float]]:
        """State, beginning and end in monotonic seconds, without those of no length."""
        rows = sorted(self.rows.values(), key=lambda span: span.start)
        return [(span.state, span.start - SHIFT, span.end - SHIFT) for span in rows if span.end > span.start]


def test_a_state_grows_with_each_look() -> None:
    watched = Watched()
    for now in (10.0, 40.0, 70.0):
        watched.see("up", now)
    assert watched.spans() == [("up", 10.0, 70.0)]


def test_a_state_that_began_before_it_was_known_takes_that_time_from_the_one_before() -> None:
    watched = Watched()
    watched.see("up", 10.0)
    watched.see("up", 40.0)
    watched.see("down", 41.0, since=38.0)
    watched.see("up", 60.0, since=55.0)
    assert watched.spans() == [("up", 10.0, 38.0), ("down", 38.0, 55.0), ("up", 55.0, 60.0)]


def test_an_outage_that_began_before_the_process_claims_nothing_of_that_time() -> None:
    watched = Watched()
    watched.see("unknown", 100.0)
    watched.see("down", 103.0, since=20.0)
    assert watched.spans() == [("down", 100.0, 103.0)]


def test_time_that_was_not_watched_is_in_no_span() -> None:
    watched = Watched()
    watched.see("up", 10.0)
    watched.see("up", 20.0)
    watched.timeline.interrupt()
    watched.see("up", 90.0)
    watched.see("up", 95.0)
    assert watched.spans() == [("up", 10.0, 20.0), ("up", 90.0, 95.0)]


@pytest.mark.parametrize("step", [-7200.0, 7200.0])
def test_a_step_of_the_clock_adds_no_time(step: float) -> None:
    watched = Watched()
    watched.see("up", 10.0)
    watched.see("up", 20.0)
    watched.see("up", 30.0, shift=SHIFT + step)
    watched.see("up", 40.0, shift=SHIFT + step)
    assert sum(end - start for _, start, end in watched.spans()) == 20.0


@given(
    st.lists(
        st.tuples(st.sampled_from(["up", "degraded", "down", "unknown"]), st.integers(1, 60), st.integers(0, 90)),
        min_size=1,
    )
)
def test_spans_cover_each_watched_second_exactly_once(looks: list[tuple[str, int, int]]) -> None:
    watched, now, state = Watched(), 0.0, ""
    for seen, step, back in looks:
        now += step
        watched.see(seen, now, since=now - back if seen != state else None)
        state = seen
    spans = watched.spans()
    assert sum(end - start for _, start, end in spans) == now - looks[0][1]
    assert all(first[2] == second[1] for first, second in pairwise(spans))


def test_spans_are_read_while_they_are_written_and_a_longer_one_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    state = State(path)
    state.keep([Span("acme", "fontana", "pinned", "fiber", "up", 100.0, 130.0)])
    state.keep([Span("acme", "fontana", "pinned", "fiber", "up", 100.0, 120.0)])
    state.close()
    state = State(path)
    reader = Reader(path)
    assert reader.spans("acme", "fontana", 0.0, 200.0) == [
        Span("acme", "fontana", "pinned", "fiber", "up", 100.0, 120.0)
    ]
    assert reader.spans("acme", "fontana", 119.0, 200.0) != []
    assert reader.spans("acme", "fontana", 121.0, 200.0) == reader.spans("other", "fontana", 0.0, 200.0) == []
    reader.close()
    state.close()


KILLED = """
import sys, threading
from pathlib import Path
from yardlight.state import Event, State
from yardlight.terminal.timeline import Timeline
state, timeline = State(Path(sys.argv[1])), Timeline("acme", "fontana", "pinned")
for now in range(100000):
    state.keep(timeline.see("fiber", "up", None, float(now), 0.0))
    written = threading.Event()
    state.record(Event("acme", "fontana", "gap", "fiber", now, now, {}), [], written.set)
    written.wait()
    print(now, flush=True)
"""


def test_kill_9_leaves_what_was_watched_until_the_last_look(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 50:
                break
        process.kill()
        last = max([50, *(int(line) for line in process.stdout if line.endswith("\n"))])
    reader = Reader(path)
    (span,) = reader.spans("acme", "fontana", 0.0, 1e9)
    assert (span.start, span.state) == (0.0, "up")
    assert last - 1 <= span.end <= last + 1
    reader.close()


def test_what_is_no_state_file_is_one_clear_error_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with pytest.raises(StateError, match="there is no state file here"):
        Reader(path)
    path.write_text("this is no database, but somebody may want it" * 100)
    with pytest.raises(StateError, match="cannot read the state file: file is not a database"):
        Reader(path)
    assert path.read_text().startswith("this is no database")
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE song (title)")
    connection.commit()
    with pytest.raises(StateError, match="is not a state file"):
        Reader(other)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StateError, match="written by a newer Yardlight"):
        Reader(other)
    connection.close()


def test_a_state_file_from_before_spans_were_kept_has_events_only(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    State(path).close()
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE span")
    connection.execute("INSERT INTO event VALUES (1, 'acme', 'fontana', 'gap', 'lte', 10.0, 30.0, '{}')")
    connection.commit()
    connection.close()
    reader = Reader(path)
    assert [event.end for event in reader.events("acme", "fontana", 20.0, 40.0)] == [30.0]
    assert reader.spans("acme", "fontana", 0.0, 40.0) == []
    reader.close()
