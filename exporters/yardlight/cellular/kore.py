"""What the APIs that came from Twilio have in common: pages, and the token of KORE."""

from __future__ import annotations

from typing import Any

from yardlight.cellular.account import SimAccount
from yardlight.cellular.reading import below
from yardlight.client import Client, Reply, Token, client_credentials
from yardlight.collection import Session
from yardlight.errors import IncompleteError


def kore_token(config: SimAccount, session: Session, client_id: str, secret_file: str) -> Token:
    """Authorization by KORE's client credentials; an account with an address of its own is asked there."""
    client = Client(session, config, "https://api.korewireless.com")
    path = "/api-services/v1/auth/token"
    return Token(client_credentials(session, client, path, {"client_id": client_id}, session.secret(secret_file)))


def after_meta(content: Any, reply: Reply) -> str | None:
    """The address of the next page; None at the end. Raises `IncompleteError` where nothing says which it is."""
    following = below(content, "meta", "next_page_url")
    if isinstance(below(content, "meta"), dict) and (following is None or isinstance(following, str)):
        return following or None
    raise IncompleteError(f"{reply.what}: nothing says whether there is another page")
