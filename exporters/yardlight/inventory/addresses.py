"""Addresses as a person writes them: of machines, and of pages on the web."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})?)*\.?")


def web_address(raw: str) -> str:
    """An address that starts with http:// or https://, without credentials. Raises `ValueError` if it is none."""
    # Looked for first: nothing that may hold a password is repeated.
    if "@" in (raw.partition("://")[2] or raw).partition("/")[0]:
        raise ValueError("holds a user or a password; an address is no place for credentials")
    try:
        parts = urlsplit(raw)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        scheme, host, port = "", "", None
    valid = raw.isascii() and raw.isprintable() and " " not in raw and "#" not in raw
    if not (valid and scheme in ("http", "https") and port != 0 and (is_address(host) or HOST.fullmatch(host))):
        raise ValueError(f"{raw!r} is not a web address; it begins with http:// or https://")
    return raw


WebAddress = Annotated[str, AfterValidator(web_address)]


@lru_cache(maxsize=4096)
def is_address(text: str) -> bool:
    """True for an IPv4 or IPv6 address, false for a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
