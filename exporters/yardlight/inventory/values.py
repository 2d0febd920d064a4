"""The scalar types a person writes in an inventory: durations, sizes, shares, secrets.

Each parser takes what YAML gives (a string or a number) and raises `ValueError` with a sentence that says
what was found and what is accepted.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_BYTES = {
    "B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
# With hundreds of digits it is no number any more.
NUMBER = r"\d{1,15}(?:\.\d+)?"
_DURATION_PART = re.compile(rf"({NUMBER})\s*(ms|s|m|h|d|w)")
_LONGEST = 100 * 366 * 86400.0
_BITS = {"kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9}
_SIZE = re.compile(rf"({NUMBER})\s*([A-Za-z]+)")


def checked_name(raw: str) -> str:
    """The text, if it can be a name and a label. Raises `ValueError` saying what can."""
    if not _NAME.fullmatch(raw):
        raise ValueError(f"{raw!r} is not a name; use letters, digits, '-', '_' and '.', at most 63")
    return raw


def listed(raw: Any) -> Any:
    """One value as a list of one."""
    return raw if isinstance(raw, list | tuple) else [raw]


def parse_duration(raw: Any) -> float:
    """Seconds of '3s', '250ms', '1m30s', '2h', '7d'; a bare number is refused because its unit is a guess."""
    text = raw.strip() if isinstance(raw, str) else raw
    if isinstance(text, str):
        parts = _DURATION_PART.findall(text)
        if parts and _DURATION_PART.sub("", text).strip() == "":
            seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
            if seconds > _LONGEST:
                raise ValueError(f"{raw!r} is longer than a hundred years")
            return seconds
    raise ValueError(f"{raw!r} is not a duration; write a number with a unit: 250ms, 3s, 10m, 2h, 7d")


def parse_size(raw: Any) -> int:
    """Bytes of '50 MB' (10^6) or '50 MiB' (2^20)."""
    if isinstance(raw, str) and (match := _SIZE.fullmatch(raw.strip())) and match[2] in _BYTES:
        return round(float(match[1]) * _BYTES[match[2]])
    raise ValueError(f"{raw!r} is not a size; write a number with a unit: 500 kB, 50 MB, 2 GB, 1 GiB")


def parse_level(raw: Any) -> float:
    """dBm or dB of '-115 dBm', '-18 dB'."""
    if isinstance(raw, str) and (match := re.fullmatch(rf"(-?{NUMBER})\s*dBm?", raw.strip())):
        return float(match[1])
    raise ValueError(f"{raw!r} is not a level; write a number with a unit: -115 dBm, -18 dB")


def parse_speed(raw: Any) -> float:
    """Bytes a second of '2 Mbit/s'."""
    if isinstance(raw, str) and (match := re.fullmatch(rf"({NUMBER})\s*([kMG]bit/s)", raw.strip())):
        return float(match[1]) * _BITS[match[2]] / 8
    raise ValueError(f"{raw!r} is not a speed; write a number with a unit: 500 kbit/s, 2 Mbit/s, 1 Gbit/s")


def parse_share(raw: Any) -> float:
    """A ratio from 0 to 1 of '5%'."""
    if isinstance(raw, str) and (match := re.fullmatch(rf"({NUMBER})\s*%", raw.strip())):
        ratio = float(match[1]) / 100
        if ratio <= 1:
            return ratio
    raise ValueError(f"{raw!r} is not a share; write a percentage from 0% to 100%")


def is_time_form(raw: str) -> bool:
    """Whether Python's strptime reads what strftime writes in this form."""
    try:
        datetime.strptime(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).strftime(raw), raw)
    except ValueError:
        return False
    return "%" in raw


def _time_form(raw: str) -> str:
    if not is_time_form(raw):
        raise ValueError(
            f"{raw!r} is not a form of times; write one as Python's strptime takes it, like %d.%m.%Y %H:%M"
        )
    return raw


TimeForm = Annotated[str, AfterValidator(_time_form)]
Duration = Annotated[float, BeforeValidator(parse_duration)]
Lasting = Annotated[Duration, Field(gt=0)]
Size = Annotated[int, BeforeValidator(parse_size)]
Level = Annotated[float, BeforeValidator(parse_level)]
Share = Annotated[float, BeforeValidator(parse_share)]
Speed = Annotated[float, BeforeValidator(parse_speed)]


class Secret:
    """A value that prints as stars; `reveal()` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, to hand to the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a Secret is not pickled")
