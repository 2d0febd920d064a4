"""One source of one account as a job for a worker: told in names and plain values, secrets not among them.

A platform module has three names: `Config` (an `AccountConfig`: the account's options), `fetch` (talks to the vendor)
and `parse` (pure: no network, no clock). What the records mean as samples, its domain says once for all platforms.
"""

from __future__ import annotations

import re
import struct
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, cast

from yardlight import quickjson
from yardlight.catalogue import Metric
from yardlight.errors import BudgetError, SecretError
from yardlight.exposition import AnyBlock, Block, Samples, block
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.model import Model
from yardlight.inventory.secret import read_secret
from yardlight.inventory.values import Secret

# IMEI and IMSI have 15 digits, ICCIDs 18 to 20; no message of ours has so long a number.
_IDENTIFIER = re.compile(r"\d{14,22}")
_DAY = 86400.0
# In the place of a status where there was none.
NO_ANSWER = "none"
# Before a memory that keeps its domain's apart: the lengths of both. Without it, all is one piece that begins with x.
_APART = struct.Struct("!cII")
_IS_APART = b"a"
_ENTITIES_AT_A_TIME, _BYTES_AT_A_TIME = 500, 2**16


@dataclass(frozen=True)
class Result:
    """What a collection leaves: blocks for the page, its memory for the next one, requests made by status code.

    The memory is packed, opened for a collection nowhere but in a worker. `again_in` is in how many seconds the source
    should be collected again, if sooner than usual. `instead` are the names of the families whose blocks these are,
    where only a few entities were read and all else stays as it is; None where all was. `notes` are for the whole fleet
    to remember, by their names, whatever becomes of the source.
    """

    blocks: Sequence[AnyBlock]
    memory: bytes = b""
    requests: Mapping[str, int] = field(default_factory=dict)
    again_in: float | None = None
    instead: Sequence[str] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Packed:
    """What a domain remembers, packed: of 10 000 SIMs it takes more memory than fetching, which can last an hour.

    It is packed and opened piece by piece, lines of JSON with a key and what is under it, so that at no time all of it
    is there as text and as objects.
    """

    data: bytes

    @classmethod
    def of(cls, memory: Any) -> Packed:
        packing, data = zlib.compressobj(1), BytesIO()
        for piece in _pieces(memory):
            data.write(packing.compress(quickjson.dumps(piece) + b"\n"))
        data.write(packing.flush())
        return cls(data.getvalue())

    def open(self) -> Any:
        """The memory, made anew each time."""
        memory: dict[str, Any] = {}
        for key, part in map(quickjson.loads, self._lines()):
            if key is None:
                return part
            if key in memory:
                memory[key] |= part
            else:
                memory[key] = part
        return memory

    def _lines(self) -> Iterator[bytes]:
        opening, rest = zlib.decompressobj(), b""
        for begin in range(0, len(self.data), _BYTES_AT_A_TIME):
            *lines, rest = (rest + opening.decompress(self.data[begin : begin + _BYTES_AT_A_TIME])).split(b"\n")
            yield from lines


def _pieces(memory: Any) -> Iterator[tuple[str | None, Any]]:
    """What is under each key, the entities of large ones some hundred at a time; what has no keys in one piece."""
    if not isinstance(memory, dict):
        yield None, memory
        return
    for key, value in memory.items():
        if isinstance(value, dict):
            entities = iter(value.items())
            yield key, dict(islice(entities, _ENTITIES_AT_A_TIME))
            while part := dict(islice(entities, _ENTITIES_AT_A_TIME)):
                yield key, part
        else:
            yield key, value


@dataclass
class Session:
    """One collection under way: what it may use, what it remembers from the last one, and what it spends.

    `deadline` is in monotonic seconds. `memory` is JSON-able; what it is set to is there again next time, unless the
    collection fails. `first` are the entities that the domain wants to be asked for before the others, where each takes
    a request. `allowance` is how many requests the account's budget leaves, None without one. `next_at` is before when
    (monotonic) the account's rate allows no further request, `answered` when the last ones ended. `clock` tells unix
    seconds. `again_in` is what the domain wants, no sooner than the budget pays for. `instead`: as in `Result`.
    `tls_ends` is when the certificate ends that the vendor showed last. `raw` takes up answers as they came, where
    somebody wants them. `things` are what the source knows, packed.
    `notes`: as in `Result`. `turn` is held by the one request that is under way.
    """

    deadline: float
    base: Path = Path()
    memory: Any = None
    first: Sequence[str] = ()
    allowance: int | None = None
    next_at: float = 0.0
    answered: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))
    clock: Callable[[], float] = time.time
    again_in: float | None = None
    instead: Sequence[str] | None = None
    tls_ends: float | None = None
    raw: list[bytes] | None = None
    things: bytes = b""
    notes: Mapping[str, Any] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _revealed: set[str] = field(default_factory=set, repr=False)

    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()

    def spend(self) -> None:
        """One request is about to be made. Raises `BudgetError` if the budget does not pay for it."""
        if self.allowance is not None:
            if self.allowance <= 0:
                raise BudgetError("the account's requests_per_day are used up")
            self.allowance -= 1
        # One for whose answer nobody waits was made all the same.
        self.requests[NO_ANSWER] += 1

    def settle(self, code: str) -> None:
        """It has ended, with this status."""
        self.answered.append(time.monotonic())
        self.requests[code] += 1
        self.requests.subtract([NO_ANSWER])
        if not self.requests[NO_ANSWER]:
            del self.requests[NO_ANSWER]

    def hurry(self, seconds: float | None, cost: int) -> None:
        """The source is to be collected again in so many seconds, for `cost` requests.

        Later, if that would use up the budget of a day.
        """
        if seconds is not None and self.allowance is not None:
            seconds = max(seconds, _DAY * cost / self.allowance) if self.allowance else None
        self.again_in = seconds

    def secret(self, path: str, lines: bool = False) -> Secret:
        """The secret in a file that the configuration names; masked from now on. Raises `SecretError`.

        `lines`: the file may have several, such as a key.
        """
        try:
            secret = read_secret(path, self.base, lines)
        except ValueError as error:
            raise SecretError(str(error)) from None
        self.hide(secret)
        return secret

    def hide(self, secret: Secret) -> None:
        """Mask this in every message of the session too: a token that the vendor gave."""
        self._revealed.add(secret.reveal())

    def mask(self, text: str) -> str:
        """The text without the secrets that were read in this session, and without numbers of SIMs and devices."""
        for value in sorted(self._revealed, key=len, reverse=True):
            text = text.replace(value, "***")
        return _IDENTIFIER.sub("***", text)


class Platform(Protocol):
    """What a platform module gives.

    One that can read a few entities alone has `fetch_some(config, session, ids)` besides, for what `parse` reads.
    """

    Config: type[AccountConfig]

    def fetch(self, config: Any, session: Session) -> Any:
        """What the vendor says now. Raises `PollError`."""

    def parse(self, reply: Any, config: Any) -> Iterable[Any]:
        """The records in a reply. Raises `BadReplyError`."""


Families = Mapping[Metric, Samples[tuple[str, ...]]]


@dataclass(frozen=True)
class Told:
    """What a domain makes of the records of a collection: its samples, families apart, and what to remember.

    `first` are the entities that the next collection should ask for before the others. `again_in` is in how many
    seconds that should be, for what cannot wait for the interval; where only that is of interest, `watched` are the
    ids of what it is, for platforms that can read a few entities alone. `things` are what the source knows one by one,
    packed, for whoever asks about one. `notes`: as in `Result`.
    """

    families: Families
    memory: Any = None
    first: Sequence[str] = ()
    again_in: float | None = None
    watched: Sequence[str] = ()
    things: bytes = b""
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """Whose records these are. `section` is the source's part of the inventory, `base` the folder it lies in."""

    fleet: str
    account: str
    name: str
    section: Model
    base: Path


# Of a domain: what the records mean, given what it remembered last (None at first) and now (unix seconds).
Show = Callable[[Source, Sequence[Any], Any, float], Told]


@dataclass(frozen=True)
class Collection:
    """Calling it collects the source. `platform` names the module, `show` is a function of a domain's module.

    `options` are the account's as written. The platform's memory and the domain's are kept apart. Between two whole
    collections, which are `interval` seconds apart, what is `watched` is read alone if the platform can: `follow` says
    what that means, and its families take the place of those that were there.
    """

    source: Source
    platform: str
    options: Mapping[str, Any]
    show: Show
    follow: Show | None = None
    interval: float = 0.0

    def __call__(self, session: Session) -> list[Block]:
        platform = cast(Platform, import_module(self.platform))
        config = platform.Config.model_validate(self.options)
        remembered = session.memory or {}
        domain: Packed | None = remembered.pop("domain", None)
        session.memory, session.base = remembered.get("platform"), self.source.base
        session.first = remembered.get("first", ())
        fetch_some = getattr(platform, "fetch_some", None) if self.follow is not None else None
        watched, whole_at = remembered.get("watched"), remembered.get("whole_at", 0.0)
        # The pauses between collections are up to a tenth shorter than usual.
        whole_in = whole_at + 0.9 * self.interval - session.clock()
        if alone := fetch_some is not None and watched and whole_in > 0:
            reply, show = fetch_some(config, session, watched), cast(Show, self.follow)
        else:
            reply, show = platform.fetch(config, session), self.show
        records, now = list(platform.parse(reply, config)), session.clock()
        del reply
        memory = domain.open() if domain is not None else None
        del domain
        told = show(self.source, records, memory, now)
        del records
        session.memory = {
            "platform": session.memory,
            "domain": Packed.of(told.memory),
            "first": list(told.first),
            "watched": list(told.watched),
            "whole_at": whole_at if alone else now,
        }
        if not alone:
            session.things = told.things
        session.notes = told.notes
        # A token, and a request for each.
        session.hurry(told.again_in, 1 + len(told.watched) if fetch_some and told.watched else session.requests.total())
        if alone:
            session.instead = [metric.name for metric in told.families]
            session.again_in = session.again_in or whole_in
        return [block(metric, self.source.fleet, samples) for metric, samples in told.families.items()]


# When a poll was complete last (unix seconds), and what its domain remembers of it.
Left = tuple[float, Any]


@dataclass(frozen=True)
class Join:
    """What several polls left last, put together: a job for a worker that asks no vendor.

    `of` names them; `left` is what they left, packed, filled in when the job is about to begin.
    """

    source: Source
    of: tuple[str, ...]
    show: Callable[[Source, Mapping[str, Left], Any, float], Told]
    left: Mapping[str, tuple[float, bytes]] = field(default_factory=dict)

    def with_left(self, left: Mapping[str, tuple[float, bytes] | None]) -> Join:
        """The same with what these polls left; those that never were complete leave nothing."""
        return replace(self, left={name: found for name in self.of if (found := left.get(name)) is not None})

    def __call__(self, session: Session) -> list[Block]:
        left = {name: (as_of, _of_domain(open_memory(data))) for name, (as_of, data) in self.left.items()}
        told = self.show(self.source, left, session.memory, session.clock())
        session.memory, session.things, session.notes = told.memory, told.things, told.notes
        return [block(metric, self.source.fleet, samples) for metric, samples in told.families.items()]


def _of_domain(memory: Any) -> Any:
    domain = memory.get("domain") if memory else None
    return domain.open() if domain is not None else None


def pack_memory(memory: Any, told: bytes = b"") -> bytes:
    """A session's memory as bytes, and the packed things that were told behind it; nothing for None.

    What its domain remembers (`Packed`, as "domain") is taken as it is.
    """
    if memory is None:
        return b""
    domain = memory.get("domain") if isinstance(memory, dict) else None
    if not isinstance(domain, Packed):
        return zlib.compress(quickjson.dumps(memory), 1) + told
    rest = zlib.compress(quickjson.dumps({**memory, "domain": None}), 1)
    return b"".join([_APART.pack(_IS_APART, len(rest), len(domain.data)), rest, domain.data, told])


def open_memory(data: bytes) -> Any:
    """The memory in what `pack_memory` made bytes of."""
    return opened(data)[0]


def opened(data: bytes) -> tuple[Any, bytes]:
    """The same, and the things, packed as they were."""
    if not data:
        return None, b""
    if data[:1] == _IS_APART:
        _, rest, domain = _APART.unpack_from(data)
        begin = _APART.size + rest
        memory = quickjson.loads(zlib.decompress(data[_APART.size : begin]))
        return {**memory, "domain": Packed(data[begin : begin + domain])}, data[begin + domain :]
    first = zlib.decompressobj()
    memory = quickjson.loads(first.decompress(data))
    if isinstance(memory, dict) and memory.get("domain") is not None:
        # Of an older state file.
        memory["domain"] = Packed.of(memory["domain"])
    return memory, first.unused_data
