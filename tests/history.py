"""Pages of metrics as they followed each other, and what the shipped rules make of them: who was told what when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from tests.rules.promtool import GROUPS, judged
from yardlight.exposition import AnyBlock

RULES = Path(__file__).parents[1] / "alert_rules"
ABOUT = ("device", "truck", "group", "feed", "flow", "webhook", "account", "platform")
# Annotations by name, with links.
Words = dict[str, str]
_NO_ALERT = {"exp_alerts": [{"exp_labels": {}}]}
_SAMPLE = re.compile(r"(\{[^}]*\}) ([^\s,]+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, order=True)
class Alert:
    """One that fired: "severity AlertName what-it-is-about", and to which audience."""

    what: str
    audience: str


@dataclass(frozen=True)
class Told:
    """When an alert first fired and when it last did (unix seconds), and at how many of the moments between."""

    first: float
    last: float
    count: int


@lru_cache(maxsize=4096)
def samples(body: bytes) -> tuple[tuple[str, float], ...]:
    """Series and value of each line of a block."""
    lines = (line.rpartition(" ") for line in body.decode().splitlines())
    return tuple((series, float(value)) for series, _, value in lines)


class History:
    """Pages each `step` seconds from `start` (unix seconds) on; `always` are series that nothing here makes."""

    def __init__(self, folder: Path, start: float, step: float, always: Mapping[str, float]) -> None:
        self._folder, self.start, self.step, self._always = folder, start, step, always
        self._series: dict[str, dict[int, float]] = {}
        self._count = 0

    def add(self, blocks: Iterable[AnyBlock]) -> None:
        """The next page."""
        for block in blocks:
            if block.body:
                for series, value in samples(block.body):
                    self._series.setdefault(series, {})[self._count] = value
        self._count += 1

    def join(self, other: History) -> None:
        """What another exporter had on its pages at the same moments is in front of the same Prometheus."""
        self._series |= other._series
        self._always = {**self._always, **other._always}

    def lines(self) -> list[tuple[str, str]]:
        """Every series with its values, as promtool writes them; instants count from the start."""
        always = {name: dict.fromkeys(range(self._count), value) for name, value in self._always.items()}
        return [(name, self._values(name, values)) for name, values in {**self._series, **always}.items()]

    def told(
        self, files: Iterable[str], texts: Iterable[tuple[str, float]] = ()
    ) -> tuple[dict[Alert, Told], list[Words]]:
        """Every alert of these files of rules that fired, and what those of a name said at an instant."""
        firing, span = 'ALERTS{alertstate="firing",severity!="none"}', f"[{self._seconds():.0f}s:{self.step:g}s]"
        asked = [f"count_over_time({firing}{span})"]
        asked += [f"{each}_over_time(timestamp({firing}){span})" for each in ("min", "max")]
        wanted = [
            {"alertname": name, "eval_time": f"{self.step * round((at - self.start) / self.step):.0f}s", **_NO_ALERT}
            for name, at in texts
        ]
        said = self._promtool(files, [{"expr": each, **self._wrong()} for each in asked], wanted)
        count, first, last = (_answer(said, each) for each in asked)
        told = {
            _alert(labels): Told(self.start + first[labels], self.start + last[labels], int(times))
            for labels, times in count.items()
        }
        # Of each: what was expected, which is nothing, and what there is.
        words = [part.partition("Annotations:{")[2].partition("}\n")[0] for part in said.split("got:[")[1:]]
        return told, [dict(LABEL.findall(each)) for each in words]

    def _seconds(self) -> float:
        return (self._count - 1) * self.step

    def _wrong(self) -> dict[str, object]:
        """What is never so, so that promtool says what is."""
        return {"eval_time": f"{self._seconds():.0f}s", "exp_samples": [{"labels": "no"}]}

    def _promtool(self, files: Iterable[str], asked: list[dict[str, object]], texts: list[dict[str, object]]) -> str:
        test = {
            "interval": f"{self.step:g}s",
            "input_series": [{"series": name, "values": values} for name, values in self.lines()],
            "promql_expr_test": asked,
            "alert_rule_test": texts,
        }
        rules = {
            "rule_files": [str(RULES / each) for each in files],
            "evaluation_interval": f"{self.step:g}s",
            # What a group records is too old for another one before its next turn, where steps are hours.
            "group_eval_order": list(GROUPS),
        }
        file = self._folder / "history.yml"
        file.write_text(json.dumps({**rules, "tests": [test]}), encoding="utf-8")
        _, said = judged(file)
        assert "got:" in said, said[-2000:]
        return said

    def _values(self, name: str, values: Mapping[int, float]) -> str:
        """As promtool writes them; instants count from the start."""
        moves = self.start if "_timestamp_seconds" in name.partition("{")[0] else 0.0
        runs = ((value, len(list(run))) for value, run in groupby(values.get(each) for each in range(self._count)))
        said, there = [], False
        for value, length in runs:
            if value is not None:
                said.append(f"{value - moves:.3f}x{length - 1}")
            elif there:
                # As Prometheus notes of what is not on the page any more.
                said += ["stale", *([f"_x{length - 1}"] if length > 1 else [])]
            else:
                said.append(f"_x{length}")
            there = value is not None
        return " ".join(said)


def _answer(said: str, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
    """What promtool says that an expression gave, by labels."""
    part = said.partition(f"expr: {json.dumps(expression)}")[2].partition("got:")[2].partition("expr:")[0]
    ours = ((LABEL.findall(labels), float(value)) for labels, value in _SAMPLE.findall(part))
    return {tuple(sorted(pair for pair in labels if pair[0] != "alertstate")): value for labels, value in ours}


def _alert(labels: tuple[tuple[str, str], ...]) -> Alert:
    said = dict(labels)
    about = next((said[name] for name in ABOUT if said.get(name)), "")
    return Alert(f"{said['severity']} {said['alertname']} {about}".strip(), said["audience"])
