"""The demo's exporter for hours, with a random fault every few seconds: does it stay as it is, and always recover?

    python -m tests.lab.soak --minutes 120 --seed 1

Faults are those of the demo, and besides: a worker is killed or stopped for a while, the inventory is reloaded, clients
ask nonsense or drip. Between two heals a handful is on at once. Polls come
every few seconds, so that an hour is a day and more of a real fleet. Told at the end: memory, descriptors and threads
of the second half; counters that fell; whatever is not well again within three minutes of the last heal.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

from tests.benchmarks.harness import proportional, tree
from tests.ports import free_port
from yardlight.demo import Ports, archive, faults, platforms
from yardlight.demo.run import CONTROL

EVERY, LOOK, TOGETHER = 3.0, 10.0, 5
WELL_WITHIN, RECOVERED_WITHIN = 240.0, 180.0
_FAULT = re.compile(r"^  (\S+=\S+)", re.MULTILINE)
_COUNTER = re.compile(r"^(\w+(?:_total|_count|_sum|_bucket)(?:\{.*\})?) (\S+)$", re.MULTILINE)


@dataclass
class Looks:
    """What was seen of the exporter, a look every few seconds."""

    memory: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    fell: list[str] = field(default_factory=list)
    counters: dict[str, float] = field(default_factory=dict)

    def take(self, pid: int, page: str) -> None:
        self.memory.append(sum(map(memory, everybody(pid))))
        self.descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))
        self.threads.append(len(os.listdir(f"/proc/{pid}/task")))
        for name, text in _COUNTER.findall(page):
            value = float(text)
            if value < self.counters.get(name, 0.0) and not name.startswith(("process_", "python_")):
                self.fell.append(f"{name}: {self.counters[name]:g}, then {value:g}")
            self.counters[name] = value


def everybody(pid: int) -> list[int]:
    """The process and all below it; one that ends while it is looked at makes the look begin again."""
    while True:
        try:
            return tree(pid)
        except (FileNotFoundError, ProcessLookupError):
            if not Path(f"/proc/{pid}").exists():
                raise


def memory(pid: int) -> float:
    """Its part of all memory; nothing of one that just ended."""
    with contextlib.suppress(OSError, StopIteration):
        return proportional(pid)
    return 0.0


class Demo:
    """The demo without Prometheus, on ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.ports = Ports(*(free_port() for _ in fields(Ports)))
        code = (
            "from pathlib import Path; from yardlight.demo import DemoOptions, Ports, main; "
            f"raise SystemExit(main(DemoOptions(folder=Path({str(folder)!r}), ports={self.ports!r}, fleet_only=True)))"
        )
        self._log = (folder / "demo.log").open("w")
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=self._log, stderr=self._log)
        self.folder = folder

    @property
    def exporter(self) -> int:
        """The process id of the exporter."""
        _, *below = everybody(self.process.pid)
        return next(pid for pid in below if b"serve" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports.exporter}/metrics", timeout=10) as reply:
            text: str = reply.read().decode()
            return text

    def fault(self, text: str) -> bool:
        """True if the demo takes it."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports.inbox}{CONTROL}", data=text.encode())
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError:
            return False
        return True

    def stop(self) -> None:
        try:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(60)
        finally:
            self.process.kill()
            self.process.wait()
            self._log.close()
            archive.remove_copies()


def ill(page: str) -> Iterator[str]:
    """What is not well: circuits not up, polls that fail, a state file that is not written, an inventory not in use."""
    reasons = re.findall(r"^yardlight_poll_failed\{(.*)\} 1$", page, re.MULTILINE)
    yield from (f"poll_failed{{{each}}}" for each in reasons)
    for pattern, wrong in (
        (r'^(yardlight_uplink_state\{.*state="up".*\}) (\S+)$', 0.0),
        (r"^(yardlight_poll_success\{.*\}) (\S+)$", 0.0),
        (r"^(yardlight_state_writable\{.*\}) (\S+)$", 0.0),
        (r"^(yardlight_config_last_reload_successful\{.*\}) (\S+)$", 0.0),
    ):
        for name, value in re.findall(pattern, page, re.MULTILINE):
            if float(value) == wrong:
                yield name


def harm(demo: Demo, rng: random.Random) -> str:
    """Something that no vendor and no circuit does; what it was."""
    workers = everybody(demo.exporter)[1:]
    what = rng.choice(("kill a worker", "stop a worker", "reload", "nonsense", "drip"))
    with contextlib.suppress(OSError):
        if what == "kill a worker" and workers:
            os.kill(rng.choice(workers), signal.SIGKILL)
        elif what == "stop a worker" and workers:
            pid = rng.choice(workers)
            os.kill(pid, signal.SIGSTOP)
            time.sleep(1.0)
            os.kill(pid, signal.SIGCONT)
        elif what == "reload":
            os.kill(demo.exporter, signal.SIGHUP)
        else:
            with socket.create_connection(("127.0.0.1", demo.ports.exporter), timeout=5) as client:
                client.sendall(rng.randbytes(2000) if what == "nonsense" else b"GET /metrics HTTP/1.1\r\nX: ")
                time.sleep(0.5)
    return what


def run(minutes: float, seed: int, folder: Path) -> int:
    rng, looks, counted = random.Random(seed), Looks(), 0
    known = [each for text in (faults.LIST, platforms.LIST, archive.LIST) for each in _FAULT.findall(text)]
    sick = [each for each in known if not each.endswith("=heal")]
    heals = sorted({f"{each.partition('=')[0].partition('.')[0]}=heal" for each in known})
    demo = Demo(folder)
    try:
        if never := wait_well(demo, WELL_WITHIN):
            sys.exit(f"the demo never was well, before any fault: {never}")
        looks.take(demo.exporter, demo.page())
        end, look_at, told_at = time.monotonic() + minutes * 60, 0.0, time.monotonic()
        pid = demo.exporter
        while time.monotonic() < end:
            for _ in range(TOGETHER):
                if rng.random() < 0.2:
                    harm(demo, rng)
                    counted += 1
                else:
                    counted += demo.fault(rng.choice(sick))
                time.sleep(EVERY)
                if time.monotonic() >= look_at:
                    looks.take(pid, demo.page())
                    look_at = time.monotonic() + LOOK
            for each in heals:
                demo.fault(each)
            if time.monotonic() - told_at > 300:
                told_at = time.monotonic()
                print(f"  {counted} faults, {looks.memory[-1] / 2**20:.0f} MiB", flush=True)
        for each in heals:
            demo.fault(each)
        # One that met a half-written file was refused, and nobody asked again.
        os.kill(pid, signal.SIGHUP)
        left = wait_well(demo, RECOVERED_WITHIN)
        same = demo.exporter == pid
        looks.take(demo.exporter, demo.page())
    finally:
        demo.stop()
    return told(looks, counted, left, same)


def wait_well(demo: Demo, within: float) -> list[str]:
    """What is not well at the end of that time; nothing as soon as all is."""
    deadline, left = time.monotonic() + within, ["nothing was read"]
    while left and time.monotonic() < deadline:
        time.sleep(1.0)
        with contextlib.suppress(OSError):
            page = demo.page()
            left = list(ill(page)) if "yardlight_poll_success{" in page else ["no poll yet"]
    return left


def told(looks: Looks, counted: int, left: list[str], same: bool) -> int:
    half = looks.memory[len(looks.memory) // 2 :]
    quarter = max(1, len(half) // 2)
    first, second = statistics.median(half[:quarter]), statistics.median(half[quarter:])
    growth = second / first - 1.0
    print(f"{counted} faults; {len(looks.memory)} looks")
    print(f"memory: {first / 2**20:.1f} MiB, then {second / 2**20:.1f} MiB in the second half: {growth:+.1%} (bar 2 %)")
    kept = True
    for name, found in (("descriptors", looks.descriptors), ("threads", looks.threads)):
        middle = found[len(found) // 2 :]
        seen = f"{found[0]} at first, {min(middle)} to {max(middle)} in the second half, {found[-1]} at the end"
        print(f"{name}: {seen} (bar: half again)")
        kept &= found[-1] <= 1.5 * found[0]
    print(f"counters that fell: {len(looks.fell)} {looks.fell[:3]}")
    print(f"not well again: {left or 'nothing'}; the same process to the end: {'yes' if same else 'NO'}")
    return 0 if growth <= 0.02 and kept and not looks.fell and not left and same else 1


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.lab.soak", description=__doc__)
    arguments.formatter_class = argparse.RawDescriptionHelpFormatter
    arguments.add_argument("--minutes", type=float, default=120.0)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="yardlight-soak-") as folder:
        return run(options.minutes, options.seed, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
