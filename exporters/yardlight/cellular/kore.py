"""What the APIs that came from Twilio have in common: pages, and the token of KORE."""

from __future__ import annotations

from typing import Any

from yardlight.cellular.account import SimAccount
from yardlight.cellular.reading import text
from yardlight.client import Client, Reply, Token, client_credentials
from yardlight.collection import Session


def kore_token(config: SimAccount, session: Session, client_id: str, secret_file: str) -> Token:
    """Authorization by KORE's client credentials; an account with an address of its own is asked there."""
    client = Client(session, config, "https://api.korewireless.com")
    path = "/api-services/v1/auth/token"
    return Token(client_credentials(session, client, path, {"client_id": client_id}, session.secret(secret_file)))


def after_meta(content: Any, reply: Reply) -> str | None:
    """The address of the next page; None at the end."""
    return text(content, "meta", "next_page_url") or None
