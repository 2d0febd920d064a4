"""OneAccess routers (ONEACCESS-CELLULAR-MIB): a row for each modem. Of routes they tell the number only."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, said, text

_HOME = ("registered", "home", "registered home", "registered-home", "registered, home")
_ROAMING = ("roaming", "registered roaming", "registered-roaming", "registered, roaming")
_NOT = ("not registered", "not-registered", "searching", "denied", "registration denied")

PROFILE = Profile(
    "oneaccess",
    "OneAccess",
    says="route",
    evidence="own fake, after the MIB",
    trees=("1.3.6.1.4.1.13191.10.3.9",),
    objects=("1.3.6.1.4.1.13191",),
    tables=(
        Table(
            "modem",
            ("1.3.6.1.4.1.13191.10.3.9.2.1",),
            (
                said("sim", "20"),
                Column("iccid", "22", "secret", fixed=True),
                text("operator", "40"),
                number("rssi", "41", 1, 0),
                number("rsrq", "43", 1, 0),
                number("rsrp", "44", 1, 0),
                number("snr", "45", zero_needs="rsrp"),
                text("technology", "46"),
                flag("registered", "48", _HOME + _ROAMING, _NOT),
                flag("roaming", "48", _ROAMING, _HOME),
                text("cell", "71"),
                text("plmn", "73"),
            ),
        ),
    ),
)
