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
import time
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from dataclasses import dataclass

from yardlight.collection import Result
from yardlight.errors import PollCrashedError, PollError, PollTimeoutError, poll_errors
from yardlight.exposition import load
from yardlight.worker import BLOCKS, BORN, CRASHED, FAILED, HEAD, JOB, TOLD, Job

SLOTS = 4
PATIENCE_SECONDS = 1.0
MEMORY_BYTES = 512 * 2**20
# Far more than the blocks of `series_limit` entities.
ANSWER_BYTES = 64 * 2**20
# Whoever told so much has taken many times that, and would keep most of it for itself while it waits for the next job.
LARGE_BYTES = 2**20
_EXIT_SECONDS = 1.0
# Most collections take less, and a process takes memory for as long as it lives: worth to wait for one that is there.
GROW_SECONDS = 1.0
# What is collected each minute keeps its process; after a start, or when vendors hung, there are more than it takes.
IDLE_SECONDS = 90.0


class Slots:
    """Runs jobs in worker processes of at most `memory` bytes each; for the main loop's own thread.

    There are `size` places for accounts that answer promptly and as many spare ones for those that do not: a
    collection that takes long moves to a spare place if there is one, and an account that missed its deadline waits
    for a spare place next time. So vendors that hang do not hold up the others, however many they are. Processes
    start when those that are there do not soon get to what there is to do, and end when for long there was nothing.
    """

    def __init__(
        self, size: int = SLOTS, memory: int = MEMORY_BYTES, log_format: str = "logfmt", log_level: str = "info"
    ) -> None:
        self._template = _Template(memory, log_format, log_level)
        self._all = tuple(_Slot(self._template) for _ in range(2 * size))
        self._idle = list(self._all)
        self._prompt = asyncio.Semaphore(size)
        self._spare = asyncio.Semaphore(size)
        self._late: set[tuple[str, str]] = set()
        self._freed = asyncio.Event()

    async def run(
        self, fleet: str, account: str, job: Job, deadline: float, memory: bytes = b"", allowance: int | None = None
    ) -> Result:
        """How this picklable job ended, which may take `deadline` seconds once it has a slot.

        `memory` is that of the result before. Raises `PollError`: what the job raised, `PollTimeoutError` or
        `PollCrashedError`; of a killed job, the requests that it made are not known.
        """
        owner, message = (fleet, account), pickle.dumps((fleet, account, job, deadline, allowance))
        late = owner in self._late
        async with self._spare if late else self._prompt:
            asking = asyncio.create_task(self._ask(message, memory, deadline))
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

    async def _ask(self, message: bytes, memory: bytes, deadline: float) -> tuple[bytes, bytes]:
        slot = await self._free()
        try:
            async with asyncio.timeout(deadline):
                return await slot.ask(message, memory)
        finally:
            # Who came last goes first, so that the others may rest.
            self._idle.append(slot)
            for each in self._idle:
                each.rest()
            self._freed.set()

    async def _free(self) -> _Slot:
        """A slot whose process is there, or will soon be free; else one whose process has to be started."""
        until = time.monotonic() + GROW_SECONDS
        while not (there := [slot for slot in self._idle if slot.lives]) and len(self._idle) < len(self._all):
            self._freed.clear()
            try:
                await asyncio.wait_for(self._freed.wait(), until - time.monotonic())
            except TimeoutError:
                break
        slot = (there or self._idle)[-1]
        self._idle.remove(slot)
        return slot

    async def stop(self) -> None:
        """End every worker, also those that have something to do."""
        await asyncio.gather(*(slot.end() for slot in self._all))
        await self._template.end()


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker process; `ended` holds its exit code, None if that cannot be known any more."""

    pid: int
    ended: asyncio.Future[int | None]

    async def kill(self) -> None:
        """End it with all that it started."""
        if not self.ended.done():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await asyncio.wait({self.ended})


class _Template:
    """The process that workers are forked from, started when the first one is asked for and again after its end."""

    def __init__(self, memory: int, log_format: str, log_level: str) -> None:
        self._settings = (str(memory), log_format, log_level)
        self._process: Process | None = None
        self._channel: socket.socket | None = None
        self._starting = asyncio.Lock()
        self._awaited: deque[asyncio.Future[_Worker]] = deque()
        self._living: dict[int, _Worker] = {}

    async def fork(self, sock: socket.socket) -> _Worker:
        """A new worker that serves this socket. Raises `ConnectionError` if the template ended instead."""
        async with self._starting:
            if self._channel is None:
                await self._start()
            assert self._channel is not None
            # One that nobody awaits any more finds its socket closed, and ends.
            born: asyncio.Future[_Worker] = asyncio.get_running_loop().create_future()
            self._awaited.append(born)
            socket.send_fds(self._channel, [b"f"], [sock.fileno()])
        return await born

    async def end(self) -> None:
        """Kill it, and with it what workers there are."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._gone()

    async def _start(self) -> None:
        channel, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.setblocking(False)
        with there:
            # A new interpreter, as a fork of a process with threads may hang. -P: the working folder holds no modules.
            command = (sys.executable, "-P", "-m", "yardlight.worker", str(there.fileno()), str(os.getpid()))
            self._process = await asyncio.create_subprocess_exec(
                *command, *self._settings, stdin=DEVNULL, stdout=2, pass_fds=[there.fileno()], start_new_session=True
            )
        self._channel = channel
        asyncio.get_running_loop().add_reader(channel, self._hear, channel)

    def _hear(self, channel: socket.socket) -> None:
        message = b""
        with contextlib.suppress(ConnectionError):
            message = channel.recv(TOLD.size)
        if not message:
            self._gone()
            return
        pid, status = TOLD.unpack(message)
        if status != BORN:
            self._living.pop(pid).ended.set_result(os.waitstatus_to_exitcode(status))
            return
        worker = self._living[pid] = _Worker(pid, asyncio.get_running_loop().create_future())
        born = self._awaited.popleft()
        if not born.done():
            born.set_result(worker)

    def _gone(self) -> None:
        """It is no more, and its workers die with it."""
        channel, self._channel = self._channel, None
        if channel is not None:
            asyncio.get_running_loop().remove_reader(channel)
            channel.close()
        while self._awaited:
            if not (born := self._awaited.popleft()).done():
                born.set_exception(ConnectionError("the template of the workers ended"))
        while self._living:
            self._living.popitem()[1].ended.set_result(None)


class _Slot:
    """One worker process, started when it is first asked and again after each end."""

    def __init__(self, template: _Template) -> None:
        self._template = template
        self._worker: _Worker | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._answered = 0.0

    @property
    def lives(self) -> bool:
        """Whether its process is there."""
        return self._writer is not None

    async def ask(self, message: bytes, memory: bytes) -> tuple[bytes, bytes]:
        """Kind and content of the worker's answer. Raises `PollCrashedError` if it ended instead."""
        try:
            if self._writer is None:
                await self._start()
            assert self._writer is not None
            for each in (message, memory):
                self._writer.write(HEAD.pack(JOB, len(each)))
                self._writer.write(each)
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
        if kind == CRASHED or size > LARGE_BYTES:
            await self.end()
        self._answered = time.monotonic()
        return kind, answer

    def rest(self) -> None:
        """Let go of the process, which ends by itself then, if it has had nothing to do for long."""
        if self._writer is not None and time.monotonic() - self._answered > IDLE_SECONDS:
            self._writer.close()
            self._writer = self._worker = None

    async def end(self) -> None:
        """Kill the process and all that it started, if it is there."""
        writer, self._writer = self._writer, None
        worker, self._worker = self._worker, None
        if writer is not None:
            writer.close()
        if worker is not None:
            await worker.kill()

    async def _start(self) -> None:
        here, there = socket.socketpair()
        with there:
            self._reader, self._writer = await asyncio.open_connection(sock=here)
            self._worker = await self._template.fork(there)

    async def _ended(self) -> str:
        """How the process ended by itself, in words."""
        if (worker := self._worker) is None:
            await self.end()
            return "could not be started"
        await asyncio.wait({worker.ended}, timeout=_EXIT_SECONDS)
        closed = not worker.ended.done()
        await self.end()
        code = worker.ended.result()
        if closed or code is None:
            return "closed its socket"
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
    head = answer.index(b"\n") + 1
    requests, *facts = json.loads(answer[:head])
    if kind == BLOCKS:
        size, again_in, instead, notes = facts
        # What is remembered of a hundred thousand is megabytes, and this is the main loop: copied once.
        return Result(load(answer[head + size :]), answer[head : head + size], requests, again_in, instead, notes)
    error: PollError
    if kind == FAILED:
        reason, text, retry_after = facts
        error = next((each for each in poll_errors() if each.reason == reason), PollError)(text, retry_after)
    else:
        error = PollCrashedError(*facts)
    error.requests = requests
    raise error
