"""10 000 SIMs on a platform that takes one request a SIM and refuses more than its rate: `yardlight serve` against it.

The vendor is a process of its own that notes when each request arrives. Its limit and ours are raised together (by
default from 5 to 100 requests a second), so that a round of half an hour takes a minute and a half; `--rate 5` is the
real pace. Each SIM has a past of 98 days from the first collection on, as after a quarter of use. Printed: the most
requests in any second, how many were refused, how long a round took, the memory of all our processes together, and how
many numbers of SIMs and devices are on pages, in the log and in what is remembered for the next collection. What the
state file has of each SIM beside that, for `yardlight show truck`, has numbers on purpose.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import math
import random
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import urllib.request
import zlib
from array import array
from datetime import UTC as UTC_
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import Memory, free_port, running

from yardlight.cellular import memory as remembered
from yardlight.cellular.cycle import UTC, MonthDay
from yardlight.cellular.history import KEEP_DAYS, Track, midnight, ordinal
from yardlight.collection import Packed, opened, pack_memory
from yardlight.demo.carrier import Carrier, fake_sims
from yardlight.demo.faces import SECRET, USER, Ask, ControlCenter
from yardlight.exposition import dump
from yardlight.state import State

MEMORY = 200 * 2**20
REAL_RATE = 5.0


def vendor(port: int, rate: float, count: int) -> None:
    """Answer until told to end; then print what was heard."""
    face = ControlCenter(Carrier("big", fake_sims("cab", count, 30_000_000), time.time, 10**13), rate)
    totals = {sim.iccid: face.carrier.total(sim) for sim in face.carrier.sims.values()}
    # Ours is measured, not how fast this one adds up.
    face.carrier.total = lambda sim: totals[sim.iccid]  # type: ignore[method-assign]
    gc.freeze()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            said = face(Ask("GET", self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = json.dumps(said.content).encode()
            self.send_response(said.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever(0.1)
    finally:
        print(json.dumps({"heard": face.heard, "refused": face.refused}), flush=True)


def most_in_a_second(heard: list[float]) -> int:
    """The most requests within any second."""
    most, begin = 0, 0
    for end, at in enumerate(heard):
        while at - heard[begin] >= 1.0:
            begin += 1
        most = max(most, end - begin + 1)
    return most


def inventory(folder: Path, port: int, rate: float, count: int) -> None:
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    rows = [f"{sim.name},{sim.iccid}" for sim in fake_sims("cab", count, 1)]
    (folder / "sims.csv").write_text("\n".join(["sim,iccid", *rows]) + "\n", encoding="utf-8")
    (folder / "fleet.yml").write_text(
        f"""\
fleet: bench
accounts:
  big: {{platform: control_center, username: {USER}, api_key_file: secret, sims: sims.csv, sessions: false,
        url: "http://127.0.0.1:{port}", rate: {rate:g}/s}}
cellular: {{sims: {{account: big, cycle: month, poll: 90s, deadline: 85s, pools: {{all: {{cap: 20 TB}}}}}}}}
terminals: {{t0: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
""",
        encoding="utf-8",
    )


def remember(folder: Path, count: int, days: int) -> None:
    """A state file in which each SIM has had so many days."""
    now, rng = time.time(), random.Random(6)
    today, cycle = ordinal(now, UTC), MonthDay(UTC).at(now)
    memory = remembered.Memory(UTC)
    for sim in fake_sims("cab", count, 30_000_000):
        used = array("q", [round(sim.daily * rng.lognormvariate(0.0, 0.3)) for _ in range(days)])
        so_far = sum(used[-(datetime.fromtimestamp(now, UTC_).day - 1) or days :])
        track = Track(UTC, today - days, used, today - days, "0" * days, cycle, so_far, midnight(today, UTC))
        memory.sims[sim.name] = track
    state = State(folder / "state.db")
    kept = pack_memory({"domain": Packed.of(memory.to_json())})
    state.keep_blocks("bench", "cellular/sims", now, dump([]), kept)
    state.close()


def listening(port: int) -> None:
    """Wait for the vendor: adding up for 10 000 SIMs takes it a while."""
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.2)


def page(port: int, path: str = "/metrics") -> str:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as reply:
        return str(reply.read().decode())
    return ""


def answered(folder: Path, since: float) -> int:
    """Of how many SIMs the platform has told since then."""
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as state:
        kept = state.execute("SELECT memory FROM collected WHERE account = 'cellular/sims'").fetchone()
    platform = (opened(kept[0])[0].get("platform") or {}) if kept else {}
    return sum(at >= since for at, *_ in platform.get("asked", {}).values())


def identifiers(folder: Path, pages: str, numbers: set[str]) -> tuple[int, int]:
    """How often numbers of SIMs and devices are on pages, in the log and in what is remembered; and among `things`."""
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as state:
        kept = [opened(memory) for (memory,) in state.execute("SELECT memory FROM collected")]
    log = (folder / "serve.log").read_text(encoding="utf-8")
    told = "".join(zlib.decompress(things).decode() for _, things in kept if things)
    return _found("".join([pages, log, *map(_text, (memory for memory, _ in kept))]), numbers), _found(told, numbers)


def _parts(memory: Memory) -> str:
    """The most there was, and of which processes."""
    return f"{memory.bytes / 2**20:4.0f} MiB ({' + '.join(f'{part / 2**20:.0f}' for part in memory.parts)})"


def _text(memory: dict[str, object]) -> str:
    """What is remembered by the platform and by the domain."""
    domain = memory["domain"]
    assert isinstance(domain, Packed)
    return json.dumps({**memory, "domain": domain.open()})


def _found(text: str, numbers: set[str]) -> int:
    return sum(number in numbers for number in re.findall(r"\d{14,20}", text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sims", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--days", type=int, default=KEEP_DAYS)
    parser.add_argument("--vendor", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.vendor:
        vendor(options.vendor, options.rate, options.sims)
        return 0
    sims = fake_sims("cab", options.sims, 1)
    numbers = {number for sim in sims for number in (sim.iccid, sim.iccid[:-1], sim.imei)}
    with tempfile.TemporaryDirectory() as made:
        folder, theirs, ours = Path(made), free_port(), free_port()
        inventory(folder, theirs, options.rate, options.sims)
        if options.days:
            remember(folder, options.sims, options.days)
        vendor_command = [sys.executable, __file__, "--vendor", str(theirs), "--rate", str(options.rate)]
        vendor_command += ["--sims", str(options.sims)]
        serve_command = [sys.executable, "-m", "yardlight", "serve", "--inventory", str(folder / "fleet.yml")]
        serve_command += ["--web.listen-address", f"127.0.0.1:{ours}", "--state", str(folder / "state.db")]
        with running(vendor_command, folder / "vendor.log"):
            listening(theirs)
            began = time.monotonic()
            with running(serve_command, folder / "serve.log") as pid:
                memory, since, rounds, took = Memory(pid), time.time(), 0, list[float]()
                while rounds < options.rounds and time.time() < since + 3.0 * options.sims / options.rate + 120.0:
                    time.sleep(5.0)
                    known = answered(folder, since)
                    print(
                        f"{time.monotonic() - began:6.0f} s  {known:>6} SIMs  {_parts(memory)}",
                        flush=True,
                    )
                    if known == options.sims:
                        took.append(time.time() - since)
                        since, rounds = time.time(), rounds + 1
                pages = page(ours) + page(ours, "/")
                memory.end()
                leaks, meant = identifiers(folder, pages, numbers)
        told = json.loads((folder / "vendor.log").read_text(encoding="utf-8").splitlines()[-1])
    heard, longest = told["heard"], max(took, default=math.nan)
    most, allowed = most_in_a_second(heard), options.rate
    print(f"{options.sims} SIMs at {allowed:g} requests a second, {allowed / REAL_RATE:g} times the real pace")
    print(f"  most requests in any second  {most}  (allowed {allowed:g}, refused {told['refused']} of {len(heard)})")
    print(
        f"  a whole round                {longest:.0f} s, at the real pace {longest * allowed / REAL_RATE / 3600:.1f} h"
    )
    print(f"  memory of all processes      {_parts(memory)} at most  (bar {MEMORY // 2**20})")
    print(f"  with shared pages in each    {memory.alone / 2**20:.0f} MiB")
    print(f"  numbers of SIMs and devices  {leaks} on pages, in the log and remembered  ({meant} to be asked for by)")
    good = (
        rounds == options.rounds
        and most <= allowed
        and not told["refused"]
        and memory.bytes <= MEMORY
        and not leaks
        and meant >= options.sims
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
