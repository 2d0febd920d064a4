"""The pages are those of prometheus_client, byte by byte, and hold no series twice."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest as generate_text
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from yardlight import exposition
from yardlight.catalogue import LOOP_LAG, METRICS, PAGE_AFTER, SWITCH_WITHIN, Metric
from yardlight.exposition import (
    AnyBlock,
    Block,
    Histogram,
    Renderer,
    block,
    dump,
    duplicate_series,
    gzip_page,
    load,
    number,
    pack,
    page,
)


class Registry:
    """What prometheus_client asks of a registry, holding families that were made elsewhere."""

    def __init__(self, families: list[Any]) -> None:
        self.families = families

    def collect(self) -> list[Any]:
        return self.families


def theirs(metric: Metric, fleet: str, samples: Mapping[tuple[str, ...], float | Histogram | None]) -> Any:
    labels = ["fleet", *metric.labels]
    kinds = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily, "histogram": HistogramMetricFamily}
    family = kinds[metric.kind](metric.name, metric.help, labels=labels)
    for values, value in samples.items():
        if isinstance(value, Histogram):
            bounds = [*(number(bound) for bound in value.bounds), "+Inf"]
            buckets = list(zip(bounds, accumulate(value.counts), strict=True))
            family.add_metric([fleet, *values], buckets, value.sum)
        elif value is not None:
            family.add_metric([fleet, *values], value)
    return family


NAMES = st.from_regex(r"\A[a-z_][a-z0-9_]{0,8}\Z").filter(lambda n: n not in ("le", "fleet", "quantile"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(2**60), 2**60).map(float),
    st.floats(1e5, 1e18),
    st.sampled_from([0.0, -0.0, 1e6]),
)


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    bounds = draw(st.lists(st.floats(0, 1e9), min_size=1, max_size=5, unique=True).map(sorted))
    histogram = Histogram(tuple(bounds))
    for value in draw(st.lists(st.floats(-10, 1e10), max_size=8)):
        histogram.observe(value)
    return histogram


@st.composite
def families(draw: st.DrawFn) -> tuple[Metric, str, dict[tuple[str, ...], float | Histogram | None]]:
    kind = draw(st.sampled_from(["gauge", "counter", "histogram"]))
    name = f"yardlight_{draw(NAMES)}{'_total' if kind == 'counter' else '_x'}"
    labels = tuple(draw(st.lists(NAMES, max_size=3, unique=True)))
    values = histograms() if kind == "histogram" else st.one_of(st.none(), NUMBERS)
    samples = draw(st.dictionaries(st.tuples(*[TEXTS] * len(labels)), values, min_size=1, max_size=4))
    return Metric(name, kind, draw(TEXTS.filter(bool)), labels), draw(TEXTS), samples


FAMILIES = st.lists(families(), min_size=1, max_size=4, unique_by=lambda family: family[0].name)


@settings(deadline=None, max_examples=300)
@given(FAMILIES)
def test_both_formats_equal_prometheus_client_byte_by_byte(
    generated: list[tuple[Metric, str, dict[tuple[str, ...], float | Histogram | None]]],
) -> None:
    blocks = [block(*family) for family in generated]
    shown = sorted(
        (family for family, made in zip(generated, blocks, strict=True) if made.body), key=lambda f: f[0].name
    )
    registry = Registry([theirs(*family) for family in shown])
    assert page(blocks, openmetrics=False) == generate_text(registry)
    assert page(blocks, openmetrics=True) == generate_openmetrics(registry)


def test_what_did_not_change_is_not_rendered_again() -> None:
    renderer = Renderer("acme")
    first = renderer.block(LOOP_LAG, {(): 1.0})
    assert renderer.block(LOOP_LAG, {(): 1.0}) is first
    assert renderer.block(LOOP_LAG, {(): 2.0}) == block(LOOP_LAG, "acme", {(): 2.0})
    assert renderer.block(LOOP_LAG, {(): None}) == block(LOOP_LAG, "acme", {(): None})
    assert renderer.block(LOOP_LAG, {}).body == b""
    assert renderer.block(LOOP_LAG, {(): 1.0}) == first


@settings(deadline=None, max_examples=300)
@given(
    FAMILIES, st.lists(st.booleans(), min_size=4, max_size=4), st.integers(1, 3), st.booleans(),
    st.sampled_from([1, 200, 10_000]),
)  # fmt: skip
def test_pages_put_together_from_packed_blocks_equal_prometheus_client_byte_by_byte(
    generated: list[tuple[Metric, str, dict[tuple[str, ...], float | Histogram | None]]],
    packed: list[bool],
    sources: int,
    openmetrics: bool,
    packed_from: int,
) -> None:
    """Each family's samples come from up to three sources in turn; some families packed, some plain."""
    blocks: list[AnyBlock] = []
    for source in range(sources):
        for (metric, fleet, samples), is_packed in zip(generated, packed, strict=False):
            share = [block(metric, fleet, dict(list(samples.items())[source::sources]))]
            blocks += pack(share) if is_packed else share
    known = {each.metric.name for each in blocks}
    registry = Registry(
        [
            theirs(
                metric,
                fleet,
                dict(pair for source in range(sources) for pair in list(samples.items())[source::sources]),
            )
            for metric, fleet, samples in sorted(generated, key=lambda family: family[0].name)
            if metric.name in known and any(value is not None for value in samples.values())
        ]
    )
    expected = generate_openmetrics(registry) if openmetrics else generate_text(registry)
    assert page(blocks, openmetrics) == expected
    # One member: curl and browsers read no further.
    inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(exposition, "_PACKED_FROM", packed_from)
        assert inflating.decompress(gzip_page(blocks, openmetrics)) == expected
    assert inflating.eof
    assert not inflating.unused_data


def test_a_page_of_nothing_is_valid_gzip_too() -> None:
    assert gzip.decompress(gzip_page([], openmetrics=False)) == b""
    assert gzip.decompress(gzip_page([], openmetrics=True)) == b"# EOF\n"


def test_a_large_packed_block_goes_onto_the_page_as_it_is_and_many_small_ones_take_no_room_of_their_own() -> None:
    (packed,) = pack([block(SWITCH_WITHIN, "f", {(f"yard-{number}",): 1 for number in range(50)})])
    assert packed.deflated in gzip_page([packed, block(SWITCH_WITHIN, "f", {("b",): 1})], openmetrics=False)
    small = [each for number in range(200) for each in pack([block(SWITCH_WITHIN, "f", {(f"yard-{number}",): 1})])]
    assert len(gzip_page(small, openmetrics=False)) < sum(len(each.deflated) for each in small) / 4


def test_packing_makes_one_block_of_each_family_and_none_of_nothing() -> None:
    shares = [block(SWITCH_WITHIN, "f", {("a",): 1}), block(PAGE_AFTER, "f", {("a",): None})]
    packed = pack([*shares, block(SWITCH_WITHIN, "f", {("b",): 2}), block(LOOP_LAG, "f", {(): 0})])
    assert [each.metric for each in packed] == [LOOP_LAG, SWITCH_WITHIN]
    assert packed[1].body.count(b"\n") == 2


def test_dumped_blocks_are_loaded_again_and_nothing_else_is() -> None:
    packed = pack(whole_catalogue())
    data = dump(packed)
    assert load(data) == packed
    assert load(dump([])) == []
    with pytest.raises(ValueError, match="bytes instead of"):
        load(data[:-1])
    with pytest.raises(ValueError, match="yardlight_gone is not in the catalogue"):
        load(b'[["yardlight_gone", 1, 0, 1]]\nx')
    with pytest.raises(ValueError, match="codec can't decode"):
        load(zlib.compress(data))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (0.0, "0.0"),
        (1767600900.0, "1.7676009e+09"),
        (1e6, "1e+06"),
        (0.0025, "0.0025"),
    ],
)
def test_numbers_are_written_as_go_writes_them(value: float, text: str) -> None:
    assert number(value) == text


def test_unknown_makes_no_sample_and_an_empty_family_no_header() -> None:
    gauge = Metric("yardlight_x", "gauge", "Help.", ("terminal",))
    assert page([block(gauge, "f", {("a",): None})], openmetrics=False) == b""
    assert block(gauge, "f", {("a",): None, ("b",): 0}).body == b'yardlight_x{fleet="f",terminal="b"} 0.0\n'


def test_a_value_on_a_bound_counts_in_that_bucket() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (1.0, 1.5, 2.0, 2.5):
        histogram.observe(value)
    body = block(Metric("yardlight_h", "histogram", "Help.", ("terminal",)), "f", {("a",): histogram}).body
    assert body.decode().splitlines() == [
        'yardlight_h_bucket{fleet="f",le="1.0",terminal="a"} 1.0',
        'yardlight_h_bucket{fleet="f",le="2.0",terminal="a"} 3.0',
        'yardlight_h_bucket{fleet="f",le="+Inf",terminal="a"} 4.0',
        'yardlight_h_count{fleet="f",terminal="a"} 4.0',
        'yardlight_h_sum{fleet="f",terminal="a"} 7.0',
    ]


def test_blocks_of_two_sources_stand_under_one_header() -> None:
    gauge = Metric("yardlight_x", "gauge", "Help.", ("terminal",))
    other = Metric("yardlight_a", "gauge", "Help.")
    made = [block(gauge, "f", {("a",): 1}), block(other, "f", {(): 1}), block(gauge, "g", {("a",): 2})]
    assert page(made, openmetrics=False).decode().splitlines() == [
        "# HELP yardlight_a Help.",
        "# TYPE yardlight_a gauge",
        'yardlight_a{fleet="f"} 1.0',
        "# HELP yardlight_x Help.",
        "# TYPE yardlight_x gauge",
        'yardlight_x{fleet="f",terminal="a"} 1.0',
        'yardlight_x{fleet="g",terminal="a"} 2.0',
    ]


def test_a_wrong_number_of_label_values_is_refused() -> None:
    with pytest.raises(ValueError, match="yardlight_x takes"):
        block(Metric("yardlight_x", "gauge", "Help.", ("terminal",)), "f", {("a", "b"): 1})


def test_a_lone_surrogate_does_not_break_the_page() -> None:
    gauge = Metric("yardlight_x", "gauge", "Help.", ("isp",))
    assert block(gauge, "f", {("a\ud800b",): 1}).body == b'yardlight_x{fleet="f",isp="a?b"} 1.0\n'


def test_the_duplicate_check_finds_a_series_that_stands_twice() -> None:
    gauge = Metric("yardlight_x", "gauge", "Help.", ("isp",))
    twice = [block(gauge, "f", {('a"} 1',): 1}), block(gauge, "f", {('a"} 1',): 2, ("b",): 1})]
    text = page(twice, openmetrics=False)
    assert duplicate_series(text) == ['yardlight_x{fleet="f",isp="a\\"} 1"}']
    assert duplicate_series(page(twice[:1], openmetrics=False)) == []


def whole_catalogue() -> list[Block]:
    made = []
    for metric in METRICS.values():
        value: float | Histogram = 1.0
        if metric.kind == "histogram":
            value = Histogram(metric.buckets)
            value.observe(metric.buckets[0])
        made.append(block(metric, "inland-haul", {tuple("x" for _ in metric.labels): value}))
    return made


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_promtool_finds_nothing_wrong_with_the_whole_catalogue() -> None:
    text = page(whole_catalogue(), openmetrics=False)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_the_openmetrics_parser_reads_the_whole_catalogue_and_no_series_stands_twice() -> None:
    text = page(whole_catalogue(), openmetrics=True)
    assert len(list(text_string_to_metric_families(text.decode()))) == len(METRICS)
    assert duplicate_series(text) == []
