"""How an account's requests are authorized, as the inventory describes it.

A session that was logged in to is kept by the worker process, and nowhere else: a vendor that allows a few log-ins a
minute is not asked for one each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from yardlight.client import Auth as Authorization
from yardlight.client import Client, Headers, Token, basic, bearer, client_credentials, seconds_of
from yardlight.collection import Session
from yardlight.errors import AuthError, BadReplyError
from yardlight.feeds.account import Auth, GenericAccount, Login
from yardlight.feeds.places import at
from yardlight.inventory.values import Secret

Taken = tuple[Mapping[str, str], float | None]
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
    return Token(_taking(auth, config, session))


def _taking(auth: Auth, config: GenericAccount, session: Session) -> Callable[[], Taken]:
    if (grant := auth.oauth2) is not None:
        form = {"client_id": grant.client_id, **({"scope": grant.scope} if grant.scope else {})}
        asking, path = _asking(config, session, grant.token_url)
        return client_credentials(session, asking, path, form, session.secret(grant.client_secret_file))
    assert auth.login is not None
    asking, path = _asking(config, session, auth.login.path)
    return kept(asking.url, auth.login, lambda login: _log_in(login, asking, path, session))


def _asking(config: GenericAccount, session: Session, where: str) -> tuple[Client, str]:
    """A client for the place where tokens are given, which may be another host; only it gets the secret."""
    if not where.startswith("http"):
        return Client(session, config, config.url or ""), where
    scheme, _, rest = where.partition("://")
    host, _, path = rest.partition("/")
    return Client(session, config.model_copy(update={"url": f"{scheme}://{host}"}), ""), f"/{path}"


def kept(url: str, login: Login, log_in: Callable[[Login], Taken]) -> Callable[[], Taken]:
    """`log_in`, unless this process has a session from before. One that is refused is not taken a second time."""
    key = (url, login.model_dump_json())
    refused = False

    def take() -> Taken:
        nonlocal refused
        headers, until = _sessions.get(key, ({}, 0.0))
        if headers and not refused and time.monotonic() < until:
            refused = True
            return headers, until - time.monotonic()
        headers, seconds = log_in(login)
        _sessions[key] = (headers, time.monotonic() + (login.lasts or 3600.0 if seconds is None else seconds))
        return headers, seconds

    return take


def _log_in(login: Login, client: Client, path: str, session: Session) -> Taken:
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
    return {login.header: login.prefix + token}, seconds_of(login.lasts)
