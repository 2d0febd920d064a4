"""A platform that comes with a package of somebody else's is found, checked and collected as ours are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vendor import Answer, Vendor
from yardlight import domains
from yardlight.collection import Session
from yardlight.errors import InventoryError
from yardlight.inventory.load import load
from yardlight.inventory.schema import schema_json
from yardlight.mdm import domain

MODULE = """
from yardlight.client import Client, bearer
from yardlight.inventory.accounts import AccountConfig, BaseUrl
from yardlight.mdm.device import Device


class Config(AccountConfig):
    url: BaseUrl
    token_file: str


def fetch(config, session):
    return Client(session, config, config.url, bearer(session.secret(config.token_file))).get("/tablets").json()


def parse(reply, config):
    return [Device(id=each, serial=each, checkin=1767600900.0) for each in reply]
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package `acme-mdm`, as pip leaves it."""
    (tmp_path / "acme_mdm.py").write_text(MODULE, encoding="utf-8")
    about = tmp_path / "acme_mdm-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-mdm\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[yardlight.mdm]\nacme = acme_mdm\nintune = acme_mdm\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    domains.platforms.cache_clear()
    yield
    domains.platforms.cache_clear()


def inventory(folder: Path, account: str) -> Path:
    (folder / "token").write_text("canary\n", encoding="utf-8")
    path = folder / "fleet.yml"
    path.write_text(
        f"fleet: f\naccounts:\n  tablets: {{platform: acme, {account}}}\nmdm: {{cabs: {{account: tablets}}}}\n"
        "terminals: {fontana: {targets: [198.51.100.1], uplinks: {fiber: {}}}}\n",
        encoding="utf-8",
    )
    return path


def test_it_is_collected_as_ours_are(tmp_path: Path) -> None:
    with Vendor(
        lambda asked: Answer(["A1", "A2"] if asked.headers["authorization"] == "Bearer canary" else [])
    ) as acme:
        fleet = load(inventory(tmp_path, f"url: '{acme.url}', token_file: token")).fleet
        [planned] = domain.planned(fleet, tmp_path)
        blocks = planned.collection(Session(time.monotonic() + 30.0, clock=lambda: 1767604500.0))
    [devices] = [each for each in blocks if each.metric.name == "yardlight_devices"]
    assert b'state="fresh"} 2.0' in devices.body


def test_a_mistake_in_its_account_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load(inventory(tmp_path, "url: 'https://acme.example.com'"))
    [problem] = caught.value.problems
    assert (problem.line, problem.field) == (3, "accounts.tablets.token_file")


def test_the_schema_has_it_and_one_of_ours_is_not_replaced(tmp_path: Path) -> None:
    account = json.loads(schema_json())["properties"]["accounts"]["additionalProperties"]
    assert "acme" in account["properties"]["platform"]["enum"]
    assert domains.platforms()["intune"].module == "yardlight.mdm.platforms.intune"
