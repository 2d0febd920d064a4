"""CPU per ICMP probe: `yardlight serve`, everything included, against fping at the same rate in the same run.

Runs in a network namespace of its own (no root needed), on addresses of 127/8. Two cases: every target
answers; every echo request is dropped, so that every path fails and probing is accelerated. The kernel counts
the probes (IcmpOutEchos) and the CPU (user and system time of the process and its children), for both sides
alike. Ours is scraped every 5 seconds meanwhile, as Prometheus would; fping has nothing of the kind to do.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PORT = 10480
SCRAPE_EVERY = 5.0
SETTLE = 10.0
NAMESPACE = ["unshare", "--user", "--map-root-user", "--net"]
INSIDE = "YARDLIGHT_BENCH_INSIDE"


@dataclass(frozen=True)
class Cost:
    """Probes a second and seconds of CPU per probe."""

    rate: float
    cpu: float


def address(number: int) -> str:
    return str(IPv4Address("127.1.0.0") + number)


def inventory(terminals: int, targets: int) -> str:
    """A fleet whose every target is on loopback; each terminal has one unmetered uplink."""
    lines = ["fleet: bench", "terminals:"]
    for index in range(terminals):
        addresses = ", ".join(address(targets * index + offset + 1) for offset in range(targets))
        lines += [f"  t{index}:", f"    targets: [{addresses}]", "    uplinks: {fiber: {medium: fiber}}"]
    return "\n".join(lines) + "\n"


def cpu_seconds(pid: int) -> float:
    """User and system time of this process, its threads, and its living and reaped children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(field) for field in fields[11:15]) / TICK
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_seconds(int(child)) for child in children)


def echoes_sent() -> int:
    """Echo requests that left any socket of this namespace since it was made."""
    head, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if "Icmp: " in line]
    return int(values[head.index("OutEchos")])


def scrape() -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as reply:
        page: bytes = reply.read()
        return page


def measure(pid: int, seconds: float, scraped: bool) -> Cost:
    """What the process spends during these seconds, from now."""
    began, cpu, sent = time.monotonic(), cpu_seconds(pid), echoes_sent()
    while (left := began + seconds - time.monotonic()) > 0:
        if scraped:
            scrape()
        time.sleep(min(left, SCRAPE_EVERY))
    probes = echoes_sent() - sent
    return Cost(probes / (time.monotonic() - began), (cpu_seconds(pid) - cpu) / max(probes, 1))


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[int]:
    """The command in the background, stopped by SIGINT at the end."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def yardlight(folder: Path, fleet_text: str) -> Iterator[int]:
    """`yardlight serve` that has answered its first scrape and probed for a while."""
    fleet = folder / "fleet.yml"
    fleet.write_text(fleet_text)
    command = [
        sys.executable,
        "-m",
        "yardlight",
        "serve",
        "--inventory",
        str(fleet),
        "--state",
        str(folder / "state.db"),
    ]
    with running([*command, f"--web.listen-address=127.0.0.1:{PORT}"], folder / "yardlight.log") as pid:
        deadline = time.monotonic() + 60
        while True:
            try:
                scrape()
                break
            except OSError:
                if time.monotonic() > deadline or not Path(f"/proc/{pid}").exists():
                    sys.exit((folder / "yardlight.log").read_text()[-2000:])
                time.sleep(0.2)
        yield pid


@contextlib.contextmanager
def fping(folder: Path, rate: float) -> Iterator[int]:
    """fping in loop mode on a thousand targets, so often that `rate` echoes leave a second."""
    targets = folder / "targets"
    targets.write_text("\n".join(address(number) for number in range(1, 1001)))
    period = 1000 * 1000 / rate
    pace = ["-p", f"{period:.0f}", "-i", f"{period / 1000 * 0.9:.3f}", "-t", f"{min(period * 0.9, 2000):.0f}"]
    with running(["fping", "-l", "-q", *pace, "-f", str(targets)], folder / "fping.log") as pid:
        yield pid


@contextlib.contextmanager
def no_answers() -> Iterator[None]:
    """Every echo request is dropped on arrival."""
    rule = ["INPUT", "-p", "icmp", "--icmp-type", "echo-request", "-j", "DROP"]
    subprocess.run(["iptables", "-A", *rule], check=True)
    try:
        yield
    finally:
        subprocess.run(["iptables", "-D", *rule], check=True)


def ours(folder: Path, fleet: str, seconds: float) -> tuple[Cost, Cost, Cost]:
    """Our cost while all answer, unscraped and scraped, and while none does; each after it has settled."""
    with yardlight(folder, fleet) as pid:
        time.sleep(SETTLE)
        unscraped = measure(pid, seconds, scraped=False)
        healthy = measure(pid, seconds, scraped=True)
        with no_answers():
            time.sleep(SETTLE)
            return unscraped, healthy, measure(pid, seconds, scraped=True)


def theirs(folder: Path, rate: float, seconds: float) -> Cost:
    """fping's cost at this rate."""
    with fping(folder, rate) as pid:
        time.sleep(2)
        return measure(pid, seconds, scraped=False)


def mean(costs: list[Cost]) -> Cost:
    return Cost(sum(cost.rate for cost in costs) / len(costs), sum(cost.cpu for cost in costs) / len(costs))


def report(name: str, our: Cost, their: Cost) -> None:
    ratio = our.cpu / their.cpu
    print(
        f"{name:<26}{our.rate:>10.0f}{our.cpu * 1e6:>11.1f} µs{their.cpu * 1e6:>11.1f} µs{ratio:>8.2f}",
        flush=True,
    )


def run(fleet: str, seconds: float, rounds: int) -> None:
    """Rounds alternate between us and fping, so that a busy machine hurts both alike."""
    cases: dict[str, list[tuple[Cost, Cost]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(rounds):
            unscraped, healthy, failing = ours(folder, fleet, seconds)
            peer = theirs(folder, healthy.rate, seconds)
            cases.setdefault("all answer", []).append((healthy, peer))
            cases.setdefault("all answer, not scraped", []).append((unscraped, peer))
            with no_answers():
                cases.setdefault("all fail", []).append((failing, theirs(folder, failing.rate, seconds)))
    print(f"{'CPU per ICMP probe':<26}{'probes/s':>10}{'yardlight':>14}{'fping':>14}{'ratio':>8}")
    for case, pairs in cases.items():
        report(case, mean([our for our, _ in pairs]), mean([their for _, their in pairs]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terminals", type=int, default=166)
    parser.add_argument(
        "--targets", type=int, default=3, help="of each terminal, probed over its uplink and its default path"
    )
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2)
    args = parser.parse_args()
    missing = [command for command in ("fping", "iptables", "ip", "unshare") if shutil.which(command) is None]
    if missing:
        sys.exit(f"not measured, not installed: {', '.join(missing)}")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        if subprocess.run([*NAMESPACE, "true"], check=False).returncode:
            sys.exit("not measured, no network namespaces here")
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run(inventory(args.terminals, args.targets), args.seconds, args.rounds)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    main()
