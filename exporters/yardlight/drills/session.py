"""How a person meets a drill, on the command line or on a phone: one screen at a time, one press at a time.

A `Session` is one run of a playbook. Whoever shows it asks for `screen()`, shows its text and buttons, and tells it
`press(step, choice, who)`; a press that belongs to a step that is over changes nothing, so that a double tap or a
page that was left open cannot skip a step. Times are taken by the session and by the probes, never typed.

`Desk` is what `serve` has: it opens sessions for one-time links (`links.py`), holds the guard, keeps the notices that
Alertmanager sends to the drill receiver, and says what is in progress.

`Around` is what happens around a run: a silence, an annotation. Each is begun before anything is cut and ended when
the alerts under test have resolved; what it returns goes into the journal. It must never stop a drill from restoring.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from yardlight.inventory.models import Fleet, Terminal

# approve: what it will do is shown, nothing has been done. refused: a precondition does not hold; an override with a
# reason leads back to approve. running: a step waits for a person or for the yard. restoring: the undo is being done.
# finishing: restored, waiting until the alerts under test have resolved. over: the evidence is sealed.
Phase = Literal["approve", "refused", "running", "restoring", "finishing", "over"]
Kind = Literal["go", "yes", "no", "stop"]
Result = Literal["pass", "fail", "partial", "aborted", "refused"]

APPROVE, STOP, OVERRIDE = "approve", "stop", "override"


@dataclass(frozen=True)
class Button:
    """One thing that can be pressed: `choice` is what `press` is told, `label` what the button says."""

    choice: str
    label: str
    kind: Kind


@dataclass(frozen=True)
class Screen:
    """All that one screen shows. `revision` grows with each change; times are unix seconds.

    `step` is what a press must name. While the session waits for the yard itself there is only the stop button, and
    `waiting` says for what (`since`, at most until `until`). `problems` are preconditions that do not hold, `notes`
    what went before (one line per finished step). `result` and `why` are set once it is over.
    """

    drill: str
    terminal: str
    playbook: str
    title: str
    phase: Phase
    revision: int
    step: str
    number: int
    of: int
    heading: str
    text: str
    buttons: tuple[Button, ...]
    waiting: str = ""
    since: float | None = None
    until: float | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    result: Result | None = None
    why: str = ""


@dataclass(frozen=True)
class Live:
    """A line about the yard as it is now, and since when (unix seconds; None where that says nothing)."""

    text: str
    since: float | None = None


class Session(Protocol):
    """One run of a playbook."""

    def screen(self) -> Screen:
        """What to show now."""

    def live(self) -> Live:
        """The yard now, by the newest facts (`live.live`): shown above every screen, whatever its revision."""

    async def press(self, step: str, choice: str, who: str, reason: str = "") -> Screen:
        """Somebody pressed; the screen after it. `reason` goes with an override, and may go with `stop`."""

    async def changed(self, revision: int, seconds: float) -> Screen:
        """The screen as soon as its revision is another one, or after so many seconds."""


class Desk(Protocol):
    """The drills of one process that serves; for its main loop's own thread."""

    async def open(self, token: str) -> Session:
        """The session behind a one-time link, made at its first use. Raises `DrillError` for one that is not valid."""

    async def notice(self, payload: Mapping[str, Any], received: float) -> None:
        """A notification that came to the drill receiver (Alertmanager's webhook), at these unix seconds."""


@dataclass(frozen=True)
class Occasion:
    """What an `Around` is told: which drill of which terminal, how long it lasts at most, which alerts it tests."""

    drill: str
    fleet: Fleet
    terminal: Terminal
    playbook: str
    begins: float
    ends: float
    alerts: Sequence[str]


class Around(Protocol):
    """Something that is begun before a drill and ended after it."""

    name: str

    async def begin(self, occasion: Occasion) -> Mapping[str, Any]:
        """Begin; what to write into the journal. Raises `DrillError` if it cannot: the drill is then refused."""

    async def end(self, occasion: Occasion, begun: Mapping[str, Any]) -> Mapping[str, Any]:
        """End what `begin` returned. Raises `DrillError` if it cannot: said in the journal, it must end by itself."""
