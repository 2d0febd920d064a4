"""A truck's page, for a phone at 6 a.m.: plain HTML, found by the name of the truck, its tablet or its SIM.

Who asked has given a password, where one is set, and then sees numbers; where none is set, nobody does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from aiohttp import web

from yardlight import templates
from yardlight.domains import Planned
from yardlight.inventory.models import Fleet
from yardlight.inventory.roster import Truck
from yardlight.roster.alerts import about, open_alerts
from yardlight.roster.known import Left, known
from yardlight.roster.truck import Part, View, find, parts, words, zone_of

T = TypeVar("T")
# More than that nobody reads on a phone.
_MOST = 50
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


@dataclass(frozen=True)
class Kept:
    """A fleet as it runs: each source with what it left last, and why it fails, if it does."""

    fleet: Fleet
    sources: Sequence[tuple[Planned, Left | None, str]]


class Backend(Protocol):
    """What the pages ask of the process, on its main loop."""

    async def kept(self) -> Sequence[Kept]: ...


class Ask(Protocol):
    """Runs a coroutine on the main loop; raises 503 if that takes longer."""

    async def __call__(self, question: Callable[[], Coroutine[Any, Any, T]], seconds: float = ..., /) -> T: ...


class TruckPages:
    """The routes /truck and /truck/NAME. `known_person` says whether who asks had to say who they are."""

    def __init__(self, backend: Backend, ask: Ask, known_person: Callable[[], bool]) -> None:
        self._backend, self._ask, self._known_person = backend, ask, known_person

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/truck", self._search), web.get("/truck/{name}", self._truck)]

    async def _search(self, request: web.Request) -> web.Response:
        asked = request.query.get("q", "").strip()
        fleets = [each.fleet for each in await self._ask(self._backend.kept)]
        # Ten thousand names take a moment, and a scrape is not to wait for it.
        found = await asyncio.to_thread(_found, fleets, asked)
        if len(found) == 1:
            raise web.HTTPSeeOther(f"truck/{found[0][1].name}", headers=HEADERS)
        count = sum(len(fleet.roster.trucks) for fleet in fleets)
        shown = [(name, truck.name, truck.tablet.name if truck.tablet else "") for name, truck in found[:_MOST]]
        return _page("trucks.html", asked=asked, count=count, found=len(found), shown=shown, many=len(fleets) > 1)

    async def _truck(self, request: web.Request) -> web.Response:
        name, fleet = request.match_info["name"], request.query.get("fleet")
        found = [
            (each, truck)
            for each in await self._ask(self._backend.kept)
            for truck in each.fleet.roster.trucks
            if truck.name == name and fleet in (None, each.fleet.fleet)
        ]
        if not found:
            page = templates.render("trucks.html", asked=name, count=0, found=0, shown=[], many=False, up="../")
            raise web.HTTPNotFound(text=page, content_type="text/html", headers=HEADERS)
        views = [await _view(kept, truck) for kept, truck in found]
        return _page("truck.html", views=views, numbers=self._known_person())


def _found(fleets: Sequence[Fleet], asked: str) -> list[tuple[str, Truck]]:
    return [(fleet.fleet, truck) for fleet in fleets for truck in find(fleet.roster, asked)]


async def _view(kept: Kept, truck: Truck) -> View:
    now, fleet = time.time(), kept.fleet
    # Opening what was kept takes a moment for a large fleet, and other pages are served meanwhile.
    has, told = await asyncio.gather(asyncio.to_thread(_parts, kept, truck, now), open_alerts(fleet, now))
    return View(fleet.fleet, truck, zone_of(fleet, truck), now, has, about(truck, has, told))


def _parts(kept: Kept, truck: Truck, now: float) -> list[Part]:
    wanted = words(truck)
    return parts(truck, [known(plan, left, reason, wanted) for plan, left, reason in kept.sources], now)


def _page(template: str, **values: object) -> web.Response:
    text = templates.render(template, up="", **values)
    return web.Response(text=text, content_type="text/html", headers=HEADERS)
