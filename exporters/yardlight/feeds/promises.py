"""What a vendor says in the headers of its answers about the life of its API. Pure."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from yardlight.moment import moment

_VERSIONS = ("x-api-version", "api-version", "x-version", "api-supported-versions")
_STAMP = re.compile(r"@(\d{1,12})$")


def version(headers: Mapping[str, str]) -> str:
    """The version of the API that answered; empty where it does not say."""
    return next((headers[name].strip()[:40] for name in _VERSIONS if headers.get(name, "").strip()), "")


def sunset(headers: Mapping[str, str]) -> float | None:
    """When what was asked will be gone, in unix seconds (RFC 8594)."""
    return _instant(headers.get("sunset", ""))


def deprecated(headers: Mapping[str, str]) -> float | None:
    """Since when, or from when on, nobody should ask it any more (RFC 9745); None where no date is said."""
    said = headers.get("deprecation", "").strip()
    if match := _STAMP.match(said):
        return float(match[1])
    return _instant(said)


def _instant(text: str) -> float | None:
    """A date as HTTP has it, or as many write it all the same."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        found = moment(text, ZoneInfo("UTC"))
    return found if isinstance(found, float) else None
