"""What the inventory says about tablets, as metrics."""

from __future__ import annotations

from pathlib import Path

import pytest

from yardlight import centre
from yardlight.catalogue import METRICS
from yardlight.exposition import duplicate_series, page
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet
from yardlight.mdm import domain

INVENTORY = """
fleet: inland-haul
timezone: America/Los_Angeles
roster: {trucks: trucks.csv}
calendars: {weekdays: {days: mon-fri, hours: "05:00-20:00"}}
accounts:
  graph: {platform: intune, tenant: contoso, client_id: a, client_secret_file: secret, credential_warning: 21d}
  other: {platform: intune, tenant: contoso, client_id: a, client_secret_file: secret}
mdm:
  tablets: {account: graph, wipe_within: 12h, groups: {drivers: {duty: weekdays, stale_after: 12h}}}
terminals:
  fontana: {targets: [198.51.100.1], uplinks: {fiber: {}}}
"""
TRUCKS = "truck,tablet,group,status\n112,T112=SER112,drivers,active\n7,SER7,drivers,retired\n9,,drivers,active\n"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    (tmp_path / "fleet.yml").write_text(INVENTORY, encoding="utf-8")
    (tmp_path / "trucks.csv").write_text(TRUCKS, encoding="utf-8")
    return load(tmp_path / "fleet.yml").fleet


def test_what_is_expected_of_wipes_and_credentials_is_exported(fleet: Fleet) -> None:
    text = page(centre.Said().blocks(fleet, 1767300000.0), openmetrics=False)
    assert duplicate_series(text) == []
    found = dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))
    day = 86400.0
    for name, account, seconds in (
        ("device_wipe_within_seconds", "graph", day / 2),
        ("account_credential_warning_seconds", "graph", 21 * day),
        ("account_credential_warning_seconds", "other", 14 * day),
    ):
        assert float(found[f'yardlight_{name}{{account="{account}",fleet="inland-haul"}}']) == seconds
    assert not any("SER112" in name for name in found)


def test_what_is_judged_by_is_not_said_on_while_nothing_is_collected(fleet: Fleet) -> None:
    assert METRICS["yardlight_device_stale_before_timestamp_seconds"] not in domain.said(fleet, 1767300000.0)


def test_the_tablets_of_the_roster_are_exported_by_name_until_their_truck_is_retired(fleet: Fleet) -> None:
    said = domain.said(fleet, 1767300000.0)
    assert said[METRICS["yardlight_roster_tablet_info"]] == {("T112", "112"): 1}


def test_a_truck_whose_last_day_is_over_has_no_tablet_on_the_roster(fleet: Fleet, tmp_path: Path) -> None:
    trucks = "truck,tablet,status,until\n112,T112=SER112,active,2026-01-01\n113,T113=SER113,parked,2026-01-01\n"
    (tmp_path / "trucks.csv").write_text(trucks, encoding="utf-8")
    said, metric = load(tmp_path / "fleet.yml").fleet, METRICS["yardlight_roster_tablet_info"]
    assert set(domain.said(said, 1767301200.0)[metric]) == {("T112", "112"), ("T113", "113")}
    assert set(domain.said(said, 1767301200.0 + 86400.0)[metric]) == {("T113", "113")}


def test_a_group_is_the_inventorys_however_the_roster_writes_it(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "trucks.csv").write_text(TRUCKS.replace("drivers", "Drivers"), encoding="utf-8")
    written = load(tmp_path / "fleet.yml").fleet
    assert domain.said(written, 1767300000.0) == domain.said(fleet, 1767300000.0)


def test_without_tablets_to_read_nothing_is_said_of_the_roster(fleet: Fleet) -> None:
    assert domain.said(fleet.model_copy(update={"mdm": {}}), 1767300000.0) == {}
