"""Any API that answers with JSON or CSV, and any folder that such files are laid into, described in the inventory."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from yardlight.client import Client
from yardlight.collection import Session
from yardlight.feeds.account import GenericAccount as Config
from yardlight.feeds.credentials import authorization
from yardlight.feeds.reader import Fetched, read, read_folder, told
from yardlight.feeds.record import Told
from yardlight.feeds.support import support

SUPPORT = support(
    "any API that answers with JSON or CSV, any folder of such files",
    streams="as you describe them",
    rights="to read",
    evidence="own fakes",
)


def fetch(config: Config, session: Session) -> Fetched:
    stream = config.feed.model_copy(update={"headers": {**config.headers, **config.feed.headers}})
    if stream.folder is not None:
        return read_folder(stream, session)
    client = Client(session, config, "", authorization(config, session))
    return read(stream, client, session, ZoneInfo(config.timezone))


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    return told(reply, config.feed, ZoneInfo(config.timezone))
