"""A domain with one platform whose vendors do what their accounts say: answer, hang, drip or crash."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from yardlight.catalogue import METRICS, Metric
from yardlight.collection import Collection, Families, Session, Source, Told
from yardlight.domains import Planned
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet

INTERVAL, DEADLINE = 2.0, 5.0
PLATFORMS: Mapping[str, str] = {"bench": "hung_domain"}
STARTED = Metric("yardlight_bench_started_timestamp_seconds", "gauge", "When it was collected.", ("account",))
METRICS[STARTED.name] = STARTED


class Config(AccountConfig):
    """What the vendor does; `port` is where one listens that drips."""

    does: Literal["well", "silent", "drips", "crashes"]
    port: int = 0


def fetch(config: Config, session: Session) -> Any:
    started = time.time()
    if config.does == "crashes":
        os.abort()
    if config.does == "silent":
        time.sleep(3600)
    if config.does == "drips":
        with socket.create_connection(("127.0.0.1", config.port), timeout=5.0) as vendor:
            while vendor.recv(1):
                pass
    time.sleep(0.05)
    return started


def parse(reply: Any, config: Config) -> Iterable[float]:
    return [reply]


def show(source: Source, records: Sequence[Any], memory: Any, now: float) -> Told:
    return Told({STARTED: {(source.account,): records[0]}})


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    for account in fleet.accounts.values():
        source = Source(fleet.fleet, account.name, f"bench/{account.name}", Model(), Path(account.folder))
        yield Planned(Collection(source, account.module, account.options, show), INTERVAL, DEADLINE)


def said(fleet: Fleet, now: float) -> Families:
    return {}
