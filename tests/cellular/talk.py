"""Collecting from a platform on loopback: the demo's carriers, or whatever a test says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.vendor import Answer, Asked, Vendor

from yardlight.cellular.platforms import PLATFORMS
from yardlight.cellular.usage import Record
from yardlight.collection import Session
from yardlight.demo.faces import SECRET, USER, Ask, Face

# 2026-11-20 15:00 UTC, a Friday.
NOW = 1795186800.0
OPTIONS: dict[str, dict[str, Any]] = {
    "thingspace": {
        "account_name": "0000000000-00001",
        "client_id": USER,
        "client_secret_file": "secret",
        "username": USER,
        "password_file": "secret",
    },
    "control_center": {"username": USER, "api_key_file": "secret", "network": "att"},
    "super_sim": {"client_id": USER, "client_secret_file": "secret"},
    "programmable_wireless": {"client_id": USER, "client_secret_file": "secret"},
    "soracom": {"auth_key_id": "keyId-demo", "auth_key_file": "secret"},
    "emnify": {"application_token_file": "secret"},
}


def spoken(face: Face) -> Callable[[Asked], Answer]:
    """A face of the demo as a vendor's script."""

    def script(asked: Asked) -> Answer:
        target = f"{asked.path}?{urlencode(asked.query)}" if asked.query else asked.path
        said = face(Ask(asked.method, target, asked.headers, asked.body))
        return Answer(said.content, said.status, said.headers)

    return script


def session(folder: Path, clock: Callable[[], float] = lambda: NOW, seconds: float = 60.0, **more: Any) -> Session:
    """A collection under way in this folder, with the secret that the demo's carriers accept."""
    (folder / "secret").write_text(SECRET + "\n", encoding="utf-8")
    return Session(time.monotonic() + seconds, folder, clock=clock, **more)


def collect(platform: str, vendor: Vendor, under_way: Session, **more: Any) -> list[Record]:
    """The records of one collection, at a rate that no test waits for unless it says so."""
    module = import_module(PLATFORMS[platform])
    config = module.Config.model_validate({**OPTIONS[platform], "rate": "1000/s", "url": vendor.url, **more})
    under_way.memory = json.loads(json.dumps(under_way.memory))
    return list(module.parse(module.fetch(config, under_way), config))


def sims_file(folder: Path, names: Mapping[str, str]) -> str:
    """A file of SIMs: ICCID by name."""
    lines = ["sim,iccid", *(f"{name},{iccid}" for name, iccid in names.items())]
    (folder / "sims.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "sims.csv"
