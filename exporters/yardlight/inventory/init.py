"""`yardlight init`: find this machine's ways out and write the smallest inventory that measures them."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from yardlight.errors import StartError
from yardlight.inventory.machine import Gateway, Machine, snapshot
from yardlight.inventory.model import Name

# Modem interfaces by the kernel's and ModemManager's names.
_MODEM = re.compile(r"(wwan|wwp|ppp|rmnet|cdc-wdm)")
_HEAD = """\
# The smallest inventory: check every line, then run `yardlight check` and `yardlight serve`.
fleet: {fleet}
terminals:
  {terminal}:
    # Three addresses on the internet that answer pings, best of different owners.
    targets: [1.1.1.1, 8.8.8.8, 9.9.9.9]
    uplinks:
"""


def init(path: Path, fleet: str, terminal: str | None) -> int:
    """Write an inventory for this machine; say what was found. Raises `StartError` rather than overwrite."""
    machine = snapshot()
    ways = _ways(machine)
    text = inventory_text(machine, _checked(fleet), _checked(terminal or _name(socket.gethostname())))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StartError(f"{path} exists already and is left as it is") from None
    except OSError as error:
        raise StartError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}") from None
    found = ", ".join(f"{each.interface} by {each.address}" if each.address else each.interface for each in ways)
    print(f"found {found}" if found else "found no way out of this machine; one uplink is written all the same")
    print(f"wrote {path}; next: yardlight check {path}")
    return 0


def inventory_text(machine: Machine, fleet: str, terminal: str) -> str:
    """The inventory: an uplink per interface with a default route, the preferred route first and primary."""
    ways = _ways(machine)
    by_interface = {gateway.interface: gateway for gateway in reversed(ways)}
    gateways = [gateway for gateway in ways if by_interface[gateway.interface] is gateway]
    return _HEAD.format(fleet=fleet, terminal=terminal) + "".join(_uplinks(gateways))


def _ways(machine: Machine) -> list[Gateway]:
    """Default routes out of this machine; one without a gateway is a modem's own line, or else a tunnel."""
    return [each for each in machine.gateways if each.address or _MODEM.match(each.interface)]


def _uplinks(gateways: Sequence[Gateway]) -> list[str]:
    if not gateways:
        return ["      fiber: {}\n"]
    names: list[str] = []
    lines = []
    for gateway in gateways:
        medium = "lte" if _MODEM.match(gateway.interface) else "fiber"
        name = medium if medium not in names else f"{medium}{len(names) + 1}"
        names.append(name)
        fields = [] if name == medium else [f"medium: {medium}"]
        # With one way out there is nothing to tell apart, and no bind that could go stale.
        fields += [f"bind: {gateway.interface}"] if len(gateways) > 1 else []
        way = f"by {gateway.interface} to {gateway.address}" if gateway.address else f"by {gateway.interface}"
        note = f"{way}; fiber, lte, 5g, cable or satellite?"
        lines.append(f"      {name}: {{{', '.join(fields)}}}  # {note}\n")
    return lines


def _checked(name: str) -> str:
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise StartError(str(error.errors()[0]["ctx"]["error"])) from None


def _name(host: str) -> str:
    """The first part of the host's name, as the inventory accepts names."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", host.partition(".")[0]).strip("-_") or "yard"
