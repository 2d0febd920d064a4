"""Byte counters of routers as counters that only grow, or begin anew: 32 bits wrap, agents stumble, routers restart."""

from __future__ import annotations

from dataclasses import dataclass

_WRAP = 2**32
# A counter that falls by less than this part without a restart has stumbled; one that began anew is near zero.
_STUMBLE = 0.1
# By our own clock the same start of a router is told a little differently each time.
_SAME_BOOT = 120.0


@dataclass(slots=True)
class _Seen:
    raw: int
    boot: float | None
    wraps: int = 0
    held: int = 0


class Counters:
    """What to expose for what a router counts. Keys are whatever tells two counters apart."""

    def __init__(self, wraps: dict[str, tuple[float | None, int]] | None = None) -> None:
        self._seen: dict[str, _Seen] = {}
        self._kept = dict(wraps or {})

    def expose(self, key: str, raw: int, wide: bool, boot: float | None) -> int:
        """The counter after the router said `raw`, having started at `boot`: as many wraps on top as were seen."""
        seen = self._seen.get(key)
        if seen is None:
            kept_boot, wraps = self._kept.get(key, (boot, 0))
            # Kept from the last run: a router that started since has forgotten them too.
            seen = self._seen[key] = _Seen(raw, boot, 0 if wide or not _same(kept_boot, boot) else wraps, 0)
        elif seen.boot != boot:
            self._seen[key] = seen = _Seen(raw, boot, 0, raw)
        elif raw < seen.raw and not wide and seen.raw - raw > _WRAP // 2:
            seen.wraps += 1
        elif raw < seen.raw and raw >= seen.raw * (1 - _STUMBLE):
            return seen.held
        elif raw < seen.raw:
            seen.wraps = 0
        seen.raw = raw
        seen.held = raw + seen.wraps * _WRAP
        return seen.held

    @property
    def wraps(self) -> dict[str, tuple[float | None, int]]:
        """What a restart of ours must not forget."""
        return {key: (seen.boot, seen.wraps) for key, seen in self._seen.items() if seen.wraps}


def _same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) < _SAME_BOOT)
