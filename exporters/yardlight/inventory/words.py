"""Durations, sizes and names as people read them, in the forms that the inventory also accepts."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SIZES = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


def duration(seconds: float) -> str:
    """'250ms', '3s', '2.5s', '1m30s', '2h': below a minute with a decimal, above rounded up."""
    if math.isinf(seconds):
        return "never"
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    if seconds < 60:
        return f"{round(seconds, 1):g}s"
    rest, parts = math.ceil(round(seconds, 3)), []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def size(count: float) -> str:
    """'640 B', '1.7 MB', '50 MB': three digits, decimal units."""
    for scale, unit in _SIZES:
        if count >= scale:
            return f"{float(f'{count / scale:.3g}'):g} {unit}"
    return f"{round(count)} B"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody who wrote `word` most likely meant."""
    matches = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.7)
    return matches[0] if matches else None


def choice(word: str, known: Iterable[str], what: str) -> str:
    """'; did you mean 'x'?' when one is close, else the known ones in alphabetical order."""
    names = sorted(known)
    if close := nearest(word, names):
        return f"did you mean {close!r}?"
    return f"{what}: {', '.join(names)}" if names else f"there are no {what}"
