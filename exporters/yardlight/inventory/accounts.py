"""What every account may say: an address, a rate, a budget, a zone; each platform's `Config` adds its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from yardlight.errors import Problem
from yardlight.inventory.addresses import web_address
from yardlight.inventory.model import CREDENTIAL_WARNING, Model, TimeZone
from yardlight.inventory.source import Node
from yardlight.inventory.values import NUMBER, Duration, parse_share

_RATE = re.compile(rf"({NUMBER})\s*/\s*(\d{{0,15}})\s*(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_rate(raw: Any) -> float:
    """Requests a second of '5/s', '100/m' or '4000/20s'. Raises `ValueError` naming these."""
    if isinstance(raw, str) and (match := _RATE.fullmatch(raw.strip())):
        number, seconds = float(match[1]), float(match[2] or 1) * _SECONDS[match[3]]
        if number > 0 and seconds > 0:
            return number / seconds
    raise ValueError(f"{raw!r} is not a rate; write requests per time: 5/s, 100/m, 4000/20s")


def read_twice(sources: Node | None, below: str) -> Iterator[Problem]:
    """Sources of a part that read one account: each would tell all of it. `below` is what is written in the first."""
    first: dict[str, str] = {}
    for name, source in sources.entries.items() if sources else ():
        account = source.entries.get("account")
        if account and isinstance(account.value, str) and first.setdefault(account.value, name) != name:
            yield account.problem(
                f"{account.value!r} is read for {first[account.value]!r} already; write its {below} there"
            )


def _base_url(raw: str) -> str:
    parts = urlsplit(web_address(raw))
    if parts.query:
        raise ValueError(f"{raw!r} is not the address of an API; write https://api.example.com")
    if parts.scheme == "http" and not _on_this_machine(parts.hostname or ""):
        raise ValueError(f"{raw!r} would send credentials unprotected; write https://")
    return raw.rstrip("/")


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _promise(raw: Any) -> float:
    share = parse_share(raw)
    if not 0 < share < 1:
        raise ValueError(f"{raw!r} leaves no time to fail, or all of it; write one like 99.5%")
    return share


Rate = Annotated[float, BeforeValidator(parse_rate)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]


class AccountConfig(Model):
    """What every account may say; a platform's `Config` adds its own and narrows the defaults.

    `url` is the API's address where it is not the platform's usual one. `rate` is in requests a second: never more,
    whatever the vendor would allow. `timezone` is that of times that the vendor gives without one. A credential that
    ends within `credential_warning` is told, where the platform says when it ends. Whose it is here, and whom to call
    about it there, are `owner` and `contact`, a role rather than a person. `availability` is the share of a month in
    which it should answer.
    """

    url: BaseUrl | None = None
    rate: Rate = 5.0
    requests_per_day: Annotated[int, Field(ge=1)] | None = None
    ca_file: str | None = None
    timezone: TimeZone = "UTC"
    credential_warning: Duration = CREDENTIAL_WARNING
    owner: str | None = None
    contact: str | None = None
    availability: Annotated[float, BeforeValidator(_promise)] | None = None
