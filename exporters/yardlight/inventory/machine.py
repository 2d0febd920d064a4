"""What this machine has: addresses, interfaces, ways out, and whether this process may send pings.

Read from /proc/net, so that neither root nor iproute2 is needed.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

Network = IPv4Network | IPv6Network

_LOCAL = re.compile(r"\|-- (\S+)\n\s+/(\d+) host LOCAL")
_PROC = Path("/proc/net")


@dataclass(frozen=True)
class Gateway:
    """A default route: the interface and the address it leads to, empty where there is nobody but the other end."""

    interface: str
    address: str
    metric: int


@dataclass(frozen=True)
class Machine:
    """A snapshot. `networks` are the addresses that can be bound (loopback is a whole network of them)."""

    networks: tuple[Network, ...]
    interfaces: tuple[str, ...]
    gateways: tuple[Gateway, ...]
    may_ping: bool

    def has(self, bind: str) -> bool:
        """True if an address or an interface of this name is here now."""
        try:
            address = ip_address(bind)
        except ValueError:
            return bind in self.interfaces
        return any(address in network for network in self.networks)


def snapshot() -> Machine:
    """This machine as it is now; parts that cannot be read are empty."""
    networks = (*parse_fib_trie(_read("fib_trie")), *parse_if_inet6(_read("if_inet6")))
    interfaces = tuple(name for _, name in socket.if_nameindex())
    return Machine(networks, interfaces, parse_route(_read("route")), may_ping())


def parse_fib_trie(text: str) -> tuple[Network, ...]:
    """The IPv4 addresses of this machine, from /proc/net/fib_trie."""
    found = {f"{address}/{length}" for address, length in _LOCAL.findall(text)}
    return tuple(ip_network(network) for network in sorted(found))


def parse_if_inet6(text: str) -> tuple[Network, ...]:
    """The IPv6 addresses of this machine, from /proc/net/if_inet6."""
    addresses = (line.split()[0] for line in text.splitlines())
    return tuple(IPv6Network(bytes.fromhex(address)) for address in addresses)


def parse_route(text: str) -> tuple[Gateway, ...]:
    """The IPv4 default routes, the preferred first, from /proc/net/route; half of one, as VPNs have, is none."""
    gateways = []
    for line in text.splitlines()[1:]:
        interface, destination, gateway, _, _, _, metric, mask, *_ = line.split()
        if destination == mask == "00000000":
            address = IPv4Address(bytes.fromhex(gateway)[::-1])
            gateways.append(Gateway(interface, "" if address.is_unspecified else str(address), int(metric)))
    return tuple(sorted(gateways, key=lambda gateway: gateway.metric))


def _read(name: str) -> str:
    try:
        return (_PROC / name).read_text()
    except OSError:
        return ""


def may_ping() -> bool:
    """Whether a raw socket opens, which is what probing needs: the CAP_NET_RAW capability."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except OSError:
        return False
    return True
