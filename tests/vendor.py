"""A vendor on loopback: a real HTTP server that answers what the test says and keeps what it was asked."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived: `query` and `form` are decoded, header names are in lower case.

    `search` is the query as it was sent, where a name may stand more than once.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    search: str = ""

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What is sent back: JSON for anything that is neither bytes nor an iterator of bytes (sent as they come)."""

    content: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Script = Callable[[Asked], Answer]


class Vendor:
    """Runs while its `with` block does. `asked` holds every request, the oldest first."""

    def __init__(self, script: Script) -> None:
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(script))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Vendor:
        # Stops within the poll interval.
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, script: Script) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Or each answer waits 40 ms for the acknowledgement of its headers.
            disable_nagle_algorithm = True

            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body, parts.query)
                vendor.asked.append(asked)
                self.send(script(asked))

            do_GET = do_POST = answer  # noqa: N815

            def send(self, answer: Answer) -> None:
                content = answer.content
                whole = isinstance(content, bytes) or not isinstance(content, Iterator)
                if whole and not isinstance(content, bytes):
                    content = json.dumps(content).encode()
                headers = {"Content-Type": "application/json", **answer.headers}
                if whole:
                    headers = {"Content-Length": str(len(content)), **headers}
                else:
                    headers["Connection"] = "close"
                    self.close_connection = True
                self.send_response(answer.status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                parts: Iterable[bytes] = [content] if whole else content
                with contextlib.suppress(OSError):
                    for part in parts:
                        self.wfile.write(part)

            def log_message(self, *_: object) -> None:
                """Nothing: what was asked is in `asked`."""

        return Handler


class Told:
    """What a fixture says to each question; a question that it does not have is an error of the test."""

    def __init__(self, fixture: dict[str, Any]) -> None:
        self.exchanges: list[dict[str, Any]] = fixture["exchanges"]
        self.base = ""
        self.unknown: list[str] = []

    def __call__(self, asked: Asked) -> Answer:
        given: dict[str, Any] = dict(asked.query)
        if asked.headers.get("content-type") == "application/json":
            given |= asked.json()
        for each in self.exchanges:
            wanted = each.get("when", {})
            if each["ask"] == f"{asked.method} {asked.path}" and all(given.get(key) == wanted[key] for key in wanted):
                said = json.loads(json.dumps(each["say"]).replace("{base}", self.base))
                return Answer(said, each.get("status", 200), each.get("headers", {}))
        self.unknown.append(f"{asked.method} {asked.path} {given}")
        return Answer({"unexpected": "question"}, 418)


def encrypted(vendor: Vendor, folder: Path) -> str:
    """The vendor's address once it is encrypted, by the certificate server.pem in `folder`, which ends in two days."""
    certificate, key = folder / "server.pem", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    vendor._server.socket = context.wrap_socket(vendor._server.socket, server_side=True)
    return vendor.url.replace("http://127.0.0.1", "https://localhost")
