"""Collecting from an MDM on loopback by its fixture: what it says, what files there are, with which options."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.vendor import Answer, Asked, Told, Vendor
from yardlight.collection import Session
from yardlight.mdm.device import Device, Record
from yardlight.mdm.platforms import PLATFORMS

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "canary-secret"
# 2026-01-05 12:00 UTC, a Monday.
NOW = 1767614400.0
Script = Callable[[Asked], Answer]


def fixture(platform: str) -> dict[str, Any]:
    """What is written of a platform, to change as one likes."""
    said: dict[str, Any] = json.loads((FIXTURES / f"{platform}.json").read_text(encoding="utf-8"))
    return said


@cache
def service_account() -> str:
    """A key as Google gives it out, new for this run of the tests."""
    private = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = {"type": "service_account", "private_key": private.decode(), "private_key_id": "k1"}
    return json.dumps({**key, "client_email": "reader@fleet.example"}, indent=2) + "\n"


def session(folder: Path, seconds: float = 60.0, **more: Any) -> Session:
    """A collection under way in this folder, which has every secret that a fixture may name."""
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    (folder / "service-account.json").write_text(service_account(), encoding="utf-8")
    return Session(time.monotonic() + seconds, folder, **{"clock": lambda: NOW, **more})


def account(platform: str, url: str, said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The module of a platform at this address, and the options of an account by its fixture."""
    options = json.loads(json.dumps(said["options"]).replace("{base}", url))
    return PLATFORMS[platform], {"rate": "1000/s", "url": url, **options}


def collect(platform: str, folder: Path, said: dict[str, Any] | None = None) -> tuple[list[Record], Told, list[Asked]]:
    """The records of one collection from a platform that says this, what it was not prepared for, and all it was asked.

    It says what its fixture does if it is not told otherwise.
    """
    said = said or fixture(platform)
    told = Told(said)
    with Vendor(told) as vendor:
        told.base = vendor.url
        return records_of(platform, folder, said, vendor.url), told, vendor.asked


def records_of(platform: str, folder: Path, said: dict[str, Any], url: str) -> list[Record]:
    """The records of one collection from a vendor at this address."""
    for name, text in said.get("files", {}).items():
        lay(folder / name, text)
    name, options = account(platform, url, said)
    module = import_module(name)
    config = module.Config.model_validate(options)
    return list(module.parse(module.fetch(config, session(folder)), config))


def lay(path: Path, text: str, age: float = 3600.0) -> None:
    """A file that was written a while ago."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (NOW - age, NOW - age))


def devices(records: list[Record]) -> list[Device]:
    """The devices among these records."""
    return [record for record in records if isinstance(record, Device)]
