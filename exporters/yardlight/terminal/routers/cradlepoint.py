"""Cradlepoint and Ericsson Enterprise routers (WIPIPE-MIB). Which WAN is in use is told by trap only."""

from yardlight.terminal.routers.tables import Profile, Table, flag, number, said, text

_STATUS = {
    1: "established", 2: "establishing", 3: "ready", 4: "error", 5: "disconnected", 6: "disconnecting",
    7: "suspended", 8: "empty", 9: "notconfigured", 10: "userstopped",
}  # fmt: skip

PROFILE = Profile(
    "cradlepoint",
    "Cradlepoint / Ericsson",
    says="route",
    evidence="own fake; recorded: CBA850 (system group), a synthetic modem table",
    trees=("1.3.6.1.4.1.20992.1.2",),
    objects=("1.3.6.1.4.1.20992",),
    describes=r"(?i)^cradlepoint (?P<model>\S+),.*\bversion (?P<firmware>\S+)",
    tables=(
        Table(
            "modem",
            ("1.3.6.1.4.1.20992.1.2.2.1",),
            (
                number("rssi", "4", 1, 0),
                said("status", "5", _STATUS),
                # Ready is a modem that waits as the standby: neither connected nor known to be registered.
                flag("connected", "5", yes=(1,), no=(2, 3, 4, 5, 6, 7, 8, 9, 10)),
                number("ec_io", "6", zero_needs="rssi"),
                text("technology", "10"),
                number("snr", "12", zero_needs="rssi"),
                number("sinr", "13", zero_needs="rsrp"),
                number("rsrp", "14", 1, 0),
                number("rsrq", "15", zero_needs="rsrp"),
                said("roam", "16"),
                text("band", "17"),
                text("operator", "18"),
                text("apn", "21", fixed=True),
                text("channel", "22"),
            ),
        ),
    ),
)
