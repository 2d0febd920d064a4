"""Geotab MyGeotab: where devices are, positions, drivers' logs; JSON-RPC with a service account's session.

https://developers.geotab.com . Everything is a POST of Get or GetFeed. An error comes in an answer that says success. A
session is kept: a user who logs in more than ten times a minute is locked out. The answer to a log-in may name another
server, which is then the one. Feeds begin where the version of the last answer ends; devices store and forward, so
that what is new need not be recent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from yardlight.client import Client, Reply
from yardlight.collection import Session
from yardlight.errors import ApiError, AuthError, BadReplyError, ForeignLinkError, IncompleteError
from yardlight.feeds.account import FeedAccount
from yardlight.feeds.reader import Fetched, told
from yardlight.feeds.record import About, Told
from yardlight.feeds.strict import read as read_json
from yardlight.feeds.support import support
from yardlight.inventory.accounts import Rate
from yardlight.inventory.feeds import Stream
from yardlight.inventory.values import Secret
from yardlight.reading import below, records, text

SUPPORT = support(
    "Geotab MyGeotab",
    streams="`devices`; changes only: `positions`, `duty_logs` (with malfunctions), `status_data`",
    rights="service account with view-only clearance; roster's `eld` is the id of the device, such as b1A",
    evidence="own fake of the vendor's SDK; no official specification is public",
)

_URL = "https://my.geotab.com"
_PATH = "/apiv1"
_DOMAIN = ".geotab.com"
_THIS_SERVER = "ThisServer"
_LIMIT = 5_000
_MOST_PAGES = 100
# How far back the first collection of a feed looks.
_FIRST_LOOK = 86400.0
_OVER_LIMIT = "OverLimitException"
# Refused for the session, which ends after two weeks or when somebody changes the password.
_SESSION_ENDED = ("InvalidUserException", "DbUnavailableException")
# Sessions by server and user, for as long as this process lives.
_sessions: dict[tuple[str, str, str], tuple[str, dict[str, str]]] = {}
# When each user last logged in from this process: never more often than this, whatever goes wrong.
_logged_in: dict[tuple[str, str, str], float] = {}
_LOGIN_EVERY = 10.0

_RECORD = {"records": "data", "id": "id", "time": "dateTime", "truck": "device.id"}


def _feed(kind: str, **more: str) -> Stream:
    said = {"path": _PATH, "method": "POST", "body": {"typeName": kind, "resultsLimit": _LIMIT}, "incremental": True}
    return Stream.model_validate({**said, **_RECORD, "on_change": True, **more})


STREAMS = {
    "devices": Stream.model_validate(
        {
            **_RECORD,
            "path": _PATH,
            "method": "POST",
            "body": {"typeName": "DeviceStatusInfo"},
            "id": "device.id",
            "moving": "speed",
            "speed_unit": "km/h",
        }
    ),
    "positions": _feed("LogRecord", moving="speed", speed_unit="km/h"),
    # An edited line is told again as inactive, and the new one beside it. PowerCompliance and such are of the ELD.
    "duty_logs": _feed(
        "DutyStatusLog",
        driver="driver.id",
        duty="(!state || state == 'Active') && status || 'Inactive'",
        malfunction="ends_with(status, 'Compliance') && malfunction || null",
        malfunction_kind="status",
    ),
    "status_data": _feed("StatusData"),
}


class Config(FeedAccount):
    """A service account of a database. One request a second is what feeds take."""

    database: str
    user: str
    password_file: str
    rate: Rate = 1.0


def fetch(config: Config, session: Session) -> Fetched:
    """What there is now, or what is new since the last collection. Raises `PollError`."""
    calls = _Calls(config, session)
    stream = config.feed
    if not stream.incremental:
        return _fetched([{"data": calls.ask("Get", dict(stream.body))}], calls)
    memory = session.memory or {}
    version, pages = memory.get("cursor"), []
    for _ in range(_MOST_PAGES):
        page = calls.ask("GetFeed", {**stream.body, **_since(version, session.clock())})
        data, to = records(page, f"POST {_PATH} GetFeed", "data"), text(page, "toVersion")
        if not to:
            raise BadReplyError(f"POST {_PATH} GetFeed: no toVersion in the answer")
        pages.append(page)
        same, version = to == version, to
        if len(data) < stream.body["resultsLimit"]:
            break
        if same:
            raise IncompleteError(f"POST {_PATH} GetFeed: a full page leads to itself")
    else:
        raise IncompleteError(f"POST {_PATH} GetFeed: more than {_MOST_PAGES} pages")
    stuck = memory.get("stuck", 0) + 1 if memory.get("cursor") == version and below(pages[-1], "data") else 0
    session.memory = {"cursor": version, "stuck": stuck}
    return _fetched(pages, calls, stuck)


def parse(reply: Fetched, config: Config) -> Iterator[Told]:
    """The records. Times are in UTC."""
    return told(reply, config.feed, ZoneInfo("UTC"))


def _fetched(pages: list[Any], calls: _Calls, stuck: int = 0) -> Fetched:
    return Fetched(pages, About(stuck, calls.headers, calls.tls_ends))


def _since(version: str | None, now: float) -> dict[str, Any]:
    if version is not None:
        return {"fromVersion": version}
    first = datetime.fromtimestamp(int(now - _FIRST_LOOK), UTC).isoformat().replace("+00:00", "Z")
    return {"search": {"fromDate": first}}


class _Calls:
    """Calls of the API in a session, which is kept by this process. `headers` are those of the last answer."""

    def __init__(self, config: Config, session: Session) -> None:
        self._config, self._session = config, session
        self.headers: Mapping[str, str] = {}
        self._key = (config.url or _URL, config.database, config.user)
        self._password = session.secret(config.password_file)

    @property
    def tls_ends(self) -> float | None:
        """When the certificate of the server does."""
        return self._session.tls_ends

    def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """The result of a call. Raises `PollError`."""
        kept = _sessions.get(self._key)
        server, credentials = kept or self._log_in()
        error, result = self._call(server, method, {**params, "credentials": credentials})
        if error in _SESSION_ENDED and kept is not None:
            _sessions.pop(self._key, None)
            server, credentials = self._log_in()
            error, result = self._call(server, method, {**params, "credentials": credentials})
        if error:
            kind = AuthError if error == "InvalidUserException" else ApiError
            raise kind(f"POST {_PATH} {method}: {error[:80]}")
        return result

    def _log_in(self) -> tuple[str, dict[str, str]]:
        since = time.monotonic() - _logged_in.get(self._key, float("-inf"))
        if since < _LOGIN_EVERY:
            raise AuthError(f"POST {_PATH} Authenticate: refused {since:.0f} s ago; not asked again at once")
        _logged_in[self._key] = time.monotonic()
        user = {"database": self._config.database, "userName": self._config.user}
        error, result = self._call("", "Authenticate", {**user, "password": self._password.reveal()})
        if error:
            raise AuthError(f"POST {_PATH} Authenticate: {error[:80]}")
        credentials = {key: text(result, "credentials", key) for key in ("userName", "sessionId", "database")}
        if not credentials["sessionId"]:
            raise AuthError(f"POST {_PATH} Authenticate: no session in the answer")
        self._session.hide(Secret(credentials["sessionId"]))
        _sessions[self._key] = (self._server(text(result, "path")), credentials)
        return _sessions[self._key]

    def _server(self, named: str) -> str:
        """The server that the log-in names, if it is one of Geotab's; empty for the one that was asked."""
        if named in ("", _THIS_SERVER):
            return ""
        if not named.lower().endswith(_DOMAIN) or "/" in named or "@" in named:
            raise ForeignLinkError(f"POST {_PATH} Authenticate: leads to {named[:60]}; not followed")
        return f"https://{named.lower()}"

    def _call(self, server: str, method: str, params: Mapping[str, Any]) -> tuple[str, Any]:
        """The name of the error, empty for none, and the result."""
        config = self._config.model_copy(update={"url": server}) if server else self._config
        client = Client(self._session, config, _URL, throttled=_over_limit)
        if sent := below(params, "credentials", "sessionId"):
            self._session.hide(Secret(sent))
        reply = client.ask(
            "POST", _PATH, json={"id": -1, "method": method, "params": dict(params)}, what=f"POST {_PATH} {method}"
        )
        self.headers = {name.lower(): value for name, value in reply.headers.items()}
        content = read_json(reply.body, reply.what)
        return _error(content), below(content, "result")


def _error(content: Any) -> str:
    """The name of an error in an answer that says success."""
    error = below(content, "error")
    if error in (None, "", {}):
        return ""
    errors = below(error, "errors")
    first = errors[0] if isinstance(errors, list) and errors else error
    return text(first, "name") or text(error, "name") or text(error, "message") or "an error without a name"


def _over_limit(reply: Reply) -> float | None:
    if _OVER_LIMIT.encode() not in reply.body:
        return None
    try:
        return 0.0 if _error(read_json(reply.body, reply.what)) == _OVER_LIMIT else None
    except BadReplyError:
        return None
