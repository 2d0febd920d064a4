"""The default route: of three generations of tables, by its prefix, resolved through the addresses, never guessed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.snmp.agent import FakeAgent, values

from yardlight.snmp import Session, Value, oid
from yardlight.snmp.ber import GET_NEXT, Oid, Reader, encode_value, integer
from yardlight.terminal.routers import asking, standard
from yardlight.terminal.routers.reading import Address

INET, CIDR, OLD = "1.3.6.1.2.1.4.24.7.1", "1.3.6.1.2.1.4.24.4.1", "1.3.6.1.2.1.4.21.1"
KNOWN = (
    Address("100.64.1.9", 1, 24),
    Address("100.64.2.9", 2, 30),
    Address("10.45.125.89", 7, 32),
    Address("192.168.1.1", 3, 16),
    Address("192.168.1.2", 4, None),
)


def inet(hop: str, interface: int, metric: int, kind: int = 4, status: int = 1) -> dict[str, Any]:
    index = f"1.4.0.0.0.0.0.2.0.0.1.4.{hop}"
    return {
        f"{INET}.7.{index}": interface,
        f"{INET}.8.{index}": kind,
        f"{INET}.12.{index}": metric,
        f"{INET}.17.{index}": status,
    }


def cidr(hop: str, interface: int, metric: int = 1) -> dict[str, Any]:
    index = f"0.0.0.0.0.0.0.0.0.{hop}"
    return {f"{CIDR}.5.{index}": interface, f"{CIDR}.6.{index}": 4, f"{CIDR}.11.{index}": metric}


def old(hop: str, interface: int) -> dict[str, Any]:
    return {f"{OLD}.2.0.0.0.0": interface, f"{OLD}.3.0.0.0.0": 1, f"{OLD}.7.0.0.0.0": hop, f"{OLD}.8.0.0.0.0": 4}


def said(table: dict[str, Any]) -> dict[Oid, Value]:
    return {name: Reader(element).value() for name, element in values(table).items()}


def leads(table: dict[str, Any]) -> tuple[str | None, int | None] | None:
    """Next hop and interface of the default route."""
    route = standard.default_route(said(table), KNOWN)
    return (route.next_hop, route.interface) if route else None


@pytest.mark.parametrize(
    ("table", "way"),
    [
        (inet("100.64.1.1", 1, 100), ("100.64.1.1", 1)),
        (inet("100.64.1.1", 1, 100) | inet("100.64.2.10", 2, 50), ("100.64.2.10", 2)),
        (cidr("100.64.1.1", 0), ("100.64.1.1", 1)),
        (cidr("100.64.1.1", 0) | cidr("100.64.2.10", 0, 9), ("100.64.1.1", 1)),
        (old("100.64.1.1", 0), ("100.64.1.1", 1)),
        (old("0.0.0.0", 7), (None, 7)),
        # The newest table wins where several have one.
        (inet("100.64.1.1", 1, 1) | cidr("100.64.2.10", 2) | old("100.64.2.10", 2), ("100.64.1.1", 1)),
        # A router's own /32 is only where it points to itself.
        (cidr("10.45.125.89", 0), ("10.45.125.89", 7)),
        (cidr("10.45.125.90", 0), ("10.45.125.90", None)),
        (cidr("203.0.113.1", 0), ("203.0.113.1", None)),
        # Rejected and inactive routes carry nothing.
        (inet("100.64.1.1", 1, 1, kind=2) | inet("100.64.2.10", 2, 9), ("100.64.2.10", 2)),
        (inet("100.64.1.1", 1, 1, status=2) | inet("100.64.2.10", 2, 9), ("100.64.2.10", 2)),
        # Two ways of one metric through one interface are one answer, through two none.
        (cidr("100.64.1.1", 1) | cidr("100.64.1.2", 1), ("100.64.1.1", 1)),
        (cidr("100.64.1.1", 1) | cidr("100.64.2.10", 2), None),
        (cidr("100.64.1.1", 1, -1) | cidr("100.64.2.10", 2, 5), None),
        (cidr("203.0.113.1", 0) | cidr("203.0.113.2", 0), None),
        ({}, None),
        ({f"{CIDR}.5.0.0.0.0.0.0.0.0.0": 4}, (None, 4)),
    ],
)
def test_a_default_route_leads_where_it_says_or_nowhere(
    table: dict[str, Any], way: tuple[str | None, int | None] | None
) -> None:
    assert leads(table) == way


def test_an_overlapping_network_is_resolved_by_the_longest_prefix_and_equal_ones_not_at_all() -> None:
    known = (
        Address("10.0.0.1", 1, 8),
        Address("10.1.0.1", 2, 16),
        Address("10.2.0.1", 3, 16),
        Address("10.2.0.2", 4, 16),
    )
    hops = {"10.9.9.9": 1, "10.1.9.9": 2, "10.2.9.9": None}
    for hop, interface in hops.items():
        route = standard.default_route(said(cidr(hop, 0)), known)
        assert route is not None
        assert route.interface == interface


def test_a_mask_that_is_none_and_an_address_without_an_interface_are_left_out() -> None:
    table = {
        "1.3.6.1.2.1.4.20.1.2.10.0.0.1": 5,
        "1.3.6.1.2.1.4.20.1.3.10.0.0.1": "255.0.255.0",
        "1.3.6.1.2.1.4.20.1.2.10.0.0.2": 0,
        "1.3.6.1.2.1.4.34.1.3.1.4.10.0.0.3": 6,
        "1.3.6.1.2.1.4.34.1.5.1.4.10.0.0.3": oid("1.3.6.1.2.1.4.32.1.5.6.1.4.10.0.0.0.24"),
        "1.3.6.1.2.1.4.34.1.3.1.4.10.0.0.1": 9,
        "1.3.6.1.2.1.4.34.1.3.1.9.10.0.0.1": 9,
    }
    assert standard.addresses(said(table)) == (Address("10.0.0.1", 5, None), Address("10.0.0.3", 6, 24))


@pytest.mark.parametrize("table", [inet("100.64.1.1", 1, 1), cidr("100.64.1.1", 1), old("100.64.1.1", 1)])
def test_in_a_whole_internet_of_routes_few_questions_find_the_default(table: dict[str, Any]) -> None:
    """100 000 routes in all three tables: GETNEXT at the prefix, so that they cost nothing."""
    many: dict[Oid, bytes] = {}
    for number in range(100_000):
        net = (1 + number // 65536, number // 256 % 256, number % 256, 0)
        many[(*oid(INET), 7, 1, 4, *net, 24, 2, 0, 0, 1, 4, 100, 64, 1, 1)] = integer(1)
        many[(*oid(CIDR), 5, *net, 255, 255, 255, 0, 0, 100, 64, 1, 1)] = integer(1)
        many[(*oid(OLD), 2, *net)] = integer(1)

    async def ask() -> None:
        async with FakeAgent(many | values(table)) as agent, Session(client := agent.client()) as session:
            found, which = await asking.routes(session)
            assert client.requests <= 20
            assert {pdu.kind for pdu in agent.asked} == {GET_NEXT}
            route = standard.default_route(found, KNOWN)
            assert route is not None
            assert (route.next_hop, route.interface, route.table) == ("100.64.1.1", 1, which)
            before = client.requests
            await asking.routes(session, which)
            assert client.requests - before <= 3

    asyncio.run(ask())


def test_default_routes_without_number_are_looked_at_so_far() -> None:
    table: dict[str, Any] = {}
    for number in range(1, 200):
        table |= inet(f"100.64.1.{number}", 1, number)

    async def ask() -> None:
        async with FakeAgent(values(table)) as agent, Session(client := agent.client()) as session:
            await asking.routes(session)
            assert client.requests <= 20

    asyncio.run(ask())


def test_an_agent_that_answers_around_the_prefix_is_not_believed() -> None:
    async def ask() -> None:
        async with FakeAgent(values(cidr("100.64.1.1", 1))) as agent, Session(client := agent.client()) as session:
            agent.forge = lambda kind, pdu, found: [(name, encode_value(7)) for name, _ in pdu.varbinds]
            assert await asking.routes(session) == ({}, None)
            assert client.requests <= 20

    asyncio.run(ask())


def test_tables_that_are_asked_afresh_again_and_again_go_round_so_that_each_rests_as_long_as_it_can() -> None:
    tables = [*standard.ROUTES]
    asked, prefer = [], tables[0]
    for _ in range(2 * len(tables)):
        prefer = asking.in_order(prefer, afresh=True)[0]
        asked.append(prefer)
    assert asked == [*tables[1:], *tables, tables[0]]
    for table in (None, *tables):
        assert sorted(asking.in_order(table, afresh=True)) == sorted(tables)
        assert asking.in_order(table, afresh=False)[0] == (table or tables[0])
