"""Carriers against their own habit: how many SIMs of a home are in session now, and how many at this hour usually.

SIMs are grouped by carrier and home terminal. A habit is the share of a group that was in session, by hour of the day
on weekdays and at weekends; it is learned while it is kept, so that an outage does not become one. A group that is far
below it is the carrier's doing if others there are not: that is for the rule to say. Where a platform does not tell
who is in session there is no group, and no all-clear either.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

# A habit of an hour is known after so many looks at it, and then moves by this much with each.
_LOOKS, _MOVES = 8, 0.05
# A group that is smaller says nothing.
LEAST_SIMS = 3
_DEVIATIONS = 3.0


@dataclass(frozen=True, slots=True)
class Group:
    """SIMs of one carrier and one home; `least` is the fewest in session that its habit explains, None if not known."""

    sims: int
    in_session: int
    expected: float | None
    least: float | None


Key = tuple[str, str]
Habits = dict[str, list[Any]]


def groups(
    sims: Iterable[tuple[str, str, bool]], habits: Habits, now: float, zone: ZoneInfo
) -> tuple[Mapping[Key, Group], Habits]:
    """Groups by (carrier, home) of SIMs (carrier, home, whether in session), and the habits as they are now."""
    found: dict[Key, list[bool]] = defaultdict(list)
    for carrier, home, in_session in sims:
        found[carrier, home].append(in_session)
    hour = _hour(now, zone)
    learned, made = dict(habits), {}
    for (carrier, home), each in found.items():
        name = f"{carrier}|{home}|{hour}"
        share, looks = learned.get(name, (0.0, 0))
        group = _group(each, share if looks >= _LOOKS else None)
        made[carrier, home] = group
        if group.least is None or group.in_session >= group.least:
            weight = max(1.0 / (looks + 1), _MOVES)
            learned[name] = [round(share + weight * (sum(each) / len(each) - share), 4), min(looks + 1, _LOOKS)]
    return made, learned


def _group(in_session: list[bool], share: float | None) -> Group:
    count, up = len(in_session), sum(in_session)
    if share is None or count < LEAST_SIMS:
        return Group(count, up, None, None)
    spread = math.sqrt(count * share * (1 - share))
    return Group(count, up, count * share, max(0.0, min(count * share / 2, count * share - _DEVIATIONS * spread - 1)))


def _hour(now: float, zone: ZoneInfo) -> int:
    local = datetime.fromtimestamp(now, zone)
    return local.hour + 24 * (local.weekday() > 4)
