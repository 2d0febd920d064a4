"""Windows as fleets of one test of promtool: what the shipped rules tell in each, and from when to when.

A fleet knows nothing of another one, so that many windows are judged in the time of a few. Only PlatformOutage looks
across fleets; platforms of accounts get the window's name for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rules.promtool import GROUPS, RULES, judged

_SAMPLE = re.compile(r"(\{[^}]*\}) ([^\s,]+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
# Prometheus looks at this each two seconds and has begun anew if it did not for fifteen. Here it has not.
_WATCHING = "yardlight:watching_since_timestamp_seconds"
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, order=True)
class Told:
    """An alert that fired: from the first to the last moment, in seconds of its test, and how often it began."""

    labels: Labels
    first: float
    last: float
    begun: int

    def __getitem__(self, name: str) -> str:
        return dict(self.labels).get(name, "")

    @property
    def what(self) -> str:
        about = " ".join(value for name, value in self.labels if name not in _COMMON)
        return f"{self['severity']} {self['alertname']} {about}".strip()


_COMMON = ("alertname", "severity", "audience", "fleet", "drill", "domain")


def told(
    lines: Iterable[tuple[str, str]], length: float, folder: Path, step: float, fleets: Sequence[str]
) -> list[Told]:
    """All that fires within so many seconds of these series; values and evaluations are `step` seconds apart.

    Each fleet is asked for alone: promtool has no room for the answer about all of them.
    """
    asked = [_asked(fleet, f"[{length:.0f}s:{step:g}s]", step) for fleet in ("", *fleets)]
    watching = (_WATCHING, f"0x{length / step:.0f}")
    test = {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": f"{step:g}s",
        "group_eval_order": list(GROUPS),
        "tests": [
            {
                "interval": f"{step:g}s",
                "input_series": [{"series": name, "values": values} for name, values in [*lines, watching]],
                # What is never so, so that promtool says what is.
                "promql_expr_test": [
                    {"expr": each, "eval_time": f"{length:.0f}s", "exp_samples": [{"labels": "no"}]}
                    for of_fleet in asked
                    for each in of_fleet
                ],
            }
        ],
    }
    file = folder / "replay.yml"
    file.write_text(json.dumps(test), encoding="utf-8")
    _, said = judged(file)
    assert "got:" in said, said[-2000:]
    assert ", err: " not in said, said[-2000:]
    found = []
    for of_fleet in asked:
        first, last, begun = (_answer(said, each) for each in of_fleet)
        found += [Told(labels, first[labels], last[labels], int(begun.get(labels, 1))) for labels in first]
    return sorted(found)


def _asked(fleet: str, span: str, step: float) -> tuple[str, str, str]:
    """When alerts of a fleet first fired, when they last did, and how often they began: did not a moment before."""
    firing = f'ALERTS{{alertstate="firing",severity!="none",fleet="{fleet}"}}'
    began = f"({firing} unless ({firing} offset {step:g}s))"
    first, last = (f"{each}_over_time(timestamp({firing}){span})" for each in ("min", "max"))
    return first, last, f"count_over_time({began}{span})"


def _answer(said: str, expression: str) -> Mapping[Labels, float]:
    """What promtool says that an expression gave."""
    part = said.partition(f"expr: {json.dumps(expression)}")[2].partition("got:")[2].partition("expr:")[0]
    ours = ((_LABEL.findall(labels), float(value)) for labels, value in _SAMPLE.findall(part))
    return {
        tuple(sorted(pair for pair in labels if pair[0] not in ("alertstate", "__name__"))): value
        for labels, value in ours
    }
