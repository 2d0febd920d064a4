"""The terminals of the script over windows of time, as what their exporters and the centre would have exported."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tests.quarter.script import BEGIN, CARRIERS, DAY, END, HOUR, LA, MINUTE, NEXT, OF_VENDORS, TERMINALS, Event, Script
from tests.rules.yard import FIBER, LTE, Centre, Drill, Host, Service, Spans, Yard, series

# What is over for longer is forgotten by every rule about terminals.
_REMEMBERED = 3 * DAY
# Quiet terminals beside the one that something happens at: with one alone, "half of them" would be one.
_BESIDE = 2
_ALWAYS = -1e9


@dataclass(frozen=True)
class Window:
    """A stretch of the quarter and the terminals or accounts that are looked at; for the rules a fleet of its own.

    `part` is faults or quiet of yards, vendors or calm of vendors.
    """

    part: str
    name: str
    begin: float
    end: float
    where: tuple[str, ...]

    @property
    def length(self) -> float:
        return self.end - self.begin

    @property
    def of_vendors(self) -> bool:
        return self.part in ("vendors", "calm")

    @property
    def step(self) -> float:
        """Between two samples, and two evaluations: a yard that is silent for a minute is a page."""
        return 60.0 if self.of_vendors else 15.0

    def around(self, event: Event) -> bool:
        """Whether this window is around this event."""
        asked = self.part == ("vendors" if event.kind in OF_VENDORS else "faults")
        return asked and self.begin <= event.begin < self.end and set(event.where) <= set(self.where)


def windows(script: Script, quiet: int, around: float, rng: random.Random) -> list[Window]:
    """So many seconds around each fault, as one where these overlap; and so many random windows without any."""
    spans: list[tuple[float, float, tuple[str, ...]]] = []
    for event in script.faults:
        if event.kind in OF_VENDORS:
            continue
        # The reminder of a late drill is a change of state; that it goes on for a week is none.
        end = event.begin if event.kind == "late drill" else event.end
        spans.append((event.begin - around, end + around, event.where))
    merged: list[tuple[float, float, tuple[str, ...]]] = []
    for begin, end, where in sorted(spans, key=lambda each: (each[2], each[0])):
        if merged and merged[-1][2] == where and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), where)
        else:
            merged.append((begin, end, where))
    found = [
        Window("faults", f"fault{number:03}", begin, end, (*where, *_beside(rng, script, where, begin, end)))
        for number, (begin, end, where) in enumerate(sorted(merged))
    ]
    for number in range(quiet):
        while True:
            begin = rng.uniform(BEGIN, END - 2 * around) // MINUTE * MINUTE
            if script.quiet(begin - HOUR, begin + 2 * around):
                break
        some = tuple(rng.sample(TERMINALS, _BESIDE + 1))
        found.append(Window("quiet", f"quiet{number:03}", begin, begin + 2 * around, some))
    return found


def _beside(rng: random.Random, script: Script, where: Sequence[str], begin: float, end: float) -> list[str]:
    """Terminals on the same carriers at which nothing happens then."""
    if len(where) > _BESIDE:
        return []
    carriers = {carrier(name) for name in where}
    calm = [
        name
        for name in TERMINALS
        if name not in where and carrier(name) in carriers
        and not any(each.near(begin, end) and not each.noise for each in script.of[name])
    ]  # fmt: skip
    return rng.sample(calm, _BESIDE)


def carrier(name: str) -> str:
    return CARRIERS[TERMINALS.index(name) % len(CARRIERS)]


def lines(script: Script, window: Window, length: float) -> Iterator[tuple[str, str]]:
    """All series of the window in promtool's notation, over so many seconds from its beginning."""
    begin = window.begin
    down = tuple(_shift(e, begin) for e in script.events if e.kind == "platform" and e.near(begin, begin + length))
    centre = Centre(service=Service(fails={"centre": down}))
    yield from series(tuple(yard(script, name, window, length) for name in window.where), centre, length)


def yard(script: Script, name: str, window: Window, length: float) -> Yard:
    """One terminal, in seconds from the beginning of the window."""
    events = [e for e in script.of[name] if e.near(window.begin - _REMEMBERED, window.begin + length)]

    def spans(*kinds: str) -> Spans:
        return tuple(_shift(each, window.begin) for each in events if each.kind in kinds)

    def parts(kind: str) -> Spans:
        return tuple((a - window.begin, b - window.begin) for e in events if e.kind == kind for a, b in e.parts)

    moved = [each for each in events if each.kind in ("cut", "planned")]
    path = [step for each in moved for step in _moves(each.begin, each.end, each, window.begin)]
    path += [step for e in events if e.kind == "drill" for a, b in e.parts for step in _moves(a, b, e, window.begin)]
    cut = spans("cut", "planned", "dark", "router stuck", "blip")
    fiber = replace(
        FIBER,
        isp="Frontier",
        dead=tuple(sorted([*cut, *parts("flaps"), *parts("drill")])),
        degraded=spans("degraded", "lossy minute"),
        dead_target=spans("target gone"),
    )
    lte = replace(LTE, isp=carrier(name), dead=spans("standby dead", "carrier", "dark", "standby blip"))
    fails = spans("platform", "service")
    service = Service(fails={"default": fails, "fiber": fails, "lte": spans("platform")})
    planned = tuple((a - 5 * MINUTE, b + 15 * MINUTE) for a, b in spans("planned"))
    return Yard(
        fleet=window.name,
        name=name,
        lines={"fiber": fiber, "lte": lte},
        service=service,
        drill=_drill(script, name, window, length),
        path=tuple(sorted(path)),
        hosts=(Host(runs=_runs(spans("box gone", "box restarts")), blank=10.0),),
        maintenance={"fiber": planned} if planned else {},
        offset=datetime.fromtimestamp(window.begin, LA).utcoffset().total_seconds(),  # type: ignore[union-attr]
    )


def _shift(event: Event, begin: float) -> tuple[float, float]:
    return event.begin - begin, event.end - begin


def _moves(begin: float, end: float, event: Event, of: float) -> list[tuple[float, str]]:
    """The router moves a little after the line died, and back a little after it healed."""
    return [(begin + event.quick[0] - of, "lte"), (end + event.quick[1] - of, "fiber")]


def _runs(gone: Spans) -> Spans:
    """When the box measured: all the time but these."""
    edges = [_ALWAYS, *(moment for span in sorted(gone) for moment in span), -_ALWAYS]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


def _drill(script: Script, name: str, window: Window, length: float) -> Drill | None:
    """This quarter's, and the one before as long as that is the newest."""
    own = next((each for each in script.of[name] if each.kind == "drill"), None)
    if own is None:
        return None
    run = _shift(own, window.begin)
    newest = run[1] if run[0] < length else BEGIN - 60 * DAY - window.begin
    return Drill(
        runs=(run,),
        due=((_ALWAYS, END - window.begin), (run[1], NEXT - window.begin)),
        remind_before=14 * DAY,
        result="pass",
        ended=newest,
        passed=newest,
    )
