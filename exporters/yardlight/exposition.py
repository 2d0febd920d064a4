"""Samples -> pages for Prometheus, in the text format 0.0.4 and in OpenMetrics 1.0.

A `Block` holds the finished lines of one family from one source (a terminal, an account). A page writes each
family's header once and puts all blocks of that family under it, so a source that did not change is not
rendered again. The lines are the same in both formats and equal to prometheus_client's, byte by byte.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TypeVar

from yardlight.catalogue import Metric

TEXT = "text/plain; version=0.0.4; charset=utf-8"
Values = TypeVar("Values", bound=tuple[str, ...])
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_SERIES = re.compile(rb'([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?) ')


class Histogram:
    """Counts of observed values by bucket.

    `counts[i]` are the values above `bounds[i - 1]` and at most `bounds[i]` (not cumulative); the last one is
    for values above every bound. `sum` is the sum of all values, in the unit of the metric.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(frozen=True)
class Block:
    """The sample lines of one family from one source, UTF-8, each ended by a newline."""

    metric: Metric
    body: bytes


def block(metric: Metric, fleet: str, samples: Mapping[Values, float | Histogram | None]) -> Block:
    """Render the samples of one source; keys are label values in the order of `metric.labels`.

    A value of None makes no sample: unknown is never zero.
    """
    names = ("fleet", *metric.labels)
    lines: list[str] = []
    for values, value in samples.items():
        if len(values) != len(metric.labels):
            raise ValueError(f"{metric.name} takes {metric.labels}, got {values}")
        if isinstance(value, Histogram):
            lines += _histogram_lines(metric.name, names, (fleet, *values), value)
        elif value is not None:
            labels = ",".join(_pairs(names, (fleet, *values)))
            lines.append(f"{metric.name}{{{labels}}} {number(value)}\n")
    return Block(metric, "".join(lines).encode(errors="replace"))


def page(blocks: Iterable[Block], openmetrics: bool) -> bytes:
    """All blocks as one page, families by name, the blocks of a family in the order given."""
    families: dict[str, list[Block]] = {}
    for each in blocks:
        if each.body:
            families.setdefault(each.metric.name, []).append(each)
    parts: list[bytes] = []
    for _, family in sorted(families.items()):
        parts.append(_header(family[0].metric, openmetrics))
        parts.extend(each.body for each in family)
    if openmetrics:
        parts.append(b"# EOF\n")
    return b"".join(parts)


def duplicate_series(text: bytes) -> list[str]:
    """Series that stand on a page more than once: promtool and the OpenMetrics parser let them pass."""
    samples = (_SERIES.match(line) for line in text.split(b"\n") if not line.startswith(b"#"))
    counts = Counter(match[1] for match in samples if match)
    return [series.decode() for series, count in counts.items() if count > 1]


def number(value: float) -> str:
    """A sample value as Go writes it: +Inf, -Inf, NaN, and exponents from 10^6 on."""
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    dot = text.find(".")
    if value > 0 and dot > 6:
        mantissa = f"{text[0]}.{text[1:dot]}{text[dot + 1 :]}".rstrip("0.")
        return f"{mantissa}e+{dot - 1:02d}"
    return text


def _header(metric: Metric, openmetrics: bool) -> bytes:
    name = metric.name
    help_ = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        # OpenMetrics names the family of a counter without _total and escapes quotes in HELP.
        help_ = help_.replace('"', '\\"')
        if metric.kind == "counter":
            name = name.removesuffix("_total")
    return f"# HELP {name} {help_}\n# TYPE {name} {metric.kind}\n".encode(errors="replace")


def _histogram_lines(name: str, names: tuple[str, ...], values: tuple[str, ...], histogram: Histogram) -> list[str]:
    pairs = _pairs(names, values)
    # `le` stands among the sorted labels; fleet is always before it.
    before = [pair for pair in pairs if pair < "le"]
    head = f'{name}_bucket{{{",".join(before)},le="'
    tail = "".join(f",{pair}" for pair in pairs[len(before) :])
    cumulative = list(accumulate(histogram.counts))
    lines = [
        f'{head}{bound}"{tail}}} {number(count)}\n'
        for bound, count in zip(_bounds(histogram.bounds), cumulative, strict=True)
    ]
    plain = ",".join(pairs)
    lines.append(f"{name}_count{{{plain}}} {number(cumulative[-1])}\n")
    lines.append(f"{name}_sum{{{plain}}} {number(histogram.sum)}\n")
    return lines


def _pairs(names: tuple[str, ...], values: tuple[str, ...]) -> list[str]:
    """The labels as they stand on the page, sorted by name."""
    return [f'{names[index]}="{_escape(values[index])}"' for index in _order(names)]


@lru_cache(maxsize=1024)
def _order(names: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(names)), key=names.__getitem__))


@lru_cache(maxsize=1024)
def _bounds(bounds: tuple[float, ...]) -> tuple[str, ...]:
    return (*(number(bound) for bound in bounds), "+Inf")


# The same few names stand on a page thousands of times.
@lru_cache(maxsize=65536)
def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
