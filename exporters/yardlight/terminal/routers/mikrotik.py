"""MikroTik RouterOS. The index of an LTE row is the ifIndex; the operator comes from a script of the owner only."""

from yardlight.terminal.routers.tables import Column, Profile, Scripts, Table, number, text

_ACCESS = {1: "GSM", 2: "UMTS", 7: "LTE", 11: "5G-SA", 13: "5G-NSA"}

PROFILE = Profile(
    "mikrotik",
    "MikroTik RouterOS",
    says="route",
    evidence="own fake; recorded: LtAP mini, Chateau LTE6, RB760iGS (routes)",
    trees=("1.3.6.1.4.1.14988.1",),
    objects=("1.3.6.1.4.1.14988.1",),
    describes=r"^RouterOS (?P<model>.+)",
    tables=(
        Table("device", ("1.3.6.1.4.1.14988.1.1.4",), (text("firmware", "4", fixed=True),), scalars=True),
        Table(
            "modem",
            ("1.3.6.1.4.1.14988.1.1.16.1.1",),
            (
                number("rssi", "2", 1, 0),
                number("rsrq", "3", zero_needs="rsrp"),
                number("rsrp", "4", 1, 0),
                text("cell", "5"),
                number("sinr", "7", zero_needs="rsrp"),
                Column("iccid", "13", "secret", fixed=True),
                text("technology", "14", words={"evolved 3g (lte)": "LTE"}),
                text("technology", "6", words=_ACCESS),
            ),
            row="ifindex",
            names="1.3.6.1.4.1.14988.1.1.14.1.1.2",
        ),
    ),
    scripts=Scripts(
        "1.3.6.1.4.1.14988.1.1.8.1.1.2", "1.3.6.1.4.1.14988.1.1.18.1.1.2", {"lte-current-operator": "operator"}
    ),
)
