"""Fortinet FortiExtender: a modem beside the router. Every column is text; its strength in percent is no signal."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, text

PROFILE = Profile(
    "fortiextender",
    "Fortinet FortiExtender",
    says="cannot",
    evidence="own fake, after the MIB",
    trees=("1.3.6.1.4.1.12356.121",),
    objects=("1.3.6.1.4.1.12356.121",),
    tables=(
        Table(
            "device",
            ("1.3.6.1.4.1.12356.121.21.1.1",),
            (text("firmware", "1", fixed=True), text("model", "3", fixed=True)),
            scalars=True,
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.12356.121.21.3.1.1",),
            (
                number("sim_slot", "7"),
                Column("iccid", "10", "secret", fixed=True),
                text("operator", "14"),
                text("technology", "16"),
                number("rssi", "22", 1, 0),
                text("band", "26"),
                number("sinr", "28", zero_needs="rsrp"),
                number("rsrp", "29", 1, 0),
                number("rsrq", "30", 1, 0),
                flag("connected", "32", yes=("connected", "up", "CONN_STATE_CONNECTED"),
                     no=("disconnected", "down", "CONN_STATE_DISCONNECTED")),
                number("uptime", "35"),
                number("temperature", "37"),
                flag("roaming", "39", yes=("yes", "on", "roaming", "true"), no=("no", "off", "home", "false")),
            ),
        ),
    ),
)  # fmt: skip
