"""One centre for all: 10 000 tablets, 5 000 SIMs, 200 feeds and an inventory of 500 terminals; CPU, memory, scrapes.

The vendors are those of the benches of tablets, SIMs and feeds, each a process of its own. All is collected more often
than by default: the tablets every two minutes, the SIMs, a request each, every four, the feeds each minute. The yards
measure themselves and send to Prometheus, so the centre has their inventory, and probes two addresses of each from
outside. Two scrapers, as two Prometheus would be, each ask every five seconds.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench_feeds
import bench_mdm
import bench_sims
import yaml
from harness import Every, Memory, Scraper, cpu_seconds, free_port, go_first, percentile, running

HERE = Path(__file__).parent
CPU, MEMORY, SCRAPE = 1.0, 2**30, 0.150
TABLETS, SIMS, TERMINALS = 10_000, 5_000, 500
SIM_RATE = 30.0
SCRAPE_EVERY = 5.0
# Until everything was collected once, and what a start costs is over.
SETTLED_WITHIN = 900.0


def terminals(count: int) -> dict[str, Any]:
    """Yards with two uplinks that answer from outside, a router and a service."""
    return {
        f"yard-{number}": {
            "targets": ["198.51.100.1", "198.51.100.2", "203.0.113.53"],
            "site": {"address": f"{number} Valley Blvd", "peak": "weekdays"},
            "services": {"dispatch": "https://dispatch.example.com/health"},
            "uplinks": {
                "fiber": {
                    "medium": "fiber", "bind": "10.10.0.21",
                    "circuit": {"isp": "Frontier", "id": f"12/{number}", "outside": address(2 * number)},
                },
                "lte": {"bind": "10.10.0.22", "circuit": {"outside": address(2 * number + 1)}},
            },
        }
        for number in range(count)
    }  # fmt: skip


def address(number: int) -> str:
    return f"127.9.{number // 250}.{number % 250 + 1}"


def inventory(folder: Path, ports: tuple[int, int, int], yards: int) -> None:
    """Those of the three benches put together, each section as it is there."""
    whole: dict[str, Any] = {}
    parts = (
        (bench_mdm.inventory, (ports[0], 120.0)),
        (bench_sims.inventory, (ports[1], SIM_RATE, SIMS)),
        (bench_feeds.inventory, (ports[2],)),
    )
    for write, arguments in parts:
        write(folder, *arguments)
        part = yaml.safe_load((folder / "fleet.yml").read_text())
        for account in part["accounts"].values():
            for field, value in account.items():
                if value == "secret":
                    account[field] = f"secret-{write.__module__}"
                elif isinstance(value, dict) and value.get("bearer_file") == "secret":
                    value["bearer_file"] = f"secret-{write.__module__}"
        (folder / "secret").rename(folder / f"secret-{write.__module__}")
        for section, content in part.items():
            whole[section] = {**whole[section], **content} if isinstance(whole.get(section), dict) else content
    whole["cellular"]["sims"] |= {"poll": "240s", "deadline": "230s"}
    whole["terminals"] = terminals(yards)
    (folder / "fleet.yml").write_text(yaml.safe_dump(whole, sort_keys=False))


@contextlib.contextmanager
def vendors(folder: Path, ports: tuple[int, int, int]) -> Iterator[None]:
    """The three of them, up."""
    commands = (
        ["bench_mdm.py", "--tenant", str(ports[0]), "--devices", str(TABLETS)],
        ["bench_sims.py", "--vendor", str(ports[1]), "--rate", str(SIM_RATE), "--sims", str(SIMS)],
        ["bench_feeds.py", "--vendors", str(ports[2])],
    )
    with contextlib.ExitStack() as stack:
        for name, *words in commands:
            stack.enter_context(running([sys.executable, str(HERE / name), *words], folder / f"{name}.log"))
        for port in ports:
            bench_sims.listening(port)
        yield


def collected(port: int) -> tuple[int, int, int]:
    """Tablets, SIMs and feeds that were collected whole."""
    with contextlib.suppress(OSError):
        text = bench_sims.page(port)
        tablets = sum(float(each) for each in re.findall(r"^yardlight_devices\{.*\} (\S+)$", text, re.MULTILINE))
        feeds = len(re.findall(r'^yardlight_poll_success\{[^}]*poll="feeds/[^}]*\} 1', text, re.MULTILINE))
        return round(tablets), counted(text), feeds
    return 0, 0, 0


def counted(text: str) -> int:
    """SIMs whose use is known."""
    found = re.search(r"^yardlight_pool_sims_counted\{[^}]*\} (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found else 0


def measure(folder: Path, ports: tuple[int, int, int], seconds: float) -> int:
    port = free_port()
    command = [
        sys.executable, "-m", "yardlight", "serve", "--centre", "--inventory", str(folder / "fleet.yml"),
        "--web.listen-address", f"127.0.0.1:{port}", "--state", str(folder / "state.db"),
    ]  # fmt: skip
    wanted = (TABLETS, SIMS, bench_feeds.ACCOUNTS * bench_feeds.FEEDS)
    go_first()
    with vendors(folder, ports), running(command, folder / "serve.log") as pid:
        deadline = time.monotonic() + SETTLED_WITHIN
        while (now := collected(port)) != wanted:
            if time.monotonic() > deadline:
                sys.exit(f"after {SETTLED_WITHIN:.0f} s only {now} of {wanted} were collected")
            time.sleep(5)
        took: list[float] = []
        sizes: list[int] = []

        def scrape(scraper: Scraper) -> None:
            answer, body = scraper.scrape()
            took.append(answer)
            sizes.append(len(body))

        memory = Memory(pid)
        began, cpu = time.monotonic(), cpu_seconds(pid)
        scrapers = [Scraper(port), Scraper(port)]
        asking = [Every(SCRAPE_EVERY, lambda each=each: scrape(each)) for each in scrapers]
        time.sleep(seconds)
        share = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
        for each in asking:
            each.end()
        memory.end()
        samples = [line for line in bench_sims.page(port).splitlines() if not line.startswith("#")]
        still = collected(port)
    p50, p99 = (percentile(took, part) for part in (0.5, 0.99))
    print(f"{TABLETS} tablets, {SIMS} SIMs, {wanted[2]} feeds, {TERMINALS} terminals in one centre, {seconds:.0f} s")
    print(f"  CPU of all processes    {share:.2f} cores on average  (bar {CPU:g})")
    print(f"  memory of all processes {memory.bytes / 2**20:.0f} MiB at most, {memory.count} processes  (bar 1024)")
    print(f"  scrapes                 {len(took)}, p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms  (bar 150)")
    of = {label: sum(f'{label}="' in line for line in samples) for label in ("device", "sim", "feed", "terminal")}
    print(f"  a page                  {len(samples)} series, {sizes[-1]} bytes gzip; with a label of its own: {of}")
    return 0 if share <= CPU and memory.bytes <= MEMORY and p99 <= SCRAPE and still == wanted else 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=240.0, help="of measurement, once all was collected")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        ports = (free_port(), free_port(), free_port())
        inventory(folder, ports, TERMINALS)
        done = subprocess.run(
            [sys.executable, "-m", "yardlight", "check", str(folder / "fleet.yml")], capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        return measure(folder, ports, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
