"""What happened to one terminal, written down: events with the running totals they change, and said in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping

from yardlight import catalogue as m
from yardlight.state import Event, State, Total
from yardlight.terminal.carrier import Moved, Paused
from yardlight.terminal.silence import Gap
from yardlight.terminal.totals import Totals

log = logging.getLogger(__name__)

# Shorter gaps are those of a switch.
OUTAGE = 5.0


class Chronicle:
    """Records events, and shows a total only once it is written. `last_failover` is in unix seconds, and so is
    the end of the newest `outage` (its length, its end).

    `compared`: a router is polled, so that its word can differ from what is observed.
    """

    def __init__(self, fleet: str, terminal: str, uplinks: Iterable[str], state: State, compared: bool = False) -> None:
        self.totals = Totals(state.totals(fleet, terminal))
        self.last_gap: float | None = None
        self.last_failover: float | None = None
        self.outage: tuple[float, float] | None = None
        self.uplink_gaps: dict[str, float | None] = dict.fromkeys(uplinks)
        self._fleet, self._terminal, self._state = fleet, terminal, state
        self.totals.declare(m.GAP, (terminal,))
        if compared:
            self.totals.declare(m.DISAGREEMENTS, (terminal,))
        for uplink in self.uplink_gaps:
            self.totals.declare(m.UPLINK_GAP, (terminal, uplink))
            for other in self.uplink_gaps:
                if other != uplink:
                    self.totals.declare(m.FAILOVERS, (terminal, uplink, other))

    def moved(self, moved: Moved) -> None:
        """The default path went to another uplink."""
        totals = [self.totals.add(m.FAILOVERS, (self._terminal, moved.came_from, moved.to), 1.0)]
        if moved.measured:
            totals.append(self._gap(moved.gap))
        self.last_failover = moved.gap.end + time.time() - time.monotonic()
        self._record("failover", moved.to, moved.gap, totals, came_from=moved.came_from, measured=moved.measured)

    def paused(self, paused: Paused) -> None:
        """The default path was silent, and did not move."""
        self._record("gap", paused.uplink or "", paused.gap, [self._gap(paused.gap)])

    def uplink_paused(self, uplink: str, gap: Gap, segment: str) -> None:
        """An uplink's own path was silent; `segment` is where that lay."""
        self.uplink_gaps[uplink] = gap.seconds
        total = self.totals.add(m.UPLINK_GAP, (self._terminal, uplink), gap.seconds)
        self._record("uplink_gap", uplink, gap, [total], segment=segment)

    def since(self, at: float) -> list[Event]:
        """Events that began at or after this (unix seconds), oldest first."""
        return self._state.events(self._fleet, self._terminal, at, float("inf"))

    def disagreed(self, claimed: str, observed: str, at: float) -> None:
        """The router has said twice that the yard goes by another uplink than it does."""
        total = self.totals.add(m.DISAGREEMENTS, (self._terminal,), 1.0)
        self._record("disagreement", observed, Gap(at, at, 0.0, at), [total], claimed=claimed)

    def say(self, what: str, fields: Mapping[str, object]) -> None:
        """A line in the log, without what is not known."""
        known = {key: value for key, value in fields.items() if value not in (None, "")}
        log.info(what, extra={"kv": {"terminal": self._terminal, **known}})

    def _gap(self, gap: Gap) -> Total:
        self.last_gap = gap.seconds
        if gap.seconds >= OUTAGE:
            self.outage = gap.seconds, gap.end + time.time() - time.monotonic()
        return self.totals.add(m.GAP, (self._terminal,), gap.seconds)

    def _record(self, kind: str, uplink: str, gap: Gap, totals: list[Total], **detail: str | bool) -> None:
        shift = time.time() - time.monotonic()
        measured = {"uplink": uplink, "seconds": round(gap.seconds, 3), "error": round(gap.error, 3)}
        self.say(kind.replace("_", " "), {**measured, **detail})
        event = Event(
            self._fleet, self._terminal, kind, uplink, gap.start + shift, gap.end + shift,
            {"error": round(gap.error, 4), "since": gap.since + shift, **detail},
        )  # fmt: skip
        loop = asyncio.get_running_loop()

        def written() -> None:
            loop.call_soon_threadsafe(self.totals.show, totals)

        self._state.record(event, totals, written)
