"""The guard in a real `serve`: killed, restarted, asked by strangers; whatever was cut comes back."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from yardlight import journal, sealing
from yardlight.access import Access
from yardlight.drills import evidence
from yardlight.drills.desk import folder_of
from yardlight.drills.guard import Charge
from yardlight.drills.links import Links
from yardlight.drills.talk import HttpYard
from yardlight.errors import DrillError

Eventually = Callable[..., object]
PLAYBOOK = "quarterly-wan-failover"


@dataclass
class Box:
    """`yardlight serve` of a yard whose circuit is a file: there while it is cut."""

    folder: Path
    port: int
    child: subprocess.Popen[bytes] = field(init=False)

    def __post_init__(self) -> None:
        undo = f"echo undo >> {self.acts}; test ! -e {self.stuck} && rm -f {self.cut}"
        cut = {"do": ["sh", "-c", f"echo cut >> {self.acts}; touch {self.cut}"], "undo": ["sh", "-c", undo]}
        fleet = {
            "fleet": "acme",
            "terminals": {"fontana": {
                "targets": [f"tcp://127.0.0.1:{self.port}"], "switch_within": "5s",
                "uplinks": {"fiber": {"bind": "127.0.0.2"}, "lte": {"bind": "127.0.0.3", "metered": "false"}},
                "drill": {"playbook": PLAYBOOK, "cut": {"command": cut}},
            }},
        }  # fmt: skip
        (self.folder / "fleet.yml").write_text(json.dumps(fleet))

    @property
    def cut(self) -> Path:
        return self.folder / "is-cut"

    @property
    def stuck(self) -> Path:
        """While it is there, the undo fails."""
        return self.folder / "undo-fails"

    @property
    def acts(self) -> Path:
        return self.folder / "acts"

    @property
    def drills(self) -> Path:
        return folder_of(self.folder / "yardlight.db")

    def start(self) -> Box:
        listen = ("--web.listen-address", f"127.0.0.1:{self.port}")
        with (self.folder / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "yardlight", "serve", *listen], cwd=self.folder, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.ask("GET", "/-/ready")[0] == 200:
                    return self
            time.sleep(0.05)
        pytest.fail((self.folder / "log").read_text())

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def yard(self, token: str = "") -> HttpYard:
        return HttpYard(Access(f"http://127.0.0.1:{self.port}"), "acme", "fontana", token)

    def value(self, name: str, label: str = "") -> float | None:
        """The first sample of this name that has the label, written as on the page."""
        lines = self.ask("GET", "/metrics")[1].splitlines()
        found = [line for line in lines if line.startswith(f"yardlight_{name}{{") and label in line]
        return float(found[0].rpartition(" ")[2]) if found else None


@pytest.fixture
def box(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Box]:
    made = Box(tmp_path, free_port()).start()
    yield made
    made.kill()


def charge(lease: float, drill: str = "d1") -> Charge:
    return Charge(drill, "fontana", PLAYBOOK, False, lease, 600.0, 600.0, 0.0, 0.0, 900.0)


def cut(box: Box, lease: float, drill: str = "d1") -> None:
    async def both() -> None:
        await box.yard().arm(charge(lease, drill))
        done = await box.yard().cut(drill)
        assert done.worked, done.text

    asyncio.run(both())
    assert box.cut.exists()


def words(box: Box) -> list[str]:
    return [line["what"] for line in journal.entries((box.drills / "guard-fontana.jsonl").read_bytes())]


def test_a_runner_that_falls_silent_has_its_cut_undone_and_the_journal_says_why(
    box: Box, eventually: Eventually
) -> None:
    cut(box, lease=1.0)
    assert box.value("drill_in_progress") == 1
    eventually(lambda: not box.cut.exists())
    eventually(lambda: words(box)[-1] == "undone")
    assert words(box) == ["armed", "cut begins", "cut", "fired", "undo begins", "undone"]


def test_d08_a_serve_that_is_killed_with_the_fibre_cut_restores_it_when_it_starts_again(
    box: Box, eventually: Eventually
) -> None:
    cut(box, lease=600.0)
    box.kill()
    assert box.cut.exists()
    box.start()
    eventually(lambda: not box.cut.exists())
    eventually(lambda: words(box)[-1] == "undone")
    fired = journal.entries((box.drills / "guard-fontana.jsonl").read_bytes())[3]
    assert fired["why"] == "serve was restarted while the primary was cut"


def test_an_undo_that_fails_is_tried_until_it_works(box: Box, eventually: Eventually) -> None:
    box.stuck.touch()
    cut(box, lease=1.0)
    eventually(lambda: box.acts.read_text().split().count("undo") >= 2)
    assert box.cut.exists()
    box.stuck.unlink()
    eventually(lambda: not box.cut.exists())


def test_one_drill_at_a_time_and_a_new_one_once_the_runner_of_the_old_is_gone(box: Box, eventually: Eventually) -> None:
    cut(box, lease=1.0)
    with pytest.raises(DrillError, match="another drill is in progress at fontana: d1"):
        asyncio.run(box.yard().arm(charge(1.0, "d2")))
    eventually(lambda: not box.cut.exists())

    def armed() -> bool:
        with contextlib.suppress(DrillError):
            asyncio.run(box.yard().arm(charge(60.0, "d2")))
            return True
        return False

    eventually(armed)
    with pytest.raises(DrillError, match="no guard is armed for the drill d1"):
        asyncio.run(box.yard().renew("d1"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Yardlight_Drill": "local", "Host": "evil.example.com"},
        {"X_Yardlight_Drill": "local", "X_Forwarded_For": "198.51.100.7"},
        {"X_Yardlight_Drill": "local", "X_Real_IP": "198.51.100.7"},
        {"X_Yardlight_Drill": "some-other-token"},
    ],
    ids=["a web page", "a rebound name", "through a proxy", "through nginx", "a wrong token"],
)
def test_nobody_else_cuts_a_circuit(box: Box, headers: dict[str, str]) -> None:
    body = {"charge": asdict(charge(60.0))}
    status, text = box.ask("POST", "/drills/api/acme/fontana/arm", body, **headers)
    assert status == 403
    assert "drills are run on the terminal's own machine" in text
    assert not (box.drills / "guard-fontana.json").exists()


def test_nobody_cuts_a_circuit_through_a_proxy_that_says_nothing_of_itself(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "_http_vsn", 10)
    monkeypatch.setattr(http.client.HTTPConnection, "_http_vsn_str", "HTTP/1.0")
    status, _ = box.ask(
        "POST", "/drills/api/acme/fontana/arm", {"charge": asdict(charge(60.0))}, X_Yardlight_Drill="local"
    )
    assert status == 403
    assert not (box.drills / "guard-fontana.json").exists()


def test_a_link_lets_a_runner_elsewhere_run_one_drill_and_no_other(box: Box) -> None:
    token = Links(box.drills).make("fontana", PLAYBOOK, "maria", time.time())
    far = {"X_Yardlight_Drill": token, "X_Forwarded_For": "198.51.100.7"}
    arm = "/drills/api/acme/fontana/arm"
    assert box.ask("POST", arm, {"charge": asdict(charge(60.0))}, **far)[0] == 200
    status, text = box.ask("POST", arm, {"charge": asdict(charge(60.0, "d2"))}, **far)
    assert (status, text) == (409, "this drill link is for another drill\n")


def test_facts_are_for_whoever_may_read_metrics(box: Box) -> None:
    status, text = box.ask("GET", "/drills/api/acme/fontana?since=0")
    found = json.loads(text)
    assert status == 200
    assert set(found["facts"]["uplinks"]) == {"fiber", "lte"}
    assert found["guard"] is None
    assert box.ask("GET", "/drills/api/acme/akron")[0] == 409
    assert box.ask("GET", "/drills/api/other/fontana")[0] == 409


def test_d08_a_runner_that_is_killed_is_told_as_interrupted_and_its_evidence_is_whole(
    box: Box, eventually: Eventually
) -> None:
    argv = (sys.executable, "-m", "yardlight", "drill", "run", PLAYBOOK, "--terminal", "fontana", "--yes",
            "--override", "a test", "--url", f"http://127.0.0.1:{box.port}")  # fmt: skip
    with (box.folder / "runner").open("wb") as log:
        runner = subprocess.Popen(argv, cwd=box.folder, stdout=log, stderr=log)
    eventually(box.cut.exists, 60)
    os.kill(runner.pid, signal.SIGKILL)
    runner.wait()
    eventually(lambda: not box.cut.exists(), 60)
    eventually(lambda: any(map(sealing.sealed, box.drills.iterdir())), 30)
    [record] = evidence.records(box.drills)
    assert record.result == "aborted"
    assert "interrupted" in record.body["why"]
    assert "restored by the guard: the runner was not heard of for" in record.body["why"]
    assert sealing.verify(record.folder) == []
    listed = subprocess.run((*argv[:4], "list"), cwd=box.folder, capture_output=True, text=True, check=True).stdout
    assert "aborted" in listed
    assert "fontana: quarterly-wan-failover has not passed in" in listed
    eventually(lambda: box.value("drill_last_result", 'result="aborted"') == 1)
