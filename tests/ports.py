"""Ports for servers that a test starts: no two test processes of one run are given the same one.

Asking the system for "any" port and closing it again gives that port to whoever asks next, which with tests side by
side is now and then another test. So each process has a range of its own, below those the system hands out by itself.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import socket

_FIRST, _EACH = 10_000, 700
_WORKER = int("".join(re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))) or 31)
_from = _FIRST + _WORKER % 32 * _EACH
_ports = itertools.cycle(random.sample(range(_from, _from + _EACH), _EACH))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port of this host that nothing listens on now."""
    for port in itertools.islice(_ports, _EACH):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port of {host} between {_from} and {_from + _EACH}")
