"""Teltonika RutOS: the table of modems of newer firmware, and the scalars of the older. No word about WANs."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, said, text

_HOME = ("registered (home)", "registered, home")
_ROAMING = ("registered (roaming)", "registered, roaming")
_NOT = (
    "not registered", "not registered, searching", "not registered (searching)", "searching", "denied",
    "registration denied", "unregistered", "registered, emergency services only",
)  # fmt: skip
_CONNECTED, _DISCONNECTED = ("connected",), ("disconnected", "connecting")
_READY, _ABSENT = ("ok", "ready"), ("not inserted", "sim not inserted")
_NOT_READY = (
    *_ABSENT, "not ready", "sim failure", "pin", "puk", "sim pin", "sim puk", "pin required", "puk required",
    "required pin", "required puk",
    *(f"required network {subset}personalization {word}password"
      for subset in ("", "subset ") for word in ("", "unlocking ")),
)  # fmt: skip

PROFILE = Profile(
    "teltonika",
    "Teltonika RutOS",
    says="route",
    evidence="own fake; recorded: RUT950, RUTX11, TRB500 (5G), RUT240 (older firmware)",
    trees=("1.3.6.1.4.1.48690",),
    objects=("1.3.6.1.4.1.48690",),
    tables=(
        Table(
            "device",
            ("1.3.6.1.4.1.48690",),
            (
                text("model", "1.3", fixed=True),
                text("model", "1.7", fixed=True),
                text("model", "1.8", fixed=True),
                text("firmware", "1.6", fixed=True),
                text("firmware", "2.14", fixed=True),
                number("connection_uptime", "2.3"),
            ),
            scalars=True,
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.48690.2.2.1",),
            (
                said("sim", "9"),
                flag("sim_ready", "10", _READY, _NOT_READY),
                flag("sim_ready", "9", (), _ABSENT),
                flag("registered", "11", _HOME + _ROAMING, _NOT),
                flag("roaming", "11", _ROAMING, _HOME),
                number("rssi", "12", 1, 0),
                text("operator", "13"),
                text("plmn", "14"),
                flag("connected", "15", _CONNECTED, _DISCONNECTED),
                text("technology", "16"),
                number("temperature", "17", 10, 0),
                text("cell", "18"),
                number("sinr", "19", zero_needs="rsrp"),
                number("rsrp", "20", 1, 0),
                number("rsrq", "21", 1, 0),
                # Signed 32 bits before 7.10: what wrapped below zero is not known.
                Column("transmitted", "22", "bytes"),
                Column("received", "23", "bytes"),
                text("address", "24"),
                Column("transmitted_today", "25", "bytes"),
                Column("received_today", "26", "bytes"),
                Column("iccid", "27", "secret", fixed=True),
            ),
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.48690.2",),
            (
                said("sim", "1"),
                flag("sim_ready", "2", _READY, _NOT_READY),
                flag("sim_ready", "1", (), _ABSENT),
                flag("registered", "3", _HOME + _ROAMING, _NOT),
                flag("roaming", "3", _ROAMING, _HOME),
                number("rssi", "4", 1, 0),
                text("operator", "5"),
                flag("connected", "7", _CONNECTED, _DISCONNECTED),
                text("technology", "8"),
                number("temperature", "9", 10, 0),
                number("uptime", "17"),
                number("sinr", "22", zero_needs="rsrp"),
                number("rsrp", "23", 1, 0),
                number("rsrq", "24", 1, 0),
            ),
            scalars=True,
            instead=True,
            label="modem",
        ),
    ),
)
