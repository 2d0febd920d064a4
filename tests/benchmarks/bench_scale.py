"""500 terminals with two uplinks each, one target each second, in one process: CPU, memory and the loop's lag.

Runs in a network namespace of its own (no root needed), on addresses of 127/8; the pins are proven over STUN. Scraped
every 5 seconds, gzip. CPU is user and system time of the process and all below it: rendering and the state file are in
it, and the loop that watches for lag. Debian's smokeping_prober runs at the same 500 targets afterwards; it pings each
once a second, while we do so over each uplink and over the default path.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench_icmp import INSIDE, NAMESPACE, address, echoes_sent
from harness import (
    Every,
    Scraper,
    bare,
    child,
    cpu_seconds,
    free_port,
    go_first,
    kernel_seconds,
    need,
    ours,
    percentile,
    resident,
    running,
)

from yardlight.demo.simulator import stun_answer

UPLINKS = {"127.0.0.1": "198.51.100.1", "127.0.0.2": "203.0.113.1"}
STUN = ("127.0.0.53", 3478)
SCRAPE_EVERY = 5.0
SETTLE = 20.0


@dataclass(frozen=True)
class Cost:
    """Echoes a second, share of a core (and the kernel's part of it), bytes of memory."""

    rate: float
    share: float
    kernel: float
    memory: int

    def line(self, name: str) -> str:
        each = self.share / self.rate
        cost = f"{self.share:>9.1%}{self.kernel:>9.1%}{each * 1e6:>11.1f} µs"
        return f"{name:<26}{self.rate:>10.0f}{cost}{self.memory / 2**20:>9.0f} MiB"


def inventory(terminals: int) -> str:
    """A fleet whose every terminal has one target and two uplinks on loopback."""
    fiber, cable = UPLINKS
    uplinks = f"uplinks: {{fiber: {{medium: fiber, bind: {fiber}}}, cable: {{medium: cable, bind: {cable}}}}}"
    lines = ["fleet: bench", "terminals:"]
    for index in range(terminals):
        targets = f"targets: [{address(index + 1)}], egress: 'stun://{STUN[0]}:{STUN[1]}'"
        lines.append(f"  t{index}: {{{targets}, {uplinks}}}")
    return "\n".join(lines) + "\n"


def tell_addresses(listener: socket.socket) -> None:
    """A STUN server that tells each uplink its own public address."""
    while True:
        request, sender = listener.recvfrom(2048)
        if answer := stun_answer(request, UPLINKS.get(sender[0], "192.0.2.1"), sender[1]):
            listener.sendto(answer, sender)


def measure(pid: int, seconds: float) -> Cost:
    began, cpu, kernel, sent = time.monotonic(), cpu_seconds(pid), kernel_seconds(pid), echoes_sent(pid)
    time.sleep(seconds)
    took = time.monotonic() - began
    spent, of_it = cpu_seconds(pid) - cpu, kernel_seconds(pid) - kernel
    return Cost((echoes_sent(pid) - sent) / took, spent / took, of_it / took, resident(pid))


def run(terminals: int, seconds: float) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        listener.bind(STUN)
        threading.Thread(target=tell_addresses, args=(listener,), daemon=True).start()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "fleet.yml").write_text(inventory(terminals))
        port = free_port()
        with ours(folder, port) as we, bare() as beside:
            scraper = Scraper(port)
            time.sleep(SETTLE)
            we.restart()
            beside.restart()
            times: list[tuple[float, bytes]] = []
            scraping = Every(SCRAPE_EVERY, lambda: times.append(scraper.scrape()))
            watching = cpu_seconds(beside.process.pid)
            our = measure(we.process.pid, seconds)
            watching = (cpu_seconds(beside.process.pid) - watching) / seconds
            scraping.end()
            lag, beside_lag = we.end(), beside.end()
        smokeping = ["prometheus-smokeping-prober", "--privileged", f"--web.listen-address=127.0.0.1:{port}"]
        targets = [address(index + 1) for index in range(terminals)]
        with running([*smokeping, *targets], folder / "smokeping.log") as pid:
            time.sleep(5.0)
            their = measure(pid, seconds / 2)
    print(f"{f'{terminals} targets each second':<26}{'probes/s':>10}{'core':>9}{'kernel':>9}{'each':>14}{'memory':>13}")
    print(our.line("yardlight, two uplinks"))
    print(their.line("smokeping_prober"))
    took = percentile([seconds for seconds, _ in times], 0.99)
    print(f"scraped {len(times)} times meanwhile, {took * 1e3:.0f} ms at most, {len(times[-1][1])} bytes gzip")
    print(f"of our CPU, {watching:.1%} of a core is for watching the loop; bars: 10 % of a core, 150 MiB")
    print(f"loop lag: {lag}\n  a bare loop beside it: {beside_lag}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--terminals", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60, help="of our measurement, half as much of the peer's")
    args = parser.parse_args()
    need("prometheus-smokeping-prober", "unshare", "ip")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        if subprocess.run([*NAMESPACE, "true"], check=False).returncode:
            sys.exit("not measured, no network namespaces here")
        # A user namespace takes the right away.
        go_first()
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    run(args.terminals, args.seconds)


if __name__ == "__main__" and not child():
    main()
