"""Whatever a vendor does, the client ends with an answer or with the one reason why there is none."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vendor import Answer, Asked, Vendor, encrypted
from yardlight import client as under_test
from yardlight.client import Client, Headers, Reply, Token, bearer, client_credentials, granted, retry_after, seconds_of
from yardlight.collection import Session
from yardlight.errors import (
    AuthError,
    BadReplyError,
    BudgetError,
    ForbiddenError,
    ForeignLinkError,
    IncompleteError,
    NotThereError,
    PollError,
    RefusedError,
    ServerError,
    ThrottledError,
    TlsError,
    TooLargeError,
    UnreachableError,
)
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.values import Secret

TOKEN = "canary-token-4711"


def session(seconds: float = 30.0, **more: Any) -> Session:
    return Session(time.monotonic() + seconds, **more)


def asking(url: str, whose: Session | None = None, token: str = TOKEN, **options: Any) -> Client:
    config = AccountConfig.model_validate({"url": url, "rate": "1000/s", **options})
    return Client(whose or session(), config, "https://api.example.com", bearer(Secret(token)))


def one_by_one(*answers: Answer) -> Callable[[Asked], Answer]:
    """These answers in turn, the last one for ever."""
    turn = itertools.chain(answers, itertools.repeat(answers[-1]))
    return lambda asked: next(turn)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "_FIRST_WAIT", 0.01)


def test_an_answer_is_read_whole_and_the_request_carried_the_token_and_was_counted() -> None:
    spent = session()
    with Vendor(lambda asked: Answer({"ok": True})) as vendor:
        reply = asking(vendor.url, spent).get("/devices/{id}", {"page": 2}, {"id": "a b/c"})
    [asked] = vendor.asked
    assert reply.json() == {"ok": True}
    assert (asked.path, asked.query) == ("/devices/a%20b%2Fc", {"page": "2"})
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert spent.requests == {"200": 1}


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        (Answer({}, 401), AuthError, "GET /x: status 401; the credentials are not accepted"),
        (Answer({}, 403), ForbiddenError, "GET /x: status 403; the account may not read this"),
        (Answer({}, 400), RefusedError, "GET /x: status 400"),
        (Answer({}, 404), NotThereError, "GET /x: status 404"),
        (Answer({}, 500), ServerError, "GET /x: status 500"),
        (Answer(b"<html>", 200), BadReplyError, "GET /x: no JSON in an answer of 6 bytes, application/json"),
        (Answer(b'{"a": [1, 2'), BadReplyError, "GET /x: no JSON in an answer of 11 bytes, application/json"),
        (Answer(None), BadReplyError, "GET /x: no JSON in an answer of 4 bytes, application/json"),
        (Answer(b"[" * 100_000), BadReplyError, "GET /x: no JSON in an answer of 100000 bytes, application/json"),
        (
            Answer(b"no gzip at all", headers={"Content-Encoding": "gzip"}),
            BadReplyError,
            "GET /x: packed in a way that cannot be unpacked",
        ),
        (
            Answer({}, 302, {"Location": "http://127.0.0.2:1/x"}),
            ForeignLinkError,
            "GET /x: leads to http://127.0.0.2, not to ",
        ),
        (Answer({}, 302, {"Location": "/x"}), BadReplyError, "GET /x: redirected more than 3 times"),
    ],
)
@pytest.mark.parametrize("read", [Reply.json, Reply.quick_json])
def test_each_kind_of_bad_answer_has_its_own_reason(
    answer: Answer, error: type[PollError], text: str, read: Callable[[Reply], Any]
) -> None:
    with Vendor(lambda asked: answer) as vendor, pytest.raises(PollError) as caught:
        read(asking(vendor.url).get("/x"))
    assert type(caught.value) is error
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("read", [Reply.json, Reply.quick_json])
def test_a_name_cut_in_the_middle_of_a_picture_is_text_that_can_be_shown(read: Callable[[Reply], Any]) -> None:
    said = {"name": "Ana \ud83d", "\udc00": ["whole \U0001f69a", 10**20, 0.1]}
    with Vendor(lambda asked: Answer(said)) as vendor:
        content = read(asking(vendor.url).get("/x"))
    assert content == {"name": "Ana ?", "?": ["whole \U0001f69a", 10**20, 0.1]}


def test_an_answer_that_breaks_off_is_tried_once_more_and_then_unreachable() -> None:
    def half() -> Iterator[bytes]:
        yield b"x"

    with Vendor(lambda asked: Answer(half(), headers={"Content-Length": "9"})) as vendor:
        with pytest.raises(UnreachableError, match=r"^GET /x: cut off in the middle of the answer$"):
            asking(vendor.url).get("/x")
        assert len(vendor.asked) == 2


def test_a_redirect_to_another_host_is_not_followed_and_no_credential_gets_there() -> None:
    with Vendor(lambda asked: Answer({})) as other:
        away = Answer({}, 307, {"Location": other.url + "/steal"})
        with Vendor(lambda asked: away) as vendor, pytest.raises(ForeignLinkError):
            asking(vendor.url).get("/x")
        assert other.asked == []


def test_a_redirect_within_the_host_is_followed() -> None:
    def script(asked: Asked) -> Answer:
        return Answer({"at": asked.path}) if asked.path == "/new" else Answer({}, 301, {"Location": "/new"})

    with Vendor(script) as vendor:
        assert asking(vendor.url).get("/old").json() == {"at": "/new"}


def test_nothing_listens_is_unreachable_and_says_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match=r"^GET /x: refused$"):
        asking(f"http://127.0.0.1:{port}").get("/x")


def test_a_name_without_address_is_unreachable_and_says_so() -> None:
    with pytest.raises(UnreachableError, match=r"^GET /x: no (address for the name|connection)$"):
        asking("https://no-such-host.invalid").get("/x")


@pytest.mark.needs("openssl")
def test_a_self_signed_certificate_is_a_tls_error_and_trusted_where_its_file_is_named(tmp_path: Path) -> None:
    with Vendor(lambda asked: Answer({"ok": 1})) as vendor:
        url = encrypted(vendor, tmp_path)
        with pytest.raises(TlsError, match=r"^GET /x: a certificate that is signed by itself$"):
            asking(url).get("/x")
        ours = session(base=tmp_path)
        assert asking(url, ours, ca_file="server.pem").get("/x").json() == {"ok": 1}
        # It is remembered when that certificate ends.
        assert ours.tls_ends == pytest.approx(time.time() + 2 * 86400, abs=300)


def test_an_answer_that_never_ends_is_cut_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MAX_BYTES", 2**20)
    endless = Answer(itertools.repeat(b"x" * 65536))
    with Vendor(lambda asked: endless) as vendor, pytest.raises(TooLargeError, match=r"more than 1 MiB"):
        asking(vendor.url).get("/x")


def test_a_gzip_bomb_is_cut_at_the_limit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(under_test, "MAX_BYTES", 2**20)
    bomb = Answer(gzip.compress(bytes(2**26)), headers={"Content-Encoding": "gzip"})
    with Vendor(lambda asked: bomb) as vendor, pytest.raises(TooLargeError):
        asking(vendor.url).get("/x")


@pytest.mark.parametrize("header", [{"Retry-After": "0"}, {"Retry-After": "0.01"}, {}])
def test_who_is_told_to_wait_waits_and_asks_again(header: dict[str, str]) -> None:
    spent = session()
    with Vendor(
        one_by_one(Answer({}, 429, header), Answer({}, 503, {"Retry-After": "0"}), Answer({"ok": 1}))
    ) as vendor:
        assert asking(vendor.url, spent).get("/x").json() == {"ok": 1}
    assert spent.requests == {"429": 1, "503": 1, "200": 1}


def test_a_wait_longer_than_the_collection_ends_it_and_tells_for_how_long() -> None:
    busy = Answer({}, 429, {"Retry-After": "600"})
    with Vendor(lambda asked: busy) as vendor, pytest.raises(ThrottledError, match="600 s to wait") as caught:
        asking(vendor.url).get("/x")
    assert caught.value.retry_after == 600.0
    assert len(vendor.asked) == 1


def test_a_platforms_own_spelling_of_too_many_requests_is_heard_in_an_answer_of_success() -> None:
    whose = session()

    def throttled(reply: Any) -> float | None:
        return 0.0 if b"OverLimit" in reply.body else None

    with Vendor(one_by_one(Answer({"error": "OverLimitException"}), Answer({"ok": 1}))) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        assert Client(whose, config, vendor.url, None, throttled).get("/x").json() == {"ok": 1}


def test_a_read_that_found_the_vendor_down_for_a_moment_is_tried_once_more() -> None:
    with Vendor(one_by_one(Answer({}, 502), Answer({"ok": 1}))) as vendor:
        assert asking(vendor.url).get("/x").json() == {"ok": 1}
    with Vendor(one_by_one(Answer({}, 502))) as vendor:
        with pytest.raises(ServerError):
            asking(vendor.url).get("/x")
        assert len(vendor.asked) == 2


def test_a_token_is_taken_once_renewed_before_it_ends_and_once_more_when_refused() -> None:
    taken = itertools.count()
    lives = iter([100.0, 0.0, 100.0, 100.0])

    def take() -> tuple[dict[str, str], float | None]:
        return {"Authorization": f"Bearer {next(taken)}"}, next(lives)

    def script(asked: Asked) -> Answer:
        return Answer({}, 401) if asked.headers["authorization"] == "Bearer 0" and len(vendor.asked) > 2 else Answer({})

    with Vendor(script) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        client = Client(session(), config, vendor.url, Token(take))
        for _ in range(4):
            client.get("/x")
    seen = [asked.headers["authorization"][-1] for asked in vendor.asked]
    # 0 twice, refused the third time, 1 lives for nothing, so 2 is taken for the last.
    assert seen == ["0", "0", "0", "1", "2"]


def test_a_fresh_token_that_is_refused_is_not_asked_for_again() -> None:
    def take() -> tuple[dict[str, str], float | None]:
        return {"Authorization": "Bearer x"}, 60.0

    with Vendor(one_by_one(Answer({}, 401))) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        with pytest.raises(AuthError):
            Client(session(), config, vendor.url, Token(take)).get("/x")
        assert len(vendor.asked) == 1


def test_an_answer_without_content_has_none() -> None:
    with Vendor(lambda asked: Answer(b"", 204)) as vendor:
        assert asking(vendor.url).get("/x").json() is None


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer({"error": "invalid_grant"}, 400), AuthError),
        (Answer({}, 401), AuthError),
        (Answer({"access_token": ""}), AuthError),
        (Answer([]), AuthError),
        (Answer(b"<html>"), BadReplyError),
        (Answer({}, 500), ServerError),
    ],
)
def test_what_is_no_token_is_a_matter_of_credentials_only_where_the_vendor_says_so(
    answer: Answer, error: type[PollError]
) -> None:
    whose = session()
    with Vendor(lambda asked: answer) as vendor:
        plain = Client(whose, AccountConfig(url=vendor.url), vendor.url)
        with pytest.raises(error):
            granted(whose, plain, "/token", dict)()


@pytest.mark.parametrize("token", ["tok\u0663en", "\U0001f4a5", "two\nlines", "\ufffd"])
def test_a_token_that_no_header_can_carry_is_a_matter_of_credentials_and_nothing_is_sent(token: str) -> None:
    with Vendor(lambda asked: Answer({})) as vendor:
        with pytest.raises(AuthError, match="characters that no header can carry") as error:
            asking(vendor.url, token=token).get("/sims")
        assert token not in str(error.value)
        assert vendor.asked == []


def test_client_credentials_are_exchanged_for_a_token_which_is_masked_from_then_on() -> None:
    def script(asked: Asked) -> Answer:
        if asked.path == "/token":
            good = asked.form == {"grant_type": "client_credentials", "client_id": "abc", "client_secret": "s3cret"}
            return Answer(
                {"access_token": "fresh-token", "expires_in": "60"} if good else {"error": "no"}, 200 if good else 400
            )
        return Answer({"seen": asked.headers["authorization"]})

    whose = session()
    with Vendor(script) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        plain = Client(whose, config, vendor.url)
        token = Token(client_credentials(whose, plain, "/token", {"client_id": "abc"}, Secret("s3cret")))
        assert Client(whose, config, vendor.url, token).get("/x").json() == {"seen": "Bearer fresh-token"}
        wrong = Token(client_credentials(whose, plain, "/token", {"client_id": "abc"}, Secret("wrong")))
        with pytest.raises(AuthError):
            Client(whose, config, vendor.url, wrong).get("/x")
    assert whose.mask("got fresh-token and 8901260852290847433") == "got *** and ***"


def test_pages_are_followed_by_link_and_by_parameter_to_the_end() -> None:
    def script(asked: Asked) -> Answer:
        page = int(asked.query.get("page", "1"))
        return Answer({"page": page, "next": f"/list?page={page + 1}" if page < 3 else None})

    with Vendor(script) as vendor:
        linked = asking(vendor.url).pages("/list", None, lambda content, reply: content["next"])
        assert [content["page"] for content in linked] == [1, 2, 3]
        counted = asking(vendor.url).pages(
            "/list", {"page": 1}, lambda content, reply: {"page": content["page"] + 1} if content["next"] else None
        )
        assert [content["page"] for content in counted] == [1, 2, 3]


def test_a_next_page_on_another_host_is_not_fetched() -> None:
    with Vendor(lambda asked: Answer({"next": "https://evil.example.com/list?page=2"})) as vendor:
        pages = asking(vendor.url).pages("/list", None, lambda content, reply: content["next"])
        with pytest.raises(ForeignLinkError, match=r"leads to https://evil\.example\.com"):
            list(pages)
        assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("https://API.example.com:443/list?page=2", True),
        ("https://api.example.com/list?page=2", True),
        ("https://api.example.com:8443/list", False),
        ("http://api.example.com:443/list", False),
        ("http://api.example.com:80/list", False),
        ("https://api.example.com:443@evil.example.com/list", False),
        ("https://somebody@api.example.com/list", False),
        ("https://api.example.com.evil.example.com/list", False),
    ],
)
def test_a_link_to_the_same_host_may_name_the_port_that_is_meant_anyway(link: str, own: bool) -> None:
    client = asking("https://api.example.com")
    if own:
        assert client._own(link, "GET /list") == link
    else:
        with pytest.raises(ForeignLinkError):
            client._own(link, "GET /list")


def test_pages_that_lead_in_a_circle_are_incomplete_and_not_endless() -> None:
    circle = Answer({"next": "/list?page=2"})
    with Vendor(lambda asked: circle) as vendor, pytest.raises(IncompleteError, match="one that was there before"):
        list(asking(vendor.url).pages("/list", None, lambda content, reply: content["next"]))


def test_a_later_page_that_cannot_be_had_is_incomplete_and_its_address_is_not_told() -> None:
    for broken in (Answer({}, 500), Answer(b"<html>")):
        answers = iter([Answer({"next": f"/list?skiptoken={TOKEN}"}), broken])
        with Vendor(lambda asked, turn=answers: next(turn)) as vendor, pytest.raises(IncompleteError) as caught:  # type: ignore[misc]
            list(asking(vendor.url).pages("/list", None, lambda content, reply: content["next"]))
        assert str(caught.value).startswith("GET /list: ")
        assert str(caught.value).endswith(", page 2")


def test_a_next_page_that_is_named_by_half_of_a_letter_cannot_be_had() -> None:
    with Vendor(lambda asked: Answer({"items": []})) as vendor:
        pages = asking(vendor.url).pages("/list", None, lambda content, reply: {"after": "\ud800"})
        with pytest.raises(IncompleteError, match="half of a letter"):
            list(pages)


def test_no_request_is_made_that_the_budget_does_not_pay_for() -> None:
    with Vendor(lambda asked: Answer({})) as vendor:
        client = asking(vendor.url, session(allowance=2))
        client.get("/x")
        client.get("/x")
        with pytest.raises(BudgetError):
            client.get("/x")
        assert len(vendor.asked) == 2


def test_requests_keep_the_rate_from_the_first_one_on() -> None:
    with Vendor(lambda asked: Answer({})) as vendor:
        began = time.monotonic()
        client = asking(vendor.url, rate="10/s")
        for _ in range(5):
            client.get("/x")
        assert time.monotonic() - began >= 0.5


def test_credentials_in_the_home_folder_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Vendor(lambda asked: Answer({})) as vendor:
        asking(vendor.url).get("/x")
    assert vendor.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_no_error_of_the_client_holds_the_token_the_query_or_what_filled_the_path() -> None:
    iccid = "89012608522908474330"
    for answer in (
        Answer({}, 401),
        Answer({}, 500),
        Answer({}, 302, {"Location": "http://127.0.0.9/?t=1"}),
        Answer(b"<"),
    ):
        with Vendor(one_by_one(answer)) as vendor, pytest.raises(PollError) as caught:
            asking(vendor.url).get("/sims/{iccid}", {"key": TOKEN}, {"iccid": iccid}).json()
        assert TOKEN not in str(caught.value)
        assert iccid not in str(caught.value)
        assert "/sims/{iccid}" in str(caught.value)


def test_a_header_of_a_key_prints_as_stars() -> None:
    assert "abc" not in repr(Headers({"X-Key": Secret("abc")}))


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [("30", 30.0), ("0.25", 0.25), (None, None), ("soon", None), ("-5", 0.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 40.0)],
)
def test_a_time_to_wait_is_read_in_every_spelling(raw: str | None, seconds: float | None) -> None:
    assert retry_after(raw, 60.0) == seconds


@given(st.text())
def test_no_retry_after_breaks_the_client(raw: str) -> None:
    found = retry_after(raw, 0.0)
    assert found is None or 0.0 <= found < float("inf")


@given(st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.just(10**400), st.lists(st.integers())))
def test_no_lifetime_breaks_the_client(raw: Any) -> None:
    found = seconds_of(raw)
    assert found is None or found >= 0.0


def test_plain_http_to_another_machine_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="would send credentials unprotected; write https://"):
        AccountConfig.model_validate({"url": "http://api.example.com"})


@pytest.mark.parametrize(("raw", "rate"), [("5/s", 5.0), ("100/m", 100 / 60), ("4000/20s", 200.0), (" 0.5 / s ", 0.5)])
def test_a_rate_is_requests_per_time(raw: str, rate: float) -> None:
    assert AccountConfig.model_validate({"rate": raw}).rate == pytest.approx(rate)


@pytest.mark.parametrize("raw", ["5", "5/d", "0/s", "5/0s", "fast", "", json.dumps({})])
def test_anything_else_is_no_rate(raw: str) -> None:
    with pytest.raises(ValueError, match="is not a rate; write requests per time: 5/s, 100/m, 4000/20s"):
        AccountConfig.model_validate({"rate": raw})


def test_requests_that_are_late_on_the_way_are_never_more_than_the_rate_in_any_second() -> None:
    """The first is slow to arrive: sent evenly, six would be heard within a second."""
    heard: list[float] = []

    def script(asked: Asked) -> Answer:
        if not heard:
            time.sleep(0.15)
        heard.append(time.monotonic())
        return Answer({})

    with Vendor(script) as vendor:
        client = Client(session(), AccountConfig(url=vendor.url, rate="5/s"), "https://unused.example")
        for _ in range(8):
            client.get("/x")
    assert all(later - earlier >= 1.0 for earlier, later in zip(heard, heard[5:], strict=False))


def numbered_pages(asked: Asked) -> Answer:
    """Pages without an end, each with its number."""
    page = int(asked.query.get("page", "1"))
    return Answer({"page": page, "next": f"/list?page={page + 1}"})


def listed(client: Client, **more: Any) -> Generator[Any, None, None]:
    pages = client.pages("/list", None, lambda content, reply: content["next"], **more)
    assert isinstance(pages, Generator)
    return pages


def until(what: Callable[[], bool]) -> None:
    """Wait for it, a minute at most."""
    ends = time.monotonic() + 60.0
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_the_next_page_is_asked_for_while_something_is_made_of_this_one() -> None:
    with Vendor(numbered_pages) as vendor:
        pages = listed(asking(vendor.url))
        for number in range(1, 4):
            assert next(pages)["page"] == number
            until(lambda number=number: len(vendor.asked) == number + 1)  # type: ignore[misc]
        pages.close()
        assert len(vendor.asked) == 4


def test_who_has_no_use_for_more_pages_has_none_asked_for_that_was_not_yet() -> None:
    with Vendor(numbered_pages) as vendor:
        client = asking(vendor.url, rate="5/s")
        pages = listed(client)
        next(pages)
        pages.close()
        client.get("/other")
        client.get("/other")
        assert [asked.path for asked in vendor.asked] == ["/list", "/other", "/other"]


def test_a_request_is_counted_though_nobody_waits_for_its_answer() -> None:
    leave = threading.Event()

    def hangs(asked: Asked) -> Answer:
        if "page" in asked.query:
            leave.wait(60.0)
        return numbered_pages(asked)

    whose = session(allowance=10)
    with Vendor(hangs) as vendor:
        pages = listed(asking(vendor.url, whose))
        next(pages)
        until(lambda: len(vendor.asked) == 2)
        pages.close()
        assert (whose.requests, whose.allowance) == ({"200": 1, "none": 1}, 8)
        leave.set()
        until(lambda: whose.requests == {"200": 2})


def test_a_page_that_was_asked_for_early_and_refused_is_asked_for_again_as_any_other() -> None:
    token = iter(range(1, 10))

    def script(asked: Asked) -> Answer:
        if asked.query.get("page") == "2" and not refused:
            refused.append(asked)
            return Answer({}, 401)
        if asked.query.get("page") == "3" and not busy:
            busy.append(asked)
            return Answer({}, 429, {"Retry-After": "0.01"})
        return numbered_pages(asked)

    refused: list[Asked] = []
    busy: list[Asked] = []
    with Vendor(script) as vendor:
        config = AccountConfig.model_validate({"url": vendor.url, "rate": "1000/s"})
        client = Client(session(), config, "", Token(lambda: ({"Authorization": f"Bearer {next(token)}"}, None)))
        found = [page["page"] for page in itertools.islice(listed(client), 4)]
    assert found == [1, 2, 3, 4]
    assert [asked.headers["authorization"] for asked in vendor.asked[:3]] == ["Bearer 1", "Bearer 1", "Bearer 2"]


def test_no_page_is_asked_for_beyond_the_limit_nor_one_that_the_budget_does_not_pay_for() -> None:
    with Vendor(numbered_pages) as vendor:
        with pytest.raises(IncompleteError, match="more than 2 pages"):
            list(listed(asking(vendor.url), limit=2))
        assert len(vendor.asked) == 2
        pages = listed(asking(vendor.url, session(allowance=1)))
        assert next(pages)["page"] == 1
        with pytest.raises(BudgetError):
            next(pages)
        assert len(vendor.asked) == 3


def test_a_page_that_the_deadline_leaves_no_time_for_is_not_asked_for() -> None:
    with Vendor(numbered_pages) as vendor:
        pages = listed(asking(vendor.url, session(seconds=5.0), rate="20/m"))
        assert next(pages)["page"] == 1
        with pytest.raises(ThrottledError, match="and the collection ends before"):
            next(pages)
        assert len(vendor.asked) == 1


def test_who_asks_something_between_two_pages_has_one_request_under_way_all_the_same() -> None:
    at_once: list[int] = []
    busy = threading.Lock()

    def script(asked: Asked) -> Answer:
        at_once.append(1 if busy.acquire(blocking=False) else 2)
        time.sleep(0.005)
        if at_once[-1] == 1:
            busy.release()
        return numbered_pages(asked)

    with Vendor(script) as vendor:
        client = asking(vendor.url)
        for _ in itertools.islice(listed(client), 10):
            client.get("/of-one")
    assert set(at_once) == {1}
    assert sum(asked.path == "/of-one" for asked in vendor.asked) == 10
