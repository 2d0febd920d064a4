"""HTTP without a network: what `client.py` sends is answered by a script in the same process, thousands a second."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from tests.vendor import Answer, Asked, Script
from yardlight import client
from yardlight.feeds.platforms import geotab


@contextmanager
def answered(script: Script) -> Iterator[None]:
    """While this lasts, every request is answered by the script, and nobody waits before asking again."""

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        parts = urlsplit(request.url or "")
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        asked = Asked(request.method or "", parts.path, dict(parse_qsl(parts.query)), headers, body, parts.query)
        return adapter.build_response(request, _response(script(asked)))

    with (
        patch.object(HTTPAdapter, "send", send),
        patch.object(client, "_FIRST_WAIT", 0.0),
        patch.object(client.Client, "_may_ask_at", lambda _: 0.0),
        patch.object(geotab, "_LOGIN_EVERY", 0.0),
        patch.object(geotab, "_sessions", {}),
        patch.object(geotab, "_logged_in", {}),
    ):
        yield


def _response(answer: Answer) -> HTTPResponse:
    content = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
    headers = {"Content-Type": "application/json", **answer.headers}
    return HTTPResponse(io.BytesIO(content), headers, answer.status, preload_content=False)
