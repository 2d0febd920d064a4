"""An archive that is kept as it should be rings nobody; the whole year is in `python -m tests.records.year`."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

from tests.records.year import simulate


def test_two_weeks_around_a_leap_day_with_hires_and_leavers_ring_nobody(tmp_path: Path) -> None:
    assert simulate(tmp_path, date(2028, 2, 21), date(2028, 3, 7), random.Random(1)) == []
