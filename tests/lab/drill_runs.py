"""Drills by command actions, with real packets and a real Prometheus: measured against truth, and killed at each step.

The circuit is cut by a program of the box that changes the ISP's own firewall; it writes down when it did so. The
runner is the real command line, in the yard or in the centre; `serve` is the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.lab import agent, namespace, network
from tests.lab.lab import Lab, healthy
from tests.lab.measure import Results
from tests.lab.process import YARDLIGHT, until_ready
from tests.lab.yard import PORT, TERMINAL
from yardlight import sealing
from yardlight.drills.desk import folder_of
from yardlight.drills.findings import moment

PLAYBOOK = "quarterly-wan-failover"
# Everything that a runner writes before it is over, in its order: it is killed after each of these.
MOMENTS = (
    "opened", "preconditions", "approved", "arming the guard", "step announce", "step cut", "cut begins",
    "step done cut", "step on-standby", "step told", "step checks", "step dispatch", "step restore", "undo begins",
    "step done restore", "step back", "step stable",
)  # fmt: skip
# Before anything is armed; a serve that is killed then has nothing to restore.
EARLY = ("opened", "preconditions", "approved", "arming the guard")
# From the death of whoever should restore: the guard's lease, or the start of serve, and a moment to do it.
GUARD_SECONDS = 20.0
_TRIES = 3


# Of the lab's own /run: each lab has one.
CUTS = Path("/run/cuts.log")


def _line(verb: str, rule: str) -> list[str]:
    chain = f"nsenter --net={namespace.NAMED / 'fiberisp'} iptables -w -t mangle"
    note = f'echo "{verb} $before $(date +%s.%N)" >> {CUTS}'
    return ["sh", "-c", f"before=$(date +%s.%N); {chain} {rule} && {note}"]


# Cut and undo of the fibre, which write down when they were done.
CUT = {"command": {"do": _line("cut", "-A CIRCUIT -j DROP"), "undo": _line("undo", "-F CIRCUIT")}}
YARD: dict[str, Any] = {
    "switch_within": "20s", "failback_within": "60s", "drill": {"playbook": PLAYBOOK, "cut": CUT},
}  # fmt: skip
LINKS = {
    "links": {
        "prometheus": f"http://{network.CENTRE}:9090",
        "alertmanager": f"http://{network.CENTRE}:9093",
        "centre": f"http://{network.CENTRE}:{PORT}",
    }
}


def truth() -> list[tuple[str, float, float]]:
    """What the action did: cut or undo, and between which instants (unix seconds)."""
    with contextlib.suppress(OSError):
        words = (line.split() for line in CUTS.read_text().splitlines())
        return [(verb, float(before), float(after)) for verb, before, after in words]
    return []


async def runner(lab: Lab, where: str, *more: str) -> asyncio.subprocess.Process:
    """`yardlight drill run` in the yard, or in the centre with a link."""
    state = lab.box.state if where == "yard" else lab.work / "away.db"
    argv = (
        *YARDLIGHT, "drill", "run", PLAYBOOK, "--terminal", TERMINAL, "--inventory", str(lab.box.inventory),
        "--state", str(state), "--yes", *more,
    )  # fmt: skip
    log = (lab.work / "runner.log").open("ab")
    return await asyncio.create_subprocess_exec(*namespace.command(where, argv), stdout=log, stderr=log)


async def quarterly(lab: Lab, results: Results, count: int) -> None:
    """`count` drills without a person: each passes, and its instants are those of the truth."""
    if lab.agent is not None:
        # As most routers' own agents do: what net-snmp remembers is no part of a drill.
        await agent.forget_routes_soon()
    for number in range(1, count + 1):
        await asyncio.sleep(random.uniform(3, 6))
        began = time.time()
        process = await runner(lab, "yard")
        code = await process.wait()
        record = newest(lab)
        results.observe("drill.passed", code == 0 and record["result"] == "pass")
        results.say(f"{number}/{count}: {record['result']}: {record['why']}")
        if record["result"] != "pass":
            results.note(f"{record['result']}: {record['why']}")
        if record["rounds"]:
            _compare(lab, results, record["rounds"][0]["instants"], began)
        await lab.calm()


def _drills(lab: Lab, where: str) -> Path:
    return folder_of(lab.box.state if where == "yard" else lab.work / "away.db")


def newest(lab: Lab) -> dict[str, Any]:
    """The record of the newest drill in the yard."""
    files = sorted(_drills(lab, "yard").glob("*/record.json"), key=lambda file: file.stat().st_mtime)
    found: dict[str, Any] = json.loads(files[-1].read_text())
    return found


def true_instants(lab: Lab, began: float) -> dict[str, float]:
    """What the truth knows of the instants of the drill that began then, in unix seconds."""
    shift = time.time() - time.monotonic()
    acts = [act for act in truth() if act[1] >= began]
    gaps = [gap for gap in lab.truth["default"].gaps if gap.start + shift >= began]
    moves = [at + shift for at, path in lab.truth["default"].moves if at + shift >= began and path == "fiber"]
    known: dict[str, float] = {}
    if acts:
        known["t0"] = sum(acts[0][1:]) / 2
        known["t6"] = sum(next(act for act in acts if act[0] == "undo")[1:]) / 2
    if lab.agent is not None:
        # The agent answers from the table that the router has just changed.
        words = (entry for entry in lab.log.entries if entry["what"] == "router_moved" and entry["to"] == "lte")
        if after := [entry["at"] + shift for entry in words if entry["at"] + shift >= began]:
            known["t2"] = after[0]
    if gaps:
        known["t1"], known["t3"] = gaps[0].start + shift, gaps[0].end + shift
    if moves:
        known["t7"] = known["t8"] = moves[0]
    later = [gap.end + shift for gap in gaps[1:]]
    if later and moves:
        known["t7"] = known["t8"] = max(moves[0], later[0])
    posts = [post for post in lab.centre.inbox.since(began - shift) if post.receiver == "drill" and post.names()]
    if posts:
        known["t5"] = posts[0].at + shift
        known["t4"] = min(moment(alert["startsAt"]) for alert in posts[0].alerts)
    return known


def errors(lab: Lab, instants: dict[str, Any], began: float) -> dict[str, float]:
    """How far each measured instant is off the truth; 999 for one that was not measured."""
    known = true_instants(lab, began).items()
    return {name: abs(instants[name]["at"] - at) if name in instants else 999 for name, at in known}


def _compare(lab: Lab, results: Results, instants: dict[str, Any], began: float) -> None:
    for name, at in true_instants(lab, began).items():
        if name not in instants:
            results.note(f"{name} was not measured")
            results.observe(f"drill.{name}", 999)
            continue
        error = abs(instants[name]["at"] - at)
        results.observe(f"drill.{name}", error)
        results.observe("drill.in_bar", error <= instants[name]["error"] + 0.05)
        if error > 0.5:
            results.note(f"{name}: {instants[name]} but {at:.3f}")


async def kills(lab: Lab, results: Results, moments: Sequence[str], who: str, away: bool = False) -> None:
    """Kill `who` (runner, serve or both) right after each of these was written; the fibre must come back by itself."""
    if away:
        rule = f"-i {network.WANS['fiber']} -p tcp --dport {PORT} -j DNAT --to {network.FIBER}:{PORT}"
        namespace.run("edge", f"iptables -t nat -A PREROUTING {rule}")
    for moment_ in moments:
        reached = False
        for _ in range(_TRIES):
            if reached := await _killed(lab, results, moment_, who, away):
                break
            results.say(f"{who} after {moment_!r}: the run was over before; once more")
        results.observe("drill.kill.reached", reached)


async def _killed(lab: Lab, results: Results, moment_: str, who: str, away: bool) -> bool:
    """One run that is killed; False if it was refused or over before the moment came."""
    # A guard that was armed and had nothing to restore lets go after its lease.
    await asyncio.sleep(random.uniform(17, 19) if not away else 55)
    await lab.until(healthy, within=150)
    before, where = len(truth()), "centre" if away else "yard"
    process = await runner(lab, where, *(await _link(lab) if away else ()))
    if not await _reached(lab, process, moment_, where):
        return False
    killed = time.monotonic()
    if who in ("runner", "both"):
        await _kill(process)
    if who in ("serve", "both"):
        lab.box.exporter.kill()
        lab.box.exporter.start()
        await until_ready("yard", PORT, "/-/ready", lab.box.exporter)
    if away:
        await lab.faults.blackhole("lte")
    took = await _restored(lab, killed, before) - killed
    # From so far away it takes a switch longer until nobody is missed.
    results.observe("drill.kill.restored", took <= GUARD_SECONDS + (50.0 if away else 0.0))
    if took:
        results.observe(f"drill.kill.{'away' if away else who}", took)
    if away:
        await lab.faults.heal("lte")
    if who == "serve":
        # The runner lives, sees that the guard ended it, and closes its evidence itself.
        await asyncio.wait_for(process.wait(), 240)
    if away:
        # No serve looks after that folder: the next command does.
        argv = (
            *YARDLIGHT,
            "drill",
            "list",
            "--inventory",
            str(lab.box.inventory),
            "--state",
            str(lab.work / "away.db"),
        )
        await (await asyncio.create_subprocess_exec(*namespace.command(where, argv))).wait()
    told, whole = await _told(lab, where)
    results.observe("drill.kill.told", told)
    results.observe("drill.kill.verified", whole)
    said = f"restored after {took:.1f} s, told {told}, verified {whole}"
    results.say(f"{who} after {moment_!r}: {said}")
    if not (told and whole):
        results.note(f"{who} after {moment_!r}: {said}")
    return True


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.wait()


async def _link(lab: Lab) -> tuple[str, ...]:
    """A link that was made in the yard, and a way to its serve over the uplinks."""
    argv = (*YARDLIGHT, "drill", "link", PLAYBOOK, "--terminal", TERMINAL, "--inventory", str(lab.box.inventory),
            "--state", str(lab.box.state), "--base", f"http://{network.FIBER_WAN}:{PORT}")  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *namespace.command("yard", argv), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    return "--link", output.decode().strip()


async def _reached(lab: Lab, process: asyncio.subprocess.Process, moment: str, where: str) -> bool:
    """Wait until the journal of the run says so; False if the run was over before."""
    folder = _drills(lab, where)
    known = set(folder.glob("*/journal.jsonl"))
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.returncode is None:
        for path in set(folder.glob("*/journal.jsonl")) - known:
            if moment in _words(path):
                return True
        await asyncio.sleep(0.02)
    return False


def _words(path: Path) -> set[str]:
    found = set()
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            found |= {entry["what"], f"{entry['what']} {entry.get('step', '')}".strip()}
    return found


async def _restored(lab: Lab, killed: float, before: int) -> float:
    """The instant from which the fibre is not cut any more; `killed` if it was not cut then and is not later."""
    deadline, shift = time.monotonic() + 180, time.time() - time.monotonic()
    while time.monotonic() < deadline:
        acts = truth()[before:]
        undone = bool(acts) and acts[-1][0] == "undo"
        if not await _rules() and (undone or (not acts and time.monotonic() > killed + 5)):
            # What was cut when the kill came: the undo after it, not one before.
            return max(killed, acts[-1][2] - shift) if undone else killed
        await asyncio.sleep(0.05)
    return float("inf")


async def _rules() -> bool:
    """Whether the fibre is cut, by the firewall itself."""
    process = await asyncio.create_subprocess_exec(
        *namespace.command("fiberisp", ("iptables", "-t", "mangle", "-S", "CIRCUIT")), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return b"DROP" in output


async def _told(lab: Lab, where: str) -> tuple[bool, bool]:
    """Whether the run that was killed is closed as interrupted or ended, and its evidence whole."""
    folder = _drills(lab, where)
    deadline = time.monotonic() + 60
    newest_ = max(folder.glob("*/journal.jsonl"), key=lambda file: file.stat().st_ctime).parent
    while time.monotonic() < deadline and not sealing.sealed(newest_):
        await asyncio.sleep(0.2)
    if not sealing.sealed(newest_):
        return False, False
    said = _words(newest_ / sealing.JOURNAL)
    return bool(said & {"interrupted", "ended"}), sealing.verify(newest_) == []
