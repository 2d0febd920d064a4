"""ZMTel: a handful of scalars, the signal and nothing else."""

from yardlight.terminal.routers.tables import Profile, Table, number, text

PROFILE = Profile(
    "zmtel",
    "ZMTel",
    says="cannot",
    evidence="own fake, after public sources",
    trees=("1.3.6.1.4.1.38595.10.3",),
    objects=("1.3.6.1.4.1.38595",),
    tables=(
        Table(
            "device",
            ("1.3.6.1.4.1.38595.10.1",),
            (text("model", "3", fixed=True), text("firmware", "7", fixed=True)),
            scalars=True,
        ),
        Table(
            "modem",
            ("1.3.6.1.4.1.38595.10.3",),
            (
                # Of two antennas the first.
                number("rsrp", "11", 1, 0),
                number("rsrp", "12", 1, 0),
                number("rsrq", "13", 1, 0),
                number("rssi", "14", 1, 0),
                number("sinr", "15", zero_needs="rsrp"),
            ),
            scalars=True,
            label="modem",
        ),
    ),
)
