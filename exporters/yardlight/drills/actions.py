"""Cutting the primary circuit and undoing it, as the inventory says: a program, an HTTP request, or one SNMP SET.

It is always the terminal's own `serve` that acts, never a runner somewhere else: the undo must not need the circuit
that is cut. What is not in the terminal's inventory cannot be done, whoever asks for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import signal
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from yardlight.errors import SnmpError
from yardlight.inventory.models import Call, Cut, Router, SnmpSet, Terminal
from yardlight.snmp.agents import agent_of
from yardlight.snmp.ber import oid
from yardlight.snmp.session import Session

_SHOWN = 1000


@dataclass(frozen=True)
class Done:
    """One act: whether it worked, what came of it, from when to when (unix seconds)."""

    worked: bool
    text: str
    begin: float
    end: float


@dataclass(frozen=True)
class Action:
    """The cut of one terminal, and the router that it may write to."""

    cut: Cut
    router: Router | None

    async def act(self, undo: bool) -> Done:
        """Cut, or undo it. Never raises for what goes wrong: that is in the answer."""
        begin, cut = time.time(), self.cut
        try:
            async with asyncio.timeout(cut.timeout):
                if cut.command is not None:
                    worked, text = await _run(cut.command.undo if undo else cut.command.do)
                elif cut.http is not None:
                    worked, text = await _call(cut.http.undo if undo else cut.http.do)
                else:
                    assert cut.snmp_set is not None
                    worked, text = await _write(cut.snmp_set, self.router, undo)
        except TimeoutError:
            worked, text = False, f"was not done within {cut.timeout:g} s"
        except (OSError, aiohttp.ClientError, ssl.SSLError, ValueError, SnmpError) as error:
            worked, text = False, str(error) or type(error).__name__
        return Done(worked, text, begin, time.time())


def action_of(terminal: Terminal) -> Action | None:
    """How this terminal's primary is cut; None where a person does it."""
    drill = terminal.drill
    return None if drill is None or drill.cut is None else Action(drill.cut, terminal.router)


def fingerprint(cut: Cut | None) -> str:
    """Which action this is: two inventories with the same one have the same fingerprint. Empty for a person.

    Where a machine keeps its secrets makes no other action of it, nor does a key that a newer Yardlight knows.
    """
    if cut is None:
        return ""
    files = {"headers_file", "ca_file"}
    local: Any = {"http": {"do": files, "undo": files}, "snmp_set": {"snmp"}}
    text = cut.model_dump_json(exclude_defaults=True, exclude=local)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


async def _run(argv: tuple[str, ...]) -> tuple[bool, str]:
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        # With all that it started: a hanging ssh would hold a router's only session.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    said = output.decode(errors="replace").strip()[:_SHOWN]
    text = f"{argv[0]} ended with {process.returncode}"
    return process.returncode == 0, f"{text}: {said}" if said else text


async def _call(call: Call) -> tuple[bool, str]:
    context = ssl.create_default_context(cafile=call.ca_file)
    headers = {**call.headers, **_secret_headers(call.headers_file)}
    connector = aiohttp.TCPConnector(ssl=context)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(call.method, call.url, data=call.body.encode() or None, headers=headers) as answer,
    ):
        address = call.url.partition("?")[0]
        return 200 <= answer.status < 300, f"{call.method} {address} was answered with {answer.status}"


async def _write(write: SnmpSet, router: Router | None, undo: bool) -> tuple[bool, str]:
    snmp = write.snmp or (router.snmp if router is not None else None)
    if router is None or snmp is None:
        return False, "nothing says how to write to the router"
    agent = await asyncio.to_thread(agent_of, router.address, snmp)
    value = write.undo if undo else write.do
    async with Session(agent) as session:
        await session.set(oid(write.oid), value)
    return True, f"the router took {value} for {write.oid}"


def _secret_headers(path: str | None) -> dict[str, str]:
    """Header lines of a file, for what nobody should read in the inventory."""
    if path is None:
        return {}
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(":") for line in lines if line.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}
