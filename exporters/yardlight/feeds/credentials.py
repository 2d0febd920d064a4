"""How an account's requests are authorized, as the inventory describes it.

A session that was logged in to is kept by the worker process, and nowhere else: a vendor that allows a few log-ins a
minute is not asked for one each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from yardlight.client import Auth as Authorization
from yardlight.client import Client, Headers, Token, basic, bearer, client_credentials
from yardlight.collection import Session
from yardlight.errors import AuthError, BadReplyError
from yardlight.feeds.account import GenericAccount, Login
from yardlight.feeds.places import at
from yardlight.inventory.values import Secret

# How long a session is used where nobody says how long it holds.
_LASTS = 3600.0
# Headers of sessions by whom they are for, and until when (monotonic) they hold.
_sessions: dict[tuple[str, ...], tuple[Mapping[str, str], float]] = {}


def authorization(config: GenericAccount, session: Session) -> Authorization | None:
    """The authorization of this account; None if it needs none. Raises `SecretError`."""
    auth = config.auth
    if auth is None:
        return None
    if auth.bearer_file is not None:
        return bearer(session.secret(auth.bearer_file))
    if auth.basic is not None:
        return basic(auth.basic.user, session.secret(auth.basic.password_file))
    if auth.key is not None:
        value = Secret(auth.key.prefix + session.secret(auth.key.file).reveal())
        return Headers({auth.key.header: value})
    if (grant := auth.oauth2) is not None:
        form = {"client_id": grant.client_id, **({"scope": grant.scope} if grant.scope else {})}
        asking, path = _asking(config, session, grant.token_url)
        return Token(client_credentials(session, asking, path, form, session.secret(grant.client_secret_file)))
    login = auth.login
    assert login is not None
    asking, path = _asking(config, session, login.path)
    return LoggedIn(session, asking.url, login, lambda: _log_in(login, asking, path, session))


def _asking(config: GenericAccount, session: Session, where: str) -> tuple[Client, str]:
    """A client for the place where tokens are given, which may be another host; only it gets the secret."""
    if not where.startswith("http"):
        return Client(session, config, config.url or ""), where
    scheme, _, rest = where.partition("://")
    host, _, path = rest.partition("/")
    return Client(session, config.model_copy(update={"url": f"{scheme}://{host}"}), ""), f"/{path}"


class LoggedIn:
    """Authorization by a session that this process keeps: one of before, unless it has ended or is refused."""

    def __init__(self, session: Session, url: str, login: Login, log_in: Callable[[], Mapping[str, str]]) -> None:
        self._session, self._log_in = session, log_in
        self._key, self._prefix = (url, login.model_dump_json()), login.prefix
        self._lasts = login.lasts or _LASTS
        self._fresh = False

    def headers(self) -> Mapping[str, str]:
        headers, until = _sessions.get(self._key, ({}, 0.0))
        if headers and time.monotonic() < until:
            for value in headers.values():
                self._session.hide(Secret(value.removeprefix(self._prefix)))
            return headers
        headers, self._fresh = self._log_in(), True
        _sessions[self._key] = (headers, time.monotonic() + self._lasts)
        return headers

    def renew(self) -> bool:
        _sessions.pop(self._key, None)
        return not self._fresh


def _log_in(login: Login, client: Client, path: str, session: Session) -> Mapping[str, str]:
    password = session.secret(login.password_file).reveal()
    body = {key: value.replace("{password}", password) for key, value in login.body.items()}
    sent: dict[str, Any] = {"form": body} if login.form else {"json": body}
    try:
        answer = client.ask("POST", path, **sent).json()
    except BadReplyError as error:
        raise AuthError(str(error)) from None
    token = at(login.token, answer)
    if not isinstance(token, str) or not token:
        raise AuthError(f"POST {path}: no {login.token} in the answer")
    session.hide(Secret(token))
    return {login.header: login.prefix + token}
