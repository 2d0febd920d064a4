"""Which uplink of the terminal a router means: by name, by next hop, by address. What is not certain stays unknown."""

from __future__ import annotations

from dataclasses import dataclass

from yardlight.inventory.addresses import is_address
from yardlight.inventory.models import CELLULAR, Terminal
from yardlight.terminal.routers.reading import Interface, Modem, RouterReading, Wan


@dataclass(frozen=True, slots=True)
class Claim:
    """The uplink that the router says it uses, or None and why not."""

    uplink: str | None
    why: str


def claim(reading: RouterReading, terminal: Terminal) -> Claim:
    """By the router's own statement where it makes a clear one, otherwise by its default route."""
    if terminal.router is not None and terminal.router.only is not None:
        return Claim(None, f"it is the modem of {terminal.router.only}, not the router")
    if (stated := _stated(reading, terminal)) is not None:
        return stated
    route = reading.default
    if route is None:
        return Claim(None, "it names no single WAN and no single default route")
    uplink = _of_next_hop(route.next_hop, terminal)
    interface = reading.interface(route.interface)
    by_interface = of_interface(interface, reading, terminal) if interface else None
    if uplink and by_interface and uplink != by_interface:
        return Claim(
            None, f"its default route by {route.next_hop} and its interface {interface and interface.names} differ"
        )
    name = interface.names[0] if interface and interface.names else f"interface {route.interface}"
    way = f"its default route goes to {route.next_hop or 'nobody'} by {name}"
    found = uplink or by_interface
    return Claim(found, way + _unmapped(found))


def _stated(reading: RouterReading, terminal: Terminal) -> Claim | None:
    """What its WANs say: one uplink in use and another that is not. Several checks may watch one uplink."""
    carrying = [wan for wan in reading.wans if wan.carrying]
    if not carrying or not any(wan.carrying is False for wan in reading.wans):
        return None
    names = " and ".join(repr(wan.name) for wan in carrying)
    uplinks = {of_wan(wan, reading, terminal) for wan in carrying}
    if len(uplinks) == 1 and (uplink := uplinks.pop()):
        return Claim(uplink, f"of its WANs {names} is in use")
    return Claim(None, f"of its WANs {names} is in use" + _unmapped(None)) if len(carrying) == 1 else None


def of_interface(interface: Interface, reading: RouterReading, terminal: Terminal) -> str | None:
    """The uplink of an interface: the one that `interfaces` names, or whose public address the interface has."""
    addresses = reading.addresses_of(interface.index)
    if named := _named({*interface.names, *addresses}, terminal):
        return named
    owners = {name for name, uplink in terminal.uplinks.items() if uplink.circuit.outside in addresses}
    return owners.pop() if len(owners) == 1 else None


def of_name(name: str, reading: RouterReading, terminal: Terminal) -> str | None:
    """The uplink of what a trap calls an interface."""
    interface = next((each for each in reading.interfaces if name in each.names), None)
    return _named({name}, terminal) or (of_interface(interface, reading, terminal) if interface else None)


def of_wan(wan: Wan, reading: RouterReading, terminal: Terminal) -> str | None:
    """The uplink of a WAN: by its own name, or by that of its interface."""
    if named := _named({wan.name, wan.interface or wan.name}, terminal):
        return named
    interfaces = [each for each in reading.interfaces if {wan.name, wan.interface} & set(each.names)]
    found = {of_interface(each, reading, terminal) for each in interfaces}
    return found.pop() if len(found) == 1 else None


def of_modem(modem: Modem, reading: RouterReading, terminal: Terminal) -> str | None:
    """The uplink of a modem: by its name, WAN or interface; or it is the only one, and so is the cellular uplink."""
    interface = reading.interface(modem.interface)
    names = {modem.name, *([modem.wan] if modem.wan else []), *(interface.names if interface else ())}
    if named := _named(names, terminal):
        return named
    if modem.address and (named := _named({modem.address}, terminal)):
        return named
    cellular = [name for name, uplink in terminal.uplinks.items() if uplink.medium in CELLULAR]
    heard = [each for each in reading.modems if (each.rsrp, each.rssi) != (None, None)]
    return cellular[0] if heard == [modem] and len(cellular) == 1 else None


def _named(names: set[str], terminal: Terminal) -> str | None:
    """The one uplink whose `interfaces` hold any of these names or addresses."""
    mapped = terminal.router.interfaces if terminal.router else {}
    found = {uplink for uplink, spelled in mapped.items() if names & set(spelled)}
    return found.pop() if len(found) == 1 else None


def _of_next_hop(hop: str | None, terminal: Terminal) -> str | None:
    if hop is None or not is_address(hop):
        return None
    found = [name for name, uplink in terminal.uplinks.items() if uplink.next_hop == hop]
    return found[0] if len(found) == 1 else None


def _unmapped(uplink: str | None) -> str:
    return "" if uplink else ", which the inventory maps to no uplink"
