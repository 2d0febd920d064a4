"""What must hold of the part `feeds:`: accounts and calendars that exist, and an address to read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from yardlight.errors import ContractError, Problem
from yardlight.inventory import words
from yardlight.inventory.feeds import EXPECTED, ON_CHANGE
from yardlight.inventory.source import Node


def fleet_problems(root: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules between the feeds and the rest of the file; `accounts` are those that could be read."""
    section = root.entries.get("feeds")
    calendars = root.entries.get("calendars")
    known = calendars.entries if calendars else {}
    written = {
        name: feed for name, feed in (section.entries if section else {}).items() if isinstance(feed.value, dict)
    }
    yield from _empty_names(written)
    feeds = {name: feed for name, feed in written.items() if all(isinstance(each.value, str) for each in _names(feed))}
    moving = any(describes("moving", name, feed, accounts) for name, feed in feeds.items())
    for name, feed in feeds.items():
        yield from _address_problems(name, feed, accounts)
        yield from _stream_problems(name, feed, accounts)
        yield from _query_problems(name, feed, accounts)
        yield from _contract_problems(feed)
        yield from _time_problems(name, feed, accounts)
        expected = feed.entries.get("expected")
        if expected is None or not isinstance(expected.value, str):
            continue
        if expected.value == "when_moving" and not moving:
            yield expected.problem("no feed tells whether trucks move; write moving: speed in one that has a speed")
        elif expected.value not in (*EXPECTED, *known):
            hint = words.choice(expected.value, (*EXPECTED, *known), "known here")
            yield expected.problem(f"there is no calendar {expected.value!r}; {hint}")


def _names(feed: Node) -> list[Node]:
    """What the other rules look up by its name."""
    return [feed.entries[key] for key in ("account", "stream", "url", "folder") if key in feed.entries]


def _empty_names(feeds: Mapping[str, Node]) -> Iterator[Problem]:
    for each in (each for feed in feeds.values() for each in _names(feed) if each.value is None):
        yield each.problem("is empty; leave it out where there is none")


def _time_problems(name: str, feed: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """What has no times is neither old nor new."""
    expected = feed.entries.get("expected")
    changes_only = describes("on_change", name, feed, accounts) or (expected and expected.value == ON_CHANGE)
    if _is_described(name, feed, accounts) and not changes_only and not describes("time", name, feed, accounts):
        problem = "is missing; without the times of its records nothing says how old it is: write where they are"
        yield feed.problem(f"{problem}, or expected: {ON_CHANGE}", "time")


def _is_described(name: str, feed: Node, accounts: Mapping[str, Any]) -> bool:
    """Whether it has an address and, where its platform knows streams, one of these; else that is what is said."""
    named, stream = feed.entries.get("account"), feed.entries.get("stream")
    account = accounts.get(str(named.value) if named else name)
    if account is None:
        return named is None and bool({"url", "folder"} & feed.entries.keys())
    streams = streams_of(account)
    return not streams or (stream is not None and stream.value in streams)


def _address_problems(name: str, feed: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    named = feed.entries.get("account")
    account = accounts.get(str(named.value) if named else name)
    url = feed.entries.get("url")
    if named is None and account is None and "url" not in feed.entries:
        yield feed.problem("is missing; write account: NAME, or url: with the whole address", "account")
    elif url and account and "url" in account["options"]:
        yield url.problem("the account has an address of its own; write path: with what comes behind it")
    elif (
        account
        and account["platform"] == "generic"
        and not {"url", "folder"} & (feed.entries.keys() | account["options"].keys())
    ):
        yield feed.problem("is missing; neither the feed nor its account has an address", "url")


def _query_problems(name: str, feed: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """A database is asked a query, and nothing else is."""
    named, query = feed.entries.get("account"), feed.entries.get("query")
    account = accounts.get(str(named.value) if named else name)
    if account is None:
        return
    shared = account["options"].get("feed")
    asks = query is not None or (isinstance(shared, dict) and "query" in shared)
    if account["platform"] == "sql" and not asks:
        yield feed.problem("is missing; write the SELECT that gives its records", "query")
    elif account["platform"] != "sql" and query is not None:
        yield query.problem(f"{account['platform']} is no database; write path, or an account of sql")


def _contract_problems(feed: Node) -> Iterator[Problem]:
    """A contract that is not there yet is one to be learned; one that cannot be read is a mistake."""
    written = feed.entries.get("contract")
    file = Path(written.place.file).parent / str(written.value) if written else None
    if written is not None and file is not None:
        try:
            if file.exists():
                import_module("yardlight.feeds.contract_file").read(file)
        except (ContractError, OSError) as error:
            yield written.problem(f"cannot be used: {error}")


def _stream_problems(name: str, feed: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """A platform that knows streams by name takes no other names."""
    named, stream = feed.entries.get("account"), feed.entries.get("stream")
    account = accounts.get(str(named.value) if named else name)
    streams = streams_of(account)
    if streams and stream is None:
        yield feed.problem(f"is missing; write one of {', '.join(sorted(streams))}", "stream")
    elif stream is None or account is None:
        return
    elif stream.value not in streams:
        hint = words.choice(str(stream.value), streams, "streams") if streams else "describe it with path and records"
        yield stream.problem(f"{account['platform']} has no stream {stream.value!r}; {hint}")
    elif streams[str(stream.value)].on_change and "expected" in feed.entries:
        problem = f"{stream.value!r} tells of changes only and is never judged by its age; leave this out"
        yield feed.entries["expected"].problem(problem)


def streams_of(account: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The streams that the platform of an account knows by name."""
    return getattr(import_module(account["module"]), "STREAMS", {}) if account else {}


def describes(what: str, name: str, feed: Node, accounts: Mapping[str, Any]) -> bool:
    """Whether a part of a stream's description is there: in the feed, in its account, or known of its platform."""
    named, stream = feed.entries.get("account"), feed.entries.get("stream")
    if (own := feed.entries.get(what)) is not None:
        return bool(own.value)
    account = accounts.get(str(named.value) if named else name)
    shared = account["options"].get("feed") if account else None
    if isinstance(shared, dict) and what in shared:
        return bool(shared[what])
    return bool(getattr(streams_of(account).get(str(stream.value) if stream else ""), what, None))
