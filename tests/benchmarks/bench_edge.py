"""A page asked for while a thousand connections idle half open and a hundred clients drip, plain and over TLS.

Half of the idle ones sent nothing, the others half a request; whoever is closed comes again two seconds later. The peer
is the same server asked by the same scraper with nobody else there, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import free_port, percentile, running

IDLE, DRIPPING, SCRAPES = 1000, 100, 300
BAR, READY_WITHIN = 0.200, 120.0
FLEET = """\
fleet: edge
terminals:
  {yards}
"""
YARD = 'yard-{number}: {{targets: ["tcp://127.0.0.1:9"], uplinks: {{fiber: {{medium: fiber}}}}}}'


async def hold(port: int, tls: ssl.SSLContext | None, part: bytes, every: float | None) -> None:
    """One client that never asks a whole question; comes again when it is closed."""
    while True:
        with contextlib.suppress(OSError):
            # Over TLS the idle ones do not even shake hands.
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            try:
                writer.write(part)
                while every is not None:
                    await asyncio.sleep(every)
                    writer.write(b"X")
                    await writer.drain()
                await reader.read()
            finally:
                writer.close()
        await asyncio.sleep(2)


async def scrape(port: int, tls: ssl.SSLContext | None) -> float:
    """Seconds until the page is here, on a connection of its own; infinite if it does not come."""
    began = time.perf_counter()
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
            writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            page = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        return float("inf")
    return time.perf_counter() - began if page.startswith(b"HTTP/1.1 200") else float("inf")


async def measured(port: int, tls: ssl.SSLContext | None) -> list[float]:
    found = []
    for _ in range(SCRAPES):
        found.append(await scrape(port, tls))
        await asyncio.sleep(0.02)
    return found


async def run(port: int, tls: ssl.SSLContext | None) -> bool:
    """Whether the bar was held."""
    deadline = time.monotonic() + READY_WITHIN
    while await scrape(port, tls) == float("inf"):
        if time.monotonic() > deadline:
            sys.exit(f"no page within {READY_WITHIN:.0f} s")
        await asyncio.sleep(0.2)
    alone = await measured(port, tls)
    attackers = subprocess.Popen([sys.executable, __file__, "--attack", str(port), *(["--tls"] if tls else [])])
    try:
        await asyncio.sleep(5)
        crowded = await measured(port, tls)
        assert attackers.poll() is None, "the attackers gave up"
    finally:
        attackers.kill()
        attackers.wait()
    for name, found in (("alone", alone), ("in a crowd", crowded)):
        came = sum(each < float("inf") for each in found)
        print(
            f"  {name:<12} p50 {percentile(found, 0.5) * 1e3:6.1f} ms   p99 {percentile(found, 0.99) * 1e3:6.1f} ms   "
            f"{came} of {len(found)} came"
        )
    p99 = percentile(crowded, 0.99)
    print(f"  ratio of p99: {p99 / percentile(alone, 0.99):.1f}   (bar: {BAR * 1e3:.0f} ms)")
    return p99 <= BAR


async def attack(port: int, tls: bool) -> None:
    context = _context() if tls else None
    clients = [hold(port, None, b"" if number % 2 else b"GET / HTTP/1.1\r\nX: ", None) for number in range(IDLE)]
    clients += [hold(port, context, b"GET / HTTP/1.1\r\nX: ", 0.5) for _ in range(DRIPPING)]
    await asyncio.gather(*clients)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--attack", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--tls", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    if options.attack:
        asyncio.run(attack(options.attack, options.tls))
        return 0
    held = True
    for tls in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder, port = Path(name), free_port()
            yards = "\n  ".join(YARD.format(number=number) for number in range(500))
            (folder / "fleet.yml").write_text(FLEET.format(yards=yards))
            command = [sys.executable, "-m", "yardlight", "serve", "--centre", "--inventory", str(folder / "fleet.yml")]
            command += ["--state", str(folder / "state.db"), "--web.listen-address", f"127.0.0.1:{port}"]
            if tls:
                subprocess.run(
                    ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                     "-days", "2", "-subj", "/CN=localhost", "-out", folder / "c.pem", "-keyout", folder / "k.pem"],
                    check=True, capture_output=True,
                )  # fmt: skip
                (folder / "web.yml").write_text("tls_server_config: {cert_file: c.pem, key_file: k.pem}\n")
                command += ["--web.config.file", str(folder / "web.yml")]
            print(f"{IDLE} idle and {DRIPPING} dripping, {'TLS' if tls else 'plain'}, a page of 500 terminals:")
            with running(command, folder / "log"):
                held &= asyncio.run(run(port, _context() if tls else None))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
