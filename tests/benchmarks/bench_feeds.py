"""200 feeds that `yardlight serve` collects each minute: what all its processes cost, and how late the main loop comes.

Twenty vendors with ten feeds each, fifty trucks in a feed, half of which say something new each minute. The vendors are
a process of their own. Beside it, in the same run: a bare loop of requests and json that reads the same 200 each
minute, keeps its connections and makes nothing of them.

Printed: the share of a core that all our processes take together, and the bare loop; memory, pages that processes share
counted once; the lag of the main loop beside that of a loop that has nothing to do.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import requests
from harness import Memory, bare, child, cpu_seconds, free_port, ours

ACCOUNTS, FEEDS, TRUCKS = 20, 10, 50
CPU, MEMORY, LAG = 0.25, 250 * 2**20, 0.010
INTERVAL = 60.0


def vendors(port: int) -> None:
    """Answer with positions of now until told to end."""
    with socket.create_server(("127.0.0.1", port), backlog=256) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


def _serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as stream:
        while line := stream.readline():
            for _ in iter(stream.readline, b"\r\n"):
                pass
            connection.sendall(_positions(line.split()[1].decode()))


def _positions(path: str) -> bytes:
    """Fifty trucks, every second one of which has moved since the last minute."""
    now, said = time.time(), []
    for number in range(TRUCKS):
        at = now - 5 if number % 2 else now // 3600 * 3600
        said.append(
            {
                "id": f"{path}-{number}", "name": f"unit {number}", "serial": f"G{number:09}",
                "groups": ["west", "dry van"],
                "location": {
                    "time": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
                    "lat": 34 + at % 1e4 / 1e5, "lon": -118.0, "speed": 60 * (number % 2), "heading": number,
                },
                "odometer": 180_000 + number + at % 1e6 / 60, "fuel": 0.5, "engine": "on" if number % 2 else "off",
            }
        )  # fmt: skip
    body = json.dumps({"data": said, "page": {"cursor": None, "more": False}}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def peer(port: int) -> None:
    """Read the same each minute, and nothing else."""
    paths = [f"/v{account}/{feed}" for account in range(ACCOUNTS) for feed in range(FEEDS)]
    random.shuffle(paths)
    with requests.Session() as session:
        due = time.monotonic()
        while True:
            for path in paths:
                due += INTERVAL / len(paths)
                time.sleep(max(0.0, due - time.monotonic()))
                session.get(f"http://127.0.0.1:{port}{path}", timeout=30).json()


def inventory(folder: Path, port: int) -> None:
    (folder / "secret").write_text("bench\n", encoding="utf-8")
    rows = [f"unit {number}".replace(" ", "-") for number in range(TRUCKS)]
    (folder / "trucks.csv").write_text("\n".join(["truck", *rows]) + "\n", encoding="utf-8")
    accounts = [
        f"""\
  v{number}:
    platform: generic
    url: "http://127.0.0.1:{port}/v{number}"
    auth: {{bearer_file: secret}}
    rate: 100/s
    feed:
      records: data
      truck: name
      time: location.time
      moving: location.speed
      values: {{odometer: odometer, fuel: fuel}}
      paging: {{cursor: page.cursor, param: after, more: page.more}}
"""
        for number in range(ACCOUNTS)
    ]
    feeds = [
        f"  f{account}-{feed}: {{account: v{account}, path: /{feed}, poll: 60s, max_age: 5m, expected: when_moving}}\n"
        for account in range(ACCOUNTS)
        for feed in range(FEEDS)
    ]
    (folder / "fleet.yml").write_text(
        f"""\
fleet: bench
roster: {{trucks: trucks.csv}}
accounts:
{"".join(accounts)}
feeds:
{"".join(feeds)}
terminals: {{t0: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{bind: 127.0.0.1}}}}}}}}
""",
        encoding="utf-8",
    )


def complete(port: int) -> tuple[int, float]:
    """How many of the feeds' last collections were complete, and how many polls ended, ever."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    good = len(re.findall(r'^yardlight_poll_success\{[^}]*poll="feeds/[^}]*\} 1', text, re.MULTILINE))
    requests_made = re.findall(r"^yardlight_api_requests_total\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return good, sum(map(float, requests_made))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=180.0, help="how long it is watched, after the first minute")
    parser.add_argument("--vendors", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args()
    if options.vendors:
        vendors(options.vendors)
        return 0
    if options.peer:
        peer(options.peer)
        return 0
    if child():
        return 0
    with tempfile.TemporaryDirectory() as made:
        folder, theirs, port = Path(made), free_port(), free_port()
        inventory(folder, theirs)
        fake = subprocess.Popen([sys.executable, __file__, "--vendors", str(theirs)], stdout=subprocess.PIPE)
        assert fake.stdout is not None
        fake.stdout.readline()
        loop = subprocess.Popen([sys.executable, __file__, "--peer", str(theirs)])
        try:
            return _measured(options.seconds, folder, port, loop.pid)
        finally:
            for each in (loop, fake):
                each.terminate()
                each.wait()


def _measured(seconds: float, folder: Path, port: int, loop: int) -> int:
    with bare() as idle, ours(folder, port) as process:
        pid = process.process.pid
        memory = Memory(pid)
        time.sleep(INTERVAL + 15)
        _, made = complete(port)
        process.restart()
        idle.restart()
        began, spent, theirs = time.monotonic(), cpu_seconds(pid), cpu_seconds(loop)
        time.sleep(seconds)
        passed = time.monotonic() - began
        spent, theirs = (cpu_seconds(pid) - spent) / passed, (cpu_seconds(loop) - theirs) / passed
        good, ended = complete(port)
        memory.end()
        lag, calm = process.end(), idle.end()
    rate = (ended - made) / passed * INTERVAL
    count = ACCOUNTS * FEEDS
    print(f"{count} feeds of {TRUCKS} trucks, {seconds:.0f} s, {rate:.0f} collections a minute; {good} complete")
    print(f"  share of a core, all processes    {spent:.1%}  (bar {CPU:.0%})")
    print(f"  the bare loop's                   {theirs:.1%}  (ours is {spent / theirs:.1f} times that)")
    most = memory.bytes / 2**20
    print(f"  memory of all {memory.count} processes        {most:.0f} MiB at most  (bar {MEMORY // 2**20})")
    print(f"  each of them                      {', '.join(f'{part / 2**20:.0f}' for part in memory.parts)}")
    print(f"  with shared pages in each         {memory.alone / 2**20:.0f} MiB")
    print(f"  lag of the main loop              {lag}  (bar p99.9 {LAG * 1e3:.0f} ms)")
    print(f"  lag of a loop with nothing to do  {calm}")
    return 0 if good == count and spent <= CPU and memory.bytes <= MEMORY and lag.p999 <= LAG else 1


if __name__ == "__main__":
    sys.exit(main())
