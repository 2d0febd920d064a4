"""The inside of a worker slot: a process of its own that runs one collection after another.

It gets a picklable job over its socket and answers with finished, compressed blocks or with the reason why there
are none. After a crash it ends, so that nothing of it spoils the next collection; `slots.py` starts it anew.
"""

from __future__ import annotations

import ctypes
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

from yardlight import logs
from yardlight.collection import Session, open_memory, pack_memory
from yardlight.errors import PollError
from yardlight.exposition import Block, dump, pack
from yardlight.logs import kv

log = logging.getLogger(__name__)

Job = Callable[[Session], list[Block]]
# Kind and length of what follows, both ways.
HEAD = struct.Struct("!cI")
JOB, BLOCKS, FAILED, CRASHED = b"j", b"b", b"f", b"c"
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve the socket of the given descriptor until its other end is closed or a collection crashes."""
    descriptor, parent, memory, log_format, log_level = sys.argv[1:]
    _die_with(int(parent))
    # What is written to counts, not the address space that is merely reserved.
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    # A dump would put secrets on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Probing and answering scrapes come first where the machine is small.
    os.nice(10)
    logs.setup(log_format, log_level)
    with socket.socket(fileno=int(descriptor)) as channel:
        stream = channel.makefile("rb")
        while head := stream.read(HEAD.size):
            _, size = HEAD.unpack(head)
            kind, answer = _answer(stream.read(size))
            channel.sendall(HEAD.pack(kind, len(answer)) + answer)
            if kind == CRASHED:
                return 1
    return 0


def _answer(message: bytes) -> tuple[bytes, bytes]:
    """How the job ends: kind and content of the answer, requests made first."""
    fleet, account, session = "", "", Session(0.0)
    try:
        fleet, account, job, seconds, memory, session.allowance = pickle.loads(message)
        session.deadline, session.memory = time.monotonic() + seconds, open_memory(memory)
        blocks = dump(pack(job(session)))
        memory = pack_memory(session.memory)
        return BLOCKS, _head(session, len(memory), session.again_in) + memory + blocks
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
