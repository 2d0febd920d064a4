"""Drivers' logs: which duty status a driver had from when to when, and on which truck. Pure.

Statuses are those of 49 CFR 395.8(b) with the two special ones of part 395 subpart B, appendix A, 4.3.2.2:
authorized personal use of the truck and yard moves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from yardlight.intervals import Interval

Status = Literal["off_duty", "sleeper", "driving", "on_duty", "personal", "yard_move"]

RESTING = ("off_duty", "sleeper")
# By which an ELD says that a truck which nobody was logged in to stands again.
_STANDING = (*RESTING, "on_duty")
# The special one, and what a list that does not know it calls the same time.
_SPECIAL: dict[Status | None, Status] = {"personal": "off_duty", "yard_move": "on_duty"}
# Spellings by vendors, letters only and in lower case. What is not listed is no status, never off duty.
_SPELLINGS: dict[str, Status] = {
    **dict.fromkeys(("offduty", "off", "1"), "off_duty"),
    **dict.fromkeys(("sleeper", "sleeperberth", "sleeperbed", "sb", "slp", "2"), "sleeper"),
    **dict.fromkeys(("driving", "drive", "d", "dr", "3"), "driving"),
    **dict.fromkeys(("onduty", "on", "ondutynotdriving", "4"), "on_duty"),
    **dict.fromkeys(("personalconveyance", "personal", "pc", "personaluse", "pcexempted"), "personal"),
    **dict.fromkeys(("offdutypersonalconveyance", "offdutypersonaluse", "offdutypc", "offpc"), "personal"),
    **dict.fromkeys(("yardmove", "yardmoves", "ym", "ondutyyardmove", "ondutyyardmoves", "ondutyym"), "yard_move"),
}
# What stands in logs beside changes of the status: the one before holds on. INT_D, Exemption16H, PowerCompliance, ...
_EVENTS = (
    "login", "logoff", "enginepowerup", "engineshutdown", "int", "certify", "inactive", "exemption", "adverseweather",
    "operatingzone", "canadacycle", "railroadexemption", "connected", "disconnected", "authority", "malfunction",
)  # fmt: skip
_COMPLIANCE = "compliance"
# What ends personal use and yard moves, and says nothing of what follows.
_CLEARING = "situationaldrivingclear"
# So many times as long as off duty: the last truck is the one in whose berth somebody sleeps.
_IN_THE_BERTH = 4


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


# What is told of one driver, or of a truck that nobody was logged in to, by start and end.
_Log = dict[tuple[float, float | None], Entry]


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

    A later line ends the one before; one that has an end of its own is part of the longer one that it lies in, which
    goes on after it. Of two that start together the later one in the list was edited last, but personal use and yard
    moves are what they are, whatever a list without these says. Where a line names no truck, the driver was with the
    last one. Who rests is with a truck for up to `tied` seconds after being active on it, or in its sleeper berth: who
    went home for the weekend does not answer for what the yard does with it.
    """
    drivers: dict[str, _Log] = defaultdict(dict)
    nobody: dict[str, _Log] = defaultdict(dict)
    for entry in entries:
        log = drivers[entry.driver] if entry.driver else nobody[entry.truck]
        known = log.get((entry.start, entry.end))
        log[entry.start, entry.end] = entry if known is None else _merged(known, entry)
    found = [line for each in drivers.values() for line in _of_one(_laid(each.values(), now), tied)]
    begun: dict[str, list[float]] = defaultdict(list)
    for line in sorted(found, key=_time):
        if line.active:
            begun[line.truck].append(line.time[0])
    found += [
        line for truck, each in nobody.items() for line in _of_nobody(_laid(each.values(), now), begun[truck], tied)
    ]
    return sorted(found, key=_time)


def _merged(known: Entry, entry: Entry) -> Entry:
    """Two of the same time. One vendor's list has the status, another one the truck."""
    status = known.status if entry.status and _SPECIAL.get(known.status) == entry.status else entry.status
    return replace(entry, status=status, truck=entry.truck or known.truck)


def _laid(entries: Iterable[Entry], now: float) -> Iterable[tuple[Entry, Interval]]:
    """What each says of the times of which no later one says something else."""
    ordered = sorted(entries, key=lambda each: (each.start, -_end(each)))
    around: list[Entry] = []
    for index, entry in enumerate(ordered):
        until = min(now, ordered[index + 1].start if index + 1 < len(ordered) else now)
        around = [each for each in around if _end(each) > entry.start and (entry.end is not None or _is(each, entry))]
        if around and around[-1].start == entry.start:
            status = around[-1].status if around[-1].status in _SPECIAL else entry.status
            entry = replace(entry, status=status, truck=entry.truck or around[-1].truck)
        # Where a list cuts the day, what it does not know goes on.
        around.insert(len(around) - 1 if around and _is(around[-1], entry) else len(around), entry)
        at = entry.start
        while around and at < until:
            end = min(_end(around[-1]), until)
            if end > at:
                yield around[-1], (at, end)
                at = end
            if at < until:
                around.pop()


def _is(special: Entry, entry: Entry) -> bool:
    """Whether one is personal use or a yard move with an end, and the other what a list calls it that knows neither."""
    return special.end is not None and _SPECIAL.get(special.status) == entry.status


def _of_one(laid: Iterable[tuple[Entry, Interval]], tied: float) -> Iterable[Line]:
    truck, active, there = "", float("-inf"), float("-inf")
    for entry, (start, end) in laid:
        truck = entry.truck or truck
        if entry.status not in RESTING:
            active = there = end
        else:
            there = max(there, entry.start) if entry.truck else there
            until = there + tied
            if entry.status == "sleeper":
                until = max(until, active + _IN_THE_BERTH * tied)
            if not truck or start >= until:
                continue
            end = min(end, until)
            there = max(there, end) if entry.status == "sleeper" else there
        yield Line(entry.driver, entry.status, (start, end), truck)


def _of_nobody(laid: Iterable[tuple[Entry, Interval]], begun: Sequence[float], tied: float) -> Iterable[Line]:
    """What is told without an end ends when the truck stands, or when somebody is active on it, which has `begun`."""
    for entry, (start, end) in laid:
        if entry.end is None:
            if entry.status in _STANDING:
                continue
            following = bisect_right(begun, start)
            end = min(end, start + tied, *begun[following : following + 1])
        yield Line("", entry.status, (start, end), entry.truck)


def _time(line: Line) -> Interval:
    return line.time


def _end(entry: Entry) -> float:
    return float("inf") if entry.end is None else entry.end
