"""`yardlight quiet`: said once, taken up by a running centre, over by itself."""

from __future__ import annotations

import fcntl
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.test_discovery import Centre, serve  # noqa: F401
from yardlight import centre
from yardlight.cli import main
from yardlight.errors import StartError
from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.quiet import Quiet, QuietTimes, quiet_file, read

FLEET = """
fleet: inland-haul
timezone: America/Los_Angeles
terminals:
  fontana: {targets: [198.51.100.1], uplinks: {fiber: {bind: 10.0.0.1}, lte: {bind: 10.0.0.2}}}
  ontario: {targets: [198.51.100.1], uplinks: {fiber: {}}}
"""
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    path = tmp_path / "fleet.yml"
    path.write_text(FLEET)
    return path


def quiet(fleet: Path, *words: str) -> int:
    return main(["quiet", "--inventory", str(fleet), *words])


def entry(**more: Any) -> Quiet:
    values = {
        "terminal": "fontana",
        "uplink": None,
        "from": NOW,
        "to": NOW + timedelta(hours=2),
        "who": "ann",
        "why": "x",
    }
    return Quiet.model_validate(values | more)


def maintained(fleet: Path, entries: list[Quiet], now: datetime) -> dict[str, float]:
    """maintenance_active by terminal and uplink."""
    text = page(centre.Said().blocks(load(fleet).fleet, now.timestamp(), entries), openmetrics=False).decode()
    found = re.findall(r'maintenance_active\{.*terminal="(.*)",uplink="(.*)"\} (.*)', text)
    return {f"{terminal} {uplink}": float(value) for terminal, uplink, value in found}


def test_what_was_said_is_kept_with_who_when_and_why(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quiet(fleet, "fontana", "2h", "the", "ISP", "moves", "a cable") == 0
    (kept,) = read(quiet_file(fleet))
    assert (kept.terminal, kept.uplink, kept.why) == ("fontana", None, "the ISP moves a cable")
    assert kept.who
    assert kept.to - kept.from_ == timedelta(hours=2)
    assert abs(kept.from_.timestamp() - time.time()) < 30
    said = capsys.readouterr().out
    assert re.search(r"fontana of inland-haul is quiet until \S+ \S+ P[SD]T \(2 h\): the ISP moves a cable", said)
    assert "its tickets become info; a dark terminal still pages" in said


def test_a_whole_terminal_or_one_circuit_is_in_maintenance_for_that_time_only(fleet: Path) -> None:
    assert maintained(fleet, [], NOW) == {}
    assert maintained(fleet, [entry()], NOW) == {"fontana fiber": 1, "fontana lte": 1}
    assert maintained(fleet, [entry(uplink="lte")], NOW) == {"fontana lte": 1}
    over = NOW + timedelta(hours=2)
    assert maintained(fleet, [entry()], over) == {"fontana fiber": 0, "fontana lte": 0}
    assert maintained(fleet, [entry(), entry(uplink="lte", to=over + timedelta(hours=1))], over) == {
        "fontana fiber": 0,
        "fontana lte": 1,
    }


def test_a_window_of_the_inventory_and_a_quiet_time_do_not_undo_each_other(fleet: Path) -> None:
    local = NOW.astimezone(load(fleet).fleet.terminals["fontana"].zone).replace(tzinfo=None)
    end = local + timedelta(hours=1)
    window = f"{{uplink: fiber, from: {local:%Y-%m-%dT%H:%M:%S}, to: {end:%Y-%m-%dT%H:%M:%S}, why: x}}"
    fleet.write_text(FLEET.replace("lte: {bind: 10.0.0.2}}", f"lte: {{bind: 10.0.0.2}}}}, maintenance: [{window}]"))
    past = entry(uplink="fiber", to=NOW - timedelta(seconds=1), **{"from": NOW - timedelta(hours=1)})
    assert maintained(fleet, [past], NOW) == {"fontana fiber": 1}


def test_saying_it_again_takes_the_place_of_what_was_said_before(fleet: Path) -> None:
    quiet(fleet, "fontana", "2h", "first")
    quiet(fleet, "--uplink", "lte", "fontana", "3h", "other")
    quiet(fleet, "fontana", "30m", "second")
    assert [(each.uplink, each.why) for each in read(quiet_file(fleet))] == [("lte", "other"), (None, "second")]


def test_ending_it_keeps_it_in_the_list(fleet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert quiet(fleet, "--list") == 0
    quiet(fleet, "--uplink", "fiber", "fontana", "2h", "a")
    quiet(fleet, "--uplink", "lte", "fontana", "2h", "b")
    assert quiet(fleet, "fontana", "--end", "--uplink", "lte") == 0
    assert quiet(fleet, "fontana", "--end", "--uplink", "lte") == 1
    active = [each.why for each in read(quiet_file(fleet)) if each.active(time.time())]
    assert active == ["a"]
    capsys.readouterr()
    assert quiet(fleet, "--list", "fontana") == 0
    listed = capsys.readouterr().out
    assert re.search(r"fontana fiber .* now ", listed)
    assert re.search(r"fontana lte .* over ", listed)
    assert quiet(fleet, "fontana", "--end") == 0
    assert capsys.readouterr().out == "fontana is quiet no more\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fontanna", "2h", "x"), "there is no terminal 'fontanna'; did you mean 'fontana'?"),
        (("--uplink", "lte", "ontario", "2h", "x"), "ontario has no uplink 'lte'; uplinks: fiber"),
        (("fontana", "2", "x"), "'2' is not a duration; write a number with a unit: 250ms, 3s, 10m, 2h, 7d"),
        (("fontana", "0s", "x"), "'0s' is not between a moment and 7d; write longer ones into "),
        (("fontana", "8d", "x"), "'8d' is not between a moment and 7d; write longer ones into "),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_kept(
    fleet: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert quiet(fleet, *words) == 1
    assert message in capsys.readouterr().err
    assert read(quiet_file(fleet)) == []


@pytest.mark.parametrize("words", [(), ("fontana",), ("fontana", "2h"), ("--end",), ("fontana", "--end", "--list")])
def test_words_that_do_not_go_together_are_wrong_usage(fleet: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as end:
        quiet(fleet, *words)
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[", "Invalid JSON"),
        ('{"a": 1}', "Input should be a valid"),
        ('[{"terminal": "fontana"}]', "0.uplink: Field required"),
        (json.dumps([json.loads(entry().model_dump_json(by_alias=True)) | {"from": "2026-01-01T00:00"}]), "0.from"),
    ],
)
def test_a_broken_file_is_refused_by_the_command_and_left_as_it_is(
    fleet: Path, capsys: pytest.CaptureFixture[str], text: str, where: str
) -> None:
    quiet_file(fleet).write_text(text)
    assert quiet(fleet, "fontana", "2h", "x") == 1
    assert f"{quiet_file(fleet)} is not a list of quiet times: {where}" in capsys.readouterr().err
    assert quiet_file(fleet).read_text() == text


def test_a_broken_file_leaves_what_a_centre_knew_in_use(fleet: Path, caplog: pytest.LogCaptureFixture) -> None:
    times = QuietTimes(fleet)
    assert list(times.entries()) == []
    quiet(fleet, "fontana", "2h", "x")
    assert [each.why for each in times.entries()] == ["x"]
    quiet_file(fleet).write_text("[")
    assert [each.why for each in times.entries()] == ["x"]
    assert [each.why for each in times.entries()] == ["x"]
    assert len(caplog.records) == 1
    quiet_file(fleet).unlink()
    assert list(times.entries()) == []


def test_one_who_changes_it_waits_for_another(fleet: Path) -> None:
    with (fleet.parent / ".fleet.quiet.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = Thread(target=quiet, args=(fleet, "fontana", "1h", "second"))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        first = entry(terminal="ontario", why="first")
        quiet_file(fleet).write_text(f"[{first.model_dump_json(by_alias=True)}]")
    second.join(20)
    assert [each.why for each in read(quiet_file(fleet))] == ["first", "second"]


def test_old_entries_are_forgotten(fleet: Path) -> None:
    old = entry(to=NOW - timedelta(days=31), **{"from": NOW - timedelta(days=32)}, why="old")
    young = entry(to=NOW - timedelta(days=29), **{"from": NOW - timedelta(days=30)}, why="young")
    rows = [json.loads(each.model_dump_json(by_alias=True)) for each in (old, young)]
    quiet_file(fleet).write_text(json.dumps(rows))
    quiet(fleet, "fontana", "2h", "new")
    assert [each.why for each in read(quiet_file(fleet))] == ["young", "new"]


def test_an_unreadable_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(StartError, match="cannot be read: is a directory"):
        read(tmp_path / "x")


def test_a_running_centre_takes_it_up_and_ends_it_without_a_restart(
    fleet: Path,
    serve: Callable[[], Centre],  # noqa: F811
    eventually: Callable[..., object],
) -> None:
    running = serve()
    line = 'maintenance_active{fleet="inland-haul",terminal="fontana",uplink="fiber"} '
    assert line not in running.get("/metrics")[2]
    quiet(fleet, "fontana", "1h", "x")
    eventually(lambda: line + "1" in running.get("/metrics")[2], within=20, every=0.3)
    quiet(fleet, "fontana", "--end")
    eventually(lambda: line + "0" in running.get("/metrics")[2], within=20, every=0.3)
