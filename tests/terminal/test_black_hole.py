"""Reasons that need a network to happen: real packets dropped and refused in a namespace of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from yardlight.inventory.models import Service
from yardlight.terminal.asking import Way, ask
from yardlight.terminal.names import Resolver
from yardlight.terminal.stream import Meter

from .internet import HOST, NAME, Authority, name_server, says, web

pytestmark = [pytest.mark.lab, pytest.mark.needs("unshare", "ip", "iptables")]
PORT = 8443
# Kernels hand loopback packets over in one large piece unless told not to; then every one would be too large.
LOOPBACK = ("ip link set lo mtu 1500 gso_max_segs 1", "ip link set lo up")
HOLE = f"iptables -A OUTPUT -p tcp --sport {PORT} -m length --length 600:65535 -j DROP"
REFUSED = f"iptables -A INPUT -p tcp --dport {PORT} -j REJECT --reject-with icmp-host-unreachable"


def reason(folder: Path) -> str:
    """Why a healthy server at PORT is not reached from here."""

    async def run() -> str:
        authority = Authority(folder)
        async with web(says(200, "all is well"), authority.server(), PORT), name_server() as names:
            service = Service.model_validate({"url": f"https://{NAME}:{PORT}/", "timeout": "2s", "slow_after": "1s"})
            way = Way(Resolver(HOST, (HOST,), names.port))
            return (await ask(service, way, authority.client(), Meter())).reason

    return asyncio.run(run())


@pytest.mark.parametrize(("rule", "expected"), [(None, ""), (HOLE, "mtu"), (REFUSED, "unreachable")])
def test_what_the_network_does_to_packets_is_told_apart(
    rule: str | None, expected: str, tmp_path: Path, root: Path
) -> None:
    told = f"print(reason(Path({str(tmp_path)!r})))"
    code = f"from pathlib import Path; from tests.terminal.test_black_hole import reason; {told}"
    steps = [*LOOPBACK, *([rule] if rule else []), f'"{sys.executable}" -c "{code}"']
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec", "\n".join(steps)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == (expected, 0), done.stderr
