"""What a runner asks of `serve`: facts for whoever may read /metrics; acts only from this machine or with a drill link.

A request from a page in somebody's browser carries neither the header nor this machine's name as host, so that no web
page can cut a circuit; one that a proxy passes on is not from this machine.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any, Protocol, TypeVar

from aiohttp import HttpVersion11, web

from yardlight import asked
from yardlight.drills.desk import FleetDesk
from yardlight.drills.guard import Charge
from yardlight.drills.talk import TOKEN_HEADER
from yardlight.errors import DrillError

T = TypeVar("T")
# A cut or an undo may take as long as its own timeout.
_ACT_SECONDS = 110.0
_PASSED_ON = ("x-forwarded-", "x-real-ip", "forwarded", "via")
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Backend(Protocol):
    """The desks of this process, by fleet; for the main loop's own thread."""

    def drill_desk(self, fleet: str) -> FleetDesk | None: ...


class Ask(Protocol):
    """Runs a coroutine on the main loop; raises 503 if that takes longer."""

    async def __call__(self, question: Callable[[], Coroutine[Any, Any, T]], seconds: float = ..., /) -> T: ...


class DrillApi:
    """The routes below /drills/api/."""

    def __init__(self, backend: Backend, ask: Ask) -> None:
        self._backend, self._ask = backend, ask

    def routes(self) -> list[web.RouteDef]:
        """All of them."""
        return [
            web.get("/drills/api/{fleet}/notices", self._notices),
            web.get("/drills/api/{fleet}/{terminal}", self._look),
            web.get("/drills/api/{fleet}/{terminal}/lines/{drill}", self._lines),
            web.post("/drills/api/{fleet}/{terminal}/{act}", self._act),
        ]

    async def _look(self, request: web.Request) -> web.Response:
        since = _number(request.query.get("since", ""))

        async def look() -> dict[str, Any]:
            glance = self._desk(request).look(request.match_info["terminal"], since)
            guard = None if glance.guard is None else asdict(glance.guard)
            return {"facts": glance.facts.model_dump(), "guard": guard, "holds": glance.holds}

        return web.json_response(await self._answered(look))

    async def _lines(self, request: web.Request) -> web.Response:
        async def lines() -> list[dict[str, Any]]:
            return self._desk(request).lines(request.match_info["terminal"], request.match_info["drill"])

        return web.json_response(await self._answered(lines))

    async def _notices(self, request: web.Request) -> web.Response:
        since = _number(request.query.get("since", "")) or 0.0

        async def notices() -> list[Mapping[str, Any]]:
            return await self._desk(request).notices(since)

        return web.json_response(await self._answered(notices))

    async def _act(self, request: web.Request) -> web.Response:
        token = request.headers.get(TOKEN_HEADER, "")
        local = token == "local" and _is_local(request)
        body = await asked.mapping(request, "what a runner sends")

        async def act() -> Any:
            desk, terminal = self._desk(request), request.match_info["terminal"]
            if not local and not desk.allowed(token, terminal):
                raise PermissionError
            return await _acted(desk, terminal, request.match_info["act"], body, "" if local else token)

        try:
            return web.json_response(await self._answered(act, _ACT_SECONDS))
        except PermissionError:
            text = "drills are run on the terminal's own machine, or with a link from `yardlight drill link`\n"
            raise web.HTTPForbidden(text=text) from None

    def _desk(self, request: web.Request) -> FleetDesk:
        fleet = request.match_info["fleet"]
        if (desk := self._backend.drill_desk(fleet)) is None:
            raise DrillError(f"there is no fleet {fleet!r} here")
        return desk

    async def _answered(self, question: Callable[[], Coroutine[Any, Any, T]], seconds: float = 10.0) -> T:
        try:
            return await self._ask(question, seconds)
        except DrillError as error:
            raise web.HTTPConflict(text=f"{error}\n") from None


async def _acted(desk: FleetDesk, terminal: str, act: str, body: Mapping[str, Any], token: str) -> Any:
    if act == "arm":
        try:
            charge = Charge(**body["charge"])
        except (KeyError, TypeError) as error:
            raise DrillError(f"this is not what a guard is armed with: {error}") from None
        return await desk.arm(terminal, charge, token)
    if act == "throughput":
        count, seconds = await desk.throughput(terminal)
        return {"bytes": count, "seconds": seconds}
    drill = str(body.get("drill", ""))
    if act == "renew":
        return await desk.renew(terminal, drill)
    if act == "cut":
        return asdict(await desk.cut(terminal, drill))
    if act == "restore":
        return asdict(await desk.restore(terminal, drill))
    if act == "release":
        return await desk.release(terminal, drill)
    raise DrillError(f"nobody knows how to {act}")


def _is_local(request: web.Request) -> bool:
    # nginx passes on without a word of it, by its own habit in HTTP/1.0; no runner of ours speaks that.
    passed = any(name.lower().startswith(_PASSED_ON) for name in request.headers)
    if passed or request.version < HttpVersion11:
        return False
    host = request.host.rpartition(":")[0] if request.host.rpartition(":")[2].isdigit() else request.host
    try:
        peer = ipaddress.ip_address((request.remote or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(peer, "ipv4_mapped", None)
    return (mapped or peer).is_loopback and host in _LOCAL_HOSTS


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
