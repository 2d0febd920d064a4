"""One question to a service over one path: is the answer what the yard needs, how long did each part take, why not.

An https or http address is asked for with GET and a new connection, without cookies or credentials, and within one
total deadline; a DNS name is asked of the path's own servers. Two failures look like something else, so they are told
apart by a second question, with a deadline of its own:

- *captive portal*: somebody in between answers for everybody. The server's address is asked without TLS for a host that
  cannot exist (`.invalid`, RFC 6761). A portal answers that too, or redirects it to its login; a web server that knows
  whom it serves does not. Asked when the certificate, a redirect or the body is wrong, and always when an address
  without TLS answers as it should and there is no `body` to know it by.
- *MTU black hole*: handshakes pass, large packets vanish. What stalled after the connect is asked for again with
  packets of 536 bytes; if that works, size is what matters.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import h11

from yardlight import __version__
from yardlight.budget import SERVICE_CEILING
from yardlight.errors import ServiceError
from yardlight.inventory.addresses import is_address
from yardlight.inventory.models import Service
from yardlight.terminal.names import Resolver, expect
from yardlight.terminal.stream import Meter, Stream

Phase = Literal["resolve", "connect", "tls", "first_byte", "transfer"]
PHASES: tuple[Phase, ...] = ("resolve", "connect", "tls", "first_byte", "transfer")
# The label values of service_failure.
REASONS = (
    "dns_nxdomain", "dns_servfail", "dns_refused", "dns_timeout", "dns_empty", "dns_answer", "dns_other",
    "connect_refused", "connect_timeout", "unreachable", "tls_expired", "tls_self_signed", "tls_untrusted",
    "tls_wrong_name", "tls_timeout", "tls_other", "headers_timeout", "body_timeout", "reset", "protocol", "status",
    "redirect", "body", "too_large", "captive_portal", "mtu",
)  # fmt: skip

_TIMEOUTS = {
    "resolve": "dns_timeout",
    "connect": "connect_timeout",
    "tls": "tls_timeout",
    "first_byte": "headers_timeout",
}
_LIKE_A_PORTAL = {"tls_expired", "tls_self_signed", "tls_untrusted", "tls_wrong_name", "tls_other", "redirect", "body"}
_LIKE_SMALL_PACKETS_ONLY = {"tls_timeout", "headers_timeout", "body_timeout"}
_SMALL_SEGMENT = 536
_MAX_REDIRECTS = 5
_MAX_HEADERS = 16_384
# TLS and the headers are not content.
_OVERHEAD = 256_000
# All that an address may hold; browsers escape whatever else a redirect is written with.
_WRITTEN = "%:/?#[]@!$&'()*+,;=~"


@dataclass(slots=True)
class Outcome:
    """What one question showed. `reason` is empty if all is well; `seconds` is then how long it took.

    `phases` are seconds of the parts that were reached, `named` whether a name was resolved (None if none was asked
    for), `expiry` when the certificate ends (unix seconds).
    """

    phases: dict[Phase, float] = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    seconds: float | None = None
    named: bool | None = None
    expiry: float | None = None


@dataclass(slots=True)
class Reply:
    """An HTTP answer: `body` as far as it was read."""

    status: int
    location: str | None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Way:
    """How to get out: the resolver of a path, and whether each byte on it costs money.

    `frugal`: at most this many bytes of an answer are taken, and none that are not needed to judge it.
    """

    resolver: Resolver
    frugal: int | None = None
    # What nobody changes but a test without the right to listen there.
    portal_port: int = 80


async def ask(service: Service, way: Way, tls: ssl.SSLContext, meter: Meter) -> Outcome:
    """One probe of `service`. Raises `OSError` if nothing can leave this box: then nothing was learned."""
    question = _Question(service, way, tls, meter)
    outcome = await question.run()
    if outcome.reason in _LIKE_SMALL_PACKETS_ONLY:
        small = await _Question(service, way, tls, meter, segment=_SMALL_SEGMENT).run()
        if not small.reason:
            outcome.reason, outcome.detail = "mtu", "only small packets pass"
    elif service.portal_check and question.address and await _is_portal(question.address, outcome, service, way, meter):
        outcome.reason, outcome.detail = "captive_portal", "it answers for a host that cannot exist"
        outcome.seconds = None
    return outcome


class _Question:
    def __init__(
        self, service: Service, way: Way, tls: ssl.SSLContext | None, meter: Meter, segment: int | None = None
    ) -> None:
        self._service, self._way, self._tls, self._meter, self._segment = service, way, tls, meter, segment
        self._outcome = Outcome()
        self._phase: Phase = "resolve"
        self._answering = self._ended = False
        self.address: str | None = None

    async def run(self) -> Outcome:
        """Ask, within the deadline."""
        outcome, began = self._outcome, time.monotonic()
        try:
            async with asyncio.timeout(self._service.timeout):
                await (self._ask_http() if self._service.url is not None else self._ask_dns())
            outcome.seconds = time.monotonic() - began
        except TimeoutError:
            outcome.reason = "body_timeout" if self._answering else _TIMEOUTS.get(self._phase, "headers_timeout")
            outcome.detail = f"no more within {self._service.timeout:g} s"
        except ServiceError as error:
            outcome.reason, outcome.detail = error.reason, error.detail
        if self._phase == "resolve" and outcome.reason.startswith("dns_"):
            outcome.named = outcome.reason in ("dns_nxdomain", "dns_empty", "dns_answer")
        return outcome

    @contextmanager
    def _timed(self, phase: Phase) -> Iterator[None]:
        self._phase, began = phase, time.monotonic()
        try:
            yield
        finally:
            self._outcome.phases[phase] = self._outcome.phases.get(phase, 0.0) + time.monotonic() - began

    async def _ask_dns(self) -> None:
        service, name = self._service, self._service.dns or ""
        with self._timed("resolve"):
            answer = await self._way.resolver.ask(name, service.type, self._meter)
            records = expect(answer, name, service.rcode)
        self._outcome.named = True
        if service.rcode != "NOERROR":
            return
        found = {_canonical(record.to_text()) for record in records or ()}
        if not found:
            raise ServiceError("dns_empty", f"{name} has no {service.type} record")
        if service.answer and (alien := found - {_canonical(text) for text in service.answer}):
            raise ServiceError("dns_answer", f"{name} is {', '.join(sorted(alien))}")

    async def _ask_http(self) -> None:
        service, url = self._service, self._service.url or ""
        for _ in range(_MAX_REDIRECTS + 1):
            reply = await self._get(urlsplit(url))
            if reply.location is None or reply.status in service.status or service.redirects == "none":
                break
            url = self._redirected(url, reply.location)
        else:
            raise ServiceError("redirect", f"more than {_MAX_REDIRECTS} times")
        self._judge(reply, url)

    def _judge(self, reply: Reply, url: str) -> None:
        service = self._service
        if reply.status == 511:
            raise ServiceError("captive_portal", "status 511: the network wants a login")
        if reply.status not in service.status if service.status else not 200 <= reply.status < 300:
            if reply.location is not None:
                raise ServiceError("redirect", f"status {reply.status} to {_host(_target(url, reply.location))}")
            raise ServiceError("status", f"status {reply.status}")
        if service.body is not None and service.body.encode() not in reply.body:
            raise ServiceError("body", f"{service.body!r} is not in it")

    def _redirected(self, url: str, location: str) -> str:
        target, here = _target(url, location), urlsplit(url)
        allowed = (_host(here),) if self._service.redirects == "same_host" else self._service.redirects
        if target.scheme not in ("http", "https") or (here.scheme, target.scheme) == ("https", "http"):
            raise ServiceError("redirect", f"to {target.scheme or 'nothing'}, without TLS")
        if _host(target) not in allowed:
            raise ServiceError("redirect", f"to {_host(target)}")
        return target.geturl()

    async def _get(self, url: SplitResult) -> Reply:
        host, tls = _host(url), self._tls if url.scheme == "https" else None
        self._answering = False
        if is_address(host):
            self.address = host
        else:
            with self._timed("resolve"):
                self.address = await self._way.resolver.address(host, self._meter)
            self._outcome.named = True
        stream = self._stream(self.address)
        try:
            with self._timed("connect"):
                await stream.connect(url.port or (443 if tls else 80))
            if tls is not None:
                with self._timed("tls"):
                    self._outcome.expiry = await stream.secure(tls, host)
            return await self._exchange(stream, url.netloc.rpartition("@")[2], url._replace(scheme="", netloc=""))
        finally:
            stream.close()

    async def get_as(self, host: str, path: str, address: str, port: int) -> Reply:
        """Ask an address, without TLS, for something of this host."""
        stream = self._stream(address)
        try:
            await stream.connect(port)
            return await self._exchange(stream, host, SplitResult("", "", path, "", ""))
        finally:
            stream.close()

    def _stream(self, address: str) -> Stream:
        limit, window = self._service.max_size + _OVERHEAD, None
        if (frugal := self._way.frugal) is not None:
            # The kernel takes as much again as the window while we stop; redirects and second questions share the rest.
            window = frugal // 4
            left = SERVICE_CEILING - self._meter.bytes - 3 * window
            if left <= 0:
                raise ServiceError("too_large", "it takes more than one probe may cost")
            limit = min(limit, frugal, left)
        bind = self._way.resolver.bind
        return Stream(address, bind, self._meter, limit=limit, segment=self._segment, window=window)

    async def _exchange(self, stream: Stream, host: str, target: SplitResult) -> Reply:
        http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADERS)
        path = target._replace(path=target.path or "/", fragment="").geturl()
        headers = [
            ("Host", host),
            ("User-Agent", f"Yardlight/{__version__}"),
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "close"),
        ]
        try:
            request = http.send(h11.Request(method="GET", target=path, headers=headers))
            with self._timed("first_byte"):
                await stream.send((request or b"") + (http.send(h11.EndOfMessage()) or b""))
                http.receive_data(await self._more(stream))
            with self._timed("transfer"):
                return await self._read(http, stream)
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:
                raise ServiceError("too_large", "its headers do not end") from error
            raise ServiceError("reset" if self._ended else "protocol", str(error)) from error

    async def _more(self, stream: Stream) -> bytes:
        data = await stream.receive()
        self._ended = not data
        return data

    async def _read(self, http: h11.Connection, stream: Stream) -> Reply:
        reply: Reply | None = None
        body = bytearray()
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await self._more(stream))
            elif isinstance(event, h11.Response):
                self._answering = True
                location = next((value for name, value in event.headers if name == b"location"), None)
                moved = event.status_code in (301, 302, 303, 307, 308) and location is not None
                reply = Reply(event.status_code, quote(location, safe=_WRITTEN) if moved and location else None)
                if self._enough(reply):
                    return reply
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._service.max_size:
                    raise ServiceError("too_large", f"more than {self._service.max_size} bytes")
                if reply is not None and self._way.frugal and (self._service.body or "").encode() in body:
                    break
            elif reply is not None and not isinstance(event, h11.InformationalResponse):
                break
        assert reply is not None
        reply.body = bytes(body)
        return reply

    def _enough(self, reply: Reply) -> bool:
        """True if the body cannot change the verdict, and reading it would cost money or time for nothing."""
        return reply.location is not None or (self._way.frugal is not None and self._service.body is None)


async def _is_portal(address: str, outcome: Outcome, service: Service, way: Way, meter: Meter) -> bool:
    """True if the address that the service is at answers, without TLS, for a host that nobody has."""
    url = urlsplit(service.url or "")
    plain = url.scheme == "http"
    if outcome.reason not in _LIKE_A_PORTAL and (outcome.reason or not plain or service.body is not None):
        return False
    host, path = f"{secrets.token_hex(8)}.invalid", f"/{secrets.token_hex(8)}"
    port = (url.port or 80) if plain else way.portal_port
    try:
        async with asyncio.timeout(service.timeout):
            reply = await _Question(service, way, None, meter).get_as(host, path, address, port)
        leads = host if reply.location is None else _host(_target(f"http://{host}", reply.location))
    except (TimeoutError, ServiceError, OSError):
        return False
    if reply.status == 511 or (outcome.reason and 200 <= reply.status < 300):
        return True
    if not outcome.reason:
        return reply.status in service.status if service.status else 200 <= reply.status < 300
    return leads not in (host, _host(url))


def _target(url: str, location: str) -> SplitResult:
    """Where a redirect of this address leads. Raises `ServiceError` (redirect) if nobody can go there."""
    try:
        target = urlsplit(urljoin(url, location))
        if target.port != 0:
            return target
    except ValueError:
        pass
    raise ServiceError("redirect", "to what is no address")


def _host(url: SplitResult) -> str:
    return (url.hostname or "").lower()


def _canonical(record: str) -> str:
    return record.strip('"').rstrip(".").lower()
