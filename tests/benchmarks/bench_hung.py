"""Vendors that hang, one more than there are worker slots, half of them dripping a byte a second, and one that crashes.

Meanwhile the probing loop is watched, ten well accounts are collected every two seconds, /-/healthy and the page are
asked, and a real Prometheus with our rules says which accounts it is about to alert for.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import socket
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import vendors
from harness import Scraper, bare, child, free_port, need, ours, percentile, running
from vendors import FLEET

from yardlight.collection import Result
from yardlight.serve import Service
from yardlight.slots import SLOTS
from yardlight.worker import Job

RULES = Path(__file__).parents[2] / "alert_rules" / "centre.yml"
FLEET_FILE = 'fleet: bench\nterminals: {t0: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {medium: fiber}}}}\n'
HUNG = [f"hung-{number}" for number in range(SLOTS + 1)]
WELL = [f"well-{number}" for number in range(10)]
FAILING = {*HUNG, "crashing"}
INTERVAL, DEADLINE = 2.0, 5.0


def drip(listener: socket.socket) -> None:
    """A byte a second to everybody who connects."""
    open_: list[socket.socket] = []
    listener.settimeout(1.0)
    while True:
        try:
            open_.append(listener.accept()[0])
        except TimeoutError:
            for each in list(open_):
                try:
                    each.send(b"x")
                except OSError:
                    open_.remove(each)


async def collect(service: Service) -> None:
    """Start the well accounts and, in the same moment, those that hang or crash; tell how late the well ones began."""
    fleet = service.fleets[FLEET]
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    threading.Thread(target=drip, args=(listener,), daemon=True).start()
    dripping = partial(vendors.dripping, port=listener.getsockname()[1])
    waits: list[tuple[float, float]] = []
    began = time.time()

    async def timed(name: str, deadline: float, memory: bytes) -> Result:
        asked = time.time()
        result = await service.slots.run(FLEET, name, partial(vendors.well, name=name), deadline, memory)
        started = float(result.blocks[0].body.split()[-1])
        waits.append((asked - began, started - asked))
        return result

    for number, name in enumerate(HUNG):
        job: Job = dripping if number % 2 else vendors.silent
        fleet.collect(name, partial(service.slots.run, FLEET, name, job), INTERVAL, DEADLINE).start()
    fleet.collect(
        "crashing", partial(service.slots.run, FLEET, "crashing", vendors.crashing), INTERVAL, DEADLINE
    ).start()
    for name in WELL:
        fleet.collect(name, partial(timed, name), INTERVAL, DEADLINE).start()
    try:
        await asyncio.Event().wait()
    finally:
        first = [wait for at, wait in waits if at <= DEADLINE]
        later = [wait for at, wait in waits if at > DEADLINE]
        (fleet.inventory.path.parent / "waits.json").write_text(json.dumps([first, later]))


def pending(port: int) -> set[str]:
    """The accounts that Prometheus would alert for if this goes on."""
    query = urllib.parse.quote('ALERTS{alertname="PollFailing"}')
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={query}", timeout=5) as reply:
        return {each["metric"]["account"] for each in json.load(reply)["data"]["result"]}


def healthy(port: int) -> float:
    """Seconds until /-/healthy said so."""
    began = time.perf_counter()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/healthy", timeout=10) as reply:
        if reply.status != 200:
            sys.exit("/-/healthy was not good")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    need("prometheus")
    port, prometheus_port = free_port(), free_port()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "fleet.yml").write_text(FLEET_FILE)
        scrape = {"job_name": "yardlight", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [scrape],
        }
        (folder / "prometheus.yml").write_text(json.dumps(settings))
        we = stack.enter_context(ours(folder, port))
        beside = stack.enter_context(bare())
        files = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
        address = f"--web.listen-address=127.0.0.1:{prometheus_port}"
        stack.enter_context(running(["prometheus", *files, address], folder / "prometheus.log"))
        health: list[float] = []
        ends = time.monotonic() + args.seconds
        while time.monotonic() < ends:
            health.append(healthy(port))
            time.sleep(0.2)
        # Rules are evaluated every 15 seconds.
        while (alerting := pending(prometheus_port)) != FAILING and time.monotonic() < ends + 30:
            time.sleep(1.0)
        page = gzip.decompress(Scraper(port).scrape()[1]).decode()
        lag, beside_lag = we.end(), beside.end()
        first, later = json.loads((folder / "waits.json").read_text())
    accounts = len(FAILING) + len(WELL)
    print(f"{len(HUNG)} hung and 1 crashing of {accounts} accounts, {SLOTS} slots, deadline {DEADLINE:g} s")
    print(f"loop lag: {lag}\n  a bare loop beside it: {beside_lag}")
    for when, waits in (("until the first deadline", first), ("after it", later)):
        print(
            f"well accounts waited for a worker, {when}: {len(waits)} collections, "
            f"p50 {percentile(waits, 0.5):.3f} s, p99 {percentile(waits, 0.99):.3f} s, worst {max(waits):.3f} s"
        )
    print(f"/-/healthy good {len(health)} times of {len(health)}, worst {max(health) * 1e3:.0f} ms")
    said = {line.split('account="')[1].split('"')[0] for line in page.splitlines() if _failed(line)}
    print(
        f"poll_success 0 for exactly those that fail: {said == FAILING}; PollFailing pending for: {alerting == FAILING}"
    )
    for reason in ("timeout", "crashed"):
        counted = [line for line in page.splitlines() if f'reason="{reason}"' in line and not line.endswith(" 0.0")]
        print(f"  {reason}: {', '.join(sorted(line.split(chr(34))[1] for line in counted))}")


def _failed(line: str) -> bool:
    return line.startswith("yardlight_poll_success{") and line.endswith(" 0.0")


if __name__ == "__main__" and not child(collect):
    main()
