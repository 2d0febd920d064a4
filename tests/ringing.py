"""What pages of metrics lead to: the shipped rules, evaluated by promtool.

`told` is for whoever exports a whole fleet: pages over time, all rules, who is told what, word for word. `ringing` is
for a part of one: which alerts ring for a page as it stands, all else being well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.rules.promtool import GROUPS, alerts, judged
from tests.rules.yard import STEP, Yard, measured

RULES = Path(__file__).parents[1] / "alert_rules"
ABOUT = ("pool", "sim", "carrier", "group", "device", "account", "flow", "archive", "terminal")
_FIRING = re.compile(r"\{(__name__=\"ALERTS\"[^}]*)\}")
_GOT = re.compile(r"alertname: (\w+), time: (\w+),|Labels:(\{.*\})\n\s+Annotations:(\{.*\})")
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')
_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
Page = Mapping[str, float]


@dataclass(frozen=True, order=True)
class Notice:
    """What somebody is told, and about which pool, SIM, terminal, ...; `labels` are all of the alert's."""

    severity: str
    name: str
    about: str
    audience: str
    summary: str
    description: str
    labels: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.severity} {self.name} {self.about}".rstrip()


def samples(page: str) -> dict[str, float]:
    """The samples of a page by their series."""
    return {
        f"{sample.name}{{{labels}}}": sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        for labels in [",".join(f"{name}={json.dumps(value)}" for name, value in sorted(sample.labels.items()))]
    }


def told(
    pages: Sequence[tuple[float, Page]], moments: Sequence[float], folder: Path, yards: tuple[Yard, ...] = ()
) -> list[list[Notice]]:
    """What all shipped rules tell at each of these moments (unix seconds), in the order of severity and name.

    A page stands from its instant until the next one does, the last one on; a series that it has no more ends at once,
    as for a scrape. `yards` measure beside them, in seconds from the first page on. For promtool that is 1970; dates in
    texts are right because the terminals' local time is put forward by as much.
    """
    start, length = pages[0][0], moments[-1] - pages[0][0]
    lines = [*_over_time(pages, start, length), *_measured(yards, length)]
    times = {moment: _step(moment - start) * STEP for moment in moments}
    test = {
        "rule_files": [str(path) for path in sorted(RULES.glob("*.yml"))],
        "evaluation_interval": "1m",
        "group_eval_order": list(GROUPS),
        "tests": [
            {
                "interval": f"{STEP:g}s",
                "input_series": [{"series": name, "values": values} for name, values in lines],
                # Nothing is expected, so that promtool says all there is.
                "alert_rule_test": [
                    {"alertname": name, "eval_time": f"{at:g}s"} for at in times.values() for name in _names()
                ],
            }
        ],
    }
    found: dict[float, list[Notice]] = {at: [] for at in times.values()}
    at = 0.0
    for name, time, labels, texts in _GOT.findall(_promtool(test, folder)):
        if name:
            at = sum(float(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)([dhms])", time))
        else:
            found[at].append(_notice(_pairs(labels), _pairs(texts)))
    return [sorted(found[each]) for each in times.values()]


def _measured(yards: tuple[Yard, ...], length: float) -> Iterator[tuple[str, str]]:
    """What the yards measure. Those that are alike are made once: two hundred take no longer than one."""
    kinds: list[tuple[Yard, list[tuple[str, str]]]] = []
    for yard in yards:
        kind = replace(yard, name="any")
        made = next((lines for each, lines in kinds if each == kind), None)
        if made is None:
            made = list(measured((kind,), length))
            kinds.append((kind, made))
        yield from ((name.replace('terminal="any"', f'terminal="{yard.name}"'), values) for name, values in made)


@cache
def _names() -> list[str]:
    """All alerts but the heartbeat."""
    return sorted({rule["alert"] for rule in alerts()} - {"Watchdog"})


def _over_time(pages: Sequence[tuple[float, Page]], start: float, length: float) -> list[tuple[str, str]]:
    """The series of all pages in promtool's notation."""
    begins = [_step(at - start) for at, _ in pages]
    counts = [end - begin for begin, end in zip(begins, [*begins[1:], _step(length) + 1], strict=True)]
    lines = []
    for name in sorted({name for _, page in pages for name in page}):
        words: list[str] = []
        before: float | None = None
        for (_, page), count in zip(pages, counts, strict=True):
            if count < 1:
                continue
            value = page.get(name)
            if value is not None:
                words.append(f"{_shifted(name, value, start):.6f}{_rise(name)}x{count - 1}")
            elif before is not None:
                words.append(f"stale _x{count - 1}" if count > 1 else "stale")
            else:
                words.append(f"_x{count}")
            before = value
        lines.append((name, " ".join(words)))
    return lines


def _step(seconds: float) -> int:
    return round(seconds / STEP)


def _shifted(name: str, value: float, start: float) -> float:
    metric = name.partition("{")[0]
    if metric.endswith("_utc_offset_seconds"):
        return value + start
    return value - start if "_timestamp_seconds" in metric else value


def _rise(name: str) -> str:
    """A clock goes on while a page stands."""
    return f"+{STEP:g}" if name.startswith("yardlight_clock_timestamp_seconds") else ""


def _notice(labels: dict[str, str], annotations: dict[str, str]) -> Notice:
    return Notice(
        labels["severity"],
        labels["alertname"],
        next((labels[name] for name in ABOUT if labels.get(name)), ""),
        labels["audience"],
        annotations["summary"],
        annotations["description"],
        tuple(sorted(labels.items())),
    )


def _pairs(written: str) -> dict[str, str]:
    return {name: json.loads(value) for name, value in _PAIR.findall(written)}


def _promtool(test: dict[str, Any], folder: Path) -> str:
    """What promtool says of a test."""
    file = folder / "ringing.yml"
    # JSON is YAML, and written a hundred times as fast.
    file.write_text(json.dumps(test), encoding="utf-8")
    _, said = judged(file)
    assert "FAILED" in said or "SUCCESS" in said, said[-2000:]
    assert ", err: " not in said, said[-2000:]
    return said


def ringing(
    page: str, at: float, folder: Path, more: Mapping[str, float], rules: str, hours: int = 4
) -> set[tuple[str, str]]:
    """Names of the alerts that fire at `at` (unix seconds), each with the pool, SIM, group, ... it is about.

    `more` is what the rules read besides the page, by series; instants in it are unix seconds, too. `rules` names the
    file. The page has stood for so many `hours` then: longer than any alert waits.
    """
    series = {**more, **samples(page)}
    steps = hours * 60
    shifted = {
        name: value - at + hours * 3600 if "_timestamp_seconds" in name.partition("{")[0] else value
        for name, value in series.items()
    }
    test = {
        "rule_files": [str(RULES / rules)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"{value:.6f}x{steps}"} for name, value in shifted.items()],
                "promql_expr_test": [
                    {
                        "expr": 'ALERTS{alertstate="firing"}',
                        "eval_time": f"{steps}m",
                        "exp_samples": [{"labels": "no"}],
                    }
                ],
            }
        ],
    }
    said = _promtool(test, folder)
    assert "got:" in said, said[-2000:]
    firing = set()
    for found in _FIRING.findall(said):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found))
        about = next((labels[name] for name in ABOUT if labels.get(name)), "")
        firing.add((labels["alertname"], about))
    return firing
