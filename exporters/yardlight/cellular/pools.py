"""Pools: whose use adds up to them, and how much of it is known.

A platform that gives a pool's own total is believed. Else the SIMs are added up, and beside the sum stands how many of
them are in it: one that could not be read is missing, not zero. What is known of the pool is more: also what was told
before of those that cannot be read now. What was used in a cycle is never less for a refusal.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from yardlight.cellular.cycle import Cycle
from yardlight.cellular.history import KEEP_DAYS, UNKNOWN, Track, midnight, ordinal
from yardlight.cellular.usage import Sim
from yardlight.inventory.cellular import Pool

# A figure that is older than this says too little of how a pool goes on.
_OLDEST = 4 * 86400.0


@dataclass(frozen=True)
class Sum:
    """What is known of a pool, as a track of its own, and how many of its members were read now.

    `counted` is None for a total of the platform's own, `read` what those add up to that were counted (None for none).
    `added` are those whose days are in the track.
    """

    track: Track
    members: tuple[str, ...]
    counted: int | None
    added: tuple[str, ...] = ()
    read: int | None = None


def members(name: str, pool: Pool | None, sims: Mapping[str, Sim], known: Sequence[str], alone: bool) -> list[str]:
    """The SIMs of a pool; of a source's only pool that names none, all."""
    if pool is not None and pool.sims:
        return list(pool.sims)
    if pool is not None and pool.plans:
        return [sim for sim, each in sims.items() if each.plan is not None and each.plan.name in pool.plans]
    own = [sim for sim, each in sims.items() if each.pool == name]
    return own or (list(known) if alone else [])


def add_up(
    tracks: Mapping[str, Track],
    names: Sequence[str],
    cycle: Cycle | None,
    zone: ZoneInfo,
    now: float,
    refused: Collection[str] = (),
) -> Sum:
    """The sum over the pool's own cycle, which need not be that of its SIMs; `refused` could not be read now."""
    every = {name: track for name in names if (track := tracks.get(name)) is not None}
    fresh = {name: track for name, track in every.items() if _fresh(track, now)}
    known = list(fresh.values())
    total = Track(zone, cycle=cycle)
    uses = {name: used for name, track in every.items() if (used := in_cycle(track, cycle, zone, now)) is not None}
    total.used = sum(uses.values()) if uses else None
    if not known:
        total.as_of = max((tracks[name].as_of or 0.0 for name in uses), default=None)
        return Sum(total, tuple(names), 0)
    with_days = [track for track in known if track.days]
    end = max((track.end for track in with_days), default=0)
    total.first = max(min((track.first for track in with_days), default=0), end - KEEP_DAYS)
    total.days = array("q", [_day(known, day) for day in range(total.first, end)])
    total.seeded = max((track.seeded for track in known), default=0)
    total.as_of = sum(track.as_of or 0.0 for track in known) / len(known)
    counted = [uses[name] for name in fresh if name in uses and name not in refused]
    return Sum(total, tuple(names), len(counted), tuple(fresh), sum(counted) if counted else None)


def _fresh(track: Track, now: float) -> bool:
    return track.as_of is not None and now - track.as_of < _OLDEST


def _day(known: Sequence[Track], day: int) -> int:
    told = [used for track in known if (used := track.day(day)) is not None]
    return sum(told) if told else UNKNOWN


def in_cycle(track: Track, cycle: Cycle | None, zone: ZoneInfo, now: float) -> int | None:
    """The use of a SIM in the pool's cycle: its total if the cycle is its own, else that of the days in it.

    Where its cycle is over, while nobody tells the next one, nothing is known yet.
    """
    if cycle is None and not track.open(now):
        return None
    if cycle is None or (track.cycle is not None and track.cycle == cycle):
        return track.used if track.since is None else None
    if cycle.start is None or not track.days:
        return None
    begin = ordinal(cycle.start, zone)
    begin += midnight(begin, zone) < cycle.start
    if begin < track.first:
        return None
    told = [used for day in range(begin, track.end) if (used := track.day(day)) is not None]
    # Of a cycle that has begun since, nothing is known yet.
    return sum(told) if told else None
