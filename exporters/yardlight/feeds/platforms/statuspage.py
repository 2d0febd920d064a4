"""Status pages by Atlassian Statuspage: what a platform says of itself. Evidence, never the judgement.

https://PAGE/api/v2/summary.json , without credentials. A group is a row of its own. When the page was last edited says
nothing about how fresh it is; a cache may serve it for an hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yardlight.client import Client
from yardlight.collection import Session
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.record import About, Component, ComponentState, Told
from yardlight.feeds.strict import read as read_json
from yardlight.feeds.support import support
from yardlight.inventory.accounts import BaseUrl
from yardlight.inventory.feeds import Stream
from yardlight.reading import flag, records, text, whole

SUPPORT = support(
    "Atlassian Statuspage",
    streams="`components`, of the platform that the feed is `about`",
    rights="none: public",
    evidence="own fake; specification composed of recordings (Prism)",
)

_SUMMARY = "/api/v2/summary.json"
_STATES: dict[str, ComponentState] = {
    "operational": "operational",
    "degraded_performance": "degraded",
    "partial_outage": "partial_outage",
    "major_outage": "major_outage",
    "under_maintenance": "maintenance",
}
# The page as a whole, where it lists no components.
_INDICATORS: dict[str, ComponentState] = {
    "none": "operational",
    "minor": "degraded",
    "major": "partial_outage",
    "critical": "major_outage",
    "maintenance": "maintenance",
}

STREAMS = {"components": Stream(path=_SUMMARY, on_change=True)}


class Config(FeedAccount):
    """The page at `url`. `components`: those of these names only; one that it does not list is unknown."""

    url: BaseUrl
    components: list[str] = []


def fetch(config: Config, session: Session) -> Any:
    """The summary. Raises `PollError`."""
    reply = Client(session, config, config.url).get(_SUMMARY)
    return {"summary": read_json(reply.body, reply.what), "tls_ends": session.tls_ends}


def parse(reply: Any, config: Config) -> Iterator[Told]:
    """The components and their states. Raises `BadReplyError`."""
    what = f"GET {_SUMMARY}"
    summary = whole(reply["summary"], what)
    yield About(tls_ends=reply["tls_ends"])
    if "components" not in summary:
        yield Component("page", _INDICATORS.get(text(summary, "status", "indicator"), "unknown"))
        return
    missing = set(config.components)
    for each in records(summary, what, "components"):
        name = text(each, "name")
        if not flag(each, "group") and (not config.components or name in config.components):
            missing.discard(name)
            yield Component(name, _STATES.get(text(each, "status"), "unknown"))
    yield from (Component(name, "unknown") for name in sorted(missing))
