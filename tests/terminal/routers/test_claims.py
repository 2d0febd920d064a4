"""Which uplink a router means: what it says of its WANs first, then its default route; unknown where not clear."""

from __future__ import annotations

from typing import Any

import pytest

from yardlight.inventory.models import Terminal
from yardlight.terminal.routers.claims import claim, of_modem
from yardlight.terminal.routers.reading import Address, DefaultRoute, Interface, Modem, RouterReading, Wan


def terminal(interfaces: dict[str, Any] | None = None, **fiber: Any) -> Terminal:
    return Terminal.model_validate(
        {
            "name": "fontana",
            "timezone": "UTC",
            "uplinks": {
                "fiber": {"name": "fiber", "role": "primary", "medium": "fiber", **fiber},
                "lte": {"name": "lte", "role": "standby", "medium": "lte"},
            },
            "router": {"address": "10.0.0.1", "interfaces": interfaces or {}},
        }
    )


def routed(hop: str | None, interface: int | None, *wans: Wan) -> RouterReading:
    return RouterReading(
        "generic",
        interfaces=(Interface(1, "wan", "eth1", "to the ISP"), Interface(2, "wwan0")),
        addresses=(Address("203.0.113.20", 1, 24), Address("10.45.125.89", 2, 32)),
        default=DefaultRoute("ipRouteTable", hop, interface, 1, interface),
        wans=wans,
    )


NAMED = {"fiber": "wan", "lte": "wwan0"}
UP, DOWN = Wan("1", "WAN", carrying=True), Wan("2", "Cellular", carrying=False)


@pytest.mark.parametrize(
    ("reading", "where", "uplink"),
    [
        (routed("100.64.1.1", 1), terminal(NAMED), "fiber"),
        (routed(None, 2), terminal(NAMED), "lte"),
        (routed("100.64.1.1", 1), terminal({"fiber": "eth1"}), "fiber"),
        (routed("100.64.1.1", 1), terminal({"fiber": "to the ISP"}), "fiber"),
        (routed("100.64.1.1", 1), terminal({"fiber": "203.0.113.20"}), "fiber"),
        (routed("100.64.1.1", 1), terminal({"fiber": ["port1", "wan"]}), "fiber"),
        (routed("100.64.1.1", None), terminal(next_hop="100.64.1.1"), "fiber"),
        (routed("100.64.1.1", 1), terminal(circuit={"outside": "203.0.113.20"}), "fiber"),
        # Not said, not known, or said in two ways that differ.
        (routed("100.64.1.1", 1), terminal(), None),
        (routed("100.64.1.1", 9), terminal(NAMED), None),
        (routed("100.64.1.1", 2), terminal(NAMED, next_hop="100.64.1.1"), None),
        (RouterReading("generic"), terminal(NAMED), None),
        # Its own statement comes before its routes.
        (routed("100.64.1.1", 1, Wan("1", "A", carrying=False), Wan("2", "B", carrying=True)),
         terminal({"fiber": ["wan", "A"], "lte": "B"}), "lte"),
        # Two in use, or one that has no other beside it, say nothing: the route does.
        (routed("100.64.1.1", 1, UP, Wan("2", "Cellular", carrying=True)), terminal(NAMED), "fiber"),
        (routed("100.64.1.1", 1, UP), terminal(NAMED), "fiber"),
        # One in use that belongs to nobody is not to be overruled by a route.
        (routed("100.64.1.1", 1, UP, DOWN), terminal({"lte": "Cellular"}), None),
        # Several checks of one uplink are one word.
        (routed(None, None, Wan("1", "ping", carrying=True, interface="wwan0"), Wan("2", "dns", carrying=True,
         interface="wwan0"), Wan("3", "ping", carrying=False, interface="wan")), terminal(NAMED), "lte"),
    ],
)  # fmt: skip
def test_a_claim_is_what_the_router_says_and_the_inventory_names(
    reading: RouterReading, where: Terminal, uplink: str | None
) -> None:
    said = claim(reading, where)
    assert said.uplink == uplink
    assert said.why


@pytest.mark.parametrize(
    ("modems", "interfaces", "uplink"),
    [
        ([Modem("1", "modem 1", rsrp=-90)], {}, "lte"),
        ([Modem("1", "modem 1", interface=2)], NAMED, "lte"),
        ([Modem("1", "Cellular 1", wan="Cellular 1")], {"lte": "Cellular 1"}, "lte"),
        ([Modem("1", "modem 1", rsrp=-90, address="10.45.125.89")], {"fiber": "10.45.125.89"}, "fiber"),
        # Of two that hear a network nobody knows which one it is; one without a signal does not count.
        ([Modem("1", "modem 1", rsrp=-90), Modem("2", "modem 2", rssi=-70)], {}, None),
        ([Modem("1", "modem 1", rsrp=-90), Modem("2", "modem 2")], {}, "lte"),
    ],
)
def test_a_modem_is_the_uplink_that_is_named_or_the_only_one_it_can_be(
    modems: list[Modem], interfaces: dict[str, Any], uplink: str | None
) -> None:
    reading = RouterReading("x", interfaces=(Interface(2, "wwan0"),), modems=tuple(modems))
    assert of_modem(modems[0], reading, terminal(interfaces)) == uplink


def test_with_two_cellular_uplinks_a_modem_is_neither_unless_it_is_named() -> None:
    where = terminal(medium="5g")
    modem = Modem("1", "modem 1", rsrp=-90)
    assert of_modem(modem, RouterReading("x", modems=(modem,)), where) is None
