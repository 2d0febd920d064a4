"""Asking one agent: GET, GETNEXT, GETBULK and SET over a socket of its own, each request with its deadline.

Nothing here trusts the agent: replies must come from its address and carry our number, walks end where they stop to
grow, at a number of rows, and at the session's deadline.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp import ber, usm
from yardlight.snmp.ber import GET, GET_BULK, GET_NEXT, REPORT, RESPONSE, SET, MalformedError, Missing, Oid, Pdu, Value
from yardlight.snmp.usm import Keys, Secured, Usm, WrongDigestError

# So many values fit an ordinary frame; an agent that says "too big" is asked for half.
BATCH = 32
# Rows of a column are asked for so many at a time.
REPETITIONS = 16
Reply = TypeVar("Reply")
_RECEIVE = 65535
_TOO_BIG, _NO_SUCH_NAME = 1, 2
# Messages of an agent are at most so far behind its clock (RFC 3414).
_WINDOW = 150
_STATUS = (
    "noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType", "wrongLength",
    "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
    "undoFailed", "authorizationError", "notWritable", "inconsistentName",
)  # fmt: skip
_STATS = ber.oid("1.3.6.1.6.3.15.1.1")
_UNSUPPORTED, _NOT_IN_TIME, _UNKNOWN_USER, _UNKNOWN_ENGINE, _WRONG_DIGEST, _CANNOT_DECRYPT = range(1, 7)
_REPORTS = {
    _UNSUPPORTED: (
        "unsupported_level",
        "the router refuses this level of security; auth or priv are not what it wants",
    ),
    _NOT_IN_TIME: ("not_in_time", "the router's clock of SNMPv3 cannot be followed"),
    _UNKNOWN_USER: ("unknown_user", "the router does not know this user"),
    _UNKNOWN_ENGINE: ("unknown_engine", "the router changes its engine ID with every question"),
    _WRONG_DIGEST: ("wrong_auth", "the router refuses the signature: auth or auth_file is wrong"),
    _CANNOT_DECRYPT: ("wrong_privacy", "the router cannot decrypt: priv or priv_file is wrong"),
}


@dataclass
class Engine:
    """What is known of an agent's SNMPv3 engine; kept from session to session."""

    engine_id: bytes = b""
    boots: int = 0
    time: int = 0
    at: float = 0.0
    keys: Keys = field(default_factory=Keys)
    # It fell silent: not every agent says that it does not know its former self.
    doubted: bool = False

    def now(self) -> int:
        """The engine's time, by our clock since it was last heard."""
        return self.time + int(time.monotonic() - self.at)


@dataclass
class Agent:
    """Whom to ask and how. One of `community` (2c) and `user` (3) is given; `timeout` in seconds is for each try."""

    host: str
    port: int = 161
    community: Secret | None = None
    user: Usm | None = None
    timeout: float = 2.0
    tries: int = 3
    context: bytes = b""
    engine: Engine = field(default_factory=Engine, repr=False)
    # How many values it answers at once, found out as it goes.
    batch: int = field(default=BATCH, repr=False)
    requests: int = 0
    retries: int = 0


@dataclass(frozen=True)
class Walk:
    """What a walk gave, and why it ended early where it did: rows, order, or nothing."""

    values: dict[Oid, Value]
    stopped: tuple[str, ...] = ()


class Session:
    """Asks an agent through a socket that lives as long as the session; one question at a time.

    Use as `async with Session(agent) as session`. Every method raises `SnmpError`.
    """

    def __init__(self, agent: Agent, deadline: float = 60.0) -> None:
        self.agent = agent
        self._ends = time.monotonic() + deadline
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._number = int.from_bytes(os.urandom(3), "big") + 1
        self._repetitions = REPETITIONS
        self._answered = False

    async def __aenter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self.agent.host else socket.AF_INET
        try:
            self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            # Connected: the kernel drops what others send, and tells of a closed port.
            self._socket.connect((self.agent.host, self.agent.port))
        except OSError as error:
            self.close()
            raise SnmpError("unreachable", (error.strerror or str(error)).lower()) from None
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # Questions

    async def get(self, oids: Iterable[Oid]) -> dict[Oid, Value]:
        """The values of these instances; what does not exist is `Missing`."""
        wanted = list(oids)
        found: dict[Oid, Value] = {}
        while wanted:
            part, wanted = wanted[: self.agent.batch], wanted[self.agent.batch :]
            reply = await self._ask(GET, part)
            if reply.status == _TOO_BIG and len(part) > 1:
                self.agent.batch = len(part) // 2
                wanted = part + wanted
            elif _is_of_one(reply, part):
                found[part.pop(reply.index - 1)] = Missing.NO_INSTANCE
                wanted = part + wanted
            elif reply.status:
                raise _refused(reply)
            else:
                asked = set(part)
                found |= {name: value for name, value in reply.varbinds if name in asked}
        return found

    async def get_next(self, oids: Sequence[Oid]) -> list[tuple[Oid, Value]]:
        """What follows each of these; `END_OF_VIEW` where nothing does."""
        reply = await self._ask(GET_NEXT, oids)
        if _is_of_one(reply, oids):
            at = reply.index - 1
            others = await self.get_next([*oids[:at], *oids[at + 1 :]]) if len(oids) > 1 else []
            return [*others[:at], (oids[at], Missing.END_OF_VIEW), *others[at:]]
        if reply.status == _NO_SUCH_NAME:
            return [(name, Missing.END_OF_VIEW) for name in oids]
        if reply.status:
            raise _refused(reply)
        if len(reply.varbinds) != len(oids):
            raise MalformedError(f"{len(reply.varbinds)} values for {len(oids)} questions")
        return list(reply.varbinds)

    async def walk(self, roots: Iterable[Oid], rows: int = 512) -> Walk:
        """All below these roots, side by side; of each root at most `rows`, and nothing that does not grow."""
        values: dict[Oid, Value] = {}
        stopped: list[str] = []
        cursors: dict[Oid, Oid] = {root: root for root in roots}
        left = dict.fromkeys(cursors, rows)
        while cursors:
            asked = list(cursors)[: self.agent.batch]
            reply = await self._bulk([cursors[root] for root in asked])
            if _is_of_one(reply, asked):
                root = asked[reply.index - 1]
                last = cursors.pop(root)
                if reply.status != _NO_SUCH_NAME:
                    stopped.append(f"{ber.dotted(root)} cannot be told after {ber.dotted(last)}")
                continue
            if not reply.varbinds:
                break
            for index, (name, value) in enumerate(reply.varbinds):
                root = asked[index % len(asked)]
                if root not in cursors:
                    continue
                if value is Missing.END_OF_VIEW or name[: len(root)] != root:
                    del cursors[root]
                elif name <= cursors[root]:
                    stopped.append(f"{ber.dotted(root)} does not grow after {ber.dotted(cursors[root])}")
                    del cursors[root]
                elif left[root] == 0:
                    stopped.append(f"{ber.dotted(root)} has more than {rows} rows")
                    del cursors[root]
                else:
                    cursors[root] = name
                    left[root] -= 1
                    if not isinstance(value, Missing):
                        values[name] = value
        return Walk(values, tuple(stopped))

    async def set(self, name: Oid, value: Value, tag: int | None = None) -> None:
        """Write one value; `tag` as for `ber.encode_value`. The agent has taken it when this returns."""
        element = ber.encode_value(value, tag)
        reply = await self._request(SET, ber.encode_varbinds([(name, element)]), 0, 0)
        if reply.status:
            raise _refused(reply)

    async def _bulk(self, after: list[Oid]) -> Pdu:
        """A piece of a walk, smaller where a large one is lost on the way or refused."""
        while True:
            count = max(1, min(self._repetitions, self.agent.batch // len(after)))
            try:
                reply = await self._request(GET_BULK, ber.encode_asked(after), 0, count)
            except SnmpError as error:
                if error.reason != "timeout" or count == 1 or not self._answered:
                    raise
                self._repetitions = 1
                continue
            if reply.status == _TOO_BIG and count > 1:
                self._repetitions = count // 2
            elif reply.status == _TOO_BIG and len(after) > 1:
                raise SnmpError("error_status", "the router cannot answer a single row: tooBig")
            elif _is_of_one(reply, after):
                return reply
            elif reply.status == _NO_SUCH_NAME:
                return Pdu(RESPONSE, 0)
            elif reply.status:
                raise _refused(reply)
            else:
                return reply

    async def _ask(self, kind: int, oids: Sequence[Oid]) -> Pdu:
        return await self._request(kind, ber.encode_asked(oids), 0, 0)

    # Requests

    async def _request(self, kind: int, varbinds: bytes, status: int, index: int) -> Pdu:
        if self.agent.user is None:
            return await self._request_v2c(kind, varbinds, status, index)
        return await self._request_v3(kind, varbinds, status, index)

    async def _request_v2c(self, kind: int, varbinds: bytes, status: int, index: int) -> Pdu:
        community = (self.agent.community or Secret("public")).reveal().encode()
        number = self._next()
        message = ber.encode_v2c(community, ber.encode_pdu(kind, number, varbinds, status, index))

        def answer(data: bytes) -> Pdu | None:
            said, pdu = ber.decode_v2c(data)
            return pdu if pdu.request_id == number and pdu.kind == RESPONSE and said == community else None

        return await self._exchange(lambda: message, answer)

    async def _request_v3(self, kind: int, varbinds: bytes, status: int, index: int) -> Pdu:
        user, engine = self.agent.user, self.agent.engine
        assert user is not None
        if not engine.engine_id or engine.doubted:
            await self._discover(user)
        for last in (False, False, True):
            number = self._next()
            pdu = ber.encode_pdu(kind, number, varbinds, status, index)
            reply = await self._exchange(
                lambda pdu=pdu, number=number: usm.seal(  # type: ignore[misc]
                    user,
                    engine.keys,
                    engine.engine_id,
                    engine.boots,
                    engine.now(),
                    number,
                    pdu,
                    context=self.agent.context,
                ),
                lambda data, number=number: self._open(data, user, number),  # type: ignore[misc]
            )
            if reply.pdu.kind != REPORT:
                return reply.pdu
            problem = _report(reply.pdu)
            if last or problem not in (_NOT_IN_TIME, _UNKNOWN_ENGINE):
                raise SnmpError(*_REPORTS.get(problem, ("bad_reply", "a report of an unknown kind")))
            if problem == _NOT_IN_TIME:
                # Signed by the router. Many forget their boots: its word about its own clock is taken.
                engine.boots, engine.time, engine.at = reply.boots, reply.time, time.monotonic()
            else:
                await self._discover(user)
        raise AssertionError("the last try returns or raises")

    async def _discover(self, user: Usm) -> None:
        """Ask for the engine's ID, then make the keys for it."""
        number = self._next()
        message = usm.seal(user, Keys(), b"", 0, 0, number, ber.encode_pdu(GET, number, ber.encode_asked(())))

        def answer(data: bytes) -> Secured | None:
            reply = usm.unseal(data, user, lambda _: Keys())
            if reply.message_id != number or reply.pdu.kind != REPORT or not reply.engine_id:
                return None
            # About its clock an engine complains with its signature or not at all.
            return reply if _report(reply.pdu) != _NOT_IN_TIME else None

        reply = await self._exchange(lambda: message, answer)
        engine = self.agent.engine
        if engine.engine_id != reply.engine_id:
            # Hashing megabytes takes milliseconds, which the loop does not have.
            engine.keys = await asyncio.to_thread(usm.localize, user, reply.engine_id)
        engine.engine_id, engine.boots, engine.time = reply.engine_id, reply.boots, reply.time
        engine.at, engine.doubted = time.monotonic(), False

    def _open(self, data: bytes, user: Usm, number: int) -> Secured | None:
        """The reply if it is ours and as safe as the question; what nobody signed can only be a complaint."""
        engine = self.agent.engine
        reply = usm.unseal(data, user, lambda engine_id: engine.keys if engine_id == engine.engine_id else Keys())
        if reply.message_id != number:
            return None
        if reply.pdu.kind == REPORT:
            signed = bool(reply.flags & 1) or not user.auth
            return reply if signed or _report(reply.pdu) != _NOT_IN_TIME else None
        if reply.pdu.kind != RESPONSE or reply.pdu.request_id != number or reply.flags & 3 != user.flags:
            return None
        if reply.engine_id != engine.engine_id or (user.auth and not self._in_time(reply)):
            return None
        return reply

    def _in_time(self, reply: Secured) -> bool:
        engine = self.agent.engine
        if reply.boots < engine.boots or (reply.boots == engine.boots and reply.time < engine.now() - _WINDOW):
            return False
        if (reply.boots, reply.time) > (engine.boots, engine.time):
            engine.boots, engine.time, engine.at = reply.boots, reply.time, time.monotonic()
        return True

    def _next(self) -> int:
        self._number = self._number % 0x7FFFFFF0 + 1
        return self._number

    async def _exchange(self, message: Callable[[], bytes], answer: Callable[[bytes], Reply | None]) -> Reply:
        """Send and wait for what `answer` takes; again after each timeout."""
        agent = self.agent
        malformed: SnmpError | None = None
        for attempt in range(agent.tries):
            agent.requests += 1
            agent.retries += attempt > 0
            self._send(message())
            ends = min(time.monotonic() + agent.timeout, self._ends)
            while (data := await self._receive(ends)) is not None:
                try:
                    reply = answer(data)
                except WrongDigestError:
                    malformed = SnmpError("wrong_auth", "the reply is not signed with auth_file's key")
                    continue
                except SnmpError as error:
                    malformed = error
                    continue
                if reply is not None:
                    self._answered = True
                    return reply
            if time.monotonic() >= self._ends:
                raise malformed or SnmpError("timeout", "the router answers too slowly to be read in time")
        agent.engine.doubted = True
        seconds = f"{agent.timeout:g} s"
        hint = (
            "no SNMP there, a firewall, or a wrong community" if agent.user is None else "no SNMP there or a firewall"
        )
        raise malformed or SnmpError("timeout", f"no answer in {agent.tries} tries of {seconds}: {hint}")

    def _send(self, message: bytes) -> None:
        assert self._socket is not None
        try:
            self._socket.send(message)
        except BlockingIOError:
            pass
        except OSError as error:
            raise _unreachable(error) from None

    async def _receive(self, ends: float) -> bytes | None:
        """The next datagram, or None when none came in time."""
        sock, loop = self._socket, self._loop
        assert sock is not None
        try:
            return sock.recv(_RECEIVE)
        except BlockingIOError:
            pass
        except OSError as error:
            raise _unreachable(error) from None
        waiting: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(loop.time() + max(0.0, ends - time.monotonic()), _wake, waiting)
        loop.add_reader(sock.fileno(), _wake, waiting)
        try:
            await waiting
        finally:
            timer.cancel()
            loop.remove_reader(sock.fileno())
        try:
            return sock.recv(_RECEIVE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise _unreachable(error) from None


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _unreachable(error: OSError) -> SnmpError:
    if error.errno == errno.ECONNREFUSED:
        return SnmpError("refused", "nothing listens on that port")
    return SnmpError("unreachable", (error.strerror or str(error)).lower())


def _is_of_one(reply: Pdu, asked: Sequence[Oid]) -> bool:
    """True if the agent cannot tell one of these, the `index`th; that must not cost the others."""
    return reply.status not in (0, _TOO_BIG) and 0 < reply.index <= len(asked)


def _refused(reply: Pdu) -> SnmpError:
    name = _STATUS[reply.status] if 0 <= reply.status < len(_STATUS) else str(reply.status)
    if name in ("authorizationError", "noAccess"):
        return SnmpError("no_access", f"the router does not let this user or community: {name}")
    return SnmpError("error_status", f"the router answers {name}")


def _report(pdu: Pdu) -> int:
    """Which of USM's counters a report tells; 0 for none of them."""
    for name, _ in pdu.varbinds:
        if name[: len(_STATS)] == _STATS and len(name) > len(_STATS):
            return name[len(_STATS)]
    return 0
