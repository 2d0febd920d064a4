"""Which uplink carries the yard, as far as anybody can tell, and when that changed. Pure: looks in, happenings out.

`look` a few times a second at what the default path shows and hear what happened since. Nothing here sends, reads a
clock or writes; times are monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from yardlight.inventory.models import Role
from yardlight.terminal.pins import Sighting
from yardlight.terminal.silence import SETTLE, Gap

TerminalState = Literal["primary", "standby", "dark", "unknown"]

# Evidence about a path older than this says nothing about now (unmetered; a metered one: three rounds).
PROOF_VALID = 10.0
# A first answer after a silence may be a fluke: the yard is called carried again after this long.
STEADY = 0.5
# So long after a silence it may still turn out by which uplink the yard is carried, for the state and for the event.
UNSURE_FOR, EVENT_WAITS_FOR = 3.0, 5.0


class Look(NamedTuple):
    """What the default path shows at one moment.

    `problem` is why nothing can be sent (None: probes leave), `silent_since` when its silence began (None: it is not
    silent), `answered` the last answer, `gap` a silence that ended and settled since the last look, `blink` the newest
    run of losses too short to be a silence. `sighting` is the newest evidence of the way it takes, good for `valid`
    seconds, and `turned` when the newest change of that lay between: the last evidence before, the first after.
    """

    now: float
    problem: str | None = None
    silent_since: float | None = None
    answered: float | None = None
    gap: Gap | None = None
    blink: Gap | None = None
    sighting: Sighting | None = None
    valid: float = PROOF_VALID
    turned: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """The terminal is in another state; `uplink` is who carries it now, None where nobody does or nobody knows."""

    before: TerminalState
    state: TerminalState
    uplink: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The default path moved. `gap` was measured, or else it moved while nothing was (`measured` is False)."""

    came_from: str
    to: str
    gap: Gap
    measured: bool


@dataclass(frozen=True, slots=True)
class Paused:
    """The default path was silent and came back where it was, or nobody knows where (`uplink` is None)."""

    uplink: str | None
    gap: Gap


Happening = Changed | Moved | Paused


class Carrier:
    """Who carries one yard. `last` is who did when that was last known, by an earlier process if need be."""

    def __init__(self, roles: Mapping[str, Role], last: str | None = None) -> None:
        self.state: TerminalState = "unknown"
        self.since: float | None = None
        self.reason = "not measured yet"
        self.observed: str | None = None
        self.last = last if last in roles else None
        self.resumed: float | None = None
        self._roles = roles
        self._gap: Gap | None = None
        # Silences that a fluke of an answer ended, in the dark: of those nobody knows who gave it.
        self._earlier: list[Gap] = []

    def look(self, seen: Look) -> list[Happening]:
        """Take in what the default path shows; what happened, in order."""
        happened: list[Happening] = []
        if seen.gap is not None:
            self._set_aside()
            self._gap = seen.gap
        if seen.problem is not None:
            happened += self._carried("unknown", None, seen.now, seen.problem)
        elif seen.silent_since is not None:
            self.resumed = None
            happened += self._carried("dark", None, seen.silent_since, "nothing answers over the default path")
        elif seen.answered is None:
            happened += self._carried("unknown", None, seen.now, "not measured yet")
        else:
            happened += self._answering(seen, seen.answered)
        return happened + self._after_silence(seen.now)

    def _answering(self, seen: Look, answered: float) -> list[Happening]:
        """The default path answers: by which uplink?"""
        now = seen.now
        if self.state == "dark":
            if self.resumed is None:
                self._set_aside()
                self.resumed = answered
            if now - self.resumed < STEADY:
                return []
        resumed, uplink = self.resumed, None
        if seen.sighting is not None and seen.sighting.at >= max(now - seen.valid, resumed or 0.0):
            uplink = seen.sighting.uplink
        happened: list[Happening] = []
        if uplink is None:
            if resumed is None or now - resumed > UNSURE_FOR:
                happened += self._carried("unknown", None, resumed or now, "which uplink carries the yard is not known")
        elif resumed is None and self.last not in (None, uplink):
            happened += self._moved_without_silence(uplink, seen)
        else:
            happened += self._carried(self._roles[uplink], uplink, now if resumed is None else resumed, "")
            self.last = self.last or uplink
        if resumed is not None and self._gap is None and now - resumed > 2 * SETTLE:
            self.resumed = None
        return happened

    def _moved_without_silence(self, to: str, seen: Look) -> list[Happening]:
        """Evidence names another uplink though hardly anything was lost, or it moved while nothing was measured."""
        measured = self.observed is not None
        happened = self._carried(self._roles[to], to, seen.now, "")
        before, after = seen.turned or (seen.now, seen.now)
        gap = Gap((before + after) / 2, (before + after) / 2, (after - before) / 2, before)
        if measured and seen.blink is not None and before <= seen.blink.end and seen.blink.start <= after:
            gap = seen.blink
        return [*happened, self._moved(to, gap, measured)]

    def _set_aside(self) -> None:
        self._earlier += [self._gap] if self._gap is not None else []
        self._gap = None

    def _after_silence(self, now: float) -> list[Happening]:
        """A silence of the default path is over: say so once it is known who carries now, or will not be."""
        owed = [*self._earlier, self._gap] if self._gap is not None else self._earlier
        settling = self.resumed is not None and self._gap is None
        if not owed or settling or self.state == "dark":
            return []
        if self.observed is None and now - owed[-1].end < EVENT_WAITS_FOR:
            return []
        self._gap, self._earlier, self.resumed = None, [], None
        happened: list[Happening] = [Paused(None, each) for each in owed[:-1]]
        if self.observed is not None and self.last is not None and self.observed != self.last:
            return [*happened, self._moved(self.observed, owed[-1], True)]
        self.last = self.observed or self.last
        return [*happened, Paused(self.observed, owed[-1])]

    def _moved(self, to: str, gap: Gap, measured: bool) -> Moved:
        came_from, self.last = self.last or "", to
        return Moved(came_from, to, gap, measured)

    def _carried(self, state: TerminalState, uplink: str | None, since: float, reason: str) -> list[Happening]:
        self.observed, self.reason = uplink, reason
        if self.state == state:
            return []
        before, self.state, self.since = self.state, state, since
        return [Changed(before, state, uplink, reason)]
