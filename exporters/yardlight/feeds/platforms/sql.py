"""A database that dispatch or accounting runs on, such as those of McLeod and TruckMate: one SELECT for each feed.

The user needs to read these tables or views and nothing else. What is asked stands in the inventory; the address with
its password, as SQLAlchemy writes it, in a file: postgresql+psycopg://reader:password@host/database .
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from zoneinfo import ZoneInfo

from yardlight.collection import Session
from yardlight.errors import UnreachableError
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, instants, told
from yardlight.feeds.record import About, Told
from yardlight.feeds.support import support

SUPPORT = support(
    "databases (SQLAlchemy)",
    streams="one SELECT each, as you write it",
    rights="to read these tables or views",
    evidence="SQLite and PostgreSQL servers of the tests; others that SQLAlchemy knows are untested",
)


class Config(FeedAccount):
    """A database; `url_file` has its address."""

    url_file: str


def fetch(config: Config, session: Session) -> Fetched:
    """The rows of a feed's query now. Raises `PollError`."""
    if find_spec("sqlalchemy") is None:
        raise UnreachableError("databases need the extra: pip install 'yardlight[sql]'")
    zone, stream, now = ZoneInfo(config.timezone), config.feed, session.clock()
    assert stream.query is not None
    at = instants(stream, session, zone)
    asked = import_module("yardlight.feeds.database").rows
    found = asked(config.url_file, stream.query, at, stream.max_rows, zone, session)
    session.memory = {"since": now}
    return Fetched([found], About(), session.clock())


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """A record for each row."""
    return told(reply, config.feed, ZoneInfo(config.timezone))
