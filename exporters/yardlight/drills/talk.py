"""The terminal and the centre over HTTP: what a runner on the command line talks to, and any runner's centre."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, urlsplit

from yardlight.access import ANSWER_SECONDS, Access
from yardlight.drills.actions import Done
from yardlight.drills.guard import Charge
from yardlight.drills.world import Centre, Glance
from yardlight.errors import DrillError
from yardlight.facts import TerminalFacts
from yardlight.inventory.models import Fleet

# A cut or an undo may take as long as its own timeout.
_ACT_SECONDS = 120.0
TOKEN_HEADER = "X-Yardlight-Drill"
Notices = Callable[[float], Awaitable[Sequence[Mapping[str, Any]]]]


class HttpYard:
    """A terminal through its `serve`."""

    def __init__(self, access: Access, fleet: str, terminal: str, token: str = "") -> None:
        self._access, self._token = access, token
        self._path = f"/drills/api/{quote(fleet)}/{quote(terminal)}"
        self.remote = not _is_loopback(access.base)

    async def look(self, since: float | None) -> Glance:
        began = time.time()
        found = await self._access.ask("GET", f"{self._path}?since={since if since is not None else ''}")
        ended = time.time()
        try:
            facts = TerminalFacts.model_validate(found["facts"])
            guard = Charge(**found["guard"]) if found["guard"] else None
            return Glance(facts, guard, str(found["holds"]), facts.at - (began + ended) / 2, (ended - began) / 2)
        except (ValueError, KeyError, TypeError) as error:
            raise DrillError(f"{self._access.base} answered with something else than a terminal: {error}") from None

    async def arm(self, charge: Charge) -> None:
        await self._post("arm", {"charge": asdict(charge)})

    async def renew(self, drill: str) -> None:
        await self._post("renew", {"drill": drill})

    async def cut(self, drill: str) -> Done:
        return Done(**await self._post("cut", {"drill": drill}, _ACT_SECONDS))

    async def restore(self, drill: str) -> Done:
        return Done(**await self._post("restore", {"drill": drill}, _ACT_SECONDS))

    async def release(self, drill: str) -> None:
        await self._post("release", {"drill": drill})

    async def lines(self, drill: str) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = await self._access.ask("GET", f"{self._path}/lines/{quote(drill)}")
        return found

    async def throughput(self) -> tuple[int, float]:
        found = await self._post("throughput", {}, _ACT_SECONDS)
        return int(found["bytes"]), float(found["seconds"])

    async def _post(self, act: str, body: Mapping[str, Any], seconds: float = ANSWER_SECONDS) -> Any:
        return await self._access.ask(
            "POST", f"{self._path}/{act}", body, {TOKEN_HEADER: self._token or "local"}, seconds
        )


class HttpCentre:
    """Prometheus and Alertmanager by their own interfaces, and whoever keeps what the drill receiver was told."""

    def __init__(self, prometheus: Access, alertmanager: Access, notices: Notices) -> None:
        self._prometheus, self._alertmanager, self._notices = prometheus, alertmanager, notices

    async def alerts(self, fleet: str, terminal: str) -> Sequence[Mapping[str, Any]]:
        wanted = (f'fleet="{fleet}"', f'terminal="{terminal}"')
        filters = "&".join(f"filter={quote(each)}" for each in wanted)
        found: list[Mapping[str, Any]] = await self._alertmanager.ask("GET", f"/api/v2/alerts?{filters}")
        return found

    async def knows(self, fleet: str, terminal: str) -> bool:
        expression = f'yardlight:drill_since_timestamp_seconds{{fleet="{fleet}",terminal="{terminal}"}}'
        return bool(await self._values(expression))

    async def headroom(self, fleet: str, terminal: str, uplink: str) -> float | None:
        labels = f'fleet="{fleet}",terminal="{terminal}",uplink="{uplink}"'
        return min(await self._values(f"yardlight:standby_headroom_seconds{{{labels}}}"), default=None)

    async def _values(self, expression: str) -> list[float]:
        answer = await self._prometheus.ask("GET", f"/api/v1/query?query={quote(expression)}")
        try:
            return [float(each["value"][1]) for each in answer["data"]["result"]]
        except (KeyError, IndexError, TypeError, ValueError):
            raise DrillError(f"{self._prometheus.base} did not answer like a Prometheus") from None

    async def query(self, expression: str, start: float, end: float, step: float) -> Mapping[str, Any]:
        path = f"/api/v1/query_range?query={quote(expression)}&start={start:.3f}&end={end:.3f}&step={step:g}"
        answer = await self._prometheus.ask("GET", path, seconds=30.0)
        return {"query": expression, "start": start, "end": end, "step": step, "answer": answer}

    async def notices(self, since: float) -> Sequence[Mapping[str, Any]]:
        return await self._notices(since)

    async def clock(self) -> tuple[float, float]:
        began = time.time()
        answer = await self._prometheus.ask("GET", "/api/v1/query?query=time()")
        ended = time.time()
        try:
            at = float(answer["data"]["result"][1])
        except (KeyError, IndexError, TypeError, ValueError):
            raise DrillError(f"{self._prometheus.base} did not say what time it is") from None
        return at - (began + ended) / 2, (ended - began) / 2


def centre_of(fleet: Fleet, notices: Notices) -> Centre | None:
    """The centre of a fleet as its links name it; None if they do not. `notices` is for where none serves them."""
    links = fleet.links
    if links.prometheus is None or links.alertmanager is None:
        return None
    if links.centre is not None:
        notices = _notices_at(Access(links.centre.rstrip("/")), fleet.fleet)
    return HttpCentre(Access(links.prometheus.rstrip("/")), Access(links.alertmanager.rstrip("/")), notices)


def _notices_at(access: Access, fleet: str) -> Notices:
    async def notices(since: float) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = await access.ask("GET", f"/drills/api/{quote(fleet)}/notices?since={since}")
        return found

    return notices


def _is_loopback(base: str) -> bool:
    """True if this address is of this machine itself."""
    host = urlsplit(base).hostname or ""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return bool(found) and all(ipaddress.ip_address(str(address)).is_loopback for address in found)
