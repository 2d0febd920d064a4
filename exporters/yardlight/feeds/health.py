"""How far an account is from its vendor's limit of requests, by the headers of an answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from yardlight.feeds.extract import number_of

# Before the reset, as vendors spell it: X-RateLimit, X-Rate-Limit (Geotab) and the drafts of the IETF.
_PREFIXES = ("x-ratelimit", "x-rate-limit", "ratelimit", "rate-limit")
_DRAFT = re.compile(r"\b(limit|remaining|r|q)=(\d+)")


@dataclass(frozen=True)
class Limit:
    """Requests that the vendor allows for a time, and what is left of them; None where it does not say."""

    most: float | None = None
    left: float | None = None


def limit(headers: Mapping[str, str]) -> Limit:
    """What these headers (names in lower case) say."""
    for prefix in _PREFIXES:
        most, left = (_first(headers.get(f"{prefix}-{name}")) for name in ("limit", "remaining"))
        if left is not None:
            return Limit(most, left)
    said = dict(_DRAFT.findall(headers.get("ratelimit", "")))
    left = said.get("remaining", said.get("r"))
    policy = dict(_DRAFT.findall(headers.get("ratelimit-policy", "")))
    return Limit(number_of(said.get("limit", policy.get("q"))), number_of(left))


def _first(value: str | None) -> float | None:
    """The number that a header begins with: some say more behind it."""
    number = number_of(re.split(r"[,;\s]", value.strip())[0]) if value and value.strip() else None
    return number if number is not None and number >= 0 else None
