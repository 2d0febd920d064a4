"""What the drill's pages accept and give away, and a whole drill by plain forms, without any script."""

from __future__ import annotations

import html
import http.client
import json
import logging
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urljoin

import bcrypt
import pytest
from tests.drills.rehearsal import TOKEN, Box

from yardlight.server import Server

LINK = f"/drills/go/{TOKEN}"
ALERT = {"status": "firing", "labels": {"alertname": "TerminalOnStandby", "drill": "active"}}


@dataclass
class Browser:
    """One that knows forms, redirects and cookies, and nothing else."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    status: int = 0
    body: str = ""
    address: str = "/"
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, fields: dict[str, str] | None = None, **headers: str) -> Browser:
        """One request, with whatever redirect it leads to."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if fields is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body=urlencode(fields) if fields is not None else None, headers=sent)
        answer = connection.getresponse()
        self.status, self.body, self.address = answer.status, answer.read().decode(), path
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        connection.close()
        for cookie in (value for name, value in answer.getheaders() if name.lower() == "set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return self.ask("GET", urljoin(path, self.headers["location"])) if self.status == 303 else self

    def submit(self, label: str, **typed: str) -> Browser:
        """Press the button with these words, in its form."""
        form, button = next(
            (form, found)
            for form in re.findall(r"<form.*?</form>", self.body, re.DOTALL)
            for found in re.findall(r"<button[^>]*>[^<]*</button>", form)
            if html.unescape(found).endswith(f">{label}</button>")
        )
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
        fields |= dict(re.findall(r'name="(\w+)" value="([^"]*)"', button))
        action = re.search(r'action="([^"]*)"', form)
        return self.ask("POST", urljoin(self.address, action[1] if action else ""), {**fields, **typed})

    def reload(self) -> Browser:
        """What a browser without script does by itself."""
        assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', self.body)
        return self.ask("GET", self.address)

    @property
    def heading(self) -> str:
        (found,) = re.findall(r"<h1[^>]*>(.*?)</h1>", self.body)
        return html.unescape(found)


@pytest.fixture
def browser(port: int) -> Browser:
    return Browser(port)


def test_a_drill_is_done_without_any_script(box: Box, browser: Browser) -> None:
    browser.ask("GET", LINK).submit("Open the drill", who="Maria")
    assert browser.heading == "Ready to start?"
    assert browser.submit("Start the drill").submit("Cable pulled").heading == "Wait for LTE"
    assert browser.reload().heading == "Wait for LTE"
    box.do("yard", "on-standby")
    assert browser.reload().heading == "Does dispatch open?"
    assert browser.submit("Yes, it opens").submit("Cable is back in").heading == "The drill passed"
    assert "http-equiv" not in browser.body
    assert [press[:2] for press in box.session.presses] == [
        ("approve", "approve"), ("cut", "done"), ("dispatch", "yes"), ("restore", "done"),
    ]  # fmt: skip


def test_looking_at_a_link_opens_nothing(box: Box, browser: Browser) -> None:
    browser.ask("GET", LINK)
    assert browser.status == 200
    assert box.opened == 0
    assert not browser.cookies


def test_a_wrong_link_is_refused_in_words(box: Box, browser: Browser) -> None:
    browser.ask("GET", "/drills/go/nothing-here").submit("Open the drill", who="Maria")
    assert browser.status == 410
    assert "make one with `yardlight drill link`" in browser.body
    assert not browser.cookies


def test_a_browser_without_the_cookie_sees_nothing_and_presses_nothing(box: Box, browser: Browser) -> None:
    for method, path in (
        ("GET", "/drills/run/"),
        ("GET", "/drills/run/changes?revision=1"),
        ("POST", "/drills/run/press"),
    ):
        assert browser.ask(method, path, {} if method == "POST" else None).status == 403
        assert "Frontier" not in browser.body
    assert not box.session.presses


def test_a_press_from_another_page_is_refused(box: Box, browser: Browser) -> None:
    browser.ask("GET", LINK).submit("Open the drill", who="Maria")
    for key in ({}, {"key": ""}, {"key": "guessed"}, {"key": "ü"}):
        assert browser.ask("POST", "/drills/run/press", {"step": "approve", "choice": "approve", **key}).status == 403
    assert not box.session.presses


def test_the_cookie_is_for_this_site_alone_and_no_script_reads_it(browser: Browser) -> None:
    browser.ask("GET", LINK)
    connection = http.client.HTTPConnection("127.0.0.1", browser.port)
    connection.request("POST", LINK, body="who=Maria", headers={"Content-Type": "application/x-www-form-urlencoded"})
    cookie = connection.getresponse().getheader("Set-Cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie


def test_the_token_is_in_no_page_no_log_and_no_referrer(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        browser.ask("GET", LINK)
        seen = [browser.body, str(browser.headers)]
        assert browser.headers["referrer-policy"] == "no-referrer"
        browser.submit("Open the drill", who="Maria")
        seen += [browser.body, str(browser.headers), browser.address]
        browser.submit("Start the drill")
        seen += [browser.body, str(browser.headers), browser.address]
        browser.ask("PUT", LINK)
        browser.ask("POST", f"{LINK}x", {"who": "Maria"})
    assert not [text for text in seen if TOKEN in text]
    assert TOKEN not in caplog.text
    assert browser.headers["cache-control"] == "no-store"


def test_a_page_that_was_left_open_skips_no_step(box: Box, browser: Browser) -> None:
    browser.ask("GET", LINK).submit("Open the drill", who="Maria").submit("Start the drill")
    old = browser.body
    browser.submit("Cable pulled")
    browser.body, browser.address = old, "/drills/run/"
    assert browser.submit("Cable pulled").heading == "Wait for LTE"
    assert box.session.presses.count(("cut", "done", "Maria", "")) == 1


def test_the_page_runs_nothing_but_its_own_script_and_loads_nothing_from_elsewhere(browser: Browser) -> None:
    browser.ask("GET", LINK).submit("Open the drill", who="Maria")
    policy = browser.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert re.findall(r"<script[^>]*>", browser.body) == ['<script src="page.js" defer>']
    assert not re.findall(r"https?://", browser.body)


def test_a_name_is_shortened_and_never_missing(box: Box, browser: Browser) -> None:
    browser.ask("POST", LINK, {"who": f"  Maria \n {'x' * 200}"}).submit("Start the drill")
    assert box.session.presses[0][2] == f"Maria {'x' * 54}"
    box.do("go", phase="approve", step="again", buttons=box.session.screen().buttons)
    other = Browser(browser.port)
    other.ask("POST", LINK, {"take": "yes"}).submit("Stop and restore")
    assert box.session.presses[-1][2] == "phone"


def test_notices_of_the_drill_receiver_are_handed_on_and_other_things_refused(box: Box, browser: Browser) -> None:
    def post(body: bytes) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", browser.port)
        connection.request("POST", "/drills/notice", body=body, headers={"Content-Type": "application/json"})
        return connection.getresponse().status

    assert post(json.dumps({"alerts": [ALERT]}).encode()) == 200
    assert [notice["alerts"] for notice in box.notices] == [[ALERT]]
    bad = (b"", b"{", b"[]", b'{"alerts": 1}', b'{"alerts": [1]}', b'{"alerts": [{"labels": 5}]}', b"[" * 200_000)
    assert [post(body) for body in bad] == [400] * len(bad)
    assert post(b"x" * 1_000_001) == 413
    assert len(box.notices) == 1


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=nope", "multipart/form-data"])
def test_a_form_that_is_none_is_refused_without_a_word_in_the_log(
    browser: Browser, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", browser.port)
    connection.request("POST", LINK, body=b"who=x", headers={"Content-Type": kind})
    assert connection.getresponse().status == 400
    assert not caplog.records


def test_a_link_needs_no_password_and_everything_else_keeps_it(box: Box, tmp_path: Path) -> None:
    web_config = tmp_path / "web.yml"
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    web_config.write_text(f"basic_auth_users: {{prometheus: '{hashed}'}}\n")
    server = Server(box, "127.0.0.1:0", web_config, drills=box)
    server.start()
    try:
        browser = Browser(server.port)
        browser.ask("GET", LINK).submit("Open the drill", who="Maria")
        assert browser.heading == "Ready to start?"
        assert browser.ask("GET", "/drills/run/page.js").status == 200
        for path in (
            "/metrics",
            "/",
            "/drills/go/../../metrics",
            "/drills/go/%2e%2e/%2e%2e/metrics",
            "/drills/run/../../",
        ):
            assert browser.ask("GET", path).status in (401, 404)
        assert browser.ask("POST", "/drills/notice", {}).status == 401
    finally:
        server.stop()
