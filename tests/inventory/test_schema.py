"""The schema for editors takes what a person writes and refuses what `check` refuses field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from yardlight.inventory.schema import schema

GOOD = """
fleet: inland-haul
timezone: America/Los_Angeles
links: {grafana: "https://grafana.example.com"}
include: [west.yml]
defaults: {terminal: {page_after: 10s}, uplink: {timeout: 2s}}
classes:
  small-yard:
    targets: [198.51.100.1, "tcp://example.com:443", {address: 203.0.113.53, segment: isp}]
    switch_within: 1m30s
terminals:
  fontana:
    class: small-yard
    stage: trial
    site: {address: "1 Road", contacts: {yard: "+1 909 555 0100"}, peak: weekday-mornings}
    uplinks:
      fiber: {role: primary, bind: 10.10.0.21, degraded: {loss: 5%, rtt: 120ms}, metered: false}
      lte: {bind: wwan0, quorum: 2, metered: {budget: 50 MB, per: month, reserve: 30%}}
      cable:
    maintenance: [{uplink: fiber, from: "2026-02-03T22:00", to: "2026-02-04T04:00", why: ISP window}]
calendars: {weekday-mornings: {days: mon-fri, hours: "04:00-09:00", holidays: US}}
"""
BAD = Path(__file__).parent.parent / "config" / "bad"


def errors(document: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema()).iter_errors(document)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_what_a_person_writes_fits_the_schema() -> None:
    assert errors(yaml.safe_load(GOOD)) == []


@pytest.mark.parametrize(
    "name",
    [
        "bad_role", "bad_medium", "bad_duration", "bad_duration_unit", "bad_size", "bad_share", "bad_stage",
        "bad_target_segment", "bad_quorum", "unknown_key_top", "unknown_key_terminal", "unknown_key_uplink",
        "unknown_key_nested", "unknown_key_defaults", "name_inside_a_terminal", "targets_are_text", "include_is_text",
        "mistake_in_a_class", "mistake_in_the_defaults", "bad_hours", "maintenance_bad_time", "bad_metered",
    ],
)  # fmt: skip
def test_an_editor_sees_mistakes_in_single_fields(name: str) -> None:
    assert errors(yaml.safe_load((BAD / f"{name}.yml").read_text()))


def test_no_default_is_offered_in_a_form_that_is_refused() -> None:
    def defaults(part: Any) -> list[Any]:
        if isinstance(part, list):
            return [found for item in part for found in defaults(item)]
        if isinstance(part, dict):
            own = [part["default"]] if "default" in part else []
            return own + [found for item in part.values() for found in defaults(item)]
        return []

    assert defaults(schema()) == []
