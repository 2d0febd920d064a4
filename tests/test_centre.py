"""The inventory as metrics: every threshold, local times, calendars and maintenance windows, at a given instant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from yardlight import centre
from yardlight.exposition import duplicate_series, page
from yardlight.inventory.load import load
from yardlight.inventory.models import Fleet

PACIFIC = ZoneInfo("America/Los_Angeles")
INVENTORY = """
fleet: inland-haul
timezone: America/Los_Angeles
links: {runbooks: "https://yardlight.example.com/runbooks"}
calendars: {mornings: {days: mon-fri, hours: "04:00-09:00", holidays: US}}
terminals:
  fontana:
    site: {peak: mornings, staffed: mornings}
    targets: [198.51.100.1]
    switch_within: 50s
    on_failover: page
    uplinks:
      fiber: {bind: 10.10.0.21, circuit: {isp: 'Fron"tier', id: 12/KRFN/004, support: "+1 800 555 0199"}}
      lte: {bind: 10.10.0.22}
    drill: {playbook: quarterly-wan-failover, remind_before: 10d}
    maintenance: [{uplink: fiber, from: 2026-02-03T22:00, to: 2026-02-04T04:00, why: ISP window}]
  akron:
    timezone: America/New_York
    stage: trial
    targets: [198.51.100.1]
    report_within: 2m
    uplinks: {fiber: {}}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    path = tmp_path / "fleet.yml"
    path.write_text(INVENTORY)
    return load(path).fleet


def series(fleet: Fleet, when: datetime) -> dict[str, float]:
    text = page(centre.Said().blocks(fleet, when.timestamp()), openmetrics=False)
    assert duplicate_series(text) == []
    lines = (line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))
    return {name.removeprefix("yardlight_"): float(value) for name, value in lines}


def named(family: str, terminal: str, **more: str) -> str:
    labels = {"fleet": "inland-haul", "terminal": terminal, **more}
    return family + "{" + ",".join(f'{key}="{labels[key]}"' for key in sorted(labels)) + "}"


WINTER = datetime(2026, 2, 3, 21, 59, tzinfo=PACIFIC)


def test_every_threshold_of_the_inventory_is_exported(fleet: Fleet) -> None:
    found = series(fleet, WINTER)
    assert found[named("terminal_switch_within_seconds", "fontana")] == 50
    assert found[named("terminal_report_within_seconds", "fontana")] == 47
    assert found[named("terminal_report_within_seconds", "akron")] == 120
    assert found[named("terminal_page_after_seconds", "akron")] == 10
    assert found[named("terminal_failback_within_seconds", "akron")] == 600


def test_what_a_standby_must_prove_is_exported_for_standbys_only(fleet: Fleet) -> None:
    found = series(fleet, WINTER)
    assert found[named("standby_check_required", "fontana", uplink="lte", check="path")] == 1
    assert found[named("standby_max_proof_age_seconds", "fontana", uplink="lte")] == 86400
    assert not [name for name in found if name.startswith("standby_") and 'uplink="fiber"' in name]


def test_terminals_and_uplinks_are_facts_with_whom_to_call(fleet: Fleet) -> None:
    found = series(fleet, WINTER)
    zone = "America/Los_Angeles"
    assert found[named("terminal_info", "fontana", stage="live", on_failover="page", timezone=zone)] == 1
    zone = "America/New_York"
    assert found[named("terminal_info", "akron", stage="trial", on_failover="ticket", timezone=zone)] == 1
    call = {"isp": 'Fron\\"tier', "circuit": "12/KRFN/004", "support": "+1 800 555 0199"}
    fiber = {"uplink": "fiber", "role": "primary", "medium": "fiber"}
    assert found[named("uplink_info", "fontana", **fiber, **call)] == 1
    lte = {"uplink": "lte", "role": "standby", "medium": "lte", "isp": "", "circuit": "", "support": ""}
    assert found[named("uplink_info", "fontana", **lte)] == 1


def test_the_offset_is_that_of_the_terminal_and_of_the_season(fleet: Fleet) -> None:
    summer = datetime(2026, 7, 1, tzinfo=PACIFIC)
    assert series(fleet, WINTER)[named("terminal_utc_offset_seconds", "fontana")] == -8 * 3600
    assert series(fleet, summer)[named("terminal_utc_offset_seconds", "fontana")] == -7 * 3600
    assert series(fleet, WINTER)[named("terminal_utc_offset_seconds", "akron")] == -5 * 3600


def test_peak_follows_the_calendar_in_local_time_and_exists_only_where_one_is_set(fleet: Fleet) -> None:
    peak = named("terminal_peak_active", "fontana")
    assert series(fleet, datetime(2026, 2, 3, 3, 59, tzinfo=PACIFIC))[peak] == 0
    assert series(fleet, datetime(2026, 2, 3, 4, 0, tzinfo=PACIFIC))[peak] == 1
    assert series(fleet, datetime(2026, 2, 7, 5, 0, tzinfo=PACIFIC))[peak] == 0
    assert named("terminal_peak_active", "akron") not in series(fleet, WINTER)


def test_until_when_nobody_is_at_work_is_said_while_nobody_is(fleet: Fleet) -> None:
    until = named("terminal_unstaffed_until_timestamp_seconds", "fontana")
    friday, monday = datetime(2026, 2, 6, 18, tzinfo=PACIFIC), datetime(2026, 2, 9, 4, tzinfo=PACIFIC)
    assert series(fleet, friday)[until] == monday.timestamp()
    assert until not in series(fleet, monday)


def test_maintenance_is_active_inside_its_window_and_exists_only_where_one_is_written(fleet: Fleet) -> None:
    active = named("maintenance_active", "fontana", uplink="fiber")
    assert series(fleet, WINTER)[active] == 0
    assert series(fleet, datetime(2026, 2, 3, 22, 0, tzinfo=PACIFIC))[active] == 1
    assert series(fleet, datetime(2026, 2, 4, 4, 0, tzinfo=PACIFIC))[active] == 0
    assert named("maintenance_active", "fontana", uplink="lte") not in series(fleet, WINTER)


def test_a_drill_is_asked_for_only_where_the_inventory_does(fleet: Fleet) -> None:
    found = series(fleet, WINTER)
    assert found[named("drill_info", "fontana", playbook="quarterly-wan-failover", per="quarter")] == 1
    assert found[named("drill_remind_before_seconds", "fontana", playbook="quarterly-wan-failover")] == 864000
    assert not [name for name in found if name.startswith("drill") and "akron" in name]


def test_the_links_of_notifications_are_exported_and_empty_where_none_is_written(fleet: Fleet) -> None:
    links = 'fleet_info{fleet="inland-haul",grafana="",runbooks="https://yardlight.example.com/runbooks"}'
    assert series(fleet, WINTER)[links] == 1


def test_nothing_measured_is_exported_here(fleet: Fleet) -> None:
    families = {name.partition("{")[0] for name in series(fleet, WINTER)}
    assert families == {
        "fleet_info", "terminal_info", "uplink_info", "terminal_switch_within_seconds", "terminal_page_after_seconds",
        "terminal_failback_within_seconds", "terminal_report_within_seconds", "terminal_utc_offset_seconds",
        "terminal_peak_active", "maintenance_active", "standby_check_required", "standby_max_proof_age_seconds",
        "drill_info", "drill_remind_before_seconds", "terminal_unstaffed_until_timestamp_seconds",
    }  # fmt: skip
