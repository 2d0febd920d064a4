"""The part `hours_of_service:` of the inventory: by how much drivers' logs may differ from where the trucks were."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from yardlight.inventory.model import Model
from yardlight.inventory.values import Duration

_LONGEST = 14 * 86400.0


def _settles(seconds: float) -> float:
    if seconds > _LONGEST:
        raise ValueError(
            f"{seconds / 86400:g}d is longer than 14d; a driver has 13 days to hand in a log (49 CFR 395.8(a)(2)(ii))"
        )
    return seconds


class HoursOfService(Model):
    """How logs are held against GPS, where feeds tell both.

    A movement is judged once it is `settle` ago: logs come late, and drivers may correct them. Clocks may differ by
    `tolerance`, and what sums up to less than `least` in a driver's day, or a little more where a truck's positions lie
    far apart, is no case. So many driver-days that do not match may be open, `mismatches_allowed`, and a truck may move
    for `unassigned` in seven days with nobody logged in, before compliance is told.
    """

    settle: Annotated[Duration, AfterValidator(_settles)] = 48 * 3600.0
    tolerance: Duration = 300.0
    least: Duration = 600.0
    mismatches_allowed: Annotated[int, Field(ge=0)] = 0
    unassigned: Duration = 2 * 3600.0
