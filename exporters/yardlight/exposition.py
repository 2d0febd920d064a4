"""Samples -> pages for Prometheus, in the text format 0.0.4 and in OpenMetrics 1.0.

A `Block` holds the finished lines of one family from one source (a terminal, an account). A page writes each
family's header once and puts all blocks of that family under it, so a source that did not change is not
rendered again; a large `PackedBlock` is not even compressed again. The lines are the same in both formats and equal to
prometheus_client's, byte by byte.

A compressed page is one gzip member, put together from parts that were compressed apart. Prometheus would take many
members as well, but curl refuses them and browsers show the first one only.
"""

from __future__ import annotations

import json
import math
import re
import struct
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TypeVar

from yardlight.catalogue import METRICS, Metric

TEXT = "text/plain; version=0.0.4; charset=utf-8"
Values = TypeVar("Values", bound=tuple[str, ...])
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
# A scrape waits for this one; more would cost more time than it saves on the way.
_PAGE_LEVEL = 1
_PACK_LEVEL = 6
# Fewer bytes are compressed again, together with what stands beside them, in less time than a part of their own takes.
_PACKED_FROM = 1024
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# A last block of nothing.
_DEFLATE_END = b"\x03\0"
_POLYNOMIAL = 0xEDB88320
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


Samples = Mapping[Values, float | Histogram | None]


@dataclass(frozen=True)
class Block:
    """The sample lines of one family from one source, UTF-8, each ended by a newline."""

    metric: Metric
    body: bytes


@dataclass(frozen=True)
class PackedBlock:
    """The same compressed once, where it was rendered: raw deflate without an end, CRC-32 and size of the lines."""

    metric: Metric
    deflated: bytes
    crc: int
    size: int

    @property
    def body(self) -> bytes:
        """The lines again. Raises `zlib.error` or `ValueError` if it was not made by `pack`."""
        lines = zlib.decompressobj(-zlib.MAX_WBITS).decompress(self.deflated)
        if len(lines) != self.size or zlib.crc32(lines) != self.crc:
            raise ValueError(f"the lines of {self.metric.name} were damaged")
        return lines

    @cached_property
    def part(self) -> bytes | PackedBlock:
        """What a page takes of it: itself, or the lines of a small one."""
        return self if self.size >= _PACKED_FROM else self.body

    @cached_property
    def shift(self) -> int:
        """What multiplies the CRC-32 of all that stands before these lines."""
        return _shift(self.size)


AnyBlock = Block | PackedBlock


def pack(blocks: Iterable[AnyBlock]) -> list[PackedBlock]:
    """Compress what has lines: one packed block per family, families by name."""
    families: dict[Metric, list[bytes]] = {}
    for each in blocks:
        if each.body:
            families.setdefault(each.metric, []).append(each.body)
    packed = (_packed(metric, b"".join(bodies)) for metric, bodies in families.items())
    return sorted(packed, key=lambda each: each.metric.name)


def _packed(metric: Metric, body: bytes) -> PackedBlock:
    return PackedBlock(metric, _deflate(body, _PACK_LEVEL), zlib.crc32(body), len(body))


def dump(blocks: Sequence[PackedBlock]) -> bytes:
    """Packed blocks as bytes, for a pipe or the state file."""
    head = json.dumps([(each.metric.name, len(each.deflated), each.crc, each.size) for each in blocks]).encode()
    return b"\n".join([head, b"".join(each.deflated for each in blocks)])


def load(data: bytes) -> list[PackedBlock]:
    """What `dump` made bytes of. Raises `ValueError` if it was not made by this version."""
    head, _, parts = data.partition(b"\n")
    blocks, start = [], 0
    for name, length, crc, size in json.loads(head):
        if name not in METRICS:
            raise ValueError(f"{name} is not in the catalogue")
        blocks.append(PackedBlock(METRICS[name], parts[start : start + length], crc, size))
        start += length
    if start != len(parts):
        raise ValueError(f"{len(parts)} bytes instead of {start}")
    return blocks


def block(metric: Metric, fleet: str, samples: Samples[Values]) -> Block:
    """Render the samples of one source; keys are label values in the order of `metric.labels`.

    A value of None makes no sample: unknown is never zero.
    """
    names = ("fleet", *metric.labels)
    lines: list[str] = []
    for values, value in samples.items():
        if len(values) != len(metric.labels):
            raise ValueError(f"{metric.name} takes {metric.labels}, got {values}")
        if isinstance(value, Histogram):
            lines.append(_histogram_lines(metric.name, names, (fleet, *values), value))
        elif value is not None:
            lines.append(f"{_series(metric.name, names, (fleet, *values))} {number(value)}\n")
    return Block(metric, "".join(lines).encode(errors="replace"))


class Renderer:
    """Renders the families of one source again and again; what did not change since the last time is not.

    Not for a histogram that goes on counting: it is taken for the same as long as it is the same object.
    """

    def __init__(self, fleet: str) -> None:
        self._fleet = fleet
        self._last: dict[Metric, tuple[object, Block]] = {}

    def block(self, metric: Metric, samples: Samples[Values]) -> Block:
        """As `block`."""
        last = self._last.get(metric)
        if last is not None and last[0] == samples:
            return last[1]
        rendered = block(metric, self._fleet, samples)
        self._last[metric] = (samples, rendered)
        return rendered


def page(blocks: Iterable[AnyBlock], openmetrics: bool) -> bytes:
    """All blocks as one page, families by name, the blocks of a family in the order given."""
    return b"".join(part if isinstance(part, bytes) else part.body for part in _parts(blocks, openmetrics))


def gzip_page(blocks: Iterable[AnyBlock], openmetrics: bool) -> bytes:
    """The same page compressed: packed blocks as they are, and anew all that stands between two."""
    out, between = [_GZIP_HEAD], list[bytes]()
    crc, size = 0, 0

    def compress_between() -> None:
        nonlocal crc, size
        if not between:
            return
        lines = b"".join(between)
        between.clear()
        out.append(_deflate(lines, _PAGE_LEVEL))
        crc, size = zlib.crc32(lines, crc), size + len(lines)

    for part in _parts(blocks, openmetrics):
        if isinstance(part, bytes):
            between.append(part)
            continue
        compress_between()
        out.append(part.deflated)
        crc, size = _product(part.shift, crc) ^ part.crc, size + part.size
    compress_between()
    out += [_DEFLATE_END, struct.pack("<II", crc, size & 0xFFFFFFFF)]
    return b"".join(out)


def _deflate(lines: bytes, level: int) -> bytes:
    """Raw deflate that ends on a whole byte, and that more may follow."""
    compressor = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return compressor.compress(lines) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _shift(size: int) -> int:
    """x to the power of the bits in `size` bytes, modulo CRC-32's polynomial; as in zlib's crc32_combine."""
    power, square, bits = 1 << 31, 1 << 30, size * 8
    while bits:
        if bits & 1:
            power = _product(square, power)
        square = _product(square, square)
        bits >>= 1
    return power


def _product(a: int, b: int) -> int:
    """a times b modulo CRC-32's polynomial; the lowest power is the highest bit."""
    product = 0
    while a:
        if a & 0x80000000:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def _parts(blocks: Iterable[AnyBlock], openmetrics: bool) -> Iterator[bytes | PackedBlock]:
    """What a page is made of, in its order: plain bytes and packed blocks."""
    families: dict[str, list[AnyBlock]] = {}
    for each in blocks:
        if isinstance(each, PackedBlock) or each.body:
            families.setdefault(each.metric.name, []).append(each)
    for _, family in sorted(families.items()):
        yield _header(family[0].metric, openmetrics)
        for each in family:
            yield each.part if isinstance(each, PackedBlock) else each.body
    if openmetrics:
        yield b"# EOF\n"


def duplicate_series(text: bytes) -> list[str]:
    """Series that stand on a page more than once: promtool and the OpenMetrics parser let them pass."""
    samples = (_SERIES.match(line) for line in text.split(b"\n") if not line.startswith(b"#"))
    counts = Counter(match[1] for match in samples if match)
    return [series.decode() for series, count in counts.items() if count > 1]


def number(value: float) -> str:
    """A sample value as Go writes it: +Inf, -Inf, NaN, and exponents from 10^6 on."""
    if type(value) is int and 0 <= value < 1_000_000:
        # Counts, which are new on each page.
        return f"{value}.0"
    if value == 0:
        return "0.0" if math.copysign(1.0, value) > 0 else "-0.0"
    return _number(float(value))


# Most samples are states, small counts or counters that did not move since the last page.
@lru_cache(maxsize=65536)
def _number(value: float) -> str:
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


def _histogram_lines(name: str, names: tuple[str, ...], values: tuple[str, ...], histogram: Histogram) -> str:
    cumulative = list(accumulate(histogram.counts))
    numbers = [*map(number, cumulative), number(cumulative[-1]), number(histogram.sum)]
    return _histogram_form(name, names, values, histogram.bounds) % tuple(numbers)


# What stands before the values changes with the inventory only.
@lru_cache(maxsize=262144)
def _series(name: str, names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return f"{name}{{{','.join(_pairs(names, values))}}}"


@lru_cache(maxsize=16384)
def _histogram_form(name: str, names: tuple[str, ...], values: tuple[str, ...], bounds: tuple[float, ...]) -> str:
    """The lines of a histogram: its buckets, its count, its sum, with %s for each value."""
    pairs = _pairs(names, values)
    # `le` stands among the sorted labels; fleet is always before it.
    before = [pair for pair in pairs if pair < "le"]
    head = f'{name}_bucket{{{",".join(before)},le="'
    tail = "".join(f",{pair}" for pair in pairs[len(before) :])
    plain = ",".join(pairs)
    series = [f'{head}{bound}"{tail}}}' for bound in _bounds(bounds)]
    series += [f"{name}_count{{{plain}}}", f"{name}_sum{{{plain}}}"]
    return "".join(f"{each.replace('%', '%%')} %s\n" for each in series)


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
