"""The address that a vendor calls: /webhooks/FLEET/NAME, without a password, since every call is signed."""

from __future__ import annotations

import asyncio
from typing import Protocol

from aiohttp import web

from yardlight.webhooks.receiver import Reason, Receivers

# A call that comes more slowly than this is no vendor's.
_BODY_SECONDS = 10.0
_STATUS: dict[Reason, int] = {
    "signature": 401, "timestamp": 401, "too_large": 413, "rate": 429, "encoding": 415, "timeout": 408, "secret": 503,
}  # fmt: skip


class Backend(Protocol):
    """What the page asks of the process, in the HTTP thread: the main loop is not asked for a call."""

    def webhooks(self, fleet: str) -> Receivers | None: ...


class WebhookPages:
    """The route below /webhooks/."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/webhooks/{fleet}/{name}", self.call)]

    async def call(self, request: web.Request) -> web.Response:
        """One call of a vendor."""
        receivers = self._backend.webhooks(request.match_info["fleet"])
        receiver = receivers.find(request.match_info["name"]) if receivers is not None else None
        if receivers is None or receiver is None:
            raise web.HTTPNotFound(text="there is no webhook of this name\n")
        body = await _body(request, receiver.max_size)
        if isinstance(body, bytes):
            reason = receiver.take(body, request.headers)
        else:
            reason = body
            receiver.refuse(reason)
        if reason is not None:
            receivers.note(receiver)
            return _refused(reason, request)
        await receivers.settled(receiver)
        return web.Response(text="counted\n")


async def _body(request: web.Request, most: int) -> bytes | Reason:
    """The body of a call, or why it is not read."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return "encoding"
    if request.content_length is not None and request.content_length > most:
        return "too_large"
    if request.content.is_eof():
        # It came with its headers, and nothing has to be waited for.
        body = request.content.read_nowait()
        return body if len(body) <= most else "too_large"
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while part := await request.content.readany():
                parts.append(part)
                size += len(part)
                if size > most:
                    return "too_large"
    except TimeoutError:
        return "timeout"
    return b"".join(parts)


def _refused(reason: Reason, request: web.Request) -> web.Response:
    response = web.Response(status=_STATUS[reason], text=f"refused: {reason}\n")
    if reason == "rate":
        response.headers["Retry-After"] = "1"
    if not request.content.is_eof():
        # What was not read is not waited for.
        response.force_close()
    return response
