"""Of whom and of which days there has to be a record, by the roster alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.records.world import days
from yardlight.inventory.archives import Archive
from yardlight.inventory.roster import Status, Truck
from yardlight.records.coverage import Expected, Ground, expected

FIRST, LAST = date(2028, 2, 1), date(2028, 2, 29)
LEFT = date(2028, 2, 10)


def wanted(*trucks: Truck, **options: object) -> Expected:
    archive = Archive.model_validate(
        {"path": "x", "pattern": "{vehicle}/{date:%Y-%m-%d}.pdf", "rule": "dvir", **options}
    )
    return expected(archive, Ground(trucks=trucks), FIRST, LAST)


@pytest.mark.parametrize(
    ("status", "until", "last"),
    [
        ("active", None, LAST),
        ("active", LEFT, LEFT),
        ("repair", LEFT, LAST),
        ("retired", LEFT, LEFT),
        # It is gone, and nobody knows since when: no day can be asked of it.
        ("retired", None, None),
    ],
)
def test_a_vehicle_has_records_until_its_last_day(status: Status, until: date | None, last: date | None) -> None:
    truck = Truck("112", status=status, until=until)
    asked = [date.fromordinal(each) for each in sorted(wanted(truck).days.get("112", ()))]
    assert asked == ([] if last is None else days(FIRST, last))
    if status == "retired":
        assert not truck.works(LEFT + timedelta(days=1))
        assert Ground(trucks=(truck,)).gone("112") == until
