"""The instants of a switch, t0 to t8, from what the probes recorded, each with its error bar and where it comes from.

Pure: unix seconds by the terminal's clock. An instant is what several witnesses leave of an interval: an action's own
beginning and end, and the probes before and after it; where they contradict each other, the probes are believed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from yardlight.facts import EventFact

NAMES = {
    "t0": "the primary was cut",
    "t1": "the last answered probe before the switch",
    "t2": "the router said that it uses the standby",
    "t3": "the first answered probe over the standby",
    "t4": "the alert under test fired",
    "t5": "its notification arrived",
    "t6": "the primary was back",
    "t7": "the yard was back on the primary",
    "t8": "nothing was lost from here on",
}
# A probe may notice a cut a little before or after whoever made it says so.
_SLACK = 3.0


@dataclass(frozen=True)
class Instant:
    """When, to within `error` seconds either way, and who says so."""

    at: float
    error: float
    source: str


@dataclass(frozen=True)
class Act:
    """A cut or its undo: begun and done (unix seconds). `by_hand`: somebody said so at `end`, it was before that."""

    begin: float
    end: float
    by_hand: bool


@dataclass(frozen=True)
class Told:
    """An alert under test: when it fired and when its first notification arrived; None where it is not known."""

    alert: str
    fired: float | None = None
    received: float | None = None


@dataclass(frozen=True)
class Round:
    """One cut and all that followed; `gap` and `back_gap` are the silences on the way there and back.

    `quiet` is how long nothing was lost after it, as far as anybody looked. `moved` and `returned`: it was there
    and back, measured or not.
    """

    number: int
    flap: bool
    instants: Mapping[str, Instant]
    gap: Instant | None = None
    back_gap: Instant | None = None
    disturbances: int = 0
    quiet: float | None = None
    moved: bool = False
    returned: bool = False

    def between(self, first: str, second: str) -> Instant | None:
        """The time from one instant to another, as a length with its error."""
        one, other = self.instants.get(first), self.instants.get(second)
        if one is None or other is None:
            return None
        return Instant(other.at - one.at, one.error + other.error, f"{first} to {second}")


@dataclass(frozen=True)
class Seen:
    """What is known of one round: from when to when it lasted, both acts, events, alerts.

    `claimed` is when the router first said that it uses the standby: between these two looks.
    """

    number: int
    primary: str
    start: float
    end: float
    cut: Act | None
    restored: Act | None
    events: Sequence[EventFact] = ()
    told: Sequence[Told] = ()
    claimed: tuple[float, float] | None = None
    flap: bool = False
    quiet_until: float | None = None


@dataclass
class _Bounds:
    low: float = -math.inf
    high: float = math.inf
    sources: list[str] = field(default_factory=list)

    def narrow(self, low: float, high: float, source: str) -> None:
        """One more witness; the newest one wins where it contradicts those before."""
        if max(low, self.low) > min(high, self.high):
            self.low, self.high, self.sources = low, high, [source]
            return
        self.low, self.high = max(low, self.low), min(high, self.high)
        self.sources.append(source)

    def instant(self) -> Instant | None:
        if math.isinf(self.low) or math.isinf(self.high):
            return None
        return Instant((self.low + self.high) / 2, (self.high - self.low) / 2, " and ".join(self.sources))


def round_of(seen: Seen) -> Round:
    """The instants of one round; one that nobody witnessed is left out."""
    circuit = _first(seen, "uplink_gap", seen.primary)
    there = next((e for e in _own(seen) if e.kind == "failover" and e.uplink != seen.primary), None)
    back = next((e for e in _own(seen) if e.kind == "failover" and e.uplink == seen.primary and _after(e, there)), None)
    found: dict[str, Instant | None] = {
        "t0": _cut(seen, circuit),
        "t1": _edge(there, start=True, source="the default path's probes"),
        "t2": _claimed(seen),
        "t3": _edge(there, start=False, source="the default path's probes"),
        "t6": _restored(seen, circuit),
        "t7": _edge(back, start=False, source="the default path's probes"),
        **_alert(seen),
    }
    later = [e for e in _own(seen) if e.kind in ("gap", "failover") and back is not None and e.start > back.end]
    if back is not None and seen.quiet_until is not None:
        found["t8"] = _edge(later[-1] if later else back, start=False, source="the default path's probes")
    known = {name: instant for name in NAMES if (instant := found.get(name)) is not None}
    calm = known.get("t8") or known.get("t7") or (known.get("t6") if seen.flap else None)
    return Round(
        seen.number,
        seen.flap,
        known,
        gap=_length(there),
        back_gap=_length(back),
        disturbances=len(later),
        quiet=None if calm is None or seen.quiet_until is None else max(0.0, seen.quiet_until - calm.at),
        moved=there is not None,
        returned=back is not None,
    )


def _own(seen: Seen) -> list[EventFact]:
    return [event for event in seen.events if event.end >= seen.start - _SLACK and event.start <= seen.end]


def _first(seen: Seen, kind: str, uplink: str) -> EventFact | None:
    """The event of this round: the first that lasted into it, however much flickered before."""
    began = seen.cut.begin if seen.cut is not None else seen.start
    return next((e for e in _own(seen) if e.kind == kind and e.uplink == uplink and e.end > began), None)


def _after(event: EventFact, first: EventFact | None) -> bool:
    return first is None or event.start > first.start


def _errors(event: EventFact) -> tuple[float, float]:
    """Half widths of an event's two estimates: what is known of both together, and of the first alone."""
    both = float(event.detail.get("error", 0.0))
    since = event.detail.get("since")
    first = both / 2 if since is None else min(both, max(0.0, event.start - float(since)))
    return first, both - first


def _edge(event: EventFact | None, *, start: bool, source: str) -> Instant | None:
    if event is None or event.detail.get("measured") is False:
        return None
    first, last = _errors(event)
    if event.start == event.end:
        # It moved without a silence: one instant, known to within the whole error.
        first = last = float(event.detail.get("error", 0.0))
    return Instant(event.start if start else event.end, first if start else last, source)


def _length(event: EventFact | None) -> Instant | None:
    if event is None or event.detail.get("measured") is False:
        return None
    return Instant(event.end - event.start, float(event.detail.get("error", 0.0)), "the default path's probes")


def _cut(seen: Seen, circuit: EventFact | None) -> Instant | None:
    bounds = _Bounds()
    if seen.cut is not None and seen.cut.by_hand:
        bounds.narrow(-math.inf, seen.cut.end + _SLACK, "whoever did it")
    elif seen.cut is not None:
        bounds.narrow(seen.cut.begin, seen.cut.end, "the action")
    if circuit is not None:
        error = _errors(circuit)[0]
        bounds.narrow(circuit.start - error, circuit.start + error, f"{seen.primary}'s own probes")
    return bounds.instant()


def _restored(seen: Seen, circuit: EventFact | None) -> Instant | None:
    bounds = _Bounds()
    if seen.restored is not None and seen.restored.by_hand:
        bounds.narrow(-math.inf, seen.restored.end + _SLACK, "whoever did it")
    elif seen.restored is not None:
        bounds.narrow(seen.restored.begin, seen.restored.end, "the action")
    if circuit is not None:
        error = _errors(circuit)[1]
        bounds.narrow(circuit.end - error, circuit.end + error, f"{seen.primary}'s own probes")
    return bounds.instant()


def _claimed(seen: Seen) -> Instant | None:
    if seen.claimed is None:
        return None
    before, after = seen.claimed
    return Instant((before + after) / 2, (after - before) / 2, "the router")


def _alert(seen: Seen) -> dict[str, Instant]:
    fired = sorted((told.fired, told.alert) for told in seen.told if told.fired is not None)
    received = sorted((told.received, told.alert) for told in seen.told if told.received is not None)
    found = {}
    if fired:
        found["t4"] = Instant(fired[0][0], 0.0, f"Prometheus, {fired[0][1]}")
    if received:
        found["t5"] = Instant(received[0][0], 0.0, f"the drill receiver, {received[0][1]}")
    return found
