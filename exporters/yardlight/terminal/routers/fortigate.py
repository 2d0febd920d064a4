"""Fortinet FortiGate: link monitors, SD-WAN health checks, and the LTE modem inside. In both checks 0 is good."""

from yardlight.terminal.routers.tables import Profile, Table, flag, number, said, text

_STATE = {0: "alive", 1: "dead"}

PROFILE = Profile(
    "fortigate",
    "Fortinet FortiGate",
    says="says",
    evidence="own fake; recorded: link monitors, SD-WAN (looks made by hand)",
    trees=("1.3.6.1.4.1.12356.101",),
    objects=("1.3.6.1.4.1.12356.101",),
    tables=(
        Table("device", ("1.3.6.1.4.1.12356.101.4.1",), (text("firmware", "1", fixed=True),), scalars=True),
        Table(
            "wan",
            ("1.3.6.1.4.1.12356.101.4.8.2.1",),
            (
                text("name", "2", fixed=True),
                said("state", "3", _STATE),
                flag("up", "3", yes=(0,), no=(1,)),
                flag("carrying", "3", yes=(0,), no=(1,)),
                number("latency", "4", zero_needs="up"),
                number("jitter", "5", zero_needs="up"),
                number("loss", "8"),
            ),
            label="link monitor {key}",
        ),
        Table(
            "wan",
            ("1.3.6.1.4.1.12356.101.4.9.2.1",),
            (
                text("name", "2", fixed=True),
                said("state", "4", _STATE),
                flag("up", "4", yes=(0,), no=(1,)),
                flag("carrying", "4", yes=(0,), no=(1,)),
                number("latency", "5", zero_needs="up"),
                number("jitter", "6", zero_needs="up"),
                number("loss", "9"),
                text("interface", "14", fixed=True),
            ),
            label="health check {key}",
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.12356.101.19",),
            (
                text("operator", "1.1.17"),
                number("rssi_3g", "3.1.9", 1, 0),
                number("rssi", "3.1.11", 1, 0),
                number("rssi", "1.1.23", 1, 0),
                number("rsrq", "3.1.12", 1, 0),
                number("rsrp", "3.1.13", 1, 0),
                # Without a unit in the MIB: 170 has been seen, so it may be tenths.
                number("snr", "3.1.14", zero_needs="rsrp"),
                flag("connected", "5.1.4", yes=(2,), no=(1, 3, 4)),
            ),
        ),
    ),
)
