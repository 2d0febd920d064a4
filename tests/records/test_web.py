"""Records by the form: login, key, audit, and the whole of it in headless Chromium."""

from __future__ import annotations

import asyncio
import base64
import http.client
import re
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import bcrypt
import pytest

from tests.records.world import ELD, World, days, today
from yardlight import journal
from yardlight.records.web import Shelf
from yardlight.server import Server

LAST = today() - timedelta(days=1)
FIRST = LAST - timedelta(days=19)
LOGIN = "ann:secret"


class Process:
    """What the server asks, with a loop of its own: one fleet and its files."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def shelves(self) -> list[Shelf]:
        folder = self._world.folder
        return [Shelf(self._world.fleet, folder / "fleet.yml", folder / "yardlight.db")]

    def heartbeat(self) -> float:
        return time.monotonic()

    def ready(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        raise AttributeError(name)


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path, f"{ELD}, since: {FIRST}}}", "d101,2020-01-01,,eld\nd102,2020-01-01,,eld\n", fill=False)
    for driver in ("d101", "d102"):
        for day in days(FIRST, LAST):
            made.put(driver, day)
    return made


@pytest.fixture
def port(world: World) -> Iterator[int]:
    hash_ = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    config = world.folder / "web.yml"
    config.write_text(f"basic_auth_users:\n  ann: {hash_}\n  ben: {hash_}\n")
    process = Process(world)
    server = Server(process, "127.0.0.1:0", config, records=process)  # type: ignore[arg-type]
    server.start()
    yield server.port
    server.stop()
    process.close()


def ask(
    port: int,
    method: str,
    path: str,
    login: str = LOGIN,
    fields: dict[str, str] | None = None,
    body: str | None = None,
) -> tuple[int, bytes, str]:
    """Status, content and where it redirects to."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": "Basic " + base64.b64encode(login.encode()).decode()} if login else {}
    if fields is not None:
        body = urlencode(fields)
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.getheader("Location") or ""
    connection.close()
    return found


def form(port: int, login: str = LOGIN, **typed: str) -> dict[str, str]:
    """The fields of the form as filled in."""
    text = ask(port, "GET", "/records/", login)[1].decode()
    [key] = re.findall(r'name="key" value="(\w+)"', text)
    return {"key": key, "fleet": "inland", "drivers": "d101", "vehicles": "", "archive": "eld",
            "first": str(FIRST), "last": str(LAST), "why": "audit 7", **typed}  # fmt: skip


def fetched(port: int, eventually: Callable[..., object], **typed: str) -> tuple[str, str]:
    """The page of a retrieval once it is over, and its path."""
    status, _, where = ask(port, "POST", "/records/", fields=form(port, **typed))
    assert status == 303
    path = f"/records/{where}"
    eventually(lambda: "Packing" not in ask(port, "GET", path)[1].decode(), within=60)
    return ask(port, "GET", path)[1].decode(), path


def test_without_users_the_page_is_off(world: World) -> None:
    process = Process(world)
    server = Server(process, "127.0.0.1:0", records=process)  # type: ignore[arg-type]
    server.start()
    try:
        for method, path in (("GET", "/records/"), ("POST", "/records/"), ("GET", "/records/run/x")):
            status, text, _ = ask(server.port, method, path, login="")
            assert status == 404
            assert b"needs users in the web configuration" in text
    finally:
        server.stop()
        process.close()


def test_who_does_not_log_in_sees_nothing(port: int) -> None:
    for path in ("/records/", "/records/run/x", "/records/run/x/records.zip"):
        assert ask(port, "GET", path, login="")[0] == 401
        assert ask(port, "GET", path, login="ann:wrong")[0] == 401


def test_records_are_fetched_and_every_step_is_in_the_journal(
    port: int, world: World, eventually: Callable[..., object]
) -> None:
    text, path = fetched(port, eventually)
    assert "<h1>Complete</h1>" in text
    status, data, _ = ask(port, "GET", f"{path}/records.zip")
    assert status == 200
    names = zipfile.ZipFile(BytesIO(data)).namelist()
    assert sorted(names) == sorted(
        ["00-COVER.html", "SHA256SUMS", *(f"eld/d101/{day}.csv" for day in days(FIRST, LAST))]
    )
    lines = journal.entries((world.folder / "yardlight-records" / "journal.jsonl").read_bytes())
    assert [(line["what"], line["by"]) for line in lines] == [("asked for", "ann"), ("downloaded", "ann")]
    assert lines[0]["why"] == "audit 7"


def test_results_of_drug_tests_are_in_no_zip_for_which_nobody_ticked_them(port: int, world: World) -> None:
    tests = 'tests: {path: eld, pattern: "{driver}/{date}.pdf", rule: drug-alcohol-1-year, coverage: none}'
    world.write(f"{ELD}, since: {FIRST}}}\n{tests}", "d101,2020-01-01,,eld\n")
    text = ask(port, "GET", "/records/")[1].decode()
    assert 'value="eld" checked' in text
    assert 'value="tests">' in text
    assert "confidential, 49 CFR 382.405: only if it was asked for" in text


def test_what_is_missing_comes_before_all_else(port: int, world: World, eventually: Callable[..., object]) -> None:
    world.path("d101", FIRST).unlink()
    text, _ = fetched(port, eventually)
    assert "<h1>Not complete</h1>" in text
    assert text.index(f"eld: d101 {FIRST}") < text.index("Download the zip")


def test_a_press_from_elsewhere_or_with_anothers_key_is_refused(port: int) -> None:
    for key in ("", "x", form(port, "ben:secret")["key"]):
        assert ask(port, "POST", "/records/", fields=form(port, key=key))[0] == 403


@pytest.mark.parametrize("key", ["\u00e9", "\udcff"])
def test_a_key_of_other_letters_is_refused_like_any_other(port: int, key: str) -> None:
    body = urlencode({**form(port), "key": key}, errors="surrogateescape")
    assert ask(port, "POST", "/records/", body=body)[0] == 403


def test_nothing_is_packed_that_could_not_be_written_down(port: int, world: World) -> None:
    fields = form(port)
    path = world.folder / "yardlight-records" / "journal.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}\n")
    status, text, _ = ask(port, "POST", "/records/", fields=fields)
    assert status == 503
    assert b"line 1 was changed" in text
    assert not (path.parent / "retrievals").exists()


@pytest.mark.parametrize(
    ("says", "told"), [("print(file=sys.stderr)", "without a word"), ("os.abort()", "without a word")]
)
def test_a_process_that_ends_without_a_word_is_told(
    port: int, eventually: Callable[..., object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str, told: str
) -> None:
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport os, sys\n{says}\nsys.exit(1)\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    text, _ = fetched(port, eventually)
    assert told in text


def test_a_process_that_cannot_be_started_is_told(
    port: int, eventually: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    text, _ = fetched(port, eventually)
    assert "no such file or directory" in text


def test_a_retrieval_is_seen_by_the_login_that_asked_only(port: int, eventually: Callable[..., object]) -> None:
    _, path = fetched(port, eventually)
    assert ask(port, "GET", path, "ben:secret")[0] == 404
    assert ask(port, "GET", f"{path}/records.zip", "ben:secret")[0] == 404


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"drivers": " "}, "Name at least one driver or one vehicle"),
        ({"first": "yesterday"}, "Write both days like 2026-02-03"),
        ({"first": str(LAST), "last": str(FIRST)}, "The last day is before the first"),
        ({"why": ""}, "Say what they are for"),
        ({"fleet": "other"}, "There is no such fleet"),
        ({"why": "audit\0"}, "There are characters that cannot be printed"),
        ({"drivers": "d101 \x1b[2J"}, "There are characters that cannot be printed"),
        ({"why": "x" * 2001}, "That is too long"),
    ],
)
def test_a_form_that_is_not_filled_in_says_what_is_missing_and_keeps_the_rest(
    port: int, typed: dict[str, str], told: str
) -> None:
    status, text, _ = ask(port, "POST", "/records/", fields=form(port, **typed))
    assert status == 400
    assert told in text.decode()
    if "fleet" not in typed and "drivers" not in typed:
        assert 'value="d101"' in text.decode()


def test_what_is_typed_is_text_and_no_markup_nor_option(port: int, eventually: Callable[..., object]) -> None:
    text, _ = fetched(port, eventually, drivers="<script>x</script> --help", why="--json")
    assert "<script>" not in text
    assert "--help is not on the roster" in text


def test_an_archive_that_is_none_is_told(port: int, eventually: Callable[..., object]) -> None:
    text, _ = fetched(port, eventually, archive="../../etc")
    assert "Not packed" in text
    assert "there is no archive" in text


@pytest.mark.needs("chromium", "chromedriver")
def test_a_person_fetches_records_with_a_browser(port: int, world: World, tmp_path: Path) -> None:
    pytest.importorskip("selenium")
    from selenium.webdriver.common.by import By

    from tests.drills.phone import Phone, axe

    phone = Phone(tmp_path / "browser")
    try:
        token = base64.b64encode(LOGIN.encode()).decode()
        phone.driver.execute_cdp_cmd("Network.enable", {})
        phone.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Authorization": f"Basic {token}"}})
        phone.driver.get(f"http://127.0.0.1:{port}/records/")
        phone.shows("Records")
        assert axe(phone) == []
        phone.driver.find_element(By.NAME, "drivers").send_keys("d101 d102")
        for name, day in (("first", FIRST), ("last", LAST)):
            phone.driver.execute_script(f"document.getElementsByName('{name}')[0].value = '{day}'")
        phone.driver.find_element(By.NAME, "why").send_keys("audit 7")
        phone.press("Fetch the records")
        phone.shows("Complete")
        assert axe(phone) == []
        assert "40 files in" in phone.text
        assert phone.complaints() == []
        link = phone.driver.find_element(By.LINK_TEXT, "Download the zip").get_attribute("href")
        status, data, _ = ask(port, "GET", str(link).partition(f":{port}")[2])
        assert status == 200
        assert len(zipfile.ZipFile(BytesIO(data)).namelist()) == 42
    finally:
        phone.close()
