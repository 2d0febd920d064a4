"""Time of a scrape of 100 000 series: ours, client_golang's (Debian's prometheus-pushgateway), prometheus_client's.

20 accounts share 8 families; one account is refreshed each second, on all three sides; gzip. The loop that would
probe meanwhile is watched, and so is a bare one in a process beside it, as the machine may be busy with other things.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from harness import Every, Scraper, bare, child, cpu_seconds, free_port, need, ours, percentile, running
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from vendors import ACCOUNTS, DEVICES, FAMILIES, FLEET, account, samples

from yardlight.collection import Session
from yardlight.exposition import page
from yardlight.serve import Service

FLEET_FILE = 'fleet: bench\nterminals: {t0: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {medium: fiber}}}}\n'
NAMES = [f"account-{number}" for number in range(ACCOUNTS)]


async def collect(service: Service) -> None:
    """Every account once, then one a second, each in a worker slot."""
    fleet = service.fleets[FLEET]
    polls = [
        fleet.collect(
            name, partial(service.slots.run, FLEET, name, partial(account, name=name)), ACCOUNTS, 30, fleet.state
        )
        for name in NAMES
    ]
    for poll in polls:
        await poll.once()
    for poll in itertools.cycle(polls):
        began = time.monotonic()
        await poll.once()
        await asyncio.sleep(began + 1.0 - time.monotonic())


@contextmanager
def prometheus_client(folder: Path, port: int) -> Iterator[None]:
    """The same with the official Python client, in a process of its own."""
    with running([sys.executable, sys.argv[0], "--peer", str(port)], folder / "client.log"):
        wait(port)
        yield


def peer(port: int) -> None:
    """That process."""
    registry = CollectorRegistry()
    gauges = [Gauge(m.name, m.help, ["fleet", *m.labels], registry=registry) for m, _ in FAMILIES]

    def refresh(name: str) -> None:
        for gauge, (_, shape) in zip(gauges, FAMILIES, strict=True):
            for labels, value in samples(name, shape).items():
                gauge.labels(FLEET, *labels).set(value or 0.0)

    for name in NAMES:
        refresh(name)
    start_http_server(port, "127.0.0.1", registry)
    for name in itertools.cycle(NAMES):
        time.sleep(1.0)
        refresh(name)


@contextmanager
def pushgateway(folder: Path, port: int) -> Iterator[None]:
    """Debian's pushgateway with the same series, each account a group that is pushed."""
    turn = itertools.cycle(NAMES)

    def push() -> None:
        name = next(turn)
        body = page(account(Session(time.monotonic() + 30), name), openmetrics=False)
        url = f"http://127.0.0.1:{port}/metrics/job/{name}"
        urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=30).close()

    command = ["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}", "--push.disable-consistency-check"]
    with running(command, folder / "pushgateway.log"):
        wait(port)
        for _ in NAMES:
            push()
        refreshing = Every(1.0, push)
        yield
        refreshing.end()


def wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            # The answer may be a whole page of prometheus_client's.
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit(f"nothing answers on port {port}")


def until_all_have(expected: int, scrapers: dict[str, Scraper]) -> None:
    deadline = time.monotonic() + 60
    while any(series(scraper) != expected for scraper in scrapers.values()):
        if time.monotonic() > deadline:
            sys.exit(f"not the same series: { {name: series(each) for name, each in scrapers.items()} }")
        time.sleep(1.0)


def series(scraper: Scraper) -> int:
    """How many of our series the page has."""
    lines = gzip.decompress(scraper.scrape()[1]).splitlines()
    return sum(line.startswith(b"yardlight_bench_") for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scrapes", type=int, default=200, help="of us and of the pushgateway; a tenth of the third")
    parser.add_argument("--seconds", type=float, default=20, help="for which the loop is watched")
    args = parser.parse_args()
    need("prometheus-pushgateway")
    ports = {"yardlight": free_port(), "client_golang": free_port(), "prometheus_client": free_port()}
    times: dict[str, list[float]] = {name: [] for name in ports}
    sizes: dict[str, int] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "fleet.yml").write_text(FLEET_FILE)
        we = stack.enter_context(ours(folder, ports["yardlight"]))
        scrapers = {name: Scraper(port) for name, port in ports.items()}
        with pushgateway(folder, ports["client_golang"]), prometheus_client(folder, ports["prometheus_client"]):
            until_all_have(ACCOUNTS * len(FAMILIES) * DEVICES, scrapers)
            for number in range(args.scrapes):
                # In turns, so that a busy machine hurts all alike.
                for name, scraper in scrapers.items():
                    if name != "prometheus_client" or number % 10 == 0:
                        took, body = scraper.scrape()
                        times[name].append(took)
                        sizes[name] = len(body)
        # The peers use up this machine: the loop is watched without them.
        beside = stack.enter_context(bare())
        we.restart()
        began, cpu = time.monotonic(), cpu_seconds(we.process.pid)
        while time.monotonic() < began + args.seconds:
            scrapers["yardlight"].scrape()
            time.sleep(0.1)
        share = (cpu_seconds(we.process.pid) - cpu) / (time.monotonic() - began)
        lag, beside_lag = we.end(), beside.end()
    print(f"{'scrape of 100 000 series':<26}{'scrapes':>9}{'bytes':>11}{'p50':>11}{'p99':>11}{'p99/ours':>10}")
    our = percentile(times["yardlight"], 0.99)
    for name, taken in times.items():
        p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
        print(f"{name:<26}{len(taken):>9}{sizes[name]:>11}{p50 * 1e3:>8.1f} ms{p99 * 1e3:>8.1f} ms{p99 / our:>10.1f}")
    print(f"scraped ten times a second, workers included: {share:.1%} of a core; asked {lag.asked} times")
    print(f"loop lag: {lag}\n  a bare loop beside it: {beside_lag}")


if __name__ == "__main__":
    if "--peer" in sys.argv:
        peer(int(sys.argv[-1]))
    elif not child(collect):
        main()
