"""Advantech and Conel ICR-OS: a group of scalars per modem. Which WAN is in use is not told."""

from collections.abc import Iterator

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, text

_TECHNOLOGY = {14: "LTE", 30: "5G-NSA", 32: "5G-SA"}


def _modem(first: int) -> Iterator[Column]:
    """The scalars of one modem; those of the second are a hundred further on."""
    yield text("technology", f"{first + 1}", words=_TECHNOLOGY)
    yield text("plmn", f"{first + 2}")
    yield text("cell", f"{first + 3}")
    yield number("uptime", f"{first + 16}")
    yield number("sim_slot", f"{first + 19}")
    yield text("address", f"{first + 20}")
    yield flag("registered", f"{first + 23}", yes=(4, 5), no=(1, 2, 3))
    yield flag("roaming", f"{first + 23}", yes=(5,), no=(4,))
    yield text("operator", f"{first + 24}")
    yield text("band", f"{first + 29}")
    yield number("rssi", f"{first + 30}", 1, 0)
    yield number("rsrp", f"{first + 32}", 1, 0)
    yield number("rsrq", f"{first + 33}", 1, 0)
    yield number("sinr", f"{first + 41}", zero_needs="rsrp")


PROFILE = Profile(
    "advantech",
    "Advantech ICR",
    says="cannot",
    evidence="own fake, after the MIB",
    trees=("1.3.6.1.4.1.30140",),
    objects=("1.3.6.1.4.1.30140",),
    tables=(
        Table(
            "device",
            ("1.3.6.1.4.1.30140",),
            (
                number("temperature", "3.3"),
                text("model", "6.1", fixed=True),
                text("firmware", "6.2", fixed=True),
            ),
            scalars=True,
        ),
        Table("modem", ("1.3.6.1.4.1.30140.4",), tuple(_modem(0)), scalars=True, label="modem 1"),
        Table("modem", ("1.3.6.1.4.1.30140.4",), tuple(_modem(100)), scalars=True, label="modem 2", needs="rssi"),
    ),
)
