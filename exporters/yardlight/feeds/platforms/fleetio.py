"""Fleetio: meter readings, vehicles and issues of maintenance, with an API key and the account's token.

https://developer.fleetio.com . The version is always sent: without it, an account's age decides how pages and fields
are called. From 2024 on pages follow cursors, before they were counted. Everything here changes when people do
something, so nothing is judged by its age.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from yardlight.client import Client, Headers
from yardlight.collection import Session
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, read, told
from yardlight.feeds.record import Record, Told
from yardlight.feeds.support import support
from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Paging, Stream
from yardlight.inventory.values import Secret
from yardlight.reading import flag

SUPPORT = support(
    "Fleetio",
    streams="changes only: `meters`, `vehicles`, `issues`",
    rights="API key of a user who may read vehicles, meter entries and issues; the account token",
    evidence="own fake of recorded vehicles and of both paging styles; no official specification is public",
)

_URL = "https://secure.fleetio.com"
_PER_PAGE = 100
# The version with cursors and `records`.
_CURSORS = date(2024, 1, 1)
_COUNTED = Paging(page="page", size=_PER_PAGE)


def _stream(path: str, time: str, **more: str | dict[str, str]) -> Stream:
    return Stream.model_validate(
        {
            "path": path,
            "params": {"per_page": _PER_PAGE},
            "records": "records",
            "id": "id",
            "time": time,
            "paging": Paging(cursor="next_cursor", param="start_cursor"),
            "on_change": True,
            **more,
        }
    )


STREAMS = {
    "meters": _stream("/api/v1/meter_entries", "updated_at", truck="vehicle_name", values={"meter": "value"}),
    "vehicles": _stream("/api/v1/vehicles", "updated_at", truck="name", values={"meter": "primary_meter_value"}),
    "issues": _stream("/api/v2/issues", "updated_at"),
}


class Config(FeedAccount):
    """An API key and the account's token; `api_version` is a version of the API by its date."""

    key_file: str
    account_token_file: str
    api_version: date = _CURSORS
    # The documents' example allows 20 requests a minute.
    rate: Rate = 20 / 60


def fetch(config: Config, session: Session) -> Fetched:
    """All pages of a stream. Raises `PollError`."""
    key = Secret(f"Token {session.secret(config.key_file).reveal()}")
    auth = Headers({"Authorization": key, "Account-Token": session.secret(config.account_token_file)})
    fleetio = Client(session, config, _URL, auth)
    stream = _as_of(config)
    headers = {"X-Api-Version": config.api_version.isoformat(), **stream.headers}
    return read(stream.model_copy(update={"headers": headers}), fleetio, session, ZoneInfo(config.timezone))


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """The records of a stream, without those that Fleetio makes up for trial accounts."""
    for each in told(reply, _as_of(config), ZoneInfo(config.timezone)):
        if not (isinstance(each, Record) and flag(each.raw, "is_sample")):
            yield each


def _as_of(config: Config) -> Stream:
    """The stream in the pages of the version that is asked for."""
    if config.api_version >= _CURSORS:
        return config.feed
    return config.feed.model_copy(update={"records": (), "paging": _COUNTED})
