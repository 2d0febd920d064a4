"""A domain with one platform, for the tests of the kernel: devices with the time of their last word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from yardlight.catalogue import SWITCH_WITHIN
from yardlight.client import Client, bearer
from yardlight.collection import Collection, Families, Session, Source, Told
from yardlight.domains import Planned
from yardlight.errors import IncompleteError
from yardlight.inventory.accounts import AccountConfig
from yardlight.inventory.model import Model
from yardlight.inventory.models import Fleet

PLATFORMS: Mapping[str, str] = {"fake": "tests.fake_domain"}


class Config(AccountConfig):
    """The options of a fake account."""

    token_file: str


def fetch(config: Config, session: Session) -> Any:
    client = Client(session, config, "https://fake.example.com", bearer(session.secret(config.token_file)))
    return client.get("/devices").json()


def parse(reply: Any, config: Config) -> Iterable[tuple[str, float]]:
    if not reply["devices"]:
        raise IncompleteError("GET /devices: no device at all")
    return [(each["name"], float(each["at"])) for each in reply["devices"]]


def show(source: Source, records: Sequence[Any], memory: Any, now: float) -> Told:
    known = {**(memory or {}), **dict(records)}
    return Told({SWITCH_WITHIN: {(name,): at for name, at in known.items()}}, known)


def planned(fleet: Fleet, base: Path) -> Iterator[Planned]:
    for account in fleet.accounts.values():
        source = Source(fleet.fleet, account.name, f"fake/{account.name}", Model(), Path(account.folder))
        yield Planned(Collection(source, account.module, account.options, show), 0.2, 20.0)


def said(fleet: Fleet, now: float) -> Families:
    return {}
