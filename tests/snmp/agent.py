"""A small SNMP agent for tests: serves a table of values over UDP, v2c and v3, and misbehaves as told.

It is built on our own codec; that the codec speaks what the world speaks is shown elsewhere, with pysnmp and net-snmp.
"""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp import ber, usm
from yardlight.snmp.ber import GET, GET_BULK, GET_NEXT, REPORT, RESPONSE, SET, Missing, Oid, Pdu, Value, oid
from yardlight.snmp.session import Agent
from yardlight.snmp.usm import Keys, Usm

STATS = oid("1.3.6.1.6.3.15.1.1")
# Type of a line in a snmprec file -> tag on the wire.
TAGS = {"2": 0x02, "4": 0x04, "5": 0x05, "6": 0x06, "64": 0x40, "65": 0x41, "66": 0x42, "67": 0x43, "70": 0x46}

Table = Mapping[Oid, bytes]


def element(kind: str, text: str) -> bytes:
    """A value of a snmprec line as an element of BER."""
    if kind.endswith("x"):
        return ber.tlv(TAGS[kind[:-1]], bytes.fromhex(text))
    if kind == "4":
        return ber.tlv(0x04, text.encode())
    if kind == "5":
        return b"\x05\x00"
    if kind == "6":
        return ber.encode_oid(oid(text))
    if kind == "64":
        return ber.encode_value(text)
    return ber.integer(int(text), TAGS[kind])


def snmprec(path: Path) -> dict[Oid, bytes]:
    """A recording: OID|type|value, one per line."""
    lines = (line.rstrip("\r\n").split("|", 2) for line in path.read_text(encoding="utf-8").split("\n") if line.strip())
    return {oid(name): element(kind, text) for name, kind, text in lines}


def values(table: Mapping[str, int | bytes | str | Oid | None]) -> dict[Oid, bytes]:
    """A table written with dotted names; text with dots of four numbers is an IpAddress."""
    return {oid(name): ber.encode_value(value) for name, value in table.items()}


class FakeAgent:
    """Listens on loopback from `start` to `stop`. What it does wrong is set from outside.

    `forge(kind, asked, reply)` may change the variable bindings of a reply; `silent` drops everything, `mute` whatever
    is meant for another engine or time than its own, without the word about it that it owes.
    """

    def __init__(self, table: Table, community: str = "public", users: Iterable[Usm] = ()) -> None:
        self.community, self.users = community.encode(), {user.user.encode(): user for user in users}
        self.use(table)
        self.engine_id, self.boots, self.born = b"\x80\x00\x1f\x88\x04yard", 3, time.monotonic() - 1000
        self.silent = self.mute = False
        self.limit = 65535
        self.asked: list[Pdu] = []
        self.contexts: list[bytes] = []
        self.written: dict[Oid, Value] = {}
        self.forge: Callable[[int, Pdu, list[tuple[Oid, bytes]]], list[tuple[Oid, bytes]]] | None = None
        self._keys: dict[tuple[bytes, bytes], Keys] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def use(self, table: Table) -> None:
        """Serve this from now on."""
        self.table = dict(table)
        self._sorted = sorted(self.table)

    async def __aenter__(self) -> Self:
        agent = self

        class Protocol(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
                if (reply := agent.answer(data)) is not None and agent._transport is not None:
                    agent._transport.sendto(reply, address)

        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()

    @property
    def port(self) -> int:
        assert self._transport is not None
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def client(self, user: Usm | None = None, timeout: float = 2.0, tries: int = 3) -> Agent:
        """How to ask this agent."""
        community = None if user else Secret(self.community.decode())
        return Agent("127.0.0.1", self.port, community, user, timeout, tries)

    def time(self) -> int:
        return int(time.monotonic() - self.born)

    # Replies

    def answer(self, data: bytes) -> bytes | None:
        if self.silent:
            return None
        try:
            reader = ber.Reader(data).within(ber.SEQUENCE)
            return self._v2c(data) if reader.integer() == 1 else self._v3(data)
        except SnmpError:
            return None

    def _v2c(self, data: bytes) -> bytes | None:
        community, pdu = ber.decode_v2c(data)
        return ber.encode_v2c(community, self._reply(pdu)) if community == self.community else None

    def _v3(self, data: bytes) -> bytes | None:
        message = ber.Reader(data).within(ber.SEQUENCE)
        message.integer()
        header = message.within(ber.SEQUENCE)
        number, _, flags = header.integer(), header.integer(), header.octets()[0]
        start, end = message.expect(ber.OCTETS)
        security = ber.Reader(data, start, end).within(ber.SEQUENCE)
        engine_id, boots, at, name = security.octets(), security.integer(), security.integer(), security.octets()
        plain = Usm("")
        if engine_id != self.engine_id:
            return self._report(plain, number, 4) if not engine_id or not self.mute else None
        if name not in self.users:
            return self._report(plain, number, 3)
        user = self.users[name]
        if flags & 3 != user.flags:
            return self._report(plain, number, 1)
        keys = self._keys.setdefault((name, engine_id), usm.localize(user, engine_id))
        try:
            secured = usm.unseal(data, user, lambda _: keys)
        except usm.WrongDigestError:
            return self._report(plain, number, 5)
        except SnmpError:
            return self._report(plain, number, 6)
        self.contexts.append(secured.context)
        if user.auth and (boots != self.boots or abs(at - self.time()) > 150):
            return None if self.mute else self._report(Usm(user.user, user.auth, user.auth_key), number, 2)
        return self._seal(user, keys, number, self._reply(secured.pdu))

    def _report(self, user: Usm, number: int, problem: int) -> bytes:
        varbinds = ber.encode_varbinds([((*STATS, problem, 0), ber.integer(1, ber.COUNTER32))])
        keys = usm.localize(user, self.engine_id) if user.auth else Keys()
        return self._seal(user, keys, number, ber.encode_pdu(REPORT, 0, varbinds))

    def _seal(self, user: Usm, keys: Keys, number: int, pdu: bytes) -> bytes:
        return usm.seal(user, keys, self.engine_id, self.boots, self.time(), number, pdu, reportable=False)

    def _reply(self, pdu: Pdu) -> bytes:
        self.asked.append(pdu)
        if pdu.kind == SET:
            self.written |= dict(pdu.varbinds)
            found = [(name, ber.encode_value(value)) for name, value in pdu.varbinds]
        elif pdu.kind == GET:
            gone = ber.tlv(Missing.NO_INSTANCE.value, b"")
            found = [(name, self.table.get(name, gone)) for name, _ in pdu.varbinds]
        elif pdu.kind == GET_NEXT:
            found = [self._after(name) for name, _ in pdu.varbinds]
        elif pdu.kind == GET_BULK:
            found = []
            names = [name for name, _ in pdu.varbinds]
            for _ in range(pdu.index):
                row = [self._after(name) for name in names]
                names = [name for name, _ in row]
                found += row
                if sum(len(value) + 20 for _, value in found) > self.limit:
                    break
        if self.forge is not None:
            found = self.forge(pdu.kind, pdu, found)
        if pdu.kind == GET and sum(len(value) + 20 for _, value in found) > self.limit:
            asked = ber.encode_asked(name for name, _ in pdu.varbinds)
            return ber.encode_pdu(RESPONSE, pdu.request_id, asked, 1)
        return ber.encode_pdu(RESPONSE, pdu.request_id, ber.encode_varbinds(found))

    def _after(self, name: Oid) -> tuple[Oid, bytes]:
        at = bisect_right(self._sorted, name)
        if at == len(self._sorted):
            return name, ber.tlv(Missing.END_OF_VIEW.value, b"")
        return self._sorted[at], self.table[self._sorted[at]]


@contextmanager
def serving(agent: FakeAgent) -> Iterator[FakeAgent]:
    """The agent on a loop of its own, for what runs a loop itself."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(agent.__aenter__(), loop).result(10)
        yield agent
    finally:
        asyncio.run_coroutine_threadsafe(agent.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
