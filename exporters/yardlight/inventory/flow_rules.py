"""What must hold of the part `flows:`: feeds that exist, and values that they tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yardlight.errors import Problem
from yardlight.inventory import words
from yardlight.inventory.feed_rules import describes, streams_of
from yardlight.inventory.source import Node


def fleet_problems(root: Node, accounts: Mapping[str, Any]) -> Iterator[Problem]:
    """Rules between flows and feeds; `accounts` are those that could be read."""
    flows, feeds = root.entries.get("flows"), root.entries.get("feeds")
    known = feeds.entries if feeds else {}
    for flow in flows.entries.values() if flows else ():
        sides = [flow.entries[key] for key in ("source", "sink") if key in flow.entries]
        key = flow.entries.get("key")
        for side in (each for each in sides if isinstance(each.value, str)):
            feed, _, value = str(side.value).partition(".")
            if feed not in known:
                yield side.problem(f"there is no feed {feed!r}; {words.choice(feed, known, 'feeds')}")
                continue
            yield from _key_problems(key, side, feed, known[feed], accounts)
            if value and value not in (values := _values(feed, known[feed], accounts)):
                hint = words.choice(value, values, "values") if values else "write values: in the feed"
                yield side.problem(f"the feed {feed!r} has no value {value!r}; {hint}")
        if len(sides) == 2 and sides[0].value == sides[1].value:
            yield sides[1].problem("is the source too; two feeds are compared")


def _key_problems(
    key: Node | None, side: Node, name: str, feed: Node, accounts: Mapping[str, Any]
) -> Iterator[Problem]:
    """Records of trucks are told apart by their trucks, and others by their ids."""
    if not isinstance(feed.value, dict):
        return
    by_truck, by_id = (describes(each, name, feed, accounts) for each in ("truck", "id"))
    if key is not None and key.value == "id":
        if by_truck:
            yield key.problem(f"records of {name!r} are told apart by their trucks; write truck")
        elif not by_id:
            yield side.problem(f"the feed {name!r} has no ids; write id: in the feed")
    elif not by_truck:
        hint = "write truck: in the feed" + (", or key: id in the flow" if by_id else "")
        yield side.problem(f"the feed {name!r} does not tell of trucks; {hint}")


def _values(name: str, feed: Node, accounts: Mapping[str, Any]) -> list[str]:
    """The values that a feed tells, as described: by itself, by its account, by its platform."""
    named, stream = feed.entries.get("account"), feed.entries.get("stream")
    account = accounts.get(str(named.value) if named else name)
    if (own := feed.entries.get("values")) is not None:
        return list(own.entries)
    shared = account["options"].get("feed") if account else None
    if isinstance(shared, dict) and isinstance(shared.get("values"), dict):
        return list(shared["values"])
    known = streams_of(account).get(str(stream.value) if stream else "")
    return list(known.values) if known is not None else []
