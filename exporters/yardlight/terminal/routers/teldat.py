"""Teldat: a modem is shown once for each of its interfaces, with equal values. -113 and 0 mean that there is none."""

from yardlight.terminal.routers.tables import Column, Profile, Table, number, text

PROFILE = Profile(
    "teldat",
    "Teldat",
    says="route",
    evidence="own fake; recorded: RS123w-4G",
    trees=("1.3.6.1.4.1.2007.4.1.2.2.2.18",),
    objects=("1.3.6.1.4.1.2007",),
    describes=r"^Router model (?P<model>\S+)",
    tables=(
        Table(
            "modem",
            ("1.3.6.1.4.1.2007.4.1.2.2.2.18.3",),
            (
                Column("cell", "2.1.5", "text", none=frozenset({0})),
                number("rssi", "2.1.10", 1, -113, 0),
                number("rsrp", "2.1.22", 1, 0),
                number("rsrq", "2.1.23", zero_needs="rsrp"),
                number("sinr", "2.1.24", zero_needs="rsrp"),
                Column("lte_cell", "2.1.25", "text", none=frozenset({0})),
                text("apn", "4.1.3", fixed=True),
            ),
            row="ifindex",
        ),
    ),
)
