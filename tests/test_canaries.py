"""Secrets that would sing: one of its own in every file of secrets, and vendors that shout back all that they are sent.

Each platform is asked by one account for each way of failing; then everything that a person or a program can read is
searched, also for what base64 hides.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cellular import talk as sims
from tests.feeds import platforms as feeds
from tests.mdm import talk as tablets
from tests.served import Process
from tests.vendor import Answer, Asked, Vendor
from yardlight.cellular.platforms import PLATFORMS as SIMS
from yardlight.feeds.platforms import PLATFORMS as FEEDS
from yardlight.mdm.platforms import PLATFORMS as TABLETS

CANARY = "canary"
_PACKED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
AUTHS: dict[str, dict[str, Any]] = {
    "bearer": {"bearer_file": "s"},
    "basic": {"basic": {"user": "u", "password_file": "s"}},
    "key": {"key": {"header": "X-Key", "file": "s"}},
    "oauth2": {"oauth2": {"token_url": "/token", "client_id": "c", "client_secret_file": "s"}},
    "login": {"login": {"path": "/login", "body": {"p": "{password}"}, "password_file": "s", "token": "token"}},
}


def shouted(asked: Asked) -> str:
    """All that was sent, also what was packed."""
    text = json.dumps({**asked.headers, "search": asked.search}) + asked.body.decode("utf-8", "replace")
    return text + " ".join(unpacked(text))


def unpacked(text: str) -> Iterator[str]:
    """What stands in base64 in it."""
    for match in _PACKED.finditer(text):
        for start in range(4):
            part = match[0][start:].rstrip("=")
            with_end = part[: len(part) // 4 * 4]
            with_end = with_end.replace("-", "+").replace("_", "/")
            try:
                yield base64.b64decode(with_end, validate=True).decode("latin-1")
            except binascii.Error:
                continue


def granted(asked: Asked) -> Answer:
    """Whatever a platform takes for a session or a token, each one a canary."""
    token = f"{CANARY}-token"
    who = {"credentials": {"sessionId": token, "userName": "u", "database": "d"}, "path": "ThisServer"}
    content = {"access_token": token, "token": token, "auth_token": token, "apiKey": token, "result": who}
    signs_in = asked.method == "POST" and not asked.headers.get("authorization", "").startswith("Bearer canary-token")
    return Answer({**content, "operatorId": token, "expires_in": 3600} if signs_in else shouted(asked).encode())


FAILURES: dict[str, Callable[[Asked], Answer]] = {
    "refused": lambda asked: Answer({"message": shouted(asked)}, 401),
    "forbidden": lambda asked: Answer(shouted(asked).encode(), 403),
    "fault": lambda asked: Answer(shouted(asked).encode(), 500),
    "complaint": lambda asked: Answer(
        {"error": {"message": shouted(asked), "errors": [{"name": shouted(asked), "message": shouted(asked)}]}}, 400
    ),
    "complaint-200": lambda asked: Answer(
        {"error": {"message": shouted(asked), "errors": [{"name": shouted(asked), "message": shouted(asked)}]},
         "errors": [shouted(asked)], "message": shouted(asked)}
    ),
    "records": lambda asked: Answer({"data": [{"id": shouted(asked), "name": [shouted(asked)]}], "access_token": 4}),
    "page": lambda asked: Answer(f"<html>{shouted(asked)}".encode(), headers={"Content-Type": "text/html"}),
    "cut": lambda asked: Answer(('{"data": "' + shouted(asked)).encode()),
    "moved": lambda asked: Answer(None, 302, {"Location": "http://127.0.0.2:9/" + binascii.hexlify(b"x").decode()}),
    "moved-with-all": lambda asked: Answer(None, 302, {"Location": f"http://127.0.0.2:9/?{_line(asked)}"}),
    "later": lambda asked: Answer(None, 429, {"Retry-After": _line(asked)}),
    "granted": granted,
}  # fmt: skip


def _line(asked: Asked) -> str:
    return "".join(re.findall(r"[\w.~-]", shouted(asked)))[:2000]


def answer(asked: Asked) -> Answer:
    return FAILURES[asked.path.split("/")[1]](asked)


def accounts(folder: Path, url: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Domain, name and options of one account for each platform and failure."""
    of = [("cellular", name, sims.OPTIONS[name]) for name in SIMS if name in sims.OPTIONS]
    of += [("mdm", name, said["options"]) for name in TABLETS if (said := tablets.fixture(name))["exchanges"]]
    of += [("feeds", name, feeds.OPTIONS[name]) for name in FEEDS if name in feeds.OPTIONS]
    of += [("feeds", f"generic-{how}", {"auth": auth}) for how, auth in AUTHS.items()]
    service_account = {**json.loads(tablets.service_account()), "private_key_id": f"{CANARY}-key-id"}
    (folder / "service-account.json").write_text(json.dumps(service_account))
    for domain, name, options in of:
        for failure in FAILURES:
            said = json.loads(json.dumps(options).replace("{base}", f"{url}/{failure}"))
            yield (
                domain,
                f"{name}-{failure}".replace("_", "-"),
                own_secrets(folder, said, name)
                | {
                    "platform": name.partition("-")[0] if name.startswith("generic") else name,
                    "url": f"{url}/{failure}",
                    "rate": "1000/s",
                },
            )


def own_secrets(folder: Path, options: dict[str, Any], name: str) -> dict[str, Any]:
    """The options with a file of its own for each secret."""
    for key, value in options.items():
        if isinstance(value, dict):
            own_secrets(folder, value, name)
        elif (key.endswith("_file") or key == "file") and value != "service-account.json":
            options[key] = f"{CANARY}-{name}-{key}".replace("_", "-").replace(CANARY, "s")
            (folder / options[key]).write_text(f"{CANARY}-{name}-{key}-0123456789\n")
    return options


@contextmanager
def shouting_router() -> Iterator[tuple[int, list[bytes]]]:
    """The port of a router that sends back what it is asked, and what that was."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(0.1)
        over = threading.Event()

        def run() -> None:
            while not over.is_set():
                try:
                    data, asker = agent.recvfrom(65535)
                    asked.append(data)
                    agent.sendto(data[:-3], asker)
                except OSError:
                    continue

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield agent.getsockname()[1], asked
        finally:
            over.set()
            thread.join()


def inventory(folder: Path, url: str, router: int) -> int:
    """An inventory with all of them; how many accounts there are."""
    made = list(accounts(folder, url))
    for name in ("community", "auth", "priv", "hook"):
        (folder / f"s-{name}").write_text(f"{CANARY}-{name}-0123456789\n")
    (folder / "s-database").write_text(f"postgresql+psycopg://reader:{CANARY}-database@127.0.0.1:9/tms\n")
    sections: dict[str, dict[str, Any]] = {"cellular": {}, "mdm": {}, "feeds": {}}
    stream = {"path": "/items", "records": "data[]", "time": "time", "shows": "Things", "max_age": "5m"}
    for domain, name, options in made:
        section: dict[str, Any] = {"account": name}
        if domain == "cellular":
            section["cycle"] = "month"
        elif options["platform"] == "generic":
            section |= stream
        elif domain == "feeds":
            section["stream"] = next(iter(import_module(FEEDS[options["platform"]]).STREAMS))
        sections[domain][name] = section
    sections["feeds"]["database"] = {"account": "database", "query": "SELECT 1 AS a", "id": "a", **stream}
    del sections["feeds"]["database"]["path"], sections["feeds"]["database"]["records"]
    snmp: dict[str, Any] = {"community_file": "s-community", "timeout": "1s", "every": "10s"}
    safe = {"version": "3", "user": "monitor", "auth_file": "s-auth", "priv_file": "s-priv", "timeout": "1s"}
    yard = {"targets": ["tcp://127.0.0.1:9"], "uplinks": {"fiber": {"bind": "127.0.0.1"}}}
    content = {
        "fleet": "inland",
        "accounts": {name: options for _, name, options in made}
        | {"database": {"platform": "sql", "url_file": "s-database"}},
        **sections,
        "webhooks": {"events": {"account": "samsara-fault", "secret_files": "s-hook", "signature": {"header": "X-S"}}},
        "terminals": {
            "fontana": {**yard, "router": {"address": "127.0.0.1", "snmp": {**snmp, "port": router}}},
            "reno": {**yard, "router": {"address": "127.0.0.1", "snmp": {**safe, "port": router, "every": "10s"}}},
        },
    }
    (folder / "fleet.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    return len(made) + 1


def leaks(what: str, text: str) -> list[str]:
    """Where a canary sings in it."""
    found = [text, *unpacked(text)]
    return [f"{what}: ...{each[max(0, each.index(CANARY) - 150) :][:300]}" for each in found if CANARY in each]


def test_a_canary_is_heard_also_where_it_is_packed() -> None:
    packed = base64.b64encode(f"u:{CANARY}-1".encode()).decode()
    assert leaks("a page", f"Basic {packed}")
    assert leaks("a page", f"x {CANARY} y")
    assert not leaks("a page", "QUFBQUFBQUFBQUFBQUFB and nothing else")


@pytest.mark.timeout(400)
def test_no_secret_is_heard_of_whatever_a_vendor_shouts(process: Process, tmp_path: Path) -> None:
    with Vendor(answer) as vendor, shouting_router() as (router, asked_router):
        count = inventory(tmp_path, vendor.url, router)
        process.start("--log.level", "debug").ready()
        deadline = time.monotonic() + 300
        while len(polled := asked_once(process)) < count and time.monotonic() < deadline:
            time.sleep(0.5)
        assert len(polled) >= count
        wrong = {"X-S": f"{CANARY}-of-a-caller", "Authorization": f"Bearer {CANARY}-of-a-caller"}
        pages = ["/", "/metrics", "/sd/terminals", "/runbooks/", "/truck", "/truck/101", "/records/", "/-/healthy"]
        read = {path: process.ask(path)[1] for path in pages}
        read["/webhooks"] = call(process, "/webhooks/inland/events", wrong)
        read["/-/reload"] = process.ask("/-/reload", "POST")[1]
        assert process.stop() == 0
    shouts = [asked for asked in vendor.asked if CANARY in shouted(asked)]
    assert len(shouts) > count, "the vendors never heard a secret, so nothing was tried"
    assert any(CANARY.encode() in each for each in asked_router), "the router never heard a secret"
    read["the log"] = process.log
    assert [leak for what, text in read.items() for leak in leaks(what, text)] == []


def asked_once(process: Process) -> set[str]:
    """Polls that ended, well or not."""
    page = process.series()
    return {name for name, value in page.items() if name.startswith("poll_duration_seconds{") and value >= 0}


def call(process: Process, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
    connection.request("POST", path, b"{}", headers)
    said = connection.getresponse().read().decode()
    connection.close()
    return said
