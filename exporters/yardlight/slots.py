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

from yardlight.errors import PollCrashedError, PollError, PollTimeoutError, poll_errors
from yardlight.exposition import PackedBlock, load
from yardlight.worker import BLOCKS, CRASHED, FAILED, HEAD, JOB, Job

SLOTS = 4
MEMORY_BYTES = 512 * 2**20
# Far more than the blocks of `series_limit` entities.
ANSWER_BYTES = 64 * 2**20
_EXIT_SECONDS = 1.0


class Slots:
    """Runs jobs in `size` worker processes of at most `memory` bytes each; for the main loop's own thread.

    Processes start when there is something to do. Accounts that were late last time leave one slot to the others,
    so that vendors which hang, however many, do not hold up those that answer.
    """

    def __init__(
        self, size: int = SLOTS, memory: int = MEMORY_BYTES, log_format: str = "logfmt", log_level: str = "info"
    ) -> None:
        if size < 2:
            raise ValueError("one slot is kept free of accounts that were late: two are the least")
        self._idle = [_Slot(memory, log_format, log_level) for _ in range(size)]
        self._all = tuple(self._idle)
        self._free = asyncio.Semaphore(size)
        self._for_late = asyncio.Semaphore(size - 1)
        self._late: set[tuple[str, str]] = set()

    async def run(self, fleet: str, account: str, job: Job, deadline: float) -> list[PackedBlock]:
        """The blocks of this picklable job, which may take `deadline` seconds once it has a slot.

        Raises `PollError`: what the job raised, `PollTimeoutError` or `PollCrashedError`.
        """
        message = pickle.dumps((fleet, account, job))
        late = (fleet, account) in self._late
        async with self._for_late if late else contextlib.nullcontext(), self._free:
            slot = self._idle.pop()
            try:
                async with asyncio.timeout(deadline):
                    kind, answer = await slot.ask(message)
            except TimeoutError:
                self._late.add((fleet, account))
                raise PollTimeoutError(f"no result within {deadline:g} s") from None
            finally:
                self._idle.append(slot)
        self._late.discard((fleet, account))
        return _blocks(kind, answer)

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


def _blocks(kind: bytes, answer: bytes) -> list[PackedBlock]:
    """The blocks of an answer. Raises `PollError` if it says that there are none."""
    if kind == BLOCKS:
        return load(answer)
    if kind == FAILED:
        reason, text = json.loads(answer)
        raise next((each for each in poll_errors() if each.reason == reason), PollError)(text)
    raise PollCrashedError(answer.decode())
