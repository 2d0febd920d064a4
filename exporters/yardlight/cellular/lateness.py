"""How late a vendor's figures are: usually, and from when on that is worth a ticket."""

from __future__ import annotations

from typing import Any

from yardlight.cellular.levels import median

# Days of which the largest delay is remembered, and how many make a habit.
_DAYS, _ENOUGH = 14, 3
# Before there is a habit: the slowest platforms say two days and mean three.
_UNKNOWN = 72 * 3600.0
_TIMES, _MORE = 2.0, 12 * 3600.0

Lags = list[list[Any]]


def late_after(lags: Lags, told: float | None) -> float:
    """From which delay on figures are late: as the inventory tells, else twice the usual delay and half a day."""
    if told is not None:
        return told
    return _TIMES * median([lag for _, lag in lags]) + _MORE if len(lags) >= _ENOUGH else _UNKNOWN


def noted(lags: Lags, day: int, lag: float, limit: float) -> Lags:
    """The largest delay of each day; one that is late is no part of the habit."""
    if lag > limit or lag < 0:
        return lags
    if lags and lags[-1][0] == day:
        return [*lags[:-1], [day, max(lags[-1][1], round(lag))]]
    return [*lags, [day, round(lag)]][-_DAYS:]
