"""Digi TransPort (Sarian): one group of scalars. RSRP and what else LTE measures are not there."""

from yardlight.terminal.routers.tables import Column, Profile, Table, flag, number, text

_TECHNOLOGY = {2: "GPRS", 3: "EDGE", 4: "UMTS", 5: "HSDPA", 6: "HSUPA", 7: "DC-HSPA+", 8: "LTE"}

PROFILE = Profile(
    "digi",
    "Digi TransPort",
    says="route",
    evidence="own fake, after public sources",
    trees=("1.3.6.1.4.1.16378.10000.2",),
    objects=("1.3.6.1.4.1.16378",),
    tables=(
        Table(
            "modem",
            ("1.3.6.1.4.1.16378.10000.2",),
            (
                number("rssi", "1", 1, 0),
                flag("registered", "2", yes=(1, 5), no=(0, 2, 3)),
                flag("roaming", "2", yes=(5,), no=(1,)),
                flag("connected", "3", yes=(1,), no=(0,)),
                text("technology", "7", words=_TECHNOLOGY),
                Column("iccid", "20", "secret", fixed=True),
                text("operator", "22"),
                number("sim_slot", "30"),
            ),
            scalars=True,
            label="modem",
        ),
    ),
)
