"""What the inventory says of webhooks: names, thresholds, and since when calls are expected."""

from __future__ import annotations

from collections import defaultdict
from zoneinfo import ZoneInfo

from yardlight import catalogue as m
from yardlight.calendars import opened
from yardlight.catalogue import Metric
from yardlight.collection import Families
from yardlight.inventory.models import Fleet
from yardlight.inventory.webhooks import ALWAYS


def said(fleet: Fleet, now: float) -> Families:
    """Of every webhook, at `now` (unix seconds)."""
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    zone = ZoneInfo(fleet.timezone)
    for name, webhook in fleet.webhooks.items():
        key = (webhook.account, name)
        about = (webhook.feed or "", webhook.expected, webhook.shows or name)
        families[m.WEBHOOK_INFO][*key, *about] = 1
        families[m.WEBHOOK_SILENT_AFTER][key] = webhook.silent_after
        always = webhook.expected == ALWAYS
        since = 0.0 if always else opened(fleet.calendars[webhook.expected], now, zone)
        families[m.WEBHOOK_EXPECTED_SINCE][key] = since
    return families
