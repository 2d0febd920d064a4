"""`yardlight drill ...`: run one, look at those that were run, check their evidence, sign it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import segno
from rich import box
from rich.console import Console
from rich.table import Table

from yardlight import sealing
from yardlight.access import Access
from yardlight.drills import attach, cadence, evidence, recover, report
from yardlight.drills.around import around
from yardlight.drills.desk import drill_id, folder_of
from yardlight.drills.evidence import Record
from yardlight.drills.links import Links
from yardlight.drills.plan import Plan
from yardlight.drills.playbook import find
from yardlight.drills.runner import Runner
from yardlight.drills.session import Screen
from yardlight.drills.talk import HttpYard, centre_of
from yardlight.drills.world import RealClock
from yardlight.errors import DrillError
from yardlight.history import History
from yardlight.inventory import words
from yardlight.inventory.addresses import is_address
from yardlight.inventory.load import Inventory, load
from yardlight.inventory.models import Terminal
from yardlight.lookback import find_terminal, moment
from yardlight.quiet import whoami

HERE = "http://127.0.0.1:10480"


@dataclass(frozen=True)
class Where:
    """The inventory, and the state file beside which the drills lie."""

    inventory: Path
    state: Path

    @property
    def folder(self) -> Path:
        return folder_of(self.state)


@dataclass(frozen=True)
class Wanted:
    """What `drill run` was asked for. `url` is the terminal's serve; `link` a drill link where that is elsewhere."""

    terminal: str
    playbook: str
    url: str
    link: str | None
    access: Path | None
    ca_file: str | None
    dry: bool
    yes: bool
    override: str
    approver: str


def run(where: Where, wanted: Wanted) -> int:
    """Run a drill; 0 if it passed. Raises `InventoryError` and `DrillError` for what cannot be begun."""
    for record in recover.interrupted(where.folder, time.time()):
        print(f"{record.id} was not finished: {record.body['why']}")
    inventory = load(where.inventory)
    terminal = find_terminal(inventory.fleet, wanted.terminal)
    playbook, source = find(inventory.path, wanted.playbook)
    drill = drill_id(terminal.name, playbook.playbook, time.time())
    plan = Plan(
        drill, inventory.fleet, terminal, playbook, source, whoami(), not wanted.yes, wanted.override, wanted.approver
    )  # fmt: skip
    print("\n".join(_announced(plan)))
    if wanted.dry:
        return 0
    yard, centre, beside = _yard(wanted, inventory), _centre(where, inventory), around(inventory)
    runner = Runner(plan, yard, centre, beside, where.folder / drill, RealClock())
    record = asyncio.run(_attended(runner))
    print(f"\n{record.result}: {record.body['why']}")
    print(f"evidence: {record.folder} (seal {(record.folder / sealing.SEAL).read_text().strip()})")
    return 0 if record.result == "pass" else 1


def _yard(wanted: Wanted, inventory: Inventory) -> HttpYard:
    user, password = "", ""
    if wanted.access is not None:
        user, _, password = wanted.access.read_text(encoding="utf-8").strip().partition(":")
    base, token = wanted.url.rstrip("/"), ""
    if wanted.link is not None:
        parts = urlsplit(wanted.link)
        token = parts.path.rpartition("/")[2]
        base = f"{parts.scheme}://{parts.netloc}" if parts.scheme else base
    return HttpYard(Access(base, user, password, wanted.ca_file), inventory.fleet.fleet, wanted.terminal, token)


def _centre(where: Where, inventory: Inventory) -> Any:
    async def here(since: float) -> Sequence[Mapping[str, Any]]:
        """What the serve of this machine was told, where no other one is named."""
        try:
            kept = json.loads(await asyncio.to_thread((where.folder / "notices.json").read_bytes))
        except (OSError, ValueError):
            return []
        return [each for each in kept if each["received"] >= since]

    return centre_of(inventory.fleet, here)


def _announced(plan: Plan) -> list[str]:
    """What it will do and what it must show, before anybody approves it."""
    lines = [f"{plan.playbook.title} at {plan.terminal.name}", plan.text(plan.playbook.purpose), "", plan.warning]
    if plan.playbook.cuts:
        how = "by hand: somebody pulls the cable" if plan.cut is None else f"by the terminal itself ({plan.cut.how})"
        lines.append(f"the primary is cut {how}; it is over after {words.duration(plan.lasts)} at the latest")
    lines += [f"  {name.replace('_', ' ')}: at most {words.duration(limit)}" for name, limit in plan.limits.items()]
    return lines


async def _attended(runner: Runner) -> Record:
    """Show each screen and take what is typed; Ctrl-C is the stop button."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[str] = asyncio.Queue()
    stops: set[asyncio.Task[Screen]] = set()
    deserted = asyncio.Event()

    def stop(why: str) -> None:
        stops.add(loop.create_task(runner.press(runner.screen().step, "stop", whoami(), why)))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, "Ctrl-C")
    if runner.plan.attended:
        threading.Thread(target=_read, args=(loop, typed, deserted.set), daemon=True).start()
    task = loop.create_task(runner.run())
    shown = -1
    while not task.done():
        screen = runner.screen()
        if screen.revision != shown:
            shown = screen.revision
            _show(screen)
        if deserted.is_set():
            stop("the input ended, so nobody can answer; --yes runs it without a person")
        answer = loop.create_task(typed.get())
        changed = loop.create_task(runner.changed(shown, 1.0))
        await asyncio.wait({task, answer, changed}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            await _pressed(runner, answer.result())
        answer.cancel()
        changed.cancel()
    return await task


def _read(loop: asyncio.AbstractEventLoop, typed: asyncio.Queue[str], ended: Callable[[], None]) -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(typed.put_nowait, line.strip())
    loop.call_soon_threadsafe(ended)


def _show(screen: Screen) -> None:
    if screen.phase == "over":
        return
    print(f"\n[{screen.number}/{screen.of}] {screen.heading}: {screen.text}")
    for problem in screen.problems:
        print(f"  ! {problem}")
    if screen.waiting:
        print(f"  {screen.waiting}")
    choices = [f"{number} {button.label}" for number, button in enumerate(screen.buttons, 1)]
    if choices:
        print(f"  {'   '.join(choices)}")


async def _pressed(runner: Runner, line: str) -> None:
    """A number chooses a button; what follows it is the reason."""
    screen = runner.screen()
    word, _, reason = line.partition(" ")
    if word.isdecimal() and 0 < int(word) <= len(screen.buttons):
        await runner.press(screen.step, screen.buttons[int(word) - 1].choice, whoami(), reason)
    elif line:
        print(f"  write a number from 1 to {len(screen.buttons)}, and a reason after it if you like")


def link(where: Where, terminal: str, playbook: str, base: str | None) -> int:
    """Print a one-time link for a phone, or for a runner somewhere else; to a person as a QR code too."""
    inventory = load(where.inventory)
    place = find_terminal(inventory.fleet, terminal)
    find(inventory.path, playbook)
    if not where.state.exists():
        raise DrillError(f"{where.state} is not there: give the state file of this box's serve, --state FILE")
    token = Links(where.folder).make(terminal, playbook, whoami(), time.time())
    address = f"{(base or _here(place)).rstrip('/')}/drills/go/{token}"
    print(address, flush=True)
    if sys.stderr.isatty():
        segno.make(address, micro=False).terminal(out=sys.stderr, compact=True)
    print("good for one drill, to be begun within a day; whoever has it can cut the circuit", file=sys.stderr)
    return 0


def _here(terminal: Terminal) -> str:
    """This machine's serve as others in the yard reach it: by the address that the default path leaves from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError, StopIteration):
        # Nothing is sent: the kernel only chooses an address.
        probe.connect((next(each.host for each in terminal.targets if is_address(each.host)), 9))
        return f"http://{probe.getsockname()[0]}:{urlsplit(HERE).port}"
    return HERE


def show_list(where: Where, terminal: str | None, as_json: bool) -> int:
    """Every drill by quarter, and what is due."""
    recover.interrupted(where.folder, time.time())
    inventory = load(where.inventory)
    records = [each for each in evidence.records(where.folder) if terminal in (None, each.terminal)]
    if as_json:
        print(json.dumps([each.body for each in records], indent=1))
        return 0
    edited = {each.id for each in records if sealing.verify(each.folder)}
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in ("quarter", "terminal", "playbook", "ended", "result", "how", "why"):
        table.add_column(heading, no_wrap=heading != "why")
    for each in reversed(records):
        zone = ZoneInfo(each.body["timezone"])
        table.add_row(
            cadence.name(each.ended, zone), each.terminal, each.playbook, _clock(each.ended, zone), each.result,
            each.body["kind"], "its evidence was edited, see drill verify" if each.id in edited else each.body["why"],
        )  # fmt: skip
    if records:
        Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 400).print(table)
    else:
        print("no drill was run")
    whole = [each for each in records if each.id not in edited]
    for name, place in inventory.fleet.terminals.items():
        if place.drill is not None and terminal in (None, name):
            print(_standing(name, place.drill.playbook, whole, place.zone, time.time()))
    return 0


def _standing(terminal: str, playbook: str, records: Sequence[Record], zone: ZoneInfo, now: float) -> str:
    start, end = cadence.quarter(now, zone)
    passed = [each for each in records if (each.terminal, each.playbook, each.result) == (terminal, playbook, "pass")]
    if any(start <= each.ended < end for each in passed):
        return f"{terminal}: {playbook} has passed in {cadence.name(now, zone)}"
    return f"{terminal}: {playbook} has not passed in {cadence.name(now, zone)}, which ends {_clock(end, zone)}"


def show(where: Where, drill: str) -> int:
    """One drill on the terminal."""
    print(report.markdown(evidence.read(_bundle(where, drill))), end="")
    return 0


def verify(where: Where, drill: str) -> int:
    """Whether the evidence is whole; 1 and the names of the files if it is not."""
    folder = _bundle(where, drill)
    found = sealing.verify(folder)
    for finding in found:
        print(finding)
    if not found:
        print(f"{folder.resolve().name}: whole, seal {(folder / sealing.SEAL).read_text().strip()}")
    return 1 if found else 0


def write_report(where: Where, drill: str, output: Path) -> int:
    """The report as Markdown and as one page to print; not among the evidence, of which it is no part."""
    record = evidence.read(_bundle(where, drill))
    for suffix, text in ((".md", report.markdown(record)), (".html", report.page(record))):
        sealing.write_bytes(output, f"{record.id}{suffix}", text.encode())
        print(f"wrote {output / record.id}{suffix}", file=sys.stderr)
    return 0


def sign(where: Where, drill: str, reviewer: str, statement: str) -> int:
    """Somebody else than the runner looked at it."""
    folder = _bundle(where, drill)
    seal = attach.sign(folder, reviewer, statement, time.time())
    print(f"signed by {reviewer}; the seal is now {seal}")
    return 0


def attach_failover(where: Where, wanted: attach.Attached) -> int:
    """A recorded failover becomes the record of a drill: one done on paper, or a real one that somebody signs for."""
    inventory = load(where.inventory)
    terminal = find_terminal(inventory.fleet, wanted.terminal)
    playbook, source = find(inventory.path, wanted.playbook)
    at = moment(wanted.at, terminal.zone)
    with History([where.state]) as history:
        record = attach.attach(inventory.fleet, terminal, (playbook, source), history, at, wanted, where.folder)
    print(f"{record.result}: {record.body['why']}\n{record.body['kind']}; evidence: {record.folder}")
    return 0 if record.result == "pass" else 1


def _bundle(where: Where, drill: str) -> Path:
    """The folder of a drill: a path, or the id of one that lies beside the state file."""
    for folder in (Path(drill), where.folder / drill):
        if (folder / sealing.JOURNAL).is_file():
            return folder
    if zipfile.is_zipfile(drill):
        raise DrillError(f"{drill} is packed; unpack it and name the folder that comes out")
    known = [each.name for each in where.folder.glob("*") if (each / sealing.JOURNAL).is_file()]
    raise DrillError(f"there is no drill {drill!r}; {words.choice(drill, known, 'drills')}")


def _clock(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M %Z}"
