"""Counts the calls of a webhook: who signed them, which came before, which are missing. Nothing else is done with them.

Calls are judged in the HTTP thread, so that no probe waits for one. Totals are on disk before a call is answered, many
calls in one transaction, and are shown from then on: after kill -9 no call is missing that was answered with 200. While
the disk refuses, calls are answered after a moment all the same, since vendors switch off what fails a few times.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import jmespath
import orjson
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from yardlight import catalogue as m
from yardlight.exposition import Block, block
from yardlight.inventory.models import Fleet
from yardlight.inventory.secret import read_secret
from yardlight.inventory.webhooks import Signature, Webhook
from yardlight.logs import kv
from yardlight.pages import PollRow
from yardlight.state import State, Total
from yardlight.webhooks.calls import Numbers, Remembered
from yardlight.webhooks.schemes import SCHEMES, key_of, refusal

log = logging.getLogger(__name__)

Reason = Literal["signature", "timestamp", "too_large", "rate", "encoding", "timeout", "secret"]
REASONS: tuple[Reason, ...] = get_args(Reason)
# Under which name totals are in the state file.
_TOTAL = "webhook"
# Vendors wait for three seconds and more.
PATIENCE_SECONDS = 2.0
# A write of which nothing was heard for so long will not be heard of.
_GIVEN_UP_SECONDS = 10.0
# What comes within this time is one transaction: a write for each call would cost more than the call.
_TOGETHER_SECONDS = 0.02
# Refused calls are nobody's to wait for, and anybody can make them.
_LATER_SECONDS = 1.0
# A secret's file is looked at so often.
_LOOK_SECONDS = 1.0
# Calls come in bursts: this many seconds of the rate may come at once.
_BURST_SECONDS = 5.0


@dataclass(frozen=True)
class Counts:
    """The totals of a webhook: what is shown, and what is on disk."""

    received: int
    duplicates: int
    refused: Mapping[str, int]
    last: float | None
    numbers: tuple[int | None, list[tuple[int, int]]]
    missing: int | None


class Receiver:
    """One webhook. `use`, `blocks` and `row` are for the main loop's thread, the rest for that of HTTP."""

    def __init__(self, fleet: str, name: str, kept: Mapping[str, Any] | None, clock: Callable[[], float]) -> None:
        """`kept` is what was on disk of a run before; `clock` tells unix seconds."""
        self.fleet, self.name, self._clock = fleet, name, clock
        self.since = clock()
        kept = kept or {}
        self._received, self._duplicates = kept.get("received", 0), kept.get("duplicates", 0)
        self._refused = Counter(kept.get("refused", {}))
        self._last: float | None = kept.get("last")
        self._numbers = Numbers(*kept.get("numbers", ()))
        self._calls = Remembered()
        self._setting: _Setting | None = None
        self.shown = self.counts()

    def use(self, fleet: Fleet) -> None:
        """Judge by this inventory from now on."""
        webhook = fleet.webhooks[self.name]
        account = fleet.accounts[webhook.account]
        if self._setting is None or self._setting.of != (webhook, account.platform, account.folder):
            self._setting = _Setting(webhook, account.platform, account.folder)

    @property
    def max_size(self) -> int:
        """How large a call may be, in bytes."""
        return self._set.of[0].max_size

    def refuse(self, reason: Reason) -> None:
        """One more call is refused."""
        self._refused[reason] += 1

    def take(self, body: bytes, headers: Mapping[str, str]) -> Reason | None:
        """Count a call; why it is refused, None if it is not."""
        now, setting = self._clock(), self._set
        keys = setting.keys.now()
        reason: Reason | None = refusal(body, headers, setting.signature, keys, now) if keys else "secret"
        # Only what is signed takes of the rate, or everybody could use it up.
        if reason is None and not setting.allowance.take():
            reason = "rate"
        if reason is not None:
            self.refuse(reason)
            return reason
        name, number = setting.told(body)
        self._received += 1
        if self._calls.seen(name):
            self._duplicates += 1
            return None
        self._last = now
        if number is not None:
            self._numbers.came(number)
        return None

    def counts(self) -> Counts:
        """What is counted by now."""
        numbers = self._numbers.kept
        missing = None if numbers[0] is None else self._numbers.missing
        return Counts(self._received, self._duplicates, dict(self._refused), self._last, numbers, missing)

    def blocks(self) -> Iterator[Block]:
        """What is on disk, and since when this process listens."""
        key, counts = (self._set.of[0].account, self.name), self.shown
        yield block(m.WEBHOOK_LISTENING_SINCE, self.fleet, {key: self.since})
        # A disk that refuses has nothing to do with whether the vendor calls.
        yield block(m.WEBHOOK_LAST, self.fleet, {key: self._last})
        yield block(m.WEBHOOK_RECEIVED, self.fleet, {key: float(counts.received)})
        yield block(m.WEBHOOK_DUPLICATES, self.fleet, {key: float(counts.duplicates)})
        refused = {(*key, reason): float(counts.refused.get(reason, 0)) for reason in REASONS}
        yield block(m.WEBHOOK_REFUSED, self.fleet, refused)
        if self._set.numbered:
            yield block(m.WEBHOOK_MISSING, self.fleet, {key: counts.missing})

    def row(self) -> PollRow:
        """The same for the landing page."""
        problem = self._set.keys.problem
        state = "failing" if problem else "waiting" if self._last is None else "ok"
        return PollRow(f"webhooks/{self.name}", state, self._last, None, problem)

    @property
    def _set(self) -> _Setting:
        assert self._setting is not None
        return self._setting


class Receivers:
    """The webhooks of a fleet, and their way into its state file.

    `find`, `settled` and `note` are for the HTTP thread, the rest for the main loop's.
    """

    def __init__(self, fleet: str, state: State, clock: Callable[[], float] = time.time) -> None:
        self._fleet, self._state, self._clock = fleet, state, clock
        self._kept = {each.labels[0]: each.value for each in state.totals(fleet, "") if each.metric == _TOTAL}
        self._known: dict[str, Receiver] = {}
        self._in_use: Mapping[str, Receiver] = {}
        self._changed: set[Receiver] = set()
        self._next: asyncio.Event | None = None
        self._began: float | None = None
        self._later: asyncio.TimerHandle | None = None

    def use(self, fleet: Fleet) -> None:
        """Listen for the webhooks of this inventory, and for no others."""
        for name in fleet.webhooks:
            if name not in self._known:
                self._known[name] = Receiver(self._fleet, name, self._kept.get(name), self._clock)
            elif name not in self._in_use:
                self._known[name].since = self._clock()
            self._known[name].use(fleet)
        self._in_use = {name: self._known[name] for name in fleet.webhooks}

    def blocks(self) -> list[Block]:
        """What is on the page of them."""
        return [each for receiver in self._in_use.values() for each in receiver.blocks()]

    def rows(self) -> list[PollRow]:
        """What is on the landing page of them."""
        return [receiver.row() for receiver in self._in_use.values()]

    def close(self) -> None:
        """Hand over what is not written yet; no call comes any more."""
        self._state.keep_totals(self._fleet, [_total(each, each.counts()) for each in self._changed], lambda: None)

    def find(self, name: str) -> Receiver | None:
        """The one of this name."""
        return self._in_use.get(name)

    async def settled(self, receiver: Receiver) -> None:
        """Return when all that it has counted is on disk, or will not soon be."""
        self._changed.add(receiver)
        # Whoever comes after others ran out of patience has not waited yet.
        if self._next is None or self._next.is_set():
            self._next = asyncio.Event()
            asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._next.set)
        waiting = self._next
        self._write_within(_TOGETHER_SECONDS)
        if self._state.writable:
            await waiting.wait()

    def note(self, receiver: Receiver) -> None:
        """Something was counted that nobody waits for."""
        self._changed.add(receiver)
        self._write_within(_LATER_SECONDS)

    def _write_within(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._later is not None:
            if self._later.when() <= loop.time() + seconds:
                return
            self._later.cancel()
        self._later = loop.call_later(seconds, self._write)

    def _write(self) -> None:
        """Write what changed, unless that is under way: then it follows, with all that is counted by then."""
        self._later = None
        if self._began is not None and time.monotonic() - self._began < _GIVEN_UP_SECONDS:
            return
        counted = [(receiver, receiver.counts()) for receiver in self._changed]
        self._changed.clear()
        waiting, self._next, self._began = self._next, None, time.monotonic()
        loop = asyncio.get_running_loop()

        def written() -> None:
            # The loop is closed when the process stopped in the meantime.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._written, counted, waiting)

        self._state.keep_totals(self._fleet, [_total(receiver, counts) for receiver, counts in counted], written)

    def _written(self, counted: list[tuple[Receiver, Counts]], waiting: asyncio.Event | None) -> None:
        for receiver, counts in counted:
            receiver.shown = counts
        if waiting is not None:
            waiting.set()
        self._began = None
        if self._changed:
            self._write_within(_TOGETHER_SECONDS)


def _total(receiver: Receiver, counts: Counts) -> Total:
    value = {name: getattr(counts, name) for name in ("received", "duplicates", "refused", "last", "numbers")}
    return Total(_TOTAL, (receiver.name,), value)


class _Setting:
    """How calls are judged, by one state of the inventory."""

    def __init__(self, webhook: Webhook, platform: str, folder: str) -> None:
        self.of = (webhook, platform, folder)
        known = SCHEMES.get(platform)
        signature = webhook.signature or (known.signature if known is not None else None)
        assert signature is not None
        self.signature = signature
        name = webhook.id or (known.id if known is not None and webhook.signature is None else None)
        self._id = jmespath.compile(name) if name is not None else None
        self._sequence = jmespath.compile(webhook.sequence) if webhook.sequence is not None else None
        self.numbered = self._sequence is not None
        self.keys = _Keys(webhook.secret_files, Path(folder), signature)
        self.allowance = _Allowance(webhook.rate)

    def told(self, body: bytes) -> tuple[bytes, int | None]:
        """The name of a call, and its number where it has one."""
        content = None
        if self._id is not None or self._sequence is not None:
            with contextlib.suppress(orjson.JSONDecodeError):
                content = orjson.loads(body)
        name, number = _said(self._id, content), _said(self._sequence, content)
        named = isinstance(name, str | int) and not isinstance(name, bool)
        counted = isinstance(number, int) and not isinstance(number, bool)
        return (f"id {name}".encode("utf-8", "replace") if named else b"body " + body), number if counted else None


def _said(expression: ParsedResult | None, content: Any) -> Any:
    """What the expression finds; None where what came is of a kind that it cannot be asked of."""
    with contextlib.suppress(JMESPathError):
        return expression.search(content) if expression is not None else None
    return None


class _Keys:
    """The secrets of a webhook, read again when their files change."""

    def __init__(self, files: tuple[str, ...], base: Path, signature: Signature) -> None:
        self._files, self._base, self._signature = files, base, signature
        self._looked = float("-inf")
        self._stamp: object = None
        self._keys: list[bytes] = []
        self.problem = ""
        self.now()

    def now(self) -> list[bytes]:
        """Those that can be read now."""
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._looked = time.monotonic()
            stamp = [_stamp(self._base / file) for file in self._files]
            if stamp != self._stamp:
                self._stamp = stamp
                self._read()
        return self._keys

    def _read(self) -> None:
        keys, problems = [], []
        for file in self._files:
            try:
                keys.append(key_of(read_secret(file, self._base), self._signature))
            except ValueError as error:
                problems.append(str(error))
                log.error("a webhook's secret is of no use", extra=kv(file=file, reason=error))
        self._keys, self.problem = keys, "; ".join(problems)


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class _Allowance:
    """So many calls a second, and some at once after a pause."""

    def __init__(self, rate: float) -> None:
        self._rate, self._most = rate, max(1.0, rate * _BURST_SECONDS)
        self._left, self._at = self._most, time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
