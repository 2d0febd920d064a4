"""Agents that misbehave: every walk ends, every question is answered or says why not, and no forged word is taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, values

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp import Missing, Session, Usm, ber, oid, usm
from yardlight.snmp.ber import GET_BULK, Oid, Pdu

USER = Usm("noc", "sha", Secret("a passphrase"), "aes", Secret("another one"))
ROOT = oid("1.3.6.1.2.1.2.2.1.2")
TABLE = values(
    {f"1.3.6.1.2.1.2.2.1.{column}.{row}": column * 100 + row for column in (2, 3, 8) for row in range(1, 41)}
)
Found = list[tuple[Oid, bytes]]


def run(what: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(what, 60)

    asyncio.run(limited())


async def reason(session: Session, name: Oid = (*ROOT, 1)) -> str:
    with pytest.raises(SnmpError) as error:
        await session.get([name])
    return error.value.reason


@pytest.mark.parametrize("user", [None, USER])
def test_a_walk_reads_columns_side_by_side_each_to_its_end(user: Usm | None) -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent, Session(agent.client(user)) as session:
            walk = await session.walk([ROOT, (*ROOT[:-1], 3), (*ROOT[:-1], 7), (*ROOT[:-1], 8)])
            assert walk.values.keys() == TABLE.keys()
            assert walk.stopped == ()

    run(ask())


def test_a_walk_around_in_circles_ends_and_says_so() -> None:
    def circle(kind: int, pdu: Pdu, found: Found) -> Found:
        return [((*ROOT, 1 + name[-1] % 5), value) for name, value in found]

    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            agent.forge = circle
            walk = await session.walk([ROOT])
            assert len(walk.values) <= 5
            assert "does not grow" in walk.stopped[0]

    run(ask())


def test_rows_out_of_order_end_their_column_and_no_other() -> None:
    def swap(kind: int, pdu: Pdu, found: Found) -> Found:
        return [((*ROOT, 2), value) if name == (*ROOT, 20) else (name, value) for name, value in found]

    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            agent.forge = swap
            walk = await session.walk([ROOT, (*ROOT[:-1], 8)])
            assert max(name[-1] for name in walk.values if name[:-1] == ROOT) == 19
            assert sum(name[-2] == 8 for name in walk.values) == 40
            assert len(walk.stopped) == 1

    run(ask())


def test_a_table_without_an_end_is_read_so_far() -> None:
    counter = iter(range(1, 10**9))

    def endless(kind: int, pdu: Pdu, found: Found) -> Found:
        return [((*ROOT, next(counter)), b"\x05\x00") for _ in found]

    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            agent.forge = endless
            walk = await session.walk([ROOT], rows=100)
            assert len(walk.values) == 100
            assert "more than 100 rows" in walk.stopped[0]

    run(ask())


@pytest.mark.parametrize("end", ["nothing", "same name", "half a row"])
def test_a_walk_ends_however_an_agent_says_that_it_does(end: str) -> None:
    def cut(kind: int, pdu: Pdu, found: Found) -> Found:
        over = [index for index, (name, _) in enumerate(found) if name[:-1] != ROOT or name[-1] > 30]
        if not over or kind != GET_BULK:
            return found
        if end == "same name":
            last = pdu.varbinds[0][0]
            return [*found[: over[0]], (last, ber.tlv(Missing.END_OF_VIEW.value, b""))]
        return found[: over[0]] if end == "half a row" or over[0] else []

    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            agent.forge = cut
            walk = await session.walk([ROOT])
            assert [name[-1] for name in walk.values] == list(range(1, 31))

    run(ask())


def test_a_reply_that_is_too_big_is_asked_for_in_halves_and_that_is_remembered() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(client := agent.client()) as session:
            agent.limit = 250
            names = [(*ROOT, row) for row in range(1, 41)]
            assert (await session.get(names)).keys() == set(names)
            before = client.requests
            await session.get(names[: client.batch])
            assert client.requests == before + 1

    run(ask())


def test_one_value_that_cannot_be_told_does_not_cost_the_others() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            broken, reply = (*ROOT, 2), agent._reply

            def refuse(pdu: Pdu) -> bytes:
                names = [name for name, _ in pdu.varbinds]
                if broken in names:
                    bindings = ber.encode_asked(names)
                    return ber.encode_pdu(ber.RESPONSE, pdu.request_id, bindings, 5, names.index(broken) + 1)
                return reply(pdu)

            agent._reply = refuse  # type: ignore[method-assign]
            found = await session.get([(*ROOT, 1), broken, (*ROOT, 3)])
            assert found == {(*ROOT, 1): 201, broken: Missing.NO_INSTANCE, (*ROOT, 3): 203}

    run(ask())


@pytest.mark.parametrize("status", [2, 5])
def test_one_column_that_cannot_be_told_does_not_cost_the_others(status: int) -> None:
    """Some agents know nothing of GETBULK's end, some stumble over a table that they list and do not have."""
    broken, well = (*ROOT[:-1], 77), ROOT

    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client()) as session:
            reply = agent._reply

            def refuse(pdu: Pdu) -> bytes:
                names = [name for name, _ in pdu.varbinds]
                if broken in names:
                    bindings = ber.encode_asked(names)
                    return ber.encode_pdu(ber.RESPONSE, pdu.request_id, bindings, status, names.index(broken) + 1)
                return reply(pdu)

            agent._reply = refuse  # type: ignore[method-assign]
            walk = await session.walk([broken, well])
            assert walk.values == (await session.walk([well])).values != {}
            assert len(walk.stopped) == (status == 5)
            assert await session.get_next([well, broken, (*well, 1)]) == [
                ((*well, 1), 201), (broken, Missing.END_OF_VIEW), ((*well, 2), 202),
            ]  # fmt: skip
            assert await session.get_next([broken]) == [(broken, Missing.END_OF_VIEW)]

    run(ask())


def test_silence_ends_after_the_tries_and_a_lost_packet_is_sent_again() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(client := agent.client(timeout=0.2)) as session:
            agent.silent = True
            began = time.monotonic()
            assert await reason(session) == "timeout"
            assert client.requests == 3
            assert time.monotonic() - began >= 0.6
            asyncio.get_running_loop().call_later(0.3, setattr, agent, "silent", False)
            assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}

    run(ask())


def test_a_session_ends_at_its_deadline_however_slowly_the_agent_answers() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client(timeout=5), deadline=0.5) as session:
            agent.silent = True
            began = time.monotonic()
            assert await reason(session) == "timeout"
            assert time.monotonic() - began < 4

    run(ask())


@pytest.mark.parametrize("reply", [b"\x30", b"hello", b"\x30\x82\xff\xff", b"\x30\x00"])
def test_garbage_is_no_answer(reply: bytes) -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client(timeout=0.2, tries=1)) as session:
            agent.answer = lambda data: reply  # type: ignore[method-assign]
            assert await reason(session) == "bad_reply"

    run(ask())


def test_the_answer_to_another_question_is_no_answer() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE) as agent, Session(agent.client(timeout=0.2, tries=1)) as session:
            stale = ber.encode_v2c(b"public", ber.encode_pdu(ber.RESPONSE, 1, ber.encode_asked([])))
            agent.answer = lambda data: stale  # type: ignore[method-assign]
            assert await reason(session) == "timeout"

    run(ask())


def test_what_nobody_signed_is_not_taken_from_version_3() -> None:
    """Somebody who can send in the router's name, but has no key, can neither answer nor move its clock."""

    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent, Session(client := agent.client(USER, 0.2, 1)) as session:
            await session.get([(*ROOT, 1)])
            true = agent.answer

            def forged(data: bytes) -> bytes | None:
                number = _message_id(data)
                pdu = ber.encode_pdu(ber.RESPONSE, number, ber.encode_varbinds([((*ROOT, 1), ber.integer(666))]))
                return usm.seal(Usm("noc"), usm.Keys(), agent.engine_id, agent.boots, agent.time(), number, pdu)

            agent.answer = forged  # type: ignore[method-assign]
            assert await reason(session) in ("timeout", "bad_reply")

            def early(data: bytes) -> bytes | None:
                number = _message_id(data)
                found = ber.encode_varbinds([(oid("1.3.6.1.6.3.15.1.1.2.0"), ber.integer(1))])
                report = ber.encode_pdu(ber.REPORT, 0, found)
                return usm.seal(Usm("noc"), usm.Keys(), agent.engine_id, 2**31 - 1, 0, number, report)

            agent.answer = early  # type: ignore[method-assign]
            assert await reason(session) == "timeout"
            assert client.engine.boots == agent.boots
            agent.answer = true  # type: ignore[method-assign]
            assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}

    run(ask())


def test_a_reply_recorded_long_ago_is_not_taken_again() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent, Session(agent.client(USER, 0.2, 1)) as session:
            await session.get([(*ROOT, 1)])
            keys = usm.localize(USER, agent.engine_id)

            def old(data: bytes) -> bytes | None:
                number = _message_id(data)
                pdu = ber.encode_pdu(ber.RESPONSE, number, ber.encode_varbinds([((*ROOT, 1), ber.integer(666))]))
                return usm.seal(USER, keys, agent.engine_id, agent.boots, agent.time() - 600, number, pdu)

            agent.answer = old  # type: ignore[method-assign]
            assert await reason(session) == "timeout"

    run(ask())


def test_an_engine_that_changes_its_id_or_forgets_its_boots_is_followed() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent, Session(agent.client(USER)) as session:
            await session.get([(*ROOT, 1)])
            agent.engine_id = b"\x80\x00\x1f\x88\x04new"
            assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}
            agent.boots, agent.born = 1, time.monotonic()
            assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}

    run(ask())


@pytest.mark.parametrize("renamed", [True, False])
def test_a_router_that_says_nothing_of_its_new_self_is_known_again_after_a_silence(renamed: bool) -> None:
    """Some drop what is meant for their former engine or time, and send no report: they would be silent for ever."""

    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent:
            client = agent.client(USER, timeout=0.2, tries=1)
            async with Session(client) as session:
                await session.get([(*ROOT, 1)])
            agent.mute, agent.born = True, time.monotonic()
            if renamed:
                agent.engine_id = b"\x80\x00\x1f\x88\x04new"
            async with Session(client) as session:
                assert await reason(session) == "timeout"
            async with Session(client) as session:
                assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}

    run(ask())


def test_an_engine_with_another_id_for_every_question_is_given_up() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent, Session(agent.client(USER)) as session:
            true, numbers = agent.answer, iter(range(10**6))

            def another(data: bytes) -> bytes | None:
                agent.engine_id = b"\x80\x00\x1f\x88\x04" + str(next(numbers)).encode()
                return true(data)

            agent.answer = another  # type: ignore[method-assign]
            assert await reason(session) == "unknown_engine"

    run(ask())


def test_a_context_is_asked_by_its_name() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent:
            client = agent.client(USER)
            client.context = b"vrf-wan"
            async with Session(client) as session:
                assert await session.get([(*ROOT, 1)]) == {(*ROOT, 1): 201}
            assert set(agent.contexts) == {b"vrf-wan"}

    run(ask())


def test_a_secret_is_in_no_error_and_in_no_representation() -> None:
    async def ask() -> None:
        async with FakeAgent(TABLE, users=[USER]) as agent:
            client = agent.client(Usm("noc", "sha", Secret("wrong passphrase"), "aes", Secret("wrong privacy")))
            async with Session(client) as session:
                with pytest.raises(SnmpError) as error:
                    await session.get([(*ROOT, 1)])
        text = f"{error.value} {client!r} {client.user!r}"
        assert "wrong passphrase" not in text
        assert "wrong privacy" not in text

    run(ask())


def test_keys_are_those_of_the_standard() -> None:
    """RFC 3414 A.3.2, the password maplesyrup at engine 00...02."""
    engine_id = bytes.fromhex("000000000000000000000002")
    keys = usm.localize(Usm("u", "sha", Secret("maplesyrup")), engine_id)
    assert keys.auth.hex() == "6695febc9288e36282235fc7151f128497b38f3f"
    assert usm.localize(Usm("u", "md5", Secret("maplesyrup")), engine_id).auth.hex() == (
        "526f5eed9fcce26f8964c2930787d82b"
    )


def _message_id(data: bytes) -> int:
    message = ber.Reader(data).within(ber.SEQUENCE)
    message.integer()
    return message.within(ber.SEQUENCE).integer()
