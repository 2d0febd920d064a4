"""Drivers' logs: which duty status a driver had from when to when, and on which truck. Pure.

Statuses are those of 49 CFR 395.8(b) with the two special ones of part 395 subpart B, appendix A, 4.3.2.2:
authorized personal use of the truck and yard moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from yardlight.intervals import Interval

Status = Literal["off_duty", "sleeper", "driving", "on_duty", "personal", "yard_move"]

RESTING = ("off_duty", "sleeper")
# Spellings by vendors, letters only and in lower case. What is not listed is no status, never off duty.
_SPELLINGS: dict[str, Status] = {
    **dict.fromkeys(("offduty", "off", "1"), "off_duty"),
    **dict.fromkeys(("sleeper", "sleeperberth", "sleeperbed", "sb", "2"), "sleeper"),
    **dict.fromkeys(("driving", "drive", "d", "3"), "driving"),
    **dict.fromkeys(("onduty", "on", "ondutynotdriving", "4"), "on_duty"),
    **dict.fromkeys(("personalconveyance", "personal", "pc", "personaluse", "pcexempted"), "personal"),
    **dict.fromkeys(("yardmove", "yardmoves", "ym"), "yard_move"),
}
# What stands in logs beside changes of the status: the one before holds on. INT_D, Exemption16H, PowerCompliance, ...
_EVENTS = (
    "login", "logoff", "enginepowerup", "engineshutdown", "int", "certify", "inactive", "exemption", "adverseweather",
    "operatingzone", "canadacycle", "railroadexemption", "connected", "disconnected", "authority", "malfunction",
)  # fmt: skip
_COMPLIANCE = "compliance"
# What ends personal use and yard moves, and says nothing of what follows.
_CLEARING = "situationaldrivingclear"


@lru_cache(maxsize=256)
def status_of(word: Hashable) -> Status | None:
    """The status that a vendor means by a word; None for one that is not known."""
    return _SPELLINGS.get(_letters(word))


@lru_cache(maxsize=256)
def is_event(word: Hashable) -> bool:
    """Whether a vendor's word is of something that changes no status."""
    letters = _letters(word)
    return letters.startswith(_EVENTS) or letters.endswith(_COMPLIANCE)


@lru_cache(maxsize=256)
def clears(word: Hashable) -> bool:
    """Whether a vendor's word is of the end of personal use or a yard move: off duty follows, or on duty."""
    return _letters(word) == _CLEARING


def _letters(word: object) -> str:
    return "".join(filter(str.isalnum, str(word))).casefold()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a log: from `start` (unix seconds) until `end`, or until the next one of this driver where it is None.

    Without `driver` it is what the truck's ELD recorded while nobody was logged in. `truck` may be empty: many vendors
    name it on lines at the wheel only. A `status` of None is one that is not known.
    """

    driver: str
    status: Status | None
    start: float
    end: float | None = None
    truck: str = ""

    def on(self, truck: str) -> Entry:
        """The same on another truck."""
        return Entry(self.driver, self.status, self.start, self.end, truck)


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it stands when all are known: with an end, and on the truck that its driver was with."""

    driver: str
    status: Status | None
    time: Interval
    truck: str

    @property
    def active(self) -> bool:
        """Whether the truck may move by it; a status that is not known accuses nobody."""
        return self.status not in RESTING


def lines(entries: Iterable[Entry], now: float, tied: float) -> list[Line]:
    """The logs of all drivers as they stand, by their start.

    A later line ends the one before; of two that start together the later one in the list was edited last. Where a line
    names no truck, the driver was with the last one. Who rests is with a truck for up to `tied` seconds after being
    active on it: who went home for the weekend does not answer for what the yard does with it.
    """
    drivers: dict[str, dict[float, Entry]] = defaultdict(dict)
    unclaimed: list[Line] = []
    for entry in entries:
        if entry.driver:
            known = drivers[entry.driver].get(entry.start)
            # One vendor's list has the status, another one the truck.
            drivers[entry.driver][entry.start] = entry if known is None or entry.truck else entry.on(known.truck)
        elif entry.end is not None and entry.end > entry.start:
            unclaimed.append(Line("", entry.status, (entry.start, entry.end), entry.truck))
    found = [line for each in drivers.values() for line in _of_one(sorted(each.values(), key=_start), now, tied)]
    return sorted([*found, *unclaimed], key=lambda line: line.time)


def _of_one(entries: list[Entry], now: float, tied: float) -> Iterable[Line]:
    truck, active = "", float("-inf")
    for index, entry in enumerate(entries):
        following = entries[index + 1].start if index + 1 < len(entries) else now
        end = min(following, now) if entry.end is None else min(entry.end, following)
        if end <= entry.start:
            continue
        truck = entry.truck or truck
        if entry.status not in RESTING:
            active = end
        elif truck and entry.start < (until := (max(active, entry.start) if entry.truck else active) + tied):
            end = min(end, until)
        else:
            continue
        yield Line(entry.driver, entry.status, (entry.start, end), truck)


def _start(entry: Entry) -> float:
    return entry.start
