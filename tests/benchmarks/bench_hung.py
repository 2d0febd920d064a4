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
from pathlib import Path

from harness import Scraper, bare, child, free_port, need, ours, percentile, running
from hung_domain import DEADLINE

from yardlight import domains
from yardlight.accounts import Turns
from yardlight.collection import Result
from yardlight.serve import Service
from yardlight.slots import SLOTS
from yardlight.worker import Job

domains.DOMAINS["bench"] = "hung_domain"
RULES = Path(__file__).parents[2] / "alert_rules" / "centre.yml"
HUNG = [f"hung-{number}" for number in range(SLOTS + 1)]
WELL = [f"well-{number}" for number in range(10)]
FAILING = {*HUNG, "crashing"}


def inventory(port: int) -> str:
    """Well accounts and, from the same moment on, those that hang or crash."""
    does = {name: f"drips, port: {port}" if number % 2 else "silent" for number, name in enumerate(HUNG)}
    does |= {"crashing": "crashes"} | dict.fromkeys(WELL, "well")
    accounts = "".join(f"  {name}: {{platform: bench, does: {what}}}\n" for name, what in does.items())
    yard = 'terminals: {t0: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {medium: fiber}}}}\n'
    return f"fleet: bench\naccounts:\n{accounts}{yard}"


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


waits: list[tuple[float, float]] = []
collect_in_turn = Turns.collect


async def timed(turns: Turns, job: Job, deadline: float, memory: bytes) -> Result:
    """A collection; how long after it was due a well one began in its worker is noted."""
    asked = time.time()
    result = await collect_in_turn(turns, job, deadline, memory)
    waits.append((asked, float(result.blocks[0].body.split()[-1]) - asked))
    return result


async def note(service: Service) -> None:
    """In the end, write how late the well accounts began: before the first deadline of those that hang, and after."""
    began = time.time()
    try:
        await asyncio.Event().wait()
    finally:
        first = [wait for at, wait in waits if at - began <= DEADLINE]
        later = [wait for at, wait in waits if at - began > DEADLINE]
        folder = next(iter(service.fleets.values())).inventory.path.parent
        (folder / "waits.json").write_text(json.dumps([first, later]))


def pending(port: int) -> set[str]:
    """The accounts that Prometheus would alert for if this goes on."""
    query = urllib.parse.quote('ALERTS{alertname="AccountFailing"}')
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
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        (folder / "fleet.yml").write_text(inventory(listener.getsockname()[1]))
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
        # Two collections are to be missed, and rules are evaluated every 15 seconds.
        while (alerting := pending(prometheus_port)) != FAILING and time.monotonic() < ends + 60:
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
    print(f"exactly those that fail have poll_success 0: {said == FAILING}; AccountFailing: {alerting == FAILING}")
    for reason in ("timeout", "crashed"):
        counted = [line for line in page.splitlines() if f'reason="{reason}"' in line and not line.endswith(" 0.0")]
        print(f"  {reason}: {', '.join(sorted(line.split(chr(34))[1] for line in counted))}")


def _failed(line: str) -> bool:
    return line.startswith("yardlight_poll_success{") and line.endswith(" 0.0")


Turns.collect = timed  # type: ignore[method-assign]
if __name__ == "__main__" and not child(note):
    main()
