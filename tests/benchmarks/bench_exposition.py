"""CPU per sample of a page: our blocks against prometheus_client's `generate_latest`, in the same run.

One page has the round-trip histogram and the states of 1000 uplinks. Two cases: everything rendered anew; one
uplink changed (its blocks are rendered, the others' are used again). prometheus_client always renders all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from yardlight.catalogue import UPLINK_RTT, UPLINK_STATE
from yardlight.exposition import Block, Histogram, block, page

STATES = ("up", "degraded", "down", "unknown")
UPLINKS = [(f"t{index // 2}", ("fiber", "lte")[index % 2]) for index in range(1000)]
ROUNDS = 5


def histogram() -> Histogram:
    filled = Histogram(UPLINK_RTT.buckets)
    for step in range(100):
        filled.observe(step / 500)
    return filled


RTT = histogram()


def blocks_of(uplink: tuple[str, str]) -> list[Block]:
    return [
        block(UPLINK_STATE, "bench", {(*uplink, state): float(state == "up") for state in STATES}),
        block(UPLINK_RTT, "bench", {uplink: RTT}),
    ]


class Peer:
    """The same samples the way prometheus_client wants them from a collector."""

    def collect(self) -> Iterator[Family]:
        names = ["fleet", "terminal", "uplink"]
        states = GaugeMetricFamily(UPLINK_STATE.name, UPLINK_STATE.help, labels=[*names, "state"])
        rtt = HistogramMetricFamily(UPLINK_RTT.name, UPLINK_RTT.help, labels=names)
        bounds = [*(str(bound) for bound in RTT.bounds), "+Inf"]
        for uplink in UPLINKS:
            for state in STATES:
                states.add_metric(["bench", *uplink, state], float(state == "up"))
            counts = [sum(RTT.counts[: index + 1]) for index in range(len(bounds))]
            rtt.add_metric(["bench", *uplink], list(zip(bounds, counts, strict=True)), RTT.sum)
        yield rtt
        yield states


def cpu(make: Callable[[], bytes]) -> float:
    """Seconds of CPU per page."""
    began = time.process_time()
    for _ in range(ROUNDS):
        make()
    return (time.process_time() - began) / ROUNDS


def main() -> None:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Peer())
    finished = [each for uplink in UPLINKS for each in blocks_of(uplink)]

    def anew() -> bytes:
        return page([each for uplink in UPLINKS for each in blocks_of(uplink)], openmetrics=False)

    def one_changed() -> bytes:
        return page([*blocks_of(UPLINKS[0]), *finished[2:]], openmetrics=False)

    def peer() -> bytes:
        return generate_latest(registry)

    assert sorted(anew().splitlines()) == sorted(peer().splitlines()), "not the same page"
    samples = sum(not line.startswith(b"#") for line in anew().splitlines())
    theirs = cpu(peer)
    print(f"{'CPU per sample of a page':<26}{'samples':>10}{'yardlight':>14}{'client':>14}{'ratio':>8}")
    for case, make in (("everything rendered", anew), ("one uplink changed", one_changed)):
        ours = cpu(make)
        costs = f"{ours / samples * 1e6:>11.2f} µs{theirs / samples * 1e6:>11.2f} µs{ours / theirs:>8.3f}"
        print(f"{case:<26}{samples:>10}{costs}")


if __name__ == "__main__":
    main()
