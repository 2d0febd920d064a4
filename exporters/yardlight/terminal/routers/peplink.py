"""Peplink and Pepwave. The same tree answers below two roots; each WAN and each modem is counted once."""

from yardlight.terminal.routers.tables import Profile, Table, flag, number, said, text

_ROOTS = ("1.3.6.1.4.1.23695", "1.3.6.1.4.1.27662")
_STATE = {
    1: "disabled", 2: "disconnected", 3: "connected", 4: "connecting", 5: "activating", 6: "health-check-fail",
    7: "disconnected-manually", 8: "standby",
}  # fmt: skip
_NONE = -9999

PROFILE = Profile(
    "peplink",
    "Peplink / Pepwave",
    says="says",
    evidence="own fake; recorded: MAX HD4",
    trees=_ROOTS,
    objects=_ROOTS,
    describes=r"(?i)^(?:pepwave|peplink) (?P<model>.+)",
    tables=(
        Table(
            "device",
            _ROOTS,
            (text("model", "200.1.1.1.1.1", fixed=True), text("firmware", "200.1.1.1.1.3", fixed=True)),
            scalars=True,
        ),
        Table(
            "wan",
            _ROOTS,
            (
                text("name", "2.1.2.1.2", fixed=True),
                said("state", "2.1.2.1.3", _STATE),
                flag("up", "2.1.2.1.3", yes=(3, 8), no=(1, 2, 6, 7)),
                flag("carrying", "2.1.2.1.3", yes=(3,), no=(1, 2, 4, 5, 6, 7, 8)),
                number("rssi", "2.1.2.1.5", 1, _NONE, 0),
            ),
            label="wan {key}",
        ),
        Table(
            "modem",
            _ROOTS,
            (
                number("rssi", "200.1.12.1.1.1.3", 1, _NONE, 0),
                number("snr", "200.1.12.1.1.1.4", 1, _NONE, zero_needs="rssi"),
                number("sinr", "200.1.12.1.1.1.5", 1, _NONE, zero_needs="rsrp"),
                number("ec_io", "200.1.12.1.1.1.6", 1, _NONE, zero_needs="rssi"),
                number("rsrp", "200.1.12.1.1.1.7", 1, _NONE, 0),
                number("rsrq", "200.1.12.1.1.1.8", 1, _NONE, zero_needs="rsrp"),
                text("technology", "200.1.12.1.1.1.9"),
                text("band", "200.1.12.1.1.1.10"),
            ),
            wan="200.1.12.1.1.1.2",
            named="Cellular {}",
            label="cellular {key}",
        ),
    ),
)
