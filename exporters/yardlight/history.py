"""What was measured, looked back at: outages one by one, and how much of a period each circuit was up.

Pure arithmetic over intervals of unix seconds, [start, end), and reading from state files. Time in which nothing was
measured is neither up nor down anywhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from yardlight.intervals import Interval, common, minus, seconds, union
from yardlight.inventory.models import Terminal
from yardlight.state import Event, Reader, Span

Kind = Literal["gap", "failover", "failback", "circuit"]

UP = frozenset({"up", "degraded"})


@dataclass(frozen=True)
class Downtime:
    """One outage: from its first to its last second down, and how many of these were measured."""

    start: float
    end: float
    seconds: float


@dataclass(frozen=True)
class Availability:
    """A period of one path, divided into up, down and not measured (disjoint intervals)."""

    period: Interval
    up: list[Interval]
    down: list[Interval]

    @cached_property
    def up_seconds(self) -> float:
        return seconds(self.up)

    @cached_property
    def down_seconds(self) -> float:
        return seconds(self.down)

    @property
    def period_seconds(self) -> float:
        return self.period[1] - self.period[0]

    @property
    def unmeasured_seconds(self) -> float:
        return max(0.0, self.period_seconds - self.up_seconds - self.down_seconds)

    @property
    def share(self) -> float | None:
        """Up as a ratio of the measured time; None if nothing was measured."""
        measured = self.up_seconds + self.down_seconds
        return self.up_seconds / measured if measured else None

    @property
    def begun(self) -> float | None:
        """The first measured instant."""
        return min((start for start, _ in (*self.up[:1], *self.down[:1])), default=None)

    @cached_property
    def outages(self) -> list[Downtime]:
        """Downtimes; time in which nothing was measured does not divide one, only an uptime does."""
        found: list[Downtime] = []
        ups = iter(self.up)
        up = next(ups, None)
        for start, end in self.down:
            divided = not found
            while up is not None and up[0] < start:
                divided, up = True, next(ups, None)
            if divided:
                found.append(Downtime(start, end, end - start))
            else:
                last = found[-1]
                found[-1] = Downtime(last.start, end, last.seconds + end - start)
        return found

    @property
    def mean_outage(self) -> float | None:
        """Seconds down per outage, the mean time to repair; None without one."""
        return self.down_seconds / len(self.outages) if self.outages else None


def availability(
    period: Interval, up: Iterable[Interval], down: Iterable[Interval], silences: Iterable[Interval]
) -> Availability:
    """Divide a period. What was watched `up` or `down` is measured; `silences` in it are down whatever it said."""
    up, down = union(up), union(down)
    watched = common([period], [*up, *down])
    lost = common(watched, [*down, *silences])
    return Availability(period, minus(watched, lost), lost)


def circuit_availability(uplink: str, spans: Sequence[Span], events: Sequence[Event], period: Interval) -> Availability:
    """How an uplink's own path was: unknown (not pinned, nothing could be sent) is not measured."""
    own = [span for span in spans if span.path == "pinned" and span.uplink == uplink]
    return availability(
        period,
        [(span.start, span.end) for span in own if span.state in UP],
        [(span.start, span.end) for span in own if span.state == "down"],
        [(event.start, event.end) for event in events if event.kind == "uplink_gap" and event.uplink == uplink],
    )


def terminal_availability(spans: Sequence[Span], events: Sequence[Event], period: Interval) -> Availability:
    """How the default path was: whether anything carried the yard."""
    own = [span for span in spans if span.path == "default"]
    return availability(
        period,
        [(span.start, span.end) for span in own if span.state in ("primary", "standby")],
        [(span.start, span.end) for span in own if span.state == "dark"],
        [(event.start, event.end) for event in events if event.kind in ("gap", "failover")],
    )


def carried(uplink: str, spans: Sequence[Span], period: Interval) -> list[Interval]:
    """When this uplink carried the yard."""
    own = [(span.start, span.end) for span in spans if span.path == "default" and span.uplink == uplink]
    return common([period], own)


@dataclass(frozen=True)
class Outage:
    """A row of `yardlight outages`. Times in unix seconds; `error` is the half width of the length, None if not known.

    `uplink` is the circuit it happened to: of a failover the one that was left, of a failback the one returned to,
    which is not to blame for it: `isp` and `circuit` are empty then.
    `ongoing`: it had not ended when the box last looked, at `end`.
    """

    terminal: str
    kind: Kind
    uplink: str
    start: float
    end: float
    error: float | None
    segment: str
    isp: str
    circuit: str
    evidence: str
    ongoing: bool = False

    @property
    def seconds(self) -> float:
        return max(0.0, self.end - self.start)


def outages(terminal: Terminal, events: Sequence[Event], spans: Sequence[Span]) -> list[Outage]:
    """Every gap of the default path, failover, failback and silence of a circuit, in order of their beginning."""
    around = _Around(events, spans)
    rows = [_row(terminal, event, around) for event in events if event.kind in _KINDS]
    for uplink in terminal.uplinks:
        pinned = [span for span in spans if span.path == "pinned" and span.uplink == uplink]
        rows += _unwritten(terminal, "circuit", uplink, pinned, "down", around)
    default = [span for span in spans if span.path == "default"]
    rows += _unwritten(terminal, "gap", "", default, "dark", around)
    return sorted(rows, key=lambda row: (row.start, row.kind, row.uplink))


_KINDS = ("gap", "failover", "uplink_gap")


def _row(terminal: Terminal, event: Event, around: _Around) -> Outage:
    error = event.detail.get("error")
    when = (event.start, event.end)
    if event.kind == "uplink_gap":
        segment = str(event.detail.get("segment", "unknown"))
        evidence = f"{_WHERE[segment]}; {_yard(when, around)}"
        return _outage(terminal, "circuit", event.uplink, when, error, segment, evidence)
    evidence = _circuits(when, around)
    if event.kind == "gap":
        return _outage(terminal, "gap", event.uplink, when, error, "", evidence)
    left = str(event.detail.get("came_from", ""))
    uplink = terminal.uplinks.get(event.uplink)
    moved = f"from {left or 'unknown'} to {event.uplink}"
    if uplink is not None and uplink.role == "primary":
        return Outage(terminal.name, "failback", event.uplink, *when, error, "", "", "", moved)
    evidence = f"{moved}; {evidence}"
    return _outage(terminal, "failover", left, when, error, "", evidence)


_WHERE = {
    "next_hop": "no target answered over it, nor did the next hop",
    "isp": "no target answered over it, nor did the ISP; the next hop did",
    "far": "no target answered over it; what is probed nearer did",
    "unknown": "no target answered over it",
}


def _outage(
    terminal: Terminal,
    kind: Kind,
    uplink: str,
    when: Interval,
    error: float | None,
    segment: str,
    evidence: str,
    ongoing: bool = False,
) -> Outage:
    known = terminal.uplinks.get(uplink)
    isp, circuit = (known.circuit.isp or "", known.circuit.id or "") if known else ("", "")
    return Outage(terminal.name, kind, uplink, *when, error, segment, isp, circuit, evidence, ongoing)


class _Around:
    """What happened around an instant, found without looking at everything: a flapping month has thousands of rows."""

    def __init__(self, events: Sequence[Event], spans: Sequence[Span]) -> None:
        groups: dict[tuple[str, str], list[Event | Span]] = {}
        for event in events:
            groups.setdefault((event.kind, event.uplink if event.kind == "uplink_gap" else ""), []).append(event)
        for span in spans:
            groups.setdefault((span.path, span.uplink if span.path == "pinned" else ""), []).append(span)
        self._groups = {key: _Ordered(items) for key, items in groups.items()}

    def events(self, kind: str, when: Interval) -> list[Event]:
        """Events of this kind that touch the interval."""
        return [item for item in self._touching(kind, when) if isinstance(item, Event)]

    def spans(self, path: str, when: Interval) -> list[Span]:
        """Spans of this path that touch the interval."""
        return [item for item in self._touching(path, when) if isinstance(item, Span)]

    def _touching(self, name: str, when: Interval) -> Iterator[Event | Span]:
        return (item for key, group in self._groups.items() if key[0] == name for item in group.touching(when))


class _Ordered:
    """Things with a start and an end, most of them one after the other."""

    def __init__(self, items: Sequence[Event | Span]) -> None:
        self._items = sorted(items, key=lambda item: item.start)
        self._starts = [item.start for item in self._items]
        self._latest = list(accumulate((item.end for item in self._items), max))

    def touching(self, when: Interval) -> list[Event | Span]:
        first, last = bisect_left(self._latest, when[0]), bisect_right(self._starts, when[1])
        return [item for item in self._items[first:last] if item.end >= when[0]]


def _yard(when: Interval, around: _Around) -> str:
    """What the default path did meanwhile."""
    if moves := around.events("failover", when):
        return f"the yard moved to {moves[0].uplink}"
    spans = around.spans("default", when)
    if any(span.state == "dark" for span in spans) or around.events("gap", when):
        return "the yard was cut off too"
    carriers = {span.uplink for span in spans if span.uplink}
    if not carriers:
        return "who carried the yard is not known"
    return f"the yard went on over {' and '.join(sorted(carriers))}"


def _circuits(when: Interval, around: _Around) -> str:
    """Which circuits were silent meanwhile, on their own paths."""
    spans = around.spans("pinned", when)
    silent = {event.uplink for event in around.events("uplink_gap", when)}
    silent |= {span.uplink for span in spans if span.state == "down"}
    if silent:
        return f"{' and '.join(sorted(silent))} silent on {'its' if len(silent) == 1 else 'their'} own path meanwhile"
    watched = any(span.state in UP for span in spans)
    return "every circuit answered meanwhile: look at the router" if watched else "the circuits were not measured"


def _unwritten(
    terminal: Terminal,
    kind: Literal["gap", "circuit"],
    uplink: str,
    own: Sequence[Span],
    bad: str,
    around: _Around,
) -> list[Outage]:
    """Outages that were watched but have no event: those that last, and those that ended while nobody looked."""
    everything = (float("-inf"), float("inf"))
    bad_time = [(span.start, span.end) for span in own if span.state == bad]
    good_time = [(span.start, span.end) for span in own if span.state not in (bad, "unknown")]
    last = max((span.end for span in own), default=0.0)
    rows = []
    for down in availability(everything, good_time, bad_time, ()).outages:
        when = (down.start, down.end)
        if kind == "circuit":
            written = [event for event in around.events("uplink_gap", when) if event.uplink == uplink]
            segment, evidence = "unknown", f"{_WHERE['unknown']}; {_yard(when, around)}"
        else:
            written = [*around.events("gap", when), *around.events("failover", when)]
            segment, evidence = "", _circuits(when, around)
        if written:
            continue
        ongoing = down.end == last
        if not ongoing:
            evidence = f"{evidence}; its end was not measured"
        rows.append(_outage(terminal, kind, uplink, when, None, segment, evidence, ongoing))
    return rows


class History:
    """One or more state files read as one: a fleet's boxes each keep their own. Close it, or use `with`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises `StateError` for the first file that cannot be read."""
        self._readers: list[Reader] = []
        try:
            for path in paths:
                self._readers.append(Reader(path))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> History:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for reader in self._readers:
            reader.close()

    def events(self, fleet: str, terminal: str, period: Interval) -> list[Event]:
        """Events that touch the period, oldest first."""
        found = [event for reader in self._readers for event in reader.events(fleet, terminal, *period)]
        return sorted(found, key=lambda event: event.start)

    def memory(self, fleet: str, poll: str) -> tuple[float, bytes] | None:
        """When a poll was complete the last time, and its memory, of the box that did it last."""
        found = [kept for reader in self._readers if (kept := reader.memory(fleet, poll)) is not None]
        return max(found, default=None)

    def recall(self, fleet: str, name: str) -> list[Any]:
        """What each box remembers of a fleet under this name."""
        return [kept for reader in self._readers if (kept := reader.recall(fleet, name)) is not None]

    def spans(self, fleet: str, terminal: str, period: Interval) -> list[Span]:
        """Spans that touch the period, oldest first."""
        found = [span for reader in self._readers for span in reader.spans(fleet, terminal, *period)]
        return sorted(found, key=lambda span: span.start)
