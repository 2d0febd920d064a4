"""What the APIs that came from Twilio have in common: pages, and the token of KORE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from yardlight.cellular.account import SimAccount
from yardlight.cellular.reading import below, records
from yardlight.client import Client, Params, Reply, Token, Values, client_credentials
from yardlight.collection import Session
from yardlight.errors import IncompleteError


def kore_token(config: SimAccount, session: Session, client_id: str, secret_file: str) -> Token:
    """Authorization by KORE's client credentials; an account with an address of its own is asked there."""
    client = Client(session, config, "https://api.korewireless.com")
    path = "/api-services/v1/auth/token"
    return Token(client_credentials(session, client, path, {"client_id": client_id}, session.secret(secret_file)))


def listed(
    client: Client, path: str, key: str, size: int, asked: Params = None, values: Values = None
) -> Iterator[dict[str, Any]]:
    """Every record of a list, of which a page has so many."""
    for page in client.pages(path, {**(asked or {}), "PageSize": size}, after_meta, values):
        yield from records(page, f"GET {path}", key)


def after_meta(content: Any, reply: Reply) -> str | None:
    """The address of the next page; None at the end. Raises `IncompleteError` where nothing says which it is."""
    meta = below(content, "meta")
    # By the schema of Programmable Wireless the last page may have no such key, but always its size.
    if isinstance(meta, dict) and not meta.keys().isdisjoint(("next_page_url", "page_size")):
        following = meta.get("next_page_url")
        if following is None or isinstance(following, str):
            return following or None
    raise IncompleteError(f"{reply.what}: nothing says whether there is another page")
