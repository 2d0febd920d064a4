"""What every router can tell by the standards: who it is, its interfaces, its addresses and where it sends the rest.

Pure: from variable bindings to the parts of a reading. A column may be missing, a row may be torn, a table may be of
either generation; what cannot be told is None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, ip_address, ip_interface, ip_network

from yardlight.snmp import Oid, Value, oid
from yardlight.terminal.routers.reading import Address, DefaultRoute, Interface

DESCR, OBJECT_ID, UPTIME = oid("1.3.6.1.2.1.1.1.0"), oid("1.3.6.1.2.1.1.2.0"), oid("1.3.6.1.2.1.1.3.0")
# Seconds since the agent started, which wrap in 68 years, not in 497 days; and how often it did.
ENGINE_BOOTS, ENGINE_TIME = oid("1.3.6.1.6.3.10.2.1.2.0"), oid("1.3.6.1.6.3.10.2.1.3.0")
# The machine's own uptime, where the agent is a program on it.
HOST_UPTIME = oid("1.3.6.1.2.1.25.1.1.0")
IF_NUMBER, IF_CHANGED = oid("1.3.6.1.2.1.2.1.0"), oid("1.3.6.1.2.1.31.1.5.0")
SYSTEM = (DESCR, OBJECT_ID, UPTIME, ENGINE_BOOTS, ENGINE_TIME, HOST_UPTIME, IF_NUMBER, IF_CHANGED)
# Looked at in every poll: these tell a reboot and a change.
PULSE = (UPTIME, ENGINE_BOOTS, ENGINE_TIME, HOST_UPTIME, IF_NUMBER, IF_CHANGED)

IF_DESCR, IF_TYPE = oid("1.3.6.1.2.1.2.2.1.2"), oid("1.3.6.1.2.1.2.2.1.3")
IF_ADMIN, IF_OPER = oid("1.3.6.1.2.1.2.2.1.7"), oid("1.3.6.1.2.1.2.2.1.8")
IF_IN, IF_OUT = oid("1.3.6.1.2.1.2.2.1.10"), oid("1.3.6.1.2.1.2.2.1.16")
IF_NAME, IF_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.1"), oid("1.3.6.1.2.1.31.1.1.1.18")
IF_HC_IN, IF_HC_OUT = oid("1.3.6.1.2.1.31.1.1.1.6"), oid("1.3.6.1.2.1.31.1.1.1.10")
NAMES = (IF_DESCR, IF_TYPE, IF_NAME, IF_ALIAS)
STATES = (IF_ADMIN, IF_OPER)
COUNTERS = (IF_IN, IF_OUT, IF_HC_IN, IF_HC_OUT)

OLD_ADDRESS, OLD_MASK = oid("1.3.6.1.2.1.4.20.1.2"), oid("1.3.6.1.2.1.4.20.1.3")
NEW_ADDRESS, NEW_PREFIX = oid("1.3.6.1.2.1.4.34.1.3"), oid("1.3.6.1.2.1.4.34.1.5")
ADDRESSES = (OLD_ADDRESS, OLD_MASK, NEW_ADDRESS, NEW_PREFIX)

INET_CIDR, IP_CIDR, IP_ROUTE = "inetCidrRouteTable", "ipCidrRouteTable", "ipRouteTable"
# Table -> its entry, what every index of a default route begins with, and the columns: interface, type, metric,
# status, next hop (None: told by the index).
ROUTES: dict[str, tuple[Oid, Oid, int, int, int, int | None, int | None]] = {
    INET_CIDR: (oid("1.3.6.1.2.1.4.24.7.1"), (1, 4, 0, 0, 0, 0, 0), 7, 8, 12, 17, None),
    IP_CIDR: (oid("1.3.6.1.2.1.4.24.4.1"), (0, 0, 0, 0, 0, 0, 0, 0), 5, 6, 11, 16, None),
    IP_ROUTE: (oid("1.3.6.1.2.1.4.21.1"), (0, 0, 0, 0), 2, 8, 3, None, 7),
}
# How long net-snmp remembers a table before it looks again, seconds: a claim may be that much older than its poll.
CACHES = {
    INET_CIDR: oid("1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.4.24.7"),
    IP_CIDR: oid("1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.4.24.4"),
}
# Types of a route that carries nothing: reject and blackhole; of the oldest table invalid.
_DEAD_TYPES = {INET_CIDR: (2, 5), IP_CIDR: (2,), IP_ROUTE: (2,)}
_ACTIVE = 1
_UNSPECIFIED = "0.0.0.0"


def text(value: Value) -> str | None:
    """Bytes as text whatever their encoding; None for nothing."""
    if not isinstance(value, bytes):
        return None
    try:
        decoded = value.decode("utf-8")
    except UnicodeDecodeError:
        decoded = value.decode("latin-1")
    return "".join(char for char in decoded.strip("\0 \t\r\n") if char.isprintable()) or None


def rows(values: Mapping[Oid, Value], column: Oid) -> Iterator[tuple[Oid, Value]]:
    """Index and value of each row of a column."""
    size = len(column)
    return ((name[size:], value) for name, value in values.items() if name[:size] == column)


def interfaces(values: Mapping[Oid, Value]) -> tuple[Interface, ...]:
    """The rows of ifTable and ifXTable. A row exists if any column of it does."""
    columns: dict[Oid, dict[int, Value]] = {column: {} for column in (*NAMES, *STATES, *COUNTERS)}
    for name, value in values.items():
        column = columns.get(name[:-1])
        if column is not None:
            column[name[-1]] = value
    found = []
    for index in sorted({index for column in columns.values() for index in column}):
        wide_in, wide_out = columns[IF_HC_IN].get(index), columns[IF_HC_OUT].get(index)
        narrow_in, narrow_out = columns[IF_IN].get(index), columns[IF_OUT].get(index)
        # Some agents have the wide columns and never count in them.
        wide = _number(wide_in) is not None and not (wide_in == wide_out == 0 and (narrow_in or narrow_out))
        admin = _number(columns[IF_ADMIN].get(index))
        found.append(
            Interface(
                index,
                text(columns[IF_NAME].get(index)),
                text(columns[IF_DESCR].get(index)),
                text(columns[IF_ALIAS].get(index)),
                _number(columns[IF_TYPE].get(index)),
                None if admin is None else admin == 1,
                # Testing and unknown are neither; dormant, not present and lower layer down are not up.
                {1: True, 2: False, 5: False, 6: False, 7: False}.get(_number(columns[IF_OPER].get(index)) or 0),
                _count(wide_in if wide else narrow_in),
                _count(wide_out if wide else narrow_out),
                wide,
            )
        )
    return tuple(found)


def addresses(values: Mapping[Oid, Value]) -> tuple[Address, ...]:
    """The addresses of ipAddrTable and of ipAddressTable, each once."""
    found: dict[str, Address] = {}
    for index, value in rows(values, OLD_ADDRESS):
        if len(index) == 4 and (interface := _number(value)):
            address = ".".join(map(str, index))
            found[address] = Address(address, interface, _prefix_of(values.get((*OLD_MASK, *index))))
    for index, value in rows(values, NEW_ADDRESS):
        if (new := _inet(index)) and new not in found and (interface := _number(value)):
            pointer = values.get((*NEW_PREFIX, *index))
            told = isinstance(pointer, tuple) and len(pointer) > len(NEW_PREFIX) and 0 < pointer[-1] <= 128
            found[new] = Address(new, interface, pointer[-1] if told and isinstance(pointer, tuple) else None)
    return tuple(found.values())


def default_route(values: Mapping[Oid, Value], known: tuple[Address, ...]) -> DefaultRoute | None:
    """The default route with the lowest metric of the first table that has one; None where that is not certain."""
    for table in ROUTES:
        routes = list(_default_routes(values, table, known))
        if routes:
            return _best(routes)
    return None


def remembered(values: Mapping[Oid, Value], table: str | None) -> float:
    """Seconds for which the agent answers from memory about this table of routes; 0 where it says nothing of that."""
    seconds = _number(values.get(CACHES.get(table or "", ())))
    return float(seconds) if seconds is not None and seconds > 0 else 0.0


def _best(routes: list[DefaultRoute]) -> DefaultRoute | None:
    """Several of them lead to one place, or one has a lower metric than all others; anything else is a guess."""
    if len(routes) > 1 and all(route.metric is not None for route in routes):
        least = min(route.metric or 0 for route in routes)
        routes = [route for route in routes if route.metric == least]
    ways = {(route.if_index, route.next_hop) for route in routes}
    interfaces = {route.interface for route in routes}
    if len(ways) > 1 and (len(interfaces) > 1 or None in interfaces):
        return None
    return routes[0]


def _default_routes(values: Mapping[Oid, Value], table: str, known: tuple[Address, ...]) -> Iterator[DefaultRoute]:
    entry, zero, if_index, kind, metric, status, next_hop = ROUTES[table]
    indexes = {
        name[len(entry) + 1 :]
        for name in values
        if name[: len(entry)] == entry and name[len(entry) + 1 : len(entry) + 1 + len(zero)] == zero
    }
    for index in sorted(indexes):

        def cell(column: int | None, index: Oid = index) -> Value:
            return None if column is None else values.get((*entry, column, *index))

        if _number(cell(kind)) in _DEAD_TYPES[table] or _number(cell(status)) not in (None, _ACTIVE):
            continue
        hop = cell(next_hop) if next_hop else _hop_in(table, index, len(zero))
        hop = hop if isinstance(hop, str) and hop != _UNSPECIFIED else None
        interface = _number(cell(if_index))
        cost = _number(cell(metric))
        yield DefaultRoute(
            table,
            hop,
            interface,
            cost if cost is not None and cost >= 0 else None,
            interface if interface else _interface_of(hop, known),
        )


def _hop_in(table: str, index: Oid, size: int) -> str | None:
    """The next hop that an index holds: after a policy in the newest table, after a type of service before."""
    if table == IP_CIDR:
        return ".".join(map(str, index[-4:])) if len(index) == size + 5 else None
    policy = index[size] if len(index) > size else 0
    return _inet(index[size + 1 + policy :])


def _interface_of(hop: str | None, known: tuple[Address, ...]) -> int | None:
    """The interface in whose network a next hop is: the longest prefix, or the interface that has it as its own.

    An address without a network (/32, as LTE and PPP have) is matched by equality alone.
    """
    if hop is None:
        return None
    wanted = ip_address(hop)
    matches: dict[int, set[int]] = {}
    for each in known:
        address = ip_address(each.address)
        if address.version != wanted.version:
            continue
        if address == wanted:
            matches.setdefault(address.max_prefixlen, set()).add(each.interface)
        elif each.prefix and wanted in ip_interface(f"{address}/{each.prefix}").network:
            matches.setdefault(each.prefix, set()).add(each.interface)
    nearest = matches[max(matches)] if matches else set()
    return next(iter(nearest)) if len(nearest) == 1 else None


def _inet(index: Oid) -> str | None:
    """An InetAddressType and an InetAddress as in an index: kind, length, bytes."""
    if len(index) < 2 or len(index) != index[1] + 2 or any(part > 255 for part in index):
        return None
    if (index[0], index[1]) not in ((1, 4), (2, 16), (3, 8), (4, 20)):
        return None
    return str(ip_address(bytes(index[2:6] if index[0] in (1, 3) else index[2:18])))


def _prefix_of(mask: Value) -> int | None:
    try:
        return ip_network(f"{_UNSPECIFIED}/{IPv4Address(mask)}").prefixlen if isinstance(mask, str) else None
    except ValueError:
        return None


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _count(value: Value) -> int | None:
    number = _number(value)
    return number if number is not None and number >= 0 else None
