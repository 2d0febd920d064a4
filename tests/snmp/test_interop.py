"""Against net-snmp's own agent: every hash and cipher, walks, a SET, and what it says to wrong keys."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.ports import free_port
from tests.snmp.netsnmp import AUTH_KEY, COMMUNITY, PRIV_KEY, USERS, forget_routes_soon, snmpd

from yardlight.errors import SnmpError
from yardlight.inventory.values import Secret
from yardlight.snmp import Agent, Missing, Session, Usm, oid, snmp_set
from yardlight.terminal.routers import asking, standard

pytestmark = pytest.mark.needs("snmpd", "snmpget")

DESCR, CONTACT, NOTHING = oid("1.3.6.1.2.1.1.1.0"), oid("1.3.6.1.2.1.1.4.0"), oid("1.3.6.1.2.1.1.99.0")
IF_DESCR = oid("1.3.6.1.2.1.2.2.1.2")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port = free_port(socket.SOCK_DGRAM)
    with snmpd(tmp_path_factory.mktemp("snmpd"), port):
        yield port


def user(name: str, auth: str, priv: str | None, auth_key: str = AUTH_KEY, priv_key: str = PRIV_KEY) -> Usm:
    return Usm(name, auth, Secret(auth_key), priv, Secret(priv_key) if priv else None)


def why(agent: Agent) -> str:
    """The reason for which this agent cannot be read."""

    async def ask() -> None:
        async with Session(agent) as session:
            await session.get([DESCR])

    with pytest.raises(SnmpError) as error:
        asyncio.run(ask())
    return error.value.reason


@pytest.mark.parametrize(("name", "auth", "priv"), [(name, auth, priv) for name, _, _, auth, priv in USERS])
def test_a_user_of_version_3_reads_and_walks(port: int, name: str, auth: str, priv: str) -> None:
    async def ask() -> None:
        async with Session(Agent("127.0.0.1", port, None, user(name, auth, priv))) as session:
            found = await session.get([DESCR, NOTHING])
            assert isinstance(found[DESCR], bytes)
            assert found[NOTHING] in (Missing.NO_INSTANCE, Missing.NO_OBJECT)
            walk = await session.walk([IF_DESCR, (*IF_DESCR[:-1], 8)])
            assert b"lo" in walk.values.values()
            assert walk.stopped == ()

    asyncio.run(ask())


def test_a_community_reads_walks_and_writes(port: int) -> None:
    agent = Agent("127.0.0.1", port, Secret(COMMUNITY))
    snmp_set(agent, CONTACT, b"noc@example.com")

    async def ask() -> None:
        async with Session(agent) as session:
            assert await session.get([CONTACT]) == {CONTACT: b"noc@example.com"}
            assert b"lo" in (await session.walk([IF_DESCR])).values.values()
            assert (await session.get_next([DESCR]))[0][0] == oid("1.3.6.1.2.1.1.2.0")

    asyncio.run(ask())


def test_a_user_of_version_3_writes(port: int) -> None:
    agent = Agent("127.0.0.1", port, None, user("shaaes", "sha", "aes"))
    snmp_set(agent, CONTACT, b"yard")
    with pytest.raises(SnmpError) as error:
        snmp_set(agent, DESCR, b"not mine to change")
    assert error.value.reason in ("error_status", "no_access")


def wrong_community(port: int) -> Agent:
    return Agent("127.0.0.1", port, Secret("wrong"), timeout=0.3)


def closed_port(port: int) -> Agent:
    return Agent("127.0.0.1", 1, Secret(COMMUNITY))


def stranger(port: int) -> Agent:
    return Agent("127.0.0.1", port, None, user("nobody", "sha", "aes"))


def wrong_auth_key(port: int) -> Agent:
    return Agent("127.0.0.1", port, None, user("shaaes", "sha", "aes", auth_key="something else"))


def wrong_hash(port: int) -> Agent:
    return Agent("127.0.0.1", port, None, user("shaaes", "sha256", "aes"))


def wrong_priv_key(port: int) -> Agent:
    return Agent("127.0.0.1", port, None, user("shaaes", "sha", "aes", priv_key="something else"), timeout=0.3)


def without_privacy(port: int) -> Agent:
    return Agent("127.0.0.1", port, None, user("shaaes", "sha", None))


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (wrong_community, {"timeout"}),
        (closed_port, {"refused"}),
        (stranger, {"unknown_user"}),
        (wrong_auth_key, {"wrong_auth"}),
        (wrong_hash, {"wrong_auth"}),
        # Some agents report what they cannot decrypt, some say nothing.
        (wrong_priv_key, {"wrong_privacy", "timeout"}),
        (without_privacy, {"no_access", "unsupported_level"}),
    ],
)
def test_what_is_wrong_is_said(port: int, agent: Callable[[int], Agent], reason: set[str]) -> None:
    assert why(agent(port)) in reason


def test_an_agent_that_starts_anew_is_followed(tmp_path: Path, free_port: Callable[[], int]) -> None:
    """Its clock begins at zero, and it may count its boots: the next question is in its time again."""
    at = free_port()
    agent = Agent("127.0.0.1", at, None, user("sha256aes", "sha256", "aes"))

    async def ask() -> bytes | object:
        async with Session(agent) as session:
            return (await session.get([DESCR]))[DESCR]

    for _ in range(2):
        with snmpd(tmp_path / "agent", at):
            assert isinstance(asyncio.run(ask()), bytes)
    first = agent.engine.engine_id
    # Its state lost, it calls itself by another name.
    with snmpd(tmp_path / "other", at, "engineIDType 1"):
        assert isinstance(asyncio.run(ask()), bytes)
    assert agent.engine.engine_id != first


def test_how_long_the_agent_remembers_its_routes_is_read_from_it(port: int) -> None:
    agent = Agent("127.0.0.1", port, Secret(COMMUNITY))

    async def remembered() -> float:
        async with Session(agent) as session:
            known = await asking.discover(session, "generic")
        return standard.remembered(known.fixed, standard.INET_CIDR)

    assert asyncio.run(remembered()) == 60
    forget_routes_soon("127.0.0.1", port, 2)
    assert asyncio.run(remembered()) == 2
