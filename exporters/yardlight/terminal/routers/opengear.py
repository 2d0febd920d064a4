"""Opengear console servers: cellular modems, and interfaces that fail over and say so."""

from yardlight.terminal.routers.tables import Profile, Table, flag, number, said, text

_TECHNOLOGY = {2: "CDMA", 3: "EVDO", 4: "GSM", 5: "UMTS", 6: "LTE"}
_FAILOVER = {1: "active", 2: "failed", 3: "dormant", 4: "standby"}

PROFILE = Profile(
    "opengear",
    "Opengear",
    says="says",
    evidence="own fake; recorded: CM8116 (routes); failover from the MIB",
    trees=("1.3.6.1.4.1.25049.17",),
    objects=("1.3.6.1.4.1.25049",),
    describes=r"^Opengear[/ ](?P<model>\S+) (?P<firmware>[\d.]+)",
    tables=(
        Table(
            "wan",
            ("1.3.6.1.4.1.25049.17.12.1",),
            (
                text("name", "2", fixed=True),
                said("state", "5", _FAILOVER),
                flag("up", "4", yes=(4,), no=(2, 3, 5)),
                flag("carrying", "5", yes=(1,), no=(2, 3, 4)),
            ),
            # Every interface stands here; only those with a failover state are WANs.
            needs="state",
            label="interface {key}",
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.25049.17.17.1",),
            (
                flag("connected", "5", yes=(1,), no=(2,)),
                text("operator", "6"),
                flag("registered", "7", yes=(1,), no=(2,)),
                text("cell", "8"),
                text("technology", "9", words=_TECHNOLOGY),
                text("apn", "10", fixed=True),
                number("rssi", "12", 1, 0),
                number("rssi_3g", "11", 1, 0),
                number("uptime", "13"),
                number("sim_slot", "14"),
                number("temperature", "15", 1, 0),
            ),
        ),
    ),
)
