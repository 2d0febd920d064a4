"""Stoplight Prism in front of vendors' specifications: it refuses what a vendor would refuse, and answers by example.

The specifications are not ours to hand on: they lie beside the repository, in `../shared`. Prism comes from npm into
`.venv`; `.ci/setup` puts it there where the specifications are.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.vendor import Answer, Asked

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared"
_MODULES = HERE.parents[1] / ".venv" / "node_modules"


def missing(specs: Path) -> str | None:
    """Why nothing can be tried against these specifications, and what to do about it; None if it can."""
    if not specs.is_dir():
        return f"no specifications: {specs} is not there"
    if shutil.which("node") is None or not (_MODULES / "@stoplight").is_dir():
        return "Prism is not there: install Node 20 or newer with npm, then make setup"
    return None


@dataclass
class Prism:
    """Prisms by specification; `refused` is what they found wrong with requests, `asked` how many they answered."""

    ports: Mapping[str, int]
    asked: int = 0
    refused: list[str] = field(default_factory=list)

    def answer(self, spec: str, path: str, asked: Asked, example: str | None) -> tuple[int, bytes]:
        """What Prism says to a request, by this example of the specification; what it refuses is noted."""
        headers = {name: asked.headers[name] for name in asked.headers if name not in ("host", "accept-encoding")}
        if example:
            headers["prefer"] = example
        target = f"{path}?{asked.search}" if asked.search else path
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[spec], timeout=60)
        with contextlib.closing(connection):
            connection.request(asked.method, target, asked.body or None, headers)
            reply = connection.getresponse()
            body = reply.read()
        self.asked += 1
        # What it finds wrong with its own answers is the specification's.
        violations = json.loads(reply.headers.get("sl-violations") or "[]")
        if reply.status >= 400 or any(each["location"][0] == "request" for each in violations):
            self.refused.append(f"{asked.method} {asked.path}: {reply.status} {body[:600].decode(errors='replace')}")
        return reply.status, body


@contextlib.contextmanager
def prisms(specs: Mapping[str, Path]) -> Iterator[Prism]:
    """A Prism for each specification, all in one process, which ends with the block."""
    command = ["node", str(HERE / "serve.cjs"), *map(str, specs.values())]
    environment = {**os.environ, "NODE_PATH": str(_MODULES)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as node:
        try:
            assert node.stdout is not None
            ports = node.stdout.readline()
            assert ports, "Prism did not start; what it said stands above"
            yield Prism(dict(zip(specs, json.loads(ports), strict=True)))
        finally:
            node.terminate()


@dataclass(frozen=True)
class Way:
    """Which requests go to which specification, by what example, and what is changed in the answer.

    `swap` replaces text in it; `body` is laid in its place where a specification has no example of its own. `base` is
    the part of the path that stands in the server's address there.
    """

    path: str
    spec: str
    example: str | None = None
    swap: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    base: str = ""


def through(prism: Prism, ways: list[Way]) -> Any:
    """A vendor's script that lets Prism judge each request."""

    def script(asked: Asked) -> Answer:
        way = next((way for way in ways if re.fullmatch(way.path, f"{asked.method} {asked.path}")), None)
        if way is None:
            prism.refused.append(f"{asked.method} {asked.path}: nobody is to be asked this")
            return Answer({}, 404)
        status, body = prism.answer(way.spec, asked.path.removeprefix(way.base), asked, way.example)
        if way.body is not None and status < 400:
            return Answer(way.body, status)
        text = body.decode()
        for old, new in way.swap.items():
            text = text.replace(old, new)
        return Answer(json.loads(text) if text else None, status)

    return script
