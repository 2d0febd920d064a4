"""Running totals that outlive the process: what is exposed is never ahead of what is written, nor ever lowered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from yardlight.catalogue import Metric
from yardlight.exposition import Histogram
from yardlight.state import Total

Key = tuple[str, tuple[str, ...]]


class Totals:
    """Counters and histograms of one terminal. `shown` is for the page; it moves only when `show` says so."""

    def __init__(self, stored: Iterable[Total]) -> None:
        self._stored = {(total.metric, total.labels): total.value for total in stored}
        self._now: dict[Key, float | Histogram] = {}
        self.shown: dict[Key, float | Histogram] = {}

    def declare(self, metric: Metric, labels: tuple[str, ...]) -> None:
        """A series that can exist is there from the start, at 0 or at what was stored."""
        key = (metric.name, labels)
        stored = self._stored.get(key)
        self._now[key] = _value(metric.buckets, stored)
        self.shown[key] = _value(metric.buckets, stored)

    def add(self, metric: Metric, labels: tuple[str, ...], value: float) -> Total:
        """Count one (a counter: by `value`, a histogram: an observation) and return the new total to be written."""
        key = (metric.name, labels)
        if key not in self._now:
            self.declare(metric, labels)
        held = self._now[key]
        if isinstance(held, Histogram):
            held.observe(value)
            return Total(metric.name, labels, {"bounds": held.bounds, "counts": list(held.counts), "sum": held.sum})
        self._now[key] = held + value
        return Total(metric.name, labels, held + value)

    def show(self, totals: list[Total]) -> None:
        """These totals are written: put them on the page."""
        for total in totals:
            held = self._now[(total.metric, total.labels)]
            bounds = held.bounds if isinstance(held, Histogram) else ()
            self.shown[(total.metric, total.labels)] = _value(bounds, total.value)

    def samples(self, metric: Metric) -> dict[tuple[str, ...], float | Histogram]:
        """The shown series of one metric."""
        return {labels: value for (name, labels), value in self.shown.items() if name == metric.name}


def _value(bounds: tuple[float, ...], stored: Any) -> float | Histogram:
    """A counter's number or a histogram, filled with what was stored under the same bounds."""
    if not bounds:
        return float(stored) if stored is not None else 0.0
    histogram = Histogram(tuple(bounds))
    if stored is not None:
        histogram.sum = float(stored["sum"])
        if tuple(stored["bounds"]) == tuple(bounds):
            histogram.counts = [int(count) for count in stored["counts"]]
        else:
            # Buckets changed with a version: keep every count, in the first new bucket that surely holds it.
            for bound, count in zip((*stored["bounds"], float("inf")), stored["counts"], strict=True):
                index = next((i for i, new in enumerate(bounds) if new >= bound), len(bounds))
                histogram.counts[index] += int(count)
    return histogram
