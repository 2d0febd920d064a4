"""The drill on a phone: one-time links, one screen a step, big buttons; and where the drill's own alerts arrive.

Whoever opens a link and presses its button has the drill on that phone: a cookie stands for it from then on, so that
the token is in no address, no log and no Referer. A link that was only looked at, as messengers do, is not used up.
Every press carries a key of this phone's (CSRF) and names its step.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from aiohttp import web

from yardlight import asked, templates
from yardlight.drills.session import Live, Screen, Session
from yardlight.errors import DrillError
from yardlight.logs import kv

log = logging.getLogger(__name__)
T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "yardlight_drill"
# A page asks again so often; what changes in between is told at once.
_WAIT_SECONDS = 1.0
_ANSWER_SECONDS = 10.0
# Alertmanager's message about one terminal; what is larger is none.
_NOTICE_BYTES = 1_000_000
# Phones that had a drill and may still show how it ended.
_PHONES = 50
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {"Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_LINK = (
    "This link starts a failover drill. Open it on the phone that you carry to the network cabinet, and stay on the "
    "yard's Wi-Fi.\nNothing happens yet: the next page says what will be done and asks you first."
)
_TAKE = "This drill is open on another phone. If you go on here, the other one is disconnected."
_LOST = (
    "This phone has no drill any more: another phone has taken it over, or the box in the yard was restarted. Open the "
    "link once more; if it is refused, ask for a new one.\nIf a cable is still unplugged, plug it in again."
)

_ENDINGS: dict[str, str] = {
    "pass": "The drill passed",
    "fail": "The drill did not pass",
    "partial": "Only a part was tested",
    "aborted": "The drill was stopped",
    "refused": "The drill was not started",
}


class Backend(Protocol):
    """What the pages ask of the process; each coroutine runs on its main loop."""

    async def open_drill(self, token: str) -> Session: ...
    async def drill_notice(self, payload: Mapping[str, Any], received: float) -> None: ...


class Ask(Protocol):
    """Runs a coroutine on the main loop; raises 503 if that takes longer."""

    async def __call__(self, question: Callable[[], Coroutine[Any, Any, T]], seconds: float = ..., /) -> T: ...


@dataclass(frozen=True)
class Phone:
    """A browser that has a drill; `key` goes with every press."""

    session: Session
    drill: str
    who: str
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class DrillPages:
    """The routes below /drills/. Handlers run in the HTTP thread; sessions are asked on the main loop."""

    def __init__(self, backend: Backend, ask: Ask) -> None:
        self._backend = backend
        self._ask = ask
        self._phones: dict[str, Phone] = {}
        # A link or a cookie takes the place of a password here.
        handlers = (self._link, self._open, self._page, self._script, self._changes, self._press)
        self.without_password: tuple[object, ...] = handlers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/drills/go/{token}", self._link),
            web.post("/drills/go/{token}", self._open),
            web.get("/drills/run/", self._page),
            web.get("/drills/run/page.js", self._script),
            web.get("/drills/run/changes", self._changes),
            web.post("/drills/run/press", self._press),
            web.post("/drills/notice", self._notice),
        ]

    async def _link(self, _: web.Request) -> web.Response:
        """Says what the link is for; whether it is good is told to whoever presses the button."""
        button = "Open the drill"
        return _page("drill_link.html", heading="Failover drill", text=_LINK, button=button, take=False, who="")

    async def _open(self, request: web.Request) -> web.Response:
        fields = await asked.form(request)
        who = " ".join(str(fields.get("who", "")).split())[:60] or "phone"
        token = request.match_info["token"]

        async def opened() -> tuple[Session, str]:
            session = await self._backend.open_drill(token)
            return session, session.screen().drill

        try:
            session, drill = await self._ask(opened)
        except DrillError as error:
            return _page("drill_link.html", 410, heading="This link does not work", text=_refusal(error), button="")
        others = [cookie for cookie, phone in self._phones.items() if phone.drill == drill]
        own = request.cookies.get(COOKIE, "")
        if own not in others and others and "take" not in fields:
            ask = "Use this phone instead"
            return _page("drill_link.html", 409, heading="Already open", text=_TAKE, button=ask, take=True, who=who)
        for cookie in others:
            del self._phones[cookie]
        while len(self._phones) >= _PHONES:
            del self._phones[next(iter(self._phones))]
        cookie = secrets.token_urlsafe(32)
        self._phones[cookie] = Phone(session, drill, who)
        log.info("a phone has the drill", extra=kv(drill=drill, taken_over=bool(others)))
        answer = web.Response(status=303, headers={**_HEADERS, "Location": "../run/"})
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", secure=request.secure, path="/")
        return answer

    def _phone(self, request: web.Request) -> Phone:
        """The one that asks. Raises 403, as a page, if it has no drill."""
        if (phone := self._phones.get(request.cookies.get(COOKIE, ""))) is None:
            text = templates.render("drill_link.html", heading="No drill here", text=_LOST, button="")
            raise web.HTTPForbidden(text=text, content_type="text/html", headers=_HEADERS)
        return phone

    async def _page(self, request: web.Request) -> web.Response:
        phone = self._phone(request)
        screen, live = await self._ask(lambda: _seen(phone.session))
        heading = _heading(screen)
        return _page("drill.html", s=screen, heading=heading, live=live, now=time.time(), key=phone.key)

    async def _script(self, _: web.Request) -> web.Response:
        headers = {"Cache-Control": "no-cache"}
        return web.Response(text=templates.file("drill.js"), content_type="text/javascript", headers=headers)

    async def _changes(self, request: web.Request) -> web.Response:
        """What is on the screen once it is another one than the page has, or soon."""
        phone = self._phone(request)
        try:
            known = int(request.query.get("revision", ""))
        except ValueError:
            raise web.HTTPBadRequest(text="revision is not a number\n") from None

        async def changed() -> tuple[Screen, Live]:
            await phone.session.changed(known, _WAIT_SECONDS)
            return await _seen(phone.session)

        screen, live = await self._ask(changed, _WAIT_SECONDS + _ANSWER_SECONDS)
        return _told(screen, live, phone, whole=screen.revision != known)

    async def _press(self, request: web.Request) -> web.Response:
        phone = self._phone(request)
        fields = {name: str(value) for name, value in (await asked.form(request)).items()}
        if not secrets.compare_digest(fields.get("key", "").encode(), phone.key.encode()):
            raise web.HTTPForbidden(text="this press did not come from the drill's page\n")

        async def pressed() -> tuple[Screen, Live]:
            step, choice = fields.get("step", ""), fields.get("choice", "")
            await phone.session.press(step, choice, phone.who, fields.get("reason", "").strip())
            return await _seen(phone.session)

        screen, live = await self._ask(pressed)
        if "application/json" in request.headers.get("Accept", ""):
            return _told(screen, live, phone, whole=True)
        raise web.HTTPSeeOther("./", headers=_HEADERS)

    async def _notice(self, request: web.Request) -> web.Response:
        """Alertmanager's webhook of the receiver `drill`."""
        received = time.time()
        if request.content_length is None or request.content_length > _NOTICE_BYTES:
            raise web.HTTPRequestEntityTooLarge(_NOTICE_BYTES, request.content_length or 0)
        payload = await asked.mapping(request, "Alertmanager's webhook")
        alerts = payload.get("alerts")
        if not isinstance(alerts, list) or not all(map(_labelled, alerts)):
            raise web.HTTPBadRequest(text="this is not Alertmanager's webhook: it has no list of alerts\n")
        await self._ask(lambda: self._backend.drill_notice(payload, received))
        return web.Response(text="")


def _labelled(alert: object) -> bool:
    return isinstance(alert, dict) and isinstance(alert.get("labels"), dict)


async def _seen(session: Session) -> tuple[Screen, Live]:
    return session.screen(), session.live()


def _heading(screen: Screen) -> str:
    return screen.heading if screen.result is None else _ENDINGS[screen.result]


def _refusal(error: DrillError) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}.\nAsk whoever sent the link for a new one."


def _page(template: str, status: int = 200, **values: object) -> web.Response:
    text = templates.render(template, **values)
    return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)


def _told(screen: Screen, live: Live, phone: Phone, whole: bool) -> web.Response:
    """The screen for the script; its HTML only if the page has another one."""
    now = time.time()
    answer: dict[str, Any] = {"now": now, "live": live.text, "since": live.since, "over": screen.phase == "over"}
    if whole:
        answer |= {
            "revision": screen.revision,
            "phase": screen.phase,
            "step": screen.step,
            "title": f"{_heading(screen)} ({screen.title})",
            "html": templates.render("drill_screen.html", s=screen, heading=_heading(screen), now=now, key=phone.key),
        }
    return web.json_response(answer, headers=_HEADERS)
