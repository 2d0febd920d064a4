"""Webhooks of an inventory as written, on the real HTTP server on loopback, and vendors that sign as theirs do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.test_server import MainLoop
from yardlight.exposition import page
from yardlight.inventory.load import load
from yardlight.server import Server
from yardlight.state import State
from yardlight.webhooks.receiver import Receivers

# What Samsara gives out: a key as base64.
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER = base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
SAMSARA = "samsara: {account: samsara, secret_files: hook}"


def event(name: str = "e1", **more: Any) -> bytes:
    """The body of a call."""
    return json.dumps({"eventId": name, "eventType": "AddressCreated", **more}).encode()


def signed(body: bytes, key: str = KEY, at: float | None = None) -> dict[str, str]:
    """The headers with which Samsara sends it."""
    stamp = f"{int(time.time() if at is None else at)}"
    digest = hmac.new(base64.b64decode(key), b"v1:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Samsara-Timestamp": stamp, "X-Samsara-Signature": f"v1={digest}"}


class World:
    """A fleet `inland` with these webhooks, as lines of YAML; `call` is a vendor."""

    def __init__(self, folder: Path, webhooks: str, state: State, server_of: Any) -> None:
        self.folder, self.state = folder, state
        self.receivers = Receivers("inland", state)
        self.write(webhooks)
        self.server: Server = server_of(self)

    def write(self, webhooks: str) -> None:
        """The inventory has these from now on."""
        accounts = ["samsara: {platform: samsara, token_file: token}", "motive: {platform: motive, key_file: token}"]
        accounts.append("fleetio: {platform: fleetio, key_file: token, account_token_file: token}")
        accounts.append('tms: {platform: generic, url: "https://tms.example.com"}')
        lines = ["fleet: inland", "accounts:", *(f"  {each}" for each in accounts), "webhooks:"]
        lines += [f"  {line}" for line in webhooks.splitlines()]
        lines += ["terminals:", '  fontana: {targets: ["tcp://127.0.0.1:9"], uplinks: {fiber: {bind: 127.0.0.1}}}']
        (self.folder / "fleet.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.receivers.use(load(self.folder / "fleet.yml").fleet)

    def webhooks(self, fleet: str) -> Receivers | None:
        return self.receivers if fleet == "inland" else None

    def call(self, body: bytes, headers: dict[str, str], name: str = "samsara", fleet: str = "inland") -> int:
        """What a vendor is answered."""
        return self.answer(body, headers, f"/webhooks/{fleet}/{name}").status

    def answer(self, body: Any, headers: dict[str, str], path: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        connection.request("POST", path, body, headers, encode_chunked=not isinstance(body, bytes))
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def value(self, name: str, webhook: str = "samsara", **labels: str) -> float | None:
        """A sample of the page; None if there is none."""
        text = page(self.receivers.blocks(), openmetrics=False).decode()
        wanted = [f'{key}="{value}"' for key, value in {"webhook": webhook, **labels}.items()]
        lines = (line for line in text.splitlines() if line.startswith(f"yardlight_webhook_{name}{{"))
        found = [float(line.split()[-1]) for line in lines if all(each in line for each in wanted)]
        assert len(found) <= 1, found
        return found[0] if found else None


@contextmanager
def world(folder: Path, webhooks: str = SAMSARA, web_config: Path | None = None) -> Iterator[World]:
    """A world while it is served."""
    for name in ("hook", "token"):
        (folder / name).write_text(KEY + "\n", encoding="utf-8")
    main_loop, state = MainLoop(), State(folder / "state.db")

    def serving(made: World) -> Server:
        server = Server(main_loop, "127.0.0.1:0", web_config, webhooks=made)
        server.start()
        return server

    made = World(folder, webhooks, state, serving)
    try:
        yield made
    finally:
        made.server.stop()
        made.receivers.close()
        state.close()
        main_loop.close()
