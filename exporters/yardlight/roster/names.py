"""Which truck a name means that somebody gave to a tablet, a SIM or a vehicle: 'TRUCK-0112', 'T112', 'Unit 112 tab'."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# A truck's number: not the 8 of a Galaxy Tab A8, nor a serial number; behind a word for a truck the 8 is one too.
_UNIT, _SMALL = re.compile(r"[0-9]{2,6}"), re.compile(r"[0-9]")
_TRUCK = re.compile(r"(?:^|[\W_])(?:truck|trk|tractor|unit|rig)[\W_]*$")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST = 56


def plain(name: str) -> str:
    """Letters and digits only, in lower case and without accents: how names are compared."""
    return re.sub(r"[^a-z0-9]", "", _unaccented(name.casefold()))


def clean(name: str) -> str:
    """A name of ours made of somebody else's, with room for a number behind it; empty if nothing is left."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", _unaccented(name)).strip("-._")[:_LONGEST].rstrip("-._")


def _unaccented(name: str) -> str:
    if name.isascii():
        return name
    return "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))


def natural(name: str) -> list[tuple[int, int, str]]:
    """What to sort by, so that 9 comes before 112."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.findall(r"[0-9]{1,18}|[^0-9]+", name)
    ]


def units(names: Iterable[str]) -> dict[str, str]:
    """The truck's number in each name that has one, as it is written there.

    Of several numbers in a name those count that differ among names of one form ('Tab A8 112', 'Tab A8 113'). A name in
    which that does not leave a single one has none, nor has one whose only number is too long or too short.
    """
    forms: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        forms[tuple(_DIGITS.split(name.casefold()))].append(name)
    found: dict[str, str] = {}
    for form, alike in forms.items():
        # A form is what stands before each number, and what behind the last.
        columns = zip(form, zip(*(_DIGITS.findall(name) for name in alike), strict=True), strict=False)
        differ = [(before, column) for before, column in columns if len(alike) == 1 or len(set(column)) > 1]
        if len(differ) == 1:
            [(before, column)] = differ
            small = _TRUCK.search(before) is not None
            found |= {
                name: unit
                for name, unit in zip(alike, column, strict=True)
                if _UNIT.fullmatch(unit) or (small and _SMALL.fullmatch(unit))
            }
    return found


def same_unit(unit: str) -> str:
    """What equal numbers have in common: 0112 is 112."""
    return unit.lstrip("0") or unit


def masked(number: str) -> str:
    """Its last four characters, enough to compare it with what somebody reads out."""
    return f"...{number[-4:]}" if len(number) > 6 else "..." if number else ""
