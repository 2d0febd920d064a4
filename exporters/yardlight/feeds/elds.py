"""ELDs that may not stay as they are: one that does not work, and models that FMCSA revoked.

Pure: the clock is given. Both have a day by which it has to be over; from then on a truck counts as having no ELD.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.calendars import instant
from yardlight.catalogue import Metric
from yardlight.collection import Families
from yardlight.feeds.memory import Broken
from yardlight.feeds.record import Record
from yardlight.inventory.models import Fleet

# 49 CFR 395.34(d)(1): within 8 days of discovery, or of the driver's word.
REPAIR_WITHIN = 8 * 86400.0
# What FMCSA gives carriers with each revocation.
_REPLACED_WITHIN = timedelta(days=60)


# What does not work is forgotten when nobody told of it for so long; what works again, when no vendor tells it again.
_FORGOTTEN_AFTER, _CLEARED_FORGOTTEN_AFTER = 60 * 86400.0, 14 * 86400.0


def note(record: Record, there: Broken) -> None:
    """Put down what a record says of an ELD. Without a word on what it is, that it works is so of everything."""
    if record.malfunction is None or not isinstance(record.time, float):
        return
    for kind in (record.malfunction_kind,) if record.malfunction or record.malfunction_kind else (*there, ""):
        told, since = there.get(kind, (record.time, None))
        # A record of before that comes late says nothing of now.
        if record.time >= told:
            there[kind] = record.time, None if not record.malfunction else record.time if since is None else since


def since(there: Broken) -> float | None:
    """Since when an ELD does not work; None for one that does."""
    return min((since for _, since in there.values() if since is not None), default=None)


def kept(elds: Mapping[str, Broken], now: float) -> dict[str, Broken]:
    """Without what nobody tells of any more; an ELD that does not work is silent, too."""
    young = {
        truck: {
            kind: (told, since)
            for kind, (told, since) in there.items()
            if now - told < (_CLEARED_FORGOTTEN_AFTER if since is None else _FORGOTTEN_AFTER)
        }
        for truck, there in elds.items()
    }
    return {truck: there for truck, there in young.items() if there}


def samples(key: tuple[str, str], elds: Iterable[Broken]) -> Iterator[tuple[Metric, tuple[str, ...], float | None]]:
    """How many do not work, and since when the first one does not."""
    broken = [begun for each in elds if (begun := since(each)) is not None]
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
