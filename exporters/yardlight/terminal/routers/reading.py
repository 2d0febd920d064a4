"""What a router said in one poll, whoever made it. None is "not said", never "no" and never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from yardlight.inventory.values import Secret


@dataclass(frozen=True, slots=True)
class Said:
    """A state in the router's own coding: what was on the wire, and the word for it."""

    code: int | str
    word: str

    def __str__(self) -> str:
        return self.word if self.code == self.word else f"{self.word}({self.code})"


@dataclass(frozen=True, slots=True)
class Device:
    """The box itself. Seconds, degrees Celsius."""

    model: str | None = None
    firmware: str | None = None
    uptime: float | None = None
    connection_uptime: float | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """A row of the interface tables. `wide` says that the counters have 64 bits."""

    index: int
    name: str | None = None
    descr: str | None = None
    alias: str | None = None
    kind: int | None = None
    enabled: bool | None = None
    up: bool | None = None
    received: int | None = None
    transmitted: int | None = None
    wide: bool = False

    @property
    def loops(self) -> bool:
        """True for the loopback, which leads nowhere. Some agents give it another type."""
        return self.kind == 24 or bool({"lo", "lo0"} & {self.name, self.descr})

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called, the best first."""
        return tuple(dict.fromkeys(name for name in (self.name, self.descr, self.alias) if name))


@dataclass(frozen=True, slots=True)
class Address:
    """An address of the router: on which interface and, where that is told, how long its prefix is."""

    address: str
    interface: int
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """The route to everywhere with the lowest metric.

    `if_index` is what stands in the table (0 where the router does not tell), `interface` what follows from it or
    from the next hop and the addresses; None is not known.
    """

    table: str
    next_hop: str | None
    if_index: int | None = None
    metric: int | None = None
    interface: int | None = None


@dataclass(frozen=True, slots=True)
class Modem:
    """A cellular modem. dBm and dB, degrees Celsius, bytes; the SIM's number is a secret and stays one."""

    key: str
    name: str = ""
    interface: int | None = None
    wan: str | None = None
    rssi: float | None = None
    rssi_3g: float | None = None
    rsrp: float | None = None
    rsrq: float | None = None
    sinr: float | None = None
    snr: float | None = None
    ec_io: float | None = None
    temperature: float | None = None
    status: Said | None = None
    sim: Said | None = None
    sim_ready: bool | None = None
    registered: bool | None = None
    roaming: bool | None = None
    roam: Said | None = None
    connected: bool | None = None
    operator: str | None = None
    plmn: str | None = None
    technology: str | None = None
    band: str | None = None
    channel: str | None = None
    cell: str | None = None
    lte_cell: str | None = None
    apn: str | None = None
    address: str | None = None
    sim_slot: int | None = None
    received: int | None = None
    transmitted: int | None = None
    received_today: int | None = None
    transmitted_today: int | None = None
    uptime: float | None = None
    iccid: Secret | None = None


@dataclass(frozen=True, slots=True)
class Wan:
    """What a router says about a WAN of its own: a port, a link monitor, a failover group. Milliseconds, percent."""

    key: str
    name: str = ""
    state: Said | None = None
    up: bool | None = None
    carrying: bool | None = None
    interface: str | None = None
    rssi: float | None = None
    latency: float | None = None
    jitter: float | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class RouterReading:
    """All of it. `settings` are what somebody configured, by a name that stays."""

    profile: str
    device: Device = Device()
    interfaces: tuple[Interface, ...] = ()
    addresses: tuple[Address, ...] = ()
    default: DefaultRoute | None = None
    modems: tuple[Modem, ...] = ()
    wans: tuple[Wan, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    def interface(self, index: int | None) -> Interface | None:
        """The interface with this ifIndex."""
        return next((each for each in self.interfaces if each.index == index), None)

    def addresses_of(self, index: int) -> tuple[str, ...]:
        """The addresses of an interface."""
        return tuple(each.address for each in self.addresses if each.interface == index)
