"""ELDs that may not stay as they are: one that does not work, and models that FMCSA revoked.

Pure: the clock is given. Both have a day by which it has to be over; from then on a truck counts as having no ELD.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.calendars import instant
from yardlight.catalogue import Metric
from yardlight.collection import Families
from yardlight.feeds.memory import Seen
from yardlight.feeds.record import Record
from yardlight.inventory.models import Fleet

# 49 CFR 395.34(d)(1): within 8 days of discovery, or of the driver's word.
REPAIR_WITHIN = 8 * 86400.0
# What FMCSA gives carriers with each revocation.
_REPLACED_WITHIN = timedelta(days=60)


def since(record: Record, before: Seen | None) -> float | None:
    """Since when the ELD of a truck does not work; what is not told leaves it as it was."""
    known = before.malfunction if before is not None else None
    if record.malfunction is None:
        return known
    assert isinstance(record.time, float)
    return (known if known is not None else record.time) if record.malfunction else None


def samples(key: tuple[str, str], seen: Sequence[Seen]) -> Iterator[tuple[Metric, tuple[str, ...], float | None]]:
    """How many do not work, and since when the first one does not."""
    broken = [each.malfunction for each in seen if each.malfunction is not None]
    yield m.ELD_MALFUNCTIONS, key, len(broken)
    yield m.ELD_MALFUNCTION_SINCE, key, min(broken, default=None)


def revoked(fleet: Fleet) -> Families:
    """Of each model on the user's list how many trucks have it, and by when they may not any more."""
    if not fleet.roster.revoked_elds:
        return {}
    count = Counter(
        truck.eld_model.casefold() for truck in fleet.roster.trucks if truck.eld_model and truck.status != "retired"
    )
    trucks: dict[tuple[str, ...], float | None] = {}
    ends: dict[tuple[str, ...], float | None] = {}
    for each in fleet.roster.revoked_elds:
        trucks[each.model,] = count[each.model.casefold()]
        after = each.revoked + _REPLACED_WITHIN + timedelta(days=1)
        ends[each.model,] = instant(datetime.combine(after, time.min), ZoneInfo(fleet.timezone))
    return {m.ELD_REVOKED: trucks, m.ELD_REPLACE_BY: ends}
