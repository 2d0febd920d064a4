"""Cases for compliance: driver-days on which log and GPS do not match, truck-days on which nobody was logged in.

A case is open until the log is corrected (fixed) or somebody says in words why it is as it is (explained). Cases are
kept with what the join remembers. Explanations are people's, in a journal beside the inventory whose lines are bound to
each other.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from yardlight import journal
from yardlight.feeds.duty import Line
from yardlight.feeds.homes import Homes
from yardlight.feeds.hos import Judged
from yardlight.intervals import Interval, common, seconds
from yardlight.logs import kv

log = logging.getLogger(__name__)

Kind = Literal["mismatch", "unassigned"]
State = Literal["open", "explained", "fixed"]
KINDS: tuple[Kind, ...] = ("mismatch", "unassigned")
STATES: tuple[State, ...] = ("open", "explained", "fixed")
EXPLAINED = "explained"
# Closed ones are kept for an audit of six months and then some.
_KEPT = timedelta(days=400)
# Less in a day is a truck that is put into another place.
_LEAST = 60.0


@dataclass(slots=True)
class Case:
    """A day of a truck, and of the driver whose log it does not match. Instants are unix seconds.

    `found` is when it was first judged, `fixed` when the log was seen corrected, and `mended` whose logs allow it now:
    by the driver who corrected it, or the one who claimed it. It is a day of the `zone` of their home.
    """

    kind: Kind
    driver: str
    truck: str
    day: str
    times: list[Interval]
    found: float
    fixed: float | None = None
    zone: str = "UTC"
    mended: str = ""

    @property
    def number(self) -> str:
        """By what people call it."""
        said = f"{self.kind} {self.driver} {self.truck} {self.day}"
        return hashlib.blake2b(said.encode(), digest_size=4).hexdigest()

    @property
    def seconds(self) -> float:
        """How long the truck moved."""
        return seconds(self.times)

    def of(self, other: Case) -> bool:
        """Whether the other one is about some of the same time of the same truck and driver."""
        same = (self.kind, self.driver, self.truck) == (other.kind, other.driver, other.truck)
        return same and bool(common(self.times, other.times))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who said why, and when (unix seconds)."""

    by: str
    because: str
    at: float


Explanations = Mapping[str, Explanation]


def state_of(case: Case, explained: Explanations) -> State:
    """How a case stands."""
    if case.fixed is not None:
        return "fixed"
    return "explained" if case.number in explained else "open"


def revised(
    before: Mapping[str, Case], judged: Judged, homes: Homes, log: Sequence[Line], begin: float, now: float
) -> dict[str, Case]:
    """The cases after movements were held against the `log` (again), of which all is known from `begin` on.

    One that is not found again was corrected. Of one that began before, not all was judged: it stays as it is, and a
    new one is none. One that is of another day now, as its driver is at home elsewhere, is not there twice. Whom a case
    is held against stays, when what is known of the days before gets less and another one looks likelier, unless the
    log has that driver on another truck now.
    """
    found = {case.number: case for case in _found(judged, homes, now) if case.times[0][0] >= begin}
    cases = dict(before)
    for number, case in before.items():
        if case.times[0][0] < begin:
            found.pop(number, None)
        elif number not in found and case.fixed is None:
            if any(case.of(each) for each in found.values()):
                del cases[number]
            elif (again := [each for each in found.values() if _same(case, each)]) and not _left(case, log):
                for each in again:
                    if each.number not in before:
                        del found[each.number]
            else:
                cases[number] = replace(case, fixed=now, mended=_mended(case, log))
    for number, case in found.items():
        first = before[number].found if number in before else case.found
        cases[number] = replace(case, found=first)
    return cases


def _same(case: Case, other: Case) -> bool:
    """Whether the other one is about most of a mismatch, whoever it is held against."""
    mostly = seconds(common(case.times, other.times)) > case.seconds / 2
    return case.kind == "mismatch" and case.truck == other.truck and mostly


def _left(case: Case, log: Sequence[Line]) -> bool:
    """Whether the driver was with another truck by the log as it is now."""
    others = [line for line in log if line.driver == case.driver and line.truck != case.truck]
    return any(common([line.time], case.times) for line in others)


def _found(judged: Judged, homes: Homes, now: float) -> Iterator[Case]:
    for each in judged.mismatches:
        zone = homes.driver(each.driver).key
        yield Case("mismatch", each.driver, each.truck, each.day.isoformat(), list(each.times), now, zone=zone)
    for one in judged.unassigned:
        if seconds(one.times) >= _LEAST:
            zone = homes.truck(one.truck).key
            yield Case("unassigned", "", one.truck, one.day.isoformat(), list(one.times), now, zone=zone)


def _mended(case: Case, log: Sequence[Line]) -> str:
    """Whose logs let the truck move now; empty where it is none, but the roster or the limits."""
    there = {
        f"{line.driver}: {(line.status or 'another status').replace('_', ' ')}"
        for line in log
        if line.truck == case.truck and line.driver and line.active and common([line.time], case.times)
    }
    return ", ".join(sorted(there))


def kept(cases: Mapping[str, Case], explained: Explanations, today: date) -> dict[str, Case]:
    """Without those that nobody will ask for any more; open ones stay until somebody sees to them."""
    first = (today - _KEPT).isoformat()
    return {number: case for number, case in cases.items() if case.day >= first or state_of(case, explained) == "open"}


def unassigned(cases: Iterable[Case], explained: Explanations, span: Interval) -> dict[str, float]:
    """For how long each truck moved in this time with nobody logged in, explained time apart."""
    found: dict[str, float] = {}
    for case in cases:
        if case.kind == "unassigned" and state_of(case, explained) == "open":
            found[case.truck] = found.get(case.truck, 0.0) + seconds(common(case.times, [span]))
    return {truck: moved for truck, moved in found.items() if moved}


def file_of(base: Path, fleet: str) -> Path:
    """Where the explanations for a fleet lie: beside its inventory."""
    return base / f"{fleet}.cases.jsonl"


def explanations(file: Path) -> dict[str, Explanation]:
    """Why cases are as they are, by their numbers; nothing of a journal that somebody edited, which is said."""
    try:
        data = file.read_bytes()
        lines = journal.entries(data[: data.rfind(b"\n") + 1])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.error("explanations of cases are not used", extra=kv(file=file, reason=error))
        return {}
    told = (each for each in lines if each["what"] == EXPLAINED)
    return {each["case"]: Explanation(each["by"], each["because"], each["at"]) for each in told}


def recalled(value: Iterable[Mapping[str, Any]]) -> dict[str, Case]:
    """What JSON made of them, by their numbers."""
    cases = (Case(**{**each, "times": [(start, end) for start, end in each["times"]]}) for each in value)
    return {case.number: case for case in cases}
