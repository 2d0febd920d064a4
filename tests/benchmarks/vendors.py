"""What the worker slots run in the benchmark of the page: accounts of 8 families."""

from __future__ import annotations

import random
import time

from yardlight.catalogue import METRICS, Metric
from yardlight.collection import Session
from yardlight.exposition import Block, Samples, block

FLEET = "bench"
ACCOUNTS = 20
DEVICES = 625
# (name, what a sample of it is like)
_SHAPES = (
    ("device_last_checkin_timestamp_seconds", "moment"),
    ("device_compliant", "state"),
    ("device_stale_after_seconds", "threshold"),
    ("device_action_pending_timestamp_seconds", "moment"),
    ("sim_usage_bytes", "bytes"),
    ("sim_cap_bytes", "threshold"),
    ("feed_newest_record_timestamp_seconds", "moment"),
    ("feed_records", "state"),
)
FAMILIES = [
    (Metric(f"yardlight_bench_{name}", "gauge", f"As {name}.", ("account", "device")), shape) for name, shape in _SHAPES
]
METRICS.update({metric.name: metric for metric, _ in FAMILIES})


def samples(account: str, shape: str) -> Samples[tuple[str, ...]]:
    """One sample of each device of the account, as of now."""
    now = time.time()
    values = {
        "moment": lambda: round(now - random.expovariate(1 / 3600), 3),
        "state": lambda: float(random.random() < 0.9),
        "threshold": lambda: 86400.0,
        "bytes": lambda: float(random.randrange(10**6, 10**10)),
    }
    return {(account, f"tablet-{device:04}"): values[shape]() for device in range(DEVICES)}


def account(_: Session, name: str) -> list[Block]:
    return [block(metric, FLEET, samples(name, shape)) for metric, shape in FAMILIES]
