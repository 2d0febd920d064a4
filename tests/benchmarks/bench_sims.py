"""10 000 SIMs on a platform that takes one request a SIM and refuses more than its rate: `yardlight serve` against it.

The vendor is a process of its own that notes when each request arrives. Its limit and ours are raised together (by
default from 5 to 100 requests a second), so that a round of half an hour takes a minute and a half; `--rate 5` is the
real pace. Printed: the most requests in any second, how many were refused, how long a round took, the memory of all our
processes together, and how many numbers of SIMs and devices are on pages, in the log and in what is remembered for the
next collection. What the state file has of each SIM beside that, for `yardlight show truck`, has numbers on purpose.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import re
import signal
import socket
import sqlite3
import sys
import tempfile
import time
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from harness import Memory, free_port, running

from yardlight.collection import opened
from yardlight.demo.carrier import Carrier, fake_sims
from yardlight.demo.faces import SECRET, USER, Ask, ControlCenter

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


def counted(text: str) -> int:
    found = re.search(r"^yardlight_pool_sims_counted\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def identifiers(folder: Path, pages: str, numbers: set[str]) -> tuple[int, int]:
    """How often numbers of SIMs and devices are on pages, in the log and in what is remembered; and among `things`."""
    with contextlib.closing(sqlite3.connect(folder / "state.db")) as state:
        kept = [opened(memory) for (memory,) in state.execute("SELECT memory FROM collected")]
    log = (folder / "serve.log").read_text(encoding="utf-8")
    told = "".join(zlib.decompress(things).decode() for _, things in kept if things)
    return _found("".join([pages, log, *(json.dumps(memory) for memory, _ in kept)]), numbers), _found(told, numbers)


def _found(text: str, numbers: set[str]) -> int:
    return sum(number in numbers for number in re.findall(r"\d{14,20}", text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sims", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=100.0)
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
        vendor_command = [sys.executable, __file__, "--vendor", str(theirs), "--rate", str(options.rate)]
        vendor_command += ["--sims", str(options.sims)]
        serve_command = [sys.executable, "-m", "yardlight", "serve", "--inventory", str(folder / "fleet.yml")]
        serve_command += ["--web.listen-address", f"127.0.0.1:{ours}", "--state", str(folder / "state.db")]
        with running(vendor_command, folder / "vendor.log"):
            listening(theirs)
            began = time.monotonic()
            with running(serve_command, folder / "serve.log") as pid:
                memory, shown, last = Memory(pid), "", 0.0
                deadline = began + 3.0 * options.sims / options.rate + 120.0
                while time.monotonic() < deadline and counted(shown) < options.sims:
                    time.sleep(0.5)
                    if time.monotonic() - last > 15.0:
                        shown, last = page(ours), time.monotonic()
                        print(
                            f"{last - began:6.0f} s  {counted(shown):>6} SIMs known  {memory.bytes / 2**20:4.0f} MiB",
                            flush=True,
                        )
                took = time.monotonic() - began
                memory.end()
                leaks, meant = identifiers(folder, shown + page(ours, "/"), numbers)
        told = json.loads((folder / "vendor.log").read_text(encoding="utf-8").splitlines()[-1])
    heard = told["heard"]
    most, allowed = most_in_a_second(heard), options.rate
    print(f"{options.sims} SIMs at {allowed:g} requests a second, {allowed / REAL_RATE:g} times the real pace")
    print(f"  most requests in any second  {most}  (allowed {allowed:g}, refused {told['refused']} of {len(heard)})")
    print(f"  a whole round                {took:.0f} s, at the real pace {took * allowed / REAL_RATE / 3600:.1f} h")
    print(f"  memory of all processes      {memory.bytes / 2**20:.0f} MiB at most  (bar {MEMORY // 2**20})")
    print(f"  with shared pages in each    {memory.alone / 2**20:.0f} MiB")
    print(f"  numbers of SIMs and devices  {leaks} on pages, in the log and remembered  ({meant} to be asked for by)")
    good = (
        counted(shown) == options.sims
        and most <= allowed
        and not told["refused"]
        and memory.bytes <= MEMORY
        and not leaks
        and meant >= options.sims
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
