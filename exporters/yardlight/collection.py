"""One account of one platform as a job for a worker: told in names and plain values, secrets not among them.

A platform module has three names: `Config` (a pydantic model of the account's options), `fetch` (talks to the vendor)
and `parse` (pure: no network, no clock). What the records mean as samples, its domain says once for all platforms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from pydantic import BaseModel

from yardlight.catalogue import Metric
from yardlight.exposition import Block, Samples, block
from yardlight.inventory.secret import read_secret
from yardlight.inventory.values import Secret

ReadSecret = Callable[[str], Secret]
# From the records of an account to its samples, families apart.
Show = Callable[[str, Iterable[Any]], Mapping[Metric, Samples[tuple[str, ...]]]]


class Platform(Protocol):
    """What a platform module gives."""

    Config: type[BaseModel]

    def fetch(self, config: Any, secret: ReadSecret) -> Any:
        """What the vendor says now; `secret` reads a file that the configuration names. Raises `PollError`."""

    def parse(self, reply: Any) -> Iterable[Any]:
        """The records in a reply."""


@dataclass(frozen=True)
class Collection:
    """Calling it collects the account; `show` is a function of a domain's module, `base` where secret files lie."""

    fleet: str
    account: str
    platform: str
    options: Mapping[str, Any]
    base: Path
    show: Show

    def __call__(self) -> list[Block]:
        platform = cast(Platform, import_module(self.platform))
        config = platform.Config.model_validate(self.options)
        records = platform.parse(platform.fetch(config, partial(read_secret, base=self.base)))
        return [block(metric, self.fleet, samples) for metric, samples in self.show(self.account, records).items()]
