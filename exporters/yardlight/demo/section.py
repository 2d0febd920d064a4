"""The vendors' part of the demo's fleet.yml: accounts, and what is collected from them."""

from __future__ import annotations

SECTION = """\
roster: {{trucks: trucks.csv, drivers: drivers.csv, revoked_elds: revoked-elds.csv}}
calendars: {{every-day: {{days: mon-sun}}}}
accounts:
  graph:
    platform: intune
    tenant: demo
    client_id: {user}
    client_secret_file: vendor-secret
    url: "{url}/graph"
    login_url: "{url}/graph"
  google:
    {{platform: android_management, enterprise: {enterprise}, key_file: key.json, url: "{url}/google",
     login_url: "{url}/google"}}
  verizon:
    platform: thingspace
    account_name: "0000000000-00001"
    client_id: {user}
    client_secret_file: vendor-secret
    username: {user}
    password_file: vendor-secret
    url: "{url}/verizon"
    rate: 100/s
  att:
    {{platform: control_center, network: att, username: {user}, api_key_file: vendor-secret, url: "{url}/att",
     rate: 100/s}}
  kore:
    {{platform: super_sim, network: kore, client_id: {user}, client_secret_file: vendor-secret, url: "{url}/kore",
     sims: sims.csv}}
  telematics:
    platform: generic
    url: "{url}/telematics"
    auth: {{bearer_file: vendor-secret}}
    owner: Safety office
    contact: vendor support +1 800 555 0142
{telematics}
  dispatch:
    platform: generic
    url: "{url}/loads"
    auth: {{bearer_file: vendor-secret}}
    owner: Dispatch office
    contact: vendor support +1 800 555 0177
    availability: 99.5%
{loads}
  eld:
    platform: generic
    url: "{tls_url}/eld"
    ca_file: vendors-ca.pem
    auth: {{bearer_file: vendor-secret}}
    owner: Safety office
    contact: vendor support +1 800 555 0163
    availability: 99.5%
  shop: {{platform: generic, url: "{url}/shop", auth: {{bearer_file: vendor-secret}}, owner: Shop, availability: 99%}}
  tms: {{platform: sql, url_file: tms-address, timezone: America/Los_Angeles, owner: Accounting, availability: 99.9%}}
feeds:
  gps:
    account: telematics
    poll: 15s
    deadline: 10s
    shows: GPS positions
    while_old: Do not quote ETAs.
    max_age: 2m
    expected: when_moving
    frozen_after: 3m
    speed_unit: mph
  loads: {{account: dispatch, poll: 15s, deadline: 10s, shows: Loads, max_age: 15m}}
  elds:
    account: eld
    poll: 15s
    deadline: 10s
    shows: ELD positions
    path: /positions
    params: {{since: "{{since}}"}}
    records: positions
    truck: eld
    time: at
    received: uploaded
    moving: speed_mph
    speed_unit: mph
    engine: engine
    malfunction: malfunction
    values: {{odometer: odometer}}
    max_age: 5m
    expected: when_moving
  logs:
    account: eld
    poll: 15s
    deadline: 10s
    shows: Drivers' logs
    path: /logs
    params: {{from: "{{since}}", to: "{{now}}"}}
    # Drivers correct what is hours ago.
    overlap: 6h
    records: logs
    id: driver
    driver: driver
    truck: eld
    time: began
    until: ended
    duty: status
    on_change: true
  meters:
    account: shop
    poll: 15s
    deadline: 10s
    shows: Maintenance
    path: /vehicles
    records: vehicles
    truck: name
    time: meter_at
    values: {{meter: meter_miles}}
    max_age: 4h
    expected: every-day
  orders:
    account: tms
    poll: 15s
    deadline: 10s
    shows: Orders
    query: |
      SELECT m.id, m.tractor_id, m.move_distance, m.last_changed
      FROM movement m
      WHERE m.last_changed >= :since
    id: id
    time: last_changed
    values: {{miles: move_distance}}
    max_age: 3m
  bills:
    account: tms
    poll: 15s
    deadline: 10s
    shows: Bills
    query: |
      SELECT b.bill_number, b.movement_id, b.billed_distance, b.last_changed
      FROM bill b
    id: movement_id
    time: last_changed
    values: {{miles: billed_distance}}
    max_age: 1h
flows:
  dispatch: {{source: gps.odometer, sink: loads.odometer, max_lag: 30m, shows: Load odometer}}
  maintenance: {{source: gps.odometer, sink: meters.meter, max_lag: 5m, shows: Shop odometer}}
  eld: {{source: elds.odometer, sink: gps.odometer, max_lag: 5m, shows: ELD odometer}}
  billing: {{source: orders.miles, sink: bills.miles, key: id, max_lag: 5m, shows: Billed miles}}
# In earnest logs have two days to settle, and what is told begins with hours; nobody watches a demo for so long.
hours_of_service: {{settle: 1m, tolerance: 1m, least: 2m, unassigned: 5m}}
mdm:
  tablets: {{account: graph, poll: 15s, deadline: 10s, groups: {{drivers: {{stale_after: 12h}}, yard: {{}}}}}}
  dock-tablets:
    account: google
    poll: 15s
    deadline: 10s
    groups: {{dock: {{os: {{android: "13"}}, apps: {{com.example.eld: {{min: "24.1"}}}}}}}}
cellular:
  verizon-tablets:
    {{account: verizon, poll: 15s, deadline: 10s, pools: {{tablets: {{cap: 8 GB}}}}}}
  att-tablets:
    {{account: att, poll: 15s, deadline: 10s, cycle: {{day: {day}}}, pools: {{spares: {{cap: 6 GB}}}}}}
  # Each of these SIMs has 30 days of its own, and the limit that its fleet at KORE has.
  kore: {{account: kore, poll: 15s, deadline: 10s}}
"""
