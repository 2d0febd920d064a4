"""What the kernel asks of this domain: its platforms, what is to be collected, what the inventory says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from importlib import import_module
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from yardlight.calendars import instant, opened
from yardlight.catalogue import (
    CREDENTIALS_END,
    ELD_REPAIR_WITHIN,
    FEED_API_ENDING_WARNING,
    FEED_EXPECTED_SINCE,
    FEED_FROZEN_AFTER,
    FEED_INFO,
    FEED_LIMIT_LEAST,
    FEED_MAX_AGE,
    FEED_MOVING_WITHIN,
    FEED_TLS_WARNING,
    Metric,
)
from yardlight.collection import Collection, Families, Source
from yardlight.domains import Planned, PlannedJoin
from yardlight.feeds import contracts, elds, flows, hours
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.plan import resolved
from yardlight.feeds.platforms import PLATFORMS as PLATFORMS
from yardlight.feeds.show import show
from yardlight.inventory.feeds import ON_CHANGE, FeedSource, Stream
from yardlight.inventory.models import Account, Fleet


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    """One collection for each feed."""
    for name, feed in fleet.feeds.items():
        account = fleet.accounts[feed.account or name]
        stream = described(account, feed)
        files = contracts.files_of(base, name, feed.contract, account.platform, stream.stream)
        plan = resolved(fleet, name, feed, stream, files)
        where = Source(fleet.fleet, account.name, f"feeds/{name}", plan, Path(account.folder))
        options = {**account.options, "feed": stream}
        if feed.url is not None:
            parts = urlsplit(feed.url)
            options["url"] = f"{parts.scheme}://{parts.netloc}"
        yield Planned(Collection(where, account.module, options, show), feed.poll, feed.deadline)


def joined(fleet: Fleet, base: Path) -> Iterator[PlannedJoin]:
    """What is made of several feeds: their flows, and where trucks were beside what drivers' logs say."""
    streams = _streams(fleet)
    yield from flows.planned(fleet, base, {name: stream.adds_up for name, stream in streams.items()})
    yield from hours.planned(fleet, base, streams)


def _streams(fleet: Fleet) -> dict[str, Stream]:
    return {name: described(fleet.accounts[feed.account or name], feed) for name, feed in fleet.feeds.items()}


def described(account: Account, feed: FeedSource) -> Stream:
    """How records are asked for: as the feed says, where it does not its account, and then its platform."""
    module = import_module(account.module)
    config = cast(FeedAccount, module.Config.model_validate(account.options))
    own = {name: getattr(feed, name) for name in feed.model_fields_set & Stream.model_fields.keys()}
    if feed.url is not None:
        own["path"] = feed.url.removeprefix("{0.scheme}://{0.netloc}".format(urlsplit(feed.url)))
    said = Stream.model_construct(_fields_set=set(own), **own).over(config.feed)
    # What a platform's module knows of the stream.
    known: Mapping[str, Stream] = getattr(module, "STREAMS", {})
    return said.over(known[said.stream]) if said.stream is not None and said.stream in known else said


def said(fleet: Fleet, now: float) -> Families:
    """What is expected of each feed, and since when."""
    kept, known = _said.get(fleet.fleet, (None, None))
    if kept is not fleet or known is None:
        known = _fixed(fleet)
        _said[fleet.fleet] = fleet, known
    zone = ZoneInfo(fleet.timezone)
    since = {name: opened(fleet.calendars[name], now, zone) for name in set(known.calendars.values())}
    expected = {key: since[name] for key, name in known.calendars.items()}
    return {**known.families, FEED_EXPECTED_SINCE: {**known.families[FEED_EXPECTED_SINCE], **expected}}


@dataclass(frozen=True)
class _Fixed:
    """What holds until the inventory changes, and by which calendar records are expected of which feed."""

    families: Families
    calendars: dict[tuple[str, ...], str]


# Of each fleet, for the inventory that was asked about last: it is asked about several times a minute.
_said: dict[str, tuple[Fleet, _Fixed]] = {}


def _fixed(fleet: Fleet) -> _Fixed:
    families: dict[Metric, dict[tuple[str, ...], float | None]] = defaultdict(dict)
    families[FEED_EXPECTED_SINCE] = {}
    calendars: dict[tuple[str, ...], str] = {}
    for name, feed in fleet.feeds.items():
        account = fleet.accounts[feed.account or name]
        key, expected = (account.name, name), expected_of(account, feed)
        if described(account, feed).malfunction is not None:
            families[ELD_REPAIR_WITHIN][key] = elds.REPAIR_WITHIN
        families[FEED_INFO][*key, account.platform, expected, feed.shows or name, feed.while_old] = 1
        families[FEED_MOVING_WITHIN][key] = feed.moving_within
        families[FEED_API_ENDING_WARNING][key] = feed.ending_warning
        families[FEED_TLS_WARNING][key] = feed.tls_warning
        families[FEED_LIMIT_LEAST][key] = feed.limit_least
        if (end := _config(account).credential_ends) is not None:
            after = datetime.combine(end, time.min) + timedelta(days=1)
            families[CREDENTIALS_END][account.name, "inventory"] = instant(after, ZoneInfo(fleet.timezone))
        if expected == ON_CHANGE:
            continue
        families[FEED_MAX_AGE][key] = feed.max_age
        families[FEED_FROZEN_AFTER][key] = feed.frozen_after
        if expected == "always":
            families[FEED_EXPECTED_SINCE][key] = 0.0
        elif expected != "when_moving":
            calendars[key] = expected
    return _Fixed(
        {**families, **flows.said(fleet), **hours.said(fleet, _streams(fleet)), **elds.revoked(fleet)}, calendars
    )


def _config(account: Account) -> FeedAccount:
    return cast(FeedAccount, import_module(account.module).Config.model_validate(account.options))


def expected_of(account: Account, feed: FeedSource) -> str:
    """When records are expected: as the feed says, and never by age where they only tell of changes."""
    return ON_CHANGE if described(account, feed).on_change else feed.expected
