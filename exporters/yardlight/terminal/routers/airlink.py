"""Sierra Wireless AirLink (ALEOS): scalars of one modem. Where RSRP and its like stand could not be verified."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, said, text

PROFILE = Profile(
    "airlink",
    "Sierra Wireless AirLink",
    says="route",
    evidence="own fake, after public sources",
    trees=("1.3.6.1.4.1.20542.9",),
    objects=("1.3.6.1.4.1.20542",),
    tables=(
        Table("device", ("1.3.6.1.4.1.20542.9.1.1.1",), (number("temperature", "267"),), scalars=True),
        Table(
            "modem",
            ("1.3.6.1.4.1.20542.9.1.1",),
            (
                said("status", "1.259"),
                flag("connected", "1.259", yes=("network ready",), no=("network link down", "not connected",
                     "connecting to network", "authenticating", "no service", "no signal")),
                text("channel", "1.260"),
                number("rssi", "1.261", 1, 0),
                text("technology", "1.264"),
                Column("transmitted", "1.283", "bytes"),
                Column("received", "1.284", "bytes"),
                text("address", "1.301"),
                text("operator", "1.770"),
                Column("iccid", "2.771", "secret", fixed=True),
                text("cell", "2.773"),
                text("band", "2.2056"),
                text("apn", "2.11202", fixed=True),
            ),
            scalars=True,
            label="modem",
        ),
    ),
)  # fmt: skip
