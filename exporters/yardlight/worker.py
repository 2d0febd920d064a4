"""The inside of a worker slot: a process of its own that runs one collection after another.

It gets a picklable job over its socket and answers with finished, compressed blocks or with the reason why there
are none. After a crash it ends, so that nothing of it spoils the next collection; `slots.py` has another one forked.

Workers are forks of a template, a process with one thread that imports once what collections need and then does
nothing else: a worker costs milliseconds. No job, and so no secret, is ever in it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import logging
import os
import pickle
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module

from yardlight import heap, logs
from yardlight.collection import Session, opened, pack_memory
from yardlight.domains import DOMAINS
from yardlight.errors import PollError
from yardlight.exposition import Block, dump, pack
from yardlight.logs import kv

log = logging.getLogger(__name__)

Job = Callable[[Session], list[Block]]
# Kind and length of what follows, both ways.
HEAD = struct.Struct("!cI")
JOB, BLOCKS, FAILED, CRASHED = b"j", b"b", b"f", b"c"
# What a template tells: a worker and how it ended, as `os.wait` does; BORN in its place when it was forked.
TOLD = struct.Struct("!ii")
BORN = -1
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Be the template: fork a worker for each socket that comes over that of the given descriptor."""
    descriptor, parent, memory, log_format, log_level = sys.argv[1:]
    _die_with(int(parent))
    # A dump would put secrets on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Probing and answering scrapes come first where the machine is small.
    os.nice(10)
    heap.give_back()
    logs.setup(log_format, log_level)
    for module in ("yardlight.client", *DOMAINS.values()):
        import_module(module)
    # Looking for garbage writes to every object, and a page that is written to is shared no more.
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(descriptor)) as channel:
        signal.signal(signal.SIGCHLD, lambda *_: _bury(channel))
        while given := socket.recv_fds(channel, 1, 1)[1]:
            # Who is born is told before that it ended.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            template, worker = os.getpid(), os.fork()
            if not worker:
                channel.close()
                return _work(given[0], template, int(memory))
            os.close(given[0])
            # A group of its own, to be killed with all that it starts.
            os.setpgid(worker, worker)
            channel.send(TOLD.pack(worker, BORN))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    return 0


def _bury(channel: socket.socket) -> None:
    """Tell of each worker that ended."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            channel.send(TOLD.pack(*ended))


def _work(descriptor: int, template: int, memory: int) -> int:
    """Serve this socket until its other end is closed or a collection crashes."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    _die_with(template)
    # What is written to counts, not the address space that is merely reserved.
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    # Looking for cycles among a million records, again and again, takes a third of a collection and finds none.
    gc.disable()
    with socket.socket(fileno=descriptor) as channel:
        stream = channel.makefile("rb")
        while head := stream.read(HEAD.size):
            message = stream.read(HEAD.unpack(head)[1])
            kind, answer = _answer(message, stream.read(HEAD.unpack(stream.read(HEAD.size))[1]))
            channel.sendall(HEAD.pack(kind, len(answer)))
            channel.sendall(answer)
            # It is megabytes, and the next job may take an hour.
            del answer
            if kind == CRASHED:
                return 1
            gc.collect()
    return 0


def _answer(message: bytes, memory: bytes) -> tuple[bytes, bytes]:
    """How the job ends: kind and content of the answer, requests made first."""
    fleet, account, session = "", "", Session(0.0)
    try:
        fleet, account, job, seconds, session.allowance = pickle.loads(message)
        session.deadline = time.monotonic() + seconds
        session.memory, session.things = opened(memory)
        # The job may take an hour, and what is remembered of ten thousand SIMs is megabytes.
        del memory
        blocks = dump(pack(job(session)))
        memory, session.memory = pack_memory(session.memory, session.things), None
        return BLOCKS, _head(session, len(memory), session.again_in, session.instead, session.notes) + memory + blocks
    except PollError as error:
        return FAILED, _head(session, error.reason, session.mask(str(error)), error.retry_after)
    except BaseException as error:
        text = session.mask(f"{type(error).__name__}: {error}")
        # The traceback's own last line is the message again, unmasked.
        trace = session.mask("".join(traceback.format_exception(error)))
        log.error("a collector crashed\n%s", trace, extra=kv(fleet=fleet, account=account))
        return CRASHED, _head(session, text)


def _head(session: Session, *facts: object) -> bytes:
    """One line of JSON: requests by status code, then what this kind of answer tells."""
    return json.dumps([session.requests, *facts]).encode() + b"\n"


def _die_with(parent: int) -> None:
    """End at once when the process that started this one does, however that ended."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the process that asked for this worker is gone")


if __name__ == "__main__":
    sys.exit(main())
