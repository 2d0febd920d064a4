"""Bar 5: kill -9 at random moments under failover load; what was exposed is never taken back, and no event is lost.

Each victim is a real `yardlight serve` with a state file of its own and several yards, whose circuits on the demo's
loopback internet are cut and healed all the time. It is scraped without a pause, killed, looked at, and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.lab.measure import Results
from tests.lab.process import ROOT, YARDLIGHT
from tests.ports import free_port
from yardlight import catalogue as m
from yardlight.demo import Ports
from yardlight.demo.simulator import PRIMARY, STANDBY, STUN_HOST, TARGETS, Circuit, Router, Simulator, Yard

FLEET = "kills"
YARDS = 8
# Counters that outlive the process, and the kinds of events that they count.
KEPT = {m.FAILOVERS.name: "failover", m.GAP.name: "gap", m.UPLINK_GAP.name: "uplink_gap"}
SCRAPE_EVERY = 0.1
READY_WITHIN = 120.0
LONGEST_LIFE = 9.0

_SAMPLE = re.compile(r"^(\w+(?:_total|_count|_bucket|_sum)\{.*\}) (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


async def kills(results: Results, work: Path, count: int, victims: int) -> None:
    """`count` kills in all, of `victims` processes side by side."""
    ports = Ports(internet=free_port(), stun=free_port(), services=free_port(), dns=free_port())
    simulator = Simulator(ports)
    boxes = [Victim(number, work / f"victim-{number}", ports, results) for number in range(1, victims + 1)]
    simulator.yards = {f"{box.number} {yard.name}": yard for box in boxes for yard in box.yards}
    await simulator.start()
    storm = [asyncio.create_task(_flap(yard)) for yard in simulator.yards.values()]
    left = iter(range(1, count + 1))
    try:
        await asyncio.gather(*(box.live(left) for box in boxes))
    finally:
        for task in storm:
            task.cancel()
        await simulator.stop()
    for box in boxes:
        await box.compare_with_outages()


async def _flap(yard: Yard) -> None:
    """Cut the circuit that carries, move the yard to the other, heal; again and again."""
    while True:
        await asyncio.sleep(random.uniform(1.5, 2.5))
        cut = yard.router.carries
        yard.circuits[cut].loss = 1.0
        await asyncio.sleep(random.uniform(1.2, 2.0))
        yard.router.carries = STANDBY if cut == PRIMARY else PRIMARY
        await asyncio.sleep(random.uniform(0.0, 0.6))
        yard.circuits[cut].loss = 0.0


def _yard(box: int, number: int) -> Yard:
    net = f"127.{100 + box}.{number}"
    circuits = {
        PRIMARY: Circuit(f"{net}.1", public=f"198.51.{box}.{number}"),
        STANDBY: Circuit(f"{net}.2", public=f"203.0.{box}.{number}"),
    }
    return Yard(f"yard-{number}", f"{net}.9", circuits, Router(switch_after=None, failback_after=None))


@dataclass
class Victim:
    """One process after the other on one state file, and the most that any of them exposed of each counter."""

    number: int
    work: Path
    ports: Ports
    results: Results
    exposed: dict[str, float] = field(default_factory=dict)
    _life: dict[str, float] = field(default_factory=dict)
    _rose: asyncio.Event = field(default_factory=asyncio.Event)
    _process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True)
        self.yards = [_yard(self.number, number) for number in range(1, YARDS + 1)]
        self._inventory, self._state = self.work / "fleet.yml", self.work / "state.db"
        self._inventory.write_text(yaml.safe_dump(_inventory(self.yards, self.ports), sort_keys=False))
        self._port = free_port()

    async def live(self, left: Iterator[int]) -> None:
        """Start, scrape, kill and look, while there are kills left."""
        start_takes = 2.0
        for number in left:
            began = time.monotonic()
            self._life = {}
            before = sum(self._failovers())
            with (self.work / "serve.log").open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *YARDLIGHT, "serve", "--inventory", str(self._inventory), "--state", str(self._state),
                    "--web.listen-address", f"127.0.0.1:{self._port}",
                    stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT / "exporters")},
                )  # fmt: skip
            scraping = asyncio.create_task(self._scrape())
            slowing = asyncio.create_task(self._slow_writes()) if number % 3 else None
            try:
                if number % 4 == 0:
                    await asyncio.sleep(random.uniform(0, start_takes * 1.2))
                else:
                    await self._ready()
                    start_takes = time.monotonic() - began
                    await self._random_moment(number)
            finally:
                self._process.send_signal(signal.SIGKILL)
                await self._process.wait()
                await _cancelled(scraping)
            self.results.observe("bar5.exposed_per_life", sum(self._failovers()) - before)
            self._look_at_file(number)
            if slowing is not None:
                await _cancelled(slowing)
            if number % 50 == 0:
                self.results.say(f"{number} kills, a start takes {start_takes:.1f} s")

    async def _slow_writes(self) -> None:
        """Hold the file's write lock most of the time: what is written waits, as it would for a slow disk.

        Ends after the look at the file, since the last connection that closes tidies up what a kill left behind.
        """
        while not self._life:
            await asyncio.sleep(0.05)
        with contextlib.closing(sqlite3.connect(self._state, timeout=0.0, isolation_level=None)) as connection:
            while True:
                with contextlib.suppress(sqlite3.OperationalError):
                    connection.execute("BEGIN IMMEDIATE")
                    await asyncio.sleep(random.uniform(0.05, 0.4))
                    connection.execute("ROLLBACK")
                await asyncio.sleep(random.uniform(0.0, 0.2))

    async def _random_moment(self, number: int) -> None:
        """Any moment of a life, or (one in two) the one right after something was counted."""
        await asyncio.sleep(random.uniform(0, LONGEST_LIFE))
        if number % 2:
            self._rose.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._rose.wait(), LONGEST_LIFE)

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self._life:
            assert self._process is not None
            if self._process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"victim {self.number} does not start: {_end_of(self.work / 'serve.log')}")
            await asyncio.sleep(0.02)

    async def _scrape(self) -> None:
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                self._take(await _get(self._port))
            await asyncio.sleep(SCRAPE_EVERY)

    def _take(self, page: str) -> None:
        """Compare a page with all before it."""
        seen = {series: float(value) for series, value in _SAMPLE.findall(page)}
        if not seen:
            return
        lowered = [series for series, value in self._life.items() if seen.get(series, -1.0) < value]
        kept = {series: value for series, value in seen.items() if _kept(series)}
        lowered += [series for series, value in self.exposed.items() if kept.get(series, -1.0) < value]
        self.results.observe("bar5.never_lower", not lowered)
        for series in lowered[:3]:
            self.results.note(f"lower: {series} {self.exposed.get(series)} now {seen.get(series)}")
        if any(value > self.exposed.get(series, 0.0) for series, value in kept.items()):
            self._rose.set()
        self.exposed |= kept
        self._life = seen

    def _failovers(self) -> list[float]:
        return [value for series, value in self.exposed.items() if m.FAILOVERS.name in series]

    def _look_at_file(self, number: int) -> None:
        """A copy of what the kill left: sound, and nothing that was exposed is missing in it."""
        if not self._state.exists():
            return
        copy = self.work / "killed" / "state.db"
        copy.parent.mkdir(exist_ok=True)
        for suffix in ("", "-wal"):
            left, taken = self._state.with_name(f"state.db{suffix}"), copy.with_name(f"state.db{suffix}")
            taken.unlink(missing_ok=True)
            if left.exists():
                shutil.copyfile(left, taken)
        copy.with_name("state.db-shm").unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            events = _events(connection) if {"event", "total"} <= tables else {}
            totals = _totals(connection) if {"event", "total"} <= tables else {}
        aside = sorted(path.name for path in self.work.glob("state.db.*-*"))
        self.results.observe("bar5.file_sound", sound and not aside)
        if not sound or aside:
            self.results.note(f"kill {number} of victim {self.number}: sound {sound}, moved aside {aside}")
        lost = {
            key: (value, events.get(key, 0), totals.get(key, 0))
            for key, value in self._counted().items()
            if not (value <= events.get(key, 0) == totals.get(key, 0))
        }
        self.results.observe("bar5.nothing_lost", not lost)
        if lost:
            self.results.note(f"kill {number} of victim {self.number}: exposed, events, totals {lost}")

    def _counted(self) -> dict[tuple[str, ...], float]:
        """How many events were exposed, by terminal, kind and uplinks."""
        counted = {}
        for series, value in self.exposed.items():
            metric, _, labels = series.partition("{")
            if metric == m.FAILOVERS.name or metric.endswith("_count"):
                counted[_key(metric.removesuffix("_count"), dict(_LABEL.findall(labels)))] = value
        return counted

    async def compare_with_outages(self) -> None:
        """What people are shown has every event that was ever exposed."""
        for yard in self.yards:
            process = await asyncio.create_subprocess_exec(
                *YARDLIGHT, "outages", "--terminal", yard.name, "--json",
                "--inventory", str(self._inventory), "--state", str(self._state),
                stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "exporters")},
            )  # fmt: skip
            printed, _ = await process.communicate()
            rows = json.loads(printed)
            shown = {kind: sum(row["kind"] == kind for row in rows) for kind in ("failover", "failback", "circuit")}
            counted = self._counted()
            moves = sum(counted.get((yard.name, "failover", *way), 0) for way in _WAYS)
            silences = sum(counted.get((yard.name, "uplink_gap", uplink), 0) for uplink in (PRIMARY, STANDBY))
            complete = shown["failover"] + shown["failback"] >= moves and shown["circuit"] >= silences
            self.results.observe("bar5.outages_complete", complete)
            if not complete:
                self.results.note(
                    f"victim {self.number} {yard.name}: {shown}, exposed {moves} moves, {silences} silences"
                )


_WAYS = ((PRIMARY, STANDBY), (STANDBY, PRIMARY))


def _inventory(yards: list[Yard], ports: Ports) -> dict[str, object]:
    targets = [f"tcp://{host}:{ports.internet}" for host in TARGETS[:1]]
    return {
        "fleet": FLEET,
        "defaults": {
            "terminal": {"targets": targets, "egress": f"stun://{STUN_HOST}:{ports.stun}"},
            "uplink": {"timeout": "900ms", "metered": False},
        },
        "terminals": {
            yard.name: {
                "default_path": {"bind": yard.default_source},
                "uplinks": {
                    PRIMARY: {"role": "primary", "bind": yard.circuits[PRIMARY].source},
                    STANDBY: {"role": "standby", "bind": yard.circuits[STANDBY].source},
                },
            }
            for yard in yards
        },
    }


def _kept(series: str) -> bool:
    name = series.partition("{")[0]
    return any(name.removesuffix(part) in KEPT for part in ("", "_count", "_bucket", "_sum"))


def _key(metric: str, labels: dict[str, str]) -> tuple[str, ...]:
    rest = [labels[name] for name in ("uplink", "from", "to") if name in labels]
    return (labels["terminal"], KEPT[metric], *rest)


def _events(connection: sqlite3.Connection) -> dict[tuple[str, ...], int]:
    """How many events the file has, by what counts them: a failover that was measured is a gap too."""
    counted: dict[tuple[str, ...], int] = {}
    for terminal, kind, uplink, detail in connection.execute("SELECT terminal, kind, uplink, detail FROM event"):
        facts = json.loads(detail)
        uplinks = {"failover": (facts.get("came_from", ""), uplink), "gap": (), "uplink_gap": (uplink,)}[kind]
        keys: list[tuple[str, ...]] = [(terminal, kind, *uplinks)]
        if facts.get("measured"):
            keys.append((terminal, "gap"))
        for key in keys:
            counted[key] = counted.get(key, 0) + 1
    return counted


def _totals(connection: sqlite3.Connection) -> dict[tuple[str, ...], float]:
    """The running totals in the file, by what they count."""
    found = {}
    for metric, labels, value in connection.execute("SELECT metric, labels, value FROM total"):
        terminal, *rest = json.loads(labels)
        total = json.loads(value)
        found[(terminal, KEPT[metric], *rest)] = sum(total["counts"]) if isinstance(total, dict) else total
    return found


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _get(port: int) -> str:
    async with asyncio.timeout(5.0):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(b"GET /metrics HTTP/1.0\r\nHost: lab\r\n\r\n")
            received = await reader.read(-1)
        finally:
            writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    # A page that the kill cut short was never exposed.
    if b" 200 " not in head.split(b"\r\n", 1)[0] + b" " or (length and int(length[1]) != len(body)):
        raise ValueError("no whole page")
    return body.decode()


def _end_of(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
