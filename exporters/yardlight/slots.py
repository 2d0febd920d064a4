"""A few worker slots, each with a process of its own, for what talks to vendors or reads many files.

A collection that outlives its total deadline loses its process, and so does one that crashes: nothing that happens
in a slot reaches the probing loop, nor the next collection. No secret is sent to a worker; it reads them itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process

from yardlight.collection import Result
from yardlight.errors import PollCrashedError, PollError, PollTimeoutError, poll_errors
from yardlight.exposition import load
from yardlight.worker import BLOCKS, CRASHED, FAILED, HEAD, JOB, Job

SLOTS = 4
PATIENCE_SECONDS = 1.0
MEMORY_BYTES = 512 * 2**20
# Far more than the blocks of `series_limit` entities.
ANSWER_BYTES = 64 * 2**20
_EXIT_SECONDS = 1.0


class Slots:
    """Runs jobs in worker processes of at most `memory` bytes each; for the main loop's own thread.

    There are `size` places for accounts that answer promptly and as many spare ones for those that do not: a
    collection that takes long moves to a spare place if there is one, and an account that missed its deadline waits
    for a spare place next time. So vendors that hang do not hold up the others, however many they are. Processes
    start when there is something to do.
    """

    def __init__(
        self, size: int = SLOTS, memory: int = MEMORY_BYTES, log_format: str = "logfmt", log_level: str = "info"
    ) -> None:
        self._all = tuple(_Slot(memory, log_format, log_level) for _ in range(2 * size))
        self._idle = list(self._all)
        self._prompt = asyncio.Semaphore(size)
        self._spare = asyncio.Semaphore(size)
        self._late: set[tuple[str, str]] = set()

    async def run(
        self, fleet: str, account: str, job: Job, deadline: float, memory: bytes = b"", allowance: int | None = None
    ) -> Result:
        """How this picklable job ended, which may take `deadline` seconds once it has a slot.

        `memory` is that of the result before. Raises `PollError`: what the job raised, `PollTimeoutError` or
        `PollCrashedError`; of a killed job, the requests that it made are not known.
        """
        owner, message = (fleet, account), pickle.dumps((fleet, account, job, deadline, memory, allowance))
        late = owner in self._late
        async with self._spare if late else self._prompt:
            asking = asyncio.create_task(self._ask(message, deadline))
            await _settled(asking, None if late else PATIENCE_SECONDS)
            if not asking.done() and self._spare.locked():
                await _settled(asking, None)
        if not asking.done():
            async with self._spare:
                await _settled(asking, None)
        try:
            kind, answer = asking.result()
        except TimeoutError:
            self._late.add(owner)
            raise PollTimeoutError(f"no result within {deadline:g} s") from None
        self._late.discard(owner)
        return _result(kind, answer)

    async def _ask(self, message: bytes, deadline: float) -> tuple[bytes, bytes]:
        slot = self._idle.pop()
        try:
            async with asyncio.timeout(deadline):
                return await slot.ask(message)
        finally:
            self._idle.append(slot)

    async def stop(self) -> None:
        """End every worker, also those that have something to do."""
        await asyncio.gather(*(slot.end() for slot in self._all))


class _Slot:
    """One worker process, started when it is first asked and again after each end."""

    def __init__(self, memory: int, log_format: str, log_level: str) -> None:
        self._settings = (str(memory), log_format, log_level)
        self._process: Process | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, message: bytes) -> tuple[bytes, bytes]:
        """Kind and content of the worker's answer. Raises `PollCrashedError` if it ended instead."""
        try:
            if self._writer is None:
                await self._start()
            assert self._writer is not None
            self._writer.write(HEAD.pack(JOB, len(message)) + message)
            await self._writer.drain()
            kind, size = HEAD.unpack(await self._reader.readexactly(HEAD.size))
            if size > ANSWER_BYTES:
                raise PollCrashedError(f"an answer of {size} bytes")
            answer = await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise PollCrashedError(f"the worker {await self._ended()}") from None
        except BaseException:
            await self.end()
            raise
        if kind == CRASHED:
            await self.end()
        return kind, answer

    async def end(self) -> None:
        """Kill the process and all that it started, if it is there."""
        writer, self._writer = self._writer, None
        process, self._process = self._process, None
        if writer is not None:
            writer.close()
        if process is not None:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _start(self) -> None:
        here, there = socket.socketpair()
        with there:
            self._reader, self._writer = await asyncio.open_connection(sock=here)
            # A new interpreter, as a fork of a process with threads may hang. -P: the working folder holds no modules.
            command = (sys.executable, "-P", "-m", "yardlight.worker", str(there.fileno()), str(os.getpid()))
            self._process = await asyncio.create_subprocess_exec(
                *command, *self._settings, stdin=DEVNULL, stdout=2, pass_fds=[there.fileno()], start_new_session=True
            )

    async def _ended(self) -> str:
        """How the process ended by itself, in words."""
        assert self._process is not None
        try:
            async with asyncio.timeout(_EXIT_SECONDS):
                code = await self._process.wait()
        except TimeoutError:
            return "closed its socket"
        finally:
            await self.end()
        return f"died of {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"


async def _settled(asking: asyncio.Task[tuple[bytes, bytes]], seconds: float | None) -> None:
    """Wait until it is done or that time is over. Who is cancelled meanwhile takes it along."""
    try:
        await asyncio.wait({asking}, timeout=seconds)
    except asyncio.CancelledError:
        asking.cancel()
        await asyncio.wait({asking})
        raise


def _result(kind: bytes, answer: bytes) -> Result:
    """What an answer says. Raises `PollError` if it says that there are no blocks."""
    head, _, rest = answer.partition(b"\n")
    requests, *facts = json.loads(head)
    if kind == BLOCKS:
        size, again_in = facts
        return Result(load(rest[size:]), rest[:size], requests, again_in)
    error: PollError
    if kind == FAILED:
        reason, text, retry_after = facts
        error = next((each for each in poll_errors() if each.reason == reason), PollError)(text, retry_after)
    else:
        error = PollCrashedError(*facts)
    error.requests = requests
    raise error
