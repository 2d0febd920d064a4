"""A real Prometheus over a simulated day: it stores what comes at the day's own times and is asked every rule at these.

What its rule manager does by the wall clock is done here by the day's: rules in their order, recorded series written
back before the next rule is asked, series that end marked stale, alerts that wait for `for`. Queries and storage are
Prometheus' own, at any size.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.history import LABEL, samples
from tests.quarter.replay import Told
from tests.rules.promtool import GROUPS, RULES
from yardlight.exposition import AnyBlock
from yardlight.inventory.values import parse_duration

_STALE = struct.pack("<Q", 0x7FF0000000000002)
_OF_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
Labels = tuple[tuple[str, str], ...]


def groups(files: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The rules of these files, by group and in the order in which groups build on each other."""
    found = {
        group["name"]: group["rules"]
        for path in RULES
        if path.name in files
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    }
    return [found[name] for name in GROUPS if name in found]


@dataclass
class Active:
    """An alert that is pending or fires."""

    since: float
    firing: bool = False


@dataclass
class Prometheus:
    """A server that takes remote writes, at `port`, and the state of its rules."""

    port: int
    rules: Sequence[Sequence[Mapping[str, Any]]]
    firing: dict[Labels, list[tuple[float, float]]] = field(default_factory=dict)
    _names: dict[str, bytes] = field(default_factory=dict)
    _shown: set[str] = field(default_factory=set)
    _recorded: dict[int, set[Labels]] = field(default_factory=dict)
    _active: dict[int, dict[Labels, Active]] = field(default_factory=dict)
    _at: float = 0.0

    def __post_init__(self) -> None:
        self._http = HTTPConnection("127.0.0.1", self.port, timeout=120)

    def page(self, blocks: Iterable[AnyBlock], at: float) -> None:
        """A page as it is scraped at this moment, and all rules a moment after it."""
        found = {series: value for block in blocks if block.body for series, value in samples(block.body)}
        for series in found.keys() - self._names.keys():
            name, _, labels = series.rstrip("}").partition("{")
            self._names[series] = encoded(tuple(sorted([("__name__", name), *LABEL.findall(labels)])))
        lines = [(self._names[series], struct.pack("<d", value)) for series, value in found.items()]
        lines += [(self._names[series], _STALE) for series in self._shown - found.keys()]
        self._shown = set(found)
        self._write(lines, at)
        step, self._at = at - self._at, at
        number = 0
        for group in self.rules:
            for rule in group:
                number += 1
                result = self._ask(rule["expr"], at)
                if "record" in rule:
                    self._record(number, rule, result, at)
                else:
                    self._alert(number, rule, result, at, step)

    @property
    def series(self) -> int:
        """How many there were on pages."""
        return len(self._names)

    def told(self, begin: float) -> list[Told]:
        """All that fired, in seconds from `begin`."""
        return sorted(
            Told(labels, spans[0][0] - begin, spans[-1][1] - begin, len(spans)) for labels, spans in self.firing.items()
        )

    def _record(self, number: int, rule: Mapping[str, Any], result: Sequence[tuple[Labels, float]], at: float) -> None:
        own = {"__name__": rule["record"], **rule.get("labels", {})}
        found = {tuple(sorted({**dict(labels), **own}.items())): value for labels, value in result}
        lines = [(encoded(labels), struct.pack("<d", value)) for labels, value in found.items()]
        lines += [(encoded(labels), _STALE) for labels in self._recorded.get(number, set()) - found.keys()]
        self._recorded[number] = set(found)
        self._write(lines, at)

    def _alert(
        self, number: int, rule: Mapping[str, Any], result: Sequence[tuple[Labels, float]], at: float, step: float
    ) -> None:
        assert "keep_firing_for" not in rule, rule["alert"]
        active = self._active.setdefault(number, {})
        before = {_shown_as(labels, each) for labels, each in active.items()}
        found = {self._labels(rule, labels) for labels, _ in result}
        for labels in found:
            each = active.setdefault(labels, Active(at))
            each.firing = each.firing or at - each.since >= parse_duration(rule.get("for", "0s"))
        for labels in active.keys() - found:
            del active[labels]
        now = {_shown_as(labels, each) for labels, each in active.items()}
        lines = [(encoded(labels), struct.pack("<d", 1.0)) for labels in now]
        self._write([*lines, *((encoded(labels), _STALE) for labels in before - now)], at)
        for labels, each in active.items():
            if each.firing and rule["labels"]["severity"] != "none":
                spans = self.firing.setdefault(labels, [])
                if spans and spans[-1][1] == at - step:
                    spans[-1] = (spans[-1][0], at)
                else:
                    spans.append((at, at))

    def _labels(self, rule: Mapping[str, Any], labels: Labels) -> Labels:
        said = dict(labels)
        own = {name: _OF_LABEL.sub(lambda found: said.get(found[1], ""), text) for name, text in rule["labels"].items()}
        assert not any("{{" in text for text in own.values()), rule["alert"]
        made = {**said, **own, "alertname": rule["alert"]}
        return tuple(sorted((name, value) for name, value in made.items() if value))

    def _ask(self, expression: str, at: float) -> list[tuple[Labels, float]]:
        body = urlencode({"query": expression, "time": f"{at:.3f}"})
        said = json.loads(self._post("/api/v1/query", body.encode(), "application/x-www-form-urlencoded"))
        assert said["status"] == "success", said
        data = said["data"]
        # A number by itself is no series.
        assert data["resultType"] == "vector", expression
        return [
            (tuple(sorted(pair for pair in each["metric"].items() if pair[0] != "__name__")), float(each["value"][1]))
            for each in data["result"]
        ]

    def _write(self, lines: Sequence[tuple[bytes, bytes]], at: float) -> None:
        """Samples of one moment, as remote write has them."""
        if not lines:
            return
        moment = b"\x10" + _varint(round(at * 1000))
        sample_length = bytes([9 + len(moment)])
        body = b"".join(
            _field(0x0A, labels + b"\x12" + sample_length + b"\x09" + value + moment) for labels, value in lines
        )
        # A snappy block of one literal.
        packed = _varint(len(body)) + b"\xfc" + struct.pack("<I", len(body) - 1) + body
        self._post("/api/v1/write", packed, "application/x-protobuf")

    def _post(self, path: str, body: bytes, kind: str) -> bytes:
        headers = {"Content-Type": kind, "Content-Encoding": "snappy" if kind.endswith("protobuf") else "identity"}
        self._http.request("POST", path, body, headers)
        with self._http.getresponse() as answer:
            said = answer.read()
        assert answer.status < 300, f"{path}: {answer.status} {said[:500]!r}"
        return said


def _shown_as(labels: Labels, alert: Active) -> Labels:
    state = "firing" if alert.firing else "pending"
    return tuple(sorted([*labels, ("__name__", "ALERTS"), ("alertstate", state)]))


def encoded(labels: Labels) -> bytes:
    """Labels as protobuf has them, in the order of their names."""
    return b"".join(
        _field(0x0A, _field(0x0A, name.encode()) + _field(0x12, value.encode())) for name, value in labels if value
    )


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
