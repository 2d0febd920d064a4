"""Network namespaces without root: one holder per lab, named ones inside it, sockets and commands in them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

NAMED = Path("/run/netns")
CLONE_NEWNET = 0x40000000
# Everything a lab starts dies with it: the holder is the first process of a process namespace of its own.
HOLDER = (
    "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--mount-proc", "--fork",
    "--kill-child",
)  # fmt: skip
NEEDED = ("unshare", "nsenter", "ip", "iptables", "prometheus", "prometheus-alertmanager")

_libc = ctypes.CDLL(None, use_errno=True)


def missing() -> str | None:
    """Why no lab can run on this machine, or None when one can."""
    absent = [tool for tool in NEEDED if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    trial = subprocess.run([*HOLDER, "true"], capture_output=True, text=True, check=False)
    return f"no namespaces for this user: {trial.stderr.strip()}" if trial.returncode else None


def prepare() -> None:
    """Make room for named namespaces; call once, inside the holder."""
    subprocess.run(["mount", "-t", "tmpfs", "lab", "/run"], check=True)
    NAMED.mkdir()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def name_server(work: Path, address: str) -> None:
    """Ask this DNS server from now on, as far as this holder and what it starts are concerned."""
    file = work / "resolv.conf"
    file.write_text(f"nameserver {address}\n")
    subprocess.run(["mount", "--bind", str(file), str(Path("/etc/resolv.conf").resolve())], check=True)


def command(name: str, argv: Sequence[str]) -> list[str]:
    """`argv` as it has to be called to run in the namespace `name`."""
    return ["nsenter", f"--net={NAMED / name}", "--", *argv]


def run(name: str, line: str) -> str:
    """Run one command line in `name` and wait; returns its output, raises RuntimeError with its errors."""
    done = subprocess.run(command(name, line.split()), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: {line}: {done.stderr.strip()}")
    return done.stdout


async def act(name: str, line: str) -> None:
    """Like `run`, without stopping the loop."""
    process = await asyncio.create_subprocess_exec(
        *command(name, line.split()), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{name}: {line}: {errors.decode().strip()}")


@contextlib.contextmanager
def inside(name: str) -> Iterator[None]:
    """Sockets made in this block belong to the namespace `name`. Do not await in it."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(NAMED / name, os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(home)
        os.close(there)
        os.close(home)


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        error = ctypes.get_errno()
        raise OSError(error, f"setns: {os.strerror(error)}")


def udp_socket(name: str, bind: str = "0.0.0.0", port: int = 0) -> socket.socket:
    """A UDP socket in `name`, bound and not blocking."""
    with inside(name):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((bind, port))
    return sock


def listening_socket(name: str, bind: str, port: int) -> socket.socket:
    """A TCP socket in `name`, listening and not blocking."""
    with inside(name):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((bind, port))
    sock.listen(64)
    return sock


async def fetch(name: str, port: int, path: str, timeout: float = 5.0) -> bytes:
    """The body of http://127.0.0.1:port/path as seen in `name`; raises OSError when the answer is not 200."""
    with inside(name):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            await loop.sock_connect(sock, ("127.0.0.1", port))
            await loop.sock_sendall(sock, f"GET {path} HTTP/1.0\r\nHost: lab\r\n\r\n".encode())
            received = bytearray()
            while part := await loop.sock_recv(sock, 65536):
                received += part
    finally:
        sock.close()
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0] + b" ":
        raise OSError(f"{name}:{port}{path}: {head[:60]!r}")
    return body
