"""The lab's map.

            yard .20 default, .21 fiber, .22 lte (one card)          hops from the yard
              |  10.10.0.0/24
            edge  health check, policy routes, NAT on both WANs       1
      wan0 /       \\ wan1
      fiberisp     lteisp (a second NAT)                              2
             \\     /
             internet  targets, dispatch, STUN, DNS, echo             3
                |
             centre  Prometheus, Alertmanager, inbox                  4

Both circuits are equally long, so the reply's TTL alone tells nothing. `out_of_band` is a link from
yard to centre that uses neither circuit.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from tests.lab import namespace

DEFAULT, FIBER, LTE = "10.10.0.20", "10.10.0.21", "10.10.0.22"
EDGE = "10.10.0.1"
FIBER_WAN, FIBER_HOP = "203.0.113.20", "203.0.113.17"
LTE_WAN, LTE_HOP, LTE_PUBLIC = "10.64.2.2", "10.64.2.1", "192.0.2.65"
TARGETS = ("198.51.100.1", "198.51.100.2", "203.0.113.53")
DNS, STUN, ECHO, DISPATCH = "203.0.113.53", "198.51.100.3", "198.51.100.4", "198.51.100.10"
CENTRE, CENTRE_OUT_OF_BAND = "192.0.2.130", "172.31.0.2"
PUBLIC = {FIBER_WAN: "fiber", LTE_PUBLIC: "lte"}

WANS = {"fiber": "wan0", "lte": "wan1"}
TABLES = {"fiber": "101", "lte": "102"}
GATEWAYS = {"fiber": FIBER_HOP, "lte": LTE_HOP}
ISPS = {"fiber": "fiberisp", "lte": "lteisp"}
PINS = {"fiber": FIBER, "lte": LTE}
ROUTERS = ("edge", "fiberisp", "lteisp", "internet")
NAMESPACES = ("yard", *ROUTERS, "centre")


@dataclass(frozen=True)
class Shape:
    """What a lab may vary.

    `sticky_nat`: the router keeps old connections on the address they began with. `hidden_hops`: the LTE carrier's
    router never says that a time to live ran out, as many do not.
    """

    out_of_band: bool = False
    sticky_nat: bool = False
    hidden_hops: bool = False


def build(shape: Shape) -> None:
    """Make all namespaces, links, routes and NAT; the edge sends everything by fiber at first."""
    for name in NAMESPACES:
        subprocess.run(["ip", "netns", "add", name], check=True)
        namespace.run(name, "ip link set lo up")
        namespace.run(name, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
    connect_yard(DEFAULT)
    _link("edge", "wan0", (f"{FIBER_WAN}/28",), "fiberisp", "cust", (f"{FIBER_HOP}/28",))
    _link("edge", "wan1", (f"{LTE_WAN}/24",), "lteisp", "cust", (f"{LTE_HOP}/24",))
    _without_arp("edge", WANS["lte"], LTE_HOP, "lteisp", "cust", LTE_WAN)
    _link("fiberisp", "core", ("192.0.2.33/30",), "internet", "fiber", ("192.0.2.34/30",))
    _link("lteisp", "core", (f"{LTE_PUBLIC}/30",), "internet", "lte", ("192.0.2.66/30",))
    _link("centre", "eth0", (f"{CENTRE}/30",), "internet", "centre", ("192.0.2.129/30",))
    for address in (*TARGETS, STUN, ECHO, DISPATCH):
        namespace.run("internet", f"ip address add {address}/32 dev lo")
    for name in ROUTERS:
        namespace.run(name, "sysctl -qw net.ipv4.ip_forward=1")
    for name, gateway in (("fiberisp", "192.0.2.34"), ("lteisp", "192.0.2.66"), ("centre", "192.0.2.129")):
        namespace.run(name, f"ip route add default via {gateway}")
    namespace.run("internet", "ip route add 203.0.113.16/28 via 192.0.2.33")
    _edge(shape)
    namespace.run("lteisp", "iptables -t nat -A POSTROUTING -o core -j MASQUERADE")
    if shape.hidden_hops:
        namespace.run("lteisp", "iptables -A OUTPUT -p icmp --icmp-type time-exceeded -j DROP")
    for isp in ISPS.values():
        _fault_chains(isp)
    if shape.out_of_band:
        _link("yard", "sat", ("172.31.0.1/30",), "centre", "sat", (f"{CENTRE_OUT_OF_BAND}/30",))


def connect_yard(default: str) -> None:
    """Plug the yard box in: one card, three addresses, of which `default` is the first."""
    addresses = tuple(f"{address}/24" for address in (default, FIBER, LTE))
    _link("yard", "eth0", addresses, "edge", "lan", (f"{EDGE}/24",))
    namespace.run("yard", f"ip route add default via {EDGE}")


def _link(left: str, left_card: str, left_addresses: tuple[str, ...],
          right: str, right_card: str, right_addresses: tuple[str, ...]) -> None:  # fmt: skip
    namespace.run(left, f"ip link add {left_card} type veth peer name {right_card} netns {right}")
    for name, card, addresses in ((left, left_card, left_addresses), (right, right_card, right_addresses)):
        for address in addresses:
            namespace.run(name, f"ip address add {address} dev {card}")
        namespace.run(name, f"ip link set {card} up")


def _without_arp(left: str, left_card: str, right_address: str,
                 right: str, right_card: str, left_address: str) -> None:  # fmt: skip
    """A modem asks nobody for addresses; on a metered link that would be bytes which no plan ever sees."""
    for name, card, address, peer, peer_card in (
        (left, left_card, right_address, right, right_card), (right, right_card, left_address, left, left_card),
    ):  # fmt: skip
        (shown,) = json.loads(namespace.run(peer, f"ip -json link show dev {peer_card}"))
        hardware = shown["address"]
        namespace.run(name, f"ip neigh replace {address} lladdr {hardware} dev {card} nud permanent")


def _edge(shape: Shape) -> None:
    for circuit, table in TABLES.items():
        wan, gateway = WANS[circuit], GATEWAYS[circuit]
        own = FIBER_WAN if circuit == "fiber" else LTE_WAN
        namespace.run("edge", f"ip route add default via {gateway} dev {wan} table {table}")
        namespace.run("edge", f"ip rule add from {PINS[circuit]} lookup {table} priority 100")
        namespace.run("edge", f"ip rule add from {own} lookup {table} priority 200")
        nat = f"SNAT --to-source {own}" if shape.sticky_nat else "MASQUERADE"
        namespace.run("edge", f"iptables -t nat -A POSTROUTING -o {wan} -j {nat}")
    # Answers from the LAN side to the LAN stay on it, whatever the pins say.
    namespace.run("edge", "ip rule add to 10.10.0.0/24 lookup main priority 50")
    namespace.run("edge", f"ip route add default via {FIBER_HOP} dev wan0")


def _fault_chains(isp: str) -> None:
    """Two chains that all packets of a circuit pass: at the customer's end, and behind the gateway."""
    for chain, card in (("CIRCUIT", "cust"), ("UPSTREAM", "core")):
        namespace.run(isp, f"iptables -t mangle -N {chain}")
        namespace.run(isp, f"iptables -t mangle -A PREROUTING -i {card} -j {chain}")
        namespace.run(isp, f"iptables -t mangle -A POSTROUTING -o {card} -j {chain}")


def bytes_on(circuit: str) -> int:
    """Bytes the edge's WAN card of `circuit` carried since the lab began, both ways, frames included."""
    shown = json.loads(namespace.run("edge", f"ip -json -s link show dev {WANS[circuit]}"))
    return sum(int(shown[0]["stats64"][way]["bytes"]) for way in ("rx", "tx"))


def count_port(port: int) -> None:
    """Count from now on what the edge's WAN cards carry of TCP to and from this port."""
    for circuit, card in WANS.items():
        namespace.run("edge", f"iptables -t mangle -N {_counter(circuit, port)}")
        for way in (f"-o {card} -p tcp --dport {port}", f"-i {card} -p tcp --sport {port}"):
            namespace.run("edge", f"iptables -t mangle -A FORWARD {way} -j {_counter(circuit, port)}")
        namespace.run("edge", f"iptables -t mangle -A {_counter(circuit, port)} -j RETURN")


def bytes_of_port(circuit: str, port: int) -> int:
    """Bytes that `circuit` carried of this port since it is counted, both ways, as IP packets."""
    shown = namespace.run("edge", f"iptables -t mangle -nvxL {_counter(circuit, port)}")
    return int(shown.splitlines()[2].split()[1])


def _counter(circuit: str, port: int) -> str:
    return f"{circuit.upper()}-{port}"
