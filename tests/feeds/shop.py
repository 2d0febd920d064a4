"""How tests ask the demo's maintenance system."""

from __future__ import annotations

ACCOUNT = """\
  shop:
    platform: generic
    url: "{url}/shop"
    auth: {{bearer_file: secret}}
    rate: 1000/s"""
FEED = (
    "  meters: {{account: shop, poll: {poll}, path: /vehicles, records: vehicles, truck: name, time: meter_at,"
    " values: {{meter: meter_miles}}, shows: Maintenance, max_age: 30d}}"
)
