"""From a file's path to whose record it is, and of which day."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

from yardlight.inventory.archives import Pattern

# Of no record: its names would be another system's folders, or nothing at all.
_LEADS_AWAY = re.compile(r"\\|(?:^|/)\.{0,2}(?:/|$)")
_YEARS = range(1970, 2200)


class Layout:
    """A pattern of the inventory at work."""

    def __init__(self, pattern: Pattern, manifest: str | None = None) -> None:
        """`manifest` is the name of files that hold hashes of those beside them."""
        self.manifest = manifest
        self._regex = re.compile(pattern.regex)
        self._has_who = bool(pattern.kind)

    def place(self, path: str) -> tuple[str, int] | None:
        """Who ('' where the pattern names nobody) and the day as `date.toordinal`; None for what does not fit."""
        match = self._regex.fullmatch(path)
        if match is None or _LEADS_AWAY.search(path) or not _shows(path):
            return None
        found = match.groupdict()
        try:
            year = int(found["Y"]) if "Y" in found else 2000 + int(found["y"])
            if year not in _YEARS:
                return None
            if "j" in found:
                day = date(year, 1, 1) + timedelta(days=int(found["j"]) - 1)
                if day.year != year:
                    return None
            else:
                day = date(year, int(found["m"]), int(found["d"]))
        except (ValueError, OverflowError):
            return None
        return found["who"] if self._has_who else "", day.toordinal()


def _shows(path: str) -> bool:
    """Whether it is shown as what it is: no control characters, nor those that turn others around."""
    return path.isprintable() or not any(unicodedata.category(each)[0] == "C" for each in path)
