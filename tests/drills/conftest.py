"""What the tests of the drill's pages share: one drill behind one link, on a real HTTP server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.drills.rehearsal import Box

from yardlight.server import Server


@pytest.fixture
def box() -> Iterator[Box]:
    """What serve is to its HTTP server."""
    made = Box()
    yield made
    made.stop()


@pytest.fixture
def port(box: Box) -> Iterator[int]:
    """Where the server of `box` listens on loopback."""
    server = Server(box, "127.0.0.1:0", drills=box)
    server.start()
    yield server.port
    server.stop()
