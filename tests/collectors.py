"""What the tests let worker slots run: collectors that answer, fail, hang or take their process with them."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from yardlight.catalogue import SWITCH_WITHIN, Metric
from yardlight.collection import ReadSecret
from yardlight.errors import PollError
from yardlight.exposition import Block, block


def answer(value: float = 60.0) -> list[Block]:
    return [block(SWITCH_WITHIN, "f", {("fontana",): value})]


def pid() -> list[Block]:
    return answer(float(os.getpid()))


def refuse() -> list[Block]:
    raise PollError("no such account")


def crash() -> list[Block]:
    raise LookupError("a bug")


def leave() -> list[Block]:
    raise SystemExit(3)


def vanish() -> list[Block]:
    os._exit(7)


def segfault() -> list[Block]:
    ctypes.string_at(0)
    return []


def hoard() -> list[Block]:
    """More than a slot may have, though the machine would give it."""
    return answer(float(len(bytearray(2**30))))


def hang() -> list[Block]:
    time.sleep(3600)
    return []


def drip(port: int) -> list[Block]:
    """A vendor that sends a byte now and then: no single read ever times out."""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as vendor:
        while vendor.recv(1):
            pass
    return answer()


def hang_with_child(path: str) -> list[Block]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()} {child.pid}")
    return hang()


def chat() -> list[Block]:
    print("what a library prints is no answer")
    sys.stdout.flush()
    return answer()


def surroundings() -> list[Block]:
    """Refuses with all that a worker could be read from outside."""
    with open("/proc/self/cmdline", encoding="utf-8") as file:
        raise PollError(f"{file.read()} {dict(os.environ)}")


class Config(BaseModel):
    url: str
    token_file: str


def fetch(config: Config, secret: ReadSecret) -> Any:
    if secret(config.token_file).reveal() != "right":
        raise PollError("the token is wrong")
    return {"url": config.url, "terminals": [{"name": "fontana", "within": 50}]}


def parse(reply: Any) -> Iterable[tuple[str, float]]:
    return [(each["name"], float(each["within"])) for each in reply["terminals"]]


def show(_: str, records: Iterable[Any]) -> Mapping[Metric, Mapping[tuple[str, ...], float]]:
    return {SWITCH_WITHIN: {(name,): within for name, within in records}}
