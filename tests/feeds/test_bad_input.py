"""What vendors of feeds get wrong: an error with its reason or a breach by name, no crash, no record made up."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import math
import random
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.feeds import platforms as p
from tests.vendor import Answer, Asked, Vendor
from yardlight import client
from yardlight.errors import ApiError, BadReplyError, IncompleteError, PollError
from yardlight.feeds.platforms import PLATFORMS, geotab
from yardlight.feeds.record import Record
from yardlight.feeds.record import Told as Item

# A stream of each platform.
STREAMS = {
    "samsara": "gps",
    "geotab": "devices",
    "motive": "locations",
    "fleetio": "meters",
    "verizon_connect": "positions",
    "statuspage": "components",
}
LISTS = [name for name in STREAMS if name not in ("verizon_connect", "statuspage")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_FIRST_WAIT", 0.01)
    monkeypatch.setattr(geotab, "_sessions", {})
    monkeypatch.setattr(geotab, "_logged_in", {})
    monkeypatch.setattr(geotab, "_LOGIN_EVERY", 0.0)


def fake(platform: str) -> p.Fake:
    made: dict[str, Callable[[], p.Fake]] = {
        "samsara": p.Samsara,
        "geotab": p.Geotab,
        "motive": lambda: p.motive,
        "fleetio": lambda: p.fleetio,
        "verizon_connect": p.VerizonConnect,
        "statuspage": p.statuspage,
    }
    return made[platform]()


def signs_in(asked: Asked) -> bool:
    """Whether a request is for a session or a token."""
    return asked.path == "/token" or b'"Authenticate"' in asked.body


def instead(platform: str, answer: Callable[[Asked], Answer | None]) -> p.Fake:
    """The platform's fake, with another answer to what is not a log-in; None for its own."""
    good = fake(platform)

    def script(asked: Asked) -> Answer:
        said = None if signs_in(asked) else answer(asked)
        return good(asked) if said is None else said

    return script


def collected(platform: str, script: p.Fake, folder: Path, seconds: float = 60.0, **more: Any) -> list[Item]:
    with Vendor(script) as vendor:
        return p.collect(platform, STREAMS[platform], vendor.url, p.session(folder, seconds=seconds), **more)


def reason(platform: str, script: p.Fake, folder: Path, seconds: float = 60.0, **more: Any) -> str:
    """Why the collection failed."""
    with pytest.raises(PollError) as caught:
        collected(platform, script, folder, seconds, **more)
    assert p.SECRET not in str(caught.value)
    assert "session-number" not in str(caught.value)
    return caught.value.reason


BAD: dict[str, tuple[Answer, str]] = {
    "HTML for JSON": (Answer(b"<html>Maintenance</html>", headers={"Content-Type": "text/html"}), "bad_reply"),
    "truncated": (Answer(b'{"data": [{"id": "1"'), "bad_reply"),
    "an empty body": (Answer(b""), "bad_reply"),
    "deep": (Answer(b"[" * 100_000), "bad_reply"),
    "deep and whole": (Answer(b'{"data":' * 50_000 + b"1" + b"}" * 50_000), "bad_reply"),
    "page not found": (Answer({}, 404), "bad_reply"),
    "server error": (Answer({}, 500), "server_error"),
    "forbidden": (Answer({}, 403), "forbidden"),
    "revoked": (Answer({}, 401), "auth"),
    "too many requests, no word on how long": (Answer({}, 429), "throttled"),
    "too many requests, an hour": (Answer({}, 429, {"Retry-After": "3600"}), "throttled"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("platform", STREAMS)
def test_what_cannot_be_used_is_an_error_with_its_reason(platform: str, case: str, tmp_path: Path) -> None:
    answer, expected = BAD[case]
    assert reason(platform, instead(platform, lambda asked: answer), tmp_path) == expected


@pytest.mark.parametrize("content", [None, 5, "text", True, [1, 2], [None], {}, {"data": 5}, {"data": [None, "x", 7]}])
@pytest.mark.parametrize("platform", STREAMS)
def test_json_of_another_shape_makes_no_dated_record(platform: str, content: Any, tmp_path: Path) -> None:
    body = Answer({"result": content}) if platform == "geotab" else Answer(json.dumps(content).encode())
    items: list[Item] = []
    with contextlib.suppress(BadReplyError, ApiError, IncompleteError):
        items = collected(platform, instead(platform, lambda asked: body), tmp_path)
    assert not any(isinstance(each.time, float) for each in p.records(items))
    assert p.breaches(items) or p.components(items) == [("page", "unknown")] or not p.records(items)


@pytest.mark.parametrize("platform", STREAMS)
def test_credentials_are_not_sent_to_where_a_redirect_leads(platform: str, tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer({})) as evil:
        away = Answer(None, 302, {"Location": f"{evil.url}/steal"})
        assert reason(platform, instead(platform, lambda asked: away), tmp_path) == "foreign_link"
        assert evil.asked == []


@pytest.mark.parametrize("platform", STREAMS)
def test_a_gigabyte_is_not_read(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 2**20)
    sent = [0]

    def endless() -> Iterator[bytes]:
        while sent[0] < 2**30:
            sent[0] += 2**16
            yield b'{"data": [' + b" " * 2**16

    assert reason(platform, instead(platform, lambda asked: Answer(endless())), tmp_path) == "too_large"
    assert sent[0] < 2**25


@pytest.mark.parametrize("platform", STREAMS)
def test_a_gzip_bomb_is_not_unpacked(platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 2**20)
    bomb = Answer(gzip.compress(b" " * 2**25), headers={"Content-Encoding": "gzip"})
    assert reason(platform, instead(platform, lambda asked: bomb), tmp_path) == "too_large"


@pytest.mark.parametrize("platform", STREAMS)
def test_a_server_that_drips_is_left_at_the_deadline(platform: str, tmp_path: Path) -> None:
    def drip() -> Iterator[bytes]:
        while True:
            yield b" "

    found = reason(platform, instead(platform, lambda asked: Answer(drip())), tmp_path, seconds=1.0)
    assert found in ("timeout", "too_large")


@pytest.mark.parametrize("platform", ["samsara", "motive", "fleetio"])
def test_pages_without_an_end_are_incomplete(platform: str, tmp_path: Path) -> None:
    good = fake(platform)

    def again(asked: Asked) -> Answer:
        first = {"after": "0", "page_no": "1", "start_cursor": "0"}
        query = {**asked.query, **{key: value for key, value in first.items() if key in asked.query}}
        said = good(Asked(asked.method, asked.path, query, asked.headers, asked.body))
        if "pagination" in said.content and "total" in said.content["pagination"]:
            said.content["pagination"]["total"] = 10**6
        return said

    stream = import_module(PLATFORMS[platform]).STREAMS[STREAMS[platform]].model_copy(update={"max_pages": 20})
    assert reason(platform, again, tmp_path, feed=stream) == "incomplete"


@pytest.mark.parametrize("platform", ["samsara", "motive", "fleetio"])
def test_a_page_that_is_missing_after_the_first_is_incomplete(platform: str, tmp_path: Path) -> None:
    pages = [0]

    def second_fails(asked: Asked) -> Answer | None:
        pages[0] += 1
        return None if pages[0] == 1 else Answer({}, 500)

    assert reason(platform, instead(platform, second_fails), tmp_path) == "incomplete"


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "0.02"}], ids=["none", "zero", "part"])
@pytest.mark.parametrize("platform", STREAMS)
def test_a_collection_waits_when_told_so_and_goes_on(platform: str, headers: dict[str, str], tmp_path: Path) -> None:
    left = [Answer({}, 429, headers)]
    items = collected(platform, instead(platform, lambda asked: left.pop() if left else None), tmp_path)
    assert p.records(items) or p.components(items)


@pytest.mark.parametrize("platform", LISTS)
def test_a_key_that_stands_twice_with_two_values_is_not_known(platform: str, tmp_path: Path) -> None:
    """Of two times for one record nobody knows which one is true."""
    good = fake(platform)
    name = {
        "samsara": b'"time": "',
        "geotab": b'"dateTime": "',
        "motive": b'"located_at": "',
        "fleetio": b'"updated_at": "',
    }

    def twice(asked: Asked) -> Answer | None:
        body = json.dumps(good(asked).content).encode()
        other = name[platform] + b'2031-01-01T00:00:00Z", '
        return Answer(body.replace(name[platform], other + name[platform]))

    found = p.records(collected(platform, lambda asked: good(asked) if signs_in(asked) else twice(asked), tmp_path))
    assert found
    assert all(each.time is None for each in found)


STRANGE = [None, "", "n/a", -1, 1e308, True, [], {}, ["x"], {"x": 1}, 10**30, math.nan, math.inf, "9999-12-31",
           "0001-01-01T00:00:00Z", "2050-01-01T00:00:00Z", "11/20/2026", "\x00", "<html>", "x" * 10_000]  # fmt: skip


@pytest.mark.parametrize("platform", STREAMS)
def test_strange_values_anywhere_crash_nothing_and_date_nothing_wrong(platform: str, tmp_path: Path) -> None:
    """Each leaf of the answers replaced by what it should never be, some at a time; the others stay what they are."""
    rng = random.Random(8)
    good = fake(platform)

    def spoiled(asked: Asked) -> Answer:
        said = good(asked)
        if signs_in(asked) or isinstance(said.content, bytes):
            return said
        content = copy.deepcopy(said.content)
        for holder, key in rng.sample(places := list(leaves(content)), min(3, len(places))):
            holder[key] = rng.choice(STRANGE)
        return Answer(content, said.status, said.headers)

    for _ in range(25):
        try:
            items = collected(platform, spoiled, tmp_path)
        except PollError:
            continue
        for each in p.records(items):
            assert isinstance(each, Record)
            assert not isinstance(each.time, float) or 946_684_800 <= each.time < 2_524_608_000


def leaves(content: Any) -> Iterator[tuple[Any, Any]]:
    """Where each value that is no list and no object stands."""
    below = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in list(below):
        if isinstance(value, dict | list):
            yield from leaves(value)
        yield content, key


@pytest.mark.parametrize(
    "answer", [Answer({}, 500), Answer(b"<html>"), Answer({"error": "invalid"}, 400), Answer({}, 401)]
)
@pytest.mark.parametrize("platform", ["geotab", "verizon_connect"])
def test_a_log_in_that_fails_is_an_error(platform: str, answer: Answer, tmp_path: Path) -> None:
    script: p.Fake = lambda asked: answer if signs_in(asked) else Answer({}, 418)  # noqa: E731
    assert reason(platform, script, tmp_path) in ("auth", "bad_reply", "server_error")


def test_a_token_that_is_refused_later_is_taken_again(tmp_path: Path) -> None:
    made, asked_before = p.VerizonConnect(), [0]

    def second_refused(asked: Asked) -> Answer:
        if signs_in(asked):
            return made(asked)
        asked_before[0] += 1
        return Answer({}, 401) if asked_before[0] == 2 else made(asked)

    assert len(p.records(collected("verizon_connect", second_refused, tmp_path))) == 2
    assert made.tokens == 2
