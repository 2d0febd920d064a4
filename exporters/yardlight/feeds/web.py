"""A flow's page, for whoever has its ticket: which trucks differ, by how much and since when. Plain HTML.

Names of the roster are shown as on trucks' pages; ids of vendors in full to whoever had to say who they are.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from yardlight import templates
from yardlight.collection import open_memory
from yardlight.feeds import daily
from yardlight.feeds.findings import Findings
from yardlight.inventory.flows import Flow
from yardlight.inventory.models import Fleet
from yardlight.lookback import ago, clock
from yardlight.roster.names import masked
from yardlight.roster.web import HEADERS, Ask


@dataclass(frozen=True)
class Polled:
    """A poll: how often (seconds) and within what, when it was complete last with what it left, why it fails if so."""

    interval: float
    deadline: float
    left: tuple[float, bytes] | None
    reason: str

    def old(self, at: float, now: float) -> bool:
        """Whether what stands for this instant should have been followed by another two since."""
        return now > at + 2 * self.interval + self.deadline


@dataclass(frozen=True)
class Kept:
    """A fleet as it runs: its polls of feeds and flows, by name (feeds/gps, flows/odometer)."""

    fleet: Fleet
    polls: Mapping[str, Polled]


class Backend(Protocol):
    """What the pages ask of the process, on its main loop."""

    async def flows(self) -> Sequence[Kept]: ...


@dataclass(frozen=True)
class Side:
    """A feed of the flow: as of when it was read last, and why it is not read now, if so."""

    feed: str
    shows: str
    at: float | None
    old: bool
    wrong: str


@dataclass(frozen=True)
class View:
    """A flow at `now`: what was found last, None while nothing was; `old` if that is not how it is now."""

    fleet: Fleet
    name: str
    flow: Flow
    now: float
    numbers: bool
    sides: Mapping[str, Side]
    found: Findings | None
    old: bool
    days: Sequence[daily.Day]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.fleet.timezone)

    @property
    def by_truck(self) -> bool:
        """Whether what is told are the roster's names."""
        return self.flow.key == "truck" and bool(self.fleet.roster.trucks)

    def clock(self, at: float) -> str:
        return clock(at, self.now, self.zone)

    def when(self, at: float) -> str:
        """With how long ago that is."""
        return f"{self.clock(at)}, {ago(min(at, self.now), self.now)}"

    def day(self, start: float) -> str:
        """'Thu Jan 8'."""
        local = datetime.fromtimestamp(start, self.zone)
        return f"{local:%a %b} {local.day}"

    def called(self, key: str) -> str:
        """The name of a truck, or the id for who may see it, else its last characters."""
        return key if self.by_truck or self.numbers else masked(key)


class FlowPages:
    """The route /flow/FLEET/NAME. `known_person` says whether who asks had to say who they are."""

    def __init__(self, backend: Backend, ask: Ask, known_person: Callable[[], bool]) -> None:
        self._backend, self._ask, self._known_person = backend, ask, known_person

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/flow/{fleet}/{name}", self._flow)]

    async def _flow(self, request: web.Request) -> web.Response:
        fleet, name = request.match_info["fleet"], request.match_info["name"]
        for kept in await self._ask(self._backend.flows):
            if kept.fleet.fleet == fleet and name in kept.fleet.flows:
                # Opening what was kept takes a moment for a large fleet, and other pages are served meanwhile.
                view = await asyncio.to_thread(_view, kept, name, self._known_person())
                text = templates.render("flow.html", v=view)
                return web.Response(text=text, content_type="text/html", headers=HEADERS)
        raise web.HTTPNotFound(text=f"There is no flow {name!r} of a fleet {fleet!r} here.\n", headers=HEADERS)


def _view(kept: Kept, name: str, numbers: bool) -> View:
    now, flow = time.time(), kept.fleet.flows[name]
    sides = {
        "source": _side(kept, flow.of("source").feed, now),
        "sink": _side(kept, flow.of("sink").feed, now),
    }
    poll = kept.polls.get(f"flows/{name}")
    memory = open_memory(poll.left[1]) if poll is not None and poll.left is not None else None
    # What was found of the flow as it was described before is no more to be told.
    current = memory if memory and memory["flow"] == flow.model_dump_json() else {}
    told = current.get("found")
    found = Findings(**told) if told else None
    looked = poll is not None and poll.left is not None and not poll.old(poll.left[0], now)
    return View(
        fleet=kept.fleet,
        name=name,
        flow=flow,
        now=now,
        numbers=numbers,
        sides=sides,
        found=found,
        old=not looked or any(side.old for side in sides.values()),
        days=daily.recalled(current.get("days")).days,
    )


def _side(kept: Kept, feed: str, now: float) -> Side:
    poll = kept.polls.get(f"feeds/{feed}")
    shows = kept.fleet.feeds[feed].shows or feed
    if poll is None or poll.left is None:
        return Side(feed, shows, None, True, poll.reason if poll is not None else "not read here")
    return Side(feed, shows, poll.left[0], poll.old(poll.left[0], now), poll.reason)
