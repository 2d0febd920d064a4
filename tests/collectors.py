"""What the tests let worker slots run: collectors that answer, fail, hang or take their process with them."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

from yardlight.catalogue import PAGE_AFTER, SWITCH_WITHIN
from yardlight.collection import Session, Source, Told
from yardlight.errors import AuthError, PollError
from yardlight.exposition import Block, block
from yardlight.inventory.accounts import AccountConfig
from yardlight.things import Thing, pack


def answer(_: Session, value: float = 60.0) -> list[Block]:
    return [block(SWITCH_WITHIN, "f", {("fontana",): value})]


def pid(session: Session) -> list[Block]:
    return answer(session, float(os.getpid()))


def refuse(session: Session) -> list[Block]:
    raise PollError("no such account")


def crash(session: Session) -> list[Block]:
    raise LookupError("a bug")


def leave(session: Session) -> list[Block]:
    raise SystemExit(3)


def vanish(session: Session) -> list[Block]:
    os._exit(7)


def segfault(session: Session) -> list[Block]:
    ctypes.string_at(0)
    return []


def hoard(session: Session) -> list[Block]:
    """More than a slot may have, though the machine would give it."""
    return answer(session, float(len(bytearray(2**30))))


def hang(session: Session) -> list[Block]:
    time.sleep(3600)
    return []


def drip(session: Session, port: int) -> list[Block]:
    """A vendor that sends a byte now and then: no single read ever times out."""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as vendor:
        while vendor.recv(1):
            pass
    return answer(session)


def hang_with_child(session: Session, path: str) -> list[Block]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{os.getpid()} {child.pid}")
    return hang(session)


def chat(session: Session) -> list[Block]:
    print("what a library prints is no answer")
    sys.stdout.flush()
    return answer(session)


def surroundings(session: Session) -> list[Block]:
    """Refuses with all that a worker could be read from outside."""
    with open("/proc/self/cmdline", encoding="utf-8") as file:
        raise PollError(f"{file.read()} {dict(os.environ)}")


class Config(AccountConfig):
    token_file: str


def fetch(config: Config, session: Session) -> Any:
    if session.secret(config.token_file).reveal() != "right":
        raise AuthError(f"the token {session.secret(config.token_file).reveal()} is wrong")
    session.requests["200"] += 1
    session.memory = (session.memory or 0) + 1
    return {"terminals": [{"name": "fontana", "within": 50}, {"name": "calls", "within": session.memory}]}


def fetch_some(config: Config, session: Session, ids: Sequence[str]) -> Any:
    return {"terminals": [{"name": each, "within": 1} for each in ids]}


def parse(reply: Any, config: Config) -> Iterable[tuple[str, float]]:
    return [(each["name"], float(each["within"])) for each in reply["terminals"]]


def show(source: Source, records: Sequence[Any], memory: Any, now: float) -> Told:
    seen = (memory or 0) + 1
    samples = {**{(name,): within for name, within in records}, ("shown",): seen}
    things = pack([Thing("truck", name) for name, _ in records], now)
    return Told({SWITCH_WITHIN: samples}, seen, again_in=60.0, watched=["reno"], things=things)


def follow(source: Source, records: Sequence[Any], memory: Any, now: float) -> Told:
    """What was watched is over."""
    return Told({PAGE_AFTER: {(name,): within for name, within in records}}, memory)


def hoard_memory(session: Session) -> list[Block]:
    """Which process it is; it remembers megabytes for the next one."""
    session.memory = {"times": (session.memory or {"times": 0})["times"] + 1, "much": os.urandom(2**21).hex()}
    return pid(session)
