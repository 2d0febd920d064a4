"""Rows of tests/faults/drills.yml end to end: real packets, the real runner and `serve`, the shipped rules and routes.

A row holds when the drill ended as it says, exactly what it lists was told to exactly those receivers, and the fiber
carries again. What DrillFailed says stays open until the next pass, so it is counted and not waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tests.lab import drill_runs, namespace, network
from tests.lab.drill_runs import CUT, PLAYBOOK, truth
from tests.lab.lab import Lab, healthy
from tests.lab.process import ROOT, YARDLIGHT
from tests.lab.rows import ON_LTE, Watched
from tests.lab.yard import PORT, TERMINAL
from yardlight.drills.desk import folder_of

FAILED = "ticket DrillFailed fontana"
DARK = "page TerminalDark fontana"
THOROUGH = "thorough-wan-failover"
SHORT = "short-wan-failover"
# The quarterly drill for tests that have no minutes: what it waits for, without holding still afterwards.
SHORT_PLAYBOOK: dict[str, Any] = {
    "playbook": SHORT, "version": 1, "title": "Short WAN failover", "purpose": "As the quarterly one, in a minute.",
    "kind": "live", "preconditions": ["primary_carries", "standby_ready", "no_alerts", "clocks", "undo"],
    "alerts": ["TerminalOnStandby"],
    "criteria": {"switch": "switch_within", "notification": "60s", "failback": "failback_within", "stable": "3s"},
    "steps": [
        {"id": "cut", "cut": "primary", "say": "Pull the cable."},
        {"id": "on-standby", "wait": "standby", "within": "2 x switch_within"},
        {"id": "told", "wait": "notification", "within": "switch_within + 120s"},
        {"id": "restore", "restore": "primary", "say": "Plug it in again."},
        {"id": "back", "wait": "primary", "within": "failback_within"},
        {"id": "stable", "wait": "stable", "within": "4s"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """A drill that is over: the runner's exit code, what it printed, and its record (None where it wrote none)."""

    code: int
    output: str
    folder: Path | None
    record: dict[str, Any]

    @property
    def result(self) -> str:
        return f"{self.record.get('result')}: {self.record.get('why')}"


class Running:
    """A runner on its way."""

    def __init__(self, lab: Lab, where: str = "yard") -> None:
        self._state = lab.box.state if where == "yard" else lab.work / "away.db"
        self._lab, self._where = lab, where
        self._known = set(self.drills())

    async def start(self, playbook: str = PLAYBOOK, *more: str, inventory: Path | None = None) -> None:
        argv = (
            *YARDLIGHT, "drill", "run", playbook, "--terminal", TERMINAL,
            "--inventory", str(inventory or self._lab.box.inventory), "--state", str(self._state), "--yes", *more,
        )  # fmt: skip
        self._process = await asyncio.create_subprocess_exec(
            *namespace.command(self._where, argv), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )

    def drills(self) -> list[Path]:
        """Folders of all drills that this runner's machine knows."""
        return [path.parent for path in folder_of(self._state).glob("*/journal.jsonl")]

    async def reach(self, words: str, within: float = 300) -> None:
        """Wait until the journal says so, like `step checks`."""
        deadline = time.monotonic() + within
        while not any(words in _words(folder) for folder in set(self.drills()) - self._known):
            if time.monotonic() > deadline or self._process.returncode is not None:
                raise TimeoutError(f"the drill did not reach {words!r}")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def over(self, within: float = 1200) -> Ran:
        """Wait for the end."""
        output, _ = await asyncio.wait_for(self._process.communicate(), within)
        new = sorted(set(self.drills()) - self._known)
        folder = new[-1] if new else None
        file = folder / "record.json" if folder is not None else None
        record = json.loads(file.read_text()) if file is not None and file.exists() else {}
        return Ran(self._process.returncode or 0, output.decode(), folder, record)


def _words(folder: Path) -> set[str]:
    found = set()
    for line in (folder / "journal.jsonl").read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            found |= {entry["what"], f"{entry['what']} {entry.get('step', '')}".strip()}
    return found


async def run(lab: Lab, playbook: str = PLAYBOOK, *more: str) -> Ran:
    """A whole drill by command actions, in the yard."""
    running = Running(lab)
    await running.start(playbook, *more)
    return await running.over()


async def yardlight(where: str, *words: str) -> tuple[int, str]:
    """Exit code and output of a command of Yardlight."""
    process = await asyncio.create_subprocess_exec(
        *namespace.command(where, (*YARDLIGHT, *words)),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def short(lab: Lab, hold: str | None = None) -> None:
    """Put the short playbook beside the inventory; with `hold` it stays on the standby for so long."""
    folder = lab.box.inventory.parent / "drills"
    folder.mkdir(exist_ok=True)
    steps = [*SHORT_PLAYBOOK["steps"]]
    if hold is not None:
        steps.insert(3, {"id": "hold", "hold": hold})
    (folder / f"{SHORT}.yml").write_text(yaml.safe_dump({**SHORT_PLAYBOOK, "steps": steps}, sort_keys=False))


async def calm(lab: Lab, within: float = 300) -> None:
    """As before the drill; DrillFailed may stay."""
    deadline = time.monotonic() + within
    await lab.until(healthy, within)
    while left := (lab.centre.inbox.open() | await lab.centre.active()) - {"DrillFailed"}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"still open: {left}")
        await asyncio.sleep(0.5)


def receivers(watched: Watched, *names: str) -> set[str]:
    """Who was told of these alerts, or of anything."""
    return {post.receiver for post in watched.posts if not names or post.names() & set(names)}


def finish(watched: Watched, *expected: str) -> None:
    """As `Watched.finish`; DrillFailed is told to the yard and the NOC once and stays open."""
    failed = [post for post in watched.posts if "DrillFailed" in post.names()]
    posts = watched.lab.centre.inbox.posts
    for post in failed:
        posts.remove(post)
    watched.finish(*expected)
    posts += failed


def told_failed(watched: Watched) -> None:
    """DrillFailed reached the yard and the NOC."""
    heard = receivers(watched, "DrillFailed")
    watched.expect(heard == {"yard", "noc"}, f"DrillFailed was told to {sorted(heard)}")


def only_drill(watched: Watched, *besides: str) -> None:
    """Apart from DrillFailed and these, nobody but the drill's receiver heard of anything."""
    others = {post.receiver for post in watched.posts if post.names() - {"DrillFailed", *besides}} - {"drill"}
    watched.expect(not others, f"also told: {sorted(others)}")


async def until_failed_is_told(watched: Watched) -> None:
    """DrillFailed comes with the next look at the records and the next evaluations."""
    deadline = time.monotonic() + 120
    while receivers(watched, "DrillFailed") != {"yard", "noc"} and time.monotonic() < deadline:
        await asyncio.sleep(0.5)


async def silences(lab: Lab) -> list[str]:
    """States of all silences that drills made."""
    found = json.loads(await namespace.fetch("centre", 9093, "/api/v2/silences"))
    return [each["status"]["state"] for each in found]


def whole(watched: Watched, ran: Ran, expected: str) -> None:
    """It ended like this, and the fiber was put back."""
    watched.expect(expected in ran.result, f"ended with {ran.result}, not with {expected!r}; {ran.output[-300:]}")
    acts = truth()
    watched.expect(not acts or acts[-1][0] == "undo", "the fiber was left cut")


Act = Callable[[Lab, Watched], Awaitable[None]]


async def quick(lab: Lab, watched: Watched) -> None:
    """D01 in a minute: passes, and nobody but the drill's receiver hears of anything."""
    short(lab)
    ran = await run(lab, SHORT)
    await calm(lab)
    whole(watched, ran, "pass: every criterion was met")
    finish(watched, *ON_LTE)
    only_drill(watched)
    watched.expect(await silences(lab) == ["expired"], f"silences: {await silences(lab)}")


async def d01(lab: Lab, watched: Watched) -> None:
    """Everything healthy, measured against truth; then the edits of D10 are tried on its evidence."""
    began = time.time()
    ran = await run(lab)
    await calm(lab)
    whole(watched, ran, "pass: every criterion was met")
    finish(watched, *ON_LTE)
    only_drill(watched)
    watched.expect(await silences(lab) == ["expired"], f"silences: {await silences(lab)}")
    _times(lab, watched, ran.record, began)
    assert ran.folder is not None
    await _edits(watched, ran.folder, lab.work / "edited")


def _times(lab: Lab, watched: Watched, record: dict[str, Any], began: float, **limits: float) -> None:
    """Every instant that the truth knows, within half a second of it where nothing else is said."""
    errors = drill_runs.errors(lab, record["rounds"][0]["instants"], began)
    lab.log.write("errors", **errors)
    for name, error in errors.items():
        watched.expect(error <= limits.get(name, 0.5), f"{name} is {error:.2f} s off the truth")


async def _edits(watched: Watched, folder: Path, copy: Path) -> None:
    """D10: whichever file of the evidence has one byte changed, verify names it."""
    code, said = await yardlight("yard", "drill", "verify", str(folder))
    watched.expect(code == 0, f"whole evidence is refused: {said}")
    for file in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        data = bytearray((copy / file).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / file).write_bytes(data)
        code, said = await yardlight("yard", "drill", "verify", str(copy))
        watched.expect(code == 1 and file.name in said, f"one byte of {file} changed: {code}, {said}")


async def d02(lab: Lab, watched: Watched) -> None:
    """LTE is dead: refused; an override is refused without a reason and recorded with one (a playbook that cuts nothing
    would not show it, so the drill goes dark, is aborted by the guard, and the outage pages)."""
    await lab.faults.blackhole("lte")
    await lab.until(lambda seen: seen.uplinks["lte"] == "down", within=60)
    before = len(truth())
    ran = await run(lab)
    watched.expect("refused: " in ran.result and "standby not ready" in ran.result, ran.result)
    ran = await run(lab, PLAYBOOK, "--override", " ")
    watched.expect("refused: " in ran.result, f"an override without a reason: {ran.result}")
    watched.expect(len(truth()) == before, "something was cut")
    reason = "the SIM was changed an hour ago"
    running = Running(lab)
    await running.start(PLAYBOOK, "--override", reason)
    await running.reach("step on-standby")
    await lab.faults.heal("lte")
    ran = await running.over()
    assert ran.folder is not None
    journal = (ran.folder / "journal.jsonl").read_text()
    watched.expect('"override"' in journal and reason in journal, "the override is not in the journal")
    await calm(lab)
    watched.expect(not receivers(watched, "TerminalDark") & {"oncall"}, "somebody was paged")


async def d03(lab: Lab, watched: Watched) -> None:
    """Names are not answered on LTE; nobody has noticed yet when the drill begins."""
    running = Running(lab)
    await running.start()
    await running.reach("cut begins")
    await lab.faults.dns_dead("lte")
    ran = await running.over()
    await lab.faults.heal("lte")
    await until_failed_is_told(watched)
    await calm(lab)
    whole(watched, ran, "fail: business check")
    watched.expect(
        any("dns" in each["name"] and each["judged"] == "fail" for each in ran.record["criteria"]), ran.result
    )
    # The drill is over before LTE is mended, so its dead standby is the NOC's, as at any other time.
    only_drill(watched, "StandbyNotReady")
    told_failed(watched)


async def d04(lab: Lab, watched: Watched) -> None:
    """The router never goes back by itself: the drill fails, and what is left of it becomes the NOC's ticket."""
    ran = await run(lab)
    await until_failed_is_told(watched)
    whole(watched, ran, "fail: failback")
    deadline = time.monotonic() + 120
    while "noc" not in receivers(watched, "TerminalOnStandby", "TerminalOnStandbyTooLong"):
        if time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)
    left = receivers(watched, "TerminalOnStandby", "TerminalOnStandbyTooLong")
    watched.expect("noc" in left, f"the yard stayed on LTE and only {sorted(left)} heard of it")
    await lab.router.move("fiber")
    await calm(lab)
    told_failed(watched)
    watched.expect("oncall" not in receivers(watched), "somebody was paged")


async def d05(lab: Lab, watched: Watched) -> None:
    """The router fails over once and never again."""
    running = Running(lab)
    await running.start(THOROUGH)
    await running.reach("step done restore")
    lab.router.settings = replace(lab.router.settings, fails=10**6, follow_link=False)
    ran = await running.over()
    await until_failed_is_told(watched)
    await calm(lab)
    whole(watched, ran, "fail: convergence")
    watched.expect("second switch" in ran.result, ran.result)
    told_failed(watched)


async def d06(lab: Lab, watched: Watched) -> None:
    """The router needs 80 s where 60 s are allowed."""
    ran = await run(lab)
    await until_failed_is_told(watched)
    await calm(lab)
    whole(watched, ran, "fail: convergence")
    watched.expect("limit 1 min" in ran.result or "limit 60" in ran.result, ran.result)
    judged = next(each for each in ran.record["criteria"] if each["name"] == "convergence")
    gap = max(gap.seconds for gap in lab.truth["default"].gaps if gap.start >= watched.began)
    watched.expect(abs(judged["measured"] - gap) <= 0.5, f"measured {judged['measured']:.2f} s of {gap:.2f} s")
    only_drill(watched)
    told_failed(watched)


async def d07(lab: Lab, watched: Watched) -> None:
    """Alertmanager cannot deliver what the drill's receiver is to be told."""
    config = lab.work / "alertmanager.yml"
    config.write_text(config.read_text().replace("/drills/notice", "/nowhere"))
    await _post("centre", 9093, "/-/reload")
    ran = await run(lab)
    await until_failed_is_told(watched)
    await calm(lab)
    whole(watched, ran, "fail: notification: page not received")
    only_drill(watched)
    told_failed(watched)


async def _post(where: str, port: int, path: str) -> None:
    argv = ("curl", "-fsS", "-X", "POST", f"http://127.0.0.1:{port}{path}")
    process = await asyncio.create_subprocess_exec(*namespace.command(where, argv))
    assert await process.wait() == 0


async def d08(lab: Lab, watched: Watched) -> None:
    """The runner is killed while the fiber is cut."""
    running = Running(lab)
    await running.start()
    await running.reach("step told")
    await running.kill()
    killed = time.time()
    deadline = time.monotonic() + 60
    while truth()[-1][0] != "undo" and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    took = truth()[-1][2] - killed
    watched.expect(truth()[-1][0] == "undo" and took <= drill_runs.GUARD_SECONDS, f"restored after {took:.1f} s")
    (folder,) = set(running.drills()) - running._known
    deadline = time.monotonic() + 120
    while not (folder / "record.json").exists() and time.monotonic() < deadline:
        await asyncio.sleep(0.5)
    watched.expect("interrupted" in _words(folder), f"the journal says {sorted(_words(folder))}")
    code, said = await yardlight("yard", "drill", "verify", str(folder))
    watched.expect(code == 0, f"verify: {said}")
    await calm(lab)


async def d09(lab: Lab, watched: Watched) -> None:
    """The runner is in the centre, and the serve of the yard knows nothing of the action."""
    rule = f"-i {network.WANS['fiber']} -p tcp --dport {PORT} -j DNAT --to {network.FIBER}:{PORT}"
    namespace.run("edge", f"iptables -t nat -A PREROUTING {rule}")
    code, link = await yardlight(
        "yard", "drill", "link", PLAYBOOK, "--terminal", TERMINAL, "--inventory", str(lab.box.inventory),
        "--state", str(lab.box.state), "--base", f"http://{network.FIBER_WAN}:{PORT}",
    )  # fmt: skip
    watched.expect(code == 0, link)
    own = lab.work / "away" / "fleet.yml"
    own.parent.mkdir()
    fleet = yaml.safe_load(lab.box.inventory.read_text())
    fleet["terminals"][TERMINAL]["drill"]["cut"] = CUT
    own.write_text(yaml.safe_dump(fleet))
    running = Running(lab, "centre")
    await running.start(PLAYBOOK, "--link", link.split()[0], "--override", "I am sure", inventory=own)
    ran = await running.over()
    watched.expect("no guard inside the terminal holds it" in ran.result, f"{ran.result} {ran.output[-300:]}")
    watched.expect(ran.record.get("result") == "refused", ran.result)
    watched.expect(not truth(), "something was cut")
    watched.finish()


async def t25(lab: Lab, watched: Watched) -> None:
    """LTE dies while the fiber is cut for the drill, longer than the abort limit."""
    short(lab, hold="3m")
    running = Running(lab)
    await running.start(SHORT)
    await running.reach("step hold")
    await lab.faults.blackhole("lte")
    ran = await running.over()
    await lab.faults.heal("lte")
    await until_failed_is_told(watched)
    await calm(lab)
    whole(watched, ran, "aborted: ")
    watched.expect("dark" in ran.result, ran.result)
    pages = [post for post in watched.posts if post.receiver == "oncall"]
    watched.expect([post.names() for post in pages if post.status == "firing"] == [{"TerminalDark"}], "not one page")
    watched.expect(receivers(watched, "TerminalOnStandby") == {"drill"}, "the cut itself was told to others")
    told_failed(watched)


async def d14(lab: Lab, watched: Watched) -> None:
    """A phone in the yard, and a hand that pulls the cable when the page says so."""
    code, link = await yardlight(
        "yard", "drill", "link", PLAYBOOK, "--terminal", TERMINAL, "--inventory", str(lab.box.inventory),
        "--state", str(lab.box.state),
    )  # fmt: skip
    watched.expect(code == 0, link)
    began = time.time()
    hands = {name: json.dumps(CUT["command"][way]) for name, way in (("PULL", "do"), ("PLUG", "undo"))}
    argv = (sys.executable, "-m", "tests.lab.phone", link.split()[0], str(lab.work / "phone"))
    with (lab.work / "phone.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *namespace.command("yard", argv), cwd=ROOT, env={**os.environ, **hands}, stdout=log, stderr=log
        )
    code = await asyncio.wait_for(process.wait(), 1200)
    said = (lab.work / "phone.log").read_text()
    watched.expect(code == 0, f"the phone gave up: {said[-600:]}")
    (folder,) = Running(lab).drills()
    record = json.loads((folder / "record.json").read_text())
    watched.expect(record["result"] == "pass", f"{record['result']}: {record['why']}")
    watched.expect(record["kind"] == "measured, manual steps", record["kind"])
    watched.expect(record["acknowledged"]["reached"] is True, f"acknowledged: {record['acknowledged']}")
    await calm(lab)
    finish(watched, *ON_LTE)
    only_drill(watched)
    # A hand pulls before it presses; everything that follows is the probes'.
    _times(lab, watched, record, began, t0=2.0, t6=2.0)
