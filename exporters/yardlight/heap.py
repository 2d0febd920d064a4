"""How this process gets memory and gives it back: what one large collection took is not kept for good."""

from __future__ import annotations

import ctypes

# Of mallopt(3): when the end of the heap is given back, from what size on a block is a mapping of its own, and how many
# heaps threads get. Left alone, the C library raises the first two with the largest block it ever freed.
_TRIM, _MAPPED, _HEAPS = -1, -3, -8
_SETTINGS = {_TRIM: 4 * 2**20, _MAPPED: 2**20, _HEAPS: 2}


def give_back() -> None:
    """From now on memory that is free is the system's. Without glibc all stays as it is."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for setting, value in _SETTINGS.items():
            mallopt(setting, value)
