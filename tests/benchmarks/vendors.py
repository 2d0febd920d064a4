"""What the worker slots run in the benchmarks: accounts of 8 families, and vendors that hang or crash."""

from __future__ import annotations

import os
import random
import socket
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


STARTED = Metric("yardlight_bench_started_timestamp_seconds", "gauge", "When it was collected.", ("account",))
METRICS[STARTED.name] = STARTED


def well(_: Session, name: str) -> list[Block]:
    """A vendor that answers after a twentieth of a second."""
    started = time.time()
    time.sleep(0.05)
    return [block(STARTED, FLEET, {(name,): started})]


def silent(_: Session) -> list[Block]:
    """A vendor that accepts and says nothing."""
    time.sleep(3600)
    return []


def dripping(_: Session, port: int) -> list[Block]:
    """A vendor that sends a byte a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as vendor:
        while vendor.recv(1):
            pass
    return []


def crashing(_: Session) -> list[Block]:
    os.abort()
