"""net-snmp's agent on loopback: what the world's routers are compared with."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yardlight.inventory.values import Secret
from yardlight.snmp import Agent, snmp_set
from yardlight.terminal.routers import standard

COMMUNITY = "a-community"
# User, hash, cipher: in net-snmp's spelling and in ours.
USERS = (
    ("md5aes", "MD5", "AES", "md5", "aes"),
    ("shaaes", "SHA", "AES", "sha", "aes"),
    ("sha224aes", "SHA-224", "AES", "sha224", "aes"),
    ("sha256aes", "SHA-256", "AES", "sha256", "aes"),
    ("sha512aes", "SHA-512", "AES", "sha512", "aes"),
    ("sha256aes256", "SHA-256", "AES-256", "sha256", "aes256"),
    ("shaaes192", "SHA", "AES-192", "sha", "aes192"),
    ("shaaes256", "SHA", "AES-256", "sha", "aes256"),
    ("shaaes256c", "SHA", "AES-256-C", "sha", "aes256c"),
)
AUTH_KEY, PRIV_KEY = "auth passphrase", "priv passphrase"


@contextmanager
def snmpd(folder: Path, port: int, extra: str = "") -> Iterator[None]:
    """A real agent that knows these users; it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"rwcommunity {COMMUNITY} 127.0.0.1", "sysServices 72", extra]
    for user, auth, priv, _, _ in USERS:
        lines.append(f'createUser {user} {auth} "{AUTH_KEY}" {priv} "{PRIV_KEY}"')
        lines.append(f"rwuser {user} priv")
    (folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
    command = [
        "snmpd",
        "-f",
        "-Lf",
        str(folder / "log"),
        "-C",
        "-c",
        str(folder / "snmpd.conf"),
        f"udp:127.0.0.1:{port}",
    ]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": ""}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(process, port, folder)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    ask = ["snmpget", "-v2c", "-c", COMMUNITY, "-t", "0.5", "-r", "0", f"127.0.0.1:{port}", "1.3.6.1.2.1.1.3.0"]
    deadline = time.monotonic() + 30
    while subprocess.run(ask, capture_output=True, check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"snmpd does not answer: {(folder / 'log').read_text(errors='replace')}")
        time.sleep(0.1)


def forget_routes_soon(host: str, port: int, seconds: int = 1) -> None:
    """Let the agent look at the kernel's routes again after so long; by itself it answers from memory for a minute."""
    for name in standard.CACHES.values():
        snmp_set(Agent(host, port, Secret(COMMUNITY)), name, seconds)
