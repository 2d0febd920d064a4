"""`playbooks/drills/*.yml` -> `Playbook`: what a drill does, step by step, and what it must show. Validated like the
inventory: every mistake at once, each with file, line and field.

Limits are written in the terminal's own settings (`2 x switch_within`, `failback_within + 30m`), so that one playbook
fits a router that needs ten seconds and one that needs a minute; `Limit.seconds` makes them numbers before the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from yardlight.errors import DrillError, InventoryError, Problem
from yardlight.inventory import complain, words
from yardlight.inventory.drill_rules import SHIPPED, own_file, playbooks
from yardlight.inventory.model import Model, Name
from yardlight.inventory.models import Terminal
from yardlight.inventory.source import Node, Source, plain
from yardlight.inventory.values import parse_duration

SETTINGS = ("switch_within", "failback_within", "page_after")
_TERM = re.compile(r"(?:(\d+(?:\.\d+)?)\s*x\s*)?([a-z_]+|[\d.]+\s*(?:ms|s|m|h|d)(?:[\d.]+(?:s|m|h))*)")

# What a text may name in braces.
PLACES = ("terminal", "primary", "standby", "circuit", "minutes", "drops")

Precondition = Literal["primary_carries", "standby_ready", "headroom", "no_alerts", "clocks", "not_in_peak", "undo"]
Check = Literal["services", "dns", "throughput", "standby"]


@dataclass(frozen=True)
class Limit:
    """Seconds, written as a sum of durations and multiples of the terminal's settings."""

    text: str
    terms: tuple[tuple[float, str | None], ...]

    def seconds(self, terminal: Terminal) -> float:
        """What it is at this terminal."""
        return sum(factor * (getattr(terminal, name) if name else 1.0) for factor, name in self.terms)


def parse_limit(raw: Any) -> Limit:
    """A `Limit` from '60s', 'switch_within', '2 x switch_within + 30s'. Raises `ValueError` naming what is accepted."""
    if isinstance(raw, Limit):
        return raw
    terms = [_term(part.strip()) for part in raw.split("+")] if isinstance(raw, str) and raw.strip() else [None]
    if None in terms:
        known = ", ".join(SETTINGS)
        raise ValueError(f"{raw!r} is not a limit; write 60s, switch_within or 2 x switch_within + 30s ({known})")
    return Limit(raw.strip(), tuple(term for term in terms if term is not None))


def _term(text: str) -> tuple[float, str | None] | None:
    match = _TERM.fullmatch(text)
    if not match:
        return None
    factor = float(match[1] or 1)
    if match[2] in SETTINGS:
        return factor, match[2]
    try:
        return factor * parse_duration(match[2]), None
    except ValueError:
        return None


Limited = Annotated[Limit, BeforeValidator(parse_limit)]


class Step(Model):
    """One step: exactly one of `tell` (a person reads and confirms), `ask` (a person says yes or no), `cut` and
    `restore` (the primary circuit; `say` tells the person how where the terminal has no action for it), `wait` (for
    the yard, at most `within`), `check` (what must work now, tried `within`) and `hold` (nothing happens for so long).

    A yes to a `required` question is a criterion. A `flap` is a cut too short for the router to have to follow.
    """

    id: Name
    tell: str | None = None
    ask: str | None = None
    cut: Literal["primary"] | None = None
    restore: Literal["primary"] | None = None
    wait: Literal["standby", "primary", "stable", "notification"] | None = None
    check: Annotated[tuple[Check, ...], Field(min_length=1)] | None = None
    hold: Limited | None = None
    say: str = ""
    within: Limited | None = None
    required: bool = False
    flap: bool = False

    @property
    def does(self) -> str:
        """Which of the seven it is."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)


_KINDS = ("tell", "ask", "cut", "restore", "wait", "check", "hold")


class Abort(Model):
    """When the undo is done at once: no path carries the yard for `dark`, or it is on the standby for `longest`."""

    dark: Limited = parse_limit("2 x switch_within + 15s")
    longest: Limited = parse_limit("failback_within + 30m")


class Criteria(Model):
    """What must be shown, in numbers; what is not written is measured and not judged.

    `switch`: from the last good probe to the first one over the standby. `alert`: from the cut to the first alert under
    test. `notification`: from that alert to its message. `failback`: from the circuit's return to the yard's.
    `failback_gap`: how long nothing carried on the way back. `stable`: so long nothing was lost after it.
    """

    switch: Limited | None = None
    alert: Limited | None = None
    notification: Limited | None = None
    failback: Limited | None = None
    failback_gap: Limited | None = None
    stable: Limited | None = None


class Playbook(Model):
    """One drill as data. A tabletop touches nothing: people talk it through and answer."""

    playbook: Name
    version: int = Field(ge=1)
    title: str
    purpose: str
    kind: Literal["live", "tabletop"]
    preconditions: tuple[Precondition, ...] = ()
    alerts: tuple[Name, ...] = ()
    abort: Abort = Abort()
    criteria: Criteria = Criteria()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    @property
    def cuts(self) -> tuple[Step, ...]:
        """The steps that cut; the yard drops once at each of them and once when it returns, a flap aside."""
        return tuple(step for step in self.steps if step.does == "cut")

    @property
    def attachable(self) -> bool:
        """True if one recorded failover can be the record of it."""
        return sum(not step.flap for step in self.cuts) == 1

    @property
    def drops(self) -> int:
        """How often open connections drop."""
        return 2 * sum(not step.flap for step in self.cuts) + sum(step.flap for step in self.cuts)


def find(inventory: Path, name: str) -> tuple[Playbook, bytes]:
    """The playbook of this name, the user's own before a shipped one, and its bytes.

    Raises `DrillError` if there is none and `InventoryError` for what is wrong in it.
    """
    if name not in (names := playbooks(inventory)):
        raise DrillError(f"there is no playbook {name!r}; {words.choice(name, names, 'playbooks')}")
    file = own_file(inventory, name)
    if not file.is_file():
        file = Path(str(SHIPPED / f"{name}.yml"))
    return load(file), file.read_bytes()


def load(path: Path) -> Playbook:
    """The playbook in this file. Raises `InventoryError` with all that is wrong with it."""
    source = Source(what="a playbook", begins="playbook: NAME")
    root = source.read(path)
    if root is None or source.problems:
        raise InventoryError(source.problems)
    data = plain(root)
    try:
        playbook = Playbook.model_validate(data)
    except ValidationError as error:
        problems = complain.problems(error, data, root, Playbook, False)
        raise InventoryError(sorted(problems, key=lambda each: (each.line, each.column))) from None
    if problems := [*_problems(root, path, playbook)]:
        raise InventoryError(problems)
    return playbook


def _problems(root: Node, path: Path, playbook: Playbook) -> Iterator[Problem]:
    """What must hold between the fields."""
    if playbook.playbook != path.stem:
        yield _at(root, ("playbook",), f"{playbook.playbook!r} is not the name of the file, {path.stem!r}")
    seen: set[str] = set()
    cut = False
    for index, step in enumerate(playbook.steps):
        where = ("steps", str(index))
        if step.id in seen:
            yield _at(root, (*where, "id"), f"{step.id!r} is already the id of another step")
        seen.add(step.id)
        kinds = [kind for kind in _KINDS if getattr(step, kind) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "nothing"
            yield _at(root, where, f"does {found}; a step does one of {', '.join(_KINDS)}")
            continue
        yield from _step_problems(root, where, step, playbook, cut)
        cut = step.does == "cut" or (cut and step.does != "restore")
    if cut:
        yield _at(root, ("steps",), "end with the circuit cut; add a step with restore: primary")
    if any(step.cut for step in playbook.steps) and "undo" not in playbook.preconditions:
        yield _at(root, ("preconditions",), "lack undo; what cuts a circuit must be sure of its way back")


def _step_problems(root: Node, where: tuple[str, ...], step: Step, playbook: Playbook, cut: bool) -> Iterator[Problem]:
    kind = step.does
    if playbook.kind == "tabletop" and kind not in ("tell", "ask"):
        yield _at(root, (*where, kind), "a tabletop touches nothing; its steps are tell and ask")
    elif kind in ("wait", "check") and step.within is None:
        yield _at(root, (*where, "within"), "is missing; write how long it may take, like 60s or switch_within")
    elif kind in ("cut", "restore") and not step.say:
        yield _at(root, (*where, "say"), "is missing; tell the person what to do where nothing does it for them")
    elif kind == "cut" and cut:
        yield _at(root, (*where, "cut"), "the circuit is cut already; restore it first")
    elif kind == "restore" and not cut:
        yield _at(root, (*where, "restore"), "nothing is cut here")
    elif kind in ("tell", "ask", "hold") and step.within is not None:
        yield _at(root, (*where, "within"), f"means nothing for {kind}")
    for key in ("tell", "ask", "say"):
        try:
            (getattr(step, key) or "").format_map(dict.fromkeys(PLACES, ""))
        except (KeyError, ValueError, IndexError):
            known = ", ".join(f"{{{place}}}" for place in PLACES)
            yield _at(root, (*where, key), f"names something that is not known; known are {known}")
    if step.required and kind != "ask":
        yield _at(root, (*where, "required"), "is for a step with ask")


def _at(node: Node, path: Sequence[str], message: str) -> Problem:
    place, below = node.nearest(path)
    return place.problem(message, *below)
