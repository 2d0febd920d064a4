"""The one way to a vendor's API: within a deadline, a rate and a number of bytes; every failure one of `PollError`.

What goes wrong at a vendor, goes wrong here: no answer, half an answer, HTML for JSON, "too many requests" in any
spelling, a next page on somebody else's host. Messages name the path as the platform's module wrote it, with its
placeholders, so that neither a secret nor the number of a SIM is in them. Nothing is sent again but a read that found
the vendor busy or the line cut.
"""

from __future__ import annotations

import email.utils
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from yardlight import __version__, quickjson
from yardlight.collection import NO_ANSWER, Session
from yardlight.errors import (
    AuthError,
    BadReplyError,
    ForbiddenError,
    ForeignLinkError,
    IncompleteError,
    NotThereError,
    PollError,
    PollTimeoutError,
    RefusedError,
    ServerError,
    ThrottledError,
    TlsError,
    TooLargeError,
    UnreachableError,
)
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.values import Secret

MAX_BYTES = 64 * 2**20
MAX_PAGES = 20_000
CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
# Of two hours or more nobody knows whether a vendor means it; the poll's own pace is slow enough by then.
LONGEST_WAIT = 3600.0
# A vendor that says "too many" and not for how long.
_FIRST_WAIT = 2.0
_TRIES = 5
_REDIRECTS = 3
_CHUNK = 2**17
_PORTS = {"http": ":80", "https": ":443"}
# A token is renewed so many seconds before it ends.
_EARLY = 10.0

_HALVES = re.compile(rb"\\u[dD][89a-fA-F]")

Params = Mapping[str, Any] | None
Values = Mapping[str, str] | None


@dataclass(frozen=True)
class Reply:
    """An answer: status, headers (names in any case), and the body, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    what: str

    def json(self) -> Any:
        """The body as JSON; None if there is to be none (204). Raises `BadReplyError` for null and for half of it."""
        return self._content(partial(json.loads, parse_int=quickjson.whole))

    def quick_json(self) -> Any:
        """`json` in a third of the time, for answers whose identifiers are texts: a number of 20 digits loses some."""
        return self._content(quickjson.loads)

    def _content(self, loads: Callable[[bytes], Any]) -> Any:
        if self.status == 204:
            return None
        try:
            content = loads(self.body)
        except (ValueError, RecursionError):
            content = None
        if content is None:
            kind = self.headers.get("Content-Type", "no content type").partition(";")[0]
            raise BadReplyError(f"{self.what}: no JSON in an answer of {len(self.body)} bytes, {kind}")
        return _shown(content) if _HALVES.search(self.body) else content


@dataclass(frozen=True)
class _Question:
    """What is asked: all of a request but its authorization."""

    method: str
    url: str = field(repr=False)
    what: str
    params: Params = field(repr=False)
    json: Any = field(repr=False)
    form: Values = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def _shown(content: Any) -> Any:
    """The same with a question mark for half a pair of surrogates: a name cut there is in no encoding."""
    return json.loads(json.dumps(content, ensure_ascii=False).encode(errors="replace"))


def merged(content: Any, change: Mapping[str, Any]) -> dict[str, Any]:
    """An object with something in it changed, in the objects within it too."""
    whole = dict(content) if isinstance(content, Mapping) else {}
    for key, value in change.items():
        whole[key] = merged(whole.get(key), value) if isinstance(value, Mapping) else value
    return whole


class Auth(Protocol):
    """How requests are authorized."""

    def headers(self) -> Mapping[str, str]:
        """What goes into each request. May talk to the vendor, and raises `PollError`."""

    def renew(self) -> bool:
        """The vendor refused what `headers` gave: whether another try has a chance."""


@dataclass(frozen=True)
class Headers:
    """Authorization by headers that stay: API keys, HTTP basic (`basic`), a token from a file (`bearer`)."""

    values: Mapping[str, Secret]

    def headers(self) -> Mapping[str, str]:
        return {name: value.reveal() for name, value in self.values.items()}

    def renew(self) -> bool:
        return False


def bearer(token: Secret) -> Headers:
    """`Authorization: Bearer` with this token (RFC 6750)."""
    return Headers({"Authorization": Secret(f"Bearer {token.reveal()}")})


def basic(user: str, password: Secret) -> Headers:
    """`Authorization: Basic` with this user and password (RFC 7617)."""
    return Headers({"Authorization": Secret(requests.auth._basic_auth_str(user, password.reveal()))})


class Token:
    """Authorization by a token that ends: taken when first needed, again shortly before it ends, and once if refused.

    `take` asks the vendor for one: its headers and for how many seconds they hold (None: not said).
    """

    def __init__(self, take: Callable[[], tuple[Mapping[str, str], float | None]]) -> None:
        self._take = take
        self._headers: Mapping[str, str] | None = None
        self._until = 0.0
        self._fresh = False

    def headers(self) -> Mapping[str, str]:
        self._fresh = False
        if self._headers is None or time.monotonic() >= self._until:
            began = time.monotonic()
            self._headers, seconds = self._take()
            lasts = float("inf") if seconds is None else seconds
            # Of a token that lasts a minute, ten seconds are a lot; of one that lasts five, everything.
            self._until = began + max(lasts - _EARLY, lasts / 2)
            self._fresh = True
        return self._headers

    def renew(self) -> bool:
        self._headers = None
        return not self._fresh


class Client:
    """Talks to one API for one session. `auth` is None for what needs none, such as the taking of a token.

    `throttled` tells a platform's own spelling of "too many requests" in an answer of any status: seconds to wait,
    0 where it does not say, None where it is no such answer.
    """

    def __init__(
        self,
        session: Session,
        config: AccountConfig,
        url: str,
        auth: Auth | None = None,
        throttled: Callable[[Reply], float | None] = lambda reply: None,
    ) -> None:
        """`url`: the API's usual address; the configuration's own wins."""
        self._session, self._auth, self._throttled = session, auth, throttled
        self.url = (config.url or url).rstrip("/")
        self._gap = 1.0 / config.rate
        # So many requests may arrive within so many seconds, however long each is under way.
        self._burst = max(1, int(config.rate))
        self._span = self._burst / config.rate
        # The collection before may have ended with a request just now, and so may another client of this one.
        session.next_at = max(session.next_at, time.monotonic() + self._gap)
        self._http = requests.Session()
        self._http.mount("https://", HTTPAdapter(max_retries=0))
        self._http.mount("http://", HTTPAdapter(max_retries=0))
        # Given with each request: what a session is set to, requests lets REQUESTS_CA_BUNDLE win over.
        self._verify: bool | str = True if config.ca_file is None else str(session.base / config.ca_file)
        # Without it, requests takes credentials for this host from ~/.netrc and lets them win.
        self._http.auth = lambda request: request
        self._http.headers.update({"User-Agent": f"yardlight/{__version__}", "Accept": "application/json"})

    def get(self, path: str, params: Params = None, values: Values = None) -> Reply:
        """GET a path below the API's address; {name} in it is filled from `values`. Raises `PollError`."""
        return self.ask("GET", path, params, values)

    def post(self, path: str, body: Any, params: Params = None, values: Values = None) -> Reply:
        """POST JSON, for APIs that read this way. Raises `PollError`."""
        return self.ask("POST", path, params, values, json=body)

    def ask(
        self,
        method: str,
        path: str,
        params: Params = None,
        values: Values = None,
        *,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        what: str | None = None,
    ) -> Reply:
        """One question, asked until it is answered with success; `what` is how messages call it. Raises `PollError`."""
        return self._answer(self._question(method, path, params, values, json, form, headers, what))

    def pages(
        self,
        path: str,
        params: Params,
        following: Callable[[Any, Reply], str | Mapping[str, Any] | None],
        values: Values = None,
        *,
        read: Callable[[Reply], Any] = Reply.json,
        limit: int = MAX_PAGES,
        method: str = "GET",
        what: str | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        in_json: bool = False,
    ) -> Iterator[Any]:
        """What `read` makes of each page. `following` tells what leads to the next one; the rest as in `ask`.

        That is a link (relative, or absolute on the same host), parameters to change (with `in_json`, those in the
        body), or None at the end. The next page is asked for while something is made of this one. Raises `PollError`:
        `IncompleteError` when a page after the first one cannot be had, leads to one that was there before, or to more
        than `limit`.
        """
        question = self._question(method, path, params, values, json, form, headers, what)
        seen: set[str] = set()
        ahead: _Ahead | None = None
        try:
            for number in range(1, limit + 1):
                try:
                    reply = self._answer(question, ahead)
                    content = read(reply)
                except (ServerError, BadReplyError, UnreachableError) as error:
                    if number == 1:
                        raise
                    raise IncompleteError(f"{error}, page {number}") from None
                if (step := following(content, reply)) is None:
                    yield content
                    return
                if isinstance(step, str):
                    # A question alone is one to the same place; everything else is meant from the top of the API.
                    base = question.url if step.startswith("?") else self.url + "/"
                    link = self._own(urljoin(base, step), question.what)
                    question, mark = replace(question, url=link, params=None), link
                elif in_json:
                    question = replace(question, json=merged(question.json, step))
                    mark = str(question.json)
                else:
                    question = replace(question, params={**(question.params or {}), **step})
                    mark = str(sorted((question.params or {}).items()))
                if mark in seen:
                    raise IncompleteError(f"{question.what}: a page leads to one that was there before")
                seen.add(mark)
                ahead = self._ahead(question) if number < limit else None
                yield content
            raise IncompleteError(f"{question.what}: more than {limit} pages")
        finally:
            if ahead is not None:
                ahead.drop()

    def _question(
        self,
        method: str,
        path: str,
        params: Params,
        values: Values,
        json: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        what: str | None,
    ) -> _Question:
        what = what or f"{method} {path}"
        url = path if path.startswith(("http://", "https://")) else self.url + _filled(path, values)
        return _Question(method, self._own(url, what), what, params, json, form, headers or {})

    def _answer(self, question: _Question, ahead: _Ahead | None = None) -> Reply:
        """The answer of success; `ahead` is the same question, sent for the first time already."""
        what, wait = question.what, _FIRST_WAIT
        for attempt in range(1, _TRIES + 1):
            given = self._given(question) if ahead is None else {}
            last = attempt == _TRIES
            try:
                reply = self._send(question, given) if ahead is None else ahead.reply()
            except UnreachableError:
                if last or attempt > 1 or question.method != "GET":
                    raise
                self._wait(wait, what)
                continue
            finally:
                ahead = None
            if (asked := self._asked_to_wait(reply)) is not None:
                if last:
                    raise ThrottledError(f"{what}: asked to wait {_TRIES} times in a row", asked or None)
                self._wait(min(asked or wait, LONGEST_WAIT), what)
                wait *= 2
            elif reply.status == 401 and self._auth is not None and not last and self._auth.renew():
                continue
            elif reply.status in (502, 503, 504) and question.method == "GET" and attempt == 1:
                self._wait(wait, what)
            else:
                return _good(reply)
        raise AssertionError("the last attempt returns or raises")

    def _given(self, question: _Question) -> Mapping[str, str]:
        """The headers to send with it."""
        return _sendable({**(self._auth.headers() if self._auth else {}), **question.headers}, question.what)

    def _ahead(self, question: _Question) -> _Ahead | None:
        """The question sent while something else is done; None if it cannot be: who asks in turn is told why."""
        wait = max(0.0, self._may_ask_at() - time.monotonic())
        try:
            given = self._given(question)
        except PollError:
            return None
        return _Ahead(wait, lambda: self._send(question, given)) if wait < self._session.left() else None

    def _own(self, url: str, what: str) -> str:
        """The address, if it is on the API's own host. Raises `ForeignLinkError`, and nothing was sent."""
        ours, theirs = urlsplit(self.url), urlsplit(url)
        if _origin(theirs) != _origin(ours):
            host = (theirs.hostname or "").lower()
            raise ForeignLinkError(f"{what}: leads to {theirs.scheme}://{host}, not to {ours.netloc}; not followed")
        return url

    def _send(self, question: _Question, headers: Mapping[str, str]) -> Reply:
        """One request, and redirects within the API's host."""
        url, what = question.url, question.what
        for _ in range(_REDIRECTS + 1):
            reply = self._once(question, url, headers)
            target = reply.headers.get("Location")
            if not (300 <= reply.status < 400 and target):
                return reply
            url = self._own(urljoin(url, target), what)
            if question.method != "GET":
                raise BadReplyError(f"{what}: redirected, status {reply.status}")
        raise BadReplyError(f"{what}: redirected more than {_REDIRECTS} times")

    def _once(self, question: _Question, url: str, headers: Mapping[str, str]) -> Reply:
        what = question.what
        with self._session.turn:
            self._wait(self._may_ask_at() - time.monotonic(), what)
            self._session.spend()
            self._session.next_at = time.monotonic() + self._gap
            code = NO_ANSWER
            try:
                timeout = (min(CONNECT_SECONDS, self._left(what)), min(READ_SECONDS, self._left(what)))
                with self._http.request(
                    question.method,
                    url,
                    params=question.params,
                    json=question.json,
                    data=question.form,
                    headers=headers,
                    timeout=timeout,
                    stream=True,
                    allow_redirects=False,
                    verify=self._verify,
                ) as response:
                    code = str(response.status_code)
                    self._session.tls_ends = tls_end(response) or self._session.tls_ends
                    return Reply(response.status_code, response.headers, self._body(response, what), what)
            except requests.exceptions.RequestException as error:
                raise _mapped(error, what) from None
            except UnicodeEncodeError as error:
                if "surrogate" not in error.reason:
                    raise
                # A cursor or link of the vendor's, which is asked with as it came.
                raise BadReplyError(f"{what}: leads on with half of a letter, which cannot be sent") from None
            finally:
                self._session.settle(code)

    def _may_ask_at(self) -> float:
        """When the rate allows another request (monotonic), however late one before it reached the vendor.

        Requests that are sent evenly need not arrive evenly; one that is answered has arrived.
        """
        answered = self._session.answered
        before = answered[-self._burst] + self._span if len(answered) >= self._burst else 0.0
        return max(self._session.next_at, before)

    def _body(self, response: requests.Response, what: str) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(_CHUNK):
            size += len(part)
            if size > MAX_BYTES:
                raise TooLargeError(f"{what}: an answer of more than {MAX_BYTES // 2**20} MiB")
            self._left(what)
            parts.append(part)
        return b"".join(parts)

    def _left(self, what: str) -> float:
        if (left := self._session.left()) <= 0:
            raise PollTimeoutError(f"{what}: the time for this collection is over")
        return left

    def _wait(self, seconds: float, what: str) -> None:
        if seconds >= self._left(what):
            raise ThrottledError(f"{what}: {seconds:.0f} s to wait, and the collection ends before", seconds)
        if seconds > 0:
            time.sleep(seconds)

    def _asked_to_wait(self, reply: Reply) -> float | None:
        """Seconds, 0 where it is not said how many; None if the vendor does not ask for it."""
        said = self._throttled(reply)
        if said is None and reply.status != 429 and not (reply.status == 503 and "Retry-After" in reply.headers):
            return None
        return said or retry_after(reply.headers.get("Retry-After"), time.time()) or 0.0


class _Ahead:
    """A question that is sent while something else is done, in so many seconds and if nobody drops it before."""

    def __init__(self, wait: float, send: Callable[[], Reply]) -> None:
        self._wait, self._send = wait, send
        self._dropped = threading.Event()
        self._outcome: Reply | BaseException | None = None
        # A daemon: who has no use for the answer any more does not wait for it either.
        self._thread = threading.Thread(target=self._run, name="ahead", daemon=True)
        self._thread.start()

    def reply(self) -> Reply:
        """What was answered, as soon as it is. Raises what the sending raised."""
        self._thread.join()
        if isinstance(self._outcome, Reply):
            return self._outcome
        assert self._outcome is not None
        raise self._outcome

    def drop(self) -> None:
        """It is not needed any more: not sent, if it was not yet."""
        self._dropped.set()

    def _run(self) -> None:
        try:
            if not self._dropped.wait(self._wait):
                self._outcome = self._send()
        except BaseException as error:
            self._outcome = error


def tls_end(response: requests.Response) -> float | None:
    """When the certificate ends that the vendor showed for this answer, as long as its connection is open."""
    sock = getattr(getattr(response.raw, "connection", None), "sock", None)
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    ends = shown.get("notAfter") if shown else None
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds in a Retry-After header: whole, with a fraction (Samsara), or a date (RFC 9110); None if not said."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None


def granted(
    session: Session, client: Client, path: str, form: Callable[[], Mapping[str, str]], headers: Values = None
) -> Callable[[], tuple[Mapping[str, str], float | None]]:
    """What a `Token` takes by an OAuth grant (RFC 6749): `form` is made anew for each one.

    `client` has no `auth` of its own; `path` may be an address of another host if the client was made for that.
    """

    def take() -> tuple[Mapping[str, str], float | None]:
        try:
            reply = client.ask("POST", path, form=form(), headers=headers)
        except BadReplyError as error:
            # 400 with invalid_client or invalid_grant is how RFC 6749 says that the credentials are wrong.
            raise AuthError(str(error)) from None
        answer = reply.json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise AuthError(f"POST {path}: no access_token in the answer")
        session.hide(Secret(token))
        return {"Authorization": f"Bearer {token}"}, seconds_of(answer.get("expires_in"))

    return take


def client_credentials(
    session: Session, client: Client, path: str, form: Mapping[str, str], secret: Secret
) -> Callable[[], tuple[Mapping[str, str], float | None]]:
    """`granted` by client credentials (RFC 6749, 4.4): `secret` is client_secret, `form` the rest."""
    whole = {"grant_type": "client_credentials", **form}
    return granted(session, client, path, lambda: {**whole, "client_secret": secret.reveal()})


def seconds_of(raw: Any) -> float | None:
    """A lifetime as some vendors write it: a number, or a number as text; None for anything else."""
    try:
        return max(0.0, float(raw))
    except (TypeError, ValueError, OverflowError):
        return None


def _origin(parts: SplitResult) -> tuple[str, str]:
    """Scheme and host, without the port that is meant anyway."""
    return parts.scheme, parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, " "))


def _sendable(headers: Mapping[str, str], what: str) -> Mapping[str, str]:
    """The headers, if HTTP can carry them (RFC 9110, section 5.5). Raises `AuthError`: they hold credentials."""
    if not all(value.isascii() and value.isprintable() for value in headers.values()):
        raise AuthError(f"{what}: a token or key has characters that no header can carry")
    return headers


def _filled(path: str, values: Values) -> str:
    return path.format_map({name: quote(value, safe="") for name, value in values.items()}) if values else path


def _good(reply: Reply) -> Reply:
    """The answer, if it says success. Raises what its status means."""
    status, said = reply.status, f"{reply.what}: status {reply.status}"
    if 200 <= status < 300:
        return reply
    if status == 401:
        raise AuthError(f"{said}; the credentials are not accepted")
    if status == 403:
        raise ForbiddenError(f"{said}; the account may not read this")
    if status >= 500:
        raise ServerError(said)
    raise NotThereError(said) if status == 404 else RefusedError(said)


def _mapped(error: requests.exceptions.RequestException, what: str) -> PollError:
    """The error of the tree for one of the library's, whose own words name addresses in full."""
    if isinstance(error, requests.exceptions.SSLError):
        return TlsError(f"{what}: {_tls_words(error)}")
    if isinstance(error, requests.exceptions.Timeout):
        return PollTimeoutError(f"{what}: no answer in time")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return UnreachableError(f"{what}: cut off in the middle of the answer")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return BadReplyError(f"{what}: packed in a way that cannot be unpacked")
    if isinstance(error, requests.exceptions.ConnectionError):
        return UnreachableError(f"{what}: {_connection_words(str(error))}")
    return BadReplyError(f"{what}: {type(error).__name__}")


def _tls_words(error: Exception) -> str:
    text = str(error)
    for mark, words in (
        ("certificate has expired", "the certificate has expired"),
        ("self-signed", "a certificate that is signed by itself"),
        ("self signed", "a certificate that is signed by itself"),
        ("doesn't match", "a certificate for another name"),
        ("not valid for", "a certificate for another name"),
        ("unable to get local issuer", "a certificate by nobody we trust"),
    ):
        if mark in text:
            return words
    return "TLS failed"


def _connection_words(text: str) -> str:
    for mark, words in (
        ("NameResolutionError", "no address for the name"),
        ("Name or service not known", "no address for the name"),
        ("Connection refused", "refused"),
        ("Network is unreachable", "no route"),
        ("No route to host", "no route"),
        ("RemoteDisconnected", "closed without an answer"),
        ("reset by peer", "cut off"),
    ):
        if mark in text:
            return words
    return "no connection"
