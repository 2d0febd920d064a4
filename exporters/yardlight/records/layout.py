"""From a file's path to whose record it is, and of which day."""

from __future__ import annotations

import re
from datetime import date, timedelta

from yardlight.inventory.archives import Pattern


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
        if match is None:
            return None
        found = match.groupdict()
        try:
            year = int(found["Y"]) if "Y" in found else 2000 + int(found["y"])
            if "j" in found:
                day = date(year, 1, 1) + timedelta(days=int(found["j"]) - 1)
                if day.year != year:
                    return None
            else:
                day = date(year, int(found["m"]), int(found["d"]))
        except (ValueError, OverflowError):
            return None
        return found["who"] if self._has_who else "", day.toordinal()
