"""`yardlight outages`: what happened at a terminal, in its own time, with what an ISP wants to know."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.look_back import Past, at
from yardlight.cli import main
from yardlight.state import State

BEGIN, CUT, HEALED, END = (
    at("2026-10-07T00:00"), at("2026-10-07T02:00:01.250"), at("2026-10-07T05:10:00"), at("2026-10-08T00:00"),
)  # fmt: skip
OCTOBER = ("--from", "2026-10-01", "--to", "2026-10-31")


@pytest.fixture
def past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Past]:
    monkeypatch.chdir(tmp_path)
    made = Past(tmp_path)
    yield made
    made.close()


def rows(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["outages", "--terminal", "fontana", *OCTOBER, "--json", *more]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def a_failover(past: Past) -> None:
    past.good(BEGIN, CUT)
    past.failover(CUT, HEALED)
    past.good(HEALED + 10, END)
    past.close()


def test_a_failover_is_the_silent_circuit_the_move_and_the_move_back(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    a_failover(past)
    circuit, failover, failback = rows(capsys)
    assert circuit == {
        "terminal": "fontana", "kind": "circuit", "uplink": "fiber", "start": "2026-10-07T02:00:01.250-07:00",
        "end": "2026-10-07T05:10:00.000-07:00", "ongoing": False, "seconds": 11398.75, "error_seconds": 0.12,
        "segment": "isp", "isp": "Fron<tier", "circuit": "12/KRFN/004",
        "evidence": "no target answered over it, nor did the ISP; the next hop did; the yard moved to lte",
    }  # fmt: skip
    assert (failover["kind"], failover["uplink"], failover["seconds"]) == ("failover", "fiber", 15.0)
    assert failover["evidence"] == "from fiber to lte; fiber silent on its own path meanwhile"
    assert (failover["isp"], failover["circuit"]) == ("Fron<tier", "12/KRFN/004")
    assert (failback["kind"], failback["uplink"], failback["isp"]) == ("failback", "fiber", None)
    assert (failback["seconds"], failback["evidence"]) == (0.4, "from lte to fiber")


def test_a_gap_while_all_circuits_answer_points_at_the_router(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.good(BEGIN, END)
    past.event("gap", "fiber", CUT, CUT + 7)
    past.close()
    (gap,) = rows(capsys)
    assert (gap["kind"], gap["segment"]) == ("gap", None)
    assert gap["evidence"] == "every circuit answered meanwhile: look at the router"


def test_a_silent_standby_says_that_the_yard_went_on(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.good(BEGIN, END)
    past.event("uplink_gap", "lte", CUT, CUT + 7, segment="next_hop")
    past.close()
    (gap,) = rows(capsys)
    assert gap["evidence"] == "no target answered over it, nor did the next hop; the yard went on over fiber"
    assert (gap["isp"], gap["circuit"]) == ("Verizon", None)


def test_an_outage_that_goes_on_is_listed_though_it_has_no_end(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.good(BEGIN, CUT)
    past.span("pinned", "fiber", "down", CUT, CUT + 60)
    past.span("default", "", "dark", CUT, CUT + 60)
    past.close()
    circuit, gap = rows(capsys)
    assert (circuit["kind"], circuit["ongoing"], circuit["end"], circuit["seconds"]) == ("circuit", True, None, 60.0)
    assert circuit["evidence"] == "no target answered over it; the yard was cut off too"
    assert (gap["kind"], gap["ongoing"], gap["error_seconds"]) == ("gap", True, None)
    assert main(["outages", "--terminal", "fontana", *OCTOBER]) == 0
    listed = capsys.readouterr().out
    assert "1 min, goes on" in listed
    assert "last looked at 2026-10-07 02:01:01 PDT" in listed


def test_an_outage_whose_end_nobody_saw_is_listed_as_such(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.good(BEGIN, CUT)
    past.span("pinned", "fiber", "down", CUT, CUT + 60)
    past.span("pinned", "fiber", "unknown", CUT + 3600, CUT + 3603)
    past.span("pinned", "fiber", "up", CUT + 3603, END)
    past.close()
    (circuit,) = rows(capsys)
    assert (circuit["ongoing"], circuit["seconds"]) == (False, 60.0)
    assert circuit["evidence"].endswith("; its end was not measured")


def test_a_silence_and_the_state_it_led_to_are_one_row(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    a_failover(past)
    assert len(rows(capsys, "--uplink", "fiber")) == 3
    assert rows(capsys, "--uplink", "lte") == []


def test_only_what_touches_the_period_is_listed(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    a_failover(past)
    capsys.readouterr()
    for period, expected in (
        (("--from", "2026-10-08", "--to", "2026-10-08"), 0),
        (("--from", "2026-10-07", "--to", "2026-10-07"), 3),
        (("--from", "2026-10-07T04:00", "--to", "2026-10-07T05:00"), 1),
    ):
        assert main(["outages", "--terminal", "fontana", *period, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)) == expected


def test_csv_has_the_same_rows(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    a_failover(past)
    expected = rows(capsys)
    assert main(["outages", "--terminal", "fontana", *OCTOBER, "--csv"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["start"] for row in found] == [row["start"] for row in expected]
    assert list(found[0]) == list(expected[0])
    assert found[2]["isp"] == ""


def test_people_get_local_times_with_their_zone_and_uncut_lines(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    a_failover(past)
    assert main(["outages", "--terminal", "fontana", *OCTOBER]) == 0
    head, _, first, second, third, summary, unmeasured = capsys.readouterr().out.splitlines()
    assert head == "fontana, 2026-10-01 00:00:00 PDT to 2026-11-01 00:00:00 PDT (times in America/Los_Angeles)"
    assert first.split()[:7] == ["2026-10-07", "02:00:01", "PDT", "3", "h", "9", "min"]
    assert first.rstrip().endswith("the next hop did; the yard moved to lte")
    assert "15.0 s ± 0.1" in second
    assert "failback" in third
    assert unmeasured == "nothing was measured for 30 d of this time"
    assert summary == ("failover: 1, longest 15.0 s; failback: 1, longest 0.4 s; circuit: 1, longest 3 h 9 min")


def test_nothing_recorded_and_nothing_measured_are_two_answers(past: Past, capsys: pytest.CaptureFixture[str]) -> None:
    past.good(BEGIN, END)
    past.close()

    def said(start: str, end: str) -> list[str]:
        assert main(["outages", "--terminal", "fontana", "--from", start, "--to", end]) == 0
        return capsys.readouterr().out.splitlines()[1:]

    assert said("2026-10-07", "2026-10-07") == ["no outage was recorded"]
    assert said("2026-10-07", "2026-10-08") == ["no outage was recorded", "nothing was measured for 1 d of this time"]
    assert said("2026-09-01", "2026-09-02") == ["nothing was measured in this time, so nothing is known about it"]


def test_history_is_read_while_it_is_written_and_from_several_boxes(
    past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_failover(past)
    other = Past(tmp_path, "other.db")
    other.event("gap", "fiber", CUT - 3600, CUT - 3590)
    other.close()
    running = State(past.path)
    found = rows(capsys, "--state", "yardlight.db", "--state", "other.db")
    running.close()
    assert [row["kind"] for row in found] == ["gap", "circuit", "failover", "failback"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--terminal", "fontanna"), "there is no terminal 'fontanna'; did you mean 'fontana'?"),
        (("--terminal", "fontana", "--uplink", "5g"), "fontana has no uplink '5g'; uplinks: fiber, lte"),
        (("--terminal", "fontana", "--from", "october"), "'october' is not a day or a local time; write 2026-10-01"),
        (
            ("--terminal", "fontana", "--from", "2026-10-02", "--to", "2026-10-01"),
            "--to 2026-10-01 is not after --from 2026-10-02",
        ),
        (("--terminal", "fontana", "--state", "no.db"), "no.db: there is no state file here"),
        (("--terminal", "fontana", "--state", "fleet.yml"), "fleet.yml: cannot read the state file"),
        (("--terminal", "fontana", "--fleet", "acme"), "fleet.yml: is the fleet 'inland-haul', not 'acme'"),
        (("--terminal", "fontana", "--inventory", "no.yml"), "no.yml cannot be read"),
        (("--terminal", "fontana", "--inventory-dir", ".", "--fleet", "acme"), "there is no fleet 'acme'"),
    ],
)
@pytest.mark.usefixtures("past")
def test_what_cannot_be_looked_at_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert main(["outages", *arguments]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said


def test_of_many_fleets_the_history_of_the_one_asked_for_is_read(
    past: Past, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_failover(past)
    past.path.rename(tmp_path / "yardlight-inland-haul.db")
    text = (tmp_path / "fleet.yml").read_text()
    (tmp_path / "fleet2.yml").write_text(text.replace("fleet: inland-haul", "fleet: acme"))
    assert len(rows(capsys, "--inventory-dir", ".", "--fleet", "inland-haul")) == 3
    assert main(["outages", "--terminal", "fontana", "--inventory-dir", "."]) == 1
    assert "name one with --fleet; fleets: inland-haul, acme" in capsys.readouterr().err
