"""SQL that an inventory has: one question, and nothing that changes anything. Pure: no database is asked.

This finds mistakes. What holds a database together is the read-only transaction, and a user that may read only.
"""

from __future__ import annotations

import re

# Instants that a query may name, each also as _utc (with its zone) and _s (seconds since 1970).
INSTANTS = ("since", "now", "today")
PARAMETERS = tuple(f"{name}{form}" for name in INSTANTS for form in ("", "_utc", "_s"))
# As SQLAlchemy finds them: `::date` is none, nor is 12:30.
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?\*/", re.DOTALL)
_HIDES = re.compile(r"\$\w*\$|/\*!")
_CHANGES = re.compile(
    r"\b(insert|update|delete|merge|into|drop|alter|create|truncate|grant|revoke|call|exec|execute|copy|lock|attach"
    r"|pragma|vacuum)\b",
    re.IGNORECASE,
)


def checked_query(raw: str) -> str:
    """The query, if it is one SELECT. Raises `ValueError` saying what it is."""
    if found := _HIDES.search(raw):
        raise ValueError(f"{found[0]!r} in a query hides what it does; write it without")
    plain = _QUOTED.sub(lambda found: " " if found[0][0] in "-/" else "''", raw).strip().rstrip(";").strip()
    first = plain.split(None, 1)[0] if plain else ""
    if first.lower() not in ("select", "with"):
        raise ValueError(f"{first!r} is no question; write one SELECT")
    if ";" in plain:
        raise ValueError("there are several statements; write one SELECT")
    if found := _CHANGES.search(plain):
        raise ValueError(f"{found[0]!r} is not for reading; put it in quotes if it is the name of a column")
    for name in parameters(raw):
        if name not in PARAMETERS:
            raise ValueError(f"there is no :{name}; known here: {', '.join(f':{each}' for each in PARAMETERS)}")
    return raw


def parameters(query: str) -> set[str]:
    """The names behind colons."""
    return set(_PARAMETER.findall(query))
