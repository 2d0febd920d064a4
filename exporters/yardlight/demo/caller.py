"""The webhooks of the demo: a vendor that calls Yardlight, signs what it says and counts its calls; and its faults."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import time
from collections.abc import Iterator

from aiohttp import ClientError, ClientSession, ClientTimeout

from yardlight.demo.faces import SECRET
from yardlight.demo.telematics import VendorError

NAME = "calls"
EVERY = 10.0
_SKIPPED = 3
_FAULTS = ("unsigned", "gap", "twice", "silent")
SECTION = """\
webhooks:
  events:
    account: telematics
    secret_files: vendor-secret
    signature: {header: X-Signature, prefix: "sha256=", timestamp: X-Time, message: "{timestamp}.{body}"}
    id: id
    sequence: number
    feed: gps
    silent_after: 2m
    shows: Events of trucks
"""
LIST = """\
Or the calls of telematics (its webhook, every ten seconds):
  calls=unsigned                  it signs with another secret: all calls are refused (told after two minutes)
  calls=silent                    it calls no more (told after two minutes)
  calls=gap                       three calls are never made; their numbers are skipped (the board shows it)
  calls=twice                     each call is made twice (the board shows it)
  calls=heal                      everything is well again, and what was skipped comes late"""


class Caller:
    """Calls `url` from `start` to `stop`, as long as somebody answers there."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._task: asyncio.Task[None] | None = None
        self._faults: set[str] = set()
        self._number = 0
        self._skipped: list[int] = []

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="webhooks")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def switch(self, action: str) -> str:
        """Switch a fault on, or all off; what is true now. Raises `VendorError` saying what is accepted."""
        if action == "heal":
            self._faults.clear()
        elif action in _FAULTS:
            self._faults.add(action)
            if action == "gap":
                self._skipped += range(self._number + 1, self._number + 1 + _SKIPPED)
                self._number += _SKIPPED
        else:
            raise VendorError(f"{NAME}={action}: the calls can be: {', '.join(_FAULTS)}, heal\n{LIST}")
        return f"{NAME}: {self.truth()}"

    def truth(self) -> str:
        """What is really so, in words."""
        return ", ".join(sorted(self._faults)) or "all well"

    async def _run(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=5)) as session:
            while True:
                for number in self.due():
                    body, headers = self.call(number, time.time())
                    # Nobody answers yet, or not any more: it is the same call that is made then.
                    with contextlib.suppress(ClientError, TimeoutError):
                        async with session.post(self._url, data=body, headers=headers) as reply:
                            if reply.status == 200:
                                self.taken(number)
                await asyncio.sleep(EVERY)

    def due(self) -> Iterator[int]:
        """The numbers of the calls that are to be made now."""
        if "silent" in self._faults:
            return
        if "gap" not in self._faults:
            yield from tuple(self._skipped)
        yield from [self._number + 1] * (2 if "twice" in self._faults else 1)

    def call(self, number: int, at: float) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of the call of this number, made at an instant (unix seconds)."""
        body = json.dumps({"id": f"e{number}", "number": number, "event": "arrival"}).encode()
        stamp = f"{int(at)}"
        secret = "another-secret" if "unsigned" in self._faults else SECRET
        signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
        return body, {"X-Signature": f"sha256={signature}", "X-Time": stamp, "Content-Type": "application/json"}

    def taken(self, number: int) -> None:
        """This call was answered; it need not be made again."""
        self._number = max(self._number, number)
        self._skipped = [each for each in self._skipped if each != number]
