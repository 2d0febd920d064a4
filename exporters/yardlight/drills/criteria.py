"""Measured against limits: what passed, what failed, and what could not be judged. Pure.

A limit is compared with what was measured, and the error bar stands beside both. What was not measured is never a
pass: a drill in which something that was asked for could not be judged is *partial*. What is not configured (no
Prometheus to ask, no service to check) is said and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from yardlight.drills.session import Result
from yardlight.drills.timeline import Round
from yardlight.lookback import length

Judged = Literal["pass", "fail", "not measured", "not configured"]


@dataclass(frozen=True)
class Criterion:
    """One thing that had to be shown. `round` counts cuts from 1, 0 where it belongs to none; lengths in seconds."""

    name: str
    judged: Judged
    text: str
    round: int = 0
    measured: float | None = None
    error: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Checked:
    """What a check or a question found: `holds` None if it could not be told, with `configured` saying why not."""

    name: str
    holds: bool | None
    text: str
    round: int = 0
    configured: bool = True


def of_rounds(rounds: Sequence[Round], limits: Mapping[str, float], expected: int, centre: bool) -> Iterator[Criterion]:
    """The times of each round against `limits` (seconds, by name); `expected` rounds should have been.

    `centre` is whether alerts could be asked for.
    """
    for number in range(1, expected + 1):
        round_ = next((each for each in rounds if each.number == number), None)
        if round_ is None:
            yield Criterion("round", "not measured", f"round {number} was not reached", number)
        elif not round_.flap:
            yield from _switch(round_, limits)
            yield from _told(round_, limits, centre)
            yield from _back(round_, limits)
        else:
            yield from _back(round_, {"stable": limits["stable"]} if "stable" in limits else {})


_NTH = {2: "second", 3: "third"}


def _switch(round_: Round, limits: Mapping[str, float]) -> Iterator[Criterion]:
    if (limit := limits.get("switch")) is None:
        return
    nth = "" if round_.number == 1 else f"{_NTH.get(round_.number, str(round_.number))} switch: "
    if round_.gap is None and round_.moved:
        text = f"{nth}the yard moved to the standby while nothing was measured"
        yield Criterion("convergence", "not measured", text, round_.number, limit=limit)
        return
    if round_.gap is None:
        yield Criterion("convergence", "fail", f"{nth}the yard did not move to the standby", round_.number, limit=limit)
        return
    yield _within("convergence", f"{nth}nothing carried the yard for", round_, round_.gap.at, round_.gap.error, limit)


def _told(round_: Round, limits: Mapping[str, float], centre: bool) -> Iterator[Criterion]:
    """Only the first round is told: the alert of a second one right after it is the same incident."""
    if round_.number > 1:
        return
    if (limit := limits.get("alert")) is not None:
        fired = round_.between("t0", "t4")
        if not centre:
            yield Criterion("alert", "not configured", "no Prometheus and Alertmanager are named in links", 1)
        elif fired is None:
            yield Criterion("alert", "fail", "the alert under test did not fire", 1, limit=limit)
        else:
            yield _within("alert", "from the cut to the alert", round_, fired.at, fired.error, limit)
    if (limit := limits.get("notification")) is not None:
        came = round_.between("t4", "t5")
        if not centre:
            yield Criterion("notification", "not configured", "no Prometheus and Alertmanager are named in links", 1)
        elif came is None:
            yield Criterion("notification", "fail", "page not received", 1, limit=limit)
        else:
            yield _within("notification", "from the alert to its message", round_, came.at, came.error, limit)


def _back(round_: Round, limits: Mapping[str, float]) -> Iterator[Criterion]:
    if (limit := limits.get("failback")) is not None:
        took = round_.between("t6", "t7")
        if took is None and round_.returned:
            text = "the yard returned to the primary while nothing was measured"
            yield Criterion("failback", "not measured", text, round_.number, limit=limit)
        elif took is None:
            text = f"the yard did not return to the primary within {length(limit)}"
            yield Criterion("failback", "fail", text, round_.number, limit=limit)
        else:
            yield _within("failback", "from the circuit's return to the yard's", round_, took.at, took.error, limit)
    if (limit := limits.get("failback_gap")) is not None and round_.back_gap is not None:
        gap = round_.back_gap
        yield _within("failback gap", "on the way back nothing carried for", round_, gap.at, gap.error, limit)
    if (limit := limits.get("stable")) is not None and ("t7" in round_.instants or round_.flap):
        quiet = round_.quiet
        if quiet is None or quiet < limit:
            held = "" if quiet is None else f", only for {length(quiet)}"
            text = f"the yard was not quiet for {length(limit)} after it{held}"
            yield Criterion("stable", "fail", text, round_.number, quiet, None, limit)
        else:
            yield Criterion(
                "stable", "pass", f"nothing was lost for {length(quiet)}", round_.number, quiet, None, limit
            )


def _within(name: str, text: str, round_: Round, measured: float, error: float, limit: float) -> Criterion:
    judged: Judged = "pass" if measured <= limit else "fail"
    what = f"{text} {length(measured, error)}, limit {length(limit)}"
    return Criterion(name, judged, what, round_.number, measured, error, limit)


def of_checks(checks: Sequence[Checked]) -> Iterator[Criterion]:
    """What checks and questions found."""
    for check in checks:
        judged: Judged = "pass" if check.holds else "fail"
        if check.holds is None:
            judged = "not measured" if check.configured else "not configured"
        yield Criterion(check.name, judged, check.text, check.round)


def result(criteria: Sequence[Criterion], aborted: str) -> tuple[Result, str]:
    """The whole in a word and a sentence; `aborted` is why it was stopped, empty if it ran to its end."""
    failed = [each for each in criteria if each.judged == "fail"]
    if aborted:
        return "aborted", aborted
    if failed:
        first = failed[0]
        return "fail", f"{first.name}: {first.text}"
    open_ = [each for each in criteria if each.judged == "not measured"]
    if open_:
        return "partial", f"{open_[0].name}: {open_[0].text}"
    return "pass", "every criterion was met"
