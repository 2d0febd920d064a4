"""Each alert has its runbook, audience, links, texts and cases; and whatever of these is taken away is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.rules.complete import MOVED, MOVES, STAYS, TWICE, Shipped, missing, named, shipped
from tests.rules.promtool import alerts

Rule = dict[str, Any]
Taken = tuple[Shipped, Rule]


def without_runbook(there: Shipped, rule: Rule) -> Taken:
    return replace(there, runbooks={key: said for key, said in there.runbooks.items() if key != rule["alert"]}), rule


def without_a_heading(there: Shipped, rule: Rule) -> Taken:
    return replace(there, runbooks={**there.runbooks, rule["alert"]: there.runbooks[rule["alert"]][1:]}), rule


def without_row(there: Shipped, rule: Rule) -> Taken:
    return replace(there, table={key: said for key, said in there.table.items() if key != rule["alert"]}), rule


def without_board(there: Shipped, rule: Rule) -> Taken:
    boards = {uid: names for uid, names in there.boards.items() if uid not in rule["annotations"]["dashboard_url"]}
    return replace(there, boards=boards), rule


def without_texts(there: Shipped, rule: Rule) -> Taken:
    return replace(there, texts=tuple(text for text in there.texts if text["alert"] != rule["alert"])), rule


def without_silence(there: Shipped, rule: Rule) -> Taken:
    return replace(there, silent=there.silent - {rule["alert"]}), rule


def without_cases(there: Shipped, rule: Rule, chosen: Callable[[str], bool]) -> Taken:
    told = (rule["alert"], rule["labels"]["audience"])
    cases = {case: fired - {told} if chosen(case) else fired for case, fired in there.cases.items()}
    return replace(there, cases=cases), rule


def without_label(name: str) -> Callable[[Shipped, Rule], Taken]:
    return lambda there, rule: (there, {**rule, "labels": {k: v for k, v in rule["labels"].items() if k != name}})


def without_annotation(name: str) -> Callable[[Shipped, Rule], Taken]:
    return lambda there, rule: (
        there,
        {**rule, "annotations": {k: v for k, v in rule["annotations"].items() if k != name}},
    )


def with_annotation(name: str, change: Callable[[str], str]) -> Callable[[Shipped, Rule], Taken]:
    return lambda there, rule: (
        there,
        {**rule, "annotations": {**rule["annotations"], name: change(rule["annotations"].get(name, ""))}},
    )


# What is taken away or spoiled, and what is said to be missing then.
TAKEN: dict[str, tuple[Callable[[Shipped, Rule], Taken], str]] = {
    "the runbook": (without_runbook, "runbook"),
    "a heading of the runbook": (without_a_heading, "runbook"),
    "the severity": (without_label("severity"), "severity"),
    "the audience": (without_label("audience"), "audience"),
    "the row in README.md": (without_row, "audience"),
    "the link to the runbook": (without_annotation("runbook_url"), "link to the runbook"),
    "the link to the board": (without_annotation("dashboard_url"), "link to a board"),
    "the board": (without_board, "link to a board"),
    "the summary": (without_annotation("summary"), "text word for word"),
    "the description": (without_annotation("description"), "description"),
    "a name of an annotation": (with_annotation("descripton", lambda _: "a text"), "annotation that nothing reads"),
    "a space of the description": (with_annotation("description", lambda text: f"{text}  "), "single spaces"),
    "the all-clear": (without_annotation("all_clear"), "all-clear"),
    "the texts": (without_texts, "text word for word"),
    "the firing cases": (lambda there, rule: without_cases(there, rule, lambda case: True), "firing case"),
    "the cases with thresholds twice": (
        lambda there, rule: without_cases(there, rule, lambda case: TWICE in case),
        "case with thresholds twice",
    ),
    "the cases with the exporter moved": (
        lambda there, rule: without_cases(there, rule, lambda case: MOVED in case or case in MOVES),
        "case with the exporter moved",
    ),
    "the silent case": (without_silence, "silent case"),
}


def needs(rule: Rule, what: str) -> bool:
    """Whether a rule has this at all."""
    if what == "the all-clear":
        return bool(rule["labels"]["audience"] == "dispatch")
    if rule["alert"] == "Watchdog":
        return "case" not in what
    return not (what == "the cases with the exporter moved" and rule["alert"] in STAYS)


@pytest.mark.parametrize("rule", alerts(), ids=named)
def test_an_alert_brings_along_whatever_it_has_to(rule: Rule) -> None:
    assert not list(missing(shipped(), rule))


@pytest.mark.parametrize("what", TAKEN)
def test_whatever_is_taken_away_from_any_alert_is_missed(what: str) -> None:
    take, said = TAKEN[what]
    for rule in (each for each in alerts() if needs(each, what)):
        assert said in missing(*take(shipped(), rule)), named(rule)


def test_a_text_is_missed_wherever_a_rule_has_one_that_no_other_rule_says() -> None:
    """Two rules of one name need a text each."""
    for name in ("TerminalNotReporting", "StandbyNotReady", "WipeUnconfirmed", "ClockSkewed"):
        rules = [rule for rule in alerts() if rule["alert"] == name]
        assert len(rules) > 1
        for text in (text for text in shipped().texts if text["alert"] == name):
            alone = replace(shipped(), texts=(text,))
            assert ["text word for word" in missing(alone, rule) for rule in rules].count(False) == 1
