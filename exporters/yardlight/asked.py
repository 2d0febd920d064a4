"""What somebody sent us, read: a form or JSON. What is neither is answered with 400, whatever else it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

# What aiohttp and json raise for a charset that does not exist, a form without its boundary, brackets without end.
_UNREADABLE = (ValueError, LookupError, AssertionError, RecursionError)


async def form(request: web.Request) -> MultiDictProxy[Any]:
    """The fields of a form. Raises 400."""
    try:
        return await request.post()
    except _UNREADABLE:
        raise web.HTTPBadRequest(text="this is not a form\n") from None


async def mapping(request: web.Request, expected: str) -> Mapping[str, Any]:
    """An object in JSON. Raises 400, which says what was `expected`."""
    try:
        content = json.loads(await request.read())
    except _UNREADABLE:
        raise web.HTTPBadRequest(text=f"this is not JSON; expected is {expected}\n") from None
    if not isinstance(content, dict):
        raise web.HTTPBadRequest(text=f"this is not {expected}\n")
    return content
