"""Records that no runner made: from the state file, with times from the probes alone."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tests.drills.simulated import INVENTORY, START

from yardlight import cli, journal, sealing
from yardlight.drills import evidence
from yardlight.drills.desk import folder_of
from yardlight.drills.evidence import Record
from yardlight.state import Event, Span, State

CUT = START  # 14:13:20 in California


def history(folder: Path, back: float | None = 60.0, switch: float = 12.0, measured: bool = True) -> Path:
    """A state file with one failover, and its failback so many seconds after the circuit returned."""
    (folder / "fleet.yml").write_text(INVENTORY)
    path = folder / "yardlight.db"
    state = State(path)

    def keep(kind: str, uplink: str, start: float, end: float, **detail: object) -> None:
        event = Event(
            "inland-haul", "fontana", kind, uplink, start, end, {"error": 0.3, "since": start - 0.1, **detail}
        )
        state.record(event, [], lambda: None)

    keep("uplink_gap", "fiber", CUT, CUT + 600.0)
    keep("failover", "lte", CUT, CUT + switch, came_from="fiber", measured=measured)
    end = CUT + 900.0
    if back is not None:
        keep("failover", "fiber", CUT + 600.0 + back, CUT + 600.0 + back, came_from="lte", measured=True)
        end = CUT + 3600.0
    state.keep([Span("inland-haul", "fontana", "default", "fiber", "primary", CUT - 3600.0, end)])
    state.close()
    return path


def attach(folder: Path, *more: str) -> int:
    place = ("--inventory", str(folder / "fleet.yml"), "--state", str(folder / "yardlight.db"))
    where = ("--terminal", "fontana", "--at", "2023-11-14T14:30", *place)
    return cli.main(["drill", "attach", "quarterly-wan-failover", *where, *more])


def only(folder: Path) -> Record:
    [record] = evidence.records(folder_of(folder / "yardlight.db"))
    assert sealing.verify(record.folder) == []
    return record


def test_d12_a_drill_on_paper_is_measured_with_manual_steps_and_its_times_are_the_probes(tmp_path: Path) -> None:
    history(tmp_path)
    assert attach(tmp_path, "--by", "maria", "--said", "dispatch opened and took an entry") == 0
    record = only(tmp_path)
    assert (record.result, record.body["kind"]) == ("pass", "measured, manual steps")
    instants = record.body["rounds"][0]["instants"]
    assert instants["t0"]["at"] == pytest.approx(CUT, abs=0.3)
    assert instants["t3"]["at"] == pytest.approx(CUT + 12.0, abs=0.3)
    assert instants["t7"]["at"] == pytest.approx(CUT + 660.0, abs=0.3)
    assert record.ended == pytest.approx(CUT + 660.0, abs=1.0), "it counts for the quarter in which it happened"


def test_d13_a_real_failover_counts_once_a_reviewer_signs_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history(tmp_path)
    assert attach(tmp_path, "--unplanned") == 1
    assert "counts as a test only if a reviewer signs for it" in capsys.readouterr().err
    assert attach(tmp_path, "--unplanned", "--reviewer", "joe") == 0
    record = only(tmp_path)
    assert (record.result, record.body["kind"]) == ("pass", "measured, unplanned")
    [attached, signed] = journal.entries((record.folder / sealing.JOURNAL).read_bytes())
    assert signed["reviewer"] == "joe"
    assert signed["at"] == attached["at"] == pytest.approx(time.time(), abs=60), "signed now, not when it happened"


def test_of_several_standbys_the_one_that_carried_counts(tmp_path: Path) -> None:
    history(tmp_path)
    inventory = INVENTORY.replace("lte: {", "sat: {bind: 10.10.0.23, medium: satellite, role: standby}\n      lte: {")
    (tmp_path / "fleet.yml").write_text(inventory)
    assert attach(tmp_path, "--by", "maria") == 0


def test_a_slow_switch_is_on_record_as_the_failure_that_it_was(tmp_path: Path) -> None:
    history(tmp_path, switch=75.0)
    assert attach(tmp_path, "--by", "maria") == 1
    assert only(tmp_path).body["why"] == "convergence: nothing carried the yard for 1 min 15 s, limit 1 min"


def test_a_yard_that_did_not_come_back_has_not_passed(tmp_path: Path) -> None:
    history(tmp_path, back=None)
    assert attach(tmp_path, "--by", "maria") == 1
    assert only(tmp_path).body["why"].startswith("failback")


def test_a_plan_is_never_a_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fleet.yml").write_text(INVENTORY)
    State(tmp_path / "yardlight.db").close()
    assert attach(tmp_path, "--by", "maria") == 1
    assert "no failover of fontana was recorded within an hour of that time" in capsys.readouterr().err


def test_one_failover_is_one_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(tmp_path)
    assert attach(tmp_path, "--by", "maria") == 0
    assert attach(tmp_path, "--by", "maria") == 1
    assert "is on record already" in capsys.readouterr().err


def test_a_failover_that_a_drill_has_failed_is_not_passed_on_paper(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history(tmp_path)
    body = {"drill": "d1", "terminal": "fontana", "playbook": "quarterly-wan-failover", "begun": CUT - 90.0,
            "ended": CUT + 900.0, "result": "fail"}  # fmt: skip
    folder = folder_of(tmp_path / "yardlight.db") / "d1"
    sealing.write(folder, sealing.RECORD, body)
    assert attach(tmp_path, "--by", "maria") == 1
    assert "this failover is on record already" in capsys.readouterr().err
    sealing.write(folder, sealing.RECORD, {**body, "result": "aborted"})
    assert attach(tmp_path, "--by", "maria") == 0


def test_a_failover_that_nobody_measured_is_no_failure_and_no_pass(tmp_path: Path) -> None:
    history(tmp_path, measured=False)
    assert attach(tmp_path, "--by", "maria") == 1
    record = only(tmp_path)
    why = "convergence: the yard moved to the standby while nothing was measured"
    assert (record.result, record.body["why"]) == ("partial", why)


def test_whoever_did_it_does_not_review_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history(tmp_path)
    assert attach(tmp_path, "--by", "Maria", "--reviewer", "maria ", "--unplanned") == 1
    assert "ran it; somebody else has to sign" in capsys.readouterr().err


def test_what_is_attached_has_the_settings_and_versions_with_it(tmp_path: Path) -> None:
    history(tmp_path)
    attach(tmp_path, "--by", "maria")
    folder = only(tmp_path).folder
    assert json.loads((folder / "terminal.json").read_text())["switch_within"] == 60.0
    assert "yardlight" in json.loads((folder / "machines.json").read_text())


def test_verify_names_what_was_edited_and_edited_evidence_is_not_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history(tmp_path)
    attach(tmp_path, "--by", "maria")
    record = only(tmp_path)
    place = ("--inventory", str(tmp_path / "fleet.yml"), "--state", str(tmp_path / "yardlight.db"))
    assert cli.main(["drill", "sign", record.id, "--reviewer", "maria", *place]) == 1
    assert "maria ran it; somebody else has to sign" in capsys.readouterr().err
    assert cli.main(["drill", "sign", record.id, "--reviewer", "joe", *place]) == 0
    capsys.readouterr()
    assert cli.main(["drill", "verify", record.id, *place]) == 0
    assert "whole, seal" in capsys.readouterr().out
    file = record.folder / "events.json"
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert cli.main(["drill", "verify", str(record.folder), *place]) == 1
    assert capsys.readouterr().out == "events.json: was edited\n"
    assert cli.main(["drill", "sign", record.id, "--reviewer", "joe", *place]) == 1
    assert "what was edited is not signed: events.json: was edited" in capsys.readouterr().err
    assert cli.main(["drill", "list", *place]) == 0
    assert "its evidence was edited, see drill verify" in capsys.readouterr().out
