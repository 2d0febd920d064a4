"""What must hold before anything is cut: each precondition judged from facts, with a sentence either way. Pure.

Unknown never counts as holding, with one exception that says so: the data left in the standby's plan, where the
terminal does not require that it is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from yardlight.calendars import windows
from yardlight.drills.playbook import Playbook
from yardlight.facts import TerminalFacts
from yardlight.inventory.models import Fleet, Terminal
from yardlight.lookback import length

# How the alerts about drills themselves begin: that one is due, or failed, is why it is run.
OF_DRILLS = "Drill"
# Two machines further apart than this would date one event differently.
CLOCK_LIMIT = 1.0


@dataclass(frozen=True)
class Situation:
    """All that preconditions look at. `now` is the runner's clock, unix seconds.

    `alerts` are the names of those that fire for the terminal: None if the centre could not be asked for that and for
    what its drill receiver is told (`deaf`: why not), and `centre` False if none is named. `offsets` are the clocks of
    other machines minus the runner's, with the half width of each.
    `headroom` is how long the standby's plan lasts at the yard's usual load, None where that is not known.
    `undo` is who would undo the cut: person, guard (inside the terminal) or runner; `remote` says that the runner is
    not in the terminal, `attended` that a person is there to press.
    """

    now: float
    facts: TerminalFacts
    alerts: Sequence[str] | None
    centre: bool
    offsets: Mapping[str, tuple[float, float]]
    headroom: float | None
    undo: str
    remote: bool
    attended: bool
    lasts: float
    deaf: str = ""


@dataclass(frozen=True)
class Condition:
    """One precondition: whether it holds, and why or why not."""

    name: str
    holds: bool
    text: str


def judge(playbook: Playbook, fleet: Fleet, terminal: Terminal, situation: Situation) -> list[Condition]:
    """Every precondition of the playbook, in its order."""
    found = []
    for name in playbook.preconditions:
        holds, text = _JUDGES[name](fleet, terminal, situation)
        found.append(Condition(name, holds, text))
    return found


Judgement = tuple[bool, str]
Judge = Callable[[Fleet, Terminal, Situation], Judgement]


def _primary_carries(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    facts, primary = situation.facts, primary_of(terminal)
    if facts.state != "primary" or facts.observed != primary:
        return False, f"the yard is not on {primary} but {facts.state}"
    state = facts.uplinks[primary].state
    return state == "up", f"the yard is on {primary}, which is {state}"


def _standby_ready(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    standby = standby_of(terminal)
    if standby is None:
        return False, "standby not ready: there is none"
    ready = situation.facts.ready.get(standby, {})
    # What is left of its plan is a precondition of its own.
    needed = {*terminal.required, "path"} - {"headroom"}
    if failing := sorted(check for check, value in ready.items() if check in needed and value != 1):
        return False, f"standby not ready: {standby} fails {' and '.join(failing)}"
    if unknown := sorted(needed - ready.keys()):
        return False, f"standby not ready: {' and '.join(unknown)} of {standby} not known yet"
    return True, f"{standby} is proven: {', '.join(sorted(ready))}"


def _headroom(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    if situation.headroom is None:
        return "headroom" not in terminal.required, "how long the standby's plan lasts is not known"
    enough = situation.headroom >= terminal.standby.headroom
    return enough, f"the standby's plan lasts {length(situation.headroom)} at the yard's usual load"


def _no_alerts(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    if not situation.centre:
        return True, "not checked: no Alertmanager is named in links"
    if situation.alerts is None:
        return False, f"what fires at this terminal, or is told of it, could not be asked for: {situation.deaf}"
    if situation.alerts:
        return False, f"{terminal.name} has trouble already: {', '.join(sorted(set(situation.alerts)))}"
    return True, "nothing fires at this terminal"


def _clocks(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    for machine, (offset, error) in sorted(situation.offsets.items()):
        if abs(offset) - error > CLOCK_LIMIT:
            return False, f"the clock of {machine} is {length(abs(offset))} {'ahead' if offset > 0 else 'behind'}"
    return True, "the clocks agree"


def _not_in_peak(fleet: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    if terminal.site.peak is None:
        return True, "no peak hours are named"
    calendar = fleet.calendars[terminal.site.peak]
    if windows(calendar, situation.now, situation.now + situation.lasts, terminal.zone):
        return False, f"the peak hours ({terminal.site.peak}) are open, or open before the drill would be over"
    return True, f"outside of the peak hours ({terminal.site.peak})"


def _undo(_: Fleet, terminal: Terminal, situation: Situation) -> Judgement:
    primary = primary_of(terminal)
    if situation.undo == "person":
        if situation.attended:
            return True, "a person at the terminal pulls the cable and plugs it in again"
        return False, f"nobody is there to plug {primary} in again: say how in the terminal's drill: cut"
    if situation.undo == "guard":
        return True, "a guard inside the terminal holds the undo"
    if situation.remote:
        return False, f"the undo would cross {primary}, which is cut, and no guard inside the terminal holds it"
    return False, f"no guard holds the undo: the serve of {terminal.name} does not know this action"


_JUDGES: dict[str, Judge] = {
    "primary_carries": _primary_carries,
    "standby_ready": _standby_ready,
    "headroom": _headroom,
    "no_alerts": _no_alerts,
    "clocks": _clocks,
    "not_in_peak": _not_in_peak,
    "undo": _undo,
}
# What no reason overrides: without a way back nothing is cut.
FIRM = frozenset({"undo"})


def primary_of(terminal: Terminal) -> str:
    """The name of the primary uplink."""
    return next(name for name, uplink in terminal.uplinks.items() if uplink.role == "primary")


def standby_of(terminal: Terminal) -> str | None:
    """The name of the first standby."""
    return next((name for name, uplink in terminal.uplinks.items() if uplink.role == "standby"), None)
