"""Who gets how many messages: alerts over time, through the shipped routes, grouped as Alertmanager groups them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from yardlight.inventory.values import parse_duration

CONFIG = Path(__file__).resolve().parents[2] / "alert_rules" / "alertmanager" / "alertmanager.yml"
_MATCHER = re.compile(r'(\w+)(=~|!=|=)"(.*)"')


@dataclass(frozen=True)
class Firing:
    """An alert that fires from one moment to another; None: it goes on."""

    labels: Mapping[str, str]
    begin: float
    end: float | None


@dataclass(frozen=True, order=True)
class Message:
    """What somebody gets: that something is wrong, or that (also) something is over."""

    at: float
    receiver: str
    firing: tuple[str, ...]
    over: tuple[str, ...]


@dataclass(frozen=True)
class Route:
    """A route with all that it inherits; `place` is where it stands in the file."""

    place: tuple[int, ...]
    receiver: str
    matchers: tuple[str, ...]
    group_by: tuple[str, ...]
    wait: float
    interval: float
    repeat: float
    on: bool
    below: tuple[Route, ...]

    def of(self, labels: Mapping[str, str]) -> list[Route]:
        """The routes that an alert takes, as Alertmanager finds them."""
        found: list[Route] = []
        for route in self.below:
            if all(_matches(each, labels) for each in route.matchers):
                found += route.of(labels)
                if not route.on:
                    break
        return found or [self]


def routes(config: Path = CONFIG) -> Route:
    """The tree of routes."""
    return _route(yaml.safe_load(config.read_text(encoding="utf-8"))["route"], None, ())


def _route(said: Mapping[str, Any], above: Route | None, place: tuple[int, ...]) -> Route:
    def seconds(name: str, inherited: float) -> float:
        return parse_duration(said[name]) if name in said else inherited

    own = Route(
        place,
        said.get("receiver", above.receiver if above else ""),
        tuple(said.get("matchers", ())),
        tuple(said.get("group_by", above.group_by if above else ())),
        seconds("group_wait", above.wait if above else 30.0),
        seconds("group_interval", above.interval if above else 300.0),
        seconds("repeat_interval", above.repeat if above else 14400.0),
        bool(said.get("continue", False)),
        (),
    )
    below = (_route(each, own, (*place, number)) for number, each in enumerate(said.get("routes", ())))
    return replace(own, below=tuple(below))


def _matches(matcher: str, labels: Mapping[str, str]) -> bool:
    match = _MATCHER.fullmatch(matcher)
    assert match is not None, matcher
    name, how, value = match.groups()
    said = labels.get(name, "")
    return re.fullmatch(value, said) is not None if how == "=~" else (said == value) == (how == "=")


def messages(alerts: Iterable[Firing], tree: Route) -> list[Message]:
    """All messages, in the order of time."""
    groups: dict[tuple[Any, ...], tuple[Route, list[Firing]]] = {}
    for alert in alerts:
        for route in tree.of(alert.labels):
            key = (route.place, *(alert.labels.get(name, "") for name in route.group_by))
            groups.setdefault(key, (route, []))[1].append(alert)
    return sorted(message for route, members in groups.values() for message in _group(route, members))


def _group(route: Route, alerts: Sequence[Firing]) -> Iterator[Message]:
    """One group: looked at after `wait` and each `interval` from then on, as long as anything of it is there."""
    changes = sorted({each.begin for each in alerts} | {each.end for each in alerts if each.end is not None})
    told: set[int] = set()
    first = looked = spoke = -1.0
    for change in changes:
        if change <= looked:
            continue
        if not told:
            first = change + route.wait
        # The first look that sees this change.
        at = first + max(0, -(-(change - first) // route.interval)) * route.interval
        if told:
            repeats = int((at - spoke) // route.repeat)
            yield from (
                _message(spoke + each * route.repeat, route, alerts, told, set()) for each in range(1, repeats + 1)
            )
            spoke += repeats * route.repeat
        firing = {n for n, each in enumerate(alerts) if each.begin <= at and (each.end is None or at < each.end)}
        if told != firing:
            yield _message(at, route, alerts, firing, told - firing)
            spoke = at
        told, looked = firing, at


def _message(at: float, route: Route, alerts: Sequence[Firing], firing: set[int], over: set[int]) -> Message:
    def names(which: set[int]) -> tuple[str, ...]:
        return tuple(sorted(alerts[number].labels["alertname"] for number in which))

    return Message(at, route.receiver, names(firing), names(over))
