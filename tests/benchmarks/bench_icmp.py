"""CPU per ICMP probe: `yardlight serve`, everything included, against fping at the same rate and the same time.

Each runs in a network namespace of its own (no root needed), on addresses of 127/8; both at once, so that a busy
machine hurts both alike. Three cases: every target answers, without scrapes and with one every 5 seconds; every echo
request is dropped, so that every path fails and probing is accelerated. The kernel counts the probes (IcmpOutEchos)
and the CPU (user and system time of the process and its children), for both sides alike.
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


def echoes_sent(pid: int) -> int:
    """Echo requests that left any socket of this process's network namespace since it was made."""
    head, values = [line.split() for line in Path(f"/proc/{pid}/net/snmp").read_text().splitlines() if "Icmp: " in line]
    return int(values[head.index("OutEchos")])


def scrape() -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=10) as reply:
        page: bytes = reply.read()
        return page


def measure(pids: tuple[int, ...], seconds: float, scraped: bool) -> list[Cost]:
    """What each process spends during these seconds, from now."""
    began, before = time.monotonic(), [(cpu_seconds(pid), echoes_sent(pid)) for pid in pids]
    while (left := began + seconds - time.monotonic()) > 0:
        if scraped:
            scrape()
        time.sleep(min(left, SCRAPE_EVERY))
    took, after = time.monotonic() - began, [(cpu_seconds(pid), echoes_sent(pid)) for pid in pids]
    return [
        Cost((sent - sent_before) / took, (cpu - cpu_before) / max(sent - sent_before, 1))
        for (cpu_before, sent_before), (cpu, sent) in zip(before, after, strict=True)
    ]


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
    pace = f"-p {period:.0f} -i {period / 1000 * 0.6:.3f} -t {min(period * 0.9, 2000):.0f}"
    inside = f"ip link set lo up && exec fping -l -q {pace} -f {targets}"
    with running(["unshare", "--net", "sh", "-c", inside], folder / "fping.log") as pid:
        yield pid


def no_answers(pids: tuple[int, ...]) -> None:
    """From now on every echo request in these processes' namespaces is dropped on arrival."""
    for pid in pids:
        drop = ["iptables", "-A", "INPUT", "-p", "icmp", "--icmp-type", "echo-request", "-j", "DROP"]
        subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", *drop], check=True)


def report(name: str, our: Cost, their: Cost) -> None:
    costs = f"{our.rate:>8.0f}{our.cpu * 1e6:>9.1f} µs{their.rate:>10.0f}{their.cpu * 1e6:>9.1f} µs"
    print(f"{name:<26}{costs}{our.cpu / their.cpu:>8.2f}", flush=True)


def run(fleet: str, rate: float, seconds: float) -> None:
    print(f"{'CPU per ICMP probe':<26}{'yardlight/s':>11}{'':>9}{'fping/s':>10}{'':>12}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as name, yardlight(Path(name), fleet) as our, fping(Path(name), rate) as their:
        both = (our, their)
        time.sleep(SETTLE)
        report("all answer, not scraped", *measure(both, seconds, scraped=False))
        report("all answer", *measure(both, seconds, scraped=True))
        no_answers(both)
        time.sleep(SETTLE)
        report("all fail", *measure(both, seconds, scraped=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terminals", type=int, default=166)
    parser.add_argument(
        "--targets", type=int, default=3, help="of each terminal, probed over its uplink and its default path"
    )
    parser.add_argument("--rate", type=float, default=1000, help="of fping, probes a second")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    args = parser.parse_args()
    missing = [
        command for command in ("fping", "iptables", "ip", "nsenter", "unshare") if shutil.which(command) is None
    ]
    if missing:
        sys.exit(f"not measured, not installed: {', '.join(missing)}")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        if subprocess.run([*NAMESPACE, "true"], check=False).returncode:
            sys.exit("not measured, no network namespaces here")
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run(inventory(args.terminals, args.targets), args.rate, args.seconds)


if __name__ == "__main__":
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    main()
