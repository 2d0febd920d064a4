"""What the benchmarks share: our process with its loop watched, a bare loop beside it, processes and their cost."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from yardlight import logs
from yardlight.serve import SWITCH_SECONDS, ServeOptions, Service
from yardlight.server import Server

HERE = Path(__file__).parent
TICK = os.sysconf("SC_CLK_TCK")
# The loop is asked this often whether it comes when called.
ASK_EVERY = 0.01
ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@dataclass(frozen=True)
class Lag:
    """How late a loop came to its own timers, in seconds."""

    p50: float
    p999: float
    worst: float
    asked: int

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1e3:.2f} ms, p99.9 {self.p999 * 1e3:.2f} ms, worst {self.worst * 1e3:.1f} ms"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0 to 1) of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def need(*commands: str) -> None:
    """End, saying so, where something to measure with is missing."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        sys.exit(f"{Path(sys.argv[0]).name}: not measured, not installed: {', '.join(missing)}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def go_first() -> None:
    """What else runs on this machine is not to be measured; without the right to, it is."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


async def watch(lags: list[float]) -> None:
    """Note how late this loop is, again and again."""
    while True:
        asked = time.monotonic()
        await asyncio.sleep(ASK_EVERY)
        lags.append(time.monotonic() - asked - ASK_EVERY)


async def _bare() -> None:
    """A loop that does nothing else: what this machine does to any loop."""
    await _until_told(asyncio.create_task(asyncio.sleep(0)))


async def _until_told(*tasks: asyncio.Task[None]) -> None:
    """Watch the loop; SIGUSR1 begins anew, SIGTERM ends and prints what was seen."""
    lags: list[float] = []
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, lags.clear)
    watching = [asyncio.create_task(watch(lags)), *tasks]
    print("ready", flush=True)
    await stop.wait()
    for task in watching:
        task.cancel()
    print(json.dumps([percentile(lags, 0.5), percentile(lags, 0.999), max(lags), len(lags)]), flush=True)


Extra = Callable[[Service], Awaitable[None]]


async def _ours(options: ServeOptions, extra: Extra | None) -> None:
    service = Service(options, logs.setup("logfmt", "error"))
    await service.load()
    server = Server(service, options.listen, webhooks=service)
    server.start()
    await service.start()
    tasks = [asyncio.ensure_future(extra(service))] if extra is not None else []
    try:
        await _until_told(*tasks)
    finally:
        await asyncio.to_thread(server.stop)
        await service.stop()


def child(extra: Extra | None = None) -> bool:
    """In a process that `ours` or `bare` started: be that process and return True."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--child", choices=["ours", "bare"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--port", type=int)
    args, _ = parser.parse_known_args()
    if args.child is not None:
        go_first()
    if args.child == "bare":
        asyncio.run(_bare())
    elif args.child == "ours":
        sys.setswitchinterval(SWITCH_SECONDS)
        options = ServeOptions(
            args.folder / "fleet.yml", listen=f"127.0.0.1:{args.port}", state=args.folder / "state.db"
        )
        asyncio.run(_ours(options, extra))
    return args.child is not None


class Watched:
    """A process whose loop is watched; `lag` once it has ended."""

    def __init__(self, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(HERE)}
        command = [sys.executable, sys.argv[0], *sys.argv[1:], *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout is not None
        self._output = self.process.stdout
        if self._output.readline() != "ready\n":
            sys.exit("a process to be measured did not start")

    def restart(self) -> None:
        """Forget what was seen so far."""
        self.process.send_signal(signal.SIGUSR1)

    def end(self) -> Lag:
        self.process.terminate()
        last = self._output.read().splitlines()[-1]
        self.process.wait()
        return Lag(*json.loads(last))


@contextlib.contextmanager
def ours(folder: Path, port: int) -> Iterator[Watched]:
    """Our process on the `fleet.yml` of this folder, as in `yardlight serve`."""
    with _watched("--child", "ours", "--folder", str(folder), "--port", str(port)) as process:
        yield process


@contextlib.contextmanager
def bare() -> Iterator[Watched]:
    """A loop of a process beside it that has nothing to do."""
    with _watched("--child", "bare") as process:
        yield process


@contextlib.contextmanager
def _watched(*arguments: str) -> Iterator[Watched]:
    watched = Watched(*arguments)
    try:
        yield watched
    finally:
        if watched.process.poll() is None:
            watched.process.kill()
            watched.process.wait()


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[int]:
    """The command in the background, by its pid."""
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    below = [
        int(each) for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
    ]
    return [pid, *(each for one in below for each in tree(one))]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all below it, the reaped ones included."""
    return sum(sum(_times(each)) for each in tree(pid))


def kernel_seconds(pid: int) -> float:
    """The system time in `cpu_seconds`."""
    return sum(_times(each)[1] + _times(each)[3] for each in tree(pid))


def _times(pid: int) -> list[float]:
    """Seconds: user, system, and both of the reaped children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(field) / TICK for field in fields[11:15]]


def resident(pid: int) -> int:
    """Bytes of memory of a process alone."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def proportional(pid: int) -> int:
    """Bytes of memory of a process, of what it shares its part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


class Scraper:
    """Asks as Prometheus does: over a connection that it keeps, gzip accepted."""

    def __init__(self, port: int, path: str = "/metrics") -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {ACCEPT}\r\nAccept-Encoding: gzip\r\n"
            "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"
        ).encode()
        self._port = port
        self._socket: socket.socket | None = None

    def scrape(self) -> tuple[float, bytes]:
        """Seconds from request to last byte, and the body as it came."""
        began = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._socket.sendall(self._request)
        stream = self._socket.makefile("rb")
        status = stream.readline()
        headers = dict(_header(line) for line in iter(stream.readline, b"\r\n"))
        size = headers.get("content-length")
        body = b"".join(_chunks(stream)) if size is None else stream.read(int(size))
        if status.startswith(b"HTTP/1.0"):
            self._socket.close()
            self._socket = None
        took = time.perf_counter() - began
        if b" 200 " not in status:
            sys.exit(f"{status!r} from port {self._port}")
        return took, body


def _header(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode().partition(":")
    return name.lower(), value.strip().lower()


def _chunks(stream: socket.SocketIO) -> Iterator[bytes]:
    while size := int(stream.readline(), 16):
        yield stream.read(size)
        stream.readline()
    stream.readline()


class Every(threading.Thread):
    """Does something again and again, on time, until `end`."""

    def __init__(self, seconds: float, what: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._seconds, self._what = seconds, what
        self._ended = threading.Event()
        self.start()

    def run(self) -> None:
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            self._what()
            due += self._seconds

    def end(self) -> None:
        self._ended.set()
        self.join()


class Memory:
    """The most that the process and all below it had at one time; `alone` counts shared pages for each of them."""

    def __init__(self, pid: int, every: float = 0.5) -> None:
        self._pid, self.bytes, self.alone, self.count, self.parts = pid, 0, 0, 0, [0]
        self._every = Every(every, self._look)

    def _look(self) -> None:
        try:
            pids = tree(self._pid)
            parts, alone = list(map(proportional, pids)), sum(map(resident, pids))
        except (OSError, StopIteration):
            return
        if sum(parts) > self.bytes:
            self.bytes, self.alone, self.count, self.parts = sum(parts), alone, len(pids), parts

    def end(self) -> None:
        self._every.end()
