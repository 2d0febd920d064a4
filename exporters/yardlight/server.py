"""HTTP in a thread of its own: /metrics, health, reload and the pages for people, with TLS and basic auth.

Probing runs on the main loop and is never delayed by a slow client; a wedged main loop cannot keep /-/healthy
from telling so.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import logging
import os
import resource
import socket
import ssl
import threading
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import bcrypt
from aiohttp import web

from yardlight import pages, webconfig
from yardlight.drills.api import Backend as DrillApiBackend
from yardlight.drills.api import DrillApi
from yardlight.drills.web import Backend as DrillPagesBackend
from yardlight.drills.web import DrillPages
from yardlight.errors import Problem, StartError, WebConfigError
from yardlight.exposition import OPENMETRICS, TEXT, AnyBlock, gzip_page, page
from yardlight.feeds.web import Backend as FlowPagesBackend
from yardlight.feeds.web import FlowPages
from yardlight.guests import Guests
from yardlight.logs import kv
from yardlight.records.web import Backend as RecordsPagesBackend
from yardlight.records.web import RecordsPages
from yardlight.roster.web import Backend as TruckPagesBackend
from yardlight.roster.web import TruckPages
from yardlight.webhooks.web import Backend as WebhookPagesBackend
from yardlight.webhooks.web import WebhookPages

log = logging.getLogger(__name__)
T = TypeVar("T")
Question = Callable[[], Coroutine[Any, Any, T]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# Scrapers are few; more connections than this, or than a quarter of what the process may open, would eat the
# descriptors that probing needs.
MAX_CONNECTIONS = 512
# Prometheus keeps its connection between scrapes of up to a minute. A client that drips a header is cut off.
KEEPALIVE_SECONDS = 75.0
HANDSHAKE_SECONDS = 10.0
ANSWER_SECONDS = 10.0
RELOAD_SECONDS = 120.0
REREAD_SECONDS = 1.0
_CSP = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'"
# Compared against when the user is unknown, so that the answer takes as long as for a known one.
_NOBODY = bcrypt.hashpw(os.urandom(16), bcrypt.gensalt(10))


class Backend(Protocol):
    """What the server asks of the process; coroutines run on `loop`, the main one."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def heartbeat(self) -> float:
        """Monotonic seconds of the main loop's last tick."""

    def ready(self) -> bool:
        """Whether everything that the inventory asks for has been started."""

    async def blocks(self) -> Sequence[AnyBlock]: ...
    async def reload(self) -> list[Problem]: ...
    async def overview(self) -> pages.Overview: ...
    async def discovery(self) -> list[dict[str, Any]]: ...


class Server:
    """The HTTP side. After `start`, `port` is the one it listens on."""

    def __init__(
        self,
        backend: Backend,
        listen: str,
        web_config: Path | None = None,
        wedged_after: float = 10.0,
        drills: DrillPagesBackend | None = None,
        runners: DrillApiBackend | None = None,
        trucks: TruckPagesBackend | None = None,
        records: RecordsPagesBackend | None = None,
        webhooks: WebhookPagesBackend | None = None,
        flows: FlowPagesBackend | None = None,
    ) -> None:
        self._backend = backend
        self._listen = listen
        self._path = web_config
        self._wedged_after = wedged_after
        self._users = _Users()
        self._drills = None if drills is None else DrillPages(drills, self._ask)
        self._runners = None if runners is None else DrillApi(runners, self._ask)
        self._trucks = None if trucks is None else TruckPages(trucks, self._ask, self._asks_who)
        self._flows = None if flows is None else FlowPages(flows, self._ask, self._asks_who)
        self._records = None if records is None else RecordsPages(records, self._ask, lambda: bool(self._config.users))
        self._webhooks = None if webhooks is None else WebhookPages(webhooks)
        self._without_password = {
            *(self._drills.without_password if self._drills is not None else ()),
            *((self._webhooks.call,) if self._webhooks is not None else ()),
        }
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Bind, then serve from a thread of its own. Raises `StartError` and `WebConfigError`."""
        self._stamp = webconfig.watched(self._path) if self._path else ()
        self._config = webconfig.load(self._path) if self._path else webconfig.PLAIN
        self._socket = bind(self._listen)
        self.port: int = self._socket.getsockname()[1]
        self._thread.start()
        self._started.wait()
        if not self._thread.is_alive():
            raise StartError("the HTTP thread ended as it started")

    def stop(self) -> None:
        """Finish what is being answered, at most two seconds, and end the thread."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        runner = web.AppRunner(self._app(), access_log=None, keepalive_timeout=KEEPALIVE_SECONDS, shutdown_timeout=2.0)
        await runner.setup()
        assert runner.server is not None
        descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._guests = Guests(runner.server, min(MAX_CONNECTIONS, descriptors // 4))
        listener = await self._accept()
        self._started.set()
        while not await _within(self._stopping.wait(), REREAD_SECONDS):
            if self._path and self._reread(self._path):
                try:
                    fresh = await self._accept()
                except OSError as error:
                    log.error("cannot serve with the new web configuration yet", extra=kv(error=error))
                    self._stamp = ()
                else:
                    await self._end(listener)
                    listener = fresh
        await self._end(listener)
        self._socket.close()
        await runner.cleanup()

    async def _accept(self) -> asyncio.Server:
        """Accept on a copy of the socket, so that new certificates never lose a connection that waits."""
        tls = self._config.tls
        timeout = HANDSHAKE_SECONDS if tls else None
        return await self._loop.create_server(
            self._guests.come, sock=self._socket.dup(), ssl=tls, ssl_handshake_timeout=timeout
        )

    async def _end(self, listener: asyncio.Server) -> None:
        """Accept no more, and let what was accepted begin: asyncio forgets connections it has accepted halfway."""
        for sock in listener.sockets:
            self._loop.remove_reader(sock.fileno())
        await asyncio.sleep(0.05)
        listener.close()

    def _reread(self, path: Path) -> bool:
        """Take the web configuration again if a file changed; a broken one leaves the present one in use."""
        stamp = webconfig.watched(path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._config = webconfig.load(path)
        except WebConfigError as error:
            log.error("the web configuration was refused, the one before is used on", extra=kv(error=error))
            return False
        log.info("the web configuration was read again", extra=kv(file=path))
        return True

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._landing)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/-/healthy", self._healthy)
        app.router.add_get("/-/ready", self._ready)
        app.router.add_post("/-/reload", self._reload)
        app.router.add_get("/sd/terminals", self._discovery)
        app.router.add_get("/runbooks", self._to_runbooks)
        app.router.add_get("/runbooks/", self._runbooks)
        app.router.add_get("/runbooks/{name}", self._runbook)
        if self._drills is not None:
            app.router.add_routes(self._drills.routes())
        if self._trucks is not None:
            app.router.add_routes(self._trucks.routes())
        if self._flows is not None:
            app.router.add_routes(self._flows.routes())
        if self._records is not None:
            app.router.add_routes(self._records.routes())
        if self._runners is not None:
            app.router.add_routes(self._runners.routes())
        if self._webhooks is not None:
            app.router.add_routes(self._webhooks.routes())
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Basic auth, but for drills' pages and webhooks, and the headers of the web configuration on every answer."""
        config = self._config
        headers = {"Server": "Yardlight", "X-Content-Type-Options": "nosniff", **config.headers}
        authorization = request.headers.get("Authorization", "")
        open_ = request.match_info.handler in self._without_password
        if config.users and not open_ and not await self._users.allowed(config.users, authorization):
            headers["WWW-Authenticate"] = 'Basic realm="Yardlight"'
            return web.Response(status=401, text="Unauthorized\n", headers=headers)
        # A browser sends the password along, whoever's page it is that presses.
        if request.method == "POST" and request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            return web.Response(status=403, text="this press came from another site's page\n", headers=headers)
        status = 500
        self._guests.asks(request.protocol)
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            error.headers.update(headers)
            status = error.status
            raise
        finally:
            self._guests.answered(request.protocol, status)
        response.headers.update(headers)
        return response

    def _asks_who(self) -> bool:
        """Whether nobody gets to a page without a password or a certificate of their own."""
        tls = self._config.tls
        return bool(self._config.users) or (tls is not None and tls.verify_mode is ssl.CERT_REQUIRED)

    async def _ask(self, question: Question[T], seconds: float = ANSWER_SECONDS) -> T:
        """What the main loop answers. Raises 503 if that takes longer than `seconds`."""
        answer = asyncio.run_coroutine_threadsafe(question(), self._backend.loop)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(answer), seconds)
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text=f"the probing loop gave no answer within {seconds:g} s\n") from None

    async def _metrics(self, request: web.Request) -> web.Response:
        openmetrics = wants_openmetrics(request.headers.get("Accept", ""))
        blocks = await self._ask(self._backend.blocks, _scrape_seconds(request))
        headers = {"Content-Type": OPENMETRICS if openmetrics else TEXT, "Vary": "Accept, Accept-Encoding"}
        if wants_gzip(request.headers.get("Accept-Encoding", "")):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=gzip_page(blocks, openmetrics), headers=headers)
        return web.Response(body=page(blocks, openmetrics), headers=headers)

    async def _healthy(self, _: web.Request) -> web.Response:
        silent = time.monotonic() - self._backend.heartbeat()
        if silent > self._wedged_after:
            return web.Response(status=503, text=f"the probing loop has been silent for {silent:.0f} s\n")
        return web.Response(text="Yardlight is healthy\n")

    async def _ready(self, _: web.Request) -> web.Response:
        if not self._backend.ready():
            return web.Response(status=503, text="Yardlight is starting\n")
        return web.Response(text="Yardlight is ready\n")

    async def _reload(self, _: web.Request) -> web.Response:
        problems = await self._ask(self._backend.reload, RELOAD_SECONDS)
        if problems:
            text = "the inventory was refused, the one before runs on:\n"
            return web.Response(status=422, text=text + "".join(f"{problem}\n" for problem in problems))
        return web.Response(text="the inventory on disk is in use\n")

    async def _discovery(self, _: web.Request) -> web.Response:
        """Prometheus keeps what it had when this fails, so half a list is never given."""
        return web.json_response(await self._ask(self._backend.discovery))

    async def _landing(self, _: web.Request) -> web.Response:
        return _html(pages.landing(await self._ask(self._backend.overview)))

    async def _to_runbooks(self, _: web.Request) -> web.Response:
        # The links on that page are relative to it.
        raise web.HTTPPermanentRedirect("runbooks/")

    async def _runbooks(self, _: web.Request) -> web.Response:
        return _html(pages.runbooks())

    async def _runbook(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        text = pages.runbook(name)
        if text is None:
            raise web.HTTPNotFound(text="there is no runbook of this name\n")
        return _html(text)


class _Users:
    """Checks passwords: bcrypt in a thread, one at a time, and never twice for a password that was right."""

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._right: set[bytes] = set()
        self._turn = asyncio.Semaphore(1)

    async def allowed(self, users: webconfig.Users, authorization: str) -> bool:
        user, password = _credentials(authorization)
        hash_ = users.get(user, _NOBODY)
        digest = hmac.digest(self._key, b"\0".join((hash_, user.encode(), password)), hashlib.sha256)
        if digest in self._right:
            return True
        async with self._turn:
            right = await asyncio.to_thread(_matches, password, hash_) and user in users
        if right:
            if len(self._right) >= 100:
                self._right.clear()
            self._right.add(digest)
        return right


def _credentials(authorization: str) -> tuple[str, bytes]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, _, password = b64decode(encoded, validate=True).partition(b":")
        return (user.decode(), password) if scheme.lower() == "basic" else ("", b"")
    except ValueError:
        return "", b""


def _matches(password: bytes, hash_: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hash_)
    except ValueError:  # longer than bcrypt's 72 bytes
        return False


def bind(listen: str) -> socket.socket:
    """A socket that listens on `:10480`, `127.0.0.1:10480` or `[::1]:10480`. Raises `StartError`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise StartError(f"{listen!r} is not an address to listen on; write :10480 or 127.0.0.1:10480")
    host = host.strip("[]")
    try:
        if not host and socket.has_dualstack_ipv6():
            return socket.create_server(("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True)
        family = socket.getaddrinfo(host or None, int(port), type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, int(port)), family=family)
    except OSError as error:
        in_use = error.errno == errno.EADDRINUSE
        reason = "the port is in use" if in_use else (error.strerror or str(error)).lower()
        raise StartError(f"cannot listen on {listen}: {reason}") from None


def wants_openmetrics(accept: str) -> bool:
    """Whether this Accept header prefers OpenMetrics, or likes it as much as plain text."""
    best = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for kind, quality in _qualities(accept):
        if kind in best:
            best[kind] = max(best[kind], quality)
    return 0 < best["application/openmetrics-text"] >= best["text/plain"]


def wants_gzip(accept_encoding: str) -> bool:
    """Whether this Accept-Encoding header allows gzip."""
    return any(kind in ("gzip", "*") and quality > 0 for kind, quality in _qualities(accept_encoding))


def _qualities(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            found.append((kind.lower(), float(quality)))
        except ValueError:
            continue
    return found


def _scrape_seconds(request: web.Request) -> float:
    """How long this scrape may take: half a second less than Prometheus waits."""
    try:
        asked = float(request.headers.get("X-Prometheus-Scrape-Timeout-Seconds", ""))
    except ValueError:
        return ANSWER_SECONDS
    return min(max(asked - 0.5, 0.5), ANSWER_SECONDS)


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": _CSP})


async def _within(event: Awaitable[object], seconds: float) -> bool:
    """Whether it came to pass in that time."""
    try:
        await asyncio.wait_for(event, seconds)
    except TimeoutError:
        return False
    return True
