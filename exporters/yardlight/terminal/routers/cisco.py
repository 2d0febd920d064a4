"""Cisco IOS and IOS-XE with a cellular module (CISCO-WAN-3G-MIB, CISCO-WAN-CELL-EXT-MIB), and its IP SLA settings."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, said, text

_SIM = {
    1: "unknown", 2: "ok", 3: "notInserted", 4: "removed", 5: "initFailure", 6: "generalFailure", 7: "locked",
    8: "chv1Blocked", 9: "chv2Blocked", 10: "chv1Rejected", 11: "chv2Rejected", 12: "mepLocked", 13: "networkRejected",
}  # fmt: skip

PROFILE = Profile(
    "cisco",
    "Cisco IOS / IOS-XE",
    says="route",
    evidence="own fake; recorded: IR1101",
    trees=("1.3.6.1.4.1.9.9.661",),
    objects=("1.3.6.1.4.1.9.1",),
    describes=r"(?s)^Cisco IOS.*?\bVersion (?P<firmware>[^,\s]+)",
    tables=(
        Table(
            "modem",
            ("1.3.6.1.4.1.9.9",),
            (
                number("rssi", "661.1.3.4.1.1.1", 1, 0),
                number("rsrp", "817.1.1.1.1.1.1", 1, 0),
                number("rsrq", "817.1.1.1.1.1.2", 10, zero_needs="rsrp"),
                number("snr", "817.1.1.1.1.1.3", 10, zero_needs="rsrp"),
                number("sinr", "817.1.1.1.1.1.4", 10, zero_needs="rsrp"),
                text("band", "817.1.1.1.1.1.6"),
                number("temperature", "661.1.1.1.12"),
                flag("connected", "661.1.1.1.8", yes=(5, 8), no=(2, 3, 4, 6, 7, 9)),
                said("status", "661.1.3.1.1.6", {1: "unknown", 2: "offLine", 3: "onLine", 4: "lowPower"}),
                Column("iccid", "661.1.3.1.1.3", "secret", fixed=True),
                flag("registered", "661.1.3.2.1.2", yes=(3,), no=(2, 4)),
                flag("roaming", "661.1.3.2.1.6", yes=(2,), no=(3,)),
                said("roam", "661.1.3.2.1.6", {1: "unknown", 2: "roaming", 3: "home"}),
                text("operator", "661.1.3.2.1.9"),
                text("operator", "661.1.3.2.1.18"),
                text("cell", "661.1.3.2.1.13"),
                text("channel", "661.1.3.4.1.1.4"),
                said("sim", "661.1.3.5.1.1.2", _SIM),
                flag("sim_ready", "661.1.3.5.1.1.2", yes=(2,), no=(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)),
                Column("transmitted", "661.1.3.2.1.19", "bytes"),
                Column("received", "661.1.3.2.1.20", "bytes"),
                text("apn", "817.1.1.2.3.1.5", fixed=True),
            ),
            row="entity",
        ),
        Table(
            "setting",
            ("1.3.6.1.4.1.9.9.42.1.2.1.1",),
            (number("ip sla {key} threshold", "5"), number("ip sla {key} frequency", "6"),
             number("ip sla {key} timeout", "7"), number("ip sla {key} status", "9")),
        ),
    ),
)  # fmt: skip
